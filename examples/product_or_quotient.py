"""The gradient is the *product* of its three kinds of factor, and the update is ΔP = −α ∂c/∂P.

One sometimes reads that a parameter changes by a quotient: the step size divided by the factors
of signal path, activation and cost. This example compares both with the slope that is measured
on the cost itself, and then takes both kinds of step until the end.

Run: python examples/product_or_quotient.py
"""

from __future__ import annotations

import numpy as np

import pullback as pb

PROGRAM = """\
f = U*x + b
g = sigmoid(f)
h = V*g
c = norm2(h - y)^2
"""


def main() -> None:
    cost = pb.parse(PROGRAM)
    fn = pb.compile({"c": cost, "dU": pb.derivative(cost, "U")})
    rng = np.random.default_rng(0)
    given = {
        "U": rng.normal(size=(2, 2)),
        "b": rng.normal(size=2),
        "V": rng.normal(size=(2, 2)),
        "x": rng.normal(size=2),
        "y": rng.uniform(size=2),
    }
    product = fn(**given)["dU"]

    print("The slope of the cost, entry by entry of U")
    print(f"{'measured':>12} {'product':>12} {'quotient':>12}")
    step = 1e-6
    for index in np.ndindex(2, 2):
        ahead, behind = given["U"].copy(), given["U"].copy()
        ahead[index] += step
        behind[index] -= step
        rise = fn(**{**given, "U": ahead})["c"] - fn(**{**given, "U": behind})["c"]
        print(f"{rise / (2 * step):12.6f} {product[index]:12.6f} {1 / product[index]:12.6f}")

    print("\nThe cost, step after step, with α = 0.5 for the product and 0.001 for the quotient")
    print(f"{'step':>6} {'product':>14} {'quotient':>14}")
    by_product, by_quotient = given["U"], given["U"]
    for k in range(3001):
        first, second = (fn(**{**given, "U": u}) for u in (by_product, by_quotient))
        if k in (0, 1, 10, 30, 100, 300, 1000, 3000):
            print(f"{k:>6} {first['c']:14.9f} {second['c']:14.9f}")
        by_product = by_product - 0.5 * first["dU"]
        # where the gradient is 0, the quotient has no value: it stays where it is
        flat = second["dU"] == 0
        by_quotient = by_quotient - np.where(flat, 0, 0.001 / np.where(flat, 1, second["dU"]))
    print("\nThe quotient steps furthest where the slope is least, so it is thrown out of every")
    print("valley it comes near, onto the plateau where σ is flat; the product comes to rest.")


if __name__ == "__main__":
    main()

"""Softmax regression on handwritten digits: Newton-CG with derived products against BFGS.

The products of the Hessian with vectors come from the derived formula and cost about as much as
two gradients; the Hessian of 650 by 650 numbers is never formed.

    python examples/newton_or_bfgs.py
"""

from __future__ import annotations

from time import perf_counter

import numpy as np
from scipy.optimize import minimize

import pullback as pb
from pullback.training.digits import load_digits

images, labels = load_digits()
x = images.reshape(len(images), -1) / 16
y = np.eye(10)[labels]

sample = pb.parse(
    """
    y: k unit-sum
    q = softmax(W*x + b)
    L = cross_entropy(q, y) + (norm2(W)^2 + norm2(b)^2) / 2000
    """
)
loss = pb.batch(sample, over=("x", "y"))
print("∂L/∂W =", pb.derivative(loss, "W").text())

objective = pb.objective(loss, "W", "b", x=x, y=y)
start = np.zeros(objective.size)
for method, more in {"Newton-CG": {"hessp": objective.hessp}, "BFGS": {}, "L-BFGS-B": {}}.items():
    began = perf_counter()
    found = minimize(
        objective.fun, start, jac=objective.jac, method=method, options={"maxiter": 500}, **more
    )
    slope = np.abs(objective.jac(found.x)).max()
    parameters = objective.unpack(found.x)
    right = np.mean(np.argmax(x @ parameters["W"].T + parameters["b"], axis=1) == labels)
    print(
        f"{method:9}  loss {found.fun:.8f}  largest slope {slope:.1e}  {found.nit:3} steps  "
        f"{perf_counter() - began:5.2f} s  {right:.1%} of the images right"
    )

"""A backward pass by hand: right, or the first place where it goes wrong, and by which slip."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb

NETWORK = pb.parse("f = U*x\ng = sigmoid(f)\nh = V*g\nL = norm2(h - y)^2")


def right(V, x, g, h, y):
    dh = 2 * (h - y)
    dg = V.T @ dh
    df = dg * g * (1 - g)
    return {"dh": dh, "dg": dg, "df": df, "dU": np.outer(df, x), "dL/dV": np.outer(dh, g)}


def test_a_right_backward_pass_is_right_at_every_step():
    graded = pb.grade(NETWORK, ["U", "V"], right)
    assert graded.right and all(step.right for step in graded.steps)
    assert [step.what for step in graded.steps] == ["∂L/∂h", "∂L/∂g", "∂L/∂f", "∂L/∂U", "∂L/∂V"]


def changed(**slips):
    def backward(V, x, g, f, h, y):
        dh = slips.get("dh", lambda h, y: 2 * (h - y))(h, y)
        dg = V.T @ dh
        df = slips.get("df", lambda dg, f, g: dg * g * (1 - g))(dg, f, g)
        dU = slips.get("dU", np.outer)(df, x)
        return {"h": dh, "g": dg, "f": df, "U": dU}

    return backward


@pytest.mark.parametrize(
    ("slips", "where", "reason"),
    [
        ({"dh": lambda h, y: 2 * (y - h)}, "h", "the sign is wrong"),
        ({"dh": lambda h, y: h - y}, "h", "half of what is right"),
        ({"dh": lambda h, y: 2 * (h - y) / len(h)}, "h", "a mean in place of a sum over p"),
        ({"df": lambda dg, f, g: dg}, "f", "the derivative of σ"),
        (
            {"df": lambda dg, f, g: dg * (s := 1 / (1 + np.exp(-g))) * (1 - s)},
            "f",
            "taken at its value",
        ),
        ({"dU": lambda df, x: df}, "U", "its shape is"),
        ({"dU": lambda df, x: np.outer(df, x) + 1}, "U", "its values are others"),
    ],
)
def test_the_first_wrong_step_and_its_slip_are_told(slips, where, reason):
    graded = pb.grade(NETWORK, "U", changed(**slips))
    first = next(step for step in graded.steps if not step.right)
    assert not graded.right and first.name == where
    assert reason in first.reason
    assert f"goes wrong at ∂L/∂{where}" in graded.reason
    assert set(graded.counter_example) == {"V", "x", "g", "f", "h", "y", "claimed", "right"}


def test_the_other_layout_is_right():
    graded = pb.grade(NETWORK, "U", lambda V, x, g, h, y: right(V, x, g, h, y)["dU"].T)
    assert graded.right and graded.layout == "transposed"


def test_a_batch_that_is_not_summed_is_told():
    f = pb.parse("sum(tanh(X*w))")
    graded = pb.grade(f, "w", lambda X, w: X / np.cosh(X @ w)[:, None] ** 2)
    assert "not summed over axis 0" in graded.reason


@pytest.mark.parametrize(
    ("text", "wrt", "claim", "reason"),
    [
        (
            "f = U*x\ng = sigmoid(f)\nh = V*g\nL = norm2(h - y)^2",
            "U",
            "2*(V'*(h - y))*x'",
            "derivative of σ",
        ),
        ("x'*A*x", "x", "A*x", "x is used elsewhere too"),
        ("x'*A*x", "x", "2*A'*x", "A is transposed"),
        ("sum(x.^3) + norm2(A*x - b)^2", "x", "x.^2 + 2*A'*(A*x - b)", "the factor 3"),
        ("sum(exp(x)) - sum(log(x))", "x", "exp(x) + 1 ./ x", "the minus before sum(log(x))"),
    ],
)
def test_slips_are_found_in_formulas(text, wrt, claim, reason):
    graded = pb.grade(text, wrt, claim)
    assert not graded.right and reason in graded.reason


def test_what_the_function_cannot_do_is_said():
    graded = pb.grade(NETWORK, "U", lambda V, h, y, x: np.outer(V @ (h - y), x))
    assert not graded.right
    assert "stops with ValueError" in graded.reason and "V (" in graded.reason
    with pytest.raises(pb.PullbackError, match="takes 'z'"):
        pb.grade(NETWORK, "U", lambda z: z)
    with pytest.raises(pb.PullbackError, match="'dq' names no gradient"):
        pb.grade(NETWORK, "U", lambda x: {"dq": x})
    with pytest.raises(pb.PullbackError, match="returns 1 gradients; asked are U, V"):
        pb.grade(NETWORK, ["U", "V"], lambda x: x)

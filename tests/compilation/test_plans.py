"""What the planner makes of products: the operations it chooses, and that values stay right."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from naive import close

import pullback as pb

rng = np.random.default_rng(0)


# Aᵀ D A by one matrix and its transpose

SQUARES = {
    "logistic": ("sum(log(1 + exp(-y.*(X*w))))", "w", {"y": "sign"}),
    "exponential": ("sum(exp(X*w))", "w", {}),
    "weighted": ("sum(s.*(X*w).^2)", "w", {"s": "positive"}),
}


def second(name, X, w):
    """Σ_q φ″(zᵩ) Xᵩᵢ Xᵩⱼ in many digits."""
    z = X @ w
    bend = {
        "logistic": lambda t: 1 / ((1 + mpmath.exp(t)) * (1 + mpmath.exp(-t))),
        "exponential": mpmath.exp,
        "weighted": lambda t: mpmath.mpf(2),
    }[name]
    with mpmath.workdps(40):
        d = np.array([float(bend(mpmath.mpf(float(t)))) for t in z])
    return (X.T * d) @ X


@pytest.mark.parametrize("planned", [False, True])
@pytest.mark.parametrize("name", SQUARES)
def test_weights_that_are_not_negative_go_into_the_matrix_as_roots(name, planned):
    text, wrt, assume = SQUARES[name]
    f = pb.parse(text, shapes={"X": ("m", "n"), "w": ("n",)}, assume=assume)
    fn = pb.compile(pb.hessian(f, wrt), planned=planned)
    assert "sqrt" in fn.source
    X, w = rng.normal(size=(60, 30)), rng.normal(size=30)
    given = {"X": X, "w": w, "y": np.sign(rng.normal(size=60)), "s": np.ones(60)}
    H = fn(**{name: given[name] for name in fn.inputs})
    close(H, second(name, X, w))
    assert np.array_equal(H, H.T)  # one half is the other's mirror image


def test_weights_of_unknown_sign_stay_as_they_are():
    d = pb.hessian(pb.parse("sum(s.*(X*w).^2)", shapes={"X": ("m", "n"), "s": ("m",)}), "w")
    fn = pb.compile(d)
    assert "sqrt" not in fn.source
    X, s = rng.normal(size=(5, 3)), rng.normal(size=5)
    close(fn(X=X, s=s, w=np.zeros(3)), 2 * X.T @ np.diag(s) @ X)


def test_a_number_in_front_never_parts_a_matrix_from_its_transpose():
    fn = pb.compile(pb.hessian(pb.parse("3*norm2(X*w)^2", shapes={"X": (4, 90)}), "w"))
    assert "X.T @ X" in fn.source
    X = rng.normal(size=(4, 90))
    close(fn(X=X, w=np.zeros(90)), 6 * X.T @ X)


# products in the order that is best for the sizes of a call

SHAPES = {"T": ("n", "m"), "U": ("n", "k"), "V": ("m", "k"), "M": ("n", "m")}


PLAIN = pb.parse("norm2(T - U*V')^2", shapes={k: v for k, v in SHAPES.items() if k != "M"})


def at(n, m, k):
    return {
        "U": rng.normal(size=(n, k)),
        "V": rng.normal(size=(m, k)),
        "T": rng.normal(size=(n, m)),
        "M": rng.normal(size=(n, m)),
    }


@pytest.mark.parametrize("options", [{}, {"planned": True}, {"target": "jax"}])
@pytest.mark.parametrize("sizes", [(3, 50, 2), (50, 3, 2), (3, 4, 40), (4, 4, 4)])
def test_values_are_right_whatever_order_the_sizes_ask_for(options, sizes):
    if options.get("target") == "jax":
        pytest.importorskip("jax").config.update("jax_enable_x64", True)
    f = pb.parse("norm2(M.*(T - U*V'))^2", shapes=SHAPES)
    given = at(*sizes)
    v = rng.normal(size=given["U"].shape)
    product = pb.compile(pb.hvp(f, "U"), **options)(**given, U_dot=v)
    close(np.asarray(product), 2 * (given["M"] ** 2 * (v @ given["V"].T)) @ given["V"])
    H = pb.compile(pb.hessian(f, "U"), **options)(**given)
    core = 2 * np.einsum("iq,qj,ql->ijl", given["M"] ** 2, given["V"], given["V"])
    close(np.einsum("ijil->ijl", np.asarray(H)), core)


def test_a_product_goes_first_where_it_is_small():
    fn = pb.compile(pb.hvp(PLAIN, "U"))
    orders = {}
    for n, m, k in ((100, 100, 2), (2, 100, 100)):
        given = at(n, m, k)
        del given["M"]
        close(fn(**given, U_dot=given["U"]), 2 * given["U"] @ given["V"].T @ given["V"])
        orders[n] = fn._choice.at(dict(zip(fn._wanted, (k, m, n), strict=True))).text
    assert "V.T @ V" in orders[100] and "V.T @ V" not in orders[2]


def test_code_is_made_for_few_sizes_only():
    fn = pb.compile(pb.hvp(PLAIN, "U"))
    for n in range(1, 40):
        given = at(n, 3, 2)
        del given["M"]
        close(fn(**given, U_dot=given["U"]), 2 * given["U"] @ given["V"].T @ given["V"])
    assert len(fn._functions) <= 3


def test_a_product_over_several_axes_is_one_of_matrices():
    f = pb.parse("norm2(M.*(T - U*V'))^2", shapes=SHAPES)
    given = at(9, 8, 2)
    fn = pb.compile(pb.hessian(f, "U"))
    fn(**given)
    text = fn._choice.at(dict(zip(fn._wanted, (2, 8, 9), strict=True))).text
    assert "tensordot" not in text and "einsum('ijik->ijk'" in text


def test_an_outer_product_goes_through_a_chain_unmultiplied():
    """Hessian by the first weights of a deep relu network: matrix products, and one outer product."""
    layers, n = 6, 5
    text = ["h1 = relu(W1*x)"]
    text += [f"h{k} = relu(W{k}*h{k - 1})" for k in range(2, layers)]
    text += [f"norm2(W{layers}*h{layers - 1} - y)^2"]
    names = [f"W{k}" for k in range(1, layers + 1)]
    f = pb.parse("\n".join(text), shapes=dict.fromkeys(names, ("n", "n")))
    fn = pb.compile(pb.hessian(f, "W1"))
    given = {name: rng.normal(size=(n, n)) for name in names} | {"x": rng.normal(size=n)}
    got = fn(**{name: given[name] for name in fn.inputs})
    J, h = np.eye(n), given["W1"] @ given["x"]
    for name in names[1:]:
        J = given[name] @ ((h > 0)[:, None] * J)
        h = given[name] @ np.maximum(h, 0)
    close(got, np.einsum("ai,ak,j,l->ijkl", J, J, given["x"], given["x"]) * 2)
    assert "reshape" not in fn.source and "tensordot" not in fn.source


@pytest.mark.parametrize("target", ["numpy", "native", "auto"])
def test_kept_results_are_the_same_from_each_target(target):
    f = pb.parse("norm2(M.*(T - U*V'))^2", shapes=SHAPES)
    given = at(4, 5, 2)
    kept = pb.compile(pb.hessian(f, "U"), structure="keep", target=target)(**given)
    core = 2 * np.einsum("iq,qj,ql->ijl", given["M"] ** 2, given["V"], given["V"])
    close(kept @ given["U"], np.einsum("ijl,il->ij", core, given["U"]))
    close(np.einsum("ijil->ijl", kept.dense()), core)


def test_entries_among_zeros_go_into_memory_that_is_zero_from_the_start():
    d = pb.jacobian(pb.parse("tanh(W*x)", shapes={"W": ("m", "n")}), "W")
    fn = pb.compile(d, planned=True)
    W, x = rng.normal(size=(3, 2)), rng.normal(size=2)
    wanted = np.einsum("ij,i,k->ijk", np.eye(3), 1 / np.cosh(W @ x) ** 2, x)
    close(fn(W=W, x=x), wanted)
    given = {"result": np.full((3, 3, 2), np.nan)}
    assert fn(W=W, x=x, out=given) is given["result"]  # not zero from the start: cleared
    close(given["result"], wanted)
    assert "if not zeroed: out_result.fill(0)" in fn.source


def test_zeros_of_one_output_serve_no_other_before():
    f = pb.parse("exp(x)", shapes={"x": ("n",)})
    both = {"J": pb.jacobian(f, "x"), "P": pb.parse("A*A + A", shapes={"A": ("n", "n")})}
    fn = pb.compile(both, planned=True)
    A, x = rng.normal(size=(4, 4)), rng.normal(size=4)
    out = fn(A=A, x=x)
    close(out["J"], np.diag(np.exp(x)))
    close(out["P"], A @ A + A)


def test_a_number_goes_where_there_is_least_to_multiply():
    f = pb.parse("exp(3*Q*K')", shapes={"Q": ("n", "d"), "K": ("n", "d")})
    fn = pb.compile(f)
    for n, d, wanted in ((50, 2, "(3 * Q) @ K.T"), (2, 50, "3 * (Q @ K.T)")):
        Q, K = rng.normal(size=(2, n, d)) / 10
        close(fn(Q=Q, K=K), np.exp(3 * Q @ K.T))
        assert wanted in fn._choice.at(dict(zip(fn._wanted, (d, n), strict=True))).text

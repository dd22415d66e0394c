"""Cholesky factors, solves and the Sylvester equation beside JAX: value, gradient, Hessian; their laws."""

import re

import numpy as np
import pytest
from scipy import linalg

import pullback as pb
from pullback.errors import DomainError, PullbackError, ShapeError

jax = pytest.importorskip("jax")
jax.config.update("jax_enable_x64", True)
jnp = jax.numpy

RNG = np.random.default_rng(3)
N, P = 4, 3
A = RNG.normal(size=(N, N)) + 2 * np.eye(N)
S = A @ A.T / 2 + np.eye(N)
D, C = RNG.normal(size=(P, P)) + 3 * np.eye(P), RNG.normal(size=(N, P))
GIVEN = {"A": A, "S": S, "L": A, "D": D, "C": C, "B": RNG.normal(size=(N, N)), "x": C[:, 0]}
SHAPES = {
    "A": ("n", "n"), "S": ("n", "n"), "L": ("n", "n"), "B": ("n", "n"), "D": ("p", "p"),
    "C": ("n", "p"), "x": ("n",),
}  # fmt: skip


def lower(a, b):
    return jax.scipy.linalg.solve_triangular(a, b, lower=True)


def upper(a, b):
    return jax.scipy.linalg.solve_triangular(a, b, lower=False)


def sylvester(a, b, c):
    """By Kronecker products, rows one after another."""
    n, p = c.shape
    whole = jnp.kron(a, jnp.eye(p)) + jnp.kron(jnp.eye(n), b.T)
    return jnp.linalg.solve(whole, c.reshape(-1)).reshape(n, p)


def chol(s):
    return jnp.linalg.cholesky(s)


CASES = {
    "tr(B*chol(S))": ("S", lambda S, B: jnp.trace(B @ chol(S))),
    "norm2(B*chol(S)*x)^2": ("S", lambda B, S, x: jnp.sum((B @ chol(S) @ x) ** 2)),
    "2*sum(log(diag(chol(S))))": ("S", lambda S: 2 * jnp.sum(jnp.log(jnp.diag(chol(S))))),
    "norm2(solve_lower(chol(S), x))^2": ("S", lambda S, x: jnp.sum(lower(chol(S), x) ** 2)),
    "sum(exp(chol(S)*chol(S)'))": ("S", lambda S: jnp.sum(jnp.exp(chol(S) @ chol(S).T))),
    "norm2(solve(A, x))^2": ("A", lambda A, x: jnp.sum(jnp.linalg.solve(A, x) ** 2)),
    "norm2(solve(A, C))^2": ("A", lambda A, C: jnp.sum(jnp.linalg.solve(A, C) ** 2)),
    "norm2(solve_lower(L, x))^2": ("L", lambda L, x: jnp.sum(lower(L, x) ** 2)),
    "norm2(solve_upper(L, C))^2": ("L", lambda L, C: jnp.sum(upper(L, C) ** 2)),
    "norm2(sylvester(A, D, C))^2": ("A", lambda A, D, C: jnp.sum(sylvester(A, D, C) ** 2)),
    "sum(exp(sylvester(A, D, C)))": ("D", lambda A, D, C: jnp.sum(jnp.exp(sylvester(A, D, C)))),
    "norm2(sylvester(A,D,C))^2": ("C", lambda A, D, C: jnp.sum(sylvester(A, D, C) ** 2)),
    "norm2(lyapunov(A, B))^2": ("A", lambda A, B: jnp.sum(sylvester(A, A.T, B) ** 2)),
}


def stated(text):
    return pb.parse(text, shapes={n: SHAPES[n] for n in names(text)})


def names(text):
    return [n for n in SHAPES if re.search(rf"(?<!\w){n}(?!\w)", text)]


@pytest.mark.parametrize("text", CASES)
@pytest.mark.parametrize("order", [0, 1, 2])
def test_value_gradient_and_hessian(text, order):
    by, meaning = CASES[text]
    f = stated(text)
    found = pb.compile(pb.derivative(f, *[by] * order) if order else f)
    given = {n: GIVEN[n] for n in names(text)}
    expected = meaning
    for _ in range(order):
        expected = _slope(expected, by)
    reference = np.asarray(jax.jit(expected)(**given))
    value = found(**{n: given[n] for n in found.inputs}, **_sizes(found))
    scale = np.max(np.abs(reference))
    np.testing.assert_allclose(value, reference, rtol=1e-9, atol=1e-11 * scale)


def _slope(function, by):
    def slope(**given):
        rest = {n: v for n, v in given.items() if n != by}
        return jax.jacobian(lambda v: function(**{by: v}, **rest))(given[by])

    return slope


def _sizes(fn):
    return {s: {"n": N, "p": P}[s] for s in fn.asked}


@pytest.mark.parametrize("text", [t for t in CASES if "exp" not in t])
def test_derivatives_are_certified(text):
    by, _ = CASES[text]
    assert pb.check(stated(text), by).passed


@pytest.mark.parametrize(
    ("text", "by", "book"),
    [
        ("2*sum(log(diag(chol(S))))", "S", "S⁻¹"),
        ("norm2(solve_lower(chol(S), x))^2", "S", "−S⁻¹ x xᵀ S⁻¹"),
        ("norm2(chol(S)'*x)^2", "S", "x xᵀ"),
        ("tr(B*chol(S)*chol(S)')", "S", "(B + Bᵀ)/2"),
        ("logdet(chol(S))", "S", "S⁻¹/2"),
        ("x'*solve(A, x)", "A", "−A⁻ᵀ x xᵀ A⁻ᵀ"),
        ("solve(A, x)", "x", "A⁻¹"),
        ("tr(B'*sylvester(A, D, C))", "C", "sylvester(Aᵀ, Dᵀ, B)"),
    ],
)
def test_textbook_forms(text, by, book):
    """Murray (2016), equations 8 to 10; a Cholesky factor leaves no trace where it need not."""
    assume = {"S": ["posdef"]} if "S" in text else {}
    f = pb.parse(text, assume=assume)
    d = pb.derivative(f, by)
    assert d.text() == book
    assert pb.check(f, by).passed


def test_a_factor_and_its_laws_by_number():
    for text, expected in {
        "chol(S)*chol(S)'": S,
        "inv(chol(S))'*inv(chol(S))": np.linalg.inv(S),
        "chol(S)'*inv(S)": np.linalg.inv(np.linalg.cholesky(S)),
        "inv(chol(S))*S": np.linalg.cholesky(S).T,
        "tril(chol(S))": np.linalg.cholesky(S),
        "det(chol(S))": np.sqrt(np.linalg.det(S)),
        "chol(diag(exp(x)))": np.diag(np.exp(C[:, 0] / 2)),
    }.items():
        f = pb.parse(text, assume={"S": ["posdef"]} if "S" in text else {})
        fn = pb.compile(f)
        found = fn(**{n: GIVEN[n] for n in fn.inputs})
        np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize(
    ("text", "given", "message"),
    [
        ("chol(S)", {"S": -S}, "cholesky needs a positive definite matrix"),
        ("sylvester(A, D, C)", {"A": np.eye(N), "D": -np.eye(P), "C": C}, "common eigenvalue"),
    ],
)
def test_what_has_no_solution_is_refused(text, given, message):
    fn = pb.compile(stated(text))
    with pytest.raises(DomainError, match=message):
        fn(**given)


ROADS = {
    "np.linalg.cholesky(S) @ x": lambda: np.linalg.cholesky(S) @ C[:, 0],
    "scipy.linalg.cholesky(S)": lambda: linalg.cholesky(S),
    "scipy.linalg.cholesky(S, lower=True)": lambda: linalg.cholesky(S, lower=True),
    "np.linalg.solve(A, C)": lambda: np.linalg.solve(A, C),
    "scipy.linalg.solve_triangular(L, C)": lambda: linalg.solve_triangular(A, C),
    "scipy.linalg.solve_triangular(L, x, lower=True)": lambda: linalg.solve_triangular(
        A, C[:, 0], lower=True
    ),
    "scipy.linalg.solve_triangular(L, C, trans=1)": lambda: linalg.solve_triangular(A, C, trans=1),
    "scipy.linalg.solve_sylvester(A, D, C)": lambda: linalg.solve_sylvester(A, D, C),
    "scipy.linalg.solve_continuous_lyapunov(A, B)": lambda: linalg.solve_continuous_lyapunov(
        A, GIVEN["B"]
    ),
    "A \\ C": lambda: np.linalg.solve(A, C),
    "solve(A, x)": lambda: np.linalg.solve(A, C[:, 0]),
    "chol(S)": lambda: np.linalg.cholesky(S),
    "cholesky(S)": lambda: np.linalg.cholesky(S),
    r"\operatorname{chol}(S) x": lambda: np.linalg.cholesky(S) @ C[:, 0],
    r"C^{+} x": lambda: np.linalg.pinv(C) @ C[:, 0],
    r"C^\dagger x": lambda: np.linalg.pinv(C) @ C[:, 0],
    "np.linalg.svd(D, compute_uv=False)": lambda: np.linalg.svd(D, compute_uv=False),
    "np.linalg.svdvals(D)": lambda: np.linalg.svd(D, compute_uv=False),
}


@pytest.mark.parametrize("text", ROADS)
def test_spellings(text):
    fn = pb.compile(stated(text))
    found = fn(**{n: GIVEN[n] for n in fn.inputs})
    np.testing.assert_allclose(found, ROADS[text](), rtol=1e-10, atol=1e-12)


def test_functions_of_numpy_on_symbols():
    a, b = pb.matrix("A", "n", "n"), pb.vector("b", "n")
    assert np.linalg.cholesky(a).node is pb.chol(a).node
    assert np.linalg.cholesky(a, upper=True).node is pb.chol(a).T.node
    assert np.linalg.solve(a, b).node is pb.solve(a, b).node
    assert pb.solve_triangular(a, b, lower=True).node is pb.solve_lower(a, b).node


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("eig(A)", "eigvalsh"),
        ("svd(A)", "svdvals"),
        ("lyap(A, Q)", "-Q"),
        ("np.linalg.eigvals(A)", "eigvalsh"),
        ("np.linalg.svd(A)", "svdvals"),
        ("scipy.linalg.cho_solve(c, b)", "np.linalg.solve"),
    ],
)
def test_what_has_no_meaning_names_what_has(text, hint):
    with pytest.raises(PullbackError, match=hint):
        pb.parse(text)


def test_sizes_are_checked():
    with pytest.raises(ShapeError):
        pb.parse("solve(A, x)", shapes={"A": ("m", "n"), "x": ("n",)})
    with pytest.raises(PullbackError):
        pb.parse("solve(A, x)", shapes={"A": ("n", "n"), "x": ("m",)})
    with pytest.raises(PullbackError, match="square"):
        pb.solve_lower(pb.matrix("A", "m", "n"), pb.vector("x", "m"))


def test_nan_passes_through():
    for text in ("chol(S)", "sylvester(A, D, C)", "solve_lower(L, x)"):
        fn = pb.compile(stated(text))
        assert np.isnan(fn(**{n: np.full_like(GIVEN[n], np.nan) for n in fn.inputs})).any()


def test_a_lyapunov_equation_with_a_symmetric_side_has_a_symmetric_solution():
    d = pb.derivative("sum(lyapunov(A, Q))", "Q")
    assert d.text() == "sylvester(Aᵀ, A, 𝟏 𝟏ᵀ)"
    d = pb.derivative("sum(lyapunov(A, Q))", "A")
    assert d.text() == "−sylvester(Aᵀ, A, 𝟏 𝟏ᵀ) (sylvester(A, Aᵀ, Q) + sylvester(A, Aᵀ, Q)ᵀ)"

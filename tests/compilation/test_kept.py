"""Results with their structure kept: the same numbers as the dense array, without the array."""

import numpy as np
import pytest

import pullback as pb
from pullback.derivation.factoring import factored
from pullback.errors import DomainError, PullbackError, ShapeError
from pullback.verification.certificate import check_values

SIZES = {"n": 4, "m": 3, "k": 2, "p": 5, "q": 2}
FACTORISATION = {"T": ("n", "m"), "U": ("n", "k"), "V": ("m", "k")}
CASES = {
    "diagonal": ("sum(exp(x))", ("x", "x"), {}, "n"),
    "block diagonal": ("norm2(T - U*V')^2", ("U", "U"), FACTORISATION, "k^2"),
    "masked": ("norm2(M.*(T - U*V'))^2", ("U", "U"), {**FACTORISATION, "M": ("n", "m")}, "k^2*n"),
    "kronecker": ("A*X*B", ("X",), {"A": ("n", "n"), "X": ("n", "m"), "B": ("m", "m")}, None),
    "log det": ("logdet(X)", ("X", "X"), {"X": ("n", "n")}, "2*n^2"),
    "inverse": ("inv(X)", ("X",), {"X": ("n", "n")}, "2*n^2"),
    "layer": ("sigmoid(W*x)", ("W",), {"W": ("m", "n"), "x": ("n",)}, "m + n"),
    "network": ("norm2(V*sigmoid(U*x) - y)^2", ("U", "U"), {}, None),
    "low rank": ("logsumexp(x)", ("x", "x"), {}, None),
    "norm": ("norm2(x)", ("x", "x"), {}, None),
    "gram": ("X'*X", ("X",), {}, None),
}


def made(case, seed=0):
    text, wrt, shapes, _ = CASES[case]
    d = pb.derivative(pb.parse(text, shapes=shapes), *wrt)
    rng = np.random.default_rng(seed)
    arrays = {}
    for name, v in d.program.variables.items():
        shape = [size.evaluate(SIZES) for size in v.shape]
        arrays[name] = rng.normal(size=shape)
        if len(shape) == 2 and shape[0] == shape[1]:
            arrays[name] = arrays[name] @ arrays[name].T + np.eye(shape[0])
    return d, arrays, rng


def number(text):
    return eval(text.replace("^", "**"), dict(SIZES))


@pytest.mark.parametrize("case", CASES)
def test_factors_and_deltas_are_the_tensor(case):
    d, _, _ = made(case)
    tensor = factored(d.node)
    assert check_values(d.node, tensor.node()).passed
    stored = CASES[case][3]
    if stored is not None:
        assert tensor.stored.evaluate(SIZES) == number(stored)


@pytest.mark.parametrize("case", CASES)
def test_it_multiplies_and_expands_as_the_dense_array_does(case):
    d, arrays, rng = made(case)
    sizes = {"n": SIZES["n"]} if case == "block diagonal" else {}
    full = pb.compile(d)(**arrays, **sizes)
    K = pb.compile(d, structure="keep")(**arrays, **sizes)
    np.testing.assert_allclose(K.dense(), full, rtol=1e-12, atol=1e-12)
    assert K.shape == full.shape and np.shape(np.asarray(K)) == full.shape
    rows = d.derivation.groups[0] or d.derivation.groups[1]
    v = rng.normal(size=full.shape[rows:])
    w = rng.normal(size=full.shape[:rows])
    np.testing.assert_allclose(K @ v, np.tensordot(full, v, v.ndim), rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(w @ K, np.tensordot(w, full, w.ndim), rtol=1e-11, atol=1e-11)
    flat = full.reshape(w.size, v.size)
    np.testing.assert_allclose(K.sparse().toarray(), flat, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(K.operator() @ v.ravel(), flat @ v.ravel(), rtol=1e-11, atol=1e-11)
    if w.shape == v.shape:
        np.testing.assert_allclose(K.diagonal(), np.diag(flat).reshape(v.shape), atol=1e-12)
        np.testing.assert_allclose(K.trace(), np.trace(flat), rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize(
    "case", ["diagonal", "block diagonal", "masked", "kronecker", "log det", "inverse"]
)
def test_systems_are_solved_block_by_block(case):
    d, arrays, rng = made(case)
    K = pb.compile(d, structure="keep")(**arrays)
    assert K.form.solver is not None
    b = rng.normal(size=K.shape[: len(K.shape) // 2])
    x = K.solve(b)
    assert x.shape == b.shape
    np.testing.assert_allclose(K @ x, b, rtol=1e-9, atol=1e-9)
    flat = np.asarray(K).reshape(b.size, b.size)
    np.testing.assert_allclose(x.ravel(), np.linalg.solve(flat, b.ravel()), rtol=1e-8, atol=1e-9)


def test_other_systems_are_solved_as_dense_ones():
    d = pb.hessian("sum(exp(x)) + (a'*x)^2", "x")
    rng = np.random.default_rng(0)
    x, a = rng.normal(size=5), rng.normal(size=5)
    K = pb.compile(d, structure="keep")(x=x, a=a)
    np.testing.assert_allclose(
        K.solve(x), np.linalg.solve(np.diag(np.exp(x)) + 2 * np.outer(a, a), x), rtol=1e-10
    )


def test_a_singular_matrix_and_a_wrong_shape_are_errors():
    K = pb.compile(pb.hessian("sum(x.^3)", "x"), structure="keep")(x=np.array([1.0, 0.0]))
    with pytest.raises(DomainError, match="singular"):
        K.solve(np.ones(2))
    with pytest.raises(ShapeError, match=r"shape \(2,\), not \(3,\)"):
        K @ np.ones(3)
    J = pb.compile(pb.jacobian("sigmoid(W*x)", "W"), structure="keep")
    with pytest.raises(PullbackError, match="rows like columns"):
        J(W=np.ones((2, 3)), x=np.ones(3)).trace()


def test_results_without_structure_have_the_same_operations():
    outputs = {"f": "x'*A*x", "g": pb.gradient("x'*A*x", "x"), "H": pb.hessian("x'*A*x", "x")}
    A = np.array([[3.0, 1.0], [0.0, 2.0]])
    made = pb.compile(outputs, structure="keep")(x=np.ones(2), A=A)
    assert made["f"] == 6 and isinstance(made["g"], np.ndarray)
    K, H, v = made["H"], A + A.T, np.array([1.0, 2.0])
    np.testing.assert_array_equal(K.dense(), H)
    np.testing.assert_allclose(K @ v, H @ v)
    np.testing.assert_allclose(K.solve(v), np.linalg.solve(H, v))
    assert K.trace() == 10 and K.core.shape == (2, 2)


def test_nothing_large_is_made_for_a_product():
    """A million by a million Hessian, in a few numbers."""
    d = pb.hessian(pb.parse("norm2(T - U*V')^2", shapes=FACTORISATION), "U")
    rng = np.random.default_rng(0)
    V, v = rng.normal(size=(20, 5)), rng.normal(size=(200_000, 5))
    K = pb.compile(d, structure="keep")(V=V, n=200_000)
    assert K.nbytes == 200
    np.testing.assert_allclose(K @ v, 2 * v @ (V.T @ V), rtol=1e-12)


def test_without_scipy_it_is_said_what_needs_it(monkeypatch):
    monkeypatch.setattr("pullback.compilation.extras.find_spec", lambda name: None)
    K = pb.compile(pb.hessian("sum(exp(x))", "x"), structure="keep")(x=np.ones(2))
    with pytest.raises(PullbackError, match="a sparse matrix calls functions of SciPy"):
        K.sparse()
    np.testing.assert_array_equal(K @ np.ones(2), np.exp(np.ones(2)))


UPDATED = [
    ("norm2(x)^4 + sum(exp(x))", {}, 5),
    ("sum(x)^2 + sum(x.^4) + (a'*x)^3", {"a": "n"}, 5),
    ("normF(X)^4 + normF(X)^2", {}, (3, 4)),
    ("sum(exp(X)) + tr(A'*X)^2", {"A": "X"}, (3, 4)),
    ("norm2(x)^2", {}, 5),
]


@pytest.mark.parametrize("case", range(len(UPDATED)))
def test_blocks_with_a_few_outer_products_are_solved_by_their_formula(case):
    text, more, shape = UPDATED[case]
    name = "X" if "X" in text else "x"
    rng = np.random.default_rng(case)
    arrays = {name: rng.normal(size=shape), **{k: rng.normal(size=shape) for k in more}}
    H = pb.hessian(pb.parse(text), name)
    K = pb.compile(H, structure="keep")(**arrays)
    assert K.form.solver is not None
    assert K.nbytes < 8 * (3 * np.size(arrays[name]) + 3)
    b = rng.normal(size=shape)
    dense = pb.compile(H)(**arrays).reshape(b.size, b.size)
    np.testing.assert_allclose(K.dense().reshape(b.size, b.size), dense, rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(K.solve(b).ravel(), np.linalg.solve(dense, b.ravel()), rtol=1e-9)
    np.testing.assert_allclose((K @ b).ravel(), dense @ b.ravel(), rtol=1e-11)


def test_a_singular_sum_of_blocks_and_outer_products_is_refused():
    """The Hessian of log-sum-exp, diag(p) − p pᵀ, takes 1 to 0."""
    K = pb.compile(pb.hessian("log(sum(exp(x)))", "x"), structure="keep")(x=np.arange(4.0))
    with pytest.raises(pb.DomainError, match="singular"):
        K.solve(np.ones(4))


def test_a_hessian_that_is_zero_stays_small():
    K = pb.compile(pb.hessian("sum(x)", "x"), structure="keep")(n=10**6)
    assert K.nbytes <= 8 and K.shape == (10**6, 10**6)
    assert not np.any(K @ np.ones(10**6))


def test_a_regulariser_joins_the_block_that_it_is_added_to():
    """2 δ_ik (VᵀV)_jl + 2 c δ_ik δ_jl is δ_ik ⊗ (2 VᵀV + 2 c I): one block for all rows."""
    f = pb.parse("normF(X - U*V')^2 + c*normF(U)^2", shapes={"X": ("n", "m"), "U": ("n", "k")})
    H = pb.hessian(f, "U")
    assert str(H.structure).startswith("δ_ik ⊗ core_jl: ")
    rng = np.random.default_rng(8)
    V, c, b = rng.normal(size=(6, 3)), 0.7, rng.normal(size=(5, 3))
    K = pb.compile(H, structure="keep")(V=V, c=c, n=5)
    assert K.form.solver is not None and K.nbytes == 8 * 9
    np.testing.assert_allclose(K.solve(b), b @ np.linalg.inv(2 * V.T @ V + 2 * c * np.eye(3)))


def test_diagonal_and_trace_of_a_sum_make_no_matrix():
    H = pb.hessian(pb.parse("sum(exp(x)) + (a'*x)^2", shapes={"a": ("n",)}), "x")
    n = 200_000  # as an array: 320 GB
    x, a = np.linspace(-1, 1, n), np.linspace(0, 1, n)
    K = pb.compile(H, structure="keep")(x=x, a=a)
    expected = np.exp(x) + 2 * a**2
    np.testing.assert_allclose(K.diagonal(), expected, rtol=1e-14)
    np.testing.assert_allclose(K.trace(), expected.sum(), rtol=1e-12)


def test_the_diagonal_of_terms_that_tie_their_axes_differently():
    text = "norm2(A*X)^2 + tr(X)^2 + sum(X .* X')"  # a δ of columns, two of entries, a transpose
    H = pb.hessian(pb.parse(text, shapes={"A": ("n", "n"), "X": ("n", "n")}), "X")
    A = np.random.default_rng(0).normal(size=(3, 3))
    K = pb.compile(H, structure="keep")(A=A, X=np.zeros((3, 3)))
    dense = K.dense().reshape(9, 9)
    np.testing.assert_allclose(K.diagonal().ravel(), np.diag(dense), rtol=1e-14)
    by_hand = 2 * np.repeat((A**2).sum(0), 3).reshape(3, 3) + 4 * np.eye(3)
    np.testing.assert_allclose(K.diagonal(), by_hand, rtol=1e-14)
    np.testing.assert_allclose(K.trace(), by_hand.sum(), rtol=1e-14)


@pytest.mark.parametrize("text", ["std(z)", "layer_norm(z)", "lgamma(1 + abs(lgamma(z.^2 + 3)))"])
def test_a_summed_delta_is_no_size_and_no_tie_is_lost(text):
    """Σⱼ δᵢⱼ c is c and not n c; δ_ik of one factor and δ_kp of another are both kept."""
    d = pb.derivative(text, "z", "z")
    z = np.array([0.3, 0.9, 1.4])
    K = pb.compile(d, structure="keep")(z=z)
    np.testing.assert_allclose(K.dense(), pb.compile(d)(z=z), rtol=1e-12, atol=1e-15)

"""Inverses, determinants, eigenvalues and norms of matrices: book forms, hard points, dialects."""

from itertools import permutations

import mpmath
import numpy as np
import pytest

import pullback as pb
from pullback.errors import DomainError, PullbackError

RNG = np.random.default_rng(11)
X = RNG.normal(size=(4, 3))
S = RNG.normal(size=(4, 4))


def sign(order):
    return round(np.linalg.det(np.eye(len(order))[list(order)]))


def leibniz(x, *gone):
    """∂ᵏ det/∂x₍gone₎: the terms of Leibniz's formula that hold these entries, without them."""
    n = range(len(x))
    return sum(
        sign(p) * np.prod([x[i, p[i]] for i in n if (i, p[i]) not in gone])
        for p in permutations(n)
        if all(p[i] == j for i, j in gone)
    )


def of_rank(rank):
    u, s, vt = np.linalg.svd(S)
    return u[:, :rank] * s[:rank] @ vt[:rank]


@pytest.mark.parametrize("rank", [4, 3, 2, 1, 0])
@pytest.mark.parametrize("planned", [False, True])
def test_derivatives_of_a_determinant_at_any_rank(rank, planned):
    """Leibniz's formula knows no inverse; three orders of magnitude below, nothing is lost."""
    f = pb.det(pb.matrix("X", "n", "n"))
    x = of_rank(rank)
    first, second = np.zeros((4, 4)), np.zeros((4, 4, 4, 4))
    for one in np.ndindex(4, 4):
        first[one] = leibniz(x, one)
        for other in np.ndindex(4, 4):
            if one[0] != other[0] and one[1] != other[1]:
                second[one + other] = leibniz(x, one, other)
    for names, expected in ((["X"], first), (["X", "X"], second)):
        found = pb.compile(pb.derivative(f, *names), planned=planned)(X=x)
        np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-13)


def test_the_third_derivative_of_a_determinant():
    f = pb.det(pb.matrix("X", 3, 3))
    third = pb.derivative(f, "X", "X", "X")
    epsilon = np.zeros((3, 3, 3))
    for p in permutations(range(3)):
        epsilon[p] = sign(p)
    found = pb.compile(third)(X=S[:3, :3])
    # the only ones: ∂³ det/∂x₁ᵢ∂x₂ⱼ∂x₃ₖ = εᵢⱼₖ and the same for rows in another order
    expected = np.einsum("ace,bdf->abcdef", epsilon, epsilon)
    np.testing.assert_allclose(found, expected, atol=1e-11)
    with pytest.raises(DomainError, match="divides by zero|invertible|infinite"):
        pb.compile(third)(X=np.ones((3, 3)))


@pytest.mark.parametrize(
    ("text", "variable", "book"),
    [
        ("det(X)", "X", "det(X) X⁻ᵀ"),
        ("logabsdet(X)", "X", "X⁻ᵀ"),
        ("log(det(X))", "X", "X⁻ᵀ"),
        ("adj(X)", "X", None),
        ("lambda_max(A)", "A", "v_max(A) v_max(A)ᵀ"),
        ("sum(eigvalsh(A))", "A", "I"),
        ("c'*eigvalsh(A)", "A", "eigvecsh(A) diag(c) eigvecsh(A)ᵀ"),
        ("spectral_norm(X)", "X", "u_max(X) w_max(X)ᵀ"),
        ("nuclear_norm(X)", "X", "polar(X)"),
        ("nuclear_norm(X)^2", "X", "2 ‖X‖_* polar(X)"),
        ("tr(X^(1/2))", "X", "(X^(-1/2))ᵀ/2"),
    ],
)
def test_textbook_derivatives(text, variable, book):
    """The Matrix Cookbook, section 2.1; Magnus and Neudecker, chapters 8 and 9; Watson 1992."""
    f = pb.parse(text)
    d = pb.derivative(f, variable)
    assert pb.check(f, variable).passed
    if book is None:
        return
    assert d.text() == book
    shapes = {name: v.shape for name, v in f.program.variables.items() if name in book}
    back = pb.parse(d.text() if shapes else "eye(n)", shapes=shapes)
    given = {"X": S + 4 * np.eye(4), "A": S, "c": np.arange(4.0), "n": 4, "m": 4}
    found, expected = (
        fn(**{name: given[name] for name in (*fn.inputs, *fn.sizes)})
        for fn in map(pb.compile, (back, d))
    )
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_a_pseudoinverse_of_either_shape():
    f = pb.parse("tr(B*pinv(X))", shapes={"X": ("m", "n"), "B": ("m", "n")})
    d = pb.derivative(f, "X")
    assert "X⁺" in d.text()
    assert pb.parse(d.text()).program.result is not None
    for x in (X, X.T):
        gradient = pb.compile(d)(X=x, B=np.ones_like(x))
        for at in ((0, 0), (1, 2)):
            e = np.zeros_like(x)
            e[at] = 1e-6
            ends = [np.trace(np.ones_like(x) @ np.linalg.pinv(x + s * e)) for s in (1, -1)]
            assert gradient[at] == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-6)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("np.linalg.norm(X, 2)", np.linalg.norm(X, 2)),
        ("np.linalg.norm(X, 'nuc')", np.linalg.norm(X, "nuc")),
        ("np.linalg.norm(X, 'fro')", np.linalg.norm(X)),
        ("np.linalg.norm(X, 1)", np.linalg.norm(X, 1)),
        ("norm(X, 'nuc')", np.linalg.norm(X, "nuc")),
        ("spectral_norm(X)", np.linalg.norm(X, 2)),
        ("norm1_induced(X)", np.linalg.norm(X, 1)),
        ("norm_inf_induced(X)", np.linalg.norm(X, np.inf)),
        (r"\|X\|_*", np.linalg.norm(X, "nuc")),
        ("‖X‖_*", np.linalg.norm(X, "nuc")),
        ("‖X‖_F + ‖X‖", 2 * np.linalg.norm(X)),
        ("sum(np.linalg.pinv(X))", np.linalg.pinv(X).sum()),
        ("sum(X⁺)", np.linalg.pinv(X).sum()),
    ],
)
def test_norms_by_their_names(text, expected):
    f = pb.parse(text, shapes={"X": ("m", "n")})
    assert pb.compile(f)(X=X) == pytest.approx(expected, rel=1e-13)
    assert pb.check(f, "X").passed


def test_numpy_s_norms_of_a_symbol():
    x = pb.matrix("X", "m", "n")
    for order in (1, 2, np.inf, "nuc", "fro", None):
        found = pb.compile(np.linalg.norm(x, order))(X=X)
        assert found == pytest.approx(np.linalg.norm(X, order), rel=1e-13)
    v = pb.vector("v", "n")
    for order in (1, 2, 3, np.inf):
        found = pb.compile(np.linalg.norm(v, order))(v=X[0])
        assert found == pytest.approx(np.linalg.norm(X[0], order), rel=1e-13)


@pytest.mark.parametrize("text", ["norm(X)", "norm(X, 2)", r"\|X\|_2", "‖X‖₂"])
def test_a_norm_with_several_meanings_is_refused(text):
    with pytest.raises(PullbackError, match="the norm of a matrix has several meanings") as caught:
        pb.parse(text, shapes={"X": ("m", "n")})
    assert "spectral_norm" in str(caught.value) and "nuclear_norm" in str(caught.value)


def test_eig_is_answered_for_what_is_known_to_be_symmetric():
    f = pb.parse("sum(exp(eig(S)))", assume={"S": ["symmetric"]})
    symmetric = S + S.T
    assert pb.compile(f)(S=symmetric) == pytest.approx(np.exp(np.linalg.eigvalsh(symmetric)).sum())
    assert pb.check(pb.parse("sum(exp(eig(X'*X)))"), "X").passed
    with pytest.raises(PullbackError, match="declare it symmetric; eigvalsh"):
        pb.parse("eig(A)")


@pytest.mark.parametrize("planned", [False, True])
def test_what_has_no_value_is_refused_by_name(planned):
    A = pb.matrix("A", "n", "n")
    hessian = pb.compile(pb.derivative(pb.eigvalsh(A), "A", "A"), planned=planned)
    with pytest.raises(DomainError, match="inverse_gaps"):
        hessian(A=np.eye(3))
    assert np.isfinite(hessian(A=S)).all()
    curvature = pb.compile(pb.derivative(pb.nuclear_norm(A), "A", "A"), planned=planned)
    with pytest.raises(DomainError, match="polar_frechet needs a matrix of full rank"):
        curvature(A=np.diag([1.0, 0.0, 0.0]))


@pytest.mark.parametrize("shape", [(2, 2), (3, 2), (2, 3)])
def test_the_third_derivative_of_a_nuclear_norm(shape):
    """Along one direction, by differences of the singular values in 60 digits."""
    third = pb.compile(pb.derivative(pb.nuclear_norm(pb.matrix("X", *shape)), "X", "X", "X"))
    mp = mpmath.mp.clone()
    mp.dps = 60
    x, e = X[: shape[0], : shape[1]], S[: shape[0], : shape[1]]
    at, along = mp.matrix(x.tolist()), mp.matrix(e.tolist())
    h = mp.mpf(10) ** -12

    def value(k):
        return mp.fsum(mp.svd_r(at + k * h * along, compute_uv=False))

    expected = (value(2) - 2 * value(1) + 2 * value(-1) - value(-2)) / (2 * h**3)
    found = np.einsum("abcdef,ab,cd,ef", third(X=x), e, e, e)
    assert found == pytest.approx(float(expected), rel=1e-10)


@pytest.mark.parametrize(
    "name", ["det", "pinv", "adjugate", "eigvalsh", "lambda_max", "nuclear_norm"]
)
def test_nan_passes_through(name):
    f = getattr(pb, name)(pb.matrix("A", "n", "n"))
    for planned in (False, True):
        assert np.isnan(pb.compile(f, planned=planned)(A=np.full((3, 3), np.nan))).all()

"""Analytic functions of matrices: textbook gradients, values beside JAX and mpmath, refusals."""

import re

import mpmath
import numpy as np
import pytest
from scipy import linalg

import pullback as pb
from pullback.errors import DomainError

SHAPES = {"t": (), "A": ("n", "n"), "B": ("n", "n"), "X": ("n", "n"), "S": ("n", "n")}
RNG = np.random.default_rng(5)
X = RNG.normal(size=(4, 4)) / 4 + np.eye(4)
A, B = RNG.normal(size=(2, 4, 4))


def stated(text, **assume):
    names = {n: s for n, s in SHAPES.items() if n in re.findall(r"\w+", text)}
    return pb.parse(text, shapes=names, assume=assume)


@pytest.mark.parametrize(
    ("text", "variable", "book"),
    [
        ("tr(expm(X))", "X", "expm(X)ᵀ"),
        ("tr(logm(X))", "X", "X⁻ᵀ"),
        ("tr(sinm(X))", "X", "cosm(X)ᵀ"),
        ("tr(cosm(X))", "X", "−sinm(X)ᵀ"),
        ("tr(expm(A*X*B))", "X", "(B expm(A X B) A)ᵀ"),
        ("expm(t*A)", "t", "expm(t A) A"),
        ("tr(expm(t*A)*B)", "t", "tr(expm(t A) B A)"),
        ("tr(A*expm(X))", "X", "L_exp(X, A)ᵀ"),
    ],
)
def test_textbook_derivatives(text, variable, book):
    """Higham, Functions of Matrices, section 3.2; Magnus and Neudecker, section 8.4."""
    f = stated(text)
    d = pb.derivative(f, variable)
    assert d.text() == book
    assert pb.check(f, variable).passed
    back = pb.parse(d.text(), dialect="printed")
    given = {"X": X, "A": A, "B": B, "t": 0.3, "n": 4}
    found, expected = (
        pb.compile(tensor)(
            **{n: v for n, v in given.items() if n in {*tensor.program.variables, "n"}}
        )
        for tensor in (back, d)
    )
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("name", ["expm", "logm", "sqrtm", "sinm", "cosm"])
@pytest.mark.parametrize("planned", [False, True])
def test_gradients_and_hessians_are_differences_of_mpmath_functions(name, planned):
    """tr(A f(X) B f(X)) has no short form: both derivatives along a direction, in 60 digits."""
    f = stated(f"tr(A*{name}(X)*B*{name}(X))")
    mp = mpmath.mp.clone()
    mp.dps = 60
    whole = {
        "expm": mp.expm,
        "logm": mp.logm,
        "sqrtm": mp.sqrtm,
        "sinm": mp.sinm,
        "cosm": mp.cosm,
    }[name]
    a, b, x = (mp.matrix(m[:3, :3].tolist()) for m in (A, B, X))
    e = mp.matrix(RNG.normal(size=(3, 3)).tolist())

    def at(step):
        y = whole(x + step * e)
        return mp.re(sum((a * y * b * y)[i, i] for i in range(3)))

    h = mp.mpf(10) ** -12
    slope = (at(h) - at(-h)) / (2 * h)
    curvature = (at(h) - 2 * at(0) + at(-h)) / h**2
    given = {"A": A[:3, :3], "B": B[:3, :3], "X": X[:3, :3]}
    direction = np.array(e.tolist(), dtype=float)
    gradient = pb.compile(pb.derivative(f, "X"), planned=planned)(**given)
    assert np.sum(gradient * direction) == pytest.approx(float(slope), rel=1e-11)
    hessian = pb.compile(pb.derivative(f, "X", "X"), planned=planned)(**given)
    found = np.einsum("ijkl,ij,kl", hessian, direction, direction)
    assert found == pytest.approx(float(curvature), rel=1e-11)


@pytest.mark.parametrize("name", ["expm", "logm", "sqrtm"])
def test_a_third_derivative(name):
    f = pb.parse(f"tr(A*{name}(X))", shapes={"A": (3, 3), "X": (3, 3)})
    mp = mpmath.mp.clone()
    mp.dps = 60
    x, e = mp.matrix(X[:3, :3].tolist()), mp.matrix(B[:3, :3].tolist())
    h = mp.mpf(10) ** -12

    def at(k):
        y = getattr(mp, name)(x + k * h * e)
        return mp.re(sum((mp.matrix(A[:3, :3].tolist()) * y)[i, i] for i in range(3)))

    expected = (at(2) - 2 * at(1) + 2 * at(-1) - at(-2)) / (2 * h**3)
    third = pb.compile(pb.derivative(f, "X", "X", "X"))(A=A[:3, :3], X=X[:3, :3])
    found = np.einsum("ijklmn,ij,kl,mn", third, *[B[:3, :3]] * 3)
    assert found == pytest.approx(float(expected), rel=1e-10)


def test_nan_passes_through():
    for name in ("expm", "logm", "sqrtm"):
        f = stated(f"tr(A*{name}(X))")
        for tensor in (f, pb.derivative(f, "X")):
            assert np.isnan(pb.compile(tensor)(A=A, X=np.full((4, 4), np.nan))).all()


def test_symmetry_is_kept():
    assert pb.derivative(stated("logdet(expm(X))"), "X").text() == "I"
    f = stated("tr(A*sqrtm(S))", S="posdef")
    assert pb.derivative(f, "S").text() == "L_sqrt(S, A)ᵀ"
    assert pb.derivative(stated("tr(expm(S))", S="symmetric"), "S").text() == "expm(S)"


@pytest.mark.parametrize("name", ["logm", "sqrtm"])
@pytest.mark.parametrize("planned", [False, True])
def test_what_is_not_real_is_refused(name, planned):
    reflection = np.diag([-1.0, 1.0, 2.0, 3.0])
    f = stated(f"tr(A*{name}(X))")
    for tensor in (f, pb.derivative(f, "X")):
        with pytest.raises(
            DomainError, match=f"{name}.* needs a matrix with no eigenvalue that is 0"
        ):
            pb.compile(tensor, planned=planned)(A=A, X=reflection)
        assert not np.isfinite(
            pb.compile(tensor, planned=planned, checked=False)(A=A, X=reflection)
        ).all()


def test_code_is_scipy_s():
    source = pb.code(stated("expm(X)"))
    assert "from scipy import linalg" in source and "linalg.expm(X)" in source
    half = pb.compile(stated("sqrtm(X)"))(X=X.astype(np.float32))
    assert half.dtype == np.float32
    np.testing.assert_allclose(half @ half, X, atol=1e-5)
    np.testing.assert_allclose(pb.compile(stated("logm(X)"))(X=linalg.expm(A / 9)), A / 9)


def test_the_exponent_of_a_matrix_power_is_a_number():
    f = pb.parse("tr(powm(X, p))")
    assert f.to_program().variables["p"].order == 0
    assert str(pb.derivative(f, "X")) == "p X⁻ᵀ expm(p logm(X))ᵀ"

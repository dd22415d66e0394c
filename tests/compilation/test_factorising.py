"""One factorisation for each matrix; inverses in products are solves; every target alike."""

import re
import sys

import mpmath
import numpy as np
import pytest

import pullback as pb
from pullback.compilation.count import savings
from pullback.errors import DomainError
from pullback.stated import program_of

RNG = np.random.default_rng(5)
N = 6
A = RNG.normal(size=(N, N)) + 3 * np.eye(N)
S = A @ A.T / N + np.eye(N)
B, x = RNG.normal(size=(N, 3)), RNG.normal(size=N)
GIVEN = {"A": A, "S": S, "L": np.tril(A), "B": B, "x": x}
SHAPES = {"A": ("n", "n"), "S": ("n", "n"), "L": ("n", "n"), "B": ("n", "p"), "x": ("n",)}
ASSUME = {"S": ["posdef"], "L": ["lower"]}


def stated(text):
    names = [n for n in SHAPES if re.search(rf"(?<!\w){n}(?!\w)", text)]
    return pb.parse(
        text,
        shapes={n: SHAPES[n] for n in names},
        assume={n: ASSUME[n] for n in names if n in ASSUME},
    )


def inverse(matrix):
    mp = mpmath.mp.clone()
    mp.dps = 50
    return np.array((mp.matrix(matrix.tolist()) ** -1).tolist(), dtype=float)


def logdet(matrix):
    mp = mpmath.mp.clone()
    mp.dps = 50
    return float(mp.log(abs(mp.det(mp.matrix(matrix.tolist())))))


IA, IS, IL = inverse(A), inverse(S), inverse(np.tril(A))
TEXTS = {
    "inv(A)*x": IA @ x,
    "inv(A)*B": IA @ B,
    "B'*inv(A)": B.T @ IA,
    "x'*inv(A)": x @ IA,
    "inv(A)'*B": IA.T @ B,
    "A*inv(A + A')*B": A @ inverse(A + A.T) @ B,
    "inv(A)*x + inv(A)'*x + B*(B'*inv(A)*x)": IA @ x + IA.T @ x + B @ (B.T @ IA @ x),
    "inv(A) .* exp(inv(A)*x*x')": IA * np.exp(np.outer(IA @ x, x)),
    "x'*inv(A)*x + logdet(A'*A)": x @ IA @ x + 2 * logdet(A),
    "logabsdet(A)*inv(A)*B": logdet(A) * IA @ B,
    "det(A)*(inv(A)*x)'*x + logabsdet(A)": np.linalg.det(A) * (IA @ x) @ x + logdet(A),
    "det(A)*logabsdet(A)": np.linalg.det(A) * logdet(A),
    "logdet(S) + x'*inv(S)*x": logdet(S) + x @ IS @ x,
    "inv(S)": IS,
    "B'*inv(S)*B": B.T @ IS @ B,
    "B'*inv(S)": B.T @ IS,
    "det(S)*inv(S)*x": np.linalg.det(S) * IS @ x,
    "inv(B*B' + S)*B": inverse(B @ B.T + S) @ B,
    "inv(L)*B": IL @ B,
    "inv(L)'*B": IL.T @ B,
    "B'*inv(L)": B.T @ IL,
    "B'*inv(L)'": B.T @ IL.T,
    "inv(tril(A))*x + inv(tril(A)')*x": IL @ x + IL.T @ x,
    "inv(triu(A))*B": inverse(np.triu(A)) @ B,
}


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("form", ["plain", "planned", "jax", "torch"])
def test_the_same_value_on_every_road(text, form):
    options = {"planned": form == "planned"}
    if form in ("jax", "torch"):
        library = pytest.importorskip(form)
        options = {"target": form}
        if form == "jax":
            library.config.update("jax_enable_x64", True)
    fn = pb.compile(stated(text), **options)
    given = {name: GIVEN[name] for name in fn.inputs}
    call = sys.modules["jax"].jit(fn) if form == "jax" else fn
    np.testing.assert_allclose(np.asarray(call(**given)), TEXTS[text], rtol=1e-11, atol=1e-12)


def body(code):
    """The code of the function itself, without what it calls."""
    return code[code.index("def compute") :]


FACTORISING = r"(?<!by)_lu\(|linalg\.cholesky\(|linalg\.(?:inv|solve|det|slogdet)\("


@pytest.mark.parametrize("target", ["numpy", "jax", "torch"])
@pytest.mark.parametrize("text", [t for t in TEXTS if "tri" not in t and "L" not in t])
def test_one_factorisation(text, target):
    """In the code of a value and its gradient there is one for each matrix that has an inverse."""
    f = stated(text)
    code = body(pb.code(f, target=target))
    matrices = {"A*inv(A + A')*B": 1, "x'*inv(A)*x + logdet(A'*A)": 2}
    assert len(re.findall(FACTORISING, code)) == matrices.get(text, 1), code


@pytest.mark.parametrize("text", [t for t in TEXTS if "L" in t or "tri" in t])
def test_a_triangle_is_its_own_factor(text):
    assert not re.search(FACTORISING, body(pb.code(stated(text))))


@pytest.mark.parametrize("name", ["A", "S"])
def test_the_gaussian_likelihood_with_its_gradient(name):
    f = stated(f"logdet({name}) + x'*inv({name})*x")
    fn = pb.compile({"f": f, "d": pb.derivative(f, name)})
    assert len(re.findall(FACTORISING, body(fn.source))) == 1
    matrix, inverted = (A, IA) if name == "A" else (S, IS)
    matrix = matrix if name == "S" else matrix * np.sign(np.linalg.det(matrix))
    inverted = inverse(matrix)
    out = fn(**{name: matrix, "x": x})
    expected = inverted.T - np.outer(inverted.T @ x, inverted @ x)
    np.testing.assert_allclose(out["d"], expected, rtol=1e-11, atol=1e-13)
    assert out["f"] == pytest.approx(logdet(matrix) + x @ inverted @ x, rel=1e-13)


def test_batches():
    f = pb.parse(
        "x'*inv(A)*x + logdet(S)", shapes={k: SHAPES[k] for k in "xAS"}, assume={"S": ["posdef"]}
    )
    many = pb.compile(pb.batch(f, over=("x", "A", "S")))
    signed = A * np.sign(np.linalg.det(A))
    got = many(x=np.stack([x, 2 * x]), A=np.stack([signed, A.T]), S=np.stack([S, 2 * S]))
    each = [x @ inverse(signed) @ x + logdet(S), 4 * x @ IA.T @ x + logdet(2 * S)]
    assert got == pytest.approx(np.mean(each), rel=1e-12)


@pytest.mark.parametrize("planned", [False, True])
@pytest.mark.parametrize(
    ("text", "given", "message"),
    [
        ("w = inv(S)*x\nx'*w", -S, "inv needs a positive definite matrix: .*, in line 'w'"),
        ("h = logdet(S)\nh + x'*x", -S, "logdet needs a positive definite matrix: .*'h'"),
        ("v = inv(A)*x\nv'*v", np.ones((N, N)), "inv needs an invertible matrix: .*'v'"),
        ("inv(A)*x + inv(A)'*x", np.zeros((N, N)), "inv needs an invertible matrix: "),
        ("inv(L)*x", np.zeros((N, N)), "inv needs an invertible matrix"),
    ],
)
def test_what_cannot_be_factorised_is_refused_with_the_line(text, given, message, planned):
    f = stated(text)
    fn = pb.compile(f, planned=planned)
    name = next(n for n in "ASL" if n in fn.inputs)
    with pytest.raises(DomainError, match=message):
        fn(**{"x": x, name: given})
    assert np.isfinite(fn(**{"x": x, name: GIVEN[name]})).all()


def test_a_branch_that_is_not_taken_needs_no_factor():
    f = pb.parse(
        "where(t > 0, logdet(S) + x'*inv(S)*x, 2)",
        shapes={"S": ("n", "n"), "x": ("n",), "t": ()},
        assume={"S": ["posdef"]},
    )
    fn = pb.compile(f)
    assert fn(S=-S, x=x, t=-1.0) == 2
    with pytest.raises(DomainError, match="positive definite"):
        fn(S=-S, x=x, t=1.0)


def test_what_fails_beside_a_shared_factor_is_named():
    fn = pb.compile(stated("inv(A)*x + inv(A)'*x + log(x)"))
    with pytest.raises(DomainError, match="log leaves the real numbers"):
        fn(A=A, x=-np.ones(N))


@pytest.mark.parametrize("text", ["inv(A)*x + inv(A)'*x", "inv(S)*x", "inv(L)*x", "logdet(S)"])
def test_nan_passes_through(text):
    fn = pb.compile(stated(text))
    given = {n: np.full((N, N), np.nan) if n in "ASL" else GIVEN[n] for n in fn.inputs}
    assert np.isnan(fn(**given)).all()


def test_single_precision_stays():
    for text in ("inv(A)*x + inv(A)'*x", "inv(S)", "inv(L)*B", "det(S)*inv(S)*x"):
        fn = pb.compile(stated(text))
        assert fn(**{n: GIVEN[n].astype(np.float32) for n in fn.inputs}).dtype == np.float32


def test_without_scipy_each_function_factorises_for_itself(monkeypatch):
    monkeypatch.setattr("pullback.compilation.extras.find_spec", lambda name: None)
    for text in ("inv(A)*x + inv(A)'*x", "logdet(S) + x'*inv(S)*x"):
        fn = pb.compile(stated(text))
        assert "scipy" not in fn.source
        found = fn(**{n: GIVEN[n] for n in fn.inputs})
        np.testing.assert_allclose(found, TEXTS.get(text, IA @ x + IA.T @ x), rtol=1e-11)


def test_counted_operations_know_solves():
    """A solve with n³/3 multiplications for the factor, and n² for each column."""
    f = stated("x'*inv(A)*x")
    whole = savings({"f": program_of(f).result}, program_of(f), {"n": 30})
    assert whole.rows["all three savings"].multiplications == 30**3 // 3 + 30**2 + 30


@pytest.mark.parametrize("power", ["^(1/n)", "^(1/3)", "^-2", ""])
def test_a_power_of_a_determinant_by_its_factor(power):
    """What stands for the determinant binds as tightly as a call: ``det ** 2 ** p`` is another."""
    f = pb.parse(f"det(X){power}*inv(X)/det(X)", shapes={"X": ("n", "n")}, assume={"X": "posdef"})
    rng = np.random.default_rng(3)
    half = rng.normal(size=(3, 3))
    X = half @ half.T + np.eye(3)
    p = {"^(1/n)": 1 / 3, "^(1/3)": 1 / 3, "^-2": -2, "": 1}[power]
    expected = np.linalg.det(X) ** (p - 1) * np.linalg.inv(X)
    np.testing.assert_allclose(pb.compile(f)(X=X), expected, rtol=1e-12)

"""The public functions: products with Jacobians and Hessians, derivatives of derivatives, refusals."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb

TEXT = "x: n, A: n n\nz = A*x\nL = sum(exp(z) .* x)"


def arrays(n: int = 3) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(5)
    return {"A": rng.normal(size=(n, n)) / 2, "x": rng.normal(size=n), "x_dot": rng.normal(size=n)}


def loss(A: np.ndarray, x: np.ndarray) -> float:
    return float(np.exp(A @ x) @ x)


def slope(A: np.ndarray, x: np.ndarray) -> np.ndarray:
    """∂/∂x Σ exp(z) x with z = A x, by hand."""
    e = np.exp(A @ x)
    return e + A.T @ (e * x)


def curvature(A: np.ndarray, x: np.ndarray) -> np.ndarray:
    """∂²/∂x∂xᵀ Σ exp(z) x with z = A x, by hand."""
    e = np.exp(A @ x)
    return np.diag(e) @ A + A.T @ np.diag(e) + A.T @ np.diag(e * x) @ A


def test_products_with_the_jacobian_and_the_hessian() -> None:
    given = arrays()
    A, x, v = given["A"], given["x"], given["x_dot"]
    L = pb.parse(TEXT)
    np.testing.assert_allclose(pb.compile(L)(A=A, x=x), loss(A, x), rtol=1e-12)
    np.testing.assert_allclose(pb.compile(pb.gradient(L, "x"))(A=A, x=x), slope(A, x), rtol=1e-12)
    H = pb.compile(pb.hessian(L, "x"))(A=A, x=x)
    np.testing.assert_allclose(H, curvature(A, x), rtol=1e-12)
    along = pb.compile(pb.jvp(L, "x"))(**given)
    np.testing.assert_allclose(along, slope(A, x) @ v, rtol=1e-12)
    back = pb.compile(pb.vjp(L, "x"))(A=A, x=x, L_bar=3.0)
    np.testing.assert_allclose(back, 3 * slope(A, x), rtol=1e-12)
    turned = pb.compile(pb.hvp(L, "x"))(**given)
    np.testing.assert_allclose(turned, curvature(A, x) @ v, rtol=1e-12)


@pytest.mark.parametrize("how", ["hessian", "derivative", "tensor", "jacobian"])
def test_an_assumption_is_not_used_before_the_last_derivative(how: str) -> None:
    """With Σp = 1 put into 3 (Σp)² 𝟏, the second derivative would be lost."""
    f = pb.parse("sum(p)^3", shapes={"p": ("n",)}, assume={"p": "unit-sum"})
    first = pb.gradient(f, "p")
    second = {
        "hessian": lambda: pb.hessian(f, "p"),
        "derivative": lambda: pb.derivative(first, "p"),
        "tensor": lambda: pb.derivative(first.tensor, "p"),
        "jacobian": lambda: pb.jacobian(first, "p"),
    }[how]()
    assert str(first) == "3 𝟏"
    p = np.array([0.2, 0.3, 0.5])
    np.testing.assert_allclose(pb.compile(second)(p=p), 6 * np.ones((3, 3)), rtol=1e-12)


def test_an_assumption_is_not_used_before_a_product_with_the_hessian() -> None:
    f = pb.parse("sum(p)^3", shapes={"p": ("n",)}, assume={"p": "unit-sum"})
    v = np.array([1.0, -2.0, 4.0])
    found = pb.compile(pb.hvp(f, "p"))(p=np.array([0.2, 0.3, 0.5]), p_dot=v)
    np.testing.assert_allclose(found, 6 * v.sum() * np.ones(3), rtol=1e-12)


def test_an_assumption_of_one_variable_is_not_used_before_another_derivative() -> None:
    """∂²/∂w² of (Σp) (w·w) depends on p, although Σp is 1 wherever it is evaluated."""
    f = pb.parse("sum(p)*(w'*w)", shapes={"p": ("n",), "w": ("m",)}, assume={"p": "unit-sum"})
    third = pb.derivative(pb.derivative(f, "w", "w"), "p")
    found = pb.compile(third)(p=np.array([0.25, 0.75]), w=np.ones(3))
    expected = 2 * np.eye(3)[:, :, None] * np.ones(2)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("function", [pb.derivative, pb.jvp, pb.vjp, pb.hvp])
@pytest.mark.parametrize("line", ["2*x", "x .^ -1"])
def test_a_line_that_leaves_no_node_is_refused(function, line: str) -> None:
    """What uses g uses x directly, so nothing would be found that depends on g."""
    f = pb.parse(f"x: n\ng = {line}\nL = sum(g .* g)")
    with pytest.raises(pb.PullbackError, match="cannot be held free"):
        function(f, "g")


@pytest.mark.parametrize(
    ("name", "message"),
    [("b", "already in use"), ("n", "already in use"), ("a b", "is no name"), ("exp", "function")],
)
def test_the_direction_gets_a_name_of_its_own(name: str, message: str) -> None:
    f = pb.parse("A: m n\nnorm2(A*x - b)^2")
    for function in (pb.jvp, pb.vjp):
        with pytest.raises(pb.PullbackError, match=message):
            function(f, "x", name)


def test_refusals() -> None:
    f = pb.parse("A*x")
    with pytest.raises(pb.PullbackError, match="a gradient is of a scalar"):
        pb.gradient(f, "x")
    with pytest.raises(pb.PullbackError, match="a Hessian is of a scalar"):
        pb.hessian(f, "x")
    with pytest.raises(pb.PullbackError, match="no style 'bold'"):
        pb.derivative(f, "x").equation(style="bold")
    with pytest.raises(pb.PullbackError, match="nothing to compile"):
        pb.compile({})
    with pytest.raises(pb.PullbackError, match="no structure 'sparse'"):
        pb.compile(f, structure="sparse")
    with pytest.raises(pb.PullbackError, match="is a text, a tensor or a derivative, not int"):
        pb.derivative(3, "x")


def test_whole_numbers_keep_their_digits() -> None:
    """A NumPy integer beyond 2⁵³ is no float."""
    assert str(pb.scalar("s") * np.int64(2**60 + 1)) == str(pb.scalar("s") * (2**60 + 1))
    assert (pb.scalar("s") * np.int64(2**60 + 1)) == pb.scalar("s") * (2**60 + 1)


@pytest.mark.parametrize("argument", [1000.0, -1000.0, 90.0])
def test_second_derivatives_of_tanh_stay_finite(argument: float) -> None:
    """sinh/cosh³ would be ∞/∞; the truth, −2 tanh/cosh², is 0 to any digit out there."""
    second = pb.compile(pb.derivative(pb.parse("tanh(s)", shapes={"s": ()}), "s", "s"))
    assert abs(second(s=argument)) < 1e-70


def test_a_typed_log_sum_exp_and_softmax_are_stable() -> None:
    """At scores of 1e4 the sum of exponentials overflows; what is meant does not."""
    f = pb.parse("log(sum(exp(x)))", shapes={"x": ("n",)})
    fn = pb.compile({"f": f, "g": pb.gradient(f, "x"), "p": "exp(x)/sum(exp(x))"})
    out = fn(x=np.array([1e4, 1e4 - np.log(3.0), -1e4]))
    np.testing.assert_allclose(out["f"], 1e4 + np.log(4 / 3), rtol=1e-15)
    np.testing.assert_allclose(out["g"], [0.75, 0.25, 0.0], rtol=1e-11, atol=1e-300)
    np.testing.assert_allclose(out["p"], [0.75, 0.25, 0.0], rtol=1e-11, atol=1e-300)


@pytest.mark.parametrize("text", ["mean((x-mean(x)).^2)", "sum((x-mean(x)).^2)/n"])
def test_the_mean_of_a_name_is_that_of_a_vector(text: str) -> None:
    """The variance of an undeclared x has the slope 2 (x − mean x)/n, not 0."""
    x = np.array([1.0, 2.0, 4.0])
    shapes = {"x": ("n",)} if "/n" in text else None
    fn = pb.compile(pb.derivative(pb.parse(text, shapes=shapes), "x"))
    np.testing.assert_allclose(fn(x=x), 2 * (x - x.mean()) / 3, rtol=1e-14)


COOKBOOK = [  # K. B. Petersen, M. S. Pedersen, The Matrix Cookbook (2012), section 2.8
    ("symmetric", "tr(A*X)", "A + A.T - A * I"),
    ("symmetric", "det(X)", "det(X) * (2 * inv(X) - inv(X) * I)"),
    ("posdef", "logdet(X)", "2 * inv(X) - inv(X) * I"),
    ("diagonal", "tr(A*X)", "A * I"),
]


@pytest.mark.parametrize(("kind", "function", "book"), COOKBOOK)
def test_the_cookbook_on_structured_matrices(kind: str, function: str, book: str) -> None:
    """Compiled, by the free entries, against the book's formula in NumPy."""
    f = pb.parse(function, shapes={"X": ("n", "n")}, assume={"X": kind})
    d = pb.gradient(f, "X", structured="free")
    assert d.structured == "free" and d.check().passed
    rng = np.random.default_rng(0)
    A, X = rng.normal(size=(2, 4, 4))
    X = np.diag(np.diag(X)) if kind == "diagonal" else X @ X.T + np.eye(4)
    inverse, determinant = np.linalg.inv, np.linalg.det
    expected = eval(book, {"A": A, "X": X, "I": np.eye(4), "inv": inverse, "det": determinant})
    given = {
        name: value for name, value in (("A", A), ("X", X)) if name in f.to_program().variables
    }
    np.testing.assert_allclose(pb.compile(d)(**given), expected, rtol=1e-12, atol=1e-12)


def test_an_answer_names_its_convention() -> None:
    X, A = pb.matrix("X", "n", "n", assume="symmetric"), pb.matrix("A", "n", "n")
    f = np.trace(A @ X)
    assert pb.derivative(f, X).equation() == "∂f/∂X = Aᵀ"
    free, tangent = (pb.jacobian(f, X, structured=s) for s in ("free", "tangent"))
    assert free.equation().endswith("   # by the free entries of the symmetric X")
    assert tangent.text() == "(A + Aᵀ)/2   # along the symmetric matrices X"
    assert tangent.latex().endswith(r"\quad \text{(along the symmetric matrices $X$)}")
    read = pb.parse(free.text(), shapes={"A": ("n", "n")})
    a = np.arange(9.0).reshape(3, 3)
    np.testing.assert_allclose(pb.compile(read)(A=a), pb.compile(free)(A=a))


def test_structured_derivatives_everywhere() -> None:
    X = pb.matrix("X", "n", "n", assume="symmetric")
    A, B = pb.matrix("A", "n", "n"), pb.matrix("B", "n", "n")
    f = np.trace(A @ X @ B @ X)
    assert pb.check(f, X, structured="tangent").passed
    assert pb.check(f, X, X, structured="free").passed
    assert pb.hessian(f, X, structured="free").check().passed
    assert pb.grade(np.trace(A @ X), X, "A + A' - A .* eye", structured="free").right
    assert not pb.grade(np.trace(A @ X), X, "A + A' - A .* eye").right
    with pytest.raises(pb.PullbackError, match="no convention 'full'"):
        pb.derivative(f, X, structured="full")
    Q = pb.matrix("Q", "n", "n", assume="orthogonal")
    with pytest.raises(pb.MissingRule, match="not free"):
        pb.gradient(np.trace(A @ Q), Q, structured="free")

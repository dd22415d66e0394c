"""Every operator against MATLAB's meaning, computed with two-dimensional NumPy arrays."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from values import SIZES, arrays, value

from pullback.errors import DomainError, PullbackError
from pullback.language.parse import parse_program

SHAPES = {
    "A": ("m", "n"),
    "B": ("m", "n"),
    "C": ("n", "p"),
    "S": ("n", "n"),
    "x": ("n",),
    "z": ("n",),
    "y": ("m",),
    "r": (1, "n"),
    "s": (),
    "t": (),
}


def check(text, reference):
    """The text at random arrays against a function of two-dimensional arrays by name."""
    names = reference.__code__.co_varnames[: reference.__code__.co_argcount]
    shapes = {n: SHAPES[n] for n in names}
    data = arrays({n: tuple(a for a in s if a != 1) for n, s in shapes.items()})
    full = {}
    for n, array in data.items():
        full[n] = array
        if array.ndim < 2:
            full[n] = array.reshape((1, -1) if shapes[n][:1] == (1,) else (-1, 1))
    node = parse_program(text, shapes).result
    expected = np.asarray(reference(**full))
    np.testing.assert_allclose(value(node, data), np.squeeze(expected), rtol=1e-12)


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("A*x", lambda A, x: A @ x),
        ("x'*z", lambda x, z: x.T @ z),
        ("x*z'", lambda x, z: x @ z.T),
        ("r*x", lambda r, x: r @ x),
        ("x*r", lambda x, r: x @ r),
        ("r*A'", lambda r, A: r @ A.T),
        ("y'*A*x", lambda y, A, x: y.T @ A @ x),
        ("A*C", lambda A, C: A @ C),
        ("A.*B", lambda A, B: A * B),
        ("A⊙B", lambda A, B: A * B),
        ("A./B", lambda A, B: A / B),
        ("A.^B", lambda A, B: A**B),
        ("A.^2", lambda A: A**2),
        ("2.^A", lambda A: 2**A),
        ("A.^s", lambda A, s: A**s),
        ("s.^x", lambda s, x: s**x),
        ("x·z", lambda x, z: x.T @ z),
        ("s·x", lambda s, x: s * x),
        ("A·x", lambda A, x: A @ x),
        ("2*A", lambda A: 2 * A),
        ("A*2", lambda A: A * 2),
        ("s*A*t*x", lambda s, A, t, x: s * A @ x * t),
        ("A/s", lambda A, s: A / s),
        ("x/2/s", lambda x, s: x / 2 / s),
        ("s/t*x", lambda s, t, x: s / t * x),
        ("1/s", lambda s: 1 / s),
        ("1 ./ x", lambda x: 1 / x),
        ("1./x", lambda x: 1 / x),
        ("2.*x", lambda x: 2 * x),
        ("2.5.*x", lambda x: 2.5 * x),
        ("x/2.", lambda x: x / 2),
        (".5*x", lambda x: 0.5 * x),
        ("1e-3*x", lambda x: 1e-3 * x),
        ("s*x'", lambda s, x: s * x.T),
        ("-s^2", lambda s: -(s**2)),
        ("(-s)^2", lambda s: s**2),
        ("s^-2", lambda s: s**-2),
        ("s^-t", lambda s, t: s**-t),
        ("2^-s", lambda s: 2**-s),
        ("s^t", lambda s, t: s**t),
        ("s^0.5", lambda s: np.sqrt(s)),
        ("(s^t)^2", lambda s, t: (s**t) ** 2),
        ("-x.^2", lambda x: -(x**2)),
        ("-A*x", lambda A, x: -(A @ x)),
        ("s*-x", lambda s, x: -s * x),
        ("s--t", lambda s, t: s + t),
        ("s-+-t", lambda s, t: s + t),
        ("+x", lambda x: x),
        ("x - z - x - z", lambda x, z: -2 * z),
        ("x − z", lambda x, z: x - z),
        ("s - (t - s)", lambda s, t: 2 * s - t),
        ("s/(t/s)", lambda s, t: s * s / t),
        ("S^2", lambda S: S @ S),
        ("S^3*x", lambda S, x: S @ S @ S @ x),
        ("S^0", lambda S: np.eye(3) + 0 * S),
        ("S^-1", lambda S: np.linalg.inv(S)),
        ("S^(-1)*x", lambda S, x: np.linalg.solve(S, x)),
        ("S^-2", lambda S: np.linalg.inv(S @ S)),
        ("S⁻¹", lambda S: np.linalg.inv(S)),
        ("S²", lambda S: S @ S),
        ("s¹⁰", lambda s: s**10),
        ("Aᵀ*y", lambda A, y: A.T @ y),
        ("A^T*y", lambda A, y: A.T @ y),
        ("A.'*y", lambda A, y: A.T @ y),
        ("A''*x", lambda A, x: A @ x),
        ("(A*x)'*y", lambda A, x, y: (A @ x).T @ y),
        ("(A*x)'", lambda A, x: (A @ x).T),
        ("s'^2", lambda s: s**2),
        ("1 + x", lambda x: 1 + x),
        ("s + x", lambda s, x: s + x),
        ("A - s", lambda A, s: A - s),
        ("s + t + A + 1", lambda s, t, A: s + t + A + 1),
        ("S + 2*eye", lambda S: S + 2 * np.eye(3)),
        ("S*eye(n)", lambda S: S),
        ("eye*x", lambda x: x),
        ("vector(1)'*x", lambda x: x.sum()),
        ("x + vector(2)", lambda x: x + 2),
        ("x + vector(s, n)", lambda x, s: x + s),
        ("A + matrix(0, m, n)", lambda A: A),
        ("A + matrix(3)", lambda A: A + 3),
        ("y*vector(1)' + A", lambda y, A: y + A),
        ("sum(x)/n", lambda x: x.mean()),
        ("n*x", lambda x: 3 * x),
        ("tr(S)", lambda S: np.trace(S)),
        ("trace(A*B')", lambda A, B: np.trace(A @ B.T)),
        ("diag(x)*C", lambda x, C: np.diag(x[:, 0]) @ C),
        ("diag(S)", lambda S: np.diag(S)),
        ("diag(r)", lambda r: np.diag(r[0])),
        ("transpose(A)*y", lambda A, y: A.T @ y),
        ("dot(x, r)", lambda x, r: r @ x),
        ("outer(y, r)", lambda y, r: y @ r),
        ("sum(A)", lambda A: A.sum()),
        ("sum(A, 1)", lambda A: A.sum(0)),
        ("sum(A, 2)", lambda A: A.sum(1)),
        ("sum(A, 1)*x", lambda A, x: A.sum(0, keepdims=True) @ x),
        ("sum(x, 1)", lambda x: x.sum()),
        ("sum(x, 2)", lambda x: x),
        ("sum(r, 2)", lambda r: r.sum()),
        ("mean(A)", lambda A: A.mean()),
        ("mean(A, 1)", lambda A: A.mean(0)),
        ("mean(A, 2)", lambda A: A.mean(1)),
        ("softmax(x)", lambda x: np.exp(x) / np.exp(x).sum()),
        ("softmax(r)*x", lambda r, x: (np.exp(r) / np.exp(r).sum()) @ x),
        ("softmax(A, 1)", lambda A: np.exp(A) / np.exp(A).sum(0, keepdims=True)),
        ("softmax(A, 2)", lambda A: np.exp(A) / np.exp(A).sum(1, keepdims=True)),
        ("logsumexp(x)", lambda x: np.log(np.exp(x).sum())),
        ("logsumexp(A, 1)", lambda A: np.log(np.exp(A).sum(0))),
        ("logsumexp(A, 2)", lambda A: np.log(np.exp(A).sum(1))),
        ("exp(A) + sqrt(B)", lambda A, B: np.exp(A) + np.sqrt(B)),
        ("σ(x)", lambda x: 1 / (1 + np.exp(-x))),
        ("norm2(A)^2", lambda A: (A**2).sum()),
        ("normF(A)", lambda A: np.sqrt((A**2).sum())),
        ("norm1(x - z)", lambda x, z: np.abs(x - z).sum()),
        ("norm(x)", lambda x: np.linalg.norm(x)),
        ("det(S)*inv(S)", lambda S: np.linalg.det(S) * np.linalg.inv(S)),
        ("cross_entropy(x, z)", lambda x, z: -(z * np.log(x)).sum()),
        ("huber_loss(x, z)", lambda x, z: _huber(x - z, 1)),
        ("huber_loss(9*x, z, 0.1)", lambda x, z: _huber(9 * x - z, 0.1)),
    ],
)
def test_an_operator_means_what_matlab_means(text, reference):
    check(text, reference)


def _huber(r, d):
    return np.where(abs(r) <= d, r * r / 2, d * (abs(r) - d / 2)).sum()


def test_a_tensor_takes_elementwise_operations_and_sums():
    program = parse_program("T: m n p\nsum(2*T.*exp(T) - 1, 3)")
    T = np.random.default_rng(0).uniform(size=(2, 3, 4))
    expected = (2 * T * np.exp(T) - 1).sum(axis=2)
    np.testing.assert_allclose(value(program.result, {"T": T}), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x^2'", "a power followed by a transpose needs parentheses"),
        ("x²'", "a power followed by a transpose needs parentheses"),
        ("a^b^c", "a power followed by a power needs parentheses"),
        ("x²³⁻", "no whole number|has no meaning|needs parentheses"),
        ("T*x + X^T", r"X\^T is the transpose, but T is a name"),
        ("A: n n\nA^0.3", "raised to whole numbers and their halves only"),
        ("A: n n\nA^65", "at most the 64th power"),
        ("x: n\nx^2", r"\^ does not raise a column"),
        ("x: n\n1/x", "/ divides by a scalar, not by a column"),
        ("A: n n, B: n n\nA/B", "/ divides by a scalar, not by a matrix"),
        ("T: a b c\nT'", "does not say how to permute a tensor"),
        ("T: a b c, x: c\nT*x", "which axes of a tensor"),
    ],
)
def test_what_needs_parentheses_or_has_no_meaning_is_refused(text, message):
    with pytest.raises(PullbackError, match=message):
        parse_program(text)


@pytest.mark.parametrize(
    ("text", "message", "under"),
    [
        ("x + log(-2)", "log is defined for positive numbers, not for -2", "log(-2)"),
        ("log(2 - 3)", "log is defined for positive numbers", "log(2 - 3)"),
        ("sqrt(-1)", "-1 to the power 1/2 is not a real number", "sqrt(-1)"),
        ("1/0", "division by zero", "/"),
        ("x ./ (1 - 1)", "division by zero", "./"),
        ("0^-1", "division by zero", "^"),
        ("((9^60)^60)^60", "too large", "^"),
        ("2*x^1e999", "too large", "1e999"),
    ],
)
def test_a_literal_outside_of_the_domain_is_refused_at_its_place(text, message, under):
    with pytest.raises(PullbackError, match=message) as caught:
        parse_program(text)
    place = caught.value.place
    assert text[place.start : place.stop] == under
    assert isinstance(caught.value, DomainError) or "too large" in message


# random expressions: their text and their value, built together

N = {"1": 1, "m": SIZES["m"], "n": SIZES["n"]}
LEAVES = {
    ("1", "1"): ["s", "t", "2", "0.5", "3"],
    ("m", "1"): ["y"],
    ("n", "1"): ["x", "z"],
    ("1", "n"): ["r"],
    ("1", "m"): ["w"],
    ("m", "n"): ["A", "B"],
    ("n", "n"): ["S"],
    ("m", "m"): ["Q"],
    ("n", "m"): ["D"],
}
RANDOM = {
    name: tuple(() if shape == ("1", "1") else (1, shape[1]) if shape[0] == "1" else shape)
    for shape, names in LEAVES.items()
    for name in names
    if name.isalpha()
}
RANDOM = {n: (s[:1] if s[1:] == ("1",) else s) for n, s in RANDOM.items()}
SUM, PRODUCT, UNARY, POWER, TRANSPOSED, ATOM = range(6)


@st.composite
def expression(draw, shape=("1", "1"), depth=4):
    """(text, its loosest operator, its value as a two-dimensional array)."""

    def part(of, tightest):
        text, level, array = draw(expression(of, depth - 1))
        return (f"({text})" if level < tightest else text), array

    kind = draw(st.sampled_from(["leaf"] if depth == 0 else KINDS))
    if kind == "transpose":
        text, array = part(shape[::-1], TRANSPOSED)
        return text + "'", TRANSPOSED, array.T
    if kind == "sum":
        sign = draw(st.sampled_from("+-"))
        (left, a), (right, b) = part(shape, SUM), part(shape, PRODUCT)
        return f"{left} {sign} {right}", SUM, a + b if sign == "+" else a - b
    if kind == "number":
        text, array = part(shape, PRODUCT)
        return f"2 + {text}", SUM, 2 + array
    if kind == "product":
        inner = draw(st.sampled_from(["1", "m", "n"]))
        (left, a), (right, b) = part((shape[0], inner), PRODUCT), part((inner, shape[1]), UNARY)
        return f"{left}*{right}", PRODUCT, a @ b
    if kind == "entrywise":
        (left, a), (right, b) = part(shape, PRODUCT), part(shape, UNARY)
        return f"{left} .* {right}", PRODUCT, a * b
    if kind == "divide":
        text, array = part(shape, PRODUCT)
        return f"{text}/4", PRODUCT, array / 4
    if kind == "minus":
        text, array = part(shape, UNARY)
        return f"-{text}", UNARY, -array
    if kind == "power":
        text, array = part(shape, TRANSPOSED)
        return f"{text}.^2", POWER, array**2
    if kind == "call":
        text, array = part(shape, SUM)
        return f"tanh({text})", ATOM, np.tanh(array)
    name = draw(st.sampled_from(LEAVES[shape]))
    if name.isalpha():
        return name, ATOM, DATA[name].reshape(N[shape[0]], N[shape[1]])
    return name, ATOM, np.full((1, 1), float(name))


KINDS = ["sum", "product", "entrywise", "divide", "minus", "power", "transpose", "call", "number"]
DATA = arrays({n: tuple(a for a in s if a != 1) for n, s in RANDOM.items()}, seed=1)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(LEAVES)).flatmap(lambda shape: expression(shape)))
def test_random_expressions_keep_their_value(written):
    text, _, expected = written
    used = {n: s for n, s in RANDOM.items() if n in text.replace("tanh", "")}
    declared = "".join(f"{n}: {' '.join(map(str, s))}\n" for n, s in used.items())
    program = parse_program(declared + text)
    result = value(program.result, DATA)
    scale = max(1.0, np.abs(expected).max())
    np.testing.assert_allclose(result, np.squeeze(expected), atol=1e-9 * scale, rtol=1e-9)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sum(where(x > y, x, 2*y))", lambda x, y: np.where(x > y, x, 2 * y).sum()),
        ("where(x <= 0.5, x, -x)", lambda x, y: np.where(x <= 0.5, x, -x)),
        ("x < y", lambda x, y: 1.0 * (x < y)),
        ("f = x >= y\nf .* x", lambda x, y: (x >= y) * x),
        ("(x != y) + (x == y) + (x ≥ y) + (x ≤ y)", lambda x, y: 2.0 + 0 * x),
        ("np.sum(np.where(x > y, x, y**2))", lambda x, y: np.where(x > y, x, y**2).sum()),
        (r"\operatorname{where}(x \le y, \exp(x), y)", lambda x, y: np.where(x <= y, np.exp(x), y)),
    ],
)
def test_comparisons_and_choices(text, expected):
    shapes = {"x": ("n",), "y": ("n",)}
    numbers = arrays(shapes, 8)
    stated = {name: shape for name, shape in shapes.items() if name in text.replace("exp", "")}
    result = value(parse_program(text, stated).result, numbers)
    np.testing.assert_allclose(result, expected(numbers["x"], numbers["y"]))

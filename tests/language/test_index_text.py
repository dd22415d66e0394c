"""Formulas in indices denote what the same formula in matrices does, or a number worked out by hand."""

import contextlib
import random

import numpy as np
import pytest
from values import SIZES, arrays, value

import pullback as pb
from pullback.errors import PullbackError, ShapeError
from pullback.language.declarations import read_declarations
from pullback.language.parse import parse_program
from pullback.verification.certificate import check_values

SHAPES = read_declarations(
    "A: m n, B: m n, C: k m, S: n n, Q: n n, x: n, y: n, b: m, u: m, s:, r: 1 n, T: m n k, W_1: m n,"
    "x_dot: n, P: q p, v: q, w: m*n"
)[0]
AXES = {name: [z for z in shape if z.constant != 1] for name, shape in SHAPES.items()}
NUMBERS = arrays({k: [z.evaluate(SIZES) for z in zs] for k, zs in AXES.items()}, 5)


def read(text, shape=None, dialect="index"):
    return parse_program(text, SHAPES, dialect=dialect, shape=shape)


def same(text, truth, shape=None):
    found = value(read(text, shape).result, NUMBERS)
    np.testing.assert_allclose(found, truth, rtol=1e-12, atol=1e-13)


def einsum(subscripts, *names):
    return np.einsum(subscripts, *(NUMBERS[name] for name in names))


N = NUMBERS
INVERSE = np.linalg.inv(N["S"])
EXP = np.exp(N["A"] @ N["x"])
TABLE = [
    ("Σ_i x_i y_i", einsum("i,i", "x", "y")),
    ("Σ_ij A_ij B_ij", einsum("ij,ij", "A", "B")),
    ("Σ_i Σ_j A_ij B_ij", einsum("ij,ij", "A", "B")),
    ("Σ_{i,j} A_{i,j} B_{ij}", einsum("ij,ij", "A", "B")),
    ("Σ_i1j A_{i1,j} B_i1j", einsum("ij,ij", "A", "B")),
    ("f_i = Σ_j A_ij x_j", einsum("ij,j->i", "A", "x")),
    ("f_j = Σ_i A_ij u_i", einsum("ij,i->j", "A", "u")),
    ("f_ij = A_ij x_j", einsum("ij,j->ij", "A", "x")),
    ("f_ji = A_ij x_j", einsum("ij,j->ji", "A", "x")),
    ("f_kij = T_ijk", einsum("ijk->kij", "T")),
    ("A_ji", einsum("ji->ij", "A")),
    ("S_ii", einsum("ii->i", "S")),
    ("Σ_i S_ii", einsum("ii", "S")),
    ("f_ij = x_i δ_ij", np.diag(N["x"])),
    ("f_ij = x_i I_ij", np.diag(N["x"])),
    ("f[i,j] = delta[i,j]*x[i]", np.diag(N["x"])),
    ("Σ_i δ_ii x_i", N["x"].sum()),
    ("f_ij = x_i + y_j", N["x"][:, None] + N["y"]),
    ("x_i + s", N["x"] + N["s"]),
    ("2x_i", 2 * N["x"]),
    ("−x_i² + 3 x_i^3 − x_i^s", -(N["x"] ** 2) + 3 * N["x"] ** 3 - N["x"] ** N["s"]),
    ("f_i = x_i^y_i", N["x"] ** N["y"]),
    ("f_i = x_i^(y_i − 1) y_i", N["x"] ** (N["y"] - 1) * N["y"]),
    ("f_i = 2^x_i", 2 ** N["x"]),
    ("1/(2 √x_i)", 1 / (2 * np.sqrt(N["x"]))),
    ("x_i/√(Σ_j x_j²)", N["x"] / np.linalg.norm(N["x"])),
    ("x_i/Σ_j x_j", N["x"] / N["x"].sum()),
    ("x_i⁻² + s⁻¹", N["x"] ** -2.0 + 1 / N["s"]),
    ("Σ_i x_i/n", N["x"].mean()),
    ("Σ_i (x_i − y_i)²", ((N["x"] - N["y"]) ** 2).sum()),
    ("Σ_i x_i² y_i + s", (N["x"] ** 2 * N["y"]).sum() + N["s"]),
    ("sum_i(x[i]^2)*s", (N["x"] ** 2).sum() * N["s"]),
    ("(Σ_i x_i) Σ_i y_i", N["x"].sum() * N["y"].sum()),
    ("Σ_k x_k/Σ_k y_k", N["x"].sum() / N["y"].sum()),
    ("Σ_k x_k (Σ_k y_k)", N["x"].sum() * N["y"].sum()),
    ("exp(Σ_j A_ij x_j)", EXP),
    ("f_i = exp(Σ_j A_ij x_j) u_i/Σ_k exp(Σ_j A_kj x_j)", EXP * N["u"] / EXP.sum()),
    ("σ(x_i)", 1 / (1 + np.exp(-N["x"]))),
    ("max(x_i, 1/2)", np.maximum(N["x"], 0.5)),
    ("where(x_i > y_i, x_i, s)", np.where(N["x"] > N["y"], N["x"], N["s"])),
    ("[S⁻¹]_ij", INVERSE),
    ("inv(S)[j,i]", INVERSE.T),
    ("f_i = Σ_jk [S⁻¹]_ij S_jk x_k", N["x"]),
    ("(A x)_i", N["A"] @ N["x"]),
    ("(A*x)[i]", N["A"] @ N["x"]),
    ("[A x + u]_i", N["A"] @ N["x"] + N["u"]),
    ("exp(A x)_i", EXP),
    ("softmax(A x)_i", EXP / EXP.sum()),
    ("softmax_k(Σ_j A_kj x_j)_i", EXP / EXP.sum()),
    ("Σ_i logsumexp_j(A_ij + x_j)", np.log(np.exp(N["A"] + N["x"]).sum(1)).sum()),
    ("logsumexp_ij(A_ij)", np.log(np.exp(N["A"]).sum())),
    ("mean_j(A_ij)", N["A"].mean(1)),
    ("det(S) tr(S)", np.linalg.det(N["S"]) * np.trace(N["S"])),
    ("‖x‖² + ‖A x − u‖", (N["x"] ** 2).sum() + np.linalg.norm(N["A"] @ N["x"] - N["u"])),
    ("‖x‖₁ x_i", np.abs(N["x"]).sum() * N["x"]),
    ("norm2(A*x - u)^2", ((N["A"] @ N["x"] - N["u"]) ** 2).sum()),
    ("Σ_j W_1_ij x_dot_j", einsum("ij,j->i", "W_1", "x_dot")),
    ("sum_j(W_1[i,j]*x_dot[j])", einsum("ij,j->i", "W_1", "x_dot")),
    ("r_i + x_i", N["r"] + N["x"]),
    ("f_ij = [i ≥ j] S_ij", np.tril(N["S"])),
    ("f_ij = [i < j] S_ij", np.triu(N["S"], 1)),
    ("f_ij = S_ij*[j == i + 1]", np.diag(np.diag(N["S"], 1), 1)),
    ("f = Σ_i x_i [i = 2]", N["x"][1]),
    ("Σ_ij [i ≤ j] x_i y_j", (np.triu(np.ones((3, 3))) * np.outer(N["x"], N["y"])).sum()),
    ("Σ_{i=1}^{n−1} (x_{i+1} − x_i)²", (np.diff(N["x"]) ** 2).sum()),
    ("sum_{i=1}^{n-1}(x[i+1]*y[i])", N["x"][1:] @ N["y"][:-1]),
    ("Σ_{i=2}^{n} x_i y_{i−1}", N["x"][1:] @ N["y"][:-1]),
    ("Σ_{i=1}^{2} x_i", N["x"][:2].sum()),
    ("Σ_i x_{n+1−i} y_i", N["x"][::-1] @ N["y"]),
    ("Σ_i [i ≤ n − 1] (x_{i+1} − x_i)²", (np.diff(N["x"]) ** 2).sum()),
    ("f_i = x_i + [i ≥ 2] x_{i−1}", N["x"] + np.append(0, N["x"][:-1])),
    ("x_{1} + x_{n}", N["x"][0] + N["x"][-1]),
    ("A_{i,2} + A[i,1]", N["A"][:, 1] + N["A"][:, 0]),
    ("Σ_ij A_ij w_{i+m (j−1)}", np.sum(N["A"].T.ravel() * N["w"])),
    ("softmax_{k=1}^{n}(x_k)_i", np.exp(N["x"]) / np.exp(N["x"]).sum()),
    ("logsumexp_{k=1}^{n−1}(x_{k+1})", np.log(np.exp(N["x"][1:]).sum())),
    ("(A x)_{1}", (N["A"] @ N["x"])[0]),
    ("π s", np.pi * N["s"]),
    ("h_i = Σ_j A_ij x_j\nΣ_i h_i²", ((N["A"] @ N["x"]) ** 2).sum()),
    ("Σ_i h_i²\nwhere h_i = Σ_j A_ij x_j", ((N["A"] @ N["x"]) ** 2).sum()),
    ("Σ_ij [M⁻¹]_ij x_j; where M_ij = S_ij", (INVERSE @ N["x"]).sum()),
    ("M_ij = S_ij + δ_ij; Σ_ij [M⁻¹]_ij", np.linalg.inv(N["S"] + np.eye(3)).sum()),
    ("∂f/∂A_ij = u_i x_j", np.outer(N["u"], N["x"])),
    ("∂f/∂A_ij = x_j", np.broadcast_to(N["x"], (2, 3))),
    ("∂f_i/∂x_j = A_ij", N["A"]),
    ("∂²f/∂x_i∂x_j = S_ij + S_ji", N["S"] + N["S"].T),
    ("∂f/∂W_1_ij = u_i x_j", np.outer(N["u"], N["x"])),
    ("∂f/∂s = s", N["s"]),
    ("df/dA[i,j] = u[i]*x[j]", np.outer(N["u"], N["x"])),
    ("d2f/dx[i] dx[j] = S[i,j]", N["S"]),
    ("df[i]/dx[j] = A[i,j]", N["A"]),
]


@pytest.mark.parametrize(("text", "truth"), TABLE)
def test_a_formula_in_indices_has_its_value(text, truth):
    same(text, truth)


def test_the_shape_of_the_result_says_how_far_a_letter_runs():
    same("f_j = Σ_i x_i [j = n + 1 − i]", N["x"][::-1], ("n",))
    same("2 A_ij", 2 * N["A"], ("m", "n"))
    same("0", np.zeros((2, 3)), ("m", "n"))
    same("x_i σ(y_i)", N["x"] / (1 + np.exp(-N["y"])), ("n",))
    same("δ_ij", np.eye(3), ("n", "n"))
    with pytest.raises(PullbackError, match="the result is m, and its letters here are i, j"):
        read("A_ij x_j", ("m",))
    with pytest.raises(ShapeError, match="the letter i runs over m, and here over n"):
        read("f_ij = x_i u_j", ("m", "n"))


@pytest.mark.parametrize(
    ("text", "message", "caret"),
    [
        ("f_i = A_ij x_j", "j is neither summed nor on the left", "j"),
        ("A_ij x_j", "j stands in two factors, and nothing says whether it is summed", "A_ij x_j"),
        ("Σ_i x_i + y_i", "i is free here and summed elsewhere", "i"),
        ("Σ_k 1", "the range of k is not known", "k"),
        ("f_i = s", "the range of i is not known", "i"),
        ("Σ_i u_i x_i", "the letter i runs over m, and here over n: x has n entries", "i"),
        ("S_ij + A_ij", "the letter i runs over n, and here over m: A is m×n", "i"),
        ("Σ_i A_i", "A is m×n: it has 2 axes, and there is one letter here", "A_i"),
        ("Σ_i (A)_i", "(A) is m×n, and there is one letter here", "(A)_i"),
        ("A + B", "A is m×n: it has 2 axes, and there are no letters here", "A"),
        ("f_ii = S_ii", "i stands twice on the left", "i"),
        ("Σ_ii S_ii", "i stands twice here", "i"),
        ("Aᵀ_ij", "'ᵀ' has no meaning here", "ᵀ"),
        ("x_i ⊙ y_i", "'⊙' has no meaning here", "⊙"),
        ("Σ x_i", "'Σ' sums over letters", "Σ"),
        ("foo(x_i)", "unknown function 'foo'", "foo"),
        ("sigmod(x_i)", "unknown function 'sigmod'", "sigmod"),
        ("x_i/s y_i", "a/b c has two readings", "y"),
        ("x_i x_j/", "the line ends where a value is expected", "/"),
        ("[S⁻¹_ij", "this [ is never closed", "["),
        ("Σ_i (x_{i+1} − x_i)²", "the index i+1 may point outside of the axis, which has n", "i+1"),
        ("Σ_{i=1}^{n} x_{i+1}", "the index i+1 may point outside", "i+1"),
        ("f_i = x_i + x_{i−1}", "the index i−1 may point outside", "i−1"),
        ("f_i = [i ≥ 2] x_i + x_{i−1}", "the index i−1 may point outside", "i−1"),
        ("x_{0}", "the index 0 may point outside", "0"),
        ("x_{i²}", "this is no index", "i²"),
        ("Σ_i Σ_{j=1}^{i} x_j", "the range of a letter depends on another letter", "i"),
        ("A[i,,j]", "',' stands only between", ","),
        ("z_dot", "'z_dot' is not declared", "z_dot"),
        ("δ_ijk", "δ takes two letters", "δ_ijk"),
        ("f_ij = [i ≠ j]", "this relation is not read", "[i ≠ j]"),
        ("f_ij = S_ij [i = x_j]", "this is no index", "x_j"),
        ("Σ_n x_n/n", "the letter n is no number here", "n"),
        ("tr_i(A_ij)", "tr does not go over letters", "tr_i(A_ij)"),
        ("softmax_k(x_k)", "an entry of softmax has 1 letters", "softmax_k(x_k)"),
        ("log(x_i, x_i)", "log takes 1 argument, not 2", "log(x_i, x_i)"),
        ("f_i = g_i; g_i = x_i", "'g' is not yet defined here", "g_i"),
        ("x_i = y_i; s", "'x' is declared as a variable", "x_i"),
        ("tr(S x)", "tr needs a square matrix", "tr(S x)"),
        ("[S u]_i", "sizes disagree: S is n×n and u is m×1", "u"),
        ("∂f/x = s", "x has n entries: it has one axis, and there are no letters", "x"),
        ("f(i) = x_i", "this is no name with letters", "f(i)"),
        ("s/0", "division by zero", "s/0"),
        ("log(−1)", "log is defined for", "log(−1)"),
        ("where x", "'where' follows a formula", "where"),
        ("", "the text has no formula", ""),
    ],
)
def test_what_is_wrong_is_said_at_its_place(text, message, caret):
    with pytest.raises(PullbackError) as caught:
        read(text)
    error = caught.value
    assert message in error.message
    if error.place is not None:
        assert error.place.text == text
        assert text[error.place.start : error.place.stop].strip().startswith(caret[:1])


def test_names_that_are_not_declared_get_sizes():
    program = parse_program("Σ_i (Σ_j A_ij x_j − b_i)²", dialect="index")
    assert program.assumed == (
        "A is a matrix m×n",
        "x is a column of size n",
        "b is a column of size m",
    )
    assert program.result is pb.parse("sum((A*x - b).^2)").node
    with pytest.raises(PullbackError, match="is not declared"):
        parse_program("2 x_dot", dialect="index")
    whole = parse_program("Σ_i y_i² + tr(B) − tr(C)", dialect="index")
    assert len({size for v in whole.variables.values() for size in v.shape}) == 3
    assert str(pb.derivative(whole, "B")) == "I"


def test_declarations_stand_in_the_text():
    text = "W: p n, x: n, b: p\nassume_me: 3\nh_i = Σ_j W_ij x_j + b_i  # a layer\nL = Σ_i h_i²"
    program = parse_program(text, dialect="index")
    assert list(program.lines) == ["h", "L"] and program.result_name == "L"
    assert pb.derivative(program, "W").text() == "2 (W x + b) xᵀ"
    assert program.places[program.lines["h"]].start == text.index("Σ_j")


def test_a_covariance_may_be_called_sigma():
    program = parse_program(
        "∑_ij [Σ⁻¹]_ij x_i x_j", {"Σ": ("n", "n"), "x": ("n",)}, dialect="index"
    )
    assert check_values(program.result, pb.parse("x'*inv(Σ)*x", {"Σ": ("n", "n")}).node).passed
    entry = parse_program("2 Σ_ij", {"Σ": ("n", "n")}, dialect="index")
    assert entry.result.shape == program.variables["Σ"].shape


@pytest.mark.parametrize(
    "text", ["Σ_i x_i²", "sum_i(x[i]^2)", "[S⁻¹]_ij", "Σ_k(x_k − 1)", "Σ_{i} x_i"]
)
def test_marks_of_indices_tell_the_dialect(text):
    shapes = {name: SHAPES[name] for name in "Sx" if name in text}
    assert parse_program(text, shapes).result is read(text).result


@pytest.mark.parametrize("text", ["inv(Σ_k)*x", "Σ_k*x", "x_i'*x_i", "sum_i*2", "logdet(Σ_1)"])
def test_names_with_underscores_are_no_indices(text):
    parse_program(text)


def test_long_texts_and_deep_ones_are_read_without_recursion():
    terms = " + ".join(["x_i"] * 2000)
    assert pb.parse(f"f_i = {terms}", {"x": ("n",)}, dialect="index").node.terms[0][0] == 2000
    nested = "".join(f"Σ_i{k} " for k in range(1, 3000)) + "s"
    with pytest.raises(PullbackError, match="the range of i1 is not known"):
        read(nested)
    deep = "Σ_i " * 3000 + "x_i"
    with pytest.raises(PullbackError):
        read(deep)
    with pytest.raises(PullbackError, match="parentheses inside each other"):
        read("(" * 10_000 + "s" + ")" * 10_000)
    with pytest.raises(PullbackError):
        read("[" * 10_000 + "i = 1" + "]" * 10_000)


TOKENS = [
    "Σ_i ",
    "Σ_{i=1}^{n} ",
    "sum_i(",
    "Σ",
    "A_ij",
    "A[i,j]",
    "x_i",
    "x_{i+1}",
    "x_{",
    "}",
    "s",
    "2",
    "(",
    ")",
    "[",
    "]",
    "‖",
    " ",
    "+",
    "−",
    "*",
    "/",
    "^",
    "²",
    "ᵀ",
    "√",
    "δ_ij",
    "[i ≥ j]",
    "[i = 2]",
    "=",
    "\n",
    "; ",
    "where ",
    "∂f/∂x_i = ",
    "df/dx[i] = ",
    "f_ij = ",
    "softmax(",
    "softmax_k(",
    "exp(",
    "max(",
    "[S⁻¹]_ij",
    "(A x)_i",
    "inv(S)[i,j]",
    ",",
    "_i",
    "_",
    "I_mn",
    "K_mn",
    "⊗",
    "vec(",
    "n",
    "x: n",
    "#",
    "…",
    "\\",
    "\x00",
    "sech²(",
    "𝟏",
    "^{",
    "mean_i(",
    ";",
]


def test_no_text_does_more_than_to_be_refused():
    rng = random.Random(0)
    read_ones = 0
    for _ in range(600):
        text = "".join(rng.choices(TOKENS, k=rng.choice([2, 4, 8, 20])))
        for dialect in ("index", "vec"):
            try:
                parse_program(text, SHAPES, dialect=dialect)
                read_ones += 1
            except PullbackError as error:
                assert str(error)
    assert read_ones > 30


@pytest.mark.parametrize(
    "text",
    [
        "f_i = " + "*".join(["x_i"] * 5000),
        "x_{" + "i+" * 5000 + "1}",
        "f_i = x_i [" + "*".join(["n"] * 500) + " = i]",
        "[S]_ii " * 2000,
        "é$" * 50_000,
        "\n" * 100_000,
    ],
    ids=["product", "index", "size", "regions", "letters", "lines"],
)
def test_long_texts_are_read_or_refused_in_the_time_they_take(text):
    with contextlib.suppress(PullbackError):
        read(text)

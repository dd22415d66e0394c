"""What undeclared names are taken to be, and when the text does not say enough."""

import itertools
import os
import subprocess
import sys

import pytest

from pullback.errors import PullbackError, ShapeError
from pullback.expressions import Size
from pullback.language.declarations import read_declarations
from pullback.language.parse import parse_program


@pytest.mark.parametrize(
    ("text", "assumed"),
    [
        ("norm2(A*x - b)^2", ["A matrix m×n", "x column n", "b column m"]),
        ("norm2(X*beta - y)^2/2", ["X matrix m×n", "beta column n", "y column m"]),
        (
            "norm2(Y - einsum('ir,jr,kr->ijk', A, B, C)/c)^2",
            ["Y tensor m×p×q", "A matrix m×n", "B matrix p×n", "C matrix q×n", "c scalar"],
        ),
        (
            "norm2(y - X*w)^2 + lambda*norm2(w)^2",
            ["y column m", "X matrix m×n", "w column n", "lambda scalar"],
        ),
        (
            "norm2(V*sigmoid(U*x) - y)^2",
            ["V matrix p×m", "U matrix m×n", "x column n", "y column p"],
        ),
        (
            "h = V*sigmoid(U*x + b) + c; -sum(y.*log(softmax(h)))",
            [
                "V matrix p×m",
                "U matrix m×n",
                "x column n",
                "b column m",
                "c column p",
                "y column p",
            ],
        ),
        (
            "cross_entropy(softmax(W*x + b), y)",
            ["W matrix m×n", "x column n", "b column m", "y column m"],
        ),
        ("sum(log(1 + exp(-y.*(X*w))))", ["y column n", "X matrix n×p", "w column p"]),
        ("x'*A*x", ["x column n", "A matrix n×n"]),
        ("x'*A*x + b'*x + c", ["x column n", "A matrix n×n", "b column n", "c scalar"]),
        ("a'*X*b", ["a column m", "X matrix m×n", "b column n"]),
        ("exp(-x'*inv(S)*x/2)/sqrt(det(S))", ["x column n", "S matrix n×n"]),
        (
            "(x - m)'*inv(S)*(x - m) + logdet(S)",
            ["x column n", "m column n", "S matrix n×n"],
        ),
        ("tr(A*X)", ["A matrix m×n", "X matrix n×m"]),
        ("tr(A'*X*B)", ["A matrix m×n", "X matrix m×p", "B matrix p×n"]),
        ("logdet(X)", ["X matrix n×n"]),
        ("normF(U*V' - X)^2", ["U matrix m×n", "V matrix p×n", "X matrix m×p"]),
        ("norm2(A.*(U*V') - B)", ["A matrix m×p", "U matrix m×n", "V matrix p×n", "B matrix m×p"]),
        ("logsumexp(A*x + b)", ["A matrix m×n", "x column n", "b column m"]),
        ("c'*x", ["c column n", "x column n"]),
        ("w'*x + b", ["w column n", "x column n", "b scalar"]),
        ("(y - w'*x)^2", ["y scalar", "w column n", "x column n"]),
        ("A*x - μ*x", ["A matrix n×n", "x column n", "μ scalar"]),
        ("Σ*x", ["Σ matrix m×n", "x column n"]),
        ("sum(x)/c", ["x column n", "c scalar"]),
        ("x.^a", ["x column n", "a scalar"]),
        ("x^2", ["x scalar"]),
        ("A^2*x", ["A matrix n×n", "x column n"]),
        ("softmax(x/temperature)", ["x column n", "temperature scalar"]),
        ("diag(x)*A*diag(y)", ["x column n", "A matrix n×p", "y column p"]),
        ("X*X' + 2*eye", ["X matrix m×n"]),
        ("x'*x0", ["x column n", "x0 column n"]),
    ],
)
def test_textbook_formulas_are_read_as_the_textbook_means_them(text, assumed):
    said = parse_program(text).assumed
    assert [s.replace(" is a", "").replace(" of size", "") for s in said] == assumed


ROWS = """
f = (U*x')'
g = sigmoid(f)
h = (V*g')'
L = norm2(h - y)^2
"""


@pytest.mark.parametrize("declared", ["", "x: 1 n, y: 1 p\n"])
def test_the_network_in_rows_as_its_question_writes_it(declared):
    program = parse_program(declared + ROWS)
    assert program.rows == {"x", "y", "f", "g", "h"}
    assert program.variables["U"].shape == (Size.of("m"), Size.of("n"))
    assert program.variables["V"].shape == (Size.of("p"), Size.of("m"))
    assert list(program.lines) == ["f", "g", "h", "L"]
    assert program.result_name == "L"
    assert program.result.shape == ()


def test_rows_and_columns_denote_the_same_node():
    rows = parse_program("x: 1 n, y: 1 p, U: m n, V: p m\n" + ROWS)
    columns = parse_program("x: n, y: p, U: m n, V: p m\nnorm2(V*sigmoid(U*x) - y)^2")
    assert rows.result is columns.result


def test_shapes_are_declared_in_the_text_or_beside_it():
    beside = parse_program("A*x + s*b", {"A": ("m", "2*n+1"), "x": ["2*n + 1"], "b": "m", "s": ()})
    inside = parse_program("A: m 2*n+1; x: 2*n + 1; b: m\ns:\nA*x + s*b")
    assert beside.result is inside.result
    assert beside.variables == inside.variables
    assert not beside.assumed
    assert parse_program("A: 3 4 # three by four\nA*x").variables["x"].shape == (Size.of(4),)
    assert parse_program("x", {"x": (1, 3)}).rows == {"x"}
    assert parse_program("x", {"x": (3, 1)}).variables["x"].shape == (Size.of(3),)


def test_an_unused_declaration_is_kept():
    program = parse_program("z: k\nA: n n symmetric\nx'*A*x")
    assert list(program.variables) == ["x", "A", "z"]
    assert program.variables["A"].assumptions == {"symmetric"}


def test_assumptions_decide_what_a_name_is():
    program = parse_program("p'*b + sum(c)", assume={"b": "unit-sum", "c": ["posdef", "symmetric"]})
    assert program.assumed == (
        "p is a column of size n",
        "b is a column of size n",
        "c is a matrix q×q",
    )
    assert program.variables["c"].assumptions == {"posdef", "symmetric"}
    assert parse_program("w: n unit-sum positive\nsum(w)").variables["w"].assumptions == {
        "unit-sum",
        "positive",
    }


def test_sizes_get_names_that_the_program_does_not_use():
    program = parse_program("m: \nn: \np: \nnorm2(A*x)*m*n*p")
    used = {name for v in program.variables.values() for s in v.shape for name in s.names}
    assert used == {"q", "r"}
    assert parse_program("x: n\nx'*A*y").variables["A"].shape == (Size.of("n"), Size.of("p"))


@pytest.mark.parametrize(
    ("text", "readings"),
    [
        ("x*y", ["x a row, y a column, the result is a scalar", "x a column, y a row"]),
        ("s*x", ["s a row, x a column", "s a column, x a row, the result is a matrix"]),
        ("softmax(A)", ["say along which axis", "A a column", "A a row"]),
    ],
)
def test_two_equal_readings_are_both_shown(text, readings):
    with pytest.raises(PullbackError, match="two readings are equally good") as caught:
        parse_program(text)
    message = str(caught.value)
    assert "declare one, as in" in message
    assert "^" in message
    for reading in readings:
        assert reading in message.replace("\n", " ")


@pytest.mark.parametrize(
    ("text", "message", "under"),
    [
        (
            "A: m n, x: k\nA*x",
            r"sizes disagree: A is m×n and x is k×1; the product needs the columns of A \(n\) to equal the rows of x \(k\)",
            "*",
        ),
        (
            "A: m n, x: n, b: n\nnorm2(A*x - b)",
            r"A\*x is m×1 and b is n×1; the difference needs the rows of A\*x \(m\)",
            "-",
        ),
        ("x: n, y: m\nx .* y", "the product entry by entry needs", ".*"),
        ("x: 3, y: 1 4\ny*x", r"y is 1×4 and x is 3×1", "*"),
        ("A: m n\ninv(A)", "inv needs a square matrix: A is m×n", "inv(A)"),
        ("A: m n\nlogdet(A) + 1", "logdet needs a square matrix: A is m×n", "logdet(A)"),
        ("A: m n\nA^2", "a power of a matrix needs a square matrix: A is m×n", "^"),
        ("A: m n\ntr(A*A)", "the product needs the columns of A", "*"),
        ("A: m n\ntr(A)", "tr needs a square matrix: A is m×n", "tr(A)"),
        ("x: n, y: n\nx*y", "cannot multiply a column by a column: x is n×1, y is n×1", "*"),
        ("x: n, y: 1 n\nx + y", "cannot add a column and a row", "+"),
        ("x: n, A: m n\nA + x", "cannot add a matrix and a column", "+"),
        ("x: 1 n, A: m n\nA*x", "cannot multiply a matrix by a row", "*"),
        ("x: n\ny: m\nhuber_loss(x, y)", r"needs the rows of x \(n\) to equal the rows of y", None),
        ("x: n\nA: 2 2\nmatrix(0, n, n) + A", r"is n×n and A is 2×2", "+"),
    ],
)
def test_a_shape_error_names_operation_and_both_sizes(text, message, under):
    with pytest.raises(ShapeError, match=message) as caught:
        parse_program(text)
    place = caught.value.place
    assert place is not None
    if under is not None:
        assert text[place.start : place.stop] == under


def test_the_error_of_an_undeclared_program_says_what_was_guessed():
    with pytest.raises(ShapeError, match="x as a column") as caught:
        parse_program("A: m n, b: m\nA*x*b*A")
    assert "declare what is meant" in str(caught.value)


def test_a_size_is_never_inferred_to_be_one():
    with pytest.raises(PullbackError, match="axis of size 1"):
        parse_program("A*x", {"x": (1,)})


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("norm2(A*x)", {"shapes": {"B": ("m", "n")}}, "names 'B', which the text does not have"),
        ("norm2(A*theta)", {"shapes": {"thta": ("m",)}}, "did you mean 'theta'"),
        ("x", {"assume": {"y": "positive"}}, "names 'y', which the text does not have"),
        (
            "x",
            {"assume": {"x": "positiv"}},
            "unknown assumption 'positiv'\ndid you mean 'positive'",
        ),
        ("x", {"shapes": {"x": (0,)}}, "the size 0 of 'x' is not positive"),
        ("x", {"shapes": {"x": (2.5,)}}, "2.5 in the shape of 'x' is no size"),
        ("x", {"shapes": {"x": ("m n",)}}, "'m n' in the shape of 'x' is not one size"),
        ("x", {"shapes": {"x": ("m+",)}}, "'m\\+' is no shape for 'x'"),
        ("x", {"shapes": {"x": 3}}, "the shape of 'x' is a tuple"),
        ("x: n\nx", {"shapes": {"x": ("m",)}}, "'x' is declared n×1 and m×1"),
        ("x: n\nx: 1 n\nx", {}, "'x' is declared n×1 and 1×n"),
        ("A: m n symmetric\nA", {}, "'symmetric' needs a square matrix, and 'A' is m×n"),
        ("s: 1 1 unit-sum\ns", {}, "'unit-sum' needs a vector, or rows that sum to 1, and 's' is"),
        ("x", {"shapes": {"x": ()}, "assume": {"x": "posdef"}}, "'x' is a scalar"),
        ("x: n\nn: m\nx", {}, "'n' is both a size and a variable"),
        ("x: sum\nx", {}, "'sum' is no size"),
        ("x: 0\nx", {}, "'0' is no size"),
        ("x: 2.5\nx", {}, "a size is a whole number"),
        ("sum: n\nx", {}, "'sum' is a function and cannot be declared"),
        ("vector(1)", {}, "nothing determines this size"),
        ("sum(eye)", {}, "nothing determines this size"),
        ("x: n\neye(x)", {}, "'x' is both a size and a variable"),
        ("vector(1, x^2)", {}, "a size is made of whole numbers"),
        ("inf*s", {}, "'inf' is no constant here"),
    ],
)
def test_what_is_declared_must_make_sense(text, options, message):
    with pytest.raises(PullbackError, match=message):
        parse_program(text, **options)


def test_a_program_is_the_same_in_every_process():
    text = "h = V*tanh(U*x + b) + c; norm2(h - y)^2 + lambda*norm2(U)^2"
    code = (
        "from pullback.language.parse import parse_program;"
        f"p = parse_program({text!r}); print(p.result.digest.hex(), p.assumed)"
    )
    seen = set()
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=environment,
            capture_output=True,
            check=True,
            text=True,
        )
        seen.add(done.stdout.strip())
    here = parse_program(text)
    assert seen == {f"{here.result.digest.hex()} {here.assumed}"}
    assert parse_program(text).result is here.result


def test_too_many_open_names_are_not_guessed_at():
    names = [f"x{i}" for i in range(40)]
    text = " + ".join(f"{a}*{b}" for a, b in itertools.combinations(names, 2))
    with pytest.raises(PullbackError, match="too many names without a shape"):
        parse_program(text)


def test_declarations_of_options():
    assert read_declarations("U: m n, s:\nA: symmetric") == (
        {"U": [Size.of("m"), Size.of("n")], "s": []},
        {"A": ["symmetric"]},
    )
    with pytest.raises(PullbackError, match="this is no declaration"):
        read_declarations("U = x")


def test_every_part_of_the_text_has_a_place():
    text = "L = sum(A*x .* y) + x'*y/2"
    program = parse_program(text)
    written = {text[p.start : p.stop] for p in program.places.values()}
    assert {"A", "x", "y", "A*x .* y", "sum(A*x .* y)", "x'*y/2"} <= written

"""What a text may look like, the carets of what it may not, and texts of any length."""

import contextlib
import re
import subprocess
import sys
import time
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pullback.errors import PullbackError
from pullback.expressions import constructors as make
from pullback.language.faults import DEEPEST
from pullback.language.parse import parse_program
from pullback.language.reading import read


def test_lines_comments_and_continuations():
    program = parse_program(
        "% a network of one layer\n"
        "W: m n   # weights\n\n"
        "f = W*x; g = tanh(\n"
        "    f   # continued inside parentheses\n"
        ")\r\n"
        "L = sum(g) + ...\n"
        "    1\n"
    )
    assert list(program.lines) == ["f", "g", "L"]
    assert program.places[program.lines["g"]].line == 4


def test_places_lie_in_the_text_of_the_user():
    text = "x: n\nf = tanh(  # why\n  A*x)\nsum(f) + sum(f)"
    program = parse_program(text)
    place = program.places[program.lines["f"]]
    assert text[place.start : place.stop].startswith("tanh(")
    assert place.line == 2
    assert program.places[program.variables["x"]].line == 3


@pytest.mark.parametrize(
    "name", ["lambda", "__import__", "x1", "x_dot", "σ0", "β", "x₁", "ширина", "T", "e1", "f_bar"]
)
def test_names(name):
    assert name in parse_program(f"{name} + 1", {name: ()}).variables


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1e-3", Fraction(1, 1000)),
        ("0.1", Fraction(1, 10)),
        ("2.", 2),
        (".25", Fraction(1, 4)),
        ("1E2", 100),
        ("1e300*1e-300", 1),
    ],
)
def test_numbers_are_exact(text, number):
    assert make.constant_value(parse_program(text).result) == number


@pytest.mark.parametrize(
    ("text", "message", "under"),
    [
        ("x 2", "an operator is missing before '2'", "2"),
        ("x m + A*x", "an operator is missing before 'm'", "m"),
        ("sum(A x)", "an operator is missing before 'x'", "x"),
        ("V tanh(x)", "an operator is missing before 'tanh'", "tanh"),
        ("1/2 x", "a/b c has two readings", "x"),
        ("‖x + y", "this bar is never closed", "‖"),
        ("x ‖", "this bar is never closed", "‖"),
        ("where t = x + 1", "'where' follows a formula", "t"),
        ("2 sigmid(x)", "unknown function 'sigmid'\n.*\n.*\ndid you mean 'sigmoid'", "sigmid"),
        ("2 x(x + 1)² y", "'x\\(…\\)' has two readings", "x(x + 1)"),
        ("A x", "write \\* between factors", "x"),
        ("f(x", "this \\( is never closed", "("),
        ("x)", "this \\) closes nothing", ")"),
        ("x +", "the line ends where a value is expected", "+"),
        ("x +\ny", "the line ends where a value is expected", "+"),
        ("f = ", "the line ends where a value is expected", "="),
        ("x * / y", "a value is expected before '/'", "/"),
        ("()", "a value is missing before '\\)'", ")"),
        ("sum(x,)", "a value is missing before '\\)'", ")"),
        ("a < b < c", "'<' is not expected here", "<"),
        ("(a = b)", "'=' stands only after the name", "="),
        ("a + b = c", "'=' stands only after the name", "="),
        ("(a, b)", "',' stands only between the arguments", ","),
        ("a && b", "'&' has no meaning here\n.*\n.*\nthere is no logic", "&"),
        ("|x|", "write abs\\(x\\)", "|"),
        ("||x||y||", "this bar is never closed", "|"),
        ("x’*x", "write ' for the transpose", "’"),
        ("x'*y – 3", "write -", "–"),
        ("(2:3)*x", "a value is expected before '\\('", "("),
        ("x'*х", "look alike.*\n.*\n.*\n.*cyrillic small letter ha", "х"),
        ("norm2(𝐱 - x)", "look alike", "𝐱"),
        ("x: n\nx’ = 2", "'’' has no meaning|name at the start", None),
        ("sum(x^2)", "write x.\\^ for the power of each entry", "x^2"),
        ("mean((y - X*w)^2)", "or declare w: n n", "(y - X*w)^2"),
        ("x[0]", "counted from 1; x\\[0\\] is dialect 'numpy'", "["),
        ("T: ; A^-T", "X\\^T is the transpose, but T is a name here", None),
        ("sort(x)", "depends on their values", "sort"),
        ("rank(A)", "a rank is a whole number", "rank"),
        ("floor(x)", "its derivative is 0 wherever it exists", "floor"),
        ("[1 2", "this \\[ is never closed", "["),
        ("[1 -2]", "two entries, or one with a sign in it", "-"),
        ("[[a, b], [c, d]]", "one row in MATLAB, two in NumPy", "[[a, b], [c, d]]"),
        ("x + end", "'end' is the last place of an axis", "end"),
        ("x(2:3:4:5)", "':' stands only", None),
        ('"x"', "an operator is missing|is not expected here|a value is expected", '"x"'),
        ("x ? y", "'\\?' has no meaning", "?"),
        ("x\x00y", "'U\\+0000' has no meaning", "\x00"),
        ("sigmid(x)", "unknown function 'sigmid'\n.*\n.*\ndid you mean 'sigmoid'", "sigmid"),
        ("ln(x)", "the natural logarithm is log", "ln"),
        ("x(y) + x", "'x' is no function\n.*\n.*\nto multiply", "x"),
        ("x: n\nx(n) + x", r"x\(…\) has two readings: an entry, or a product", "x(n)"),
        ("x(2.5) + x", "'x' is no function", "x"),
        ("sum + 1", "'sum' is a function", "sum"),
        ("exp(x, y)", "exp takes 1 argument, not 2", "exp(x, y)"),
        ("cross_entropy(x)", "cross_entropy takes \\(p, y\\), not 1", "cross_entropy(x)"),
        ("sum(A, x)", "the second argument of sum is an axis", "x"),
        ("sum(A, 0)", "the second argument of sum is an axis", "0"),
        ("f = x\nf = y", "'f' already names a line above", "f"),
        ("f = f + 1", "'f' is not yet defined here", "f"),
        ("f = g\ng = x\nf", "'g' is not yet defined here", "g"),
        ("x: n\nx = y", "'x' is declared as a variable", "x"),
        ("x: n\nn = y", "'n' is the name of a size", "n"),
        ("x\ny", "this line has no effect", "x"),
        ("sum = x", "'sum' is a function", "sum"),
        ("tr = x; tr", "'tr' is a function", "tr"),
        ("", "the text has no formula", None),
        ("# nothing\nx: n", "the text has no formula", None),
        ("T: a 1 c: d\nT", "':' stands only after the name|expected", None),
    ],
)
def test_every_error_has_its_caret(text, message, under):
    with pytest.raises(PullbackError) as caught:
        parse_program(text)
    shown = str(caught.value)
    assert re.search(message, shown), shown
    if under is not None:
        place = caught.value.place
        assert text[place.start : place.stop] == under
        assert "^" in shown


def test_ten_thousand_lines_of_one_layer_each():
    lines = [f"h{i} = tanh(W*h{i - 1} + b)" for i in range(1, 10_001)]
    started = time.perf_counter()
    program = parse_program("\n".join(["W: n n, h0: n, b: n", *lines]))
    assert time.perf_counter() - started < 20
    assert len(program.lines) == 10_000
    assert program.result.shape == program.variables["h0"].shape


def test_a_thousand_layers_are_inferred_one_by_one():
    text = "\n".join(f"h{i} = tanh(W{i}*h{i - 1} + b{i})" for i in range(1, 1001))
    program = parse_program(text)
    assert len(program.assumed) == 2001
    assert sum(" is a column" in sentence for sentence in program.assumed) == 1001


@pytest.mark.parametrize(
    "text",
    [
        "x" + " + x" * 20_000,
        "x'*x" + "*s" * 5_000,
        "s" + "*s" * 20_000,
        "x" + "'" * 20_000,
        "-" * 20_000 + "x",
        "(" * DEEPEST + "x" + ")" * DEEPEST,
        "exp(" * DEEPEST + "x" + ")" * DEEPEST,
    ],
)
def test_long_expressions_work(text):
    assert parse_program(text, {"s": ()} if "s" in text else {"x": ("n",)})


@pytest.mark.parametrize(
    "text",
    [
        "(" * 10_000 + "x" + ")" * 10_000,
        "exp(" * 10_000 + "x" + ")" * 10_000,
        "(" * 1_000_000,
        "x " * 500_000,
        "\x01" * 1_000_000,
        "9" * 1_000_000,
        "@" * 1_000_000,
        "=" * 1_000_000,
        "\n" * 999_999 + "?",
        "x" * 6_000_000,
        "'" * 1_000_000,
        "#" * 1_000_000,
        "1" + "^" * 1_000_000,
    ],
)
def test_junk_is_refused_in_bounded_time(text):
    started = time.perf_counter()
    with pytest.raises(PullbackError):
        parse_program(text)
    assert time.perf_counter() - started < 10


WORDS = """x y A B s n f T sum tr inv softmax eye vector log sqrt diag symmetric unit-sum
( ) ( ) + - * .* / ./ ^ .^ ' = : ; , 0 1 2 0.5 1e3 ² ⁻¹ ᵀ ⊙ · ‖ √ 𝟏 I ⁻ᵀ ⊘ − where < >= == where("""
TOKENS = st.sampled_from([*WORDS.split(), "\n", " "])


@settings(max_examples=400, deadline=None)
@given(st.lists(TOKENS, max_size=14).map("".join) | st.text(max_size=40))
def test_any_text_is_a_program_or_a_pullback_error(text):
    with contextlib.suppress(PullbackError):
        parse_program(text)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_read_as_text_are_a_program_or_a_pullback_error(data):
    with contextlib.suppress(PullbackError):
        parse_program(data.decode("latin-1"))


def test_what_is_no_text_is_refused():
    with pytest.raises(PullbackError, match="a program is text, not bytes"):
        read(b"x")


def test_the_parser_is_loaded_on_first_use_only():
    code = (
        "import sys; import pullback.language.parse; import pullback.language.tensor;"
        "assert 'lark' not in sys.modules; pullback.language.parse.parse_program('x');"
        "assert 'lark' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)

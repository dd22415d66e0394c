"""What is printed is read again: to the same value, and to what prints the same."""

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from values import arrays, value

import pullback as pb
from pullback.errors import PullbackError
from pullback.language.declarations import read_declarations
from pullback.language.parse import parse_program

SHAPES = read_declarations(
    "A: m n, B: m n, C: k m, S: n n, Q: n n, R: n n, x: n, y: n, w: n, b: m, z: k, u: m, s:, c:, r: 1 n"
)[0]
NUMBERS = arrays(
    {name: [str(size) for size in shape if size.constant != 1] for name, shape in SHAPES.items()}, 3
)

FIRST_ORDER = """
norm2(A*x - b)^2 | x
norm2(C*sigmoid(A*x) - z)^2 | A
norm2(C*sigmoid(A*x) - z)^2 | C
norm2(C*tanh(A*x) - z)^2 | x
x'*S*x | x
x'*inv(S)*y | S
logdet(S) | S
logdet(S + A'*A) | A
tr(Q*S) | S
tr(A'*A*S) | A
tr(A*S*A') | A
tr(A*S*B') | S
norm2(x) | x
norm2(A*x - b) | x
norm2(A)^2 + s*norm2(B)^2 | B
sum(log(1 + exp(-b .* (A*w)))) | w
logsumexp(A*x) | x
softmax(A*x) | x
-sum(b .* log(softmax(A*x))) | A
sum(logsumexp(A*S, 2)) | S
sum(softmax(A*S, 2) .* B) | S
sum(x.^3) | x
sum(x ./ y) | y
sum(sqrt(x)) | x
sum(exp(-x)) | x
sum(x .^ y) | x
sum(x .^ y) | y
sum(x .^ s) | s
det(S) | S
tr(inv(S)) | S
tr(S^3) | S
tr(S^-1*Q) | S
sum(A .* B) | A
sum(exp(A) .* B) | A
x/norm2(x) | x
s*x | s
s*x | x
sqrt(s + 1) | s
2^s | s
log(c*s^2) | s
norm1(x) | x
sum(relu(A*x - b)) | x
x'*y | x
mean(x) | x
sum(x)^2/n | x
sum(x*y') | x
diag(x)*S*y | x
x .* (S*y) | x
x .* (S*x) | x
r*S*r' | r
norm2(r*S)^2 | r
sum(sum(A*S, 1) .^ 2) | S
log(x'*S*x) | x
(x'*S*x)/(x'*x) | x
exp(-norm2(x - y)^2/(2*s^2)) | x
exp(-norm2(x - y)^2/(2*s^2)) | s
u'*A*x | A
x'*A'*A*y | A
tr(Q*inv(S)*R) | S
0.5*norm2(b - A*x)^2 + 0.1*norm2(x)^2 | x
huber(s, c) | s
sigmoid(w'*x + s) | w
tanh(C*tanh(A*x)) | x
(A*x) .* (B*x) | x
x | x
5*s | s
sum(A*x)*sum(x) | x
norm2(x)^3 | x
var(A, 1)*x | x
logsumexp(A, 1)*x | x
logsumexp(A, 1)*x | A
max(A, 1)*x | A
sum(log(cosh(A*x - b))) | A
norm2(x)*norm2(y) | x
sum(A*x) | A
c*sum(log(x)) | x
x'*S*x/2 - c*sum(log(x))/s | x
exp(sum(log(x))/n) | x
"""
TABLE = [tuple(line.split(" | ")) for line in FIRST_ORDER.strip().splitlines()]


def derived(formula, *wrt):
    names = re.findall(r"[A-Za-z]+", formula)
    return pb.derivative(pb.parse(formula, {n: s for n, s in SHAPES.items() if n in names}), *wrt)


def shapes_of(derivative):
    """The variables as they are declared: what is printed has no other names but its own."""
    return {name: SHAPES[name] for name in derivative.derivation.program.variables}


def read_again(derivative, ascii=False, form="matrix"):
    """The text of a derivative, and the same derivative with what is read from the text."""
    text = derivative.text(form, ascii=ascii)
    shapes = shapes_of(derivative)
    program = parse_program(text, shapes, dialect="printed", shape=derivative.shape)
    derivation = replace(derivative.derivation, node=program.result)
    return text, replace(derivative, derivation=derivation)


def same_value(one, other):
    left, right = value(one, NUMBERS), value(other, NUMBERS)
    np.testing.assert_allclose(left, right, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("ascii", [False, True])
@pytest.mark.parametrize(("formula", "wrt"), TABLE)
def test_a_derivative_is_read_again(formula, wrt, ascii):
    d = derived(formula, wrt)
    text, again = read_again(d, ascii)
    same_value(again.node, d.node)
    assert again.text(ascii=ascii) == text


@pytest.mark.parametrize("ascii", [False, True])
@pytest.mark.parametrize(("formula", "wrt"), [row for row in TABLE if row[1] not in "ABCS"])
def test_a_second_derivative_is_read_again(formula, wrt, ascii):
    d = derived(formula, wrt, wrt)
    if d.node.order > 2:
        return
    text, again = read_again(d, ascii)
    same_value(again.node, d.node)
    assert sorted(again.text(ascii=ascii).replace(" ", "")) == sorted(text.replace(" ", ""))


vectors = st.sampled_from(["x", "y", "(A'*b)", "(S*x)", "1", "(s*y)", "tanh(S*y)", "softmax(x)"])
vectors = st.recursive(
    vectors,
    lambda inner: st.one_of(
        st.builds("({} + {})".format, inner, inner),
        st.builds("({} - {})".format, inner, inner),
        st.builds("({} .* {})".format, inner, inner),
        st.builds("({} ./ {})".format, inner, inner),
        st.builds("exp({})".format, inner),
        st.builds("(S*({} + 0*x))".format, inner),
        st.builds("({}).^3".format, inner),
        st.builds("(norm2({} + 0*x)*({}))".format, inner, inner),
        st.builds("(x*y'*({} + 0*x))".format, inner),
    ),
    max_leaves=5,
)


@settings(max_examples=60, deadline=None)
@given(vectors, st.sampled_from(["x", "y", "s", "S"]), st.booleans())
def test_any_derivative_is_read_again(formula, wrt, ascii):
    program = parse_program(f"sum({formula} + 0*x) + 0*s*sum(S)*sum(y)", SHAPES, dialect="printed")
    try:
        d = pb.derivative(program, wrt)
    except PullbackError:
        return
    _, again = read_again(d, ascii)
    with np.errstate(all="ignore"):
        left, right = value(again.node, NUMBERS), value(d.node, NUMBERS)
    np.testing.assert_allclose(left, right, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("2 Aᵀ(A x − b)", "2*A'*(A*x - b)"),
        ("2x", "2*x"),
        ("2 x'x", "2*x'*x"),
        ("2(x + y)", "2*(x + y)"),
        ("Aᵀ(A(x − y))", "A'*(A*(x - y))"),
        ("C σ(A x) − z", "C*sigmoid(A*x) - z"),
        ("x ⊙ S y", "x .* (S*y)"),
        ("x ⊙ y ⊘ w", "(x .* y) ./ w"),
        ("S⁻¹ x", "inv(S)*x"),
        ("S⁻ᵀ x − y", "inv(S)'*x - y"),
        ("x^⊙2 ⊙ y", "(x.^2) .* y"),
        ("‖A x − b‖² + ‖x‖₁", "norm2(A*x - b)^2 + norm1(x)"),
        ("‖x‖ ‖y‖ x/‖x + y‖", "norm2(x)*norm2(y)*x/norm2(x + y)"),
        ("‖‖x‖ y‖", "norm2(norm2(x)*y)"),
        ("√‖x‖ + √(s + 1)", "sqrt(norm2(x)) + sqrt(s + 1)"),
        ("x − 𝟏", "x - 1"),
        ("x 𝟏ᵀ x − y", "x*vector(1, n)'*x - y"),
        ("(S + I) x − y", "(S + eye)*x - y"),
        ("∂f/∂x = 2 S x", "2*S*x"),
        ("2 t x\nwhere t = x'y", "2*(x'*y)*x"),
        ("2 t2 x\nwhere t1 = x'y\n      t2 = t1² + 1", "2*((x'*y)^2 + 1)*x"),
    ],
)
def test_marks_of_print_allow_factors_side_by_side(text, meaning):
    names = re.findall(r"[A-Za-z]+", meaning)
    used = {name: s for name, s in SHAPES.items() if name in names}
    same_value(parse_program(text, used).result, parse_program(meaning, used).result)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("||A*x - b||^2", "norm2(A*x - b)^2"),
        ("||A*x - b||_2^2/2 + s*||x||_1", "norm2(A*x - b)^2/2 + s*norm1(x)"),
        ("||A⋅x - b||", "norm2(A*x - b)"),
        ("S^-T*x + S^(-T)*x", "2*inv(S')*x"),
    ],
)
def test_what_is_typed_as_on_paper_is_read(text, meaning):
    shapes = {name: SHAPES[name] for name in "AxbsS" if name in text}
    same_value(parse_program(text, shapes).result, parse_program(meaning, shapes).result)


def test_an_identity_that_is_declared_is_a_matrix():
    assert "I" in parse_program("2 I x", {"I": ("n", "n"), "x": ("n",)}).variables


def test_the_shape_of_the_result_settles_sizes():
    program = parse_program("2 I", dialect="printed", shape=("n", "n"))
    assert [str(size) for size in program.result.shape] == ["n", "n"]
    zero = parse_program("0", {"x": ("n",)}, dialect="printed", shape=("n",))
    assert [str(size) for size in zero.result.shape] == ["n"]
    with pytest.raises(PullbackError, match="the result is n×1, not m"):
        parse_program("2 x", {"x": ("n",)}, dialect="printed", shape=("m",))


@pytest.mark.parametrize("text", ["A x", "V σ(U*x)", "sum(A x) + 1"])
def test_typed_text_needs_operators(text):
    with pytest.raises(PullbackError, match="an operator is missing"):
        parse_program(text)
    assert parse_program(text, dialect="printed")


@pytest.mark.parametrize("dialect", [None, "printed"])
def test_functions_of_rows_say_so(dialect):
    """softmax(H) of a matrix is refused, and what is printed is softmax(H, 2)."""
    shapes = {"H": ("m", "n")}
    with pytest.raises(PullbackError, match="say along which axis"):
        parse_program("softmax(H)", shapes, dialect=dialect)
    f = pb.parse("sum(sum(softmax(H, 2) .* H, 2).^2)", shapes, dialect=dialect)
    assert "softmax(H, 2)" in pb.derivative(f, "H").text()

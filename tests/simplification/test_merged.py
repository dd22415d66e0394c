"""Functions of A ⊗ B, of block diagonal matrices and of vec X: the same values, found apart."""

import re

import pytest

from pullback.expressions.nodes import Apply, Variable
from pullback.expressions.walks import post_order
from pullback.language.parse import parse_program
from pullback.simplification.simplify import simplify
from pullback.verification.certificate import check_values

SHAPES = {
    "A": ("m", "m"), "B": ("n", "n"), "C": ("k", "k"), "P": ("n", "n"), "X": ("m", "n"),
    "x": ("m*n",), "a": ("m",),
}  # fmt: skip

APART = [
    ("inv(kron(A, B))", 2),
    ("inv(kron(A, kron(B, C)))", 3),
    ("inv(kron(eye(m), B))", 1),
    ("inv(kron(diag(a), B))", 1),
    ("logabsdet(kron(A, B))", 2),
    ("inv([A zeros(m, n); zeros(n, m) B])", 2),
    ("det([2*A zeros(m, n); zeros(n, m) B])", 2),
    ("logabsdet([A zeros(m, n); zeros(n, m) eye(n)])", 1),
]
WHOLE = [
    "inv(commutation(m, n))",
    "inv(kron(A, B) + eye(m*n))",
    "inv(kron(A, B)*commutation(n, m))",
    "inv(diag(vec(X))*kron(A, B))",
    "logdet(kron(A, B))",
]


def read(text):
    names = re.findall(r"\w+", text)
    return parse_program(text, {n: s for n, s in SHAPES.items() if n in names}).result


def matrix_functions(node):
    found = [n for n in post_order(node) if isinstance(n, Apply)]
    return [n for n in found if n.function in ("inv", "det", "logabsdet", "logdet")]


@pytest.mark.parametrize(("text", "count"), APART)
def test_a_function_of_a_product_is_taken_apart(text, count):
    node = read(text)
    after = simplify(node)
    found = matrix_functions(after)
    assert len(found) == count and not any("*" in str(f.arguments[0].shape) for f in found)
    certificate = check_values(node, after)
    assert certificate.points and not certificate.wrong  # three sizes soon are a large matrix


@pytest.mark.parametrize("text", WHOLE)
def test_what_is_no_such_product_stays(text):
    node = read(text)
    after = simplify(node)
    assert len(matrix_functions(after)) == 1
    assert check_values(node, after).passed


@pytest.mark.parametrize(
    "text", ["sin(vec(X))", "exp(reshape(x, m, n))", "vec(X).^3", "sin(vec(X'))"]
)
def test_a_function_of_every_entry(text):
    node = read(text)
    after = simplify(node)
    (function,) = {n for n in post_order(after) if isinstance(n, Apply)} or {None}
    assert function is None or isinstance(function.arguments[0], Variable)
    assert check_values(node, after).passed


def test_a_function_of_some_entries_stays_inside():
    """Outside a slice the logarithm may have no value."""
    node = read("log(x(2:end))")
    assert simplify(node) is node

"""Slices, unit vectors and blocks as they are printed, A_{:,1}, e_2, [x; 0_{m}], are read again."""

from dataclasses import replace

import pytest

import pullback as pb
from pullback.errors import PullbackError
from pullback.language.parse import parse_program
from pullback.verification.certificate import check_values

SHAPES = {
    "x": ("n",), "y": ("m",), "A": ("m", "n"), "B": ("m", "p"), "S": ("n", "n"), "Q": ("n", "n"),
    "b": ("m",), "z": ("p",), "w": ("m*n",), "c": ("n",),
}  # fmt: skip

TABLE = """
sum(sin(x(2:end))) | x
x(1)^2*x(2) | x
x(1)^2*x(2) | x x
x(2:end) | x
norm2(A(:, 1:2)*x(1:2))^2 | A
norm2(A(1, :))^2 | A
A(1, 2)^2 | A
norm2([A B]*[x; z] - b)^2 | x
norm2([A B]*[x; z] - b)^2 | A
[A B]*[x; z] | x
[x; y] | x
[y' x'] | x
logdet([S Q; Q S]) | S
norm2(flip(x) - x)^2 | x
norm2(tril(S))^2 | S
sum(tril(S, -1).^3) | S
sum(log(reshape(w, m, n))*c) | w
A(2:end, 1:2)*x(1:2) | x
x(n:n).^2 | x
sum(x(2:n-1).^3) | x
"""


@pytest.mark.parametrize("ascii", [False, True])
@pytest.mark.parametrize("line", TABLE.strip().splitlines())
def test_places_are_read_again(line, ascii):
    formula, wrt = line.split(" | ")
    words = set("".join(c if c.isalnum() else " " for c in formula).split())
    shapes = {name: shape for name, shape in SHAPES.items() if name in words}
    d = pb.derivative(pb.parse(formula, shapes), *wrt.split())
    text = d.text(ascii=ascii)
    program = parse_program(text, shapes, dialect="printed", shape=d.shape)
    assert check_values(d.node, program.result).passed, text
    again = replace(d, derivation=replace(d.derivation, node=program.result))
    assert again.text(ascii=ascii) == text


def test_a_subscript_that_is_a_name_stays_one():
    shapes = {"x": ("n",), "x_1": (), "e_2": ("n",)}
    node = parse_program("x_1 x + e_2", shapes, dialect="printed").result
    assert check_values(node, parse_program("x_1*x + e_2", shapes).result).passed
    undeclared = parse_program("‖x_1‖² + x_2", dialect="printed")
    assert sorted(undeclared.variables) == ["x_1", "x_2"]


@pytest.mark.parametrize("text", ["x_{}", "x_{2:", "A_{1,2,3}", "0_{m,n,p}", "x_{0}"])
def test_places_that_are_none_are_refused(text):
    with pytest.raises(PullbackError):
        parse_program(text, {n: SHAPES[n] for n in "xA"}, dialect="printed")


def test_printed_places_need_no_dialect():
    d = pb.derivative("x: n\nsum(sin(x(2:end)))", "x")
    assert d.text() == "[0; cos(x_{2:n})]"
    assert pb.parse(d.text(), {"x": ("n",)}).shape == d.shape

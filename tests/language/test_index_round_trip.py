"""What is printed in indices is read again: to the same value, and to what prints the same."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from test_printed import NUMBERS, SHAPES, TABLE, derived
from values import value

import pullback as pb
from pullback.expressions import Program
from pullback.expressions import constructors as make
from pullback.expressions.nodes import Indicator
from pullback.expressions.relations import relation_of
from pullback.expressions.walks import post_order
from pullback.functions.catalogue import CATALOGUE
from pullback.functions.record import Function
from pullback.language.parse import parse_program
from pullback.notation.names import Names
from pullback.notation.styles import ASCII, UNICODE
from pullback.notation.write import Writing
from pullback.verification.certificate import check_values

sys.path.append(str(Path(__file__).parent.parent / "notation"))
from notation_strategies import VARIABLES, expressions, shapes


def read_again(derivative, ascii):
    text = derivative.equation("index", ascii=ascii)
    program = parse_program(text, SHAPES, dialect="index", shape=derivative.shape)
    return text, replace(derivative, derivation=replace(derivative.derivation, node=program.result))


@pytest.mark.parametrize("ascii", [False, True])
@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize(("formula", "wrt"), TABLE)
def test_a_derivative_is_read_again(formula, wrt, order, ascii):
    d = derived(formula, *([wrt] * order))
    text, again = read_again(d, ascii)
    np.testing.assert_allclose(
        value(again.node, NUMBERS), value(d.node, NUMBERS), rtol=1e-9, atol=1e-11
    )
    assert again.equation("index", ascii=ascii) == text


def trip(node, variables):
    """A node written in indices and read again, in both styles."""
    names = Names.of(Program(node, variables))
    declared = {name: [str(size) for size in v.shape] for name, v in variables.items()}
    for style in (UNICODE, ASCII):
        writing = Writing(node, names, "index")
        left = f"f[{','.join(writing.letters)}] = " if writing.letters else "f = "
        text = left + writing.text(style)
        program = parse_program(text, declared, dialect="index", shape=node.shape)
        yield text, program.result, left + Writing(program.result, names, "index").text(style)


def _on_its_axis(place):
    """Whether a slice surely stays on its axis: k places from 2 on of n do where k < n is known."""
    if place.order != 2 or not place.equality:
        return True
    relation, sizes = relation_of(place, (0, 1)), dict(enumerate(place.shape))
    values = [(relation.solved_for(end), sizes[end]) for end in (0, 1)]
    return any(value is not None and value.within(size, sizes) for value, size in values)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_any_expression_is_read_again(data):
    node = data.draw(shapes.flatmap(lambda shape: expressions(shape, 2)))
    assume(all(_on_its_axis(n) for n in post_order(node) if isinstance(n, Indicator)))
    for text, again, printed in trip(node, VARIABLES):
        certificate = check_values(node, again)
        assert not certificate.wrong, (text, str(certificate))
        assert sorted(printed) == sorted(text)  # terms that tie may come in another order


FUNCTIONS = [r for r in CATALOGUE.values() if isinstance(r, Function) and r.partials]


def _reads_otherwise(record):
    """Whether the function itself has a textbook form, as adj(X) = det(X) X⁻¹."""
    return record.name in ("adjugate", "adjugate_frechet")


@pytest.mark.parametrize("batch", [0, 1])
@pytest.mark.parametrize("record", FUNCTIONS, ids=lambda record: record.name)
def test_every_function_is_read_again(record, batch):
    """By itself, and of tensors of more axes than matrix notation has."""
    names = dict(zip("abcdef", ["n", "m", "k", "p", "q", "r"], strict=True))
    labels = {label: names[chr(97 + at)] for at, label in enumerate("ijkl")}
    arguments = []
    for at, core in enumerate(record.signature.arguments):
        lead = ["p", "q"][: 2 * batch] if core or not at else []
        sizes = [*lead, *(labels.get(label, label) for label in core)]
        arguments.append(make.variable(f"x{at + 5}", sizes))
    if record.elementwise and not batch:
        arguments = [make.variable(a.name, ["n"]) for a in arguments]
    node = record.apply(arguments)
    for text, again, printed in trip(node, {a.name: a for a in arguments}):
        if _reads_otherwise(record):
            assert check_values(node, again).passed, text
        else:
            assert again is node, text
        assert printed == text


NETWORK = """h1 = tanh(A*x + b)
h2 = sigmoid(S*h1)
h3 = softmax(Q*h2)
L = norm2(h3 - y)^2 + logdet(S'*S + Q)"""
SIZES_OF = dict.fromkeys("SQ", ("m", "m")) | dict.fromkeys("by", ("m",))
SIZES_OF |= {"A": ("m", "n"), "x": ("n",)}


@pytest.mark.parametrize("ascii", [False, True])
@pytest.mark.parametrize("wrt", ["x", "A", "S"])
def test_abbreviations_are_read_again(wrt, ascii):
    """With the names that the text defines, its formula is the same again, but for their order."""
    d = pb.derivative(pb.parse(NETWORK, SIZES_OF), wrt, wrt)
    text = d.equation("index", ascii=ascii)
    program = parse_program(text, SIZES_OF, dialect="index", shape=d.shape)
    assert {"h1", "t1"} < {*program.lines} and "\nwhere " in text
    assert check_values(program.result, d.node, points=1).passed
    lines = Names.of(program, named=True).table
    names = Names.of(d.program).extended({n: lines[n] for n in program.lines.values()})
    printed = Writing(program.result, names, "index").text(ASCII if ascii else UNICODE)
    assert sorted(printed) == sorted(text.partition("\n")[0].partition(" = ")[2])


def test_names_that_could_be_taken_for_letters():
    x, xi, d, s = (
        make.variable("x", ["n"]),
        make.variable("x_i", []),
        make.variable("δ", ["n", "n"]),
        make.variable("Σ", ["n", "n"]),
    )
    node = make.contract([(x, "i"), (xi, ""), (d, "ij"), (s, "jk")], "ik")
    node = make.add([(1, node), (2, make.delta(make.Size.of("n")))])
    for text, again, printed in trip(node, {v.name: v for v in (x, xi, d, s)}):
        assert check_values(node, again).passed and printed == text, text
    W = make.variable("W_1", ["m", "n"])
    node = make.contract([(W, "ij"), (x, "j")], "i")
    for text, again, _ in trip(node, {"W_1": W, "x": x, "W": make.variable("W", ["m"])}):
        assert again is node, text

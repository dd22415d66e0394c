"""What is printed over vec'd axes is read again: to the same value, and to what prints the same."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from test_printed import NUMBERS, SHAPES, TABLE, derived
from values import value

from pullback.derivation.stacking import stacked_shape, unstacked
from pullback.expressions import Program
from pullback.language.parse import parse_program
from pullback.notation.names import Names
from pullback.notation.styles import ASCII, UNICODE
from pullback.notation.write import Writing
from pullback.verification.certificate import check_values

sys.path.append(str(Path(__file__).parent.parent / "notation"))
from notation_strategies import VARIABLES, jacobians

DECLARED = {name: [str(size) for size in v.shape] for name, v in VARIABLES.items()}


def by_columns(array, groups):
    """The array with the axes of each group as one, by NumPy: the first varies fastest."""
    ends = np.cumsum(groups)
    axes = [
        k
        for stop, count in zip(ends, groups, strict=True)
        for k in range(stop - 1, stop - count - 1, -1)
    ]
    lengths = [
        int(np.prod(array.shape[stop - count : stop]))
        for stop, count in zip(ends, groups, strict=True)
        if count
    ]
    return array.transpose(axes).reshape(lengths)


@pytest.mark.parametrize("ascii", [False, True])
@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize(("formula", "wrt"), TABLE)
def test_a_derivative_over_vec_is_read_again(formula, wrt, order, ascii):
    d = derived(formula, *([wrt] * order))
    groups = d.derivation.groups
    text = d.equation("vec", ascii=ascii)
    if d.derivation.node.order > 2 and "vec(" not in text.partition(" =")[0]:
        return  # it has no such form, and is written in indices
    shape = stacked_shape(d.shape, groups)
    program = parse_program(text, SHAPES, dialect="vec", shape=shape)
    assert program.result.shape == shape
    np.testing.assert_allclose(
        value(program.result, NUMBERS),
        by_columns(value(d.node, NUMBERS), groups),
        rtol=1e-9,
        atol=1e-11,
    )
    again = unstacked(program.result, d.shape, groups)
    again = replace(d, derivation=replace(d.derivation, node=again))
    assert again.equation("vec", ascii=ascii) == text


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(jacobians())
def test_any_jacobian_over_vec_is_read_again(drawn):
    node, groups = drawn
    names = Names.of(Program(node, VARIABLES))
    writing = Writing(node, names, "vec", groups)
    assume(writing.form == "vec")
    shape = stacked_shape(node.shape, groups)
    for style in (UNICODE, ASCII):
        program = parse_program(writing.text(style), DECLARED, dialect="vec", shape=shape)
        again = unstacked(program.result, node.shape, groups)
        certificate = check_values(node, again)
        assert not certificate.wrong, (writing.text(style), str(certificate))

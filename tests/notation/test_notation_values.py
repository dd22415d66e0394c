"""Every notation of a random expression has the value of the expression."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from notation_indices import read_index
from notation_latex import SIZED_LATEX, plain
from notation_reader import SIZED, read_matrix
from notation_strategies import (
    ROWS,
    SIZES,
    VARIABLES,
    anything,
    arrays,
    expressions,
    jacobians,
    shapes,
)
from notation_truth import value

from pullback.expressions import constructors as make
from pullback.expressions.program import Program
from pullback.expressions.walks import post_order
from pullback.notation.names import Names
from pullback.notation.styles import ASCII, UNICODE
from pullback.notation.write import Writing

ARRAYS = arrays()
slow = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


def program(node):
    return Program(node, VARIABLES, rows=frozenset(ROWS))


def same(read, truth, scale=None):
    read = np.asarray(read, dtype=float)
    scale = max(1.0, float(np.abs(truth).max()))
    assert read.shape == truth.shape, f"{read.shape} for {truth.shape}"
    np.testing.assert_allclose(read, truth, rtol=0, atol=1e-10 * scale)


@slow
@given(st.data())
def test_matrix_text_has_the_value_of_the_expression(data):
    node = data.draw(anything)
    truth = value(node, ARRAYS, SIZES)
    writing = Writing(node, Names.of(program(node)), "matrix")
    if writing.form == "index":
        return
    latex = plain(writing.text(SIZED_LATEX))
    texts = {"latex": latex, "unicode": writing.text(SIZED), "ascii": writing.text(ASCII)}
    for dialect, text in texts.items():
        note(text)
        dialect = "ascii" if dialect == "ascii" else "unicode"
        read = read_matrix(text, ARRAYS, SIZES, ROWS, dialect)
        if np.ndim(read) == 0 and truth.ndim:
            assert writing.tree.op == "number" and not writing.tree.data  # 0 for every entry
            read = np.zeros(truth.shape)
        elif truth.ndim == 1:
            assert read.shape[1] == 1, "a column prints as a column"
            read = read[:, 0]
        same(read, truth)


@slow
@given(st.data())
def test_index_text_has_the_value_of_the_expression(data):
    node = data.draw(anything)
    truth = value(node, ARRAYS, SIZES)
    writing = Writing(node, Names.of(program(node)), "index")
    note(writing.text(SIZED))
    same(read_index(writing.text(SIZED), ARRAYS, SIZES, writing.letters, truth.shape, ROWS), truth)


@pytest.mark.parametrize("style", [UNICODE, ASCII], ids=["unicode", "ascii"])
def test_a_wrong_transpose_is_seen(style):
    """The readers refuse shapes that do not fit, and tell A from its transpose."""
    dialect = "ascii" if style is ASCII else "unicode"
    mark = "'" if style is ASCII else "ᵀ"
    times = "*" if style is ASCII else " "
    with pytest.raises(AssertionError):
        read_matrix(f"A{times}x", ARRAYS, SIZES, ROWS, dialect)
    with pytest.raises(AssertionError):
        read_matrix("x + s", ARRAYS, SIZES, ROWS, dialect)
    once = read_matrix("M", ARRAYS, SIZES, ROWS, dialect)
    turned = read_matrix(f"M{mark}", ARRAYS, SIZES, ROWS, dialect)
    assert np.abs(once - turned).max() > 0.1


def stacked(truth, groups):
    """The array with the axes of each group merged, columns below each other."""
    axes, at = [], 0
    for count in groups:
        axes += reversed(range(at, at + count))
        at += count
    sizes = [1, 1]
    ends = [sum(groups[: k + 1]) for k in range(len(groups)) if groups[k]]
    first = ends[0]
    sizes[0] = int(np.prod(truth.shape[:first]))
    sizes[1] = int(np.prod(truth.shape[first:]))
    return truth.transpose(axes).reshape(sizes)


@slow
@given(st.data())
def test_formulas_in_names_have_the_value_of_the_expression(data):
    """Names of inner nodes, of multiples and of transposes of them stand for their values."""
    node = data.draw(shapes.flatmap(lambda shape: expressions(shape, 3)))
    inner = [n for n in post_order(node) if n.order <= 2 and n.children]
    inner = [n for n in inner if make.constant_value(n) is None]
    names, values, rows = Names.of(program(node)), dict(ARRAYS), list(ROWS)
    count = data.draw(st.integers(0, min(3, len(inner))))
    for title in ["Na", "Nb", "Nc"][:count]:
        named = data.draw(st.sampled_from(inner))
        named = make.scale(data.draw(st.sampled_from([1, 1, -2])), named)
        if data.draw(st.booleans()):
            named = make.transpose(named)
        if named in names:
            continue
        row = named.order == 1 and data.draw(st.booleans())
        names = names.plus(named, title, row=row)
        values[title] = value(named, ARRAYS, SIZES)
        rows += [title] * row
    truth = value(node, ARRAYS, SIZES)
    writing = Writing(node, names, "matrix")
    if writing.form == "matrix":
        note(writing.text(SIZED))
        read = np.asarray(read_matrix(writing.text(SIZED), values, SIZES, rows))
        read = np.zeros(truth.shape) if writing.tree.op == "number" and not read else read
        same(read.reshape(truth.shape) if read.size == truth.size else read, truth)
    writing = Writing(node, names, "index")
    note(writing.text(SIZED))
    same(read_index(writing.text(SIZED), values, SIZES, writing.letters, truth.shape, rows), truth)


@slow
@given(st.data())
def test_vec_text_has_the_value_of_the_stacked_expression(data):
    node, groups = data.draw(jacobians())
    truth = stacked(value(node, ARRAYS, SIZES), groups)
    writing = Writing(node, Names.of(program(node)), "vec", groups)
    if writing.form == "index":
        return
    for style, dialect in ((SIZED, "unicode"), (ASCII, "ascii")):
        note(writing.text(style))
        read = read_matrix(writing.text(style), ARRAYS, SIZES, ROWS, dialect)
        if np.ndim(read) == 0:
            assert writing.tree.op == "number"
            read = np.full(truth.shape, float(read))
        same(read, truth)

"""A sum of terms of any structure: diagonals stay diagonals, and what is dense is one chain."""

from __future__ import annotations

from functools import partial

from pullback.compilation.arrays import Arrays
from pullback.compilation.ir import Literal, View
from pullback.expressions.nodes import Number
from pullback.expressions.sizes import Shape

Term = tuple[Number, View]


def added(arrays: Arrays, terms: list[Term], shape: Shape) -> View:
    """Terms of one structure are added as they are; a δ among others is added in place."""
    structures = {_ties(view) for _, view in terms}
    if len(structures) == 1 and structures != {()}:
        return _tied(arrays, terms, structures.pop())
    flat = [(c, view) for c, view in terms if not view.has_delta]
    tied = [(c, view) for c, view in terms if view.has_delta]
    if not tied:
        return _chain(arrays, flat)
    if flat:
        total = arrays.full(_chain(arrays, flat), shape)
    else:
        c, view = tied.pop(0)
        total = arrays.dense(arrays.scale(c, view), shape)
    for c, view in tied:
        total = arrays.place(total, arrays.scale(c, view), shape)
    return total


def _tied(arrays: Arrays, terms: list[Term], ties: tuple[int, ...]) -> View:
    """Terms with the same δs: their diagonals are added, and the sum is diagonal alike."""
    firsts = sorted(set(ties))
    diagonals = [(c, View(v.source, tuple([_real(v.axes[k]) for k in firsts]))) for c, v in terms]
    total = _chain(arrays, diagonals)
    own = dict(zip(firsts, total.axes, strict=True))
    for k in firsts:
        if own[k] is None and ties.count(k) > 1:
            own[k] = -1 - k  # a δ along axes that no term has
    return View(total.source, tuple([own[k] for k in ties]))


def _chain(arrays: Arrays, terms: list[Term]) -> View:
    """The terms as a chain of additions and subtractions, in reading order."""
    terms = sorted(terms, key=partial(_reading_order, arrays))
    coefficient, total = terms[0]
    total = arrays.scale(coefficient, total)
    for coefficient, view in terms[1:]:
        step = arrays.subtract if coefficient < 0 else arrays.add
        total = step(total, arrays.scale(magnitude(coefficient), view))
    return total


def _reading_order(arrays: Arrays, term: Term) -> tuple[bool, int, bool, int]:
    coefficient, view = term
    source = view.source
    if isinstance(source, Literal):
        return coefficient * source.value < 0, 0, False, -1
    leaf = arrays.defined[source].op in ("input", "size")
    return coefficient < 0, -len(source.shape), leaf, source.index


def _real(axis: int | None) -> int | None:
    return None if axis is None or axis < 0 else axis


def _ties(view: View) -> tuple[int, ...]:
    """Which axes a δ makes equal: the first axis that shows the same axis of the source."""
    if not view.has_delta:
        return ()
    return tuple([k if a is None else view.axes.index(a) for k, a in enumerate(view.axes)])


def magnitude(number: Number) -> Number:
    return -number if number < 0 else number

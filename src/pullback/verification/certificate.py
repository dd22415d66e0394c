"""The certificate: a derivative compared with differences of the function itself.

A derivative of any order is contracted with a random direction for each variable, and compared
with the central difference of the *function* along the same directions, nested once per
variable. Both are evaluated exactly (:mod:`pullback.verification.exact`) with so many digits that
a right derivative agrees to about 1e-27 and a wrong one cannot hide behind rounding.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pullback.derivation.result import Derivation
from pullback.errors import DomainError
from pullback.expressions import Node, Variable, shape_text
from pullback.expressions.walks import post_order, variables
from pullback.verification.differences import (
    Place,
    Scale,
    largest_of,
    random_direction,
    relative_error,
)
from pullback.verification.exact import Array, array, evaluate, real_context
from pullback.verification.points import (
    NotTestable,
    Sizes,
    draw_sizes,
    draw_value,
    draws,
    seed_of,
    work,
)

THRESHOLD = 1e-10  # a right derivative is at 1e-20 or better
MOST_WORK = 1_000_000  # multiplications at one point, about two seconds
WORK = 500_000  # more points than one only while all together stay below this
SEARCH = 12  # tries for a point where the derivative is not zero
ENTRIES = 40  # a first derivative of so many entries is also compared entry by entry
MOST_DIGITS = 1500  # a derivative of 1e-350 beside a function of 1 is still seen


@dataclass(frozen=True)
class Certificate:
    """How a comparison at random points came out.

    ``worst`` is the largest error relative to the largest entry; ``passed`` needs every point to
    agree. ``wrong`` says that values were compared and differ; neither says that no comparison
    was possible, and ``message`` tells why.
    """

    passed: bool
    points: int
    worst: float
    seed: int
    sizes: tuple[Mapping[str, int], ...] = ()
    message: str = ""
    wrong: bool = False

    def __bool__(self) -> bool:
        return self.passed

    def __str__(self) -> str:
        if self.passed:
            points = f"{self.points} point" + ("s" if self.points != 1 else "")
            note = f"; {self.message}" if self.message else ""
            error = f"worst relative error {self.worst:.1e}"
            return f"certified at {points}, {error} (seed {self.seed}){note}"
        if self.wrong:
            return f"WRONG: {self.message} (seed {self.seed})"
        return f"not certified: {self.message} (seed {self.seed})"


def certify(derivation: Derivation, points: int = 3, seed: int | None = None) -> Certificate:
    """Compare a derivative with differences of the function at random sizes and points.

    Variables take random values for which their assumptions hold; entries of a variable move
    independently of each other. A named line that is differentiated by moves alone. A point
    outside the domain, or with a kink within the step, is drawn again.
    """
    function, targets = derivation.program.result, [w.node for w in derivation.wrt]
    seed = seed_of(function, *targets) if seed is None else seed
    nodes = post_order(function, derivation.node, *targets)
    sites = _sites(nodes, seed, points, 2 ** len(targets) + 2)
    tally = _Tally(seed)
    shape = function.shape + tuple(size for target in targets for size in target.shape)
    if derivation.node.shape != shape:
        claimed = shape_text(derivation.node.shape)
        return tally.failure(f"its shape should be {shape_text(shape)} and is {claimed}")
    try:
        for k, (sizes, generator) in enumerate(sites):
            thorough = k == 0 and len(targets) == 1
            found = _compare_at_some_point(derivation, sizes, generator, thorough)
            tally.add(found, sizes)
    except NotTestable as reason:
        return tally.unfinished(reason.message)
    return tally.certificate()


def check_values(
    f: Node, g: Node, points: int = 3, seed: int | None = None, threshold: float = 1e-20
) -> Certificate:
    """Compare two expressions of equal shape: wherever ``f`` has a value, ``g`` has the same.

    >>> from pullback.expressions import constructors as make
    >>> x = make.variable("x", ["n"])
    >>> check_values(make.multiply(x, x), make.power(x, 2)).passed
    True
    """
    seed = seed_of(f, g) if seed is None else seed
    tally = _Tally(seed, threshold)
    if f.shape != g.shape:
        return tally.failure("the shapes differ")
    try:
        for sizes, generator in _sites(post_order(f, g), seed, points, 2):
            tally.add(_values_at_some_point(f, g, sizes, generator), sizes)
    except NotTestable as reason:
        return tally.unfinished(reason.message)
    return tally.certificate()


def _sites(
    nodes: Sequence[Node], seed: int, points: int, evaluations: int
) -> Iterator[tuple[Sizes, random.Random]]:
    """Sizes and a generator for each point; fewer points where each takes long."""
    if points < 1:
        raise NotTestable("at least one point is needed")
    spent = 0
    for k in range(points):
        generator = random.Random(f"{seed}/{k}")  # noqa: S311  # no secret
        sizes = draw_sizes(nodes, generator, MOST_WORK // evaluations)
        spent += work(nodes, sizes) * evaluations
        if k and spent > WORK:
            return
        yield sizes, generator


@dataclass(frozen=True)
class _Found:
    """The relative error at a point, and what it is the error of."""

    error: float
    where: str
    zero: bool = False  # nothing but zeros were compared


class _Tally:
    def __init__(self, seed: int, threshold: float = THRESHOLD) -> None:
        self.seed, self.threshold = seed, threshold
        self.worst, self.where = 0.0, ""
        self.sizes: list[Sizes] = []
        self.agree = self.zero = True

    def add(self, found: _Found, sizes: Sizes) -> None:
        error, where = found.error, found.where
        self.sizes.append(sizes)
        self.zero = self.zero and found.zero
        if not error <= self.threshold and self.agree:  # NaN is not small
            at = ", ".join(f"{name}={size}" for name, size in sizes.items())
            self.where = f"{where} (relative error {error:.1e}" + (f", {at})" if at else ")")
            self.agree = False
        if not error <= self.worst:
            self.worst = error

    def certificate(self) -> Certificate:
        if self.agree:
            zero = "the derivative is zero at every point tried" if self.zero else ""
            return self._with(passed=True, message=zero)
        return self.failure(self.where)

    def failure(self, message: str) -> Certificate:
        return self._with(passed=False, message=message, wrong=True)

    def unfinished(self, reason: str) -> Certificate:
        if not self.agree:
            return self.certificate()
        return self._with(passed=False, message=reason)

    def _with(self, *, passed: bool, message: str, wrong: bool = False) -> Certificate:
        sizes = tuple(self.sizes)
        return Certificate(passed, len(sizes), self.worst, self.seed, sizes, message, wrong)


# One point


def _values_at_some_point(f: Node, g: Node, sizes: Sizes, generator: random.Random) -> _Found:
    mp = real_context(40)
    reason = ""
    for given in _points(variables(f, g), sizes, generator, mp):
        try:
            left = evaluate([f], given, sizes, mp)[f]
        except DomainError as outside:
            reason = reason or outside.message
            continue
        try:
            right = evaluate([g], given, sizes, mp)[g]
            error = _relative(left, right, mp)
            if error > _ROUNDING:  # a difference, or digits lost to cancellation: these return
                fine = real_context(200)
                exact: dict[Node, Array] = {v: array(x, fine) for v, x in given.items()}
                both = evaluate([f, g], exact, sizes, fine)
                error = _relative(both[f], both[g], fine)
        except DomainError as missing:
            lost = f"the second has no value where the first has one: {missing.message}"
            return _Found(float("nan"), lost)
        return _Found(error, "the values differ")
    raise NotTestable(f"no point inside the domain was found: {reason}")


_ROUNDING = 1e-25  # what 40 digits leave where nothing cancels


def _relative(left: Array, right: Array, mp: Any) -> float:
    scale = max(largest_of(left), largest_of(right), mp.mpf("1e-30"))
    return float(relative_error(left, right, scale))


def _points(
    names: Sequence[Variable], sizes: Sizes, generator: random.Random, mp: Any
) -> Iterator[dict[Node, Array]]:
    for kinds in draws(generator, len(names)):
        yield {
            variable: draw_value(variable, sizes, draw, generator, mp)
            for variable, draw in zip(names, kinds, strict=True)
        }


def _compare_at_some_point(
    derivation: Derivation, sizes: Sizes, generator: random.Random, thorough: bool
) -> _Found:
    """The error at the first point drawn where a comparison is possible, and what differs.

    A zero that agrees says little (every unit of a network may be off at a point), so a few
    more points are tried for something else.
    """
    targets = [w.node for w in derivation.wrt]
    names = variables(derivation.program.result, derivation.node, *targets)
    mp = real_context(40)
    reason = ""
    zero: _Found | None = None
    for attempt, drawn in enumerate(_points(names, sizes, generator, mp)):
        if zero is not None and attempt >= SEARCH:
            break
        directions = random.Random(generator.getrandbits(32))  # noqa: S311  # no secret
        try:
            found = _compare(derivation, drawn, sizes, directions, thorough)
        except DomainError as error:
            reason = reason or error.message
            continue
        if not found.zero or not found.error <= THRESHOLD:
            return found
        zero = found
    if zero is None:
        raise NotTestable(f"no point inside the domain was found: {reason}")
    return zero


def _compare(
    derivation: Derivation,
    drawn: Mapping[Node, Array],
    sizes: Sizes,
    generator: random.Random,
    thorough: bool,
) -> _Found:
    """The relative error along random directions, with as many digits as it takes to see it."""
    shapes = [tuple(s.evaluate(sizes) for s in w.node.shape) for w in derivation.wrt]
    directions = [random_direction(shape, generator) for shape in shapes]
    extra, before = 0, 0
    while True:
        scale = Scale(len(shapes), extra)
        place = Place(derivation, drawn, sizes, scale)
        derivative, difference = place.derivative_along(directions), place.difference(directions)
        largest = max(largest_of(derivative), largest_of(difference))
        beside = max(largest_of(place.value), place.mp.one)
        if largest >= beside * place.mp.mpf(10) ** -(10 + extra // 4):
            break
        # So small beside the function: a zero, or too few digits to see it. A true value stays
        # when digits are added, a zero shrinks with them.
        size = largest_of(derivative)
        stays = size and abs(size - before) < size / 1000
        if extra and not stays:
            error = float(largest / beside)
            return _Found(error, "the derivative should be zero", zero=True)
        before = size
        exponent = int(-place.mp.log10(size / beside)) if stays else 0
        extra = max(80, 4 * exponent + 80)
        if extra > MOST_DIGITS:
            raise NotTestable("the derivative is too small beside the function to be compared")
    error = relative_error(derivative, difference, largest)
    found = _Found(error, "the formula and the differences of the function disagree")
    if thorough and not extra and np.prod(shapes[0], dtype=int) <= ENTRIES:
        return _entry_by_entry(place, shapes[0], derivation.wrt[0].name, found)
    return found


def _entry_by_entry(place: Place, shape: tuple[int, ...], name: str, worst: _Found) -> _Found:
    """The same comparison along each axis of the variable, to name the entry that is wrong."""
    first = not worst.error <= THRESHOLD
    for index in np.ndindex(shape):
        entry = np.zeros(shape, dtype=object)
        entry[index] = 1
        derivative, difference = place.derivative_along([entry]), place.difference([entry])
        largest = max(place.largest_entry, largest_of(derivative), largest_of(difference))
        error = relative_error(derivative, difference, largest or place.mp.one)
        if not error <= (THRESHOLD if first else max(worst.error, THRESHOLD)):
            at = f"entry ({', '.join(str(i + 1) for i in index)}) of {name}" if shape else name
            worst, first = (
                _Found(error, f"the derivative by {at} is not what differences say"),
                False,
            )
            if not derivative.shape:
                said, true = (place.mp.nstr(v.item(), 6) for v in (derivative, difference))
                worst = _Found(error, f"the derivative by {at} is {true}, the formula says {said}")
    return worst

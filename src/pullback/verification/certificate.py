"""The certificate: a derivative compared with differences of the function itself.

A derivative of any order is contracted with a random direction for each variable, and compared
with the central difference of the *function* along the same directions, nested once per
variable. Both are evaluated exactly (:mod:`pullback.verification.exact`) with so many digits that
a right derivative agrees to about 1e-27 and a wrong one cannot hide behind rounding.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pullback.derivation.result import Derivation
from pullback.errors import DomainError
from pullback.expressions import Node, shape_text
from pullback.expressions.walks import post_order, variables
from pullback.verification.comparison import (
    AGREE,
    MOST_DIGITS,
    SEARCH,
    Found,
    NoPoint,
    Site,
    compare_at_some_point,
    drawn_points,
)
from pullback.verification.differences import largest_of, relative_error, span_of
from pullback.verification.exact import Array, array, evaluate, real_context
from pullback.verification.points import NotTestable, Sizes, draw_sizes, seed_of, work

MOST_WORK = 1_000_000  # multiplications at one point, about two seconds
WORK = 500_000  # more points than one only while all together stay below this
FEW = 20  # draws at each of
SIZES = 8  # choices of sizes, where there is no point inside the domain for some


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

    Variables take random values for which their assumptions hold. By default entries of a
    variable move independently of each other; in another convention (see
    :mod:`pullback.derivation.structure`) it moves as that says. A named line that is differentiated
    by moves alone. A point outside the domain, or with a kink within the step, is drawn again.
    """
    function, targets = derivation.program.result, [w.node for w in derivation.wrt]
    seed = seed_of(function, *targets) if seed is None else seed
    shape = function.shape + tuple(size for target in targets for size in target.shape)
    tally = _Tally(seed)
    if derivation.node.shape != shape:
        claimed = shape_text(derivation.node.shape)
        return tally.failure(f"its shape should be {shape_text(shape)} and is {claimed}")

    def compare(site: Site) -> Found:
        thorough = not tally.sizes and len(targets) == 1
        return compare_at_some_point(derivation, site, thorough=thorough)

    nodes = post_order(function, derivation.node, *targets)
    return tally.over(nodes, points, 2 ** len(targets) + 2, compare)


def check_values(
    f: Node, g: Node, points: int = 3, seed: int | None = None, threshold: float = 1e-20
) -> Certificate:
    """Compare two expressions of equal shape: wherever ``f`` has a value, ``g`` has the same.

    >>> from pullback.expressions import constructors as make
    >>> x = make.variable("x", ["n"])
    >>> check_values(make.multiply(x, x), make.power(x, 2)).passed
    True
    """
    tally = _Tally(seed_of(f, g) if seed is None else seed, threshold)
    if f.shape != g.shape:
        return tally.failure("the shapes differ")
    return tally.over(post_order(f, g), points, 2, lambda site: _values_at_some_point(f, g, site))


class _Tally:
    """What was compared so far, and how it came out."""

    def __init__(self, seed: int, threshold: float = AGREE) -> None:
        self.seed, self.threshold = seed, threshold
        self.worst, self.where = 0.0, ""
        self.sizes: list[Sizes] = []
        self.pieces: dict[Any, set[Any]] = {}
        self.agree = self.zero = True

    def over(
        self,
        nodes: Sequence[Node],
        points: int,
        evaluations: int,
        compare: Callable[[Site], Found],
    ) -> Certificate:
        """Compares at several points: fewer where each takes long, more where there are kinks.

        Of those twice as many, and up to three times, until two sides of each have been met.
        """
        if points < 1:
            return self._unfinished("at least one point is needed")
        spent = 0
        for k in range(3 * points):
            asked = 2 * points if self.pieces else points
            if k >= asked and all(len(met) > 1 for met in self.pieces.values()):
                break
            left = WORK - spent if k else MOST_WORK
            generator = random.Random(f"{self.seed}/{k}")  # noqa: S311  # no secret
            search = 2 if self.sizes and self.zero else SEARCH
            site = Site({}, generator, max(0, k - asked + 1), search=search)
            try:
                spent += self._at_some_sizes(nodes, site, evaluations, left, compare)
            except NoPoint as reason:
                if k:
                    break
                return self._unfinished(reason.message)
            except NotTestable as reason:
                return self._unfinished(reason.message)
            if spent > WORK:
                break
        return self.certificate()

    def _at_some_sizes(
        self,
        nodes: Sequence[Node],
        site: Site,
        evaluations: int,
        left: int,
        compare: Callable[[Site], Found],
    ) -> int:
        """Compares at sizes for which there is a point; returns the work this took."""
        tried: list[Sizes] = []
        reason: NoPoint | None = None
        for k in range(SIZES + 1):
            sizes = draw_sizes(nodes, site.generator, MOST_WORK // evaluations)
            takes = work(nodes, sizes) * evaluations
            if takes > left:
                return WORK
            if sizes in tried and k < SIZES:
                continue
            tried.append(sizes)
            tries = None if k == SIZES or not sizes else FEW
            try:
                self.add(compare(replace(site, sizes=sizes, tries=tries)), sizes)
            except NoPoint as missing:
                reason = reason or missing
                if not sizes:
                    break
            else:
                return takes
        assert reason is not None
        raise reason

    def add(self, found: Found, sizes: Sizes) -> None:
        error, where = found.error, found.where
        self.sizes.append(sizes)
        self.zero = self.zero and found.zero
        for function, piece in found.pieces:
            self.pieces.setdefault(function, set()).add(piece)
        if not error <= min(self.threshold, found.within) and self.agree:  # NaN is not small
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

    def _unfinished(self, reason: str) -> Certificate:
        if not self.agree:
            return self.certificate()
        return self._with(passed=False, message=reason)

    def _with(self, *, passed: bool, message: str, wrong: bool = False) -> Certificate:
        sizes = tuple(self.sizes)
        return Certificate(passed, len(sizes), self.worst, self.seed, sizes, message, wrong)


def _values_at_some_point(f: Node, g: Node, site: Site) -> Found:
    """The relative difference at the first point drawn where ``f`` has a value."""
    reason = ""
    sizes = site.sizes
    mp = real_context(_DIGITS)
    for drawn in drawn_points(variables(f, g), [f, g], site):
        given: dict[Node, Array] = {v: array(x, mp) for v, x in drawn.items()}
        try:
            left = evaluate([f], given, sizes, mp)
        except DomainError as outside:
            reason = reason or outside.message
            continue
        pieces = frozenset(left.sides)
        try:
            right = evaluate([g], given, sizes, mp)
            error = relative_error(left[f], right[g])
            span = max(span_of([f], left), span_of([g], right), key=lambda span: span.digits)
            if error > min(_ROUNDING, span.agreement):
                coarse = largest_of(left[f] - right[g])
                fine = real_context(_MORE + 2 * int(min(span.digits, MOST_DIGITS / 2)))
                exact: dict[Node, Array] = {v: array(x, fine) for v, x in drawn.items()}
                more = evaluate([f, g], exact, sizes, fine)
                error = relative_error(more[f], more[g])
                span = span_of([f, g], more, rounding=True)
                if largest_of(more[f] - more[g]) < coarse * mp.mpf(10) ** -60:
                    error = 0.0  # it was rounding, which shrinks with more digits
        except DomainError as missing:
            lost = f"the second has no value where the first has one: {missing.message}"
            return Found(float("nan"), lost, pieces=pieces)
        return Found(error, "the values differ", span.agreement, pieces=pieces)
    raise NoPoint(f"no point inside the domain was found: {reason}")


_DIGITS, _MORE = 40, 200
_ROUNDING = 1e-25  # what 40 digits leave where nothing cancels

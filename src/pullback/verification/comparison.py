"""One derivative beside differences of its function, at one point, with digits enough to tell.

Digits are added until the two agree, or stay apart: what is right comes closer with every digit,
since the step shrinks with them, and what is wrong does not. So neither a step too long for the
function, nor a term lost beside a large one, nor a true zero is taken for what it is not.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np

from pullback.derivation.result import Derivation
from pullback.errors import DomainError
from pullback.expressions import Node, Variable
from pullback.expressions.walks import variables
from pullback.verification.differences import (
    Place,
    Scale,
    largest_of,
    random_direction,
    relative_error,
)
from pullback.verification.exact import Array, real_context
from pullback.verification.points import NotTestable, Sizes, draw_value, draws, landmarks

AGREE = 1e-18  # a right derivative comes to 1e-20 or better
STAYS = 0.5  # an error that more digits leave above this part of it is no rounding
SEARCH = 12  # tries for a point where the derivative is not zero
ENTRIES = 40  # a first derivative of so many entries is also compared entry by entry
MOST_DIGITS = 1500  # a derivative of 1e-350 beside a function of 1 is still seen
DRAWN_DIGITS = MOST_DIGITS + 150  # of a point: as far as an orthogonal matrix is one


@dataclass(frozen=True)
class Found:
    """The relative error at a point, and what it is the error of.

    ``within`` is the error allowed where it must be smaller than usual, ``zero`` says that nothing
    but zeros were compared, ``pieces`` on which smooth piece of which function the point lies.
    """

    error: float
    where: str
    within: float = 1.0
    zero: bool = False
    pieces: frozenset[Any] = frozenset()

    @property
    def agrees(self) -> bool:
        return self.error <= min(AGREE, self.within)


@dataclass(frozen=True)
class Site:
    """Where to look for a point: at some sizes, and how far ``elsewhere`` than one looks first.

    ``tries`` bounds the draws, and ``search`` those for a point where the derivative is not zero.
    """

    sizes: Sizes
    generator: random.Random
    elsewhere: int = 0
    tries: int | None = None
    search: int = SEARCH


class NoPoint(NotTestable):
    """No point was found where a comparison is possible."""


class OutOfReach(DomainError):
    """More digits would be needed than are ever used."""


def drawn_points(
    names: Sequence[Variable], roots: Iterable[Node], site: Site
) -> Iterator[dict[Node, Array]]:
    """Values for the variables, try after try, also near where something happens in the roots."""
    mp = real_context(DRAWN_DIGITS)
    sizes, generator = site.sizes, site.generator
    every = draws(generator, len(names), landmarks(roots), site.elsewhere)
    for kinds in islice(every, site.tries):
        yield {
            variable: draw_value(variable, sizes, draw, generator, mp)
            for variable, draw in zip(names, kinds, strict=True)
        }


def compare_at_some_point(derivation: Derivation, site: Site, *, thorough: bool) -> Found:
    """The error at the first point drawn where a comparison is possible, and what differs.

    A zero that agrees says little (every unit of a network may be off at a point), so more
    points are tried for something else.
    """
    function, targets = derivation.program.result, [w.node for w in derivation.wrt]
    names = variables(function, derivation.node, *targets)
    reason = ""
    too_far = 0
    zero: Found | None = None
    for attempt, drawn in enumerate(drawn_points(names, [function], site)):
        if zero is not None and attempt >= site.search:
            break
        directions = random.Random(site.generator.getrandbits(32))  # noqa: S311  # no secret
        try:
            found = _compare(derivation, drawn, site.sizes, directions, thorough)
        except OutOfReach as error:
            too_far += 1
            if too_far == SEARCH:
                raise NotTestable(error.message) from error
            continue
        except DomainError as error:
            reason = reason or error.message
            continue
        if zero is not None:
            found = replace(found, pieces=found.pieces | zero.pieces)
        if not found.zero:
            return found
        zero = found
    if zero is None:
        raise NoPoint(f"no point inside the domain was found: {reason}")
    return zero


def _compare(
    derivation: Derivation,
    drawn: Mapping[Node, Array],
    sizes: Sizes,
    generator: random.Random,
    thorough: bool,
) -> Found:
    """The relative error along random directions, with as many digits as it takes to tell."""
    shapes = [tuple(s.evaluate(sizes) for s in w.node.shape) for w in derivation.wrt]
    directions = [random_direction(shape, generator) for shape in shapes]
    entries = int(np.prod(shapes[0], dtype=int))
    extra, before = 0, float("inf")
    while True:
        place = Place(derivation, drawn, sizes, Scale(len(shapes), extra))
        found, largest = _along(place, directions)
        if thorough and largest and entries <= ENTRIES and (found.agrees or extra):
            found = _entry_by_entry(place, shapes[0], derivation.wrt[0].name, found)
        if found.error != found.error or (largest and found.agrees):
            return found
        if extra and largest <= place.noise:
            return Found(0.0, found.where, zero=True, pieces=place.pieces)
        if extra and found.error >= STAYS * before:
            return found
        before, used = found.error, extra
        extra = min(2 * used, MOST_DIGITS) if used else int(4 * place.span.digits + 80)
        if extra > MOST_DIGITS or extra == used:
            raise OutOfReach("the derivative is too small beside the function to be compared")


def _along(place: Place, directions: Sequence[Array]) -> tuple[Found, Any]:
    """The error along directions, and the largest number compared."""
    derivative, difference = place.derivative_along(directions), place.difference(directions)
    error = relative_error(derivative, difference)
    said = "the formula and the differences of the function disagree"
    largest = max(largest_of(derivative), largest_of(difference))
    return Found(error, said, place.span.agreement, pieces=place.pieces), largest


def _entry_by_entry(place: Place, shape: tuple[int, ...], name: str, worst: Found) -> Found:
    """The same comparison along each axis of the variable, to name the entry that is wrong."""
    named = False
    for index in np.ndindex(shape):
        entry = np.zeros(shape, dtype=object)
        entry[index] = 1
        derivative, difference = place.derivative_along([entry]), place.difference([entry])
        error = relative_error(derivative, difference, place.largest_entry)
        if error <= min(AGREE, worst.within) or (named and error <= worst.error):
            continue
        named = True
        at = f"entry ({', '.join(str(i + 1) for i in index)}) of {name}" if shape else name
        where = f"the derivative by {at} is not what differences say"
        if not derivative.shape:
            said, true = (place.mp.nstr(v.item(), 6) for v in (derivative, difference))
            where = f"the derivative by {at} is {true}, the formula says {said}"
        worst = replace(worst, error=error, where=where)
    return worst

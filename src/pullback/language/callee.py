"""A function as called: what it takes, what comes out, and how its node is made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pullback.expressions import Size
from pullback.language.kinds import Build, Kind, Verdict
from pullback.language.syntax import Syntax


@dataclass(frozen=True, slots=True)
class Callee:
    """A function as called: which arguments are values, its rule, and how its node is made.

    ``build`` is None where the rule describes the contraction, or makes the node itself.
    ``sizes`` are those the call states, for the axes its rule leaves to the surroundings.
    ``orders`` are the numbers of axes that its arguments must have, where the call says so,
    ``gives`` that of its result, if it is a tensor.
    """

    arguments: tuple[Syntax, ...]
    rule: Callable[[tuple[Kind, ...]], Verdict]
    build: Build | None = None
    sizes: tuple[Size, ...] = ()
    orders: tuple[int, ...] = ()
    gives: int = 0

"""The search for what undeclared names are: scalars, columns, rows or matrices.

The program is run over kinds instead of values, for all readings at once: a state is the stack of
kinds and the kinds of the names that are still needed, and keeps only its cheapest readings. Names
that are used once never meet, so the work grows with the length of the program and not with the
number of readings.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from pullback.errors import PullbackError
from pullback.language import kinds as k
from pullback.language.code import Instruction, Load, Operate, Push, Store
from pullback.language.kinds import Kind, Rule

Cost = tuple[int, int]  # scalars repeated that are no literals; then departures from the defaults
Reading = dict[str, Kind]

KEPT = 12  # readings kept per state
WIDTH, WIDEST = 400, 20_000  # states kept in a first search, states that end the search
EFFORT = 500_000  # steps that end it too, and 100 more for each instruction

_GREEK = re.compile(
    "alpha|beta|gamma|delta|epsilon|zeta|eta|theta|iota|kappa|lambda|lam|mu|nu|xi|omicron|pi|rho|"
    "sigma|tau|upsilon|phi|chi|psi|omega"
)
# how far each kind is from the default of a name
_FROM_SCALAR = {k.SCALAR: 0, k.COLUMN: 2, k.ROW: 5, k.MATRIX: 8}
_FROM_COLUMN = {k.COLUMN: 0, k.ROW: 4, k.SCALAR: 6, k.MATRIX: 8}
_FROM_MATRIX = {k.MATRIX: 0, k.COLUMN: 6, k.ROW: 6, k.SCALAR: 6}
_TENSOR = 10  # how far a tensor is from any default
_SCALAR_RIGHT_OF_VECTOR = 3  # in A*b and x'*b, b is rather a vector
_SCALAR_TRANSPOSED = 4  # in b', b is no scalar
_SUMMED_SCALAR = 2  # broadcasts that are taken before the mean of a scalar: x - mean(x)


@cache
def departures(name: str) -> Mapping[Kind, int]:
    """What each kind costs a name.

    a–g and Greek letters, spelled out or not, are scalars, h–z columns, capitals matrices; a
    longer name goes by its first letter.
    """
    letter = name.lstrip("_")[:1] or "x"
    word = re.split(r"[_\d]", name.lstrip("_"))[0]
    if letter.isupper():
        return _FROM_MATRIX
    if "a" <= letter <= "g" or "α" <= letter <= "ω" or _GREEK.fullmatch(word):
        return _FROM_SCALAR
    return _FROM_COLUMN


def default_kind(name: str, possible: Sequence[Kind]) -> Kind:
    cost = departures(name)
    return min(possible, key=lambda kind: cost.get(kind, _TENSOR))


State = tuple[tuple[Kind, ...], tuple[Kind, ...]]  # the stack, and the kinds in the slots
Decisions = tuple["Decisions", str, Kind] | None  # linked, latest first
Entry = tuple[Cost, Decisions]


@dataclass(frozen=True)
class Slots:
    """Where the kind of a name is kept from its first appearance to its last, like registers."""

    of: tuple[int, ...]  # for each instruction, the slot of its name, −1 for none
    opens: frozenset[int]  # instructions at which a name first appears
    closes: frozenset[int]  # and last
    count: int


def _slots(code: Sequence[Instruction], kept: Mapping[str, object]) -> Slots:
    last: dict[str, int] = {}
    for i, step in enumerate(code):
        if isinstance(step, Load | Store) and step.name in kept:
            last[step.name] = i
    place: dict[str, int] = {}
    free: list[int] = []
    of, opens, closes, count = [-1] * len(code), set(), set(), 0
    for i, step in enumerate(code):
        if not isinstance(step, Load | Store) or step.name not in kept:
            continue
        if step.name not in place:
            opens.add(i)
            if not free:
                free.append(count)
                count += 1
            place[step.name] = free.pop()
        of[i] = place[step.name]
        if last[step.name] == i:
            closes.add(i)
            free.append(place[step.name])
    return Slots(tuple(of), frozenset(opens), frozenset(closes), count)


def search(
    code: Sequence[Instruction],
    fixed: Mapping[str, Kind],
    possible: Mapping[str, Sequence[Kind]],
) -> list[tuple[Cost, Reading]]:
    """Readings of the names in ``possible``, cheapest first; none if there is none.

    Raises PullbackError when there are too many to settle.
    """
    free, _ = _run(code, fixed, possible, (0, 0), WIDTH)
    if free:
        return free
    found, complete = _run(code, fixed, possible, None, WIDTH)
    if complete:
        return found
    # some states were dropped: search again for all that is not dearer than what was found
    bound = found[0][0] if found else None
    found, complete = _run(code, fixed, possible, bound, WIDEST)
    if not complete:
        raise _too_many(possible)
    return found


def _too_many(possible: Mapping[str, Sequence[Kind]]) -> PullbackError:
    names = ", ".join(list(possible)[:12]) + (", …" if len(possible) > 12 else "")
    return PullbackError(
        f"too many names without a shape to settle what is meant: {names}",
        hint="declare the shapes of some, as in  x: n",
    )


def every(
    code: Sequence[Instruction], fixed: Mapping[str, Kind], possible: Mapping[str, Sequence[Kind]]
) -> list[tuple[Cost, Reading]]:
    """More readings than the cheapest, for when the sizes contradict that one."""
    return _run(code, fixed, possible, None, WIDTH)[0]


def _run(
    code: Sequence[Instruction],
    fixed: Mapping[str, Kind],
    possible: Mapping[str, Sequence[Kind]],
    bound: Cost | None,
    width: int,
) -> tuple[list[tuple[Cost, Reading]], bool]:
    kept = dict(possible) | {
        step.name: () for step in code if isinstance(step, Store) and step.name
    }
    slots = _slots(code, kept)
    states: dict[State, list[Entry]] = {((), (-1,) * slots.count): [((0, 0), None)]}
    complete = True
    effort = EFFORT + 100 * len(code)
    for i, step in enumerate(code):
        effort -= len(states)
        if effort < 0:
            raise _too_many(possible)
        after: dict[State, list[Entry]] = {}
        for (stack, env), entries in states.items():
            for new_stack, new_env, cost, decision in _next(
                step, i, stack, env, fixed, possible, slots
            ):
                grown = entries
                if cost != (0, 0) or decision:
                    grown = [
                        (
                            (old[0] + cost[0], old[1] + cost[1]),
                            (chain, *decision) if decision else chain,
                        )
                        for old, chain in entries
                    ]
                if bound is not None:
                    grown = [entry for entry in grown if entry[0] <= bound]
                if grown:
                    key = (new_stack, new_env)
                    there = after.get(key)
                    after[key] = grown if there is None else _merge(there, grown)
        if len(after) > width:
            complete = False
            best = sorted(after.items(), key=lambda item: item[1][0][0])[: width // 2]
            after = dict(best)
        states = after
    found = [entry for entries in states.values() for entry in entries]
    found.sort(key=lambda entry: entry[0])
    return [(cost, _unlink(decisions)) for cost, decisions in found], complete


def _merge(left: list[Entry], right: list[Entry]) -> list[Entry]:
    return sorted(left + right, key=lambda entry: entry[0])[:KEPT]


def _unlink(decisions: Decisions) -> Reading:
    reading: Reading = {}
    while decisions is not None:
        decisions, name, kind = decisions
        reading[name] = kind
    return reading


def _sums_a_scalar(step: Operate, kinds: Sequence[Kind]) -> bool:
    """Whether what makes a number of a vector is given a number."""
    if tuple(kinds) != (k.SCALAR,):
        return False
    of_vector = step.rule((k.COLUMN,))
    return isinstance(of_vector, Rule) and of_vector.kind == k.SCALAR


Transition = tuple[tuple[Kind, ...], tuple[Kind, ...], Cost, tuple[str, Kind] | None]


def _next(
    step: Instruction,
    i: int,
    stack: tuple[Kind, ...],
    env: tuple[Kind, ...],
    fixed: Mapping[str, Kind],
    possible: Mapping[str, Sequence[Kind]],
    slots: Slots,
) -> list[Transition]:
    """The states one instruction leads to, with what each costs and decides."""
    if isinstance(step, Operate):
        kinds = stack[len(stack) - step.count :]
        verdict = step.rule(kinds)
        if not isinstance(verdict, Rule):
            return []
        cost = 0
        if step.bare_name in possible and kinds[-1] == k.SCALAR:
            if step.count == 1:
                cost = _SCALAR_TRANSPOSED
            elif k.order_of(kinds[0]):
                cost = _SCALAR_RIGHT_OF_VECTOR
        rest = stack[: len(stack) - step.count]
        broadcasts = verdict.broadcasts + _SUMMED_SCALAR * _sums_a_scalar(step, kinds)
        return [((*rest, verdict.kind), env, (broadcasts, cost), None)]
    if isinstance(step, Push):
        return [((*stack, k.NUMBER), env, (0, 0), None)]
    slot = slots.of[i]
    if isinstance(step, Store):
        kind = stack[-1]
        if slot >= 0 and i not in slots.closes:
            env = (*env[:slot], kind, *env[slot + 1 :])
        return [(stack[:-1], env, (0, 0), None)]
    assert isinstance(step, Load)
    if step.name in fixed:
        return [((*stack, fixed[step.name]), env, (0, 0), None)]
    if i in slots.opens:
        prices = departures(step.name)
        least = min(prices.get(kind, _TENSOR) for kind in possible[step.name])
        results: list[Transition] = []
        for kind in possible[step.name]:
            kept = env
            if i not in slots.closes:
                kept = (*env[:slot], kind, *env[slot + 1 :])
            cost = prices.get(kind, _TENSOR) - least
            results.append(((*stack, kind), kept, (0, cost), (step.name, kind)))
        return results
    kind = env[slot]
    if i in slots.closes:
        env = (*env[:slot], -1, *env[slot + 1 :])
    return [((*stack, kind), env, (0, 0), None)]

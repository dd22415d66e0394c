"""Sums in the order and with the brackets a person would choose."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

from pullback.notation import places
from pullback.notation.algebra import (
    Factors,
    elementwise,
    power,
    product,
    reciprocal,
    transpose,
)
from pullback.notation.orders import in_reading_order
from pullback.notation.tree import ONE, Formula, Kind, number


def add(terms: Iterable[Formula]) -> Formula:
    """A sum in reading order, like terms collected and common factors taken out.

    A number among terms with axes is added to every entry.
    """
    flat: list[Formula] = []
    for f in terms:
        inner = f.parts[0] if f.op == "transpose" and f.parts[0].op == "sum" else f
        if inner.op != "sum":
            flat.append(f)
        elif inner is f:
            flat.extend(f.parts)
        else:
            flat.extend(transpose(p) for p in inner.parts)
    flat = _collected(flat)
    opened = [g for f in flat for g in _multiplied_out(f)]
    if len(opened) > len(flat) and len(fewer := _collected(opened)) <= len(flat):
        flat = fewer  # 2 (1 − p) − p is 2 − 3 p
    if not flat:
        return number(0)
    if len(flat) == 1:
        return flat[0]
    factored = _common_number(flat) or _common_kron(flat) or _common_scalars(flat)
    if factored is not None:
        return factored
    flat = _joined(flat)
    for end in (-1, 0):
        flat = _common_ends(flat, end)
    if len(flat) == 1:
        return flat[0]
    kind: Kind = next((f.kind for f in flat if f.kind != "scalar"), "scalar")
    return elementwise(Formula("sum", in_reading_order(flat), kind))


def _collected(terms: Sequence[Formula]) -> list[Formula]:
    """Terms that differ in their numbers only as one."""
    collected: dict[Formula, Fraction] = {}
    for f in terms:
        value, rest = split_number(f)
        collected[rest] = collected.get(rest, Fraction(0)) + value
    return [product([number(c), f]) for f, c in collected.items() if c]


def _multiplied_out(f: Formula) -> list[Formula]:
    """The terms of a number times a sum."""
    value, rest = split_number(f)
    if rest.op != "sum" or value == 1:
        return [f]
    return [product([number(value), p]) for p in rest.parts]


def _joined(terms: Sequence[Formula]) -> list[Formula]:
    """[x; 0] + [0; y] as [x; y]."""
    result: list[Formula] = []
    for f in terms:
        own = _scaled_block(f)
        for k, other in enumerate(result if own else ()):
            before = _scaled_block(other)
            whole = before and own and places.together(before, own)
            if whole:
                result[k] = whole
                break
        else:
            result.append(f)
    return result


def _scaled_block(f: Formula) -> Formula | None:
    """Blocks with the scalars before them taken into each."""
    if f.op == "blocks":
        return f
    if f.op == "quotient":
        above = _scaled_block(f.parts[0])
        under = reciprocal(f.parts[1])
        return above and above.like([product([p, under]) for p in above.parts])
    if f.op == "product" and f.parts[-1].op == "blocks":
        *scalars, inner = f.parts
        if all(p.kind == "scalar" for p in scalars):
            return inner.like([product([*scalars, p]) for p in inner.parts])
    return None


def _is_selection(f: Formula) -> bool:
    return places.selected(f, 0) is not None or places.selected(f, 1) is not None


def split_number(f: Formula) -> tuple[Fraction, Formula]:
    """The number in front of a formula, and the rest."""
    taken = f
    value = Fraction(1)
    if f.op == "number":
        return f.data, ONE
    if f.op == "quotient":
        above, over = split_number(f.parts[0])
        below, under = split_number(f.parts[1])
        if above == below == 1:
            return value, f
        return above / below, (
            over if under == ONE else Formula("quotient", (over, under), over.kind)
        )
    if f.op == "product" and f.parts[0].op == "number":
        value = f.parts[0].data
        rest = f.parts[1:]
        taken = rest[0] if len(rest) == 1 else f.like(rest)
    return value, taken


def _common_number(terms: Sequence[Formula]) -> Formula | None:
    """2 a + 2 b as 2 (a + b)."""
    split = [split_number(f) for f in terms]
    values = {abs(value) for value, _ in split}
    if len(values) != 1 or values == {Fraction(1)} or any(f.op == "number" for f in terms):
        return None
    value = values.pop()
    rest = add([product([number(v / value), f]) for v, f in split])
    return product([number(value), rest])


def _common_scalars(terms: Sequence[Formula]) -> Formula | None:
    """s A/c − s B/c as s (A − B)/c."""
    if any(f.kind == "scalar" for f in terms):
        return None
    taken = []
    for f in terms:
        factors = Factors()
        factors.take(f)
        taken.append(factors)
    shared = {
        s: e for s, e in taken[0].scalars.items() if all(t.scalars.get(s) == e for t in taken)
    }
    if not shared:
        return None
    for t in taken:
        t.scalars = {s: e for s, e in t.scalars.items() if s not in shared}
    inner = [
        product([number(t.value), *(power(s, e) for s, e in t.scalars.items()), *t.chain])
        for t in taken
    ]
    return product([*(power(s, e) for s, e in shared.items()), add(inner)])


def _common_ends(terms: Sequence[Formula], end: int) -> list[Formula]:
    """A x + B x as (A + B) x for ``end`` −1, and A x + A y as A (x + y) for 0.

    Scalars in front of such terms must agree, numbers need not.
    """
    groups: dict[object, list[tuple[Formula, Factors]]] = {}
    for k, f in enumerate(terms):
        taken = Factors()
        taken.take(f)
        at_end = taken.chain[end] if len(taken.chain) > 1 else k
        if len(taken.chain) == 2 and _is_selection(taken.chain[1 + end]) and f.size < 5:
            at_end = k  # [0; x] − [x; 0] is as short as it gets
        shared = frozenset(taken.scalars.items()), at_end
        groups.setdefault(shared, []).append((f, taken))
    result = []
    for members in groups.values():
        if len(members) == 1:
            result.append(members[0][0])
            continue
        first = members[0][1]
        inner = []
        for _, taken in members:
            rest = taken.chain[:-1] if end else taken.chain[1:]
            inner.append(product([number(taken.value), *rest]))
        scalars = [power(s, e) for s, e in first.scalars.items()]
        parts = [add(inner), first.chain[-1]] if end else [first.chain[0], add(inner)]
        result.append(product([*scalars, *parts]))
    return result


def _common_kron(terms: Sequence[Formula]) -> Formula | None:
    """X ⊗ A + X ⊗ B as X ⊗ (A + B), and likewise from the right."""
    split = [split_number(f) for f in terms]
    if any(f.op != "kron" or len(f.parts) != 2 for _, f in split):
        return None
    for end in (0, 1):
        shared = split[0][1].parts[end]
        if all(f.parts[end] == shared for _, f in split):
            inner = add([product([number(v), f.parts[1 - end]]) for v, f in split])
            parts = [inner, shared] if end else [shared, inner]
            return split[0][1].like(parts)
    return None

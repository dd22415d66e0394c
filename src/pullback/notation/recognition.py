"""The user's names inside products that hold more than they stand for.

With c = uᵀ v/(‖u‖ ‖v‖) on a line, (uᵀ v) u/(‖u‖³ ‖v‖) is c u/‖u‖², and with r = √(‖x‖² + ε) a
division by (‖x‖² + ε)^(3/2) is one by r³. Simplification knows no names and multiplies products
out, so they are looked for in the formula.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

from pullback.notation import algebra, entrywise, sums
from pullback.notation.algebra import Factors
from pullback.notation.orders import in_reading_order
from pullback.notation.tree import Formula, number

Definition = tuple[Formula, Formula]  # a name, and the formula that it stands for
Exponents = Mapping[Formula, Fraction]

_OF_ENTRIES = ("hadamard", "division", "entrypower")
_PRODUCTS = ("product", "quotient", "power", "root")


def recognised(formula: Formula, definitions: Iterable[Definition]) -> Formula:
    """The formula with names put in where they shorten it, earlier definitions first."""
    known: list[Definition] = []
    for name, meaning in definitions:
        known.append((name, _with_names(meaning, known)))
    return _with_names(formula, known)


def _with_names(formula: Formula, known: Sequence[Definition]) -> Formula:
    if not known or not formula.parts:
        return formula
    parts = [_with_names(p, known) for p in formula.parts]
    if any(p is not old for p, old in zip(parts, formula.parts, strict=True)):
        formula = _rebuilt(formula, parts)
    for name, meaning in reversed(known):
        found = None
        if formula.op in _OF_ENTRIES and meaning.op in _OF_ENTRIES:
            found = _of_entries(formula, name, meaning)
        elif formula.op in _PRODUCTS:
            found = _of_product(formula, name, meaning)
        if found is not None and found.size <= formula.size:
            formula = found
    terms = _multiplied_out(formula) if formula.op in _PRODUCTS[:2] else []
    if terms:
        found = sums.add([_with_names(term, known) for term in terms])
        return found if found.size < formula.size else formula
    return formula


def _multiplied_out(formula: Formula) -> list[Formula]:
    """(a − b)/s as the terms a/s and −b/s, for a name may stand for what is in one of them."""
    taken = Factors()
    taken.take(formula)
    if len(taken.chain) != 1 or taken.chain[0].op != "sum" or not taken.scalars:
        return []
    return [_product(taken.value, taken.scalars, [p]) for p in taken.chain[0].parts]


def _rebuilt(f: Formula, parts: Sequence[Formula]) -> Formula:
    if f.op == "product":
        return algebra.product(parts)
    if f.op == "quotient":
        return algebra.product([parts[0], algebra.reciprocal(parts[1])])
    if f.op == "transpose":
        return algebra.transpose(parts[0])
    if f.op in _OF_ENTRIES:
        return _entrywise_product(_entries(f.like(parts)))
    if f.op in ("power", "root") and len(parts) == 1:
        return algebra.power(parts[0], f.data or Fraction(1, 2))
    return f.like(in_reading_order(parts) if f.op == "sum" else parts)


def _times(one: Exponents, other: Exponents) -> int:
    """How often the second product is in the first; negative for its reciprocal."""
    ratios = [one.get(base, Fraction(0)) / exponent for base, exponent in other.items()]
    if not ratios or min(ratios) * max(ratios) <= 0:
        return 0
    return int(min(ratios, key=lambda r: r * r))


def _less(one: Exponents, other: Exponents, times: int) -> dict[Formula, Fraction]:
    return {base: e - times * other.get(base, Fraction(0)) for base, e in one.items()}


def _of_entries(formula: Formula, name: Formula, meaning: Formula) -> Formula | None:
    """As for scalars, for products entry by entry: 1 ⊘ z^⊙2 is d^⊙2 for d = 1 ⊘ z."""
    exponents, its = _entries(formula), _entries(meaning)
    times = _times(exponents, its)
    if not times:
        return None
    left = {**_less(exponents, its, times), name: Fraction(times)}
    return _entrywise_product(left)


def _entrywise_product(exponents: Exponents) -> Formula:
    return entrywise.hadamard(
        [entrywise.entry_power(base, e) for base, e in exponents.items() if e]
    )


def _entries(f: Formula) -> dict[Formula, Fraction]:
    """The bases of an elementwise product with their exponents."""
    if f.op == "division":
        below = {base: -e for base, e in _entries(f.parts[1]).items()}
        return {**(_entries(f.parts[0]) if f.parts[0].op != "number" else {}), **below}
    if f.op == "hadamard":
        return {base: e for p in f.parts for base, e in _entries(p).items()}
    if f.op == "entrypower" and len(f.parts) == 1:
        return {f.parts[0]: f.data}
    return {f: Fraction(1)}


def _of_product(formula: Formula, name: Formula, meaning: Formula) -> Formula | None:
    whole, its = Factors(), Factors()
    whole.take(formula)
    its.take(meaning)
    scalars, chain, value = whole.scalars, whole.chain, whole.value
    if not its.chain:
        times = _times(scalars, its.scalars)
        if not times or not its.value:
            return None
        scalars = _less(scalars, its.scalars, times)
        scalars[name] = scalars.get(name, Fraction(0)) + times
        return _product(value / its.value**times, scalars, chain)
    if len(its.chain) != 1 or not its.scalars:
        return None
    return _of_vectors(whole, name, its)


def _of_vectors(whole: Factors, name: Formula, its: Factors) -> Formula | None:
    """h = v/s in the place of v, or of vᵀ x in a scalar, as often as there is an s for it."""
    scalars, value = whole.scalars, whole.value
    readings = dict(_readings(its.chain[0], name))

    def put(chain: Sequence[Formula]) -> list[Formula]:
        nonlocal scalars, value
        new = list(chain)
        for k, f in enumerate(chain):
            if f in readings and _times(scalars, its.scalars) > 0:
                scalars = _less(scalars, its.scalars, 1)
                value /= its.value
                new[k] = readings[f]
        return new

    chain = put(whole.chain)
    for f in [f for f, e in scalars.items() if f.op == "product" and e == 1]:
        dot = algebra.product(put(f.parts))
        scalars = {**scalars, f: Fraction(0)}
        scalars[dot] = scalars.get(dot, Fraction(0)) + 1
    return _product(value, scalars, chain)


def _readings(old: Formula, new: Formula) -> list[tuple[Formula, Formula]]:
    """A vector, its transpose and their negatives."""
    negative = algebra.negate(old), algebra.negate(new)
    pairs = [(old, new), negative] if old.op == "sum" else [(old, new)]
    return pairs + [(algebra.transpose(a), algebra.transpose(b)) for a, b in pairs]


def _product(value: Fraction, scalars: Exponents, chain: Sequence[Formula]) -> Formula:
    return algebra.product(
        [number(value), *(algebra.power(s, e) for s, e in scalars.items() if e), *chain]
    )

"""Constructors of formulas that act entry by entry: products, quotients, powers, functions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

from pullback.notation.algebra import elementwise, power, product, reciprocal
from pullback.notation.names import Name
from pullback.notation.tree import ONE, Formula, Kind


def hadamard(factors: Iterable[Formula]) -> Formula:
    """The elementwise product of formulas of one shape; scalars are taken to the front."""
    scalars: list[Formula] = []
    above: dict[Formula, Fraction] = {}
    below: dict[Formula, Fraction] = {}
    kind: Kind = "scalar"
    pending = list(reversed(list(factors)))
    while pending:
        f = pending.pop()
        if f.kind != "scalar":
            kind = f.kind
        if f.kind == "scalar":
            scalars.append(f)
        elif f.op == "quotient":
            pending.append(f.parts[0])
            scalars.append(reciprocal(f.parts[1]))
        elif f.op == "product" and f.parts[0].kind == "scalar":
            scalars.extend(p for p in f.parts if p.kind == "scalar")
            pending.append(product([p for p in f.parts if p.kind != "scalar"]))
        elif f.op == "hadamard":
            pending.extend(reversed(f.parts))
        elif f.op == "division":
            pending.append(f.parts[0])
            _count(below, f.parts[1])
        elif f.op != "ones":
            _count(above, f)
        else:
            spare = f
    parts = [entry_power(base, e) for base, e in above.items()]
    under = [entry_power(base, e) for base, e in below.items()]
    if not parts and not under:
        return product([*scalars, spare])
    core = elementwise(Formula("hadamard", parts, kind)) if len(parts) > 1 else (parts or [ONE])[0]
    if under:
        bottom = under[0] if len(under) == 1 else elementwise(Formula("hadamard", under, kind))
        core = elementwise(Formula("division", (core, bottom), kind))
    return product([*scalars, core])


def _count(into: dict[Formula, Fraction], f: Formula) -> None:
    base, exponent = f, Fraction(1)
    if f.op == "entrypower" and isinstance(f.data, Fraction):
        base, exponent = f.parts[0], f.data
    into[base] = into.get(base, Fraction(0)) + exponent


def entry_power(base: Formula, exponent: Fraction | Formula) -> Formula:
    """A power entry by entry; a negative one is a division."""
    if base.kind == "scalar":
        return power(base, exponent)
    if isinstance(exponent, Formula):
        return elementwise(Formula("entrypower", (base, exponent), base.kind))
    exponent = Fraction(exponent)
    if exponent == 1:
        return base
    if exponent < 0:
        return elementwise(Formula("division", (ONE, entry_power(base, -exponent)), base.kind))
    return elementwise(Formula("entrypower", (base,), base.kind, exponent))


def function(
    name: Name, arguments: Sequence[Formula], kind: Kind, by_rows: bool = False
) -> Formula:
    """A named function of its arguments; ``by_rows`` when it maps each row of a matrix."""
    return elementwise(Formula("function", arguments, kind, (name, by_rows)))

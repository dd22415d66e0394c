"""Constructors of formulas that act entry by entry: products, quotients, powers, functions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

from pullback.notation import places
from pullback.notation.algebra import elementwise, power, product, reciprocal, transpose
from pullback.notation.names import Name
from pullback.notation.norms import is_absolute
from pullback.notation.orders import in_reading_order
from pullback.notation.tree import ONE, Formula, Kind


def hadamard(factors: Iterable[Formula]) -> Formula:
    """The elementwise product of formulas of one shape; scalars are taken to the front."""
    factors = list(factors)
    masked = _masked(factors)
    if masked is not None:
        return masked
    scalars: list[Formula] = []
    above: dict[Formula, Fraction] = {}
    below: dict[Formula, Fraction] = {}
    kind: Kind = "scalar"
    pending = list(reversed(factors))
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
        elif f.op == "transpose" and f.parts[0].op == "division":
            top, bottom = map(transpose, f.parts[0].parts)
            pending.append(top)
            _count(below, bottom)
        elif f.op != "ones":
            _count(above, f)
        else:
            spare = f
    lone = len(above) + len(below) == 1 and not below
    parts = [entry_power(base if lone else bare(base), e) for base, e in above.items()]
    under = [entry_power(bare(base), e) for base, e in below.items()]
    if not parts and not under:
        return product([*scalars, spare])
    core = elementwise(Formula("hadamard", parts, kind)) if len(parts) > 1 else (parts or [ONE])[0]
    if under:
        bottom = under[0] if len(under) == 1 else elementwise(Formula("hadamard", under, kind))
        core = elementwise(Formula("division", (core, bottom), kind))
    return product([*scalars, core])


def _masked(factors: Sequence[Formula]) -> Formula | None:
    """A product in which a block among zeros, a unit vector or a triangle leaves only some entries."""
    for k, f in enumerate(factors):
        rest = [*factors[:k], *factors[k + 1 :]]
        if not any(g.kind != "scalar" for g in rest):
            continue
        if f.op in ("tril", "triu"):
            inner = [g for g in f.parts if not _all_ones(g)]
            return masked_by(f, hadamard([*inner, *rest]))
        if places.selected(f, 1) is not None and f.kind == "column":
            return product([transpose(f), hadamard(rest), f])
        if places.selected(f, 0) is not None and f.kind == "row":
            return product([hadamard(rest), transpose(f), f])
        if places.is_block(f):
            chain = places.apart(f)
            at = chain.index(f.parts[0])
            front, back = chain[:at], chain[at + 1 :]
            seen = product([*map(transpose, front), hadamard(rest), *map(transpose, back)])
            return product([*front, hadamard([f.parts[0], seen]), *back])
    return None


def masked_by(mask: Formula, f: Formula) -> Formula:
    """``tril`` or ``triu`` of a formula, numbers and scalars in front."""
    if f.op == "product":
        scalars = [p for p in f.parts if p.kind == "scalar"]
        inner = product([p for p in f.parts if p.kind != "scalar"])
        return product([*scalars, places.triangle(mask.op, inner, mask.data)])
    return places.triangle(mask.op, f, mask.data)


def is_mask(f: Formula) -> bool:
    """Whether it is a triangle of ones."""
    return f.op in ("tril", "triu") and _all_ones(f.parts[0])


def _all_ones(f: Formula) -> bool:
    return f.op == "product" and all(p.op == "ones" or transpose(p).op == "ones" for p in f.parts)


def _count(into: dict[Formula, Fraction], f: Formula) -> None:
    base, exponent = f, Fraction(1)
    if f.op == "entrypower" and isinstance(f.data, Fraction):
        base, exponent = f.parts[0], f.data
    into[base] = into.get(base, Fraction(0)) + exponent


def entry_power(base: Formula, exponent: Fraction | Formula) -> Formula:
    """A power entry by entry; a negative one is a division."""
    if base.kind == "scalar":
        if isinstance(exponent, Formula) and exponent.kind != "scalar":
            return elementwise(Formula("entrypower", (base, exponent), exponent.kind))
        return power(base, exponent)
    if isinstance(exponent, Formula):
        return elementwise(Formula("entrypower", (base, exponent), base.kind))
    exponent = Fraction(exponent)
    if exponent == 1:
        return base
    if exponent < 0:
        return elementwise(Formula("division", (ONE, entry_power(base, -exponent)), base.kind))
    return elementwise(Formula("entrypower", (base,), base.kind, exponent))


def absolute_power(factors: Sequence[Formula]) -> Formula | None:
    """x ⊙ x ⊙ |x| as |x|^⊙3, for the sum of which a norm has a name."""
    absolute = next((f for f in factors if is_absolute(f)), None)
    if absolute is None:
        return None
    exponent = Fraction(0)
    for f in factors:
        raised = f.op == "entrypower" and len(f.parts) == 1
        base, power_of_it = (f.parts[0], f.data) if raised else (f, Fraction(1))
        if base not in (absolute, absolute.parts[0]):
            return None
        exponent += power_of_it
    return entry_power(absolute, exponent) if exponent > 2 else None


def function(
    name: Name,
    arguments: Sequence[Formula],
    kind: Kind,
    along: int = 0,
    turns: bool = True,
) -> Formula:
    """A named function of its arguments.

    ``along``: 1 when it maps each column of a matrix, 2 when it maps each row, 0 when neither.
    ``turns``: of transposed arguments it is the transpose, but for the axis it runs along.
    """
    return elementwise(Formula("function", arguments, kind, (name, along, turns)))


def is_entrywise(f: Formula) -> bool:
    """Whether a matrix is plainly meant entry by entry, so that a number may be added to it."""
    while f.op in ("product", "quotient", "transpose"):
        f = f.parts[-1] if f.op == "product" else f.parts[0]
    return f.op in ("hadamard", "division", "entrypower", "function")


def spread(f: Formula) -> Formula | None:
    """The scalar that stands in every entry of a vector or matrix, if that is all it is."""
    if f.op == "quotient":
        above = spread(f.parts[0])
        return None if above is None else product([above, reciprocal(f.parts[1])])
    if f.op == "sum" and f.kind != "scalar":
        parts = [p if p.kind == "scalar" else spread(p) for p in f.parts]
        known = [p for p in parts if p is not None]
        return Formula("sum", in_reading_order(known)) if len(known) == len(parts) else None
    parts_of = f.parts if f.op == "product" else (f,)
    chain = [p for p in parts_of if p.kind != "scalar"]
    if not chain or any(transpose(p).op != "ones" and p.op != "ones" for p in chain):
        return None
    return product([p for p in parts_of if p.kind == "scalar"])


def bare(f: Formula) -> Formula:
    """A sum in which s 𝟏 is written as s, for where all is entry by entry: √(x^⊙2 + ε)."""
    if f.op == "transpose":
        inner = bare(f.parts[0])
        return f if inner is f.parts[0] else transpose(inner)
    if f.op != "sum" or f.kind == "scalar" or spread(f) is not None:
        return f
    parts = [spread(p) if p.kind != "scalar" else p for p in f.parts]
    if not any(parts):
        return f
    return f.like(in_reading_order([p or whole for p, whole in zip(parts, f.parts, strict=True)]))


def side_by_side(arguments: Sequence[Formula]) -> list[Formula]:
    """Arguments that meet entry by entry: one that is the same in every entry is a scalar."""
    scalars = [spread(a) if a.kind != "scalar" else a for a in arguments]
    if all(scalars):
        return list(arguments)
    return [s or bare(a) for s, a in zip(scalars, arguments, strict=True)]

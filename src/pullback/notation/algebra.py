"""Constructors of formulas that keep them in the shortest form a reader expects.

Numbers and scalars come in front, scalar reciprocals go under a fraction bar, transposes are
pulled to where fewest show, equal factors become powers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from pullback.expressions.normal import number_power
from pullback.expressions.sizes import Size
from pullback.notation import places
from pullback.notation.diagonals import onto_diagonals
from pullback.notation.names import Name
from pullback.notation.norms import degree_of, p_norm
from pullback.notation.orders import in_reading_order
from pullback.notation.tree import FLIPPED, ONE, Formula, Kind, is_negative, number

MEAN = Name("mean", r"\operatorname{mean}", "mean")
ELEMENTWISE = {"sum", "hadamard", "division", "entrypower", "function"}


def transpose(formula: Formula) -> Formula:
    """The transpose, pushed inwards where that shows fewer transposes.

    Each formula remembers its transpose, so that pushing stays linear in the formula.
    """
    if formula.flip is None:
        flip = _transposed(formula)
        formula.flip = flip
        if flip.flip is None:
            flip.flip = formula
    return formula.flip


def _transposed(f: Formula) -> Formula:
    if f.kind == "scalar" or (f.op in ("identity", "diag") and f.kind == "matrix"):
        return f
    if f.op == "transpose":
        return f.parts[0]
    if f.op == "atom" and f.data.symmetric:
        return f
    if f.op == "product":
        fixed = [p for p in f.parts if p.kind == "scalar"]
        chain = [transpose(p) for p in reversed(f.parts) if p.kind != "scalar"]
        return product([*fixed, *chain])
    if f.op == "quotient":
        return product([transpose(f.parts[0]), reciprocal(f.parts[1])])
    if f.op == "power" and transpose(f.parts[0]) == f.parts[0]:
        return f
    if f.op == "kron":
        return f.like([transpose(p) for p in f.parts], FLIPPED[f.kind])
    if f.op == "slice" and f.parts[0].op == "identity":
        return places.turned(f)
    if f.op in ("blocks", "tril", "triu"):
        flipped = places.flipped(f, [transpose(p) for p in f.parts])
        if flipped.transposes < f.transposes + 1:
            return flipped
    if _turns(f):
        flipped = _flipped(f)
        if flipped.transposes < f.transposes + 1:
            return flipped
    return Formula("transpose", (f,), FLIPPED[f.kind])


def _turns(f: Formula) -> bool:
    """Whether the operation commutes with transposition."""
    fixed = f.op == "function" and not f.data[2]
    return f.op in ELEMENTWISE and not fixed


def _flipped(f: Formula) -> Formula:
    """An elementwise operation on the transposes of its parts."""
    parts = [transpose(p) for p in f.parts]
    if f.op == "function" and f.data[1]:
        name, along, turns = f.data
        return Formula("function", parts, FLIPPED[f.kind], (name, 3 - along, turns))
    return f.like(in_reading_order(parts) if f.op == "sum" else parts, FLIPPED[f.kind])


def elementwise(f: Formula) -> Formula:
    """An elementwise operation with the transposes of its parts pulled out where that is shorter."""
    if f.kind == "scalar" or not f.transposes or not _turns(f):
        return f
    flipped = _flipped(f)
    if flipped.transposes and flipped.transposes + 1 >= f.transposes:
        return f
    wrapped = Formula("transpose", (flipped,), f.kind)
    flipped.flip, wrapped.flip = wrapped, flipped
    return wrapped


@dataclass
class Factors:
    """A product taken apart: a number, scalars with exponents, a chain of matrices."""

    value: Fraction = Fraction(1)
    scalars: dict[Formula, Fraction] = field(default_factory=dict)
    chain: list[Formula] = field(default_factory=list)

    def scalar(self, f: Formula, sign: int) -> None:
        base, exponent = f, Fraction(sign)
        if f.op == "power" and isinstance(f.data, Fraction):
            base, exponent = f.parts[0], f.data * sign
        elif f.op == "root":
            base, exponent = f.parts[0], Fraction(sign, 2)
        self.scalars[base] = self.scalars.get(base, Fraction(0)) + exponent

    def take(self, f: Formula, sign: int = 1) -> None:
        if f.op == "number" and (f.data or sign > 0):
            self.value *= f.data**sign
        elif f.op == "quotient":
            self.take(f.parts[0], sign)
            self.take(f.parts[1], -sign)
        elif f.op == "product":
            chain = [p for p in f.parts if p.kind != "scalar"]
            for p in f.parts:
                if p.kind == "scalar":
                    self.take(p, sign)
            if f.kind == "scalar" and chain:
                self.scalar(Formula("product", chain), sign)
            else:
                self.chain.extend(chain)
        elif f.kind == "scalar":
            self.scalar(f, sign)
        elif places.is_block(f):
            for p in places.apart(f):
                self.take(p)
        elif f.op == "transpose" and places.is_block(f.parts[0]):
            for p in reversed(places.apart(f.parts[0])):
                self.take(transpose(p))
        else:
            self.chain.append(f)


def product(factors: Iterable[Formula]) -> Formula:
    """The product of scalars and of a chain of matrices, in the order given."""
    taken = Factors()
    for f in factors:
        taken.take(f)
    if not taken.value:
        return number(0)
    chain = taken.chain
    if any(f.op == "slice" for f in chain):
        for f in (chain := places.with_slices(chain)):
            if f.kind == "scalar":
                taken.take(f)
        chain = [f for f in chain if f.kind != "scalar"]
    chain = _in_blocks(onto_diagonals(_shorter_chain(chain), product, transpose))
    if chain and chain[0].kind == "row" and chain[-1].kind == "column":
        taken.take(_scalar_chain(chain))
        chain = []
    _means(taken.scalars)
    if any(map(_is_negative_sum, taken.scalars)):
        taken = _without_minus(taken)
    value, chain = _signed(taken.value, chain, alone=not taken.scalars and len(chain) == 1)
    above = [power(s, e) for s, e in taken.scalars.items() if e > 0]
    below = [power(s, -e) for s, e in taken.scalars.items() if e < 0]
    if value == -1 and not below and len(above) + len(chain) == 1:
        only = (above + chain)[0]
        if only.op == "sum":
            return negated_sum(only)
    numerator, denominator = _split(value)
    lone = len(chain) == 1 and chain[0].op == "division" and chain[0].parts[0].kind == "scalar"
    if lone:  # c times 1 ⊘ x is c ⊘ x
        over, under = chain[0].parts
        above, below = [number(numerator), *above, over], [number(denominator), *below, under]
        return chain[0].like([product(above), product(below)])
    top = _plain_product(numerator, above, chain)
    if denominator == 1 and not below:
        return top
    bottom = _plain_product(Fraction(denominator), below, [])
    return Formula("quotient", (top, bottom), top.kind)


def _plain_product(
    value: Fraction, scalars: Sequence[Formula], chain: Sequence[Formula]
) -> Formula:
    dots = [s for s in scalars if s.op == "product"]
    if len(dots) == 1 and not chain:  # scalars times one xᵀ y need no parentheses
        chain, scalars = dots[0].parts, [s for s in scalars if s.op != "product"]
    parts = [*([number(value)] if value != 1 else []), *scalars, *chain]
    if not parts:
        return ONE
    return parts[0] if len(parts) == 1 else Formula("product", parts, _chain_kind(chain))


def _chain_kind(chain: Sequence[Formula]) -> Kind:
    if not chain:
        return "scalar"
    one_row, one_column = chain[0].kind == "row", chain[-1].kind == "column"
    if one_row:
        return "scalar" if one_column else "row"
    return "column" if one_column else "matrix"


def _split(value: Fraction) -> tuple[Fraction, int]:
    """What of a number stands above the fraction bar and what below: 1/3 below, 0.01 above."""
    if value.denominator > 9:
        rest = value.denominator
        for prime in (2, 5):
            while rest % prime == 0:
                rest //= prime
        if rest == 1:
            return value, 1
    return Fraction(value.numerator), value.denominator


def _shorter_chain(chain: Sequence[Formula]) -> list[Formula]:
    """Identities dropped, equal square neighbours as powers."""
    kept = [f for f in chain if f.op != "identity"] or list(chain[:1])
    result: list[Formula] = []
    for f in kept:
        base, exponent, turned = _matrix_power(f)
        if result and f.kind == "matrix":
            last, count, also = _matrix_power(result[-1])
            if last == base and turned is also and (count > 0) == (exponent > 0):
                joined = power(last, count + exponent)
                result[-1] = transpose(joined) if turned else joined
                continue
        result.append(f)
    return result


def _matrix_power(f: Formula) -> tuple[Formula, Fraction, bool]:
    """A matrix as a power of another, and whether it is transposed."""
    inner = f.parts[0] if f.op == "transpose" else f
    if inner.op == "power" and inner.kind == "matrix" and isinstance(inner.data, Fraction):
        return inner.parts[0], inner.data, inner is not f
    return inner, Fraction(1), inner is not f


def _in_blocks(chain: list[Formula]) -> list[Formula]:
    """A chain with selections at its ends as one block among zeros."""
    front, inner, back = places.placed(chain)
    if front is None and back is None:
        return chain
    made = places.block(front, product(inner), back)
    return chain if made is None else [made]


def _scalar_chain(chain: list[Formula]) -> Formula:
    """A row times … times a column: a square of a norm, a sum of entries, or as it is."""
    chain = _halved(chain)
    half = len(chain) // 2
    if len(chain) % 2 == 0 and all(
        transpose(a) == b for a, b in zip(chain[:half], reversed(chain[half:]), strict=True)
    ):
        if chain[-1].op == "ones" and half == 1:
            return Formula("product", chain)
        return power(norm(product(chain[half:])), Fraction(2))
    left = transpose(chain[0]).op == "ones"
    right = chain[-1].op == "ones"
    inner = chain[left : len(chain) - right]
    if not (left or right) or not inner:
        return Formula("product", chain)
    sizes = [f.data for f in (transpose(chain[0]), chain[-1]) if f.op == "ones"]
    return total(product(inner), sizes)


def _halved(chain: list[Formula]) -> list[Formula]:
    """A symmetric matrix to an even power in the middle as two factors: yᵀ S⁻² y is ‖S⁻¹ y‖²."""
    middle = chain[len(chain) // 2]
    base, exponent, _ = _matrix_power(middle)
    if len(chain) % 2 == 0 or exponent % 2 or transpose(base) != base:
        return chain
    root = power(base, exponent / 2)
    return [*chain[: len(chain) // 2], root, root, *chain[len(chain) // 2 + 1 :]]


def _means(scalars: dict[Formula, Fraction]) -> None:
    """The sum of all entries over their number is their mean."""
    for base in [f for f in scalars if f.op == "total" and scalars[f] > 0]:
        sizes = [
            next((f for f in scalars if _is_size(f, size) and scalars[f] < 0), None)
            for size in base.data
        ]
        counts = [f for f in sizes if f is not None]
        if counts and len(counts) == len({*sizes}):
            for f in (base, *counts):
                scalars[f] += -1 if f is base else 1
            mean = Formula("function", base.parts, "scalar", (MEAN, False, False))
            scalars[mean] = scalars.get(mean, Fraction(0)) + 1


def _is_size(f: Formula, size: Size) -> bool:
    return f.op == "atom" and f.data.counts and f.data.text == str(size)


def _signed(
    value: Fraction, chain: list[Formula], *, alone: bool
) -> tuple[Fraction, list[Formula]]:
    """A minus sign taken into a difference in the chain: −Aᵀ(b − A x) is Aᵀ(A x − b).

    Out of a sum of negative terms it is taken, unless that stands ``alone``.
    """
    for k, f in enumerate(chain):
        inner = f.parts[0] if f.op == "transpose" else f
        if value < 0 and inner.op == "sum" and transpose(f) in [*chain[:k], *chain[k + 1 :]]:
            continue  # r rᵀ
        if inner.op != "sum" or any(p.op == "number" for p in inner.parts):
            continue
        minus = [is_negative(p) for p in inner.parts]
        if (all(minus) and not alone) or (value < 0 and any(minus) and not all(minus)):
            turned = negated_sum(inner)
            turned = transpose(turned) if f.op == "transpose" else turned
            rest = [*chain[:k], turned, *chain[k + 1 :]]
            return _signed(-value, rest, alone=alone) if all(minus) else (-value, rest)
    return value, chain


def _is_negative_sum(f: Formula) -> bool:
    return f.op == "sum" and all(map(is_negative, f.parts))


def _without_minus(taken: Factors) -> Factors:
    """The minus signs of scalars such as −a − b in front of all."""
    plain = Factors(taken.value, {}, taken.chain)
    for base, exponent in taken.scalars.items():
        turns = _is_negative_sum(base) and exponent % 2 == 1
        plain.scalars[negated_sum(base) if turns else base] = exponent
        plain.value *= -1 if turns else 1
    return plain


def negate(f: Formula) -> Formula:
    return product([number(-1), f])


def reciprocal(f: Formula) -> Formula:
    return Formula("quotient", (ONE, f))


def power(base: Formula, exponent: Fraction | Formula) -> Formula:
    """A power of a scalar, or of a square matrix with an exponent that is whole or half of that."""
    if isinstance(exponent, Formula):
        return Formula("power", (base, exponent), base.kind)
    exponent = Fraction(exponent)
    if exponent == 1:
        return base
    if base.op == "number" and exponent.denominator == 1:
        value = number_power(base.data, int(exponent))
        if value is not None:
            return number(value)
    if base.kind == "scalar":
        if exponent < 0:
            return product([reciprocal(power(base, -exponent))])
        if base.op == "power" and isinstance(base.data, Fraction):
            inner = base.parts[0]
            if exponent.denominator == 1 or inner.op == "norm":  # a norm is never negative
                return power(inner, base.data * exponent)
        degree = degree_of(base)
        if degree is not None and exponent.denominator == degree:
            return power(p_norm(base, degree), exponent * degree)
        if exponent == Fraction(1, 2):
            return Formula("root", (base,))
    if base.op == "transpose":
        return transpose(power(base.parts[0], exponent))
    root = base.op == "power" and isinstance(base.data, Fraction) and base.data.denominator == 2
    if root and exponent.denominator == 1:
        return power(base.parts[0], base.data * exponent)
    return Formula("power", (base,), base.kind, exponent)


def norm(f: Formula) -> Formula:
    """The Euclidean norm of a vector, the Frobenius norm of a matrix."""
    best = min(f, transpose(f), key=lambda g: (g.transposes, g.kind == "row", g.reading))
    return Formula("norm", (best,))


def total(f: Formula, sizes: Sequence[Size]) -> Formula:
    """The sum of all entries, of which there are as many as the product of the sizes."""
    best = min(f, transpose(f), key=lambda g: (g.transposes, g.reading))
    return Formula("total", (best,), data=tuple(sizes))


def negated_sum(f: Formula) -> Formula:
    """−(a − b) as b − a."""
    return elementwise(f.like(in_reading_order([negate(p) for p in f.parts])))

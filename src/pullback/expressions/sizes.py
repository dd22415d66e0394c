"""Sizes of axes: integer polynomials in named sizes, kept in normal form."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations

from pullback.errors import PullbackError

Monomial = tuple[str, ...]
MOST_TERMS, DEGREE = 1000, 100  # of a product of two sizes
MOST_PARTS = 2**16  # of a product written out; for more it is not tried what a size is at least


class Size:
    """The length of an axis, such as ``3``, ``n`` or ``m*n + 1``.

    Two sizes are equal exactly when their normal forms are.

    >>> Size.of("n") + Size.of("n") == 2 * Size.of("n")
    True
    >>> str(Size.of("m") * Size.of("n") + 1)
    'm*n + 1'
    """

    __slots__ = ("_hash", "_text", "terms")

    def __init__(self, terms: Iterable[tuple[Monomial, int]]) -> None:
        self.terms = tuple(sorted((m, c) for m, c in terms if c))
        self._hash = hash(self.terms)
        self._text = ""  # written on first use

    @classmethod
    def of(cls, value: SizeLike) -> Size:
        if isinstance(value, Size):
            return value
        if isinstance(value, str):
            return cls([((value,), 1)])
        return cls([((), int(value))])

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Size) and self.terms == other.terms)

    def __hash__(self) -> int:
        return self._hash

    def __add__(self, other: SizeLike) -> Size:
        total = dict(self.terms)
        for monomial, c in Size.of(other).terms:
            total[monomial] = total.get(monomial, 0) + c
        return Size(total.items())

    def __mul__(self, other: SizeLike) -> Size:
        total: dict[Monomial, int] = {}
        factor = Size.of(other)
        if len(self.terms) * len(factor.terms) > MOST_TERMS or self.degree + factor.degree > DEGREE:
            raise PullbackError("a size is too long a formula", hint="give it a name of its own")
        for m1, c1 in self.terms:
            for m2, c2 in factor.terms:
                monomial = tuple(sorted(m1 + m2))
                total[monomial] = total.get(monomial, 0) + c1 * c2
        return Size(total.items())

    @property
    def degree(self) -> int:
        """The number of names in its longest product."""
        return max((len(monomial) for monomial, _ in self.terms), default=0)

    def __neg__(self) -> Size:
        return -1 * self

    def __sub__(self, other: SizeLike) -> Size:
        return self + -Size.of(other)

    def __rsub__(self, other: SizeLike) -> Size:
        return Size.of(other) - self

    __radd__ = __add__
    __rmul__ = __mul__

    def put(self, values: Mapping[str, SizeLike]) -> Size:
        """This polynomial with sizes in place of some of its names.

        >>> str((2 * Size.of("m")).put({"m": Size.of("k") + 1}))
        '2*k + 2'
        """
        total = Size.of(0)
        for monomial, c in self.terms:
            term = Size.of(c)
            for name in monomial:
                term = term * values.get(name, name)
            total = total + term
        return total

    def divided(self, by: SizeLike) -> Size | None:
        """The polynomial that times ``by`` gives this one, or None if there is none.

        >>> n = Size.of("n")
        >>> str((n * n - 1).divided(n + 1)), (n * n).divided(n + 1)
        ('n - 1', None)
        """
        divisor = Size.of(by)
        if not divisor.terms:
            return None
        (first, c), rest, quotient = _leading(divisor), self, Size.of(0)
        while rest.terms:
            monomial, d = _leading(rest)
            left = _without(monomial, first)
            if left is None or d % c:
                return None
            part = Size([(left, d // c)])
            quotient, rest = quotient + part, rest - part * divisor
        return quotient

    def floor(self, by: int) -> Size | None:
        """The largest whole number not above this size over a number, if it is one polynomial.

        >>> str((2 * Size.of("n") - 1).floor(2)), Size.of("n").floor(2)
        ('n - 1', None)
        """
        if any(c % by for monomial, c in self.terms if monomial):
            return None
        return Size([(monomial, c // by) for monomial, c in self.terms])

    def at_least(self, bound: SizeLike) -> bool:
        """Whether this size is never below ``bound``, whatever its names stand for (1 or more).

        What this cannot prove it denies.

        >>> Size.of("n").at_least(1), (2 * Size.of("n")).at_least("n"), Size.of("n").at_least(2)
        (True, True, False)
        """
        # with every name n written as 1 + n′, n′ ≥ 0, no term may be negative
        terms = (self - bound).terms
        if all(c >= 0 for _, c in terms):
            return True
        if sum(2 ** min(len(monomial), 20) for monomial, _ in terms) > MOST_PARTS:
            return False
        shifted: dict[Monomial, int] = {}
        for monomial, c in terms:
            for part in _parts(monomial):
                shifted[part] = shifted.get(part, 0) + c
        return all(c >= 0 for c in shifted.values())

    @property
    def constant(self) -> int | None:
        """The size as an int, or None while it holds a name."""
        if not self.terms:
            return 0
        if len(self.terms) == 1 and self.terms[0][0] == ():
            return self.terms[0][1]
        return None

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(sorted({name for monomial, _ in self.terms for name in monomial}))

    def evaluate(self, sizes: Mapping[str, int]) -> int:
        """The number this size is; KeyError names a size that is not given."""
        return sum(c * math.prod(sizes[name] for name in monomial) for monomial, c in self.terms)

    def __str__(self) -> str:
        if not self._text:
            self._text = self._write()
        return self._text

    def _write(self) -> str:
        if not self.terms:
            return "0"
        written = []
        for monomial, c in sorted(self.terms, key=lambda t: (-len(t[0]), t[0])):
            factors = ([] if abs(c) == 1 and monomial else [str(abs(c))]) + list(monomial)
            written.append(("- " if c < 0 else "+ ") + "*".join(factors))
        text = " ".join(written)
        return text[2:] if text.startswith("+ ") else "-" + text[2:]

    def __repr__(self) -> str:
        return f"Size({self})"

    def __reduce__(self) -> tuple[type[Size], tuple[tuple[tuple[Monomial, int], ...]]]:
        return (Size, (self.terms,))


def _leading(size: Size) -> tuple[Monomial, int]:
    """The term that comes first in an order of monomials that products keep."""
    names = size.names
    return max(size.terms, key=lambda term: (len(term[0]), [term[0].count(x) for x in names]))


def _without(monomial: Monomial, factor: Monomial) -> Monomial | None:
    left = list(monomial)
    for name in factor:
        if name not in left:
            return None
        left.remove(name)
    return tuple(left)


def _parts(monomial: Monomial) -> Iterator[Monomial]:
    """The monomials of (1 + a)(1 + b)…, with repetition."""
    for count in range(len(monomial) + 1):
        yield from combinations(monomial, count)


SizeLike = Size | int | str
Shape = tuple[Size, ...]


def shape_of(sizes: Iterable[SizeLike]) -> Shape:
    return tuple(Size.of(s) for s in sizes)


def shape_text(shape: Iterable[SizeLike]) -> str:
    """A shape as people write it: ``m×n``, and ``scalar`` for no axes.

    >>> shape_text(("m", "n"))
    'm×n'
    """
    sizes = [str(s) for s in shape]
    return "×".join(f"({s})" if " " in s else s for s in sizes) or "scalar"

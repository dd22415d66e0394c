"""The formula as a tree, before any style: what is printed, with the shape each part has.

A tree is in matrix algebra with true shapes (a column is not a row), or in scalars with indices.
:mod:`~pullback.notation.algebra` has the constructors that keep the form short; here are the
trees themselves and their leaves.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, Literal

from pullback.expressions.sizes import Shape, Size
from pullback.notation.names import Name

Kind = Literal["scalar", "column", "row", "matrix"]
FLIPPED: dict[Kind, Kind] = {
    "scalar": "scalar",
    "column": "row",
    "row": "column",
    "matrix": "matrix",
}
LAST = 10**9  # the rank of what holds no name


class Formula:
    """One operation on smaller formulas.

    ``op`` is one of: number, atom, sum, product, quotient, power, root, hadamard, division,
    entrypower, transpose, function, trace, diag, norm, total, vec, kron, ones, identity,
    commutation, indexed, sigma, delta, bracket, derivative, and those of places: slice, blocks,
    zero, reshape, tril, triu, khatri. ``data`` holds what is no operand: a
    number, a :class:`Name`, sizes, index letters or what stands in their place. ``transposes``
    counts the transposes that show, ``rank`` is the earliest place of a name in the order of reading.
    """

    __slots__ = (
        "_hash",
        "_letters",
        "_reading",
        "data",
        "flip",
        "kind",
        "op",
        "parts",
        "rank",
        "shape",
        "size",
        "transposes",
    )

    def __init__(
        self, op: str, parts: Sequence[Formula] = (), kind: Kind = "scalar", data: Any = None
    ) -> None:
        self.op = op
        self.parts = tuple(parts)
        self.kind = kind
        self.data = data
        turned = op == "transpose" or (op == "function" and data[1] == 1)  # along columns
        self.transposes: int = turned + sum(p.transposes for p in self.parts)
        self.size: int = 1 + sum(p.size for p in self.parts)
        own = data.rank if op == "atom" else LAST
        held = self.parts if op != "bracket" else ()  # a condition has no place of its own
        self.rank: int = min([own, *(p.rank for p in held)])
        self._hash = hash((op, self.parts, kind, data))
        self.flip: Formula | None = None  # its transpose, once it was asked for
        self.shape: tuple[Size, Size] | None = None  # of a name: rows and columns, where known
        self._reading: tuple[tuple[int, str], ...] | None = None
        self._letters: tuple[str, ...] | None = None

    def __eq__(self, other: object) -> bool:
        return self is other or (
            isinstance(other, Formula)
            and self._hash == other._hash
            and self.op == other.op
            and self.kind == other.kind
            and self.data == other.data
            and self.parts == other.parts
        )

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        inside = ", ".join(map(repr, self.parts))
        return f"{self.op}({self.data or ''}{inside})"

    @property
    def reading(self) -> tuple[tuple[int, str], ...]:
        """The names in the formula as they are read, which settles every tie in an order."""
        if self._reading is None:
            own = ((self.data.rank, self.data.text),) if self.op == "atom" else ()
            self._reading = own + tuple(key for p in self.parts for key in p.reading)
        return self._reading

    @property
    def letters(self) -> tuple[str, ...]:
        """The indices as they are read: what tells S_ij from S_ji in an order."""
        if self._letters is None:
            own = self.data if self.op == "indexed" else ()
            own = self.data[:2] if self.op == "delta" else own
            self._letters = tuple(k for p in self.parts for k in p.letters) + tuple(map(str, own))
        return self._letters

    def like(self, parts: Sequence[Formula], kind: Kind | None = None) -> Formula:
        """The same operation on other parts, as it stands."""
        return Formula(self.op, parts, kind or self.kind, self.data)


Index = str | Formula  # a letter, or what stands in its place


def number(value: int | Fraction) -> Formula:
    return Formula("number", data=Fraction(value))


ONE = number(1)


def atom(name: Name, kind: Kind, shape: Shape = ()) -> Formula:
    """A name; of a vector or matrix with its shape, where it is known."""
    f = Formula("atom", (), kind, name)
    if shape:
        sides = (*shape, Size.of(1))[:2]
        f.shape = (sides[1], sides[0]) if kind == "row" else (sides[0], sides[1])
    return f


def ones(size: Size) -> Formula:
    """The column of ones."""
    return Formula("ones", (), "column", size)


def identity(size: Size, sized: bool = False) -> Formula:
    """The identity matrix; ``sized`` when its size shows, as in I_m ⊗ A."""
    return Formula("identity", (), "matrix", (size, sized))


def commutation(rows: Size, columns: Size) -> Formula:
    """K with K vec X = vec Xᵀ for X of this shape."""
    return Formula("commutation", (), "matrix", (rows, columns))


def indexed(formula: Formula, indices: Sequence[Index]) -> Formula:
    """One entry of a vector, matrix or tensor."""
    return Formula("indexed", (formula,), "scalar", tuple(indices)) if indices else formula


def sigma(letters: Sequence[str], body: Formula, sign: str = "Σ") -> Formula:
    """The sum of ``body`` over index letters; ``sign`` is ∑ where Σ is a name."""
    return Formula("sigma", (body,), "scalar", (tuple(letters), sign)) if letters else body


def sigma_to(letter: str, last: Formula, body: Formula, sign: str = "Σ") -> Formula:
    """The sum of ``body`` over one letter from 1 to ``last``."""
    return Formula("sigma", (body, last), "scalar", ((letter,), sign))


def delta(one: str, other: str, sign: str = "δ") -> Formula:
    """1 where two letters are equal, else 0; ``sign`` is I where δ is a name."""
    return Formula("delta", (), "scalar", (one, other, sign))


def bracket(left: Formula, relation: str, right: Formula) -> Formula:
    """1 where the relation between numbers holds, else 0 (Iverson)."""
    return Formula("bracket", (left, right), "scalar", relation)


def vec(formula: Formula) -> Formula:
    """The columns of a matrix, one below the other."""
    return Formula("vec", (formula,), "column")


def is_negative(formula: Formula) -> bool:
    """Whether the formula prints with a minus sign in front."""
    while formula.op in ("product", "quotient", "division"):
        formula = formula.parts[0]
    return formula.op == "number" and formula.data < 0

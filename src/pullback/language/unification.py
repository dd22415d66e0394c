"""Sizes by unification: which axes have one size, and what that size is called."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import count

from pullback.expressions import Size

_ROWS = ("m", "p", "q", "r", "k", "l", "s", "t", "d", "h")
_OTHERS = ("n", "p", "q", "r", "k", "l", "s", "t", "d", "h", "m")


class Sizes:
    """Classes of equal sizes; a class is known by a size, or is still unknown.

    >>> sizes = Sizes()
    >>> a, b = sizes.unknown(), sizes.known(Size.of("n"))
    >>> sizes.unify(a, b), str(sizes.value(a))
    (True, 'n')
    """

    def __init__(self) -> None:
        self._parent: list[int] = []
        self._value: list[Size | None] = []
        self._known: dict[Size, int] = {}

    def unknown(self) -> int:
        self._parent.append(len(self._parent))
        self._value.append(None)
        return len(self._parent) - 1

    def known(self, size: Size) -> int:
        if size not in self._known:
            self._known[size] = self.unknown()
            self._value[self._known[size]] = size
        return self._known[size]

    def root(self, index: int) -> int:
        while self._parent[index] != index:
            self._parent[index] = self._parent[self._parent[index]]
            index = self._parent[index]
        return index

    def unify(self, left: int, right: int) -> bool:
        """Makes two sizes one; False if they are known and differ."""
        left, right = self.root(left), self.root(right)
        if left == right:
            return True
        a, b = self._value[left], self._value[right]
        if a is not None and b is not None and a != b:
            return False
        self._parent[right] = left
        self._value[left] = a if a is not None else b
        return True

    def value(self, index: int) -> Size | None:
        return self._value[self.root(index)]

    def call(self, index: int, name: str) -> None:
        """Gives an unknown size its name."""
        self._value[self.root(index)] = Size.of(name)


class SizeNames:
    """Conventional names for unknown sizes, none of which the program uses for anything else."""

    def __init__(self, taken: Collection[str]) -> None:
        self._taken = set(taken)
        self._numbered: Iterator[str] = (f"n{i}" for i in count(1))

    def fresh(self, *, rows: bool) -> str:
        """A name for the rows of a matrix, or for any other axis."""
        name = next((c for c in (_ROWS if rows else _OTHERS) if c not in self._taken), None)
        while name is None or name in self._taken:
            name = next(self._numbered)
        self._taken.add(name)
        return name

"""Sizes by unification: which axes have one size, and what that size is called."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

from pullback.expressions import Size
from pullback.language.kinds import Extent

_ROWS = ("m", "p", "q", "r", "k", "l", "s", "t", "d", "h")
_OTHERS = ("n", "p", "q", "r", "k", "l", "s", "t", "d", "h", "m")


@dataclass(frozen=True, slots=True)
class Following:
    """A size that follows from others: the class ``index`` has the size that an extent says.

    ``classes`` are those of the axes that the extent names; ``origin`` is what asked for it.
    """

    index: int
    extent: Extent
    classes: Mapping[str, int]
    origin: Any


class Sizes:
    """Classes of equal sizes; a class is known by a size, follows from others, or is unknown.

    >>> sizes = Sizes()
    >>> a, b = sizes.unknown(), sizes.known(Size.of("n"))
    >>> sizes.unify(a, b), str(sizes.value(a))
    (True, 'n')
    """

    def __init__(self) -> None:
        self._parent: list[int] = []
        self._value: list[Size | None] = []
        self._known: dict[Size, int] = {}
        self._open: list[Following] = []

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

    def call(self, index: int, size: Size) -> None:
        """Gives an unknown size its value."""
        self._value[self.root(index)] = size

    # sizes that follow from others

    def follow(self, extent: Extent, classes: Mapping[str, int], origin: Any) -> int:
        """The class of a size that follows from the sizes of these classes, by name."""
        self._open.append(Following(self.unknown(), extent, classes, origin))
        return self._open[-1].index

    @property
    def waiting(self) -> bool:
        """Whether sizes that follow from others are still to be settled."""
        return bool(self._open)

    def dependent(self) -> set[int]:
        """The classes that others will determine."""
        return {self.root(following.index) for following in self._open}

    def settle(self) -> Following | None:
        """Works out what follows, in rounds; the first that contradicts what is known."""
        changed = True
        while changed and self._open:
            changed = False
            for following in list(self._open):
                settled = self._settled(following)
                if settled is False:
                    return following
                if settled:
                    self._open.remove(following)
                    changed = True
        return None

    def align(self) -> None:
        """Takes what is joined, or merged, on two sides of one axis to be cut alike.

        So [A, B] [x; y] is A x + B y, and in (B ⊗ A) vec(X) the columns of A are the rows of X.
        Only where nothing else tells how; then any other cut is as good, and this one is meant.
        """
        groups: dict[tuple[int, int], list[Following]] = {}
        for following in self._open:
            terms = following.extent.size.terms
            parts = len(following.classes)
            joined = len(terms) == parts and all(len(m) == 1 and c == 1 for m, c in terms)
            merged = len(terms) == 1 and len(terms[0][0]) == parts > 1 and terms[0][1] == 1
            if joined or merged:
                key = (self.root(following.index), parts if joined else -parts)
                groups.setdefault(key, []).append(following)
        for first, *others in groups.values():
            for other in others:
                pairs = list(zip(first.classes.values(), other.classes.values(), strict=True))
                known = [(self.value(a), self.value(b)) for a, b in pairs]
                if not any(a and b and a != b for a, b in known):
                    for a, b in pairs:
                        self.unify(a, b)

    def _settled(self, following: Following) -> bool | None:
        """True where a size is now known, False for a contradiction, None while too little is."""
        values: dict[str, Size] = {}
        open_: dict[str, int] = {}
        for name, index in following.classes.items():
            value = self.value(index)
            if value is None:
                open_[str(self.root(index))] = index
            values[name] = Size.of(str(self.root(index))) if value is None else value
        if open_ and following.extent.rational:
            return None
        found = following.extent.value(values)
        if found is None:
            return False
        wanted = self.value(following.index)
        if wanted is None:
            wanted = Size.of(str(self.root(following.index)))
            open_[str(self.root(following.index))] = following.index
        rest = found - wanted
        open_ = {name: index for name, index in open_.items() if name in rest.names}
        if not open_:
            return rest == Size.of(0)
        if len(open_) > 1:
            return None
        ((name, index),) = open_.items()
        without = rest.put({name: 0})
        slope = rest.put({name: 1}) - without
        if slope * name + without != rest or name in slope.names:
            return None
        solved = (-without).divided(slope)
        if solved is None or (solved.constant is not None and solved.constant < 1):
            return False
        self.call(index, solved)
        return True


class SizeNames:
    """Conventional names for unknown sizes, none of which the program uses for anything else."""

    def __init__(self, taken: Collection[str] = ()) -> None:
        self._taken = set(taken)
        self._numbered: Iterator[str] = (f"n{i}" for i in count(1))

    def next(self, *, rows: bool) -> str:
        """A name for the rows of a matrix, or for any other axis."""
        name = next((c for c in (_ROWS if rows else _OTHERS) if c not in self._taken), None)
        while name is None or name in self._taken:
            name = next(self._numbered)
        self._taken.add(name)
        return name

"""The letters of one line: which is which, how far each runs, and where an entry at them stands."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from pullback.errors import Place, PullbackError, ShapeError
from pullback.expressions import Size
from pullback.language.index.code import At, Ids, Linear, Moved, Relate
from pullback.language.index.linear import linear
from pullback.language.index.names import Names
from pullback.language.index.syntax import Entry, Indices, Letter, Letters, Range
from pullback.language.index.words import compact
from pullback.language.syntax import Syntax

ONE = Size.of(1)


@dataclass
class Scopes:
    """Letters by number: bound ones while they are in scope, free ones as they appear."""

    names: Names
    classes: list[int] = field(default_factory=list)  # of the size of each letter
    spelled: list[Letter] = field(default_factory=list)
    free: dict[str, int] = field(default_factory=dict)
    stated: set[int] = field(default_factory=set)  # letters whose range is said
    guards: list[Relate] = field(default_factory=list)  # conditions on what is read now
    _bound: dict[str, list[int]] = field(default_factory=dict)
    _ever: set[str] = field(default_factory=set)
    _shift: dict[int, Size] = field(default_factory=dict)  # of ranges that do not begin at 1

    def place(self, item: Letter | Syntax) -> Place:
        return Place(self.names.text, item.start, item.stop)

    def _new(self, letter: Letter) -> int:
        self.classes.append(self.names.sizes.unknown())
        self.spelled.append(letter)
        return len(self.classes) - 1

    def enter(self, ranges: Iterable[Range]) -> Ids:
        """Letters that are bound from here on, over the ranges that are said."""
        entered: dict[str, int] = {}
        for stated in ranges:
            ends = None
            if stated.first is not None and stated.last is not None:
                ends = self._size(stated.first), self._size(stated.last)
            for letter in stated.letters:
                if letter.name in entered:
                    raise PullbackError(f"{letter.name} stands twice here", self.place(letter))
                own = entered[letter.name] = self._new(letter)
                if ends is not None:
                    self._fix(own, self.names.sizes.known(ends[1] - ends[0] + 1))
                    self._shift[own] = ends[0] - 1
        for name, own in entered.items():
            self._bound.setdefault(name, []).append(own)
            self._ever.add(name)
        return tuple(entered.values())

    def leave(self, letters: Letters) -> None:
        for letter in letters:
            self._bound[letter.name].pop()

    def _size(self, item: Syntax) -> Size:
        """The first or the last place of a range."""
        form = linear(item, self._end, self.names.text)
        if form.terms:
            hint = "write a condition instead, as in  Σ_j [j ≥ i] …"
            message = "the range of a letter depends on another letter"
            raise PullbackError(message, self.place(item), hint)
        return form.constant

    def _end(self, item: Entry) -> Linear | None:
        """A word in the range of a letter; one that nothing else has is the name of a size."""
        known = self.is_bound(item.word) or item.word in self.free or item.word in self.names.axes
        if item.indices is None and not known:
            self.names.size_names.add(item.word)
        return self.term(item)

    def is_bound(self, name: str) -> bool:
        return bool(self._bound.get(name))

    def id_of(self, letter: Letter) -> int:
        """The letter that this one is: the innermost bound one of its name, else a free one."""
        if self.is_bound(letter.name):
            return self._bound[letter.name][-1]
        if letter.name not in self.free:
            self.free[letter.name] = self._new(letter)
        return self.free[letter.name]

    def fixed(self, letter: Letter, size: int) -> int:
        """A free letter that runs over an axis before anything else is known of it."""
        own = self.id_of(letter)
        self._fix(own, size)
        return own

    def _fix(self, own: int, size: int) -> None:
        self.names.sizes.unify(self.classes[own], size)
        if self.names.sizes.value(size) is not None:
            self.stated.add(own)

    def insist_apart(self) -> None:
        """A letter is not summed in one place and free in another."""
        for name, own in self.free.items():
            if name in self._ever:
                raise PullbackError(
                    f"{name} is free here and summed elsewhere in the line",
                    self.place(self.spelled[own]),
                    f"write Σ_{name} ( … ) around all that {name} stands in, or another letter",
                )

    # indices

    def index(self, item: Letter | Syntax) -> int | Linear:
        """What stands in a subscript: a letter, or a form such as i + 1."""
        if isinstance(item, Letter):
            sized = item.apart and item.name in self.names.size_names
            if sized and not self.is_bound(item.name) and item.name not in self.free:
                return Linear({}, Size.of(item.name))
            own = self.id_of(item)
            shift = self._shift.get(own, Size.of(0))
            return own if shift == Size.of(0) else Linear({own: ONE}, shift)
        return linear(item, self.term, self.names.text)

    def term(self, item: Entry) -> Linear | None:
        """A word in a bracket, subscript or range: a letter, or else a size."""
        sized = item.word in self.names.size_names and not self.is_bound(item.word)
        if item.indices is None and sized:
            return Linear({}, Size.of(item.word))
        letters = compact(item.word, item.start)
        if item.indices is not None or letters is None or len(letters) > 1:
            return None
        return as_form(self.index(letters[0]))

    def run(self, indices: Indices, axes: Sequence[int], where: str) -> tuple[At, ...]:
        """The places of an entry; letters run over the axes, which ``where`` describes."""
        return tuple(
            self.at(self.index(item), item, axis, where)
            for item, axis in zip(indices, axes, strict=True)
        )

    def at(self, index: int | Linear, item: Letter | Syntax, axis: int, where: str) -> At:
        """The place of an entry on one axis.

        A letter whose range is said may stand on an axis that is longer.
        """
        sizes = self.names.sizes
        span = (item.start, item.stop)
        if isinstance(index, Linear):
            return Moved(index, tuple(self.guards), span)
        one, other = sizes.value(self.classes[index]), sizes.value(axis)
        if index in self.stated and one is not None and other is not None and one != other:
            return Moved(as_form(index), tuple(self.guards), span)
        if not sizes.unify(self.classes[index], axis):
            letter = self.spelled[index].name
            message = f"the letter {letter} runs over {one}, and here over {other}: {where}"
            raise ShapeError(message, self.place(item))
        return index


def as_form(index: int | Linear) -> Linear:
    return Linear({index: ONE}, Size.of(0)) if isinstance(index, int) else index

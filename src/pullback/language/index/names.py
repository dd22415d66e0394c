"""What words in a formula in indices mean: names with their letters, and how long each axis is."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from pullback.errors import Place, PullbackError, ShapeError
from pullback.expressions import Shape, Size
from pullback.language.calls import is_function, similar
from pullback.language.declarations import SQUARE, VECTOR, Declared
from pullback.language.index.syntax import Indices
from pullback.language.index.words import compact, plausible
from pullback.language.unification import SizeNames, Sizes
from pullback.notation.names import ascii_name

Axes = tuple[int, ...]  # classes of sizes
_ORDERS = ("a scalar", "a vector", "a matrix")


@dataclass
class Names:
    """Names of variables and lines with the sizes of their axes, known or still open."""

    text: str
    declared: Mapping[str, Declared]
    size_names: set[str]
    later: set[str]  # lines that are not yet read
    certain: Collection[str]  # what is surely a letter in this text
    sizes: Sizes = field(default_factory=Sizes)
    axes: dict[str, Axes] = field(default_factory=dict)
    open: list[str] = field(default_factory=list)  # variables without a declared shape
    used: dict[str, None] = field(default_factory=dict)  # in order of appearance

    def __post_init__(self) -> None:
        for name, item in self.declared.items():
            if item.kind is not None:
                self.axes[name] = tuple(self.sizes.known(size) for size in item.shape)

    def spelled_out(self, word: str) -> str:
        """A word with its name as it is declared: Sigma is Σ where that is a name, and Sigma none."""
        head, mark, tail = word.rpartition("_")
        for name, rest in ((word, ""), (head, mark + tail)):
            known = [n for n in self.axes if not n.isascii() and ascii_name(n) == name]
            if len(known) == 1 and name not in self.axes:
                return known[0] + rest
        return word

    def described(self, name: str) -> str:
        """``A is m×n``."""
        sizes = [str(self.sizes.value(index) or "?") for index in self.axes[name]]
        if len(sizes) == 1:
            return f"{name} has {sizes[0]} entries"
        return f"{name} is {'×'.join(sizes) or 'a scalar'}"

    def split(self, word: str, start: int, indices: Indices | None) -> tuple[str, Indices]:
        """A word as a name and its letters; ``indices`` are those that stand apart.

        The longest name that is known wins. Of a name that is not known, what follows the last
        ``_`` are letters if they surely are.
        """
        place = Place(self.text, start, start + len(word))
        if indices is not None:
            if word not in self.axes:
                self._new(word, len(indices), place)
            self._insist(word, indices, place)
            return word, indices
        head, _, last = word.rpartition("_")
        tail = (compact(last, start + len(head) + 1) if head else None) or ()
        known = [(n, x) for n, x in ((word, ()), (head, tail)) if n in self.axes]
        for name, found in known:
            if len(self.axes[name]) == len(found):
                return name, found
        if known and (known[0][0] == word or plausible(tail)):
            self._insist(*known[0], place)
        if tail and not (plausible(tail) and all(x.name in self.certain for x in tail)):
            message = f"'{word}' is not declared: it may be one name, or {head} with letters"
            apart = f"{head}[{','.join(x.name for x in tail)}]"
            raise PullbackError(message, place, f"declare {head} or {word}, or write {apart}")
        name, found = (head, tail) if tail else (word, ())
        self._new(name, len(found), place)
        return name, found

    def _insist(self, name: str, letters: Indices, place: Place) -> None:
        order = len(self.axes[name])
        if order == len(letters):
            return
        has = f"{order} axes" if order != 1 else "one axis"
        message = f"{self.described(name)}: it has {has}, and {counted(letters)} here"
        example = name + ("_" + "ijklmnpqrs"[:order] if order else "")
        raise ShapeError(message, place, f"its entries are {example}" if order else "")

    def _new(self, name: str, order: int, place: Place) -> None:
        """A variable that no one declared; its sizes follow from its letters."""
        if name in self.later:
            raise PullbackError(
                f"'{name}' is not yet defined here", place, "a line uses the lines above it"
            )
        if is_function(name):
            hint = f"write {name}(…), or choose another name for the variable"
            raise PullbackError(f"'{name}' is a function", place, hint)
        if name in self.size_names:
            raise PullbackError(f"'{name}' is both a size and a variable", place)
        axes = tuple(self.sizes.unknown() for _ in range(order))
        item = self.declared.get(name)
        if item is not None and item.assumptions & (SQUARE | VECTOR):
            wanted = 2 if item.assumptions & SQUARE else 1
            if order != wanted:
                word = min(item.assumptions & (SQUARE | VECTOR))
                raise ShapeError(
                    f"'{word}' needs {_ORDERS[wanted]}: {name} has {order} letters here", place
                )
            if wanted == 2:
                self.sizes.unify(axes[0], axes[1])
        self.axes[name] = axes
        self.open.append(name)

    def add(self, name: str, shape: Shape) -> None:
        """A variable whose shape was inferred elsewhere."""
        self.axes[name] = tuple(self.sizes.known(size) for size in shape)
        self.open.append(name)

    def name_sizes(self, names: Collection[str], taken: SizeNames) -> None:
        """Gives every open size of these variables a name."""
        for name in names:
            classes = {self.sizes.root(index) for index in self.axes[name]}
            for axis, index in enumerate(self.axes[name]):
                if self.sizes.value(index) is None:
                    self.sizes.call(index, Size.of(taken.next(rows=axis == 0 and len(classes) > 1)))

    def shape(self, name: str) -> Shape:
        sizes = [self.sizes.value(index) for index in self.axes[name]]
        return tuple(size for size in sizes if size is not None)

    def sentence(self, name: str) -> str:
        """What is assumed of a variable, as the text language says it."""
        sizes = [str(size) for size in self.shape(name)]
        if not sizes:
            return f"{name} is a scalar"
        if len(sizes) == 1:
            return f"{name} is a column of size {sizes[0]}"
        return f"{name} is {'a matrix' if len(sizes) == 2 else 'a tensor'} {'×'.join(sizes)}"


def counted(letters: Indices) -> str:
    """``there are 2 letters``."""
    if len(letters) == 1:
        return "there is one letter"
    return f"there are {len(letters) or 'no'} letters"


def unknown_function(word: str, place: Place, known: Collection[str]) -> PullbackError:
    hint = similar(word, known) or f"to multiply by {word}, declare it"
    return PullbackError(f"unknown function '{word}'", place, hint)

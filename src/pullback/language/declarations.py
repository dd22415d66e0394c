"""What is declared of names, in the text or beside it, and whether it makes sense."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pullback.errors import Place, PullbackError
from pullback.expressions import Shape, Size
from pullback.language import kinds as k
from pullback.language.calls import is_function, similar
from pullback.language.kinds import Kind
from pullback.language.reading import read
from pullback.language.syntax import Declaration

Sizes = str | Sequence[int | str | Size]

SQUARE = frozenset({"symmetric", "posdef", "diagonal", "lower", "upper", "orthogonal", "skew"})
ENTRYWISE = frozenset({"positive", "sign", "binary"})
VECTOR = frozenset({"unit-sum"})
ASSUMPTIONS = SQUARE | ENTRYWISE | VECTOR

NAME = re.compile(r"(?![⁰¹²³⁴-⁹⁻ᵀ])[^\W\d](?:(?![⁰¹²³⁴-⁹⁻ᵀ])\w)*")  # as in the grammar
EVERY_KIND = (k.SCALAR, k.COLUMN, k.ROW, k.MATRIX)


@dataclass(frozen=True, slots=True)
class Declared:
    """A name's kind and shape (None where they are left to inference) and its assumptions."""

    kind: Kind | None
    shape: Shape
    assumptions: frozenset[str] = frozenset()
    place: Place | None = None

    def kinds(self) -> tuple[Kind, ...]:
        """The kinds this name can have."""
        if self.kind is not None:
            return (self.kind,)
        if self.assumptions & SQUARE:
            return (k.MATRIX,)
        return (k.COLUMN, k.ROW) if self.assumptions & VECTOR else EVERY_KIND


def collect(
    text: str,
    declarations: Iterable[Declaration],
    shapes: Mapping[str, Sizes],
    assume: Mapping[str, str | Iterable[str]],
    used: Iterable[str],
    *,
    rows: bool = True,
) -> dict[str, Declared]:
    """Every declared name, from the text first; ``used`` are the names that the lines have.

    Unless there are ``rows``, a shape ``1 n`` is a matrix, as in NumPy.
    """
    table: dict[str, Declared] = {}
    for item in declarations:
        place = Place(text, item.start, item.stop)
        _add(table, item.name, item.sizes or None, item.assumptions, place, rows=rows)
    known = [*table, *used]
    for name, sizes in shapes.items():
        _insist(name, known)
        _add(table, name, _sizes(name, sizes), (), None, rows=rows)
    for name, words in assume.items():
        _insist(name, known)
        several = words.replace(",", " ").split() if isinstance(words, str) else list(words)
        if name in table:
            old = table[name]
            table[name] = Declared(
                old.kind, old.shape, old.assumptions | _known_words(several, old.place), old.place
            )
        else:
            _add(table, name, None, several, None, assumption_only=True)
    for name, declared in table.items():
        _check(name, declared)
    return table


def _add(
    table: dict[str, Declared],
    name: str,
    sizes: Sequence[Size] | None,
    words: Iterable[str],
    place: Place | None,
    *,
    assumption_only: bool = False,
    rows: bool = True,
) -> None:
    if is_function(name):
        raise PullbackError(f"'{name}' is a function and cannot be declared", place)
    words = _known_words(words, place)
    for size in sizes or ():
        if (size.constant is not None and size.constant < 1) or any(map(is_function, size.names)):
            raise PullbackError(f"'{size}' is no size", place, "sizes are names or 1, 2, 3, …")
    kind: Kind | None
    kind, shape = k.shape_of_sizes(sizes or ())
    if not rows and sizes is not None:
        kind, shape = k.kind_of_order(len(sizes)), tuple(sizes)
    if sizes is None and (words or assumption_only):
        kind = None  # only assumptions are stated; the shape is inferred
    old = table.get(name)
    if old is not None:
        if old.kind is not None and kind is not None and (old.kind, old.shape) != (kind, shape):
            here = oriented(kind, map(str, shape))
            there = oriented(old.kind, map(str, old.shape))
            raise PullbackError(f"'{name}' is declared {there} and {here}", place or old.place)
        if kind is None:
            kind, shape = old.kind, old.shape
        words |= old.assumptions
    table[name] = Declared(kind, shape, words, place or (old.place if old else None))


def _insist(name: str, known: Sequence[str]) -> None:
    if name not in known:
        hint = similar(name, known)
        raise PullbackError(
            f"a shape or assumption names '{name}', which the text does not have", None, hint
        )


def _known_words(words: Iterable[str], place: Place | None) -> frozenset[str]:
    for word in words:
        if word not in ASSUMPTIONS:
            hint = similar(str(word), ASSUMPTIONS) or f"known are: {', '.join(sorted(ASSUMPTIONS))}"
            raise PullbackError(f"unknown assumption '{word}'", place, hint)
    return frozenset(words)


def _check(name: str, declared: Declared) -> None:
    """An assumption that the shape contradicts is an error, not a hint."""
    if declared.kind is None:
        if declared.assumptions & SQUARE and declared.assumptions & VECTOR:
            raise PullbackError(f"'{name}' cannot be a vector and a matrix at once", declared.place)
        return
    shape = oriented(declared.kind, map(str, declared.shape))
    for word in sorted(declared.assumptions & SQUARE):
        if declared.kind != k.MATRIX or declared.shape[0] != declared.shape[1]:
            message = f"'{word}' needs a square matrix, and '{name}' is {shape}"
            raise PullbackError(message, declared.place)
    for word in sorted(declared.assumptions & VECTOR):
        if declared.kind == k.SCALAR:
            raise PullbackError(
                f"'{word}' needs a vector, or rows that sum to 1, and '{name}' is {shape}",
                declared.place,
            )


def _sizes(name: str, value: Sizes) -> list[Size]:
    """Sizes as Python code gives them: ints, names, polynomials in names, or all in one text."""
    if isinstance(value, str):
        return sizes_from_text(value, name)
    if not isinstance(value, Sequence):
        raise PullbackError(f"the shape of '{name}' is a tuple of sizes, not {value!r}")
    sizes: list[Size] = []
    for item in value:
        if isinstance(item, Size):
            sizes.append(item)
        elif isinstance(item, str):
            found = sizes_from_text(item, name)
            if len(found) != 1:
                raise PullbackError(f"'{item}' in the shape of '{name}' is not one size")
            sizes += found
        elif hasattr(item, "__index__") and not isinstance(item, bool):
            if int(item) < 1:
                raise PullbackError(f"the size {item} of '{name}' is not positive")
            sizes.append(Size.of(int(item)))
        else:
            raise PullbackError(f"{item!r} in the shape of '{name}' is no size")
    return sizes


def read_declarations(text: str) -> tuple[dict[str, list[Size]], dict[str, list[str]]]:
    """Shapes and assumptions that a text declares, for options such as ``--shape "U: m n"``.

    >>> read_declarations("U: m n, s:; A: symmetric")
    ({'U': [Size(m), Size(n)], 's': []}, {'A': ['symmetric']})
    """
    source = read(text)
    if source.lines:
        line = source.lines[0]
        hint = "a declaration is  name: size size"
        raise PullbackError("this is no declaration", Place(text, line.start, line.stop), hint)
    shapes, assume = {}, {}
    for item in source.declarations:
        if item.sizes or not item.assumptions:
            shapes[item.name] = item.sizes
        if item.assumptions:
            assume[item.name] = item.assumptions
    return shapes, assume


def check_name(name: str) -> None:
    """PullbackError for what the text language would not read as a name."""
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise PullbackError(
            f"{name!r} is no name", hint="a name is a letter, then letters, digits, _"
        )
    if is_function(name):
        raise PullbackError(f"'{name}' is a function; choose another name")


def declare(
    name: str, sizes: Sequence[int | str | Size], assume: str | Iterable[str]
) -> tuple[Shape, frozenset[str]]:
    """Shape and assumptions of a variable made in Python, where ``(1, n)`` stays a matrix."""
    shape = tuple(_sizes(name, sizes))
    several = assume.replace(",", " ").split() if isinstance(assume, str) else list(assume)
    words = _known_words(several, None)
    _check(name, Declared(k.kind_of_order(len(shape)), shape, words))
    return shape, words


def sizes_from_text(text: str, name: str = "x") -> list[Size]:
    """Sizes as a text writes them.

    >>> sizes_from_text("m 2*n+1")
    [Size(m), Size(2*n + 1)]
    """
    try:
        source = read(f"x: {text}")
    except PullbackError as error:
        raise PullbackError(f"'{text}' is no shape for '{name}': {error.message}") from None
    if len(source.declarations) != 1 or source.lines or source.declarations[0].assumptions:
        raise PullbackError(f"'{text}' is no shape for '{name}'")
    return source.declarations[0].sizes


def oriented(kind: Kind, sizes: Iterable[str]) -> str:
    """A shape with its orientation: a column is ``n×1``, a row ``1×n``.

    >>> oriented(k.ROW, ["n"])
    '1×n'
    """
    parts = [f"({size})" if " " in size else size for size in sizes]
    if kind in (k.COLUMN, k.ROW):
        parts = [*parts, "1"] if kind == k.COLUMN else ["1", *parts]
    return "×".join(parts) or "a scalar"

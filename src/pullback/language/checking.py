"""What the names of a text must not be, in every dialect."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable, Mapping

from pullback.errors import Place, PullbackError
from pullback.language.calls import is_function
from pullback.language.declarations import Declared
from pullback.language.syntax import Source


def check_lines(source: Source) -> None:
    """There is a line, each has a name of its own, and only the last may have none."""
    if not source.lines:
        raise PullbackError("the text has no formula", None, "write one, as in  norm2(A*x - b)^2")
    seen: set[str] = set()
    for line in source.lines:
        place = Place(source.text, line.start, line.stop)
        if not line.name and line is not source.lines[-1]:
            hint = "name it, as in  f = …; only the last line may go without a name"
            raise PullbackError("this line has no effect", place, hint)
        if line.name in seen:
            hint = "give the second line another name"
            raise PullbackError(f"'{line.name}' already names a line above", place, hint)
        if is_function(line.name):
            hint = "give the line another name"
            raise PullbackError(f"'{line.name}' is a function", place, hint)
        if line.name:
            seen.add(line.name)


def check_names(
    source: Source, declared: Mapping[str, Declared], lines: Collection[str], sizes: Collection[str]
) -> None:
    """No line is a variable or a size, and no size a variable or a function."""
    places = {line.name: Place(source.text, line.start, line.stop) for line in source.lines}
    for name in lines:
        if name in declared:
            hint = "a line defines its name; its shape follows"
            raise PullbackError(f"'{name}' is declared as a variable", places[name], hint)
        if name in sizes:
            raise PullbackError(f"'{name}' is the name of a size", places[name])
    for name in sorted(sizes):
        if name in declared:
            place = declared[name].place
            raise PullbackError(f"'{name}' is both a size and a variable", place)
        if is_function(name):
            raise PullbackError(f"'{name}' is a function, not a size")


# letters of other alphabets that look like Latin ones
_LIKE_LATIN = str.maketrans(
    "АВЕКМНОРСТУХЅІЈаеорсухѕіјԁɡՏΑΒΕΖΗΙΚΜΝΟΡΤΥΧοɑ",
    "ABEKMHOPCTYXSIJaeopcyxsijdgSABEZHIKMNOPTYXoa",
)


def check_alike(text: str, names: Iterable[str]) -> None:
    """No two names look the same, as x and the Cyrillic х do: one of them is a slip."""
    seen: dict[str, str] = {}
    for name in names:
        shown = unicodedata.normalize("NFKC", name).translate(_LIKE_LATIN)
        other = seen.setdefault(shown, name)
        if other == name:
            continue
        odd = max(name, other, key=lambda n: [not c.isascii() for c in n].count(True))
        at = text.find(odd)
        letter = next(c for c in odd if not c.isascii())
        raise PullbackError(
            f"'{name}' and '{other}' look alike, and are two names",
            Place(text, at, at + len(odd)) if at >= 0 else None,
            f"the '{letter}' of one is {unicodedata.name(letter, 'an unnamed letter').lower()}",
        )

"""What the names of a text must not be, in every dialect."""

from __future__ import annotations

from collections.abc import Collection, Mapping

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

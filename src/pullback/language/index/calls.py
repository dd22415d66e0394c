"""Functions in indices: of entries, or of whole arrays whose entries are written over letters."""

from __future__ import annotations

from collections.abc import Sequence

from pullback.errors import Place, PullbackError, ShapeError
from pullback.functions.catalogue import CATALOGUE
from pullback.functions.record import Function
from pullback.language.calls import ALIASES
from pullback.language.index.syntax import Along
from pullback.language.index.words import PAIRS
from pullback.language.syntax import Call

Core = Sequence[str]  # labels of the axes that a function takes up; equal ones are of one size


def entrywise(item: Call, place: Place) -> str:
    """The function that goes entry by entry; PullbackError for a wrong number of arguments."""
    name = ALIASES.get(item.function, item.function)
    name = PAIRS.get(name, name)
    record = CATALOGUE[name]
    if isinstance(record, Function):
        most = len(record.signature.arguments)
        least = most - len(record.defaults)
    else:
        most = len(record.parameters)
        least = sum("=" not in p for p in record.parameters)
    if not least <= len(item.arguments) <= most:
        plural = "" if most == 1 else "s"
        raise PullbackError(
            f"{name} takes {most} argument{plural}, not {len(item.arguments)}", place
        )
    return name


def gathering(item: Along, place: Place) -> tuple[str, Sequence[Core], Core]:
    """A function of whole arrays: the axes of each argument that it takes up, and of its result."""
    name = ALIASES.get(item.function, item.function)
    record = CATALOGUE.get(name)
    cores: Sequence[Core]
    result: Core
    letters = [letter for stated in item.ranges for letter in stated.letters]
    if record is not None and record.reduction:
        cores, result = [[str(axis) for axis in range(len(letters))]], ()
    elif isinstance(record, Function):
        cores, result = record.signature.arguments, record.signature.result
    else:
        hint = f"it takes whole arrays, as in {item.function}(A)"
        raise PullbackError(f"{name} does not go over letters", place, hint)
    wanted = sum(map(len, cores))
    if len(item.arguments) != len(cores) or len(letters) != wanted:
        takes = f"{len(cores)} argument{'' if len(cores) == 1 else 's'}"
        over = f"{wanted} letter{'' if wanted == 1 else 's'}"
        raise PullbackError(f"{name} takes {takes} over {over}", place)
    if len(item.picked) != len(result):
        message = f"an entry of {name} has {len(result) or 'no'} letters, and there are {len(item.picked)}"
        raise ShapeError(message, place)
    return name, cores, result

"""Letters in subscripts, and the functions that take entries or whole arrays."""

from __future__ import annotations

import re

from pullback.errors import PullbackError
from pullback.expressions import constructors as make
from pullback.functions.catalogue import CATALOGUE
from pullback.functions.record import Function
from pullback.language.calls import ALIASES, CALLABLE, FUNCTION_NAMES
from pullback.language.faults import Fault
from pullback.language.index.syntax import Letter, Letters

_COMPACT = re.compile(r"(?:[^\W\d_][0-9]*)+")
_LETTER = re.compile(r"[^\W\d_][0-9]*")
_PLAUSIBLE = frozenset("ijklmnpqrstuvw")  # letters that people count with


def compact(text: str, start: int) -> Letters | None:
    """Letters side by side, ``ij`` or ``i1j``; None for anything else."""
    if not _COMPACT.fullmatch(text):
        return None
    return tuple(
        Letter(m.group(), start + m.start(), start + m.end()) for m in _LETTER.finditer(text)
    )


def plausible(letters: Letters) -> bool:
    """Whether letters on a name that is not known are plainly letters: ``ij``, and not ``dot``."""
    return all(letter.name[0] in _PLAUSIBLE for letter in letters)


def subscript(token: str, start: int) -> Letters:
    """The letters of ``_{i1,j}`` or ``[i,j]``, as they stand on the left."""
    inside = 2 if token[0] == "_" else 1
    at = start + inside
    parts = token[inside:-1].split(",")
    letters: Letters = ()
    for part in parts:
        name = part.strip()
        place = at + len(part) - len(part.lstrip())
        several = compact(name, place)
        if several is None or (len(parts) > 1 and len(several) > 1):
            stop = max(place + len(name), place + 1)
            raise Fault("an index is a letter", place, stop, "write A_ij, A_{i,j} or A[i,j]")
        letters += several
        at += len(part) + 1
    return letters


def letters_of(text: str, start: int) -> Letters:
    """Letters side by side; a Fault for anything else."""
    letters = compact(text, start)
    if letters is None:
        raise Fault("an index is a letter", start, start + max(1, len(text)))
    return letters


def _takes_entries(name: str) -> bool:
    """Whether a function goes entry by entry, so that its arguments have letters of their own."""
    record = CALLABLE.get(name)
    if isinstance(record, Function):
        return record.elementwise
    if record is None or record.result != "same" or record.reduction:
        return False
    required = [p for p in record.parameters if "=" not in p]
    try:
        return not record.apply([make.variable(p) for p in required]).order
    except PullbackError:
        return False


ENTRYWISE = frozenset(n for n in FUNCTION_NAMES if _takes_entries(ALIASES.get(n, n)))
WHOLES = FUNCTION_NAMES - ENTRYWISE
PAIRS = {n: r.pairs for n, r in CATALOGUE.items() if isinstance(r, Function) and r.pairs}

"""Where in the user's own code a symbol was used."""

from __future__ import annotations

import linecache
from inspect import currentframe
from itertools import islice
from pathlib import Path
from types import FrameType

import numpy as np

import pullback.errors
from pullback.errors import Place

_OURS = (str(Path(pullback.errors.__file__).parent), str(Path(np.__file__).parent))


def place_called() -> Place | None:
    """The expression that called into Pullback, with its file; None where there is no source."""
    frame: FrameType | None = currentframe()
    while frame is not None and frame.f_code.co_filename.startswith(_OURS):
        frame = frame.f_back
    if frame is None:
        return None
    name = frame.f_code.co_filename
    lines = linecache.getlines(name, frame.f_globals)
    at = frame.f_lineno
    if not 0 < at <= len(lines):
        return None
    place = next(islice(frame.f_code.co_positions(), frame.f_lasti // 2, None))
    first, _, left, right = place
    begin = sum(map(len, lines[: at - 1]))
    written = lines[at - 1].rstrip("\n")
    start, stop = len(written) - len(written.lstrip()), len(written)
    if first == at and left is not None and right is not None and left < len(written):
        start = _characters(written, left)
        stop = max(start + 1, _characters(written, right)) if place[1] == at else len(written)
    return Place("".join(lines), begin + start, begin + stop, Path(name).name)


def _characters(line: str, in_bytes: int) -> int:
    """How many characters so many bytes of a line are."""
    return len(line.encode()[:in_bytes].decode(errors="ignore"))

"""What holds of every text: an answer or a PullbackError, soon, and nothing is run."""

from __future__ import annotations

import builtins
import time
from typing import get_args

import pullback as pb
from pullback.errors import PullbackError
from pullback.language.reading import Dialect

DIALECTS: tuple[Dialect | None, ...] = (None, *get_args(Dialect))
SHORT = 300  # characters of a text that is also derived, printed and written as code
SECONDS = 2.0  # for a text of a page; what is longer gets more
LONGEST_MESSAGE = 4000
fired: list[object] = []
builtins.fired = fired.append  # what a text calls as ``fired(1)`` if it is run


class Slow(AssertionError):
    """A text took longer than its length explains."""


def survive(text: str, dialect: Dialect | None = None) -> str:
    """What became of a text; raises whatever is no PullbackError, and Slow."""
    start = time.process_time()
    try:
        became = _used(text, dialect)
    except PullbackError as refusal:
        became = f"refused: {refusal}"
        assert len(became) < LONGEST_MESSAGE, f"a message of {len(became)} characters"
    spent = time.process_time() - start
    if spent > SECONDS + len(text) / 5_000:
        raise Slow(f"{spent:.1f} s for {len(text)} characters in {dialect}: {text[:80]!r}")
    assert not fired, f"was run: {text!r}"
    return became


def _used(text: str, dialect: Dialect | None) -> str:
    f = pb.parse(text, dialect=dialect)
    names = list(f.to_program().variables)
    if len(text) > SHORT or not names:
        return "parsed"
    repr(f)
    d = pb.derivative(f, names[0])
    for form in ("matrix", "index", "vec"):
        d.text(form)
        d.latex(form)
    pb.compile({"f": f, "d": d}, planned=True)
    compile(pb.code(d), "generated", "exec")
    return "derived"

"""Every error a user can cause, and how it shows the place in the user's own text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

LONGEST = 1000  # characters of a message


def suggestion(name: str, known: Iterable[str], otherwise: str = "known") -> str:
    """The name that was probably meant, else what there is.

    >>> suggestion("sigmod", ["sigmoid", "tanh"]), suggestion("W", ["U", "x"], "it has")
    ("did you mean 'sigmoid'?", 'it has U, x')
    """
    names = list(known)
    close = get_close_matches(name, names, n=1)
    if close:
        return f"did you mean '{close[0]}'?"
    more = f", … ({len(names)} in all)" if len(names) > 8 else ""
    return f"{otherwise} {', '.join(names[:8])}{more}"


@dataclass(frozen=True)
class Place:
    """A stretch of the user's text, counted in characters from its start; ``file`` if it has one.

    >>> Place("f = U*x\\nL = sum(g)", 16, 17).line
    2
    """

    text: str
    start: int
    stop: int
    file: str = ""

    @property
    def line(self) -> int:
        return self.text.count("\n", 0, self.start) + 1

    @property
    def column(self) -> int:
        return self.start - (self.text.rfind("\n", 0, self.start) + 1) + 1

    def excerpt(self) -> str:
        """The line that holds the place, with carets under it; a long line is cut around it."""
        begin = self.text.rfind("\n", 0, self.start) + 1
        end = self.text.find("\n", self.start)
        line = self.text[begin : end if end >= 0 else len(self.text)]
        at = self.start - begin
        width = max(1, min(self.stop, begin + len(line)) - self.start)
        if len(line) > 100:
            left = max(0, at - 40)
            line, at = line[left : left + 90], at - left
            width = min(width, 90 - at)
        shown = "".join(c if c.isprintable() else " " for c in line)
        return f"    {shown}\n    {' ' * at}{'^' * max(1, width)}"


class PullbackError(Exception):
    """Something in the input is at fault; the message says what, where and what to do.

    >>> print(PullbackError("unknown name 'z'", Place("x + z", 4, 5)))
    unknown name 'z'
        x + z
            ^
    """

    def __init__(self, message: str, place: Place | None = None, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.place = place
        self.hint = hint

    def at(self, place: Place | None) -> PullbackError:
        """The same error, completed with the place in the user's text if it had none."""
        if self.place is None:
            self.place = place
        return self

    def __str__(self) -> str:
        parts = [_cut(self.message)]
        if self.place is not None:
            if self.place.file:
                parts[0] = f"{self.place.file}, line {self.place.line}: {self.message}"
            elif "\n" in self.place.text.strip():
                parts[0] = f"line {self.place.line}: {parts[0]}"
            parts.append(self.place.excerpt())
        if self.hint:
            parts.append(_cut(self.hint))
        return "\n".join(parts)


def _cut(text: str) -> str:
    """A text without its middle, if a name or a number in it goes on for pages."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]} … {text[-LONGEST // 2 :]}"


class ShapeError(PullbackError):
    """Two sizes that an operation wants equal are not."""


class MissingRule(PullbackError):
    """No derivative is known for this function by this argument."""


class DomainError(PullbackError):
    """A value leaves the real numbers, or a matrix is singular."""

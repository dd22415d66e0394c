"""What is wrong with a text, told at the place where the grammar stops."""

from __future__ import annotations

import re
from typing import Any

from pullback.errors import Place, PullbackError


class Fault(Exception):
    """A fault at a place that only the reader of the whole text can complete."""

    def __init__(self, message: str, start: int, stop: int, hint: str = "") -> None:
        super().__init__(message)
        self.message, self.start, self.stop, self.hint = message, start, stop, hint

    def in_text(self, text: str) -> PullbackError:
        """The error of a user whose text has the fault."""
        return PullbackError(self.message, Place(text, self.start, self.stop), self.hint)


LONGEST = 1_000_000  # characters of a text
LONGEST_LINE = 100_000  # characters of one formula


def insist_short(text: str) -> None:
    """A formula that no one can read would take seconds to be read, and a gigabyte."""
    if len(text) > LONGEST:
        raise PullbackError(f"the text has {len(text)} characters, more than {LONGEST}")
    start = 0
    for line in re.split("[\n;]", text):
        if len(line) > LONGEST_LINE:
            raise PullbackError(
                f"this line has {len(line)} characters, more than {LONGEST_LINE}",
                Place(text, start, start + 1),
                "name parts of the formula on lines of their own",
            )
        start += len(line) + 1


class Missing(Fault):
    """Two values side by side, where a formula as printed has a product."""


# signs that stand for what was typed, see brackets and printed
_TYPED = dict(zip("\ue000\ue001\ue002\ue003\ue004\ue005\ue006\ue007", "‖‖||(;|:", strict=True))
_VALUES = ("NAME", "CALLED", "LPAR", "LNORM", "ROOT", "ONES")
DEEPEST = 200  # parentheses inside each other


# what formulas copied from a page have in place of what is typed
_INSTEAD = {
    **dict.fromkeys("′’‘´`", "' for the transpose"),
    **dict.fromkeys("–—‐‑", "-"),
    **dict.fromkeys("∙•×∗", "* for the product, .* entry by entry"),
    "÷": "/ for the quotient, ./ entry by entry",
    "∑": "sum(x), or indices as in Σ_i x_i",
    **dict.fromkeys("“”", "names without quotation marks"),
}


def unknown_character(plain: str, at: int) -> Fault:
    """The fault of a character that no token has."""
    character = plain[at]
    hint = ""
    if character in "[]{}":
        hint = "blocks stand in brackets: [A, B; C, D]"
    elif character == "|":
        hint = "write abs(x), norm2(x) or ||x||; there is no logic here"
    elif character in _INSTEAD:
        hint = f"write {_INSTEAD[character]}"
    elif character in "!&~?":
        hint = "there is no logic here; where(x > 0, a, b), step(x) and abs(x) are"
    elif character in '"`':
        hint = "there are no strings; ' is the transpose"
    elif character == ".":
        hint = "a dot only stands in a number or in .* ./ .^ .'"
    shown = character if character.isprintable() else f"U+{ord(character):04X}"
    return Fault(f"'{shown}' has no meaning here", at, at + 1, hint)


def refuse_token(plain: str, error: Any) -> Fault:
    """What is wrong at the token the grammar did not expect."""
    token, kind = error.token, error.token.type
    expected: set[str] = set(error.expected or ())
    start = token.start_pos
    if kind == "$END" or start is None:
        start = stop = len(plain.rstrip())
    else:
        stop = token.end_pos
    shown = "".join([_TYPED.get(c, c) for c in str(token)])
    if kind in ("$END", "_SEP"):
        begin = max(0, start - 1)
        while begin > 0 and plain[begin].isspace():
            begin -= 1
        return Fault("the line ends where a value is expected", begin, begin + 1)
    if kind in (*_VALUES, "NUMBER", "ASSUMPTION") and {"PRODUCT", "STAR"} & expected:
        if "STAR" in expected:
            hint = "write @ or * between factors"
            return Missing(f"an operator is missing before '{shown}'", start, stop, hint)
        hint = "write * between factors; as printed, side by side, they are dialect 'printed'"
        return Missing(f"an operator is missing before '{shown}'", start, stop, hint)
    if shown == "=":
        hint = "a line is  name = expression ; equations are not solved here"
        return Fault("'=' stands only after the name at the start of a line", start, stop, hint)
    if shown == ":":
        hint = "a declaration is  name: size size , on a line of its own"
        return Fault(
            "':' stands only after the name at the start of a declaration", start, stop, hint
        )
    if shown == ",":
        return Fault("',' stands only between the arguments of a function", start, stop)
    if shown == "[":
        hint = "entries are x(1), counted from 1; x[0] is dialect 'numpy'"
        return Fault("'[' is not expected here", start, stop, hint)
    if shown == ")":
        return Fault("a value is missing before ')'", start, stop)
    if expected & {"NAME", "NUMBER"} and not expected & {"PRODUCT", "STAR"}:
        return Fault(f"a value is expected before '{shown}'", start, stop)
    return Fault(f"'{shown}' is not expected here", start, stop)

"""The parsers of the dialects, each built on its first use: lark is not loaded before."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from pullback.language.faults import DEEPEST, Fault, refuse_token, unknown_character

_HERE = Path(__file__).parent


_CLOSES = {"(": ")", "[": "]"}


def blank(text: str, marks: re.Pattern[str]) -> str:
    """The text with comments, and line breaks inside parentheses, turned into spaces.

    Every other character keeps its position, so that carets fall in the user's own text.
    """
    parts: list[str] = []
    opened: list[tuple[str, int]] = []
    last = 0
    for match in marks.finditer(text):
        mark = match.group()
        if mark in _CLOSES:
            opened.append((_CLOSES[mark], match.start()))
            if len(opened) > DEEPEST:
                raise Fault(
                    f"more than {DEEPEST} parentheses inside each other",
                    *match.span(),
                    "name a part of the expression on a line of its own",
                )
        elif mark in _CLOSES.values():
            if not opened or opened.pop()[0] != mark:
                raise Fault(f"this {mark} closes nothing", *match.span())
        elif mark[0] in "'\"":
            continue  # a text is an argument of its own
        elif mark != "\n" or opened:
            parts += [text[last : match.start()], " " * len(mark)]
            last = match.end()
    if opened:
        at = opened[-1][1]
        raise Fault(f"this {text[at]} is never closed", at, at + 1)
    return "".join(parts) + text[last:]


@cache
def parser(grammar: str, builder: type, *replaced: tuple[str, str]) -> Any:
    """A parser that builds while it reads; ``replaced`` are changes to the grammar."""
    from lark import Lark  # noqa: PLC0415

    text = (_HERE / f"{grammar}.lark").read_text(encoding="utf-8")
    for pattern, by in replaced:
        text = re.sub(pattern, by.replace("\\", r"\\"), text)
    options: dict[str, Any] = {"parser": "lalr", "maybe_placeholders": False}
    return Lark(text, transformer=builder(), **options)


def parsed(
    plain: str, reader: Any, unknown: Callable[[str, int], Fault] = unknown_character
) -> Any:
    """What the parser builds of a text; a Fault where it stops."""
    from lark.exceptions import UnexpectedCharacters, UnexpectedToken  # noqa: PLC0415

    try:
        return reader.parse(plain)
    except UnexpectedCharacters as error:
        raise unknown(plain, error.pos_in_stream or 0) from None
    except UnexpectedToken as error:
        raise refuse_token(plain, error) from None

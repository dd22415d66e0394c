"""Loops that are alike but for the arrays they run over become one function, called for each."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pullback.compilation.native.scope import INDENT

WORD = re.compile(r"[A-Za-z_]\w*")
LOCAL = re.compile(r"^\s*(?:const )?(?:real|bool|double) (\w+) =", re.MULTILINE)
LINE = 100


@dataclass
class Block:
    """The lines of one loop: from one place in a function to before another."""

    start: int
    end: int


@dataclass(frozen=True)
class _Alike:
    """A loop without its names: the text, and the outer variables in order of appearance."""

    text: str
    outer: tuple[str, ...]


def share_loops(
    lines: Sequence[str], blocks: Sequence[Block], types: Mapping[str, str]
) -> tuple[list[str], list[str]]:
    """Functions for loops that occur more than once, and the lines with calls in their place.

    ``types`` has the variables from outside the loops. With many layers the compiler then has few
    loops to work at.

    >>> lines = ["for (i) a[i] = 1;", "for (i) b[i] = 1;"]
    >>> share_loops(lines, [Block(0, 1), Block(1, 2)], {"a": "real *", "b": "real *"})[1]
    ['loop1(a);', 'loop1(b);']
    """
    found = [_without_names(lines[b.start : b.end], types) for b in blocks]
    texts = [alike.text for alike in found]
    repeated = [text for text in dict.fromkeys(texts) if texts.count(text) > 1]
    names = {text: f"loop{k + 1}" for k, text in enumerate(repeated)}
    functions: dict[str, str] = {}
    kept: list[str] = []
    at = 0
    for block, alike in zip(blocks, found, strict=True):
        if alike.text not in names:
            continue
        kept += lines[at : block.start]
        kept += [line.strip() for line in lines[block.start : block.end] if _is_comment(line)]
        call = f"{names[alike.text]}({', '.join(alike.outer)});"
        kept.append(f"bad |= {call}" if _tests(alike) else call)
        at = block.end
        if alike.text not in functions:
            functions[alike.text] = _function(names[alike.text], alike, types)
    return list(functions.values()), [*kept, *lines[at:]]


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith("//")


def _tests(alike: _Alike) -> bool:
    return "bad |=" in alike.text


def _without_names(lines: Sequence[str], types: Mapping[str, str]) -> _Alike:
    text = "\n".join([line for line in lines if not _is_comment(line)])
    local = {name: f"t{k + 1}" for k, name in enumerate(dict.fromkeys(LOCAL.findall(text)))}
    outer: dict[str, str] = {}

    def renamed(match: re.Match[str]) -> str:
        word = match.group()
        if word in local:
            return local[word]
        if word in types:
            return outer.setdefault(word, _renamed(word, len(outer), types))
        return word

    return _Alike(WORD.sub(renamed, text), tuple(outer))


def _renamed(word: str, position: int, types: Mapping[str, str]) -> str:
    """The name of a parameter: by its position, threads by their own."""
    letter = {"int64_t": "n", "int": ""}.get(types[word], "x")
    return f"{letter}{position + 1}" if letter else word


def _function(name: str, alike: _Alike, types: Mapping[str, str]) -> str:
    parameters = [
        f"{types[outer]} {_renamed(outer, k, types)}".replace("* ", "*")
        for k, outer in enumerate(alike.outer)
    ]
    body = alike.text.split("\n")
    result = "void"
    if _tests(alike):
        result = "mask"
        body = ["mask bad = 0;", *body, "return bad;"]
    head = f"static {result} {name}({', '.join(parameters)}) {{"
    return "\n".join([head, *[INDENT + line for line in body], "}"])

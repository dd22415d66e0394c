"""The C that generated code rests on: taken paragraph by paragraph, only what is used."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

from pullback.compilation.native.spelling import WORDS

FILES = ("vector_math.c", "linear_algebra.c")
DEFINED = re.compile(
    r"^(?:static inline \w+|static \w+|#define|extern \w+|\} ?) \**(\w+)|reduction\((\w+) :|(\w+)\(double"
    r"|\} (\w+);$",
    re.MULTILINE,
)


@cache
def _paragraphs() -> list[tuple[str, frozenset[str], frozenset[str]]]:
    """Each paragraph with the names it defines and all the words in it."""
    found = []
    for name in FILES:
        text = (files(__package__) / name).read_text(encoding="utf-8")
        for paragraph in text.strip().split("\n\n")[1:]:  # the first says what the file is
            names = frozenset(x for match in DEFINED.findall(paragraph) for x in match if x)
            found.append((paragraph, names, frozenset(re.findall(r"\w+", paragraph))))
    return found


@cache
def defined() -> frozenset[str]:
    """What no variable may be called: the names in these files, and C's functions in them."""
    names = [names for _, names, _ in _paragraphs()]
    calls = [re.findall(r"(\w+)\(", word) for word in WORDS.values()]
    return frozenset().union(*names, *calls)


def prelude(body: str) -> str:
    """The paragraphs that some code needs, in order.

    >>> "log_corrected" in prelude("log_of(x)"), "exp_tail" in prelude("log_of(x)")
    (True, False)
    """
    wanted = set(re.findall(r"\w+", body))
    taken: list[str] = []
    for text, names, words in reversed(_paragraphs()):
        if names & wanted:
            taken.append(text)
            wanted |= words
    return "\n\n".join(reversed(taken))

"""Names for generated code: ASCII, no keywords, no clash, and as close to the user's as that allows."""

from __future__ import annotations

import keyword
import re
import unicodedata

RESERVED = frozenset({"np", "special", "linalg", "dtype", "float", "def", "make", "step"})


def identifier(name: str) -> str:
    """A name as an ASCII identifier.

    >>> identifier("∂L/∂U"), identifier("σ̂₁"), identifier("lambda")
    ('dL_dU', 'sigma_1', 'lambda_')
    """
    parts = []
    for character in unicodedata.normalize("NFKD", name.replace("∂", "d")):
        if character.isascii():
            parts.append(character if character.isalnum() else "_")
            continue
        words = unicodedata.name(character, "").split()
        if "LETTER" in words and words[0] == "GREEK":
            letter = words[words.index("LETTER") + 1].lower()
            parts.append(letter.capitalize() if "CAPITAL" in words else letter)
        elif (
            not unicodedata.combining(character)
            or words[:1] != ["COMBINING"]
            or "CIRCUMFLEX" in words
            or "TILDE" in words
            or "MACRON" in words
        ):
            parts.append("_")
    text = re.sub(r"_+", "_", "".join(parts)).strip("_") or "t"
    if text[0].isdigit():
        text = "t" + text
    return text + "_" if keyword.iskeyword(text) or text in RESERVED else text


class Namer:
    """Hands out each identifier once."""

    def __init__(self, taken: frozenset[str] = RESERVED) -> None:
        self._taken = set(taken)
        self._next = 0

    def name(self, wanted: str) -> str:
        base = identifier(wanted)
        name, k = base, 2
        while name in self._taken:
            name, k = f"{base}_{k}", k + 1
        self._taken.add(name)
        return name

    def temporary(self, prefix: str = "t") -> str:
        while True:
            self._next += 1
            name = f"{prefix}{self._next}"
            if name not in self._taken:
                self._taken.add(name)
                return name

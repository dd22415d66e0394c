r"""What a sum in LaTeX goes over, ``\sum_{i=1}^n`` or ``\sum_{i<j}``, and the sizes that it names."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field

from pullback.language.faults import Fault

OVER = re.compile(r"\\(sum|prod|max|min)(?![A-Za-z])(?:\s*\\(?:no)?limits)?\s*_")
_RELATIONS = {"<": "<", ">": ">", "lt": "<", "gt": ">", "ne": "≠", "neq": "≠", "not=": "≠",
              "le": "≤", "leq": "≤", "ge": "≥", "geq": "≥"}  # fmt: skip
_LIMIT = re.compile(
    r"\s*(?:\{\s*(?P<first>[A-Za-z])\s*=\s*(?P<from>\w+)\s*\}"
    r"|\{\s*(?P<left>[A-Za-z])\s*(?:\\(?P<word>neq?|lt|gt|leq?|geq?)(?![A-Za-z])|(?P<sign>[<>]))"
    r"\s*(?P<right>[A-Za-z])\s*\}"
    r"|\{\s*(?P<all>[A-Za-z](?:\s*,?\s*[A-Za-z])*)\s*\}|(?P<one>[A-Za-z]))"
)
_UPPER = re.compile(
    r"\s*\^\s*(?:([A-Za-z0-9])|\{\s*([A-Za-z0-9]+(?:\s*[-+]\s*[A-Za-z0-9]+)?)\s*\})"
)


@dataclass(frozen=True)
class Limits:
    """Letters, the range of the first where it is stated, and a condition on them."""

    letters: tuple[str, ...]
    stated: str
    condition: str
    stop: int


@dataclass
class Ranges:
    """How far letters run, as sums say it and as names have them below; the shapes that follow."""

    named: dict[str, str] = field(default_factory=dict)  # a letter from 1 to a size
    bound: set[str] = field(default_factory=set)
    tied: list[tuple[str, str]] = field(default_factory=list)  # letters that are compared
    uses: dict[str, set[tuple[str, ...]]] = field(default_factory=dict)

    def read(self, text: str, start: int, at: int) -> Limits:
        """What stands below and above a sum; Fault where it is not read."""
        match = _LIMIT.match(text, at)
        if match is None:
            hint = r"write \sum_{i=1}^n, \sum_i, \sum_{i,j}, \sum_{i<j} or \sum_{j \ne i}"
            raise Fault("what is summed over is not read", start, at, hint)
        stop = match.end()
        letters = re.findall("[A-Za-z]", match["first"] or match["all"] or match["one"] or "")
        condition = ""
        if match["left"]:
            pair = (match["left"], match["right"])
            letters = [x for x in pair if x not in self.bound] or [pair[0]]
            relation = _RELATIONS[match["word"] or match["sign"]]
            condition = f"[{pair[0]} {relation} {pair[1]}] "
            self.tied.append(pair)
            if relation == "≠":
                condition = f"(1 - δ_{{{pair[0]},{pair[1]}}}) "
        stated = ""
        upper = _UPPER.match(text, stop)
        if upper:
            stop = upper.end()
            last = re.sub(r"\s", "", upper[1] or upper[2])
            size = last.removesuffix("-1")  # up to n − 1 where x_{i+1} stands beside
            if len(size) == 1 and size.isalpha():
                self.named.update(dict.fromkeys(letters, size))
            if match["from"] and (
                size != last or match["from"] != "1" or size not in self.named.values()
            ):
                stated = f"{{{letters[0]}={match['from']}}}^{{{last}}}"
        self.bound.update(letters)
        return Limits(tuple(letters), stated, condition, stop)

    def use(self, name: str, below: str) -> None:
        """A name with letters below, or with none."""
        self.uses.setdefault(name, set()).add(tuple(below.split(",")) if below else ())

    def shapes(self, taken: Collection[str]) -> dict[str, tuple[str, ...]]:
        """The shapes of the names with letters; of marked names without, that of a number.

        Letters on one axis of a name run over one size, called as a sum says, else by a new name.
        """
        joined: dict[str, str] = {}

        def root(letter: str) -> str:
            while letter in joined:
                letter = joined[letter]
            return letter

        for first, second in self.tied:
            if root(first) != root(second):
                joined[root(first)] = root(second)
        for uses in self.uses.values():
            orders = {len(letters) for letters in uses}
            for axis in range(max(orders) if len(orders) == 1 else 0):
                first, *others = sorted({root(_bare(letters[axis])) for letters in uses})
                joined.update(dict.fromkeys(others, first))
        sizes: dict[str, str] = {}
        for letter, size in self.named.items():
            if sizes.setdefault(root(letter), size) != size:
                return {}
        spare = [s for s in "mnpqrsuvw" if s not in {*taken, *self.named.values()}]
        found: dict[str, tuple[str, ...]] = {}
        for name, uses in self.uses.items():
            if len({len(letters) for letters in uses}) > 1:
                continue
            letters = min(uses)
            if not letters and "_" in name:
                found[name] = ()
            for letter in letters:
                if root(_bare(letter)) not in sizes:
                    if not spare:
                        return {}
                    sizes[root(_bare(letter))] = spare.pop(0)
            if letters:
                found[name] = tuple([sizes[root(_bare(letter))] for letter in letters])
        return found


def _bare(letter: str) -> str:
    """The letter of i+1."""
    return letter[0]

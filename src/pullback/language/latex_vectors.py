r"""Vectors with a letter below, beside a sum in LaTeX: ``w^\top x_i``, ``\|A x_i - b\|^2``.

x_i is row i of a matrix x; the products are written out, with letters of their own.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field

from pullback.language.faults import Fault
from pullback.language.latex import TOP
from pullback.language.latex_limits import Ranges
from pullback.language.latex_names import ACCENTED, name_in

BLANK = re.compile(
    r"(?:\s|(?<!\\)%[^\n]*|\\(?:left|right|[bB]igg?[lrm]?)(?![A-Za-z])\.?|\\[,;:!> ]|\\q?quad(?![A-Za-z])|"
    r"\\(?:displaystyle|textstyle|limits|nolimits)(?![A-Za-z])|[&~$]|\\[\[\]()]|"
    r"\\(?:begin|end)\s*\{(?:aligned|align|align\*|equation|equation\*|gathered|split)\})+"
)
WORD = r"\\(?:operatorname\*?|mathrm|text|textrm|mathop)\s*\{\s*([A-Za-z]\w*)\s*\}"
_BELOW = r"\s*_\s*(?:[0-9]|\{\s*(?:[0-9]+|\\(?:text|mathrm)\s*\{\w+\})\s*\})"  # part of a name
NAME = re.compile(
    rf"(?:{ACCENTED}|\\pi(?=\s*_))(?:{_BELOW})?|{WORD}(?!\s*[(\[{{A-Za-z\\])(?:{_BELOW})?"
)
TRANSPOSE = re.compile(rf"\^\s*(?:(?:{TOP})|\{{\s*(?:{TOP})\s*\}})|'")
_LETTERS = re.compile(r"\s*_\s*(?:([A-Za-z])|\{([^{}]*)\})")
_SQUARE = r"\^\s*(?:2|\{\s*2\s*\})"
_AFTER_NORM = re.compile(rf"\s*({_SQUARE})?\s*(_\s*(?:2|F|\{{\s*[2F]\s*\}}))?\s*({_SQUARE})?")


@dataclass
class Vectors:
    """What a writer of text in indices needs for names: their letters, and products of vectors."""

    text: str
    known: Collection[str]
    at: int = 0
    vector: str = ""  # the letter of the vectors inside a norm
    named: bool = False  # whether the term inside a norm has its vector
    out: list[str] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    ranges: Ranges = field(default_factory=Ranges)

    def __post_init__(self) -> None:
        bare = re.sub(r"\\[A-Za-z]+", " ", self.text)
        self.fresh = [c for c in "dklmpqrstuvw" if c not in bare]

    def put(self, text: str, at: int) -> None:
        self.out.append(text)
        self.places += [at] * len(text)

    def fault(self, message: str, start: int, hint: str = "") -> Fault:
        return Fault(message, start, max(self.at, start + 1), hint)

    def blanks(self) -> None:
        match = BLANK.match(self.text, self.at)
        self.at = match.end() if match else self.at

    def peek(self) -> str:
        self.blanks()
        return self.text[self.at : self.at + 1]

    def item(self) -> None:
        raise NotImplementedError

    def items(self, closing: str, product: bool = False) -> None:
        raise NotImplementedError

    def letters(self) -> str | None:
        """The letters below what stands here, as the new text has them."""
        match = _LETTERS.match(self.text, self.at)
        if match is None:
            return None
        inside = match[1] or re.sub(r"\s|\\,", "", match[2])
        commas = "," in inside
        parts = inside.split(",") if commas else re.findall(r"[A-Za-z](?:[-+][0-9]+)?", inside)
        single = all(re.fullmatch(r"[A-Za-z](?:[-+][0-9]+)?", part) for part in parts)
        if not single or not parts or ",".join(parts) != (inside if commas else ",".join(parts)):
            hint = "write x_i, X_{ij} or x_{i+1}"
            raise Fault("these letters below are not read", *match.span(), hint)
        if not commas and "".join(parts) != inside:
            hint = "write x_i, X_{ij} or x_{i+1}"
            raise Fault("these letters below are not read", *match.span(), hint)
        self.at = match.end()
        return ",".join(parts)

    def chain(self, name: str, letters: str | None, at: int) -> bool:
        """``x_i^T A y`` as a sum of its own: a vector that stands up, matrices, a vector."""
        turned = TRANSPOSE.match(self.text, self.at)
        if turned is None or self.vector or (letters is None and name[:1].isupper()):
            return False
        begin, self.at = self.at, turned.end()
        matrices: list[tuple[str, bool]] = []
        while True:
            self.blanks()
            match = NAME.match(self.text, self.at)
            if match is None or len(self.fresh) < len(matrices) + 1:
                self.at = begin
                return False
            other = name_in(match[0], self.known)
            self.at = match.end()
            below = self.letters()
            flipped = TRANSPOSE.match(self.text, self.at)
            if below is not None or not other[:1].isupper():
                break
            matrices.append((other, flipped is not None))
            self.at = flipped.end() if flipped else self.at
        if flipped is not None:
            self.at = begin
            return False
        inner = [self.fresh.pop(0) for _ in range(len(matrices) + 1)]
        factors = [(name, ",".join(filter(None, [letters, inner[0]])))]
        for k, (matrix, flip) in enumerate(matrices):
            pair = inner[k : k + 2]
            factors.append((matrix, ",".join(reversed(pair) if flip else pair)))
        factors.append((other, ",".join(filter(None, [below, inner[-1]]))))
        for each, indices in factors:
            self.ranges.use(each, indices)
        sums = "".join([f"Σ_{letter} " for letter in inner])
        written = " ".join([f"{each}_{{{indices}}}" for each, indices in factors])
        self.put(f"({sums}{written})", at)
        return True

    def entry_of_vector(self, name: str, letters: str | None, at: int) -> None:
        """Inside a norm a name is a vector, with matrices in front of it: its entry."""
        if self.named:
            message = "a product of vectors has no norm"
            raise self.fault(message, at, "name it on a line of its own")
        if self.peek() and NAME.match(self.text, self.at) and letters is None and self.fresh:
            if not name[:1].isupper():
                hint = "write a number in front of the norm"
                raise self.fault("what stands beside a vector here is read as a matrix", at, hint)
            row, self.vector = self.vector, self.fresh.pop(0)
            self.put(f"(Σ_{self.vector} {name}_{{{row},{self.vector}}} ", at)
            self.ranges.use(name, f"{row},{self.vector}")
            self.item()
            self.put(")", at)
            self.vector = row
            return
        below = ",".join(filter(None, [letters, self.vector]))
        self.put(f"{name}_{{{below}}} ", at)
        self.ranges.use(name, below)
        self.named = True
        if self.peek() in ("^", "'", "_"):
            raise self.fault("in a norm beside a sum over an index this is not read", at)

    def norm(self, at: int, closes: str) -> None:
        """‖…‖, of what has letters as a sum over one more."""
        stop = self.text.find(closes, self.at)
        if stop < 0:
            raise self.fault("this norm is never closed", at)
        inside = re.sub(r"[{\s]", "", self.text[self.at : stop])
        after = _AFTER_NORM.match(self.text, stop + len(closes))
        assert after is not None
        squared = bool(after[1] or after[3])
        if re.match(r"\s*_", self.text[after.end() :]):
            message = "of norms beside a sum over an index only the Euclidean is read"
            raise Fault(message, at, stop)
        if not re.search(r"_[A-Za-z]", inside) or not self.fresh:
            self.put("‖", at)
            self.items(closes)
            self.put("‖^2" if squared else "‖", self.at)
        else:
            self.vector, self.named = self.fresh.pop(0), False
            self.put(f"(Σ_{self.vector} (" if squared else f"sqrt(Σ_{self.vector} (", at)
            self.items(closes)
            self.put(")^2)", self.at)
            self.vector = ""
        self.at = after.end()

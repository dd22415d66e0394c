r"""Sums over an index in LaTeX, as text in indices: ``\sum_{i=1}^n y_i \log p_i``.

What has ``\sum_i``, ``\prod_i`` or ``\max_i`` is written anew for :mod:`pullback.language.index`,
with the place of every character kept. Names with a letter below are vectors and matrices of
numbers, unless a product or a norm makes vectors of them (:mod:`.latex_vectors`).
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field

from pullback.language.calls import FUNCTION_NAMES, similar
from pullback.language.faults import DEEPEST, Fault
from pullback.language.latex import COMMANDS, DEFINED, HINTS, OTHER_WORDS, refuse_derivatives
from pullback.language.latex_limits import OVER
from pullback.language.latex_names import GREEK, name_in
from pullback.language.latex_vectors import NAME, TRANSPOSE, WORD, Vectors

_SIGMOID = re.compile(r"(?:\\sigma|σ)\s*(?:\\left\s*)?\(")
_WORD = re.compile(WORD)
_COMMAND = re.compile(r"\\([A-Za-z]+|.)")
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?|\.[0-9]+")
_EXPONENT = re.compile(rf"[0-9]|[A-Za-z]|\\(?:{GREEK})(?![A-Za-z])")
_MARK = re.compile(r"\^\s*\{\s*\(\s*\w+\s*\)\s*\}")
_SIGNS = {"cdot": "*", "times": "*", "pi": "π "}
_FUNCTIONS = {*"fghpKN", "phi", "psi", "Gamma", "kappa"}  # in front of a parenthesis
_CLOSES = {"(": ")", "[": "]", "{": "}"}
_ENDS = "+-−,=)]};|‖"
_STOPS = re.compile(r"\\(?:[|\\]|[lr][vV]ert(?![A-Za-z]))")  # end a product too
_AFTER_ARGUMENT = re.compile(r"\\(?:log|ln|exp|[lr][vV]ert|\||\\|cdot)")


def has_sums(text: str) -> bool:
    r"""Whether a text in LaTeX has ``\sum_i`` or its like."""
    return any(
        match[1] in ("sum", "prod") or _least_entry(text, match) for match in OVER.finditer(text)
    )


def _least_entry(text: str, over: re.Match[str]) -> bool:
    r"""Whether ``\min_i`` is over a place: i stands below a name, as the x of ``\min_x`` does not."""
    letter = re.compile(r"\s*\{?\s*([A-Za-z])").match(text, over.end())
    if letter is None or re.search(r"\\arg\s*$", text[: over.start()]):
        return False
    return re.search(rf"_\s*\{{?[A-Za-z,\s]*{letter[1]}", text[letter.end() :]) is not None


@dataclass(frozen=True)
class Translated:
    """The text in indices, where each of its characters stands, and shapes that follow."""

    text: str
    places: list[int]
    shapes: dict[str, tuple[str, ...]]


def in_indices(text: str, known: Collection[str]) -> Translated:
    """A text in LaTeX as one in indices; Fault where it has no such meaning."""
    plain = DEFINED.sub(lambda m: m[1] + m[2] + " " * len(m[3]), text)
    refuse_derivatives(plain, known)
    writer = _Writer(plain, frozenset(known))
    writer.items("")
    made = "".join(writer.out)
    taken = {*known, *writer.ranges.uses}
    return Translated(made, writer.places, {} if writer.wholes else writer.ranges.shapes(taken))


@dataclass
class _Writer(Vectors):
    depth: int = 0
    defined: set[str] = field(default_factory=set)  # names of lines
    wholes: bool = (
        False  # whether letters stand on something in parentheses, which has sizes of its own
    )

    def items(self, closing: str, product: bool = False) -> None:
        """Everything up to a closing sign; of a ``product`` up to the next term."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.fault(f"more than {DEEPEST} parts inside each other", self.at)
        first = self.at
        while True:
            sign = self.peek()
            if not sign or (closing and self.text.startswith(closing, self.at)):
                break
            if product and (sign in _ENDS or _STOPS.match(self.text, self.at)):
                break
            self.item()
        if closing and not self.peek():
            raise Fault(f"this part is never closed by {closing}", first - 1, first)
        self.depth -= 1

    def item(self) -> None:
        """One name, number, sign or bracket with what is raised to it."""
        at, sign = self.at, self.text[self.at]
        name = None if self._is_sigmoid() else NAME.match(self.text, at)
        if name and not self._is_euler(name[0]):
            self.at = name.end()
            self._named(name_in(name[0], self.known), at)
        elif name:
            self.put("exp", at)
            self.at = self.text.index("^", at) + 1
            self._exponent()
        elif sign == "\\":
            self._command()
        elif number := _NUMBER.match(self.text, at):
            self.put(number[0] + " ", at)
            self.at = number.end()
            self._suffixes()
        elif sign in _CLOSES:
            self._group()
            self._suffixes()
        elif sign == "|":
            self._modulus("|", "|")
        elif sign in "+-−=,/;":
            self.put(sign + " ", at)
            self.named = False
            self.at += 1
        elif sign == "σ":
            self.at += 1
            self._function("sigmoid", at)
        else:
            hint = "beside a sum over an index, norms, fractions, roots and functions are read"
            raise Fault(f"'{sign}' has no meaning here", at, at + 1, hint)

    def _group(self) -> None:
        """A part in brackets, in parentheses."""
        closes = _CLOSES[self.text[self.at]]
        self.put("(", self.at)
        self.at += 1
        self.items(closes)
        self.put(")", self.at)
        self.at += 1

    def _is_sigmoid(self) -> bool:
        declared = "sigma" in self.known or "σ" in self.known
        return not declared and _SIGMOID.match(self.text, self.at) is not None

    def _is_euler(self, name: str) -> bool:
        after = self.text[self.at + len(name) :][:40]
        raised = re.match(r"\s*\^(?!\s*\{?\s*(?:\\top|T))", after)
        return name == "e" and "e" not in self.known and raised is not None

    def _named(self, name: str, at: int) -> None:
        if name in _FUNCTIONS and name not in self.known and self.text.startswith("(", self.at):
            hint = f"declare {name}, or write {name} \\cdot (…)"
            raise self.fault(f"{name}(…) may be a function or a product", at, hint)
        letters = self.letters()
        if self.chain(name, letters, at):
            return
        if self.vector:
            self.entry_of_vector(name, letters, at)
            return
        self.put(f"{name}_{{{letters}}}" if letters else name + " ", at)
        if self.peek() == "=":
            self.defined.add(name)
        if name not in self.defined:
            self.ranges.use(name, letters or "")
        self._suffixes()
        self.put(" ", at)

    # what is raised

    def _suffixes(self) -> None:
        while True:
            sign = self.peek()
            if sign == "_" and self.out and self.out[-1] == ")":
                self.put(f"_{{{self.letters()}}}", self.at)
                self.wholes = True
            elif sign != "^" and sign != "'":
                return
            elif turned := TRANSPOSE.match(self.text, self.at):
                self.put("ᵀ", self.at)
                self.at = turned.end()
            elif mark := _MARK.match(self.text, self.at):
                hint = "write the mark below, as in y_i, or the power without parentheses"
                raise Fault("this may be a mark or a power", *mark.span(), hint)
            else:
                self.put("^", self.at)
                self.at += 1
                self._exponent()

    def _exponent(self) -> None:
        if self.peek() == "{":
            self._group()
            return
        match = _EXPONENT.match(self.text, self.at)
        if match is None:
            raise self.fault("what is raised to is not read", self.at, "write ^{…}")
        text = match[0] if match[0].isdigit() else name_in(match[0], self.known)
        self.put(f"({text})", self.at)
        self.at = match.end()

    # commands

    def _command(self) -> None:
        at = self.at
        word = _WORD.match(self.text, at)
        match = word or _COMMAND.match(self.text, at)
        if match is None:
            raise Fault("'\\' has no meaning here", at, at + 1)
        found, self.at = match[1], match.end()
        if OVER.match(self.text, at):
            self._over(found, at)
        elif found in ("frac", "tfrac", "dfrac"):
            self.put("(", at)
            self._braced()
            self.put("/", at)
            self._braced()
            self.put(")", at)
            self._suffixes()
        elif found == "sqrt" and self.peek() != "[":
            self.put("sqrt", at)
            self._braced()
        elif found in ("|", "Vert", "lVert"):
            self.norm(at, r"\rVert" if found == "lVert" else "\\" + found)
        elif found == "lvert":
            self.at = at
            self._modulus(r"\lvert", r"\rvert")
        elif found in ("{", "lbrace"):
            self.put("(", at)
            self.items("\\" + {"{": "}", "lbrace": "rbrace"}[found])
            self.put(")", at)
            self.at += len(found) + 1
            self._suffixes()
        elif found == "\\":
            self.put(";", at)
        elif found in _SIGNS:
            self.put(_SIGNS[found], at)
        elif found == "sigma":
            self._function("sigmoid", at)
        elif found in COMMANDS or (word and found in {*FUNCTION_NAMES, *OTHER_WORDS}):
            self._function(COMMANDS.get(found, OTHER_WORDS.get(found, found)), at)
        elif word is None:
            raise self.fault(f"'\\{found}' has no meaning here", at, HINTS.get(found, ""))
        else:
            raise self.fault(f"unknown function '{found}'", at, similar(found, FUNCTION_NAMES))

    def _braced(self) -> None:
        if self.peek() == "{":
            self._group()
        elif self.peek().isalnum():
            self.put(self.peek(), self.at)
            self.at += 1
        else:
            raise self.fault("a part in {} is expected here", self.at)

    def _function(self, name: str, at: int) -> None:
        self.put(name, at)
        sign = self.peek()
        if sign in _CLOSES:
            self._group()
            self._suffixes()
            return
        if sign == "^":
            hint = "put it at the end"
            raise self.fault("this power of a function has two readings", at, hint)
        self.put("(", self.at)
        if OVER.match(self.text, self.at):
            self.items("", product=True)
        elif sign:
            self.item()
            open_ = self.peek() and self.peek() not in _ENDS
            if open_ and not _AFTER_ARGUMENT.match(self.text, self.at):
                message = "where this argument ends is open"
                raise Fault(message, self.at, self.at + 1, "write parentheses")
        self.put(")", self.at)

    def _over(self, found: str, at: int) -> None:
        """A sum, product or extreme value over letters: of the product that follows."""
        over = OVER.match(self.text, at)
        if over and found in ("max", "min") and not _least_entry(self.text, over):
            message = "a least or largest value is not read"
            raise self.fault(message, at, "state the function alone")
        limits = self.ranges.read(self.text, at, self.text.index("_", at) + 1)
        self.at = limits.stop
        if found == "sum":
            sums = [f"Σ_{limits.stated or letter} " for letter in limits.letters]
            self.put("".join(sums) + limits.condition, at)
            return
        if limits.condition or limits.stated:
            raise self.fault(f"\\{found} over a part of an axis is not read", at)
        for letter in limits.letters:
            self.put(f"{found}_{letter}(", at)
        self.items("", product=True)
        self.put(")" * len(limits.letters), self.at)

    def _modulus(self, opens: str, closes: str) -> None:
        self.put("abs(", self.at)
        self.at += len(opens)
        self.items(closes)
        self.put(")", self.at)
        self.at += len(closes)
        self._suffixes()

"""What the parts of the C writer share: names, places, and how a value is written down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from pullback.compilation.ir import Literal, Register
from pullback.compilation.naming import Namer
from pullback.compilation.native import spelling
from pullback.compilation.native.places import Place
from pullback.compilation.targets.numpy import Text
from pullback.expressions.sizes import Size

INDENT = "    "


@dataclass
class Scope:
    """The function that is being written."""

    sizes: dict[str, str]  # a size → its name in C
    namer: Namer
    checked: bool  # whether operations that leave the reals are looked for
    note: Callable[[Register], str | None]  # the formula of a value that has a line of its own
    wanted: dict[Register, str]  # names that the user gave
    signs: dict[Register, int]  # what is known of values
    texts: dict[Register, Text] = field(default_factory=dict)  # numbers: their names
    places: dict[Register, Place] = field(default_factory=dict)  # arrays
    parts: dict[Register, list[Place]] = field(default_factory=dict)  # results of a factorisation
    overwritten: set[Register] = field(default_factory=set)  # read before their space is reused
    lines: list[str] = field(default_factory=list)

    def size(self, size: Size) -> Text:
        return spelling.size(size, self.sizes)

    def number(self, source: Register | Literal, *, beside_real: bool = False) -> Text:
        """A literal or a value without axes."""
        if isinstance(source, Literal):
            return spelling.number(source.value, beside_real=beside_real)
        return self.texts[source]

    def name(self, register: Register, letter: str = "t") -> str:
        wanted = self.wanted.get(register)
        return self.namer.name(wanted) if wanted else self.namer.temporary(letter)

    def say(self, *lines: str) -> None:
        self.lines += lines

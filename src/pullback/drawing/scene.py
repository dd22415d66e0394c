"""A picture before any medium: rectangles, lines, discs and labels, in pixels, y downwards.

Everything that is drawn is a :class:`Scene`; :mod:`.svg` and :mod:`.plotting` write it. Colours are
names of a :class:`Theme`, or literal where they mean a number.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

from pullback.errors import PullbackError

Point = tuple[float, float]
Anchor = Literal["start", "middle", "end"]
ThemeName = Literal["auto", "light", "dark"]

FONT = "DejaVu Sans, Verdana, sans-serif"  # wide and with every sign that formulas have


@dataclass(frozen=True)
class Theme:
    """What the names of colours mean; an empty background is transparent."""

    ink: str
    muted: str
    faint: str  # hatches and frames
    paper: str  # the inside of boxes
    accent: str  # gradients
    second: str  # inputs
    background: str = ""

    def colour(self, name: str) -> str:
        """A colour of this theme by its name, any other text as it is."""
        return str(getattr(self, name, name)) if name.isalpha() and name != "none" else name


# "auto" takes the colour of the text around it and is readable on white and on black
THEMES: dict[str, Theme] = {
    "auto": Theme("currentColor", "#7d838c", "#9aa0a8", "none", "#c8641b", "#3b82c4"),
    "light": Theme("#1b1e23", "#5b616a", "#9aa0a8", "#ffffff", "#b4520f", "#1f66ad", "#ffffff"),
    "dark": Theme("#e9ebee", "#a4abb5", "#6d747d", "#20242b", "#f0a066", "#7db8f0", "#14171c"),
}


def theme_of(name: str) -> Theme:
    """The theme of this name; PullbackError for another."""
    if name not in get_args(ThemeName):
        raise PullbackError(f"there is no theme '{name}'", hint="themes: auto, light, dark")
    return THEMES[name]


@dataclass(frozen=True)
class Rect:
    """A rectangle from its upper left corner; ``told`` is what a pointer over it shows."""

    x: float
    y: float
    width: float
    height: float
    fill: str = "none"
    stroke: str = "none"
    line: float = 1.0
    radius: float = 0.0
    told: str = ""


@dataclass(frozen=True)
class Line:
    """A line through points; ``curved`` enters and leaves each of them along one direction."""

    points: tuple[Point, ...]
    colour: str = "ink"
    width: float = 1.0
    arrow: bool = False
    curved: Literal["", "down", "right"] = ""


@dataclass(frozen=True)
class Strokes:
    """Many short straight lines of one colour, as a hatch has them."""

    lines: tuple[tuple[float, float, float, float], ...]
    colour: str = "faint"
    width: float = 0.8


@dataclass(frozen=True)
class Disc:
    """A disc around its centre."""

    x: float
    y: float
    radius: float
    fill: str = "ink"


@dataclass(frozen=True)
class Label:
    """A line of text; ``y`` is its middle."""

    x: float
    y: float
    text: str
    size: float = 12.0
    anchor: Anchor = "middle"
    colour: str = "ink"
    bold: bool = False


Shape = Rect | Line | Strokes | Disc | Label


@dataclass
class Scene:
    """Shapes in the order in which they are drawn, on a page of a size, under a title."""

    width: float
    height: float
    title: str
    shapes: list[Shape] = field(default_factory=list)

    def add(self, *shapes: Shape) -> None:
        self.shapes.extend(shapes)

    def put(self, other: Scene, x: float, y: float) -> None:
        """Another scene inside this one, its corner moved to a place."""
        self.shapes.extend([_moved(shape, x, y) for shape in other.shapes])

    @property
    def labels(self) -> list[Label]:
        return [shape for shape in self.shapes if isinstance(shape, Label)]


def _moved(shape: Shape, x: float, y: float) -> Shape:
    values = dict(shape.__dict__)
    if isinstance(shape, Line):
        values["points"] = tuple([(a + x, b + y) for a, b in shape.points])
    elif isinstance(shape, Strokes):
        values["lines"] = tuple([(a + x, b + y, c + x, d + y) for a, b, c, d in shape.lines])
    else:
        values["x"], values["y"] = shape.x + x, shape.y + y
    return type(shape)(**values)


_NARROW = frozenset("ijltfrI.,:;|'!()[]/\\·ᵢⱼ ‖")
_WIDE = frozenset("mwMW@%=+<>~^#⊙⊗×−…Σ—")


def text_width(text: str, size: float = 12.0) -> float:
    """About how wide a text is set, rather more than less.

    >>> text_width("iii") < text_width("nnn") < text_width("mmm")
    True
    """
    total = 0.0
    for c in text:
        if c in _NARROW:
            total += 0.41
        elif c in _WIDE or ord(c) > 0x2E7F:
            total += 1.0
        elif c.isupper():
            total += 0.79
        else:
            total += 0.645
    return total * size


def shortened(text: str, width: float, size: float = 12.0) -> str:
    """The text, its end left out where it is wider than there is room.

    >>> shortened("a long formula", 60)
    'a long…'
    """
    if text_width(text, size) <= width:
        return text
    room = width - text_width("…", size)
    kept = ""
    for c in text:
        if text_width(kept + c, size) > room:
            break
        kept += c
    return kept.rstrip() + "…"

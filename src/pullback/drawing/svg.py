"""A scene as SVG: text in the names of any alphabet, nothing loaded, nothing that runs."""

from __future__ import annotations

from html import escape

from pullback.drawing.scene import FONT, Disc, Label, Line, Rect, Scene, Strokes, Theme, theme_of


def svg(scene: Scene, theme: str = "auto") -> str:
    """The scene as an ``svg`` element that may stand in a page or in a file of its own.

    >>> drawn = svg(Scene(10, 10, "a <b>", [Label(5, 5, "<script>")]))
    >>> "<script" in drawn, "&lt;script&gt;" in drawn
    (False, True)
    """
    colours = theme_of(theme)
    width, height = _n(scene.width), _n(scene.height)
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    look = f'role="img" font-family="{FONT}" style="max-width:100%;height:auto"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {look}>',
        f"<title>{text(scene.title)}</title>",
    ]
    if colours.background:
        parts.append(f'<rect width="100%" height="100%" fill="{colours.background}"/>')
    for shape in scene.shapes:
        if isinstance(shape, Rect):
            parts.append(_rect(shape, colours))
        elif isinstance(shape, Line):
            parts.append(_line(shape, colours))
        elif isinstance(shape, Strokes):
            parts.append(_strokes(shape, colours))
        elif isinstance(shape, Disc):
            parts.append(
                f'<circle cx="{_n(shape.x)}" cy="{_n(shape.y)}" r="{_n(shape.radius)}"'
                f' fill="{colours.colour(shape.fill)}"/>'
            )
        else:
            parts.append(_label(shape, colours))
    return "\n".join([*parts, "</svg>"]) + "\n"


def text(value: str) -> str:
    """Text that XML may hold: markup escaped, characters that XML forbids left out."""
    allowed = "".join(c for c in value if c.isprintable() or c == " ")
    return escape(allowed)


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _rect(rect: Rect, colours: Theme) -> str:
    shape = (
        f'<rect x="{_n(rect.x)}" y="{_n(rect.y)}" width="{_n(rect.width)}"'
        f' height="{_n(rect.height)}" fill="{colours.colour(rect.fill)}"'
    )
    if rect.radius:
        shape += f' rx="{_n(rect.radius)}"'
    if rect.stroke != "none":
        shape += f' stroke="{colours.colour(rect.stroke)}" stroke-width="{_n(rect.line)}"'
    return f"{shape}><title>{text(rect.told)}</title></rect>" if rect.told else f"{shape}/>"


def _strokes(strokes: Strokes, colours: Theme) -> str:
    path = "".join(f"M{_n(a)} {_n(b)}L{_n(c)} {_n(d)}" for a, b, c, d in strokes.lines)
    return (
        f'<path d="{path}" stroke="{colours.colour(strokes.colour)}"'
        f' stroke-width="{_n(strokes.width)}" fill="none"/>'
    )


def _line(line: Line, colours: Theme) -> str:
    colour = colours.colour(line.colour)
    (x, y), *rest = line.points
    path = f"M{_n(x)} {_n(y)}"
    for a, b in rest:
        if line.curved == "down":
            half = (y + b) / 2
            path += f"C{_n(x)} {_n(half)} {_n(a)} {_n(half)} {_n(a)} {_n(b)}"
        elif line.curved == "right":
            half = (x + a) / 2
            path += f"C{_n(half)} {_n(y)} {_n(half)} {_n(b)} {_n(a)} {_n(b)}"
        else:
            path += f"L{_n(a)} {_n(b)}"
        x, y = a, b
    drawn = f'<path d="{path}" stroke="{colour}" stroke-width="{_n(line.width)}" fill="none"/>'
    if line.arrow:
        points = " ".join(f"{_n(a)},{_n(b)}" for a, b in arrow_head(line))
        drawn += f'\n<polygon points="{points}" fill="{colour}"/>'
    return drawn


def arrow_head(line: Line, length: float = 7.0, width: float = 3.2) -> list[tuple[float, float]]:
    """The triangle at the end of a line, along the direction in which the line arrives."""
    (x, y), (a, b) = line.points[-2:]
    if line.curved == "down":
        dx, dy = 0.0, 1.0 if b >= y else -1.0
    elif line.curved == "right":
        dx, dy = 1.0 if a >= x else -1.0, 0.0
    else:
        size = max(((a - x) ** 2 + (b - y) ** 2) ** 0.5, 1e-9)
        dx, dy = (a - x) / size, (b - y) / size
    back = (a - length * dx, b - length * dy)
    return [
        (a, b),
        (back[0] - width * dy, back[1] + width * dx),
        (back[0] + width * dy, back[1] - width * dx),
    ]


def _label(label: Label, colours: Theme) -> str:
    bold = ' font-weight="bold"' if label.bold else ""
    return (
        f'<text x="{_n(label.x)}" y="{_n(label.y + 0.35 * label.size)}"'
        f' font-size="{_n(label.size)}" text-anchor="{label.anchor}"'
        f' fill="{colours.colour(label.colour)}"{bold}>{text(label.text)}</text>'
    )

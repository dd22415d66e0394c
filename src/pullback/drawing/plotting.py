"""A scene on matplotlib axes, and as PNG or PDF. Matplotlib is imported when it is used."""

from __future__ import annotations

from importlib import import_module
from io import BytesIO
from typing import Any
from warnings import catch_warnings, filterwarnings

from pullback.drawing.scene import Disc, Label, Line, Rect, Scene, Strokes, Theme, theme_of
from pullback.drawing.svg import arrow_head
from pullback.errors import PullbackError

PIXEL = 0.75  # points of a pixel at 96 to the inch
ALIGNED = {"start": "left", "middle": "center", "end": "right"}


def matplotlib() -> Any:
    """Matplotlib, or a PullbackError that says how to get it."""
    try:
        return import_module("matplotlib")
    except ImportError:
        raise PullbackError(
            "a plot needs matplotlib, which is not installed", hint="pip install matplotlib"
        ) from None


def new_figure(width: float, height: float, dpi: float = 96) -> Any:
    """A figure of so many pixels, without pyplot, so that none is left open."""
    matplotlib()
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure: Any = Figure(figsize=(width / 96, height / 96), dpi=dpi)
    FigureCanvasAgg(figure)
    return figure


def plot(scene: Scene, axes: Any = None, theme: str = "light") -> Any:
    """The scene on axes, new ones unless given; returns the axes."""
    colours = theme_of(theme)
    if axes is None:
        figure = new_figure(scene.width, scene.height)
        axes = figure.add_axes((0, 0, 1, 1))
        if colours.background:
            figure.patch.set_facecolor(colours.background)
        else:
            figure.patch.set_alpha(0)
    axes.set_xlim(0, scene.width)
    axes.set_ylim(scene.height, 0)
    axes.set_aspect("equal")
    axes.set_axis_off()
    for shape in scene.shapes:
        _draw(shape, axes, colours)
    return axes


def image(scene: Scene, theme: str = "light", format: str = "png", scale: float = 2.0) -> bytes:
    """The scene as the bytes of a PNG or PDF file."""
    figure = plot(scene, theme=theme).figure
    return saved(figure, format, 96 * scale)


def saved(figure: Any, format: str, dpi: float) -> bytes:
    """A figure as a file, the same bytes for the same picture."""
    file = BytesIO()
    undated = {"pdf": {"CreationDate": None}, "svg": {"Date": None}}.get(format, {})
    settings = {"svg.hashsalt": "pullback", "svg.fonttype": "none"}
    with matplotlib().rc_context(settings), catch_warnings():
        filterwarnings("ignore", message="Glyph .* missing")  # of a name: it is drawn as a box
        figure.savefig(file, format=format, dpi=dpi, metadata=undated)
    return file.getvalue()


def ink(colour: str) -> str:
    """A colour that matplotlib knows: it has no text around it to take one from."""
    return "#7d838c" if colour == "currentColor" else colour


def plain(text: str) -> str:
    """Text in which matplotlib sees no formula, and signs that its font has."""
    printable = "".join(c for c in text if c.isprintable())
    return printable.replace("$", r"\$").replace("𝟏", "1")


def _draw(shape: Any, axes: Any, colours: Theme) -> None:
    from matplotlib.collections import LineCollection  # noqa: PLC0415
    from matplotlib.patches import Circle, FancyBboxPatch, PathPatch, Polygon, Rectangle  # noqa: PLC0415
    from matplotlib.path import Path  # noqa: PLC0415

    def paint(name: str) -> str:
        return ink(colours.colour(name))

    look: dict[str, Any]
    if isinstance(shape, Rect):
        look = {
            "facecolor": paint(shape.fill),
            "edgecolor": paint(shape.stroke),
            "linewidth": shape.line * PIXEL if shape.stroke != "none" else 0,
        }
        corner, size = (shape.x, shape.y), (shape.width, shape.height)
        if shape.radius:
            style = f"round,pad=0,rounding_size={shape.radius}"
            axes.add_patch(FancyBboxPatch(corner, *size, boxstyle=style, **look))
        else:
            axes.add_patch(Rectangle(corner, *size, **look))
    elif isinstance(shape, Line):
        points, codes = [shape.points[0]], [Path.MOVETO]
        for a, b in shape.points[1:]:
            x, y = points[-1]
            if shape.curved:
                down = shape.curved == "down"
                points += [(x, (y + b) / 2), (a, (y + b) / 2)] if down else []
                points += [] if down else [((x + a) / 2, y), ((x + a) / 2, b)]
                codes += [Path.CURVE4] * 2
            points.append((a, b))
            codes.append(Path.CURVE4 if shape.curved else Path.LINETO)
        look = {"edgecolor": paint(shape.colour), "linewidth": shape.width * PIXEL}
        axes.add_patch(PathPatch(Path(points, codes), facecolor="none", **look))
        if shape.arrow:
            axes.add_patch(
                Polygon(arrow_head(shape), facecolor=paint(shape.colour), edgecolor="none")
            )
    elif isinstance(shape, Strokes):
        lines = [[(a, b), (c, d)] for a, b, c, d in shape.lines]
        look = {"colors": paint(shape.colour), "linewidths": shape.width * PIXEL}
        axes.add_collection(LineCollection(lines, **look))
    elif isinstance(shape, Disc):
        axes.add_patch(Circle((shape.x, shape.y), shape.radius, facecolor=paint(shape.fill)))
    elif isinstance(shape, Label):
        axes.text(
            shape.x,
            shape.y,
            plain(shape.text),
            fontsize=shape.size * PIXEL,
            ha=ALIGNED[shape.anchor],
            va="center",
            color=paint(shape.colour),
            fontweight="bold" if shape.bold else "normal",
            family="DejaVu Sans",
        )

"""A function of two numbers as contours with its gradient, or as a field of arrows; by matplotlib.

The two numbers are two scalar variables, or the entries of one vector of size 2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pullback.compilation.compile import compile_nodes
from pullback.derivation.derive import derive_each
from pullback.drawing.blocks import short
from pullback.drawing.picture import Picture
from pullback.drawing.plotting import ink, new_figure, plain, saved
from pullback.drawing.scene import Scene, Theme, theme_of
from pullback.errors import PullbackError
from pullback.expressions.nodes import Node, Variable
from pullback.expressions.program import Program
from pullback.expressions.sizes import Size

FINE, ARROWS, LEVELS = 81, 17, 14  # points and arrows along a side, contours
STAND_IN = "#010203"  # becomes currentColor in an SVG without a background


class FieldPicture(Picture):
    """Contours and arrows over a square of the plane.

    ``points`` ``(2, n)`` and ``arrows`` ``(2, n)`` are where the arrows start and what they are;
    ``heights`` are the values on a grid, None for a field that is no gradient.
    """

    def __init__(
        self,
        title: str,
        labels: tuple[str, str],
        square: tuple[tuple[float, float], tuple[float, float]],
        heights: Any,
        points: Any,
        arrows: Any,
        theme: str = "auto",
    ) -> None:
        super().__init__(Scene(560, 520, title), theme)
        self.labels, self.square = labels, square
        self.heights, self.points, self.arrows = heights, points, arrows

    def svg(self, theme: str | None = None) -> str:
        """The picture as an SVG element."""
        text = self._image(theme or self.theme, "svg").decode()
        return text[text.index("<svg") :].replace(STAND_IN, "currentColor")

    def png(self, theme: str | None = None, scale: float = 2.0) -> bytes:
        """The picture as PNG."""
        return self._file(theme or self.theme, "png", 96 * scale)

    def plot(self, ax: Any = None, theme: str | None = None) -> Any:
        """The contours and arrows on matplotlib axes, new ones unless given; returns the axes."""
        colours = theme_of(theme or self.theme)
        return self._plot(ax, colours, ink(colours.ink))

    def _image(self, theme: str, format: str) -> bytes:
        return self._file(theme, format, 192)

    def _file(self, theme: str, format: str, dpi: float) -> bytes:
        colours = theme_of(theme)
        own = format == "svg" and colours.ink == "currentColor"
        axes = self._plot(None, colours, STAND_IN if own else ink(colours.ink))
        return saved(axes.figure, format, dpi)

    def _plot(self, axes: Any, colours: Theme, colour: str) -> Any:
        if axes is None:
            figure = new_figure(self.scene.width, self.scene.height)
            axes = figure.add_axes((0.12, 0.12, 0.82, 0.78))
            if colours.background:
                figure.patch.set_facecolor(colours.background)
            else:
                figure.patch.set_alpha(0)
        (left, right), (low, high) = self.square
        axes.patch.set_alpha(0)
        if self.heights is not None:
            x, y = np.linspace(left, right, FINE), np.linspace(low, high, FINE)
            finite = self.heights[np.isfinite(self.heights)]
            levels = np.unique(np.quantile(finite, np.linspace(0.02, 0.98, LEVELS)))
            if len(levels) > 1:
                line = ink(colours.second)
                drawn = axes.contour(x, y, self.heights, levels, colors=line, linewidths=0.9)
                told = axes.clabel(
                    drawn, drawn.levels[1::3], fontsize=7.5, fmt=short, colors=colour
                )
                for text in told:  # one at the edge would be cut
                    text.set_zorder(9)
                    a, b = text.get_position()
                    inside = 0.06 < (a - left) / (right - left) < 0.94
                    text.set_visible(inside and 0.04 < (b - low) / (high - low) < 0.96)
        length = np.hypot(*self.arrows)
        ends = self.arrows / np.where(length > 0, length, 1)
        share = np.sqrt(length / max(float(length.max(initial=0.0)), 1e-300))
        step = min(right - left, high - low) / (ARROWS - 1)
        ends = ends * np.where(length > 0, 0.3 + 0.7 * share, 0) * step * 0.9
        axes.quiver(
            *self.points,
            *ends,
            angles="xy",
            scale_units="xy",
            scale=1,
            width=0.0035,
            color=ink(colours.accent),
        )
        axes.set_xlim(left, right)
        axes.set_ylim(low, high)
        axes.set_xlabel(plain(self.labels[0]), color=colour)
        axes.set_ylabel(plain(self.labels[1]), color=colour)
        axes.set_title(plain(self.title), color=colour, fontsize=11)
        axes.tick_params(colors=colour, labelsize=8)
        for spine in axes.spines.values():
            spine.set_color(colour)
        return axes


def field(
    program: Program,
    names: Sequence[str],
    values: Mapping[str, Any] | None = None,
    around: float | Sequence[float] = (-2.0, 2.0),
    theme: str = "auto",
) -> FieldPicture:
    """Contours of a scalar and its descent −∇f; of a vector of size 2 the field itself.

    ``values`` are the other variables; ``around`` is the range of both numbers, or (low, high)
    of the first and of the second. Raises PullbackError where there are not two numbers to vary.
    """
    nodes = [_two(program, name) for name in names]
    orders = [node.order for node in nodes]
    if orders not in ([1], [0, 0]):
        raise PullbackError(
            "a field is drawn over two numbers: two scalar variables, or one vector of size 2",
            hint='name them, as in pb.picture(f, "x", kind="field")',
        )
    result = program.result
    known = dict(values or {})
    missing = [n for n in program.variables if n not in names and n not in known]
    if missing:
        raise PullbackError(
            f"the field needs a value of {', '.join(missing)}", hint="give values={…}"
        )
    square = _square(around)
    outputs, title = _outputs(program, names)
    evaluated = compile_nodes(outputs, program, checked=False)

    def at(points: Any, wanted: str) -> Any:
        rows = []
        for a, b in points.T:
            given = {names[0]: np.array([a, b])} if orders == [1] else {names[0]: a, names[1]: b}
            with np.errstate(all="ignore"):
                found = evaluated(**known, **given)
            found = found if isinstance(found, dict) else {"arrow": found}
            parts = [v for k, v in found.items() if k.startswith(wanted)]
            rows.append(np.concatenate([np.atleast_1d(np.asarray(v, float)) for v in parts]))
        return np.array(rows).T

    scalar = result.order == 0
    heights = at(_grid(square, FINE), "height").reshape(FINE, FINE) if scalar else None
    points = _grid(square, ARROWS)
    arrows = at(points, "arrow") * (-1.0 if scalar else 1.0)
    held = np.isfinite(arrows).all(axis=0)
    if not held.any() or not (heights is None or np.isfinite(heights).any()):
        raise PullbackError(
            "the function is defined nowhere in this range", hint="give another range by around="
        )
    labels = (f"{names[0]}_1", f"{names[0]}_2") if orders == [1] else (names[0], names[1])
    return FieldPicture(title, labels, square, heights, points[:, held], arrows[:, held], theme)


def _two(program: Program, name: str) -> Variable:
    """A variable that may be one of two numbers, or both."""
    node = program.variables.get(name)
    if node is None or node.order > 1:
        raise PullbackError(
            f"'{name}' is no scalar or vector variable",
            hint="a field is drawn over two scalars, or over one vector of size 2",
        )
    if node.order and node.shape[0].constant not in (None, 2):
        raise PullbackError(f"'{name}' has {node.shape[0]} entries; a field needs 2")
    return node


def _outputs(program: Program, names: Sequence[str]) -> tuple[dict[str, Node], str]:
    """What is evaluated: the value and its gradient, or the field."""
    result, title = program.result, program.result_name or "f"
    if result.order == 0:
        derived = derive_each(program, names)
        outputs = {f"arrow{k}": d.node for k, d in enumerate(derived.values())}
        return {"height": result, **outputs}, f"{title}, and its descent −∇{title}"
    if result.order > 1 or result.shape[0] not in (Size.of(2), *_sizes(program, names)):
        raise PullbackError("a field is of a scalar function, or of one with 2 entries")
    return {"arrow": result}, title


def _sizes(program: Program, names: Sequence[str]) -> tuple[Size, ...]:
    return program.variables[names[0]].shape


def _square(
    around: float | Sequence[Any],
) -> tuple[tuple[float, float], tuple[float, float]]:
    """The ranges of the two numbers, from one number, one range or two."""
    shape = np.shape(around)
    given = np.asarray(around, dtype=float)
    if shape == ():
        given = np.array([[-abs(given), abs(given)]] * 2)
    elif shape == (2,):
        given = np.array([given, given])
    if given.shape != (2, 2) or not np.isfinite(given).all() or (given[:, 0] >= given[:, 1]).any():
        raise PullbackError("around is a range such as (-2, 2), or two of them")
    (a, b), (c, d) = given.tolist()
    return (a, b), (c, d)


def _grid(square: tuple[tuple[float, float], tuple[float, float]], count: int) -> Any:
    """Points ``(2, count²)``, the first number varying fastest."""
    x, y = np.meshgrid(np.linspace(*square[0], count), np.linspace(*square[1], count))
    return np.array([x.ravel(), y.ravel()])

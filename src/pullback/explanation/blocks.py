"""An entity as a picture: its entries, or its structure alone, in blocks that its axes label."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any, Protocol

import numpy as np

from pullback.derivation.result import Derivation
from pullback.derivation.sparsity import Pattern
from pullback.drawing.blocks import MOST_BLOCKS, Blocks, draw
from pullback.drawing.scene import Scene
from pullback.errors import PullbackError, suggestion
from pullback.explanation.anatomy import Axis
from pullback.explanation.steps import Formula

MOST_ENTRIES = 2_000_000  # of an array that is formed to be drawn
SMALL = (3, 4, 2, 5)  # sizes to show a structure at, one after the other


class Drawable(Protocol):
    """What a picture is made from: the axes of a tensor, where it is zero, and its values."""

    derivation: Derivation

    @property
    def name(self) -> Formula: ...

    @property
    def axes(self) -> Sequence[Axis]: ...

    @property
    def order(self) -> int: ...

    @property
    def pattern(self) -> Pattern: ...

    @property
    def size_names(self) -> frozenset[str]: ...

    def insist_on(self, sizes: Mapping[str, int]) -> None: ...

    def values(self, **given: Any) -> Any: ...


def scene(entity: Drawable, values: Mapping[str, Any] | None, sizes: Mapping[str, int]) -> Scene:
    """The picture of an entity at values of its variables, or of its structure."""
    entity.insist_on(sizes)
    known, notes = _sizes(entity, values or {}, sizes), list[str]()
    shape = [size.evaluate(known) for size in entity.derivation.shape]
    numbers = values is not None
    if math.prod(shape) > MOST_ENTRIES:
        text = "×".join(map(str, shape))
        count = math.prod(shape)
        entries = f"{count:,}" if count < 10**12 else f"{count:.1e}"
        notes.append(
            f"{text} = {entries} entries ({8 * count / 2**30:,.3g} GiB) are too many to draw:"
        )
        notes.append("this is the structure at small sizes")
        known, numbers = _small(entity, {}), False
    if not numbers:
        taken = sorted(name for size in entity.derivation.shape for name in size.names)
        told = ", ".join(f"{name} = {known[name]}" for name in dict.fromkeys(taken))
        notes.append(f"shown for {told}" if told else "")
    mask = entity.pattern.mask(known)
    array = None
    if numbers:
        array = np.asarray(entity.values(**known, **dict(values or {})), dtype=float)
    order = _arranged(entity)
    letters = ["", "", "", ""]
    for k, axis in enumerate(order[-4:]):
        letters[k + 4 - min(4, len(order))] = entity.axes[axis].letter
    if len(order) == 1:
        letters = ["", "", letters[3], ""]
    rows: tuple[str, ...] = ()
    if len(order) > 4:
        outer = np.ndindex(*(mask.shape[axis] for axis in order[:-3]))
        named = [", ".join(str(k + 1) for k in place) for place in islice(outer, MOST_BLOCKS)]
        rows = tuple([f"{', '.join(_letters(entity, order[:-3]))} = {text}" for text in named])
        letters[0] = ", ".join(_letters(entity, order[:-3]))
    title = f"{entity.name.text}: {_described(entity)}"
    return draw(
        Blocks(
            title,
            _four(mask, order),
            None if array is None else _four(array, order),
            (letters[0], letters[1], letters[2], letters[3]),
            tuple(filter(None, notes)),
            rows,
        )
    )


def _described(entity: Drawable) -> str:
    return ", ".join(axis.text for axis in entity.axes) or "a number"


def _letters(entity: Drawable, axes: Sequence[int]) -> list[str]:
    return [entity.axes[axis].letter for axis in axes]


def _arranged(entity: Drawable) -> list[int]:
    """The axes in the order of the picture: of a matrix by a vector, a block for each entry."""
    if entity.derivation.groups == (2, 1):
        return [2, 0, 1]
    return list(range(entity.order))


def _four(array: Any, order: list[int]) -> Any:
    """The array with four axes: rows and columns of the grid, rows and columns of a block."""
    turned = np.transpose(array, order)
    if turned.ndim == 1:
        return turned.reshape(1, 1, -1, 1)
    if turned.ndim > 4:
        return turned.reshape(-1, *turned.shape[-3:])
    return turned.reshape((1,) * (4 - turned.ndim) + turned.shape)


def _sizes(entity: Drawable, values: Mapping[str, Any], sizes: Mapping[str, int]) -> dict[str, int]:
    """A number for each named size: as given, as the values show, else small."""
    variables = entity.derivation.program.variables
    shown: dict[str, int] = {}
    for name, value in values.items():
        if name not in variables:
            raise PullbackError(
                f"there is no variable '{name}'", hint=suggestion(name, variables, "it has")
            )
        for size, length in zip(variables[name].shape, np.shape(value), strict=False):
            if len(size.names) == 1 and str(size) == size.names[0]:
                shown.setdefault(size.names[0], length)
    return _small(entity, {**sizes, **shown})


def _small(entity: Drawable, known: Mapping[str, int]) -> dict[str, int]:
    """Small sizes, distinct while there are few, for those that are not given."""
    found = dict(known)
    names = [name for size in entity.derivation.shape for name in size.names]
    rest = [name for name in dict.fromkeys(names) if name not in found]
    rest += sorted(entity.size_names - set(found) - set(rest))
    for k, name in enumerate(rest):
        found[name] = SMALL[k % len(SMALL)]
    for more in range(1, 12):  # a size such as n − 4 needs a larger n
        if _fits(entity, found):
            return found
        found.update({name: found[name] + more for name in rest})
    raise PullbackError("these sizes do not fit: an axis or a slice would go below its start")


def _fits(entity: Drawable, sizes: Mapping[str, int]) -> bool:
    """Whether every axis has a length, and slices stay on their axes."""
    granted = [size for part in entity.pattern.parts for size in part.granted]
    axes = [size.evaluate(sizes) for size in entity.derivation.shape]
    return min(axes, default=1) >= 1 and all(
        size.evaluate(sizes) >= 0 for size in granted if set(size.names) <= set(sizes)
    )

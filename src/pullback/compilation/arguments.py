"""What a compiled function is given: arrays by name, checked once and brought to one dtype."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from pullback.errors import PullbackError, ShapeError, suggestion
from pullback.expressions.nodes import Variable
from pullback.expressions.sizes import Size

FLOATS = (np.dtype(np.float64), np.dtype(np.float32))


class Arguments:
    """The variables of a program as parameters: names, orders, sizes."""

    def __init__(
        self,
        variables: Mapping[str, Variable],
        inputs: Sequence[str],
        rows: Iterable[str] = (),
        sizes: Iterable[str] = (),
        granted: Iterable[Size] = (),
    ) -> None:
        """``granted`` are sizes that must not be negative, so that slices stay on their axes."""
        self.granted = tuple(granted)
        self.variables = dict(variables)
        self.inputs = tuple(inputs)
        self.rows = frozenset(rows)
        self.size_names = sorted(
            {name for v in variables.values() for size in v.shape for name in size.names}
            | set(sizes)
        )
        self.known = frozenset(variables)

    @property
    def needed(self) -> list[Variable]:
        """The variables among the inputs."""
        return [self.variables[name] for name in self.inputs]

    def named(self, positional: Sequence[Any], arrays: Mapping[str, Any]) -> dict[str, Any]:
        """Positional and keyword arguments together, by name."""
        if len(positional) > len(self.inputs):
            raise PullbackError(
                f"{len(positional)} arrays given by position; the inputs are "
                f"{', '.join(self.inputs) or 'none'}"
            )
        given = dict(zip(self.inputs, positional, strict=False))
        for name, value in arrays.items():
            if name in given:
                raise PullbackError(f"'{name}' is given twice, by position and by name")
            if name not in self.known and name not in self.size_names:
                known = [*self.variables, *self.size_names]
                raise PullbackError(
                    f"unknown argument '{name}'",
                    hint=suggestion(name, known, "variables and sizes:"),
                )
            given[name] = value
        missing = [name for name in self.inputs if name not in given]
        if missing:
            hint = "by name, out= is where results go: give it by position" * ("out" in missing)
            said = f"missing array{'s' * (len(missing) > 1)}: {', '.join(missing)}"
            raise PullbackError(said, hint=hint)
        return given

    def prepare(self, given: Mapping[str, Any]) -> tuple[list[Any], dict[str, int], np.dtype[Any]]:
        """The inputs in order as arrays of one dtype, the value of every size, and the dtype.

        float32 only if every array that is needed is float32; Python numbers follow the arrays.
        """
        arrays = {name: self._array(name, given[name]) for name in self.variables if name in given}
        deciding = self.inputs or tuple(arrays)  # what is ignored decides nothing
        strong = [arrays[n].dtype for n in deciding if not _weak(given[n], arrays[n])]
        single = strong and all(d == np.float32 for d in strong)
        dtype = np.dtype(np.float32 if single else np.float64)
        sizes = self.sizes({name: a.shape for name, a in arrays.items()}, given)
        prepared = [
            dtype.type(arrays[name])
            if not arrays[name].ndim
            else arrays[name].astype(dtype, copy=False)
            for name in self.inputs
        ]
        return prepared, sizes, dtype

    def _array(self, name: str, value: Any) -> np.ndarray[Any, Any]:
        try:
            array = np.asarray(value)
        except ValueError:
            raise PullbackError(f"'{name}' is a ragged list, not an array") from None
        if array.dtype.kind == "c":
            raise PullbackError(
                f"'{name}' is complex; only real numbers can be differentiated here"
            )
        if array.dtype.kind not in "fiub":
            raise PullbackError(f"'{name}' has dtype {array.dtype}, not numbers")
        if array.dtype.kind == "f" and array.dtype.newbyteorder("=") not in FLOATS:
            raise PullbackError(
                f"'{name}' has dtype {array.dtype}; float64 and float32 are computed with",
                hint=f"convert it: {name}.astype(np.float32)",
            )
        self.check_order(name, array.shape)
        return array

    def check_order(self, name: str, found: tuple[int, ...]) -> None:
        """Raises ShapeError for an array with other axes than the variable."""
        shape = self.variables[name].shape
        order = len(shape)
        if len(found) == order:
            return
        wanted = f"of shape ({', '.join(map(str, shape))}{',' * (order == 1)})"
        hint = ""
        if order == 1 and len(found) == 2 and 1 in found:
            hint = f"a {'row' if name in self.rows else 'column'} is given as a flat array: {name}.ravel()"
        raise ShapeError(
            f"'{name}' must be {wanted if order else 'a number'}, but has shape {found}", hint=hint
        )

    def sizes(
        self, shapes: Mapping[str, tuple[int, ...]], given: Mapping[str, Any]
    ) -> dict[str, int]:
        """Every size that is given or shown by some axis; two values for one are an error.

        Raises ShapeError too where these sizes leave a slice no room on its axis.
        """
        sizes = self._sizes(shapes, given)
        for size in self.granted:
            # a size that no array shows is asked for before anything is computed
            if sizes.keys() >= {*size.names} and size.evaluate(sizes) < 0:
                known = ", ".join(f"{name} = {sizes[name]}" for name in size.names)
                more = Size([(m, c) for m, c in size.terms if c > 0])
                raise ShapeError(
                    "entries are asked for that an axis does not have: "
                    f"{more} ≥ {more - size} does not hold for {known}"
                )
        return sizes

    def _sizes(
        self, shapes: Mapping[str, tuple[int, ...]], given: Mapping[str, Any]
    ) -> dict[str, int]:
        sizes: dict[str, int] = {}
        origin: dict[str, str] = {}
        for name in self.size_names:
            if name in given and name not in self.variables:
                value = given[name]
                if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
                    raise PullbackError(
                        f"size {name} must be a positive whole number, not {value!r}"
                    )
                sizes[name], origin[name] = int(value), "the argument"
        later: list[tuple[str, int, Size, int]] = []
        for name, lengths in shapes.items():
            for axis, (size, length) in enumerate(
                zip(self.variables[name].shape, lengths, strict=True)
            ):
                if size.constant is None and size == Size.of(size.names[0]):
                    symbol = size.names[0]
                    if sizes.setdefault(symbol, length) != length:
                        raise ShapeError(
                            f"axis {axis} of '{name}' has size {length}, but {symbol} is "
                            f"{sizes[symbol]} by {origin[symbol]}"
                        )
                    origin.setdefault(symbol, f"axis {axis} of '{name}'")
                else:
                    later.append((name, axis, size, length))
        for name, axis, size, length in later:
            open_ = [n for n in size.names if n not in sizes]
            if len(open_) == 1:
                solved = _solve(size, open_[0], sizes, length)
                if solved is not None:
                    sizes[open_[0]], origin[open_[0]] = solved, f"axis {axis} of '{name}'"
            if all(n in sizes for n in size.names) and size.evaluate(sizes) != length:
                known = "" if size.constant is not None else f" = {size.evaluate(sizes)}"
                raise ShapeError(
                    f"axis {axis} of '{name}' has size {length}, but must be {size}{known}"
                )
        return sizes


def _weak(value: Any, array: np.ndarray[Any, Any]) -> bool:
    """Whether a value is a Python number, which follows the dtype of the arrays."""
    return not array.ndim and isinstance(value, int | float) and not isinstance(value, np.generic)


def _solve(size: Size, name: str, sizes: Mapping[str, int], length: int) -> int | None:
    """The value of the one open name that gives ``length``, where it stands linearly."""
    zero, one, two = (size.evaluate({**sizes, name: k}) for k in range(3))
    slope = one - zero
    if not slope or two - one != slope or (length - zero) % slope:
        return None
    return (length - zero) // slope

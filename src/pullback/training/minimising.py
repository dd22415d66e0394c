"""A program as a function of one flat vector, with its derivatives, for ``scipy.optimize``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pullback.compilation.compile import compile_nodes
from pullback.derivation.derive import derive, derive_each, target_of
from pullback.differentiation.forward import forward
from pullback.errors import PullbackError
from pullback.expressions import Node, Program, Variable, shape_text
from pullback.expressions import constructors as make
from pullback.simplification.simplify import simplify
from pullback.training.flat import Layout

Array = NDArray[np.float64]


class Objective:
    """A scalar function of some variables, laid out in one vector, and its derivatives.

    ``fun``, ``jac``, ``hess`` and ``hessp`` are what ``scipy.optimize.minimize`` takes; the other
    variables have the values that were given. A value and its gradient are computed together and
    kept for the point that was asked for last.

    >>> import pullback as pb, numpy as np
    >>> f = pb.objective("norm2(A*x - b)^2", "x", A=np.diag([1.0, 2.0]), b=np.array([1.0, 2.0]))
    >>> f.fun(np.zeros(2)), f.jac(np.zeros(2)), f.hessp(np.zeros(2), np.array([1.0, 0.0]))
    (5.0, array([-2., -8.]), array([2., 0.]))
    """

    def __init__(
        self, program: Program, names: Sequence[str], given: Mapping[str, Any], start: Any = None
    ) -> None:
        if program.result.order:
            raise PullbackError(
                f"an objective is a scalar; this function is {shape_text(program.result.shape)}"
            )
        if not names:
            raise PullbackError("name at least one variable to minimise over")
        self._program = program
        self._targets = {name: target_of(program, name).node for name in names}
        for name, target in self._targets.items():
            if not isinstance(target, Variable):
                raise PullbackError(f"'{name}' is a line, not a variable: minimise over variables")
        self._gradients = {n: d.node for n, d in derive_each(program, names).items()}
        outputs = {"value": program.result, **{f"by {n}": g for n, g in self._gradients.items()}}
        self._first = compile_nodes(outputs, program)
        missing = [n for n in self._first.inputs if n not in {*given, *self._targets}]
        if missing:
            raise PullbackError(f"no value is given for {', '.join(missing)}")
        self._given = {name: np.asarray(value, dtype=float) for name, value in given.items()}
        sizes = self._first.sizes_for({n: np.shape(v) for n, v in self._given.items()}, {})
        self._sizes = sizes | self._sizes_of(start or {})
        self.layout = Layout({n: self._lengths(n, t) for n, t in self._targets.items()})
        self._at: Array | None = None
        self._made: dict[str, Any] = {}

    def _sizes_of(self, start: Mapping[str, Any]) -> dict[str, int]:
        found: dict[str, int] = {}
        for name, value in start.items():
            for size, length in zip(self._targets[name].shape, np.shape(value), strict=True):
                if size.names == (str(size),):
                    found[str(size)] = length
        return found

    def _lengths(self, name: str, target: Node) -> tuple[int, ...]:
        missing = [n for size in target.shape for n in size.names if n not in self._sizes]
        if missing:
            raise PullbackError(
                f"nothing that was given shows the size {missing[0]} of '{name}'",
                hint=f"give a starting point, start={{'{name}': …}}",
            )
        return tuple([size.evaluate(self._sizes) for size in target.shape])

    # the vector

    @property
    def size(self) -> int:
        """The number of unknowns."""
        return self.layout.size

    def pack(self, **values: Any) -> Array:
        """The vector that holds these values of the variables."""
        return self.layout.pack(values)

    def unpack(self, vector: Array) -> dict[str, Array]:
        """The variables as arrays in their own shapes, sharing the vector's memory."""
        return self.layout.views(vector)

    def _arrays(self, function: Any, vector: Array, **more: Array) -> dict[str, Any]:
        named = {**self._given, **self.layout.views(np.asarray(vector, dtype=float)), **more}
        arrays: dict[str, Any] = {name: named[name] for name in function.inputs}
        return arrays | {name: self._sizes[name] for name in function.asked}

    # derivatives

    def _values(self, vector: Array) -> dict[str, Any]:
        if self._at is None or not np.array_equal(self._at, vector):
            self._made = self._first(**self._arrays(self._first, vector))
            self._at = np.array(vector, dtype=float)
        return self._made

    def fun(self, vector: Array) -> float:
        """The value."""
        return float(self._values(vector)["value"])

    def jac(self, vector: Array) -> Array:
        """The gradient, in the order of the vector."""
        made = self._values(vector)
        return self.layout.pack({name: made[f"by {name}"] for name in self._targets})

    @cached_property
    def _second(self) -> tuple[Any, list[tuple[str, str]]]:
        names = list(self._targets)
        pairs = [(a, b) for k, a in enumerate(names) for b in names[k:]]
        blocks = {f"{a} {b}": derive(self._program, (a, b)).node for a, b in pairs}
        return compile_nodes(blocks, self._program), pairs

    def hess(self, vector: Array) -> Array:
        """The Hessian as a matrix; each pair of variables is derived once."""
        function, pairs = self._second
        made = function(**self._arrays(function, vector))
        blocks = made if len(pairs) > 1 else {" ".join(pairs[0]): made}
        whole = np.empty((self.size, self.size))
        place = self._places
        for a, b in pairs:
            rows, columns = place[a], place[b]
            block = blocks[f"{a} {b}"].reshape(rows.stop - rows.start, columns.stop - columns.start)
            whole[rows, columns] = block
            if a != b:
                whole[columns, rows] = block.T
        return whole

    @cached_property
    def _places(self) -> dict[str, slice]:
        places, start = {}, 0
        for name, shape in self.layout.shapes.items():
            stop = start + int(np.prod(shape, dtype=int))
            places[name] = slice(start, stop)
            start = stop
        return places

    @cached_property
    def _along(self) -> tuple[Any, dict[str, str]]:
        taken = {*self._program.variables, *self._program.lines}
        directions = {name: _free(f"{name}_dot", taken) for name in self._targets}
        tangents = {t: make.variable(directions[n], t.shape) for n, t in self._targets.items()}
        moved = {n: simplify(forward(g, tangents)) for n, g in self._gradients.items()}
        return compile_nodes(moved, self._program), directions

    def hessp(self, vector: Array, direction: Array) -> Array:
        """The Hessian times a direction; the Hessian is never formed."""
        function, names = self._along
        parts = self.layout.views(np.asarray(direction, dtype=float))
        more = {names[name]: part for name, part in parts.items()}
        made = function(**self._arrays(function, vector, **more))
        return self.layout.pack(made if len(names) > 1 else {next(iter(names)): made})

    def __repr__(self) -> str:
        return f"<objective of {', '.join(self._targets)}, {self.size} unknowns>"


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    return name

"""NumPy's code or C, whichever is the better for the sizes and the number of calls.

The rule, from measurements on one and two cores (`benchmarks/native_or_numpy.py`): C saves about
0.4 µs for every NumPy operation that becomes part of a loop, and 0.2 ns for each entry that it
makes; products and factorisations are the same library's in both. To compile takes about a second.
So C is compiled when what it would have saved in the calls so far comes to a second, and a library
that is kept from an earlier run is taken when it comes to 20 ms.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from pullback.compilation.arguments import Arguments
from pullback.compilation.choosing import Choice
from pullback.compilation.compiled import Out
from pullback.compilation.ir import LinearProgram
from pullback.compilation.native.building import CannotBuild
from pullback.compilation.native.fusing import step_of
from pullback.compilation.native.places import volume
from pullback.compilation.native.running import NativeFunction
from pullback.compilation.native.spelling import Unspoken
from pullback.compilation.planning import AMONG_ZEROS
from pullback.compilation.runtime import PlannedFunction
from pullback.compilation.targets.numpy_planned import PlannedSource
from pullback.expressions.program import Program

OPERATION, ENTRY = 4e-7, 2e-10  # seconds saved
UNTOUCHED = 1_500_000  # entries from which on zeros are better left to the system than written
MOST = 1000  # sets of sizes that are remembered
LOOK, BUILD = 0.02, 1.0  # seconds saved at which a library is looked for, and built


class AutoFunction(PlannedFunction):
    """Runs NumPy's code for a plan until C pays; then C, where it can be built."""

    def __init__(
        self,
        program: LinearProgram,
        user: Program,
        arguments: Arguments,
        choice: Choice[PlannedSource],
        native: Callable[[], NativeFunction],
        write: Callable[[], str],
        *,
        checked: bool,
    ) -> None:
        super().__init__(program, user, arguments, choice, write, checked=checked)
        shown = {n for v in arguments.needed for size in v.shape for n in size.names}
        self._wanted = (*self._wanted, *sorted(shown.difference(self._wanted)))
        self._check = self.quick_check()
        self._native = native
        self._function: NativeFunction | None = None
        self._never = False  # C has no word for something, or there is no compiler
        self._saved = 0.0  # what C would have saved up to now
        self._next: dict[tuple[np.dtype[Any], tuple[int, ...]], float] = {}  # when to look again
        self._savings: dict[tuple[int, ...], float] = {}
        # the sizes as the C code takes them; None where NumPy's code is better
        self._taken: dict[tuple[np.dtype[Any], tuple[int, ...]], tuple[int, ...] | None] = {}

    def _guarded(
        self, arrays: Sequence[Any], dtype: np.dtype[Any], sizes: tuple[int, ...], out: Out
    ) -> Any:
        if not self._never:
            key = dtype, sizes
            own = self._taken[key] if key in self._taken else self._weigh(dtype, sizes)
            if own is not None and self._function is not None:
                return self._function.run(arrays, dtype, own, out)
        return super()._guarded(arrays, dtype, sizes, out)

    def saved_by(self, sizes: Mapping[str, int]) -> float:
        """The seconds that C saves in a call at these sizes, by count."""
        return saving(self._program, sizes)

    def _weigh(self, dtype: np.dtype[Any], sizes: tuple[int, ...]) -> tuple[int, ...] | None:
        """The sizes as the C code takes them, where it is time for that."""
        saves = self._savings.get(sizes)
        if saves is None:
            if len(self._savings) >= MOST:
                for known in (self._savings, self._next, self._taken):
                    known.clear()
            named = dict(zip(self._wanted, sizes, strict=True))
            saves = self._savings[sizes] = self.saved_by(named)
        if not saves:
            self._taken[dtype, sizes] = None  # for good
            return None
        self._saved += saves
        if self._saved < self._next.get((dtype, sizes), LOOK):
            return None
        named = dict(zip(self._wanted, sizes, strict=True))
        try:
            if self._function is None:
                self._function = self._native()
            if self._saved < BUILD and not self._function.is_kept(named, dtype):
                self._next[dtype, sizes] = BUILD  # not to look at each call
                return None
            self._function.prepare(named, dtype)
        except (CannotBuild, Unspoken):
            self._never = True
            return None
        own = self._taken[dtype, sizes] = self._function.picked(named)
        return own


def saving(program: LinearProgram, sizes: Mapping[str, int]) -> float:
    """The seconds that C saves in a call, by count; 0 where NumPy has something better than a loop.

    >>> from pullback.compilation.lowering import lower
    >>> from pullback.expressions import constructors as make
    >>> x = make.variable("x", ["n"])
    >>> saving(lower({"y": make.multiply(x, x)}), {"n": 1000})
    6e-07
    """
    total = 0.0
    results = {view.source for view in program.outputs.values()}
    for i in program.instructions:
        if i.op in AMONG_ZEROS and i.result in results:
            if volume(i.result.shape).evaluate(sizes) > UNTOUCHED:
                return 0.0  # NumPy takes memory that is zero from the start
            total += OPERATION
        step = step_of(i)
        if step is None or i.result.weak:
            continue
        if i.op == "einsum" and len(i.operands) > 1 and step.reduction:
            return 0.0
        total += OPERATION + ENTRY * volume(step.domain).evaluate(sizes)
    return total

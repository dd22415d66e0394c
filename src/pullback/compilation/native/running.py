"""The callables of the native target: C where there is a compiler, NumPy's code where there is none."""

from __future__ import annotations

import ctypes
import os
import threading
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from pullback.compilation.arguments import Arguments
from pullback.compilation.choosing import Choice
from pullback.compilation.compiled import Out
from pullback.compilation.ir import LinearProgram
from pullback.compilation.memory import Array, Footprint
from pullback.compilation.native.blas import library
from pullback.compilation.native.building import CannotBuild, is_kept, load, recipe
from pullback.compilation.native.places import ALIGNMENT, arranged, volume
from pullback.compilation.native.writer import PARALLEL, NativeSource
from pullback.compilation.runtime import FAULTS, BufferedFunction, PlannedFunction, Step
from pullback.expressions.program import Program

LEFT_THE_REALS, SINGULAR, GAPS = 1, 2, 3  # what the C code returns
TYPES = {np.dtype(np.float64): ("double", "int64_t"), np.dtype(np.float32): ("float", "int32_t")}
WIDTHS = {"bool": 1, "blas_int": 8}  # bytes, of the widest integers that a BLAS takes
HEAD = object.__basicsize__  # bytes before an array's first field
FLAGS = 48  # bytes from its first field to its flags


def _usable() -> int:
    """The threads that OpenMP may use: one for each processor that is this process's."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    wanted = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0]
    return min(count or 1, int(wanted)) if wanted.isdigit() and int(wanted) else count or 1


_threads = ctypes.c_int64(_usable())


def _after_fork() -> None:
    """OpenMP's threads do not live on in a child, and to wait for them is for ever."""
    _threads.value = 1


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


class NativeFunction(BufferedFunction):
    """Runs C code with a workspace for each thread, set of sizes and dtype.

    Where it cannot be built a warning is given once, and NumPy's code runs.
    """

    def __init__(
        self,
        program: LinearProgram,
        user: Program,
        arguments: Arguments,
        choice: Choice[NativeSource],
        instead: Callable[[], PlannedFunction],
        write: Callable[[], str],
        *,
        checked: bool,
    ) -> None:
        super().__init__(program, user, arguments, choice, write, checked=checked)
        self._instead = instead
        self._fallback: PlannedFunction | None = None
        self._calls: dict[tuple[str, np.dtype[Any], bool], Callable[..., int]] = {}
        self._lock = threading.Lock()

    def _guarded(
        self, arrays: Sequence[Any], dtype: np.dtype[Any], sizes: tuple[int, ...], out: Out
    ) -> Any:
        """The result; the C code says itself where it leaves the reals."""
        try:
            if self._fallback is None:
                return self._run(arrays, dtype, sizes, out)
        except FAULTS:
            return self._diagnosed(arrays, dtype, sizes, out)
        except CannotBuild as problem:
            _warn(str(problem))
            self._fallback = self._instead()
        named = dict(zip(self._wanted, sizes, strict=True))
        return self._fallback.run(arrays, dtype, self._fallback.picked(named), out)

    def footprint_at(self, sizes: Mapping[str, int]) -> Footprint:
        source: NativeSource = self._choice.at({name: sizes[name] for name in self._wanted})
        arrays = [Array(s.count, WIDTHS.get(s.type), s.first, s.last) for s in source.spaces]
        end = max([s.last for s in source.spaces], default=0)
        arrays += [Array(volume(shape), None, 0, end) for shape in source.arrays.values()]
        return replace(self.footprint, arrays=tuple(arrays))

    def prepare(self, sizes: Mapping[str, int], dtype: np.dtype[Any]) -> None:
        """Builds what a call needs. Raises CannotBuild."""
        self._make(sizes, dtype)

    def is_kept(self, sizes: Mapping[str, int], dtype: np.dtype[Any]) -> bool:
        """Whether what a call needs is built already, now or in an earlier run."""
        source: NativeSource = self._choice.at(sizes)
        return is_kept(recipe(source.text, defines(dtype), threads=self.threaded(sizes)))

    def _make(self, sizes: Mapping[str, int], dtype: np.dtype[Any]) -> Step:
        source: NativeSource = self._choice.at(sizes)
        threads = self.threaded(sizes)
        with self._lock:
            key = source.text, dtype, threads
            if key not in self._calls:
                self._calls[key] = built(source, dtype, threads=threads)
            call = self._calls[key]
        return self._bound(source, call, sizes, dtype)

    def threaded(self, sizes: Mapping[str, int]) -> bool:
        """Whether some loop is long enough for threads."""
        loops = self._choice.at(sizes).loops
        most = max([size.evaluate(sizes) for size in loops], default=0)
        return most > PARALLEL and _threads.value > 1

    def _bound(
        self,
        source: NativeSource,
        call: Callable[..., int],
        sizes: Mapping[str, int],
        dtype: np.dtype[Any],
    ) -> Step:
        """The C function with memory for these sizes."""
        found = library()
        offsets, length = arranged(source.spaces, sizes, {"real": dtype.itemsize, **WIDTHS})
        work = np.empty(length + ALIGNMENT, np.uint8)
        start = -(-work.ctypes.data // ALIGNMENT) * ALIGNMENT
        table = ctypes.addressof(found.tables[dtype]) if found else 0
        scalars = np.empty(len(source.scalars), dtype)
        numbers = [
            ctypes.addressof(_threads),
            start,
            table,
            scalars.ctypes.data,
            *[sizes[name] for name in source.sizes],
            *offsets,
        ]
        plan = (ctypes.c_int64 * len(numbers))(*numbers)
        address = ctypes.addressof(plan)
        held = work, plan  # for as long as the step lives
        receivers = len(source.arrays)

        def step(*arrays: Any) -> Any:
            code = call(address, *arrays)
            if code:
                if code == GAPS:
                    code = _without_gaps(call, address, arrays, receivers)
                if code == LEFT_THE_REALS:
                    raise FloatingPointError
                if code == SINGULAR:
                    raise np.linalg.LinAlgError
            if len(scalars) == 1:
                return scalars[0]
            return tuple(scalars) if len(scalars) else held and None

        return step


def _without_gaps(
    call: Callable[..., int], address: int, arrays: Sequence[Any], receivers: int
) -> int:
    """The call with copies of what does not lie row by row; results are copied back."""
    whole = [np.require(a, requirements=["C", "A"]) if np.ndim(a) else a for a in arrays]
    code = call(address, *whole)
    for given, used in list(zip(arrays, whole, strict=True))[len(arrays) - receivers :]:
        if used is not given:
            given[...] = used
    return code


def built(source: NativeSource, dtype: np.dtype[Any], *, threads: bool) -> Callable[..., int]:
    """The C function for a dtype, with threads or without. Raises CannotBuild."""
    if source.linear_algebra and library() is None:
        raise CannotBuild("the names of the BLAS functions in NumPy's library are unknown")
    if not _layout_is_known():
        raise CannotBuild("NumPy's arrays lie in memory in another way than is known")
    call = load(recipe(source.text, defines(dtype), threads=threads)).call
    count = source.parameters + len(source.arrays)
    call.argtypes = [ctypes.c_void_p, *[ctypes.py_object] * count]
    call.restype = ctypes.c_int
    return call


def defines(dtype: np.dtype[Any]) -> list[str]:
    """The macros that make the code that of a dtype, on this machine."""
    found = library()
    real, mask = TYPES[dtype]
    bits = found.bits if found else 64
    return [f"REAL={real}", f"MASK={mask}", f"BLAS_INT=int{bits}_t", f"OBJECT_HEAD={HEAD}"]


@cache
def _warn(reason: str) -> None:
    warnings.warn(f"target 'native' runs NumPy's code: {reason}", RuntimeWarning, stacklevel=2)


@cache
def _layout_is_known() -> bool:
    """Whether an array's and a number's data are where NumPy's ABI has them."""
    array, number = np.zeros((2, 3))[:, :2], np.float64(7.0)
    data = ctypes.c_void_p.from_address(id(array) + HEAD).value
    flags = ctypes.c_int.from_address(id(array) + HEAD + FLAGS).value
    value = ctypes.c_double.from_address(id(number) + HEAD).value
    return data == array.ctypes.data and flags == array.flags.num and value == number

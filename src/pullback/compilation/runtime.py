"""The callable that compilation returns: it checks its arguments, then runs the generated code."""

from __future__ import annotations

import math
import threading
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, Self

import numpy as np

from pullback.compilation.accepting import Accepted
from pullback.compilation.arguments import Arguments
from pullback.compilation.choosing import Choice
from pullback.compilation.compiled import Compiled, Out
from pullback.compilation.diagnosis import run_traced
from pullback.compilation.extras import insist_on_scipy
from pullback.compilation.ir import LinearProgram
from pullback.compilation.memory import Footprint, insist_on_room, machine_memory
from pullback.compilation.quick import Check, Fitting, FloatingPoint, quick_check
from pullback.compilation.targets.numpy import scipy_modules
from pullback.compilation.targets.numpy_plain import Source
from pullback.compilation.targets.numpy_planned import PlannedSource
from pullback.errors import PullbackError
from pullback.expressions.program import Program
from pullback.expressions.sizes import Shape, Size


class Buffered(Protocol):
    """What code with buffers says of itself."""

    sizes: list[str]  # that buffers are made for, in order
    arrays: dict[str, Shape]  # outputs that are written into arrays, in the order of a step
    scalars: list[str]  # outputs that a step returns
    blank: tuple[str, ...]  # outputs for which a step takes arrays of zeros, and is told so


LOUD = FloatingPoint(divide="raise", invalid="raise", over="ignore", under="ignore")
SILENT = FloatingPoint(all="ignore")
FAULTS = (FloatingPointError, ZeroDivisionError, np.linalg.LinAlgError)
KEPT_SIZES = 64  # sets of sizes a function remembers its code for
KEPT = 8  # sets of buffers a thread keeps, one for each combination of sizes and dtype


class NumpyFunction(Compiled):
    """A function of NumPy arrays, whose results are fresh unless ``out`` is given.

    Raises DomainError for a singular matrix and, if it is checked, where an operation leaves the
    real numbers.
    """

    def __init__(
        self,
        program: LinearProgram,
        user: Program,
        arguments: Arguments,
        choice: Choice[Any],
        write: Callable[[], str],
        footprint: Footprint,
        *,
        checked: bool,
    ) -> None:
        super().__init__(program.outputs, arguments, write, footprint)
        wanted = list(choice.general.sizes)
        self._program = program
        self._user = user
        shown = {n for v in arguments.needed for size in v.shape for n in size.names}
        self.asked = tuple([name for name in wanted if name not in shown])
        if choice.special is not None:
            wanted += sorted(shown.difference(wanted))
        self._wanted = tuple(wanted)
        self._choice = choice
        self._policy = LOUD if checked else SILENT
        self._single = len(self.outputs) == 1
        # SciPy raises no flags: look at results
        self._unflagged = checked and bool(scipy_modules(program.instructions))
        self._limit = machine_memory()
        self._check = self.quick_check()

    def limited(self, limit: float) -> Self:
        """This function with another limit to the bytes that a call may allocate."""
        self._limit = None if math.isinf(limit) else int(limit)
        self._check = self.quick_check()
        return self

    def quick_check(self, more: Sequence[str] = ()) -> Check | None:
        """The check of arguments that fit, with more sizes beside those needed."""
        known = self._arguments
        conditions = [*known.granted, *self._room()]
        return quick_check(known.variables, self.inputs, self._wanted, conditions, more)

    def _room(self) -> list[Size]:
        """What must not be negative, or the memory that a call takes is looked at more closely."""
        if self._limit is None or not (large := self.footprint.unbounded).terms:
            return []
        return [Size.of(self._limit // 8) - large]

    def at(self, fitting: Fitting, out: Out = None) -> Any:
        """The outputs at arguments that a check let through."""
        arrays, dtype, sizes, _ = fitting
        return self._guarded(arrays, dtype, sizes, out)

    def __call__(self, /, *positional: Any, out: Out = None, **arrays: Any) -> Any:
        if self._check is not None:
            try:
                found = self._check(*positional, **arrays)
            except (TypeError, OverflowError):
                found = None
            if found is not None:
                return self._guarded(found[0], found[1], found[2], out)
        given = self._arguments.named(positional, arrays)
        prepared, sizes, dtype = self._arguments.prepare(given)
        missing = [name for name in self._wanted if name not in sizes]
        if missing:
            raise PullbackError(
                f"size {missing[0]} is shown by no array that was given",
                hint=f"pass it by name: {missing[0]}=…",
            )
        if self._limit is not None:
            insist_on_room(self.footprint_at(sizes).forecast(sizes, dtype.itemsize), self._limit)
        return self._guarded(prepared, dtype, tuple([sizes[n] for n in self._wanted]), out)

    def _guarded(
        self, arrays: Sequence[Any], dtype: np.dtype[Any], sizes: tuple[int, ...], out: Out
    ) -> Any:
        """The result under this function's floating-point policy."""
        try:
            try:
                results = self._policy.run(self._run, arrays, dtype, sizes, out)
            except RuntimeError:  # in a signal handler, say, while such a function runs
                with np.errstate(**self._policy.state):
                    results = self._run(arrays, dtype, sizes, out)
        except FAULTS:
            return self._diagnosed(arrays, dtype, sizes, out)
        if self._unflagged and not _finite(results):
            return self._diagnosed(arrays, dtype, sizes, out)
        return results

    @abstractmethod
    def _run(
        self, arrays: Sequence[Any], dtype: np.dtype[Any], sizes: tuple[int, ...], out: Out
    ) -> Any:
        """The generated code at arrays that fit."""

    def _diagnosed(
        self,
        arrays: Sequence[Any],
        dtype: np.dtype[Any],
        sizes: tuple[int, ...],
        out: Out,
    ) -> Any:
        """The operation at fault, by a second run; its result if no operation is."""
        given = dict(zip(self.inputs, arrays, strict=True))
        known = self._arguments.prepare(given)[1] | dict(zip(self._wanted, sizes, strict=True))
        results = run_traced(self._program, self._user, arrays, known, dtype)
        return self._handed(results, out)

    def _handed(self, results: dict[str, Any], out: Out) -> Any:
        """The results, copied into the arrays that were given for them."""
        for name, array in (out or {}).items():
            self._receiver(name, array, np.shape(results.get(name, ())))
            array[...] = results[name]
            results[name] = array
        return results[self.outputs[0]] if self._single else results

    def _receiver(self, name: str, array: Any, shape: tuple[int, ...]) -> None:
        """Raise PullbackError unless the array can take this output."""
        if name not in self.outputs:
            raise PullbackError(f"no output is called '{name}'; they are {', '.join(self.outputs)}")
        if not isinstance(array, np.ndarray) or not array.flags.writeable:
            raise PullbackError(f"out['{name}'] must be an array that can be written to")
        if array.shape != shape:
            raise PullbackError(f"out['{name}'] has shape {array.shape}, the result has {shape}")


def _finite(results: Any) -> bool:
    values = results.values() if isinstance(results, dict) else [results]
    return all(np.isfinite(value).all() for value in values)


def _loaded(text: str, name: str) -> Callable[..., Any]:
    """The function that generated code defines; PullbackError where SciPy is needed and missing."""
    space: dict[str, Any] = {}
    if "from scipy" in text:
        insist_on_scipy("the code")
    exec(compile(text, f"<pullback {name}>", "exec"), space)
    function: Callable[..., Any] = space[name]
    return function


Run = tuple[Callable[..., Any], dict[str, int], bool]  # a function, its sizes, if it takes a dtype


class PlainFunction(NumpyFunction):
    """Runs straight-line code that makes its own arrays."""

    def __init__(
        self,
        program: LinearProgram,
        user: Program,
        arguments: Arguments,
        choice: Choice[Source],
        write: Callable[[], str],
        *,
        checked: bool,
    ) -> None:
        general = choice.general
        super().__init__(
            program, user, arguments, choice, write, general.footprint, checked=checked
        )
        self._functions = {general.text: _loaded(general.text, general.function)}
        self._chosen: dict[tuple[int, ...], Run] = {}

    def footprint_at(self, sizes: Mapping[str, int]) -> Footprint:
        source: Source = self._choice.at({name: sizes[name] for name in self._wanted})
        return source.footprint

    def _run(
        self, arrays: Sequence[Any], dtype: np.dtype[Any], sizes: tuple[int, ...], out: Out
    ) -> Any:
        function, keywords, typed = self._chosen.get(sizes) or self._choose(sizes)
        if not typed and not keywords:
            results = function(*arrays)
        elif typed:
            results = function(*arrays, **keywords, dtype=dtype)
        else:
            results = function(*arrays, **keywords)
        if out is None:
            return results
        return self._handed({self.outputs[0]: results} if self._single else results, out)

    def _choose(self, sizes: tuple[int, ...]) -> Run:
        named = dict(zip(self._wanted, sizes, strict=True))
        source = self._choice.at(named)
        if source.text not in self._functions:
            self._functions[source.text] = _loaded(source.text, source.function)
        keywords = {parameter: named[name] for name, parameter in source.sizes.items()}
        run = self._functions[source.text], keywords, source.dtype
        while len(self._chosen) >= KEPT_SIZES:
            self._chosen.pop(next(iter(self._chosen)), None)
        self._chosen[sizes] = run
        return run


Step = Callable[..., Any]  # of inputs and arrays for outputs; returns the outputs without axes


class BufferedFunction(NumpyFunction):
    """Runs code that writes into buffers, kept for each thread, set of sizes and dtype."""

    def __init__(
        self,
        program: LinearProgram,
        user: Program,
        arguments: Arguments,
        choice: Choice[Any],
        write: Callable[[], str],
        *,
        checked: bool,
    ) -> None:
        footprint = Footprint.of_buffers(program)
        super().__init__(program, user, arguments, choice, write, footprint, checked=checked)
        source: Buffered = choice.general
        self._arrays = source.arrays
        self._blank = frozenset(source.blank)
        self._scalars = len(source.scalars)
        self._names = [*source.scalars, *source.arrays]
        self._local = threading.local()

    def run(
        self, arrays: Sequence[Any], dtype: np.dtype[Any], sizes: tuple[int, ...], out: Out
    ) -> Any:
        """The outputs at arrays that fit and sizes as picked, in place of another target."""
        return self._guarded(arrays, dtype, sizes, out)

    def picked(self, sizes: Mapping[str, int]) -> tuple[int, ...]:
        """The sizes that this function asks for, in its order."""
        return tuple([sizes[name] for name in self._wanted])

    @abstractmethod
    def _make(self, sizes: Mapping[str, int], dtype: np.dtype[Any]) -> Step:
        """Buffers for these sizes, and the code that uses them."""

    def _run(
        self, arrays: Sequence[Any], dtype: np.dtype[Any], sizes: tuple[int, ...], out: Out
    ) -> Any:
        try:
            step, shapes = self._local.steps[dtype, sizes]
        except (AttributeError, KeyError):
            step, shapes = self._prepare(dtype, sizes)
        if out is None:
            if self._blank:
                receivers = [
                    np.zeros(shape, dtype) if name in self._blank else np.empty(shape, dtype)
                    for name, shape in zip(self._arrays, shapes, strict=True)
                ]
                scalars = step(*arrays, *receivers, True)
            else:
                receivers = [np.empty(shape, dtype) for shape in shapes]
                scalars = step(*arrays, *receivers)
        else:
            receivers = self._accepted(out, shapes, dtype, arrays)
            scalars = step(*arrays, *receivers)
        first = (scalars,) if self._scalars == 1 else scalars or ()
        values = [*first, *receivers]
        if out is not None and self._scalars:
            self._store(values, out)
        return values[0] if self._single else dict(zip(self._names, values, strict=True))

    def _store(self, values: list[Any], out: Mapping[str, Any]) -> None:
        """Scalar results into the arrays given for them."""
        for k, name in enumerate(self._names[: self._scalars]):
            if name in out:
                out[name][...] = values[k]
                values[k] = out[name]

    def _prepare(
        self, dtype: np.dtype[Any], sizes: tuple[int, ...]
    ) -> tuple[Callable[..., Any], list[tuple[int, ...]]]:
        """Buffers for new sizes; the oldest set goes when a thread has too many."""
        steps = self._local.__dict__.setdefault("steps", {})
        while len(steps) >= KEPT:
            steps.pop(next(iter(steps)))
        named = dict(zip(self._wanted, sizes, strict=True))
        shapes = [
            tuple([size.evaluate(named) for size in shape]) for shape in self._arrays.values()
        ]
        made = steps[dtype, sizes] = self._make(named, dtype), shapes
        return made

    def _accepted(
        self,
        out: Mapping[str, Any],
        shapes: list[tuple[int, ...]],
        dtype: np.dtype[Any],
        inputs: Sequence[Any],
    ) -> list[Any]:
        """The arrays the results go to: those given, if they can take them, and new ones.

        Raises PullbackError for an array that does not fit or shares memory with another.
        """
        last: Accepted | None = self._local.__dict__.get("accepted")
        if last is not None and last.holds(out, shapes, inputs):
            return last.receivers
        expected = dict(zip(self._arrays, shapes, strict=True))
        for name, array in out.items():
            self._receiver(name, array, expected.get(name, ()))
            if array.dtype != dtype:
                raise PullbackError(f"out['{name}'] is {array.dtype}, the result is {dtype}")
            others = [a for key, a in out.items() if key != name]
            if any(np.may_share_memory(array, a) for a in [*others, *inputs]):
                raise PullbackError(f"out['{name}'] shares memory with an input or another output")
        receivers = [
            out[name] if name in out else np.empty(shape, dtype) for name, shape in expected.items()
        ]
        if all(name in out for name in expected):
            self._local.accepted = Accepted(out, shapes, inputs, receivers)
        return receivers


class PlannedFunction(BufferedFunction):
    """Runs NumPy's code for a plan."""

    def __init__(
        self,
        program: LinearProgram,
        user: Program,
        arguments: Arguments,
        choice: Choice[PlannedSource],
        write: Callable[[], str],
        *,
        checked: bool,
    ) -> None:
        super().__init__(program, user, arguments, choice, write, checked=checked)
        text = choice.general.text
        self._loaded: dict[str, Callable[..., Step]] = {text: _loaded(text, "make")}

    def _make(self, sizes: Mapping[str, int], dtype: np.dtype[Any]) -> Step:
        source: PlannedSource = self._choice.at(sizes)
        if source.text not in self._loaded:
            self._loaded[source.text] = _loaded(source.text, "make")
        return self._loaded[source.text](*[sizes[name] for name in source.sizes], dtype)

"""The callable that compilation returns: it checks its arguments, then runs the generated code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from pullback.compilation.arguments import Arguments, fast_check
from pullback.compilation.diagnosis import run_traced
from pullback.compilation.ir import LinearProgram
from pullback.compilation.targets.numpy import Source
from pullback.errors import DomainError, PullbackError
from pullback.expressions.program import Program

LOUD = {"divide": "raise", "invalid": "raise", "over": "ignore", "under": "ignore"}
SILENT = {"all": "ignore"}


class Compiled:
    """A function made from expressions.

    Takes the variables of the program by position (in the order of ``inputs``) or by name,
    ignoring those it does not need, and sizes by name where no array shows them. Returns a fresh
    array, or a dict of them for several outputs. ``out`` gives arrays to write results into.
    Raises PullbackError for arguments that do not fit, and, if it is checked, DomainError where
    an operation leaves the real numbers.
    """

    def __init__(
        self,
        program: LinearProgram,
        user: Program,
        source: Source,
        arguments: Arguments,
        *,
        checked: bool,
        single: bool,
    ) -> None:
        self.inputs = arguments.inputs
        self.outputs = tuple(program.outputs)
        self.source = source.text
        self._program = program
        self._user = user
        self._spelled = source
        self._arguments = arguments
        self._state: dict[str, Any] = LOUD if checked else SILENT
        self._single = single
        space: dict[str, Any] = {}
        exec(compile(source.text, f"<{source.function}>", "exec"), space)  # noqa: S102
        self._function: Callable[..., Any] = space[source.function]
        fast = fast_check(arguments.variables, self.inputs)
        self._check: Callable[..., Any] | None = None
        if fast is not None and not source.sizes and not source.dtype:
            self._check = fast[0]

    def __call__(
        self, *positional: Any, out: Mapping[str, Any] | None = None, **arrays: Any
    ) -> Any:
        check = self._check
        if check is not None:
            if arrays and not positional and self._arguments.known.issuperset(arrays):
                try:
                    positional = tuple([arrays[name] for name in self.inputs])
                    arrays = {}
                except KeyError:
                    pass
            if not arrays and len(positional) == len(self.inputs):
                fitting = check(*positional)
                if fitting is not None:
                    return self._finish(self._run(positional, {}, fitting[0]), out)
        given = self._arguments.named(positional, arrays)
        prepared, sizes, dtype = self._arguments.prepare(given)
        return self._finish(self._run(prepared, sizes, dtype), out)

    def _run(self, prepared: Any, sizes: Mapping[str, int], dtype: np.dtype[Any]) -> Any:
        options: dict[str, Any] = {}
        if self._spelled.sizes:
            options = {p: _size(name, sizes) for name, p in self._spelled.sizes.items()}
        if self._spelled.dtype:
            options["dtype"] = dtype
        try:
            with np.errstate(**self._state):
                return self._function(*prepared, **options)
        except (FloatingPointError, ZeroDivisionError, np.linalg.LinAlgError) as problem:
            return self._diagnose(prepared, sizes, dtype, problem)

    def _diagnose(
        self, prepared: Any, sizes: Mapping[str, int], dtype: np.dtype[Any], problem: Exception
    ) -> Any:
        _, known, _ = self._arguments.prepare(dict(zip(self.inputs, prepared, strict=True)))
        results = run_traced(self._program, self._user, prepared, {**known, **sizes}, dtype)
        if isinstance(problem, np.linalg.LinAlgError | ZeroDivisionError):
            raise DomainError(str(problem)) from None
        return next(iter(results.values())) if len(results) == 1 else results

    def _finish(self, results: Any, out: Mapping[str, Any] | None) -> Any:
        if len(self.outputs) == 1 and not self._single:
            results = {self.outputs[0]: results}
        if out is None:
            return results
        named = {self.outputs[0]: results} if self._single else results
        for name, array in out.items():
            if name not in named:
                raise PullbackError(
                    f"no output is called '{name}'; they are {', '.join(self.outputs)}"
                )
            if array.shape != np.shape(named[name]):
                raise PullbackError(
                    f"out['{name}'] has shape {array.shape}, the result {np.shape(named[name])}"
                )
            array[...] = named[name]
            named[name] = array
        return array if self._single else named

    def __repr__(self) -> str:
        return f"<compiled {', '.join(self.outputs)} of {', '.join(self.inputs)}>"


def _size(name: str, sizes: Mapping[str, int]) -> int:
    if name not in sizes:
        raise PullbackError(
            f"size {name} is shown by no array that was given", hint=f"pass it by name: {name}=…"
        )
    return sizes[name]

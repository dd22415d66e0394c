"""The callable for arrays of JAX or PyTorch: checked for names and shapes, then theirs to run."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from importlib import import_module
from importlib.util import find_spec
from typing import Any, ClassVar, Self

from pullback.compilation.arguments import Arguments
from pullback.compilation.choosing import Choice
from pullback.compilation.compiled import Compiled, Out
from pullback.compilation.memory import Footprint
from pullback.compilation.targets.jax import JaxSpeller
from pullback.compilation.targets.numpy import Speller
from pullback.compilation.targets.numpy_plain import Source
from pullback.compilation.targets.torch import TorchSpeller
from pullback.errors import PullbackError


class ForeignFunction(Compiled):
    """A function made from expressions, in another library's arrays.

    Takes arguments as :class:`.Compiled` does, NumPy arrays included. It looks at shapes only, so
    it can be traced (``jax.jit``, ``jax.vmap``, ``torch.compile``); it raises PullbackError for
    arguments that do not fit, and nothing where an operation leaves the real numbers.
    """

    library: ClassVar[str]
    spelling: ClassVar[type[Speller]]

    def __init__(
        self,
        outputs: Iterable[str],
        arguments: Arguments,
        choice: Choice[Source],
        write: Callable[[], str],
        footprint: Footprint,
    ) -> None:
        super().__init__(outputs, arguments, write, footprint)
        self._choice = choice
        self._functions: dict[int, Callable[..., Any]] = {}  # by the id of their source

    @property
    def generated(self) -> Source:
        """The generated code in its parts."""
        return self._choice.general

    def with_source(self, source: Source) -> Self:
        """A function of the same arguments by other code."""
        return type(self)(
            source.outputs,
            self._arguments,
            Choice(source, None),
            lambda: source.text,
            self.footprint,
        )

    @cached_property
    def _module(self) -> Any:
        if find_spec(self.library) is None:
            raise PullbackError(
                f"{self.library} is not installed",
                hint=f"pip install {self.library}; the code itself is in .source",
            )
        return import_module("jax.numpy" if self.library == "jax" else self.library)

    def _function(self, source: Source) -> Callable[..., Any]:
        if id(source) not in self._functions:
            space: dict[str, Any] = {}
            assert self._module is not None
            exec(compile(source.text, f"<pullback {source.function}>", "exec"), space)
            self._functions[id(source)] = space[source.function]
        return self._functions[id(source)]

    def __call__(self, /, *positional: Any, out: Out = None, **arrays: Any) -> Any:
        if out is not None:
            raise PullbackError(
                f"out= is for NumPy arrays; target '{self.library}' returns its own"
            )
        given = self._arguments.named(positional, arrays)
        known = self._converted({n: given[n] for n in self._arguments.variables if n in given})
        for name, value in known.items():
            self._arguments.check_order(name, tuple(value.shape))
        sizes = self._arguments.sizes({n: tuple(v.shape) for n, v in known.items()}, given)
        source = self._choice.at(sizes)
        missing = [name for name in source.sizes if name not in sizes]
        if missing:
            raise PullbackError(
                f"size {missing[0]} is shown by no array that was given",
                hint=f"pass it by name: {missing[0]}=…",
            )
        options: dict[str, Any] = {t: sizes[name] for name, t in source.sizes.items()}
        if source.dtype:
            options |= self._typed(known)
        return self._function(source)(*[known[name] for name in self.inputs], **options)

    @abstractmethod
    def _converted(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The library's arrays, of one floating dtype: float32 only if all are."""

    @abstractmethod
    def _typed(self, known: Mapping[str, Any]) -> dict[str, Any]:
        """The dtype, and where it lies, of a result that no array decides."""

    def __repr__(self) -> str:
        return (
            f"<compiled {', '.join(self.outputs)} of {', '.join(self.inputs)} for {self.library}>"
        )


class JaxFunction(ForeignFunction):
    library = "jax"
    spelling = JaxSpeller

    def _typed(self, known: Mapping[str, Any]) -> dict[str, Any]:
        return {"dtype": next((a.dtype for a in known.values()), float)}

    def _converted(self, given: Mapping[str, Any]) -> dict[str, Any]:
        jnp = self._module
        arrays = {name: jnp.asarray(value) for name, value in given.items()}
        floats = [a.dtype for a in arrays.values() if jnp.issubdtype(a.dtype, jnp.floating)]
        dtype = jnp.result_type(*floats) if floats else float
        return {name: a.astype(dtype) for name, a in arrays.items()}


class TorchFunction(ForeignFunction):
    library = "torch"
    spelling = TorchSpeller

    def _typed(self, known: Mapping[str, Any]) -> dict[str, Any]:
        given = next(iter(known.values()), self._module.zeros((), dtype=self._module.float64))
        return {"dtype": given.dtype, "device": given.device}

    def _converted(self, given: Mapping[str, Any]) -> dict[str, Any]:
        torch = self._module
        tensors = {n: v for n, v in given.items() if isinstance(v, torch.Tensor)}
        device = next((t.device for t in tensors.values()), None)
        arrays = {name: torch.as_tensor(value, device=device) for name, value in given.items()}
        floats = [a.dtype for a in arrays.values() if a.is_floating_point() and a.ndim]
        dtype = torch.float64
        if floats and all(d == floats[0] for d in floats):
            dtype = floats[0]
        return {name: a.to(dtype) for name, a in arrays.items()}


FOREIGN: dict[str, type[ForeignFunction]] = {"jax": JaxFunction, "torch": TorchFunction}

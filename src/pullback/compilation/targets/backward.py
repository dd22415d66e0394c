"""Two passes as one function that JAX or PyTorch differentiates: the glue around their code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pullback.compilation.naming import RESERVED, Namer
from pullback.compilation.targets.numpy_plain import Source
from pullback.errors import PullbackError

TAKEN = frozenset({"jax", "jnp", "torch", "compute", "value_and_saved", "cotangents", "saved"})


@dataclass(frozen=True)
class Passes:
    """The code of a value with what it saves, and of the cotangents made of that."""

    value: str  # the output that is the function's value
    forward: Source
    backward: Source
    handed: str  # the input of the backward pass that is the value's cotangent
    cotangents: Mapping[str, str]  # for each variable the output that is its cotangent
    shown: Mapping[str, tuple[str, int]]  # for sizes the variable and the axis that shows them

    @property
    def saved(self) -> list[str]:
        """What is kept for the backward pass: variables of the function, and forward values."""
        needed = [name for name in self.backward.parameters if name != self.handed]
        return list(dict.fromkeys([*needed, *[self.shown[s][0] for s in self.backward.sizes]]))


def backward_source(passes: Passes, target: str) -> Source:
    """The module of a differentiable function ``compute``.

    Raises PullbackError where a pass needs a size that no array shows.
    """
    for size in [*passes.forward.sizes, *passes.backward.sizes]:
        if size in passes.forward.sizes or size not in passes.shown:
            raise PullbackError(
                f"size {size} is shown by no array that the function is given",
                hint="a number in its place makes the function differentiable",
            )
    glue = _Glue(passes)
    lines = glue.jax() if target == "jax" else glue.torch()
    forward, backward = passes.forward, passes.backward
    imports = ["import jax"] if target == "jax" else []
    imports += list(dict.fromkeys([*forward.imports, *backward.imports]))
    if target == "torch":
        imports.append("from torch.autograd.function import once_differentiable")
    helpers = [*forward.helpers, *[h for h in backward.helpers if h not in forward.helpers]]
    parts = [helpers, forward.definition, backward.definition, lines]
    definition = [line for part in parts if part for line in [*part, "", ""]][:-2]
    return Source(
        imports,
        [],
        definition,
        "compute",
        dict(forward.parameters),
        (passes.value,),
    )


class _Glue:
    def __init__(self, passes: Passes) -> None:
        self.passes = passes
        namer = Namer(RESERVED | TAKEN)
        self.names = {
            n: namer.name(n) for n in dict.fromkeys([*passes.forward.parameters, *passes.saved])
        }
        self.handed = namer.name(passes.handed)
        self.made, self.context = namer.name("made"), namer.name("ctx")
        inputs = [self.names[n] for n in passes.forward.parameters]
        self.inputs = ", ".join(inputs)
        self.given = [
            self.names[n] if n in passes.forward.parameters else self._part("forward", n)
            for n in passes.saved
        ]
        called = [
            self.handed if n == passes.handed else self.names[n] for n in passes.backward.parameters
        ]
        for size, keyword in passes.backward.sizes.items():
            variable, axis = passes.shown[size]
            called.append(f"{keyword}={self.names[variable]}.shape[{axis}]")
        self.forward = f"{self.made} = {passes.forward.function}({self.inputs})"
        self.backward = f"{self.made} = {passes.backward.function}({', '.join(called)})"
        self.value = self._part("forward", passes.value)
        self.unpacked = _tuple([self.names[n] for n in passes.saved])
        self.results = _tuple(
            [self._part("backward", passes.cotangents[n]) for n in passes.forward.parameters]
        )

    def _part(self, which: str, name: str) -> str:
        source = self.passes.forward if which == "forward" else self.passes.backward
        return self.made if len(source.outputs) == 1 else f'{self.made}["{name}"]'

    def jax(self) -> list[str]:
        saved = _tuple(self.given)
        return [
            "@jax.custom_vjp",
            f"def compute({self.inputs}):",
            f"    {self.forward}",
            f"    return {self.value}",
            "",
            "",
            f"def _forward({self.inputs}):",
            f"    {self.forward}",
            f"    return {self.value}, ({saved})",
            "",
            "",
            f"def _backward(saved, {self.handed}):",
            f"    {self.unpacked} = saved",
            f"    {self.backward}",
            f"    return ({self.results})",
            "",
            "",
            "compute.defvjp(_forward, _backward)",
        ]

    def torch(self) -> list[str]:
        ctx = self.context
        return [
            "class Compute(torch.autograd.Function):",
            "    @staticmethod",
            f"    def forward({ctx}, {self.inputs}):",
            f"        {self.forward}",
            f"        {ctx}.save_for_backward({', '.join(self.given)})",
            f"        return {self.value}",
            "",
            "    @staticmethod",
            "    @once_differentiable",
            f"    def backward({ctx}, {self.handed}):",
            f"        {self.unpacked} = {ctx}.saved_tensors",
            f"        {self.backward}",
            f"        return {self.results}",
            "",
            "",
            "compute = Compute.apply",
        ]


def _tuple(names: list[str]) -> str:
    return f"{names[0]}," if len(names) == 1 else ", ".join(names)

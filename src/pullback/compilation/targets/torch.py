"""PyTorch's spelling: on the device and in the dtype of what it is given, without autograd."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pullback.compilation.ir import Instruction, LinearProgram, Register, is_weak
from pullback.compilation.targets import factors
from pullback.compilation.targets.numpy import (
    ATOM,
    Speller,
    Text,
    bracketed,
    helpers,
    linalg_functions,
    needs_dtype,
    shape_tuple,
)
from pullback.compilation.targets.numpy_indexing import relation_text, subscript
from pullback.errors import PullbackError
from pullback.expressions.sizes import Shape

FUNCTIONS = {
    "special.gamma": "_gamma",
    "special.erf": "torch.erf",
    "special.erfc": "torch.erfc",
    "special.gammaln": "torch.lgamma",
    "special.digamma": "torch.digamma",
    "special.zeta": "torch.special.zeta",
    "linalg.slogdet": "torch.linalg.slogdet",
    "sl.expm": "torch.linalg.matrix_exp",
}
# Γ itself is not among PyTorch's functions: below 0 its sign alternates from pole to pole
GAMMA = """def _gamma(x):
    sign = torch.where(x > 0, 1.0, 1 - 2 * torch.remainder(torch.floor(x), 2))
    return sign * torch.exp(torch.lgamma(x))
""".splitlines()


class TorchSpeller(Speller):
    """Weak numbers are Python's, so that no dtype and no device is decided by them."""

    module = "torch"
    permute = "permute"

    @classmethod
    def typed(
        cls, program: LinearProgram, parameters: Sequence[str]
    ) -> tuple[list[str], list[str]]:
        if not any(needs_dtype(i) or _made(i) for i in program.instructions):
            return [], []
        if parameters:
            return [], [f"dtype, device = {parameters[0]}.dtype, {parameters[0]}.device"]
        return ["dtype=torch.float64", "device=None"], []

    @classmethod
    def spelled(cls, i: Instruction) -> Shape:
        return i.result.shape if i.op == "place" else super().spelled(i)

    @classmethod
    def imports(cls, program: LinearProgram) -> list[str]:
        weak = any(
            i.op == "map" and i.result.weak and i.name not in ("add", "subtract", "multiply")
            for i in program.instructions
        )
        return [*(["import math", ""] if weak else []), "import torch"]

    @classmethod
    def helpers(cls, program: LinearProgram) -> list[str]:
        for name in linalg_functions(program):
            if f"sl.{name}" not in FUNCTIONS:
                raise PullbackError(f"there is no {name} in PyTorch", hint="compile for NumPy")
        lines = [re.sub(r"\bnp\.", "torch.", line) for line in helpers(program)]
        lines = [re.sub(r"(?<![\w.])linalg\.(\w+)", _linalg, line) for line in lines]
        lines = [re.sub(r"\bspecial\.(\w+)", _special, line) for line in lines]
        if any(i.name == "special.gamma" for i in program.instructions):
            lines += [*GAMMA, "", ""]
        return [*factors.helpers(program.instructions, factors.TORCH), *lines]

    def function(self, name: str) -> str:
        return FUNCTIONS.get(name, f"torch.{name}")

    def number(self, text: str) -> str:
        return f"torch.as_tensor({text}, dtype=dtype, device=device)"

    def mapped(self, i: Instruction, arguments: list[str]) -> str:
        if i.result.weak:
            return self.number_of(i.name, arguments)
        numbers = [k for k, v in enumerate(i.operands) if is_weak(v.source)]
        if i.name in ("maximum", "minimum") and numbers:
            bound = "min" if i.name == "maximum" else "max"
            (k,) = numbers
            return f"torch.clamp({arguments[1 - k]}, {bound}={arguments[k]})"
        if i.name == "where" and not i.operands[0].axes:  # maybe of sizes alone: a bool
            arguments = [f"torch.as_tensor({arguments[0]})", *arguments[1:]]
        if i.name in ARRAYS_ONLY:
            arguments = [
                self.number(text) if k in numbers else text for k, text in enumerate(arguments)
            ]
        return f"{self.function(i.name)}({', '.join(arguments)})"

    def number_of(self, name: str, arguments: list[str]) -> str:
        """A function of numbers made of sizes and literals, as a Python number."""
        known = WEAK.get(name, "" if name.startswith("special.") else f"math.{name}")
        if known:
            return f"{known}({', '.join(arguments)})"
        given = [f"torch.as_tensor({text}, dtype=torch.float64)" for text in arguments]
        return f"{self.function(name)}({', '.join(given)}).item()"

    def axes(self, pair: tuple[object, object]) -> str:
        a, b = (axes if isinstance(axes, list) else [axes] for axes in pair)
        return f"dims=({a}, {b})"

    def reduced(self, i: Instruction, operand: str) -> str:
        name = {"max": "amax", "min": "amin"}.get(i.name, i.name)
        whole_array = len(i.detail) == len(i.operands[0].axes)
        if whole_array:
            return f"{operand}.{name}()"
        if name == "prod":  # one axis at a time
            for axis in reversed(i.detail):
                operand = f"{operand}.prod({axis})"
            return operand
        return f"{operand}.{name}({i.detail[0] if len(i.detail) == 1 else i.detail})"

    def inner(self, i: Instruction, operands: list[str]) -> str:
        if i.op == "vecdot":
            return f"torch.linalg.vecdot({', '.join(operands)})"
        order = len(i.operands[0].axes)
        return f"torch.tensordot({', '.join(operands)}, dims={order})"

    def filled(self, i: Instruction) -> str:
        view = i.operands[0]
        shape = shape_tuple(i.result.shape, self.sizes)
        value = self.operand(view)
        if is_weak(view.source):
            return f"torch.full({shape}, {value[0]}, dtype=dtype, device=device)"
        return f"{bracketed(value, ATOM)}.expand({shape}).clone()"

    def copied(self, operand: Text, shape: Shape) -> str:
        del shape
        return f"{bracketed(operand, ATOM)}.clone()"

    def factorised(self, i: Instruction, operands: list[str]) -> str:
        return factors.spelled_torch(i, operands)

    def relation(self, i: Instruction) -> str:
        return relation_text(i, self.spell, "torch.arange({0}, device=device)", ".to(dtype)")

    def sliced(self, i: Instruction, operand: str) -> str:
        source = i.operands[0].source
        assert isinstance(source, Register)
        text = subscript(dict(i.detail), source.shape, self.spell)
        forward, _, backward = text.partition("][")
        if "::-1" in text:  # no negative steps: flip afterwards
            if not backward:
                forward, backward = "", forward[1:]
            turned = [k for k, part in enumerate(backward.rstrip("]").split(", ")) if part != ":"]
            return f"{operand}{forward + ']' if forward else ''}.flip({turned})"
        return operand + text

    def statements(self, i: Instruction, name: str, *, owned: bool) -> list[str]:
        *base, core = i.operands
        value = self.operand(core)[0]
        if i.op == "store":
            i, value = self.forwards(i, value, "torch.flip({0}, [{1}])")
            target = self.stored_part(i, name)
        else:
            index = re.sub(r"arange\((.*?)\)", r"arange(\1, device=device)", self.diagonal_index(i))
            target = f"{name}[{index}]"
        if base:
            first = self.operand(base[0])
            plain = owned and base[0].plain
            copied = first[0] if plain else f"{bracketed(first, ATOM)}.clone()"
            return [f"{name} = {copied}", f"{target} += {value}"]
        shape = shape_tuple(i.result.shape, self.sizes)
        zeros = f"{name} = torch.zeros({shape}, dtype=dtype, device=device)"
        return [zeros, f"{target} = {value}"]


WEAK = {
    "abs": "abs",
    "maximum": "max",
    "minimum": "min",
    "special.gamma": "math.gamma",
    "special.gammaln": "math.lgamma",
    "special.erf": "math.erf",
    "special.erfc": "math.erfc",
}
ARRAYS_ONLY = frozenset({"logaddexp", "hypot", "arctan2", "special.zeta"})


def _made(i: Instruction) -> bool:
    """Whether the text of the instruction makes an array, of a dtype and on a device."""
    if i.op == "map":
        return i.name in ARRAYS_ONLY and any(is_weak(v.source) for v in i.operands)
    return i.op in ("scatter", "place", "store")


def _linalg(match: re.Match[str]) -> str:
    return FUNCTIONS[f"sl.{match[1]}"]


def _special(match: re.Match[str]) -> str:
    return FUNCTIONS.get(f"special.{match[1]}", f"torch.special.{match[1]}")

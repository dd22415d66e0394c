"""JAX's spelling: arrays never change in place, and everything can be traced by ``jax.jit``."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pullback.compilation.ir import Instruction, LinearProgram
from pullback.compilation.targets import factors
from pullback.compilation.targets.numpy import (
    ATOM,
    Speller,
    Text,
    bracketed,
    helpers,
    library,
    linalg_functions,
    needs_dtype,
    scipy_modules,
    shape_tuple,
)
from pullback.compilation.targets.numpy_indexing import relation_text
from pullback.errors import PullbackError
from pullback.expressions.sizes import Shape

LINALG = frozenset({"expm", "solve_triangular"})  # functions of SciPy's linalg that JAX has


class JaxSpeller(Speller):
    """``jax.numpy`` has NumPy's names; in-place statements become ``.at[…]``."""

    module = "jnp"

    @classmethod
    def typed(
        cls, program: LinearProgram, parameters: Sequence[str]
    ) -> tuple[list[str], list[str]]:
        if not any(needs_dtype(i) for i in program.instructions):
            return [], []
        return ([], [f"dtype = {parameters[0]}.dtype"]) if parameters else (["dtype=float"], [])

    @classmethod
    def spelled(cls, i: Instruction) -> Shape:
        return i.result.shape if i.op == "place" else super().spelled(i)

    @classmethod
    def imports(cls, program: LinearProgram) -> list[str]:
        modules = scipy_modules(program.instructions)
        more = [f"from jax.scipy import {', '.join(modules)}"] if modules else []
        return ["import jax.numpy as jnp", *more]

    @classmethod
    def helpers(cls, program: LinearProgram) -> list[str]:
        for name in linalg_functions(program):
            if name not in LINALG:
                raise PullbackError(f"there is no {name} in JAX", hint="compile for NumPy")
        own = factors.helpers(program.instructions, factors.JAX)
        return [*own, *[re.sub(r"\bnp\.", "jnp.", line) for line in helpers(program)]]

    def function(self, name: str) -> str:
        found = library(name)
        return f"j{found}" if found.startswith("np.") else found

    def mapped(self, i: Instruction, arguments: list[str]) -> str:
        return f"{self.function(i.name)}({', '.join(arguments)})"

    def filled(self, i: Instruction) -> str:
        return super().filled(i).removesuffix("[()]")

    def copied(self, operand: Text, shape: Shape) -> str:
        del shape  # nothing can write to it
        return f"jnp.asarray({operand[0]})"

    def relation(self, i: Instruction) -> str:
        return relation_text(i, self.spell, "jnp.arange({0})")

    def statements(self, i: Instruction, name: str, *, owned: bool) -> list[str]:
        del owned
        *base, core = i.operands
        value = self.operand(core)[0]
        if base:
            start = bracketed(self.operand(base[0]), ATOM)
        else:
            start = f"jnp.zeros({shape_tuple(i.result.shape, self.sizes)}, {self.dtype_of(core)})"
        if i.op == "store":
            i, value = self.forwards(i, value, "jnp.flip({0}, {1})")
            return [f"{name} = {self.stored_part(i, start + '.at')}.set({value})"]
        index = self.diagonal_index(i)
        return [f"{name} = {start}.at[{index}].{'add' if base else 'set'}({value})"]

"""Functions of arrays and their source code, from whatever a user states."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pullback.compilation.compile import Compiled, compile_nodes
from pullback.compilation.differentiable import compile_differentiable
from pullback.compilation.keeping import KeepingFunction, compile_kept
from pullback.compilation.runtime import NumpyFunction
from pullback.derived import Derivative
from pullback.errors import PullbackError
from pullback.expressions.nodes import Node, Variable
from pullback.expressions.program import Program
from pullback.stated import Stated, program_of


def compile(
    f: Stated | Mapping[str, Stated],
    structure: str = "dense",
    target: str = "numpy",
    checked: bool = True,
    planned: bool = False,
    differentiable: bool = False,
    memory_limit: float | None = None,
) -> Compiled:
    """A function of arrays for an expression, or for several under one name each.

    What several outputs share is computed once. ``structure="keep"`` returns a derivative with
    structure as :class:`.Kept`: small arrays and δs, with products, solutions and diagonals, and
    never the array of mostly zeros. ``planned`` writes every step into buffers
    that are allocated once. ``target="native"`` is one C function with fused loops, compiled on its
    first call; ``"auto"`` runs NumPy's planned code, and C from when that was counted to pay;
    ``checked`` raises DomainError where a value leaves the reals.
    ``differentiable``, for JAX and PyTorch, makes one function take part in their autodiff by all
    its variables, with our derivative as the backward pass (a ``jax.custom_vjp``, a
    ``torch.autograd.Function``). ``fn.source`` is standalone, and ``fn.forecast(n=1000)`` tells
    what a call would allocate; NumPy's code raises instead of allocating more than
    ``memory_limit`` bytes (unless given, what the machine has). Raises PullbackError for no outputs,
    and for a structure or target that is not available.

    >>> import pullback as pb, numpy as np
    >>> fn = pb.compile(pb.derivative("norm2(A*x - b)^2", "x"))
    >>> fn(A=np.eye(2), x=np.array([3.0, 4.0]), b=np.array([1.0, 1.0]))
    array([4., 6.])
    """
    if structure not in ("dense", "keep"):
        raise PullbackError(f"there is no structure '{structure}'", hint="known are dense, keep")
    if structure == "keep" and (planned or target not in ("numpy", "native", "auto")):
        raise PullbackError("structure='keep' is for targets numpy, native and auto, not planned")
    if differentiable:
        if isinstance(f, Mapping) or structure == "keep" or planned:
            raise PullbackError("differentiable=True is for one function, dense and not planned")
        made: Compiled = compile_differentiable(program_of(f), target)
    else:
        made = _compiled(f, structure, target, checked=checked, planned=planned)
    if memory_limit is not None:
        if not isinstance(made, NumpyFunction | KeepingFunction):
            raise PullbackError("memory_limit is for NumPy's arrays")
        made.limited(memory_limit)
    return made


def _compiled(
    f: Stated | Mapping[str, Stated], structure: str, target: str, *, checked: bool, planned: bool
) -> Compiled:
    outputs = f if isinstance(f, Mapping) else {"": f}
    if not outputs:
        raise PullbackError("there is nothing to compile", hint='give outputs: {"loss": L}')
    programs = {name: program_of(g) for name, g in outputs.items()}
    merged = _merge(programs)
    if not isinstance(f, Mapping):
        programs = {merged.result_name or "result": programs[""]}
    names: dict[Node, str] = {}
    rows = set(merged.rows)
    for name, g in zip(programs, outputs.values(), strict=True):
        if isinstance(g, Derivative):
            handed = g.derivation.handed_to_lines()
            names.update(
                {node: cotangent_name(g.derivation.program, line) for node, line in handed.items()}
            )
            rows |= {cotangent_name(g.derivation.program, line) for line in g.program.rows}
            if len(g.derivation.wrt) == 1 and g.derivation.wrt[0].name in g.program.rows:
                rows.add(name)
    nodes = {
        name: g.node if isinstance(g, Derivative) else programs[name].result
        for name, g in zip(programs, outputs.values(), strict=True)
    }
    program = replace(merged, rows=frozenset(rows))
    if structure == "keep":
        above = {
            name: _row_axes(g) if isinstance(g, Derivative) else 0
            for name, g in zip(programs, outputs.values(), strict=True)
        }
        return compile_kept(nodes, above, program, names, target, checked=checked)
    return compile_nodes(nodes, program, names, target=target, planned=planned, checked=checked)


def _row_axes(d: Derivative) -> int:
    """How many axes make the rows: those of the function, or of the first variable for a scalar."""
    function, *variables = d.derivation.groups
    return function or variables[0]


def cotangent_name(program: Program, line: str) -> str:
    """What the gradient handed to a line is called in code, such as ``dL_dg``."""
    return f"d{program.result_name or 'f'}_d{line}"


def code(
    f: Stated | Mapping[str, Stated],
    target: str = "numpy",
    planned: bool = False,
    differentiable: bool = False,
) -> str:
    """The generated source code: readable, and standalone. Raises what :func:`compile` raises.

    >>> import pullback as pb
    >>> print(pb.code(pb.gradient("norm2(A*x - b)^2", "x")))  # doctest: +ELLIPSIS
    import numpy as np
    ...
    """
    return compile(f, target=target, planned=planned, differentiable=differentiable).source


def _merge(programs: Mapping[str, Program]) -> Program:
    """One program with the names of all; two variables of one name must be the same."""
    first = next(iter(programs.values()))
    variables: dict[str, Variable] = {}
    lines: dict[str, Node] = {}
    rows: frozenset[str] = frozenset()
    for program in programs.values():
        for name, node in program.variables.items():
            if variables.setdefault(name, node) is not node:
                raise PullbackError(f"'{name}' has two meanings in the functions to compile")
        for name, line in program.lines.items():
            lines.setdefault(name, line)
        rows |= program.rows
    return replace(first, variables=variables, lines=lines, rows=rows)

"""Expressions to a fast function and its readable source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pullback.compilation.arguments import Arguments
from pullback.compilation.lowering import lower
from pullback.compilation.rewriting import divide_once
from pullback.compilation.runtime import Compiled, PlainFunction, PlannedFunction
from pullback.compilation.targets.numpy import plain_source
from pullback.compilation.targets.numpy_planned import planned_source
from pullback.errors import PullbackError
from pullback.expressions.nodes import Contraction, Node, SizeValue, Variable
from pullback.expressions.program import Program
from pullback.expressions.sizes import Size
from pullback.expressions.walks import post_order, variables


def compile_nodes(
    outputs: Mapping[str, Node],
    program: Program,
    names: Mapping[Node, str] | None = None,
    target: str = "numpy",
    planned: bool = False,
    checked: bool = True,
) -> Compiled:
    """A function that computes all outputs together, shared parts once.

    ``names`` gives lines to intermediates beside those of the program. The plain form has a line
    of code for each of them; the planned one writes into buffers that it keeps. With one output
    the function returns an array, else a dict. ``checked``: an operation that leaves the real
    numbers raises DomainError.

    >>> import numpy as np
    >>> from pullback.expressions import constructors as make
    >>> A, x = make.variable("A", ["m", "n"]), make.variable("x", ["n"])
    >>> fn = compile_nodes({"y": make.einsum("ij,j->i", A, x)}, Program(A, {"A": A, "x": x}))
    >>> fn(A=np.eye(2), x=[1, 2])
    array([1., 2.])
    """
    if target != "numpy":
        raise PullbackError(f"there is no target '{target}'; 'numpy' is the one there is")
    if not outputs:
        raise PullbackError("nothing to compile: no outputs")
    known = dict(program.variables)
    for node in variables(*outputs.values()):
        if known.setdefault(node.name, node) is not node:
            raise PullbackError(f"two variables are called '{node.name}'")
    lines = line_names(program, names or {})
    linear = divide_once(lower(outputs, lines, merge_named=planned), hoisted=planned)
    inputs = [name for name in known if name in linear.inputs]
    linear.inputs = {name: linear.inputs[name] for name in inputs}
    arguments = Arguments(known, inputs, program.rows, size_names(outputs.values()))
    if planned:
        source = planned_source(linear, inputs)
        return PlannedFunction(linear, program, arguments, source, checked=checked)
    function = next(iter(outputs)) if len(outputs) == 1 else "compute"
    plain = plain_source(linear, function)
    return PlainFunction(linear, program, arguments, plain, checked=checked)


def size_names(roots: Iterable[Node]) -> set[str]:
    """Every named size in the expressions."""
    sizes: set[Size] = set()
    for node in post_order(*roots):
        sizes.update(node.shape)
        if isinstance(node, Contraction):
            sizes.update(node.sizes)
        elif isinstance(node, SizeValue):
            sizes.add(node.size)
    return {name for size in sizes for name in size.names}


def line_names(program: Program, names: Mapping[Node, str]) -> dict[Node, str]:
    """The nodes that keep a line of their own: the program's lines, then the names given."""
    lines: dict[Node, str] = {}
    for name, node in program.lines.items():
        lines.setdefault(node, name)
    if program.result_name:
        lines.setdefault(program.result, program.result_name)
    for node, name in names.items():
        lines.setdefault(node, name)
    return {node: name for node, name in lines.items() if not isinstance(node, Variable)}

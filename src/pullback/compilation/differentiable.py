"""A function of JAX's or PyTorch's arrays that their autodiff differentiates by our derivative.

Its forward pass hands on what the backward pass needs, so that no forward value is computed twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pullback.compilation.compile import compile_nodes, stable
from pullback.compilation.foreign import FOREIGN, ForeignFunction
from pullback.compilation.targets.backward import Passes, backward_source
from pullback.differentiation.reverse import reverse
from pullback.errors import PullbackError
from pullback.expressions import constructors as make
from pullback.expressions.nodes import Node, Variable
from pullback.expressions.program import Program
from pullback.expressions.sizes import Size
from pullback.expressions.walks import depending_on, post_order, substitute, variables


@dataclass(frozen=True)
class Split:
    """A value and its cotangents, with forward values as variables of the backward pass."""

    value: Node
    saved: Mapping[str, Node]  # by the names of the variables that stand for them
    cotangents: Mapping[str, Node]  # by the name of the variable they belong to
    handed: Variable  # the cotangent of the value
    names: Mapping[str, str]  # of the cotangents, by variable


def compile_differentiable(program: Program, target: str) -> ForeignFunction:
    """The result of a program for ``target``, with our derivative as its backward pass.

    It takes part in ``jax.grad`` and in PyTorch's autograd by all of its variables. Raises
    MissingRule where one of them has no derivative, and PullbackError for another target, and for
    sizes that no array shows.
    """
    if target not in FOREIGN:
        raise PullbackError(
            f"target '{target}' has no autodiff to take part in",
            hint=f"targets that have: {', '.join(FOREIGN)}",
        )
    split = split_passes(program)
    name = program.result_name or "result"
    forward = compile_nodes(
        {name: split.value, **split.saved}, program, target=target, function="value_and_saved"
    )
    stood_for = {v.name: v for v in variables(*split.cotangents.values())}
    stood_for[split.handed.name] = split.handed
    known = {**program.variables, **stood_for}
    backward = compile_nodes(
        {split.names[name]: node for name, node in split.cotangents.items()},
        Program(split.value, known, result_name=name),
        target=target,
        function="cotangents",
    )
    assert isinstance(forward, ForeignFunction) and isinstance(backward, ForeignFunction)
    shown = {
        size.names[0]: (v.name, axis)
        for v in variables(split.value)
        for axis, size in enumerate(v.shape)
        if len(size.names) == 1 and size == Size.of(size.names[0])
    }
    passes = Passes(
        name, forward.generated, backward.generated, split.handed.name, split.names, shown
    )
    return forward.with_source(backward_source(passes, target))


def split_passes(program: Program) -> Split:
    """Each part of the value that the cotangents use becomes a variable of theirs.

    >>> U, x = make.variable("U", ["m", "n"]), make.variable("x", ["n"])
    >>> f = make.total(make.power(make.einsum("ij,j->i", U, x), 2))
    >>> split = split_passes(Program(f, {"U": U, "x": x}))
    >>> list(split.saved), list(split.cotangents)
    (['saved1'], ['x', 'U'])
    """
    inputs = variables(program.result)
    taken = {*program.variables, *program.lines}
    handed = make.variable(_fresh(f"{program.result_name or 'f'}_bar", taken), program.result.shape)
    assert isinstance(handed, Variable)
    cotangents = reverse(program.result, list(inputs), seed=handed)
    named = {v.name: node for v, node in zip(inputs, cotangents, strict=True)}
    together, _, _ = stable({**named, "": program.result}, program, {})
    value = together.pop("")
    inside = depending_on(value, inputs)  # what is no mere number
    stand_ins: dict[Node, Node] = {}
    saved: dict[str, Node] = {}
    for node in post_order(*together.values()):
        for child in () if node in inside else node.children:
            if child in inside and child not in stand_ins and not isinstance(child, Variable):
                name = _fresh(f"saved{len(saved) + 1}", taken)
                stand_ins[child] = make.variable(name, child.shape)
                saved[name] = child
    later = {name: substitute(node, stand_ins) for name, node in together.items()}
    used = {v.name for v in variables(*later.values())}
    kept = {name: node for name, node in saved.items() if name in used}
    return Split(value, kept, later, handed, {n: _fresh(f"{n}_bar", taken) for n in later})


def _fresh(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    taken.add(name)
    return name

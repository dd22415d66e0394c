"""Expressions to a fast function and its readable source."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from pullback.compilation.arguments import Arguments
from pullback.compilation.choosing import Choice, S
from pullback.compilation.compiled import Compiled
from pullback.compilation.extras import has_scipy
from pullback.compilation.factorising import share_factorisations
from pullback.compilation.foreign import FOREIGN
from pullback.compilation.ir import LinearProgram
from pullback.compilation.lowering import lower
from pullback.compilation.memory import Footprint
from pullback.compilation.native.auto import AutoFunction
from pullback.compilation.native.running import NativeFunction
from pullback.compilation.native.writer import native_source
from pullback.compilation.ordering import Measure, nominal
from pullback.compilation.rewriting import divide_once
from pullback.compilation.runtime import PlainFunction, PlannedFunction
from pullback.compilation.targets.numpy_plain import plain_source
from pullback.compilation.targets.numpy_planned import planned_source
from pullback.errors import PullbackError
from pullback.expressions.nodes import Contraction, Indicator, Node, SizeValue, Variable
from pullback.expressions.program import Program
from pullback.expressions.sizes import Size
from pullback.expressions.walks import post_order, variables
from pullback.notation.names import Name, Names
from pullback.notation.write import write
from pullback.simplification.simplify import simplify
from pullback.trace import Trace

__all__ = ["Compiled", "compile_nodes"]

TARGETS = ("numpy", *FOREIGN, "native")

DESCRIBED = 200  # with more lines than that, no formulas are written into the code


def compile_nodes(
    outputs: Mapping[str, Node],
    program: Program,
    names: Mapping[Node, str] | None = None,
    target: str = "numpy",
    planned: bool = False,
    checked: bool = True,
    function: str = "compute",
) -> Compiled:
    """A function that computes all outputs together, shared parts once.

    ``names`` gives lines to intermediates beside those of the program; one that stands in
    ``program.rows`` is written as a row in comments. The plain form has a line
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
    known_targets = (*TARGETS, "auto")
    if target not in known_targets:
        raise PullbackError(
            f"there is no target '{target}'", hint=f"known are {', '.join(known_targets)}"
        )
    if planned and target != "numpy":
        raise PullbackError(f"planned buffers are NumPy's; target '{target}' has none")
    if not outputs:
        raise PullbackError("nothing to compile: no outputs")
    known = dict(program.variables)
    for node in variables(*outputs.values()):
        if known.setdefault(node.name, node) is not node:
            raise PullbackError(f"two variables are called '{node.name}'")
    outputs, program, names = stable(outputs, program, names or {})
    lines = line_names(program, names)
    buffered = planned or target in ("native", "auto")

    def linear_for(measure: Measure = nominal) -> LinearProgram:
        made = lower(outputs, lines, merge_named=buffered, measure=measure)
        made = share_factorisations(made, factors=target in FOREIGN or has_scipy())
        made = divide_once(made, hoisted=buffered)
        made.inputs = {name: made.inputs[name] for name in known if name in made.inputs}
        return made

    linear = linear_for()
    inputs = list(linear.inputs)
    arguments = Arguments(known, inputs, program.rows, size_names(outputs.values()), linear.granted)
    described = {**{node: name for name, node in outputs.items()}, **lines}
    describe = describer(program, described)

    def choice(write: Callable[[LinearProgram], S]) -> Choice[S]:
        """The code that ``write`` makes, for any sizes."""
        if not linear.flexible:
            return Choice(write(linear), None)
        return Choice(write(linear), lambda measure: write(linear_for(measure)))

    if target in FOREIGN:
        kind = FOREIGN[target]
        return kind(
            linear.outputs,
            arguments,
            choice(lambda made: plain_source(made, function, order=inputs, spelling=kind.spelling)),
            lambda: plain_source(linear, function, describe, spelling=kind.spelling).text,
            Footprint.of(linear),
        )

    def planned_function() -> PlannedFunction:
        return PlannedFunction(
            linear,
            program,
            arguments,
            choice(lambda made: planned_source(made, inputs)),
            lambda: planned_source(linear, inputs, describe).text,
            checked=checked,
        )

    if planned:
        return planned_function()

    def native_function() -> NativeFunction:
        return NativeFunction(
            linear,
            program,
            arguments,
            choice(lambda made: native_source(made, inputs, checked=checked)),
            planned_function,
            lambda: native_source(linear, inputs, describe, checked=checked).text,
            checked=checked,
        )

    if target == "native":
        return native_function()
    if target == "auto":
        return AutoFunction(
            linear,
            program,
            arguments,
            choice(lambda made: planned_source(made, inputs)),
            native_function,
            lambda: planned_source(linear, inputs, describe).text,
            checked=checked,
        )
    return PlainFunction(
        linear,
        program,
        arguments,
        choice(lambda made: plain_source(made, order=inputs)),
        lambda: plain_source(linear, describe=describe).text,
        checked=checked,
    )


def stable(
    outputs: Mapping[str, Node], program: Program, names: Mapping[Node, str]
) -> tuple[dict[str, Node], Program, dict[Node, str]]:
    """Everything simplified together, so that log(softmax(x)) is one stable function and the like."""
    trace = Trace()
    results = {name: simplify(node, trace) for name, node in outputs.items()}

    def image(node: Node) -> Node:
        return trace.simplified.get(node, node)

    program = replace(
        program,
        result=image(program.result),
        lines={name: image(node) for name, node in program.lines.items()},
        places={**program.places, **{image(n): place for n, place in program.places.items()}},
    )
    return results, program, {simplify(node, trace): name for node, name in names.items()}


def describer(program: Program, lines: Mapping[Node, str]) -> Callable[[Node], str | None]:
    """What writes the formula of a line above its code; long programs go without."""
    if len(lines) > DESCRIBED:
        return lambda _node: None
    own = Names.of(program, named=True)
    table = own.extended(
        {
            node: Name.plain(name, row=name in program.rows)
            for node, name in lines.items()
            if node not in own.table
        }
    )

    def describe(node: Node) -> str | None:
        name = table.name(node)
        if name is None:
            return None
        formula = write(node, own if node in own.table else table)
        return f"{name.text} = {formula}" if len(formula) < 90 and "\n" not in formula else None

    return describe


def size_names(roots: Iterable[Node]) -> set[str]:
    """Every named size in the expressions."""
    sizes: set[Size] = set()
    for node in post_order(*roots):
        sizes.update(node.shape)
        if isinstance(node, Contraction):
            sizes.update(node.sizes)
        elif isinstance(node, SizeValue):
            sizes.add(node.size)
        elif isinstance(node, Indicator):
            sizes.update(node.coefficients, (node.offset,))
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

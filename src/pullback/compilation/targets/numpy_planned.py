"""NumPy's spelling of a plan: buffers made once, every operation writing into one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pullback.compilation.contraction import LETTERS
from pullback.compilation.ir import Instruction, LinearProgram, Literal, Register, View
from pullback.compilation.naming import Namer
from pullback.compilation.planning import Plan, plan
from pullback.compilation.targets.numpy import (
    ATOM,
    Speller,
    Text,
    imports,
    library,
    literal,
    shape_tuple,
    viewed,
)
from pullback.compilation.targets.numpy_indexing import sizes_spelled
from pullback.expressions.nodes import Node
from pullback.expressions.sizes import Shape, shape_text

UFUNCS = {"abs": "absolute"}
REDUCE = {"sum": "add", "max": "maximum", "min": "minimum", "prod": "multiply"}
KEYWORD_OUT = frozenset({"maximum", "minimum"})  # NumPy deprecates a third positional argument


@dataclass
class PlannedSource:
    """Generated code: ``make(sizes…, dtype)`` returns ``step(inputs…, arrays for outputs…)``.

    With outputs in ``blank`` a step takes, last, whether their arrays are zero already.
    """

    text: str
    sizes: list[str]  # the sizes make takes, in order
    parameters: list[str]
    arrays: dict[str, Shape]  # outputs that are written into arrays, in the order of step
    scalars: list[str]  # outputs that step returns
    blank: tuple[str, ...]  # arrays for outputs that are mostly zeros


def planned_source(
    program: LinearProgram,
    order: list[str],
    describe: Callable[[Node], str | None] = lambda node: None,
) -> PlannedSource:
    """The program as a function that makes buffers and returns the straight-line step."""
    return _Planned(plan(program), order, describe).write()


class _Planned:
    def __init__(
        self, made: Plan, order: list[str], describe: Callable[[Node], str | None]
    ) -> None:
        self.plan = made
        self.program = made.program
        self.describe = describe
        self.namer = Namer()
        self.parameters = {name: self.namer.name(name) for name in order}
        self.arrays = {
            name: view.source.shape
            for name, view in self.program.outputs.items()
            if isinstance(view.source, Register) and view.source.shape
        }
        wanted = {name for shape in self._shapes() for size in shape for name in size.names}
        for i in made.hoisted:
            wanted.update(*[size.names for size in sizes_spelled(i)])
        self.sizes = {name: self.namer.name(name) for name in sorted(wanted)}
        self.outs = {name: self.namer.name(f"out_{name}") for name in self.arrays}
        self.zeroed = self.namer.name("zeroed")
        self.spaces = [self.namer.name(f"w{b.index + 1}") for b in made.workspaces]
        self.names: dict[Register, str] = {}  # as the steps write it
        self.prebound: dict[tuple[object, ...], str] = {}  # views, numbers, functions made once
        self.setup: list[str] = []
        self.lines: list[str] = []
        self.hoisted: dict[Register, Text] = {}
        self.speller = Speller(self.sizes, self._scalar_text)
        self.wanted = dict(self.program.names)

    def _shapes(self) -> list[Shape]:
        return (
            [*self.arrays.values(), *[b.shape for b in self.plan.workspaces]]
            + [i.result.shape for i in self.plan.steps if i.op in ("helper", "tensordot")]
            + [sizes_spelled(i) for i in self.plan.steps]
        )

    def write(self) -> PlannedSource:
        for name, register in self.program.inputs.items():
            self.names[register] = self.parameters[name]
        for buffer in self.plan.workspaces:
            kind = "bool" if buffer.kind == "bool" else "dtype"
            self.setup.append(
                f"{self.spaces[buffer.index]} = np.empty({shape_tuple(buffer.shape, self.sizes)}, {kind})"
            )
        for i in self.plan.hoisted:
            self._hoist(i)
        for i in self.plan.steps:
            self._step(i)
        scalars = [name for name in self.program.outputs if name not in self.arrays]
        returned = [self.names[self._register(name)] for name in scalars]
        made = ", ".join([*self.sizes.values(), "dtype"])
        last = [f"{self.zeroed}=False"] if self.plan.blank else []
        taken = ", ".join([*self.parameters.values(), *self.outs.values(), *last])
        text = [*imports(self.program), "", "", *Speller.helpers(self.program)]
        text += [f"def make({made}):"]
        text += [f'    """Buffers for these sizes; returns step({taken})."""']
        text += [f"    {line}" for line in self.setup]
        text += ["", f"    def step({taken}):", *self._docstring()]
        text += [f"        {line}" for line in self.lines]
        text += [f"        return {', '.join(returned) or 'None'}", "", "    return step"]
        return PlannedSource(
            "\n".join(text) + "\n",
            list(self.sizes),
            list(self.parameters),
            self.arrays,
            scalars,
            tuple(self.plan.blank),
        )

    def _register(self, name: str) -> Register:
        source = self.program.outputs[name].source
        assert isinstance(source, Register)
        return source

    def _docstring(self) -> list[str]:
        shapes = [
            f"{p}: {shape_text(self.program.inputs[name].shape)}"
            for name, p in self.parameters.items()
        ]
        outs = [f"{self.outs[name]}: {shape_text(shape)}" for name, shape in self.arrays.items()]
        rows = ["", *[f"            {row}" for row in shapes + outs]]
        return ['        """Writes the results into the arrays given last.', *rows, '        """']

    # what is made once

    def _once(self, key: tuple[object, ...], wanted: str, expression: str) -> str:
        if key not in self.prebound:
            name = self.namer.name(wanted)
            self.prebound[key] = name
            self.setup.append(f"{name} = {expression}")
        return self.prebound[key]

    def _hoist(self, i: Instruction) -> None:
        if i.op == "size":
            self.hoisted[i.result] = self.speller.expression(i)
            return
        text = self.speller.expression(i)[0]
        name = self.namer.temporary("k")
        self.setup.append(f"{name} = {text}")
        self.hoisted[i.result] = name, ATOM
        self.names[i.result] = name

    def _function(self, name: str) -> str:
        return self._once(("function", name), name.replace(".", "_"), library(name))

    def _scalar_text(self, source: Literal | Register) -> Text:
        """A source as it stands in an expression of scalars."""
        if isinstance(source, Literal):
            return literal(source.value)
        if source in self.hoisted:
            return self.hoisted[source]
        return self.names[source], ATOM

    def _number(self, source: Literal | Register) -> str:
        """A literal or a number of sizes as an array of no axes, which ufuncs take fastest."""
        text = self._scalar_text(source)[0]
        return self._once(("number", text), "c1", f"np.array({text}, dtype)")

    # the steps

    def _operand(self, view: View, *, aligned: bool = True) -> str:
        source = view.source
        if isinstance(source, Literal) or source.weak:
            return self._number(source)
        name = self.names[source]
        text = viewed((name, ATOM), view, aligned=aligned)[0]
        buffer = self.plan.buffers.get(source)
        if text == name or buffer is None or buffer.output:
            return text
        return self._once(("view", text), f"{name}_v", text)  # a view of a workspace lasts

    def _target(self, i: Instruction) -> str:
        buffer = self.plan.buffers[i.result]
        return self.outs[buffer.output] if buffer.output else self.spaces[buffer.index]

    def _step(self, i: Instruction) -> None:
        note = self.wanted.get(i.result, "")
        start = len(self.lines)
        if not i.result.shape and i.op != "scatter":
            self._scalar(i)
        elif i.result in self.plan.buffers:
            self.names[i.result] = self._target(i)
            self.lines += self._buffered(i, self.names[i.result])
        else:
            name = self.namer.temporary("s")
            self.names[i.result] = name
            self.lines.append(f"{name} = {self._fresh(i)}")
        if note and len(self.lines) > start:
            node = self.program.lines.get(i.result)
            said = self.describe(node) if node is not None else None
            self.lines[-1] += f"  # {said or note}"

    def _scalar(self, i: Instruction) -> None:
        """A number: plain arithmetic, as buffers do not pay."""
        name = self.namer.temporary("s")
        if i.op == "map":
            text = self.speller.expression(i)[0]
        elif i.op == "reduce":
            function = self._once(("reduce", i.name), f"{i.name}_of", f"np.{REDUCE[i.name]}.reduce")
            text = f"{function}({self._operand(i.operands[0])}, None)"
        elif i.op in ("matmul", "vdot"):
            left, right = (self._operand(v, aligned=False) for v in i.operands)
            text = f"{self._function('dot' if i.op == 'matmul' else 'vdot')}({left}, {right})"
        else:
            text = self._fresh(i)
        self.names[i.result] = name
        self.lines.append(f"{name} = {text}")

    def _fresh(self, i: Instruction) -> str:
        """An expression that makes its own array."""

        def text(source: Literal | Register) -> Text:
            if isinstance(source, Register) and not source.weak:
                return self.names[source], ATOM
            return self._number(source), ATOM

        return Speller(self.sizes, text).expression(i)[0]

    def _buffered(self, i: Instruction, out: str) -> list[str]:
        operands = [self._operand(v, aligned=i.op == "map") for v in i.operands]
        listed = ", ".join(operands)
        match i.op:
            case "map" if i.name == "where":
                copy = self._function("copyto")
                return [
                    f"{copy}({out}, {operands[2]})",
                    f"{copy}({out}, {operands[1]}, where={operands[0]})",
                ]
            case "map":
                function = self._function(UFUNCS.get(i.name, i.name))
                keyword = "out=" if i.name in KEYWORD_OUT else ""
                return [f"{function}({listed}, {keyword}{out})"]
            case "reduce":
                function = self._once(
                    ("reduce", i.name), f"{i.name}_of", f"np.{REDUCE[i.name]}.reduce"
                )
                axis = str(i.detail[0] if len(i.detail) == 1 else i.detail)
                return [f"{function}({listed}, {axis}, None, {out})"]
            case "matmul" | "vecdot":
                return [f"{self._function(i.op)}({listed}, {out})"]
            case "einsum":
                return [f"{self._function('einsum')}({i.name!r}, {listed}, out={out})"]
            case "fill" | "copy":
                return [f"{self._function('copyto')}({out}, {listed})"]
            case "scatter":
                return [
                    self._clear(i, out),
                    f"{self._function('copyto')}({self._diagonal(i, out)}, {operands[0]})",
                ]
            case "store":
                part = self.speller.stored_part(i, out)
                return [self._clear(i, out), f"{self._function('copyto')}({part}, {operands[0]})"]
            case "concatenate":
                return [f"{self._function('concatenate')}(({listed}), {i.detail[0]}, {out})"]
            case "place":
                diagonal = self._diagonal(i, out)
                first = (
                    []
                    if operands[0] == out
                    else [f"{self._function('copyto')}({out}, {operands[0]})"]
                )
                return [*first, f"{self._function('add')}({diagonal}, {operands[1]}, {diagonal})"]
        return [f"{self._function('copyto')}({out}, {self._fresh(i)})"]

    def _clear(self, i: Instruction, out: str) -> str:
        test = f"if not {self.zeroed}: " if i.result in self.plan.results else ""
        return f"{test}{out}.fill(0)"

    def _diagonal(self, i: Instruction, out: str) -> str:
        """The writeable view of a diagonal; of a workspace it is made once."""
        subscripts = "".join(LETTERS[k] for k in i.detail)
        text = f"np.einsum('{subscripts}->{''.join(dict.fromkeys(subscripts))}', {out})"
        if self.plan.buffers[i.result].output:
            name = self.namer.temporary("s")
            self.lines.append(f"{name} = {text}")
            return name
        return self._once(("view", text), f"{out}_v", text)

"""A loop over one domain in C: merged axes, vectors inside, threads outside, sums in parts."""

from __future__ import annotations

from dataclasses import dataclass

from pullback.compilation.ir import Literal, Register
from pullback.compilation.native import spelling
from pullback.compilation.native.fusing import Loop, Operand, Step
from pullback.compilation.native.places import row_major, volume
from pullback.compilation.native.scope import INDENT, Scope
from pullback.compilation.targets.numpy import ATOM, INFIX, PRODUCT, SUM, Text, bracketed
from pullback.expressions.sizes import Size

INDICES = (*"ijkl", *[f"i{k}" for k in range(5, 60)])  # of loops, from the outermost
INLINE = 60  # the longest expression that is written inside another

START = {"sum": "0", "prod": "1", "max": "-INFINITY", "min": "INFINITY"}
CLAUSE = {"sum": "+", "prod": "*", "max": "largest", "min": "smallest"}
COMBINE = {
    "sum": "{0} += {1};",
    "prod": "{0} *= {1};",
    "max": "{0} = maximum_of({0}, {1});",
    "min": "{0} = minimum_of({0}, {1});",
}


@dataclass
class _Axis:
    """Neighbouring axes of the domain as one loop."""

    axes: list[int]
    length: Size
    index: str


def write_loop(scope: Scope, loop: Loop, stored: set[Register]) -> None:
    """Adds the statements of a loop; ``stored`` are the results that others read from memory."""
    if loop.domain:
        _Nest(scope, loop, stored).write()
    else:
        _Body(scope, loop, [], stored).write(scope.lines, {})


class _Body:
    """The statements for one index."""

    def __init__(self, scope: Scope, loop: Loop, axes: list[_Axis], stored: set[Register]) -> None:
        self.scope = scope
        self.loop = loop
        self.axes = axes
        self.stored = stored
        self.local: dict[Register, Text] = {}
        self.uses: dict[Register, int] = {}
        for step in loop.steps:
            for operand in step.operands:
                if isinstance(operand.source, Register):
                    self.uses[operand.source] = self.uses.get(operand.source, 0) + 1

    def write(self, lines: list[str], totals: dict[Register, str]) -> None:
        """Adds the lines; ``totals`` names what each reduction adds to."""
        if not self.loop.domain:
            self.local = self.scope.texts  # numbers are known to all that follows
        self._read_first(lines)
        for step in self.loop.steps:
            note = self.scope.note(step.result)
            if note:
                lines.append(f"// {note}")
            if step.reduction:
                product = self._product(step)
                lines.append(COMBINE[step.reduction].format(totals[step.result], product))
            else:
                self._pointwise(step, lines)

    def _read_first(self, lines: list[str]) -> None:
        """What a result is written over is read before."""
        for step in self.loop.steps:
            for operand in step.operands:
                source = operand.source
                if isinstance(source, Register) and source in self.scope.overwritten:
                    text = self._operand(step, operand)
                    if source not in self.local:
                        kind = "bool" if source.kind == "bool" else "real"
                        name = self.scope.namer.temporary("v")
                        lines.append(f"const {kind} {name} = {text[0]};")
                        self.local[source] = name, ATOM

    def _pointwise(self, step: Step, lines: list[str]) -> None:
        i, register = step.instruction, step.result
        operands = [self._operand(step, o) for o in step.operands]
        kind = "bool" if register.kind == "bool" else "real"
        test = (
            spelling.outside(i, self.scope.signs) if i.op == "map" and self.scope.checked else None
        )
        if test is not None:
            operands = [self._named(text, lines) for text in operands]
        after = test is not None and "{result}" in test
        words = [bracketed(operand, ATOM) for operand in operands]
        if test is not None and not after:
            lines.append(f"bad |= {test.format(*words)};")
        text = self._value(step, operands)
        if not after and self.loop.domain and register not in self.scope.wanted:
            count = self.uses.get(register, 0)
            if count == 1 and register not in self.stored and len(text[0]) <= INLINE:
                self.local[register] = text
                return
            if count == 0 and register in self.stored:
                lines.append(f"{self.target(step)} = {text[0]};")
                return
        name = self.scope.name(register)
        lines.append(f"const {kind} {name} = {text[0]};")
        if test is not None and after:
            lines.append(f"bad |= {test.format(*words, result=name)};")
        self.local[register] = name, ATOM
        if register in self.stored:
            lines.append(f"{self.target(step)} = {name};")

    def _named(self, text: Text, lines: list[str]) -> Text:
        if text[0].isidentifier() or text[0].startswith("(real)") or text[0].isdigit():
            return text
        name = self.scope.namer.temporary()
        lines.append(f"const real {name} = {text[0]};")
        return name, ATOM

    def _value(self, step: Step, operands: list[Text]) -> Text:
        i = step.instruction
        if i.op == "map":
            return spelling.mapped(i, operands)
        if i.op == "indicator":
            return self._relation(step)
        if i.op in ("einsum", "tensordot"):
            return self._product(step), PRODUCT
        return operands[0]

    def _product(self, step: Step) -> str:
        texts = [self._operand(step, o) for o in step.operands]
        return " * ".join(bracketed(text, PRODUCT - (k > 0)) for k, text in enumerate(texts))

    def _relation(self, step: Step) -> Text:
        coefficients, offset = step.instruction.detail
        terms = [
            f"{bracketed(self.scope.size(c), PRODUCT)} * {axis.index}"
            for c, axis in zip(coefficients, self.axes, strict=True)
            if c.terms
        ]
        if offset.terms:
            terms.append(bracketed(self.scope.size(offset), PRODUCT))
        return f"(real)({' + '.join(terms) or '0'} {step.instruction.name} 0)", ATOM

    def _operand(self, step: Step, operand: Operand) -> Text:
        source = operand.source
        if isinstance(source, Literal):
            beside = step.instruction.name in INFIX and any(
                isinstance(o.source, Register) for o in step.operands
            )
            return self.scope.number(source, beside_real=beside)
        if source in self.local:
            return self.local[source]
        if not source.shape:
            return self.scope.number(source)
        place = self.scope.places[source]
        strides: dict[int, Size] = {}
        for axis, stride in zip(operand.axes, place.strides, strict=True):
            strides[axis] = strides.get(axis, Size.of(0)) + stride
        return f"{place.name}[{self.index(strides, place.start)}]", ATOM

    def index(self, strides: dict[int, Size], start: Size) -> str:
        """The place of an entry: each loop's index times the stride of its last axis."""
        terms = [bracketed(self.scope.size(start), SUM)] if start.terms else []
        for axis in self.axes:
            stride = strides.get(axis.axes[-1])
            if stride is not None and stride.constant == 1:
                terms.append(axis.index)
            elif stride is not None and stride.terms:
                terms.append(f"{bracketed(self.scope.size(stride), PRODUCT)} * {axis.index}")
        return " + ".join(terms) or "0"

    def target(self, step: Step) -> str:
        """Where the result of a step goes."""
        place = self.scope.places[step.result]
        if not self.loop.domain:
            return f"*{place.name}"
        lengths = [step.domain[k] for k in step.kept]
        strides = dict(zip(step.kept, row_major(lengths), strict=True))
        return f"{place.name}[{self.index(strides, place.start)}]"


class _Nest:
    """The loops around a body."""

    def __init__(self, scope: Scope, loop: Loop, stored: set[Register]) -> None:
        self.scope = scope
        self.loop = loop
        self.axes = self._merged()
        self.body = _Body(scope, loop, self.axes, stored)
        self.reductions = [step for step in loop.steps if step.reduction]
        self.totals: dict[Register, str] = {}  # of reductions over everything
        self.parts: dict[Register, str] = {}  # what one turn of an outer loop adds
        self.tests = False

    def write(self) -> None:
        scope = self.scope
        lines: list[str] = []
        for step in self.reductions:
            lines += self._start(step)
        last = self.axes[-1]
        columns = self.loop.carried and all(last.axes[-1] in s.kept for s in self.reductions)
        flat = len(self.axes) == 1 and bool(self.reductions)
        names = [axis.index for axis in self.axes]
        heads = [
            _head(n, "0", scope.size(a.length)[0]) for n, a in zip(names, self.axes, strict=True)
        ]
        if columns or flat:  # the last axis in blocks: sums of parts, or columns to a thread each
            heads[-1] = _head(last.index, "start", "end")
            length = bracketed(scope.size(last.length), SUM)
            heads.insert(0, f"for (int64_t start = 0; start < {length}; start += BLOCK) {{")
            limit = f"const int64_t end = start + BLOCK < {length} ? start + BLOCK : {length};"
        depth = {step.result: self._depth(step, len(heads)) for step in self.reductions}
        self.parts = {r: scope.namer.temporary("part") for r, at in depth.items() if at is not None}
        said: list[str] = []
        self.body.write(
            said,
            {s.result: self.parts.get(s.result) or self.body.target(s) for s in self.reductions},
        )
        self.tests = any(line.startswith("bad ") for line in said)
        inner: list[str] = []
        for level, head in enumerate(heads):
            for step in self.reductions:
                if depth[step.result] == level:
                    part = self.parts[step.result]
                    inner.append(INDENT * level + f"real {part} = {START[step.reduction]};")
            pragma = self._pragma(level, len(heads), depth, columns=columns)
            inner += [INDENT * level + pragma] if pragma else []
            inner.append(INDENT * level + head)
            if level == 0 and (columns or flat):
                inner.append(INDENT + limit)
        inner += [INDENT * len(heads) + line for line in said]
        for level in range(len(heads) - 1, -1, -1):
            inner.append(INDENT * level + "}")
            for step in self.reductions:
                if depth[step.result] == level:
                    inner.append(INDENT * level + self._finish(step))
        scope.say(*lines, *inner)
        for step in self.reductions:
            if not step.kept:
                self._finished(step)

    def _merged(self) -> list[_Axis]:
        """The domain's axes, neighbours as one where every array runs through them in one go."""
        groups: list[list[int]] = []
        indexed = any(step.instruction.op == "indicator" for step in self.loop.steps)
        for axis in range(len(self.loop.domain)):
            if groups and not indexed and self._together(axis - 1, axis):
                groups[-1].append(axis)
            else:
                groups.append([axis])
        return [
            _Axis(
                axes,
                volume([self.loop.domain[a] for a in axes]),
                INDICES[k],
            )
            for k, axes in enumerate(groups)
        ]

    def _together(self, first: int, second: int) -> bool:
        made = {step.result for step in self.loop.steps if step.pointwise}
        for step in self.loop.steps:
            if (first in step.kept) != (second in step.kept):
                return False
            for operand in step.operands:
                if operand.source in made or isinstance(operand.source, Literal):
                    continue
                here = [k for k, axis in enumerate(operand.axes) if axis == first]
                there = [k for k, axis in enumerate(operand.axes) if axis == second]
                if not here and not there:
                    continue
                if len(here) != 1 or len(there) != 1 or there[0] != here[0] + 1:
                    return False
                if not self.scope.places[operand.source].contiguous:
                    return False
        return True

    def _depth(self, step: Step, levels: int) -> int | None:
        """At which level a reduction has a variable for its part; None: it adds to the array."""
        if not step.kept:
            return 1
        shift = levels - len(self.axes)
        kept = [k for k, axis in enumerate(self.axes) if axis.axes[0] in step.kept]
        if kept == list(range(len(kept))) and not shift:
            return len(kept)
        return None if kept[-1] == len(self.axes) - 1 else levels - 1

    def _direct(self, step: Step) -> bool:
        """Whether an entry of the result is finished in one go."""
        kept = [k for k, axis in enumerate(self.axes) if axis.axes[0] in step.kept]
        return kept == list(range(len(kept)))

    def _start(self, step: Step) -> list[str]:
        if not step.kept:
            total = self.totals[step.result] = self.scope.namer.temporary("total")
            kind = "real" if step.reduction in ("max", "min") else "double"
            return [f"{kind} {total} = {START[step.reduction]};"]
        if self._direct(step):
            return []
        place = self.scope.places[step.result]
        count = self.scope.size(volume([step.domain[k] for k in step.kept]))[0]
        index = self.scope.namer.temporary("i")
        first = f"for (int64_t {index} = 0; {index} < {count}; ++{index})"
        return [f"{first} {place.name}[{index}] = {START[step.reduction]};"]

    def _finish(self, step: Step) -> str:
        part = self.parts[step.result]
        if not step.kept:
            return COMBINE[step.reduction].format(self.totals[step.result], part)
        target = self.body.target(step)
        if self._direct(step):
            return f"{target} = {part};"
        return COMBINE[step.reduction].format(target, part)

    def _finished(self, step: Step) -> None:
        name = self.scope.name(step.result, "s")
        self.scope.say(f"const real {name} = {self.totals[step.result]};")
        self.scope.texts[step.result] = name, ATOM
        if step.result in self.body.stored:
            self.scope.say(f"*{self.scope.places[step.result].name} = {name};")

    def _pragma(
        self, level: int, levels: int, depth: dict[Register, int | None], *, columns: bool
    ) -> str:
        outer = level == 0 and (columns or not self.loop.carried)
        inner = level == levels - 1
        clauses: dict[str, list[str]] = {}
        if self.tests:
            clauses["|"] = ["bad"]
        for step in self.reductions:
            if outer and not step.kept:
                clauses.setdefault(CLAUSE[step.reduction], []).append(self.totals[step.result])
            elif inner and depth[step.result] is not None:
                clauses.setdefault(CLAUSE[step.reduction], []).append(self.parts[step.result])
        words = [f" reduction({sign}:{', '.join(names)})" for sign, names in clauses.items()]
        if outer:
            count = self.scope.size(self.loop.work * volume(self.loop.domain))[0]
            words.insert(0, " parallel for" + " simd" * inner)
            words.append(f" num_threads(threads) if(parallel : threads > 1 && {count} > PARALLEL)")
        elif inner:
            words.insert(0, " simd")
        else:
            return ""
        return "#pragma omp" + "".join(words)


def _head(index: str, start: str, end: str) -> str:
    return f"for (int64_t {index} = {start}; {index} < {end}; ++{index}) {{"

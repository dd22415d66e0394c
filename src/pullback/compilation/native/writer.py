"""A linear program as one C function, and as a function of NumPy's arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from pullback.compilation.ir import Instruction, LinearProgram, Register
from pullback.compilation.naming import RESERVED, Namer
from pullback.compilation.native.factors import WholeWriter
from pullback.compilation.native.fusing import Fuser, Loop, seen
from pullback.compilation.native.loops import INDICES, write_loop
from pullback.compilation.native.places import Place, Space, at, volume
from pullback.compilation.native.prelude import defined, prelude
from pullback.compilation.native.scope import INDENT, Scope
from pullback.compilation.native.sharing import Block, share_loops
from pullback.compilation.native.signs import signs
from pullback.compilation.targets.numpy import ATOM, UNARY, bracketed
from pullback.compilation.targets.numpy_indexing import sizes_spelled
from pullback.expressions.nodes import Node
from pullback.expressions.sizes import Shape, Size, shape_text

BLOCK = 4096  # entries that are summed before they are added to the sum of all
PARALLEL = 400_000  # additions, or what costs as much, from which on threads pay
KEYWORDS = """
    auto bool break case char const continue default do double else enum extern float for goto if
    inline int long register restrict return short signed sizeof static struct switch typedef union
    unsigned void volatile while int64_t int32_t
    REAL MASK BLAS_INT BLOCK PARALLEL OBJECT_HEAD WHOLE RIGHT LEFT_THE_REALS SINGULAR GAPS NULL NAN
    INFINITY real mask blas_int array compute call plan work offset blas threads bad start end memset
    """
HEAD = """\
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#ifndef REAL
#define REAL double  // or float
#define MASK int64_t  // an integer as wide
#endif
#ifndef BLAS_INT
#define BLAS_INT int64_t
#endif
typedef REAL real;
typedef MASK mask;
typedef BLAS_INT blas_int;
enum {{ RIGHT, LEFT_THE_REALS, SINGULAR, GAPS }};  // what functions return
enum {{ BLOCK = {block}, PARALLEL = {parallel} }};  // entries of a part of a sum; work that pays for threads
"""
ARRAYS = """\
// NumPy's arrays and numbers, as far as they are looked at: the layout is part of NumPy's ABI.
typedef struct {
    char head[OBJECT_HEAD];
    real *data;  // of a number: its value
    int order;
    void *shape, *strides, *base, *type;
    int flags;
} array;
#define WHOLE 0x101  // row by row, without gaps, and aligned
"""
FIXED = ("threads", "work", "blas", "scalars")  # what a plan begins with


@dataclass
class NativeSource:
    """C code: ``call(plan, inputs…, arrays for outputs…)``; a plan is int64 numbers.

    A plan has the addresses of the number of threads, of the workspace, of the table of BLAS functions
    and of the results without axes, the sizes, and the offset of each space.
    """

    text: str
    sizes: list[str]
    arrays: dict[str, Shape]  # outputs that are written into arrays, in order
    scalars: list[str]  # the others
    parameters: int  # how many inputs there are
    spaces: list[Space]
    linear_algebra: bool
    loops: list[Size]  # what each of them costs, in additions
    blank: tuple[str, ...] = ()  # none: zeros are written


def native_source(
    program: LinearProgram,
    order: list[str],
    describe: Callable[[Node], str | None] = lambda node: None,
    *,
    checked: bool = True,
) -> NativeSource:
    """The program as C. Raises PullbackError for what C has no word for, naming it."""
    return _Writer(program, order, describe, checked=checked).write()


class _Writer:
    def __init__(
        self,
        program: LinearProgram,
        order: list[str],
        describe: Callable[[Node], str | None],
        *,
        checked: bool,
    ) -> None:
        self.program = program
        self.made = {i.result: i for i in program.instructions}
        self.outputs = {
            view.source: name
            for name, view in program.outputs.items()
            if isinstance(view.source, Register)
        }
        self.contiguous: dict[Register, bool] = {}
        aliases = [i for i in program.instructions if self._alias(i)]
        self.aliases = set(aliases)
        fuser = Fuser(program, aliases)
        self.items = fuser.items
        self.where = fuser.where
        namer = Namer(RESERVED | {*KEYWORDS.split(), *INDICES} | defined())
        self.parameters = {name: namer.name(name) for name in order}
        self.outs = {name: namer.name(f"out_{name}") for name in program.outputs}
        names = {n for s in self._sizes() for n in s.names}
        sizes = {name: namer.name(name) for name in sorted(names)}

        def note(register: Register) -> str | None:
            node = program.lines.get(register)
            return describe(node) if node is not None else None

        self.scope = Scope(sizes, namer, checked, note, dict(program.names), signs(program))
        self.spaces: list[Space] = []
        self.numbers: dict[str, int] = {}  # where in that list a name stands
        self.blocks: list[Block] = []
        self.last = self._last_uses()

    def _alias(self, i: Instruction) -> bool:
        """Whether a result is but another view of memory."""
        inner = all(self.contiguous.get(s, True) for s in i.sources)
        alias = i.result not in self.outputs and (
            i.op in ("item", "slice") or (i.op == "reshape" and i.operands[0].plain and inner)
        )
        self.contiguous[i.result] = not (alias and i.op == "slice") and (inner or not alias)
        return alias

    def _sizes(self) -> Iterable[Size]:
        for i in self.program.instructions:
            yield from sizes_spelled(i)
            yield from i.result.shape

    def _last_uses(self) -> dict[Register, int]:
        """The last item that reads what a register shows."""
        last: dict[Register, int] = {}
        for k, item in enumerate(self.items):
            inner = [s.instruction for s in item.steps] if isinstance(item, Loop) else [item]
            read = [source for i in inner for source in i.sources]
            while read:
                source = read.pop()
                last[source] = k
                if self.made[source] in self.aliases:
                    read += self.made[source].sources
        return last

    # the text

    def write(self) -> NativeSource:
        scope = self.scope
        for name, register in self.program.inputs.items():
            parameter = self.parameters[name]
            if register.shape:
                scope.places[register] = at(parameter, register.shape)
            else:
                scope.texts[register] = parameter, ATOM
        for i in self.program.instructions:
            if i.op == "size":
                scope.texts[i.result] = f"(real){bracketed(scope.size(i.detail[0]), ATOM)}", UNARY
        views = [i for i in reversed(self.program.instructions) if i in self.aliases]
        views.sort(key=lambda i: -self.where[i.result])  # the first to be shown is the last
        for k, item in enumerate(self.items):
            while views and self.where[views[-1].result] < k:
                self._show(views.pop())
            if isinstance(item, Loop):
                self._loop(k, item)
            else:
                self._whole(k, item)
        return self._finished()

    def _show(self, i: Instruction) -> None:
        scope = self.scope
        (source,) = i.sources
        if i.result in scope.places or i.result in scope.texts:
            return
        if i.op == "item":
            part = scope.parts[source][i.detail[0]]
            if i.result.shape:
                scope.places[i.result] = part
            else:
                scope.texts[i.result] = part.name.removeprefix("&"), ATOM
            return
        place = scope.places[source]
        place = place.sliced(dict(i.detail)) if i.op == "slice" else place.reshaped(i.result.shape)
        if i.result.shape:
            scope.places[i.result] = place
        else:
            scope.texts[i.result] = f"{place.name}[{scope.size(place.start)[0]}]", ATOM

    def _space(self, kind: str, count: Size, first: int, last: int) -> str:
        name = self.scope.namer.name(f"w{len(self.spaces) + 1}")
        self.numbers[name] = len(self.spaces)
        self.spaces.append(Space(name, kind, count, first, last))
        return name

    def _home(self, register: Register, k: int) -> None:
        """Where a value is kept: the array of an output, or a space for as long as it is read."""
        output = self.outputs.get(register)
        kind = "bool" if register.kind == "bool" else "real"
        name = (
            self._space(kind, volume(register.shape), k, self.last.get(register, k))
            if output is None
            else self.outs[output]
        )
        self.scope.places[register] = at(name, register.shape)

    def _loop(self, k: int, loop: Loop) -> None:
        stored: set[Register] = set()
        inside = {s.result for s in loop.steps if s.pointwise}
        for step in loop.steps:
            register = step.result
            later = self.last.get(register, k) > k or register not in inside
            if register in self.outputs or (register.shape and later):
                stored.add(register)
                if not self._takes_over(register, k, loop):
                    self._home(register, k)
        start = len(self.scope.lines)
        write_loop(self.scope, loop, stored)
        if loop.domain and all(step.kept for step in loop.steps):  # no number goes out of it
            self.blocks.append(Block(start, len(self.scope.lines)))

    def _takes_over(self, register: Register, k: int, loop: Loop) -> bool:
        """Whether a result gets the space of an operand that no one reads after this loop."""
        if register in self.outputs or register.shape != loop.domain:
            return False
        read = [self.scope.places[s].name for s in self._arrays_read(loop)]
        for old in loop.read_in_place():
            place = self.scope.places[old]
            n = self.numbers.get(place.name)
            if n is None or self.spaces[n].last != k or read.count(place.name) != 1:
                continue
            if place.contiguous and old.kind == register.kind:
                self.spaces[n] = replace(self.spaces[n], last=self.last.get(register, k))
                self.scope.places[register] = place
                self.scope.overwritten.add(old)
                return True
        return False

    def _arrays_read(self, loop: Loop) -> set[Register]:
        sources = {operand.source for step in loop.steps for operand in step.operands}
        return {s for s in sources if isinstance(s, Register) and s in self.scope.places}

    def _whole(self, k: int, i: Instruction) -> None:
        scope = self.scope
        register = i.result
        if register.kind == "tuple":
            scope.parts[register] = self._parts(k, i)
        elif register.shape:
            self._home(register, k)
        else:
            name = scope.name(register, "s")
            scope.say(f"real {name};")
            scope.texts[register] = name, ATOM
        WholeWriter(scope, lambda kind, count: self._space(kind, count, k, k)).write(i)
        if not register.shape and register in self.outputs:
            scope.say(f"*{self.outs[self.outputs[register]]} = {scope.texts[register][0]};")

    def _parts(self, k: int, i: Instruction) -> list[Place]:
        """Where the results of an instruction that has several go; they stay to the end."""
        end = len(self.items)
        if i.op == "factor":
            shape = seen(i.operands[0])
            factors = self._space("real", volume(shape), k, end)
            return [
                at(factors, shape),
                at(self._space("blas_int", shape[-1], k, end), shape[-1:]),
            ]
        shape = i.result.shape
        if shape:
            return [at(self._space("real", volume(shape), k, end), shape) for _ in range(2)]
        names = [self.scope.namer.temporary("s") for _ in range(2)]
        self.scope.say(f"real {', '.join(names)};")
        return [at(f"&{name}", ()) for name in names]

    def _finished(self) -> NativeSource:
        scope = self.scope
        shapes = {name: register.shape for register, name in self.outputs.items()}
        arrays = {name: shape for name, shape in shapes.items() if shape}
        scalars = [name for name in shapes if name not in arrays]
        body = [
            f"{s.type} *const {s.name} = ({s.type} *)(work + offset[{n}]);"
            for n, s in enumerate(self.spaces)
        ]
        tests = any(line.lstrip().startswith("bad |=") for line in scope.lines)
        checks = ["mask bad = 0;"] if tests else []
        ends = "bad ? LEFT_THE_REALS : RIGHT" if tests else "RIGHT"
        loops, written = share_loops(scope.lines, self.blocks, self._types())
        lines = [*checks, *body, *written, f"return {ends};"]
        algebra = any("(blas," in line for line in scope.lines)
        inputs = [
            f"const real *restrict {p}" if self.program.inputs[name].shape else f"real {p}"
            for name, p in self.parameters.items()
        ]
        outs = [f"real *restrict {self.outs[name]}" for name in (*arrays, *scalars)]
        sizes = [f"int64_t {name}" for name in scope.sizes.values()]
        more = ["int threads", "char *work", "const int64_t *offset"]
        if algebra:
            more.append("const blas_table *blas")
        text = "\n".join(f"{INDENT}{line}" for line in lines)
        said = [
            f"//   {p}: {shape_text(self.program.inputs[name].shape)}"
            for name, p in self.parameters.items()
        ] + [f"//   {self.outs[name]}: {shape_text(shapes[name])}" for name in (*arrays, *scalars)]
        rows = [", ".join(row) for row in (inputs, outs, sizes, more) if row]
        signature = f"static int compute({(',' + chr(10) + ' ' * 19).join(rows)})"
        before = prelude("\n".join([*loops, text, "blas_table" if algebra else ""]))
        parts = [HEAD.format(block=BLOCK, parallel=PARALLEL), before, *loops, "\n".join(said)]
        parts[-1] += f"\n{signature} {{\n{text}\n}}"
        parts += ["#ifdef OBJECT_HEAD", ARRAYS + self._call(arrays, scalars, algebra), "#endif"]
        return NativeSource(
            "\n\n".join(part.strip("\n") for part in parts if part) + "\n",
            list(scope.sizes),
            arrays,
            scalars,
            len(self.parameters),
            self.spaces,
            algebra,
            [i.work * volume(i.domain) for i in self.items if isinstance(i, Loop)],
        )

    def _types(self) -> dict[str, str]:
        """The variables of the function that loops may name."""
        types = {space.name: f"{space.type} *" for space in self.spaces}
        for name, parameter in self.parameters.items():
            types[parameter] = "const real *" if self.program.inputs[name].shape else "real"
        types |= dict.fromkeys(self.outs.values(), "real *")
        types |= dict.fromkeys(self.scope.sizes.values(), "int64_t")
        numbers = [text for text, _ in self.scope.texts.values() if text.isidentifier()]
        return types | dict.fromkeys(numbers, "real") | {"threads": "int"}

    def _call(self, arrays: dict[str, Shape], scalars: list[str], algebra: bool) -> str:
        """The function of NumPy's arrays."""
        taken, given, tests = [], [], []
        for name, p in self.parameters.items():
            taken.append(f"const array *{p}")
            if self.program.inputs[name].shape:
                given.append(f"{p}->data")
                tests.append(f"{p}->flags")
            else:
                given.append(f"*(const real *)&{p}->data")
        for name in arrays:
            taken.append(f"array *{self.outs[name]}")
            given.append(f"{self.outs[name]}->data")
            tests.append(f"{self.outs[name]}->flags")
        given += [f"(real *)plan[3] + {k}" for k in range(len(scalars))]
        first = len(FIXED)
        given += [f"plan[{first + k}]" for k in range(len(self.scope.sizes))]
        given += [
            "*(const int64_t *)plan[0]",
            "(char *)plan[1]",
            f"plan + {first + len(self.scope.sizes)}",
        ]
        given += ["(const blas_table *)plan[2]"] * algebra
        check = (
            f"{INDENT}if (({' & '.join(tests)} & WHOLE) != WHOLE) return GAPS;\n" if tests else ""
        )
        return (
            f"int call({', '.join(['const int64_t *plan', *taken])}) {{\n{check}"
            f"{INDENT}return compute({', '.join(given)});\n}}"
        )

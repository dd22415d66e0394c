"""Counted operations of a lowered program, and what the three savings of back-propagation save."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from html import escape

from pullback.compilation.compile import line_names, stable
from pullback.compilation.factorising import share_factorisations
from pullback.compilation.ir import VIEWS, Instruction, LinearProgram, Register
from pullback.compilation.lowering import lower
from pullback.compilation.rewriting import divide_once
from pullback.expressions.nodes import Node
from pullback.expressions.program import Program
from pullback.expressions.sizes import Shape

MULTIPLY = frozenset({"multiply", "square"})
DIVIDE = frozenset({"divide", "reciprocal"})
ADD = frozenset(
    [
        "add",
        "subtract",
        "negative",
        "abs",
        "sign",
        "maximum",
        "minimum",
        "where",
        "floor",
        "ceil",
        "less",
        "less_equal",
        "greater",
        "greater_equal",
        "equal",
        "not_equal",
    ]
)
CUBIC = {  # × n³
    "linalg.inv": 1.0,
    "linalg.det": 1 / 3,
    "linalg.slogdet": 1 / 3,
    "linalg.cholesky": 1 / 6,
}
OF_FACTORS = {  # × n³, and × n² for each column that is solved for
    "factor": {"lu": (1 / 3, 0.0), "cholesky": (1 / 6, 0.0)},
    "inverse": {
        "lu": (2 / 3, 0.0),
        "cholesky": (1 / 3, 0.0),
        "lower": (1 / 6, 0.0),
        "upper": (1 / 6, 0.0),
    },
    "solve": {
        "general": (1 / 3, 1.0),
        "lu": (0.0, 1.0),
        "cholesky": (0.0, 1.0),
        "lower": (0.0, 0.5),
        "upper": (0.0, 0.5),
    },
}


@dataclass(frozen=True)
class Count:
    """Scalar operations: comparisons count as additions; functions are exp, log, powers, ….

    ``stored`` are the numbers kept because they are used more than once, ``bytes`` what all
    arrays take that are written on the way and as results, in float64.
    """

    multiplications: int = 0
    additions: int = 0
    divisions: int = 0
    functions: int = 0
    stored: int = 0
    bytes: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(*[getattr(self, f.name) + getattr(other, f.name) for f in fields(self)])

    def __sub__(self, other: Count) -> Count:
        return Count(*[getattr(self, f.name) - getattr(other, f.name) for f in fields(self)])

    def times(self, factor: int) -> Count:
        return Count(*[getattr(self, f.name) * factor for f in fields(self)])

    @property
    def total(self) -> int:
        """All operations, each as one."""
        return self.multiplications + self.additions + self.divisions + self.functions


@dataclass(frozen=True)
class Prices:
    """The counts of several ways to compute the same, the operations of each over those of one."""

    rows: Mapping[str, Count]
    unit: str  # the row that the others are compared with

    def table(self) -> list[list[str]]:
        """The counts as rows of text, headings first."""
        heads = [f.name for f in fields(Count)] + ["ratio"]
        whole = self.rows[self.unit].total or 1
        table = [["", *heads]]
        for name, count in self.rows.items():
            numbers = [_grouped(getattr(count, f.name)) for f in fields(Count)]
            table.append([name, *numbers, _ratio(count.total / whole)])
        return table

    def text(self) -> str:
        """The counts as a table."""
        table = self.table()
        widths = [max(len(row[k]) for row in table) for k in range(len(table[0]))]
        return "\n".join(
            "  ".join(
                [row[0].ljust(widths[0])]
                + [c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True)]
            ).rstrip()
            for row in table
        )

    def to_dict(self) -> dict[str, dict[str, int]]:
        """The counts as data: for each way, its operations, stored numbers and bytes."""
        return {name: asdict(count) for name, count in self.rows.items()}

    def __str__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        head, *rows = self.table()
        cells = "".join(f"<th>{escape(text)}</th>" for text in head)
        body = "".join(
            f"<tr><th>{escape(row[0])}</th>"
            + "".join(f"<td>{escape(text)}</td>" for text in row[1:])
            + "</tr>"
            for row in rows
        )
        return f"<table><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table>"


def _grouped(number: int) -> str:
    return f"{number:,}" if number < 10**12 else f"{number:.2e}"


def _ratio(ratio: float) -> str:
    return f"{ratio:.2f}" if ratio < 10**6 else f"{ratio:.1e}"


def operations(program: LinearProgram, sizes: Mapping[str, int]) -> Count:
    """What a lowered program computes at these sizes, once."""
    return _total(program.instructions, sizes) + Count(stored=_stored(program, sizes))


def savings(
    outputs: Mapping[str, Node],
    program: Program,
    sizes: Mapping[str, int],
    names: Mapping[Node, str] | None = None,
) -> Prices:
    """Operations of a program with its derivatives: with all three savings, and without each.

    Forward values: without them, every use of a forward value by a derivative computes it again
    from the inputs. Products: without them, every use of a product of the way back, by a
    derivative or by the next product, computes it again. Reciprocals: without them, every product
    with a stored reciprocal is a division.
    """
    outputs, program, names = stable(outputs, program, names or {})
    everything = {**outputs, "": program.result}
    linear = divide_once(share_factorisations(lower(everything, line_names(program, names))))
    made = {i.result: i for i in linear.instructions}
    roots = {name: view.source for name, view in linear.outputs.items()}
    forward = _closure([r for r in [roots.get("")] if isinstance(r, Register)], made)
    uses = linear.use_counts()
    whole = operations(linear, sizes)
    rows = {
        "all three savings": whole,
        "forward values not stored": _without_values(linear, made, forward, sizes, whole),
        "products not stored": _without_products(linear, made, forward, sizes),
        "reciprocals not stored": _without_reciprocals(linear, uses, made, sizes, whole),
    }
    return Prices(rows, "all three savings")


def _closure(
    roots: Iterable[Register],
    made: Mapping[Register, Instruction],
    stop: frozenset[Register] | set[Register] = frozenset(),
) -> set[Register]:
    """Everything the roots are computed from, themselves included, without what is in ``stop``."""
    found: set[Register] = set()
    stack = list(roots)
    while stack:
        register = stack.pop()
        if register not in found and register not in stop:
            found.add(register)
            stack.extend(made[register].sources)
    return found


def _without_values(
    linear: LinearProgram,
    made: Mapping[Register, Instruction],
    forward: set[Register],
    sizes: Mapping[str, int],
    whole: Count,
) -> Count:
    """Each derivative step computes the forward values it reads anew."""
    again: dict[Register, Count] = {}
    total = whole
    for i in linear.instructions:
        if i.result in forward:
            continue
        for source in dict.fromkeys(i.sources):
            if source in forward and made[source].op not in ("input", "size"):
                if source not in again:
                    needed = [made[r] for r in _closure([source], made)]
                    again[source] = _total(needed, sizes)
                total = total + again[source]
    kept = _stored(linear, sizes, forward)
    return total - Count(stored=kept)


def _without_products(
    linear: LinearProgram,
    made: Mapping[Register, Instruction],
    forward: set[Register],
    sizes: Mapping[str, int],
) -> Count:
    """Each use of a product of the way back multiplies it out anew; forward values are kept."""
    total = _total([made[r] for r in forward], sizes)
    times = Counter(view.source for view in linear.outputs.values())
    for i in reversed(linear.instructions):
        if i.result not in forward:
            total = total + _total([i], sizes).times(times[i.result])
            for source in i.sources:
                times[source] += times[i.result]
    return total + Count(stored=_stored(linear, sizes, forward))


def _without_reciprocals(
    linear: LinearProgram,
    uses: Mapping[Register, int],
    made: Mapping[Register, Instruction],
    sizes: Mapping[str, int],
    whole: Count,
) -> Count:
    """Each product with a stored reciprocal becomes a division."""
    total = whole
    replaced: dict[Register, int] = {}
    for i in linear.instructions:
        if i.op == "map" and i.name == "multiply":
            for source in dict.fromkeys(i.sources):
                if made[source].op == "map" and made[source].name == "reciprocal":
                    volume = _volume(i.result.shape, sizes)
                    total = total + Count(multiplications=-volume, divisions=volume)
                    replaced[source] = replaced.get(source, 0) + 1
                    break
    for source, count in replaced.items():
        if count == uses[source]:  # nothing needs the reciprocal itself
            volume = _volume(source.shape, sizes)
            total = total - Count(divisions=volume, stored=volume if count > 1 else 0)
    return total


def _total(instructions: Iterable[Instruction], sizes: Mapping[str, int]) -> Count:
    total, written = Count(), 0
    for i in instructions:
        total = total + _count(i, sizes)
        if i.op not in ("input", "size", "item", *VIEWS):
            written += 8 * _volume(i.result.shape, sizes)
    return replace(total, bytes=written)


def _stored(
    program: LinearProgram, sizes: Mapping[str, int], among: set[Register] | None = None
) -> int:
    uses = program.use_counts()
    return sum(
        _volume(i.result.shape, sizes)
        for i in program.instructions
        if uses[i.result] > 1
        and i.op not in ("input", "size")
        and (among is None or i.result in among)
    )


def _volume(shape: Shape, sizes: Mapping[str, int]) -> int:
    volume = 1
    for size in shape:
        volume *= size.evaluate(sizes)
    return volume


def _count(i: Instruction, sizes: Mapping[str, int]) -> Count:
    """The scalar operations of one instruction."""
    result = _volume(i.result.shape, sizes)
    operands = [
        _volume(v.source.shape, sizes) if isinstance(v.source, Register) else 1 for v in i.operands
    ]
    if i.op == "map":
        if i.name in MULTIPLY:
            return Count(multiplications=result)
        if i.name in DIVIDE:
            return Count(divisions=result)
        return Count(additions=result) if i.name in ADD else Count(functions=result)
    if i.op == "reduce":
        steps = operands[0] - result
        return Count(multiplications=steps) if i.name == "prod" else Count(additions=steps)
    if i.op in ("matmul", "vecdot", "vdot", "tensordot") or (
        i.op == "einsum" and len(operands) > 1
    ):
        volume = _product_volume(i, sizes)
        return Count(multiplications=volume, additions=volume - result)
    if i.op == "einsum":  # of one operand: a diagonal, or the sum of one
        inputs, output = i.name.split("->")
        return Count(
            additions=_letters(inputs, i, sizes, set(inputs)) - result
            if set(inputs) != set(output)
            else 0
        )
    if i.op == "place":
        return Count(additions=operands[1])
    if i.op == "call":
        n = _volume(i.operands[0].source.shape[-1:], sizes)  # type: ignore[union-attr]
        steps = int(CUBIC.get(i.name, 1.0) * operands[0] * n)
        return Count(multiplications=steps, additions=steps)
    if i.op in OF_FACTORS:
        whole, column = OF_FACTORS[i.op][i.name]
        n = _volume(i.result.shape[:1] or i.operands[0].source.shape[:1], sizes)  # type: ignore[union-attr]
        steps = int(whole * n**3 + column * n * result)
        return Count(multiplications=steps, additions=steps)
    return Count(functions=result) if i.op == "helper" else Count()


def _product_volume(i: Instruction, sizes: Mapping[str, int]) -> int:
    """The products of numbers in a contraction of two arrays: the volume of all its labels."""
    first, second = i.operands
    assert isinstance(first.source, Register) and isinstance(second.source, Register)
    if i.op == "einsum":
        return _letters(i.name.split("->")[0].replace(",", ""), i, sizes, None)
    a = [first.source.shape[axis] for axis in first.axes if axis is not None]
    if i.op == "vdot":
        return _volume(tuple(a), sizes)
    if i.op == "tensordot":
        return _volume(i.result.shape, sizes) * _volume(tuple(a[k] for k in i.detail[0]), sizes)
    return _volume(i.result.shape, sizes) * a[-1].evaluate(sizes)


def _letters(letters: str, i: Instruction, sizes: Mapping[str, int], only: set[str] | None) -> int:
    """The volume of the distinct labels of an einsum."""
    lengths: dict[str, int] = {}
    shapes = [size for v in i.operands for size in v.source.shape]  # type: ignore[union-attr]
    for letter, size in zip(letters, shapes, strict=True):
        lengths[letter] = size.evaluate(sizes)
    volume = 1
    for letter, length in lengths.items():
        if only is None or letter in only:
            volume *= length
    return volume

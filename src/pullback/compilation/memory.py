"""What a compiled function will allocate, told before it does."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from itertools import accumulate, combinations
from math import prod
from pathlib import Path

from pullback.compilation.ir import VIEWS, Instruction, LinearProgram, Register
from pullback.compilation.planning import plan
from pullback.compilation.targets.numpy import INFIX
from pullback.errors import PullbackError
from pullback.expressions.sizes import Shape, Size

BYTES = {"bool": 1}
DEEPEST = 6  # axes of an argument whose parts are looked at
FEW = 8  # an array of so many times the entries of an argument is no question of memory


@dataclass(frozen=True)
class Forecast:
    """Bytes that one call will allocate: at the peak, and for the results, which are handed out.

    >>> print(Forecast(8_000_000, 8_000_000, {"n": 1000}))
    8.0 MB at the peak, 8.0 MB of it results (n = 1000)
    """

    peak: int
    results: int
    sizes: Mapping[str, int]

    def __str__(self) -> str:
        at = ", ".join(f"{name} = {k}" for name, k in self.sizes.items())
        text = f"{written(self.peak)} at the peak, {written(self.results)} of it results"
        return f"{text} ({at})" if at else text


@dataclass(frozen=True)
class Array:
    """An array that a program makes: its numbers, and the steps from which and to which it lives."""

    entries: Size
    width: int | None  # bytes of an entry, None for those of the dtype
    born: int
    dies: int


@dataclass(frozen=True)
class Footprint:
    """The arrays of a program over its steps."""

    arrays: tuple[Array, ...] = ()
    inputs: tuple[Size, ...] = ()
    results: tuple[Size, ...] = ()

    @classmethod
    def of(cls, program: LinearProgram, lasting: Iterable[Register] = ()) -> Footprint:
        """Of straight-line code; a ``lasting`` value has a name, and lives until the code returns."""
        steps = [i for i in program.instructions if i.op not in ("input", "size")]
        named, results = set(lasting), {view.source for view in program.outputs.values()}
        uses = program.use_counts()
        owner: dict[Register, Register] = {}  # whose memory a value lies in
        last: dict[Register, int] = {}
        for k, i in enumerate(steps):
            host = i.sources[0] if i.op in VIEWS else _reused(i, named, uses)
            if host is not None:
                owner[i.result] = owner.get(host, host)
            for source in i.sources:
                last[owner.get(source, source)] = k
        for register in [*named, *results]:
            if isinstance(register, Register):
                last[owner.get(register, register)] = len(steps)
        arrays = [
            Array(entries(i.result.shape), BYTES.get(i.result.kind), k, last[i.result])
            for k, i in enumerate(steps)
            if i.result in last and i.result not in owner and i.result.shape
        ]
        return cls(tuple(arrays), *_ends(program))

    @classmethod
    def of_buffers(cls, program: LinearProgram) -> Footprint:
        """Of planned code, whose buffers stay between calls."""
        planned = plan(program)
        end = len(planned.steps)
        arrays = [Array(entries(b.shape), BYTES.get(b.kind), 0, end) for b in planned.workspaces]
        arrays += [Array(entries(r.shape), None, 0, end) for r in planned.results if r.shape]
        arrays += [
            Array(entries(i.result.shape), None, k, k)
            for k, i in enumerate(planned.steps)
            if i.result not in planned.buffers and i.op not in VIEWS and i.result.shape
        ]
        return cls(tuple(arrays), *_ends(program))

    def forecast(self, sizes: Mapping[str, int], width: int) -> Forecast:
        """The bytes at these sizes, for entries of ``width`` bytes."""
        amounts = [(a, a.entries.evaluate(sizes) * (a.width or width)) for a in self.arrays]
        change: Counter[int] = Counter()  # at each step, what comes and what has gone
        for a, amount in amounts:
            change[a.born] += amount
            change[a.dies + 1] -= amount
        peak = max(accumulate(change[k] for k in sorted(change)), default=0)
        handed_out = sum(size.evaluate(sizes) for size in self.results) * width
        return Forecast(peak, handed_out, dict(sizes))

    @property
    def unbounded(self) -> Size:
        """The entries of all arrays that may be far larger than the arguments are."""
        shown = {
            part
            for size in self.inputs
            for monomial, _ in size.terms
            if len(monomial) <= DEEPEST
            for count in range(len(monomial) + 1)
            for part in combinations(monomial, count)
        }

        def small(size: Size) -> bool:
            return sum(abs(c) for _, c in size.terms) <= FEW and shown.issuperset(dict(size.terms))

        large = [a.entries for a in self.arrays if not small(a.entries)]
        return reduce(lambda one, other: one + other, large, Size.of(0))


def entries(shape: Shape) -> Size:
    return reduce(lambda total, size: total * size, shape, Size.of(1))


def _ends(program: LinearProgram) -> tuple[tuple[Size, ...], tuple[Size, ...]]:
    """The entries of the inputs, and of the outputs that are arrays."""
    inputs = [entries(register.shape) for register in program.inputs.values()]
    nodes = program.roots.values()
    return tuple(inputs), tuple([entries(node.shape) for node in nodes if node.order])


def _reused(i: Instruction, named: set[Register], uses: Mapping[Register, int]) -> Register | None:
    """The operand that the result is written over: by NumPy one of an operator, without a name."""
    if i.op == "place":
        base = i.operands[0].source
        return base if isinstance(base, Register) and uses[base] == 1 else None
    if i.op != "map" or i.name not in INFIX:
        return None
    for view in i.operands if i.name in ("add", "multiply") else i.operands[:1]:
        source = view.source
        if (
            isinstance(source, Register)
            and view.plain
            and uses[source] == 1
            and source not in named
            and (source.shape, source.kind) == (i.result.shape, i.result.kind)
        ):
            return source
    return None


def written(count: int) -> str:
    """A number of bytes as people say it.

    >>> written(512), written(8_000_000)
    ('512 B', '8.0 MB')
    """
    amount, unit = float(count), ""
    for larger in ("k", "M", "G", "T", "P"):
        if amount < 1000:
            break
        amount, unit = amount / 1000, larger
    return f"{amount:.1f} {unit}B" if unit else f"{count} B"


def machine_memory() -> int | None:
    """The bytes of memory that this process may use at most; None where the system does not tell."""
    found = []
    try:
        found.append(prod(os.sysconf(name) for name in ("SC_PAGE_SIZE", "SC_PHYS_PAGES")))
        found.append(int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii")))
    except (AttributeError, OSError, ValueError):
        pass
    return min(found) if found else None


def insist_on_room(forecast: Forecast, limit: int) -> None:
    """Raises PullbackError for more than the limit, before anything is allocated."""
    if forecast.peak > limit:
        raise PullbackError(
            f"this call would allocate {forecast}, more than the limit of {written(limit)}",
            hint="compile with structure='keep' if the result has structure, "
            "or with memory_limit= for a higher limit",
        )

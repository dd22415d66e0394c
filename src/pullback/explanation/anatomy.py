"""The parts of an entity: its axes and whose they are, its zeros, the ways to lay it out."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from pullback.derivation.result import Derivation
from pullback.derivation.sparsity import Pattern
from pullback.errors import PullbackError, suggestion
from pullback.explanation.steps import Formula
from pullback.expressions.program import Program
from pullback.expressions.relations import Relation
from pullback.expressions.sizes import Size, shape_text
from pullback.notation.equations import layout_of
from pullback.notation.names import latex_name

KINDS = ("number", "vector", "matrix")


@dataclass(frozen=True)
class Axis:
    """One axis: its letter, its size, and whose entries, rows or columns it counts."""

    letter: str
    size: str
    counts: str  # such as "output", "row" or "entry"
    of: str

    @property
    def text(self) -> str:
        """
        >>> Axis("k", "n", "column", "W").text
        'column k of W'
        """
        return f"{self.counts} {self.letter} of {self.of}"


@dataclass(frozen=True)
class LayoutChoice:
    """One way to lay the entries out as an array: its name, its shape, and how it is read."""

    name: str
    shape: str
    reads: str
    computed: bool  # whether the array that code computes lies so


def function_of(program: Program) -> str:
    """What the function is called, as in the equations of its derivatives."""
    taken = {*program.variables, *program.lines}
    free = [c for c in ("f", "F", "y", "z", "result") if c not in taken]
    return program.result_name or next(iter(free), "f")


def name_of_derivative(function: str, derivation: Derivation) -> Formula:
    """∂f/∂W, or ∂²f/∂X∂Y."""
    count = len(derivation.wrt)
    tops = "" if count == 1 else "".join("⁰¹²³⁴⁵⁶⁷⁸⁹"[int(c)] for c in str(count))
    power = f"^{{{count}}}" if tops else ""
    below = "".join(f"∂{w.name}" for w in derivation.wrt)
    tex = "".join(rf"\partial {latex_name(w.name)}" for w in derivation.wrt)
    latex = rf"\frac{{\partial{power} {latex_name(function)}}}{{{tex}}}"
    return Formula(f"∂{tops}{function}/{below}", latex)


def axes_of(derivation: Derivation, function: str, letters: Sequence[str]) -> tuple[Axis, ...]:
    """The axes of the function, then those of each variable, under letters."""
    sides = [(function, derivation.program.result.order)]
    sides += [(w.name, w.node.order) for w in derivation.wrt]
    found: list[Axis] = []
    for k, (name, order) in enumerate(sides):
        for place in range(order):
            size = str(derivation.shape[len(found)])
            counts = _counted(order, place, output=k == 0)
            found.append(Axis(letters[len(found)], size, counts, name))
    return tuple(found)


def layouts_of(derivation: Derivation, function: str) -> tuple[LayoutChoice, ...]:
    """How the entries may lie: as the array that is computed, transposed, or flattened."""
    sides = [(function, derivation.program.result.shape)]
    sides += [(w.name, w.node.shape) for w in derivation.wrt]
    sides = [(name, shape) for name, shape in sides if shape]  # a number takes no axis
    found = []
    array = shape_text(derivation.shape)
    if derivation.node.order > 2 or len(sides) > 2:
        names = ", then ".join(name for name, _ in sides)
        found.append(LayoutChoice("array", array, f"axes of {names}", computed=True))
    if len(sides) == 1:
        [(name, shape)] = sides
        own, turned = shape_text(shape), shape_text(shape[::-1])
        own, turned = (own, turned) if len(shape) > 1 else (f"{own}×1", f"1×{turned}")
        if len(shape) <= 2:
            here = layout_of(derivation.groups)
            there = "numerator" if here == "denominator" else "denominator"
            found.append(LayoutChoice(here, own, f"as {name} lies", computed=True))
            found.append(LayoutChoice(there, turned, f"as {name}ᵀ lies", computed=False))
    elif len(sides) == 2:
        (above, shape), (across, other) = sides
        rows, columns = _flat(shape), _flat(other)
        flat = any(len(s) > 1 for s in (shape, other))
        words = "flattened, numerator" if flat else "numerator"
        each = f"a row for each entry of {above}"
        found.append(LayoutChoice(words, f"{rows}×{columns}", each, computed=not flat))
        words = words.replace("numerator", "denominator")
        each = f"a row for each entry of {across}"
        found.append(LayoutChoice(words, f"{columns}×{rows}", each, computed=False))
    return tuple(found) or (LayoutChoice("number", "scalar", "one number", computed=True),)


def conditions(pattern: Pattern, letters: Sequence[str]) -> tuple[str, ...]:
    """Of each part of a pattern what it asks of the indices; none where all entries may be there."""
    found = []
    for part in pattern.parts if not pattern.full else ():
        first = [part.labels.index(label) for label in part.labels]
        said = [f"{letters[f]} = {letters[k]}" for k, f in enumerate(first) if f != k]
        name: dict[Hashable, str] = {
            label: letters[part.labels.index(label)] for label in part.labels
        }
        said += [_relation(r, name) for r in part.relations]
        found.append(" and ".join(said))
    return tuple(found)


def kind_of(order: int) -> str:
    return KINDS[order] if order < len(KINDS) else f"tensor of order {order}"


def _counted(order: int, place: int, *, output: bool) -> str:
    """What one of the axes of a function or a variable counts."""
    if order == 1:
        return "output" if output else "entry"
    word = ("row", "column")[place] if order == 2 else f"axis {place + 1}, place"
    return f"output {word}" if output else word


def times(sizes: Iterable[Size]) -> str:
    """The product of sizes, unmultiplied: how many entries a shape has.

    >>> times([Size.of("m"), Size.of("n") + 1])
    'm·(n + 1)'
    """
    return "·".join(f"({s})" if " " in str(s) else str(s) for s in sizes) or "1"


def _flat(shape: Sequence[Size]) -> str:
    """The length of the entries of a shape in one column."""
    return f"({times(shape)})" if len(shape) > 1 else times(shape)


def _relation(relation: Relation, letters: Mapping[Hashable, str]) -> str:
    """A relation between indices that count from 1."""
    offset = relation.offset - sum((c for _, c in relation.coefficients), Size.of(0))
    sides: dict[bool, list[str]] = {True: [], False: []}
    for label, c in relation.coefficients:
        positive = c.at_least(0)
        size = c if positive else -c
        factor = "" if size.constant == 1 else f"{str(size).replace('*', '·')} "
        sides[positive].append(f"{factor}{letters[label]}")
    if offset != Size.of(0):
        positive = offset.at_least(0)
        sides[positive].append(str(offset if positive else -offset).replace("*", "·"))
    sign = "=" if relation.equality else "≥"
    return f"{' + '.join(sides[True]) or '0'} {sign} {' + '.join(sides[False]) or '0'}"


def insist_on_numbers(sizes: Mapping[str, int], known: Collection[str]) -> None:
    """PullbackError for a size that is none of the known, or that is no number of entries."""
    for name, value in sizes.items():
        if name not in known:
            hint = suggestion(name, sorted(known))
            raise PullbackError(f"no size is called '{name}'", hint=hint)
        if not isinstance(value, int) or value < 1:
            raise PullbackError(f"the size {name} is a number of entries, not {value!r}")

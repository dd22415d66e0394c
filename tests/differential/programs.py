"""Random well-shaped programs over the whole catalogue, each with a point and two meanings.

A program is a sheet of steps. A step is built once from symbols, through the public functions,
and evaluated once in JAX (:mod:`jax_meaning`); neither meaning knows of the other. Values are
computed while the program is drawn, so that every function gets arguments in its domain.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax.numpy as jnp
import numpy as np
from hypothesis import strategies as st
from jax_meaning import MEANINGS, along, contract

from pullback.errors import MissingRule, PullbackError
from pullback.expressions import Size
from pullback.expressions import constructors as make
from pullback.functions.catalogue import CATALOGUE
from pullback.functions.domains import CONDITION, Domain
from pullback.functions.record import Definition, Function
from pullback.language.symbols import FUNCTIONS
from pullback.language.tensor import Tensor, lift, tensor
from pullback.verification.exact import real_context
from pullback.verification.points import DRAWS, draw_value

SIZES = {"n": 2, "m": 3, "k": 4}
LARGEST = 30.0  # an entry of a value; more would only test how digits are lost
ENTRIES = 64  # of a value
MP = real_context(20)

VARIABLES: Mapping[str, tuple[tuple[Any, ...], str]] = {
    "x": (("n",), ""),
    "A": (("m", "n"), ""),
    "B": (("n", "n"), ""),
    "s": ((), ""),
    "z": (("m",), ""),
    "y": (("n",), ""),
    "t": ((), "positive"),
    "q": (("n",), "positive"),
    "T": (("m", "n", "n"), ""),
    "S": (("n", "n"), "symmetric"),
    "P": (("n", "n"), "posdef"),
    "D": (("n", "n"), "diagonal"),
    "L": (("n", "n"), "lower"),
    "R": (("n", "n"), "upper"),
    "Q": (("n", "n"), "orthogonal"),
    "K": (("n", "n"), "skew"),
    "u": (("n",), "positive unit-sum"),
    "e": (("m",), "sign"),
    "h": (("n",), "binary"),
    "w": ((3,), ""),
    "r": ((1, "n"), ""),
    "c": (("k",), ""),
}


@dataclass(frozen=True)
class Step:
    """One operation on earlier values: its text, with ``{0}`` for an argument, and its meanings."""

    text: str
    of: tuple[int, ...]
    ours: Callable[..., Tensor]
    theirs: Callable[..., Any]
    name: str = ""
    calls: str = ""  # the function of the catalogue

    def written(self, names: Sequence[str]) -> str:
        return self.text.format(*(names[k] for k in self.of))


@dataclass
class Sheet:
    """The values so far: variables first, then steps; with symbols, and with numbers."""

    tensors: list[Tensor] = field(default_factory=list)
    arrays: list[np.ndarray] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    @property
    def given(self) -> int:
        """How many values are variables."""
        return len(self.tensors) - len(self.steps)

    def declare(self, name: str, generator: random.Random) -> None:
        sizes, assumed = VARIABLES[name]
        symbol = tensor(name, *sizes, assume=assumed)
        draw = generator.choice(DRAWS[:3])
        value = draw_value(symbol.node, SIZES, draw, generator, MP)
        self.tensors.append(symbol)
        self.arrays.append(np.array(value, dtype=np.float64))
        self.names.append(name)

    def add(self, step: Step) -> int | None:
        """The place of the step's value; None where it has none, or one too large to be useful."""
        try:
            value = np.asarray(step.theirs(*(self.arrays[k] for k in step.of)), dtype=np.float64)
        except (TypeError, ValueError, IndexError):
            return None  # JAX says that the shapes do not fit
        if not np.all(np.isfinite(value)) or value.size > ENTRIES or value.ndim > 4:
            return None
        if np.max(np.abs(value), initial=0) > LARGEST:
            return None
        try:
            symbol = step.ours(*(self.tensors[k] for k in step.of))
        except MissingRule:
            raise
        except PullbackError as refusal:
            self.refused.append(f"{step.text}: {refusal.message}")
            return None
        if step.name:
            symbol = symbol.named(step.name)
        shape = tuple(size.evaluate(SIZES) for size in symbol.shape)
        assert shape == value.shape, f"{step.text} is {symbol.shape}, in JAX {value.shape}"
        self.tensors.append(symbol)
        self.arrays.append(value)
        self.names.append(step.name or f"v{len(self.steps)}")
        self.steps.append(step)
        return len(self.tensors) - 1

    def evaluate(self, arrays: Sequence[Any], held: Mapping[int, Any]) -> list[Any]:
        """Every value in JAX, where some are held at given ones."""
        values = [held.get(k, array) for k, array in enumerate(arrays[: self.given])]
        for step in self.steps:
            k = len(values)
            values.append(held[k] if k in held else step.theirs(*(values[i] for i in step.of)))
        return values

    def __repr__(self) -> str:
        lines = [
            f"{name}: {self.tensors[k].shape} {VARIABLES[name][1]} = {self.arrays[k].tolist()}"
            for k, name in enumerate(self.names[: self.given])
        ]
        for k, step in enumerate(self.steps, self.given):
            lines.append(f"{self.names[k]} = {step.written(self.names)}")
        return "\n".join(lines)


Draw = Callable[[st.SearchStrategy[Any]], Any]


@dataclass
class Writer:
    """Adds steps to a sheet, each drawn."""

    draw: Draw
    sheet: Sheet

    def pick(self, fits: Callable[[np.ndarray], bool] = lambda _value: True) -> int | None:
        """A value that fits, as often as not one of the latest."""
        found = [k for k, value in enumerate(self.sheet.arrays) if fits(value)][::-1]
        if not found:
            return None
        return self.draw(st.sampled_from(found[:2]) | st.sampled_from(found))

    def step(
        self, text: str, of: Sequence[int], ours: Any, theirs: Any, calls: str = ""
    ) -> int | None:
        name = f"g{len(self.sheet.steps)}" if self.draw(st.integers(0, 3)) == 3 else ""
        return self.sheet.add(Step(text, tuple(of), ours, theirs, name, calls))

    def apply(self, name: str, of: Sequence[int], *numbers: Any, **options: Any) -> int | None:
        """A function of the catalogue."""
        words = [*(f"{{{k}}}" for k in range(len(of))), *map(str, numbers)]
        words += [f"{key}={value}" for key, value in options.items()]
        ours, theirs = ours_of(name), MEANINGS[name]
        if "axis" in options:
            keep, axis = options.get("keepdims", False), options["axis"]
            theirs = _along(name, axis, keepdims=keep)
        return self.step(
            f"{name}({', '.join(words)})",
            of,
            lambda *t: ours(*t, *numbers, **options),
            lambda *a: theirs(*a, *numbers),
            name,
        )

    # arguments

    def inside(self, domain: Domain, at: int) -> int | None:
        """The value itself if it lies in the domain, else one made from it that does."""
        value = self.sheet.arrays[at]
        if domain is CONDITION:
            other = self.pick(lambda v: v.shape in (value.shape, ()))
            return None if other is None else self.apply("greater", (at, other))
        if domain.name in MATRICES:
            holds, text = MATRICES[domain.name]
            return at if holds(value) else self.array(text, (at,))
        if not domain.inside:
            raise AssertionError(f"how is '{domain.name}' met? Say it in MATRICES")
        if not domain.outside:
            return at if domain.name == "real numbers" else self.array("xp.tanh({0})", (at,))
        low, high = domain.inside
        if all(domain.contains(v) and low <= v <= max(high, LARGEST) for v in value.flat):
            return at
        if max(domain.outside) > high:
            middle, half = (low + high) / 2, (high - low) / 2
            return self.array(f"{middle:g} + {half:g}*xp.tanh({{0}})", (at,))
        raised = self.draw(st.sampled_from(["{0} ** 2", "xp.exp({0})", "abs({0})"]))
        return self.array(f"{low + 0.1:.2g} + {raised}", (at,))

    def array(self, text: str, of: Sequence[int]) -> int | None:
        """An expression in NumPy's functions, on symbols and in JAX."""
        letters = "abcd"[: len(of)]
        code = f"lambda xp, {', '.join(letters)}: {text.format(*letters)}"
        function = eval(code)
        return self.step(
            text, of, lambda *t: function(np, *t), lambda *a: function(jnp, *map(jnp.asarray, a))
        )

    # families of steps

    def call(self) -> int | None:
        """Any function of the catalogue, at arguments in its domain."""
        name = self.draw(st.sampled_from(sorted(CATALOGUE)))
        record = CATALOGUE[name]
        if isinstance(record, Definition):
            return self._definition(record)
        if record.elementwise:
            return self._elementwise(record)
        if record.takes_axis:
            return self._along_axes(record)
        arguments: list[int] = []
        sizes: dict[str, int] = {}
        for core, domain in zip(record.signature.arguments, _domains(record), strict=True):
            at = self.pick(lambda v, core=core: _fits(core, v, sizes))
            at = None if at is None else self.inside(domain, at)
            if at is None:
                return None
            arguments.append(at)
            value = self.sheet.arrays[at]
            sizes |= dict(zip(core, value.shape[value.ndim - len(core) :], strict=True))
        return self.apply(name, arguments)

    def _elementwise(self, record: Function) -> int | None:
        count = len(record.signature.arguments)
        if not count:
            return self.apply(record.name, ())
        needed = count - self.draw(st.integers(0, len(record.defaults)))
        domains = _domains(record)
        if domains[0].points and domains[0] is not CONDITION:  # the order of a polygamma function
            number = self.draw(st.sampled_from(domains[0].points))
            at = self.pick()
            at = None if at is None else self.inside(domains[1], at)
            return None if at is None else self._fixed_first(record.name, number, at)
        first = self.pick()
        arguments: list[int] = []
        for k in range(needed):
            shape = self.sheet.arrays[first].shape
            at = first if not k else self.pick(lambda v, shape=shape: v.shape in (shape, ()))
            at = None if at is None else self.inside(domains[k], at)
            if at is None:
                return None
            arguments.append(at)
        if any(_near(self.sheet.arrays[arguments[0]], kink) for kink in record.kinks):
            return None
        return self.apply(record.name, arguments)

    def _fixed_first(self, name: str, number: float, at: int) -> int | None:
        ours, theirs = ours_of(name), MEANINGS[name]
        return self.step(
            f"{name}({number:g}, {{0}})",
            (at,),
            lambda t: ours(number, t),
            lambda a: theirs(number, a),
            name,
        )

    def _along_axes(self, record: Function | Definition) -> int | None:
        at = self.pick(lambda v: v.ndim > 0)
        if at is None:
            return None
        order = self.sheet.arrays[at].ndim
        axis: Any = self.draw(st.integers(-1, order - 1))
        if not record.reduction:
            return self.apply(record.name, (at,), axis=axis)
        if self.draw(st.booleans()):
            axis = self.draw(st.sampled_from([None, tuple(range(order)), (0,)]))
        return self.apply(record.name, (at,), axis=axis, keepdims=self.draw(st.booleans()))

    def _definition(self, record: Definition) -> int | None:
        if record.reduction:
            return self._along_axes(record)
        first = self.pick()
        optional = [float(p.partition("=")[2]) for p in record.parameters if "=" in p]
        needed = len(record.parameters) - len(optional)
        given = optional[: self.draw(st.integers(0, len(optional)))]
        numbers = [self.draw(st.sampled_from([d, d + 1, 2 * d])) for d in given]
        arguments = [first]
        while len(arguments) < needed:
            shape = self.sheet.arrays[first].shape
            arguments.append(self.pick(lambda v, shape=shape: v.shape == shape))
        found = self.apply(record.name, arguments, *numbers)
        if found is not None:
            return found
        bounded = [self.array("0.5 + 0.4*xp.tanh({0})", (at,)) for at in arguments]
        return None if None in bounded else self.apply(record.name, bounded, *numbers)

    def numpy(self) -> int | None:
        """Any of NumPy's functions and operators on symbols."""
        text, count = self.draw(st.sampled_from(NUMPY))
        chosen = [self.pick() for _ in range(count)]
        return self.array(text, chosen)

    def sum(self) -> int | None:
        """A linear combination."""
        first = self.pick()
        shape = self.sheet.arrays[first].shape
        others = [self.pick(lambda v: v.shape in (shape, ()))]
        of = [first, *others]
        signs = [self.draw(st.sampled_from(["", "-", "2*", "0.5*", "-3*"])) for _ in of]
        text = " + ".join(f"{sign}{{{k}}}" for k, sign in enumerate(signs))
        return self.array(text + self.draw(st.sampled_from(["", " + 1", " - 0.3"])), of)

    def contraction(self) -> int | None:
        """Products, sums, diagonals, broadcasts and δs in one: any labels of any operands."""
        of = [self.pick() for _ in range(self.draw(st.integers(1, 3)))]
        sizes: dict[str, Size] = {}
        labels: list[tuple[str, ...]] = []
        for at in of:
            mine = []
            for size in self.sheet.tensors[at].shape:
                label = f"{size}{self.draw(st.sampled_from(['', '_']))}"
                sizes[label] = size
                mine.append(label)
            labels.append(tuple(mine))
        if self.draw(st.integers(0, 4)) == 4:  # an axis along which all is the same
            sizes.setdefault("m_", Size.of("m"))
        if not sizes:
            return None
        output = tuple(self.draw(st.lists(st.sampled_from(sorted(sizes)), max_size=3)))
        numbers = {label: size.evaluate(SIZES) for label, size in sizes.items()}
        if np.prod(list(numbers.values())) > 4000:
            return None
        shown = [f"{{{k}}}[{','.join(ls)}]" for k, ls in enumerate(labels)]

        def ours(*tensors: Tensor) -> Tensor:
            return lift(
                lambda *nodes: make.contract(zip(nodes, labels, strict=True), output, sizes),
                *tensors,
            )

        def theirs(*arrays: Any) -> Any:
            return contract(list(zip(arrays, labels, strict=True)), output, numbers)

        return self.step(f"{' '.join(shown)} -> [{','.join(output)}]", of, ours, theirs)

    def size(self) -> int | None:
        """A size as a number."""
        name = self.draw(st.sampled_from(sorted(SIZES)))
        return self.step(
            name, (), lambda: Tensor(make.size_value(name)), lambda: jnp.asarray(float(SIZES[name]))
        )

    FAMILIES = (call, call, call, numpy, numpy, contraction, sum, size)


def ours_of(name: str) -> Callable[..., Tensor]:
    if name in FUNCTIONS:
        return FUNCTIONS[name]
    return lambda: Tensor(CATALOGUE[name].apply([]))  # a number


def _along(name: str, axis: Any, *, keepdims: bool) -> Callable[..., Any]:
    def theirs(array: Any) -> Any:
        result = along(name, array, axis)
        if not keepdims:
            return result
        gone = range(array.ndim) if axis is None else np.atleast_1d(axis)
        return jnp.expand_dims(result, tuple(int(a) % array.ndim for a in gone))

    return theirs


def _domains(record: Function) -> list[Domain]:
    given = list(record.domain)
    count = len(record.signature.arguments)
    return (given + [given[-1]] * count)[:count]


def _fits(core: Sequence[str], value: np.ndarray, sizes: Mapping[str, int]) -> bool:
    """Whether the last axes can be these, an axis of one name having one size."""
    if value.ndim < len(core):
        return False
    known = dict(sizes)
    last = value.shape[value.ndim - len(core) :]
    return all(known.setdefault(i, size) == size for i, size in zip(core, last, strict=True))


def _near(value: np.ndarray, kink: float) -> bool:
    return bool(np.any(np.abs(value - kink) < 1e-3))


def _regular(value: np.ndarray) -> bool:
    return bool(np.all(np.linalg.cond(value) < 100))


# The domains of whole matrices: whether a value lies inside, and what makes one that does
MATRICES: Mapping[str, tuple[Callable[[np.ndarray], bool], str]] = {
    "invertible": (_regular, "xp.linalg.inv(xp.linalg.inv({0}))"),
    "positive determinant": (
        lambda v: _regular(v) and bool(np.all(np.linalg.det(v) > 0)),
        "{0} @ {0}",
    ),
}

NUMPY: Sequence[tuple[str, int]] = [
    ("{0} * {1}", 2),
    ("{0} @ {1}", 2),
    ("{0} - {1}", 2),
    ("{0} / {1}", 2),
    ("{0} ** 2", 1),
    ("{0} ** 3", 1),
    ("{0} ** -1", 1),
    ("{0} ** -2", 1),
    ("{0} ** 0.5", 1),
    ("{0} ** 1.5", 1),
    ("{0} ** {1}", 2),
    ("2 ** {0}", 1),
    ("1 / (1 + {0} ** 2)", 1),
    ("-{0}", 1),
    ("abs({0})", 1),
    ("{0}.T", 1),
    ("xp.swapaxes({0}, 0, -1)", 1),
    ("xp.transpose({0}, (1, 0, 2))", 1),
    ("xp.outer({0}, {1})", 2),
    ("xp.inner({0}, {1})", 2),
    ("xp.dot({0}, {1})", 2),
    ("xp.vdot({0}, {1})", 2),
    ("xp.diag({0})", 1),
    ("xp.trace({0})", 1),
    ("xp.square({0})", 1),
    ("xp.sqrt({0})", 1),
    ("xp.sum({0}, axis=0, keepdims=True)", 1),
    ("xp.mean({0}, axis=-1)", 1),
    ("xp.linalg.solve({0}, {1})", 2),
    ("xp.linalg.norm({0})", 1),
    ("xp.where(xp.greater({0}, {1}), {0}, 2 * {1})", 2),
    ("xp.where(xp.greater({0}, 0), xp.log({0}), {0})", 1),
    ("xp.einsum('ij,jk->ik', {0}, {1})", 2),
    ("xp.einsum('ij,ij->j', {0}, {1})", 2),
    ("xp.einsum('...i,...i->...', {0}, {1})", 2),
    ("xp.einsum('ii->i', {0})", 1),
    ("xp.einsum('ijj->i', {0})", 1),
    ("xp.maximum({0}, {1})", 2),
    ("xp.cumsum({0}, axis=0)", 1),
]


@dataclass(frozen=True, repr=False)
class Drawn:
    """A sheet, the value that is the result, and what to differentiate it by."""

    sheet: Sheet
    root: int
    targets: tuple[int, int]

    @property
    def tensor(self) -> Tensor:
        return self.sheet.tensors[self.root]

    def __repr__(self) -> str:
        names = self.sheet.names
        first, second = (names[k] for k in self.targets)
        return f"{self.sheet!r}\n{names[self.root]} by {first}, {second}\n"


@st.composite
def programs(draw: Draw, steps: int = 6) -> Drawn:
    """A program of a few steps at a point, with two of its variables or lines."""
    sheet = Sheet()
    chosen = draw(st.lists(st.sampled_from(list(VARIABLES)), min_size=2, max_size=5, unique=True))
    generator = random.Random(draw(st.integers(0, 1000)))
    for name in chosen:
        sheet.declare(name, generator)
    writer = Writer(draw, sheet)
    for _ in range(draw(st.integers(1, steps))):
        draw(st.sampled_from(Writer.FAMILIES))(writer)
    if not sheet.steps:
        writer.array("xp.sum({0} * {0})", (0,))
    if draw(st.booleans()):  # a number, of the last two
        last = [len(sheet.arrays) - 1, draw(st.integers(0, len(sheet.arrays) - 1))]
        writer.array("xp.sum({0}) * xp.sum({1})", last)
    root = len(sheet.arrays) - 1
    while not (free := _free(sheet, root)):
        root -= 1
    return Drawn(sheet, root, (draw(st.sampled_from(free)), draw(st.sampled_from(free))))


def _free(sheet: Sheet, root: int) -> list[int]:
    """The variables and named lines that a value is made of."""
    program = sheet.tensors[root].to_program()
    known = {*program.variables, *program.lines}
    return [k for k, name in enumerate(sheet.names) if name in known and k != root]

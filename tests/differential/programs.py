"""Random well-shaped programs over the whole catalogue, at points inside all domains."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax.numpy as jnp
import numpy as np
from hypothesis import strategies as st
from jax_meaning import COMPARED, MEANINGS, along
from sheets import LARGEST, VARIABLES, Drawn, Sheet, Step
from structural import NUMPY, contraction, placement, size

from pullback.functions.catalogue import CATALOGUE
from pullback.functions.domains import CONDITION, Domain
from pullback.functions.record import Definition, Function
from pullback.language.symbols import FUNCTIONS
from pullback.language.tensor import Tensor

Draw = Callable[[st.SearchStrategy[Any]], Any]


@dataclass
class Writer:
    """Adds steps to a sheet, each drawn; the place of the new value, or None where none fits."""

    draw: Draw
    sheet: Sheet
    functions: Sequence[str] = COMPARED

    def pick(self, fits: Callable[[np.ndarray], bool] = lambda _value: True) -> int | None:
        """A value that fits, as often as not one of the latest."""
        found = [k for k, value in enumerate(self.sheet.arrays) if fits(value)][::-1]
        if not found:
            return None
        return self.draw(st.sampled_from(found[:2]) | st.sampled_from(found))

    def step(
        self, text: str, of: Sequence[int], ours: Any, theirs: Any, calls: str = ""
    ) -> int | None:
        """An operation; now and then it is a named line."""
        name = f"g{len(self.sheet.steps)}" if self.draw(st.integers(0, 3)) == 3 else ""
        return self.sheet.add(Step(text, tuple(of), ours, theirs, name, calls))

    def array(self, text: str, of: Sequence[int]) -> int | None:
        """An expression in NumPy's functions, on symbols and in JAX."""
        letters = "abcd"[: len(of)]
        function = eval(f"lambda xp, {', '.join(letters)}: {text.format(*letters)}")

        def theirs(*arrays: Any) -> Any:
            return function(jnp, *map(jnp.asarray, arrays))

        return self.step(text, of, lambda *symbols: function(np, *symbols), theirs)

    def apply(self, name: str, of: Sequence[int], *numbers: Any, **options: Any) -> int | None:
        """A function of the catalogue at values, then numbers."""
        words = [*(f"{{{k}}}" for k in range(len(of))), *map(str, numbers)]
        words += [f"{key}={value}" for key, value in options.items()]
        ours, theirs = _ours(name), MEANINGS[name]
        if "axis" in options:
            theirs = _along(name, options["axis"], keepdims=options.get("keepdims", False))
        return self.step(
            f"{name}({', '.join(words)})",
            of,
            lambda *symbols: ours(*symbols, *numbers, **options),
            lambda *arrays: theirs(*arrays, *numbers),
            name,
        )

    def inside(self, domain: Domain, at: int | None) -> int | None:
        """The value itself if it lies in the domain, else one made from it that does."""
        if at is None:
            return None
        value = self.sheet.arrays[at]
        if domain is CONDITION:
            other = self.pick(lambda v: v.shape in (value.shape, ()))
            return None if other is None else self.apply("greater", (at, other))
        if domain.name in MATRICES:
            holds, text = MATRICES[domain.name]
            return at if holds(value) else self.array(text, (at,))
        assert domain.inside, f"how is '{domain.name}' met? Say it in MATRICES"
        if not domain.outside:
            return at if domain.name == "real numbers" else self.array("xp.tanh({0})", (at,))
        low, high = domain.inside
        bounded = max(domain.outside) > high
        if all(
            domain.contains(v) and low <= v <= (high if bounded else LARGEST) for v in value.flat
        ):
            return at
        if bounded:
            middle, half = (low + high) / 2, (high - low) / 2
            return self.array(f"{middle:g} + {half:g}*xp.tanh({{0}})", (at,))
        raised = self.draw(st.sampled_from(["{0} ** 2", "xp.exp({0})", "abs({0})"]))
        return self.array(f"{low + 0.1:.2g} + {raised}", (at,))

    # families of steps

    def call(self) -> int | None:
        """Any function of the catalogue, at arguments in its domain."""
        name = self.draw(st.sampled_from(self.functions))
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
            at = self.inside(domain, self.pick(partial(_fits, core, sizes)))
            if at is None:
                return None
            arguments.append(at)
            value = self.sheet.arrays[at]
            sizes |= dict(zip(core, value.shape[value.ndim - len(core) :], strict=True))
        return self.apply(name, arguments)

    def _elementwise(self, record: Function) -> int | None:
        count, domains = len(record.signature.arguments), _domains(record)
        if not count:
            return self.apply(record.name, ())
        if domains[0].points and domains[0] is not CONDITION:  # such as the order of polygamma
            number = self.draw(st.sampled_from(domains[0].points))
            at = self.inside(domains[1], self.pick())
            return None if at is None else self.first_fixed(record.name, number, at)
        first = self.pick()
        shape = self.sheet.arrays[first].shape
        arguments: list[int] = []
        for k in range(count - self.draw(st.integers(0, len(record.defaults)))):
            other = first if not k else self.pick(lambda v: v.shape in (shape, ()))
            at = self.inside(domains[k], other)
            if at is None:
                return None
            arguments.append(at)
        value = self.sheet.arrays[arguments[0]]
        if any(np.any(np.abs(value - kink) < 1e-3) for kink in record.kinks):
            return None
        return self.apply(record.name, arguments)

    def first_fixed(self, name: str, number: float, at: int) -> int | None:
        ours, theirs = _ours(name), MEANINGS[name]
        text = f"{name}({number:g}, {{0}})"
        return self.step(text, (at,), lambda t: ours(number, t), lambda a: theirs(number, a), name)

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
        """A formula in others; if it has no value, its arguments are brought between 0 and 1."""
        if record.reduction:
            return self._along_axes(record)
        fits = SHAPES.get(record.name, lambda _value: True)
        first = self.pick(fits)
        if first is None:
            return None
        optional = [float(p.partition("=")[2]) for p in record.parameters if "=" in p]
        needed = len(record.parameters) - len(optional)
        given = optional[: self.draw(st.integers(0, len(optional)))]
        numbers = [self.draw(st.sampled_from([d, d + 1, 2 * d])) for d in given]
        shape = self.sheet.arrays[first].shape
        arguments = [first] + [self.pick(lambda v: v.shape == shape) for _ in range(needed - 1)]
        found = self.apply(record.name, arguments, *numbers)
        if found is not None:
            return found
        bounded = [self.array("0.5 + 0.4*xp.tanh({0})", (at,)) for at in arguments]
        return None if None in bounded else self.apply(record.name, bounded, *numbers)

    def numpy(self) -> int | None:
        """Any of NumPy's functions and operators on symbols."""
        text, count = self.draw(st.sampled_from(NUMPY))
        return self.array(text, [self.pick() for _ in range(count)])

    def sum(self) -> int | None:
        """A linear combination."""
        first = self.pick()
        shape = self.sheet.arrays[first].shape
        of = [first, self.pick(lambda v: v.shape in (shape, ()))]
        factors = [self.draw(st.sampled_from(["", "-", "2*", "0.5*", "-3*"])) for _ in of]
        text = " + ".join(f"{factor}{{{k}}}" for k, factor in enumerate(factors))
        return self.array(text + self.draw(st.sampled_from(["", " + 1", " - 0.3"])), of)

    def structural(self) -> int | None:
        """Products along any labels, parts, joins and other arrangements of entries; sizes."""
        family = self.draw(st.sampled_from([contraction, contraction, placement, placement, size]))
        made = family(self.draw, self.sheet, self.pick)
        return None if made is None else self.step(*made)

    FAMILIES = (call, call, numpy, structural, sum)


def _ours(name: str) -> Callable[..., Tensor]:
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


def _fits(core: Sequence[str], sizes: Mapping[str, int], value: np.ndarray) -> bool:
    """Whether the last axes can be these, an axis of one name having one size."""
    if value.ndim < len(core):
        return False
    known = dict(sizes)
    last = value.shape[value.ndim - len(core) :]
    return all(known.setdefault(i, size) == size for i, size in zip(core, last, strict=True))


def _square(value: np.ndarray) -> bool:
    return value.ndim == 2 and value.shape[0] == value.shape[1]


def _regular(value: np.ndarray) -> bool:
    return bool(np.all(np.linalg.cond(value) < 100))


# The shapes that formulas in other functions insist on
SHAPES: Mapping[str, Callable[[np.ndarray], bool]] = {
    "tr": _square,
    "solve": lambda v: _square(v) and _regular(v),
    "solve_lower": lambda v: _square(v) and _regular(np.tril(v)),
    "solve_upper": lambda v: _square(v) and _regular(np.triu(v)),
    # and away from the kinks, as log|det Q| = 0 up to rounding is not
    "norm": lambda v: v.ndim < 2 and bool(np.all(np.abs(v) > 1e-3)),
    "norm_inf": lambda v: v.ndim < 2 and bool(np.all(np.abs(v) > 1e-3)),
}

# The domains of whole matrices: whether a value lies inside, and what makes one that does
MATRICES: Mapping[str, tuple[Callable[[np.ndarray], bool], str]] = {
    "an invertible matrix": (
        _regular,
        "xp.einsum('...ij,...kj->...ik', {0}, {0}) + xp.sum({0} ** 2)",
    ),
    "a matrix of positive determinant": (
        lambda v: _regular(v) and bool(np.all(np.linalg.det(v) > 0)),
        "xp.einsum('...ij,...jk->...ik', {0}, {0})",
    ),
}


@st.composite
def programs(draw: Draw, steps: int = 6, functions: Sequence[str] = COMPARED) -> Drawn:
    """A program of a few steps at a point, with two of its variables or lines."""
    sheet = Sheet()
    generator = random.Random(draw(st.integers(0, 100_000)))
    chosen = draw(st.lists(st.sampled_from(list(VARIABLES)), min_size=2, max_size=5, unique=True))
    for name in chosen:
        sheet.declare(name, generator)
    # Hypothesis likes the first of a list: no function shall always be it
    writer = Writer(draw, sheet, generator.sample(functions, len(functions)))
    for _ in range(draw(st.integers(1, steps))):
        draw(st.sampled_from(Writer.FAMILIES))(writer)
    if draw(st.booleans()):  # a number, of the last value and another
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
    return [k for k, name in enumerate(sheet.names) if name in known and k <= root]

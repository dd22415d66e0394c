"""Steps that need no function of the catalogue: NumPy's operators, contractions, placements."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from hypothesis import strategies as st
from jax_meaning import contract
from sheets import SIZES, Sheet

from pullback.expressions import Node, Size
from pullback.expressions import constructors as make
from pullback.expressions import placement as place
from pullback.language.tensor import Tensor, lift

Draw = Callable[[st.SearchStrategy[Any]], Any]
Pick = Callable[..., int | None]
Made = tuple[str, Sequence[int], Callable[..., Tensor], Callable[..., Any]]

NUMPY: Sequence[tuple[str, int]] = [
    ("{0} * {1}", 2),
    ("{0} @ {1}", 2),
    ("{0} - {1}", 2),
    ("{0} / {1}", 2),
    ("{0} / (1 + {1} ** 2)", 2),
    ("{0} ** 2", 1),
    ("{0} ** 3", 1),
    ("{0} ** -1", 1),
    ("{0} ** -2", 1),
    ("(0.2 + {0} ** 2) ** 0.5", 1),
    ("(0.2 + abs({0})) ** 1.5", 1),
    ("(0.2 + abs({0})) ** {1}", 2),
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
    ("xp.sqrt(xp.square({0}) + xp.square({1}) + 0.1)", 2),
    ("xp.sum({0}, axis=0, keepdims=True)", 1),
    ("xp.mean({0}, axis=-1)", 1),
    ("xp.linalg.solve({0}, {1})", 2),
    ("xp.linalg.inv({0}) @ {1}", 2),
    ("xp.linalg.norm({0})", 1),
    ("xp.where(xp.greater({0}, {1}), {0}, 2 * {1})", 2),
    ("xp.where(xp.greater({0}, 0), xp.log({0}), {0})", 1),
    ("xp.einsum('ij,jk->ik', {0}, {1})", 2),
    ("xp.einsum('ij,ij->j', {0}, {1})", 2),
    ("xp.einsum('...i,...i->...', {0}, {1})", 2),
    ("xp.einsum('i,i,j,j->', {0}, {0}, {1}, {1})", 2),
    ("xp.einsum('ii->i', {0})", 1),
    ("xp.einsum('ijj->i', {0})", 1),
    ("xp.maximum({0}, {1})", 2),
    ("xp.cumsum({0}, axis=0)", 1),
    ("{0} * xp.exp(-{0})", 1),
    ("xp.exp({0}) / xp.sum(xp.exp({0}))", 1),
    ("xp.log(xp.sum(xp.exp({0})))", 1),
    ("1 - xp.tanh({0}) ** 2", 1),
]


def contraction(draw: Draw, sheet: Sheet, pick: Pick) -> Made | None:
    """Products, sums, diagonals, broadcasts and δs in one: any labels of any operands."""
    of = [pick() for _ in range(draw(st.integers(1, 3)))]
    sizes: dict[str, Size] = {}
    labels: list[tuple[str, ...]] = []
    for at in of:
        mine = []
        for axis in sheet.tensors[at].shape:
            label = f"{axis}{draw(st.sampled_from(['', '_']))}"
            sizes[label] = axis
            mine.append(label)
        labels.append(tuple(mine))
    if draw(st.integers(0, 4)) == 4:  # an axis along which all is the same
        sizes.setdefault("m_", Size.of("m"))
    output = draw(st.lists(st.sampled_from(sorted(sizes)), max_size=3)) if sizes else []
    numbers = {label: axis.evaluate(SIZES) for label, axis in sizes.items()}
    if np.prod(list(numbers.values())) > 4000:
        return None
    shown = [f"{{{k}}}[{','.join(ls)}]" for k, ls in enumerate(labels)]

    def ours(*tensors: Tensor) -> Tensor:
        return lift(
            lambda *nodes: make.contract(zip(nodes, labels, strict=True), output, sizes), *tensors
        )

    def theirs(*arrays: Any) -> Any:
        return contract(list(zip(arrays, labels, strict=True)), tuple(output), numbers)

    return f"{' '.join(shown)} -> [{','.join(output)}]", of, ours, theirs


def size(draw: Draw, _sheet: Sheet, _pick: Pick) -> Made:
    """A size as a number."""
    name = draw(st.sampled_from(sorted(SIZES)))
    return name, (), lambda: Tensor(make.size_value(name)), lambda: jnp.asarray(float(SIZES[name]))


def placement(draw: Draw, sheet: Sheet, pick: Pick) -> Made | None:
    """Slices, joins, merged and split axes, reversals, triangles, Kronecker products."""
    at = pick(lambda v: v.ndim > 0)
    if at is None:
        return None
    value, shape = sheet.arrays[at], sheet.tensors[at].shape
    axis = draw(st.integers(0, value.ndim - 1))
    length = value.shape[axis]
    kind = draw(st.sampled_from(["take", "one", "join", "flip", "kron", "merge", "split", "tri"]))
    if kind == "take":
        start, step = draw(st.integers(0, length - 1)), draw(st.sampled_from([1, 2, -1]))
        count = draw(st.integers(1, start + 1 if step < 0 else (length - 1 - start) // step + 1))
        places = [start + step * k for k in range(count)]
        to_the_end = step == 1 and count == length - start
        wanted = shape[axis] - start if to_the_end and draw(st.booleans()) else count
        return (
            f"{{0}} at {places} of axis {axis}",
            (at,),
            lambda t: _made(lambda n: place.take(n, axis, start, wanted, step), t),
            lambda a: jnp.take(a, jnp.array(places), axis=axis),
        )
    if kind == "one":
        which = draw(st.integers(0, length - 1))
        return (
            f"{{0}} at {which} of axis {axis}",
            (at,),
            lambda t: _made(lambda n: place.take(n, axis, which), t),
            lambda a: jnp.take(a, which, axis=axis),
        )
    if kind == "flip":
        return (
            f"{{0}} in reverse along axis {axis}",
            (at,),
            lambda t: _made(lambda n: place.flipped(n, axis), t),
            lambda a: jnp.flip(a, axis),
        )
    if kind == "join":
        other = pick(lambda v: v.ndim == value.ndim)
        return (
            f"{{0}} then {{1}} along axis {axis}",
            (at, other),
            lambda a, b: _made(lambda *n: place.concatenate(n, axis), a, b),
            lambda a, b: jnp.concatenate([a, b], axis),
        )
    if kind == "kron":
        other = pick(lambda v: v.ndim == value.ndim)
        return "{0} ⊗ {1}", (at, other), lambda a, b: _made(place.kron, a, b), jnp.kron
    if kind == "merge":
        if value.ndim == 2 and draw(st.booleans()):
            return "vec {0}", (at,), lambda t: _made(place.vec, t), lambda a: a.T.reshape(-1)
        entries = Size.of(1)
        for axis_size in shape:
            entries = entries * axis_size
        return (
            "{0} in one axis",
            (at,),
            lambda t: _made(lambda n: place.reshape(n, [entries]), t),
            lambda a: a.reshape(-1),
        )
    if kind == "split":
        wide = pick(lambda v: v.ndim == 1 and v.shape[0] % 2 == 0)
        if wide is None or sheet.tensors[wide].shape[0].constant is None:
            return None
        half = sheet.arrays[wide].shape[0] // 2
        rows = draw(st.sampled_from([(2, half), (half, 2)]))
        return (
            f"{{0}} as {rows}",
            (wide,),
            lambda t: _made(lambda n: place.split(n, 0, rows), t),
            lambda a: a.reshape(rows),
        )
    if value.ndim != 2:
        return None
    offset, upper = draw(st.integers(-1, 1)), draw(st.booleans())
    return (
        f"{'upper' if upper else 'lower'} triangle {offset} of {{0}}",
        (at,),
        lambda t: _made(
            lambda n: make.multiply(n, place.triangle(*n.shape, offset, upper=upper)), t
        ),
        lambda a: (jnp.triu if upper else jnp.tril)(a, offset),
    )


def _made(function: Callable[..., Node], *tensors: Tensor) -> Tensor:
    return lift(function, *tensors)

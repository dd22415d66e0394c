"""Values by the definition, entry by entry, and random expressions to try them on.

Nothing here knows of lowering: a contraction is a loop over all its labels, a function is its
mpmath value.
"""

from __future__ import annotations

import itertools

import mpmath
import numpy as np
from hypothesis import strategies as st

from pullback.expressions import Apply, Contraction, Node, Program, SizeValue, Sum, Variable
from pullback.expressions import constructors as make
from pullback.expressions.walks import post_order, variables
from pullback.functions.catalogue import CATALOGUE, primitive

SIZES = {"a": 2, "b": 3, "c": 4}


def value(root: Node, arrays: dict[str, np.ndarray], sizes: dict[str, int]) -> np.ndarray:
    """The value of a node in float64, from its definition."""
    known: dict[Node, np.ndarray] = {}
    for node in post_order(root):
        shape = tuple(size.evaluate(sizes) for size in node.shape)
        if isinstance(node, Variable):
            known[node] = np.asarray(arrays[node.name], dtype=np.float64)
        elif isinstance(node, SizeValue):
            known[node] = np.float64(node.size.evaluate(sizes))
        elif isinstance(node, Sum):
            total = np.zeros(shape)
            for coefficient, term in node.terms:
                total = total + float(coefficient) * known[term]
            known[node] = total
        elif isinstance(node, Contraction):
            known[node] = _contraction(node, known, shape, sizes)
        else:
            assert isinstance(node, Apply)
            known[node] = _apply(node, [known[n] for n in node.arguments], shape)
        assert known[node].shape == shape
    return known[root]


def _contraction(node, known, shape, sizes):
    result = np.zeros(shape)
    ranges = [range(size.evaluate(sizes)) for size in node.sizes]
    for at in itertools.product(*ranges):
        product = 1.0
        for child, labels in node.operands:
            product *= known[child][tuple(at[x] for x in labels)]
        result[tuple(at[x] for x in node.output)] += product
    return result


def _apply(node, arguments, shape):
    record = primitive(node)
    mp = mpmath.mp.clone()
    mp.dps = 40

    def nested(array):
        return mp.mpf(float(array)) if array.ndim == 0 else [nested(row) for row in array]

    if record.elementwise:
        result = np.empty(shape)
        for at in np.ndindex(shape):
            result[at] = float(record.exact(mp, *[mp.mpf(float(a[at])) for a in arguments]))
        return result
    core = len(record.signature.result)
    lead = shape[: len(shape) - core]
    result = np.empty(shape)
    for at in np.ndindex(lead):
        exact = record.exact(mp, *[nested(np.asarray(a[at])) for a in arguments])
        result[at] = np.array(exact, dtype=np.float64)
    return result


def program_of(*roots: Node, lines: dict[str, Node] | None = None) -> Program:
    return Program(roots[-1], {v.name: v for v in variables(*roots)}, lines or {})


def draw_arrays(program: Program, seed: int = 0, sizes: dict[str, int] = SIZES) -> dict:
    rng = np.random.default_rng(seed)
    return {
        name: rng.uniform(0.3, 1.7, [s.evaluate(sizes) for s in v.shape])
        for name, v in program.variables.items()
    }


def close(got, wanted, tolerance=1e-12):
    """Equal shapes, and entries that agree to the tolerance, relative to the largest."""
    got, wanted = np.asarray(got), np.asarray(wanted)
    assert got.shape == wanted.shape
    scale = np.max(np.abs(wanted), initial=1e-300)
    np.testing.assert_allclose(got, wanted, rtol=tolerance, atol=tolerance * scale)


ELEMENTWISE = ["exp", "sigmoid", "tanh", "softplus", "relu", "log", "abs", "cosh"]


@st.composite
def expressions(draw, steps=6):
    """A few nodes built on one another: products with δs and broadcasts, sums, functions."""
    pool: list[Node] = [
        make.variable("s"),
        make.variable("x", "a"),
        make.variable("y", "b"),
        make.variable("A", "ab"),
        make.variable("S", "aa"),
        make.variable("T", "bac"),
    ]
    for _ in range(draw(st.integers(1, steps))):
        made = draw(st.sampled_from([_product, _product, _sum, _function, _constant]))(draw, pool)
        if made is not None and made.order <= 3:
            pool.append(made)
    return [n for n in pool[-3:] if not isinstance(n, Variable)] or [make.scale(2, pool[-1])]


def _product(draw, pool):
    operands = [draw(st.sampled_from(pool)) for _ in range(draw(st.integers(0, 3)))]
    pairs, labels = [], {}
    for node in operands:
        chosen = []
        for size in node.shape:
            k = draw(st.integers(0, 1))
            labels[str(size), k] = size
            chosen.append((str(size), k))
        pairs.append((node, chosen))
    sizes = dict(labels)
    for name in draw(st.lists(st.sampled_from("abc"), max_size=1)):
        sizes.setdefault((name, 0), make.Size.of(name))
    if not sizes:
        return make.contract(pairs, [])
    output = draw(st.lists(st.sampled_from(sorted(sizes)), max_size=3))
    return make.contract(pairs, output, sizes)


def _sum(draw, pool):
    first = draw(st.sampled_from(pool))
    alike = [n for n in pool if n.shape == first.shape] + [make.ones(first.shape)]
    if first.order == 2 and first.shape[0] == first.shape[1]:
        alike.append(make.delta(first.shape[0]))
    terms = [
        (
            draw(st.sampled_from([1, -1, 2, make.exact_number(0.5), -3])),
            draw(st.sampled_from(alike)),
        )
        for _ in range(draw(st.integers(1, 3)))
    ]
    return make.add([(1, first), *terms], first.shape)


def _function(draw, pool):
    node = draw(st.sampled_from(pool))
    name = draw(st.sampled_from([*ELEMENTWISE, "power", "softmax", "logsumexp"]))
    if name in ("softmax", "logsumexp"):
        return CATALOGUE[name].apply([node]) if node.order else None
    bounded = CATALOGUE["tanh"].apply([node])
    positive = make.add([(1, make.constant(2, node.shape)), (1, bounded)])
    if name == "power":
        exponent = draw(st.sampled_from([-1, -2, 2, 3, 5, 0.5, -0.5, 1.5, 0.3]))
        return make.power(positive, make.exact_number(exponent))
    return CATALOGUE[name].apply([positive if name == "log" else bounded])


def _constant(draw, pool):
    sizes = draw(st.lists(st.sampled_from("abc"), max_size=2))
    if draw(st.booleans()):
        return make.multiply(make.ones(sizes), make.size_value("b"))
    return make.constant(draw(st.integers(-2, 3)), sizes)

"""Rewriting keeps the value, shortens, and records the law of every step."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pullback as pb
from pullback.expressions import Node, Sum, Variable
from pullback.expressions import constructors as make
from pullback.expressions.walks import post_order
from pullback.functions.algebra import Term, einsum, total
from pullback.functions.catalogue import CATALOGUE
from pullback.simplification import opening
from pullback.simplification.simplify import simplify
from pullback.trace import Trace
from pullback.verification.exact import array, evaluate, real_context

MP = real_context(30)
SIZES = {"m": 2, "n": 3}

a, b, x, y = (Term(make.variable(name, ["n"])) for name in "abxy")
s, t = (Term(make.variable(name)) for name in "st")
A = Term(make.variable("A", ["n", "n"]))
sigmoid, softmax, log, exp = (CATALOGUE[f] for f in ("sigmoid", "softmax", "log", "exp"))


def value(node: Node, seed: int = 0) -> np.ndarray:
    given = {}
    for v in post_order(node):
        if isinstance(v, Variable):
            shape = tuple(size.evaluate(SIZES) for size in v.shape)
            name = int.from_bytes(v.name.encode(), "big")
            entries = np.random.default_rng([name, seed]).uniform(0.3, 2.0, shape)
            if "unit-sum" in v.assumptions:
                entries = entries / entries.sum(axis=-1, keepdims=True)
            given[v] = array(entries, MP)
    return evaluate([node], given, SIZES, MP)[node].astype(float)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (x / x * a, a),
        (x * (a / x - b / x), a - b),
        (x * (a / x + b), a + x * b),
        (x**5 * x**-2, x**3),
        (2 * a - 2 * b, 2 * (a - b)),
        (a * x + b * x, x * (a + b)),
        (s * a - s * b, s * (a - b)),
        (a + (b - a), b),
        (1 - sigmoid(x), sigmoid(-x)),
        (log(softmax(x)), CATALOGUE["log_softmax"](x)),
        (log(exp(x)), x),
        (log(sigmoid(x)), -CATALOGUE["softplus"](-x)),
        (total(softmax(x)) * s, s),
        (einsum("ij,j->i", A, x) + einsum("ji,j->i", A, x), None),
        ((1 - y) * sigmoid(x) - y * sigmoid(-x), sigmoid(x) - y),
        (softmax(x) * (a / softmax(x)) - softmax(x) * total(a), a - softmax(x) * total(a)),
    ],
)
def test_known_forms(before: Term, after: Term | None) -> None:
    """Each row reaches the form a person writes, with the same value."""
    simplified = simplify(before.node)
    np.testing.assert_allclose(value(simplified), value(before.node), rtol=1e-12)
    if after is not None:
        assert simplified is simplify(after.node)


def test_a_matrix_and_its_transpose_share_their_vector() -> None:
    """A x + Aᵀ x becomes one product with (A + Aᵀ)."""
    before = einsum("ij,j->i", A, x) + einsum("ji,j->i", A, x)
    simplified = simplify(before.node)
    assert not isinstance(simplified, Sum)
    assert sum(child is x.node for child in simplified.children) == 1


@pytest.mark.parametrize(
    "before",
    [
        (x * x) * (x * x) + x * x / 2 + 1,
        einsum("ij,j->i", A, x) * einsum("ij,j->i", A, x) + 2 * einsum("ij,j->i", A, x),
        total(x * y) * (x * y) + 3 * x * y,
        einsum("ij,j,i->", A, x, y) * einsum("ij,j->i", A, x) + einsum("ij,j->i", A, x),
    ],
)
def test_a_whole_term_as_common_factor(before: Term) -> None:
    """a b + a = a (b + 1): the term that is the factor itself leaves 1, and no size behind."""
    np.testing.assert_allclose(value(simplify(before.node)), value(before.node), rtol=1e-12)


def test_unit_sum_is_used_only_where_declared() -> None:
    """Σ y stays a sum unless y is declared to sum to one."""
    declared = Term(make.variable("y", ["n"], ["unit-sum"]))
    assert simplify((total(declared) * a).node) is a.node
    assert simplify((total(y) * a).node) is not a.node
    rows = Term(make.variable("Y", ["m", "n"], ["unit-sum"]))
    over_rows = simplify(einsum("mn->m", rows).node)
    assert over_rows is make.ones(["m"])
    over_columns = einsum("mn->n", rows).node
    assert simplify(over_columns) is over_columns


def test_unit_sum_with_a_nested_scale() -> None:
    """Σᵢ yᵢ/s = 1/s is found through the nested product."""
    declared = Term(make.variable("y", ["n"], ["unit-sum"]))
    assert simplify(total(declared / s).node) is (s**-1).node


def test_every_rewrite_is_recorded_and_keeps_the_value() -> None:
    trace = Trace()
    simplify((x * (a / x - b / x) + 1 - sigmoid(x)).node, trace)
    assert trace.rewrites
    for step in trace.rewrites:
        assert step.law
        np.testing.assert_allclose(value(step.after), value(step.before), rtol=1e-12)


leaves = st.sampled_from([a, b, x, y, sigmoid(x), softmax(a), 1 - sigmoid(x), sigmoid(-x)])


def terms(children: st.SearchStrategy[Term]) -> st.SearchStrategy[Term]:
    pairs = st.tuples(children, children)
    return st.one_of(
        pairs.map(lambda p: p[0] + p[1]),
        pairs.map(lambda p: p[0] - p[1]),
        pairs.map(lambda p: p[0] * p[1]),
        pairs.map(lambda p: p[0] / (p[1] * p[1] + 1)),
        children.map(lambda c: 2 * c),
        children.map(lambda c: c * total(c)),
        children.map(lambda c: einsum("ij,j->i", A, c)),
        children.map(lambda c: x / x * c),
        children.map(lambda c: c / x),
        children.map(sigmoid),
        children.map(lambda c: 1 - sigmoid(c)),
        children.map(softmax),
        children.map(lambda c: log(softmax(c))),
    )


@settings(max_examples=150, deadline=None)
@given(st.recursive(leaves, terms, max_leaves=8))
def test_the_value_is_kept_and_a_second_pass_changes_nothing(term: Term) -> None:
    simplified = simplify(term.node)
    assert simplify(simplified) is simplified
    expected = value(term.node)
    scale = np.abs(expected).max() + 1
    np.testing.assert_allclose(value(simplified), expected, rtol=1e-10, atol=1e-12 * scale)


def test_a_deep_chain_is_linear_in_nodes() -> None:
    """Ten thousand layers simplify without recursion."""
    node = x.node
    for _ in range(10_000):
        node = make.add([(1, CATALOGUE["tanh"].apply([node])), (1, node)])
    assert simplify(node) is node


def test_a_search_that_opens_sums_has_an_end(monkeypatch):
    """Sums within sums: each level multiplied the work by the terms of all the others."""
    searches: list[int] = []
    cancelled, multiplied_out = opening._cancelled, opening.multiplied_out

    def searched(node, depth, allowance):
        searches.extend([0] if depth == opening.DEEPEST else [])
        return cancelled(node, depth, allowance)

    def counted(*arguments):
        for term in multiplied_out(*arguments):
            searches[-1] += 1
            yield term

    monkeypatch.setattr(opening, "_cancelled", searched)
    monkeypatch.setattr(opening, "multiplied_out", counted)

    def most(name: str) -> int:
        searches.clear()
        v = f"norm2({name} - 3*sign({name}) - 0.3)"
        pb.derivative(f"v = {v}\nwhere(v > 0, log(v), v) * v", name, name)
        return max(searches)

    assert 0 < most("S") <= opening.MOST_PRODUCTS
    monkeypatch.setattr(opening, "MOST_PRODUCTS", 10**6)
    assert most("R") > 100  # the same formula, by another name, without an allowance

"""Contractions mean what einsum means, beyond it δs and broadcasts, however they are nested."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pullback.errors import PullbackError, ShapeError
from pullback.expressions import Contraction, Size, Sum
from pullback.expressions import constructors as make
from pullback.expressions.walks import post_order
from pullback.verification.exact import array, evaluate, real_context

MP = real_context(30)
SIZES = {"a": 2, "b": 3, "c": 1, "d": 2}  # a and d agree in length but not in name
FIXED = [2, 3, 1]


def numeric(node, values):
    given = {n: array(v, MP) for n, v in values.items()}
    return np.asarray(evaluate([node], given, SIZES, MP)[node], dtype=float)


def reference(operands, output, length):
    """The sum of products written out, with δ for repeated output labels, by NumPy alone."""
    labels = {label for _, ls in operands for label in ls} | set(output)
    number = {label: k for k, label in enumerate(sorted(labels))}
    distinct = sorted(set(output))
    parts = []
    for value, ls in operands:
        parts += [value, [number[label] for label in ls]]
    for label in labels:  # summed or broadcast, a label runs over its whole length
        parts += [np.ones(length[label]), [number[label]]]
    core = np.einsum(*parts, np.ones(()), [], [number[label] for label in distinct])
    full = np.zeros([length[label] for label in output])
    for index in np.ndindex(full.shape):
        at = {}
        if all(at.setdefault(label, i) == i for label, i in zip(output, index, strict=True)):
            full[index] = core[tuple(at[label] for label in distinct)]
    return full


@st.composite
def contractions(draw):
    """Operands (views of views, scaled, of δs and broadcasts), labels, output, sizes, values."""
    named = draw(st.booleans())
    size = {k: Size.of(draw(st.sampled_from(list(SIZES) if named else FIXED))) for k in range(5)}
    label = st.integers(0, 4)
    generator = np.random.default_rng(draw(st.integers(0, 2**16)))
    factors, values = [], {}
    for k in range(draw(st.integers(0, 3))):
        labels = draw(st.lists(label, max_size=3))
        kept = draw(st.permutations(sorted(set(labels))))[draw(st.integers(0, 1)) :]
        variable = make.variable(f"v{k}", [size[i] for i in kept])
        values[variable] = generator.normal(size=[size[i].evaluate(SIZES) for i in kept])
        scaled = make.scale(draw(st.sampled_from([1, 2, -1, 0, make.exact_number(0.5)])), variable)
        # an axis for each label: repeated ones are tied by a δ, those not kept are broadcast
        node = make.contract([(scaled, kept)], labels, {i: size[i] for i in labels})
        node = make.transpose(node, draw(st.permutations(range(node.order))))
        alike = [[i for i in size if size[i] == axis] for axis in node.shape]
        factors.append((node, [draw(st.sampled_from(choice)) for choice in alike]))
    output = draw(st.lists(label, max_size=4))
    used = {i for _, labels in factors for i in labels} | set(output)
    return factors, output, {i: size[i] for i in used}, values


@given(contractions())
@settings(max_examples=300, deadline=None)
def test_contract_is_einsum(case):
    factors, output, size, values = case
    node = make.contract(factors, output, size)
    assert node.shape == tuple(size[label] for label in output)
    plain = [(numeric(factor, values), labels) for factor, labels in factors]
    lengths = {label: s.evaluate(SIZES) for label, s in size.items()}
    expected = reference(plain, output, lengths)
    np.testing.assert_allclose(numeric(node, values), expected, rtol=1e-12, atol=1e-12)


@given(contractions())
@settings(max_examples=100, deadline=None)
def test_normal_form(case):
    """No contraction has a zero, a scaled or a viewed operand, or labels out of order."""
    factors, output, size, _ = case
    node = make.contract(factors, output, size)
    assert make.contract(factors[::-1], output, size) is node
    assert make.contract([(f, [-i for i in ls]) for f, ls in factors], [-i for i in output],
                         {-i: s for i, s in size.items()}) is node  # fmt: skip
    for part in post_order(node):
        if isinstance(part, Contraction):
            seen = list(dict.fromkeys([*part.output, *(i for _, ls in part.operands for i in ls)]))
            assert seen == list(range(len(part.sizes)))
            for operand, _ in part.operands:
                assert not make.is_view(operand)
                assert not (isinstance(operand, Sum) and len(operand.terms) <= 1)


def test_deltas_and_ones_vanish_into_labels():
    A, x = make.variable("A", ["m", "n"]), make.variable("x", ["n"])
    identity = make.delta("n")
    assert make.einsum("ij,jk->ik", A, identity) is A
    assert make.einsum("ij,j->i", identity, x) is x
    assert make.einsum("ij,ij->", identity, identity) is make.size_value("n")
    assert make.multiply(make.ones(["n"]), x) is x
    assert make.einsum("ij,j->ij", make.ones(["m", "n"]), x) is make.broadcast(x, A.shape)
    assert make.constant_value(make.einsum("ij->", make.ones([2, 3]))) == 6
    diag = make.einsum("i->ii", x)
    assert make.einsum("ii->i", diag) is x
    assert make.einsum("ij,j->i", diag, x) is make.multiply(x, x)
    assert make.einsum("ii->", diag) is make.total(x)


def test_the_sum_of_ones_is_the_size():
    x = make.variable("x", ["n"])
    spread = make.broadcast(x, (Size.of("m"), *x.shape))
    assert make.einsum("ij->j", spread) is make.multiply(make.size_value("m"), x)
    # so too for a label that only ``sizes`` has
    size = {"i": Size.of("n"), "k": Size.of("m")}
    assert make.contract([(x, "i")], "i", size) is make.einsum("ij->j", spread)


def test_a_zero_factor_leaves_the_shape_of_the_product():
    x, A = make.variable("x", ["n"]), make.variable("A", ["m", "p"])
    nothing = make.zeros(["n"])
    for operands in ([nothing, A], [A, nothing]):
        labels = ["i" if node is nothing else "jk" for node in operands]
        node = make.contract(zip(operands, labels, strict=True), "kij")
        assert node is make.zeros(["p", "n", "m"])
    with pytest.raises(ShapeError):
        make.contract([(nothing, "i"), (A, "ij")], "")
    assert make.is_zero(make.multiply(nothing, x))


@pytest.mark.parametrize(
    ("subscripts", "message"),
    [("ij,jk->ik", "cannot match an axis of size n with m"), ("ijk->i", "'ijk' does not fit m×n")],
)
def test_sizes_that_disagree_are_named(subscripts, message):
    A = make.variable("A", ["m", "n"])
    with pytest.raises(ShapeError, match=message):
        make.einsum(subscripts, *[A] * (subscripts.count(",") + 1))


def test_the_wrong_number_of_operands_is_an_error():
    with pytest.raises(PullbackError, match="has 2 inputs for 1 operands"):
        make.einsum("i,i->", make.variable("x", ["n"]))


# Powers

exponents = st.sampled_from([-3, -2, -1, 0, 1, 2, 3, 4, "1/2", "-1/2", "3/2", "1/3"])


@given(exponents, exponents, st.sampled_from([2.5, 0.3, -1.7]), st.sampled_from([1, 2, -3, "1/2"]))
@settings(deadline=None)
def test_powers_keep_value_and_domain(p, q, at, factor):
    """(c x^p)^q has a value wherever it is real, and that one."""
    p, q, factor = (make.exact_number(make.Fraction(v)) for v in (p, q, factor))
    x = make.variable("x", [])
    node = make.power(make.scale(factor, make.power(x, p)), q)

    def plain(base, exponent):
        if base < 0 and make.Fraction(exponent).denominator != 1:
            return None
        return base ** float(exponent) if base else None

    inner = plain(at, p)
    expected = None if inner is None else plain(float(factor) * inner, q)
    if expected is not None:
        assert numeric(node, {x: at}) == pytest.approx(expected, rel=1e-13)


def test_power_rules():
    x = make.variable("x", ["n"])
    root = make.power(x, make.exact_number(0.5))
    assert make.power(root, 2) is x
    assert make.power(make.power(x, 2), make.exact_number(0.5)) is not x  # that is |x|
    assert make.power(x, 2) is make.multiply(x, x)
    assert make.power(x, 0) is make.ones(x.shape)
    assert make.power(make.constant(4), -1) is make.constant(0.25)
    A = make.variable("A", ["m", "n"])
    assert make.power(make.transpose(A), -1) is make.transpose(make.power(A, -1))
    with pytest.raises(ShapeError, match="cannot raise n to m×n"):
        make.power(x, A)

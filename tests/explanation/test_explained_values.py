"""Every gradient an explanation states has the value that finite differences give."""

import networks
import numpy as np
import pytest

from pullback.explanation.explain import explain
from pullback.expressions.walks import variables
from pullback.verification.exact import array, evaluate, real_context

MP = real_context(40)
SIZES = dict(zip("mnpktde", (3, 2, 4, 2, 2, 3, 2), strict=True))
STEP = MP.mpf(10) ** -13


def shape_of(node):
    return tuple(size.evaluate(SIZES) for size in node.shape)


def point(program):
    random = np.random.default_rng(7)
    values = {}
    for variable in program.variables.values():
        drawn = random.uniform(0.2, 1.5, shape_of(variable))
        if "unit-sum" in variable.assumptions:
            values[variable] = array(drawn, MP) / sum(array(drawn, MP))
        else:
            values[variable] = array(drawn, MP)
    return values


def by_differences(program, values, held):
    """∂result/∂held by central differences, the node ``held`` free and all else as it is."""
    start = evaluate([held], values, SIZES, MP)[held]
    gradient = np.empty(start.shape, dtype=object)
    for place in np.ndindex(start.shape):
        ends = []
        for step in (STEP, -STEP):
            moved = start.copy()
            moved[place] = moved[place] + step
            ends.append(
                evaluate([program.result], {**values, held: moved}, SIZES, MP)[program.result]
            )
        gradient[place] = (ends[0] - ends[1]) / (2 * STEP)
    return gradient


def close(found, expected):
    found, expected = np.asarray(found, dtype=float), np.asarray(expected, dtype=float)
    assert found.shape == expected.shape
    scale = max(1e-3, float(np.max(np.abs(expected), initial=0)))
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9 * scale)


@pytest.mark.parametrize("name", networks.EVERY)
def test_what_is_handed_and_handed_on(name):
    network, names = networks.EVERY[name]
    assume = {"y": "unit-sum"} if name == "softmax" else None
    program = networks.program(network, assume)
    explanation = explain(program, list(names))
    values = point(program)
    own = set(program.variables.values())
    known = {}  # gradient by its printed name → value
    arrived = {}  # operand → sum of what was handed on to it
    truth = {}
    for step in explanation.backward:
        node = step.value.node
        truth[node] = by_differences(program, values, node)
        handed = evaluate([step.handed.node], values, SIZES, MP)[step.handed.node]
        close(handed, truth[node])
        known[step.handed.name.text] = handed
        if node in arrived:
            close(arrived[node], truth[node])
        for hand in step.hands_on:
            given = hand.gradient.node
            stand_ins = {v: known[v.name] for v in variables(given) if v not in own}
            value = evaluate([given], {**values, **stand_ins}, SIZES, MP)[given]
            operand = explanation.reader.operand(step, hand)
            arrived[operand] = arrived.get(operand, 0) + value
    for result in explanation.results:
        variable = program.variables[result.wrt.text]
        expected = by_differences(program, values, variable)
        close(arrived[variable], expected)
        close(evaluate([result.gradient.node], values, SIZES, MP)[result.gradient.node], expected)


@pytest.mark.parametrize("name", networks.EVERY)
def test_every_shape_is_that_of_the_value(name):
    network, names = networks.EVERY[name]
    explanation = explain(networks.program(network), list(names))
    told = [step.value for step in explanation.forward]
    for step in explanation.backward:
        told += [step.value, step.handed]
        for hand in step.hands_on:
            told += [hand.gradient, hand.local]
            operand = explanation.reader.operand(step, hand)
            assert hand.gradient.shape == tuple(map(str, operand.shape))
            assert hand.local.shape == step.value.shape + hand.gradient.shape
        assert step.handed.shape == step.value.shape
    told += [result.gradient for result in explanation.results]
    values = point(explanation.program)
    for quantity in told:
        if all(v in values for v in variables(quantity.node)):
            value = evaluate([quantity.node], values, SIZES, MP)[quantity.node]
            assert np.shape(value) == shape_of(quantity.node)
        assert quantity.shape == tuple(map(str, quantity.node.shape))


def test_the_local_derivative_of_a_product_is_an_order_3_tensor():
    explanation = explain(networks.program(networks.TWO_LAYERS), ["V"])
    (hand,) = [h for s in explanation.backward for h in s.hands_on if h.operand.text == "V"]
    assert hand.local.shape == ("p", "p", "m")
    assert hand.structure == "order-3 tensor, p·m of p·p·m entries can differ from zero"

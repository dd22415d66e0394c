"""Roles: which links are cost, activation or signal path, on networks of many kinds."""

import networks
import pytest

from pullback.explanation.explain import explain
from pullback.expressions import constructors as make
from pullback.expressions.program import Program


def roles(network, names, assume=None):
    """(operation, operand) → role, by the names that the explanation prints."""
    found = {}
    for step in explain(networks.program(network, assume), list(names)).backward:
        for hand in step.hands_on:
            kinds = tuple(f"{f.detail} {f.value.name.text}" for f in hand.factors)
            found[step.value.name.text, hand.operand.text] = (hand.role, hand.detail, kinds)
    return found


def outputs(network, names):
    reader = explain(networks.program(network), list(names)).reader
    return {reader.words.plainly(node).text for node in reader.roles.outputs}


@pytest.mark.parametrize(
    ("network", "names", "expected"),
    [
        (networks.TWO_LAYERS, "UbVc", {"h"}),
        (networks.TWO_LAYERS, "U", {"h"}),  # V held fixed is a weight all the same
        (networks.TWO_LAYERS, "x", {"h"}),
        (networks.TWO_LAYERS, "UVx", {"h"}),
        (networks.SOFTMAX, "UbVc", {"h"}),
        (networks.DEEP, "AbCdE", {"h"}),
        (networks.RESIDUAL, "UbVW", {"h"}),
        (networks.NO_HIDDEN, "U", {"U x"}),
        (networks.PENALTY, "UV", {"h"}),
        (networks.ATTENTION, "ABC", {"O"}),
        (networks.GATE, "ABC", {"o"}),
        (networks.SHARED, "W", {"h"}),
        (networks.NORMALISED, "WVk", {"h"}),
        (networks.LOGISTIC, "w", {"z"}),
    ],
)
def test_the_output_of_the_network_is_found(network, names, expected):
    assert outputs(network, names) == expected


def test_two_layers():
    found = roles(networks.TWO_LAYERS, "UbVc")
    assert found["h − y", "h"][0] == "cost"
    assert found["V g", "V"] == ("signal path", "", ("input g",))
    assert found["V g", "g"] == ("signal path", "", ("weight V",))
    assert found["g", "f"][:2] == ("activation", "σ")
    assert found["U x", "U"] == ("signal path", "", ("input x",))
    assert found["f", "b"] == ("signal path", "bias", ())


def test_an_output_activation_is_merged_with_the_cost():
    found = roles(networks.SOFTMAX, "UbVc")
    assert found["q", "h"][:2] == ("cost", "merged with output activation softmax")
    assert found["g", "f"][:2] == ("activation", "σ")


def test_residual_links_are_signal_path():
    found = roles(networks.RESIDUAL, "UbVW")
    assert found["h", "r"][0] == "signal path"
    assert found["W tanh(V r)", "tanh(V r)"][2] == ("weight W",)
    assert found["V r", "r"][2] == ("weight V",)
    assert found["relu(f)", "f"][:2] == ("activation", "relu")


def test_a_penalty_is_told_from_the_network():
    found = roles(networks.PENALTY, "UV")
    penalties = {key for key, (role, detail, _) in found.items() if detail == "penalty"}
    assert {operand for _, operand in penalties} >= {"U", "V"}
    assert all(found[key][0] == "cost" for key in penalties)
    assert found["h", "V"][0] == "signal path"
    assert ("h − y", "h") not in penalties


def test_attention_has_softmax_as_activation():
    found = roles(networks.ATTENTION, "ABC")
    assert found["P", "Q Kᵀ/√d"][:2] == ("activation", "softmax")
    assert found["Q", "A"][2] == ("input X",)


def test_without_a_layer_everything_is_cost():
    x = make.variable("x", ["n"])
    square = Program(make.contract([(x, "i"), (x, "i")], ""), {"x": x}, result_name="L")
    explanation = explain(square, ["x"])
    assert {h.role for s in explanation.backward for h in s.hands_on} == {"cost"}
    assert len(explanation.layers) == 0


def test_a_network_without_a_cost_has_none():
    text = "V*sigmoid(U*x)", {"U": "mn", "x": "n", "V": "pm"}
    assert not {role for role, _, _ in roles(text, "UV").values()} & {"cost"}


def test_the_table_has_a_row_for_each_layer():
    table = explain(networks.program(networks.DEEP), list("AbCdE")).layers
    rows = [
        (r.layer.text, [w.text for w in r.weights], [a.name for a in r.activations]) for r in table
    ]
    assert rows == [
        ("A x + b", ["A", "b"], ["tanh"]),
        ("C a + d", ["C", "d"], ["relu"]),
        ("h", ["E"], []),
    ]
    assert [row.cost and row.cost.text for row in table] == [None, None, "h − y"]


def test_the_factors_of_a_gradient_are_cost_weights_and_activations():
    result = explain(networks.program(networks.TWO_LAYERS), ["U"]).results[0]
    told = [(f.role, f.value.name.text) for f in result.factors]
    assert told == [
        ("cost", "∂L/∂h"),
        ("signal path", "V"),
        ("activation", "σ′(f)"),
        ("signal path", "x"),
    ]

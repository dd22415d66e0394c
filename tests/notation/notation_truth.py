"""The value of an expression, computed node by node with einsum: what every notation must equal."""

import math

import numpy as np

from pullback.expressions.nodes import Apply, Contraction, Indicator, SizeValue, Sum, Variable
from pullback.expressions.walks import post_order


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


FUNCTIONS = {
    "sigmoid": lambda x: 0.5 + 0.5 * np.tanh(x / 2),
    "tanh": np.tanh,
    "cosh": np.cosh,
    "sinh": np.sinh,
    "sech2": lambda x: 1 / np.cosh(x) ** 2,
    "exp": np.exp,
    "sqrt": np.sqrt,
    "log": np.log,
    "softplus": lambda x: np.log1p(np.exp(x)),
    "relu": lambda x: np.maximum(x, 0),
    "abs": np.abs,
    "clip": lambda x, low, high: np.minimum(np.maximum(x, low), high),
    "power": lambda x, p: x**p,
    "softmax": softmax,
    "logsumexp": lambda x: np.log(np.exp(x).sum(-1)),
    "inv": np.linalg.inv,
    "det": np.linalg.det,
    "logdet": lambda x: math.log(np.linalg.det(x)),
}


def shape_of(node, sizes):
    return tuple(size.evaluate(sizes) for size in node.shape)


def value(root, arrays, sizes):
    """The array of a node; ``arrays`` by variable name, ``sizes`` by size name."""
    known = {}
    for node in post_order(root):
        if isinstance(node, Variable):
            known[node] = np.asarray(arrays[node.name], dtype=float)
        elif isinstance(node, SizeValue):
            known[node] = np.asarray(float(node.size.evaluate(sizes)))
        elif isinstance(node, Indicator):
            places = np.indices(shape_of(node, sizes))
            form = np.asarray(float(node.offset.evaluate(sizes)))
            for c, place in zip(node.coefficients, places, strict=True):
                form = form + c.evaluate(sizes) * place
            known[node] = (form == 0 if node.equality else form >= 0).astype(float)
        elif isinstance(node, Sum):
            total = np.zeros(shape_of(node, sizes))
            for c, term in node.terms:
                total = total + float(c) * known[term]
            known[node] = total
        elif isinstance(node, Contraction):
            known[node] = _contract(node, known, sizes)
        else:
            assert isinstance(node, Apply)
            known[node] = np.asarray(FUNCTIONS[node.function](*(known[c] for c in node.children)))
        assert known[node].shape == shape_of(node, sizes)
    return known[root]


def _contract(node, known, sizes):
    """Ones for every label of the output, δs as identity matrices, and one einsum."""
    lengths = [size.evaluate(sizes) for size in node.sizes]
    operands = []
    for child, labels in node.operands:
        operands += [known[child], list(labels)]
    new = len(lengths)
    output = []
    for label in node.output:
        if label in output:
            operands += [np.eye(lengths[label]), [label, new]]
            output.append(new)
            new += 1
        else:
            operands += [np.ones(lengths[label]), [label]]
            output.append(label)
    operands += [np.asarray(1.0), []]
    return np.asarray(np.einsum(*operands, output))

"""Values of nodes by einsum, and MATLAB's meaning by two-dimensional NumPy arrays."""

import mpmath
import numpy as np

from pullback.expressions import Apply, Contraction, Indicator, SizeValue, Sum, Variable
from pullback.expressions.walks import post_order
from pullback.functions.catalogue import CATALOGUE

SIZES = {"m": 2, "n": 3, "p": 4, "k": 5, "q": 6, "r": 7, "N": 4}


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


FUNCTIONS = {
    "power": np.power,
    "exp": np.exp,
    "log": np.log,
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "pi": lambda: np.pi,
    "relu": lambda x: np.maximum(x, 0),
    "step": lambda x: np.heaviside(x, 0),
    "softplus": lambda x: np.logaddexp(x, 0),
    "maximum": np.maximum,
    "max": lambda x: x.max(axis=-1),
    "minimum": np.minimum,
    "abs": np.abs,
    "inv": np.linalg.inv,
    "det": np.linalg.det,
    "logdet": lambda x: np.linalg.slogdet(x)[1],
    "softmax": softmax,
    "logsumexp": lambda x: np.log(np.exp(x).sum(axis=-1)),
    "huber": lambda r, d: np.where(np.abs(r) <= d, r * r / 2, d * (np.abs(r) - d / 2)),
}


def exactly(name):
    """A function from its exact value, entry by entry or of whole vectors and matrices."""
    record = CATALOGUE[name]

    def nested(x):
        return [nested(row) for row in x] if np.ndim(x) else mpmath.mpf(float(x))

    core = [*record.signature.arguments, record.signature.result]
    *taken, given = [f"({','.join(axes)})" for axes in core]
    return np.vectorize(
        lambda *x: np.array(record.exact(mpmath, *map(nested, x)), dtype=float),
        signature=f"{','.join(taken)}->{given}",
    )


def value(node, values, sizes=SIZES):
    """The value of a node at arrays of the shapes its variables have."""
    known = {}
    for step in post_order(node):
        if isinstance(step, Variable):
            known[step] = np.asarray(values[step.name], dtype=float)
            assert known[step].shape == tuple(s.evaluate(sizes) for s in step.shape)
        elif isinstance(step, SizeValue):
            known[step] = np.asarray(float(step.size.evaluate(sizes)))
        elif isinstance(step, Sum):
            known[step] = np.zeros([s.evaluate(sizes) for s in step.shape])
            for coefficient, term in step.terms:
                known[step] = known[step] + float(coefficient) * known[term]
        elif isinstance(step, Contraction):
            known[step] = contraction(step, known, sizes)
        elif isinstance(step, Indicator):
            known[step] = indicator(step, sizes)
        else:
            assert isinstance(step, Apply)
            function = FUNCTIONS.get(step.function) or exactly(step.function)
            known[step] = function(*[known[a] for a in step.arguments])
    return known[node]


def indicator(node, sizes):
    at = np.indices([s.evaluate(sizes) for s in node.shape])
    total = node.offset.evaluate(sizes) + sum(
        c.evaluate(sizes) * i for c, i in zip(node.coefficients, at, strict=True)
    )
    return (total == 0 if node.equality else total >= 0).astype(float)


def contraction(node, known, sizes):
    parts = []
    for operand, labels in node.operands:
        parts += [known[operand], list(labels)]
    for label, size in enumerate(node.sizes):
        parts += [np.ones(size.evaluate(sizes)), [label]]
    distinct = list(dict.fromkeys(node.output))
    core = np.einsum(*parts, np.ones(()), [], distinct)
    full = np.zeros([node.sizes[label].evaluate(sizes) for label in node.output])
    for index in np.ndindex(*core.shape):
        at = dict(zip(distinct, index, strict=True))
        full[tuple(at[label] for label in node.output)] = core[index]
    return full


def arrays(shapes, seed=0):
    """Random arrays for variables by name, positive so that every function is defined."""
    rng = np.random.default_rng(seed)
    return {
        name: rng.uniform(0.2, 1.5, [s if isinstance(s, int) else SIZES[s] for s in shape])
        for name, shape in shapes.items()
    }

"""Random expressions of at most two axes per operand: products over random labels, δs, broadcasts."""

import numpy as np
from hypothesis import strategies as st

from pullback.expressions import constructors as make
from pullback.functions.catalogue import CATALOGUE

SIZES = {"m": 2, "n": 3, "p": 4}
NAMES = {
    (): ["s", "t"],
    ("m",): ["x", "u"],
    ("n",): ["y", "v"],
    ("p",): ["z", "w"],
    ("m", "n"): ["A", "G"],
    ("n", "m"): ["B"],
    ("m", "p"): ["C"],
    ("p", "n"): ["D"],
    ("n", "p"): ["E"],
    ("m", "m"): ["M", "N"],
    ("n", "n"): ["P", "Q"],
    ("p", "p"): ["R"],
}
ROWS = ("u", "v", "w")
VARIABLES = {name: make.variable(name, shape) for shape, names in NAMES.items() for name in names}
BY_SHAPE = {
    tuple(map(str, VARIABLES[names[0]].shape)): [VARIABLES[n] for n in names]
    for names in NAMES.values()
}


def arrays(seed=0):
    rng = np.random.default_rng(seed)
    values = {}
    for name, node in VARIABLES.items():
        shape = [size.evaluate(SIZES) for size in node.shape]
        values[name] = rng.normal(size=shape) * 0.7
        if len(shape) == 2 and shape[0] == shape[1]:
            values[name] += 2 * np.eye(shape[0])
    values["s"], values["t"] = 0.7, 1.3
    return values


@st.composite
def expressions(draw, shape, depth=2):
    """A node of this shape (size names)."""
    kinds = ["product", "variable", "product", "sum", "function"] if depth else ["variable"]
    kinds += ["power"] * bool(depth) + ["norm"] * (not shape)
    kind = draw(st.sampled_from(kinds))
    if kind == "variable":
        known = BY_SHAPE.get(tuple(shape))
        if known is None:
            return make.transpose(BY_SHAPE[tuple(shape[::-1])][0])
        return draw(st.sampled_from(known))
    if kind == "norm":
        vector = draw(expressions(draw(st.sampled_from(list(BY_SHAPE)[1:])), 0))
        square = make.total(make.multiply(vector, vector))
        powers = [make.Fraction(p, 2) for p in (1, -1, -3, -2)]
        power = make.power(square, draw(st.sampled_from(powers)))
        return make.power(power, draw(st.sampled_from([1, 2, 4, -1])))
    if kind == "power":
        base = applied("sigmoid", draw(expressions(shape, depth - 1)))
        exponent = draw(expressions(draw(st.sampled_from([shape, ()])), depth - 1))
        return make.power(base, CATALOGUE["tanh"].apply([exponent]))
    if kind == "sum":
        count = draw(st.integers(2, 3))
        terms = [(draw(coefficients), draw(expressions(shape, depth - 1))) for _ in range(count)]
        if draw(st.booleans()):
            terms.append((draw(coefficients), make.ones(shape)))
        return make.add(terms, make.shape_of(shape))
    if kind == "function":
        inner = draw(expressions(shape, depth - 1))
        return applied(draw(st.sampled_from(functions_for(shape))), inner)
    return draw(products(shape, depth))


coefficients = st.sampled_from([1, -1, 2, -3, make.Fraction(1, 2), make.Fraction(-2, 3)])


def functions_for(shape):
    names = ["sigmoid", "tanh", "square", "cube", "over", "exp"]
    if shape:
        names.append("softmax")
    if len(shape) == 2 and shape[0] == shape[1]:
        names.append("inv")
    return names


def applied(name, node):
    """A function of a node, kept in a range where values stay of order one."""
    if name in ("square", "cube"):
        return make.power(node, 2 if name == "square" else 3)
    bounded = CATALOGUE["tanh"].apply([node])
    if name == "over":
        return make.power(CATALOGUE["sigmoid"].apply([node]), -1)
    if name == "exp":
        return CATALOGUE["exp"].apply([bounded])
    if name == "inv":
        eye = make.delta(node.shape[0])
        return CATALOGUE["inv"].apply([make.add([(5, eye), (1, bounded)])])
    return CATALOGUE[name].apply([node])


@st.composite
def products(draw, shape, depth=1, most=4):
    """A contraction to this shape, with random labels."""
    labels = dict(enumerate(shape))
    output = list(labels)
    if len(shape) == 2 and shape[0] == shape[1] and draw(st.booleans()) and draw(st.booleans()):
        output, labels = [0, 0], {0: shape[0]}
    for k in range(draw(st.integers(0, 2))):
        labels[10 + k] = draw(st.sampled_from(list(SIZES)))
    operands = []
    for _ in range(draw(st.integers(1, most))):
        chosen = draw(st.lists(st.sampled_from(list(labels)), max_size=2)) if labels else []
        sizes = tuple(labels[k] for k in chosen)
        operands.append((draw(expressions(sizes, max(0, depth - 1))), chosen))
    used = {k for _, ls in operands for k in ls} | set(output)
    sizes = {k: make.Size.of(size) for k, size in labels.items() if k in used}
    return make.contract(operands, output, sizes)


shapes = st.sampled_from(list(BY_SHAPE))


@st.composite
def jacobians(draw):
    """A product with three or four axes and how they group, as a derivative by a matrix has."""
    groups = draw(st.sampled_from([(1, 2), (2, 1), (2, 2), (0, 2, 2), (0, 1, 2)]))
    count = draw(st.integers(2, 4))
    labels = {k: draw(st.sampled_from(list(SIZES))) for k in range(count)}
    output = [draw(st.integers(0, count - 1)) for _ in range(sum(groups))]
    operands = []
    for _ in range(draw(st.integers(0, 4))):
        chosen = draw(st.lists(st.sampled_from([*labels, 10]), max_size=2))
        sizes = tuple(labels.get(k, "n") for k in chosen)
        operands.append((draw(expressions(sizes, 1)), chosen))
    used = {k for _, ls in operands for k in ls} | set(output)
    sizes = {k: make.Size.of(size) for k, size in {**labels, 10: "n"}.items() if k in used}
    node = make.contract(operands, output, sizes)
    if draw(st.booleans()):
        node = make.add([(1, node), (draw(coefficients), make.ones(node.shape))])
    return node, groups

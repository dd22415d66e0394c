"""Random expressions of at most two axes per operand: products over random labels, δs, broadcasts."""

import numpy as np
from hypothesis import strategies as st

from pullback.expressions import constructors as make
from pullback.expressions import placement as place
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
M, N, P = map(make.Size.of, "mnp")
LONG = {"h": (M + N,), "l": (M * N,), "H": (M + N, "p"), "L": ("n", M * P), "J": (N + 1, M + P)}
BY_SHAPE = {
    tuple(map(str, VARIABLES[names[0]].shape)): [VARIABLES[n] for n in names]
    for names in NAMES.values()
}
VARIABLES |= {name: make.variable(name, shape) for name, shape in LONG.items()}


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
    kinds += ["power", "placed"] * bool(depth) + ["norm"] * (not shape)
    kind = draw(st.sampled_from(kinds))
    if kind == "variable":
        known = BY_SHAPE.get(tuple(shape))
        if known is None:
            return make.transpose(BY_SHAPE[tuple(shape[::-1])][0])
        return draw(st.sampled_from(known))
    if kind == "placed":
        return draw(placed(shape, depth - 1))
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


@st.composite
def placed(draw, shape, depth):
    """A slice, a split axis or a triangle that comes to this shape."""
    h, l, H, L, J = (VARIABLES[name] for name in LONG)
    axes = tuple(map(str, shape))
    start = draw(st.integers(0, 1))
    if axes == ():
        return place.take(draw(expressions(("n",), depth)), 0, draw(st.sampled_from([0, 1, N - 1])))
    if axes == ("n",):
        row = place.take(place.take(J, 0, start, N), 1, draw(st.sampled_from([0, M + P - 1])))
        flipped = place.flipped(draw(expressions(axes, depth)), 0)
        return draw(st.sampled_from([place.take(h, 0, M, N), place.take(h, 0, 1, N), row, flipped]))
    if axes == ("m",):
        inner = draw(expressions(("m", "n"), depth))
        column = place.take(inner, 1, draw(st.sampled_from([0, N - 1])))
        return draw(st.sampled_from([place.take(h, 0, N, M), place.take(h, 0, 0, M), column]))
    if axes == ("p",):
        return place.take(place.take(J, 0, start), 0, M, P)
    if axes == ("m", "n"):
        again = place.split(place.vec(draw(expressions(("n", "m"), depth))), 0, [M, N])
        return draw(st.sampled_from([place.unvec(l, M, N), place.reshape(l, [M, N]), again]))
    if axes == ("m", "p"):
        return place.take(H, 0, draw(st.sampled_from([0, N])), M)
    if axes == ("n", "m"):
        block = place.take(place.take(J, 0, 1, N), 1, 0, M)
        return draw(st.sampled_from([block, place.take(L, 1, P, M)]))
    if axes == ("n", "p"):
        return place.take(place.take(J, 0, start, N), 1, M, P)
    if axes[0] == axes[1]:
        offset, upper = draw(st.integers(-1, 1)), draw(st.booleans())
        triangle = place.triangle(*axes, offset, upper=upper)
        masked = make.multiply(draw(expressions(axes, depth)), triangle)
        return draw(st.sampled_from([triangle, masked]))
    return draw(expressions(shape, depth))


@st.composite
def joined(draw):
    """Blocks, vec and ⊗ of other expressions, and functions, products and slices of them."""
    x, y, A, B, D = (VARIABLES[name] for name in "xyABD")
    inner = draw(expressions(draw(st.sampled_from([("m",), ("n",), ("m", "n")])), 1))
    x, y, A = (inner if v.shape == inner.shape else v for v in (x, y, A))
    wholes = [
        lambda: place.concatenate([x, y]),
        lambda: place.concatenate([y, place.take(VARIABLES["h"], 0, 1, N - 1), x]),
        lambda: place.placed(x, 0, draw(st.sampled_from([0, N])), M + N),
        lambda: place.placed(A, 0, draw(st.sampled_from([0, 1, P])), M + P),
        lambda: place.concatenate([A, D]),
        lambda: place.concatenate([A, make.transpose(B), VARIABLES["C"]], 1),
        lambda: place.placed(place.placed(A, 0, P, M + P), 1, 1, N + 1),
        lambda: place.vec(draw(st.sampled_from([A, make.transpose(A)]))),
        lambda: place.kron(x, y),
        lambda: place.kron(A, B),
        lambda: place.kron(make.delta("m"), B),
        lambda: place.kron(A, make.delta("p")),
        lambda: place.merge(make.einsum("ij,kj->ikj", A, D), [0, 1]),
        lambda: place.reshape(B, [M * N]),
    ]
    whole = draw(st.sampled_from(wholes))()
    if draw(st.booleans()):
        whole = applied("tanh", whole)
    if draw(st.booleans()):
        other = applied("sigmoid", whole)
        gram = make.einsum("i,i->" if whole.order == 1 else "ij,kj->ik", whole, other)
        whole = draw(st.sampled_from([gram, make.multiply(whole, other)]))
    return whole


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
anything = st.one_of(shapes.flatmap(expressions), joined())


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

"""A contraction as the operations a person would write: @, elementwise products, sums, einsum."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field

from pullback.compilation.arrays import Arrays, plain
from pullback.compilation.ir import Literal, Register, View, is_weak, whole
from pullback.compilation.ordering import MATRIX_PRODUCT, Measure, Pairs, best_order, nominal
from pullback.compilation.squares import rooted, square, weights
from pullback.expressions.nodes import Labels, Number
from pullback.expressions.sizes import Size

Factor = tuple[Register, Labels]  # an array and one label for each of its axes

LETTERS = "ijklmnopqrstuvwxyzabcdefghABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass
class Product:
    """Factors under common labels: what a contraction is once δs and broadcasts are gone.

    ``output`` keeps one label per axis of the node; ``sizes`` has the size of every label.
    """

    output: list[int]
    sizes: dict[int, Size]
    factors: list[Factor] = field(default_factory=list)
    scalars: list[Register] = field(default_factory=list)
    coefficient: Number = 1
    measure: Measure = nominal

    @property
    def real(self) -> set[int]:
        return {label for _, labels in self.factors for label in labels}

    def cost(self, nonnegative: Container[Register] = ()) -> float:
        """What its multiplications cost; ``nonnegative`` are registers without entries below 0."""
        labels = [ls for _, ls in self.factors]
        kept = self.kept()
        between = weights(self.factors, kept, self.sizes, self.measure, nonnegative)
        saved = MATRIX_PRODUCT * between.work / 2 if between else 0
        return best_order(labels, kept, self.sizes, self.measure)[0] - saved

    def kept(self) -> list[int]:
        real = self.real
        return [x for x in dict.fromkeys(self.output) if x in real]


def gather(
    operands: Sequence[tuple[View | Product, Labels]],
    output: Labels,
    label_sizes: Sequence[Size],
    measure: Measure = nominal,
) -> tuple[Product, list[Size]]:
    """The product of operands under common labels, and the sizes of sums over nothing.

    Operands are views, or products that are to be merged into this one. A δ in an operand makes
    two labels one; a broadcast axis of an operand asks nothing of its label.
    """
    sizes = dict(enumerate(label_sizes))
    parent = list(range(len(sizes)))
    product = Product([], {}, measure=measure)

    def root(label: int) -> int:
        while parent[label] != label:
            label = parent[label]
        return label

    def tie(one: int, other: int) -> None:
        a, b = sorted((root(one), root(other)))
        parent[b] = a

    parts: list[tuple[Register, list[int]]] = []
    for view, labels in operands:
        if isinstance(view, Product):
            outer: dict[int, int] = {}
            for inner, label in zip(view.output, labels, strict=True):
                if inner in outer:
                    tie(outer[inner], label)
                else:
                    outer[inner] = label
            for _, inside in view.factors:
                for inner in inside:
                    if inner not in outer:
                        outer[inner] = len(parent)
                        sizes[len(parent)] = view.sizes[inner]
                        parent.append(len(parent))
            parts += [(r, [outer[x] for x in inside]) for r, inside in view.factors]
            product.scalars += view.scalars
            product.coefficient *= view.coefficient
        else:
            at: dict[int, int] = {}
            for axis, label in zip(view.axes, labels, strict=True):
                if axis is not None:
                    if axis in at:
                        tie(at[axis], label)
                    else:
                        at[axis] = label
            if isinstance(view.source, Literal):
                product.coefficient *= view.source.value
            else:
                parts.append((view.source, [at[k] for k in sorted(at) if k >= 0]))
    for register, labels_ in parts:
        if labels_:
            product.factors.append((register, tuple([root(x) for x in labels_])))
        else:
            product.scalars.append(register)
    product.output = [root(x) for x in output]
    product.sizes = {root(x): sizes[x] for x in sizes}
    known = product.real | set(product.output)
    counted = [product.sizes[x] for x in sorted(product.sizes) if x not in known]
    product.coefficient = plain(product.coefficient)
    return product, counted


def multiply_out(arrays: Arrays, product: Product) -> View:
    """The instructions of a product; broadcast axes and δs of its output stay in the view."""
    factors = [_settled(arrays, f, k, product) for k, f in enumerate(product.factors)]
    scalars = [whole(r) for r, labels in factors if not labels] + [
        whole(r) for r in product.scalars
    ]
    factors = [f for f in factors if f[1]]
    kept = [x for x in dict.fromkeys(product.output) if any(x in ls for _, ls in factors)]
    front = _front(arrays, product.coefficient, scalars)
    value: View
    if not factors:
        value = front
        labels: Labels = ()
    else:
        register, labels = _contract_all(arrays, factors, kept, product, front)
        value = whole(register)
    # a label that no factor has is a broadcast axis, or a δ between several
    absent = [x for x in dict.fromkeys(product.output) if x not in labels]
    lone = {x: None if product.output.count(x) == 1 else -1 - k for k, x in enumerate(absent)}
    axes = [labels.index(x) if x in labels else lone[x] for x in product.output]
    return View(value.source, tuple(axes))


def _front(arrays: Arrays, coefficient: Number, scalars: list[View]) -> View:
    """Everything of order 0 as one number: sizes and literals first, as they are Python's."""
    front = View(Literal(coefficient))
    for scalar in sorted(scalars, key=lambda v: not is_weak(v.source)):
        front = arrays.multiply(front, scalar)
    return front


def _settled(arrays: Arrays, factor: Factor, position: int, product: Product) -> Factor:
    """The factor without repeated labels and without axes that only it has and no one wants."""
    register, labels = factor
    wanted = set(product.output)
    for k, (_, others) in enumerate(product.factors):
        if k != position:
            wanted.update(others)
    kept = tuple([x for x in dict.fromkeys(labels) if x in wanted])
    if len(set(labels)) < len(labels):
        subscripts = f"{spelled(labels, labels)}->{spelled(kept, labels)}"
        shape = tuple([product.sizes[x] for x in kept])
        return arrays.emit("einsum", subscripts, [whole(register)], shape), kept
    if len(kept) < len(labels):
        gone = [k for k, x in enumerate(labels) if x not in wanted]
        summed = arrays.reduce("sum", whole(register), gone)
        assert isinstance(summed.source, Register)
        return summed.source, kept
    return factor


def spelled(labels: Sequence[int], universe: Sequence[int]) -> str:
    """Labels as einsum letters, numbered by their appearance in ``universe``."""
    letter = {x: LETTERS[k] for k, x in enumerate(dict.fromkeys(universe))}
    return "".join([letter[x] for x in labels])


def _contract_all(
    arrays: Arrays, factors: list[Factor], kept: list[int], product: Product, front: View
) -> Factor:
    """All factors pairwise in the cheapest order, ``front`` multiplied in where it is smallest."""
    sizes, measure = product.sizes, product.measure
    between = weights(factors, kept, sizes, measure, arrays.nonnegative)
    if between is not None:
        factors, front = rooted(arrays, factors, kept, between, front)
    alone = len(factors) == 2 and square(factors, kept) is not None  # BLAS halves this one
    steps = best_order([labels for _, labels in factors], kept, sizes, measure)[1]
    shapes: dict[int, Sequence[int]] = {k: labels for k, (_, labels) in enumerate(factors)}
    alive = dict(shapes)
    for step, (i, j) in enumerate(steps):
        left, right = alive.pop(i), alive.pop(j)
        needed = set(kept).union(*alive.values())
        result = [x for x in _by_output([*left, *right], kept) if x in needed]
        alive[len(factors) + step] = shapes[len(factors) + step] = result
    _keep_natural(shapes, steps, len(factors))
    last = len(factors) + len(steps) - 1
    target = -1
    if front != View(Literal(1)):
        named = any(product.sizes[x].constant is None for ls in shapes.values() for x in ls)
        arrays.flexible |= named and len(shapes) > 1  # where the number goes
        volume = {k: _volume(labels, product) for k, labels in shapes.items()}
        least = min(volume.values())
        # the result if it is as small as any, or of one matrix with itself; else an early small one
        if volume[last] == least or alone:
            target = last
        else:
            target = min(k for k in volume if volume[k] == least)

    values: dict[int, Factor] = {}
    for k in range(last + 1):
        if k < len(factors):
            value = factors[k]
        else:
            i, j = steps[k - len(factors)]
            value = _pair(arrays, values[i], values[j], shapes[k], sizes)
        if k == target:
            scaled = arrays.multiply(front, whole(value[0]))
            assert isinstance(scaled.source, Register)
            value = scaled.source, value[1]
        values[k] = value
    return values[last]


def _keep_natural(shapes: dict[int, Sequence[int]], steps: Pairs, count: int) -> None:
    """Elementwise products on the way to a sum lie in memory as their operands do."""
    made = {count + k: pair for k, pair in enumerate(steps)}
    for k, (i, j) in made.items():
        for operand in (i, j):
            gone = set(shapes[operand]) - set(shapes[k])
            before = made.get(operand)
            if not gone or before is None:
                continue
            natural = list(dict.fromkeys([*shapes[before[0]], *shapes[before[1]]]))
            ends = (set(natural[: len(gone)]), set(natural[-len(gone) :]))
            if len(natural) == len(shapes[operand]) and gone in ends:
                shapes[operand] = natural


def _volume(labels: Sequence[int], product: Product) -> int:
    volume = 1
    for label in labels:
        volume *= product.measure(product.sizes[label])
    return volume


def _by_output(labels: Sequence[int], kept: Sequence[int]) -> list[int]:
    """Distinct labels, those of the output first and in its order."""
    distinct = list(dict.fromkeys(labels))
    return [x for x in kept if x in distinct] + [x for x in distinct if x not in kept]


def _pair(
    arrays: Arrays,
    left: Factor,
    right: Factor,
    result: Sequence[int],
    sizes: Mapping[int, Size],
) -> Factor:
    """Two factors as one operation, the simplest there is."""
    a, b = left[1], right[1]
    contracted = [x for x in a if x in b and x not in result]
    batch = [x for x in result if x in a and x in b]
    if not contracted:
        return _elementwise(arrays, left, right, result)
    free_a = [x for x in a if x not in b]
    free_b = [x for x in b if x not in a]
    shape = tuple([sizes[x] for x in result])
    if not free_a and not free_b:
        order = [*batch, *contracted]
        views = [along(left, order), along(right, order)]
        if len(contracted) == 1 and not batch:
            return arrays.emit("matmul", "", views, shape), tuple(result)
        if len(contracted) == 1:
            return arrays.emit("vecdot", "", views, shape), tuple(result)
        if not batch:
            return arrays.emit("vdot", "", _as_stored(left, right), shape), tuple(result)
    elif len(contracted) == 1 and len(free_a) <= 1 and len(free_b) <= 1:
        if not batch or (free_a and free_b):
            return _matrix_product(arrays, left, right, result, batch, contracted, sizes)
        return _matrices_times_vectors(arrays, left, right, batch, contracted[0], sizes)
    elif not batch:
        pairs = tuple([a.index(x) for x in contracted]), tuple([b.index(x) for x in contracted])
        first = [*free_a, *free_b]
        if list(result)[: len(free_b)] == free_b and list(result) != first:
            left, right, first = right, left, [*free_b, *free_a]
            pairs = pairs[1], pairs[0]
        made = arrays.emit(
            "tensordot",
            "",
            [whole(left[0]), whole(right[0])],
            tuple([sizes[x] for x in first]),
            pairs,
        )
        return made, tuple(first)
    universe = [*a, *b]
    subscripts = f"{spelled(a, universe)},{spelled(b, universe)}->{spelled(result, universe)}"
    views = [whole(left[0]), whole(right[0])]
    return arrays.emit("einsum", subscripts, views, shape), tuple(result)


def _matrices_times_vectors(
    arrays: Arrays,
    left: Factor,
    right: Factor,
    batch: list[int],
    inner: int,
    sizes: Mapping[int, Size],
) -> Factor:
    """A matrix times a vector for each index of the batch axes; vectors as matrices of one column."""
    if len(left[1]) < len(right[1]):
        left, right = right, left
    labels = (*batch, *[x for x in left[1] if x not in right[1]])
    one = Size.of(1)
    columns = arrays.reshape(
        along(right, [*batch, inner]), (*[sizes[x] for x in (*batch, inner)], one)
    )
    views = [along(left, [*labels, inner]), whole(columns)]
    shape = tuple([sizes[x] for x in labels])
    made = arrays.emit("matmul", "", views, (*shape, one))
    return arrays.reshape(whole(made), shape), labels


def along(factor: Factor, labels: Sequence[int]) -> View:
    """The factor with its axes along ``labels``, broadcast where it lacks one."""
    register, own = factor
    return View(register, tuple([own.index(x) if x in own else None for x in labels]))


def _as_stored(left: Factor, right: Factor) -> list[View]:
    """Two arrays with equal labels, the second permuted to the first's order."""
    return [whole(left[0]), along(right, left[1])]


def _elementwise(arrays: Arrays, left: Factor, right: Factor, result: Sequence[int]) -> Factor:
    outer = len(left[1]) == len(right[1]) and bool(result) and result[0] not in left[1]
    if len(left[1]) < len(right[1]) or outer:
        left, right = right, left
    made = arrays.map("multiply", along(left, result), along(right, result))
    assert isinstance(made.source, Register)
    order = dict(zip(made.axes, result, strict=True))
    return made.source, tuple([order[k] for k in range(len(result))])


def _matrix_product(
    arrays: Arrays,
    left: Factor,
    right: Factor,
    result: Sequence[int],
    batch: list[int],
    contracted: list[int],
    sizes: Mapping[int, Size],
) -> Factor:
    """``A @ B`` with the factor that has the first free label of the result on the left."""
    inner = contracted[0]
    free = [x for x in result if x not in batch]
    if free and free[0] not in left[1]:
        left, right = right, left
    if not free:
        left, right = right, left
    rows = [x for x in left[1] if x in free]
    columns = [x for x in right[1] if x in free]
    views = [along(left, [*batch, *rows, inner]), along(right, [*batch, inner, *columns])]
    labels = (*batch, *rows, *columns)
    shape = tuple([sizes[x] for x in labels])
    return arrays.emit("matmul", "", views, shape), labels

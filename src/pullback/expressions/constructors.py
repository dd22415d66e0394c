"""The ways to make nodes; each keeps the local normal form, and none looks below its operands."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from fractions import Fraction

from pullback.errors import PullbackError, ShapeError
from pullback.expressions.nodes import Apply, Contraction, Node, Number, Variable, intern
from pullback.expressions.normal import (
    add,
    constant,
    contract,
    exact_number,
    has_delta,
    is_view,
    is_zero,
    ones,
    plain,
    scale,
    size_value,
    split_coefficient,
    zeros,
)
from pullback.expressions.sizes import Shape, Size, SizeLike, shape_of, shape_text

__all__ = [
    "add",
    "apply",
    "broadcast",
    "constant",
    "constant_value",
    "contract",
    "delta",
    "einsum",
    "exact_number",
    "has_delta",
    "is_view",
    "is_zero",
    "multiply",
    "negate",
    "ones",
    "plain",
    "power",
    "scale",
    "size_value",
    "split_coefficient",
    "through_view",
    "total",
    "transpose",
    "variable",
    "view_like",
    "without_repeats",
    "zeros",
]


def variable(name: str, sizes: Iterable[SizeLike] = (), assumptions: Iterable[str] = ()) -> Node:
    return intern(Variable, shape_of(sizes), name=name, assumptions=frozenset(assumptions))


def delta(size: SizeLike) -> Node:
    """The identity δ_ij, never materialised."""
    return contract([], "ii", {"i": Size.of(size)})


def constant_value(node: Node) -> Number | None:
    """The number in every entry of a constant tensor, or None for any other node."""
    coefficient, core = split_coefficient(node)
    if is_zero(node):
        return 0
    if isinstance(core, Contraction) and not core.operands and not has_delta(core):
        return coefficient
    return None


def negate(node: Node) -> Node:
    return scale(-1, node)


def apply(function: str, arguments: Sequence[Node], shape: Shape) -> Node:
    """A catalogue function of its arguments; the record of the function knows the shape."""
    return intern(Apply, shape, function=function, arguments=tuple(arguments))


def einsum(subscripts: str, *operands: Node, sizes: Mapping[str, SizeLike] | None = None) -> Node:
    """:func:`contract` in the notation of ``numpy.einsum``; ``...`` stands for batch axes.

    Beyond NumPy, a repeated output label is a δ and a new one a broadcast axis.

    >>> p = variable("p", ["n"])
    >>> einsum("i->ii", p).shape  # diag(p)
    (Size(n), Size(n))
    """
    inputs, output = subscripts.replace(" ", "").split("->")
    terms = inputs.split(",") if operands else []
    if len(terms) != len(operands):
        raise PullbackError(
            f"einsum '{subscripts}' has {len(terms)} inputs for {len(operands)} operands"
        )
    batch = 0
    for term, node in zip(terms, operands, strict=True):
        named = len(term.replace("...", ""))
        if named > node.order or ("..." not in term and named != node.order):
            raise ShapeError(
                f"einsum '{subscripts}': '{term}' does not fit {shape_text(node.shape)}"
            )
        if "..." in term:
            batch = max(batch, node.order - named)

    def labels(term: str, order: int) -> list[Hashable]:
        before, dots, after = term.partition("...")
        count = order - len(before) - len(after) if dots else 0
        return [*before, *range(batch - count, batch), *after]

    pairs = [(node, labels(term, node.order)) for term, node in zip(terms, operands, strict=True)]
    named_out = len(output.replace("...", ""))
    given = {label: Size.of(size) for label, size in (sizes or {}).items()}
    return contract(pairs, labels(output, named_out + batch), given)


def transpose(node: Node, axes: Sequence[int] | None = None) -> Node:
    """The axes in the given order; reversed when none is given."""
    order = list(reversed(range(node.order))) if axes is None else list(axes)
    return contract([(node, range(node.order))], order)


def broadcast(node: Node, shape: Shape) -> Node:
    """The node repeated along new leading axes, up to ``shape``."""
    new = len(shape) - node.order
    return contract([(node, range(new, len(shape)))], range(len(shape)), dict(enumerate(shape)))


def multiply(*factors: Node) -> Node:
    """The elementwise product; scalars multiply anything."""
    order = max(node.order for node in factors)
    return contract([(node, range(order) if node.order else ()) for node in factors], range(order))


def total(node: Node) -> Node:
    """The sum of all entries."""
    return contract([(node, range(node.order))], ())


def through_view(node: Node) -> tuple[Node, Contraction] | None:
    """A permuted or broadcast node as what it permutes and how, or None.

    An elementwise function may then act on the smaller operand and be viewed alike.
    """
    if not is_view(node) or not isinstance(node, Contraction) or has_delta(node):
        return None
    if not node.operands:
        return None
    inner, labels = node.operands[0]
    return (inner, node) if len(set(labels)) == len(labels) else None


def view_like(node: Node, view: Contraction) -> Node:
    """``node`` permuted and broadcast as the operand of ``view`` is."""
    return contract([(node, view.operands[0][1])], view.output, dict(enumerate(view.sizes)))


def without_repeats(node: Node, axis: int) -> Node | None:
    """The node without an axis along which it is merely repeated, or None if it is not."""
    coefficient, core = split_coefficient(node)
    if not isinstance(core, Contraction):
        return None
    label = core.output[axis]
    if core.output.count(label) > 1 or any(label in labels for _, labels in core.operands):
        return None
    kept = [x for x in core.output if x != label]
    sizes = {x: size for x, size in enumerate(core.sizes) if x != label}
    return scale(coefficient, contract(core.operands, kept, sizes))


def power(base: Node, exponent: Number | Node) -> Node:
    """Elementwise ``base ^ exponent``, exponents of one base multiplied out where that is sound.

    Squares and cubes are products of the base with itself, so that like factors meet.

    >>> x = variable("x", ["n"])
    >>> power(power(x, -1), -1) is x
    True
    """
    if isinstance(exponent, Node):
        value = constant_value(exponent)
        if value is None:
            if exponent.shape != base.shape:
                if base.order and exponent.order:
                    raise ShapeError(
                        f"cannot raise {shape_text(base.shape)} to {shape_text(exponent.shape)}"
                    )
                shape = base.shape or exponent.shape
                base, exponent = (n if n.order else broadcast(n, shape) for n in (base, exponent))
            return apply("power", (base, exponent), base.shape)
        if exponent.order and not base.order:
            base = broadcast(base, exponent.shape)
        exponent = value
    if exponent == 0:
        return ones(base.shape)
    if exponent == 1:
        return base
    viewed = through_view(base)
    if viewed is not None:
        return view_like(power(viewed[0], exponent), viewed[1])
    coefficient, core = split_coefficient(base)
    number = constant_value(base)
    if isinstance(exponent, int) and abs(exponent) <= 64:
        if number is not None and (number or exponent > 0):
            return constant(Fraction(number) ** exponent, base.shape)
        if coefficient != 1:
            return scale(plain(Fraction(coefficient) ** exponent), power(core, exponent))
    elif number == 1:
        return base
    if isinstance(exponent, int) and isinstance(base, Apply) and base.function == "power":
        inner = constant_value(base.arguments[1])
        if inner is not None:  # (xᵃ)ᵏ = xᵃᵏ for an integer k wherever xᵃ is real
            return power(base.arguments[0], plain(Fraction(inner) * exponent))
    if exponent in (2, 3):
        return multiply(*[base] * int(exponent))
    return apply("power", (base, constant(exponent, base.shape)), base.shape)

"""What an operation is called: read off its labels, for forward and backward steps alike."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from pullback.differentiation.reverse import identity
from pullback.explanation.placing import placing
from pullback.expressions import constructors as make
from pullback.expressions.nodes import (
    Apply,
    Contraction,
    Indicator,
    Node,
    SizeValue,
    Sum,
    Variable,
)
from pullback.expressions.placement import is_placement
from pullback.expressions.sizes import Shape, Size, shape_text
from pullback.functions.catalogue import primitive
from pullback.trace import Link

Labels = Sequence[Hashable]


@dataclass(frozen=True)
class Kind:
    """The name of an operation and the sizes of the axes that it sums over.

    >>> Kind("matrix product", ("n",)).sentence
    'matrix product, summed over n'
    """

    name: str
    over: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        if not self.over:
            return self.name
        link = " over" if "sum" in self.name or "trace" in self.name else ", summed over"
        return f"{self.name}{link} {' and '.join(self.over)}"


def operation_of(node: Node) -> Kind:
    """What a node does to its operands."""
    if isinstance(node, Variable):
        return Kind("given")
    if isinstance(node, SizeValue):
        return Kind("a size as a number")
    if isinstance(node, Indicator):
        return Kind("constant")
    if isinstance(node, Sum):
        return Kind(_sum_name(node))
    if isinstance(node, Contraction):
        if not node.operands:
            return Kind("constant")
        if is_entrywise_power(node):
            return Kind({2: "square", 3: "cube"}[len(node.operands)] + ", entry by entry")
        sizes: dict[Hashable, Size] = dict(enumerate(node.sizes))
        return _placed_kind(node.operands, node.output, sizes)
    assert isinstance(node, Apply)
    return Kind(_function_name(node))


def _placed_kind(
    factors: Iterable[tuple[Node | None, Labels]], output: Labels, sizes: Mapping[Hashable, Size]
) -> Kind:
    """The name of a product, what its indicators do told in words."""
    given = list(factors)
    marks = [(n, labels) for n, labels in given if isinstance(n, Indicator)]
    tensors = [labels for n, labels in given if not isinstance(n, Indicator)]
    if not marks:
        return product_kind(tensors, output, sizes)
    words = placing(marks, [labels for labels in tensors if labels], output, sizes)
    hidden = {x for _, labels in marks for x in labels}
    if len(tensors) < 2 or words == "Kronecker product":
        return Kind(words)
    seen = [x for x in dict.fromkeys(x for ls in tensors for x in ls) if x in {*output} | hidden]
    kind = product_kind(tensors, seen, sizes)
    return Kind(f"{kind.name}, {words}", kind.over)


def link_kind(link: Link) -> Kind:
    """What joins the gradient that an operation was handed with its local derivative."""
    node = link.operation
    if isinstance(node, Sum):
        coefficient = node.terms[link.position][0]
        return Kind("passed on unchanged" if coefficient == 1 else "scaling")
    if is_seed(link.handed, node):
        return Kind("the local derivative itself")
    if isinstance(node, Contraction):
        lead = [("lead", k) for k in range(link.handed.order - node.order)]
        factors: list[tuple[Node | None, Labels]] = [(None, (*lead, *node.output))]
        factors += [f for k, f in enumerate(node.operands) if k != link.position]
        sizes: dict[Hashable, Size] = dict(enumerate(node.sizes))
        sizes.update(zip(lead, link.handed.shape, strict=False))
        return _placed_kind(factors, [*lead, *node.operands[link.position][1]], sizes)
    assert isinstance(node, Apply)
    signature = primitive(node).signature
    argument = signature.arguments[link.position]
    if not signature.result and not argument:
        return Kind("elementwise product" if node.order else "product of numbers")
    if not signature.result:
        return Kind("scaling of the local gradient")
    over = tuple(str(size) for size in node.shape[node.order - len(signature.result) :])
    return Kind("product with the local Jacobian", over)


def is_seed(handed: Node, node: Node) -> bool:
    """Whether what was handed is ∂v/∂v, with which every backward pass begins."""
    return handed is identity(node)


def is_entrywise_power(node: Node) -> bool:
    """Whether a product is x ⊙ x or x ⊙ x ⊙ x: an elementwise function in all but its node."""
    if not isinstance(node, Contraction) or len(node.operands) not in (2, 3):
        return False
    first, labels = node.operands[0]
    same = all(operand is first and ls == labels for operand, ls in node.operands)
    return same and labels == node.output and len(set(labels)) == len(labels)


def product_kind(factors: Iterable[Labels], output: Labels, sizes: Mapping[Hashable, Size]) -> Kind:
    """The name of a sum of products, given the labels of each factor and of the result.

    >>> size = {"i": Size.of("m"), "j": Size.of("n")}
    >>> product_kind(["ij", "j"], "i", size).sentence
    'matrix–vector product, summed over n'
    >>> product_kind(["i", "j"], "ij", size).sentence
    'outer product'
    """
    given = list(factors)
    tensors: list[Labels] = [list(labels) for labels in given if labels]
    scaled = len(tensors) < len(given)
    if not tensors:
        return _of_numbers(len(given), output, sizes)
    if len(tensors) == 1:
        kind = _of_one(tensors[0], output, sizes)
        if not scaled:
            return kind
        return (
            Kind("scaling") if kind.name == "passed on" else Kind(kind.name + ", scaled", kind.over)
        )
    kind = _of_several(tensors, output, sizes)
    return Kind(kind.name + ", scaled", kind.over) if scaled else kind


def _of_numbers(count: int, output: Labels, sizes: Mapping[Hashable, Size]) -> Kind:
    if len(set(output)) < len(output):
        return Kind("identity times a number" if count else "identity")
    if output:
        return Kind(f"repeated along {_sizes(output, sizes)}")
    return Kind("product of numbers" if count > 1 else "passed on")


def _of_one(labels: Labels, output: Labels, sizes: Mapping[Hashable, Size]) -> Kind:
    """One operand: a permutation, broadcast, diagonal, trace or sum."""
    summed = _summed([labels], output)
    over = tuple(str(sizes[label]) for label in summed)
    if len(set(labels)) < len(labels):
        if not output and len(set(labels)) == 1:
            return Kind("trace", over)
        return Kind("diagonal, summed" if summed else "diagonal", over)
    if len(set(output)) < len(output):
        return Kind("placed on the diagonal", over)
    new = [label for label in output if label not in labels]
    if summed and new:
        return Kind(f"partial sum, repeated along {_sizes(new, sizes)}", over)
    if summed:
        return Kind("partial sum" if output else "sum of all entries", over)
    if new:
        return Kind(f"repeated along {_sizes(new, sizes)}")
    if list(labels) == list(output):
        return Kind("passed on")
    return Kind("transpose" if len(output) == 2 else "permutation of axes")


def _of_several(tensors: list[Labels], output: Labels, sizes: Mapping[Hashable, Size]) -> Kind:
    summed = _summed(tensors, output)
    over = tuple(str(sizes[label]) for label in summed)
    sets = [set(labels) for labels in tensors]
    everything = set().union(*sets)
    plain = all(len(s) == len(t) for s, t in zip(sets, tensors, strict=True))
    if set(output) - everything or len(set(output)) < len(output) or not plain:
        return Kind("contraction" if summed else "product of entries", over)
    alike = all(s == everything for s in sets)
    if not summed:
        if alike:
            return Kind("elementwise product")
        if sum(map(len, sets)) == len(everything):
            return Kind("outer product")
        if any(s == everything for s in sets):
            return Kind("elementwise product along " + _sizes(_narrow(sets, output), sizes))
        return Kind("product of entries")
    if alike and not output:
        one = len(tensors) == 2 and len(everything) == 1
        return Kind("dot product" if one else "inner product", over)
    if len(tensors) != 2 or any(label not in s for s in sets for label in summed):
        return Kind("contraction", over)
    shared = [label for label in output if label in sets[0] & sets[1]]
    orders = sorted(len(s) - len(shared) for s in sets)
    own = sorted(len(s) - len(shared) - len(summed) for s in sets)
    each = f" for each of {_sizes(shared, sizes)}" if shared else ""
    name = "contraction"
    if len(summed) == 1 and orders == [2, 2]:
        name = "matrix product"
    elif len(summed) == 1 and orders == [1, 2]:
        name = "matrix–vector product"
    elif own == [0, 0]:
        name = "dot product" if len(summed) == 1 else "inner product"
    return Kind(name + each, over)


def _narrow(sets: Sequence[set[Hashable]], output: Labels) -> list[Hashable]:
    """The axes that all factors have."""
    common = set.intersection(*sets)
    return [label for label in output if label in common]


def _summed(tensors: Sequence[Labels], output: Labels) -> list[Hashable]:
    return [x for x in dict.fromkeys(x for labels in tensors for x in labels) if x not in output]


def _sizes(labels: Labels, sizes: Mapping[Hashable, Size]) -> str:
    return shape_text([sizes[label] for label in labels])


def joins_blocks(node: Node) -> bool:
    """Whether a sum is of parts at places of their own, as [x; y] is."""
    return isinstance(node, Sum) and len(node.terms) > 1 and all(map(is_placement, node.children))


def _sum_name(node: Sum) -> str:
    if not node.terms:
        return "zero"
    if joins_blocks(node):
        return "parts joined at their places"
    if len(node.terms) == 1:
        return "scaling"
    signs = {c for c, _ in node.terms}
    if signs == {1}:
        return "sum"
    return "difference" if signs == {1, -1} and len(node.terms) == 2 else "linear combination"


def function_title(node: Apply) -> str:
    """The name of a function, with a literal exponent told."""
    record = primitive(node)
    if node.function == "power":
        exponent = make.constant_value(node.arguments[1])
        if exponent is not None:
            known = {"-1": "reciprocal", "1/2": "square root", "-1/2": "inverse square root"}
            return known.get(str(exponent), f"power {exponent}")
    return record.name if "{0}" in record.symbol else record.symbol or record.name


def _function_name(node: Apply) -> str:
    record = primitive(node)
    if record.elementwise:
        return f"{function_title(node)}, entry by entry" if node.order else function_title(node)
    core = len(record.signature.arguments[0])
    batch: Shape = node.arguments[0].shape[: node.arguments[0].order - core]
    each = f", for each of {shape_text(batch)}" if batch else ""
    return f"{function_title(node)} of a {['number', 'vector', 'matrix'][min(core, 2)]}{each}"

"""What a derivative costs, computed in each order of elimination: a price list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import prod

from pullback.compilation.compile import size_names
from pullback.compilation.count import Count, Prices, operations, savings
from pullback.compilation.factorising import share_factorisations
from pullback.compilation.lowering import lower
from pullback.compilation.rewriting import divide_once
from pullback.derivation.factoring import factored
from pullback.derivation.result import Derivation
from pullback.differentiation.forward import forward
from pullback.differentiation.reverse import identity, reverse
from pullback.errors import PullbackError
from pullback.expressions import constructors as make
from pullback.expressions.nodes import Apply, Contraction, Indicator, Node, Sum, Variable
from pullback.expressions.sizes import Size
from pullback.expressions.walks import post_order
from pullback.functions.catalogue import primitive
from pullback.simplification.simplify import simplify
from pullback.trace import Trace

CUBIC_AXES = 2  # a function with so many core axes costs about n for each entry


def prices(derivation: Derivation, sizes: Mapping[str, int]) -> Prices:
    """A function and its first derivative by one variable, priced in every order of elimination.

    The rows:

    - *entry by entry*: every entry from its own formula in indices, as one writes ∂L/∂U_ij by
      hand, and nothing kept: what occurs under a sum is computed again for each of its terms;
    - *forward*: from the variable on, a tangent for each of its entries;
    - *reverse*: from the result back, a cotangent for each entry of the result;
    - *cross-country*: products in whatever order is cheapest at these sizes;
    - *compressed*: the same, with δs kept apart instead of arrays of mostly zeros;
    - reverse order without each of the three savings of back-propagation
      (:func:`.count.savings`).

    A. Griewank, A. Walther, Evaluating Derivatives (2nd edition, 2008), chapters 3 and 9. Raises
    PullbackError for sizes that are not given.
    """
    (target,) = [w.node for w in derivation.wrt]
    before, result = derivation.program.result, derivation.node
    _insist_on_sizes([before, result], sizes)
    ways = {"forward": _forward(before, target), "reverse": _reverse(before, target)}
    rows = {"entry by entry": _by_entries(before, sizes) + _by_entries(result, sizes)}
    loose = []
    for name, (node, lines) in ways.items():
        both = {"value": before, "derivative": node}
        rows[name] = _counted(both, lines, sizes)
        loose.append(_counted(both, {}, sizes))
    rows["cross-country"] = min([*loose, rows["forward"], rows["reverse"]], key=lambda c: c.total)
    rows["compressed"] = rows["cross-country"]
    kept = factored(result)
    if not kept.dense and kept.terms:
        cores = dict.fromkeys(node for term in kept.terms for node, _ in term.factors)
        named = {f"core{k}": node for k, node in enumerate(cores)}
        rows["compressed"] = _counted({"value": before, **named}, {}, sizes)
    node, cotangents = ways["reverse"]
    saved = savings({"derivative": node}, derivation.program, sizes, cotangents).rows
    rows |= {f"reverse, {name}": count for name, count in list(saved.items())[1:]}
    return Prices(rows, "reverse")


def _insist_on_sizes(nodes: Iterable[Node], sizes: Mapping[str, int]) -> None:
    missing = sorted(size_names(nodes) - sizes.keys())
    if missing:
        example = ", ".join(f'"{name}": 100' for name in missing)
        raise PullbackError(
            f"a price needs numbers for the sizes {', '.join(missing)}",
            hint=f"pass sizes={{{example}}}",
        )


Lines = dict[Node, str]  # what is computed as it stands, each by a name


def _forward(before: Node, target: Node) -> tuple[Node, Lines]:
    """The derivative, simplified, by the tangents on the way from the variable."""
    trace, tangents = Trace(), dict[Node, Node]()
    pushed = forward(before, {target: identity(target)}, tangents)
    return simplify(pushed, trace), _lines(tangents.values(), trace)


def _reverse(before: Node, target: Node) -> tuple[Node, Lines]:
    """The derivative, simplified, by the cotangents on the way from the result."""
    trace = Trace()
    (raw,) = reverse(before, [target], trace)
    return simplify(raw, trace), _lines(trace.cotangents.values(), trace)


def _lines(nodes: Iterable[Node], trace: Trace) -> Lines:
    """Each of these, simplified, as a line that is computed as it stands."""
    simplified = [simplify(node, trace) for node in nodes]
    return {node: f"line{k}" for k, node in enumerate(simplified) if not isinstance(node, Variable)}


def _counted(
    outputs: Mapping[str, Node], lines: Mapping[Node, str], sizes: Mapping[str, int]
) -> Count:
    linear = lower(outputs, lines, merge_named=not lines)
    return operations(divide_once(share_factorisations(linear)), sizes)


# entry by entry


def _by_entries(root: Node, sizes: Mapping[str, int]) -> Count:
    """Every entry of the root from its own formula, nothing kept."""
    one: dict[Node, Count] = {}
    for node in post_order(root):
        one[node] = _one_entry(node, one, sizes)
    entries = _volume(root.shape, sizes)
    return _times(entries, one[root]) + Count(bytes=8 * entries)


def _one_entry(node: Node, one: Mapping[Node, Count], sizes: Mapping[str, int]) -> Count:
    """What one entry costs, its parts computed for it alone."""
    parts = sum((one[child] for child in node.children), Count())
    if isinstance(node, Sum):
        factors = sum(c not in (1, -1) for c, _ in node.terms)
        return parts + Count(multiplications=factors, additions=max(len(node.terms) - 1, 0))
    if isinstance(node, Contraction):
        summed = prod(node.sizes[label].evaluate(sizes) for label in node.summed)
        factors = sum(not isinstance(child, Indicator) for child, _ in node.operands)
        product = parts + Count(multiplications=max(factors - 1, 0))
        return _times(summed, product) + Count(additions=summed - 1)
    if not isinstance(node, Apply):
        return Count()
    record = primitive(node)
    if record.elementwise:
        return parts + _elementwise(node)
    # a function of whole arrays is computed for one entry of it too
    core = [
        child.shape[child.order - len(axes) :]
        for child, axes in zip(node.arguments, record.signature.arguments, strict=True)
    ]
    whole = sum(
        (
            _times(_volume(shape, sizes), one[child])
            for child, shape in zip(node.arguments, core, strict=True)
        ),
        Count(),
    )
    most = max((_volume(shape, sizes) for shape in core), default=1)
    square = [shape for shape in core if len(shape) >= CUBIC_AXES]
    steps = most * (square[0][-1].evaluate(sizes) if square else 1)
    return whole + (
        Count(multiplications=steps, additions=steps) if square else Count(functions=steps)
    )


def _elementwise(node: Apply) -> Count:
    """Whole powers are products, and a division below 0; other functions count as one."""
    exponent = make.constant_value(node.arguments[1]) if node.function == "power" else None
    if not isinstance(exponent, int) or not exponent:
        return Count(functions=1)
    return Count(multiplications=abs(exponent) - 1, divisions=int(exponent < 0))


def _times(count: int, one: Count) -> Count:
    return Count(
        count * one.multiplications,
        count * one.additions,
        count * one.divisions,
        count * one.functions,
    )


def _volume(shape: Iterable[Size], sizes: Mapping[str, int]) -> int:
    return prod(size.evaluate(sizes) for size in shape)

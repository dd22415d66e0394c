"""How a result falls apart into products of smaller tensors and δs.

The Hessian 2 δ_ik (Vᵀ V)_jl has n·k·n·k entries and is made of k·k numbers. Sums over labels are
carried out, since they make a product smaller; what would only spread numbers over more axes, an
outer product or a δ, is left undone.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import replace

from pullback.derivation.factored import (
    Factored,
    Label,
    Term,
    entries_of,
    product_of,
    rooted,
    tie,
)
from pullback.expressions import constructors as make
from pullback.expressions.nodes import Contraction, Node, Number, Sum
from pullback.expressions.sizes import Shape, Size


def factored(node: Node) -> Factored:
    """The node as a sum of products that are not multiplied out.

    >>> V = make.variable("V", ["m", "k"])
    >>> H = make.einsum("qj,qp->ijip", V, V, sizes={"i": "n"})
    >>> (term,) = factored(H).terms
    >>> term.output, str(term.stored), str(factored(H).entries)
    ((0, 1, 0, 2), 'k*k', 'k*k*n*n')
    """
    parts: Sequence[tuple[Number, Node]] = node.terms if isinstance(node, Sum) else [(1, node)]
    terms = [term for c, part in parts for term in _opened(_term(c, part), node.shape)]
    flat = [t for t in terms if t.stored == entries_of(node.shape) and len(t.factors) == 1]
    if len(flat) > 1:  # what has no structure is added up
        rest = [t for t in terms if t not in flat]
        together = make.add([(t.coefficient, product_of(t, node.shape)) for t in flat])
        terms = [Term(1, ((together, tuple(range(node.order))),), tuple(range(node.order))), *rest]
    return Factored(node.shape, tuple(_collected(terms, node.shape)))


def _collected(terms: Iterable[Term], shape: Shape) -> list[Term]:
    """Terms that can be added up without more to store, as one."""
    result: list[Term] = []
    for term in terms:
        for k, other in enumerate(result):
            joined = _joined(other, term, shape)
            if joined is not None:
                result[k] = joined
                break
        else:
            result.append(term)
    return result


def _joined(one: Term, other: Term, shape: Shape) -> Term | None:
    """Terms that differ in one factor, as one with the sum of these factors, or all added up."""
    mine, its = set(one.factors) - set(other.factors), set(other.factors) - set(one.factors)
    several = len(set(one.factors)) < len(one.factors) or len(one.factors) != len(other.factors)
    if one.output != other.output or len(mine) > 1 or len(mine) != len(its):
        return _added_up(one, other, shape) or _added_up(other, one, shape)
    if several:
        return None
    if not mine:
        return replace(one, coefficient=make.plain(one.coefficient + other.coefficient))
    ((node, labels),), ((second, order),) = mine, its
    if set(labels) != set(order) or len(set(labels)) < len(labels):
        return _added_up(one, other, shape)
    turned = make.contract([(second, order)], labels)
    together = make.add([(one.coefficient, node), (other.coefficient, turned)])
    shared = tuple([f for f in one.factors if f in other.factors])
    return Term(1, (*shared, (together, labels)), one.output)


def _added_up(one: Term, finer: Term, shape: Shape) -> Term | None:
    """Both terms as one tensor of the first one's labels, if that stores no more than they do apart.

    The other may have further δs: A + c I takes no more than A.
    """
    of: dict[Label, Label] = {}  # for each label of the first term, the other's
    for mine, its in zip(one.output, finer.output, strict=True):
        if of.setdefault(mine, its) != its:
            return None
    first: dict[Label, Label] = {}
    for mine, its in of.items():
        first.setdefault(its, mine)
    tied = {x for x, its in of.items() if [*of.values()].count(its) > 1}
    held = {x for _, labels in one.factors for x in labels}
    held |= {first[x] for _, labels in finer.factors for x in labels}
    labels = sorted(held | tied)
    sizes = {x: size for x, size in one.sizes(shape).items() if x in labels}
    if _nominal(entries_of(sizes.values())) > _nominal(one.stored + finer.stored):
        return None
    turned = [(node, [first[x] for x in ls]) for node, ls in finer.factors]
    ends = [first[of[x]] for x in labels]
    parts = [
        (one.coefficient, make.contract(one.factors, labels, dict(sizes))),
        (finer.coefficient, make.contract(turned, ends, {x: sizes[x] for x in ends})),
    ]
    return Term(1, ((make.add(parts), tuple(labels)),), one.output)


def _opened(term: Term, shape: Shape) -> list[Term]:
    """The term with a sum among its factors multiplied out, where that leaves less to store."""
    for k, (factor, labels) in enumerate(term.factors):
        parts = _as_sum(factor)
        if len(parts) < 2:
            continue
        others = [f for i, f in enumerate(term.factors) if i != k]
        sizes = dict(term.sizes(shape))
        terms = []
        for c, part in parts:
            whole = make.contract([(part, labels), *others], term.output, sizes)
            terms += _opened(_term(make.plain(term.coefficient * c), whole), shape)
        if _nominal(sum((t.stored for t in terms), Size.of(0))) < _nominal(term.stored):
            return terms
    return [term]


def _as_sum(node: Node, deepest: int = 4) -> Sequence[tuple[Number, Node]]:
    """A sum, or a product with a sum among its factors, or theirs, as its terms."""
    if isinstance(node, Sum):
        return node.terms
    if not isinstance(node, Contraction) or not deepest:
        return [(1, node)]
    sizes = dict(enumerate(node.sizes))
    for k, (child, labels) in enumerate(node.operands):
        parts = _as_sum(child, deepest - 1)
        if len(parts) > 1:
            others = [f for i, f in enumerate(node.operands) if i != k]
            return [
                (c, make.contract([(part, labels), *others], node.output, sizes))
                for c, part in parts
            ]
    return [(1, node)]


def _nominal(size: Size) -> int:
    """A number that makes all named sizes alike."""
    return size.evaluate(dict.fromkeys(size.names, 64))


def _term(coefficient: Number, node: Node) -> Term:
    output: list[Hashable] = [("out", k) for k in range(node.order)]
    same: dict[Hashable, Hashable] = {}
    factors = _factors(node, output, same)
    root = rooted(same)
    named = [(n, [root(x) for x in labels]) for n, labels in factors]
    ends = [root(x) for x in output]
    joined = _without_inner(_components(named, ends))
    number: dict[Hashable, int] = {}
    for label in ends:
        number.setdefault(label, len(number))
    plain = tuple([(n, tuple([number[x] for x in labels])) for n, labels in joined])
    front, kept = coefficient, []
    for n, labels in plain:
        value, core = make.split_coefficient(n)
        front = make.plain(front * value)
        if make.constant_value(core) is None:
            kept.append((core, labels))
    return Term(front, tuple(kept), tuple([number[x] for x in ends]))


Parts = list[tuple[Node, list[Hashable]]]


def _factors(node: Node, labels: Sequence[Hashable], same: dict[Hashable, Hashable]) -> Parts:
    """A product as factors under outer labels, as far as they fall apart; δs go into ``same``."""
    coefficient, core = make.split_coefficient(node)
    if coefficient != 1:
        return [(make.constant(coefficient), []), *_factors(core, labels, same)]
    if not isinstance(node, Contraction):
        return [(node, list(labels))]
    root = rooted(same)
    scope = object()  # summed labels of different products never meet
    outer: dict[int, Hashable] = {}
    ties: dict[Hashable, Hashable] = {}
    for inner, label in zip(node.output, labels, strict=True):
        if inner in outer:
            if root(outer[inner]) != root(label):
                tie(ties, root(label), root(outer[inner]))
        else:
            outer[inner] = label
    names = [outer.get(k, (scope, k)) for k in range(len(node.sizes))]
    parts: Parts = []
    inside: dict[Hashable, Hashable] = {}
    for child, own in node.operands:
        parts += _factors(child, [names[k] for k in own], inside)
    ends = list(dict.fromkeys(outer.values()))
    inner_root = rooted(inside)
    # a label that nothing holds is summed to its size, unless a δ ties it to one that is held
    used = {inner_root(x) for _, ls in parts for x in ls} | {inner_root(x) for x in ends}
    free = {inner_root(names[k]): size for k, size in enumerate(node.sizes)}
    counted: Parts = [(make.size_value(size), []) for x, size in free.items() if x not in used]
    renamed: Parts = [(n, [inner_root(x) for x in ls]) for n, ls in parts]
    joined = _components([*renamed, *counted], [inner_root(x) for x in ends])
    if len([n for n, _ in joined if n.order]) <= 1 and not inside and not ties:
        return [(node, list(labels))]  # it hangs together: one factor, as it was
    for one, other in (*ties.items(), *inside.items()):
        tie(same, one, other)
    return joined


def _components(parts: Parts, ends: Sequence[Hashable]) -> Parts:
    """The factors, those tied by a summed label multiplied out into one."""
    groups: list[tuple[set[Hashable], Parts]] = []
    for node, labels in parts:
        summed = set(labels) - set(ends)
        near = [g for g in groups if g[0] & summed]
        groups = [g for g in groups if g not in near]
        merged = [part for g in near for part in g[1]]
        groups.append((summed.union(*(g[0] for g in near)), [*merged, (node, labels)]))
    result: Parts = []
    for summed, group in groups:
        if not summed and len(set(group[0][1])) == len(group[0][1]):
            result += group
            continue
        held = {x for _, ls in group for x in ls}
        own = [x for x in dict.fromkeys(ends) if x in held]  # as they come in the tensor
        result.append((make.contract(group, own), own))
    return result


def _without_inner(parts: Parts) -> Parts:
    """A factor whose labels all belong to another is multiplied into it: it costs no room."""
    kept = sorted(parts, key=lambda part: -len(set(part[1])))
    result: Parts = []
    for node, labels in kept:
        host = next((k for k, (_, own) in enumerate(result) if set(labels) <= set(own)), None)
        if host is None:
            result.append((node, labels))
        else:
            inner, own = result[host]
            result[host] = make.contract([(inner, own), (node, labels)], own), own
    return result

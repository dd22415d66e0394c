"""Products that are equal up to the names of their labels, bracketing, or a symmetry.

A product is a graph: factors tied by labels. Its certificate is the smallest way to write that
graph when labels are numbered in every order that the graph itself does not rule out, so two
products have one certificate exactly when they are the same. The search is cut off at a fixed
number of numberings: a sameness may then be missed, but none is ever invented.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from weakref import WeakKeyDictionary

from pullback.expressions import constructors as make
from pullback.expressions.nodes import Apply, Contraction, Node, Number, Sum, Variable
from pullback.expressions.sizes import Size
from pullback.expressions.walks import remembered
from pullback.functions.catalogue import primitive
from pullback.simplification.measure import measure
from pullback.simplification.products import Factor, Label, Opened, tags

Certificate = tuple[object, ...]
Colours = dict[Label, int]

_SYMMETRIC = frozenset(("symmetric", "posdef", "diagonal"))
_KEEP_SIGN = frozenset(("inv", "pinv", "sinm"))  # f(−X) = −f(X) too
_NUMBERINGS = 32

_parities: WeakKeyDictionary[Node, int] = WeakKeyDictionary()
_certificates: WeakKeyDictionary[Node, tuple[Certificate, int]] = WeakKeyDictionary()


def parity(root: Node) -> int:
    """1 if the node equals its transpose in the last two axes, −1 if its negative, 0 if unknown."""
    if len(root.shape) < 2 or root.shape[-1] != root.shape[-2]:
        return 0
    return remembered(root, _parities, _relevant, _parity)


def _square(node: Node) -> bool:
    return node.order >= 2 and node.shape[-1] == node.shape[-2]


def _relevant(node: Node) -> list[Node]:
    if isinstance(node, Contraction):
        factors, _ = Opened(node).flat()
        return [n for n, _ in factors if _square(n) and n is not node]
    return [n for n in node.children if _square(n)]


def _parity(node: Node) -> int:
    if isinstance(node, Variable):
        if node.assumptions & _SYMMETRIC:
            return 1
        return -1 if "skew" in node.assumptions else 0
    if isinstance(node, Sum):
        found = {_parities[n] for n in node.children}
        return found.pop() if len(found) == 1 and 0 not in found else _parity_of_sum(node)
    if isinstance(node, Apply):
        record = primitive(node)
        if node.function in _KEEP_SIGN:
            return _parities[node.arguments[0]]
        if node.function == "sylvester":
            a, b, c = node.arguments  # A X + X Aᵀ = C
            order = [*range(a.order - 2), a.order - 1, a.order - 2]
            turned = a if _parities[a] == 1 else make.transpose(a, order)
            return _parities[c] if turned is b else 0
        same = record.elementwise or record.turns
        return 1 if same and all(_parities[n] == 1 for n in node.arguments) else 0
    return _parity_of_product(node) if isinstance(node, Contraction) else 0


def _parity_of_sum(node: Sum) -> int:
    """M + Mᵀ is symmetric and M − Mᵀ skew, whatever the products are."""
    if not 2 <= len(node.terms) <= 8 or not any(isinstance(n, Contraction) for n in node.children):
        return 0
    own: Counter[tuple[Certificate, Number]] = Counter()
    turned: Counter[tuple[Certificate, Number]] = Counter()
    for c, term in node.terms:
        opened = Opened(term)
        factors, sizes = opened.flat()
        swapped = (*opened.output[:-2], *opened.output[:-3:-1])
        for count, output in ((own, opened.output), (turned, swapped)):
            written, sign = certificate(factors, output, sizes)
            count[written, c * sign] += 1
    if own == turned:
        return 1
    return -1 if own == Counter({(w, -c): k for (w, c), k in turned.items()}) else 0


def _parity_of_product(node: Contraction) -> int:
    first, second = node.output[-2:]
    if first == second:
        return 1  # a diagonal
    opened = Opened(node)
    factors, sizes = opened.flat()
    at = [
        Counter(n.digest for n, ls in factors for label in ls if label == end)
        for end in (first, second)
    ]
    if at[0] != at[1]:
        return 0
    swapped = (*opened.output[:-2], second, first)
    one, sign = certificate(factors, opened.output, sizes)
    other, turned = certificate(factors, swapped, sizes)
    return sign * turned if one == other else 0


def certificate_of(node: Node) -> tuple[Certificate, int]:
    """The certificate of a product of products, and its sign; sign 0 says that it is zero."""
    found = _certificates.get(node)
    if found is None:
        factors, sizes = Opened(node).flat()
        found = certificate(factors, Opened(node).output, sizes)
        _certificates[node] = found
    return found


def certificate(
    factors: Sequence[Factor], output: Sequence[Label], sizes: Mapping[Label, Size]
) -> tuple[Certificate, int]:
    """The smallest writing of a product, and the sign it has beside that writing.

    A factor equal to its transpose may be turned, and one equal to minus its transpose as well
    at the price of the sign.
    """
    graph = _Graph(factors, output, sizes)
    best: Certificate | None = None
    sign = 0
    waiting = [graph.refined(graph.start())]
    seen = 0
    while waiting and seen < _NUMBERINGS:
        colours = waiting.pop()
        tied = graph.tied(colours)
        if tied:
            for label in tied:
                split = {k: 2 * c - (k == label) for k, c in colours.items()}
                waiting.append(graph.refined(split))
            continue
        seen += 1
        written, turned = graph.written(colours)
        if best is None or written < best:
            best, sign = written, turned
        elif written == best and turned != sign:
            sign = 0
            break
    assert best is not None
    return best, sign


class _Graph:
    def __init__(
        self, factors: Sequence[Factor], output: Sequence[Label], sizes: Mapping[Label, Size]
    ) -> None:
        self.output = tuple(output)
        self.sizes = sizes
        self.labels = sorted({*sizes, *output, *(x for _, ls in factors for x in ls)})
        self.factors = [(n.digest, parity(n), ls) for n, ls in factors]
        for node, labels in factors:
            for label, size in zip(labels, node.shape, strict=True):
                if label not in self.sizes:
                    self.sizes = {**self.sizes, label: size}

    def start(self) -> Colours:
        """Labels told apart by their places in the output and their sizes."""
        own = {
            x: (tuple([k for k, o in enumerate(self.output) if o == x]), str(self.sizes[x]))
            for x in self.labels
        }
        rank = {value: k for k, value in enumerate(sorted(set(own.values())))}
        return {x: rank[own[x]] for x in self.labels}

    def refined(self, colours: Colours) -> Colours:
        """Labels told apart by the factors they are in, until nothing more comes of it."""
        count = len(set(colours.values()))
        while count < len(colours):
            around: dict[Label, list[tuple[object, ...]]] = {x: [] for x in self.labels}
            for digest, turns, labels in self.factors:
                seen = [colours[x] for x in labels]
                if turns:
                    seen[-2:] = sorted(seen[-2:])
                last = len(labels) - 2 if turns else len(labels)
                for k, x in enumerate(labels):
                    around[x].append((digest, seen, min(k, last)))
            own = {x: (colours[x], sorted(around[x])) for x in self.labels}
            order = sorted(self.labels, key=own.__getitem__)
            colours, k = {}, 0
            for previous, x in zip([None, *order], order, strict=False):
                k += previous is not None and own[previous] != own[x]
                colours[x] = k
            now = len(set(colours.values()))
            if now == count:
                break
            count = now
        return colours

    def tied(self, colours: Colours) -> list[Label]:
        """The labels of the first colour that several have; none if all are told apart."""
        groups: dict[int, list[Label]] = {}
        for x in self.labels:
            groups.setdefault(colours[x], []).append(x)
        return next((groups[c] for c in sorted(groups) if len(groups[c]) > 1), [])

    def written(self, colours: Colours) -> tuple[Certificate, int]:
        order = sorted(self.labels, key=colours.__getitem__)
        number = {x: k for k, x in enumerate(order)}
        sign = 1
        factors = []
        for digest, turns, labels in self.factors:
            named = [number[x] for x in labels]
            if turns:
                if named[-1] < named[-2]:
                    named[-2:] = reversed(named[-2:])
                    sign *= turns
                elif named[-1] == named[-2] and turns < 0:
                    sign = 0
            factors.append((digest, named))
        factors.sort()
        sizes = tuple([str(self.sizes[x]) for x in order])
        return (
            tuple([number[x] for x in self.output]),
            tuple([(d, tuple(n)) for d, n in factors]),
            sizes,
        ), sign


# rows


def axes_in_order(node: Node) -> Node | None:
    """A_ji = A_ij for a symmetric A, −A_ij for a skew one, and 0 where a product is its negative."""
    if not isinstance(node, Contraction):
        return None
    turning = [k for k, (n, _) in enumerate(node.operands) if parity(n)]
    if not turning and "skew" not in tags(node):
        return None
    negative = any(parity(node.operands[k][0]) < 0 for k in turning) or "skew" in tags(node)
    if negative and certificate_of(node)[1] == 0:
        return make.zeros(node.shape)
    best: Node = node
    for chosen in range(1, 2 ** min(len(turning), 4)):
        turned = [k for place, k in enumerate(turning) if chosen >> place & 1]
        best = min(best, _turned(node, turned), key=measure)
    return None if best is node else best


def _turned(node: Contraction, which: Sequence[int]) -> Node:
    sign = 1
    operands = list(node.operands)
    for k in which:
        inner, labels = operands[k]
        operands[k] = inner, (*labels[:-2], labels[-1], labels[-2])
        sign *= parity(inner)
    turned = make.contract(operands, node.output, dict(enumerate(node.sizes)))
    return make.scale(sign, turned)

"""Which part of the network each link of the chain belongs to: cost, activation or signal path.

The chain is read as the trace has it, before simplification. The *network's output* is the first
layer met on the way down from the result; a layer is a product of a signal with a weight, or
the sum of such products with biases and residual terms. What lies above is the *cost*. Below,
the derivative of a function is an *activation*, the other operand of a product *signal path*.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pullback.explanation.operations import function_title, is_entrywise_power
from pullback.expressions import constructors as make
from pullback.expressions.nodes import Apply, Contraction, Indicator, Node, Sum, Variable
from pullback.expressions.walks import post_order, variables
from pullback.trace import Link, Trace

COST, ACTIVATION, SIGNAL = "cost", "activation", "signal path"
NOTHING: frozenset[Node] = frozenset()


@dataclass(frozen=True)
class Role:
    """What a link contributes to the chain; ``factors`` are the operands it multiplies by.

    ``kinds`` says of each factor whether it is a "weight" or an "input".
    """

    name: str
    detail: str = ""
    factors: tuple[Node, ...] = ()
    kinds: tuple[str, ...] = ()


class Roles:
    """Roles of every link of a trace, for the root it started from and the targets it reached."""

    def __init__(self, root: Node, targets: Sequence[Node], trace: Trace) -> None:
        self.root = root
        self.targets = frozenset(targets)
        self._edges: dict[Node, list[Node]] = {}
        for link in trace.links:
            self._edges.setdefault(link.operation, []).append(link.operand)
        self._active = {*trace.cotangents, *targets}
        self._order = [n for n in reversed(list(trace.cotangents)) if n in self._edges]
        self._parametric = self._only_of_targets()
        self.first_layers = self._find_first_layers()
        self.outputs = self._find_outputs()
        self._network = self._at_or_below(self.outputs)

    def of(self, link: Link) -> Role:
        """The role of one link."""
        node = link.operation
        if node not in self._network:
            return self._cost(link)
        if isinstance(node, Apply):
            return Role(ACTIVATION, function_title(node), (link.operand,))
        if is_entrywise_power(node):
            return Role(
                ACTIVATION, "square" if len(node.children) == 2 else "cube", (link.operand,)
            )
        if isinstance(node, Sum):
            if link.operand in self._parametric:
                return Role(SIGNAL, "bias")
            number = node.terms[link.position][0]
            return Role(SIGNAL, "" if number == 1 else f"times {number}".replace("-", "−"))
        assert isinstance(node, Contraction)
        beside = [k for k in range(len(node.operands)) if k != link.position]
        if not beside and node in self._parametric:
            return Role(SIGNAL, "bias")  # repeated for each sample, for one
        others = [k for k in beside if not isinstance(node.operands[k][0], Indicator)]
        kinds = tuple(self._kind(node, k, link) for k in others)
        return Role(SIGNAL, "", tuple(node.operands[k][0] for k in others), kinds)

    def is_layer(self, node: Node) -> bool:
        """Whether a node is a layer: its own first layer on the way down."""
        return node in self._edges and self.first_layers[node] == {node}

    def in_network(self, node: Node) -> bool:
        """Whether a node is the network's output or lies below it."""
        return node in self._network

    def output_activation(self, node: Node) -> bool:
        """Whether a function is applied to the network's output entry for entry or as a whole."""
        if not isinstance(node, Apply) or node in self._network:
            return False
        active = [n for n in node.arguments if n in self._active]
        return len(active) == 1 and active[0] in self.outputs and active[0].shape == node.shape

    def parameters(self, layer: Node) -> list[Node]:
        """The weights and biases that stand in a layer, those of its products first."""
        terms = layer.children if isinstance(layer, Sum) else (layer,)
        weights = [w for t in terms if isinstance(t, Contraction) for w in self._weights(t)]
        biases = [t for t in terms if t in self._parametric]
        return list(dict.fromkeys(v for node in weights + biases for v in variables(node)))

    def _weights(self, node: Contraction) -> list[Node]:
        return [n for k, (n, _) in enumerate(node.operands) if self._is_weight(node, k)]

    def _cost(self, link: Link) -> Role:
        first = self.first_layers
        past = not first[link.operation] or not (
            first.get(link.operand) or link.operand in self._network
        )
        if past and self.first_layers[self.root]:  # this way leads to a parameter, past the network
            return Role(COST, "penalty")
        if self.output_activation(link.operation):
            assert isinstance(link.operation, Apply)
            return Role(COST, f"merged with output activation {function_title(link.operation)}")
        return Role(COST)

    def _kind(self, node: Contraction, position: int, link: Link) -> str:
        if link.operand in self._parametric and self._is_weight(node, link.position):
            return "input"
        return "weight" if self._is_weight(node, position) else "input"

    def _only_of_targets(self) -> set[Node]:
        """Variables differentiated by, and what is made of them alone."""
        found: set[Node] = set()
        for node in post_order(self.root):
            if isinstance(node, Variable):
                if node in self.targets:
                    found.add(node)
                continue
            open_ = {n for n in node.children if make.constant_value(n) is None}
            one = len(open_) == 1 or not isinstance(node, Contraction)
            if open_ and one and open_ <= found:
                found.add(node)
        return found

    def _find_first_layers(self) -> dict[Node, frozenset[Node]]:
        """For each operation the layers first met on the paths down from it."""
        first: dict[Node, frozenset[Node]] = {}
        for node in self._order:
            below = [first.get(child, NOTHING) for child in dict.fromkeys(self._edges[node])]
            if self._makes_layer(node, first):
                first[node] = frozenset([node])
            else:
                first[node] = below[0] if len(below) == 1 else NOTHING.union(*below)
        return first

    def _makes_layer(self, node: Node, first: dict[Node, frozenset[Node]]) -> bool:
        if isinstance(node, Sum):
            layers = {t: c for c, t in node.terms if first.get(t, NOTHING) == {t}}
            others = [(c, t) for c, t in node.terms if t not in layers]
            reached = NOTHING.union(*(first.get(t, NOTHING) for _, t in others))
            if not layers or reached & layers.keys():
                return False  # as in f − mean(f), which normalises the layer f
            # a bias or residual term adds; what is subtracted from a layer is a label
            signs = layers.values()
            return all(t in self._active or all(c * k > 0 for k in signs) for c, t in others)
        if not isinstance(node, Contraction) or len(node.operands) < 2:
            return False
        if any(self._is_weight(node, k) for k in range(len(node.operands))):
            return True
        # a product of two signals from different layers, as in attention and in gates
        signals = {n: first.get(n, NOTHING) for n in node.children if first.get(n)}
        different = len(signals) > 1 and len(set(signals.values())) > 1
        return different and any(n.order <= node.order for n in signals)

    def _is_weight(self, node: Contraction, position: int) -> bool:
        """Whether an operand acts on the others as the weight of a layer."""
        operand, labels = node.operands[position]
        others = [o for k, o in enumerate(node.operands) if k != position]
        signals = [(n, ls) for n, ls in others if n not in self._parametric]
        met = {label for _, ls in signals for label in ls}
        joint = [label for label in labels if label in met and label not in node.output]
        if operand in self._parametric:
            if not signals:  # both are differentiated by: the matrix is the weight
                return any(
                    n is not operand and n.order < operand.order and set(ls) & set(labels)
                    for n, ls in others
                )
            if len(signals) < len(others):
                return False  # a product of parameters: a penalty
            if operand in self.targets:
                return not operand.order or any(n.order for n, _ in signals)
            return bool(joint)
        if operand in self._active:
            return False
        # held fixed here, yet a linear map of a signal: it has an axis of its own
        inner = {label for n, ls in signals if n in self._active for label in ls}
        new = any(label in node.output and label not in inner for label in labels)
        return new and any(label in inner for label in joint)

    def _find_outputs(self) -> frozenset[Node]:
        if self.root.order:
            return frozenset([self.root])  # no cost: the network's own output is differentiated
        layers = self.first_layers.get(self.root, NOTHING)
        below = self._at_or_below({n for layer in layers for n in self._edges[layer]})
        return frozenset(layers - below)

    def _at_or_below(self, nodes: set[Node] | frozenset[Node]) -> set[Node]:
        found: set[Node] = set()
        stack = list(nodes)
        while stack:
            node = stack.pop()
            if node not in found:
                found.add(node)
                stack.extend(self._edges.get(node, ()))
        return found

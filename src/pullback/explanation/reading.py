"""The trace as steps: each is made from the links of one operation when it is asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cached_property, partial

from pullback.derivation.result import Derivation
from pullback.differentiation.local import hand_on
from pullback.explanation.laws import laws_by_gradient
from pullback.explanation.operations import function_title, joins_blocks, link_kind, operation_of
from pullback.explanation.reasons import (
    law_of,
    local_derivative,
    readings_used,
    structure,
    transpose_reason,
)
from pullback.explanation.roles import ACTIVATION, Role, Roles
from pullback.explanation.steps import (
    BackwardStep,
    Factor,
    Formula,
    ForwardStep,
    HandOn,
    Lazy,
    Quantity,
)
from pullback.explanation.wording import Wording
from pullback.expressions import constructors as make
from pullback.expressions.nodes import Apply, Contraction, Node, Sum, Variable
from pullback.notation.names import latex_name
from pullback.trace import Link

OBVIOUS = 6  # values joined in a gradient that is told in full beside its name


class Reader:
    """Reads one trace: forward values, then one step per operation of the backward pass."""

    def __init__(self, derivations: Mapping[str, Derivation]) -> None:
        self.derivations = dict(derivations)
        first = next(iter(self.derivations.values()))
        self.program = first.program
        self.trace = first.trace
        self.targets = {d.wrt[0].node: d.wrt[0].name for d in self.derivations.values()}
        self.words = Wording(self.program)
        self.roles = Roles(self.program.result, list(self.targets), self.trace)
        self.links: dict[Node, dict[Node, list[Link]]] = {}
        self._into: dict[Node, list[Node]] = {}  # operand → operations that hand on to it
        for link in self.trace.links:
            operands = self.links.setdefault(link.operation, {})
            if link.operand not in operands:
                self._into.setdefault(link.operand, []).append(link.operation)
            operands.setdefault(link.operand, []).append(link)
        self.operations = [n for n in self.trace.cotangents if n in self.links]
        for link in self.trace.links:  # a sum hands on what it was handed
            passed = isinstance(link.operation, Sum) and link.handed_on is link.handed
            if passed and len(self._into[link.operand]) == 1:
                self.words.share_gradient(link.operation, link.operand)
        self._known_factors: dict[tuple[Node, Node], tuple[Factor, ...]] = {}
        self._laws = laws_by_gradient(self.trace)

    # Forward

    @cached_property
    def forward(self) -> Lazy[ForwardStep]:
        """Inputs and parameters, then the lines, intermediates before the line they stand in."""
        steps: list[Callable[[], ForwardStep]] = [
            partial(self._given, node) for node in self.program.variables.values()
        ]
        shown: set[Node] = set()
        unnamed = set(self.words.intermediates)
        lines = dict(self.program.lines)
        if self.program.result not in lines.values():
            lines[self.words.result.text] = self.program.result
        for name, node in lines.items():
            for below in self._not_yet(node, unnamed, shown):
                steps.append(partial(self._forward, "intermediate", below))
            if self.words.plainly(node).text != name or isinstance(node, Variable):
                steps.append(partial(self._second_name, name, node))
            elif node not in shown:
                shown.add(node)
                steps.append(partial(self._forward, "line", node))
        return Lazy(steps)

    def _given(self, node: Variable) -> ForwardStep:
        kind = "parameter" if node in self.targets else "input"
        noted = ", ".join(sorted(node.assumptions))
        return ForwardStep(kind, self.words.value(node), "given", noted and f"declared {noted}")

    def _second_name(self, name: str, node: Node) -> ForwardStep:
        row = name in self.program.rows
        same = [self.words.told(node, row=row)]
        value = self.words.quantity(node, self.words.named(name), same, row=row)
        return ForwardStep("line", value, "another name")

    def _forward(self, kind: str, node: Node) -> ForwardStep:
        value = self.words.value(node)
        return ForwardStep(kind, value, self._operations(node), typed=self._typed(value.name.text))

    def _typed(self, name: str) -> str:
        """The line of the user's text that has this name."""
        return self._lines_typed.get(name, "")

    @cached_property
    def _lines_typed(self) -> dict[str, str]:
        found = re.finditer(r"^[ \t]*(\w+)[ \t]*=(.*)$", self.program.text, re.MULTILINE)
        return {match[1]: match[2].split("#")[0].strip() for match in found}

    def _operations(self, node: Node) -> str:
        """The operations of one line, in the order in which they are done."""
        if isinstance(node, Variable):
            return "another name"
        order: list[Node] = []
        seen: set[Node] = set()
        stack = [(node, False)]
        while stack:
            part, ready = stack.pop()
            if ready:
                order.append(part)
            elif part not in seen:
                seen.add(part)
                stack.append((part, True))
                for child in () if joins_blocks(part) else part.children:
                    constant = make.constant_value(child) is not None or not child.children
                    if not constant and not self.words.is_named(child):
                        stack.append((child, False))
        if len(order) > OBVIOUS:
            order = [node]
        return "; ".join(operation_of(part).sentence for part in order)

    def _not_yet(self, node: Node, unnamed: set[Node], shown: set[Node]) -> list[Node]:
        """Intermediates with names of their own below a line that were not shown before."""
        found = []
        stack = [node]
        seen = {node}
        while stack:
            part = stack.pop()
            if part is not node and part in unnamed and part not in shown:
                found.append(part)
            for child in part.children:
                if child not in seen and child not in shown:
                    seen.add(child)
                    stack.append(child)
        shown.update(found)
        place = {n: k for k, n in enumerate(self.words.intermediates)}
        return sorted(found, key=place.__getitem__)

    # Backward

    @cached_property
    def backward(self) -> Lazy[BackwardStep]:
        """One step for each operation of the backward pass."""
        return Lazy([partial(self._backward, k) for k in range(len(self.operations))])

    def _backward(self, k: int) -> BackwardStep:
        node = self.operations[k]
        edges = self.links[node]
        in_order = sorted(edges, key=lambda n: (n not in self.targets, edges[n][0].position))
        hands_on = tuple(self._hand_on(node, operand, edges[operand]) for operand in in_order)
        return BackwardStep(
            k + 1,
            self.words.value(node),
            operation_of(node).sentence,
            self.handed(node),
            hands_on,
            self.roles.is_layer(node) and self.roles.in_network(node),
            self._laws.get(node, ()) if len(self._into.get(node, ())) > 1 else (),
        )

    def handed(self, node: Node) -> Quantity:
        """The gradient that a value was handed: the sum of all contributions to it."""
        cotangent = self.trace.cotangents[node]
        name = self.words.gradient_name(node)
        sources = self._into.get(node, [])
        row = self.words.is_row(node) and cotangent.order == 1
        equals = []
        if not sources:
            equals.append(self.words.formula(cotangent, row=row))
        elif len(sources) > 1:
            names = [self._via(node, source) for source in sources]
            equals.append(
                Formula(" + ".join(n.text for n in names), " + ".join(n.latex for n in names))
            )
            equals.extend(self._readings(node))
        return self.words.quantity(cotangent, name, equals, row=row)

    def contribution(self, node: Node, operand: Node) -> Node:
        """What an operation hands to one operand, in the name of what it was handed."""
        links = self.links[node][operand]
        handed = self.words.gradient(node, links[0].handed)
        return make.add([(1, hand_on(node, x.position, handed, x.partial)) for x in links])

    def _hand_on(self, node: Node, operand: Node, links: list[Link]) -> HandOn:
        words, link = self.words, links[0]
        sources = self._into[operand]
        share = (sources.index(node) + 1, len(sources))
        given = self.contribution(node, operand)
        title = words.gradient_name(operand) if share[1] == 1 else self._via(operand, node)
        row = words.is_row(operand) and given.order == 1
        equals = [words.told(given, row=row)]
        laws: tuple[str, ...] = readings_used(link, words.known)
        if share[1] == 1:
            equals.extend(self._readings(operand))
            laws += self._laws.get(operand, ())
        local = local_derivative(links)
        local_name = Formula(
            f"∂{words.display(node).text}/∂{words.display(operand).text}",
            rf"\frac{{\partial {words.display(node).latex}}}{{\partial {words.display(operand).latex}}}",
        )
        role = self.roles.of(link)
        names = {n: words.display(n).text for n in node.children}
        return HandOn(
            operand=words.plainly(operand),
            gradient=words.quantity(given, title, equals, row=row),
            local=words.quantity(local, local_name, [words.formula(local)]),
            structure=structure(local),
            joined=link_kind(link).sentence,
            rule=link.rule,
            law=law_of(link),
            role=role.name,
            detail=role.detail,
            factors=self.factors(node, operand),
            transpose=transpose_reason(link, equals[0].text, words.handed_name(node).text, names),
            share=share,
            laws=tuple(dict.fromkeys(laws)),
            note=_repeated(links),
        )

    def _via(self, operand: Node, operation: Node) -> Formula:
        """The name of one of several contributions."""
        whole, through = self.words.gradient_name(operand), self.words.display(operation)
        return Formula(
            f"{whole.text} via {through.text}",
            rf"\left.{whole.latex}\right|_{{\text{{via }}{through.latex}}}",
        )

    def _readings(self, node: Node) -> list[Formula]:
        """The gradient of a value in names of values alone, where simplification made it short."""
        simple = self.trace.simplified.get(self.trace.cotangents[node])
        limit = OBVIOUS if not self._laws.get(node) else 3 * OBVIOUS
        row = self.words.is_row(node) and self.trace.cotangents[node].order == 1
        found = simple and self.words.short(simple, limit, row=row)
        return [found] if found else []

    def factors(self, node: Node, operand: Node) -> tuple[Factor, ...]:
        """The factors that one operation multiplies by on the way to one operand."""
        key = (node, operand)
        if key not in self._known_factors:
            links = self.links[node][operand]
            self._known_factors[key] = self._factors(self.roles.of(links[0]), links)
        return self._known_factors[key]

    def _factors(self, role: Role, links: list[Link]) -> tuple[Factor, ...]:
        words, link = self.words, links[0]
        place = words.plainly(link.operand)
        if role.name == ACTIVATION:
            # a function's partial; a square's is the sum over its places
            slope = link.partial
            if slope is None:
                slope = make.add([(len(links), _others(link))])
            row = words.is_row(link.operand) and slope.order == 1
            told = words.told(slope, row=row)
            name = Formula(f"{role.detail}′({place.text})", rf"{_tex(role.detail)}'({place.latex})")
            value = words.quantity(slope, name, [told], row=row)
            return (Factor(role.name, f"{role.detail}′ at {place.text}", value),)
        kinds = role.kinds or ("",) * len(role.factors)
        return tuple(
            Factor(role.name, kind or role.detail, words.value(node))
            for node, kind in zip(role.factors, kinds, strict=True)
        )

    # What others ask

    def sources(self, node: Node) -> list[Node]:
        """The operations that hand a gradient on to a value."""
        return self._into.get(node, [])

    def operand(self, step: BackwardStep, hand: HandOn) -> Node:
        """The value that a step hands a gradient on to."""
        node = self.operations[step.number - 1]
        return next(n for n in self.links[node] if self.words.plainly(n) == hand.operand)

    def role(self, operation: Node, operand: Node) -> Role:
        return self.roles.of(self.links[operation][operand][0])

    def laws_of(self, node: Node) -> tuple[str, ...]:
        """The laws by which the gradient of a value became simpler."""
        return self._laws.get(node, ())

    def told(self, node: Node) -> Quantity:
        """The gradient of a value with its formula in names of values, if that is readable."""
        cotangent = self.trace.cotangents[node]
        simple = self.trace.simplified.get(cotangent, cotangent)
        row = self.words.is_row(node) and cotangent.order == 1
        closed = self.words.short(simple, row=row)
        return self.words.quantity(
            cotangent, self.words.gradient_name(node), [closed] if closed else [], row=row
        )

    def share(self, operation: Node, operand: Node) -> Quantity:
        """The gradient of a value as :meth:`told`, or one operation's contribution to it."""
        if len(self.sources(operand)) == 1:
            return self.told(operand)
        links = self.links[operation][operand]
        whole = make.add([(1, link.handed_on) for link in links])
        row = self.words.is_row(operand) and whole.order == 1
        closed = self.words.short(self.trace.simplified.get(whole, whole), row=row)
        return self.words.quantity(
            whole, self._via(operand, operation), [closed] if closed else [], row=row
        )

    def merged_activation(self) -> str:
        """The function between the network's output and the cost, or nothing."""
        for node in self.operations:
            if isinstance(node, Apply) and self.roles.output_activation(node):
                return function_title(node)
        return ""


def _others(link: Link) -> Node:
    """The factors of a power other than the one that the link differentiates."""
    assert isinstance(link.operation, Contraction)
    return make.multiply(*[link.operand] * (len(link.operation.operands) - 1))


def _tex(name: str) -> str:
    return latex_name("sigma" if name == "σ" else name)


def _repeated(links: list[Link]) -> str:
    """A word on an operand that stands in an operation more than once."""
    if len(links) == 1:
        return ""
    times = {2: "twice", 3: "three times"}.get(len(links), f"{len(links)} times")
    return f"it stands there {times}, and the contributions add up"

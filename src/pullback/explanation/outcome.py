"""What the backward pass comes to: closed forms, updates, and which derivative is used where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from pullback.derivation.structure import law_of
from pullback.explanation.operations import is_entrywise_power
from pullback.explanation.reading import Reader
from pullback.explanation.roles import COST, SIGNAL
from pullback.explanation.steps import (
    Activation,
    Factor,
    Formula,
    LayerRow,
    Lazy,
    Result,
    RewriteStep,
)
from pullback.expressions.nodes import Apply, Contraction, Node, Sum
from pullback.notation.equations import equation
from pullback.notation.write import Form
from pullback.trace import Rewrite

PATHS = 3  # ways to a variable whose factors are listed
CHAIN = 12  # factors of a gradient that are listed before the rest is left to the steps
CLOSED = 100  # values joined in the closed form at the end
SHORT = 20  # values joined in a side of a rewrite that is still written out


def results(reader: Reader, forms: Sequence[Form] = ()) -> Lazy[Result]:
    """The derivative by each variable, in the order asked for."""
    return Lazy([partial(_result, reader, node, forms) for node in reader.targets])


def _result(reader: Reader, node: Node, forms: Sequence[Form]) -> Result:
    words = reader.words
    name = reader.targets[node]
    derivation = reader.derivations[name]
    cotangent = reader.trace.cotangents.get(node, derivation.node)
    gradient = reader.trace.simplified.get(cotangent, cotangent)  # by independent entries
    title = words.gradient_name(node)
    row = words.is_row(node) and gradient.order == 1
    update = None
    if not reader.program.result.order and derivation.structured is None:
        step = words.fresh(["α", "η", "step"])
        tex = {"α": r"\alpha", "η": r"\eta", "step": r"\mathrm{step}"}[step]
        own = words.plainly(node)
        update = Formula(
            f"{own.text} ← {own.text} − {step} {title.text}",
            rf"{own.latex} \leftarrow {own.latex} - {tex}\, {title.latex}",
        )
    sources = reader.sources(node)
    if not sources and node is not reader.program.result:
        zero = words.quantity(gradient, title, [words.formula(gradient)], row=row)
        note = f"{words.result.text} does not depend on {name}"
        return Result(words.plainly(node), zero, (), update, note=note)
    equals = list(reader.handed(node).equals)
    if len(sources) == 1:
        equals = [words.told(reader.contribution(sources[0], node), row=row)]
    closed = words.short(gradient, CLOSED, row=row)
    equals += [closed] if closed else []
    law = law_of(node, derivation.structured)
    same_name = replace(reader.program, result_name=words.result.text)
    named = replace(derivation, program=same_name)
    more = tuple(
        Formula(
            equation(named, form, named=True),
            equation(named, form, style="latex", named=True),
            form,
        )
        for form in forms
        if form != "matrix" or law
    )
    said = derivation.along()
    note = f"{said}: {law}, where G is {title.text} by independent entries" if law else said
    return Result(
        words.plainly(node),
        words.quantity(gradient, title, equals, row=row),
        tuple(_factors(reader, node)),
        update,
        reader.laws_of(node),
        more,
        note,
    )


def _factors(reader: Reader, node: Node) -> list[Factor]:
    """The factors of a gradient, path by path where several operations hand on to the variable."""
    sources = reader.sources(node)
    if len(sources) == 1:
        return _chain(reader, sources[0], node)
    found = []
    for source in sources[:PATHS]:
        via = f"via {reader.words.plainly(source).text}"
        for factor in _chain(reader, source, node):
            detail = f"{factor.detail}, {via}" if factor.detail else via
            found.append(replace(factor, detail=detail))
    return found


def _chain(reader: Reader, operation: Node, operand: Node) -> list[Factor]:
    """The factors from the cost down one link, as long as one path leads up from it."""
    found: list[Factor] = []
    while len(found) < CHAIN:
        role = reader.role(operation, operand)
        if role.name == COST:
            merged = reader.merged_activation() if operand in reader.roles.outputs else ""
            detail = f"merged with output activation {merged}" if merged else role.detail
            found.append(Factor(COST, detail, reader.share(operation, operand)))
            break
        found.extend(reader.factors(operation, operand))
        sources = reader.sources(operation)
        if not sources:
            break
        if len(sources) > 1:
            detail = f"the sum over {len(sources)} paths"
            role_name = COST if operation in reader.roles.outputs else SIGNAL
            found.append(Factor(role_name, detail, reader.told(operation)))
            break
        operation, operand = sources[0], operation
    return found[::-1]


def layers(reader: Reader) -> Lazy[LayerRow]:
    """A row per layer, from the input to the output."""
    roles = reader.roles
    found = [n for n in reversed(reader.operations) if roles.is_layer(n) and roles.in_network(n)]
    named = set(reader.program.lines.values())
    inner = {
        term
        for node in found
        if isinstance(node, Sum)
        for _, term in node.terms
        if isinstance(term, Contraction) and term not in named
    }
    above: dict[Node, list[tuple[Node, Node]]] = {}
    for node in reversed(reader.operations):
        function = isinstance(node, Apply) or is_entrywise_power(node)
        for operand in reader.links[node] if function and roles.in_network(node) else ():
            first = roles.first_layers.get(operand, ())
            if len(first) == 1:
                above.setdefault(next(iter(first)), []).append((node, operand))
    return Lazy([partial(_row, reader, n, above.get(n, [])) for n in found if n not in inner])


def _row(reader: Reader, node: Node, functions: list[tuple[Node, Node]]) -> LayerRow:
    words = reader.words
    output = node in reader.roles.outputs and not reader.program.result.order
    activations = [
        Activation(reader.role(f, operand).detail, told.value.equals[0], words.plainly(operand))
        for f, operand in functions
        for told in reader.factors(f, operand)
        if told.value.equals
    ]
    cost = reader.told(node) if output else None
    return LayerRow(
        layer=words.plainly(node),
        weights=tuple(words.plainly(p) for p in reader.roles.parameters(node)),
        activations=tuple(activations),
        cost=(*cost.equals, cost.name)[0] if cost else None,
        merged=reader.merged_activation() if output else "",
        handed=words.gradient_name(node),
    )


def rewrites(reader: Reader) -> Lazy[RewriteStep]:
    """Every simplification in the order in which it was made."""
    return Lazy([partial(_rewrite, reader, rewrite) for rewrite in reader.trace.rewrites])


def _rewrite(reader: Reader, rewrite: Rewrite) -> RewriteStep:
    short = reader.words.short
    return RewriteStep(rewrite.law, short(rewrite.before, SHORT), short(rewrite.after, SHORT))

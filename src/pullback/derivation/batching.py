"""One sample becomes a batch: a leading axis for the samples, and the average of the result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pullback.derivation.derive import find
from pullback.errors import PullbackError
from pullback.expressions import constructors as make
from pullback.expressions.nodes import Apply, Contraction, Node, Sum, Variable
from pullback.expressions.program import Program
from pullback.expressions.sizes import Size, shape_text
from pullback.expressions.walks import depending_on, post_order


def batch(program: Program, over: Sequence[str]) -> Program:
    """The program for many samples at once: its result is the average over them.

    Each variable of ``over`` gets a leading axis of a new size (``N`` unless that is taken);
    lines keep their names and get the axis where they depend on a sample. No loop over samples
    is made: products over the batch are matrix products.
    """
    samples: dict[Node, Node] = {}
    size = Size.of(_fresh_size(program))
    for name in over:
        found = find(program, name).node
        if not isinstance(found, Variable):
            raise PullbackError(f"'{name}' is a line, not a variable: batch over variables")
        samples[found] = make.variable(name, (size, *found.shape), found.assumptions)
    if program.result.order:
        raise PullbackError(
            f"only a scalar can be averaged over a batch; the result is {shape_text(program.result.shape)}"
        )
    roots = [*program.lines.values(), program.result]
    batched = _batched(roots, samples, size)
    each = batched.get(program.result)
    if each is None:
        raise PullbackError(f"the result does not depend on {' or '.join(over)}")
    mean = make.multiply(make.power(make.size_value(size), -1), make.total(each))
    lines = {name: batched.get(node, node) for name, node in program.lines.items()}
    for name, node in program.lines.items():
        if node is program.result:
            lines[name] = mean
    variables = dict(program.variables)
    variables.update({v.name: v for v in samples.values() if isinstance(v, Variable)})
    kept = {name for name in lines if lines[name] is program.lines[name]}
    kept |= {name for name, v in variables.items() if v is program.variables.get(name)}
    assumed = [
        a for a in program.assumed if not a.startswith(tuple(f"{name} is " for name in over))
    ]
    assumed += [f"{name} holds one sample for each of {size}" for name in over]
    return replace(
        program,
        assumed=tuple(assumed),
        result=mean,
        variables=variables,
        lines=lines,
        rows=program.rows & kept,
        places={batched.get(n, n): place for n, place in program.places.items()},
    )


def _fresh_size(program: Program) -> str:
    used = {*program.variables, *program.lines}
    used |= {name for v in program.variables.values() for s in v.shape for name in s.names}
    return next(
        name for name in ("N", "B", *(f"N{k}" for k in range(1, len(used) + 2))) if name not in used
    )


def _batched(roots: Sequence[Node], samples: dict[Node, Node], size: Size) -> dict[Node, Node]:
    """The image of every node that depends on a sample, with its leading axis."""
    image: dict[Node, Node] = dict(samples)
    active: set[Node] = set()
    for root in roots:
        active |= depending_on(root, samples)

    def spread(node: Node) -> Node:
        return image[node] if node in active else make.broadcast(node, (size, *node.shape))

    for node in post_order(*roots):
        if node not in active or node in image:
            continue
        if isinstance(node, Sum):
            image[node] = make.add([(c, spread(t)) for c, t in node.terms])
        elif isinstance(node, Contraction):
            pairs = [
                (image[n], ["sample", *ls]) if n in active else (n, list(ls))
                for n, ls in node.operands
            ]
            sizes = dict(enumerate(node.sizes))
            image[node] = make.contract(pairs, ["sample", *node.output], sizes)
        else:
            assert isinstance(node, Apply)
            arguments = [spread(n) for n in node.arguments]
            image[node] = make.apply(node.function, arguments, (size, *node.shape))
    return image

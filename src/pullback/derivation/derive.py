"""The derivative of a program by its variables and named lines."""

from __future__ import annotations

from collections.abc import Sequence

from pullback.derivation.result import Derivation, Wrt
from pullback.derivation.structure import Convention, bend, respecting
from pullback.derivation.structure import check as check_convention
from pullback.differentiation.reverse import reverse
from pullback.errors import PullbackError, suggestion
from pullback.expressions import constructors as make
from pullback.expressions.nodes import Apply, Node, Variable
from pullback.expressions.program import Program
from pullback.expressions.walks import substitute, variables
from pullback.simplification.simplify import simplify
from pullback.trace import Trace


def find(program: Program, name: str) -> Wrt:
    """The variable or line of this name; an unknown name is an error that suggests others."""
    node = program.variables.get(name) or program.lines.get(name)
    if node is None:
        known = [*program.variables, *program.lines]
        raise PullbackError(
            f"there is no '{name}' to differentiate by in this program",
            hint=suggestion(name, known, "it has"),
        )
    return Wrt(name, node)


def target_of(program: Program, name: str) -> Wrt:
    """What to differentiate by; a line that leaves no node of its own cannot be held free."""
    found = find(program, name)
    node = found.node
    if name in program.closed:
        raise PullbackError(
            f"the line '{name}' cannot be held free in what has been differentiated already: "
            "parts of it may stand there without the whole",
            hint=f"name both at once, as in pb.derivative(f, 'x', '{name}')",
        )
    lost = make.split_coefficient(node)[1] is not node or make.is_zero(node) or make.is_view(node)
    if lost or (isinstance(node, Apply) and node.function == "power"):
        raise PullbackError(
            f"the line '{name}' is only a multiple, a transpose or a power of something else, "
            "and what uses it uses that directly: it cannot be held free",
            program.places.get(node),
            f"differentiate by what it is made of, or declare '{name}' as a variable of its own",
        )
    return found


def derive(
    program: Program, wrt: Sequence[str], structured: Convention | None = None
) -> Derivation:
    """The derivative by each name of ``wrt`` in turn; two names give a second derivative.

    A named line is held free: its value is differentiated by as if it were a variable, wherever
    it occurs; a line that is a mere multiple or transpose is refused. Entries of a
    variable are independent whatever is assumed of it; assumptions are used in the result only.
    ``structured`` asks for the partials by the free entries of a symmetric, diagonal or skew
    variable (``"free"``) or for the gradient along such matrices (``"tangent"``, also for an
    orthogonal one); see :mod:`.structure`.
    """
    if not wrt:
        raise PullbackError("name at least one variable to differentiate by")
    if len(wrt) == 1:
        return derive_each(program, wrt, structured)[wrt[0]]
    targets = tuple(target_of(program, name) for name in wrt)
    check_convention(structured, [target.node for target in targets])
    free = _unassumed_variables(program.result)
    free |= {target.node: make.variable(target.name, target.node.shape) for target in targets}
    node = substitute(program.result, free)
    for target in targets[:-1]:
        (raw,) = reverse(node, [free[target.node]])
        node = simplify(raw)
    trace = Trace()
    (raw,) = reverse(node, [free[targets[-1].node]], trace)
    held = {stand_in: target for target, stand_in in free.items()}
    raw = substitute(raw, held)
    if structured and targets[0] == targets[-1]:
        less = bend(substitute(node, held), targets[0].node, program.result.order)
        raw = raw if less is None else make.add([(1, raw), (-1, less)])
    return _finished(program, targets, raw, trace, structured)


def derive_each(
    program: Program, names: Sequence[str], structured: Convention | None = None
) -> dict[str, Derivation]:
    """First derivatives by several names from one backward pass, with one shared trace."""
    targets = [target_of(program, name) for name in names]
    for target in targets:
        check_convention(structured, [target.node])
    trace = Trace()
    raws = reverse(program.result, [t.node for t in targets], trace)
    for cotangent in trace.cotangents.values():
        simplify(cotangent, trace)
    return {
        target.name: _finished(program, (target,), raw, trace, structured)
        for target, raw in zip(targets, raws, strict=True)
    }


def _finished(
    program: Program,
    targets: tuple[Wrt, ...],
    raw: Node,
    trace: Trace,
    structured: Convention | None,
) -> Derivation:
    """The simplified derivative, in the convention asked for."""
    if structured is not None:
        first = program.result.order
        for target in targets:
            raw = respecting(raw, target.node, first, structured)
            first += target.node.order
    return Derivation(program, targets, simplify(raw, trace), raw, trace, structured)


def to_derive_again(derivation: Derivation) -> Node:
    """The derivative, simplified by nothing that is assumed of its variables, its lines whole.

    An assumption holds where the derivative is evaluated, and need not hold beside it: with
    Σᵢ pᵢ = 1 put in, nothing would be left to differentiate by p. And a line that was held free
    must not be merged with what stands beside it. So whatever is differentiated again starts
    from here.
    """
    free = _unassumed_variables(derivation.raw)
    for target in derivation.wrt:
        if not isinstance(target.node, Variable):
            free[target.node] = make.variable(target.name, target.node.shape)
    if not free:
        return derivation.node
    node = simplify(substitute(derivation.raw, free))
    return substitute(node, {stand_in: held for held, stand_in in free.items()})


def _unassumed_variables(root: Node) -> dict[Node, Node]:
    """For each variable of which something is assumed, one of which nothing is."""
    return {v: make.variable(v.name, v.shape) for v in variables(root) if v.assumptions}

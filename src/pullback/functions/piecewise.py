"""Functions with kinks, entry by entry. At a kink each takes the value its convention states."""

from __future__ import annotations

from pullback.expressions import constructors as make
from pullback.expressions.nodes import Node
from pullback.functions.domains import POSITIVE, REAL
from pullback.functions.record import Function, Reading, argument_of, elementwise


def _step_of_relu(node: Node) -> tuple[Node, Node] | None:
    """step(x) as step(relu x), for a reader who calls relu x by a name."""
    inner = argument_of("step", node)
    if inner is None:
        return None
    value = relu.apply([inner])
    return make.apply("step", [value], value.shape), value


step: Function = elementwise(
    "step",
    partial=lambda y, x: 0 * y,
    code="xp.sign(xp.maximum({0}, 0))",
    exact=lambda mp, x: mp.mpf(1) if x > 0 else mp.mpf(0),
    doc="Unit step: 1 where x > 0, else 0.",
    latex=r"\operatorname{step}",
    kinks=(0,),
    convention="step(0) = 0; its derivative is taken as 0 everywhere",
    readings=(Reading("step(x) = step(relu x)", _step_of_relu, by_name=True),),
    analytic=False,
)

relu: Function = elementwise(
    "relu",
    partial=lambda y, x: step(x),
    code="xp.maximum({0}, 0)",
    exact=lambda mp, x: x if x > 0 else mp.mpf(0),
    doc="Rectifier max(x, 0).",
    latex=r"\operatorname{relu}",
    kinks=(0,),
    convention="relu′(0) = 0",
    analytic=False,
)

sign: Function = elementwise(
    "sign",
    partial=lambda y, x: 0 * y,
    code="xp.sign({0})",
    exact=lambda mp, x: mp.sign(x),
    doc="Sign: −1, 0 or 1.",
    latex=r"\operatorname{sign}",
    kinks=(0,),
    convention="sign(0) = 0; its derivative is taken as 0 everywhere",
    analytic=False,
)

abs: Function = elementwise(
    "abs",
    partial=lambda y, x: sign(x),
    code="xp.abs({0})",
    exact=lambda mp, x: mp.fabs(x),
    doc="Absolute value.",
    latex=r"\left|{0}\right|",
    kinks=(0,),
    convention="|x|′ = 0 at x = 0",
    analytic=False,
)


def _beside_zero(a: Node, b: Node) -> Node | None:
    """max(x, 0) is relu(x)."""
    for x, other in ((a, b), (b, a)):
        if make.is_zero(other):
            return relu.apply([x])
    return None


maximum: Function = elementwise(
    "maximum",
    partial=(lambda y, a, b: step(a - b), lambda y, a, b: 1 - step(a - b)),
    code="xp.maximum({0}, {1})",
    exact=lambda mp, a, b: max(a, b),
    doc="The larger of two numbers, entry by entry.",
    domain=(REAL, REAL),
    latex=r"\max",
    convention="at a tie the derivative is that of the second argument; max(x, 0) is relu(x)",
    normal=_beside_zero,
    analytic=False,
)

minimum: Function = elementwise(
    "minimum",
    partial=(lambda y, a, b: step(b - a), lambda y, a, b: 1 - step(b - a)),
    code="xp.minimum({0}, {1})",
    exact=lambda mp, a, b: min(a, b),
    doc="The smaller of two numbers, entry by entry.",
    domain=(REAL, REAL),
    latex=r"\min",
    convention="at a tie the derivative is that of the second argument",
    analytic=False,
)

clip: Function = elementwise(
    "clip",
    partial=(
        lambda y, x, low, high: step(x - low) * step(high - x),
        lambda y, x, low, high: step(high - low) * (1 - step(x - low)),
        lambda y, x, low, high: 1 - step(high - maximum(x, low)),
    ),
    code="xp.minimum(xp.maximum({0}, {1}), {2})",
    exact=lambda mp, x, low, high: min(max(x, low), high),
    doc="x limited to the interval from low to high, min(max(x, low), high).",
    domain=(REAL, REAL, REAL),
    latex=r"\operatorname{clip}",
    convention="clip′ = 0 at the ends of the interval",
    analytic=False,
)

huber: Function = elementwise(
    "huber",
    partial=(lambda y, r, d: clip(r, -d, d), lambda y, r, d: relu(abs(r) - d)),
    code="xp.where(xp.abs({0}) <= {1}, 0.5 * {0} * {0}, {1} * (xp.abs({0}) - 0.5 * {1}))",
    exact=lambda mp, r, d: r * r / 2 if mp.fabs(r) <= d else d * (mp.fabs(r) - d / 2),
    doc="Huber's function: r²/2 for |r| ≤ d, d (|r| − d/2) beyond, d > 0.",
    domain=(REAL, POSITIVE),
    defaults=(1,),
    latex=r"\operatorname{huber}",
    analytic=False,
)

"""One record per function: all that any floor needs to know of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from pullback.errors import MissingRule, PullbackError, ShapeError
from pullback.expressions import constructors as make
from pullback.expressions.nodes import Apply, Node
from pullback.expressions.sizes import Shape, Size, shape_text
from pullback.functions.algebra import Term, TermLike, as_term
from pullback.functions.domains import REAL, Domain

Partial = Callable[..., Term]  # (result, *arguments) → tensor: batch, result core, argument core


@dataclass(frozen=True)
class LinearMap:
    """A partial as a linear map, where its tensor has no formula worth writing.

    ``forward`` gets the result, the arguments and a tangent of the argument, and gives the tangent
    of the result; ``adjoint`` gets a cotangent of the result and gives that of the argument. All
    have the same batch axes.
    """

    forward: Callable[..., Term]
    adjoint: Callable[..., Term]


@dataclass(frozen=True)
class NotDifferentiable:
    """In place of a partial: the derivative does not exist, and why."""

    reason: str


Rule = Partial | LinearMap | NotDifferentiable


@dataclass(frozen=True)
class Law:
    """A named identity: ``rewrite`` gets the arguments and returns a node, or None."""

    statement: str
    rewrite: Callable[..., Node | None]


@dataclass(frozen=True)
class Reading:
    """A textbook form of the same value, for print and never for code.

    ``rewrite`` gets a node and returns its textbook form and a node that the reader must already
    have for that form to help; or None. ``by_name`` if it only helps where the reader has a name
    for that node, and none for the argument. ``simplify``: its factors then cancel with those
    around.
    """

    statement: str
    rewrite: Callable[[Node], tuple[Node, Node] | None]
    by_name: bool = False
    simplify: bool = False


def argument_of(function: str, node: Node) -> Node | None:
    """The argument of a node that applies this one-argument function, or None."""
    if isinstance(node, Apply) and node.function == function:
        return node.arguments[0]
    return None


@dataclass(frozen=True)
class Signature:
    """Core axes of arguments and result, as in NumPy's generalised ufuncs.

    >>> Signature.parse("(i,j),(j)->(i)").result
    ('i',)
    """

    arguments: tuple[tuple[str, ...], ...]
    result: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Signature:
        before, _, after = text.replace(" ", "").partition("->")
        groups = [tuple(filter(None, g.split(","))) for g in re.findall(r"\(([^)]*)\)", before)]
        return cls(tuple(groups), tuple(filter(None, after.strip("()").split(","))))

    @property
    def elementwise(self) -> bool:
        return not self.result and not any(self.arguments)

    def shape(self, name: str, shapes: Sequence[Shape]) -> Shape:
        """The shape of the result; ShapeError says which argument does not fit."""
        if len(shapes) != len(self.arguments):
            raise PullbackError(f"{name} takes {len(self.arguments)} arguments, not {len(shapes)}")
        sizes: dict[str, Size] = {}
        batch: Shape = ()
        for shape, core in zip(shapes, self.arguments, strict=True):
            if len(shape) < len(core):
                raise ShapeError(
                    f"{name} needs an argument with {len(core)} axes, not {shape_text(shape)}"
                )
            lead = shape[: len(shape) - len(core)]
            if lead and batch and lead != batch:
                raise ShapeError(f"{name} cannot pair {shape_text(batch)} with {shape_text(lead)}")
            batch = lead or batch
            for label, size in zip(core, shape[len(lead) :], strict=True):
                if sizes.setdefault(label, size) != size:
                    raise ShapeError(
                        f"{name} needs equal sizes where it has {sizes[label]} and {size}"
                    )
        return batch + tuple(sizes[label] for label in self.result)


@dataclass(frozen=True)
class Function:
    """A primitive: a node of its own, with a partial for each argument.

    ``partials[k]`` states ∂result/∂argument k as a tensor: batch axes, then the result's core
    axes, then the argument's. Forward, reverse and any other order only contract it. A
    :class:`LinearMap` in its place is applied to tangents and cotangents.
    ``code`` is NumPy text (``xp`` is the array library, ``{0}`` an argument); several lines may
    name temporaries, the last is the value. ``exact`` computes the value from mpmath numbers,
    independently of ``code``: scalars for elementwise functions, nested lists otherwise.
    """

    name: str
    signature: Signature
    partials: tuple[Rule, ...]
    code: str
    exact: Callable[..., Any]  # (mpmath context, *arguments)
    doc: str
    domain: tuple[Domain, ...] = (REAL,)
    latex: str = ""  # a command such as \tanh, or a template with {0}
    symbol: str = ""  # in Unicode text, or a template with {0}; the name if empty
    special: tuple[float, ...] = ()  # points where a careless formula loses digits
    defaults: tuple[float, ...] = ()  # of the last arguments
    aliases: tuple[str, ...] = ()  # other names that are very common
    kinks: tuple[float, ...] = ()  # where it is continuous but has no derivative
    convention: str = ""  # the value of the derivative at a kink, said in answers
    piece: Callable[..., Hashable] | None = None  # on which smooth piece the arguments lie
    normal: Callable[..., Node | None] | None = None  # what is made in its place, kinks the same
    reduction: bool = False  # of a vector to a number; of all entries where no axis is said
    jointly: Callable[[Term, Sequence[int]], Term] | None = (
        None  # over several axes, if not in turn
    )
    pairs: str = ""  # the function, entry by entry, that this name means with two arguments
    selects: bool = False  # picks an argument by the first; the others then need no value
    laws: tuple[Law, ...] = ()
    complement: Law | None = None  # 1 − f(…) as one function
    products: tuple[Law, ...] = ()  # f(…) times another factor, the last argument, as one node
    readings: tuple[Reading, ...] = ()
    positive: bool = False  # all values are > 0
    unit_sum: bool = False  # the values sum to 1 over the last axis
    linear: tuple[int, ...] = ()  # the arguments in which it is linear, by a LinearMap each
    turns: bool = False  # of the transposes it is the transpose; a vector or a number is the same
    orthogonal: bool = False  # the values are orthogonal matrices
    effort: int = 30  # multiplications for each entry of an exact value, about
    analytic: bool = True

    def __post_init__(self) -> None:
        needed = ["code", "doc", "domain", *(["partials"] if self.signature.arguments else [])]
        missing = [f for f in needed if not getattr(self, f)]
        if missing:
            raise ValueError(f"the record of {self.name} lacks {', '.join(missing)}")
        if len(self.partials) != len(self.signature.arguments):
            raise ValueError(f"the record of {self.name} needs a partial for each argument")

    @property
    def elementwise(self) -> bool:
        return self.signature.elementwise

    @property
    def takes_axis(self) -> bool:
        """Whether it is a function of one vector, so that it can go along an axis of more."""
        return [len(core) for core in self.signature.arguments] == [1]

    def __call__(self, *arguments: TermLike) -> Term:
        return Term(self.apply([as_term(a).node for a in arguments]))

    def apply(self, nodes: Sequence[Node]) -> Node:
        """The node of this function; scalars broadcast against an elementwise partner."""
        missing = len(self.partials) - len(nodes)
        if 0 < missing <= len(self.defaults):
            nodes = [*nodes, *map(make.constant, self.defaults[-missing:])]
        if not self.elementwise:
            shape = self.signature.shape(self.name, [n.shape for n in nodes])
            return self._of_cores(self._batched(nodes, shape), shape)
        shape = max((n.shape for n in nodes), key=len, default=())
        nodes = [n if n.order else make.broadcast(n, shape) for n in nodes]
        self.signature.shape(self.name, [n.shape for n in nodes])
        other = self.normal(*nodes) if self.normal else None
        if other is not None:
            return other
        # f of a permuted or broadcast tensor is f of the tensor, permuted or broadcast
        open_ = [n for n in nodes if make.constant_value(n) is None]
        viewed = make.through_view(open_[0]) if len(open_) == 1 else None
        if viewed is not None:
            inner, view = viewed
            parts = [
                inner if n is open_[0] else make.constant(make.constant_value(n) or 0, inner.shape)
                for n in nodes
            ]
            return make.view_like(self.apply(parts), view)
        return make.apply(self.name, nodes, shape)

    def along(self, node: Node, axes: Sequence[int]) -> Node:
        """A function of one vector along axes of a tensor (counted from 0), one after another."""
        if self.jointly is not None and len(axes) != 1:
            return self.jointly(Term(node), axes).node
        for axis in sorted(axes, reverse=True):
            order = [a for a in range(node.order) if a != axis] + [axis]
            node = self.apply([make.transpose(node, order)])
            if len(self.signature.result) == 1:  # else the new axes stay last
                node = make.transpose(node, [order.index(a) for a in range(node.order)])
        return node

    def _batched(self, nodes: Sequence[Node], shape: Shape) -> list[Node]:
        """Arguments without batch axes repeated along those of the others."""
        lead = shape[: len(shape) - len(self.signature.result)]
        return [
            n if n.order > len(core) or not lead else make.broadcast(n, lead + n.shape)
            for n, core in zip(nodes, self.signature.arguments, strict=True)
        ]

    def _of_cores(self, nodes: Sequence[Node], shape: Shape) -> Node:
        """The node; what is repeated along a batch axis in every argument is computed once."""
        axes = list(range(len(shape)))
        for axis in range(len(shape) - len(self.signature.result)):
            single = [make.without_repeats(n, axis - len(shape) + len(axes)) for n in nodes]
            if all(n is not None for n in single) and single:
                nodes = [n for n in single if n is not None]
                axes.remove(axis)
        value = make.apply(self.name, nodes, tuple([shape[a] for a in axes]))
        return make.contract([(value, axes)], range(len(shape)), dict(enumerate(shape)))

    def rule(self, index: int) -> Partial | LinearMap:
        """How the result depends on argument ``index``; MissingRule where nothing is known."""
        rule = self.partials[index]
        if isinstance(rule, NotDifferentiable):
            raise MissingRule(
                f"no derivative of {self.name} with respect to argument {index + 1}: {rule.reason}"
            )
        return rule

    def partial(self, index: int, result: Node, arguments: Sequence[Node]) -> Node | None:
        """∂result/∂argument ``index`` as a tensor expression; None where it is a linear map."""
        rule = self.rule(index)
        if isinstance(rule, LinearMap):
            return None
        return rule(Term(result), *map(Term, arguments)).node


@dataclass(frozen=True)
class Definition:
    """A function that is a formula in others; it leaves no node of its own.

    ``expand`` gets terms and returns a term, or raises PullbackError for arguments that do not
    fit. ``parameters`` names them, with ``=`` for a default number. A reduction has one parameter;
    its ``expand`` also gets the axes that it goes over, counted from 0.
    """

    name: str
    parameters: tuple[str, ...]
    expand: Callable[..., Term]
    doc: str
    result: str  # "scalar" for a total over all entries, "same" for the shape of the first, "other"
    reduction: bool = False  # over the axes that are said, else over all
    aliases: tuple[str, ...] = ()
    pairs: str = ""  # as in a Function
    signatures: tuple[str, ...] = ()  # what it takes, if not any shapes alike

    @property
    def takes_axis(self) -> bool:
        return self.reduction

    def along(self, node: Node, axes: Sequence[int]) -> Node:
        """A reduction over axes of a tensor, counted from 0."""
        return self.expand(Term(node), tuple(axes)).node

    def apply(self, nodes: Sequence[Node]) -> Node:
        defaults = [p.partition("=")[2] for p in self.parameters]
        least = sum(not d for d in defaults)
        if not least <= len(nodes) <= len(defaults):
            names = ", ".join(self.parameters)
            raise PullbackError(f"{self.name} takes ({names}), not {len(nodes)} arguments")
        if self.reduction:
            return self.along(nodes[0], range(nodes[0].order))
        given = [Term(n) for n in nodes]
        given += [as_term(make.constant(float(d))) for d in defaults[len(nodes) :]]
        return self.expand(*given).node

    def __call__(self, *arguments: TermLike) -> Term:
        return Term(self.apply([as_term(a).node for a in arguments]))


def elementwise(
    name: str,
    partial: Rule | tuple[Rule, ...],
    **fields: Any,
) -> Function:
    """The record of a function of single numbers, applied entry by entry.

    ``partial`` gets the result and the arguments as terms: ``lambda y, x: …``.
    """
    partials = partial if isinstance(partial, tuple) else (partial,)
    signature = Signature(((),) * len(partials), ())
    return Function(name=name, signature=signature, partials=partials, **fields)


def function(name: str, signature: str, partials: tuple[Rule, ...], **fields: Any) -> Function:
    """The record of a function of whole vectors or matrices, such as ``(i,j)->()``."""
    return Function(name=name, signature=Signature.parse(signature), partials=partials, **fields)


Record = Function | Definition


def over_its_partner(x: Node, other: Node, partner: str, quotient: Function) -> Node | None:
    """f(x) g(x)ᵏ for k < 0 as q(x) g(x)ᵏ⁺¹, where q = f/g: sin x/cos x = tan x."""
    if not isinstance(other, Apply) or other.function != "power":
        return None
    exponent = make.constant_value(other.arguments[1])
    if exponent is None or exponent > -1 or argument_of(partner, other.arguments[0]) is not x:
        return None
    below = make.power(other.arguments[0], make.exact_number(exponent + 1))
    return make.multiply(quotient.apply([x]), below)

"""Is a claimed derivative right? If not: which term, and numbers that show it."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, get_args

import numpy as np

from pullback.derivation.derive import derive
from pullback.derivation.result import Derivation
from pullback.derivation.stacking import stacked_shape, unstacked
from pullback.derivation.structure import Convention
from pullback.errors import DomainError, MissingRule, PullbackError, ShapeError
from pullback.expressions import (
    Contraction,
    Node,
    Number,
    Program,
    Shape,
    Sum,
    Variable,
    shape_text,
)
from pullback.expressions import constructors as make
from pullback.expressions.walks import substitute, variables
from pullback.language.declarations import NAME
from pullback.language.dialects import in_indices
from pullback.language.parse import parse_program
from pullback.language.reading import Dialect
from pullback.notation.equations import layout_of
from pullback.notation.names import Names
from pullback.notation.write import write
from pullback.simplification.simplify import simplify
from pullback.verification.certificate import certify, check_values
from pullback.verification.exact import Array, array, evaluate, real_context
from pullback.verification.points import Sizes, size_names
from pullback.verification.slips import slips
from pullback.verification.small import rounded, small_points

MOST_TERMS = 64  # beyond that, products are compared as they stand
FACTORS = {
    Fraction(-1): "the sign is wrong",
    Fraction(2): "it is twice what is right",
    Fraction(1, 2): "it is half of what is right",
    Fraction(-2): "the sign is wrong, and it is twice too large",
    Fraction(-1, 2): "the sign is wrong, and it is half of what is right",
}


@dataclass(frozen=True)
class Step:
    """One gradient of a backward pass: by what, and whether it is right."""

    name: str
    what: str  # such as ∂L/∂h
    right: bool
    reason: str
    layout: str = "as derived"

    def __str__(self) -> str:
        return f"{self.what}: {self.reason if self.right else 'wrong, ' + self.reason}"


@dataclass(frozen=True)
class Grade:
    """Whether a claim is right, why not, and a point where claim and truth can be compared.

    ``layout`` is "transposed" for a claim that is right up to layout, else "as derived".
    """

    right: bool
    reason: str
    answer: str  # the derivative as it is derived here
    layout: str = "as derived"
    counter_example: Mapping[str, Any] | None = None  # values by name, with claimed and right
    steps: tuple[Step, ...] = ()  # of a claim about intermediates, from the result back

    def __bool__(self) -> bool:
        return self.right

    def __str__(self) -> str:
        steps = [f"  {step}" for step in self.steps] if len(self.steps) > 1 else []
        if self.right:
            return "\n".join([f"right: {self.reason}", *steps])
        lines = [f"wrong: {self.reason}", *steps]
        if self.counter_example is not None:
            lines.append("a counter-example:")
            lines += [f"  {name} = {value}" for name, value in self.counter_example.items()]
        return "\n".join(lines)


def grade(
    program: Program,
    wrt: Sequence[str],
    claim: str,
    structured: Convention | None = None,
    dialect: Dialect | None = None,
) -> Grade:
    """Compare a claimed derivative with the derived one, at exact points.

    The claim is a text in the names of the program, its lines included; ``structured`` is the
    convention it follows, ``dialect`` how it is written, if its marks do not tell. Raises
    PullbackError for a claim that cannot be read, or a derivative that cannot be certified.
    """
    derivation = derive(program, wrt, structured)
    certificate = certify(derivation)
    if certificate.wrong:
        raise PullbackError(f"the derivative could not be certified: {certificate}")
    try:
        claimed, turned = _with_axes_of(derivation, _claimed(derivation, claim, dialect))
    except ShapeError as error:  # a claim whose own shapes disagree is a wrong claim
        return Grade(False, str(error), write(derivation.node, Names.of(program, named=True)))
    return _Grading(derivation, claimed, turned).grade()


def _claimed(derivation: Derivation, claim: str, dialect: Dialect | None) -> Node:
    """The claim as an expression of the program's variables."""
    program = derivation.program
    table: dict[str, Node] = {**program.lines, **program.variables}
    if dialect is None and in_indices(claim):
        dialect = "index"
    sized = {"index": derivation.shape, "vec": stacked_shape(derivation.shape, derivation.groups)}
    named = table.keys() if dialect in sized else {m.group() for m in NAME.finditer(claim)}
    shapes: dict[str, list[Any]] = {}
    words: dict[str, list[str]] = {}
    for name, node in table.items():
        if name in named:
            shapes[name] = [1, *node.shape] if name in program.rows else list(node.shape)
            words[name] = sorted(node.assumptions) if isinstance(node, Variable) else []
    assume = {n: w for n, w in words.items() if w}
    if dialect in sized:
        read = _of_shape(claim, shapes, assume, dialect, sized[dialect])
    else:
        read = parse_program(claim, shapes=shapes, assume=assume, dialect=dialect)
    unknown = [name for name in read.variables if name not in table]
    if unknown:
        raise PullbackError(
            f"'{unknown[0]}' is not a name of the function", hint=f"it has {', '.join(table)}"
        )
    return substitute(read.result, {v: table[name] for name, v in read.variables.items()})


def _with_axes_of(derivation: Derivation, claim: Node) -> tuple[Node, bool]:
    """A claim over vec(X) as one over the axes of X, any other as it is; whether it was turned."""
    shape, groups = derivation.shape, derivation.groups
    over_vec = stacked_shape(shape, groups)
    if claim.shape == shape or over_vec == shape:
        return claim, False
    if claim.shape == over_vec:
        return unstacked(claim, shape, groups), False
    if claim.order == 2 and claim.shape[::-1] == over_vec:
        return unstacked(make.transpose(claim), shape, groups), True
    return claim, False


def _of_shape(
    claim: str,
    shapes: Mapping[str, list[Any]],
    assume: Mapping[str, list[str]],
    dialect: Dialect,
    shape: Shape,
) -> Program:
    """A claim whose shape tells what each letter or 𝟏 is; that of a matrix may be its transpose."""
    try:
        return parse_program(claim, shapes, assume, dialect, shape)
    except ShapeError:
        if len(shape) != 2 or shape[0] == shape[1]:
            raise
        try:
            return parse_program(claim, shapes, assume, dialect, shape[::-1])
        except ShapeError:
            pass
        raise


class _Grading:
    def __init__(self, derivation: Derivation, claim: Node, turned: bool) -> None:
        self.derivation, self.claim, self.truth = derivation, claim, derivation.node
        self.turned = turned  # the claim was in the other layout, over vec'd axes
        self.names = Names.of(derivation.program, named=True)

    def grade(self) -> Grade:
        if self._equal(self.truth, self.claim):
            if self.turned:
                return self._transposed()
            return self._answer(True, "it has the same value wherever it was tried")
        if self.claim.order == 2 and self._equal(self.truth, make.transpose(self.claim)):
            return self._transposed()
        if self.claim.shape != self.truth.shape:
            claimed, right = shape_text(self.claim.shape), shape_text(self.truth.shape)
            return self._answer(False, f"its shape is {claimed}, and the derivative is {right}")
        reason = self._other_convention() or self._slip() or self._wrong_terms()
        return self._answer(False, reason, self._counter_example())

    def _transposed(self) -> Grade:
        here = layout_of(self.derivation.groups)
        other = "numerator" if here == "denominator" else "denominator"
        text = f"it is the transpose, the derivative in {other} layout"
        return Grade(True, text, self._text(self.truth), "transposed")

    def _answer(self, right: bool, reason: str, example: dict[str, Any] | None = None) -> Grade:
        return Grade(right, reason, self._text(self.truth), counter_example=example)

    def _equal(self, left: Node, right: Node) -> bool:
        return left.shape == right.shape and check_values(left, right).passed

    def _text(self, node: Node) -> str:
        return write(node, self.names.without(node))

    def _other_convention(self) -> str:
        """In which other convention for structured variables the claim is right."""
        asked = self.derivation
        names = [w.name for w in asked.wrt]
        for convention in (None, *get_args(Convention)):
            try:
                other = derive(asked.program, names, convention)
            except MissingRule:
                continue
            if other.node is not self.truth and self._equal(other.node, self.claim):
                said, wanted = (d.along() or "by independent entries" for d in (other, asked))
                return f"it is the derivative {said}; asked is the one {wanted}"
        return ""

    def _slip(self) -> str:
        """A number, or a size, that the whole claim is off by."""
        for factor, reason in FACTORS.items():
            if self._equal(make.scale(make.exact_number(factor), self.truth), self.claim):
                return reason
        for name in size_names([self.claim, self.truth]):
            size = make.size_value(name)
            if self._equal(make.multiply(size, self.truth), self.claim):
                return f"it is {name} times what is right: a sum in place of a mean over {name}"
            if self._equal(self.truth, make.multiply(size, self.claim)):
                return f"it is {name} times too small: a mean in place of a sum over {name}"
        if len(self.derivation.wrt) > 1 or self.derivation.structured:
            return ""
        root, target = self.derivation.program.result, self.derivation.wrt[0].node
        possible = slips(root, target, lambda node: write(node, self.names))
        return next((s.reason for s in possible if self._equal(s.gradient, self.claim)), "")

    def _wrong_terms(self) -> str:
        """The terms that differ, as they stand or multiplied out: whichever says it shorter."""
        claim = simplify(self.claim)
        ways = [self._unmatched(split(self.truth), split(claim)) for split in (_as_written, _terms)]
        lacking, extra = min(ways, key=lambda way: len(way[0]) + len(way[1]))
        parts = []
        if extra:
            parts.append("it should not have " + " or ".join(self._text(t) for t in extra))
        if lacking:
            parts.append("it lacks " + " and ".join(self._text(t) for t in lacking))
        return "; ".join(parts)

    def _unmatched(self, right: list[Node], claimed: list[Node]) -> tuple[list[Node], list[Node]]:
        extra = []
        for term in claimed:
            match = next((t for t in right if self._equal(t, term)), None)
            if match is None:
                extra.append(term)
            else:
                right.remove(match)
        return right, extra

    def _counter_example(self) -> dict[str, Any] | None:
        """Small integers for which claim and truth differ."""
        mp = real_context(30)
        generator = random.Random(0)  # noqa: S311  # no secret
        inputs = variables(self.truth, self.claim)
        free = size_names([self.truth, self.claim, *inputs])
        sizes: Sizes = {name: 2 + k % 2 for k, name in enumerate(free)}
        for values in small_points(inputs, sizes, generator):
            given: dict[Node, Array] = {v: array(x, mp) for v, x in values.items()}
            try:
                both = evaluate([self.truth, self.claim], given, sizes, mp)
            except DomainError:
                continue
            right, claimed = (np.array(both[n], dtype=float) for n in (self.truth, self.claim))
            if not np.allclose(right, claimed, rtol=1e-9, atol=1e-12):
                shown = {v.name: x.tolist() for v, x in values.items()}
                return {**shown, "claimed": rounded(claimed), "right": rounded(right)}
        return None


def _as_written(node: Node) -> list[Node]:
    terms = node.terms if isinstance(node, Sum) else ((1, node),)
    return [make.scale(c, term) for c, term in terms]


def _terms(node: Node) -> list[Node]:
    """The terms of an expression with its products multiplied out, like ones collected."""
    done: list[tuple[Number, Node]] = []
    open_: list[tuple[Number, Node]] = [(1, node)]
    while open_ and len(done) + len(open_) < MOST_TERMS:
        number, term = open_.pop()
        inner = list(term.terms) if isinstance(term, Sum) else _first_sum_opened(term)
        if inner is None:
            done.append((number, term))
        else:
            open_.extend((make.exact_number(number * c), t) for c, t in inner)
    return _as_written(make.add([*done, *open_], node.shape))


def _first_sum_opened(node: Node) -> list[tuple[Number, Node]] | None:
    """A product with a sum among its factors as the terms it makes; None for any other node."""
    if not isinstance(node, Contraction):
        return None
    factors = list(node.operands)
    for place, (factor, labels) in enumerate(factors):
        inner = list(factor.terms) if isinstance(factor, Sum) else _first_sum_opened(factor)
        if inner is not None:
            rest = factors[:place] + factors[place + 1 :]
            sizes = dict(enumerate(node.sizes))
            return [(c, make.contract([(t, labels), *rest], node.output, sizes)) for c, t in inner]
    return None

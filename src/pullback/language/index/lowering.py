"""Instructions to nodes: every value is a tensor with one letter per axis."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pullback.errors import DomainError, Place, PullbackError, ShapeError
from pullback.expressions import Node, Size
from pullback.expressions import constructors as make
from pullback.expressions.placement import indicator
from pullback.expressions.relations import Relation
from pullback.expressions.walks import substitute, variables
from pullback.functions.catalogue import CATALOGUE
from pullback.language.index.code import (
    Add,
    Apply,
    At,
    Gather,
    Ids,
    Instruction,
    Linear,
    Moved,
    Multiply,
    Push,
    Raise,
    Relate,
    Take,
    TakeOf,
    Tie,
    Total,
)
from pullback.language.literals import check_literals
from pullback.language.lowering import power
from pullback.notation.solving import conditions_of

Label = Hashable  # a letter, or an axis that a form of letters points into
Factor = tuple[Node, tuple[Label, ...]]
_LESS_ONE = Linear({}, Size.of(-1))


class _Axis:
    """A label that no letter is."""


@dataclass(slots=True)
class Value:
    """A product of factors that is not yet made, so that Σ around it makes one contraction."""

    factors: list[Factor]
    letters: Ids  # one per axis, none twice


@dataclass
class Lowering:
    """The nodes of one line; ``sizes`` is how far each letter runs."""

    text: str
    sizes: Mapping[int, Size]
    named: Mapping[str, Node]  # variables and the lines above
    places: dict[Node, Place] = field(default_factory=dict)
    repeated: dict[int, Place] = field(default_factory=dict)  # letters in two factors of a product

    def value(self, code: Sequence[Instruction]) -> Factor:
        """The value of a line, and its letters."""
        stack: list[Value] = []
        for step in code:
            place = Place(self.text, *step.span)
            try:
                made = self._run(step, stack)
            except PullbackError as error:
                raise error.at(place) from None
            stack.append(made)
            if len(made.factors) == 1:
                self.places.setdefault(made.factors[0][0], place)
        return self._made(stack.pop())

    def _run(self, step: Instruction, stack: list[Value]) -> Value:
        if isinstance(step, Push):
            return Value([(step.node, ())], ())
        if isinstance(step, Take):
            return self._entry(self.named[step.name], step.at)
        if isinstance(step, TakeOf):
            assert step.node is not None
            inner: dict[Node, Node] = {v: self.named[v.name] for v in variables(step.node)}
            return self._entry(substitute(step.node, inner), step.at)
        if isinstance(step, Tie):
            return self._entry(make.delta(self.sizes[step.letters[0]]), step.letters)
        if isinstance(step, Relate):
            letters = tuple(step.form.terms)
            relation = relation_of(step.form, equality=step.equality)
            shape = [self.sizes[k] for k in letters]
            coefficients = [relation.coefficient(k) for k in letters]
            node = indicator(coefficients, relation.offset, shape, equality=step.equality)
            return Value([(node, letters)], letters)
        if isinstance(step, Multiply):
            return self._product(_popped(stack, len(step.signs)), step)
        if isinstance(step, Add):
            return self._sum(_popped(stack, len(step.signs)), step.signs)
        if isinstance(step, Total):
            return self._total(stack.pop(), step.letters)
        if isinstance(step, Raise):
            base, exponent = (self._made(v) for v in _popped(stack, 2))
            return self._power(base, exponent)
        if isinstance(step, Apply):
            operands = [self._made(v) for v in _popped(stack, step.count)]
            return self._applied(step.function, operands)
        assert isinstance(step, Gather)
        operands = [self._made(v) for v in _popped(stack, len(step.own))]
        return self._gathered(step, operands)

    def _entry(self, node: Node, at: Sequence[At]) -> Value:
        """A tensor at letters, of which one may come twice: its diagonal; or at forms of letters."""
        labels: list[Label] = []
        factors: list[Factor] = []
        for index, size in zip(at, node.shape, strict=True):
            if isinstance(index, int):
                labels.append(index)
                continue
            self._insist_inside(index, size)
            own = _Axis()
            labels.append(own)
            letters = tuple(index.form.terms)
            form = relation_of(index.form.plus(_LESS_ONE), equality=True)
            coefficients = [*(form.coefficient(k) for k in letters), Size.of(-1)]
            shape = [*(self.sizes[k] for k in letters), size]
            factors.append((indicator(coefficients, form.offset, shape), (*letters, own)))
        factors = [(node, tuple(labels)), *factors]
        return Value(factors, _union(labels for _, labels in factors))

    def _insist_inside(self, index: Moved, size: Size) -> None:
        """An index points at an entry, wherever the conditions before it hold."""
        sizes: Mapping[Hashable, Size] = dict(self.sizes.items())
        form = relation_of(index.form.plus(_LESS_ONE), equality=True)
        guards = [relation_of(g.form, equality=g.equality) for g in index.guards]
        if not all(_follows(bound, guards, sizes) for bound in conditions_of(form, size, sizes)):
            place = Place(self.text, *index.span)
            text = self.text[place.start : place.stop]
            message = f"the index {text} may point outside of the axis, which has {size} entries"
            hint = (
                "say how far the letter runs, Σ_{i=1}^{n−1}, or a condition before it, [i ≤ n − 1]"
            )
            if len(form.coefficients) == 1 and form.offset == Size.of(0):
                ((letter, _),) = form.coefficients
                message = f"the letter {text} runs over {sizes[letter]}, and here over {size}"
            raise ShapeError(message, place, hint)

    def _made(self, value: Value) -> Factor:
        if len(value.factors) == 1 and value.factors[0][1] == value.letters:
            return value.factors[0]
        return make.contract(value.factors, value.letters), value.letters

    def _aligned(self, factor: Factor, letters: Ids) -> Node:
        """The factor with these axes, repeated along those it lacks."""
        node, own = factor
        if own == letters:
            return node
        return make.contract([(node, own)], letters, {k: self.sizes[k] for k in letters})

    def _product(self, values: Sequence[Value], step: Multiply) -> Value:
        factors: list[Factor] = []
        above: set[int] = set()
        for value, sign in zip(values, step.signs, strict=True):
            if sign > 0:
                for letter in above & set(value.letters):
                    self.repeated.setdefault(letter, Place(self.text, *step.span))
                above |= set(value.letters)
                factors += value.factors
                continue
            node, letters = self._made(value)
            if make.is_zero(node):
                raise DomainError("division by zero")
            inverse = make.power(node, -1)
            check_literals(inverse, [inverse])
            factors.append((inverse, letters))
        return Value(factors, _union(ls for _, ls in factors))

    def _sum(self, values: Sequence[Value], signs: Sequence[int]) -> Value:
        made = [self._made(value) for value in values]
        letters = _union(own for _, own in made)
        terms = [(sign, self._aligned(f, letters)) for sign, f in zip(signs, made, strict=True)]
        node = make.add(terms, tuple(self.sizes[k] for k in letters))
        check_literals(node, [term for _, term in terms])
        return Value([(node, letters)], letters)

    def _total(self, value: Value, letters: Ids) -> Value:
        kept = tuple(k for k in value.letters if k not in letters)
        node = make.contract(value.factors, kept, {k: self.sizes[k] for k in letters})
        return Value([(node, kept)], kept)

    def _power(self, base: Factor, exponent: Factor) -> Value:
        letters = _union([base[1]])
        if make.constant_value(exponent[0]) is None or not base[1]:
            letters = _union([base[1], exponent[1]])
            exponent = self._aligned(exponent, letters), letters
            base = self._aligned(base, letters), letters
        node = power(".^", base[0], exponent[0])
        check_literals(node, [base[0], exponent[0]])
        return Value([(node, letters)], letters)

    def _applied(self, function: str, operands: Sequence[Factor]) -> Value:
        letters = _union(own for _, own in operands)
        nodes = [self._aligned(f, letters) if f[1] else f[0] for f in operands]
        node = CATALOGUE[function].apply(nodes)
        check_literals(node, nodes)
        return Value([(node, letters)], letters)

    def _gathered(self, step: Gather, operands: Sequence[Factor]) -> Value:
        taken = {k for own in step.own for k in own}
        batch = tuple(k for k in _union(own for _, own in operands) if k not in taken)
        record = CATALOGUE[step.function]
        nodes = [
            self._aligned(f, (*batch, *own)) for f, own in zip(operands, step.own, strict=True)
        ]
        if record.takes_axis:
            axes = range(len(batch), nodes[0].order)
            node = record.along(nodes[0], axes)
        else:
            node = record.apply(nodes)
        check_literals(node, nodes)
        return self._entry(node, (*batch, *step.picked))


def relation_of(form: Linear, *, equality: bool) -> Relation:
    """A form that is 0, or not negative, with letters that count from 0."""
    offset = form.constant
    for c in form.terms.values():
        offset = offset + c
    return Relation.of(form.terms.items(), offset, equality)


def _follows(bound: Relation, guards: Iterable[Relation], sizes: Mapping[Hashable, Size]) -> bool:
    """Whether bound ≥ 0 wherever one of the guards holds."""
    for guard in guards:
        for known in [guard, guard.negated()] if guard.equality else [guard]:
            less = [(x, -c) for x, c in known.coefficients]
            rest = Relation.of([*bound.coefficients, *less], bound.offset - known.offset, False)
            least = rest.least(sizes)
            if least is not None and least.at_least(0):
                return True
    return False


def _popped(stack: list[Value], count: int) -> list[Value]:
    values = stack[len(stack) - count :]
    del stack[len(stack) - count :]
    return values


def _union(groups: Iterable[Iterable[Label]]) -> Ids:
    """The letters among labels, each once."""
    return tuple(dict.fromkeys(k for group in groups for k in group if isinstance(k, int)))

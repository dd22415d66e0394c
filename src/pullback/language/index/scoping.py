"""From the tree to instructions: what each word is, which letter each letter is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from pullback.errors import Place, PullbackError, ShapeError
from pullback.expressions import Node, Program, Shape, Size, shape_text
from pullback.expressions import constructors as make
from pullback.expressions.walks import variables
from pullback.language.calls import CONSTANTS, FUNCTION_NAMES
from pullback.language.index.calls import entrywise, gathering
from pullback.language.index.code import (
    Add,
    Apply,
    Gather,
    Ids,
    Instruction,
    Linear,
    Multiply,
    Push,
    Raise,
    Relate,
    Take,
    TakeOf,
    Tie,
    Total,
)
from pullback.language.index.linear import linear
from pullback.language.index.names import Names, counted, unknown_function
from pullback.language.index.regions import Region
from pullback.language.index.scopes import Scopes, as_form
from pullback.language.index.syntax import (
    Along,
    Bracket,
    Entry,
    Indices,
    Letters,
    Sigma,
    Whole,
)
from pullback.language.index.words import compact
from pullback.language.syntax import Addition, Call, Literal, Power, Product, Syntax

DELTAS = ("δ", "delta", "I")
Read = Callable[[int, int, Shape | None], Program]  # reads a stretch of the text as matrix text
_LESS_ONE = Linear({}, Size.of(-1))


@dataclass(frozen=True, slots=True)
class _After:
    """An instruction after its operands, and the end of the scope of letters and conditions."""

    step: Instruction
    letters: Letters = ()
    guards: int = 0


@dataclass(slots=True)
class _Waiting:
    """An entry of matrix text that needs the range of its letters, at ``found``."""

    item: Whole
    step: TakeOf
    found: tuple[int | Linear, ...]
    guards: list[Relate]
    error: PullbackError | None = None


@dataclass
class Compiler:
    """The instructions of one line."""

    names: Names
    regions: Mapping[int, Region]
    read: Read
    scopes: Scopes = field(init=False)
    _waiting: list[_Waiting] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.scopes = Scopes(self.names)

    def compiled(self, root: Syntax) -> list[Instruction]:
        """The instructions of an expression, in order of evaluation."""
        code: list[Instruction] = []
        stack: list[Syntax | _After] = [root]
        while stack:
            item = stack.pop()
            if isinstance(item, _After):
                self.scopes.leave(item.letters)
                del self.scopes.guards[len(self.scopes.guards) - item.guards :]
                code.append(item.step)
            else:
                stack.extend(reversed(self._parts(item)))
        return code

    def _parts(self, item: Syntax) -> list[Syntax | _After]:
        """What is compiled in place of an item; an instruction stands after its operands."""
        span = (item.start, item.stop)
        if isinstance(item, Literal):
            return [_After(Push(span, make.constant(item.value)))]
        if isinstance(item, Entry):
            return [_After(self._entry(item))]
        if isinstance(item, Whole):
            return [_After(self._whole(item))]
        if isinstance(item, Bracket):
            return [_After(self._relation(item))]
        if isinstance(item, Addition):
            signs = tuple(sign for sign, _ in item.terms)
            return [*(term for _, term in item.terms), _After(Add(span, signs))]
        if isinstance(item, Product):
            factors, signs = _factors(item)
            guards = [self._relation(f) for f in factors if isinstance(f, Bracket)]
            self.scopes.guards += guards
            return [*factors, _After(Multiply(span, signs), (), len(guards))]
        if isinstance(item, Power):
            return [item.base, item.exponent, _After(Raise(span))]
        if isinstance(item, Call):
            return [*item.arguments, _After(self._call(item))]
        if isinstance(item, Sigma):
            ids = self.scopes.enter([item.range])
            return [item.body, _After(Total(span, ids), item.range.letters)]
        assert isinstance(item, Along)
        return self._along(item)

    # leaves

    def _entry(self, item: Entry) -> Instruction:
        span = (item.start, item.stop)
        names = self.names
        word, place = names.spelled_out(item.word), self.scopes.place(item)
        if word == "Σ" and word not in names.axes:
            raise PullbackError("'Σ' sums over letters", place, "say which, as in  Σ_k")
        if word not in names.axes and item.indices is None:
            number = self._number(word, place)
            if number is not None:
                return Push(span, number)
        head, _, tail = word.partition("_")
        unknown = not {head, word} & (names.axes.keys() | names.declared.keys())
        if unknown and item.indices is None and names.text[item.stop : item.stop + 1] == "(":
            raise unknown_function(word, place, FUNCTION_NAMES if head == word else ())
        if head in DELTAS and not {head, word} & names.axes.keys():
            indices = item.indices or compact(tail, item.start + len(head) + 1)
            if indices is not None and len(indices) == 2:
                return self._tie(indices, span, head)
            if indices is not None:
                raise PullbackError(f"{head} takes two letters, as in {head}_ij", place)
        name, indices = names.split(word, item.start, item.indices)
        names.used.setdefault(name)
        return Take(span, name, self.scopes.run(indices, names.axes[name], names.described(name)))

    def _number(self, word: str, place: Place) -> Node | None:
        """A size or a constant as a number."""
        if self.scopes.is_bound(word):
            hint = "only its place can be a letter; rename it if it is a size"
            raise PullbackError(f"the letter {word} is no number here", place, hint)
        if word in self.names.size_names:
            return make.size_value(word)
        return CONSTANTS[word].apply([]) if word in CONSTANTS else None

    def _tie(self, indices: Indices, span: tuple[int, int], sign: str) -> Instruction:
        """δ of two letters that run alike; of anything else it is a condition."""
        first, second = map(self.scopes.index, indices)
        if isinstance(first, int) and isinstance(second, int):
            one, other = (self.scopes.classes[x] for x in (first, second))
            if not {first, second} <= self.scopes.stated:
                self.scopes.run(indices, (one, one), f"{sign} has two equal axes")
            if self.names.sizes.value(one) == self.names.sizes.value(other):
                return Tie(span, (first, second))
        return Relate(span, as_form(first).plus(as_form(second).times(Size.of(-1))), True)

    def _relation(self, item: Bracket) -> Relate:
        """A bracket as a form that is 0, or not negative."""
        if item.relation in ("≠", "!=", "~="):
            hint = "write 1 − [ … = … ]"
            raise PullbackError("this relation is not read", self.scopes.place(item), hint)
        sides = (item.left, item.right)
        left, right = (linear(side, self.scopes.term, self.names.text) for side in sides)
        if item.relation in ("≤", "<=", "<"):
            left, right = right, left
        form = left.plus(right.times(Size.of(-1)))
        if item.relation in ("<", ">"):
            form = form.plus(_LESS_ONE)
        kept = {letter: c for letter, c in form.terms.items() if c != Size.of(0)}
        equality = item.relation in ("=", "==")
        return Relate((item.start, item.stop), Linear(kept, form.constant), equality)

    # matrix text

    def _whole(self, item: Whole) -> Instruction:
        """An entry of a region of matrix text.

        What only its surroundings tell, as the size of 𝟏 in softmax(𝟏 sᵀ)_ij, is waited for.
        """
        step = TakeOf((item.start, item.stop), ())
        found = tuple(map(self.scopes.index, item.indices))
        waiting = _Waiting(item, step, found, list(self.scopes.guards))
        try:
            self._settle(waiting, None)
        except PullbackError as error:
            if not found:
                raise
            waiting.error = error
            self._waiting.append(waiting)
        return step

    def settle(self) -> None:
        """Reads what waited for the range of its letters."""
        for waiting in self._waiting:
            letters = [x for x in waiting.found if isinstance(x, int)]
            sizes = [self.names.sizes.value(self.scopes.classes[x]) for x in letters]
            known = tuple(size for size in sizes if size is not None)
            if len(known) < len(waiting.found) and waiting.error is not None:
                raise waiting.error
            self._settle(waiting, known)

    def _settle(self, waiting: _Waiting, shape: Shape | None) -> None:
        """Names that only the region has get their shapes from it."""
        item, step = waiting.item, waiting.step
        region = self.regions[item.start]
        node = self.read(region.start, region.stop, shape).result
        for variable in variables(node):
            self.names.used.setdefault(variable.name)
            if variable.name not in self.names.axes:
                self.names.add(variable.name, variable.shape)
        written = " ".join(self.names.text[region.start : region.stop].split())
        where = f"{written} is {shape_text(node.shape)}"
        if node.order != len(item.indices):
            hint = f"its entry is ({written})_" + "ij"[: node.order] if 0 < node.order < 3 else ""
            message = f"{where}, and {counted(item.indices)} here"
            raise ShapeError(message, self.scopes.place(item), hint)
        guards, self.scopes.guards = self.scopes.guards, waiting.guards
        step.at = tuple(
            self.scopes.at(index, spelled, self.names.sizes.known(size), where)
            for index, spelled, size in zip(waiting.found, item.indices, node.shape, strict=True)
        )
        self.scopes.guards = guards
        step.node = node

    # functions

    def _call(self, item: Call) -> Instruction:
        place = self.scopes.place(item)
        if item.function in self.names.axes:
            hint = f"rename the variable, or write {item.function}*(…)"
            raise PullbackError(f"'{item.function}' is a variable and a function", place, hint)
        return Apply((item.start, item.stop), entrywise(item, place), len(item.arguments))

    def _along(self, item: Along) -> list[Syntax | _After]:
        """A function of whole arrays whose arguments are entries over letters of its own."""
        place = self.scopes.place(item)
        name, cores, result = gathering(item, place)
        size = {label: self.names.sizes.unknown() for core in cores for label in core}
        axes = [size[label] for label in result]
        picked = self.scopes.run(item.picked, axes, f"in the result of {name}")
        ids = self.scopes.enter(item.ranges)
        own: list[Ids] = []
        for core in cores:
            at = sum(map(len, own))
            own.append(ids[at : at + len(core)])
            for label, letter in zip(core, own[-1], strict=True):
                if not self.names.sizes.unify(self.scopes.classes[letter], size[label]):
                    raise ShapeError(f"{name} needs letters of equal range here", place)
        step = Gather((item.start, item.stop), name, tuple(own), picked)
        bound = tuple(letter for stated in item.ranges for letter in stated.letters)
        return [*item.arguments, _After(step, bound)]


def _factors(product: Product) -> tuple[list[Syntax], tuple[int, ...]]:
    """The factors of a product that stand side by side, and −1 for those it divides by."""
    factors: list[Syntax] = []
    signs: list[int] = []
    item: Syntax = product
    while isinstance(item, Product) and (item is product or not item.closed):
        factors.append(item.right)
        signs.append(-1 if item.operator == "/" else 1)
        item = item.left
    return [item, *reversed(factors)], (1, *reversed(signs))

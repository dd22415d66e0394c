"""From a text in indices to the program it denotes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from pullback.errors import Place, PullbackError, ShapeError
from pullback.expressions import Node, Program, Shape, Size, Variable
from pullback.expressions import constructors as make
from pullback.expressions.sizes import shape_text
from pullback.language import kinds as k
from pullback.language.checking import check_lines, check_names
from pullback.language.declarations import NAME, Sizes, collect, declare
from pullback.language.faults import Fault, insist_short
from pullback.language.grammars import blank, parsed, parser
from pullback.language.index import words
from pullback.language.index.building import IndexBuilder
from pullback.language.index.code import Ids, Instruction
from pullback.language.index.faults import unknown
from pullback.language.index.lowering import Lowering
from pullback.language.index.names import Names
from pullback.language.index.regions import marked
from pullback.language.index.scopes import Scopes
from pullback.language.index.scoping import DELTAS, Compiler
from pullback.language.index.statements import Statement, statements
from pullback.language.index.syntax import Along, Entry, Indices, Letter, Letters, Sigma, parts_of
from pullback.language.printed import paired
from pullback.language.reading import read
from pullback.language.syntax import Line, Source, Syntax
from pullback.language.unification import SizeNames
from pullback.notation.chains import counting_order

_BLANKED = re.compile(r"[#%][^\n]*|\.\.\.[^\n]*\n|[()\n]")
_SIGMA = re.compile("Σ(?=_)")


Whole = Callable[
    [str, Mapping[str, Sizes], Mapping[str, str | Iterable[str]], Shape | None], Program
]


def index_program(
    text: str,
    shapes: Mapping[str, Sizes],
    assume: Mapping[str, str | Iterable[str]],
    shape: Sizes | None,
    whole: Whole,
) -> Program:
    """The program that a text in indices denotes; ``whole`` reads what it holds without indices.

    Raises PullbackError, and ShapeError where a letter would run over two sizes.
    """
    try:
        return _Reader(text, shapes, assume, shape, whole).program()
    except Fault as fault:
        place = Place(text, fault.start, fault.stop)
        raise PullbackError(fault.message, place, fault.hint) from None


@dataclass
class _Typed:
    """A line whose words and letters are settled."""

    statement: Statement
    name: str
    scopes: Scopes
    code: list[Instruction]
    output: Ids


class _Reader:
    def __init__(
        self,
        text: str,
        shapes: Mapping[str, Sizes],
        assume: Mapping[str, str | Iterable[str]],
        shape: Sizes | None,
        whole: Whole,
    ) -> None:
        insist_short(text)
        self.text, self.whole = text, whole
        self.wanted = None if shape is None else declare("the result", shape, ())[0]
        plain = paired(blank(text, _BLANKED))
        self.lines, rights, declarations = statements(plain)
        stated = read(declarations, "matlab").declarations if declarations.strip() else []
        self.declared = collect(text, stated, shapes, assume, [*shapes, *assume])
        if "Σ" not in self.declared:
            rights = _SIGMA.sub("∑", rights)
        marks, self.regions = marked(rights, self.declared)
        in_text = sorted(self.lines, key=lambda line: line.start)
        trees = dict(zip((line.start for line in in_text), _trees(marks), strict=True))
        self.trees = [trees[line.start] for line in self.lines]
        size_names = {s for d in self.declared.values() for size in d.shape for s in size.names}
        self._check_lines(size_names)
        sure = _sure_letters(self.lines, self.trees)
        own = {_name(line) for line in self.lines}
        self.names = Names(text, self.declared, size_names, own - {""}, sure)
        self.fresh = SizeNames({*self.declared, *size_names, *sure, *own})
        self.known: dict[tuple[str, Shape | None], Program] = {}

    def _check_lines(self, size_names: set[str]) -> None:
        source = Source(self.text, "index")
        for line in self.lines:
            start, stop = (
                (line.left[0].start, line.left[0].stop) if line.left else (line.start, line.stop)
            )
            source.lines.append(Line(start, stop, _name(line), Syntax(line.start, line.stop)))
        check_lines(source)
        check_names(source, self.declared, [n.name for n in source.lines if n.name], size_names)

    def program(self) -> Program:
        typed = [self._typed(line, tree) for line, tree in zip(self.lines, self.trees, strict=True)]
        names = self.names
        names.name_sizes(names.open, self.fresh)
        table: dict[str, Variable] = {}
        for name in [*names.open, *(n for n in self.declared if n not in names.open)]:
            assumed = self.declared[name].assumptions if name in self.declared else ()
            node = make.variable(name, names.shape(name) if name in names.axes else (), assumed)
            assert isinstance(node, Variable)
            table[name] = node
        named: dict[str, Node] = dict(table)
        lines: dict[str, Node] = {}
        places: dict[Node, Place] = {}
        result: Node | None = None
        for line in typed:
            result = self._lowered(line, named, places, last=line is typed[-1])
            if line.name:
                named[line.name] = lines[line.name] = result
        assert result is not None
        return Program(
            result=result,
            variables=self._in_order(table),
            lines=lines,
            rows=frozenset(n for n, d in self.declared.items() if d.kind == k.ROW),
            text=self.text,
            places=places,
            assumed=tuple(names.sentence(name) for name in names.open),
            result_name=typed[-1].name,
        )

    def _in_order(self, table: Mapping[str, Variable]) -> dict[str, Variable]:
        """The variables as they appear, then those declared and not used."""
        used = [name for name in self.names.used if name in table]
        return {name: table[name] for name in [*used, *(n for n in table if n not in used)]}

    # one line

    def _typed(self, line: Statement, tree: Syntax) -> _Typed:
        compiler = Compiler(self.names, self.regions, self._region)
        scopes = compiler.scopes
        last = line is self.lines[-1]
        output = self._left(line, scopes, self.wanted if last else None) if line.left else ()
        code = compiler.compiled(tree)
        name = _name(line)
        if line.left:
            self._insist_on_left(scopes, output)
        else:
            output = tuple(scopes.free[x] for x in sorted(scopes.free, key=counting_order))
        if last and self.wanted is not None:
            output = self._fitted(line, scopes, output, self.wanted)
        compiler.settle()
        scopes.insist_apart()
        if name:
            self.names.later.discard(name)
            self.names.axes[name] = tuple(scopes.classes[x] for x in output)
        return _Typed(line, name, scopes, code, output)

    def _left(self, line: Statement, scopes: Scopes, wanted: Shape | None) -> Ids:
        """The letters on the left, in order; those of a variable run over its axes."""
        output: list[int] = []
        for at, side in enumerate(line.left):
            known = line.gradient and (at > 0 or side.word in self.names.axes)
            found = self._of_variable(side.word, side.start, side.letters) if known else None
            letters = side.split()[1] if found is None else found[1]
            for axis, letter in enumerate(letters):
                assert isinstance(letter, Letter)
                if letter.name in scopes.free:
                    hint = "each axis has a letter of its own; δ ties two"
                    message = f"{letter.name} stands twice on the left"
                    raise PullbackError(message, scopes.place(letter), hint)
                if found is not None:
                    own = scopes.fixed(letter, self.names.axes[found[0]][axis])
                elif wanted is not None and len(output) < len(wanted):
                    own = scopes.fixed(letter, self.names.sizes.known(wanted[len(output)]))
                else:
                    own = scopes.id_of(letter)
                output.append(own)
        return tuple(output)

    def _insist_on_left(self, scopes: Scopes, output: Ids) -> None:
        for own in scopes.free.values():
            if own not in output:
                letter = scopes.spelled[own]
                hint = f"write Σ_{letter.name} before the product to sum, or put it on the left"
                message = f"{letter.name} is neither summed nor on the left"
                raise PullbackError(message, scopes.place(letter), hint)

    def _of_variable(
        self, word: str, start: int, letters: Letters | None
    ) -> tuple[str, Indices] | None:
        """A variable on the left of a derivative, if it is known here."""
        head = word.rpartition("_")[0]
        if word not in self.names.axes and (letters is not None or head not in self.names.axes):
            return None
        return self.names.split(word, start, letters)

    def _fitted(self, line: Statement, scopes: Scopes, output: Ids, wanted: Shape) -> Ids:
        """The letters of the result, which has a shape that is asked for."""
        place = Place(self.text, line.start + _indent(self.text[line.start : line.stop]), line.stop)
        if len(output) != len(wanted) and (line.left or output):
            given = ", ".join(scopes.spelled[x].name for x in output) or "none"
            message = f"the result is {shape_text(wanted)}, and its letters here are {given}"
            hint = "write Σ in front of a product to sum over a letter that comes twice"
            if len(output) < len(wanted):
                hint = "say which axis is which on the left, as in  f_ij = …"
            if line.left:
                raise ShapeError(message, place)
            raise PullbackError(message, place, hint)
        sizes = self.names.sizes
        for own, size in zip(output, wanted, strict=False):
            if not sizes.unify(scopes.classes[own], sizes.known(size)):
                letter = scopes.spelled[own].name
                message = (
                    f"the result is {shape_text(wanted)}, and {letter} runs over "
                    f"{sizes.value(scopes.classes[own])}, not {size}"
                )
                raise ShapeError(message, place)
        return output

    def _region(self, start: int, stop: int, shape: Shape | None) -> Program:
        """What a stretch of text without indices denotes; names without a shape get one from it."""
        inner = self.text[start:stop]
        if (inner, shape) in self.known:
            return self.known[inner, shape]
        found = set(NAME.findall(inner))
        present = [name for name in self.names.axes if name in found]
        self.names.name_sizes(present, self.fresh)
        shapes = {name: self._stated(name) for name in present}
        assume = {n: sorted(d.assumptions) for n, d in self.declared.items() if n in found}
        try:
            program = self.whole(inner, shapes, assume, shape)
            new = [v for v in program.variables.values() if v.name not in shapes]
            if new:
                shapes |= self._renamed(new, [*shapes.values(), shape or ()])
                program = self.whole(inner, shapes, assume, shape)
        except PullbackError as error:
            if error.place is not None:
                at = error.place
                error.place = Place(self.text, start + at.start, start + at.stop)
            raise
        self.known[inner, shape] = program
        return program

    def _stated(self, name: str) -> list[Size]:
        """The shape of a name as it is declared, a row as 1×n."""
        row = name in self.declared and self.declared[name].kind == k.ROW
        return [*([Size.of(1)] if row else []), *self.names.shape(name)]

    def _renamed(
        self, new: Sequence[Variable], given: Sequence[Sequence[Size]]
    ) -> dict[str, list[Size]]:
        """The shapes of new names, their sizes called as nothing else is."""
        old = {s for shape in given for size in shape for s in size.names}
        name: dict[Size, Size] = {Size.of(s): Size.of(s) for s in old}
        shapes = {}
        for variable in new:
            for axis, size in enumerate(variable.shape):
                if size.constant is None and size not in name:
                    name[size] = Size.of(self.fresh.next(rows=axis == 0 and variable.order > 1))
            shapes[variable.name] = [name.get(size, size) for size in variable.shape]
        return shapes

    def _lowered(
        self, line: _Typed, named: Mapping[str, Node], places: dict[Node, Place], *, last: bool
    ) -> Node:
        scopes = line.scopes
        sizes: dict[int, Size] = {}
        for own, letter in enumerate(scopes.spelled):
            size = self.names.sizes.value(scopes.classes[own])
            if size is None:
                place = Place(self.text, letter.start, letter.stop)
                hint = "it stands on no name whose shape is known; declare one, as in  x: n"
                raise PullbackError(f"the range of {letter.name} is not known", place, hint)
            sizes[own] = size
        lowering = Lowering(self.text, sizes, named, places)
        node, letters = lowering.value(line.code)
        repeated = {x: at for x, at in lowering.repeated.items() if x in line.output}
        if repeated and not line.statement.left and (not last or self.wanted is None):
            own, place = min(repeated.items())
            name = scopes.spelled[own].name
            hint = f"write Σ_{name} to sum over it, or the left side, as in  f_{name} = …, if it is free"
            message = f"{name} stands in two factors, and nothing says whether it is summed"
            raise PullbackError(message, place, hint)
        if letters != line.output:
            node = make.contract([(node, letters)], line.output, {x: sizes[x] for x in line.output})
        if last and self.wanted and not node.order:
            node = make.broadcast(node, self.wanted)
        start, stop = line.statement.start, line.statement.stop
        places.setdefault(node, Place(self.text, start + _indent(self.text[start:stop]), stop))
        return node


def _trees(plain: str) -> list[Syntax]:
    """The tree of each right side, in the order of the text."""
    entries = words.ENTRYWISE | words.PAIRS.keys()
    lists = (
        ("ENTRYWISE", _alternatives(entries)),
        ("WHOLES", _alternatives(words.WHOLES - {"sum"})),
    )
    trees: list[Syntax] = parsed(plain, parser("index/grammar", IndexBuilder, *lists), unknown)
    return trees


def _alternatives(names: Iterable[str]) -> str:
    return "|".join(sorted(names, key=lambda name: (-len(name), name)))


def _name(line: Statement) -> str:
    return line.left[0].split()[0] if line.left and not line.gradient else ""


def _sure_letters(lines: Sequence[Statement], trees: Sequence[Syntax]) -> set[str]:
    """What can be nothing but a letter: bound ones, those on the left, apart, or of δ."""
    found = [letter for line in lines for side in line.left for letter in side.split()[1]]
    stack = list(trees)
    while stack:
        item = stack.pop()
        stack += parts_of(item)
        if isinstance(item, Sigma):
            found += item.range.letters
        elif isinstance(item, Along):
            found += [letter for stated in item.ranges for letter in stated.letters]
        elif isinstance(item, Entry):
            head, _, tail = item.word.partition("_")
            tied = words.compact(tail, 0) if head in DELTAS else None
            found += [x for x in item.indices or tied or () if isinstance(x, Letter)]
    return {letter.name for letter in found}


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip())

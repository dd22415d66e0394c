"""What the reader calls each node: variables, named lines, gradients handed on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from pullback.expressions import constructors as make
from pullback.expressions.nodes import Contraction, Node, Number, SizeValue, Variable
from pullback.expressions.program import Program
from pullback.expressions.walks import post_order
from pullback.simplification.canonical import parity

_GREEK_NAMES = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau "
    "upsilon phi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega"
)
GREEK = dict(zip(_GREEK_NAMES.split(), "αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΦΨΩ", strict=True))
_SPELLED = {letter: name for name, letter in GREEK.items()}
_ACCENTS = {"dot": r"\dot", "bar": r"\bar", "hat": r"\hat", "tilde": r"\tilde"}
_ESCAPED = {c: "\\" + c for c in "#$%&_{}"} | {"\\": r"\backslash ", "^": r"\hat{}", "~": r"\sim "}


@dataclass(frozen=True)
class Name:
    """How a node is written, in each style; ``rank`` is its place in the order of reading."""

    text: str
    latex: str
    ascii: str
    rank: int = 0
    row: bool = False
    symmetric: bool = False
    counts: bool = False  # the name of a size

    @classmethod
    def plain(cls, text: str, latex: str = "", row: bool = False) -> Name:
        """A name from its text, before all others in the order of reading."""
        return cls(text, latex or latex_name(text), ascii_name(text), -1, row)

    @property
    def compound(self) -> bool:
        """Whether the name is itself a fraction, as ∂L/∂g is, and needs parentheses under ᵀ."""
        return "/" in self.text


def latex_name(name: str) -> str:
    r"""A name as LaTeX sets it.

    >>> latex_name("W_1"), latex_name("alpha"), latex_name("loss"), latex_name("x_dot")
    ('W_{1}', '\\alpha', '\\mathrm{loss}', '\\dot{x}')
    """
    gradient = re.fullmatch(r"∂(.+)/∂(.+)", name)
    if gradient:
        above, below = map(latex_name, gradient.groups())
        return rf"\frac{{\partial {above}}}{{\partial {below}}}"
    base, *marks = [part for part in name.split("_") if part] or [name]
    digits = re.fullmatch(r"(\D+)(\d+)", base)
    if digits:
        base, marks = digits[1], [digits[2], *marks]
    subscripts = [m for m in marks if m not in _ACCENTS]
    text = _latex_word(base)
    for mark in marks:
        if mark in _ACCENTS:
            text = f"{_ACCENTS[mark]}{{{text}}}"
    if subscripts:
        text += "_{" + ",".join(s if s.isdigit() else _latex_word(s) for s in subscripts) + "}"
    return text


def _latex_word(word: str) -> str:
    if word in GREEK:
        return "\\" + word
    if word in _SPELLED:
        return "\\" + _SPELLED[word]
    escaped = "".join(_ESCAPED.get(c, c) for c in word)
    return escaped if len(word) == 1 else rf"\mathrm{{{escaped}}}"


def ascii_name(name: str) -> str:
    """A name in letters, digits and underscores.

    >>> ascii_name("∂L/∂g"), ascii_name("σ1")
    ('dL_dg', 'sigma1')
    """
    spelled = "".join(_SPELLED.get(c, c) for c in name).replace("∂", "d").replace("/", "_")
    return re.sub(r"[^A-Za-z0-9_]", "", spelled) or "t"


class Names:
    """The names of nodes: an expression is printed down to them and no further.

    ``known`` holds what the reader has already seen, so that a textbook form may use it.
    ``offered`` are lines of the program that are no names here, but may become abbreviations.
    A table is not changed once made; :meth:`plus` and :meth:`extended` return a larger one.
    """

    def __init__(
        self,
        table: Mapping[Node, Name],
        ranks: Mapping[str, int] | None = None,
        known: frozenset[Node] = frozenset(),
        taken: frozenset[str] = frozenset(),
        offered: Mapping[Node, Name] | None = None,
    ) -> None:
        self.table = dict(table)
        self.offered = dict(offered or {})
        self.ranks = dict(ranks or {})
        self.known = known
        self.taken = taken | {name.text for name in self.table.values()}
        self._matrices: Names | None = None
        self._cores: dict[Node, tuple[Node, Number, tuple[int, ...]]] = {}
        for node in self.table:
            self._cores.update(_core(node))

    @classmethod
    def of(cls, program: Program, named: bool = False) -> Names:
        """The variables of a program; with ``named`` also its lines, which need no definition then."""
        ranks = _reading_order(program)
        table: dict[Node, Name] = {}
        for name, variable in program.variables.items():
            table[variable] = _variable_name(name, variable, ranks, program.rows)
        variables = len(table)
        for k, (name, node) in enumerate(program.lines.items()):
            if node not in table and make.constant_value(node) is None:
                table[node] = Name(
                    name,
                    latex_name(name),
                    ascii_name(name),
                    ranks.get(name, len(ranks) + k),
                    row=name in program.rows and node.order == 1,
                    symmetric=node.order == 2 and parity(node) == 1,
                )
        table = _distinct(table)
        lines = dict([*table.items()][variables:])
        if not named:
            table = {node: name for node, name in table.items() if node not in lines}
        known = frozenset(post_order(program.result, *program.lines.values()))
        sizes = {
            s for node in program.variables.values() for size in node.shape for s in size.names
        }
        taken = frozenset(sizes) | set(program.lines)
        return cls(table, ranks, known, taken, {} if named else lines)

    def plus(self, node: Node, text: str, latex: str = "", row: bool = False) -> Names:
        """This table with one more abbreviation, such as ``∂L/∂g`` for a gradient."""
        return self.extended({node: Name.plain(text, latex, row)})

    def extended(self, more: Mapping[Node, Name]) -> Names:
        return Names({**self.table, **more}, self.ranks, self.known, self.taken, self.offered)

    def without(self, node: Node) -> Names:
        """This table less one abbreviation."""
        table = {n: name for n, name in self.table.items() if n is not node}
        return Names(table, self.ranks, self.known, self.taken, self.offered)

    def of_matrices(self) -> Names:
        """This table less the names of tensors of more than two axes; found once."""
        if self._matrices is None:
            table = {n: name for n, name in self.table.items() if n.order <= 2}
            same = len(table) == len(self.table)
            if not same:
                self._matrices = Names(table, self.ranks, self.known, self.taken, self.offered)
            else:
                self._matrices = self
        return self._matrices

    def __contains__(self, node: object) -> bool:
        return node in self.table

    def name(self, node: Node) -> Name | None:
        """The name of a node; a variable that is in no table keeps its own."""
        found = self.table.get(node)
        if found is None and isinstance(node, Variable):
            return _variable_name(node.name, node, self.ranks, frozenset())
        return found

    def lines(self, root: Node) -> list[tuple[Node, Name]]:
        """The named nodes that stand for a formula, but for the root and gradients handed on."""
        return [
            (node, name)
            for node, name in self.table.items()
            if node.children and node.order <= 2 and node is not root and name.rank >= 0
        ]

    def through(self, node: Node) -> tuple[Number, Node, tuple[int, ...]] | None:
        """A node as a multiple of a named node with its axes permuted, or None.

        ``(c, named, axes)`` says that axis ``k`` of ``node`` is axis ``axes[k]`` of ``named``,
        and that ``node`` is ``c`` times it.
        """
        found = self._cores.get(node)
        if found is None:
            return None
        named, coefficient, axes = found
        return coefficient, named, axes

    def hides(self, node: Node, root: Node) -> bool:
        """Whether a formula of ``root`` has a name in place of ``node``."""
        if node is root:
            return False
        found = self._cores.get(node)
        return node in self.table or (found is not None and found[0] is not root)

    def free(self, candidates: Iterable[str]) -> Iterator[str]:
        """Those of the candidates that name nothing yet."""
        return (c for c in candidates if c not in self.taken)


def _core(node: Node) -> dict[Node, tuple[Node, Number, tuple[int, ...]]]:
    """What a named node is a multiple or a transpose of, if it is.

    Contractions see through multiples and transposes of their operands, so the node itself may
    never stand where a reader would recognise it.
    """
    coefficient, core = make.split_coefficient(node)
    axes = tuple(range(node.order))
    if isinstance(core, Contraction) and len(core.operands) == 1 and not core.summed:
        output = core.output
        inner, labels = core.operands[0]
        if sorted(labels) == sorted(output) == list(axes):
            core, axes = inner, tuple([output.index(label) for label in labels])
    if core is node or isinstance(core, Variable | SizeValue):
        return {}
    if isinstance(core, Contraction) and not core.operands:
        return {}
    inverse = 1 / Fraction(coefficient)
    return {core: (node, inverse, axes)}


def _distinct(table: Mapping[Node, Name]) -> dict[Node, Name]:
    """The names, those that one style would set like another told apart in it.

    x1 and x_1 are both x₁ in LaTeX, and σ is sigma in ASCII: the later one is set as it is typed,
    or gets a stroke at its end.
    """
    result: dict[Node, Name] = {}
    latex: set[str] = set()
    ascii = {name.text for name in table.values() if name.text.isascii()}
    for node, name in table.items():
        typeset, plain = name.latex, name.ascii
        if typeset in latex:
            typeset = rf"\mathrm{{{''.join(_ESCAPED.get(c, c) for c in name.text)}}}"
        while plain in ascii and plain != name.text:
            plain += "_"
        latex.add(typeset)
        ascii.add(plain)
        result[node] = replace(name, latex=typeset, ascii=plain)
    return result


def _variable_name(name: str, node: Node, ranks: Mapping[str, int], rows: frozenset[str]) -> Name:
    assumptions = node.assumptions if isinstance(node, Variable) else frozenset()
    return Name(
        name,
        latex_name(name),
        ascii_name(name) if not name.isascii() else name,
        ranks.get(name, len(ranks)),
        name in rows and node.order == 1,
        bool({"symmetric", "posdef", "diagonal"} & set(assumptions)) and node.order == 2,
    )


def _reading_order(program: Program) -> dict[str, int]:
    """The place of each name in the order of reading: as in the text, else as declared."""
    names = [*program.variables, *program.lines]
    first: dict[str, int] = {}
    for match in re.finditer(r"\w+", program.text):
        first.setdefault(match[0], match.start())
    at = {name: (first.get(name, len(program.text)), k) for k, name in enumerate(names)}
    return {name: k for k, name in enumerate(sorted(set(names), key=at.__getitem__))}

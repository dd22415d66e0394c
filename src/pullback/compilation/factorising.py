"""One factorisation for each matrix, shared by its inverse, its solves and its determinants.

Expressions know A⁻¹, det A and log det A as functions of A, and A⁻¹ B as a product. A program that
computes them works otherwise: A is factorised once, A⁻¹ B is solved for, and A⁻¹ is made only
where its own entries are asked for. A positive definite matrix has a Cholesky factor, a triangle
is its own factor, any other matrix has its LU decomposition.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from pullback.compilation.ir import Instruction, LinearProgram, Register, Source, View, whole
from pullback.expressions.nodes import Apply, Node
from pullback.simplification.definite import positive_definite, triangle

Axes = tuple[int | None, ...]
TURNED = "turned"  # marks the copy of a transposed solution
# operations that take their operands along any axes
SEE_VIEWS = frozenset({"map", "reduce", "matmul", "vecdot", "vdot", "tensordot", "solve", "copy"})


@dataclass
class _Family:
    """All that is computed of one matrix; instructions by their place in the program."""

    matrix: View
    node: Node  # the expression of the matrix
    inverse: int = -1  # where the inverse is made
    products: list[int] = field(default_factory=list)  # its products with other arrays
    entries: bool = False  # whether entries of the inverse are asked for
    cholesky: int = -1
    determinants: list[int] = field(default_factory=list)

    @property
    def kind(self) -> str:
        if positive_definite(self.node):
            return "cholesky"
        return triangle(self.node) or "lu"

    @property
    def members(self) -> int:
        return len(self.products) + self.entries + len(self.determinants)


def share_factorisations(program: LinearProgram, *, factors: bool = True) -> LinearProgram:
    """The program with solves for products of inverses, and shared factorisations.

    ``factors``: whether the target can solve by a factor. Without that, each matrix is still
    solved for where its inverse has one product only.
    """
    families = _families(program)
    if not any(f.inverse >= 0 or f.determinants for f in families.values()):
        return program
    return _Sharing(program, list(families.values()), factors=factors).run()


def _families(program: LinearProgram) -> dict[tuple[Register, Axes], _Family]:
    """The matrices that are inverted, factorised or have a determinant taken, and for what."""
    families: dict[tuple[Register, Axes], _Family] = {}
    inverses: dict[Register, _Family] = {}
    for k, i in enumerate(program.instructions):
        _note_uses(k, i, inverses)
        if i.op != "call" or not isinstance(i.node, Apply):
            continue
        (matrix,) = i.operands
        node = i.node.arguments[0]
        if not isinstance(matrix.source, Register):
            continue
        key = matrix.source, matrix.axes
        if positive_definite(node):
            key = matrix.source, tuple(sorted(a for a in matrix.axes if a is not None))
        family = families.setdefault(key, _Family(matrix, node))
        match i.name:
            case "linalg.inv":
                family.inverse = k
                inverses[i.result] = family
            case "linalg.cholesky":
                family.cholesky = k
            case "linalg.det" | "linalg.slogdet":
                family.determinants.append(k)
    for view in program.outputs.values():
        if view.source in inverses:
            inverses[view.source].entries = True
    return families


def _note_uses(k: int, i: Instruction, inverses: dict[Register, _Family]) -> None:
    """Which inverses an instruction reads, and whether as the matrix of a product."""
    read = [v for v in i.operands if v.source in inverses]
    for view in read:
        family = inverses[view.source]  # type: ignore[index]
        if _is_product(i, view) and len(read) == 1:
            family.products.append(k)
        else:
            family.entries = True


def _is_product(i: Instruction, inverse: View) -> bool:
    """Whether it is the matrix product of an inverse, its axes perhaps exchanged, with another."""
    if i.op != "matmul" or None in inverse.axes:
        return False
    order = len(inverse.axes)
    batch = tuple(range(order - 2))
    both = (order - 2, order - 1), (order - 1, order - 2)
    return inverse.axes[:-2] == batch and inverse.axes[-2:] in both


def _seen_turned(instructions: list[Instruction], results: set[Source]) -> list[Instruction]:
    """Without the copies of transposed solutions whose users can look at the solution itself."""
    bound = {v.source for i in instructions if i.op not in SEE_VIEWS for v in i.operands}
    turned: dict[Source, View] = {}
    kept = []
    for old in instructions:
        operands = [_through(v, turned.get(v.source)) for v in old.operands]
        i = replace(old, operands=tuple(operands))
        if i.op == "copy" and i.name.startswith(TURNED) and i.result not in bound | results:
            turned[i.result] = i.operands[0]
        else:
            kept.append(i)
    return kept


def _through(view: View, shown: View | None) -> View:
    """A view of what is itself a view."""
    if shown is None:
        return view
    axes = [a if a is None or a < 0 else shown.axes[a] for a in view.axes]
    return View(shown.source, tuple(axes))


class _Sharing:
    def __init__(self, program: LinearProgram, families: list[_Family], *, factors: bool) -> None:
        self.program = program
        self.factors = factors
        self.next = max((i.result.index for i in program.instructions), default=0) + 1
        self.new: dict[int, list[Instruction]] = {}  # in the place of an instruction
        self.families = families

    def run(self) -> LinearProgram:
        for family in self.families:
            self._plan(family)
        program = self.program
        kept = [n for k, i in enumerate(program.instructions) for n in self.new.get(k, (i,))]
        program.instructions = _seen_turned(kept, {v.source for v in program.outputs.values()})
        return program

    def _plan(self, family: _Family) -> None:
        order = len(family.matrix.axes)
        kind = family.kind
        if family.inverse < 0 and not (family.determinants and kind in ("lu", "cholesky")):
            return  # a factor that is asked for as such
        if kind in ("lower", "upper") and self.factors and order == 2:
            self._use(family, kind, family.matrix)
        elif kind == "cholesky" and self.factors and order == 2:
            if family.inverse >= 0 or family.cholesky >= 0:
                self._by_cholesky(family)
        elif family.members == 1 and family.products:
            self._solve(family, "general", family.matrix)
            self.new[family.inverse] = []
        elif family.members > 1 and self.factors and order == 2:
            self._by_lu(family)

    def _by_cholesky(self, family: _Family) -> None:
        first = self._first(family)
        if family.cholesky < 0:
            result, node = self._register(family.matrix), self._at(family.inverse).node
        else:
            made = self._at(family.cholesky)
            result, node = made.result, made.node
            self.new[family.cholesky] = []
        factor = Instruction("factor", "cholesky", (family.matrix,), result, (True,), node)
        self._use(family, "cholesky", whole(factor.result))
        for k in family.determinants:
            if self._at(k).name == "linalg.det":
                self._replace(k, "determinant", "cholesky", [whole(factor.result)])
        self._before(first, factor)

    def _by_lu(self, family: _Family) -> None:
        first = self._first(family)
        register = self._register(None)
        insists = family.inverse >= 0  # else a singular matrix is no fault
        factor = Instruction(
            "factor", "lu", (family.matrix,), register, (insists,), self._at(first).node
        )
        self._use(family, "lu", whole(register))
        for k in family.determinants:
            self._replace(k, "determinant", "lu", [whole(register)])
        self._before(first, factor)

    def _use(self, family: _Family, kind: str, factor: View) -> None:
        """Solves for the products, and an inverse from the factor where entries are asked for."""
        if family.inverse < 0:
            return
        self._solve(family, kind, factor)
        if family.entries:
            self._replace(family.inverse, "inverse", kind, [factor])
        else:
            self.new[family.inverse] = []

    def _solve(self, family: _Family, kind: str, factor: View) -> None:
        inverse = self._at(family.inverse).result
        for k in family.products:
            self.new[k] = self._solved(self._at(k), inverse, kind, factor, family)

    def _solved(
        self, i: Instruction, inverse: Register, kind: str, factor: View, family: _Family
    ) -> list[Instruction]:
        """A⁻¹ B by a solve, B A⁻¹ as the transpose of A⁻ᵀ Bᵀ."""
        left, right = i.operands
        at_left = left.source is inverse
        view, other = (left, right) if at_left else (right, left)
        turned = view.axes[-2:] != tuple(range(len(view.axes)))[-2:]
        turned ^= not at_left
        detail = (turned and kind != "cholesky",)
        node = self._at(family.inverse).node
        if at_left or len(other.axes) == 1:
            return [Instruction("solve", kind, (factor, other), i.result, detail, node)]
        *batch, rows, columns = range(len(i.result.shape))
        shape = tuple([i.result.shape[k] for k in (*batch, columns, rows)])
        solved = Register(self._index(), shape)
        exchanged = (*other.axes[:-2], other.axes[-1], other.axes[-2])
        operands = factor, View(other.source, exchanged)
        back = View(solved, (*batch, columns, rows))
        return [
            Instruction("solve", kind, operands, solved, detail, node),
            Instruction("copy", f"{TURNED}{solved.index}", (back,), i.result, (), i.node),
        ]

    def _first(self, family: _Family) -> int:
        places = [family.inverse, family.cholesky, *family.determinants]
        return min(k for k in places if k >= 0)

    def _at(self, k: int) -> Instruction:
        return self.program.instructions[k]

    def _replace(self, k: int, op: str, kind: str, operands: list[View]) -> None:
        i = self._at(k)
        logarithm = (i.name == "linalg.slogdet",) if op == "determinant" else ()
        self.new[k] = [replace(i, op=op, name=kind, operands=tuple(operands), detail=logarithm)]

    def _before(self, k: int, factor: Instruction) -> None:
        self.new[k] = [factor, *self.new.get(k, [self._at(k)])]

    def _index(self) -> int:
        self.next += 1
        return self.next - 1

    def _register(self, matrix: View | None) -> Register:
        """A new register for a factor: of the shape of a matrix, or a tuple."""
        if matrix is None:
            return Register(self._index(), (), "tuple")
        assert isinstance(matrix.source, Register)
        shape = tuple([matrix.source.shape[a] for a in matrix.axes if a is not None])
        return Register(self._index(), shape)

"""What is known of square matrices, in the last two axes: positive definite, or a triangle."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from pullback.expressions import constructors as make
from pullback.expressions.nodes import Apply, Contraction, Indicator, Node, Sum, Variable
from pullback.expressions.walks import remembered
from pullback.simplification.products import Factor, Label, Opened
from pullback.simplification.signs import positive

UNKNOWN, SEMIDEFINITE, DEFINITE = range(3)

_definite: WeakKeyDictionary[Node, int] = WeakKeyDictionary()
_KEEP_DEFINITE = frozenset(("inv", "sqrtm"))


def positive_definite(root: Node) -> bool:
    """Whether a matrix is known to be symmetric and positive definite.

    >>> S = make.variable("S", ["n", "n"], ["posdef"])
    >>> positive_definite(make.add([(2, S), (1, make.delta("n"))]))
    True
    """
    return definiteness(root) == DEFINITE


def definiteness(root: Node) -> int:
    """DEFINITE, SEMIDEFINITE or UNKNOWN, of a symmetric matrix in the last two axes."""
    return remembered(root, _definite, _relevant, _of)


def _square(node: Node) -> bool:
    return node.order >= 2 and node.shape[-1] == node.shape[-2]


def _relevant(node: Node) -> list[Node]:
    if not _square(node):
        return []
    if isinstance(node, Contraction):
        return [n for n, _ in Opened(node).flat()[0] if n is not node and _square(n)]
    return [n for n in node.children if _square(n)]


def _of(node: Node) -> int:
    if not _square(node):
        return UNKNOWN
    if isinstance(node, Variable):
        return DEFINITE if "posdef" in node.assumptions else UNKNOWN
    if isinstance(node, Apply):
        return _definite[node.arguments[0]] if node.function in _KEEP_DEFINITE else UNKNOWN
    if isinstance(node, Sum):
        kinds = [_definite[n] if c > 0 else UNKNOWN for c, n in node.terms]
        return UNKNOWN if UNKNOWN in kinds else max(kinds, default=UNKNOWN)
    return _of_product(node) if isinstance(node, Contraction) else UNKNOWN


def _of_product(node: Contraction) -> int:
    """s D for a positive s; diag(d) for positive d, the identity; X Xᵀ and X D Xᵀ at the least."""
    factors, _ = Opened(node).flat()
    *_, row, column = node.output
    held = [(n, ls) for n, ls in factors if {row, column} & {*ls}]
    others = [(n, ls) for n, ls in factors if not {row, column} & {*ls}]
    if row == column:
        return DEFINITE if all(positive(n) for n, _ in factors) else UNKNOWN
    if make.has_delta(node) or not held:
        return UNKNOWN
    if len(held) == 1:
        (inner, labels), scaled = held[0], all(positive(n) for n, _ in others)
        ends = {row, column} == {*labels[-2:]}
        return _definite[inner] if ends and scaled and _square(inner) else UNKNOWN
    return _of_form(held, others, {row, column}) if len(held) == 2 else UNKNOWN


def _of_form(held: list[Factor], others: list[Factor], ends: set[Label]) -> int:
    """X Xᵀ, X diag(w) Xᵀ with positive w and X D Xᵀ, where both X are one node."""
    (one, first), (other, second) = held
    if one is not other or len({*first}) < len(first) or len({*second}) < len(second):
        return UNKNOWN
    apart = [{a, b} for a, b in zip(first, second, strict=True) if a != b]
    if ends not in apart or len(apart) > 2:
        return UNKNOWN  # the rows and columns of the result are one axis of X
    apart.remove(ends)
    middle = [(n, ls) for n, ls in others if apart and {*ls[-2:]} == apart[0] and _square(n)]
    weights = [n for n, ls in others if (n, ls) not in middle]
    if len(middle) != len(apart) or not all(positive(n) for n in weights):
        return UNKNOWN
    return min([SEMIDEFINITE, *(_definite[n] for n, _ in middle)])


def triangle(root: Node) -> str:
    """ "lower" or "upper" for a matrix that is known to be zero on the other side, else "".

    An entry of a product is zero unless all its factors have one that is not. A factor that is a
    lower triangle says i ≥ j of its indices, an indicator says what it says; where this leads from
    the row of the product to its column, the product is a lower triangle too. Of a diagonal
    matrix the answer is "lower" too.
    """
    return next((side for side in ("lower", "upper") if is_triangle(root, side)), "")


def is_triangle(root: Node, side: str) -> bool:
    """Whether a matrix is known to be zero above its diagonal, or below it for "upper"."""
    if not _square(root):
        return False
    if isinstance(root, Variable):
        return bool(root.assumptions & {side, "diagonal"})
    if isinstance(root, Apply):
        if root.function == "inv":
            return is_triangle(root.arguments[0], side)
        return side == "lower" and root.function in ("cholesky", "tril_half")
    if not isinstance(root, Contraction):
        return isinstance(root, Sum) and all(is_triangle(n, side) for n in root.children)
    row, column = root.output[-2:]
    start, end = (row, column) if side == "lower" else (column, row)
    steps: dict[Label, set[Label]] = {}  # from an index to those that are no larger
    for node, labels in Opened(root).flat()[0]:
        for large, small in _orders(node, labels) if node is not root else ():
            steps.setdefault(large, set()).add(small)
    reached = {start}
    pending = [start]
    while pending:
        more = steps.get(pending.pop(), set()) - reached
        reached |= more
        pending += more
    return end in reached


def _orders(node: Node, labels: tuple[Label, ...]) -> list[tuple[Label, Label]]:
    """Pairs of indices of which a factor that is not zero says that the first is no smaller."""
    if isinstance(node, Indicator):
        signs = [c.constant for c in node.coefficients]
        if node.equality or len(signs) != 2 or {*signs} != {1, -1}:
            return []
        large = signs.index(1)
        return [(labels[large], labels[1 - large])] if (-node.offset).at_least(0) else []
    pairs = []
    if _square(node) and is_triangle(node, "lower"):
        pairs.append((labels[-2], labels[-1]))
    if _square(node) and is_triangle(node, "upper"):
        pairs.append((labels[-1], labels[-2]))
    return pairs

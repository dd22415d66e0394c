"""Brackets of LaTeX that are functions: |s| and ⟨x, y⟩."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from pullback.errors import PullbackError
from pullback.expressions import Node, Shape, Size, placement
from pullback.expressions import constructors as make
from pullback.functions.catalogue import CATALOGUE
from pullback.language import kinds as k
from pullback.language.callee import Callee
from pullback.language.code import Mathematics
from pullback.language.kinds import Build, Extent, Kind, Refusal, Rule, Verdict
from pullback.language.syntax import Call


def _modulus(kinds: tuple[Kind, ...]) -> Verdict:
    if k.order_of(kinds[0]) == 2:  # a reading, so that no other is found, and refused

        def refused(_nodes: Sequence[Node], _shape: Shape) -> Node:
            raise PullbackError(f"bars around {k.kind_text(kinds[0])} {_SEVERAL}", None, _HINT)

        return Rule(k.SCALAR, build=refused)
    if k.order_of(kinds[0]):
        return Refusal(f"bars around {k.kind_text(kinds[0])} {_SEVERAL}", _HINT)
    return Rule(kinds[0])


_SEVERAL = "have several meanings"
_HINT = r"write \det A, \|x\|, or \operatorname{abs}(x) entry by entry"


def _log_modulus(kinds: tuple[Kind, ...]) -> Verdict:
    r"""``\log |X|``: of a matrix the logarithm of its determinant."""
    if kinds[0] == k.MATRIX:
        return Rule(
            k.SCALAR,
            equal=(((0, 0), (0, 1)),),
            build=lambda nodes, shape: CATALOGUE["logdet"].apply(nodes),
        )
    if k.order_of(kinds[0]):
        return Refusal(f"bars around {k.kind_text(kinds[0])} {_SEVERAL}", _HINT)
    return Rule(kinds[0])


def _times(kinds: tuple[Kind, ...]) -> Verdict:
    r"""``\times``: with a scalar the product, of two vectors the cross product."""
    left, right = kinds
    if not k.order_of(left) or not k.order_of(right):
        return k.product(left, right)
    if k.order_of(left) != 1 or k.order_of(right) != 1:
        return Refusal(r"\times is a cross product of two vectors", r"write \cdot or \odot")
    three = Extent(Size.of(3))
    return Rule(
        left,
        (three,),
        (((0, 0), three), ((1, 0), three)),
        build=lambda nodes, shape: placement.cross(*nodes),
    )


def _power_of_e(kinds: tuple[Kind, ...]) -> Verdict:
    """``e^{x}``, entry by entry; of a matrix it may be the exponential of the whole."""
    if k.order_of(kinds[0]) == 2:  # a reading, so that no other is found, and refused

        def refused(_nodes: Sequence[Node], _shape: Shape) -> Node:
            hint = r"write \operatorname{expm}(A) of the whole matrix, \exp(A) entry by entry"
            raise PullbackError(f"e to {k.kind_text(kinds[0])} has two meanings", None, hint)

        return Rule(kinds[0], ((0, 0), (0, 1)), build=refused)
    return k.entrywise(kinds)


def _inner_product(kinds: tuple[Kind, ...]) -> Verdict:
    if k.order_of(kinds[0]) == k.order_of(kinds[1]) == 1:
        return k.dot(*kinds)
    paired = k.entrywise(kinds, what="pair")
    return Rule(k.SCALAR, (), paired.equal) if isinstance(paired, Rule) else paired


# brackets of LaTeX that are functions: |s| and ⟨x, y⟩
BRACKETS: dict[str, tuple[Callable[[tuple[Kind, ...]], Verdict], Build]] = {
    "|": (_modulus, lambda nodes, shape: CATALOGUE["abs"].apply(nodes)),
    "log|": (
        _log_modulus,
        lambda nodes, shape: CATALOGUE["log"].apply([CATALOGUE["abs"].apply(nodes)]),
    ),
    "ℯ^": (_power_of_e, lambda nodes, shape: CATALOGUE["exp"].apply(nodes)),
    "⟨": (_inner_product, lambda nodes, shape: make.total(make.multiply(*nodes))),
}


# functions that a text in LaTeX may mean of a whole square matrix
_OF_MATRICES = {"exp": "expm", "log": "logm", "sqrt": "sqrtm", "sin": "sinm", "cos": "cosm"}


def _not_of_square(name: str, build: Build) -> Build:
    def checked(nodes: Sequence[Node], shape: Shape) -> Node:
        if nodes[0].order == 2 and nodes[0].shape[0] == nodes[0].shape[1]:
            hint = (
                rf"write \operatorname{{{_OF_MATRICES[name]}}}(A) of the whole matrix; entry by "
                f"entry it is {name}(A) in the default language"
            )
            raise PullbackError(f"{name} of a square matrix has two meanings", None, hint)
        return build(nodes, shape)

    return checked


@dataclass(frozen=True, slots=True)
class Latex(Mathematics):
    """The meaning of LaTeX, which has brackets that are functions."""

    def operator(self, symbol: str) -> tuple[Callable[[tuple[Kind, ...]], Verdict], Build | None]:
        return (_times, None) if symbol == "×" else Mathematics.operator(self, symbol)

    def resolve(self, call: Call, text: str, names: Collection[str]) -> Callee:
        if call.function in BRACKETS:
            return Callee(tuple(call.arguments), *BRACKETS[call.function])
        callee = Mathematics.resolve(self, call, text, names)
        if call.function in _OF_MATRICES and callee.build is not None:
            return replace(callee, build=_not_of_square(call.function, callee.build))
        return callee

"""Brackets of LaTeX that are functions: |s| and ⟨x, y⟩."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from pullback.expressions import constructors as make
from pullback.functions.catalogue import CATALOGUE
from pullback.language import kinds as k
from pullback.language.callee import Callee
from pullback.language.code import Mathematics
from pullback.language.kinds import Build, Kind, Refusal, Rule, Verdict
from pullback.language.syntax import Call


def _modulus(kinds: tuple[Kind, ...]) -> Verdict:
    if k.order_of(kinds[0]):
        hint = r"write \det A, \|x\|, or \operatorname{abs}(x) entry by entry"
        return Refusal(f"bars around {k.kind_text(kinds[0])} have several meanings", hint)
    return Rule(kinds[0])


def _inner_product(kinds: tuple[Kind, ...]) -> Verdict:
    if k.order_of(kinds[0]) == k.order_of(kinds[1]) == 1:
        return k.dot(*kinds)
    paired = k.entrywise(kinds, what="pair")
    return Rule(k.SCALAR, (), paired.equal) if isinstance(paired, Rule) else paired


# brackets of LaTeX that are functions: |s| and ⟨x, y⟩
BRACKETS: dict[str, tuple[Callable[[tuple[Kind, ...]], Verdict], Build]] = {
    "|": (_modulus, lambda nodes, shape: CATALOGUE["abs"].apply(nodes)),
    "⟨": (_inner_product, lambda nodes, shape: make.total(make.multiply(*nodes))),
}


@dataclass(frozen=True, slots=True)
class Latex(Mathematics):
    """The meaning of LaTeX, which has brackets that are functions."""

    def resolve(self, call: Call, text: str, names: Collection[str]) -> Callee:
        if call.function in BRACKETS:
            return Callee(tuple(call.arguments), *BRACKETS[call.function])
        return Mathematics.resolve(self, call, text, names)

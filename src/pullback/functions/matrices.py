"""Functions of whole square matrices; leading axes are batch axes."""

from __future__ import annotations

from pullback.functions.algebra import einsum
from pullback.functions.domains import INVERTIBLE, POSITIVE_DETERMINANT
from pullback.functions.record import (
    Function,
    Law,
    argument_of,
    function,
)

inv: Function = function(
    "inv",
    "(i,i)->(i,i)",
    partials=(lambda y, x: -einsum("...ik,...lj->...ijkl", y, y),),
    code="xp.linalg.inv({0})",
    exact=lambda mp, x: (mp.matrix(x) ** -1).tolist(),
    doc="Inverse of a square matrix.",
    domain=(INVERTIBLE,),
    latex="{0}^{{-1}}",
    turns=True,
    laws=(Law("(X⁻¹)⁻¹ = X", lambda x: argument_of("inv", x)),),
)

det: Function = function(
    "det",
    "(i,i)->()",
    partials=(lambda y, x: einsum("...,...ji->...ij", y, inv(x)),),
    code="xp.linalg.det({0})",
    exact=lambda mp, x: mp.det(mp.matrix(x)),
    doc="Determinant. Its derivative is stated through the inverse, so at invertible matrices.",
    domain=(INVERTIBLE,),
    latex=r"\det",
    turns=True,
)

logdet: Function = function(
    "logdet",
    "(i,i)->()",
    partials=(lambda y, x: einsum("...ji->...ij", inv(x)),),
    code="sign, size = xp.linalg.slogdet({0})\nsize + xp.log(sign)",
    exact=lambda mp, x: mp.log(mp.det(mp.matrix(x))),
    doc="log det X, for det X > 0; refused where det X ≤ 0. Its derivative X⁻ᵀ is that of log |det X| too.",
    domain=(POSITIVE_DETERMINANT,),
    latex=r"\log\det",
    turns=True,
)

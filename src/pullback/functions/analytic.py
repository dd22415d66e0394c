"""Analytic functions of square matrices, with their Fréchet derivatives.

The derivative of f at X is the linear map L_f(X, ·), and the derivative of that the bilinear one
L²_f(X; ·, ·) (Higham, Functions of Matrices, chapter 3). They come as functions of the catalogue,
and one step closes the tower: the derivative of L² by X is L² of matrices twice as large, as
f([[X, E], [0, X]]) has L_f(X, E) for its upper right block (theorem 3.6). The adjoint of
L_f(X, ·) is L_f(Xᵀ, ·).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pullback.expressions import constructors as make
from pullback.expressions.nodes import Apply, Contraction, Node, Sum
from pullback.expressions.placement import concatenate, take
from pullback.functions import precise
from pullback.functions.algebra import Term, einsum
from pullback.functions.domains import NO_NEGATIVE_EIGENVALUE, REAL, Domain
from pullback.functions.matrices import inv, turned
from pullback.functions.record import Definition, Function, Law, LinearMap, argument_of, function

PRIMARY = frozenset({"inv", "expm", "logm", "sqrtm", "sinm", "cosm"})  # these commute with X


def _joined(rows: Sequence[Sequence[str]]) -> str:
    """Code for a matrix of blocks."""
    wide = [f"xp.concatenate([{', '.join(row)}], axis=-1)" for row in rows]
    return f"xp.concatenate([{', '.join(wide)}], axis=-2)"


_X, _E, _F, _O = "{0}", "{1}", "{2}", "0 * {0}"
FIRST = _joined([[_X, _E], [_O, _X]])
SECOND = _joined([[_X, _E, _F, _O], [_O, _X, _O, _F], [_O, _O, _X, _E], [_O, _O, _O, _X]])


def _principal(name: str) -> str:
    """Code for a function of SciPy, with NaN where an eigenvalue is 0 or negative."""
    return (
        "def principal(x):\n"
        "    values = xp.linalg.eigvals(x) if xp.isfinite(x).all() else xp.zeros(1)\n"
        "    outside = xp.any((values.imag == 0) & (values.real <= 0))\n"
        f"    y = xp.full_like(x, xp.nan) if outside else sl.{name}(x)\n"
        "    real = xp.max(xp.abs(y.imag)) <= 1e-9 * xp.max(xp.abs(y))\n"
        "    return y.real if real else xp.full_like(x, xp.nan)\n"
        "whole = xp.vectorize(principal, otypes=[float], signature='(n,n)->(n,n)')\n"
        "whole({0}).astype({0}.dtype)"
    )


def _called(name: str, x: Term) -> Term:
    return Term(make.apply(name, [x.node], x.shape))


def _lifted(x: Term, e: Term | None = None) -> Term:
    """[[X, E], [0, X]], with 0 for E where none is given."""
    zero = make.zeros(x.shape)
    last = len(x.shape) - 1
    above = concatenate([x.node, zero if e is None else e.node], last)
    return Term(concatenate([above, concatenate([zero, x.node], last)], last - 1))


def _corner(x: Term, of: Term) -> Term:
    """The upper right block, of the size of another matrix."""
    last, size = len(x.shape) - 1, of.shape[-1]
    return Term(take(take(x.node, last - 1, 0, size), last, size, size))


def commute(x: Node, e: Node) -> bool:
    """Whether two matrices are seen to commute: E is made of the identity and of functions of X."""
    terms = e.terms if isinstance(e, Sum) else ((1, e),)
    return all(_is_identity(t) or _direction(t) == _direction(x) for _, t in terms)


def _is_identity(node: Node) -> bool:
    """Whether a node is the identity, times a number for each batch."""
    if not isinstance(node, Contraction) or node.order < 2:
        return False
    row, column = node.output[-2:]
    return (
        row == column
        and node.output.count(row) == 2
        and not any(row in labels for _, labels in node.operands)
    )


def _direction(node: Node) -> tuple[Node, bool]:
    """The matrix that a node is a multiple or a function of, and whether that is transposed."""
    flipped = False
    while True:
        _, core = make.split_coefficient(node)
        inner = core.arguments[0] if isinstance(core, Apply) and core.function in PRIMARY else None
        if isinstance(core, Contraction) and not core.summed and not make.has_delta(core):
            ends = core.output[-2:]
            tied = [(n, ls) for n, ls in core.operands if set(ls) & set(ends)]
            if len(tied) == 1 and set(tied[0][1]) == set(ends):
                inner = tied[0][0]
                flipped ^= tied[0][1] != ends
        if inner is None:
            return core, flipped
        node = inner


@dataclass(frozen=True)
class Analytic:
    """What a function f of matrices is made from, with its first and second Fréchet derivative.

    ``code`` computes f of ``{0}``; the derivatives are blocks of it. ``scalars`` are f, f′ and f″ of a number; ``slope`` is f′ of a matrix.
    """

    name: str
    symbol: str  # a LaTeX command without its backslash
    code: str
    scalars: tuple[precise.Scalar, precise.Scalar, precise.Scalar]
    slope: Callable[[Term], Term]
    slope_text: str
    domain: Domain = REAL

    def family(self, doc: str, laws: tuple[Law, ...] = ()) -> tuple[Function, Function, Function]:
        """The records of f, of L_f(X, E) and of L²_f(X; E, F)."""
        corner = "[..., :{0}.shape[-1], -{0}.shape[-1]:]"

        def exact(mp: Any, *x: precise.Rows) -> precise.Rows:
            return precise.of_matrix(mp, self.scalars, *x)

        def parted(x: Node, e: Node) -> Node | None:
            if not commute(x, e):
                return None
            return einsum("...ij,...jk->...ik", self.slope(Term(x)), Term(e)).node

        def in_order(x: Node, e: Node, f: Node) -> Node | None:
            return second.apply([x, f, e]) if f.digest < e.digest else None

        def third(x: Term, e: Term, f: Term, g: Term) -> Term:
            return _corner(second(_lifted(x, g), _lifted(e), _lifted(f)), x)

        second: Function = function(
            f"{self.name}_frechet2",
            "(i,i),(i,i),(i,i)->(i,i)",
            partials=(
                LinearMap(
                    lambda y, x, e, f, v: third(x, e, f, v),
                    lambda y, x, e, f, w: third(turned(x), turned(e), turned(f), w),
                ),
                LinearMap(
                    lambda y, x, e, f, v: second(x, v, f),
                    lambda y, x, e, f, w: second(turned(x), w, turned(f)),
                ),
                LinearMap(
                    lambda y, x, e, f, v: second(x, e, v),
                    lambda y, x, e, f, w: second(turned(x), turned(e), w),
                ),
            ),
            code=f"block = {SECOND}\n" + self.code.replace("{0}", "block") + corner,
            exact=exact,
            doc=f"Second Fréchet derivative of {self.name} at X in the directions E and F.",
            domain=(self.domain, REAL, REAL),
            symbol=f"L2_{self.symbol}",
            latex=rf"L^{{(2)}}_{{\{self.symbol}}}",
            laws=(Law("L²(X; E, F) = L²(X; F, E)", in_order),),
            linear=(1, 2),
            turns=True,
            effort=250,
        )
        first: Function = function(
            f"{self.name}_frechet",
            "(i,i),(i,i)->(i,i)",
            partials=(
                LinearMap(
                    lambda y, x, e, v: second(x, e, v),
                    lambda y, x, e, w: second(turned(x), turned(e), w),
                ),
                LinearMap(
                    lambda y, x, e, v: first(x, v),
                    lambda y, x, e, w: first(turned(x), w),
                ),
            ),
            code=f"block = {FIRST}\n" + self.code.replace("{0}", "block") + corner,
            exact=exact,
            doc=f"Fréchet derivative of {self.name} at X in the direction E.",
            domain=(self.domain, REAL),
            symbol=f"L_{self.symbol}",
            latex=rf"L_{{\{self.symbol}}}",
            laws=(Law(f"L(X, E) = {self.slope_text} E where X E = E X", parted),),
            linear=(1,),
            turns=True,
            effort=150,
        )
        base: Function = function(
            self.name,
            "(i,i)->(i,i)",
            partials=(LinearMap(lambda y, x, v: first(x, v), lambda y, x, w: first(turned(x), w)),),
            code=self.code,
            exact=exact,
            doc=doc,
            domain=(self.domain,),
            latex=rf"\operatorname{{{self.name}}}",
            laws=laws,
            turns=True,
            effort=150,
        )
        return base, first, second


def _exp(mp: Any, z: Any) -> Any:
    return mp.exp(z)


expm, expm_frechet, expm_frechet2 = Analytic(
    "expm",
    symbol="exp",
    code="sl.expm({0})",
    scalars=(_exp, _exp, _exp),
    slope=lambda x: _called("expm", x),
    slope_text="exp(X)",
).family(
    "Exponential of a square matrix, Σₖ Xᵏ/k!.",
    laws=(Law("expm(logm X) = X", lambda x: argument_of("logm", x)),),
)

logm, logm_frechet, logm_frechet2 = Analytic(
    "logm",
    symbol="log",
    code=_principal("logm"),
    scalars=(
        lambda mp, z: mp.log(z),
        lambda mp, z: 1 / z,
        lambda mp, z: -1 / z**2,
    ),
    slope=inv,
    slope_text="X⁻¹",
    domain=NO_NEGATIVE_EIGENVALUE,
).family("Principal logarithm of a square matrix.")

sqrtm, sqrtm_frechet, sqrtm_frechet2 = Analytic(
    "sqrtm",
    symbol="sqrt",
    code=_principal("sqrtm"),
    scalars=(
        lambda mp, z: mp.sqrt(z),
        lambda mp, z: 1 / (2 * mp.sqrt(z)),
        lambda mp, z: -1 / (4 * z * mp.sqrt(z)),
    ),
    slope=lambda x: inv(_called("sqrtm", x)) / 2,
    slope_text="½ X^(−½)",
    domain=NO_NEGATIVE_EIGENVALUE,
).family("Principal square root of a square matrix.")

sinm, sinm_frechet, sinm_frechet2 = Analytic(
    "sinm",
    symbol="sin",
    code="xp.imag(sl.expm(1j * {0}))",
    scalars=(
        lambda mp, z: mp.sin(z),
        lambda mp, z: mp.cos(z),
        lambda mp, z: -mp.sin(z),
    ),
    slope=lambda x: _called("cosm", x),
    slope_text="cos(X)",
).family("Sine of a square matrix.")

cosm, cosm_frechet, cosm_frechet2 = Analytic(
    "cosm",
    symbol="cos",
    code="xp.real(sl.expm(1j * {0}))",
    scalars=(
        lambda mp, z: mp.cos(z),
        lambda mp, z: -mp.sin(z),
        lambda mp, z: -mp.cos(z),
    ),
    slope=lambda x: -_called("sinm", x),
    slope_text="−sin(X)",
).family("Cosine of a square matrix.")

powm = Definition(
    "powm",
    ("X", "p"),
    lambda x, p: expm(p * logm(x)),
    "Power Xᵖ = exp(p log X) of a square matrix, for any number p.",
    "same",
    signatures=("(i,i),()->(i,i)",),
)

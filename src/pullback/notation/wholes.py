"""What is made of whole matrices: traces, diagonals, covariances, the transpose of a product."""

from __future__ import annotations

from pullback.expressions.sizes import Size
from pullback.notation import places
from pullback.notation.algebra import Factors, power, product, reciprocal, transpose
from pullback.notation.sums import add
from pullback.notation.tree import Formula, identity, number


def trace(f: Formula) -> Formula:
    """The trace, that of a sum term by term where a term x yᵀ has the trace yᵀ x."""
    if f.op == "sum":
        traces = [_of_product(p) for p in f.parts]
        if any(not _holds_trace(t) for t in traces):
            return add(traces)
    return _of_product(f)


def _holds_trace(f: Formula) -> bool:
    return f.op == "trace" or (f.op in ("product", "quotient") and any(map(_holds_trace, f.parts)))


def _of_product(f: Formula) -> Formula:
    """The trace, its factors rotated and transposed so that it reads best: tr(Xᵀ A X)."""
    if f.op == "quotient":
        return product([_of_product(f.parts[0]), reciprocal(f.parts[1])])
    parts = f.parts if f.op == "product" else (f,)
    scalars = [p for p in parts if p.kind == "scalar"]
    chain = product([p for p in parts if p.kind != "scalar"])
    candidates = []
    for g in (chain, transpose(chain)):
        parts = g.parts if g.op == "product" else (g,)
        candidates += [product([*parts[k:], *parts[:k]]) for k in range(len(parts))]
    lone = [g for g in candidates if g.kind == "scalar"]
    if lone:  # tr(x yᵀ) is yᵀ x
        return product([*scalars, min(lone, key=lambda g: (g.transposes, g.reading))])
    best = min(candidates, key=lambda g: (g.transposes, not _is_form(g), g.reading))
    return product([*scalars, Formula("trace", (best,))])


def _is_form(f: Formula) -> bool:
    return f.op == "product" and len(f.parts) > 2 and f.parts[0] == transpose(f.parts[-1])


def diag(f: Formula) -> Formula:
    """The diagonal matrix of a vector, or the diagonal of a matrix."""
    if f.kind == "column" and places.selected(f, 1) is not None:
        return product([f, transpose(f)])
    if f.kind == "column" and places.is_block(f):
        front, inner = places.apart(f)
        return product([front, diag(inner), transpose(front)])
    turned = transpose(f)
    if turned.transposes < f.transposes:
        f = turned
    return Formula("diag", (f,), "column" if f.kind == "matrix" else "matrix")


def around(before: Formula, weight: Formula | None, after: Formula) -> list[Formula]:
    """Mᵀ diag(w) N for two matrices seen from one label, where (diag(p) − p pᵀ) N is shown as such."""
    left = transpose(before)
    if weight is None:
        return [left, after]
    right = covariance(weight, after)
    if right is not None:
        return [left, *right]
    turned = covariance(weight, before)
    if turned is not None:
        return [*(transpose(f) for f in reversed(turned)), after]
    return [left, diag(weight), after]


def covariance(weight: Formula, matrix: Formula) -> list[Formula] | None:
    """diag(p)(M − 𝟏 pᵀ M) as (diag(p) − p pᵀ) M, or None for any other matrix."""
    turned = matrix.op == "transpose"
    total = matrix.parts[0] if turned else matrix
    if total.op != "sum" or len(total.parts) != 2:
        return None
    terms = [transpose(p) if turned else p for p in total.parts]
    for mean, rest in (terms, terms[::-1]):
        taken = Factors()
        taken.take(mean)
        before, others = taken.chain[:2], taken.chain[2:]
        if len(before) < 2 or before[0].op != "ones" or before[1] != transpose(weight):
            continue
        if (product(others) == rest) if others else rest.op == "identity":
            scalars = [power(s, e) for s, e in taken.scalars.items()]
            outer = product([number(taken.value), *scalars, weight, transpose(weight)])
            return [add([diag(weight), outer]), *others]
    return None


def weighted(matrix: Formula, weight: Formula) -> Formula | None:
    """(I − u 𝟏ᵀ) diag(w) as diag(w) − u wᵀ, where every term is such."""
    taken = Factors()
    taken.take(matrix)
    if len(taken.chain) != 1 or taken.chain[0].op != "sum":
        return None
    total = taken.chain[0]
    ends = [(p.parts[-1] if p.op == "product" else p) for p in total.parts]
    if any(e.op != "identity" and transpose(e).op != "ones" for e in ends):
        return None
    row = transpose(weight.parts[0])
    terms = [
        product(
            [*(p.parts[:-1] if p.op == "product" else ()), weight if e.op == "identity" else row]
        )
        for p, e in zip(total.parts, ends, strict=True)
    ]
    return product(
        [number(taken.value), *(power(s, e) for s, e in taken.scalars.items()), add(terms)]
    )


def pulled_out(f: Formula) -> Formula:
    """A product of transposes alone as the transpose of a product: (X⁻¹ A X⁻¹)ᵀ."""
    parts = f.parts if f.op == "product" else ()
    chain = [p for p in parts if p.kind != "scalar"]
    if len(chain) < 3 or any(p.op != "transpose" or p.kind != "matrix" for p in chain):
        return f
    inside = Formula("product", [transpose(p) for p in reversed(chain)], "matrix")
    return product(
        [*(p for p in parts if p.kind == "scalar"), Formula("transpose", (inside,), "matrix")]
    )


def sandwiched(f: Formula) -> Formula:
    """(s A − B A)ᵀ A as Aᵀ(s I − B) A, for a symmetric sum in the middle."""
    parts = f.parts if f.op == "product" else ()
    for k in range(len(parts) - 1):
        outer, last = parts[k : k + 2]
        if outer.op != "transpose" or outer.parts[0].op != "sum" or last.kind != "matrix":
            continue
        rows = places.extent(last, 0)
        inner = [_before(p, last, rows) for p in outer.parts[0].parts] if rows else []
        if inner and None not in inner:
            middle = add([p for p in inner if p is not None])
            if transpose(middle) == middle:
                return product([*parts[:k], transpose(last), middle, *parts[k + 1 :]])
    return f


def _before(f: Formula, last: Formula, rows: Size) -> Formula | None:
    """What stands before a last factor, or None if that is another."""
    taken = Factors()
    taken.take(f)
    if not taken.chain or taken.chain[-1] != last:
        return None
    scalars = [power(s, e) for s, e in taken.scalars.items()]
    return product([number(taken.value), *scalars, *(taken.chain[:-1] or [identity(rows)])])


def fewest_transposes(f: Formula) -> Formula:
    """A vector lying or standing, for where it does not matter."""
    turned = transpose(f)
    vector = f.kind in ("row", "column")
    return turned if vector and turned.transposes < f.transposes else f

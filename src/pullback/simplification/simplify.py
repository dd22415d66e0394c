"""The engine: rows are tried at each node, children first, and every use is recorded.

What a row proposes is taken only if the measure falls (see :mod:`.measure`), so rewriting ends.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from pullback.expressions.nodes import Apply, Contraction, Node, Sum
from pullback.expressions.walks import rebuild
from pullback.functions.catalogue import primitive
from pullback.simplification import (
    adjoints,
    canonical,
    denominators,
    exponentials,
    factors,
    inverses,
    merged,
    opening,
    pairs,
    places,
    rank_one,
    signs,
    terms,
    totals,
    triangles,
)
from pullback.simplification.measure import measure
from pullback.simplification.products import tags
from pullback.trace import Rewrite, Trace


@dataclass(frozen=True)
class Row:
    """A rewrite with its law; ``rewrite`` returns None where it does not apply.

    A row that needs a kind of factor (see :func:`.products.tags`) is tried only on products that
    have one.
    """

    law: str
    rewrite: Callable[[Node], Node | None]
    needs: str = ""


OF_PRODUCTS: tuple[Row, ...] = (
    Row("like factors: xᵃ xᵇ = xᵃ⁺ᵇ", factors.like_factors),
    Row("eˣ / Σ eˣ = softmax(x)", exponentials.softmax_recognised),
    Row("X⁻¹ X = I", inverses.inverse_cancels, "inv"),
    Row("(I + u vᵀ)⁻¹ u = u/(1 + vᵀ u)", rank_one.inverse_beside_its_vector, "inv"),
    Row("adj(X)/det(X) = X⁻¹", inverses.adjugate_over_determinant, "adjugate"),
    Row("L Lᵀ = A, L⁻ᵀ L⁻¹ = A⁻¹ for L = chol(A)", triangles.factor_squared, "cholesky"),
    Row("Lᵀ A⁻¹ = L⁻¹, L⁻¹ A = Lᵀ for L = chol(A)", triangles.factor_beside_its_square, "cholesky"),
    Row("diag(tril_half(X)) = ½ diag(X)", triangles.diagonal_of_half, "linear"),
    Row("δᵢⱼ Dᵢᵢ = Dᵢⱼ for a diagonal matrix D", triangles.whole_of_diagonal),
    Row("tril(L) = L", triangles.part_of_triangle, "indicator"),
    Row("indices meet: Σⱼ [j = i + a] [j = k + a] = δᵢₖ", places.relations_meet, "indicator"),
    Row("the parts of a concatenation", places.parts_apart, "indicator"),
    Row("Qᵀ Q = I", inverses.orthogonal_cancels, "orthogonal"),
    Row("Aᵀ = A for a symmetric matrix, −A for a skew one", canonical.axes_in_order),
    Row(
        "a linear function by its adjoint: ⟨L(E), G⟩ = ⟨E, L*(G)⟩",
        adjoints.on_the_other_side,
        "linear",
    ),
    Row("opened to cancel: a (b/a + c) = b + a c", opening.distribute_to_cancel, "sum"),
    Row("opened to cancel: (b/a + c)⁻¹/a = (b + a c)⁻¹", opening.cancelled_under_a_power),
    Row("alike beside the rest: xᵀ(A + Aᵀ)x = 2 xᵀA x", opening.alike_inside, "sum"),
    Row("what sums to one: Σᵢ pᵢ = 1", totals.unit_sum, "unit-sum"),
)

OF_SUMS: tuple[Row, ...] = (
    Row("complement: 1 − f(x) as one function", terms.complement),
    Row("associativity: like terms collect", terms.open_inner_sums),
    Row("like terms: equal products count as one", terms.like_terms),
    Row("one diagonal: δᵢⱼ aᵢ + δᵢⱼ bᵢ = δᵢⱼ (aᵢ + bᵢ)", terms.same_diagonal),
    Row("common factor: a b + a c = a (b + c)", terms.common_factors),
    Row("common number: 2a − 2b = 2 (a − b)", terms.common_number),
    Row("tril_half(S) + tril_half(S)ᵀ = S for a symmetric S", triangles.halves_meet),
    Row("where(c, a, b) + where(c, d, e) = where(c, a + d, b + e)", terms.choices_by_one_condition),
    Row("multiplied out and collected", terms.expand_and_collect),
    Row("one denominator: a/d² − b/d = (a − b d)/d²", denominators.one_denominator),
)

OF_FUNCTIONS: tuple[Row, ...] = (
    Row("(Xᵀ)⁻¹ = (X⁻¹)ᵀ, det Xᵀ = det X", inverses.of_transpose),
    Row("(c X)⁻¹ = X⁻¹/c", inverses.number_taken_out),
    Row("Q⁻¹ = Qᵀ", inverses.of_orthogonal),
    Row("diag(x)⁻¹ = diag(1/x)", inverses.of_diagonal),
    Row("log det X⁻¹ = −log det X, det X⁻¹ = 1/det X", inverses.of_inverse),
    Row("tril_half(U) = ½ diag(diag(U)) for an upper triangle U", triangles.half_of_triangle),
    Row("chol(diag(x)) = diag(√x)", triangles.factor_of_diagonal),
    Row("log det chol(A) = ½ log det A, det chol(A) = √det A", triangles.determinant_of_factor),
    Row("L(c E) = c L(E) for a linear function L", triangles.multiple_taken_out),
    Row("det(I + u vᵀ) = 1 + vᵀ u", rank_one.determinant_lemma),
    Row(
        "(A ⊗ B)⁻¹ = A⁻¹ ⊗ B⁻¹, log|det(A ⊗ B)| = n log|det A| + m log|det B|", merged.of_kronecker
    ),
    Row("[A, 0; 0, B]⁻¹ = [A⁻¹, 0; 0, B⁻¹], det [A, 0; 0, B] = det A det B", merged.of_blocks),
    Row("f(vec X) = vec f(X), entry by entry", merged.of_every_entry),
    Row("for positive x: |x| = x, (xᵃ)ᵇ = xᵃᵇ", signs.of_positive),
    Row("for positive x: Πⱼ≠ᵢ xⱼ = Π x / xᵢ", signs.product_of_positive),
    Row("| |x| | = |x|, relu relu x = relu x", signs.of_itself),
    Row("an even function forgets a sign: |−x| = |x|", pairs.of_even_function),
    Row("1/(a + b/c) = c/(a c + b)", denominators.reciprocal_of_quotients),
    Row("powers of signs, of 0 and 1, of |x|, of eˣ", pairs.power_of_known),
)


_ROWS: dict[type[Node], tuple[Row, ...]] = {
    Contraction: OF_PRODUCTS,
    Sum: OF_SUMS,
    Apply: OF_FUNCTIONS,
}


# nodes that no row rewrites, with the rows that were tried: derivatives are simplified once more
# together with what they are compiled with
_final: WeakKeyDictionary[Node, tuple[Row, ...]] = WeakKeyDictionary()


def simplify(root: Node, trace: Trace | None = None) -> Node:
    """An expression of equal value that no row rewrites further.

    The rewrites are recorded in ``trace``, and ``trace.simplified`` gets the image of every
    node below the root, so that several roots can be simplified with one memory.
    """
    trace = Trace() if trace is None else trace
    image = trace.simplified
    stack: list[tuple[Node, Node | None]] = [(root, None)]  # (node, what it is being turned into)
    while stack:
        node, becomes = stack.pop()
        if node in image:
            continue
        if becomes is not None:
            image[node] = image[becomes]
            continue
        missing = [child for child in node.children if child not in image]
        if missing:
            stack.append((node, None))
            stack.extend([(child, None) for child in missing])
            continue
        rebuilt = rebuild(node, tuple([image[child] for child in node.children]))
        if rebuilt is not node:
            stack.extend([(node, rebuilt), (rebuilt, None)])
            continue
        step = _first_rewrite(node)
        if step is None:
            image[node] = node
        else:
            trace.rewrites.append(step)
            stack.extend([(node, step.after), (step.after, None)])
    return image[root]


def _first_rewrite(node: Node) -> Rewrite | None:
    if isinstance(node, Apply):
        for law in primitive(node).laws:
            after = law.rewrite(*node.arguments)
            if after is not None and after is not node:
                return Rewrite(law.statement, node, after)
    rows = _ROWS.get(type(node))
    if rows is None or _final.get(node) is rows:
        return None
    has = tags(node) if isinstance(node, Contraction) else None
    for row in rows:
        if has is not None and row.needs and row.needs not in has:
            continue
        after = row.rewrite(node)
        if after is not None and measure(after) < measure(node):
            return Rewrite(row.law, node, after)
    _final[node] = rows
    return None

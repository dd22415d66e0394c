"""Slices, joins, merged axes, ⊗ and triangles, as a person writes them."""

import numpy as np
import pytest
from notation_reader import SIZED, read_matrix
from notation_truth import value
from test_notation_values import stacked

from pullback.derivation.derive import derive
from pullback.expressions import constructors as make
from pullback.expressions import placement as place
from pullback.expressions.program import Program
from pullback.expressions.sizes import Size
from pullback.expressions.walks import variables
from pullback.functions.catalogue import CATALOGUE as C
from pullback.notation.names import Names
from pullback.notation.write import Writing, write

m, n, p = map(Size.of, "mnp")
x, y, w = make.variable("x", "n"), make.variable("y", "m"), make.variable("w", [m * n])
A, B, S = make.variable("A", "mn"), make.variable("B", "pq"), make.variable("S", "nn")
g = make.variable("g", [m + n])


def program(node):
    held = variables(node)
    return Program(node, {v.name: v for v in (x, y, w, A, B, S, g) if v in held})


def squares(node):
    return make.total(make.multiply(node, node))


def tanh(node):
    return C["tanh"].apply([node])


def derived(node, wrt, form="matrix", **options):
    d = derive(program(node), [wrt])
    return write(d.node, Names.of(d.program), form, groups=d.groups, **options)


tail, ends = place.take(x, 0, 1, n - 1), place.take(x, 0, 0, n - 1)
steps = make.add([(1, tail), (-1, ends)])

IN_INDICES = [
    (tail, None, "x_{i+1}"),
    (place.flipped(x, 0), None, "x_{n+1−i}"),
    (squares(tail), None, "Σ_i [i ≥ 2] x_i²"),
    (squares(tail), "x", "2 [i ≥ 2] x_i"),
    (squares(steps), "x", "2 ([i ≥ 2] (x_i − x_{i−1}) − [i ≤ n − 1] (x_{i+1} − x_i))"),
    (place.take(x, 0, 0), None, "x_{1}"),
    (place.take(x, 0, n - 1), "x", "[i = n]"),
    (place.take(A, 1, 0), None, "A_{i,1}"),
    (place.take(A, 0, 1), "A", "δ_ik [j = 2]"),
    (make.total(tanh(tail)), None, "Σ_{i=1}^{n−1} tanh(x_{i+1})"),
    (make.multiply(S, place.triangle("n", "n")), None, "[i ≥ j] S_ij"),
    (place.concatenate([x, y]), None, "[i ≤ n] x_i + [i ≥ n + 1] y_{i−n}"),
    (place.concatenate([x, y]), "y", "[i = j + n]"),
    (make.einsum("k,k->", w, place.vec(A)), None, "Σ_ij A_ij w_{i+m (j−1)}"),
]


@pytest.mark.parametrize(
    ("node", "wrt", "expected"), IN_INDICES, ids=[row[2] for row in IN_INDICES]
)
def test_in_indices(node, wrt, expected):
    if wrt is not None:
        assert derived(node, wrt, "index") == expected
    else:
        assert write(node, Names.of(program(node)), "index") == expected


def test_indices_in_ascii_and_latex():
    named = Names.of(program(squares(steps)))
    assert write(steps, named, "index", ascii=True) == "x[i+1] - x[i]"
    assert write(steps, named, "index", "latex") == "x_{i+1} - x_{i}"
    outside = make.total(tanh(tail))
    assert write(outside, named, "index", ascii=True) == "sum_{i=1}^{n-1}(tanh(x[i+1]))"
    assert write(outside, named, "index", "latex") == r"\sum_{i=1}^{n-1} \tanh(x_{i+1})"
    assert derived(squares(tail), "x", "index", ascii=True) == "2*[i >= 2]*x[i]"
    assert derived(squares(tail), "x", "index", style="latex") == r"2 \left[i \ge 2\right] x_{i}"


IN_MATRICES = [
    (tail, None, "x_{2:n}"),
    (squares(tail), None, "‖x_{2:n}‖²"),
    (squares(tail), "x", "2 [0; x_{2:n}]"),
    (tail, "x", "[0, I]"),
    (steps, None, "x_{2:n} − x_{1:n−1}"),
    (steps, "x", "[0, I] − [I, 0]"),
    (make.total(tanh(place.take(g, 0, 0, m))), "g", "[1 − tanh(g_{1:m})^⊙2; 0_{n}]"),
    (make.einsum("i,ij,j->", x, S, place.flipped(x, 0)), None, "xᵀ S x_{n:−1:1}"),
    (place.take(x, 0, 0), None, "x_1"),
    (place.take(x, 0, 0), "x", "e_1"),
    (make.power(place.take(x, 0, n - 1), 2), "x", "2 x_{n} e_n"),
    (place.take(A, 1, 0), None, "A_{:,1}"),
    (make.einsum("i,i->", y, place.take(A, 1, 0)), "A", "y e_1ᵀ"),
    (place.take(place.take(A, 1, 1), 0, 0), None, "A_{1,2}"),
    (place.take(place.take(A, 1, 1), 0, 0), "A", "e_1 e_2ᵀ"),
    (squares(place.take(S, 0, 1, n - 1)), "S", "2 [0; S_{2:n,:}]"),
    (make.einsum("ij,j->i", place.take(S, 0, 1, n - 1), x), "x", "S_{2:n,:}"),
    (place.concatenate([x, y]), None, "[x; y]"),
    (place.concatenate([x, y]), "y", "[0_{n,m}; I]"),
    (place.concatenate([A, place.placed(S, 0, 0, n)], 0), None, "[A; S]"),
    (squares(place.concatenate([x, y])), "x", "2 x"),
    (make.multiply(S, place.triangle("n", "n")), None, "tril(S)"),
    (squares(make.multiply(S, place.triangle("n", "n", 1, upper=True))), "S", "2 triu(S, 1)"),
    (make.einsum("ij,j->i", place.triangle("n", "n"), x), "x", "tril(𝟏 𝟏ᵀ)"),
    (place.vec(A), None, "vec(A)"),
    (place.reshape(A, [m * n]), None, "vec(Aᵀ)"),
    (place.unvec(w, m, n), None, "reshape(w, m, n)"),
    (make.einsum("k,k->", w, place.vec(A)), "A", "reshape(w, m, n)"),
    (make.einsum("k,k->", w, place.vec(tanh(A))), "w", "vec(tanh(A))"),
    (squares(place.vec(A)), "A", "2 A"),
    (place.kron(A, B), None, "A ⊗ B"),
    (squares(place.kron(A, B)), "A", "2 ‖B‖² A"),
    (place.kron(x, y), "x", "I_n ⊗ y"),
    (place.kron(x, y), "y", "x ⊗ I_m"),
    (place.kron(make.delta("p"), A), None, "I_p ⊗ A"),
    (place.merge(make.einsum("ij,kj->ikj", A, S), [0, 1]), None, "khatri_rao(A, S)"),
]


@pytest.mark.parametrize(
    ("node", "wrt", "expected"), IN_MATRICES, ids=[row[2] for row in IN_MATRICES]
)
def test_in_matrices(node, wrt, expected):
    if wrt is not None:
        assert derived(node, wrt) == expected
    else:
        assert write(node, Names.of(program(node))) == expected


def test_a_function_of_two_slices_has_a_block_vector_as_gradient():
    first, second = place.take(g, 0, 0, m), place.take(g, 0, m, n)
    node = make.total(make.add([(1, tanh(make.einsum("ij,j->i", A, second))), (1, first)]))
    assert derived(node, "g") == "[𝟏; Aᵀ(1 − tanh(A g_{m+1:m+n})^⊙2)]"


FLATTENED = [  # Magnus and Neudecker, Matrix Differential Calculus (2019), 3.7 and 9.14
    (place.kron(A, B), "A", "(I_n ⊗ K_qm ⊗ I_p)(I_mn ⊗ vec(B))"),
    (place.kron(A, B), "B", "(K_nq ⊗ I_mp)(I_q ⊗ vec(A) ⊗ I_p)"),
    (place.vec(A), "A", "I_mn"),
    (place.reshape(A, [m * n]), "A", "K_mn"),
    (place.take(A, 1, 0), "A", "e_1ᵀ ⊗ I_m"),
    (place.take(S, 0, 1, n - 1), "S", "I_n ⊗ [0, I]"),
    (place.concatenate([A, S]), "A", "I_n ⊗ [I; 0_{n,m}]"),
    (make.multiply(S, place.triangle("n", "n")), "S", "diag(vec(tril(𝟏 𝟏ᵀ)))"),
]


@pytest.mark.parametrize(("node", "wrt", "expected"), FLATTENED, ids=[row[2] for row in FLATTENED])
def test_flattened(node, wrt, expected):
    assert derived(node, wrt, "vec") == expected


def test_ascii_and_latex():
    assert derived(squares(tail), "x", ascii=True) == "2*[vector(0, 1); x(2:n)]"
    assert derived(squares(tail), "x", style="latex") == (
        r"2 \begin{bmatrix} 0 \\ x_{2:n} \end{bmatrix}"
    )
    named = Names.of(program(place.take(A, 1, 0)))
    assert write(place.take(A, 1, 0), named, ascii=True) == "A(:, 1)"
    assert derived(place.take(x, 0, 0), "x", ascii=True) == "eye(n)(:, 1)"
    both = place.concatenate([A, place.placed(S, 0, 1, n + 1)])
    assert write(both, Names.of(program(both)), ascii=True) == "[A; matrix(0, 1, n); S]"


def test_a_name_that_looks_like_an_entry_stays_apart():
    e, first = make.variable("e", "n"), make.variable("x_1", "n")
    node = make.add([(1, e), (1, make.multiply(place.take(x, 0, 0), first))])
    known = Program(node, {"x": x, "e": e, "x_1": first})
    assert write(node, Names.of(known)) == "x_{1} x_1 + e"
    assert (
        write(derive(Program(place.take(x, 0, 0), {"x": x, "e": e}), ["x"]).node, Names.of(known))
        == "I_{:,1}"
    )


LENGTHS = {"m": 2, "n": 3, "p": 4, "q": 2}


@pytest.mark.parametrize("form", ["matrix", "vec"])
@pytest.mark.parametrize(("node", "wrt", "_"), [*IN_MATRICES, *FLATTENED])
def test_what_is_written_has_the_value_of_the_expression(node, wrt, _, form):
    groups, names = (0, node.order), Names.of(program(node))
    if wrt is not None:
        d = derive(program(node), [wrt])
        node, groups = d.node, d.groups
    writing = Writing(node, names, form, groups)
    if writing.form == "index":
        return
    rng = np.random.default_rng(5)
    held = variables(node)
    arrays = {v.name: rng.normal(size=[s.evaluate(LENGTHS) for s in v.shape]) for v in held}
    truth = value(node, arrays, LENGTHS)
    if form == "vec" and truth.ndim:
        truth = stacked(truth, groups)
    read = np.asarray(read_matrix(writing.text(SIZED), arrays, LENGTHS))
    np.testing.assert_allclose(read.reshape(truth.shape), truth, atol=1e-12)

"""Formulas as they stand in books, character by character."""

from fractions import Fraction

import pytest

from pullback.derivation.derive import derive
from pullback.expressions import constructors as make
from pullback.expressions import walks
from pullback.expressions.program import Program
from pullback.functions.catalogue import CATALOGUE as C
from pullback.notation.equations import equation
from pullback.notation.names import Names
from pullback.notation.write import has_matrix_form, write

V, U = make.variable("V", ["p", "m"]), make.variable("U", ["m", "n"])
x, y = make.variable("x", ["n"]), make.variable("y", ["p"])
A, b = make.variable("A", ["m", "n"]), make.variable("b", ["m"])
S, X, B = make.variable("S", ["n", "n"]), make.variable("X", ["m", "n"]), make.variable("B", "nq")
a, w, c = make.variable("a", ["n"]), make.variable("w", ["n"]), make.variable("c", ["k"])
s = make.variable("s")
e = make.einsum
f = e("ij,j->i", U, x)
g = C["sigmoid"].apply([f])
h = e("ij,j->i", V, g)
L = make.power(C["norm2"].apply([make.add([(1, h), (-1, y)])]), 2)
LINES = {"f": f, "g": g, "h": h}
NETWORK = "norm2(V*sigmoid(U*x) - y)^2"


def program(result, text="", lines=None, rows=(), name=""):
    names = [V, U, x, y, A, b, S, X, B, a, w, c, s]
    used = set(walks.variables(result))
    variables = [v for v in names if v in used]
    if text:
        variables.sort(key=lambda v: text.index(v.name))
    return Program(
        result, {v.name: v for v in variables}, lines or {}, frozenset(rows), text, {}, (), name
    )


def derived(result, *wrt, form="matrix", text="", **options):
    named = options.pop("lines", None)
    rows, name = options.pop("rows", ()), options.pop("name", "")
    p = program(result, text, named, rows, name)
    full = equation(derive(p, wrt), form, named=bool(named), **options)
    return full.split(" = ", 1)[1] if not name else full


def squares(node):
    return make.total(make.multiply(node, node))


residual = make.add([(1, e("ij,j->i", A, x)), (-1, b)])
inverse = C["inv"].apply([S])

MATRIX = [
    (L, "U", "2 (Vᵀ(V σ(U x) − y) ⊙ σ(U x) ⊙ (1 − σ(U x))) xᵀ"),
    (L, "V", "2 (V σ(U x) − y) σ(U x)ᵀ"),
    (h, "x", "V diag(σ(U x) ⊙ (1 − σ(U x))) U"),
    (squares(residual), "x", "2 Aᵀ(A x − b)"),
    (squares(residual), "A", "2 (A x − b) xᵀ"),
    (squares(residual), "x x", "2 Aᵀ A"),
    (squares(make.negate(residual)), "x", "2 Aᵀ(A x − b)"),
    (e("i,ij,j->", x, S, x), "x", "(S + Sᵀ) x"),
    (e("i,ij,j->", x, S, x), "S", "x xᵀ"),
    (e("i,ij,j->", a, inverse, w), "S", "−S⁻ᵀ a wᵀ S⁻ᵀ"),
    (e("ii->", inverse), "S", "−(S⁻²)ᵀ"),
    (e("ij,jk,ki->", S, S, S), "S", "3 (S²)ᵀ"),
    (C["logdet"].apply([S]), "S", "S⁻ᵀ"),
    (C["det"].apply([S]), "S", "det(S) S⁻ᵀ"),
    (C["logdet"].apply([e("ki,kj->ij", X, X)]), "X", "2 X (Xᵀ X)⁻¹"),
    (e("ii->", S), "S", "I"),
    (C["norm2"].apply([x]), "x", "x/‖x‖"),
    (C["norm2"].apply([x]), "x x", "I/‖x‖ − x xᵀ/‖x‖³"),
    (C["normF"].apply([X]), "X", "X/‖X‖"),
    (C["softmax"].apply([x]), "x", "diag(softmax(x)) − softmax(x) softmax(x)ᵀ"),
    (C["logsumexp"].apply([e("ij,j->i", A, x)]), "x", "Aᵀ softmax(A x)"),
    (make.total(C["tanh"].apply([f])), "x", "Uᵀ(1 − tanh(U x)^⊙2)"),
    (make.total(C["sqrt"].apply([x])), "x", "1 ⊘ (2 sqrt(x))"),
    (make.total(make.power(x, -1)), "x", "−1 ⊘ x^⊙2"),
    (make.power(s, Fraction(1, 2)), "s", "1/(2 √s)"),
    (make.power(s, -1), "s", "−1/s²"),
    (make.total(x), "x", "𝟏"),
    (make.total(X), "X", "𝟏 𝟏ᵀ"),
    (make.multiply(e("i,i->", x, x), x), "x", "‖x‖² I + 2 x xᵀ"),
    (make.scale(Fraction(1, 1000), e("i,i->", x, x)), "x", "0.002 x"),
    (make.scale(Fraction(1, 6), e("i,i->", x, x)), "x", "x/3"),
    (squares(make.add([(1, x), (-1, make.scale(2, w))])), "w", "4 (2 w − x)"),
]


@pytest.mark.parametrize(("node", "wrt", "expected"), MATRIX, ids=[m[2] for m in MATRIX])
def test_matrix_form(node, wrt, expected):
    text = NETWORK if node in (L, h) else ""
    assert derived(node, *wrt.split(), text=text) == expected


def test_scalars_come_first_and_dots_in_parentheses():
    terms = [(e("i,i->", a, x), w), (e("i,i->", w, x), a)]
    node = make.add([(1, make.multiply(scalar, vector)) for scalar, vector in terms])
    assert write(node, Names.of(program(node, "a w x"))) == "(aᵀ x) w + (wᵀ x) a"
    assert write(make.multiply(s, terms[0][0]), Names.of(program(node))) == "s xᵀ a"


def test_ascii_and_latex_of_the_network():
    assert (
        derived(L, "U", text=NETWORK, ascii=True)
        == "2*(V'*(V*sigmoid(U*x) - y) .* sigmoid(U*x) .* (1 - sigmoid(U*x)))*x'"
    )
    assert derived(L, "U", text=NETWORK, style="latex", lines=LINES, name="L") == (
        r"\frac{\partial L}{\partial U} = 2 (V^\top (h - y) \odot g \odot (1 - g)) x^\top"
    )
    assert derived(C["norm2"].apply([x]), "x", style="latex") == r"\frac{x}{\lVert x \rVert}"


def test_named_lines_are_abbreviations():
    assert derived(L, "U", lines=LINES, name="L") == "∂L/∂U = 2 (Vᵀ(h − y) ⊙ g ⊙ (1 − g)) xᵀ"
    assert derived(L, "V", lines=LINES, name="L") == "∂L/∂V = 2 (h − y) gᵀ"


def gradients():
    d = derive(program(L, NETWORK, LINES, name="L"), "U")
    return d, {name: d.trace.cotangents[node] for name, node in LINES.items()}


def test_gradients_handed_on_are_abbreviations():
    """The nine lines of the derivation, each in the names of the ones before."""
    d, handed = gradients()
    names = Names.of(d.program, named=True)
    for name in "hgf":
        names = names.plus(handed[name], f"∂L/∂{name}", row=False)
    assert [write(node, names) for node in LINES.values()] == ["U x", "σ(f)", "V g"]
    assert write(handed["h"], names) == "2 (h − y)"
    assert write(handed["g"], names) == "Vᵀ ∂L/∂h"
    assert write(handed["f"], names) == "∂L/∂g ⊙ g ⊙ (1 − g)"
    assert write(d.raw, names.without(handed["f"])) == "(∂L/∂g ⊙ g ⊙ (1 − g)) xᵀ"
    assert write(d.raw, names.without(handed["f"]), style="latex") == (
        r"\left(\frac{\partial L}{\partial g} \odot g \odot (1 - g)\right) x^\top"
    )


def test_rows_read_as_rows():
    """The network written with row vectors: no transpose but those of the question."""
    d, handed = gradients()
    p = program(L, NETWORK, LINES, rows="xyfgh", name="L")
    names = Names.of(p, named=True)
    for name in "hg":
        names = names.plus(handed[name], f"∂L/∂{name}", row=True)
    assert [write(node, names) for node in LINES.values()] == ["x Uᵀ", "σ(f)", "g Vᵀ"]
    assert write(handed["g"], names) == "∂L/∂h V"
    assert write(handed["f"], names, row=True) == "∂L/∂g ⊙ g ⊙ (1 − g)"
    names = names.plus(handed["f"], "∂L/∂f", row=True)
    assert write(d.raw, names) == "(∂L/∂f)ᵀ x"
    assert equation(derive(p, "x"), named=True) == "∂L/∂x = 2 ((h − y) V ⊙ g ⊙ (1 − g)) U"


def test_a_multiple_or_transpose_of_a_named_node_is_recognised():
    """Products see through multiples; the reader still sees the name."""
    double = make.scale(2, g)
    names = Names.of(program(L, NETWORK)).plus(double, "d")
    assert write(e("ij,j->i", V, double), names) == "V d"
    assert write(e("ij,j->i", V, g), names) == "V d/2"
    turned = make.transpose(C["sigmoid"].apply([X]))
    names = Names.of(program(make.total(X))).plus(turned, "H")
    assert write(e("ij,j->i", C["sigmoid"].apply([X]), x), names) == "Hᵀ x"


def test_batches_have_samples_as_rows():
    data, out = make.variable("X", ["N", "n"]), make.variable("Y", ["N", "k"])
    weights = make.variable("W", ["k", "n"])
    scores = make.add([(1, e("ai,ji->aj", data, weights)), (1, e("j->aj", c, sizes={"a": "N"}))])
    p = Program(scores, {"X": data, "W": weights, "c": c, "Y": out})
    names = Names.of(p)
    assert write(scores, names) == "X Wᵀ + 𝟏 cᵀ"
    probabilities = C["softmax"].apply([scores])
    assert write(probabilities, names) == "softmax(X Wᵀ + 𝟏 cᵀ, 2)"
    assert write(probabilities, names, ascii=True) == "softmax(X*W' + vector(1, N)*c', 2)"
    loss = squares(make.add([(1, scores), (-1, out)]))
    p = Program(loss, {"X": data, "W": weights, "c": c, "Y": out}, {"H": scores})
    assert equation(derive(p, "W"), named=True) == "∂f/∂W = 2 (H − Y)ᵀ X"
    assert equation(derive(p, "c"), named=True) == "∂f/∂c = 2 (H − Y)ᵀ 𝟏"


INDEX = [
    (L, "U", "∂L/∂U_ij = 2 Σ_k V_ki (h_k − y_k) g_i (1 − g_i) x_j"),
    (L, "V", "∂L/∂V_ij = 2 (h_i − y_i) g_j"),
    (h, "U", "∂h_i/∂U_jk = V_ij g_j (1 − g_j) x_k"),
    (h, "V", "∂h_i/∂V_jk = δ_ij g_k"),
    (h, "x", "∂h_i/∂x_j = Σ_k V_ik g_k (1 − g_k) U_kj"),
]


@pytest.mark.parametrize(("node", "wrt", "expected"), INDEX, ids=[i[2] for i in INDEX])
def test_index_form_in_names(node, wrt, expected):
    name = "L" if node is L else "h"
    assert derived(node, wrt, form="index", lines=LINES, name=name, text=NETWORK) == expected


def test_index_form_of_functions():
    norm = C["norm2"].apply([x])
    assert derived(norm, "x", "x", form="index") == ("δ_ij/√(Σ_k x_k²) − x_i x_j/(Σ_k x_k²)^(3/2)")
    assert derived(C["softmax"].apply([x]), "x", form="index") == (
        "δ_ij softmax(x)_i − softmax(x)_i softmax(x)_j"
    )
    assert derived(inverse, "S", form="index") == "−[S⁻¹]_ik [S⁻¹]_lj"
    tensor = make.variable("T", ["q", "r", "t"])
    assert write(C["softmax"].apply([tensor]), Names({}), form="index") == "softmax_l(T_ijl)_k"


def test_index_letters_avoid_names_in_use():
    i, k = make.variable("i", ["j"]), make.variable("k", ["j"])
    names = Names.of(Program(i, {"i": i, "k": k}))
    assert write(e("a,a->", i, k), names) == "iᵀ k"
    assert write(e("a,a->", i, k), names, form="index") == "Σ_l i_l k_l"


VEC = [
    (L, "U", "∂L/∂vec(U) = 2 x ⊗ (Vᵀ(h − y) ⊙ g ⊙ (1 − g))"),
    (L, "V", "∂L/∂vec(V) = 2 g ⊗ (h − y)"),
    (h, "U", "∂h/∂vec(U)ᵀ = xᵀ ⊗ V diag(g ⊙ (1 − g))"),
    (h, "V", "∂h/∂vec(V)ᵀ = gᵀ ⊗ I_p"),
]


@pytest.mark.parametrize(("node", "wrt", "expected"), VEC, ids=[v[2] for v in VEC])
def test_vec_form_of_the_network(node, wrt, expected):
    name = "L" if node is L else "h"
    assert derived(node, wrt, form="vec", lines=LINES, name=name, text=NETWORK) == expected


def test_vec_form_of_matrix_functions():
    """Magnus and Neudecker's forms: vec(A X B) = (Bᵀ ⊗ A) vec X, and K vec X = vec Xᵀ."""
    turned = make.variable("X", ["n", "m"])
    assert derived(e("ij,jk->ik", X, B), "X", form="vec") == "Bᵀ ⊗ I_m"
    assert derived(e("hi,ij,jk->hk", V, X, B), "X", form="vec") == "Bᵀ ⊗ V"
    p = Program(e("hi,ji,jk->hk", V, turned, e("nq->nq", B)), {"X": turned})
    assert equation(derive(p, "X"), "vec").endswith(" = (Bᵀ ⊗ V) K_nm")
    assert derived(e("ij->ji", X), "X", form="vec") == "K_mn"
    assert derived(X, "X", form="vec") == "I_mn"
    assert derived(e("ki,kj->ij", X, X), "X", form="vec") == "I_n ⊗ Xᵀ + (Xᵀ ⊗ I_n) K_mn"
    assert derived(C["tanh"].apply([X]), "X", form="vec") == "diag(vec(1 − tanh(X)^⊙2))"
    assert derived(inverse, "S", form="vec") == "−S⁻ᵀ ⊗ S⁻¹"
    assert derived(C["normF"].apply([X]), "X", "X", form="vec") == (
        "I_mn/‖X‖ − vec(X) vec(X)ᵀ/‖X‖³"
    )
    assert derived(make.total(C["tanh"].apply([X])), "X", form="vec") == "vec(1 − tanh(X)^⊙2)"


def test_what_has_no_form_falls_back_to_indices():
    outer = program(e("i,j->ij", x, x))
    assert not has_matrix_form(derive(outer, "x").node)
    assert equation(derive(outer, "x")) == "∂f_ij/∂x_k = δ_ik x_j + δ_jk x_i"
    diagonal = program(e("i->ii", x))
    assert equation(derive(diagonal, "x"), "vec") == "∂f_ij/∂x_k = δ_ij δ_ik"


def test_left_hand_sides():
    quadratic = e("i,ij,j->", x, S, x)
    assert equation(derive(program(quadratic), ["x", "x"])) == "∂²f/∂x∂xᵀ = S + Sᵀ"
    assert equation(derive(program(quadratic), ["x", "x"]), style="latex") == (
        r"\frac{\partial^{2} f}{\partial x \, \partial x^\top} = S + S^\top"
    )
    assert equation(derive(program(make.power(s, 3)), ["s", "s"])) == "∂²f/∂s² = 6 s"
    assert equation(derive(program(quadratic), ["x", "x"]), ascii=True) == "d2f/dx dx' = S + S'"
    clash = Program(make.total(x), {"x": x, "f": s})
    assert equation(derive(clash, "x")) == "∂F/∂x = 𝟏"
    both = program(squares(X))
    assert equation(derive(both, ["X", "X"]), "vec") == "∂²f/∂vec(X)∂vec(X)ᵀ = 2 I_mn"


def test_denominator_layout_says_so():
    text = equation(derive(program(f), "x"), layout="denominator")
    assert text == (
        "∂fᵀ/∂x = Uᵀ   # denominator layout: the transpose of the array that is computed"
    )
    assert "transpose" not in equation(derive(program(L), "x"), layout="denominator")


def test_a_zero_keeps_its_shape_in_ascii():
    unused = Program(e("i,i->", x, x), {"x": x, "X": X, "w": w}, rows=frozenset("w"))
    assert equation(derive(unused, "X")) == "∂f/∂X = 0"
    assert equation(derive(unused, "X"), ascii=True) == "df/dX = matrix(0, m, n)"
    assert equation(derive(unused, "w"), ascii=True) == "df/dw = vector(0, n)'"


def test_symmetric_matrices_have_no_transpose():
    symmetric = make.variable("A", ["n", "n"], ["symmetric"])
    p = Program(e("i,ij,j->", x, symmetric, x), {"x": x, "A": symmetric})
    assert equation(derive(p, "x")) == "∂f/∂x = 2 A x"

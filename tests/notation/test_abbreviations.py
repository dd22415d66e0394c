"""What stands in an answer more than once is named, where that makes the whole text shorter."""

import re
from dataclasses import replace

import pytest

import pullback as pb
from pullback.language.parse import parse_program
from pullback.verification.certificate import check_values

SHAPES = {
    "X": ("n", "n"), "A": ("m", "n"), "U": ("p", "n"), "V": ("m", "p"),
    "a": ("n",), "x": ("n",), "y": ("m",), "c": (),
}  # fmt: skip
MATRICES = {name: SHAPES[name] for name in "XAc"}
LONG = "logdet(X + c*A'*A) + tr(inv(X + c*A'*A)*a*a')"
NETWORK = "g = sigmoid(U*x)\nh = V*g\nnorm2(h - y)^2"


def derived(formula, *wrt, **assume):
    names = set(re.findall(r"\w+", formula))
    shapes = {name: shape for name, shape in SHAPES.items() if name in names}
    return pb.derivative(pb.parse(formula, shapes, assume=assume), *wrt)


def test_a_repeated_inverse_is_named():
    assert derived(LONG, "X", X="symmetric").text() == "S − S a aᵀ S\nwhere S = (X + c Aᵀ A)⁻¹"


def test_a_line_of_the_user_is_named_as_it_is():
    text = derived(NETWORK, "U").text()
    assert text == "2 (Vᵀ(V g − y) ⊙ g ⊙ (1 − g)) xᵀ\nwhere g = σ(U x)"
    named = derived(NETWORK, "U").text(named=True)
    assert named == "2 (Vᵀ(h − y) ⊙ g ⊙ (1 − g)) xᵀ"


@pytest.mark.parametrize(
    ("formula", "wrt"),
    [("a'*inv(X)*a", "X"), ("norm2(A*x - y)^2", "x"), ("sqrt(1 + x'*x)", "x"), ("det(X)", "X")],
)
def test_short_answers_have_none(formula, wrt):
    assert "where" not in derived(formula, wrt).text()


def test_a_new_name_is_none_of_the_users():
    """Not a variable's, a line's or a size's, whether or not it stands in the answer."""
    formula = f"S = 2*x\nP = sum(S)\nP + {LONG}"
    text = derived(formula, "X").text()
    assert text.endswith("where Q = (X + c Aᵀ A)⁻¹")
    renamed = pb.parse(re.sub(r"\ba\b", "S", LONG), {**MATRICES, "S": ("n",)})
    assert pb.derivative(renamed, "X").text().endswith("where P = (X + c Aᵀ A)⁻¹")


@pytest.mark.parametrize("ascii", [False, True])
@pytest.mark.parametrize(("formula", "wrt"), [(LONG, "X"), (NETWORK, "U")])
def test_what_has_names_is_read_again(formula, wrt, ascii):
    d = derived(formula, wrt)
    text = d.text(ascii=ascii)
    again = parse_program(text, SHAPES, dialect="printed", shape=d.shape).result
    assert check_values(again, d.node).passed
    assert replace(d, derivation=replace(d.derivation, node=again)).text(ascii=ascii) == text
    stacked = parse_program(d.text("vec", ascii=ascii), SHAPES, dialect="vec").result
    formula, _, names = text.partition("\n")
    columns = parse_program(f"vec({formula})\n{names}", SHAPES, dialect="printed").result
    assert check_values(stacked, columns).passed


ROWS = "x: 1 n\ny: 1 p\nU: m n\nV: p m\ng = sigmoid(U*x')'\nL = norm2((V*g')' - y)^2"


def test_a_line_that_is_a_row_is_defined_as_one():
    d = pb.derivative(ROWS, "U")
    assert d.text().endswith("where g = σ(x Uᵀ)")
    declared = ROWS.partition("g =")[0]
    again = parse_program(declared + d.text(), dialect="printed", shape=d.shape).result
    assert check_values(again, d.node).passed


def test_long_formulas_have_the_names_of_the_lines():
    count = range(1, 9)
    head = "\n".join([*(f"W{k}: n n" for k in count), "x: n", "y: n", "h0 = x"])
    lines = "\n".join(f"h{k} = tanh(W{k}*h{k - 1})" for k in count)
    text = pb.derivative(f"{head}\n{lines}\nnorm2(h8 - y)^2", "W1").text()
    assert "where h1 = tanh(W1 x)\n      h2 = tanh(W2 h1)" in text

"""What is printed: the network of rows line by line, other media, long programs, strange names."""

import json
import time
from html.parser import HTMLParser

import networks
import pytest

from pullback.derivation.batching import batch
from pullback.errors import PullbackError
from pullback.explanation.explain import explain
from pullback.explanation.operations import product_kind
from pullback.expressions import constructors as make
from pullback.expressions.program import Program
from pullback.expressions.sizes import Size
from pullback.functions.catalogue import CATALOGUE
from pullback.language.parse import parse_program


def squeezed(text):
    return [" ".join(line.split()) for line in text.splitlines()]


@pytest.fixture(scope="module")
def rows():
    return explain(networks.rows(), ["U", "V"])


def test_the_forward_pass_has_the_lines_of_the_user_with_shapes(rows):
    lines = squeezed(rows.text())
    assert "x n (row) given" in lines
    assert "U m×n given, differentiated by" in lines
    assert "f = x Uᵀ m (row) matrix–vector product, summed over n" in lines
    assert "g = σ(f) m (row) σ, entry by entry" in lines
    assert "h = g Vᵀ p (row) matrix–vector product, summed over m" in lines
    assert any(line.startswith("L = ‖h − y‖² scalar") for line in lines)
    assert [s.typed for s in rows.forward if s.kind == "line"] == [
        "(U*x')'",
        "sigmoid(f)",
        "(V*g')'",
        "norm2(h - y)^2",
    ]


def test_each_operation_says_what_it_was_handed_and_hands_back(rows):
    lines = squeezed(rows.text())
    for line in (
        "handed ∂L/∂L = 1 scalar",
        "to h ∂L/∂h = ∂L/∂(h − y) = 2 (h − y) p (row)",
        "handed ∂L/∂h p (row)",
        "to V ∂L/∂V = (∂L/∂h)ᵀ g = 2 (h − y)ᵀ g p×m",
        "outer product · signal path: input g",
        "to g ∂L/∂g = ∂L/∂h V = 2 (h − y) V m (row)",
        "matrix–vector product, summed over p · signal path: weight V",
        "to f ∂L/∂f = ∂L/∂g ⊙ g ⊙ (1 − g) m (row)",
        "elementwise product · activation: σ′ at f",
        "by: σ(−x) = 1 − σ(x)",
        "to U ∂L/∂U = (∂L/∂f)ᵀ x m×n",
        "= 2 ((h − y) V ⊙ g ⊙ (1 − g))ᵀ x",
    ):
        assert line in lines, line


def test_the_update_is_a_product(rows):
    text = rows.text()
    assert "U ← U − α ∂L/∂U" in text
    assert "V ← V − α ∂L/∂V" in text


def test_columns_explain_the_transpose():
    text = " ".join(explain(networks.program(networks.TWO_LAYERS), ["U", "V"]).text().split())
    assert "∂L/∂g = Vᵀ ∂L/∂h" in text
    assert (
        "V is transposed because it is summed here over its first axis (p), and forward over "
        "its second (m)" in text
    )
    assert "g is transposed because nothing is summed" in text


def test_softmax_with_cross_entropy_cites_what_was_declared():
    program = networks.program(networks.SOFTMAX, {"y": "unit-sum"})
    text = " ".join(explain(program, ["U", "V"]).text().split())
    assert "∂L/∂h = ∂L/∂q ⊙ q − ((∂L/∂q)ᵀ q) q = q − y" in text
    assert "what sums to one: Σᵢ pᵢ = 1 (y is declared unit-sum)" in text
    assert "merged with output activation softmax" in text


def test_contributions_add_up():
    text = explain(networks.program(networks.SHARED), ["W"]).text()
    assert "∂L/∂W = ∂L/∂W via h + ∂L/∂W via (W x)" in text
    assert "contribution 1 of 2; they add up" in text


def test_other_forms_of_the_result():
    text = explain(networks.program(networks.TWO_LAYERS), ["V"], ("matrix", "index", "vec")).text()
    assert "∂L/∂V_ij = 2 (h_i − y_i) g_j" in text
    assert "⊗" in text


def test_an_order_3_result():
    text = explain(
        networks.program(("V*sigmoid(U*x)", {"U": "mn", "x": "n", "V": "pm"})), ["U"]
    ).text()
    assert "p×m×n" in text
    assert "← " not in text  # no update: nothing is minimised


def test_a_line_held_free():
    explanation = explain(networks.program(networks.TWO_LAYERS), ["g"])
    assert explanation.results[0].gradient.equals[0].text == "Vᵀ ∂L/∂h"


def test_a_variable_that_is_not_used():
    x, w = make.variable("x", ["n"]), make.variable("w", ["m"])
    square = make.contract([(x, "i"), (x, "i")], "")
    explanation = explain(Program(square, {"x": x, "w": w}), ["x", "w"])
    assert "L does not depend on w" in explanation.text()
    assert "∂L/∂w = 0" in explanation.text()


def test_the_result_gets_a_name_that_is_free():
    L, f = make.variable("L", ["n"]), make.variable("f", ["n"])
    program = Program(make.contract([(L, "i"), (f, "i")], ""), {"L": L, "f": f})
    assert explain(program, ["L"]).text().startswith("∂result/∂L")


def test_long_intermediates_get_names():
    text = "norm2(" + "tanh(W*" * 12 + "x" + ")" * 12 + " - y)^2"
    program = networks.program((text, {"W": "nn", "x": "n", "y": "n"}))
    shown = explain(program, ["x"])
    assert any(step.kind == "intermediate" for step in shown.forward)
    assert max(map(len, shown.text("outline").splitlines())) <= 110


def test_bad_input():
    program = networks.program(networks.TWO_LAYERS)
    with pytest.raises(PullbackError, match="no 'Q'"):
        explain(program, ["Q"])
    with pytest.raises(PullbackError, match="at least one"):
        explain(program, [])
    with pytest.raises(PullbackError, match="no level of detail"):
        explain(program, ["U"]).text("everything")


# Other media


def test_json_has_a_schema_version_and_every_part(rows):
    data = json.loads(rows.json())
    assert data["schema_version"] == 1
    assert [step["value"]["name"]["text"] for step in data["forward"]] == list("UxVyfghL")
    hand = data["backward"][3]["hands_on"][0]
    assert hand["gradient"]["shape"] == ["p", "m"]
    assert hand["role"] == "signal path"
    assert [row["layer"]["text"] for row in data["layers"]] == ["f", "h"]


def test_steps_are_plain_data(rows):
    assert json.loads(json.dumps(rows.steps)) == rows.steps
    assert {step["part"] for step in rows.steps} == {"forward", "backward", "result"}


class Tags(HTMLParser):
    """Collects tags and checks that they close in order."""

    def __init__(self):
        super().__init__()
        self.open, self.seen = [], set()

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize("detail", ["outline", "normal", "full"])
def test_html_is_well_formed(rows, detail):
    tags = Tags()
    tags.feed(rows.html(detail))
    assert not tags.open
    assert not tags.seen & {"script", "link", "img"}


def test_markdown_and_latex(rows):
    assert r"$f = x U^\top$" in rows.markdown()
    latex = rows.latex(standalone=True)
    assert latex.count(r"\begin{itemize}") == latex.count(r"\end{itemize}") > 0
    assert latex.count("{") - latex.count(r"\{") == latex.count("}") - latex.count(r"\}")
    assert rows._repr_markdown_() == rows.markdown()
    assert "<html" not in rows._repr_html_()


def strange(name):
    x, y = make.variable(name, ["n"]), make.variable("y", ["n"])
    d = make.add([(1, x), (-1, y)])
    value = make.contract([(d, "i"), (d, "i")], "")
    return explain(Program(value, {name: x, "y": y}, {"L": value}, result_name="L"), [name])


@pytest.mark.parametrize("name", ["<script>", "a_b", "a\\b", "a&b", "50%", "{x", "π😀"])
def test_strange_names_are_escaped(name):
    explanation = strange(name)
    assert name in explanation.text()
    page = explanation.html("full")
    assert "<script" not in page
    assert "<script" not in explanation.markdown("full")
    latex = explanation.latex("full")
    for character in "%&":
        bare = latex.replace("\\" + character, "")
        assert character not in bare or (character == "&" and " & " in bare)
    assert "{a\\b}" not in latex
    assert latex.count("{") - latex.count(r"\{") == latex.count("}") - latex.count(r"\}")


# Depth


def deep(layers, *, named):
    a, y = make.variable("x", ["n"]), make.variable("y", ["n"])
    variables, lines = {"x": a, "y": y}, {}
    for k in range(layers):
        weight = variables[f"W{k}"] = make.variable(f"W{k}", ["n", "n"])
        f = make.contract([(weight, "ij"), (a, "j")], "i")
        a = CATALOGUE["tanh"].apply([f])
        if named:
            lines |= {f"f{k}": f, f"a{k}": a}
    d = make.add([(1, a), (-1, y)])
    return Program(make.contract([(d, "i"), (d, "i")], ""), variables, lines)


@pytest.mark.parametrize("named", [True, False])
def test_a_thousand_layers_are_folded(named):
    explanation = explain(deep(1000, named=named), ["W0", "W999"])
    text = explanation.text("outline")
    assert "operations in between are left out" in text
    assert len(text) < 40_000
    assert len(explanation.html("outline")) < 200_000


def test_ten_layers_are_quick():
    program = deep(10, named=True)
    explain(program, ["W0"]).text()
    times = []
    for _ in range(3):
        start = time.perf_counter()
        page = explain(program, [f"W{k}" for k in range(10)]).html()
        times.append(time.perf_counter() - start)
    assert len(page) < 1_000_000
    assert min(times) < 0.3 * 3  # a shared machine may be slow


@pytest.mark.parametrize(
    ("factors", "output", "name"),
    [
        (["ij", "jk"], "ik", "matrix product, summed over n"),
        (["ij", "j"], "i", "matrix–vector product, summed over n"),
        (["i", "i"], "", "dot product, summed over m"),
        (["ij", "ij"], "", "inner product, summed over m and n"),
        (["i", "j"], "ij", "outer product"),
        (["i", "i"], "i", "elementwise product"),
        (["", "ij"], "ij", "scaling"),
        (["ii"], "", "trace over m"),
        (["ij"], "ji", "transpose"),
        (["ij"], "i", "partial sum over n"),
        (["i"], "ij", "repeated along n"),
        (["ii"], "i", "diagonal"),
        (["i"], "ii", "placed on the diagonal"),
        (["bij", "bjk"], "bik", "matrix product for each of N, summed over n"),
    ],
)
def test_names_of_products(factors, output, name):
    sizes = {"i": Size.of("m"), "j": Size.of("n"), "k": Size.of("p"), "b": Size.of("N")}
    assert product_kind(factors, output, sizes).sentence == name


def test_a_batch_is_explained_as_matrix_products():
    program = networks.program(networks.TWO_LAYERS)
    explanation = explain(batch(program, ["x", "y"]), ["U", "b", "V"])
    text = " ".join(explanation.text().split())
    assert "∂L/∂V = (∂L/∂h)ᵀ g" in text
    assert "∂L/∂h is transposed because it is summed here over its first axis (N)" in text
    assert [[w.text for w in row.weights] for row in explanation.layers] == [["U", "b"], ["V"]]


def test_only_what_is_transposed_is_said_to_be():
    """∂L/∂Q = ∂L/∂(Q Kᵀ) K: the transpose there is in a name."""
    program = parse_program("Q: n d, K: m d, G: n m\nS = Q*K'/2\nL = sum(G .* S)")
    text = " ".join(explain(program, ["Q", "K"]).text().split())
    assert "∂L/∂Q = ∂L/∂(Q Kᵀ) K" in text and "K is transposed" not in text
    assert "∂L/∂(Q Kᵀ) is transposed because" in text


def test_several_ways_to_a_variable_end_in_a_closed_form():
    """Layer normalisation by x: three contributions, and what they come to."""
    lines = "x: n, a: n, c: n\nm = mean(x)\ns = sqrt(var(x) + 1)\nL = c'*(a .* (x - m)/s)"
    result = explain(parse_program(lines), ["x"]).results[0].gradient
    assert "via" in result.equals[0].text and "via" not in result.equals[-1].text
    assert parse_program("x: n, a: n, c: n, m:, s:\n" + result.equals[-1].text).result.order == 1


def test_a_structured_variable_ends_with_what_its_convention_makes_of_the_gradient() -> None:
    program = parse_program("X: n n symmetric, A: n n, a: n\nL = tr(A*X)")
    text = explain(program, ["X"], structured="tangent").text()
    result = text[text.index("Result\n") :]
    assert "∂L/∂X = Aᵀ" in result
    assert "∂L/∂X = (A + Aᵀ)/2   # along the symmetric matrices X" in result
    said = "along the symmetric matrices X: (G + Gᵀ)/2, where G is ∂L/∂X by independent entries"
    assert said in " ".join(result.split())
    assert "←" not in result  # a step of descent is another for each convention
    (found,) = explain(program, ["A"], structured="free").results
    assert found.note == "all entries of A are free" and not found.more
    assert "(G + " not in explain(program, ["X"]).text()

"""Entities: their axes, their zeros against computed numbers, and their pictures."""

import json
from xml.etree import ElementTree as ET

import numpy as np
import pytest

import pullback as pb
from pullback.derivation.derive import derive
from pullback.errors import PullbackError
from pullback.explanation.entity import Entity
from pullback.expressions import constructors as make
from pullback.expressions.program import Program

STRANGE = ["<script>", "a_b", "a\\b", "a&b", "$x^2$", 'q"', "π😀"]


def drawn(picture, theme="auto"):
    """The picture as a tree of XML: it is well formed."""
    return ET.fromstring(picture.svg(theme))


def numbers(program, seed=0, **sizes):
    """Random values for the variables of a program, which hold what is assumed of them."""
    rng = np.random.default_rng(seed)
    found = {}
    for name, node in program.variables.items():
        shape = [size.evaluate(sizes) for size in node.shape]
        value = rng.uniform(0.5, 1.5, shape)
        if "lower" in node.assumptions:
            value = np.tril(value)
        if "diagonal" in node.assumptions:
            value = np.diag(np.diag(value))
        found[name] = value
    return found


def test_the_derivative_of_a_vector_by_a_matrix():
    e = pb.entity("V = W*x", "W", sizes={"m": 2, "n": 3})
    assert (e.order, e.entries, e.nonzeros) == (3, "m·m·n", "m·n")
    assert [a.text for a in e.axes] == ["output i of V", "row j of W", "column k of W"]
    assert [a.size for a in e.axes] == ["m", "m", "n"]
    assert e.structure == "zero but where i = j"
    assert e.forms["index"].text == "∂V_i/∂W_jk = δ_ij x_k"
    assert "vec" in e.forms and "matrix" not in e.forms
    assert (e.counted("entries"), e.counted("nonzeros"), e.counted("stored")) == (12, 6, 3)
    assert "m·m·n = 12" in str(e)


@pytest.mark.parametrize(
    ("text", "wrt", "sizes", "count"),
    [
        ("W*x", "W", {"m": 3, "n": 4}, "m·n"),
        ("tanh(x)", "x", {"n": 4}, "n"),
        ("X'", "X", {"m": 3, "n": 4}, "m·n"),
        ("X: n n\nX + X'", "X", {"n": 4}, "2·n·n - n"),
        ("A*x + tanh(x)", "x", {"n": 4}, "n·n"),
        ("diag(x)*A", "x", {"n": 3, "p": 2}, "n·p"),
        ("x: n\nx(1:3) + x(2:4)", "x", {"n": 6}, "6"),
        ("X: n n\ntril(X)", "X", {"n": 4}, "(n·n + n)/2"),
        ("X: n n\ntril(X) + triu(X, 1)", "X", {"n": 3}, "at most n·n"),
        ("X: m n\ntril(X, -1)*x", "X", {"m": 4, "n": 3}, "at most m·n"),
        ("D: n n diagonal\nD*X", "X", {"n": 3, "p": 2}, "n·p"),
        ("D: n n lower\nD*X", "X", {"n": 4, "p": 2}, "(n·n·p + n·p)/2"),
        ("A: m n, B: m n\n[A, B]", "A", {"m": 3, "n": 2}, "m·n"),
        ("X: m n\nvec(X)", "X", {"m": 2, "n": 3}, "m·n"),
        ("softmax(x)", "x", {"n": 3}, "n·n"),
        ("norm2(A*X - B)^2", "X", {"m": 2, "n": 3, "p": 2}, "n·p"),
    ],
)
def test_zeros_are_those_of_the_numbers(text, wrt, sizes, count):
    """Where the pattern says zero the computed array is 0, elsewhere it is not."""
    e = pb.entity(text, wrt, sizes=sizes)
    program = e.derivation.program
    values = e.values(**numbers(program, **sizes), **sizes)
    mask = e.pattern.mask(sizes)
    assert (mask == (np.asarray(values) != 0)).all()
    assert e.nonzeros == count
    assert e.counted("nonzeros") == mask.sum()
    assert e.counted("entries") == mask.size


def test_a_hessian_with_values():
    e = pb.entity("norm2(A*X - B)^2", "X", "X")
    rng = np.random.default_rng(1)
    given = {"A": rng.normal(size=(3, 2)), "X": rng.normal(size=(2, 2)), "B": np.ones((3, 2))}
    right = 2 * np.einsum("qi,qk,jl->ijkl", given["A"], given["A"], np.eye(2))
    np.testing.assert_allclose(e.values(**given), right, rtol=1e-12)
    labels = [label.text for label in e.picture(given).scene.labels]
    assert {"i = 1", "i = 2", "j = 1", "j = 2", "k ↓", "l →"} <= set(labels)
    assert "zero, whatever the numbers are" in labels


def test_more_than_four_axes_stand_in_rows_that_say_their_places():
    T = pb.tensor("T", 2, 2, 2)
    e = pb.entity(T * T, T)
    assert e.nonzeros == "8" and e.axes[0].text == "output axis 1, place i of f"
    labels = [label.text for label in e.picture().scene.labels]
    assert {"i, j, k = 1, 1, 1", "i, j, k = 2, 1, 2", "l = 2", "m ↓", "n →"} <= set(labels)


def test_layouts_are_told():
    gradient = pb.entity("norm2(A*x - b)^2", "x").layouts
    assert [(c.name, c.shape, c.computed) for c in gradient] == [
        ("denominator", "n×1", True),
        ("numerator", "1×n", False),
    ]
    jacobian = pb.entity("A*x", "x").layouts
    assert [(c.name, c.shape) for c in jacobian] == [("numerator", "m×n"), ("denominator", "n×m")]
    tensor = pb.entity("V*sigmoid(U*x)", "U").layouts
    assert [(c.name, c.shape) for c in tensor] == [
        ("array", "p×m×n"),
        ("flattened, numerator", "p×(m·n)"),
        ("flattened, denominator", "(m·n)×p"),
    ]


@pytest.mark.parametrize("theme", ["auto", "light", "dark"])
def test_pictures_tell_zeros_from_structural_zeros(theme):
    e = pb.entity("W*x", "W")
    root = drawn(e.picture({"W": np.ones((2, 2)), "x": np.array([0.0, 2.0])}, theme=theme), theme)
    told = [t.text for t in root.iter("{http://www.w3.org/2000/svg}title")]
    assert "i = 1, j = 1, k = 1: 0" in told and "i = 1, j = 1, k = 2: 2" in told
    assert not any("i = 1, j = 2" in t for t in told)  # hatched


def test_what_is_too_large_is_summarised():
    e = pb.entity("W*x", "W", sizes={"m": 100_000, "n": 100_000})
    assert e.counted("entries") == 10**15
    notes = " ".join(label.text for label in e.picture().scene.labels)
    assert "are too many to draw" in notes and "shown for m = 3, n = 4" in notes
    long = pb.entity("A*x", "x").picture({"A": np.eye(700, 900), "x": np.ones(900)})
    assert len(long.scene.shapes) < 6500
    assert any("each cell is the largest of" in label.text for label in long.scene.labels)
    many = pb.entity("V*sigmoid(U*x)", "U").picture(sizes={"p": 50, "m": 3, "n": 3})
    assert any("38 more blocks along i" in label.text for label in many.scene.labels)


@pytest.mark.parametrize("name", STRANGE)
def test_strange_names_are_escaped(name):
    W, x = make.variable(name, ["m", "n"]), make.variable("x", ["n"])
    V = make.einsum("ij,j->i", W, x)
    e = Entity(derive(Program(V, {name: W, "x": x}, result_name="V"), [name]))
    page = e._repr_html_()
    assert "<script" not in page
    ET.fromstring(f"<div>{page}</div>")
    assert name in "".join(drawn(e.picture()).itertext())
    assert json.loads(e.json())["axes"][1]["of"] == name
    assert name in e.text()
    e.plot()


def test_data_and_notebooks():
    e = pb.entity("V*sigmoid(U*x)", "U")
    data = json.loads(e.json())
    assert data["schema_version"] == 1 and data["order"] == 3
    assert data["axes"][0] == {"letter": "i", "size": "p", "counts": "output", "of": "f"}
    assert e._repr_latex_().startswith("$\\displaystyle \\frac{\\partial f_{i}}")
    assert "<math" in e._repr_html_() and "<svg" in e._repr_html_()


def test_files(tmp_path):
    picture = pb.entity("W*x", "W").picture()
    for ending, head in ((".png", b"\x89PNG"), (".svg", b"<svg"), (".pdf", b"%PDF")):
        path = tmp_path / f"a{ending}"
        picture.save(path)
        assert path.read_bytes().startswith(head)
    with pytest.raises(PullbackError, match="what kind of picture"):
        picture.save(tmp_path / "a.gif")
    with pytest.raises(PullbackError, match="cannot write"):
        picture.save(tmp_path / "absent" / "a.png")


@pytest.mark.parametrize(
    ("sizes", "message"), [({"q": 3}, "no size is called"), ({"m": 0}, "not 0")]
)
def test_sizes_that_do_not_fit(sizes, message):
    with pytest.raises(PullbackError, match=message):
        pb.entity("W*x", "W", sizes=sizes)
    with pytest.raises(PullbackError, match=message):
        pb.entity("W*x", "W").picture(sizes=sizes)
    with pytest.raises(PullbackError, match="sizes do not fit"):
        pb.entity("x: n\nx(2:5)", "x").picture(sizes={"n": 2})
    with pytest.raises(PullbackError, match="there is no variable 'y'"):
        pb.entity("W*x", "W").picture({"y": 1})

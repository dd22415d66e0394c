"""Graphs, networks and fields: what they show is true, legible, and safe to put anywhere."""

import itertools
import time
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from matplotlib.figure import Figure

import pullback as pb
from pullback.compilation.compile import compile_nodes
from pullback.derivation.derive import derive
from pullback.drawing.blocks import short
from pullback.drawing.scene import Disc, Label, Line, Rect, text_width
from pullback.errors import PullbackError
from pullback.expressions import constructors as make
from pullback.expressions.program import Program
from pullback.notation.names import Names
from pullback.pictures.network import networks
from pullback.pictures.picture import picture

STRANGE = ["<script>", "a_b", "a\\b", "a&b", "$x^2$", 'q"', "π😀", "]]", "`c`", "--"]
NETWORK = "f = U*x\ng = sigmoid(f)\nh = V*g\nL = norm2(h - y)^2"
ATTENTION = (
    "Q = Wq*X\nK = Wk*X\nV = Wv*X\nA = softmax(Q'*K, 2)\nO = V*A'\nR = O + X\nL = sum((R - Y).^2)"
)


def layers(count):
    lines = ["a0 = tanh(W0*x + b0)"]
    lines += [f"a{k} = tanh(W{k}*a{k - 1} + b{k})" for k in range(1, count)]
    return "\n".join([*lines, f"L = norm2(a{count - 1} - y)^2"])


def bounds(label):
    """The rectangle of a label, a pixel smaller on each side."""
    width = text_width(label.text, label.size)
    left = label.x - {"start": 0, "middle": width / 2, "end": width}[label.anchor]
    return left + 1, label.y - label.size / 2 + 1, left + width - 1, label.y + label.size / 2 - 1


def meets(one, other):
    a, b, c, d = one
    e, f, g, h = other
    return a < g and e < c and b < h and f < d


def overlaps(scene):
    """Pairs of labels that lie over each other, and lines that run through boxes or labels."""
    rectangles = [(label.text, bounds(label)) for label in scene.labels]
    found = [(a, b) for (a, r), (b, s) in itertools.combinations(rectangles, 2) if meets(r, s)]
    boxes = [
        ("box", (s.x + 1, s.y + 1, s.x + s.width - 1, s.y + s.height - 1))
        for s in scene.shapes
        if isinstance(s, Rect)
    ]
    for line in (s for s in scene.shapes if isinstance(s, Line)):
        for (a, b), (c, d) in itertools.pairwise(line.points):
            for t in np.linspace(0.02, 0.98, 31):  # along the curve between two points
                ease = 3 * t**2 - 2 * t**3
                x, y = (a + (c - a) * ease, b + (d - b) * t)
                if line.curved == "right":
                    x, y = a + (c - a) * t, b + (d - b) * ease
                hit = (x - 0.5, y - 0.5, x + 0.5, y + 0.5)
                found += [("line", name) for name, r in [*boxes, *rectangles] if meets(hit, r)]
    return found


@pytest.mark.parametrize(
    ("text", "wrt", "kind"),
    [
        (NETWORK, ["U", "V"], "graph"),
        (NETWORK, [], "graph"),
        (NETWORK, ["U"], "network"),
        (ATTENTION, ["Wq", "Wk", "Wv"], "graph"),
        (layers(9), ["W0", "b0", "W5"], "graph"),
        ("V*sigmoid(U*x)", ["U"], "network"),
        ("norm2(A*X - B)^2", ["X", "X"], "network"),
        ("softmax(x)", ["x"], "network"),
        ("tr(A*X*B*X)", [], "network"),
        ("logdet(X)", ["X", "X"], "network"),
        ("x.*y.*z.*w", ["y"], "network"),
        ("2*t + 1", ["t"], "network"),
        ("t", ["t"], "network"),
        ("0*x", ["x"], "network"),
    ],
)
def test_nothing_lies_over_anything_else(text, wrt, kind):
    scene = pb.picture(text, *wrt, kind=kind).scene
    assert overlaps(scene) == []
    for label in scene.labels:
        a, b, c, d = bounds(label)
        assert a >= 0 and b >= 0 and c <= scene.width and d <= scene.height, label.text


def test_the_check_of_overlaps_can_fail():
    scene = pb.picture(NETWORK).scene
    label = scene.labels[3]
    scene.add(Label(label.x + 4, label.y + 2, label.text, label.size, label.anchor))
    scene.add(Line(((0, label.y), (scene.width, label.y))))
    assert {kind for kind, _ in overlaps(scene)} >= {label.text, "line"}


def test_thirty_operations_fit_a_page():
    drawn = pb.picture(layers(9), "W0")
    boxes = [b for b in drawn.diagram.boxes if b.kind not in ("input", "parameter")]
    assert len(boxes) >= 30
    scene = drawn.scene
    assert max(scene.width, scene.height) < 1700 and min(scene.width, scene.height) < 1250


def test_a_deep_program_is_folded():
    started = time.perf_counter()
    drawn = pb.picture(layers(300), "W0")
    assert time.perf_counter() - started < 6
    texts = [label.text for label in drawn.scene.labels]
    assert any("values …" in text for text in texts)
    assert len(drawn.diagram.boxes) < 80
    assert any("L = ‖a299 − y‖²" in text for text in texts)


def test_the_graph_says_what_each_value_was_handed():
    drawn = pb.picture(NETWORK, "U", "V")
    lines = [text for box in drawn.diagram.boxes for text, _ in box.lines]
    for line in (
        "f = U x",
        "∂L/∂f = ∂L/∂g ⊙ g ⊙ (1 − g)",
        "∂L/∂U = ∂L/∂f xᵀ",
        "∂L/∂V = ∂L/∂h gᵀ",
        "σ, entry by entry",
    ):
        assert line in lines
    assert {e.label for e in drawn.diagram.edges} == {"m×n", "n", "m", "p×m", "p"}


def test_numbers_on_the_graph_are_right():
    rng = np.random.default_rng(3)
    U, V, x, y = rng.normal(size=(2, 3)), rng.normal(size=(1, 2)), rng.normal(size=3), np.ones(1)
    drawn = pb.picture(NETWORK, "U", values={"U": U, "V": V, "x": x, "y": y})
    g = 1 / (1 + np.exp(-U @ x))
    h = V @ g
    df = V.T @ (2 * (h - y)) * g * (1 - g)
    by_name = {box.lines[0][0].split(" = ")[0]: box.lines for box in drawn.diagram.boxes}
    said = [text for text, _ in by_name["f"]]
    assert f"= [{', '.join(short(v) for v in U @ x)}]" in said
    assert f"= [{', '.join(short(v) for v in df)}]" in said
    assert f"= {short(float(((h - y) ** 2).sum()))}" in [text for text, _ in by_name["L"]]


@pytest.mark.parametrize(
    ("text", "wrt"),
    [
        ("x'*A*y", []),
        ("tr(A*X*B*X)", ["X"]),
        ("A*X*B", ["X"]),
        ("V*sigmoid(U*x)", ["U"]),
        ("norm2(A*X - B)^2", ["X", "X"]),
        ("softmax(x)", ["x"]),
        ("diag(x)*A", ["x"]),
        ("X.*X + X*A", ["X"]),
        ("sum(X*x)/n", ["X"]),
    ],
)
def test_a_network_multiplied_out_is_the_tensor(text, wrt):
    """np.einsum over the wires gives the numbers that the compiled formula gives."""
    program = pb.parse(text, shapes={"x": ("n",)} if "x" in text else {}).to_program()
    node = derive(program, wrt).node if wrt else program.result
    sizes = dict(zip(["m", "n", "p", "q", "k", "r"], (2, 3, 4, 5, 2, 3), strict=True))
    rng = np.random.default_rng(5)
    given = {
        name: rng.normal(size=[s.evaluate(sizes) for s in v.shape])
        for name, v in program.variables.items()
    }
    given = {**given, **{n: k for n, k in sizes.items() if n in _names(program)}}

    def value(part):
        return np.asarray(compile_nodes({"v": part}, program)(**given), dtype=float)

    total = 0.0
    for network in networks(node, Names.of(program)):
        number = {label: k for k, label in enumerate(network.sizes)}
        operands = [
            part
            for child, labels in network.factors
            for part in (value(child), [number[x] for x in labels])
        ]
        held = {x for _, labels in network.factors for x in labels}
        for label, size in network.sizes.items():  # an index that no factor has
            if label not in held:
                operands += [np.ones(size.evaluate(sizes)), [number[label]]]
        ends = [number[x] for x in network.output]
        once = list(dict.fromkeys(ends))
        part = np.einsum(*operands, once) if operands else np.ones(())
        if len(once) < len(ends):  # a δ: equal indices
            whole = np.zeros([s.evaluate(sizes) for s in node.shape])
            places = np.indices(part.shape)
            whole[tuple(places[once.index(x)] for x in ends)] = part
            part = whole
        total = total + float(network.coefficient) * part
    np.testing.assert_allclose(total, value(node), rtol=1e-12, atol=1e-12)


def _names(program):
    return {s for v in program.variables.values() for size in v.shape for s in size.names}


@pytest.mark.parametrize("name", STRANGE)
def test_strange_names_are_escaped(name):
    W, x = make.variable(name, ["m", "n"]), make.variable("x", ["n"])
    program = Program(make.einsum("ij,j->i", W, x), {name: W, "x": x}, result_name=name + "'")
    for kind in ("graph", "network"):
        for wrt in ([], [name]):
            drawn = picture(program, wrt, kind)
            root = ET.fromstring(drawn.svg())
            assert name in "".join(root.itertext())
            assert "script" not in {e.tag.rsplit("}")[-1] for e in root.iter()}
            drawn.png()
    drawn = picture(program, [name])
    assert not set("<`&\\") & set(drawn.mermaid().replace("<br/>", "").replace("-->", ""))
    for line in drawn.dot().splitlines():
        quotes = line.replace("\\\\", "").replace('\\"', "").count('"')
        assert quotes % 2 == 0


def test_text_for_other_programs():
    drawn = pb.picture("A*x", "x")
    assert 'n0 -> n2 [label="m×n"];' in drawn.dot()
    assert 'n0 -->|"m×n"| n2' in drawn.mermaid()


def test_a_field_descends():
    A, b = np.array([[2.0, 0.5], [0.5, 1.0]]), np.ones(2)
    drawn = pb.picture("x'*A*x/2 - b'*x", "x", kind="field", values={"A": A, "b": b}, around=1)
    np.testing.assert_allclose(drawn.arrows, -(A @ drawn.points - b[:, None]), rtol=1e-12)
    middle = drawn.heights[40, 40]
    assert middle == 0 and drawn.heights.shape == (81, 81)
    np.testing.assert_allclose(drawn.heights[0, 80], 0.5 * (2 - 1 + 1) - 0)  # at (1, −1)
    for theme in ("auto", "light", "dark"):
        text = drawn.svg(theme)
        ET.fromstring(text)
        assert ("currentColor" in text) == (theme == "auto")
    assert drawn.png().startswith(b"\x89PNG")
    scalars = pb.picture("(1 - a)^2 + 10*(b - a^2)^2", "a", "b", kind="field")
    np.testing.assert_allclose(scalars.heights[80, 0], 9 + 10 * 4)  # at (−2, 2)


def test_a_field_of_two_numbers_has_holes_where_it_is_not_defined():
    drawn = pb.picture("log(a) + b^2", kind="field")
    assert np.isfinite(drawn.arrows).all() and np.isnan(drawn.heights[:, :40]).all()
    drawn.svg()


@pytest.mark.parametrize(
    ("text", "wrt", "options", "message"),
    [
        ("norm2(A*x)^2", ["x"], {}, "needs a value of A"),
        ("norm2(A*x)^2", ["A"], {}, "'A' is no scalar or vector"),
        ("a*b*c", [], {}, "drawn over two numbers"),
        ("x: 3\nsum(x)", ["x"], {}, "has 3 entries; a field needs 2"),
        ("a*b", [], {"around": (2, 1)}, "around is a range"),
        ("log(a) + b", [], {"around": (-3, -1)}, "defined nowhere in this range"),
    ],
)
def test_no_field(text, wrt, options, message):
    with pytest.raises(PullbackError, match=message):
        pb.picture(text, *wrt, kind="field", **options)


def test_no_such_picture():
    with pytest.raises(PullbackError, match=r"no picture of the kind 'tree'\nkinds: graph"):
        pb.picture("A*x", kind="tree")
    with pytest.raises(PullbackError, match="no theme 'red'"):
        pb.picture("A*x").svg("red")


def test_on_axes_of_ones_own():
    axes = Figure().add_subplot()
    assert pb.picture(NETWORK, "U").plot(axes) is axes
    assert axes.texts and axes.patches
    assert pb.entity("W*x", "W").plot(axes) is axes
    assert Disc(0, 0, 1).fill == "ink"

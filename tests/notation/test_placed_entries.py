"""Slices, joins, merged axes, ⊗ and triangles, as a person writes them."""

import pytest

from pullback.derivation.derive import derive
from pullback.expressions import constructors as make
from pullback.expressions import placement as place
from pullback.expressions.program import Program
from pullback.expressions.sizes import Size
from pullback.expressions.walks import variables
from pullback.functions.catalogue import CATALOGUE as C
from pullback.notation.names import Names
from pullback.notation.write import write

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

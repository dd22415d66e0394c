"""Compiled functions compute what the expression says, by the entry-by-entry definition."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from naive import SIZES, close, draw_arrays, expressions, program_of, value

from pullback.compilation.compile import compile_nodes
from pullback.derivation.derive import derive
from pullback.differentiation.reverse import reverse
from pullback.expressions import Program, Variable
from pullback.expressions import constructors as make
from pullback.expressions.walks import post_order, variables
from pullback.functions.catalogue import CATALOGUE
from pullback.functions.record import Function, function
from pullback.simplification.simplify import simplify

FORMS = [False, True]


def check(roots, planned, tolerance=1e-12, arrays=None, sizes=SIZES, names=None):
    program = program_of(*roots)
    arrays = draw_arrays(program, sizes=sizes) if arrays is None else arrays
    fn = compile_nodes(
        {f"out{k}": root for k, root in enumerate(roots)}, program, names, planned=planned
    )
    got = fn(**arrays, **{n: k for n, k in sizes.items() if n in fn.sizes})
    compile(fn.source, "generated", "exec")
    got = got if isinstance(got, dict) else {"out0": got}
    for k, root in enumerate(roots):
        close(got[f"out{k}"], value(root, arrays, sizes), tolerance)
    return fn


@pytest.mark.parametrize("planned", FORMS)
@given(roots=expressions())
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_random_expressions(planned, roots):
    check(roots, planned, 1e-11)


@pytest.mark.parametrize("planned", FORMS)
@given(roots=expressions(steps=4))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_random_derivatives(planned, roots):
    """Jacobians of small results and gradients of large ones, δs and broadcasts included."""
    root = roots[-1] if roots[-1].order <= 1 else make.total(roots[-1])
    targets = [v for v in variables(root) if v.order + root.order <= 3]
    derivatives = [simplify(d) for d in reverse(root, targets)]
    if derivatives:
        check(derivatives, planned, 1e-10)


@given(roots=expressions(steps=5), data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_named_lines_and_multiples_of_them_change_no_value(roots, data):
    """A line may be any node, or a number times one, such as ∂L/∂h = 2 (h − y)."""
    roots = [make.scale(data.draw(st.sampled_from([1, 2, -2])), root) for root in roots]
    total = make.add([(2, make.total(root)) for root in roots])
    roots.append(total)
    roots += [simplify(d) for d in reverse(total, variables(total)[:2])]
    nodes = [n for n in post_order(*roots) if not isinstance(n, Variable)]
    names = {
        make.scale(data.draw(st.sampled_from([1, 2, -2])), node): f"line{k}"
        for k, node in enumerate(nodes)
        if data.draw(st.booleans())
    }
    check(roots, False, 1e-10, names=names)


@pytest.mark.parametrize("planned", FORMS)
@pytest.mark.parametrize("name", [n for n, r in CATALOGUE.items() if isinstance(r, Function)])
def test_every_function_of_the_catalogue(planned, name):
    """Inside its domain and at the points where a careless formula fails, alone and in a batch."""
    record = CATALOGUE[name]
    core = [tuple({"i": "b", "j": "c"}[k] for k in axes) for axes in record.signature.arguments]
    rng = np.random.default_rng(1)
    for lead in ((), ("a",)):
        if record.elementwise and not lead:
            continue
        arguments = [make.variable(f"v{k}", lead + axes) for k, axes in enumerate(core)]
        arrays = {}
        for variable, domain in zip(arguments, record.domain * len(core), strict=False):
            shape = [s.evaluate(SIZES) for s in variable.shape]
            low, high = domain.inside or (-1.0, 1.0)
            arrays[variable.name] = rng.uniform(low, high, shape)
            if domain.points:
                arrays[variable.name] = rng.choice(domain.points, shape)
            if len(shape) - len(lead) == 2:
                arrays[variable.name] += 3 * np.eye(*shape[-2:])
        check([record.apply(arguments)], planned, 1e-12, arrays)
    if record.elementwise and len(core) == 1:
        points = np.array([*record.special, *record.kinks])
        node = record.apply([make.variable("v", ["q"])])
        if len(points):
            check([node], planned, 1e-14, {"v": points}, {"q": len(points)})


@pytest.mark.parametrize("planned", FORMS)
def test_a_function_with_no_instructions_of_its_own(planned, monkeypatch):
    """Its text is called as a function of its own, here the running total."""
    record = function(
        "running_total",
        "(i)->(i)",
        partials=(lambda y, x: y,),
        code="total = xp.cumsum({0}, axis=-1)\ntotal + 0",
        exact=lambda mp, x: [mp.fsum(x[: k + 1]) for k in range(len(x))],
        doc="Running total.",
    )
    monkeypatch.setitem(CATALOGUE, "running_total", record)
    A = make.variable("A", "ab")
    node = CATALOGUE["exp"].apply([record.apply([make.scale(-1, make.transpose(A))])])
    fn = check([node, make.einsum("ba,b->a", node, make.variable("y", "b"))], planned)
    assert "def _running_total(a0):" in fn.source


@pytest.mark.parametrize("planned", FORMS)
@pytest.mark.parametrize("scale", [1.0, 1e2, 1e4])
def test_cross_entropy_and_its_gradient_are_stable(planned, scale):
    h, y = make.variable("h", ["a", "b"]), make.variable("y", ["a", "b"])
    loss = CATALOGUE["cross_entropy"].apply([CATALOGUE["softmax"].apply([h]), y])
    program = Program(loss, {"h": h, "y": y})
    gradient = derive(program, ["h"]).node
    fn = compile_nodes({"L": loss, "dh": gradient}, program, planned=planned)
    scores = scale * np.array([[1.0, -1.0, 0.5], [-1.0, 1.0, -0.3]])
    label = np.array([[0.0, 1.0, 0.0], [0.2, 0.3, 0.5]])
    with mpmath.workdps(60):
        wanted, slopes = mpmath.mpf(0), np.empty((2, 3))
        for i, row in enumerate(scores):
            total = mpmath.fsum(mpmath.exp(mpmath.mpf(v)) for v in row)
            for j, v in enumerate(row):
                wanted -= mpmath.mpf(label[i, j]) * (mpmath.mpf(v) - mpmath.log(total))
                p = mpmath.exp(mpmath.mpf(v)) / total
                slopes[i, j] = float(p * mpmath.fsum(map(mpmath.mpf, label[i])) - label[i, j])
    for dtype, tolerance in ((np.float64, 1e-14), (np.float32, 1e-5)):
        got = fn(h=scores.astype(dtype), y=label.astype(dtype))
        close(got["L"], float(wanted), tolerance)
        close(got["dh"], slopes, tolerance)


@pytest.mark.parametrize("planned", FORMS)
def test_sigmoid_and_its_slope_keep_their_digits(planned):
    x = make.variable("x", ["n"])
    value_ = CATALOGUE["sigmoid"].apply([x])
    program = Program(make.total(value_), {"x": x})
    slope = derive(program, ["x"]).node
    fn = compile_nodes({"y": value_, "slope": slope}, program, planned=planned)
    points = np.array([0.0, 1.0, 37.0, -37.0, 300.0, -300.0, 690.0, -690.0, 1e4, -1e4])
    got = fn(x=points)
    with mpmath.workdps(50):
        exact = [1 / (1 + mpmath.exp(-mpmath.mpf(v))) for v in points]
        slopes = [y / (1 + mpmath.exp(mpmath.mpf(v))) for v, y in zip(points, exact, strict=True)]
    np.testing.assert_allclose(got["y"], np.array(exact, float), rtol=1e-12, atol=1e-300)
    np.testing.assert_allclose(got["slope"], np.array(slopes, float), rtol=1e-12, atol=1e-300)


@pytest.mark.parametrize("planned", FORMS)
def test_gradients_agree_with_complex_steps(planned):
    """A two-layer network with every kind of operation the chain rule meets."""
    U, V = make.variable("U", ["m", "n"]), make.variable("V", ["p", "m"])
    x, y = make.variable("x", ["n"]), make.variable("y", ["p"])
    g = CATALOGUE["tanh"].apply([make.einsum("mn,n->m", U, x)])
    h = CATALOGUE["softmax"].apply([make.einsum("pm,m->p", V, g)])
    difference = make.add([(1, h), (-1, y)])
    loss = make.power(make.einsum("i,i->", difference, difference), make.exact_number(0.5))
    program = Program(loss, {v.name: v for v in (U, V, x, y)})
    gradients = dict(zip("UVxy", reverse(loss, [U, V, x, y]), strict=True))
    fn = compile_nodes({"L": loss, **gradients}, program, planned=planned)
    arrays = draw_arrays(program, sizes={"m": 3, "n": 2, "p": 4})

    def independent(U, V, x, y):
        scores = np.exp(V @ np.tanh(U @ x))
        return np.sqrt(((scores / scores.sum() - y) ** 2).sum())

    got = fn(**arrays)
    close(got["L"], independent(**arrays))
    for name in "UVxy":
        slopes = np.empty(arrays[name].shape)
        for at in np.ndindex(slopes.shape):
            moved = arrays[name].astype(complex)
            moved[at] += 1e-30j
            slopes[at] = independent(**{**arrays, name: moved}).imag / 1e-30
        close(got[name], slopes, 1e-12)


@pytest.mark.parametrize("planned", FORMS)
def test_hessians_with_identities_and_outer_products(planned):
    """∂²/∂x² of logsumexp(x) + xᵀS x + |x|⁴: a diagonal, a full and a rank-one part."""
    x, S = make.variable("x", ["a"]), make.variable("S", ["a", "a"])
    square = make.einsum("i,i->", x, x)
    f = make.add(
        [
            (1, CATALOGUE["logsumexp"].apply([x])),
            (1, make.einsum("i,ij,j->", x, S, x)),
            (1, make.multiply(square, square)),
        ]
    )
    program = Program(f, {"x": x, "S": S})
    fn = compile_nodes({"H": derive(program, ["x", "x"]).node}, program, planned=planned)
    rng = np.random.default_rng(3)
    v, M = rng.normal(size=4), rng.normal(size=(4, 4))
    p = np.exp(v) / np.exp(v).sum()
    wanted = np.diag(p) - np.outer(p, p) + M + M.T + 4 * (v @ v) * np.eye(4) + 8 * np.outer(v, v)
    close(fn(x=v, S=M), wanted)


@pytest.mark.parametrize("planned", FORMS)
def test_tensors_of_higher_order(planned):
    T, A = make.variable("T", "abc"), make.variable("A", "ab")
    x, y = make.variable("x", "a"), make.variable("y", "b")
    roots = [
        make.einsum("abc,ab->c", T, A),
        make.einsum("abc,dbc->ad", T, T),
        make.einsum("abc,a,b->c", T, x, y),
        make.einsum("abc,b->acb", T, y),
        make.einsum("abc->cab", T),
        make.einsum("ab,ab->b", A, A),
        make.einsum("abc,ab->ac", T, A),
        make.einsum("abc,ab->cba", T, A),
        make.einsum("a,b,abc,c->", x, y, T, make.variable("z", "c")),
        make.einsum("ab,ad->abdd", A, make.variable("S", "aa")),
        make.einsum("ab,cd->acbd", A, make.variable("S", "aa")),
        CATALOGUE["softmax"].apply([make.einsum("abc->bca", T)]),
        CATALOGUE["inv"].apply([make.add([(1, make.variable("S", "aa")), (4, make.delta("a"))])]),
    ]
    check(roots, planned)


@pytest.mark.parametrize("planned", FORMS)
def test_axes_of_size_one(planned):
    A, x = make.variable("A", ["a", 1]), make.variable("x", [1])
    roots = [make.einsum("ij,j->i", A, x), make.einsum("ij->ji", A), make.einsum("i,i->", x, x)]
    roots.append(CATALOGUE["softmax"].apply([A]))
    check(roots, planned)

"""Reverse order: textbook results, missing rules, size and depth."""

import pytest

from pullback.derivation.derive import derive
from pullback.derivation.result import Derivation, Wrt
from pullback.differentiation.forward import forward
from pullback.differentiation.reverse import identity, reverse
from pullback.errors import MissingRule
from pullback.expressions import Program
from pullback.expressions import constructors as make
from pullback.expressions.walks import post_order
from pullback.functions.catalogue import CATALOGUE
from pullback.functions.record import NotDifferentiable, elementwise
from pullback.trace import Trace
from pullback.verification.certificate import certify

A = make.variable("A", ["m", "n"])
X = make.variable("X", ["n", "n"])
x = make.variable("x", ["n"])
b = make.variable("b", ["m"])


def call(name, *arguments):
    return CATALOGUE[name].apply(list(arguments))


def gradient(f, target):
    return reverse(f, [target])[0]


def test_linear_and_quadratic_forms():
    assert gradient(make.einsum("ij,j->i", A, x), x) is A
    assert gradient(x, x) is make.delta("n")
    flipped = make.einsum("jb,ia->jiab", make.delta("n"), make.delta("m"))
    assert gradient(make.transpose(A), A) is flipped
    quadratic = make.einsum("i,ij,j->", x, X, x)
    expected = make.add([(1, make.einsum("ij,j->i", X, x)), (1, make.einsum("ji,j->i", X, x))])
    assert gradient(quadratic, x) is expected
    assert gradient(make.einsum("ii->", X), X) is make.delta("n")
    assert gradient(make.einsum("ij,jk,ki->", X, X, X), X) is make.scale(
        3, make.einsum("jk,ki->ij", X, X)
    )


def test_a_residual_keeps_its_factors():
    """2 Aᵀ(Ax − b), not 2AᵀAx − 2Aᵀb."""
    residual = make.add([(1, make.einsum("ij,j->i", A, x)), (-1, b)])
    f = make.einsum("i,i->", residual, residual)
    assert gradient(f, x) is make.scale(2, make.einsum("ij,i->j", A, residual))


def test_a_derivative_by_what_is_not_there_is_zero():
    assert make.is_zero(gradient(make.total(x), A))
    assert gradient(make.total(x), A).shape == A.shape
    assert make.is_zero(forward(make.total(x), {A: identity(A)}))


def test_a_line_is_differentiated_by_as_it_stands():
    g = call("exp", x)
    assert gradient(make.einsum("i,i->", g, g), g) is make.scale(2, g)
    assert gradient(g, g) is make.delta("n")


def test_the_vector_by_matrix_derivative_of_a_layer():
    """∂(V σ(U x))/∂U has the axes of the result, then those of U."""
    U, V = make.variable("U", ["m", "n"]), make.variable("V", ["p", "m"])
    h = make.einsum("ij,j->i", V, call("sigmoid", make.einsum("ij,j->i", U, x)))
    program = Program(h, {"V": V, "U": U, "x": x})
    for wrt in (["U"], ["x"], ["U", "V"], ["V", "V"], ["x", "U"]):
        derivation = derive(program, wrt)
        axes = [h, *(program.variables[name] for name in wrt)]
        assert derivation.shape == tuple(size for node in axes for size in node.shape)
        assert certify(derivation).passed, wrt


def test_third_derivatives():
    f = make.total(call("tanh", make.einsum("ij,j->i", A, x)))
    program = Program(f, {"A": A, "x": x})
    for wrt in (["x", "x", "x"], ["x", "A", "x"]):
        assert certify(derive(program, wrt), points=1).passed


def test_the_identity_has_a_delta_for_every_axis():
    assert identity(make.variable("s", [])) is make.constant(1)
    assert identity(A) is make.einsum("ac,bd->abcd", make.delta("m"), make.delta("n"))


def test_a_missing_rule_is_an_error_and_no_zero(monkeypatch):
    rounded = elementwise(
        "rounded",
        NotDifferentiable("it is piecewise constant"),
        code="xp.round({0})",
        exact=lambda mp, x: mp.nint(x),
        doc="Nearest integer.",
    )
    monkeypatch.setitem(CATALOGUE, "rounded", rounded)
    f = make.total(rounded.apply([x]))
    for differentiate in (lambda: reverse(f, [x]), lambda: forward(f, {x: x})):
        with pytest.raises(
            MissingRule, match="rounded with respect to argument 1: it is piecewise"
        ):
            differentiate()
    assert make.is_zero(gradient(f, A))  # nothing of A goes through it


def test_the_trace_has_a_link_for_every_use():
    f = make.einsum("ij,j->i", A, x)
    g = call("sigmoid", f)
    trace = Trace()
    (result,) = reverse(make.einsum("i,i->", g, b), [A], trace)
    assert [link.rule for link in trace.links] == ["product", "sigmoid", "product"]
    assert [link.operand for link in trace.links] == [g, f, A]
    assert trace.links[0].partial is None and trace.links[1].partial is not None
    assert trace.links[-1].handed_on is result
    for link in trace.links:
        assert trace.cotangents[link.operation] is link.handed
        assert link.handed_on.shape == link.operand.shape


def network(layers):
    h, weights = x, {"x": x}
    for k in range(layers):
        W = weights[f"W{k}"] = make.variable(f"W{k}", ["n", "n"])
        h = call("tanh", make.einsum("ij,j->i", W, h))
    return Program(make.einsum("i,i->", h, h), weights)


def test_the_gradient_grows_linearly_with_depth():
    """Counted in nodes and operands, not in seconds."""

    def measure(layers):
        program, trace = network(layers), Trace()
        found = reverse(program.result, [program.variables[f"W{k}"] for k in range(layers)], trace)
        nodes = post_order(*found)
        return len(nodes), sum(len(node.children) for node in nodes), len(trace.links)

    counts = [measure(layers) for layers in (20, 40, 80)]
    for small, middle, large in zip(*counts, strict=True):
        assert large - middle == 2 * (middle - small)


def test_second_derivatives_grow_linearly_too():
    def measure(layers):
        program = network(layers)
        hessian = reverse(reverse(program.result, [x])[0], [x])[0]
        return len(post_order(hessian))

    small, middle, large = (measure(layers) for layers in (10, 20, 40))
    assert large - middle <= 2.2 * (middle - small)


def test_ten_thousand_layers():
    program = network(10_000)
    weight = program.variables["W0"]
    (found,) = reverse(program.result, [weight])
    assert found.shape == weight.shape
    assert len(post_order(found)) > 10_000
    assert forward(program.result, {weight: weight}).shape == ()


def test_a_wide_sum_of_shared_terms():
    """One node used many times is visited once."""
    total, shared = x, call("exp", x)
    for _ in range(60):
        total = make.add([(1, total), (1, make.multiply(total, shared))])  # 2^60 paths
    (found,) = reverse(make.total(total), [x])
    assert len(post_order(found)) < 1000


def test_a_wrong_claim_is_caught_here_as_well():
    f = make.total(call("exp", x))
    wrong = Derivation(Program(f, {"x": x}), (Wrt("x", x),), x, x, Trace())
    assert certify(wrong).wrong

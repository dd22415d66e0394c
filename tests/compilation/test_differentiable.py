"""Functions with our derivative as the backward pass, in JAX's and PyTorch's autodiff."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pullback as pb

jax.config.update("jax_enable_x64", True)
rng = np.random.default_rng(3)
GIVEN = {
    "U": rng.normal(size=(3, 4)),
    "V": rng.normal(size=(2, 3)),
    "x": rng.normal(size=4),
    "y": rng.normal(size=2),
    "S": np.eye(3) + 0.1 * rng.normal(size=(3, 3)),
    "s": np.array(0.7),
}
SHAPES = {"U": ("m", "n"), "V": ("p", "m"), "x": ("n",), "y": ("p",), "S": ("m", "m"), "s": ()}

CASES = [
    ("norm2(V*tanh(U*x) - y)^2", lambda U, V, x, y, S, s: ((V @ jnp.tanh(U @ x) - y) ** 2).sum()),
    (
        "h = softmax(U*x)\ny'*log(V*h + 9)",
        lambda U, V, x, y, S, s: y @ jnp.log(V @ jax.nn.softmax(U @ x) + 9),
    ),
    (
        "logdet(S) + tr(inv(S)*U*U')",
        lambda U, V, x, y, S, s: (
            jnp.log(jnp.linalg.det(S)) + jnp.trace(jnp.linalg.inv(S) @ U @ U.T)
        ),
    ),
    ("sigmoid(s*U*x)", lambda U, V, x, y, S, s: jax.nn.sigmoid(s * (U @ x))),
    ("sum(x(2:3).^3) + s^2", lambda U, V, x, y, S, s: (x[1:3] ** 3).sum() + s**2),
]


def parsed(text):
    known = {
        name: shape
        for name, shape in SHAPES.items()
        if pb.parse(text).to_program().variables.get(name)
    }
    return pb.parse(text, shapes=known)


@pytest.mark.parametrize("case", range(len(CASES)))
def test_jax_differentiates_by_our_backward_pass(case):
    text, theirs = CASES[case]
    fn = pb.compile(parsed(text), target="jax", differentiable=True)
    arrays = [jnp.asarray(GIVEN[name]) for name in fn.inputs]

    def plain(*values):
        return theirs(**{**GIVEN, **dict(zip(fn.inputs, values, strict=True))})

    value, pull = jax.vjp(fn, *arrays)
    expected, their_pull = jax.vjp(plain, *arrays)
    np.testing.assert_allclose(value, expected, rtol=1e-12)
    handed = jnp.asarray(rng.normal(size=expected.shape))
    for ours, wanted in zip(jax.jit(pull)(handed), their_pull(handed), strict=True):
        np.testing.assert_allclose(ours, wanted, rtol=1e-10, atol=1e-13)


def test_jax_differentiates_the_backward_pass_again_and_maps_it():
    fn = pb.compile(parsed("norm2(V*tanh(U*x) - y)^2"), target="jax", differentiable=True)
    at = {name: jnp.asarray(GIVEN[name]) for name in fn.inputs}
    second = jax.jacobian(jax.grad(lambda x: fn(**{**at, "x": x})))(at["x"])
    theirs = jax.hessian(lambda x: CASES[0][1](**{**GIVEN, "x": x}))(at["x"])
    np.testing.assert_allclose(second, theirs, rtol=1e-10)
    xs = jnp.asarray(rng.normal(size=(5, 4)))
    mapped = jax.vmap(jax.grad(lambda x: fn(**{**at, "x": x})))(xs)
    np.testing.assert_allclose(
        mapped[2], jax.grad(lambda x: fn(**{**at, "x": x}))(xs[2]), rtol=1e-12
    )


@pytest.mark.parametrize("case", range(len(CASES)))
def test_pytorch_differentiates_by_our_backward_pass(case):
    torch = pytest.importorskip("torch")
    text, theirs = CASES[case]
    fn = pb.compile(parsed(text), target="torch", differentiable=True)
    given = [torch.tensor(GIVEN[name], requires_grad=True) for name in fn.inputs]
    value = fn(*given)
    handed = rng.normal(size=tuple(value.shape))
    value.backward(torch.tensor(handed))

    def plain(*values):
        return theirs(**{**GIVEN, **dict(zip(fn.inputs, values, strict=True))})

    expected, pull = jax.vjp(plain, *[jnp.asarray(GIVEN[name]) for name in fn.inputs])
    np.testing.assert_allclose(value.detach().numpy(), expected, rtol=1e-12)
    for tensor, wanted in zip(given, pull(jnp.asarray(handed)), strict=True):
        np.testing.assert_allclose(tensor.grad.numpy(), wanted, rtol=1e-10, atol=1e-13)


def test_forward_values_are_saved_not_computed_again():
    source = pb.code(parsed("norm2(V*tanh(U*x) - y)^2"), target="jax", differentiable=True)
    assert source.count("U @ x") == 1 and "jax.custom_vjp" in source
    source = pb.code(parsed("norm2(V*tanh(U*x) - y)^2"), target="torch", differentiable=True)
    assert source.count("U @ x") == 1 and "torch.autograd.Function" in source


def test_what_cannot_take_part_is_refused():
    f = pb.parse("norm2(A*x - b)^2")
    with pytest.raises(pb.PullbackError, match="no autodiff"):
        pb.compile(f, differentiable=True)
    with pytest.raises(pb.PullbackError, match="one function"):
        pb.compile({"f": f}, target="jax", differentiable=True)
    with pytest.raises(pb.PullbackError, match="size k is shown by no array"):
        pb.compile("sum(x(1:k).^2)", target="jax", differentiable=True)

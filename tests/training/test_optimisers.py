"""Optimisers against PyTorch's, and against the formulas of the papers spelled out."""

import numpy as np
import pytest

from pullback.training import optimisers

STEPS, SIZE = 25, 7


def gradients(seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(STEPS, SIZE)) * 10.0 ** rng.integers(-3, 3, size=(STEPS, 1))


def rates():
    return [0.05 / (1 + 0.1 * k) for k in range(STEPS)]


def run(rule, start):
    parameters = start.copy()
    state = rule.init(parameters)
    for gradient, rate in zip(gradients(), rates(), strict=True):
        rule.update(parameters, gradient.copy(), state, rate)
    return parameters


CASES = [
    ("sgd", {}, "SGD", {}),
    ("sgd", {"weight_decay": 0.03}, "SGD", {"weight_decay": 0.03}),
    ("momentum", {"momentum": 0.8}, "SGD", {"momentum": 0.8}),
    (
        "momentum",
        {"momentum": 0.8, "weight_decay": 0.1},
        "SGD",
        {"momentum": 0.8, "weight_decay": 0.1},
    ),
    ("nesterov", {"momentum": 0.8}, "SGD", {"momentum": 0.8, "nesterov": True}),
    ("rmsprop", {"smoothing": 0.95}, "RMSprop", {"alpha": 0.95}),
    ("rmsprop", {"weight_decay": 0.1}, "RMSprop", {"weight_decay": 0.1}),
    ("adam", {}, "Adam", {}),
    (
        "adam",
        {"weight_decay": 0.1, "beta1": 0.7},
        "Adam",
        {"weight_decay": 0.1, "betas": (0.7, 0.999)},
    ),
    ("adamw", {}, "AdamW", {}),
    ("adamw", {"weight_decay": 0.2}, "AdamW", {"weight_decay": 0.2}),
]


@pytest.mark.parametrize(("name", "options", "torch_name", "torch_options"), CASES)
def test_steps_are_those_of_pytorch(name, options, torch_name, torch_options):
    torch = pytest.importorskip("torch")
    start = np.random.default_rng(1).normal(size=SIZE)
    ours = run(optimisers.OPTIMISERS[name](**options), start)
    theirs = torch.tensor(start.copy(), requires_grad=True)
    rule = getattr(torch.optim, torch_name)([theirs], lr=0.1, **torch_options)
    for gradient, rate in zip(gradients(), rates(), strict=True):
        rule.param_groups[0]["lr"] = rate
        theirs.grad = torch.tensor(gradient)
        rule.step()
    np.testing.assert_allclose(ours, theirs.detach().numpy(), rtol=1e-12, atol=1e-14)


def literal_sgd(x, g, t, m, rate):
    return x - rate * g, m


def literal_momentum(x, g, t, m, rate):
    v = 0.9 * m.get("v", 0) + g
    return x - rate * v, {"v": v}


def literal_nesterov(x, g, t, m, rate):
    v = 0.9 * m.get("v", 0) + g
    return x - rate * (g + 0.9 * v), {"v": v}


def literal_rmsprop(x, g, t, m, rate):
    s = 0.99 * m.get("s", 0) + 0.01 * g**2
    return x - rate * g / (s**0.5 + 1e-8), {"s": s}


def literal_adam(x, g, t, m, rate):
    first = 0.9 * m.get("m", 0) + 0.1 * g
    second = 0.999 * m.get("v", 0) + 0.001 * g**2
    m_hat, v_hat = first / (1 - 0.9**t), second / (1 - 0.999**t)
    return x - rate * m_hat / (v_hat**0.5 + 1e-8), {"m": first, "v": second}


def literal_adamw(x, g, t, m, rate):
    moved, memory = literal_adam(x, g, t, m, rate)
    return moved - rate * 0.01 * x, memory


@pytest.mark.parametrize("name", list(optimisers.OPTIMISERS))
def test_steps_are_those_of_the_paper(name):
    start = np.random.default_rng(1).normal(size=SIZE)
    literal = globals()[f"literal_{name}"]
    expected, memory = start.copy(), {}
    for t, (gradient, rate) in enumerate(zip(gradients(), rates(), strict=True), 1):
        expected, memory = literal(expected, gradient, t, memory, rate)
    ours = run(optimisers.OPTIMISERS[name](), start)
    np.testing.assert_allclose(ours, expected, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("name", list(optimisers.OPTIMISERS))
def test_a_step_stays_in_place_and_in_single_precision(name):
    rule = optimisers.OPTIMISERS[name]()
    parameters = np.ones(SIZE, dtype=np.float32)
    view = parameters[:3]
    state = rule.init(parameters)
    arrays = [state.work, *state.memory]
    rule.update(parameters, np.ones(SIZE, dtype=np.float32), state, 0.1)
    assert parameters.dtype == np.float32 and (view < 1).all()
    assert [id(a) for a in arrays] == [id(a) for a in (state.work, *state.memory)]
    assert all(a.dtype == np.float32 for a in arrays)


def test_clipping_leaves_short_gradients_alone():
    gradient = np.array([0.3, 0.4])
    assert optimisers.clip_by_global_norm(gradient, 1.0) == pytest.approx(0.5)
    assert gradient.tolist() == [0.3, 0.4]


def test_clipping_is_that_of_pytorch():
    torch = pytest.importorskip("torch")
    ours = gradients()[3].copy()
    theirs = torch.zeros(SIZE, requires_grad=True)
    theirs.grad = torch.tensor(ours.copy(), dtype=torch.float32)
    optimisers.clip_by_global_norm(ours, 0.25)
    torch.nn.utils.clip_grad_norm_([theirs], 0.25)
    np.testing.assert_allclose(ours, theirs.grad.numpy(), rtol=1e-5)
    assert np.linalg.norm(ours) == pytest.approx(0.25)

"""The loop, with a model written by hand."""

import numpy as np
import pytest
from network import Network, two_clouds

from pullback.errors import DomainError
from pullback.training.loop import Diverged, Plan, Progress, train
from pullback.training.metrics import metric_of
from pullback.training.optimisers import adam, momentum, sgd
from pullback.training.samples import Labels, split
from pullback.training.schedules import constant, inverse_time


def run(objective=None, plan=None, seed=0, progress=None, held_out=0.2):
    objective = objective or Network()
    x, y, codes = two_clouds()
    training, held = split(len(x), codes, held_out, np.random.default_rng(seed))
    start = {name: np.zeros(shape) for name, shape in objective.parameters.items()}
    return train(
        objective,
        start,
        {"x": x, "y": y},
        training,
        held,
        plan or Plan(sgd(), constant(0.5), epochs=8, batch=16),
        np.random.default_rng(seed),
        metric_of(Labels("y", y, ("c",), (0, 1), codes)),
        progress,
    )


def test_the_gradient_of_a_batch_is_the_mean_over_its_samples():
    """One step from a whole batch moves as the average of the steps from its samples."""
    x, y, _ = two_clouds(11)
    network = Network()
    parameters = {"W": np.random.default_rng(0).normal(size=(2, 3)), "b": np.array([0.1, -0.2])}

    def gradients(rows):
        out = {name: np.empty(shape) for name, shape in network.parameters.items()}
        loss = network.loss_and_gradients({"x": x[rows], "y": y[rows]}, parameters, out)
        return [loss, *(out[name] for name in network.parameters)]

    singles = [gradients([k]) for k in range(11)]
    for k, whole in enumerate(gradients(slice(None))):
        np.testing.assert_allclose(whole, np.mean([s[k] for s in singles], axis=0), rtol=1e-12)


def test_every_sample_is_used_once_per_epoch_and_the_last_batch_is_smaller():
    network = Network()
    run(network, Plan(sgd(), constant(0.1), epochs=2, batch=16))
    assert network.sizes == [16, 16, 8] * 2


def test_a_full_batch_is_gradient_descent():
    """Against the same steps taken by hand on all training samples."""
    result = run(plan=Plan(momentum(0.9), inverse_time(0.3, 0.5), epochs=5, batch=40))
    x, y, codes = two_clouds()
    training, _ = split(50, codes, 0.2, np.random.default_rng(0))
    x, y = x[training], y[training]
    W, b, vW, vb = np.zeros((2, 3)), np.zeros(2), 0, 0
    for t in range(5):
        h = x @ W.T + b
        p = np.exp(h) / np.exp(h).sum(axis=1, keepdims=True)
        vW = 0.9 * vW + (p - y).T @ x / 40
        vb = 0.9 * vb + (p - y).mean(axis=0)
        W, b = W - 0.3 / (1 + 0.5 * t) * vW, b - 0.3 / (1 + 0.5 * t) * vb
    np.testing.assert_allclose(result.parameters["W"], W, rtol=1e-10)
    np.testing.assert_allclose(result.parameters["b"], b, rtol=1e-10)


def test_the_quotient_form_of_the_update_does_not_descend():
    """ΔP = −α ∂c/∂P, a product of the three factors; their quotient climbs or leaves."""

    class Quotient(Network):
        def loss_and_gradients(self, batch, parameters, out):
            loss = super().loss_and_gradients(batch, parameters, out)
            for gradient in out.values():
                np.divide(1, gradient, out=gradient)
            return loss

    right = run(plan=Plan(sgd(), constant(0.1), epochs=5, batch=16))
    assert right.history[-1].loss < 0.7 * right.history[0].loss
    wrong = run(Quotient(), Plan(sgd(), constant(0.1), epochs=5, batch=16))
    assert wrong.history[-1].loss > wrong.history[0].loss


def test_training_learns_and_reports():
    result = run(plan=Plan(adam(), constant(0.05), epochs=30, batch=16))
    first, last = result.history[0], result.history[-1]
    assert [e.number for e in result.history] == list(range(31))
    assert first.loss == pytest.approx(np.log(2)) and first.score == 0.5
    assert last.loss < 0.3 and last.held_out_score >= 0.9
    assert result.metric.name == "accuracy"


def test_same_seed_same_result_to_the_last_bit():
    one, two, other = run(seed=4), run(seed=4), run(seed=5)
    assert np.array_equal(one.parameters["W"], two.parameters["W"])
    assert [e.loss for e in one.history] == [e.loss for e in two.history]
    assert not np.array_equal(one.parameters["W"], other.parameters["W"])


def test_patience_stops_and_keeps_the_best_by_held_out_loss():
    result = run(plan=Plan(sgd(), constant(25.0), epochs=200, batch=4, patience=5))
    losses = [e.held_out_loss for e in result.history]
    assert result.stopped_early and len(losses) < 201
    assert result.kept.held_out_loss == min(losses)
    assert result.history[-1].number == result.kept.number + 5
    x, y, codes = two_clouds()
    _, held = split(50, codes, 0.2, np.random.default_rng(0))
    kept, _ = Network().evaluate({"x": x[held], "y": y[held]}, result.parameters)
    assert kept == pytest.approx(min(losses), rel=1e-12)


def test_without_patience_held_out_samples_have_no_say():
    result = run(plan=Plan(sgd(), constant(25.0), epochs=20, batch=4))
    assert result.kept is result.history[-1]
    assert result.kept.loss > min(e.loss for e in result.history)


def test_without_held_out_samples_the_figures_are_nan():
    result = run(held_out=0.0)
    assert np.isnan(result.history[-1].held_out_loss) and result.history[-1].loss < 0.5


class Stops(Network):
    """Presses Ctrl-C in the given call."""

    def __init__(self, at):
        super().__init__()
        self.at = at

    def loss_and_gradients(self, batch, parameters, out):
        if self.calls + 1 == self.at:
            raise KeyboardInterrupt
        return super().loss_and_gradients(batch, parameters, out)


@pytest.mark.parametrize("at", [1, 2, 8])
def test_ctrl_c_keeps_the_best_so_far_and_returns(at):
    network = Stops(at)
    result = run(network)
    assert result.interrupted
    x, y, codes = two_clouds()
    training, _ = split(50, codes, 0.2, np.random.default_rng(0))
    kept, _ = network.evaluate({"x": x[training], "y": y[training]}, result.parameters)
    assert kept == pytest.approx(min(e.loss for e in result.history), rel=1e-12)
    if at > 1:
        assert kept < 0.69


def test_ctrl_c_in_the_callback():
    class Impatient(Progress):
        def epoch(self, epoch):
            if epoch.number == 3:
                raise KeyboardInterrupt

    result = run(progress=Impatient())
    assert result.interrupted and result.kept.number == 3


class Breaks(Network):
    def __init__(self, at, how):
        super().__init__()
        self.at, self.how = at, how

    def loss_and_gradients(self, batch, parameters, out):
        loss = super().loss_and_gradients(batch, parameters, out)
        if self.calls == self.at:
            if self.how == "raise":
                raise DomainError("log of a number that is not positive")
            return self.how
        return loss


@pytest.mark.parametrize(
    ("how", "message"), [(np.inf, "the loss is inf"), (np.nan, "nan"), ("raise", "log of a number")]
)
def test_a_loss_that_is_no_number_is_said_with_epoch_rate_and_advice(how, message):
    with pytest.raises(Diverged, match=f"in epoch 3 at the rate 0.5: .*{message}") as caught:
        run(Breaks(8, how))
    assert "try a rate below 0.5" in str(caught.value)
    assert caught.value.run.kept.number == 2
    assert np.isfinite(caught.value.run.parameters["W"]).all()


def test_a_rate_that_is_too_large_is_caught():
    class Square(Network):
        def loss_and_gradients(self, batch, parameters, out):
            out["W"][...], out["b"][...] = 2 * parameters["W"] + 1, 2 * parameters["b"]
            return float(np.square(parameters["W"] + 0.5).sum())

        def evaluate(self, batch, parameters):
            return float(np.square(parameters["W"] + 0.5).sum()), np.zeros((len(batch["x"]), 2))

    with pytest.raises(Diverged, match="the loss is inf"):
        run(Square(), Plan(sgd(), constant(50.0), epochs=100, batch=16))


def test_clipping_bounds_every_step():
    moved = run(plan=Plan(sgd(), constant(1.0), epochs=1, batch=40, clip=1e-3))
    step = np.concatenate([moved.parameters["W"].ravel(), moved.parameters["b"]])
    assert np.linalg.norm(step) == pytest.approx(1e-3)


def test_progress_is_told():
    told = []

    class Recorder(Progress):
        def begin(self, epochs, batches, metric):
            told.append(("begin", epochs, batches, metric.name))

        def epoch(self, epoch):
            told.append(epoch.number)

        def end(self):
            told.append("end")

    run(progress=Recorder(), plan=Plan(sgd(), constant(0.1), epochs=2, batch=16))
    assert told == [("begin", 2, 3, "accuracy"), 0, 1, 2, "end"]

"""A network written by hand: the truth that training is tested against."""

import numpy as np


class Network:
    """Softmax regression with its gradients by hand; averages over the batch."""

    predicts = True

    def __init__(self, inputs=3, classes=2):
        self.parameters = {"W": (classes, inputs), "b": (classes,)}
        self.calls = 0
        self.sizes = []

    def _forward(self, batch, parameters):
        h = batch["x"] @ parameters["W"].T + parameters["b"]
        h = h - h.max(axis=1, keepdims=True)
        log_p = h - np.log(np.exp(h).sum(axis=1, keepdims=True))
        return np.exp(log_p), float(-(batch["y"] * log_p).sum() / len(h))

    def loss_and_gradients(self, batch, parameters, out):
        self.calls += 1
        self.sizes.append(len(batch["x"]))
        p, loss = self._forward(batch, parameters)
        error = (p - batch["y"]) / len(p)
        out["W"][...] = error.T @ batch["x"]
        out["b"][...] = error.sum(axis=0)
        return loss

    def evaluate(self, batch, parameters):
        p, loss = self._forward(batch, parameters)
        return loss, p


def two_clouds(count=50, seed=3):
    """Samples of two classes that overlap a little: inputs, one-hot labels, codes."""
    rng = np.random.default_rng(seed)
    codes = np.arange(count) % 2
    x = rng.normal(size=(count, 3)) + 1.5 * codes[:, None]
    return x, np.eye(2)[codes], codes

"""Second derivatives that stay finite and right where a careless formula overflows or cancels.

Right to 1e-8 of the largest entry against mpmath; what is below 1e-300 may be 0.
"""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

import pullback as pb

mpmath.mp.dps = 60
TARGETS = [{}, {"planned": True}]


def right(found, wanted):
    wanted = np.array(wanted, dtype=object)
    largest = max(abs(x) for x in wanted.ravel())
    assert found.shape == wanted.shape
    assert np.isfinite(found).all()
    error = max(
        abs(mpmath.mpf(float(f)) - w) for f, w in zip(found.ravel(), wanted.ravel(), strict=True)
    )
    assert error <= 1e-8 * largest + mpmath.mpf("1e-300"), (float(error), float(largest))


def exactly(array):
    return [[mpmath.mpf(float(x)) for x in row] for row in np.atleast_2d(array)]


@pytest.mark.parametrize("options", TARGETS)
@pytest.mark.parametrize("text", ["sum(log(1 + exp(-y.*(X*w))))", "sum(softplus(-y.*(X*w)))"])
@pytest.mark.parametrize("scale", [1.0, 36.0, 800.0])
def test_logistic_hessian_at_any_margin(text, scale, options):
    rng = np.random.default_rng(1)
    m, n = 5, 3
    f = pb.parse(text, shapes={"X": ("m", "n"), "w": ("n",)}, assume={"y": "sign"})
    X = rng.normal(size=(m, n))
    w = rng.normal(size=n)
    X *= (scale * np.where(np.arange(m) % 2, 1, -1) / (X @ w))[:, None]  # every margin ±scale
    H = pb.compile(pb.hessian(f, "w"), **options)(X=X, w=w, y=np.sign(rng.normal(size=m)))
    rows, weights = exactly(X), exactly(w)[0]
    wanted = [[mpmath.mpf(0)] * n for _ in range(n)]
    for row in rows:
        z = sum(a * b for a, b in zip(row, weights, strict=True))
        d = 1 / ((1 + mpmath.exp(z)) * (1 + mpmath.exp(-z)))
        for i in range(n):
            for j in range(n):
                wanted[i][j] += d * row[i] * row[j]
    right(H, wanted)


def softmax_hessian(scores):
    s = exactly(scores)[0]
    top = max(s)
    e = [mpmath.exp(x - top) for x in s]
    p = [x / sum(e) for x in e]
    return [[(p[i] if i == j else 0) - p[i] * p[j] for j in range(len(p))] for i in range(len(p))]


SCORES = [
    [1e4, -1e4, 3.0, 1e4 - 1],
    [1e4, 1e4, -1e4, 0.0],
    [-1e4, -1e4 - 2, -1e4 + 1, -1e4],
    [1e4, 0.0, 0.0, -1e4],
    [700.0, 690.0, 0.0, -745.0],
]


@pytest.mark.parametrize("options", TARGETS)
@pytest.mark.parametrize("scores", SCORES)
@pytest.mark.parametrize(
    "text", ["cross_entropy(softmax(s), y)", "logsumexp(s)", "log(sum(exp(s)))"]
)
def test_softmax_cross_entropy_and_logsumexp_at_any_scores(text, scores, options):
    given = {"s": np.array(scores)}
    assume = {}
    if "y" in text.replace("entropy", ""):
        given["y"], assume = np.eye(4)[2], {"y": "unit-sum"}
    f = pb.parse(text, shapes={"s": ("n",)}, assume=assume)
    H = pb.compile(pb.hessian(f, "s"), **options)(**given)
    right(H, softmax_hessian(scores))


@pytest.mark.parametrize("options", TARGETS)
def test_through_a_matrix_as_a_network_has_it(options):
    f = pb.parse(
        "cross_entropy(softmax(W*x), y)", shapes={"W": ("p", "n")}, assume={"y": "unit-sum"}
    )
    rng = np.random.default_rng(3)
    W, x, y = 1e4 * rng.normal(size=(3, 2)), rng.normal(size=2), np.array([0.0, 1.0, 0.0])
    W[1] = W[0] + 1e-3  # two scores that are close
    H = pb.compile(pb.hessian(f, "W"), **options)(W=W, x=x, y=y)
    e, row = exactly(x)[0], exactly(W)
    scores = [sum(a * b for a, b in zip(r, e, strict=True)) for r in row]
    top = max(scores)
    p = [mpmath.exp(s - top) for s in scores]
    p = [q / sum(p) for q in p]
    wanted = [
        [
            [
                [((p[i] if i == k else 0) - p[i] * p[k]) * e[j] * e[l] for l in range(2)]
                for k in range(3)
            ]
            for j in range(2)
        ]
        for i in range(3)
    ]
    right(H, wanted)


def test_native_code_is_as_stable():
    native = {"target": "native"}
    test_logistic_hessian_at_any_margin("sum(softplus(-y.*(X*w)))", 800.0, native)
    test_softmax_cross_entropy_and_logsumexp_at_any_scores(
        "cross_entropy(softmax(s), y)", SCORES[0], native
    )

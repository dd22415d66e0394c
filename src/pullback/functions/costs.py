"""The costs that networks are trained by: formulas in other functions.

The prediction comes first, the label second; each is a total, not a mean.
"""

from __future__ import annotations

from pullback.functions.algebra import Term, total
from pullback.functions.exponential import log
from pullback.functions.piecewise import abs, huber, relu
from pullback.functions.record import Definition


def _cross_entropy(p: Term, y: Term) -> Term:
    return -total(y * log(p))


squared_error = Definition(
    "squared_error",
    ("h", "y"),
    lambda h, y: total((h - y) ** 2),
    "Σ (h − y)².",
    "scalar",
)

absolute_error = Definition(
    "absolute_error", ("h", "y"), lambda h, y: total(abs(h - y)), "Σ |h − y|.", "scalar"
)

cross_entropy = Definition(
    "cross_entropy",
    ("p", "y"),
    _cross_entropy,
    "−Σ y log p, for probabilities p and a label y.",
    "scalar",
)

binary_cross_entropy = Definition(
    "binary_cross_entropy",
    ("p", "y"),
    lambda p, y: _cross_entropy(p, y) + _cross_entropy(1 - p, 1 - y),
    "−Σ (y log p + (1 − y) log(1 − p)), for labels y of 0 or 1.",
    "scalar",
)

hinge = Definition(
    "hinge",
    ("h", "y"),
    lambda h, y: total(relu(1 - y * h)),
    "Σ max(0, 1 − y h), for labels y of −1 or 1.",
    "scalar",
)

huber_loss = Definition(
    "huber_loss",
    ("h", "y", "delta=1"),
    lambda h, y, delta: total(huber(h - y, delta)),
    "Σ huber(h − y, δ): squared near 0, linear beyond δ.",
    "scalar",
)

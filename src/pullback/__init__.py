"""Pullback: the mathematics of back-propagation, as formula, derivation, picture and code.

>>> import pullback as pb
>>> L = pb.parse("norm2(V*sigmoid(U*x) - y)^2")
>>> print(pb.derivative(L, "V"))
2 (V σ(U x) − y) σ(U x)ᵀ
"""

from __future__ import annotations

from typing import Any

from pullback.api import (
    Certificate,
    Compiled,
    Derivative,
    Explanation,
    Grade,
    batch,
    check,
    code,
    compile,
    derivative,
    explain,
    grade,
    gradient,
    hessian,
    hvp,
    jacobian,
    jvp,
    parse,
    vjp,
)
from pullback.errors import DomainError, MissingRule, PullbackError, ShapeError
from pullback.language.symbols import FUNCTIONS
from pullback.language.tensor import Tensor, dims, matrix, scalar, tensor, vector

__version__ = "0.1.0"

__all__ = [
    "Certificate",
    "Compiled",
    "Derivative",
    "DomainError",
    "Explanation",
    "Grade",
    "MissingRule",
    "PullbackError",
    "ShapeError",
    "Tensor",
    "batch",
    "check",
    "code",
    "compile",
    "derivative",
    "dims",
    "explain",
    "grade",
    "gradient",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "matrix",
    "parse",
    "scalar",
    "tensor",
    "vector",
    "vjp",
]


def __getattr__(name: str) -> Any:
    """Every function of the catalogue on tensors: ``pb.sigmoid``, ``pb.sum``, …"""
    try:
        return FUNCTIONS[name]
    except KeyError:
        raise AttributeError(f"module 'pullback' has no attribute '{name}'") from None


def __dir__() -> list[str]:
    return sorted([*__all__, *FUNCTIONS])

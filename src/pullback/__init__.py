"""Pullback: the mathematics of back-propagation, as formula, derivation, picture and code.

>>> import pullback as pb
>>> L = pb.parse("norm2(V*sigmoid(U*x) - y)^2")
>>> print(pb.derivative(L, "V"))
2 (V σ(U x) − y) σ(U x)ᵀ
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pullback.api import (
        Certificate,
        Compiled,
        Derivative,
        Differential,
        Entity,
        Explanation,
        Grade,
        Picture,
        Prices,
        Ways,
        batch,
        check,
        code,
        compile,
        cost,
        derivative,
        differential,
        entity,
        exercise,
        explain,
        gauss_newton,
        grade,
        gradient,
        hessian,
        hessian_diagonal,
        hvp,
        jacobian,
        jacobian_diagonal,
        jvp,
        objective,
        parse,
        picture,
        taylor,
        vjp,
        ways,
    )
    from pullback.errors import DomainError, MissingRule, PullbackError, ShapeError
    from pullback.language.tensor import Tensor
    from pullback.language.variables import dims, matrix, scalar, tensor, vector

__version__ = "0.1.0"

__all__ = [
    "Certificate",
    "Compiled",
    "Derivative",
    "Differential",
    "DomainError",
    "Entity",
    "Explanation",
    "Grade",
    "MissingRule",
    "Picture",
    "Prices",
    "PullbackError",
    "ShapeError",
    "Tensor",
    "Ways",
    "batch",
    "check",
    "code",
    "compile",
    "cost",
    "derivative",
    "differential",
    "dims",
    "entity",
    "exercise",
    "explain",
    "gauss_newton",
    "grade",
    "gradient",
    "hessian",
    "hessian_diagonal",
    "hvp",
    "jacobian",
    "jacobian_diagonal",
    "jvp",
    "matrix",
    "objective",
    "parse",
    "picture",
    "scalar",
    "taylor",
    "tensor",
    "vector",
    "vjp",
    "ways",
]

# Rooms are entered when something of theirs is first asked for, so that the import is quick.
_ROOMS = (
    "pullback.errors",
    "pullback.language.tensor",
    "pullback.language.variables",
    "pullback.api",
)


def __getattr__(name: str) -> Any:
    """The public names, and every function of the catalogue on tensors: ``pb.sigmoid``, …"""
    value = None
    if name in __all__:
        rooms = (import_module(room) for room in _ROOMS)
        value = next(getattr(room, name) for room in rooms if hasattr(room, name))
    elif not name.startswith("_"):
        value = import_module("pullback.language.symbols").FUNCTIONS.get(name)
    if value is None:
        raise AttributeError(f"module 'pullback' has no attribute '{name}'")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    functions = import_module("pullback.language.symbols").FUNCTIONS
    return sorted([*__all__, *functions])

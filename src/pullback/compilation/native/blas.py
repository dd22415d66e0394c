"""The BLAS and LAPACK that NumPy has loaded: addresses of its functions, never a second library."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.linalg import _umath_linalg

# in the order of the table in linear_algebra.c
FUNCTIONS = (
    *("gemm", "gemv", "syrk", "getrf", "getri", "getrs"),
    *("potrf", "potri", "potrs", "trtri", "trtrs"),
)
LETTERS: dict[np.dtype[Any], str] = {np.dtype(np.float64): "d", np.dtype(np.float32): "s"}
# how libraries call a function of Fortran's, and the integers that it takes
SPELLINGS = (
    ("scipy_{}_64_", 64),  # NumPy's own wheels
    ("{}_64_", 64),
    ("{}64_", 64),
    ("{}$NEWLAPACK$ILP64", 64),
    ("{}$NEWLAPACK", 32),
    ("{}_", 32),
)


@dataclass(frozen=True)
class Library:
    """The functions for each dtype, and how many bits its integers have."""

    tables: dict[np.dtype[Any], ctypes.Array[ctypes.c_void_p]]
    bits: int


@cache
def library() -> Library | None:
    """What NumPy's linear algebra is linked with; None where its functions have unknown names."""
    loaded = ctypes.CDLL(_umath_linalg.__file__)
    for spelling, bits in SPELLINGS:
        tables: dict[np.dtype[Any], ctypes.Array[ctypes.c_void_p]] = {}
        for dtype, letter in LETTERS.items():
            addresses = [_address(loaded, spelling.format(letter + name)) for name in FUNCTIONS]
            if None in addresses:
                break
            tables[dtype] = (ctypes.c_void_p * len(addresses))(*addresses)
        else:
            return Library(tables, bits)
    return None


def _address(loaded: ctypes.CDLL, name: str) -> int | None:
    try:
        return ctypes.cast(getattr(loaded, name), ctypes.c_void_p).value
    except AttributeError:
        return None

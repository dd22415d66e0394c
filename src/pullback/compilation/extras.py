"""Libraries that not every installation has."""

from __future__ import annotations

from importlib.util import find_spec

from pullback.errors import PullbackError


def has_scipy() -> bool:
    """Whether SciPy is installed; without it, each function of a matrix factorises for itself."""
    return find_spec("scipy") is not None


def insist_on_scipy(what: str) -> None:
    """Raises PullbackError, saying what needs SciPy, where it is not installed."""
    if not has_scipy():
        raise PullbackError(
            f"{what} calls functions of SciPy, which is not installed",
            hint="pip install 'pullback[scipy]'",
        )

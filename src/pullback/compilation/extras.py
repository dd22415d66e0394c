"""Libraries that not every installation has."""

from __future__ import annotations

from importlib.util import find_spec

from pullback.errors import PullbackError


def insist_on_scipy(what: str) -> None:
    """Raises PullbackError, saying what needs SciPy, where it is not installed."""
    if find_spec("scipy") is None:
        raise PullbackError(
            f"{what} calls functions of SciPy, which is not installed",
            hint="pip install 'pullback[scipy]'",
        )

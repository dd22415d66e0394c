"""Writing files whole or not at all, and asking beforehand whether that can work."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from pullback.errors import PullbackError


def check_writable(path: str | Path) -> None:
    """Raise PullbackError if a file can't be written here; to be asked before work starts."""
    path = Path(path)
    if path.is_dir():
        raise PullbackError(f"cannot write {path}: it is a directory")
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}-"):
            pass
    except OSError as error:
        raise _unwritable(path, error) from error


@contextmanager
def writing(path: str | Path) -> Iterator[IO[bytes]]:
    """A file that takes its name only when it is complete."""
    path = Path(path)
    if path.is_dir():
        raise PullbackError(f"cannot write {path}: it is a directory")
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
        # mkstemp makes files private; give this one the rights that any new file gets
        mask = os.umask(0)
        os.umask(mask)
        Path(temporary).chmod(0o666 & ~mask)
        Path(temporary).replace(path)
    except BaseException as error:
        with suppress(OSError):
            Path(temporary).unlink()
        if isinstance(error, OSError):
            raise _unwritable(path, error) from error
        raise


def _unwritable(path: Path, error: OSError) -> PullbackError:
    reason = (error.strerror or str(error)).lower()
    if not path.parent.is_dir():
        reason = f"there is no directory {path.parent}"
    return PullbackError(f"cannot write {path}: {reason}")

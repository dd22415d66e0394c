"""C source to a loaded library: compiled once by the system's compiler, kept in a private directory.

An entry is named by a digest of all that makes it (source, compiler, options, processor) and by a
digest of its own bytes, so that a spoilt one is seen and built again. It appears under its name at
once, when it is complete, whatever other processes do meanwhile.
"""

from __future__ import annotations

import atexit
import ctypes
import hashlib
import os
import platform
import shlex
import shutil
import stat
import subprocess
import sysconfig
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

# no -ffast-math: infinities, NaNs and the order of operations mean what they say
OPTIONS = (
    *("-std=c11", "-O3", "-fPIC", "-shared"),
    *("-fno-math-errno", "-fno-trapping-math", "-ffp-contract=fast"),
)
# what a compiler may not know, the best first; without threads a parallel loop is a plain one
VARIANTS = (("-march=native", "-fopenmp-simd"), ("-fopenmp-simd",), ())
THREADS = ("-march=native", "-fopenmp")
KEPT = 500  # libraries; the oldest go
SECONDS = 300  # for one run of the compiler


class CannotBuild(Exception):
    """There is no compiler, or it does not take the source; the message says which."""


@dataclass(frozen=True)
class Recipe:
    """How a source is compiled: a command, the options that it must and those it may take."""

    source: str
    command: tuple[str, ...]
    options: tuple[str, ...]
    variants: tuple[tuple[str, ...], ...]

    @property
    def key(self) -> str:
        parts = [
            self.source,
            _identity(self.command),
            *self.options,
            *self.variants[0],
            _processor(),
        ]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def recipe(source: str, defines: Sequence[str], *, threads: bool = False) -> Recipe:
    """The way to a library, with macros defined; with ``threads`` its parallel loops are parallel.

    Raises CannotBuild where there is no compiler.
    """
    command = compiler()
    if command is None:
        raise CannotBuild("there is no C compiler (set CC, or install gcc or clang)")
    options = (*OPTIONS, *[f"-D{name}" for name in defines])
    return Recipe(source, tuple(command), options, (THREADS, *VARIANTS) if threads else VARIANTS)


def load(made_by: Recipe) -> ctypes.CDLL:
    """The library: the one that is kept, or a new one. Raises CannotBuild.

    Libraries are kept in the user's cache directory if that is theirs alone, else in a temporary
    directory of this process.
    """
    directory = cache_directory()
    path = _kept(directory, made_by.key) or _built(directory, made_by)
    with _patient_threads():
        return ctypes.CDLL(str(path))


@contextmanager
def _patient_threads() -> Iterator[None]:
    """OpenMP, if it is loaded now, lets its threads sleep between loops unless the user says not.

    Threads that wait by looping keep BLAS from its own, and on a busy machine each other: a loop
    of 0.1 ms was measured to take 8 ms.
    """
    policy = "OMP_WAIT_POLICY"
    if policy in os.environ:
        yield
        return
    os.environ[policy] = "passive"
    try:
        yield
    finally:
        del os.environ[policy]


def is_kept(made_by: Recipe) -> bool:
    """Whether the library is there already."""
    return _kept(cache_directory(), made_by.key) is not None


def compiler() -> list[str] | None:
    """The command of the C compiler: $CC, Python's own, or what the system calls cc."""
    for text in (os.environ.get("CC"), sysconfig.get_config_var("CC"), "cc", "gcc", "clang"):
        words = shlex.split(text or "")
        if words and shutil.which(words[0]):
            return words
    return None


@cache
def _identity(command: tuple[str, ...]) -> str:
    """The compiler and its version."""
    done = subprocess.run(
        [*command, "--version"], capture_output=True, text=True, check=False, timeout=SECONDS
    )
    return "\0".join([shutil.which(command[0]) or "", *command, done.stdout])


@cache
def _processor() -> str:
    """What -march=native depends on."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine() + platform.processor()
    known = ("vendor_id", "cpu family", "model", "flags", "CPU implementer", "CPU part", "Features")
    found = dict(line.partition(":")[::2] for line in lines if ":" in line)
    return "".join([platform.machine(), *[v for k, v in found.items() if k.strip() in known]])


def _kept(directory: Path, key: str) -> Path | None:
    """The entry of a key whose bytes are what its name says; a spoilt one is removed."""
    for path in sorted(directory.glob(f"{key}-*.so")):
        try:
            content = path.read_bytes()
        except OSError:
            continue
        if path.name == _name(key, content):
            return path
        path.unlink(missing_ok=True)
    return None


def _name(key: str, content: bytes) -> str:
    return f"{key}-{hashlib.sha256(content).hexdigest()[:32]}.so"


def _built(directory: Path, made_by: Recipe) -> Path:
    handle, name = tempfile.mkstemp(dir=directory, prefix="building-")
    os.close(handle)
    made = Path(name)
    try:
        for variant in made_by.variants:
            arguments = [*made_by.command, *made_by.options, *variant]
            arguments += ["-x", "c", "-", "-o", name, "-lm"]
            try:
                done = subprocess.run(
                    arguments,
                    input=made_by.source,
                    capture_output=True,
                    text=True,
                    check=False,
                    timeout=SECONDS,
                )
            except (OSError, subprocess.TimeoutExpired) as problem:
                raise CannotBuild(f"the C compiler cannot be run: {problem}") from None
            if not done.returncode:
                path = directory / _name(made_by.key, made.read_bytes())
                made.replace(path)
                _prune(directory)
                return path
        raise CannotBuild(f"the C compiler refuses the code: {done.stderr.strip()[:500]}")
    finally:
        made.unlink(missing_ok=True)


def _prune(directory: Path) -> None:
    entries = list(directory.glob("*.so"))
    if len(entries) > KEPT:
        entries.sort(key=lambda path: path.stat().st_mtime)
        for path in entries[:-KEPT]:
            path.unlink(missing_ok=True)


# the directory


def cache_directory() -> Path:
    """Where libraries are kept: for this user alone, else a directory of this process."""
    try:
        return private_directory(_wanted())
    except PermissionError as problem:
        return _temporary(str(problem))


def _wanted() -> Path:
    base = os.environ.get("XDG_CACHE_HOME", "")
    root = Path(base) if base.startswith("/") else Path.home() / ".cache"
    return root / "pullback" / "native"


def private_directory(path: Path) -> Path:
    """The directory, made if it is not there. Raises PermissionError unless it is the user's alone.

    No one else may be able to put a library there: the directory belongs to the user, no one else
    can read or write it, and none above it can be changed by others.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = path.resolve()  # what is looked at is what is used, whatever links led to it
    found = path.stat()
    if found.st_uid != os.geteuid():
        raise PermissionError(f"{path} belongs to another user")
    if found.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise PermissionError(f"{path} is open to other users (chmod 700 mends it)")
    for above in path.parents:
        found = above.stat()
        if found.st_uid not in (0, os.geteuid()):
            raise PermissionError(f"{above} belongs to another user")
        if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not found.st_mode & stat.S_ISVTX:
            raise PermissionError(f"{above} can be changed by other users")
    return path


@cache
def _temporary(reason: str) -> Path:
    warnings.warn(f"compiled code is not kept: {reason}", RuntimeWarning, stacklevel=2)
    path = tempfile.mkdtemp(prefix="pullback-")
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return Path(path)

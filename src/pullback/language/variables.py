"""Variables and sizes by name: ``U = matrix("U", "m", "n")``, ``m, n = dims("m n")``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pullback.errors import PullbackError
from pullback.expressions import Size, SizeLike
from pullback.expressions import constructors as make
from pullback.language.declarations import check_name, declare
from pullback.language.history import History
from pullback.language.tensor import Dim, Tensor


def tensor(name: str, *sizes: SizeLike, assume: str | Iterable[str] = ()) -> Tensor:
    """A variable with any number of axes: one size each, a name, a number or a polynomial of these.

    ``assume`` says what holds for it, as in ``"symmetric"``. Raises PullbackError for what is
    no name, no size or no assumption, and for an assumption that the shape contradicts.

    >>> tensor("T", "a", "b", 3).shape
    (Size(a), Size(b), Size(3))
    """
    check_name(name)
    shape, assumptions = declare(name, sizes, assume)
    node = make.variable(name, shape, assumptions)
    return Tensor(node, History(node))


def scalar(name: str, *, assume: str | Iterable[str] = ()) -> Tensor:
    """A variable without axes. Raises what :func:`tensor` raises.

    >>> scalar("s")
    <Tensor (): s>
    """
    return tensor(name, assume=assume)


def vector(name: str, size: SizeLike, *, assume: str | Iterable[str] = ()) -> Tensor:
    """A variable with one axis. Raises what :func:`tensor` raises.

    >>> vector("x", "n")
    <Tensor (n,): x>
    """
    return tensor(name, size, assume=assume)


def matrix(
    name: str, rows: SizeLike, columns: SizeLike, *, assume: str | Iterable[str] = ()
) -> Tensor:
    """A variable with two axes, also where one has size 1. Raises what :func:`tensor` raises.

    >>> matrix("A", "n", "n", assume="symmetric").T
    <Tensor (n, n): A>
    """
    return tensor(name, rows, columns, assume=assume)


def dims(names: str) -> Any:
    """Symbolic sizes by their names: one size for one name, else a tuple.

    >>> m, n = dims("m n")
    >>> vector("x", m + n).shape
    (Size(m + n),)
    """
    found = names.replace(",", " ").split()
    for name in found:
        check_name(name)
    if not found:
        raise PullbackError("dims needs names, as in dims('m n')")
    sizes = tuple([Dim(Size.of(name).terms) for name in found])
    return sizes[0] if len(sizes) == 1 else sizes

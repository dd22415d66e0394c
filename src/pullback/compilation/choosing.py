"""One function's code for the sizes of a call, where these decide in which order products are made."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Generic, Protocol, TypeVar

from pullback.compilation.ordering import Measure, Sizes


class Code(Protocol):
    """Code, and the sizes that it asks for by name."""

    @property
    def text(self) -> str: ...

    @property
    def sizes(self) -> Collection[str]: ...


S = TypeVar("S", bound=Code)

MOST = 16  # sets of sizes for which code is made; others run what is good for sizes that are alike


class Choice(Generic[S]):
    """The code for sizes that are alike, and what is better for others.

    ``special`` makes the code for a measure of sizes; None where no order depends on them.
    """

    def __init__(self, general: S, special: Callable[[Measure], S] | None) -> None:
        self.general = general
        self.special = special
        self._made: dict[tuple[tuple[str, int], ...], S] = {}

    def at(self, sizes: Mapping[str, int]) -> S:
        """The code for these sizes, made when they are first met."""
        if self.special is None:
            return self.general
        key = tuple(sizes.items())
        known = self._made.get(key)
        if known is not None:
            return known
        if len(self._made) >= MOST:
            return self.general
        made = self.special(Sizes(sizes))
        if not sizes.keys() >= set(made.sizes):
            made = self.general  # that order asks for a size that nothing shows
        texts = {source.text: source for source in (*self._made.values(), self.general)}
        self._made[key] = texts.get(made.text, made)
        return self._made[key]

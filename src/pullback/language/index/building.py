"""From what the grammar finds to the tree of a formula in indices."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from pullback.language.building import Builder, name_of, span_of
from pullback.language.faults import Fault
from pullback.language.index.syntax import (
    Along,
    Bracket,
    Entry,
    Indices,
    Letter,
    Letters,
    Range,
    Sigma,
    Whole,
)
from pullback.language.index.words import compact, letters_of
from pullback.language.syntax import Syntax


@dataclass(frozen=True, slots=True)
class _Indices:
    """Indices in braces or brackets, and where they end."""

    items: Indices
    stop: int


class IndexBuilder(Builder):
    """Makes the tree while the parser reduces; sums, products and powers are as in any text."""

    @staticmethod
    def start(items: list[Any]) -> list[Any]:
        return items

    @staticmethod
    def entry(items: list[Any]) -> Syntax:
        token = items[0]
        indices = items[1].items if len(items) > 1 else None
        return Entry(token.start_pos, _stop(items[-1]), name_of(token), indices)

    @staticmethod
    def whole(items: list[Any]) -> Syntax:
        return Whole(items[0].start_pos, _stop(items[-1]), _picked(items[1:]))

    @staticmethod
    def sigma(items: list[Any]) -> Syntax:
        token, *range_, body = items
        return Sigma(token.start_pos, body.stop, _ranges(token, "∑", range_)[0], body)

    @staticmethod
    def total(items: list[Any]) -> Syntax:
        token, *range_, body = items
        return Sigma(token.start_pos, body.stop, _ranges(token, "sum", range_)[0], body)

    @staticmethod
    def along(items: list[Any]) -> Syntax:
        token = items[0]
        at = next(k for k, item in enumerate(items) if isinstance(item, list))
        name = str(token).rpartition("_")[0]
        ranges = _ranges(token, name, items[1:at])
        picked = _picked(items[at + 1 :])
        *arguments, close = items[at]
        stop = _stop(items[-1]) if picked else close.end_pos
        return Along(token.start_pos, stop, name, ranges, arguments, picked)

    @staticmethod
    def arguments(items: list[Any]) -> list[Any]:
        return items[1:]

    @staticmethod
    def over(items: list[Any]) -> Range:
        alone = len(items) == 2
        letters: Letters = ()
        for token in items[:-1]:
            found = compact(str(token), token.start_pos)
            if found is None or (len(found) > 1 and not alone):
                raise Fault("an index is a letter", *span_of(token), "write Σ_ij or Σ_{i,j}")
            letters += found
        return Range(letters)

    @staticmethod
    def over_to(items: list[Any]) -> Range:
        name, _, first, _, last, _ = items
        letters = compact(str(name), name.start_pos)
        if letters is None or len(letters) > 1:
            raise Fault("an index is a letter", *span_of(name))
        return Range(letters, first, last)

    @staticmethod
    def indices(items: list[Any]) -> _Indices:
        *items, close = items
        found: list[Letter | Syntax] = []
        for item in items:
            bare = isinstance(item, Entry) and item.indices is None
            letters = compact(item.word, item.start) if bare else None
            if letters and (len(letters) == 1 or len(items) == 1):
                found += [replace(x, apart=len(letters) == 1) for x in letters]
            else:
                found.append(item)
        return _Indices(tuple(found), close.end_pos)

    @staticmethod
    def bracket(items: list[Any]) -> Syntax:
        opens, left, relation, right, closes = items
        return Bracket(opens.start_pos, closes.end_pos, left, str(relation), right)


def _ranges(token: Any, name: str, stated: list[Range]) -> tuple[Range, ...]:
    """The letters of a sum or a function: in braces, or after underscores of the token."""
    if stated:
        return tuple(stated)
    letters: Letters = ()
    at = len(name) + 1
    for part in str(token)[at:].split("_"):
        letters += letters_of(part, token.start_pos + at)
        at += len(part) + 1
    return (Range(letters),)


def _picked(items: list[Any]) -> Indices:
    """The indices after a bracket, if there are any."""
    if not items:
        return ()
    (item,) = items
    return item.items if isinstance(item, _Indices) else letters_of(item[1:], item.start_pos + 1)


def _stop(item: Any) -> int:
    return item.stop if isinstance(item, _Indices) else item.end_pos

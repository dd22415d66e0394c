"""Which names of a text stand for values, and which state sizes or places."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from pullback.expressions import Size
from pullback.language.code import Meaning
from pullback.language.declarations import Sizes
from pullback.language.parentheses import END
from pullback.language.syntax import Call, Index, Name, Range, Source, Syntax, parts_of


def names_in(source: Source, meaning: Meaning) -> tuple[list[str], set[str]]:
    """The names that stand for values, in order of appearance, and those that state sizes."""
    values: dict[str, None] = {}
    sizes: set[str] = set()
    for line in source.lines:
        stack: list[tuple[Syntax, bool]] = [(line.expression, False)]
        while stack:
            item, is_size = stack.pop()
            if isinstance(item, Name) and is_size:
                sizes.add(item.name)
            elif isinstance(item, Name):
                values.setdefault(item.name)
            elif isinstance(item, Index):
                stack += [(place, True) for place in item.places]
                stack.append((item.operand, is_size))
            elif isinstance(item, Range):
                parts = (item.first, item.step, item.last)
                stack += [(part, True) for part in parts if part is not None]
            elif isinstance(item, Call):
                first = meaning.first_size(item)
                stack += [(option, True) for option in item.options.values()]
                stack += reversed(
                    [(a, is_size or i >= first) for i, a in enumerate(item.arguments)]
                )
            else:
                stack += [(part, is_size) for part in reversed(parts_of(item))]
    values.pop("eye", None)
    return list(values), sizes - {END}


def named_in_shapes(shapes: Mapping[str, Sizes]) -> set[str]:
    """The names of sizes in shapes that are given beside a text."""
    found: set[str] = set()
    for sizes in shapes.values():
        parts = [sizes] if isinstance(sizes, str) else sizes if isinstance(sizes, Iterable) else ()
        for part in parts:
            named = part.names if isinstance(part, Size) else re.findall(r"[^\W\d]\w*", str(part))
            found.update(named)
    return found

"""Text to syntax tree, and every way a text can fail to be one."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Literal, get_args

from pullback.errors import PullbackError
from pullback.language import latex, latex_matrices, latex_names
from pullback.language.brackets import Spaces, braced, prepared
from pullback.language.building import Builder
from pullback.language.calls import FUNCTION_NAMES, SHARED
from pullback.language.dialects import recognised, refuse_other_dialects
from pullback.language.faults import Fault, Missing, insist_short
from pullback.language.grammars import blank, parsed, parser
from pullback.language.latex_building import LatexBuilder, named
from pullback.language.latex_calls import BRACKETS
from pullback.language.numpy_building import BLANKED, NumpyBuilder, unknown
from pullback.language.parentheses import Context, settle
from pullback.language.printed import COEFFICIENT, has_coefficient, paired
from pullback.language.syntax import Declaration, Line, Source

Dialect = Literal["matlab", "numpy", "latex", "printed", "index", "vec"]
Span = tuple[int, int]
NAMED = ("FUNCTIONS", "|".join(sorted(FUNCTION_NAMES, key=lambda name: (-len(name), name))))
_OF_LATEX = frozenset({*FUNCTION_NAMES, *BRACKETS})
TYPED = (r"[^\n]*// PRINTED\n", "")  # typed formulas have an operator between their factors


def read(
    text: str,
    dialect: Dialect | None = None,
    known: Collection[str] = (),
    sizes: Collection[str] = (),
) -> Source:
    """The syntax tree of a text; PullbackError with a caret where it is none.

    Without a ``dialect`` it is the one whose marks the text has. ``known`` are names declared
    beside the text, ``sizes`` those of sizes.

    >>> [line.name for line in read("f = U*x; sum(f)").lines]
    ['f', '']
    """
    if not isinstance(text, str):
        raise PullbackError(f"a program is text, not {type(text).__name__}")
    insist_short(text)
    if dialect is not None and dialect not in get_args(Dialect):
        hint = f"known are {', '.join(get_args(Dialect))}"
        raise PullbackError(f"unknown dialect {dialect!r}", None, hint)
    try:
        return _read(text, dialect, known, sizes)
    except Fault as fault:
        raise fault.in_text(text) from None


def _read(
    text: str, dialect: Dialect | None, known: Collection[str], sizes: Collection[str]
) -> Source:
    mark = None
    stated = dialect is not None
    if dialect is None:
        dialect, mark = recognised(text)
    if dialect == "numpy":
        plain = blank(text, BLANKED)
        return source_of(text, parsed(plain, parser("numpy", NumpyBuilder), unknown), dialect, mark)
    if dialect == "latex":
        plain, sets = latex_matrices.declared(text, known)
        known = {*known, *(item.name for item in sets)}
        changes = (("FUNCTIONS", latex.function_pattern(known)), ("NAMES", latex_names.NAMES))
        greek = (("TOP", latex.TOP), ("GREEK", latex_names.GREEK))
        reader = parser("latex", LatexBuilder, *changes, *greek)
        plain = latex.plain_of(plain, known)
        source = source_of(text, parsed(plain, reader, latex.unknown), dialect, mark)
        source.declarations += sets
        named(source, known)
        settle(source, Context(known, sizes, _OF_LATEX, SHARED, beside=True))
        return source
    if dialect == "matlab":
        plain = prepared(text, "separate")
        refuse_other_dialects(text, plain)
        try:
            items = parsed(paired(plain), parser("grammar", Builder, NAMED, TYPED))
        except Missing as fault:
            if not COEFFICIENT.search(plain):
                raise
            return _printed(text, mark, known, sizes, "refuse", instead_of=fault)
        source = source_of(text, items, dialect)
        settle(source, _context(source, known, sizes))
        return source
    return _printed(text, mark, known, sizes, "multiply" if stated else "refuse")


def _printed(
    text: str,
    mark: Span | None,
    known: Collection[str],
    sizes: Collection[str],
    spaces: Spaces,
    instead_of: Missing | None = None,
) -> Source:
    """A formula as printed, with factors side by side; one read so ``instead_of`` a typed one has to be plainly so."""
    plain = paired(prepared(braced(text), spaces))
    source = source_of(text, parsed(plain, parser("grammar", Builder, NAMED)), "printed", mark)
    if instead_of is not None and not has_coefficient(source):
        raise instead_of
    context = _context(source, known, sizes)
    settle(source, replace(context, beside=True, stated=spaces == "multiply"))
    return source


def _context(source: Source, known: Collection[str], sizes: Collection[str]) -> Context:
    named = {name for d in source.declarations for size in d.sizes for name in size.names}
    return Context(known, {*sizes, *named}, FUNCTION_NAMES, SHARED)


def source_of(
    text: str, items: Iterable[Line | Declaration], dialect: str, mark: Span | None = None
) -> Source:
    """Lines and declarations apart."""
    source = Source(text, dialect, mark)
    for item in items:
        if isinstance(item, Line):
            source.lines.append(item)
        else:
            source.declarations.append(item)
    return source

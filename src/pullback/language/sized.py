"""I_m, I_mn, K_mn, K_{m,n+1}: identity and commutation matrices with their sizes as subscripts."""

from __future__ import annotations

import re
from collections.abc import Collection

from pullback.language.faults import Fault
from pullback.language.syntax import Addition, Call, Literal, Name, Product, Syntax

_SIZED = re.compile(r"([IK])_(?:\{([^{}]*)\}|(\w+))")
_COMPACT = re.compile(r"[^\W\d_][0-9]*")
_MOST_FACTORS = 20
_TERM = re.compile(r"\s*([-+−]?)\s*([^-+−]+)")


def sized(name: Name, taken: Collection[str], sizes: Collection[str]) -> Syntax | None:
    """The matrix that a word means; None for a word that is a name of its own.

    ``taken`` are names that are declared, ``sizes`` those of sizes. In m·n the sign between
    names of one letter may be left out.
    """
    match = _SIZED.fullmatch(name.name)
    if match is None or name.name in taken:
        return None
    letter, braced, plain = match.groups()
    if letter in taken:
        if braced is None:
            return None
        raise Fault(f"'{letter}' is a variable here", name.start, name.stop)
    if braced is not None:
        parts = [_size(part, name, sizes) for part in braced.split(",")]
    elif letter == "I":
        parts = [_product(plain, name, sizes)]
    else:
        parts = [Name(name.start, name.stop, size) for size in _COMPACT.findall(plain)]
        if "".join(_COMPACT.findall(plain)) != plain:
            return None
    if len(parts) != (1 if letter == "I" else 2) or None in parts:
        if braced is None:
            return None
        hint = "write I_{m+n}, K_{m,n}, or eye(…), commutation(…, …)"
        raise Fault(f"'{name.name}' does not say its sizes", name.start, name.stop, hint)
    function = "eye" if letter == "I" else "commutation"
    return Call(name.start, name.stop, function, [part for part in parts if part is not None])


def _size(text: str, at: Name, sizes: Collection[str]) -> Syntax | None:
    """A sum of products of sizes."""
    terms: list[tuple[int, Syntax]] = []
    done = 0
    for match in _TERM.finditer(text):
        term = _product(match[2].strip(), at, sizes)
        if term is None or match.start() != done:
            return None
        terms.append((-1 if match[1] in ("-", "−") else 1, term))
        done = match.end()
    if not terms or done != len(text):
        return None
    if len(terms) == 1 and terms[0][0] == 1:
        return terms[0][1]
    return Addition(at.start, at.stop, terms, [(at.start, at.stop)] * len(terms))


def _product(text: str, at: Name, sizes: Collection[str]) -> Syntax | None:
    """A product of sizes: ``m·n``, ``mn``, ``2n``."""
    factors: list[Syntax] = []
    for part in re.split(r"[·*]", text):
        number = re.match(r"[0-9]*", part)
        assert number is not None
        if number[0]:
            factors.append(Literal(at.start, at.stop, int(number[0][:18])))
        rest = part[number.end() :].strip()
        if rest and not rest.isidentifier():
            return None
        letters = _COMPACT.findall(rest)
        split = len(letters) > 1 and "".join(letters) == rest and set(letters) <= set(sizes)
        if split and rest in sizes:
            message = f"'{rest}' has two readings: one size, or a product"
            hint = f"write eye({rest}), or eye({'*'.join(letters)})"
            raise Fault(message, at.start, at.stop, hint)
        names = letters if split else [rest]
        factors += [Name(at.start, at.stop, name) for name in names if name]
    if not 0 < len(factors) <= _MOST_FACTORS:
        return None
    product = factors[0]
    for factor in factors[1:]:
        product = Product(at.start, at.stop, "*", product, factor, (at.start, at.stop))
    return product

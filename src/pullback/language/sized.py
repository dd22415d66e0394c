"""I_m, K_mn, 0_{m,n}, x_1, e_1: what subscripts say of sizes and places, as it is printed."""

from __future__ import annotations

import re
from collections.abc import Collection

from pullback.language.faults import Fault
from pullback.language.syntax import Addition, Call, Index, Literal, Name, Product, Range, Syntax

_PLACED = re.compile(r"(\w+)_([0-9]+)")
_SIZED = re.compile(r"([IK0])_(?:\{([^{}]*)\}|(\w+))")
_MATRICES = {"I": "eye", "K": "commutation"}
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
    counts = {"I": (1,), "K": (2,), "0": (1, 2)}[letter]
    if len(parts) not in counts or None in parts:
        if braced is None:
            return None
        hint = "write I_{m+n}, K_{m,n}, or eye(…), commutation(…, …)"
        raise Fault(f"'{name.name}' does not say its sizes", name.start, name.stop, hint)
    arguments = [part for part in parts if part is not None]
    if letter == "0":
        arguments.insert(0, Literal(name.start, name.stop, 0))
    function = _MATRICES.get(letter) or ("vector" if len(parts) == 1 else "matrix")
    return Call(name.start, name.stop, function, arguments)


def placed(item: Syntax, values: Collection[str], sizes: Collection[str]) -> Index | None:
    """x_1 of a value x, and e_1 or e_{n-1}, a column of the identity; None for any other name.

    Only where names are declared is it known that x_1 is not itself one.
    """
    if isinstance(item, Index):
        unit = isinstance(item.operand, Name) and item.operand.name == "e" and "e" not in values
        return _unit(item, item.places[0]) if unit and len(item.places) == 1 else None
    if not isinstance(item, Name) or not values or item.name in values or item.name in sizes:
        return None
    match = _PLACED.fullmatch(item.name)
    if match is not None:
        at = Literal(item.start, item.stop, int(match[2][:18]))
        if match[1] in values:
            base = Name(item.start, item.stop, match[1])
            return Index(item.start, item.stop, base, [at], (item.start, item.stop))
        return _unit(item, at) if match[1] == "e" else None
    stem, _, size = item.name.partition("_")
    if stem == "e" and size in sizes and "e" not in values:
        return _unit(item, Name(item.start, item.stop, size))
    return None


def _unit(item: Syntax, place: Syntax) -> Index:
    """A column of the identity."""
    identity = Call(item.start, item.stop, "eye", [])
    every = Range(item.start, item.stop, None, None, None)
    return Index(item.start, item.stop, identity, [every, place], (item.start, item.stop))


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

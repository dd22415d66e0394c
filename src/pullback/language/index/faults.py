"""What is wrong with a character that formulas in indices do not have."""

from __future__ import annotations

from pullback.language.faults import Fault, unknown_character

_HINTS = {
    "ᵀ": "in indices a transpose swaps the letters: A_ji",
    "'": "in indices a transpose swaps the letters: A_ji",
    "⊙": "entry by entry is a product of entries: x_i y_i",
    "⊘": "entry by entry is a quotient of entries: x_i/y_i",
    "⊗": "an outer product has its letters: x_i y_j",
    "∑": "say over which letters: Σ_k",
    "Σ": "say over which letters: Σ_k",
    "_": "letters stand after a name, as in A_ij",
    "…": "the text was cut; the rest is needed to read it",
}


def unknown(plain: str, at: int) -> Fault:
    """The fault of a character that no token has."""
    if plain[at] in _HINTS:
        return Fault(f"'{plain[at]}' has no meaning here", at, at + 1, _HINTS[plain[at]])
    return unknown_character(plain, at)

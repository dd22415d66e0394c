r"""Names as LaTeX writes them: ``\\hat{y}_1``, ``\\boldsymbol{\\beta}``, ``W_{\\text{out}}``."""

from __future__ import annotations

import re
from collections.abc import Collection

GREEK = (
    "alpha|beta|gamma|delta|varepsilon|epsilon|zeta|eta|vartheta|theta|iota|kappa|lambda|mu|nu|xi|"
    "varrho|rho|sigma|tau|upsilon|varphi|phi|chi|psi|omega|"
    "Gamma|Delta|Theta|Lambda|Xi|Pi|Sigma|Upsilon|Phi|Psi|Omega|ell"
)
LETTERS = dict(
    zip(
        [
            "alpha",
            "beta",
            "gamma",
            "delta",
            "epsilon",
            "zeta",
            "eta",
            "theta",
            "iota",
            "kappa",
            "lambda",
            "mu",
            "nu",
            "xi",
            "rho",
            "sigma",
            "tau",
            "upsilon",
            "phi",
            "chi",
            "psi",
            "omega",
            "Gamma",
            "Delta",
            "Theta",
            "Lambda",
            "Xi",
            "Pi",
            "Sigma",
            "Phi",
            "Psi",
            "Omega",
        ],
        "αβγδεζηθικλμνξρστυφχψωΓΔΘΛΞΠΣΦΨΩ",
        strict=True,
    )
)
_STYLES = r"\\(?:mathbf|boldsymbol|bm|mathcal|vec|mathit|mathsf|pmb|bf)"
_ACCENTS = r"\\(?:hat|bar|tilde|dot|widehat|overline|widetilde)"
_LETTER = rf"(?:[A-Za-z\u0370-\u03ff]|\\(?:{GREEK})(?![A-Za-z]))"
_PLAIN = rf"(?:{_LETTER}|{_STYLES}\s*(?:\{{\s*{_LETTER}\s*\}}|{_LETTER}))"
ACCENTED = rf"(?:{_ACCENTS}\s*(?:\{{\s*{_PLAIN}\s*\}}|{_PLAIN})|{_PLAIN})"
_WORD = r"\\(?:mathrm|text|textrm|mathit|operatorname)\s*\{\s*[A-Za-z]\w*\s*\}"
_MARK = (
    rf"(?:[0-9A-Za-z]|\\(?:{GREEK})(?![A-Za-z])|\{{\s*(?:\w+|{_WORD}|\\(?:{GREEK}))\s*\}}|{_WORD})"
)
NAMES = rf"(?:{_WORD}|{ACCENTED})(?:\s*_\s*{_MARK})?"


def name_in(token: str, known: Collection[str]) -> str:
    """The name that a token writes: ``\\lambda`` is lambda, ``\\hat{y}_1`` is y_1_hat.

    A Greek letter keeps the spelling in which it is declared.
    """
    accents = [{"widehat": "hat", "overline": "bar", "widetilde": "tilde"}.get(a, a)
               for a in re.findall(r"\\(hat|bar|tilde|dot|widehat|overline|widetilde)", token)]  # fmt: skip
    token = re.sub(r"\\var(?=[a-z])", r"\\", token)
    bare = re.sub(rf"{_ACCENTS}|{_STYLES}|\\(?:mathrm|text|textrm|operatorname)", " ", token)
    base, _, mark = re.sub(r"[{}\s\\]", "", bare).partition("_")
    spelled = "_".join([base, *([mark] if mark else []), *accents])
    letter = "_".join([LETTERS.get(base, base), *([mark] if mark else []), *accents])
    return letter if letter in known and spelled not in known else spelled

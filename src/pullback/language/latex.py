r"""What LaTeX says beside the formula is blanked, and what looks alike is told apart.

Spaces, sizes of brackets, alignment and comments become blanks, operators become the sign they
show, and bars become brackets that open or close. Every character keeps its place.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from pullback.language.calls import FUNCTION_NAMES
from pullback.language.faults import Fault, unknown_character
from pullback.language.printed import CLOSE, OPEN, paired

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
TOP = (
    r"\\top(?![A-Za-z])|\\intercal(?![A-Za-z])|T|\\(?:mathsf|mathrm|mathtt|rm)\s*(?:\{\s*T\s*\}|T)"
)
_WORDS = r"\\(?:operatorname\*?|mathrm|text|textrm|mathop|mathsf)\s*\{\s*(?:%s)\s*\}"
_COMMANDS = r"\\(?:%s)(?![A-Za-z])"
# functions under the names that LaTeX has for them
COMMANDS = {
    "log": "log", "ln": "log", "exp": "exp", "sin": "sin", "cos": "cos", "tan": "tan",
    "sinh": "sinh", "cosh": "cosh", "tanh": "tanh", "arcsin": "asin", "arccos": "acos",
    "arctan": "atan", "det": "det", "tr": "tr", "Tr": "tr", "trace": "tr", "diag": "diag",
    "max": "maximum", "min": "minimum", "erf": "erf", "softmax": "softmax",
}  # fmt: skip
OTHER_WORDS = {"Tr": "tr", "trace": "tr", "Trace": "tr", "Diag": "diag", "ReLU": "relu",
               "sgn": "sign", "ln": "log", "LSE": "logsumexp", "lse": "logsumexp",
               "max": "maximum", "min": "minimum"}  # fmt: skip
_STYLES = r"\\(?:mathbf|boldsymbol|bm|mathcal|vec|mathit|mathsf|mathbb|pmb)"
_ACCENTS = r"\\(?:hat|bar|tilde|dot|widehat|overline|widetilde)"
_LETTER = rf"(?:[A-Za-z\u0370-\u03ff]|\\(?:{GREEK})(?![A-Za-z]))"
_PLAIN = rf"(?:{_LETTER}|{_STYLES}\s*(?:\{{\s*{_LETTER}\s*\}}|{_LETTER}))"
_ACCENTED = rf"(?:{_ACCENTS}\s*(?:\{{\s*{_PLAIN}\s*\}}|{_PLAIN})|{_PLAIN})"
_WORD = r"\\(?:mathrm|text|textrm|mathit|operatorname)\s*\{\s*[A-Za-z]\w*\s*\}"
_MARK = (
    rf"(?:[0-9A-Za-z]|\\(?:{GREEK})(?![A-Za-z])|\{{\s*(?:\w+|{_WORD}|\\(?:{GREEK}))\s*\}}|{_WORD})"
)
NAMES = rf"(?:{_WORD}|{_ACCENTED})(?:\s*_\s*{_MARK})?"

_BLANK = re.compile(
    r"(?<!\\)%[^\n]*|\\(?:left|right|[bB]igg?[lrm]?)(?![A-Za-z])\.?|\\(?:,|;|:|!|>| )|\\q?quad(?![A-Za-z])|"
    r"\\(?:displaystyle|textstyle|limits|nolimits|nonumber|notag)(?![A-Za-z])|[&~$]|\\[\[\]()]|"
    r"\\(?:begin|end)\s*\{(?:aligned|align|align\*|equation|equation\*|gathered|split)\}"
)
_SIGNS = {
    r"\cdot": "·", r"\odot": "⊙", r"\circ": "⊙", r"\oslash": "⊘", r"\otimes": "⊗",
    r"\le": "≤", r"\leq": "≤", r"\ge": "≥", r"\geq": "≥", r"\ne": "≠", r"\neq": "≠",
    r"\lt": "<", r"\gt": ">", r"\lVert": OPEN, r"\rVert": CLOSE, r"\lvert": "\ue002", r"\rvert": "\ue003",
    r"\langle": "⟨", r"\rangle": "⟩", r"\Vert": "‖", r"\|": "‖", r"\vert": "|",
    r"\{": "(", r"\}": ")", r"\lbrace": "(", r"\rbrace": ")",
}  # fmt: skip
_SIGN = re.compile(r"\\(?:[A-Za-z]+|[|{}])")
_SIDED = re.compile(r"\\(left|right|[bB]igg?[lr])\s*(\\\||\\[lr]?[vV]ert(?![A-Za-z])|\|)")
_DEFINED = re.compile(r"(^|[\n;])([^\S\n]*(?:[A-Za-z]|\\[A-Za-z]+))(\s*\([^()=\n]*\)\s*)(?==)")
_HINTS = {
    "sum": "sums over an index are not read: write a product such as \\mathbf{1}^\\top x, or "
    "\\operatorname{sum}(x)",
    "prod": "products over an index are not read",
    "int": "integrals are not read",
    "lim": "limits are not read",
    "partial": "state the function; its derivative is what is asked for",
    "nabla": "state the function; its derivative is what is asked for",
    "begin": "matrices are not written out; name them",
    "mathbb": "of \\mathbb only \\mathbb{1} is read, the vector of ones",
    "times": "write \\cdot or \\odot",
    "ast": "write \\cdot or \\odot",
    "arg": "state the function alone",
    "Sigma": "a sum over an index is not read",
}


def function_pattern(known: Collection[str]) -> str:
    """The functions as LaTeX writes them; σ is one in front of a parenthesis, unless declared."""
    words = {*FUNCTION_NAMES, *OTHER_WORDS}
    ascii_words = sorted((w for w in words if w.isascii()), key=lambda w: (-len(w), w))
    escaped = [w.replace("_", r"\\?_") for w in ascii_words if w not in known]
    parts = [_WORDS % "|".join(escaped), _COMMANDS % "|".join(sorted(COMMANDS, reverse=True))]
    if not {"sigma", "σ"} & set(known):
        parts.append(r"(?:\\sigma(?![A-Za-z])|σ)(?=[ \t]*\()")
    return "|".join(parts)


def function_of(token: str) -> str:
    """The function that a token names."""
    word = re.sub(
        r"^\\(?:operatorname\*?|mathrm|text|textrm|mathop|mathsf)\s*\{|[{}\\\s]", "", token
    )
    if token.startswith("\\") and "{" not in token and word in COMMANDS:
        return COMMANDS[word]
    if word in ("sigma", "σ"):
        return "sigmoid"
    return OTHER_WORDS.get(word, word)


def name_in(token: str, known: Collection[str]) -> str:
    """The name that a token writes: ``\\lambda`` is lambda, ``\\hat{y}_1`` is y_1_hat.

    A Greek letter keeps the spelling in which it is declared.
    """
    accents = [{"widehat": "hat", "overline": "bar", "widetilde": "tilde"}.get(a, a)
               for a in re.findall(r"\\(hat|bar|tilde|dot|widehat|overline|widetilde)", token)]  # fmt: skip
    bare = re.sub(rf"{_ACCENTS}|{_STYLES}|\\(?:mathrm|text|textrm|operatorname)", " ", token)
    base, _, mark = re.sub(r"[{}\s\\]", "", bare).partition("_")
    base = base.removeprefix("var")
    spelled = "_".join([base, *([mark] if mark else []), *accents])
    letter = "_".join([LETTERS.get(base, base), *([mark] if mark else []), *accents])
    return letter if letter in known and spelled not in known else spelled


def plain_of(text: str, known: Collection[str]) -> str:
    """The text as the grammar reads it, of the same length."""
    plain = _SIDED.sub(_sided, text)
    plain = _DEFINED.sub(lambda m: m[1] + m[2] + " " * len(m[3]), plain)
    plain = re.sub(r"\\\\(?:\[[^\]\n]{0,30}\])?", lambda m: ";" + " " * (len(m[0]) - 1), plain)
    plain = _BLANK.sub(lambda m: " " * len(m[0]), plain)
    plain = _SIGN.sub(lambda m: _SIGNS.get(m[0], m[0]).ljust(len(m[0])), plain)
    plain = plain.replace("∘", "⊙")
    _refuse_two_readings(plain, known)
    plain = _joined(plain)
    return paired(paired(plain), "|", "\ue002", "\ue003")


def _sided(match: re.Match[str]) -> str:
    single = match[2] == "|" or "vert" in match[2]
    opens = match[1] in ("left", "bigl", "Bigl", "biggl", "Biggl")
    sign = ("\ue002" if opens else "\ue003") if single else (OPEN if opens else CLOSE)
    return sign.rjust(len(match[0]))


def _joined(plain: str) -> str:
    """Line breaks inside brackets as spaces; brackets have to match."""
    pairs = {")": "(", "}": "{", "]": "["}
    opened: list[int] = []
    parts = list(plain)
    for i, character in enumerate(plain):
        if character in "({[":
            opened.append(i)
            if len(opened) > 200:
                hint = "name a part of the expression on a line of its own"
                raise Fault("more than 200 brackets inside each other", i, i + 1, hint)
        elif character in pairs:
            if not opened or plain[opened[-1]] != pairs[character]:
                raise Fault(f"this {character} closes nothing", i, i + 1)
            opened.pop()
        elif character in "\n;" and opened:
            parts[i] = " "
    if opened:
        raise Fault(f"this {plain[opened[-1]]} is never closed", opened[-1], opened[-1] + 1)
    return "".join(parts)


def _refuse_two_readings(plain: str, known: Collection[str]) -> None:
    for match in re.finditer(r"\\mathrm\s*\{e\}\s*\^|\\[A-Za-z]+|e\s*\^", plain):
        if match[0].endswith("^") and "e" not in known:
            hint = r"write \exp(…), or declare e"
            raise Fault("e may be Euler's number or a variable", *match.span(), hint)
    lines = re.findall(r"(?:^|[\n;])[^\S\n]*([A-Za-z])\s*=", plain)
    for match in re.finditer(r"\\[A-Za-z]+|[fgh](?=\()", plain):
        if len(match[0]) == 1 and match[0] not in known and match[0] not in lines:
            hint = f"declare {match[0]}, or write {match[0]} \\cdot (…)"
            raise Fault(f"{match[0]}(…) may be a function or a product", *match.span(), hint)
    index = re.search(r"\^\s*\{\s*\(\s*\w\s*\)\s*\}", plain)
    if index:
        hint = "write the mark below, as in x_1, or the power without parentheses"
        raise Fault("this may be a mark or a power", *index.span(), hint)
    based = re.search(r"\\log\s*_", plain)
    if based:
        raise Fault("logarithms are natural here", *based.span(), r"write \log x / \log 2")
    star = re.search(r"(?<!_)\*|_\s*\{\s*(?!\*)[^{}]*\*", plain)
    if star and not re.search(r"_\s*\{?\s*$", plain[: star.start()]):
        hint = r"write \cdot, \odot, or factors side by side"
        raise Fault("* has no settled meaning in LaTeX", *star.span(), hint)


def unknown(plain: str, at: int) -> Fault:
    """The fault of a command that has no meaning here."""
    command = re.compile(r"\\[A-Za-z]+").match(plain, at)
    if command is None:
        return unknown_character(plain, at)
    hint = _HINTS.get(command[0][1:], "functions are \\operatorname{name}, names \\mathrm{name}")
    return Fault(f"'{command[0]}' has no meaning here", *command.span(), hint)

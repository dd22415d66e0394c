r"""What LaTeX says beside the formula is blanked, and what looks alike is told apart.

Spaces, sizes of brackets, alignment and comments become blanks, operators become the sign they
show, and bars become brackets that open or close. Every character keeps its place.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from pullback.language.brackets import OPENS_PLACES
from pullback.language.calls import FUNCTION_NAMES, similar
from pullback.language.faults import Fault, unknown_character
from pullback.language.latex_matrices import (
    CLOSES_BLOCK,
    OPENS_BLOCK,
    OPENS_DETERMINANT,
    blocks,
    places,
)
from pullback.language.printed import CLOSE, OPEN, paired

TOP = (
    r"\\top(?![A-Za-z])|\\intercal(?![A-Za-z])|T|\\(?:mathsf|mathrm|mathtt|rm)\s*(?:\{\s*T\s*\}|T)"
)
_FACES = "operatorname|mathrm|text|textrm|mathop|mathsf|mbox|mathbf|textbf|rm|bf"
_WORDS = (  # \\operatorname{tr}, \\mathop{\\mathrm{tr}}, {\\rm tr}
    rf"(?:\\(?:{_FACES})\*?\s*\{{\s*(?:%s)\s*\}}"
    rf"|\\(?:{_FACES})\s*\{{\s*\\(?:{_FACES})\s*(?:\{{\s*(?:%s)\s*\}}|(?:%s))\s*\}}"
    rf"|\{{\s*\\(?:rm|bf)\s+(?:%s)\s*\}})"
)
EULER = "ℯ"
# \lambda_{\max}(A), in front of its argument: alone it is a name
_EXTREME = (
    rf"\\%s\s*_\s*(?:\\|\{{\s*(?:\\(?:{_FACES})\s*\{{|\\)?\s*)%s(?:\s*\}}){{0,2}}(?=\s*[(\[])"
)
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
    r"\times": "×", r"\colon": ":", r"\{": "(", r"\}": ")", r"\lbrace": "(", r"\rbrace": ")",
}  # fmt: skip
_SIGN = re.compile(r"\\(?:[A-Za-z]+|[|{}])")
_SIDED = re.compile(r"\\(left|right|[bB]igg?[lr])\s*(\\\||\\[lr]?[vV]ert(?![A-Za-z])|\|)")
DEFINED = re.compile(
    r"(^|[\n;])([^\S\n]*(?:[A-Za-z]|\\[A-Za-z]+(?:\s*\{\s*[A-Za-z]+\s*\})?))(\s*\([^()=\n]*\)\s*)(?==)"
)
_PLACE_OF_LEAST = re.compile(r"\\(?:arg\s*)?\\?(?:min|max|sup|inf)(?:imize)?\s*_")
_UPRIGHT_E = re.compile(r"\\(?:mathrm|rm|text)\s*(?:\{\s*e\s*\}|e(?![A-Za-z]))(?=\s*\^)")
_LONE_E = re.compile(
    r"\\(?:mathrm|text\w*|operatorname\*?|mathit)\s*\{[^{}]*\}|\\[A-Za-z]+|_\s*(?:\{[^{}]*\}|\w)|e"
)
HINTS = {
    "sum": "sums over an index are not read: write a product such as \\mathbf{1}^\\top x, or "
    "\\operatorname{sum}(x)",
    "prod": "products over an index are not read",
    "int": "integrals are not read",
    "lim": "limits are not read",
    "partial": "state the function; its derivative is what is asked for",
    "nabla": "state the function; its derivative is what is asked for",
    "begin": "of matrices bmatrix, pmatrix, matrix, array and vmatrix are read",
    "mathbb": "of \\mathbb only \\mathbb{1} is read, the vector of ones, and x \\in \\mathbb{R}^n",
    "dagger": "A^\\dagger is the pseudo-inverse, A^\\top the transpose",
    "dots": "write the matrix with names of its blocks",
    "ast": "write \\cdot or \\odot",
    "arg": "state the function alone",
    "Sigma": "a sum over an index is not read",
}


# names of functions in front of a parenthesis
_CALLED = re.compile(
    r"\\(?:(?:var)?phi|psi|Gamma)(?=\s*\()|\\(?:kappa|rho)(?=\s*\(\s*[A-Za-z]\s*\))"
)
_D = r"(?:\\mathrm\s*\{\s*d\s*\}|d)"
_NEVER = (  # a pattern, a name that makes it something else, what it is, what to do
    (
        re.compile(rf"\\[td]?frac\s*\{{\s*{_D}(?:\s*[A-Za-z])?\s*\}}\s*\{{\s*{_D}\s*[A-Za-z\\]"),
        "d",
        "this is a derivative",
        "state the function; its derivative is what is asked for",
    ),
    (
        re.compile(r"\^\s*(?:H(?![A-Za-z])|\{\s*H\s*\})"),
        "H",
        "this is a conjugate transpose or a power",
        r"numbers are real here: write ^\top, or declare H",
    ),
)
_UNKNOWN = (
    r"\\operatorname\*?\s*\{\s*([A-Za-z]\w*)\s*\}|_\s*\{\s*(\\text\w*)"
    r"|\\(?:mathrm|text|textrm|mbox|mathsf)\s*\{\s*([A-Za-z]\w+)\s*\}(?=\s*[(\[{])"
)


def function_pattern(known: Collection[str]) -> str:
    """The functions as LaTeX writes them; σ is one in front of a parenthesis, unless declared."""
    words = {*FUNCTION_NAMES, *OTHER_WORDS}
    ascii_words = sorted((w for w in words if w.isascii()), key=lambda w: (-len(w), w))
    escaped = [w.replace("_", r"\\?_") for w in ascii_words if w not in known]
    parts = [
        _WORDS % (("|".join(escaped),) * 4),
        _COMMANDS % "|".join(sorted(COMMANDS, reverse=True)),
    ]
    extremes = ("lambda_max", "lambda_min", "sigma_max")
    parts += [_EXTREME % tuple(w.split("_")) for w in extremes if w not in known]
    if not {"sigma", "σ"} & set(known):
        parts.append(r"(?:\\sigma(?![A-Za-z])|σ)(?=[ \t]*\()")
    return "|".join(parts)


def function_of(token: str) -> str:
    """The function that a token names."""
    word = re.sub(rf"\\(?:{_FACES})(?![A-Za-z])\*?|[{{}}\\\s]", "", token)
    if token.startswith("\\") and "{" not in token and word in COMMANDS:
        return COMMANDS[word]
    if word in ("sigma", "σ"):
        return "sigmoid"
    return OTHER_WORDS.get(word, word)


def plain_of(text: str, known: Collection[str]) -> str:
    """The text as the grammar reads it, of the same length."""
    plain = places(blocks(text))
    plain = _SIDED.sub(_sided, plain)
    plain = DEFINED.sub(lambda m: m[1] + m[2] + " " * len(m[3]), plain)
    plain = re.sub(r"\\\\(?:\[[^\]\n]{0,30}\])?", lambda m: ";" + " " * (len(m[0]) - 1), plain)
    plain = _BLANK.sub(lambda m: " " * len(m[0]), plain)
    plain = _with_euler(plain, known)
    _refuse_two_readings(plain, known)
    plain = _SIGN.sub(lambda m: _SIGNS.get(m[0], m[0]).ljust(len(m[0])), plain)
    plain = plain.replace("∘", "⊙")
    plain = _joined(plain)
    return paired(paired(plain), "|", "\ue002", "\ue003")


def _with_euler(plain: str, known: Collection[str]) -> str:
    """Powers of e as such, where e is upright or stands nowhere else: it is no variable then."""
    plain = _UPRIGHT_E.sub(lambda m: EULER.rjust(len(m[0])), plain)
    if "e" in known:
        return plain
    lone = [m for m in _LONE_E.finditer(plain) if m[0] == "e"]
    powers = [
        m for m in lone if re.match(rf"\s*\^(?!\s*\{{?\s*(?:{TOP}))", plain[m.end() : m.end() + 40])
    ]
    if powers and len(powers) < len(lone):
        hint = r"write \exp(…), or declare e"
        raise Fault("e may be Euler's number or a variable", *powers[0].span(), hint)
    parts = list(plain)
    for match in powers:
        parts[match.start()] = EULER
    return "".join(parts)


def _sided(match: re.Match[str]) -> str:
    single = match[2] == "|" or "vert" in match[2]
    opens = match[1] in ("left", "bigl", "Bigl", "biggl", "Biggl")
    sign = ("\ue002" if opens else "\ue003") if single else (OPEN if opens else CLOSE)
    return sign.rjust(len(match[0]))


def _joined(plain: str) -> str:
    """Line breaks inside brackets as spaces; brackets have to match."""
    pairs = {
        ")": "(",
        "}": "{" + OPENS_PLACES,
        "]": "[",
        CLOSES_BLOCK: OPENS_BLOCK + OPENS_DETERMINANT,
    }
    opens = "".join(pairs.values())
    opened: list[int] = []
    parts = list(plain)
    for i, character in enumerate(plain):
        if character in opens:
            opened.append(i)
            if len(opened) > 200:
                hint = "name a part of the expression on a line of its own"
                raise Fault("more than 200 brackets inside each other", i, i + 1, hint)
        elif character in pairs:
            if not opened or plain[opened[-1]] not in pairs[character]:
                raise Fault(f"this {character} closes nothing", i, i + 1)
            opened.pop()
        elif character in "\n;" and opened:
            parts[i] = " "
    if opened:
        raise Fault(f"this {plain[opened[-1]]} is never closed", opened[-1], opened[-1] + 1)
    return "".join(parts)


def _refuse_two_readings(plain: str, known: Collection[str]) -> None:
    for match in _PLACE_OF_LEAST.finditer(plain):
        raise Fault(
            "a least or largest value is not read", *match.span(), "state the function alone"
        )
    for match in re.finditer(_UNKNOWN, plain):
        if match[1] is not None or match[3] is not None:
            word = match[1] or match[3]
            if word not in {*known, *FUNCTION_NAMES, *OTHER_WORDS}:
                hint = similar(word, FUNCTION_NAMES)
                raise Fault(f"unknown function '{word}'", *match.span(), hint)
    lines = re.findall(r"(?:^|[\n;])[^\S\n]*([A-Za-z])\s*=", plain)
    for match in re.finditer(r"\\[A-Za-z]+|[fgh]'*(?=\()", plain):
        called = match[0].rstrip("'")
        if len(called) == 1 and (called != match[0] or called not in {*known, *lines}):
            hint = f"declare {match[0]}, or write {match[0]} \\cdot (…)"
            raise Fault(f"{match[0]}(…) may be a function or a product", *match.span(), hint)
    for match in _CALLED.finditer(plain):
        if match[0][1:].removeprefix("var") not in known:
            hint = f"declare it, or write {match[0]} \\cdot (…)"
            raise Fault(f"{match[0]}(…) may be a function or a product", *match.span(), hint)
    refuse_derivatives(plain, known)
    index = re.search(r"\^\s*\{\s*(?:\(\s*\w+\s*\)|\[\s*\w+\s*\])\s*\}", plain)
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


def refuse_derivatives(plain: str, known: Collection[str]) -> None:
    """Faults at what looks like a product or a power and is none."""
    for pattern, name, message, hint in _NEVER:
        found = pattern.search(plain)
        if found and name not in known:
            raise Fault(message, *found.span(), hint)


def unknown(plain: str, at: int) -> Fault:
    """The fault of a command that has no meaning here."""
    command = re.compile(r"\\[A-Za-z]+").match(plain, at)
    if command is None and plain[at] == "_":
        hint = r"a mark is one letter, number or word: x_1, x_{\text{new}}; places are x_{1:k}"
        return Fault("this mark below is not read", at, at + 1, hint)
    raised = re.compile(r"\^\s*\{?\s*(\\[A-Za-z]+)").match(plain, at)
    if raised is not None:
        return Fault(
            f"'{raised[1]}' has no meaning here", *raised.span(1), HINTS.get(raised[1][1:], "")
        )
    if command is None:
        return unknown_character(plain, at)
    hint = HINTS.get(command[0][1:], "functions are \\operatorname{name}, names \\mathrm{name}")
    return Fault(f"'{command[0]}' has no meaning here", *command.span(), hint)

"""LaTeX formulas rewritten as Unicode text, so that the same reader gives their value."""

import re
from dataclasses import replace

from notation_reader import SIZED

from pullback.notation.styles import LATEX

SIZED_LATEX = replace(
    LATEX,
    **{
        f: getattr(SIZED, f)
        for f in ("ones", "identity", "sized_identity", "commutation", "unit", "zero")
    },
)
RAISED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
PLAIN = {
    r"\begin{bmatrix} ": "[",
    r" \end{bmatrix}": "]",
    r" \\ ": "; ",
    " & ": ", ",
    r"\left": "",
    r"\right": "",
    r"\odot": "⊙",
    r"\oslash": "⊘",
    r"\otimes": "⊗",
    r"\lVert": "‖",
    r"\rVert_F": "‖",
    r"\rVert": "‖",
    r"\sigma": "σ",
    r"\,": " ",
    r"\log\det": "logdet",
}


def braced(text, at):
    """The group that opens at ``at``, and where it ends."""
    assert text[at] == "{", text[at:]
    depth, end = 1, at + 1
    while depth:
        depth += {"{": 1, "}": -1}.get(text[end], 0)
        end += 1
    return text[at + 1 : end - 1], end


def plain(text):
    for command, count in ((r"\frac", 2), (r"\sqrt", 1), ("^", 1)):
        at = text.find(command + "{")
        while at >= 0:
            groups, end = [], at + len(command)
            for _ in range(count):
                group, end = braced(text, end)
                groups.append(group)
            text = text[:at] + _rewritten(command, groups) + text[end:]
            at = text.find(command + "{")
    text = re.sub(r"_\{\\mathrm\{(rows|columns)\}\}", r"\1", text)
    text = text.replace(r"\_", "_")
    text = re.sub(r"\\operatorname\{(\w+)\}", r"\1", text).replace(r"^\top", "ᵀ")
    for command, character in PLAIN.items():
        text = text.replace(command, character)
    text = re.sub(r"\\(\w+)", r"\1", text).replace("-", "−")
    return re.sub(r"‖ *(.*?) *‖", r"‖\1‖", text).replace("^(−", "^(-")


def _rewritten(command, groups):
    if command == r"\frac":
        return f"(({groups[0]})/({groups[1]}))"
    if command == r"\sqrt":
        return f"sqrt({groups[0]})"
    (exponent,) = groups
    if exponent == r"-\top":
        return "⁻ᵀ"
    if exponent.startswith(r"\odot "):
        return "^⊙" + exponent.removeprefix(r"\odot ")
    return exponent.translate(RAISED) if re.fullmatch(r"-?\d+", exponent) else f"^({exponent})"

"""Running text in LaTeX and Markdown, where some characters are markup."""

from __future__ import annotations

from html import escape

from pullback.notation.names import GREEK

_LATEX = {
    **{letter: rf"$\{name}$" for name, letter in GREEK.items()},
    "𝟏": r"$\mathbf{1}$",
    "⊗": r"$\otimes$",
    "…": r"\dots{}",
    "₁": "$_1$",
    "\\": r"\textbackslash{}",
    "∂": r"$\partial$",
    "σ": r"$\sigma$",
    "Σ": r"$\Sigma$",
    "α": r"$\alpha$",
    "ᵀ": r"$^\top$",
    "·": r"$\cdot$",
    "×": r"$\times$",
    "−": "$-$",
    "⊙": r"$\odot$",
    "⊘": r"$\oslash$",
    "′": "$'$",
    "δ": r"$\delta$",
    "ᵢ": "$_i$",
    "ᵃ": "$^a$",
    "ᵇ": "$^b$",
    "⁺": "$^+$",
    "²": "$^2$",
    "ˣ": "$^x$",
    "–": "--",
    "√": r"$\surd$",
    "‖": r"$\Vert$",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    **{c: "\\" + c for c in "#$%&_{}"},
}


def latex_text(text: str) -> str:
    r"""Plain text as LaTeX sets it in running text.

    >>> latex_text("50% of a_b")
    '50\\% of a\\_b'
    """
    return "".join(_LATEX.get(c, c) for c in text)


def markdown_text(text: str) -> str:
    """Running text in which nothing is markup: Markdown passes HTML through."""
    for character in "\\`*_[]|#":
        text = text.replace(character, "\\" + character)
    return escape(text, quote=False)

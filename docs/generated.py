"""What the guide does not say itself: pictures, typeset formulas and the table of functions.

A block ``{pullback}`` holds Python. Its last line is an expression, and the page shows its value
as a notebook would: a picture, a formula as MathML or a description as HTML. Names stay for the
blocks below. ``<!-- functions -->`` on a page becomes the table of the catalogue.
"""

from __future__ import annotations

import ast
from contextlib import chdir
from pathlib import Path
from typing import Any

from docutils import nodes
from function_table import table
from pygments.lexer import RegexLexer, bygroups, using
from pygments.lexers.shell import BashLexer
from pygments.token import Generic
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import pullback as pb

ROOT = Path(__file__).parent.parent


def evaluated(source: str, names: dict[str, Any]) -> Any:
    """The value of the last line, the lines above it having been run in ``names``."""
    *lines, last = ast.parse(source).body
    assert isinstance(last, ast.Expr), source
    with chdir(ROOT):
        exec(compile(ast.Module(lines, []), "<page>", "exec"), names)
        return eval(compile(ast.Expression(last.value), "<page>", "eval"), names)


def displayed(value: Any) -> str:
    """The HTML of a value, which needs nothing from elsewhere."""
    if hasattr(value, "svg"):
        return value.svg()
    if hasattr(value, "mathml"):
        return value.mathml()
    return value._repr_html_()


class Shown(SphinxDirective):
    """The value of a few lines of Python, its caption, and on demand the lines themselves."""

    has_content = True
    optional_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        self.env.note_reread()  # what is shown depends on the program too
        names = self.env.temp_data.setdefault("names of the page", {"pb": pb})
        source = "\n".join(self.content)
        shown = displayed(evaluated(source, names))
        code = nodes.literal_block(source, source, language="python")
        parts: list[nodes.Node] = [raw(f'<figure class="shown">{shown}')]
        if self.arguments:
            caption = nodes.paragraph()
            caption += self.state.inline_text(self.arguments[0], self.lineno)[0]
            parts += [raw("<figcaption>"), caption, raw("</figcaption>")]
        parts += [raw("<details><summary>made by</summary>"), code, raw("</details></figure>")]
        return parts


class Console(RegexLexer):
    """Commands behind ``$``; all else is output, also lines of code that begin with ``#``."""

    tokens = {  # noqa: RUF012  # as Pygments has it
        "root": [
            (r"^(\$ )(.*\n)", bygroups(Generic.Prompt, using(BashLexer))),
            (r".*\n", Generic.Output),
        ]
    }


def raw(html: str) -> nodes.raw:
    return nodes.raw("", html, format="html")


def with_table(app: Sphinx, page: str, source: list[str]) -> None:
    del app, page
    if "<!-- functions -->" in source[0]:
        source[0] = source[0].replace("<!-- functions -->", table())


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("pullback", Shown)
    app.add_lexer("console", Console)
    app.connect("source-read", with_table)
    return {"parallel_read_safe": True}

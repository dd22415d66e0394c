"""The derivation of a program as an explanation: as data, and in words for every medium."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property, partial
from typing import Any, Literal

from pullback.derivation.derive import derive_each
from pullback.derivation.structure import Convention
from pullback.errors import PullbackError
from pullback.explanation import documents, outcome, terminal
from pullback.explanation.reading import Reader
from pullback.explanation.steps import (
    BackwardStep,
    ForwardStep,
    LayerRow,
    Lazy,
    Result,
    RewriteStep,
    plain,
)
from pullback.explanation.ways import Ways
from pullback.expressions.program import Program
from pullback.notation.write import Form

SCHEMA_VERSION = 1
Detail = Literal["outline", "normal", "full"]


class Explanation:
    """Every step from a program to its derivatives; each part is made when it is asked for.

    ``forward``, ``backward``, ``results``, ``layers`` and ``rewrites`` are the parts as frozen
    data, ``steps`` all of them as dictionaries.
    """

    def __init__(self, reader: Reader, forms: tuple[Form, ...] = ("matrix",)) -> None:
        self.reader = reader
        self.forms = forms

    @property
    def program(self) -> Program:
        return self.reader.program

    @property
    def forward(self) -> Sequence[ForwardStep]:
        return self.reader.forward

    @property
    def backward(self) -> Sequence[BackwardStep]:
        return self.reader.backward

    @cached_property
    def results(self) -> Sequence[Result]:
        return outcome.results(self.reader, self.forms)

    @cached_property
    def layers(self) -> Sequence[LayerRow]:
        return outcome.layers(self.reader)

    @cached_property
    def rewrites(self) -> Sequence[RewriteStep]:
        return outcome.rewrites(self.reader)

    @cached_property
    def ways(self) -> Sequence[Ways]:
        """For each result its three ways: entry by entry, flattened, and as matrices.

        As data by ``.to_dict()`` of each; they are no part of :meth:`json`, since each walks the
        whole way to its variable.
        """
        return Lazy([partial(Ways, self.reader, node) for node in self.reader.targets])

    @property
    def steps(self) -> list[dict[str, Any]]:
        """The steps in order, each a dictionary whose ``part`` says where it belongs."""
        parts: list[tuple[str, Sequence[Any]]] = [
            ("forward", self.forward),
            ("backward", self.backward),
            ("result", self.results),
        ]
        return [{"part": part, **plain(step)} for part, steps in parts for step in steps]

    def text(self, detail: Detail = "normal", width: int = 100) -> str:
        """Plain text, aligned, at most ``width`` columns wide where a formula allows."""
        return terminal.text(self, _checked(detail), width)

    def markdown(self, detail: Detail = "normal") -> str:
        """Markdown with formulas between dollar signs."""
        return documents.markdown(self, _checked(detail))

    def latex(self, detail: Detail = "normal", *, standalone: bool = False) -> str:
        """LaTeX for amsmath; ``standalone`` makes it a document of its own."""
        return documents.latex(self, _checked(detail), standalone)

    def html(self, detail: Detail = "normal") -> str:
        """One page of HTML that needs nothing else."""
        return documents.html(self, _checked(detail))

    def json(self) -> str:
        """All steps as JSON; ``schema_version`` changes when a field changes its meaning."""
        return json.dumps(
            {
                "schema_version": SCHEMA_VERSION,
                "result": plain(self.reader.words.result),
                "assumed": list(self.program.assumed),
                "forward": plain(self.forward),
                "backward": plain(self.backward),
                "results": plain(self.results),
                "layers": plain(self.layers),
                "rewrites": plain(self.rewrites),
            },
            ensure_ascii=False,
            indent=1,
        )

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        title = self.reader.words.result.text
        names = ", ".join(self.reader.targets.values())
        return f"<Explanation of the derivative of {title} by {names}>"

    def _repr_markdown_(self) -> str:
        return self.markdown()

    def _repr_html_(self) -> str:
        return documents.fragment(self, "normal")


def explain(
    program: Program,
    names: Sequence[str],
    forms: Sequence[Form] = ("matrix",),
    structured: Convention | None = None,
) -> Explanation:
    """The derivation of a program's result by variables or named lines, step by step.

    ``forms`` adds the entry-by-entry ("index") and flattened ("vec") forms of the results. The
    steps are those by independent entries; with a convention for ``structured`` variables the
    result says what becomes of it.
    Raises PullbackError for a name the program has not, and where an operation on the way has
    no derivative.

    >>> from pullback.expressions import constructors as make
    >>> x = make.variable("x", ["n"])
    >>> program = Program(make.contract([(x, "i"), (x, "i")], ""), {"x": x}, result_name="L")
    >>> explain(program, ["x"]).results[0].gradient.equals[0].text
    '2 x'
    """
    if not names:
        raise PullbackError("name at least one variable to explain the derivative by")
    derivations = derive_each(program, list(dict.fromkeys(names)), structured)
    return Explanation(Reader(derivations), tuple(forms))


def _checked(detail: str) -> Detail:
    if detail not in ("outline", "normal", "full"):
        raise PullbackError(
            f"there is no level of detail '{detail}'", hint="it is outline, normal or full"
        )
    return detail  # type: ignore[return-value]  # it is one of the three

"""What a user states: a function as text, symbols or an earlier result, and a name in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pullback.derivation.derive import find
from pullback.derived import Derivative
from pullback.errors import PullbackError
from pullback.expressions.nodes import Variable
from pullback.expressions.program import Program
from pullback.language.parse import parse_program
from pullback.language.reading import Dialect
from pullback.language.tensor import Tensor

Stated = Tensor | Derivative | Program | str


def parse(
    text: str,
    shapes: Mapping[str, Sequence[int | str]] | None = None,
    assume: Mapping[str, str | Iterable[str]] | None = None,
    dialect: Dialect | None = None,
) -> Tensor:
    """A function from its text: one expression, or named lines of which the last is the result.

    ``shapes`` gives the sizes of names: ``("m", "n")`` a matrix, ``("n",)`` a column,
    ``(1, "n")`` a row, ``()`` a scalar; what is not given is inferred. ``dialect`` is
    "matlab" (the default language), "numpy", "latex", or "printed", "index" and "vec" (what
    derivatives print in each notation); if it is not given, marks such as ``@``, ``\\frac``, ``ᵀ``
    and ``Σ_k`` tell, and what they leave open is refused. Raises PullbackError with a caret under the place that is at fault.

    >>> import pullback as pb
    >>> f = pb.parse("norm2(A*x - b)^2", shapes={"A": ("m", "n")})
    >>> f.shape
    ()
    """
    for what, given in (("shapes", shapes), ("assume", assume)):
        if given is not None and not isinstance(given, Mapping):
            raise PullbackError(f"{what} maps names to sizes or words, as in {{'A': ('m', 'n')}}")
    return Tensor.from_program(parse_program(text, shapes=shapes, assume=assume, dialect=dialect))


def program_of(f: Stated) -> Program:
    """Whatever a user states a function with, as a program."""
    if isinstance(f, Program):
        return f
    if isinstance(f, str):
        return parse_program(f)
    if isinstance(f, Derivative):
        return f.program
    if isinstance(f, Tensor):
        return f.to_program()
    raise PullbackError(f"a function is a text, a tensor or a derivative, not {type(f).__name__}")


def name_of(program: Program, symbol: str | Tensor) -> str:
    """The name of a variable or line, given by its name or by the symbol itself."""
    if isinstance(symbol, str):
        return find(program, symbol).name
    if isinstance(symbol, Tensor):
        if isinstance(symbol.node, Variable):
            return find(program, symbol.node.name).name
        for name, node in program.lines.items():
            if node is symbol.node:
                return name
        raise PullbackError(
            "this tensor has no name to differentiate by",
            hint="name it first: g = pb.sigmoid(f).named('g')",
        )
    raise PullbackError(f"differentiate by a name or a symbol, not by {type(symbol).__name__}")

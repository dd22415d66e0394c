"""From a text to the program it denotes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from pullback.errors import Place, PullbackError
from pullback.expressions import Node, Program, Shape, Variable
from pullback.expressions import constructors as make
from pullback.language import kinds as k
from pullback.language import latex_sums
from pullback.language.calls import CONSTANTS
from pullback.language.checking import check_alike, check_lines, check_names
from pullback.language.code import (
    Instruction,
    Load,
    Mathematics,
    Meaning,
    Operate,
    Store,
    compile_line,
)
from pullback.language.declarations import EVERY_KIND, Declared, Sizes, collect, declare
from pullback.language.dialects import in_indices
from pullback.language.faults import Fault, insist_short
from pullback.language.index.reader import index_program
from pullback.language.inference import infer
from pullback.language.latex_calls import Latex
from pullback.language.latex_sums import has_sums
from pullback.language.lowering import lower
from pullback.language.numpy_calls import NumpyMeaning
from pullback.language.occurrences import named_in_shapes, names_in
from pullback.language.reading import Dialect, read
from pullback.language.settling import Typing
from pullback.language.syntax import Source


def parse_program(
    text: str,
    shapes: Mapping[str, Sizes] | None = None,
    assume: Mapping[str, str | Iterable[str]] | None = None,
    dialect: Dialect | None = None,
    shape: Sizes | None = None,
) -> Program:
    """The program that a text denotes, with every shape declared or inferred.

    ``shapes`` maps names to sizes: ``("m", "n")`` a matrix, ``("n",)`` a column, ``(1, "n")`` a
    row, ``()`` a scalar. ``assume`` maps names to assumptions such as ``"symmetric"``. Both may
    also stand in the text, as lines ``A: n n symmetric``. A name without a shape is a scalar
    (a–g, Greek), a column (h–z) or a matrix (capitals) unless the formula makes sense only, or
    without repeating a scalar, when it is something else. Axes in the text count from 1, as in
    MATLAB: ``sum(A, 1)`` adds up each column. Raises PullbackError, and ShapeError where two
    sizes disagree.

    ``dialect`` is "matlab" (the default language), "numpy", "latex", "printed" or "index"; if it
    is not stated, marks such as ``@``, ``\\frac``, ``ᵀ`` or ``Σ_k`` tell. In a printed formula factors stand side
    by side, ``2 Aᵀ(A x − b)``, and ``I`` is the identity unless it is declared. Where "printed"
    is stated, ``shapes`` may name what the text no longer has, functions of a vector act on each
    row of a matrix, as they are printed, and ``shape``, the shape of the result, settles the
    sizes that only a result's surroundings settle, as those of ``2 I``. So it does for "index",
    which :mod:`pullback.language.index` describes. "vec" is "printed" by another name: with ⊗, vec,
    ``I_m`` and ``K_mn`` the result is over the long columns that vec makes of matrices.

    >>> program = parse_program("norm2(A*x - b)^2")
    >>> program.assumed
    ('A is a matrix m×n', 'x is a column of size n', 'b is a column of size m')
    """
    if dialect in (None, "latex") and isinstance(text, str) and has_sums(text):
        return _of_sums(text, shapes or {}, assume or {}, shape)
    if dialect == "index" or (dialect is None and isinstance(text, str) and in_indices(text)):
        return index_program(text, shapes or {}, assume or {}, shape, _printed)
    source = read(text, dialect, {*(shapes or ()), *(assume or ())}, named_in_shapes(shapes or {}))
    check_lines(source)
    numpy = source.dialect == "numpy"
    meaning: Meaning = Mathematics()
    if source.dialect in ("numpy", "latex"):
        meaning = NumpyMeaning() if numpy else Latex()
    names_used, sizes_used = names_in(source, meaning)
    lines = [line.name for line in source.lines if line.name]
    stated = dialect in ("printed", "vec")
    given = {**(shapes or {}), **(assume or {})} if stated else {}
    declared = collect(
        text,
        source.declarations,
        shapes or {},
        assume or {},
        [*names_used, *given],
        rows=source.dialect != "numpy",
    )
    size_names = sizes_used | {
        name for d in declared.values() for size in d.shape for name in size.names
    }
    check_names(source, declared, lines, size_names)
    check_alike(text, [*declared, *lines, *names_used])
    constants = CONSTANTS.keys() - {*declared, *lines}
    names = {*declared, *lines, *names_used} - size_names - constants
    code: list[Instruction] = []
    for line in source.lines:
        code += compile_line(line, text, size_names, names, meaning)
    _check_order(code, lines, declared, text)
    wanted = None if shape is None else declare("the result", shape, ())[0]
    typing, assumed = infer(
        code,
        declared,
        text,
        {*names, *size_names},
        wanted,
        _WITHOUT_ROWS if numpy else EVERY_KIND,
        source.vectors,
    )
    if numpy and source.mark is not None:
        _refuse_other_readings(code, typing, source)
    variables = _variables(declared, typing, lines)
    lowered = lower(code, typing, variables, text)
    last = source.lines[-1].name
    rows = frozenset(name for name, entity in typing.names.items() if entity.kind == k.ROW) | {
        name for name, d in declared.items() if d.kind == k.ROW
    }
    return Program(
        result=_spread(lowered.result, wanted),
        variables=variables,
        lines=lowered.lines,
        rows=rows,
        text=text,
        places=lowered.places,
        assumed=assumed,
        result_name=last,
    )


def _said(name: str, sizes: tuple[str, ...]) -> str:
    kind = ["a scalar", "a column of size ", "a matrix "][min(len(sizes), 2)]
    return f"{name} is {kind}{'×'.join(sizes)}"


def _of_sums(
    text: str,
    shapes: Mapping[str, Sizes],
    assume: Mapping[str, str | Iterable[str]],
    shape: Sizes | None,
) -> Program:
    """A text in LaTeX with sums over an index, read in indices; its places are those of the text."""
    insist_short(text)
    try:
        found = latex_sums.in_indices(text, {*shapes, *assume})
    except Fault as fault:
        raise fault.in_text(text) from None

    def own(place: Place) -> Place:
        stop = found.places[min(max(place.stop, place.start + 1), len(found.places)) - 1]
        start = found.places[min(place.start, len(found.places) - 1)]
        return Place(text, start, max(start, stop) + 1)

    try:
        stated = {name: sizes for name, sizes in found.shapes.items() if name not in shapes}
        program = index_program(found.text, {**stated, **shapes}, assume, shape, _printed)
    except PullbackError as error:
        error.place = own(error.place) if error.place is not None else None
        raise
    places = {node: own(place) for node, place in program.places.items()}
    assumed = (*program.assumed, *(_said(name, sizes) for name, sizes in stated.items()))
    return replace(program, text=text, places=places, assumed=assumed)


def _printed(
    text: str,
    shapes: Mapping[str, Sizes],
    assume: Mapping[str, str | Iterable[str]],
    shape: Shape | None,
) -> Program:
    return parse_program(text, shapes, assume, "printed", shape)


_WITHOUT_ROWS = (k.SCALAR, k.COLUMN, k.MATRIX)


def _refuse_other_readings(code: list[Instruction], typing: Typing, source: Source) -> None:
    """Raises PullbackError for ``*`` between two arrays: mathematics and NumPy differ there."""
    assert source.mark is not None
    stack: list[int] = []  # the order of each value
    for step, entity in zip(code, typing.values, strict=True):
        if isinstance(step, Operate):
            operands = stack[len(stack) - step.count :]
            del stack[len(stack) - step.count :]
            if step.symbol == "*" and all(operands):
                left, right = (source.text[a:b] for a, b in step.operands)
                mark = source.text[slice(*source.mark)]
                raise PullbackError(
                    f"'{mark}' marks NumPy, where {left}*{right} goes entry by entry; in the "
                    "default language it is the matrix product",
                    Place(source.text, *step.at),
                    f"state dialect='numpy' for the first, or write {left} @ {right} for the second",
                )
        if isinstance(step, Store):
            stack.pop()
        else:
            stack.append(len(entity.sizes))


def _spread(result: Node, wanted: Shape | None) -> Node:
    """A number that is printed for a whole array."""
    if wanted and not result.order and make.constant_value(result) is not None:
        return make.broadcast(result, wanted)
    return result


def _check_order(
    code: list[Instruction], lines: list[str], declared: Mapping[str, Declared], text: str
) -> None:
    """A line may use the lines above it."""
    pending = set(lines)
    for step in code:
        if isinstance(step, Load) and step.name in pending:
            hint = "a line uses the lines above it"
            raise PullbackError(
                f"'{step.name}' is not yet defined here", Place(text, *step.span), hint
            )
        if isinstance(step, Store):
            pending.discard(step.name)
        elif isinstance(step, Load) and step.name in _CONSTANTS and step.name not in declared:
            raise PullbackError(
                f"'{step.name}' is no constant here",
                Place(text, *step.span),
                "declare a scalar and give it a value, or write the number",
            )


_CONSTANTS = ("inf", "nan", "Inf", "NaN")


def _variables(
    declared: Mapping[str, Declared], typing: Typing, lines: list[str]
) -> dict[str, Variable]:
    """The variables in order of appearance, then those declared and not used."""
    found: dict[str, Variable] = {}
    for name, entity in typing.names.items():
        if name not in lines:
            assumptions = declared[name].assumptions if name in declared else ()
            node = make.variable(name, typing.shape(entity), assumptions)
            assert isinstance(node, Variable)
            found[name] = node
    for name, item in declared.items():
        if name not in found:
            node = make.variable(name, item.shape, item.assumptions)
            assert isinstance(node, Variable)
            found[name] = node
    return found

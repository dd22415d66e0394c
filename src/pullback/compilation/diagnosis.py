"""Which operation left the real numbers: a second run, one instruction at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pullback.compilation.ir import Instruction, LinearProgram, Literal, Register
from pullback.compilation.targets.numpy import (
    ATOM,
    STATEMENTS,
    Speller,
    Text,
    imports,
    literal,
    scipy_modules,
)
from pullback.errors import DomainError
from pullback.expressions.nodes import Apply, Node
from pullback.expressions.program import Program
from pullback.expressions.walks import post_order
from pullback.functions.catalogue import primitive
from pullback.functions.domains import NO_COMMON_EIGENVALUE, POSITIVE_DEFINITE


def run_traced(
    program: LinearProgram,
    user: Program,
    arrays: Sequence[Any],
    sizes: Mapping[str, int],
    dtype: np.dtype[Any],
) -> dict[str, Any]:
    """The outputs, each instruction run on its own; DomainError names the first that fails.

    An instruction fails if it makes infinities or NaNs out of finite numbers and raises a flag
    for it; a flag alone, or a NaN that was given, is no failure, nor is what a ``where`` leaves out.
    """
    space: dict[str, Any] = {"np": np, "dtype": dtype}
    exec("\n".join([*imports(program), *Speller.helpers(program)]), space)
    named = {size: f"size_{k}" for k, size in enumerate(sorted(sizes))}
    space.update({named[size]: value for size, value in sizes.items()})

    def text(source: Literal | Register) -> Text:
        return literal(source.value) if isinstance(source, Literal) else (f"r{source.index}", ATOM)

    speller = Speller(named, text)
    failed: dict[Register, DomainError] = {}  # what is computed from a failure
    lost: set[Register] = set()  # what has no value at all
    given = dict(zip(program.inputs, arrays, strict=True))
    for i in program.instructions:
        name = f"r{i.result.index}"
        if i.op == "input":
            space[name] = given[i.name]
            continue
        if i.op in STATEMENTS:
            code = "\n".join(speller.statements(i, name, owned=False))
        else:
            code = f"{name} = {speller.expression(i)[0]}"
        chooses = i.op == "map" and i.name == "where"
        missing = next((r for r in i.sources if r in lost), None)
        if missing is not None and not chooses:
            failed[i.result] = failed[missing]
            lost.add(i.result)
            _fill(space, i, sizes)
            continue
        try:
            found = _run(code, space, i, user)
        except np.linalg.LinAlgError as problem:
            found = None
            if _finite(i, space):  # else a NaN was given
                found = _domain_error(i, user, _needs(i), str(problem))
                lost.add(i.result)
            _fill(space, i, sizes)
        before = i.operands
        if chooses:
            condition, *chosen = [speller.operand(view)[0] for view in before]
            taken = [
                f"np.where({condition}, {chosen[0]}, 0)",
                f"np.where({condition}, 0, {chosen[1]})",
            ]
            finite = [bool(np.all(np.isfinite(eval(part, space)))) for part in taken]  # noqa: S307
            before = (
                before[0],
                *[v for v, fine in zip(before[1:], finite, strict=True) if not fine],
            )
        for view in before:
            if view.source in failed:
                found = found or failed[view.source]
        if found is not None:
            failed[i.result] = found
    for view in program.outputs.values():
        if view.source in failed:
            raise failed[view.source] from None
    return {name: space[f"r{v.source.index}"] for name, v in program.outputs.items()}  # type: ignore[union-attr]


def _run(code: str, space: dict[str, Any], i: Instruction, user: Program) -> DomainError | None:
    """Runs an instruction; the error to raise if its result, no numbers, is used.

    Raises LinAlgError where there is no result.
    """
    try:
        with np.errstate(divide="raise", invalid="raise", over="ignore", under="ignore"):
            exec(code, space)
        if scipy_modules([i]):
            raise FloatingPointError  # perhaps: SciPy raises no flags
    except ZeroDivisionError:
        raise _domain_error(i, user, "divides by zero", "") from None
    except FloatingPointError:
        with np.errstate(all="ignore"):
            exec(code, space)
        if _finite(i, space) and not _all_finite(space[f"r{i.result.index}"]):
            operands = [space[f"r{source.index}"] for source in i.sources]
            return _domain_error(i, user, *_reason(i, operands))
    return None


def _finite(i: Instruction, space: Mapping[str, Any]) -> bool:
    return all(_all_finite(space[f"r{source.index}"]) for source in i.sources)


def _all_finite(value: Any) -> bool:
    """Whether an array, or each of several, holds finite numbers."""
    parts = value if isinstance(value, tuple) else (value,)
    return all(bool(np.all(np.isfinite(part))) for part in parts)


def _fill(space: dict[str, Any], i: Instruction, sizes: Mapping[str, int]) -> None:
    """NaNs for what cannot be computed."""
    shape = [size.evaluate(sizes) for size in i.result.shape]
    space[f"r{i.result.index}"] = np.full(shape, np.nan, space["dtype"])


def _needs(i: Instruction) -> str:
    """What a matrix function needs, as its record says, or the factorisation that it goes by."""
    if i.name.endswith("cholesky"):
        return f"needs {POSITIVE_DEFINITE.name}"
    domains = primitive(i.node).domain if isinstance(i.node, Apply) else ()
    stated = domains and (domains[0].matrix or domains[0] is NO_COMMON_EIGENVALUE)
    return f"needs {domains[0].name if stated else 'an invertible matrix'}"


def _reason(i: Instruction, operands: list[Any]) -> tuple[str, str]:
    """What went wrong, and the value that it went wrong at."""
    if i.name in ("reciprocal", "divide"):
        return "divides by zero", ""
    domains = primitive(i.node).domain if isinstance(i.node, Apply) else ()
    if domains and (domains[0].matrix or domains[0] is NO_COMMON_EIGENVALUE):
        return _needs(i), ""
    if i.name in ("log", "sqrt", "power") and operands:
        array = np.asarray(operands[0])
        bad = array < 0 if i.name != "log" else array <= 0
        if bad.any():
            at = tuple(int(k) for k in np.argwhere(bad)[0])
            where = f" at entry {at}" if at else ""
            value = array[at]
            what = "is infinite" if value == 0 else "leaves the real numbers"
            return what, f"its argument is {value:g}{where}"
    return "leaves the real numbers", ""


def _domain_error(i: Instruction, user: Program, what: str, detail: str) -> DomainError:
    node = i.node
    function = node.function if isinstance(node, Apply) else i.name or i.op
    if function == "power" and i.name == "reciprocal":
        function = "the division"
    name = {"reciprocal": "a division", "divide": "a division"}.get(function, function)
    message = f"{name} {what}" + (f": {detail}" if detail else "")
    line = _line_of(node, user)
    if line:
        message += f", in line '{line}'"
    place = user.places.get(node) if node is not None else None
    return DomainError(message, place)


def _line_of(node: Node | None, user: Program) -> str:
    """The user's line that holds the operation: the first one below which it stands."""
    if node is None:
        return ""
    for name, line in user.lines.items():
        if node in set(post_order(line)):
            return name
    if user.result_name and node in set(post_order(user.result)):
        return user.result_name
    return ""

"""NumPy's spelling of places: slices, stores, and relations between indices."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pullback.compilation.ir import Instruction, Stretch
from pullback.compilation.targets.matrices import as_matrices, sizes_of_matrices
from pullback.expressions.sizes import Shape, Size

Spell = Callable[[Size], str]


def sizes_spelled(i: Instruction) -> Shape:
    """The sizes that the text of an instruction may name."""
    match i.op:
        case "size":
            return i.detail
        case "indicator":
            coefficients, offset = i.detail
            return (*i.result.shape, *coefficients, offset)
        case "slice":
            return tuple([s for _, stretch in i.detail for s in (stretch.start, stretch.last)])
        case "store":
            _, stretch = i.detail
            return (*i.result.shape, stretch.start, stretch.last)
        case "fill" | "scatter" | "reshape":
            return i.result.shape
        case "tensordot" if as_matrices(i):
            return sizes_of_matrices(i)
    return ()


def subscript(stretches: Mapping[int, Stretch], shape: Shape, spell: Spell) -> str:
    """The index that takes these stretches of an array's axes, as in ``[:, 1:n]``.

    >>> subscript({1: Stretch(Size.of(1), Size.of("n"))}, (Size.of("m"), Size.of("n") + 1), str)
    '[:, 1:]'
    """
    parts = [":"] * (max(stretches) + 1)
    turned = [":"] * len(shape)
    for axis, stretch in stretches.items():
        if stretch.count is None:
            parts[axis] = spell(stretch.start)
            continue
        first, last = stretch.start, stretch.last
        if stretch.step < 0:  # a stop below 0 means something else, so backwards comes after
            first, last = last, first
            turned[axis] = "::-1"
        start = "" if first.constant == 0 else spell(first)
        stop = "" if last + 1 == shape[axis] else spell(last + 1)
        step = f":{abs(stretch.step)}" if abs(stretch.step) != 1 else ""
        parts[axis] = f"{start}:{stop}{step}"
    gone = {axis for axis, stretch in stretches.items() if stretch.count is None}
    turned = [text for axis, text in enumerate(turned) if axis not in gone]
    while turned and turned[-1] == ":":
        turned.pop()
    taken = "" if all(part == ":" for part in parts) else f"[{', '.join(parts)}]"
    return taken + (f"[{', '.join(turned)}]" if turned else "") or "[...]"


def relation_text(
    i: Instruction, spell: Spell, range_: str = "np.arange({0})", number: str = ".astype(dtype)"
) -> str:
    """The relation over index ranges that broadcast against each other, as numbers 0 and 1."""
    coefficients, offset = i.detail
    order = len(i.result.shape)
    form = ""
    for k, (size, signed) in enumerate(zip(i.result.shape, coefficients, strict=True)):
        sign, c = ("-", -signed) if (-signed).at_least(1) else ("+", signed)
        axes = ", ".join([":", *["None"] * (order - 1 - k)])
        term = range_.format(spell(size)) + (f"[{axes}]" if k < order - 1 else "")
        if c.constant != 1:
            term = f"({spell(c)}) * {term}" if c.constant is None else f"{c} * {term}"
        form += f" {sign} {term}" if form else ("-" if sign == "-" else "") + term
    if offset.constant != 0:
        form += f" + ({spell(offset)})" if offset.constant is None else f" + {offset}"
    return f"({form.replace('+ -', '- ')} {i.name} 0){number}"

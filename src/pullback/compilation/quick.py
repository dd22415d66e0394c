"""The quick way into a compiled function: one generated check for arguments that fit as they are."""

from __future__ import annotations

import keyword
from collections.abc import Callable, Mapping, Sequence
from contextvars import Context
from threading import local
from typing import Any

import numpy as np

from pullback.compilation.arguments import FLOATS
from pullback.compilation.naming import Namer
from pullback.expressions.nodes import Variable
from pullback.expressions.sizes import Size

# the inputs in order, their dtype, the sizes wanted, and further ones asked for
Fitting = tuple[tuple[Any, ...], "np.dtype[Any]", tuple[int, ...], tuple[int, ...]]
Check = Callable[..., Fitting | None]


class FloatingPoint(local):
    """A way to treat NumPy's floating-point errors, quicker to enter than ``np.errstate``.

    ``run(function, *arguments)`` calls in a context that holds it, one for each thread. Raises
    RuntimeError where that context runs already, as in a signal handler.
    """

    def __init__(self, **state: Any) -> None:
        context = Context()
        context.run(np.seterr, **state)
        self.run = context.run
        self.state = state


def quick_check(
    variables: Mapping[str, Variable],
    inputs: Sequence[str],
    wanted: Sequence[str],
    granted: Sequence[Size] = (),
    more: Sequence[str] = (),
) -> Check | None:
    """A function of the arguments that returns the inputs, their dtype, the wanted sizes and ``more``.

    It is generated for these shapes, and answers None (or an error) for anything but arrays of
    one floating dtype that fit, and numbers; the careful way then converts, or says what is
    wrong. Arrays that are no inputs show the sizes that inputs do not. There is no such function
    where arrays do not show every size.

    >>> from pullback.expressions import constructors as make
    >>> A = make.variable("A", ["m", "n"])
    >>> check = quick_check({"A": A}, ["A"], ["n"])
    >>> check(np.ones((2, 3)))[2], check(A=[[1.0]])
    ((3,), None)
    """
    if not inputs:
        return None
    return _Check(variables, inputs, wanted, more, granted).made()


class _Check:
    def __init__(
        self,
        variables: Mapping[str, Variable],
        inputs: Sequence[str],
        wanted: Sequence[str],
        more: Sequence[str],
        granted: Sequence[Size],
    ) -> None:
        self.inputs = [variables[name] for name in inputs]
        self.others = [v for name, v in variables.items() if name not in inputs]
        self.wanted = wanted
        self.more = more
        self.granted = granted
        self.namer = Namer()
        # arguments under their own names, so that Python finds them; the rest keeps out of the way
        self.names = {
            v.name: v.name if _is_name(v.name) else f"_{k}"
            for k, v in enumerate(variables.values())
        }
        for name in self.names.values():
            self.namer.name(name)
        self.bound: dict[str, str] = {}
        self.lines: list[str] = []

    def made(self) -> Check | None:
        more = self._showing()
        if more is None:
            return None
        taken = [self.names[v.name] for v in self.inputs]
        extra = [self.names[v.name] for v in more]
        rest, d, of = (self.namer.name(name) for name in ("rest", "dtype", "type_of"))
        checked = [v for v in self.inputs if v.order] + more
        if checked:
            arrays = [self.names[v.name] for v in checked]
            self._refuse_unless(" and ".join(f"type({a}) is ndarray" for a in arrays))
        given = [self.names[v.name] for v in self.inputs if v.order]
        self.lines.append(f"{d} = {given[0]}.dtype" if given else f"{d} = f8")
        if given:
            same = "".join(f" and {a}.dtype is {d}" for a in given[1:])
            self._refuse_unless(f"({d} is f8 or {d} is f4){same}")
        for v in checked:
            if not self._axes(v):
                return None
        numbers = [self.names[v.name] for v in self.inputs if not v.order]
        if numbers:
            self.lines.append(f"{of} = {d}.type")
        for a in numbers:
            self.lines.append(f"if type({a}) in numbers: {a} = {of}({a})")
            self.lines.append(f"elif type({a}) is not {of}: return None")
        for size in self.granted:
            text = self._text(size)
            if text is None:
                return None
            self._refuse_unless(f"{text} >= 0")
        self.lines.append(f"if {rest} and not known.issuperset({rest}): return None")
        values, others = (
            "".join(f"{self.bound[name]}, " for name in names) for names in (self.wanted, self.more)
        )
        self.lines.append(f"return ({', '.join(taken)},), {d}, ({values}), ({others})")
        own = all(self.names[v.name] == v.name for v in self.inputs)
        parameters = [*taken, *([] if own else ["/"]), *(["*", *extra] if extra else [])]
        body = "\n    ".join(self.lines)
        space: dict[str, Any] = {
            "ndarray": np.ndarray,
            "f8": FLOATS[0],
            "f4": FLOATS[1],
            "known": frozenset(self.names),
            "numbers": (float, int),
        }
        exec(f"def check({', '.join([*parameters, f'**{rest}'])}):\n    {body}", space)
        check: Check = space["check"]
        return check

    def _showing(self) -> list[Variable] | None:
        """The variables, beside the inputs, that show wanted sizes; None where some size is hidden."""
        shown = {size for v in self.inputs for size in v.shape}
        more: list[Variable] = []
        for name in (*self.wanted, *self.more):
            size = Size.of(name)
            if size in shown:
                continue
            host = next((v for v in self.others if size in v.shape), None)
            if host is None:
                return None
            more.append(host)
            shown.update(host.shape)
        return more

    def _refuse_unless(self, condition: str) -> None:
        self.lines.append(f"if not ({condition}): return None")

    def _axes(self, variable: Variable) -> bool:
        """Lines that read sizes off an array and compare the others; False if one is unknown."""
        array = self.names[variable.name]
        targets, tests = [], []
        for axis, size in enumerate(variable.shape):
            symbol = size.names[0] if size.names else ""
            if symbol and size == Size.of(symbol) and symbol not in self.bound:
                self.bound[symbol] = self.namer.name(f"n{len(self.bound)}")
                targets.append(self.bound[symbol])
                continue
            targets.append(self.namer.name(f"s{axis}"))
            text = self._text(size)
            if text is None:
                return False
            tests.append((targets[-1], text))
        if len(tests) == variable.order:  # nothing new: the whole shape is known
            shape = "".join(f"{text}, " for _, text in tests)
            self.lines.append(f"if {array}.shape != ({shape}): return None")
            return True
        self.lines.append(f"if {array}.ndim != {variable.order}: return None")
        self.lines.append(f"{', '.join(targets)}, = {array}.shape")
        self.lines += [f"if {target} != {text}: return None" for target, text in tests]
        return True

    def _text(self, size: Size) -> str | None:
        if size.constant is not None:
            return str(size.constant)
        if any(name not in self.bound for name in size.names):
            return None
        products = [
            "*".join([str(c), *[self.bound[n] for n in monomial]]) for monomial, c in size.terms
        ]
        return " + ".join(products)


RESERVED = frozenset({"ndarray", "f8", "f4", "known", "numbers", "type"})  # what the check reads


def _is_name(name: str) -> bool:
    return name.isidentifier() and not keyword.iskeyword(name) and name not in RESERVED

"""Compilation with structure kept: the cores are compiled, and the operations on them when asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Self

import numpy as np

from pullback.compilation.compile import compile_nodes
from pullback.compilation.compiled import Compiled, Out
from pullback.compilation.kept import Form, Kept, Operation
from pullback.compilation.runtime import NumpyFunction
from pullback.derivation.factored import Factored, Term
from pullback.derivation.factoring import factored
from pullback.errors import PullbackError
from pullback.expressions import constructors as make
from pullback.expressions.nodes import Node
from pullback.expressions.program import Program
from pullback.expressions.walks import variables


class KeepingFunction(Compiled):
    """A compiled function whose results keep their structure.

    One without structure is a single core, and has the same operations; one whose axes are all of
    the function, or all of one variable, such as a gradient, is an array as before.
    """

    def __init__(
        self, inner: NumpyFunction, forms: Mapping[str, Form | None], cores: Mapping[str, list[str]]
    ) -> None:
        self.inputs = inner.inputs
        self.outputs = tuple(forms)
        self._inner = inner
        self.footprint = inner.footprint
        self._forms = forms
        self._cores = cores
        # the usual case, which is made without detours: one output, kept as one core
        form = next(iter(forms.values()))
        self._lone = form if len(inner.outputs) == len(forms) == 1 else None
        shapes = [form.factored.shape for form in forms.values() if form is not None]
        self._shown = list(dict.fromkeys(n for s in shapes for size in s for n in size.names))
        self.sizes = tuple(sorted({*inner.sizes, *self._shown}))
        self._idle = frozenset(self.sizes) - frozenset(inner.asked)
        self._check = inner.quick_check(self._shown) if self._shown else None

    def limited(self, limit: float) -> Self:
        """This function with another limit to the bytes that its cores may take."""
        self._inner.limited(limit)
        self._check = self._inner.quick_check(self._shown) if self._shown else None
        return self

    @property
    def source(self) -> str:
        """The generated code of the cores."""
        return self._inner.source

    def __call__(self, /, *positional: Any, out: Out = None, **arrays: Any) -> Any:
        if out is not None:
            raise PullbackError("out= is for dense results", hint="use structure='dense'")
        if self._check is not None:
            try:
                found = self._check(*positional, **arrays)
            except (TypeError, OverflowError):
                found = None
            if found is not None:
                made = self._inner.at(found)
                sizes = partial(self._numbered, found[3])
                lone = self._lone
                return self._made(made, sizes) if lone is None else Kept(lone, (made,), sizes)
        used = arrays
        if not self._idle.isdisjoint(arrays):  # sizes that only the results have
            used = {k: v for k, v in arrays.items() if k not in self._idle}
        named = {**dict(zip(self.inputs, positional, strict=False)), **arrays}
        shown = {name: np.shape(value) for name, value in named.items()}
        given = {name: value for name, value in arrays.items() if name in self.sizes}
        made = self._inner(*positional, **used)

        def known_sizes() -> Mapping[str, int]:
            known = {name: value for name, value in given.items() if name in self._inner.sizes}
            return {**given, **self._inner.sizes_for(shown, known)}

        return self._made(made, known_sizes)

    def _made(self, made: Any, sizes: Callable[[], Mapping[str, int]]) -> Any:
        if len(self._inner.outputs) == 1:
            made = {self._inner.outputs[0]: made}
        results = {}
        for name, form in self._forms.items():
            cores = tuple([made[core] for core in self._cores[name]])
            results[name] = cores[0] if form is None else Kept(form, cores, sizes)
        return results[self.outputs[0]] if len(self.outputs) == 1 else results

    def _numbered(self, sizes: tuple[int, ...]) -> Mapping[str, int]:
        """The sizes that the results have, by name."""
        return dict(zip(self._shown, sizes, strict=True))


def compile_kept(
    outputs: Mapping[str, Node],
    rows: Mapping[str, int],
    program: Program,
    names: Mapping[Node, str],
    target: str = "numpy",
    *,
    checked: bool,
) -> Compiled:
    """The function of the outputs, each kept as :class:`.Kept`; ``rows`` counts its row axes.

    ``target`` is NumPy's, native or auto, for the cores and for the operations on them.
    """
    forms: dict[str, Form | None] = {}
    cores: dict[str, list[str]] = {}
    nodes: dict[str, Node] = {}
    for name, node in outputs.items():
        tensor = _with_a_core(factored(node))
        if not 0 < rows[name] < node.order:
            forms[name], cores[name], nodes[name] = None, [name], node
            continue
        form, made = _form(name, tensor, rows[name], target)
        forms[name], cores[name] = form, list(made)
        nodes.update(made)
    inner = compile_nodes(
        nodes, replace(program, rows=frozenset()), names, target=target, checked=checked
    )
    assert isinstance(inner, NumpyFunction)
    return KeepingFunction(inner, forms, cores)


def _with_a_core(tensor: Factored) -> Factored:
    """The tensor, its number as the core where it is made of δs alone, such as 2 δ_ij, or zero."""
    if any(term.factors for term in tensor.terms):
        return tensor
    terms = tensor.terms or (Term(0, (), tuple(range(len(tensor.shape)))),)
    cores = [
        replace(t, coefficient=1, factors=((make.constant(t.coefficient), ()),)) for t in terms
    ]
    return Factored(tensor.shape, tuple(cores))


def _form(name: str, tensor: Factored, rows: int, target: str) -> tuple[Form, dict[str, Node]]:
    """The structure over variables that stand for the cores, and the cores by name."""
    known: dict[Node, str] = {}
    terms = []
    for term in tensor.terms:
        factors = []
        for node, labels in term.factors:
            core = known.setdefault(node, f"{name}_core{len(known) + 1}")
            factors.append((make.variable(core, node.shape), labels))
        terms.append(replace(term, factors=tuple(factors)))
    order = list(dict.fromkeys(known.values()))
    form = Form(Factored(tensor.shape, tuple(terms)), tuple(order), rows, partial(_built, target))
    return form, {core: node for node, core in known.items()}


def _built(target: str, node: Node, names: tuple[str, ...]) -> Operation:
    """An operation on values with these names as compiled code."""
    given = {v.name: v for v in variables(node)}
    fn = compile_nodes({"result": node}, Program(node, given), target=target, checked=False)
    assert isinstance(fn, NumpyFunction)
    places = [names.index(name) for name in fn.inputs]
    check = None if fn.asked else fn.quick_check()

    def run(values: tuple[Any, ...], sizes: Callable[[], Mapping[str, int]]) -> Any:
        given = [values[k] for k in places]
        if check is not None:
            found = check(*given)
            return fn(*given) if found is None else fn.at(found)
        known = sizes()
        asked: dict[str, Any] = {name: known[name] for name in fn.sizes if name in known}
        return fn(*given, **asked)

    return run

"""Random programs over the whole catalogue: values and derivatives against JAX."""

from __future__ import annotations

import dataclasses
import random

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from arbiter import Disagreement, relative
from comparison import compare
from hypothesis import HealthCheck, Phase, event, find, given, settings
from jax_by_numpy import evaluate
from jax_meaning import COMPARED, MEANINGS
from programs import Writer, programs
from sheets import Drawn, Sheet

from pullback.expressions import Node
from pullback.expressions import constructors as make
from pullback.expressions.walks import post_order
from pullback.functions.catalogue import CATALOGUE
from pullback.functions.record import Function, NotDifferentiable, Partial

PROGRAMS = 300
quietly = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
QUICK = settings(max_examples=300, phases=[Phase.generate], suppress_health_check=quietly)


@given(programs())
@settings(max_examples=PROGRAMS, deadline=None, suppress_health_check=quietly)
def test_programs_agree_with_jax(drawn: Drawn) -> None:
    for note in compare(drawn).notes:
        event(note)


def test_every_function_has_a_meaning() -> None:
    """A new record needs a line in ``jax_meaning``."""
    assert set(MEANINGS) == set(COMPARED)


@pytest.mark.parametrize("name", COMPARED)
def test_every_function_is_drawn(name: str) -> None:
    drawn = find(
        programs(4, [name]), lambda d: any(s.calls == name for s in d.sheet.steps), settings=QUICK
    )
    compare(drawn)


@pytest.mark.parametrize("kind", Node.__subclasses__())
def test_every_kind_of_node_is_drawn(kind: type[Node]) -> None:
    """A new kind of node needs a step in ``structural`` that makes it."""

    def holds(drawn: Drawn) -> bool:
        return any(isinstance(node, kind) for node in post_order(drawn.tensor.node))

    compare(find(programs(), holds, settings=QUICK))


# The comparison can fail: a rule or a line of code that is wrong by 0.05 % is found.


def program_with(name: str) -> Drawn:
    """Σ sin(function(…)) at a variable in its domain, by that variable twice."""
    record = CATALOGUE[name]
    assert isinstance(record, Function)
    sheet = Sheet()
    cores = record.signature.arguments
    sheet.declare("B" if len(cores[0]) == 2 else "q", random.Random(4))
    writer = Writer(lambda strategy: getattr(strategy, "elements", (0,))[0], sheet)  # no choices
    shifted = writer.array("0.7 * {0} + 0.05", (0,))
    if name == "polygamma":
        made = writer.first_fixed(name, 1.0, shifted)
        return Drawn(sheet, writer.array("xp.sum({0})", (made,)), (0, 0))
    arguments = [
        writer.inside(domain, at)
        for domain, at in zip(record.domain * len(cores), (0, shifted, 0), strict=False)
    ][: len(cores)]
    if record.takes_axis:
        made = writer.apply(name, arguments, axis=-1)
    else:
        made = writer.apply(name, arguments)
    root = writer.array("xp.sum(xp.sin({0}))", (made,))
    return Drawn(sheet, root, (0, 0))


def has_a_slope(record: Function) -> bool:
    if not record.partials:
        return False
    arguments = [
        make.variable(f"x{k}", ["n"] * len(core))
        for k, core in enumerate(record.signature.arguments)
    ]
    rules = [k for k, p in enumerate(record.partials) if not isinstance(p, NotDifferentiable)]
    node = record.apply(arguments)
    return not all(make.is_zero(record.partial(k, node, arguments)) for k in rules)


SLOPED = [
    n for n, r in CATALOGUE.items() if n in COMPARED and isinstance(r, Function) and has_a_slope(r)
]


def slightly_wrong(partial: Partial | NotDifferentiable) -> Partial | NotDifferentiable:
    if isinstance(partial, NotDifferentiable):
        return partial
    return lambda *terms: 1.0005 * partial(*terms)


@pytest.mark.parametrize("name", SLOPED)
def test_a_wrong_rule_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = program_with(name)
    assert set(compare(drawn).errors) >= {"value", "J v", "f J", "f H w", "jvp", "vjp", "hvp"}
    record = CATALOGUE[name]
    assert isinstance(record, Function)
    faulty = tuple(slightly_wrong(partial) for partial in record.partials)
    monkeypatch.setitem(CATALOGUE, name, dataclasses.replace(record, partials=faulty))
    with pytest.raises(Disagreement, match="the formula is wrong by"):
        compare(drawn)


def test_wrong_code_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = program_with("softsign")
    record = CATALOGUE["softsign"]
    faulty = dataclasses.replace(record, code="1.0005 * {0} / (1 + xp.abs({0}))")
    monkeypatch.setitem(CATALOGUE, "softsign", faulty)
    with pytest.raises(Disagreement, match="the value: relative error"):
        compare(drawn)


@given(programs())
@settings(max_examples=3, deadline=None, suppress_health_check=quietly)
def test_jax_compiled_says_the_same(drawn: Drawn) -> None:
    """The primitives as done here, and as JAX compiles them."""
    sheet = drawn.sheet

    def function(*arrays: object) -> object:
        return sheet.evaluate(arrays, {})[drawn.root]

    def slopes(*arrays: object) -> object:
        return jax.jacrev(function, argnums=tuple(range(sheet.given)))(*arrays)

    compiled = slopes(*map(jnp.asarray, drawn.point))
    for found, wanted in zip(evaluate(slopes, *drawn.point), compiled, strict=True):
        assert relative(found, wanted) < 1e-12 or not np.all(np.isfinite(wanted))

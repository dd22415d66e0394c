"""Every record of the catalogue against independent truth; no list of functions is kept here."""

import dataclasses
import pkgutil
from importlib import import_module

import numpy as np
import pytest
from records import CHECKS, MP

import pullback.functions
from pullback.derivation.derive import derive
from pullback.errors import PullbackError
from pullback.expressions import Program
from pullback.expressions import constructors as make
from pullback.functions.algebra import Term, total
from pullback.functions.catalogue import CATALOGUE, FAMILIES
from pullback.functions.domains import Domain
from pullback.functions.record import Definition, Function, Law
from pullback.verification.certificate import certify, check_values
from pullback.verification.exact import array, evaluate

FUNCTIONS = {n: r for n, r in CATALOGUE.items() if isinstance(r, Function)}
DEFINITIONS = {n: r for n, r in CATALOGUE.items() if isinstance(r, Definition)}


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_function(name, check):
    CHECKS[check](FUNCTIONS[name])


def test_every_record_of_every_family_is_in_the_catalogue():
    for found in pkgutil.iter_modules(pullback.functions.__path__):
        module = import_module(f"pullback.functions.{found.name}")
        records = [r for r in vars(module).values() if isinstance(r, Function | Definition)]
        for record in records:
            assert CATALOGUE[record.name] is record
        own = [r for n, r in vars(module).items() if r in records and n == r.name]
        assert module in FAMILIES or not own or found.name == "catalogue"


# The checks are checked: each wrong record fails the check that is there for it.


def inverse_rule(subscripts, y):
    return -Term(make.einsum(subscripts, y.node, y.node))


def log_of_power(x):
    """The law without its condition: log x² has a value for x < 0, 2 log x has none."""
    base, exponent = x.arguments if getattr(x, "function", "") == "power" else (None, None)
    return base and make.scale(make.constant_value(exponent), CATALOGUE["log"].apply([base]))


FAULTS = [
    ("sigmoid", {"exact": lambda mp, x: 1 / (1 + mp.exp(-x)) + mp.mpf("1e-11")}, "check_value"),
    ("sigmoid", {"code": "1 / (1 + xp.exp({0}))"}, "check_value"),
    ("tanh", {"code": "xp.expm1(2 * {0}) / (xp.exp(2 * {0}) + 1.0000000001)"}, "check_value"),
    ("softmax", {"code": "xp.exp({0}) / xp.sum(xp.exp({0}), axis=-1, keepdims=True)"}, "check_value"),
    ("softmax", {"code": "xp.exp({0}) / xp.sum(xp.exp({0}))"}, "check_batch"),
    ("sigmoid", {"partials": (lambda y, x: y * (1 - y) * 1.0001,)}, "check_partials"),
    ("sigmoid", {"partials": (lambda y, x: y * (1 - y),)}, "check_partials_in_floats"),
    ("tanh", {"partials": (lambda y, x: 1 - y * y,)}, "check_partials_in_floats"),
    ("exp", {"partials": (lambda y, x: -y,)}, "check_derivatives"),
    ("inv", {"partials": (lambda y, x: inverse_rule("...ki,...jl->...ijkl", y),)}, "check_derivatives"),
    ("inv", {"partials": (lambda y, x: inverse_rule("...ik,...jl->...ijkl", y),)}, "check_partials"),
    ("inv", {"partials": (lambda y, x: inverse_rule("...ik,...jl->...ijkl", y),)}, "check_batched_derivative"),
    ("abs", {"analytic": True, "kinks": ()}, "check_analytic"),
    ("tanh", {"kinks": (0,)}, "check_kinks"),
    ("exp", {"domain": (Domain("positive reals", (0.2, 3.0), (-1.0,)),)}, "check_domain"),
    ("tanh", {"positive": True}, "check_promises"),
    ("sigmoid", {"unit_sum": True}, "check_promises"),
    ("log", {"laws": (Law("log xᵃ = a log x", log_of_power),)}, "check_laws"),
    ("log", {"laws": (Law("never", lambda x: None),)}, "check_laws"),
    ("sigmoid", {"complement": Law("1 − σ(x) = σ(x)", lambda x: CATALOGUE["sigmoid"].apply([x]))}, "check_laws"),
    ("tanh", {"readings": FUNCTIONS["sigmoid"].readings}, "check_readings"),
    ("tanh", {"latex": ""}, "check_presentation"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "fault", "check"), FAULTS)
def test_a_wrong_record_fails(name, fault, check, monkeypatch):
    faulty = dataclasses.replace(FUNCTIONS[name], **fault)
    monkeypatch.setitem(CATALOGUE, name, faulty)
    with pytest.raises((AssertionError, FloatingPointError, pytest.fail.Exception)):
        CHECKS[check](faulty)


def test_a_record_without_a_partial_or_a_domain_is_refused():
    with pytest.raises(ValueError, match="tanh"):
        dataclasses.replace(FUNCTIONS["tanh"], partials=())
    with pytest.raises(ValueError, match="domain"):
        dataclasses.replace(FUNCTIONS["tanh"], domain=())


# Definitions: formulas in other functions


def log_loss(p, y):
    return -(y * np.log(p) + (1 - y) * np.log(1 - p)).sum()


REFERENCES = {
    "sum": np.sum,
    "mean": np.mean,
    "sqrt": np.sqrt,
    "tr": np.trace,
    "norm1": lambda x: np.abs(x).sum(),
    "norm2": lambda x: np.sqrt((x**2).sum()),
    "normF": lambda x: np.sqrt((x**2).sum()),
    "norm": np.linalg.norm,
    "squared_error": lambda h, y: ((h - y) ** 2).sum(),
    "absolute_error": lambda h, y: np.abs(h - y).sum(),
    "cross_entropy": lambda p, y: -(y * np.log(p)).sum(),
    "binary_cross_entropy": log_loss,
    "hinge": lambda h, y: np.maximum(0, 1 - y * h).sum(),
    "huber_loss": lambda h, y, delta=1.0: np.sum(
        [e * e / 2 if abs(e) <= delta else delta * (abs(e) - delta / 2) for e in (h - y).flat]
    ),
}
SHAPES = {"vector": ["n"], "matrix": ["m", "n"], "square": ["n", "n"], "scalar": []}


def instances(record):
    """The definition applied to variables, in every shape that it takes."""
    needed = [p for p in record.parameters if "=" not in p]
    for sizes in SHAPES.values():
        variables = [make.variable(name, sizes) for name in needed]
        try:
            yield variables, record.apply(variables)
        except PullbackError:
            continue


@pytest.mark.parametrize("name", DEFINITIONS)
def test_definition(name):
    """Value, shape, first and second derivative of every formula, in every shape it takes."""
    record, met = DEFINITIONS[name], 0
    generator = np.random.default_rng(3)
    for variables, node in instances(record):
        met += 1
        if record.result != "other":
            assert node.shape == (() if record.result == "scalar" else variables[0].shape)
        sizes = {"m": 3, "n": 4}
        shape = [s.evaluate(sizes) for s in variables[0].shape]
        values = [generator.uniform(0.1, 0.9, size=shape) for _ in variables]
        if name in REFERENCES:
            given = {v: array(a, MP) for v, a in zip(variables, values, strict=True)}
            found = np.asarray(evaluate([node], given, sizes, MP)[node], dtype=float)
            np.testing.assert_allclose(found, REFERENCES[name](*values), rtol=1e-13)
        program = Program(node, {v.name: v for v in variables})
        for first in program.variables:
            for wrt in ([first], [first, variables[0].name]):
                certificate = certify(derive(program, wrt), points=2)
                assert certificate.passed, f"{name} by {wrt}: {certificate}"
    assert met, f"{name} takes no shape that was tried"
    assert record.doc.endswith(".")


def test_the_parameters_of_a_definition():
    huber_loss = DEFINITIONS["huber_loss"]
    h, y = (make.variable(n, ["n"]) for n in "hy")
    wide = huber_loss.apply([h, y, make.constant(100)])
    squares = DEFINITIONS["squared_error"].apply([h, y])
    assert check_values(wide, make.scale(make.exact_number(0.5), squares)).passed
    with pytest.raises(PullbackError, match=r"huber_loss takes \(h, y, delta=1\), not 1"):
        huber_loss.apply([h])


def test_references_are_of_the_catalogue():
    assert set(REFERENCES) <= set(DEFINITIONS)
    assert total(Term(make.variable("x", ["n"]))).shape == ()

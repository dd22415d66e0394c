"""What a record says, put to the test: each check raises AssertionError where it is not so.

The checks read the record only; nothing here knows a function by name.
"""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy import linalg, special

from pullback.derivation.derive import derive
from pullback.differentiation.forward import forward
from pullback.differentiation.reverse import identity, reverse
from pullback.errors import DomainError, MissingRule
from pullback.expressions import Apply, Contraction, Indicator, Program, SizeValue, Sum, Variable
from pullback.expressions import constructors as make
from pullback.expressions.walks import post_order
from pullback.functions.catalogue import CATALOGUE
from pullback.functions.domains import Domain
from pullback.functions.record import Function, NotDifferentiable
from pullback.verification.certificate import certify, check_values
from pullback.verification.exact import array, evaluate, real_context

MP = real_context(60)
CORE = 3  # the length of a core axis
TINY = 1e-300  # what underflows is zero


# Samples


def heavy(record: Function) -> bool:
    """Whether an exact value takes so long that a check makes do with fewer of them."""
    return record.effort >= 150


def domains(record: Function) -> list[Domain]:
    given = list(record.domain)
    count = len(record.signature.arguments)
    return (given + [given[-1]] * count)[:count]


def shape_at(record: Function, k: int) -> tuple[int, ...]:
    """Distinct lengths for distinct core labels, short ones where a value takes long."""
    labels = {label: None for core in record.signature.arguments for label in core}
    shortest = 2 if heavy(record) else CORE
    size = {label: shortest + i for i, label in enumerate(labels)}
    return tuple(size[label] for label in record.signature.arguments[k])


def sample(record: Function, k: int, generator: np.random.Generator) -> np.ndarray:
    """A value of argument ``k`` inside its domain."""
    domain, shape = domains(record)[k], shape_at(record, k)
    if domain.points:
        return generator.choice(domain.points, size=shape)
    if domain.inside:
        value = generator.uniform(*domain.inside, size=shape)
        for kink in record.kinks:
            value = np.where(np.abs(value - kink) < 1e-3, value + 1e-2, value)
        return value
    assert domain.matrix is not None, f"how is '{domain.name}' sampled?"
    while True:
        value = generator.normal(size=shape) + 2 * np.eye(*shape)
        if domain.matrix(MP, array(value, MP).tolist()):
            return value


def samples(record: Function, count: int | None = None) -> list[list[np.ndarray]]:
    """Arguments inside the domain; fewer where a value takes long."""
    generator = np.random.default_rng(17)
    if count is None:
        count = 2 if heavy(record) else 8
    arguments = range(len(record.signature.arguments))
    return [[sample(record, k, generator) for k in arguments] for _ in range(count)]


def special_samples(record: Function) -> list[list[np.ndarray]]:
    """Samples whose first argument holds a special point: in one entry, and in all."""
    found = []
    for base, point in zip(samples(record, len(record.special)), record.special, strict=True):
        first = base[0].copy()
        first[(0,) * first.ndim] = point
        found.append([first, *base[1:]])
        found.append([np.full(base[0].shape, float(point)), *base[1:]])
    return found


def arguments_of(record: Function, batch: tuple = ()) -> list[Variable]:
    """A variable for each argument, with symbolic sizes, or small ones where a value takes long."""
    return [
        make.variable(
            f"x{k}",
            (2,) * len(batch) + shape_at(record, k) if heavy(record) else (*batch, *core),
            domain.assumed,
        )
        for k, (core, domain) in enumerate(
            zip(record.signature.arguments, domains(record), strict=True)
        )
    ]


def sizes_of(record: Function) -> dict[str, int]:
    return {
        label: size
        for k, core in enumerate(record.signature.arguments)
        for label, size in zip(core, shape_at(record, k), strict=True)
    }


# Two ways to evaluate


def exactly(node, record: Function, values) -> np.ndarray:
    given = {v: array(a, MP) for v, a in zip(arguments_of(record), values, strict=True)}
    return evaluate([node], given, sizes_of(record), MP)[node]


def run_code(record: Function, arguments) -> np.ndarray:
    """The record's code text in NumPy."""
    names = {f"a{k}": np.asarray(a) for k, a in enumerate(arguments)}
    *lines, last = record.code.format(*names).split("\n")
    scope = {"xp": np, "sp": special, "sl": linalg, **names}
    exec("\n".join([*lines, f"value = {last}"]), scope)
    return np.asarray(scope["value"])


def in_floats(root, given, sizes) -> np.ndarray:
    """A node in double precision, each function by its record's code."""
    value = dict(given)
    for node in post_order(root):
        if node in value:
            continue
        shape = [s.evaluate(sizes) for s in node.shape]
        if isinstance(node, Indicator):
            value[node] = evaluate([node], {}, sizes, MP)[node].astype(float)
        elif isinstance(node, SizeValue):
            value[node] = np.asarray(float(node.size.evaluate(sizes)))
        elif isinstance(node, Sum):
            value[node] = sum((float(c) * value[t] for c, t in node.terms), np.zeros(shape))
        elif isinstance(node, Contraction):
            operands = [a for n, ls in node.operands for a in (value[n], list(ls))]
            lengths = [s.evaluate(sizes) for s in node.sizes]
            distinct = sorted(set(node.output))
            spread = [a for i in distinct for a in (np.ones(lengths[i]), [i])]
            product = np.asarray(np.einsum(*operands, *spread, np.ones(()), [], distinct))
            full = np.zeros(shape)
            grids = np.indices(product.shape, sparse=True)
            full[tuple(grids[distinct.index(i)] for i in node.output)] = product
            value[node] = full
        else:
            assert isinstance(node, Apply)
            value[node] = run_code(CATALOGUE[node.function], [value[a] for a in node.arguments])
    return value[root]


def assert_close(found, expected, tolerance: float, what: str, *, whole: bool = False) -> None:
    """Relative error entry by entry, or beside the largest entry; a NaN is never close."""
    found, expected = array(found, MP), array(expected, MP)
    assert found.shape == expected.shape, f"{what}: shape {found.shape}, not {expected.shape}"
    largest = max((abs(v) for v in expected.flat), default=0)
    for f, e in zip(found.flat, expected.flat, strict=True):
        scale = largest if whole else abs(e)
        bound = tolerance * scale + TINY
        assert abs(f - e) <= bound, f"{what}: {float(f)!r}, not {float(e)!r}"


# The checks


def check_value(record: Function) -> None:
    """The code computes what ``exact`` says, at special points too."""
    node = record.apply(arguments_of(record))
    for values in samples(record) + special_samples(record):
        with np.errstate(all="raise", under="ignore"):
            found = run_code(record, values)
        expected = exactly(node, record, values)
        assert_close(found, expected, 1e-12, f"{record.name}{values}", whole=not record.elementwise)


def check_batch(record: Function) -> None:
    """The code on stacked arguments is its value on each, stacked."""
    if not record.signature.arguments:
        return  # a number
    each = samples(record, 6)
    stacked = [np.stack(a).reshape(2, 3, *a[0].shape) for a in zip(*each, strict=True)]
    together = run_code(record, stacked)
    apart = np.stack([run_code(record, values) for values in each])
    apart = apart.reshape(2, 3, *apart.shape[1:])
    assert_close(together, apart, 1e-12, f"{record.name} of a batch", whole=True)
    batched = record.apply(arguments_of(record, ("a", "b")))
    assert batched.shape[:2] == arguments_of(record, ("a", "b"))[0].shape[:2]


def differentiable(record: Function) -> list[int]:
    return [k for k, rule in enumerate(record.partials) if not isinstance(rule, NotDifferentiable)]


def partial_of(record: Function, k: int):
    """∂result/∂argument ``k``; the tensor of a linear map is what it makes of every unit vector."""
    variables = arguments_of(record)
    node = record.apply(variables)
    stated = record.partial(k, node, variables)
    return reverse(node, [variables[k]])[0] if stated is None else stated


def check_missing(record: Function) -> None:
    """Where a record has no partial the answer is an error that says which argument, never zero."""
    variables = arguments_of(record)
    node = record.apply(variables)
    for k in range(len(record.partials)):
        if k not in differentiable(record):
            with pytest.raises(MissingRule, match=f"argument {k + 1}"):
                reverse(node, [variables[k]])


def check_partials(record: Function) -> None:
    """Every partial equals central differences of ``exact``."""
    variables = arguments_of(record)
    node = record.apply(variables)
    step = MP.mpf(10) ** -20
    for k in differentiable(record):
        partial = partial_of(record, k)
        for values in samples(record):
            found = exactly(partial, record, values)
            expected = np.empty(found.shape, dtype=object)
            for index in np.ndindex(values[k].shape):
                ends = []
                for sign in (1, -1):
                    moved = [array(v, MP) for v in values]
                    moved[k][index] += sign * step
                    ends.append(exactly(node, record, moved))
                expected[(..., *index)] = (ends[0] - ends[1]) / (2 * step)
            what = f"∂{record.name}/∂{k + 1} at {values}"
            assert_close(found, expected, 1e-25, what, whole=not record.elementwise)


def check_partials_in_floats(record: Function) -> None:
    """The partial as it will be computed loses no digits, at special points either."""
    variables = arguments_of(record)
    for k in differentiable(record):
        partial = partial_of(record, k)
        for values in samples(record) + special_samples(record):
            expected = exactly(partial, record, values)
            if any(abs(v) > 1e300 for v in expected.flat):
                continue  # beyond the range of doubles, or close to it
            with np.errstate(all="raise", under="ignore"):
                given = dict(zip(variables, values, strict=True))
                found = in_floats(partial, given, sizes_of(record))
            what = f"∂{record.name}/∂{k + 1} at {values}"
            assert_close(found, expected, 1e-12, what, whole=not record.elementwise)


def program_of(record: Function) -> Program:
    variables = arguments_of(record)
    return Program(record.apply(variables), {v.name: v for v in variables})


def check_derivatives(record: Function) -> None:
    """First and second derivatives, by every pair of arguments, agree with differences."""
    program = program_of(record)
    names = [list(program.variables)[k] for k in differentiable(record)]
    many = heavy(record) and len(names) > 1
    for first in names:
        for wrt in ([first], *([first, second] for second in names if not many)):
            try:
                derivation = derive(program, wrt)
            except MissingRule:
                assert len(wrt) == 2, f"{record.name} has no first derivative"
                continue
            certificate = certify(derivation, points=1 if heavy(record) else 2)
            if heavy(record) and len(wrt) == 2 and certificate.message.startswith("too large"):
                continue  # the functions that it is made of have a check of their own
            assert certificate.passed, f"{record.name} by {wrt}: {certificate}"


def check_batched_derivative(record: Function) -> None:
    variables = arguments_of(record, ("b",))
    program = Program(record.apply(variables), {v.name: v for v in variables})
    for k in differentiable(record):
        certificate = certify(derive(program, [variables[k].name]), points=1)
        assert certificate.passed, f"a batch of {record.name} by {k + 1}: {certificate}"


def check_orders_agree(record: Function) -> None:
    """Forward and reverse order give the same derivative."""
    program = program_of(record)
    for k in differentiable(record):
        variable = list(program.variables.values())[k]
        back = reverse(program.result, [variable])[0]
        ahead = forward(program.result, {variable: identity(variable)})
        certificate = check_values(back, ahead, points=1 if heavy(record) else 2)
        assert certificate.passed, f"{record.name} by {k + 1}: {certificate}"


def check_analytic(record: Function) -> None:
    """Where a record says analytic, a complex step gives its derivative."""
    if not (record.analytic and record.elementwise):
        return
    variables = arguments_of(record)
    node = record.apply(variables)
    step = MP.mpf(10) ** -30
    for k in differentiable(record):
        partial = record.partial(k, node, variables)
        for values in samples(record, 4):
            plain = [MP.mpf(float(v)) for v in values]
            plain[k] = MP.mpc(plain[k], step)
            expected = np.asarray(MP.convert(record.exact(MP, *plain)).imag / step, dtype=object)
            assert_close(exactly(partial, record, values), expected, 1e-25, f"{record.name} + iε")


def check_kinks(record: Function) -> None:
    """At a kink the slopes of the two sides differ, or the value jumps; the answer can say so."""
    step = MP.mpf(10) ** -20
    for kink in record.kinks:
        rest = [MP.mpf(float(v)) for v in samples(record, 1)[0][1:]]
        left, at, right = (record.exact(MP, MP.mpf(kink) + s * step, *rest) for s in (-1, 0, 1))
        jump, bend = abs(right - left), abs((right - at) - (at - left))
        assert jump > 0.001 or bend > step / 100, f"{record.name} is smooth at {kink}"
    assert not record.kinks or (record.convention and not record.analytic)


def check_domain(record: Function) -> None:
    """Outside its domain the exact value is refused, naming the function."""
    node = record.apply(arguments_of(record))
    for k, domain in enumerate(domains(record)):
        violations = [np.full(shape_at(record, k), p) for p in domain.outside]
        if domain.matrix is not None:
            row, column = shape_at(record, k)
            reflection = np.diag([-1.0, *[1.0] * (row - 1)]) if row == column else None
            tried = [m for m in (np.ones((row, column)), reflection) if m is not None]
            violations += [m for m in tried if not domain.matrix(MP, array(m, MP).tolist())]
            assert violations, f"nothing was tried that is not {domain.name}"
        for violation in violations:
            values = samples(record, 1)[0]
            values[k] = violation
            with pytest.raises(DomainError, match=record.name):
                exactly(node, record, values)


def check_promises(record: Function) -> None:
    """Values are positive, sum to 1, are linear, or turn with the arguments, where it says so."""
    node = record.apply(arguments_of(record))
    for values in samples(record) + special_samples(record):
        value = exactly(node, record, values)
        assert not record.positive or all(v > 0 for v in value.flat), f"{record.name} ≤ 0"
        if record.unit_sum:
            assert all(abs(s - 1) < 1e-40 for s in np.ravel(value.sum(axis=-1)))
        for k in record.linear:
            other, here = array(samples(record)[-1][k], MP), array(values[k], MP)
            parts = [
                exactly(node, record, [*values[:k], v, *values[k + 1 :]])
                for v in (other, other - here)
            ]
            assert_close(parts[0] - parts[1], value, 1e-25, f"{record.name} by {k + 1}", whole=True)
        if record.turns:
            turned = [make.transpose(v) for v in arguments_of(record)]
            other = np.transpose(exactly(record.apply(turned), record, values))
            assert_close(other, value, 1e-25, f"{record.name} of transposes", whole=True)


def candidates(record: Function) -> list:
    """Arguments that an identity may be about: other functions of a variable, and powers."""
    shape = make.variable("x", record.signature.arguments[0] or ("n",)).shape
    x = make.variable("x", shape)
    found = [x, make.negate(x), *(make.power(x, p) for p in (-1, -2, make.exact_number(0.5), 4))]
    for other in CATALOGUE.values():
        if isinstance(other, Function) and len(other.signature.arguments) == 1:
            core = other.signature.arguments[0]
            fits = len(core) < 2 or len({*core}) == 2 or len({*shape}) == 1
            if len(core) <= len(shape) and fits:
                inner = other.apply([x])
                if inner.shape == shape[::-1] != shape:
                    inner = other.apply([make.transpose(x)])
                plus_one = make.add([(1, make.ones(inner.shape)), (1, inner)])
                found += [inner, make.negate(inner), plus_one]
    for other in ("exp", "log"):
        wide = CATALOGUE[other].apply([make.variable("w", (*shape, "k"))])
        found.append(make.contract([(wide, range(wide.order))], range(wide.order - 1)))
    return [node for node in found if node.shape == shape]


def candidates_beside(record: Function) -> list:
    """What the further arguments of an identity may be: a variable, and numbers."""
    x = candidates(record)[0]
    same = [x, make.delta(x.shape[0])] if x.order == 2 and len({*x.shape}) == 1 else []
    y, *numbers = [
        make.variable("y", x.shape),
        *(make.constant(c, x.shape) for c in (-1, -2, 2, 0)),
    ]
    more = numbers[: len(record.partials) - 2]
    return [y, *same, *numbers, *([record.apply([x, y, *more])] if record.partials[1:] else [])]


def check_laws(record: Function) -> None:
    """Each law applies somewhere, and keeps the value and the domain where it does."""
    others = len(record.partials) - 1
    if others < 0:
        return  # a number
    firsts = candidates(record)[: 8 if others > 1 else None]  # with many arguments, fewer of each
    among = [firsts] + [candidates_beside(record)] * others
    for law in record.laws:
        met = 0
        for arguments in product(*among):
            rewritten = law.rewrite(*arguments)
            if rewritten is not None:
                certificate = check_values(record.apply(arguments), rewritten)
                met += certificate.passed
                assert not certificate.wrong, f"{law.statement}: {certificate}"
            if heavy(record) and met == 3:
                break
        assert met, f"nothing was found that '{law.statement}' applies to"
    factors = [*firsts, *(make.power(f, e) for f in firsts for e in (-1, -2) if not others)]
    for law in record.products:
        met = 0
        for *arguments, factor in product(*among, factors):
            rewritten = law.rewrite(*arguments, factor)
            if rewritten is not None:
                met += 1
                before = make.multiply(record.apply(arguments), factor)
                certificate = check_values(before, rewritten)
                assert certificate.passed, f"{law.statement}: {certificate}"
        assert met, f"nothing was found that '{law.statement}' applies to"
    if record.complement is not None:
        x = candidates(record)[0]
        value = record.apply([x])
        one_less = make.add([(1, make.ones(value.shape)), (-1, value)])
        certificate = check_values(one_less, record.complement.rewrite(x))
        assert certificate.passed, f"{record.complement.statement}: {certificate}"


def check_readings(record: Function) -> None:
    """Each reading applies to something, and its textbook form has the same value."""
    if not record.readings:
        return
    variables = arguments_of(record)
    pool = [record.apply([make.negate(v) for v in variables])]
    for k in differentiable(record):
        partial = partial_of(record, k)
        pool += [*post_order(partial), *reverse(partial, [variables[k]])]
    for reading in record.readings:
        met = 0
        for candidate in pool:
            read = reading.rewrite(candidate)
            if read is not None:
                met += 1
                certificate = check_values(candidate, read[0])
                assert certificate.passed, f"{reading.statement}: {certificate}"
        assert met, f"nothing was found that '{reading.statement}' applies to"


def check_presentation(record: Function) -> None:
    """It says what it is, in a sentence and in LaTeX."""
    assert record.doc.endswith(".") and record.doc[0].strip()
    assert record.latex, f"{record.name} has no LaTeX"
    assert record.latex.count("{") == record.latex.count("}")
    if "{0}" in record.latex:
        record.latex.format(*"xyz")
    assert record.name.isidentifier() and record.name.isascii()


CHECKS = {name: check for name, check in globals().items() if name.startswith("check_")}
del CHECKS["check_values"]

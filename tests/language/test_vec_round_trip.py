"""What is printed over vec'd axes is read again: to the same value, and to what prints the same."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from test_printed import NUMBERS, TABLE, derived, shapes_of
from values import value

import pullback as pb
from pullback.derivation.stacking import stacked_shape, unstacked
from pullback.errors import PullbackError
from pullback.expressions import Program
from pullback.expressions.constructors import is_zero
from pullback.language.parse import parse_program
from pullback.notation.names import Names
from pullback.notation.styles import ASCII, UNICODE
from pullback.notation.write import Writing, write
from pullback.verification.certificate import check_values

sys.path.append(str(Path(__file__).parent.parent / "notation"))
from notation_strategies import VARIABLES, jacobians

DECLARED = {name: [str(size) for size in v.shape] for name, v in VARIABLES.items()}


def by_columns(array, groups):
    """The array with the axes of each group as one, by NumPy: the first varies fastest."""
    ends = np.cumsum(groups)
    axes = [
        k
        for stop, count in zip(ends, groups, strict=True)
        for k in range(stop - 1, stop - count - 1, -1)
    ]
    lengths = [
        int(np.prod(array.shape[stop - count : stop]))
        for stop, count in zip(ends, groups, strict=True)
        if count
    ]
    return array.transpose(axes).reshape(lengths)


@pytest.mark.parametrize("ascii", [False, True])
@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize(("formula", "wrt"), TABLE)
def test_a_derivative_over_vec_is_read_again(formula, wrt, order, ascii):
    d = derived(formula, *([wrt] * order))
    groups = d.derivation.groups
    text = d.equation("vec", ascii=ascii)
    if d.derivation.node.order > 2 and "vec(" not in text.partition(" =")[0]:
        return  # it has no such form, and is written in indices
    shape = stacked_shape(d.shape, groups)
    program = parse_program(text, shapes_of(d), dialect="vec", shape=shape)
    assert program.result.shape == shape
    np.testing.assert_allclose(
        value(program.result, NUMBERS),
        by_columns(value(d.node, NUMBERS), groups),
        rtol=1e-9,
        atol=1e-11,
    )
    if "\nwhere t1" in text:
        return  # what is abbreviated in a long formula depends on how its products are nested
    again = unstacked(program.result, d.shape, groups)
    again = replace(d, derivation=replace(d.derivation, node=again))
    assert again.equation("vec", ascii=ascii) == text
    by_name = "\nwhere" in text  # in whose names a part may stand another way
    if not is_zero(d.node) and wrt != "r" and not by_name:  # a row is told by the program
        by_itself = write(program.result, Names.of(d.program), ascii=ascii)
        assert by_itself.replace("I_mn", "I") == text.partition(" = ")[2].replace("I_mn", "I")


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(jacobians())
def test_any_jacobian_over_vec_is_read_again(drawn):
    node, groups = drawn
    names = Names.of(Program(node, VARIABLES))
    writing = Writing(node, names, "vec", groups)
    assume(writing.form == "vec")
    shape = stacked_shape(node.shape, groups)
    for style in (UNICODE, ASCII):
        program = parse_program(writing.text(style), DECLARED, dialect="vec", shape=shape)
        again = unstacked(program.result, node.shape, groups)
        certificate = check_values(node, again)
        assert not certificate.wrong, (writing.text(style), str(certificate))


def test_sizes_as_subscripts():
    shapes = {"A": ("m", "n"), "x": ("n",)}
    for text, meaning in [
        ("I_m", "eye(m)"),
        ("I_mn", "eye(m*n)"),
        ("I_{m+2n}", "eye(m + 2*n)"),
        ("I_3 ⊗ A", "kron(eye(3), A)"),
        ("(I_m ⊗ x) A", "kron(eye(m), x)*A"),
        ("K_mn vec(A)", "commutation(m, n)*vec(A)"),
        ("K_{m,n} vec(A)", "vec(A')"),
        ("K_{n+1,2}", "commutation(n + 1, 2)"),
        ("∂f/∂vec(A)ᵀ = xᵀ ⊗ I_m", "kron(x', eye(m))"),
        ("df/dvec(A) = vec(A)", "vec(A)"),
    ]:
        used = {name: shapes[name] for name in shapes if name in meaning}
        wanted = parse_program(meaning, used).result
        found = parse_program(text, shapes, dialect="vec").result
        assert found.shape == wanted.shape
        assert check_values(found, wanted).passed, text
    assert "I" in parse_program("I I_m", {"I": ("m", "m"), "I_m": ("m",)}, dialect="vec").variables
    for wrong in ["I_{}", "K_{m}", "I_{m,n}", "K_{m,;}"]:
        with pytest.raises(PullbackError):
            parse_program(wrong, shapes, dialect="vec")
    with pytest.raises(PullbackError, match="two readings"):
        parse_program("I_mn", {"B": ("m", "n", "mn")}, dialect="vec")


def test_claims_over_vec_are_graded():
    L = pb.parse("norm2(V*sigmoid(U*x) - y)^2")
    claim = "2 x ⊗ (Vᵀ(V σ(U x) − y) ⊙ σ(U x) ⊙ (1 − σ(U x)))"
    assert pb.grade(L, "U", claim, dialect="vec").right
    assert pb.grade(L, "U", claim.replace("2 ", "", 1), dialect="vec").reason == (
        "it is half of what is right"
    )
    F = pb.parse("V*sigmoid(U*x)")
    jacobian = "xᵀ ⊗ V diag(σ(U x) ⊙ (1 − σ(U x)))"
    assert pb.grade(F, "U", f"∂f/∂vec(U)ᵀ = {jacobian}").layout == "as derived"
    assert pb.grade(F, "U", f"({jacobian})ᵀ").layout == "transposed"
    assert pb.grade("sum(A*x)", "A", "x ⊗ 𝟏", dialect="vec").right
    assert not pb.grade("sum(A*x)", "A", "𝟏 ⊗ x", dialect="vec").right

"""The certificate moves along a structure: right answers pass, each kind of wrong one fails."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pullback.derivation.batching import batch
from pullback.derivation.derive import derive
from pullback.derivation.result import Derivation
from pullback.derivation.structure import respecting
from pullback.language.parse import parse_program
from pullback.verification.certificate import certify
from pullback.verification.exact import array, real_context
from pullback.verification.motions import motion_of

DECLARED = "A: n n, B: n n, C: n n, a: n, b: n"
FUNCTIONS = ["tr(A*X)", "a'*inv(X + 9*eye(n))*b", "tr(X'*B*X*C)", "sum(exp(X*a))", "A*X*B"]
KINDS = ["symmetric", "posdef", "skew", "diagonal", "orthogonal", "lower", "upper"]


def stated(function: str, kind: str):
    return parse_program(f"X: n n {kind}, {DECLARED}\n{function}")


def claimed(function: str, kind: str, claim: str, structured, order: int = 1) -> Derivation:
    """A derivation that claims a text, right or wrong."""
    program = stated(function, kind)
    read = parse_program(f"X: n n {kind}, {DECLARED}\n{claim}").result
    found = derive(program, ["X"] * order, structured)
    assert found.shape == read.shape
    return replace(found, node=read)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_right_answers_pass_in_each_convention(function: str, kind: str) -> None:
    program = stated(function, kind)
    for structured in (None, "tangent", *(() if kind == "orthogonal" else ("free",))):
        certificate = certify(derive(program, ["X"], structured))
        assert certificate.passed and certificate.worst < 1e-20, (structured, str(certificate))


@pytest.mark.parametrize("structured", ["free", "tangent"])
@pytest.mark.parametrize("wrt", [["X", "X"], ["X", "A"], ["a", "X"]])
def test_right_second_derivatives_pass(wrt: list[str], structured) -> None:
    for kind in ("symmetric", "skew", "diagonal", "lower"):
        program = stated("a'*A*inv(X + 9*eye(n))*b + tr(X*A*X)", kind)
        assert certify(derive(program, wrt, structured)).passed, kind


def test_a_right_mixed_derivative_along_the_orthogonal_matrices() -> None:
    program = stated("tr(A*X*B*X)", "orthogonal")
    assert certify(derive(program, ["X", "A"], "tangent")).passed
    assert certify(derive(program, ["A", "X"], "tangent")).passed


@pytest.mark.parametrize("function", ["tr(A*X*B*X')", "sum(exp(X*a))", "X*a"])
def test_second_derivatives_along_the_orthogonal_matrices(function: str) -> None:
    """Projecting the second derivative by independent entries forgets the bend of the set."""
    program = stated(function, "orthogonal")
    found = derive(program, ["X", "X"], "tangent")
    assert certify(found).passed
    assert certify(replace(found, node=derive(program, ["X", "X"]).node)).wrong
    flat = derive(program, ["X", "X"]).raw
    for first in (found.groups[0], found.groups[0] + 2):
        flat = respecting(flat, program.variables["X"], first, "tangent")
    assert certify(replace(found, node=flat)).wrong


WRONG = [
    # symmetric: not symmetrised, the other convention, the diagonal doubled, one triangle only
    ("tr(A*X)", "symmetric", "A'", "free"),
    ("tr(A*X)", "symmetric", "A + A'", "free"),
    ("tr(A*X)", "symmetric", "(A + A')/2", "free"),
    ("tr(A*X)", "symmetric", "A + A' + A .* eye(n)", "free"),
    ("tr(A*X)", "symmetric", "A'", "tangent"),
    ("tr(A*X)", "symmetric", "A + A' - A .* eye(n)", "tangent"),
    ("tr(A*X)", "symmetric", "A'", None),
    ("tr(A*X)", "symmetric", "(A + A')/2", None),
    ("logdet(X)", "posdef", "inv(X)", "free"),
    ("logdet(X)", "posdef", "2*inv(X)", "free"),
    ("logdet(X)", "posdef", "2*inv(X) - inv(X) .* eye(n)", "tangent"),
    # skew: the sign below the diagonal, the factor of the other convention
    ("tr(A*X)", "skew", "A + A'", "free"),
    ("tr(A*X)", "skew", "A - A'", "free"),
    ("tr(A*X)", "skew", "A' - A", "tangent"),
    ("tr(A*X)", "skew", "A'", "tangent"),
    # diagonal: entries beside the diagonal, which cannot move
    ("tr(A*X)", "diagonal", "A'", "free"),
    ("tr(A*X)", "diagonal", "A'", "tangent"),
    ("tr(A*X)", "diagonal", "2 * A .* eye(n)", "free"),
    # triangular: what stands beside the triangle, the other triangle's rule
    ("tr(A*X)", "lower", "A'", "free"),
    ("tr(A*X)", "upper", "A'", "tangent"),
    ("tr(A*X)", "lower", "A' .* eye(n)", "tangent"),
    ("tr(A*X)", "upper", "(A + A')/2", "tangent"),
    # orthogonal: not projected, twice too long, the transpose forgotten
    ("tr(A*X)", "orthogonal", "A'", "tangent"),
    ("tr(A*X)", "orthogonal", "A' - X*A*X", "tangent"),
    ("tr(A*X)", "orthogonal", "(A' - X*A'*X)/2", "tangent"),
    # right along the set, with a part beside it: of the wrong symmetry, or normal to the set
    ("tr(A*X)", "symmetric", "(A + A')/2 + (B - B')", "tangent"),
    ("tr(A*X)", "orthogonal", "(A' - X*A*X)/2 + X*(B + B')", "tangent"),
]


@pytest.mark.parametrize(("function", "kind", "claim", "structured"), WRONG)
def test_wrong_answers_fail(function: str, kind: str, claim: str, structured) -> None:
    found = claimed(function, kind, claim, structured)
    if (claim, structured) == ("A'", None):  # right, where entries are independent
        assert certify(found).passed
    else:
        assert certify(found).wrong


def test_wrong_second_derivatives_fail() -> None:
    program = stated("tr(A*X*B*X)", "symmetric")
    plain, free, tangent = (derive(program, ["X", "X"], c) for c in (None, "free", "tangent"))
    for asked, others in ((free, (plain, tangent)), (tangent, (plain, free))):
        assert certify(asked).passed
        for other in others:
            assert certify(replace(asked, node=other.node)).wrong


def test_a_unit_sum() -> None:
    text = "p: n unit-sum positive, A: m n, b: m\nnorm2(A*p - b)^2 + p'*log(p)"
    program = parse_program(text)
    for wrt in (["p"], ["p", "p"], ["p", "b"]):
        found = derive(program, wrt, "tangent")
        assert certify(found).passed
        assert certify(replace(found, node=derive(program, wrt).node)).wrong


@pytest.mark.parametrize("kind", ["symmetric", "skew", "diagonal", "orthogonal", "lower", "upper"])
def test_a_motion_stays_in_the_set_and_meets_every_tangent(kind: str) -> None:
    """Displacements and their opposites end at the same distance, to third order."""
    mp = real_context(60)
    rng = np.random.default_rng(0)
    X, R = rng.normal(size=(2, 3, 3))
    inside = {
        "symmetric": lambda m: m - m.T,
        "skew": lambda m: m + m.T,
        "diagonal": lambda m: m - np.diag(np.diag(m)),
        "orthogonal": lambda m: m.T @ m - np.eye(3),
        "lower": lambda m: np.triu(m, 1),
        "upper": lambda m: np.tril(m, -1),
    }[kind]
    at = {
        "symmetric": X + X.T,
        "skew": X - X.T,
        "diagonal": np.diag(np.diag(X)),
        "orthogonal": np.linalg.qr(X)[0],
        "lower": np.tril(X),
        "upper": np.triu(X),
    }[kind]
    motion = motion_of(stated("tr(X)", kind).variables["X"], "tangent")
    point = array(at, mp)
    along = motion.along(point, array(R, mp), mp)
    again = motion.along(point, along, mp)
    np.testing.assert_allclose((along - again).astype(float), 0, atol=1e-15)  # a projection
    h = mp.mpf("1e-6")
    ahead, behind = (motion.moved(point, sign * h * along, mp) for sign in (1, -1))
    np.testing.assert_allclose(inside(ahead).astype(float), 0, atol=1e-15)
    assert max(abs(v) for v in ((ahead - behind) / (2 * h) - along).flat) < 1e-10


@pytest.mark.parametrize("kind", ["symmetric", "skew", "diagonal", "orthogonal"])
def test_matrices_of_a_batch_move_each_in_its_own_set(kind: str) -> None:
    program = batch(stated("a'*X*A*X*b", kind), over=("X", "a"))
    found = derive(program, ["X"], "tangent")
    assert found.node.order == 3 and certify(found).passed
    assert certify(replace(found, node=derive(program, ["X"]).node)).wrong


def test_samples_of_unit_sum() -> None:
    program = batch(parse_program("p: n unit-sum, A: n n\np'*A*p"), over=("p",))
    found = derive(program, ["p"], "tangent")
    assert found.node.order == 2 and certify(found).passed
    assert certify(replace(found, node=derive(program, ["p"]).node)).wrong

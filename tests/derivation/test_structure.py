"""Derivatives by structured variables, against differences along the structure."""

from __future__ import annotations

import numpy as np
import pytest

from pullback.derivation.derive import derive
from pullback.errors import MissingRule, PullbackError
from pullback.language.parse import parse_program
from pullback.verification.exact import array, evaluate, real_context

MP = real_context(40)
N = 3
MASKS = {
    "diagonal": np.eye(N),
    "lower": np.tril(np.ones((N, N))),
    "upper": np.triu(np.ones((N, N))),
}
FUNCTIONS = [
    "tr(A*X)",
    "a'*X*b + tr(A*X*B*X)",
    "a'*inv(X + 9*eye(n))*b",
    "logdet(X + 9*eye(n))",
    "sum(exp(X*a))",
]


def tangent(kind: str, rng: np.random.Generator, at: np.ndarray) -> np.ndarray:
    free = rng.normal(size=(N, N))
    if kind == "symmetric":
        return free + free.T
    if kind == "skew":
        return free - free.T
    if kind in MASKS:
        return free * MASKS[kind]
    return at @ (free - free.T)  # X Ω moves an orthogonal X along the orthogonal matrices


def basis(kind: str) -> list[tuple[int, int, np.ndarray]]:
    """What X moves by when one free entry moves."""
    moves = []
    for i, j in np.ndindex(N, N):
        if (kind == "skew" and i >= j) or (kind == "symmetric" and i > j):
            continue
        if kind in MASKS and not MASKS[kind][i, j]:
            continue
        E = np.zeros((N, N))
        if kind in ("skew", "symmetric"):
            E[j, i] = -1 if kind == "skew" else 1
        E[i, j] = 1
        moves.append((i, j, E))
    return moves


def points(kind: str) -> tuple[np.random.Generator, dict[str, np.ndarray]]:
    rng = np.random.default_rng(7)
    values = {v: rng.normal(size=(N, N)) for v in "AB"} | {v: rng.normal(size=N) for v in "ab"}
    X = tangent(kind, rng, np.eye(N))
    values["X"] = np.linalg.qr(X)[0] if kind == "orthogonal" else X
    return rng, values


def difference(program, values, move):
    """The derivative of the result when X moves, by central differences at 40 digits."""
    step = MP.mpf(10) ** -12
    ends = []
    for sign in (1, -1):
        given = {v: array(values[name], MP) for name, v in program.variables.items()}
        X = program.variables["X"]
        given[X] = given[X] + sign * step * array(move, MP)
        ends.append(evaluate([program.result], given, {"n": N}, MP)[program.result])
    return float((ends[0] - ends[1]) / (2 * step))


def value(program, values, node):
    given = {v: array(values[name], MP) for name, v in program.variables.items()}
    return evaluate([node], given, {"n": N}, MP)[node].astype(float)


def program_of(function: str, kind: str):
    return parse_program(f"X: n n {kind}, A: n n, B: n n, a: n, b: n\n{function}")


@pytest.mark.parametrize("kind", ["symmetric", "skew", "orthogonal", *MASKS])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_gradient_along_the_set(function: str, kind: str) -> None:
    """It is a direction of the set, and its products with such directions are derivatives."""
    program = program_of(function, kind)
    rng, values = points(kind)
    found = derive(program, ["X"], structured="tangent")
    gradient = value(program, values, found.node)
    X = values["X"]
    inside = {
        "symmetric": gradient - gradient.T,
        "skew": gradient + gradient.T,
        "orthogonal": X.T @ gradient + gradient.T @ X,
        **{name: gradient * (1 - mask) for name, mask in MASKS.items()},
    }[kind]
    np.testing.assert_allclose(inside, 0, atol=1e-10)
    for _ in range(3):
        move = tangent(kind, rng, X)
        expected = difference(program, values, move)
        np.testing.assert_allclose(np.sum(gradient * move), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("kind", ["symmetric", "skew", *MASKS])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_partials_by_the_free_entries(function: str, kind: str) -> None:
    program = program_of(function, kind)
    _, values = points(kind)
    partials = value(program, values, derive(program, ["X"], structured="free").node)
    for i, j, move in basis(kind):
        expected = difference(program, values, move)
        np.testing.assert_allclose(partials[i, j], expected, rtol=1e-9, atol=1e-12)
        sign = {"symmetric": 1, "skew": -1}.get(kind, 0)
        if sign and i != j:
            np.testing.assert_allclose(partials[j, i], sign * partials[i, j], rtol=1e-14)
    np.testing.assert_array_equal(partials * (1 - MASKS.get(kind, np.ones((N, N)))), 0)


def test_the_cookbook_by_a_symmetric_matrix() -> None:
    """∂ log det X / ∂X = 2 X⁻¹ − X⁻¹ ⊙ I by the free entries, X⁻¹ along the symmetric ones."""
    program = parse_program("X: n n posdef\nlogdet(X)")
    expected = parse_program("X: n n posdef\n2*inv(X) - inv(X) .* eye(n)").result
    assert derive(program, ["X"], structured="free").node is expected
    assert (
        derive(program, ["X"], structured="tangent").node
        is parse_program("X: n n posdef\ninv(X)").result
    )


def test_a_second_derivative_by_free_entries() -> None:
    """Each entry of the Hessian moves two free entries."""
    program = program_of("tr(A*X*B*X)", "symmetric")
    _, values = points("symmetric")
    hessian = value(program, values, derive(program, ["X", "X"], structured="free").node)
    for i, j, one in basis("symmetric"):
        for k, l, other in basis("symmetric"):
            product = values["A"] @ one @ values["B"] @ other
            expected = np.trace(product + values["A"] @ other @ values["B"] @ one)
            np.testing.assert_allclose(hessian[i, j, k, l], expected, atol=1e-10)


def test_a_second_derivative_along_the_orthogonal_matrices_knows_their_bend() -> None:
    """Along X exp(tΩ) the second derivative of tr(A X) is tr(A X Ω²), by hand."""
    program = program_of("tr(A*X)", "orthogonal")
    rng, values = points("orthogonal")
    hessian = value(program, values, derive(program, ["X", "X"], structured="tangent").node)
    A, X = values["A"], values["X"]
    for _ in range(3):
        free = rng.normal(size=(N, N))
        turn = free - free.T
        move = X @ turn
        found = np.einsum("ijkl,ij,kl->", hessian, move, move)
        np.testing.assert_allclose(found, np.trace(A @ X @ turn @ turn), rtol=1e-12)
        np.testing.assert_allclose(np.einsum("ijkl,ij->kl", hessian, X), 0, atol=1e-13)


def test_what_is_refused() -> None:
    with pytest.raises(MissingRule, match="not free"):
        derive(program_of("tr(A*X)", "orthogonal"), ["X"], structured="free")
    with pytest.raises(MissingRule, match="no third derivative"):
        derive(program_of("tr(A*X)", "orthogonal"), ["X", "X", "X"], structured="tangent")
    with pytest.raises(MissingRule, match="cannot move"):
        derive(parse_program("y: n binary\ny'*y"), ["y"], structured="free")
    with pytest.raises(MissingRule, match="unit sum are not free: p(\n|.)*'tangent'"):
        derive(parse_program("p: n unit-sum\np'*p"), ["p"], structured="free")
    with pytest.raises(MissingRule, match="orthogonal and skew: X"):
        derive(program_of("tr(A*X)", "orthogonal skew"), ["X"], structured="tangent")
    with pytest.raises(PullbackError, match="no convention"):
        derive(program_of("tr(A*X)", "symmetric"), ["X"], structured="full")  # type: ignore[arg-type]


def test_what_two_words_say_together() -> None:
    """A symmetric triangular matrix is diagonal, and so is one that is lower and upper."""
    expected = parse_program("A: n n\nA .* eye(n)").result
    for words in ("symmetric lower", "lower upper", "diagonal posdef", "diagonal upper"):
        assert derive(program_of("tr(A*X)", words), ["X"], "free").node is expected, words


def test_along_the_vectors_of_unit_sum() -> None:
    """The gradient less its mean (the projection on the simplex's affine hull)."""
    found = derive(parse_program("p: n unit-sum, a: n\na'*p"), ["p"], structured="tangent")
    a = np.array([1.0, 5.0, -3.0])
    given = {found.program.variables["a"]: array(a, MP)}
    gradient = evaluate([found.node], given, {"n": N}, MP)[found.node]
    np.testing.assert_allclose(gradient.astype(float), a - a.mean(), rtol=1e-15)
    assert found.along() == "along vectors p of unit sum"


def test_a_variable_without_structure_is_free_in_each_convention() -> None:
    program = parse_program("A: n n, x: n positive\nx'*A*x")
    for name in ("A", "x"):
        plain = derive(program, [name])
        for structured in ("free", "tangent"):
            found = derive(program, [name], structured)
            assert found.node is plain.node
            assert found.along() == f"all entries of {name} are free"
        assert plain.along() == "" and not plain.taken_as_independent()


def test_entries_are_independent_by_default() -> None:
    program = program_of("tr(A*X)", "symmetric")
    found = derive(program, ["X"])
    assert found.structured is None
    assert found.node is parse_program("A: n n\nA'").result

"""Where a certificate could be fooled, or could call a right answer wrong: at its limits."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pullback.derivation.derive import derive
from pullback.expressions import constructors as make
from pullback.language.parse import parse_program
from pullback.verification.certificate import certify, check_values


def derivation(text: str, name: str, claim: str | None = None, order: int = 1):
    """The derivative, or a claim in its place."""
    declared, _, _ = text.rpartition("\n")
    found = derive(parse_program(text), [name] * order)
    if claim is None:
        return found
    read = parse_program(f"{declared}\n{claim}").result
    assert read.shape == found.shape
    return replace(found, node=read)


NARROW = [
    ("A: m n\nlogdet(A*A')", "A"),
    ("A: m n\nlogdet(A'*A)", "A"),
    ("X: n n skew\nlogdet(X)", "X"),  # only for an even n
    ("s:\nlog(100 - s)*log(s - 99)", "s"),
    ("x: n\nsum(log(x - 50))", "x"),
    ("x: n\nsum(log(-100 - x))", "x"),
    ("x: n\nlog(x'*x - 100)", "x"),
    ("s:\narccos(s - 5)", "s"),
    ("x: n\nlog(1 - x'*x)", "x"),
    ("x: n positive\nlog(1 - sum(x))", "x"),
]


@pytest.mark.parametrize(("text", "name"), NARROW)
@pytest.mark.parametrize("order", [1, 2])
def test_a_narrow_domain_is_found(text: str, name: str, order: int) -> None:
    assert certify(derivation(text, name, order=order)).passed


STEEP = [
    "exp(1e6*s)",
    "exp(-1e9*s)",
    "exp(-1000*s^2)",
    "sigmoid(1e4*s)",
    "s^300",
    "exp(exp(5*s))",
    "1e-200*s^4",
    "s^4 + 1e200",
    "1 + 1e-100*exp(s)",
    "tanh(50 + s)",
]


@pytest.mark.parametrize("function", STEEP)
@pytest.mark.parametrize("order", [1, 2, 3])
def test_numbers_of_very_different_size(function: str, order: int) -> None:
    """Right answers pass, and fail with an error of 1e-9 or as a zero."""
    right = derivation(f"s:\n{function}", "s", order=order)
    result = certify(right)
    assert result.passed and not result.message
    wrong = make.scale(make.exact_number(1.000000001), right.node)
    assert certify(replace(right, node=wrong)).wrong
    assert certify(replace(right, node=make.zeros(right.node.shape))).wrong


@pytest.mark.parametrize("function", ["s^1e300", "(1 + s)^1e300", "s^-1e300", "s^1e6"])
def test_what_is_out_of_reach_is_said(function: str) -> None:
    """Nothing can be told of these in any number of digits: neither certified nor called zero."""
    result = certify(derivation(f"s:\n{function}", "s"))
    assert not result.passed and not result.wrong
    assert "too small" in result.message or "too large" in result.message


SMALL_TERMS = [
    ("x: n, A: m n, b: m\nnorm2(A*x - b)^2 + 1e-12*x'*x", "2*A'*(A*x - b)"),
    ("x: n\nsum(exp(x)) + 1e-15*x'*x", "exp(x)"),
    ("x: n, a: n\n1e20*a'*x + x'*x", "1e20*a"),
    ("x: n\nx'*x + 1e200", "vector(0, n)"),
    ("x: n\n1 + 1e-100*x'*x", "vector(0, n)"),
    ("x: n\nsum(x)", "vector(1, n) + 1e-43*x"),
    ("x: n\n1e-60*x'*x", "vector(0, n)"),
]


@pytest.mark.parametrize(("text", "claim"), SMALL_TERMS)
def test_a_small_term_cannot_be_left_out(text: str, claim: str) -> None:
    assert certify(derivation(text, "x")).passed
    assert certify(derivation(text, "x", claim)).wrong


def test_each_entry_is_compared_on_its_own_scale() -> None:
    """An error in an entry of 1 beside entries of 1e14."""
    text = "x: n, D: n n diagonal\n1e14*(x'*x) + sum(x)"
    assert certify(derivation(text, "x", "2e14*x + vector(1, n)")).passed
    assert certify(derivation(text, "x", "2e14*x")).wrong


KINKS = [
    ("relu(s)", "1"),
    ("relu(s)", "0"),
    ("abs(s)", "1"),
    ("relu(s - 100)", "0"),
    ("relu(s - 100)", "1"),
    ("max(s, 1000)", "0"),
    ("max(s, 1000)", "1"),
    ("abs(s - 30)", "-1"),
    ("where(s < 7, s, 2*s)", "1"),
    ("where(s < 7, s, 2*s)", "2"),
    ("relu(-s)", "-1"),
    ("leaky_relu(s, 0.1)", "0.1"),
]


@pytest.mark.parametrize(("function", "claim"), KINKS)
def test_both_sides_of_a_kink_are_met(function: str, claim: str) -> None:
    """A claim that is right on one side only is wrong, whatever the seed."""
    right = derivation(f"s:\n{function}", "s")
    wrong = replace(right, node=parse_program(f"s:\n{claim} + 0*s").result)
    for seed in range(5):
        assert certify(right, seed=seed).passed
        assert certify(wrong, seed=seed).wrong, seed
        assert check_values(right.node, wrong.node, seed=seed).wrong


def test_a_kink_in_the_wrong_place() -> None:
    """The subgradient of the hinge loss with the hinge at 0: right but between 0 and 1."""
    text = "X: n p, w: p, y: n sign\nsum(relu(1 - y .* (X*w)))"
    for seed in range(5):
        wrong = derivation(text, "w", "-X'*(y .* step(-y .* (X*w)))")
        assert certify(wrong, seed=seed).wrong, seed


def test_values_are_equal_only_if_no_digit_tells_them_apart() -> None:
    def node(text: str):
        return parse_program(f"x: n\n{text}").result

    assert check_values(node("1e-40*x"), node("0*x")).wrong
    assert check_values(node("1e-40*x"), node("1e-40*x + 1e-70*x .^ 2")).wrong
    assert check_values(node("x + 1e-19*x .^ 2"), node("x")).wrong
    assert check_values(node("exp(2*x) - exp(x) .^ 2"), node("0*x")).passed
    assert check_values(node("x - 1e-30*exp(log(x .^ 2)) + 1e-30*x .^ 2"), node("x")).passed


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("text", ["x: n\nsign(x'*x)", "x: n, y: n\ny'*y", "x: n\nrelu(-x'*x - 1)"])
def test_a_true_zero_is_said_to_be_one(text: str, order: int) -> None:
    result = certify(derivation(text, "x", order=order))
    assert result.passed and result.message == "the derivative is zero at every point tried"


def test_points_of_every_assumption() -> None:
    """Functions that have a value only where the assumption holds, or that break beside it."""
    for text, name in (
        ("S: n n posdef\nlogdet(S) + tr(inv(S))", "S"),
        ("p: n unit-sum positive\np'*log(p)", "p"),
        ("p: n unit-sum\nlog(sum(p))", "p"),
        ("y: n binary, x: n\nsum(log(1 + exp(x)) - y .* x)", "x"),
        ("y: n sign, x: n\nsum(log(1 + exp(-y .* x)))", "x"),
        ("y: n sign\nsum(log(2 + y))", "y"),
        ("Q: n n orthogonal, x: n\nlog(norm2(Q*x))", "x"),
        ("Q: n n orthogonal\nlogdet(Q^2) + logdet(Q)^2", "Q"),
    ):
        for order in (1, 2):
            assert certify(derivation(text, name, order=order)).passed, text

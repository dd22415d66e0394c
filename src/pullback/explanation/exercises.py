"""Practice problems of graded difficulty, made by chance from a seed, and marked."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from pullback.derivation.derive import derive
from pullback.errors import PullbackError
from pullback.explanation.explain import Explanation, explain
from pullback.expressions.program import Program
from pullback.expressions.sizes import shape_text
from pullback.expressions.walks import variables
from pullback.language.parse import parse_program
from pullback.notation.equations import equation
from pullback.notation.names import Names
from pullback.notation.write import write
from pullback.verification.grading import Grade, grade
from pullback.verification.handwritten import Backward, grade_function

Chance = random.Random
Problem = tuple[str, str, tuple[str, ...]]  # shapes, the lines, what to differentiate by

SMOOTH = ("exp", "sin", "tanh", "sigmoid", "softplus")
ACTIVATIONS = ("sigmoid", "tanh", "softplus", "relu")


@dataclass(frozen=True)
class Exercise:
    """A function, and what to differentiate it by."""

    program: Program
    wrt: tuple[str, ...]
    level: int
    seed: int

    @property
    def question(self) -> str:
        """What is asked, with the shapes that are known."""
        lines = self.program.text.strip().splitlines()
        shapes = ", ".join(
            f"{v.name}: {' '.join([shape_text(v.shape), *sorted(v.assumptions)])}"
            for v in variables(self.program.result)
        )
        by = "".join(f"∂{name}" for name in self.wrt)
        what = f"∂{'²' if len(self.wrt) > 1 else ''}{self.program.result_name or 'f'}/{by}"
        return "\n".join([*lines[1:], f"({shapes})", f"What is {what}?"])

    @property
    def answer(self) -> str:
        """The derivative."""
        return equation(derive(self.program, self.wrt), named=True)

    @property
    def solution(self) -> Explanation:
        """The derivation, step by step; of a second derivative, its first step."""
        return explain(self.program, self.wrt[:1])

    @property
    def hint(self) -> str:
        """The first thing that is handed back."""
        step = next(iter(self.solution.backward), None)
        names = Names.of(self.program, named=True)
        if step is None:
            return "nothing is on the way: the result is the variable itself"
        return f"start from the result, {write(self.program.result, names)}: {step.operation}"

    def grade(self, claim: str | Backward) -> Grade:
        """Whether a formula, or a backward pass as a Python function, is right."""
        if isinstance(claim, str):
            return grade(self.program, self.wrt, claim)
        if len(self.wrt) > 1:
            raise PullbackError("a second derivative is answered by a formula")
        return grade_function(self.program, self.wrt, claim)

    def __str__(self) -> str:
        return self.question


def exercise(level: int = 1, seed: int | None = None) -> Exercise:
    """A problem: level 1 of vectors, 2 linear maps, 3 matrices, 4 networks, 5 batches and more.

    The same seed gives the same problem. Raises PullbackError for another level.

    >>> problem = exercise(2, seed=1)
    >>> problem.grade(problem.answer.partition(" = ")[2]).right
    True
    """
    if level not in LEVELS:
        raise PullbackError(f"there is no level {level}", hint=f"levels: 1 to {max(LEVELS)}")
    number = random.randrange(10**6) if seed is None else seed  # noqa: S311  # no secret
    chance = random.Random(f"{level}/{number}")  # noqa: S311  # no secret
    shapes, lines, wrt = LEVELS[level](chance)
    return Exercise(parse_program(f"{shapes}\n{lines}"), wrt, level, number)


def _vectors(chance: Chance) -> Problem:
    f, g = chance.sample(SMOOTH, 2)
    k = chance.randint(2, 4)
    term = chance.choice(
        [f"sum({f}(x))", f"a'*{f}(x)", f"sum(x.^{k})", "norm2(x)^2", "norm2(x - a)^2", "a'*x"]
    )
    other = chance.choice([f"{k}*b'*x", f"sum({g}(x))", "norm2(x - b)^2/2"])
    return "x: n, a: n, b: n", f"f = {term} {chance.choice('+-')} {other}", ("x",)


def _linear(chance: Chance) -> Problem:
    f = chance.choice(SMOOTH)
    term, shapes = chance.choice(
        [
            ("norm2(A*x - b)^2", "A: m n, x: n, b: m"),
            ("norm2(A*x - b)^2/2 + c*norm2(x)^2", "A: m n, x: n, b: m, c:"),
            ("x'*A*x + b'*x", "A: n n, x: n, b: n"),
            (f"sum({f}(A*x))", "A: m n, x: n"),
            (f"b'*{f}(A*x + b)", "A: m n, x: n, b: m"),
            ("exp(x'*A*x)", "A: n n, x: n"),
            ("log(sum(exp(A*x)))", "A: m n, x: n"),
            ("(a'*x)/norm2(x)", "a: n, x: n"),
        ]
    )
    return shapes, f"f = {term}", ("x",)


def _matrices(chance: Chance) -> Problem:
    term, shapes = chance.choice(
        [
            ("a'*X*b", "X: m n, a: m, b: n"),
            ("tr(A*X*B)", "X: n m, A: p n, B: m p"),
            ("tr(X'*A*X)", "X: m n, A: m m"),
            ("normF(A*X - B)^2", "X: n p, A: m n, B: m p"),
            ("logdet(X) + tr(A*X)", "X: n n, A: n n"),
            ("a'*inv(X)*b", "X: n n, a: n, b: n"),
            ("tr(inv(X)*A)", "X: n n, A: n n"),
            ("norm2(X*a - b)^2 + c*normF(X)^2", "X: m n, a: n, b: m, c:"),
            (f"sum({chance.choice(SMOOTH)}(A*X))", "X: n p, A: m n"),
        ]
    )
    return shapes, f"f = {term}", ("X",)


def _networks(chance: Chance) -> Problem:
    first, second = chance.choices(ACTIVATIONS, k=2)
    cost = chance.choice(["norm2(h - y)^2", "norm2(h - y)^2/2", "sum(log(1 + exp(h))) - y'*h"])
    output = chance.choice(["V*g", "V*g + b", f"{second}(V*g)"])
    shapes = "U: m n, V: p m, x: n, y: p" + (", b: p" if "b" in output else "")
    lines = f"f = U*x\ng = {first}(f)\nh = {output}\nL = {cost}"
    return shapes, lines, (chance.choice(["U", "V", "x"]),)


def _batches(chance: Chance) -> Problem:
    return chance.choice(
        [
            ("X: N n, W: n p, Y: N p", "H = X*W\nL = normF(H - Y)^2/N", ("W",)),
            ("X: N n, w: n, y: N sign", "m = y.*(X*w)\nL = sum(log(1 + exp(-m)))", ("w",)),
            ("X: N n, w: n, y: N sign", "m = y.*(X*w)\nL = sum(log(1 + exp(-m)))", ("w", "w")),
            ("x: n, y: n unit-sum", "p = softmax(x)\nL = -y'*log(p)", ("x",)),
            (
                "Q: m d, K: n d, V: n d, G: m d",
                "S = Q*K'\nA = softmax(S, 2)\nL = tr(G'*A*V)",
                ("V",),
            ),
            ("T: n m, U: n k, V: m k", "R = T - U*V'\nL = normF(R)^2", ("U",)),
            ("A: m n, x: n, b: m", "r = A*x - b\nL = norm2(r)^2", ("x", "x")),
            ("x: n", "f = log(sum(exp(x)))", ("x", "x")),
        ]
    )


LEVELS: dict[int, Callable[[Chance], Problem]] = {
    1: _vectors,
    2: _linear,
    3: _matrices,
    4: _networks,
    5: _batches,
}

"""Practice problems: every one has a right answer, and wrong ones are told."""

from __future__ import annotations

import numpy as np
import pytest
from click.testing import CliRunner

import pullback as pb
from pullback.cli import main


@pytest.mark.parametrize("level", [1, 2, 3, 4, 5])
def test_the_answer_of_every_problem_is_right_and_twice_it_is_not(level):
    for seed in range(5):
        problem = pb.exercise(level, seed)
        answer = problem.answer.partition(" = ")[2]
        assert problem.grade(answer).right
        wrong = problem.grade(f"2*({answer})")
        assert not wrong.right and "twice" in wrong.reason
        assert problem.hint and problem.question.endswith("?")


def test_a_seed_gives_the_same_problem_and_others_differ():
    assert pb.exercise(3, 4).question == pb.exercise(3, 4).question
    assert len({pb.exercise(4, seed).question for seed in range(20)}) > 8
    with pytest.raises(pb.PullbackError, match="levels: 1 to 5"):
        pb.exercise(9)


def test_a_python_function_is_an_answer_too():
    seed = next(s for s in range(50) if "norm2(A*x - b)^2\n" in pb.exercise(2, s).question)
    graded = pb.exercise(2, seed).grade(lambda A, x, b: 2 * np.transpose(A) @ (A @ x - b))
    assert graded.right


def test_the_command_asks_until_the_answer_is_right():
    problem = pb.exercise(2, 1)
    right = problem.answer.partition(" = ")[2]
    done = CliRunner().invoke(
        main, ["exercise", "--level", "2", "--seed", "1"], input=f"?\n3*({right})\n(\n{right}\n"
    )
    assert done.exit_code == 0
    assert problem.hint in done.output and "wrong: " in done.output and "right: " in done.output
    done = CliRunner().invoke(main, ["exercise", "--level", "2", "--seed", "1", "--answer", "x"])
    assert done.exit_code == 1 and "wrong" in done.output
    done = CliRunner().invoke(main, ["exercise", "--level", "2", "--seed", "1", "--solution"])
    assert problem.answer in done.output

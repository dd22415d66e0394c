"""Texts that are no formulas, or formulas that are no one's: only PullbackError, and soon."""

from __future__ import annotations

import re
from pathlib import Path

import hostile
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from survival import DIALECTS, Slow, fired, survive
from texts import texts

import pullback as pb
from pullback import language
from pullback.cli import main
from pullback.errors import PullbackError
from pullback.language.faults import LONGEST, LONGEST_LINE

unhurried = [HealthCheck.too_slow, HealthCheck.data_too_large]


@given(texts, st.sampled_from(DIALECTS))
@settings(max_examples=1500, deadline=None, suppress_health_check=unhurried)
def test_random_texts(text: str, dialect: str | None) -> None:
    survive(text, dialect)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_hostile_texts(dialect: str | None) -> None:
    for text in (*hostile.ATTACKS, *hostile.NUMBERS, *hostile.SIZES):
        survive(text, dialect)


@pytest.mark.parametrize("kind", hostile.NESTED)
def test_ten_thousand_deep(kind: str) -> None:
    """As typed, and not quite so deep in every dialect; ``many_texts`` is as deep in all of them."""
    survive(hostile.nested(kind, hostile.DEEP))
    for dialect in DIALECTS:
        for depth in (180, 400):
            survive(hostile.nested(kind, depth), dialect)


@pytest.mark.parametrize("kind", hostile.LONG)
def test_long_texts_take_time_in_proportion(kind: str) -> None:
    for dialect in DIALECTS:
        survive(hostile.long(kind, 3_000), dialect)
    for dialect in (None, "latex"):
        survive(hostile.long(kind, 20_000), dialect)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_megabyte(dialect: str | None) -> None:
    """One line of it is refused for its length."""
    for part in ("x + ", "(", "ab ", "\0", "🙂", "%", "\\", "'", "|"):
        became = survive(part * (1_000_000 // len(part)), dialect)
        assert re.match(r"refused: this line has (1000000|999999) characters", became)


def test_a_megabyte_of_lines() -> None:
    for part in ("x + \n", "x = 1\n", ";;;;", "\n", "% x\n", "(\n"):
        survive(part * (1_000_000 // len(part)))
    assert "the text has 1000002" in survive("x\n" * 500_001)
    assert LONGEST == 1_000_000 and LONGEST_LINE == 100_000


@pytest.mark.parametrize("name", hostile.NAMES)
def test_names_that_mean_something_elsewhere(name: str) -> None:
    """A variable of any name that is accepted has the right gradient, in code of either form."""
    for text in (f"sum({name}.*{name})", f"{name}(x)", f"{name} = x.*x\nsum({name})"):
        survive(text)
    try:
        f = pb.parse(f"{name}: n\nq = {name}.*{name}\nsum(q)")
    except PullbackError:
        return
    (variable,) = f.to_program().variables
    for planned in (False, True):
        fn = pb.compile(pb.derivative(f, variable), planned=planned)
        np.testing.assert_array_equal(fn(**{variable: np.array([1.5, -2.0])}), [3.0, -4.0])


@given(
    st.lists(texts, min_size=1, max_size=4),
    st.sampled_from(["derive", "explain", "check", "grade"]),
)
@settings(max_examples=60, deadline=None, suppress_health_check=unhurried)
@example(["--wrt"], "derive")
@example(["x", "--wrt", "x", "--shape", "x: 99999999999999999999"], "check")
@example(["x", "--wrt", "\0"], "derive")
def test_the_command_line(words: list[str], command: str) -> None:
    """Exit status 0, 1 or 2, and a message in place of a traceback."""
    done = CliRunner().invoke(main, [command, *words, "--wrt", "x"])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    assert done.exit_code in (0, 1, 2) and not fired
    assert "Traceback" not in done.output


def test_the_language_runs_nothing_as_python() -> None:
    runs = re.compile(r"(?<![\w.])(eval|exec|compile|__import__|literal_eval)\(")
    for path in Path(language.__file__).parent.rglob("*.py"):
        assert not runs.search(path.read_text(encoding="utf-8")), path


def test_a_slow_text_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("survival.SECONDS", -1.0)
    with pytest.raises(Slow):
        survive("x")

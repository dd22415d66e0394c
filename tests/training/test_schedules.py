"""Learning rates by their values."""

import math
from itertools import pairwise

import pytest

from pullback.training import schedules


def test_values():
    assert schedules.constant(0.2)(100) == 0.2
    assert schedules.inverse_time(0.2, decay=1.0)(3) == pytest.approx(0.05)
    assert schedules.exponential(0.2, decay=0.5)(4) == pytest.approx(0.2 * math.exp(-2))
    assert schedules.step(0.2, factor=0.1, every=5)(10) == pytest.approx(0.002)
    assert schedules.cosine(0.2, epochs=8, final=0.1)(2) == pytest.approx(
        0.1 + 0.05 * (1 + math.sqrt(0.5))
    )


def test_one_over_t_sums_to_infinity_and_its_squares_do_not():
    """Robbins and Monro's conditions, seen as growth by log 10 per decade and as convergence."""
    rate = schedules.inverse_time(1.0, decay=1.0)
    decade = [sum(rate(t) for t in range(10**k, 10 ** (k + 1))) for k in (3, 4)]
    assert decade == pytest.approx([math.log(10)] * 2, rel=1e-3)
    assert sum(rate(t) ** 2 for t in range(20000)) == pytest.approx(math.pi**2 / 6, rel=1e-4)


@pytest.mark.parametrize("name", list(schedules.SCHEDULES))
def test_every_schedule_begins_at_the_rate_and_never_rises(name):
    more = {"epochs": 20} if name == "cosine" else {}
    rate = schedules.SCHEDULES[name](0.3, **more)
    values = [rate(t / 4) for t in range(100)]
    assert values[0] == pytest.approx(0.3)
    assert all(b <= a for a, b in pairwise(values))
    assert values[-1] >= 0


def test_warm_up_reaches_the_schedule_and_then_follows_it():
    cooled = schedules.exponential(0.4, decay=0.1)
    warmed = schedules.warm_up(cooled, epochs=4, start=0.25)
    assert warmed(0) == pytest.approx(0.1)
    assert warmed(2) == pytest.approx(cooled(2) * 0.625)
    assert warmed(4) == cooled(4) and warmed(9) == cooled(9)
    assert schedules.warm_up(cooled, epochs=0) is cooled

"""Many hostile and random texts: ``python tests/fuzz/many_texts.py --count 200000 --seed 1``.

Every deep and long text in every dialect first, then random ones. Prints each text that did
anything else than be read or be refused in time; the exit status is 1 if there was one.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections import Counter

import hostile
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from survival import DIALECTS, survive
from texts import texts

SLICE = 5_000


def main() -> int:
    """Try all texts; 1 if any was not survived."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--count", type=int, default=200_000)
    options.add_argument("--seed", type=int, default=1)
    wanted = options.parse_args()
    became: Counter[str] = Counter()
    failures = 0
    last = ("", None)

    def tried(text: str, dialect: str | None) -> None:
        nonlocal last
        last = (text, dialect)
        became[survive(text, dialect).partition(":")[0]] += 1

    def told(place: str) -> None:
        nonlocal failures
        failures += 1
        text, dialect = last
        print(f"FAILURE, {place}: {text[:300]!r} in {dialect}\\n{traceback.format_exc(limit=-3)}")

    fixed = [*hostile.ATTACKS, *hostile.NUMBERS, *hostile.SIZES, *hostile.NAMES]
    fixed += [hostile.nested(kind, hostile.DEEP) for kind in hostile.NESTED]
    fixed += [hostile.long(kind, 90_000) for kind in hostile.LONG]
    for text in fixed:
        for dialect in DIALECTS:
            try:
                tried(text, dialect)
            except Exception:  # noqa: BLE001  # whatever it is, it is told
                told("fixed")
    print(f"{sum(became.values())} fixed texts: {dict(became)}", flush=True)
    start, number = time.monotonic(), wanted.seed
    fixed_count = sum(became.values())
    while sum(became.values()) - fixed_count < wanted.count:

        @seed(number)
        @settings(
            max_examples=SLICE,
            deadline=None,
            database=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        )
        @given(texts, st.sampled_from(DIALECTS))
        def run(text: str, dialect: str | None) -> None:
            tried(text, dialect)

        try:
            run()
        except Exception:  # noqa: BLE001  # whatever it is, it is told
            told(f"seed {number}")
            became["failed"] += 1
        number += 1
        minutes = (time.monotonic() - start) / 60
        print(f"{minutes:.1f} min: {dict(became)}, {failures} failures", flush=True)
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())

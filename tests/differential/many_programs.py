"""Many random programs against JAX: ``python tests/differential/many_programs.py --count 20000 --seed 1``.

Prints progress, the worst error of each comparison, and every failure at its smallest; the exit
status is 1 if there was one. Slices have seeds of their own, so that a slice can be run again:
``--seed`` is that of the first.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field

from comparison import compare
from hypothesis import HealthCheck, Phase, given, seed, settings
from programs import programs
from sheets import Drawn

SLICE = 500  # programs before the seed changes; one failure a slice is minimised


@dataclass
class Night:
    """What a run has seen."""

    programs: int = 0
    compared: int = 0
    errors: dict[str, float] = field(default_factory=dict)
    notes: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def slice(self, number: int, count: int, steps: int) -> None:
        """Some programs; at a failure the rest of them is spent on making it small."""
        smallest: list[str] = []

        @seed(number)
        @settings(
            max_examples=count,
            deadline=None,
            database=None,
            derandomize=False,
            phases=[Phase.generate, Phase.shrink],
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        )
        @given(programs(steps))
        def run(drawn: Drawn) -> None:
            try:
                outcome = compare(drawn)
            except Exception:
                smallest[:] = [f"{drawn!r}\n{traceback.format_exc(limit=-3)}"]
                raise
            self.programs += 1
            self.compared += bool(outcome.errors)
            self.calls.update(step.calls for step in drawn.sheet.steps if step.calls)
            self.refused.update(drawn.sheet.refused)
            self.notes.update(outcome.notes)
            for kind, error in outcome.errors.items():
                self.errors[kind] = max(self.errors.get(kind, 0.0), error)

        try:
            run()
        except Exception:  # noqa: BLE001  # told with all others at the end
            self.failures.append(
                "\n".join([f"seed {number}", *(smallest or [traceback.format_exc()])])
            )

    def report(self) -> str:
        worst = ", ".join(f"{kind} {error:.1e}" for kind, error in sorted(self.errors.items()))
        lines = [
            f"{self.programs} programs, {self.compared} compared, "
            f"{sum(self.calls.values())} calls of {len(self.calls)} functions",
            f"worst relative error: {worst}",
            *(f"  {count:6} not compared: {why}" for why, count in self.notes.most_common(12)),
            *(f"  {count:6} refused: {why}" for why, count in self.refused.most_common(12)),
            f"{len(self.failures)} failures",
        ]
        return "\n".join(lines)


def main() -> int:
    """Run slices until the count is reached; 1 if any program failed."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--count", type=int, default=20_000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--steps", type=int, default=6, help="of a program, at most")
    wanted = options.parse_args()
    night, number, start = Night(), wanted.seed, time.monotonic()
    while night.programs < wanted.count:
        before = len(night.failures)
        night.slice(number, min(SLICE, wanted.count - night.programs), wanted.steps)
        number += 1
        for failure in night.failures[before:]:
            print(f"FAILURE, {failure}", flush=True)
        minutes = (time.monotonic() - start) / 60
        print(f"{minutes:.1f} min: {night.report()}\n", flush=True)
    return bool(night.failures)


if __name__ == "__main__":
    sys.exit(main())

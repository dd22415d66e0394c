"""Derivatives of ours against the best closed form written by hand, JAX, PyTorch and autograd.

    python benchmarks/against_peers.py [--only TEXT] [--quick] [--core 0] [--json FILE]

Needs ``pip install ".[benchmarks]"``. One core; contestants take turns in one process; every
result is compared with the first closed form (1e-8 of its largest entry). ``× hand`` is our median
over that of the fastest closed form, ``× faster`` the fastest of JAX's operators over ours. All is
float64, and our functions are checked (``checked=True``, the default).
"""

from __future__ import annotations

import argparse
import sys

from one_core import one_core

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--only", default="", help="rows whose name contains this")
parser.add_argument("--quick", action="store_true", help="a second for each row, and no big peers")
parser.add_argument("--core", type=int, default=0)
parser.add_argument("--all", action="store_true", help="list every contestant")
parser.add_argument("--json", default="", help="write the medians to this file")
options = parser.parse_args()
one_core(options.core)

import gc
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np
from against import contestants
from against.case import Case
from against.table import cases

jax.config.update("jax_enable_x64", True)

SECONDS = 1.0 if options.quick else 6.0  # for the turns of one row
SAMPLE = 3e-4  # a turn repeats its call for about so long
BRIEF = 2e-3  # who takes less runs once more before each turn
SLOW = 20.0  # who takes so many times the fastest takes part in few turns
TOLERANCE = 1e-8


def elapsed(call: Callable[[], Any], count: int = 1) -> float:
    start = time.perf_counter()
    for _ in range(count):
        call()
    return (time.perf_counter() - start) / count


def settle(name: str, call: Callable[[], Any]) -> None:
    """Target auto decides by the calls so far: it gets a second of them."""
    end = time.perf_counter() + 1.0
    while name.endswith("auto") and time.perf_counter() < end:
        call()


def first_runs(calls: dict[str, Callable[[], Any]], *, compared: bool) -> dict[str, float]:
    """A time for each contestant, after its results agreed with the first one's."""
    truth: Any = None
    times: dict[str, float] = {}
    for name, call in calls.items():
        result = call()
        if compared:
            found = np.asarray(result).reshape(-1)
            truth = found if truth is None else truth
            error = np.max(np.abs(found - truth)) / max(np.max(np.abs(truth)), 1e-300)
            if not error <= TOLERANCE:
                raise SystemExit(f"{name} differs from the closed form by {error:.1e}")
            del found
        del result
        gc.collect()
        settle(name, call)
        times[name] = elapsed(call)
        if times[name] < 1:
            times[name] = min(times[name], elapsed(call))
    return times


def measure(calls: dict[str, Callable[[], Any]], *, compared: bool) -> dict[str, float]:
    """Medians of interleaved turns."""
    first = first_runs(calls, compared=compared)
    quickest = min(first.values())
    counts = {name: max(1, min(200, round(SAMPLE / t))) for name, t in first.items()}
    slow = {name for name, t in first.items() if t > SLOW * quickest and t > 1e-3}
    taken: dict[str, list[float]] = {name: [t] for name, t in first.items() if name in slow}
    gc.disable()
    end = time.perf_counter() + SECONDS
    turn = 0
    while time.perf_counter() < end or turn < 5:
        for name, call in calls.items():
            if name in slow and (turn % 10 or first[name] > SECONDS):
                continue
            if first[name] < BRIEF:
                call()  # the caches are someone else's
            taken.setdefault(name, []).append(elapsed(call, counts[name]))
        turn += 1
    gc.enable()
    return {name: statistics.median(times) for name, times in taken.items()}


def compete(case: Case) -> dict[str, dict[str, float]]:
    """Medians by group: hand, ours, jax, others."""
    groups = {
        "hand": contestants.by_hand(case),
        "ours": contestants.ours(case),
        "jax": contestants.jax_peers(case),
        "others": {}
        if options.quick
        else {**contestants.torch_peers(case), **contestants.autograd_peers(case)},
    }
    everyone = {n: call for calls in groups.values() for n, call in calls.items()}
    # what is only built is compared where it is multiplied, in the row above
    times = measure(everyone, compared=not case.build_only)
    return {group: {n: times[n] for n in calls} for group, calls in groups.items()}


def shown(seconds: float) -> str:
    return f"{seconds * 1e6:.1f} µs" if seconds < 1e-3 else f"{seconds * 1e3:.2f} ms"


def best(times: dict[str, float]) -> tuple[str, float]:
    return min(times.items(), key=lambda pair: pair[1]) if times else ("", float("nan"))


def verdict(ratio: float, asked: float | None, *, below: bool) -> str:
    if asked is None or not np.isfinite(ratio):
        return f"{ratio:8.2f} {'':9}" if np.isfinite(ratio) else f"{'':18}"
    held = ratio <= asked if below else ratio >= asked
    return f"{ratio:8.2f} {'≤' if below else '≥'} {asked:<5g}{' ' if held else '✗'} "


def report(case: Case, times: dict[str, dict[str, float]]) -> None:
    hand, jax_ = best(times["hand"]), best(times["jax"])
    other = best(times["others"])
    print(f"\n{case.name}")
    print(f"    by hand {shown(hand[1])} ({hand[0]})", end="")
    print(f"; {jax_[0]} {shown(jax_[1])}" if jax_[0] else "", end="")
    print(f"; {other[0]} {shown(other[1])}" if other[0] else "")
    if options.all:
        for group in ("hand", "jax", "others"):
            print("".join(f"      · {n} {shown(t)}\n" for n, t in times[group].items()), end="")
    print(f"    {'':13}{'median':>12}{'× hand':>10}{'asked':>8}{'× faster':>10}{'asked':>8}")
    fastest = best(times["ours"])[0]
    for name, t in times["ours"].items():
        mark = "→" if name == fastest else " "
        print(
            f"  {mark} {name:13}{shown(t):>12}"
            f"  {verdict(t / hand[1], case.hand_limit, below=True)}"
            f"{verdict(jax_[1] / t, case.peer_limit, below=False)}",
            flush=True,
        )


def main() -> int:
    records = []
    for make in cases():
        for case in make():
            if options.only not in case.name:
                continue
            times = compete(case)
            report(case, times)
            records.append({"case": case.name, "medians": times})
            jax.clear_caches()
            gc.collect()
    if options.json:
        text = json.dumps(records, indent=1, ensure_ascii=False)
        Path(options.json).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

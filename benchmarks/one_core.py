"""One core for all contestants; to be chosen before NumPy and its like are imported."""

from __future__ import annotations

import os


def one_core(core: int | None = None) -> None:
    """Pin this process to a core, and let no library start threads."""
    for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = "1"
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    os.environ["JAX_PLATFORMS"] = "cpu"
    pin(core)


def pin(core: int | None = None) -> None:
    """Pin this process to a core, to the first that it may use unless told; where the system can."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0)) if core is None else core})

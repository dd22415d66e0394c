"""Compiled functions compute what the expression says, by the entry-by-entry definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from naive import SIZES, close, draw_arrays, expressions, program_of, value

from pullback.compilation.compile import compile_nodes
from pullback.expressions import constructors as make
from pullback.functions.catalogue import CATALOGUE

FORMS = [False, True]


def check(roots, planned, tolerance=1e-12, arrays=None, sizes=SIZES):
    program = program_of(*roots)
    arrays = draw_arrays(program, sizes=sizes) if arrays is None else arrays
    fn = compile_nodes({f"out{k}": root for k, root in enumerate(roots)}, program, planned=planned)
    got = fn(**arrays, **{n: k for n, k in sizes.items() if n in fn.sizes})
    got = got if isinstance(got, dict) else {"out0": got}
    for k, root in enumerate(roots):
        close(got[f"out{k}"], value(root, arrays, sizes), tolerance)
    return fn


@pytest.mark.parametrize("planned", FORMS)
@given(roots=expressions())
@settings(max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_random_expressions(planned, roots):
    check(roots, planned, 1e-11)

"""Random derivatives with their structure kept: the same numbers as the full arrays."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from programs import programs
from sheets import SIZES, Drawn

import pullback as pb
from pullback.compilation.kept import Kept
from pullback.errors import DomainError, PullbackError


@given(programs(5), st.booleans())
@settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate, Phase.shrink],
)
def test_what_is_kept_is_the_full_array(drawn: Drawn, twice: bool) -> None:
    sheet = drawn.sheet
    names = [sheet.names[k] for k in drawn.targets]
    try:
        d = pb.derivative(drawn.tensor, *names[: 1 + twice])
    except PullbackError:
        return
    arrays = dict(zip(sheet.names[: sheet.given], sheet.arrays, strict=False)) | SIZES
    try:
        full, K = (
            fn(**{name: arrays[name] for name in {*fn.inputs, *fn.sizes}})
            for fn in (pb.compile(d), pb.compile(d, structure="keep"))
        )
    except DomainError:
        return
    if not isinstance(K, Kept):
        return
    scale = max(np.max(np.abs(full), initial=0), 1e-3)
    rows = K.form.rows
    rng = np.random.default_rng(0)
    v, u = rng.normal(size=full.shape[rows:]), rng.normal(size=full.shape[:rows])
    pairs = [
        (K.dense(), full),
        (K @ v, np.tensordot(full, v, v.ndim)),
        (u @ K, np.tensordot(u, full, u.ndim)),
    ]
    square = full.reshape(u.size, v.size)
    if K.form.square:
        pairs.append((K.diagonal().ravel(), np.diag(square)))
        if np.linalg.cond(square) < 1e6:
            pairs.append((square @ K.solve(u).ravel(), u.ravel()))
    for found, expected in pairs:
        np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-9 * max(scale, 1))
    assert d.structure.nonzeros.evaluate(SIZES) >= np.count_nonzero(np.abs(full) > 1e-12 * scale)

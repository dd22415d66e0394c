"""Random programs and their derivatives: the C code computes what NumPy's does."""

import numpy as np
import pytest
from comparison import Ours
from hypothesis import HealthCheck, Phase, given, settings
from programs import programs
from reference import Directions
from sheets import SIZES

import pullback as pb
from pullback.errors import PullbackError


@pytest.fixture(autouse=True, scope="module")
def libraries(tmp_path_factory):
    """A cache of this test's own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(programs())
def test_random_programs(drawn):
    try:
        outputs = Ours.of(drawn).outputs
        fn = pb.compile(outputs, target="native", checked=False)
    except PullbackError:  # no derivative, or no word in C
        return
    way, sheet = Directions.of(drawn), drawn.sheet
    known = dict(zip(sheet.names[: sheet.given], sheet.arrays, strict=False)) | dict(SIZES)
    known |= {"v_": way.first, "w_": way.second, "f_": way.result}
    reference = pb.compile(outputs, checked=False)
    found, expected = (
        f(**{name: v for name, v in known.items() if name in {*f.inputs, *f.sizes}})
        for f in (fn, reference)
    )
    for name, array in expected.items():
        scale = np.max(np.abs(array[np.isfinite(array)]), initial=1e-4)
        np.testing.assert_allclose(found[name] / scale, array / scale, rtol=1e-9, atol=1e-10)

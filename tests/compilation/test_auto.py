"""The choice between NumPy's code and C: by what C would have saved, and never in the way."""

import numpy as np
import pytest

import pullback as pb
from pullback.compilation.native import auto, building
from pullback.errors import DomainError

TEXT = "sum(log(1 + exp(-y .* (X*w))))"


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(auto, "BUILD", 1e-4)  # about forty calls of the function below
    monkeypatch.setattr(auto, "LOOK", 4e-5)


def given(rows=20):
    generator = np.random.default_rng(rows)
    y = generator.choice([-1.0, 1], rows)
    return {"X": generator.normal(size=(rows, 3)), "y": y, "w": np.array([0.3, -1, 2])}


def calls(fn, count, **arrays):
    expected = pb.compile(pb.gradient(TEXT, "w"))(**arrays)
    for _ in range(count):
        np.testing.assert_allclose(fn(**arrays), expected, rtol=1e-12)


def test_nothing_is_compiled_for_a_few_calls(monkeypatch):
    monkeypatch.setattr(building, "_built", None)
    calls(pb.compile(pb.gradient(TEXT, "w"), target="auto"), 5, **given())


def test_c_takes_over_after_many_for_all_sizes_and_both_precisions():
    fn = pb.compile(pb.gradient(TEXT, "w"), target="auto")
    calls(fn, 100, **given())
    assert fn._function is not None and fn._taken
    calls(fn, 3, **given(50))
    single = {k: v.astype(np.float32) for k, v in given().items()}
    assert fn(**single).dtype == np.float32
    out = np.empty(3)
    assert fn(**given(), out={"result": out}) is out
    with pytest.raises(pb.PullbackError, match="has size 20, but"):
        fn(**given() | {"y": np.ones(7)})


def test_a_library_is_looked_for_once(monkeypatch):
    asked = []
    monkeypatch.setattr(building, "_kept", lambda *what: asked.append(what))
    monkeypatch.setattr(auto, "BUILD", 1.0)
    calls(pb.compile(pb.gradient(TEXT, "w"), target="auto"), 60, **given())
    assert len(asked) == 1


def test_many_sizes_are_not_remembered_for_ever(monkeypatch):
    monkeypatch.setattr(auto, "MOST", 3)
    fn = pb.compile(pb.gradient(TEXT, "w"), target="auto")
    for rows in range(2, 12):
        calls(fn, 1, **given(rows))
    assert len(fn._savings) <= 3


def test_a_kept_library_is_taken_earlier():
    calls(pb.compile(pb.gradient(TEXT, "w"), target="auto"), 100, **given())
    fn = pb.compile(pb.gradient(TEXT, "w"), target="auto")
    calls(fn, 25, **given())
    assert fn._taken and fn._saved < auto.BUILD


@pytest.mark.parametrize("obstacle", ["compiler", "word"])
def test_where_c_cannot_be_had_numpy_goes_on_without_a_warning(monkeypatch, obstacle):
    if obstacle == "compiler":
        monkeypatch.setattr(building, "compiler", lambda: None)
        fn = pb.compile(pb.gradient(TEXT, "w"), target="auto")
        calls(fn, 60, **given())
    else:
        fn = pb.compile(pb.parse("tr(expm(A)) + sum(exp(A))"), target="auto")
        A = np.eye(3) / 2
        values = {fn(A=A) for _ in range(200)}
        assert len(values) == 1
    assert fn._never


def test_what_leaves_the_reals_raises_before_and_after():
    fn = pb.compile(pb.parse("sum(log(x))", shapes={"x": ("n",)}), target="auto")
    for count in (1, 400):
        for _ in range(count):
            fn(x=np.ones(5))
        with pytest.raises(DomainError, match="log leaves the real numbers"):
            fn(x=np.array([1.0, -1.0, 1, 1, 1]))
    assert fn._taken


def test_the_code_shown_is_numpys_and_structure_is_kept_by_numpy():
    assert "import numpy as np" in pb.code(TEXT, target="auto")
    H = pb.hessian("sum(x.^3)", "x")
    kept = pb.compile(H, structure="keep", target="auto")(x=np.array([1.0, 2.0]))
    assert kept.diagonal().tolist() == [6, 12]

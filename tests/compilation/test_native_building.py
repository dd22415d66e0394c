"""The cache of compiled code: private, atomic, and mended where it is spoilt."""

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

import pullback as pb
from pullback.compilation.native import building, running

SOURCE = building.recipe("int answer(void) { return 42; }\n", [])


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    building._temporary.cache_clear()
    return tmp_path / "pullback" / "native"


def test_a_library_is_built_once_in_a_private_directory(cache, monkeypatch):
    assert building.load(SOURCE).answer() == 42
    (entry,) = cache.iterdir()
    assert cache.stat().st_mode & 0o777 == 0o700
    monkeypatch.setattr(building, "_built", None)  # a second build would fail
    assert building.load(SOURCE).answer() == 42
    assert building.is_kept(SOURCE)
    for other in (building.recipe(SOURCE.source, ["A=1"]), replace(SOURCE, source="int b;")):
        assert not building.is_kept(other)
    assert list(cache.iterdir()) == [entry]


def test_a_spoilt_entry_is_built_again(cache):
    building.load(SOURCE)
    (entry,) = cache.iterdir()
    for content in (b"", b"no library", entry.read_bytes() + b"!"):
        entry.unlink()
        entry.write_bytes(content)
        assert building.load(SOURCE).answer() == 42
        assert list(cache.iterdir()) == [entry]


def test_processes_that_build_the_same_at_once_all_have_it(cache):
    code = (
        "from pullback.compilation.native import building\n"
        f"made_by = building.recipe({SOURCE.source!r}, [])\n"
        "assert building.load(made_by).answer() == 42"
    )
    processes = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(3)]
    assert [p.wait(timeout=100) for p in processes] == [0, 0, 0]
    assert all(path.suffix == ".so" for path in cache.iterdir())


@pytest.mark.parametrize("mode", [0o777, 0o750, 0o701])
def test_a_directory_that_others_can_enter_is_not_used(cache, mode):
    cache.mkdir(parents=True)
    cache.chmod(mode)
    with pytest.warns(RuntimeWarning, match="open to other users"):
        assert building.load(SOURCE).answer() == 42
    assert not list(cache.iterdir())


def test_a_directory_of_another_user_is_not_used(cache, monkeypatch):
    cache.mkdir(parents=True, mode=0o700)
    me = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: me + 1)
    with pytest.raises(PermissionError, match="belongs to another user"):
        building.private_directory(cache)


def test_a_directory_below_one_that_others_can_change_is_not_used(cache):
    cache.mkdir(parents=True, mode=0o700)
    cache.parent.chmod(0o777)
    with pytest.raises(PermissionError, match="can be changed by other users"):
        building.private_directory(cache)


@pytest.mark.parametrize("compiler", ["none", "refusing"])
def test_without_a_compiler_numpy_computes_after_one_warning(cache, monkeypatch, compiler):
    running._warn.cache_clear()
    monkeypatch.setattr(building, "compiler", lambda: None if compiler == "none" else ["false"])
    f = "norm2(A*x - b)^2"
    given = {"A": np.eye(2), "x": np.ones(2), "b": np.zeros(2)}
    with pytest.warns(RuntimeWarning, match="target 'native' runs NumPy's code"):
        assert pb.compile(f, target="native")(**given) == 2
    assert pb.compile(pb.gradient(f, "x"), target="native")(**given).tolist() == [2, 2]


def test_old_entries_go(cache, monkeypatch):
    monkeypatch.setattr(building, "KEPT", 2)
    for k in range(4):
        building.load(building.recipe(f"int answer{k}(void) {{ return {k}; }}", []))
    assert len(list(cache.iterdir())) == 2

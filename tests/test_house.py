"""The house itself: lint, types, floors, and an import that stays light."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import pullback

ROOT = Path(__file__).parent.parent
HEAVY = ("torch", "jax", "scipy", "sklearn", "pandas", "matplotlib", "mpmath", "opt_einsum", "lark")


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    "command",
    [
        ("ruff", "check", "."),
        ("ruff", "format", "--check", "."),
        ("mypy",),
    ],
)
def test_static_checks(command: tuple[str, ...]) -> None:
    done = run(*command)
    assert done.returncode == 0, done.stdout + done.stderr


def test_floors() -> None:
    """Each floor imports only floors below it."""
    code = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports())"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def loaded_by(statement: str) -> set[str]:
    code = f"import sys\n{statement}\nprint(*sorted({{m.split('.')[0] for m in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_import_loads_no_array_library_but_numpy() -> None:
    assert not loaded_by("import pullback") & set(HEAVY)


def test_the_import_test_can_fail() -> None:
    assert "mpmath" in loaded_by("import mpmath")


def test_no_module_hides_a_public_name() -> None:
    """``pb.trace`` would be the module, whatever function is called so."""
    modules = {path.stem for path in (ROOT / "src" / "pullback").iterdir()}
    assert not modules & set(dir(pullback))


def test_files_stay_small() -> None:
    """A file much above 350 lines is two rooms."""
    long = {
        str(path.relative_to(ROOT)): lines
        for path in (ROOT / "src").rglob("*.py")
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > 400
    }
    assert not long


def test_the_readme_and_ci_run_one_command() -> None:
    """CI runs the README's test command, letter for letter."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"<!-- test command -->\n```sh\n(.*?)\n```", readme, flags=re.DOTALL)
    assert "pytest" in block
    assert "<!-- test command -->" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_no_two_test_modules_share_a_name() -> None:
    """Tests are no packages: pytest refuses the second of two modules with one name."""
    names = [path.name for path in (ROOT / "tests").rglob("*.py")]
    assert len(set(names)) == len(names)

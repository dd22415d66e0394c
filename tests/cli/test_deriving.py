"""The commands that derive: what they print, and how they refuse."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from pullback.cli import main

NETWORK = "norm2(V*sigmoid(U*x) - y)^2"
ROWS = "x: 1 n, y: 1 p\nf = (U*x')'\ng = sigmoid(f)\nh = (V*g')'\nL = norm2(h - y)^2\n"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def test_both_gradients_with_shapes_and_certificates() -> None:
    done = run("derive", NETWORK, "--wrt", "U,V")
    assert done.exit_code == 0
    assert "∂f/∂U = 2 (Vᵀ(V σ(U x) − y) ⊙ σ(U x) ⊙ (1 − σ(U x))) xᵀ" in done.output
    assert "∂f/∂V = 2 (V σ(U x) − y) σ(U x)ᵀ" in done.output
    assert "shape m×n" in done.output
    assert done.output.count("certified at 3 points") == 2


@pytest.mark.parametrize("form", ["matrix", "index", "vec"])
def test_all_forms_hold_each_form(form: str) -> None:
    every = run("derive", NETWORK, "--wrt", "V", "--form", "all").output
    one = run("derive", NETWORK, "--wrt", "V", "--form", form).output
    (line,) = [x for x in one.splitlines() if x.startswith("∂")][:1]
    assert line in every


def test_json() -> None:
    done = run("derive", NETWORK, "--wrt", "U", "--as", "json")
    data = json.loads(done.output)
    (d,) = data["derivatives"]
    assert data["schema_version"] == 1
    assert d["shape"] == ["m", "n"]
    assert d["certificate"]["passed"] is True
    assert d["certificate"]["worst"] < 1e-10
    assert set(d) >= {"matrix", "index", "vec", "latex", "wrt"}


def test_c_code_is_printed() -> None:
    source = run("derive", NETWORK, "--wrt", "U,V", "--as", "native").output
    assert "static int compute(" in source


def test_numpy_code_runs_alone() -> None:
    """The printed code needs only NumPy, and gives the slope of the function."""
    source = run("derive", NETWORK, "--wrt", "U,V", "--as", "numpy").output
    namespace: dict = {}
    exec(source, namespace)
    rng = np.random.default_rng(0)
    U, V = rng.normal(size=(4, 3)), rng.normal(size=(2, 4))
    x, y = rng.normal(size=3), rng.normal(size=2)
    out = namespace["compute"](U=U, V=V, x=x, y=y)

    def loss(U: np.ndarray) -> float:
        return float(((V @ (1 / (1 + np.exp(-U @ x))) - y) ** 2).sum())

    moved = np.zeros_like(U)
    moved[1, 2] = 1e-6
    slope = (loss(U + moved) - loss(U - moved)) / 2e-6
    np.testing.assert_allclose(out["df_dU"][1, 2], slope, rtol=1e-7)


def test_the_program_in_rows(tmp_path: Path) -> None:
    """The four lines as the question has them."""
    path = tmp_path / "network.txt"
    path.write_text(ROWS, encoding="utf-8")
    done = run("explain", "-f", str(path), "--wrt", "U,V")
    assert done.exit_code == 0
    for piece in ("∂L/∂f = ∂L/∂g ⊙ g ⊙ (1 − g)", "∂L/∂U = (∂L/∂f)ᵀ x", "∂L/∂V = (∂L/∂h)ᵀ g"):
        assert piece in done.output
    for role in ("signal path", "activation", "cost"):
        assert role in done.output
    declared = run(
        "explain", ROWS.partition("\n")[2], "--shape", "x: 1 n", "--shape", "y: 1 p", "--wrt", "U,V"
    )
    assert declared.output == done.output


@pytest.mark.parametrize("style", ["text", "markdown", "latex", "html", "json"])
def test_explanations_in_every_style(style: str) -> None:
    done = run("explain", NETWORK, "--wrt", "U", "--as", style)
    assert done.exit_code == 0
    assert "sigma" in done.output or "σ" in done.output


def test_second_order() -> None:
    done = run("derive", "x'*A*x", "--wrt", "x", "--order", "2")
    assert "A + Aᵀ" in done.output


def test_an_unused_declared_variable_is_zero_and_says_so() -> None:
    done = run("derive", "norm2(x)^2", "--wrt", "z", "--shape", "z: n")
    assert done.exit_code == 2 or "does not depend on z" in done.output


def test_a_declared_but_unused_name_in_the_text() -> None:
    done = run("derive", "z: n\nL = norm2(x)^2", "--wrt", "z")
    assert done.exit_code == 0
    assert "does not depend on z" in done.output


def test_check_answers_with_its_exit_status() -> None:
    done = run("check", NETWORK, "--wrt", "U", "--points", "2", "--seed", "7")
    assert done.exit_code == 0
    assert "certified at 2 points" in done.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("derive", "sigmod(x)", "--wrt", "x"), "did you mean 'sigmoid'"),
        (("derive", "x + 1", "--wrt", "zz"), "zz"),
        (("derive", "log(-1)*x", "--wrt", "x"), "log"),
        (("derive", "A*x", "--wrt", "x", "--shape", "A: m n", "--shape", "x: k"), "k"),
        (("derive", "x +", "--wrt", "x"), r"\^"),
        (("derive", "x", "--wrt", ","), "--wrt"),
        (("derive", "--wrt", "x"), "expression"),
        (("derive", "-f", "/nowhere/at/all", "--wrt", "x"), "cannot read"),
        (("derive", "x", "--wrt", "x", "--shape", "x m"), r"x m"),
        (("derive", "x", "--wrt", "x", "--assume", "x: marvellous"), "marvellous"),
        (("derive", "x", "--wrt", "x", "--form", "cubic"), "cubic"),
        (("derive", "x'*A*x", "--wrt", "x", "--shape", "x: n", "--shape", "x: m"), "twice"),
        (("derive", "x", "--wrt", "x", "--assume", "x: n"), "--assume"),
        (("fit", "/nowhere", "/nothing"), "cannot read"),
        (("fit", "model.txt", "same.csv", "-o", "same.csv"), "destroy"),
        (("predict", "same.npz", "data.csv", "-o", "same.npz"), "destroy"),
        (("predict", "/nowhere", "/nothing"), "nowhere"),
        (("demo", "--picture", "/nowhere/at/all.png"), "nowhere"),
    ],
)
def test_bad_input_is_one_message_and_status_2(arguments: tuple[str, ...], message: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pullback", *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert not done.stdout
    assert re.search(message, done.stderr)


def test_a_dialect_is_told_by_its_marks_or_stated() -> None:
    done = run("derive", "np.sum((A @ x - b)**2)", "--wrt", "x")
    assert "∂f/∂x = 2 Aᵀ(A x − b)" in done.output
    assert "diag(y)" in run("derive", "x*y", "--wrt", "x", "--dialect", "numpy").output
    done = run("derive", "A*x @ y", "--wrt", "x")
    assert done.exit_code == 2
    assert "dialect='numpy'" in done.stderr


def test_the_convention_for_structured_variables() -> None:
    words = ("tr(A*X)", "--wrt", "X", "--assume", "X: symmetric")
    plain = run("derive", *words).output
    assert "entries of X taken as independent; --structured free or tangent respects" in plain
    done = run("derive", *words, "--structured", "tangent")
    assert done.exit_code == 0
    assert "∂f/∂X = (A + Aᵀ)/2   # along the symmetric matrices X" in done.output
    assert "certified at 3 points" in done.output and "independent" not in done.output
    (d,) = json.loads(run("derive", *words, "--structured", "free", "--as", "json").output)[
        "derivatives"
    ]
    assert d["structured"] == "free" and d["along"] == "by the free entries of the symmetric X"
    assert "certified" in run("check", *words, "--structured", "free").output
    claim = ("--claim", "A + A' - A.*eye(n)")
    assert run("grade", *words, *claim, "--structured", "free").exit_code == 0
    assert run("grade", *words, *claim).exit_code == 1
    refused = run(
        "derive", "tr(A*X)", "--wrt", "X", "--assume", "X: binary", "--structured", "free"
    )
    assert refused.exit_code == 2 and "cannot move" in refused.stderr


def test_layouts_differentials_and_mathml() -> None:
    shown = run("derive", "norm2(A*x - b)^2", "--wrt", "x", "--layout", "numerator").output
    assert "∂f/∂xᵀ = 2 (A x − b)ᵀ A   # numerator layout: the transpose" in shown
    arguments = ("derive", NETWORK, "--wrt", "U,V", "--no-check")
    done = run(*arguments, "--form", "differential")
    assert "ᵀ dU x + 2 (V σ(U x) − y)ᵀ dV σ(U x)\n" in done.output
    assert run(*arguments, "--form", "differential", "--as", "mathml").output.count("<math ") == 1
    assert run(*arguments, "--form", "all", "--as", "mathml").output.count("</math>") == 6


def test_a_claim_in_indices_is_graded() -> None:
    words = ("grade", "norm2(A*x - b)^2", "--wrt", "x", "--claim")
    right = "2 Σ_j A_ji (Σ_k A_jk x_k − b_j)"
    assert run(*words, right).exit_code == 0  # Σ_j tells
    assert run(*words, right, "--dialect", "index").exit_code == 0
    assert run(*words, "2*sum_j(A[j,i]*(sum_k(A[j,k]*x[k]) - b[j]))").exit_code == 0
    done = run(*words, "Σ_j A_ji (Σ_k A_jk x_k − b_j)")
    assert done.exit_code == 1 and "it is half of what is right" in done.output
    done = run(*words, "2 A_ji (A_jk x_k − b_j)", "--claim-dialect", "index")
    assert done.exit_code == 2 and "write Σ in front of a product" in done.stderr
    done = run(*words, "2 Σ_j A_ij (Σ_k A_jk x_k − b_j)")
    assert done.exit_code == 1 and "the letter" in done.output
    outer = ("grade", "u'*A*x", "--wrt", "A", "--claim-dialect", "index", "--claim")
    assert run(*outer, "u_i x_j").exit_code == 0
    assert "it is the transpose" in run(*outer, "x_i u_j").output
    assert run(*outer, "∂f/∂A_ij = u_i x_j").exit_code == 0


def test_a_program_in_indices_is_derived() -> None:
    text = "h_i = σ(Σ_j U_ij x_j)\nΣ_i (h_i − y_i)²"
    done = run("derive", text, "--wrt", "U", "--form", "index", "--named")
    assert done.exit_code == 0
    assert "∂f/∂U_ij = 2 (h_i − y_i) h_i (1 − h_i) x_j" in done.output


def test_a_price_list_as_text_and_as_data() -> None:
    done = run("cost", NETWORK, "--wrt", "U,V", "--sizes", "m=5 n=4, p=2")
    assert done.exit_code == 0 and done.output.count("entry by entry") == 2
    data = json.loads(
        run("cost", NETWORK, "--wrt", "x", "--sizes", "m=5 n=4 p=2", "--as", "json").output
    )
    assert data["costs"]["x"]["reverse"]["multiplications"] > 0
    done = run("cost", NETWORK, "--wrt", "x", "--sizes", "m=5 n4")
    assert done.exit_code == 2 and "'n4' is neither" in done.output
    done = run("cost", NETWORK, "--wrt", "x", "--sizes", "m=5")
    assert done.exit_code == 2 and "the sizes n, p" in done.output

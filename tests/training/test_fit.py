"""Fit and predict, from files to files."""

import numpy as np
import pytest
from network import Network, two_clouds

from pullback.errors import PullbackError
from pullback.training.data import table_of
from pullback.training.fit import fit, prepare
from pullback.training.loop import Diverged, Progress
from pullback.training.model_file import parse_model
from pullback.training.prediction import predict
from pullback.training.saved import load, save

SOFTMAX = """\
+++
inputs = { x = "a..c" }
label = { y = "kind" }
rate = 0.5
epochs = 10
+++
W: p n
y: p unit-sum
h = W*x + b
q = softmax(h)
L = cross_entropy(q, y)
"""


def clouds(kinds=("cat", "dog")):
    x, _, codes = two_clouds()
    return {"a": x[:, 0], "b": x[:, 1], "c": x[:, 2], "kind": np.array(kinds)[codes]}


def write_csv(path, columns):
    rows = [
        ",".join(columns),
        *(",".join(map(str, row)) for row in zip(*columns.values(), strict=True)),
    ]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def random_parameters(shapes, seed=0):
    rng = np.random.default_rng(seed)
    return {name: rng.normal(size=shape) for name, shape in shapes.items()}


def test_derived_gradients_are_those_by_hand():
    prepared = prepare(parse_model(SOFTMAX), table_of(clouds()))
    network = Network()
    assert prepared.objective.parameters == network.parameters
    parameters = random_parameters(network.parameters)
    ours = {name: np.empty(shape) for name, shape in network.parameters.items()}
    theirs = {name: np.empty(shape) for name, shape in network.parameters.items()}
    for size in (16, 7, 1, 16):
        batch = {name: values[:size] for name, values in prepared.data.items()}
        loss = prepared.objective.loss_and_gradients(batch, parameters, ours)
        assert loss == pytest.approx(
            network.loss_and_gradients(batch, parameters, theirs), rel=1e-12
        )
        for name, value in ours.items():
            np.testing.assert_allclose(value, theirs[name], rtol=1e-10, atol=1e-15)
        _, prediction = prepared.objective.evaluate(batch, parameters)
        np.testing.assert_allclose(prediction, network.evaluate(batch, parameters)[1], rtol=1e-12)


def test_the_gradient_of_a_batch_is_the_mean_over_its_samples():
    """Also of a term that belongs to no sample: it counts once."""
    text = SOFTMAX.replace("L = cross_entropy(q, y)", "L = cross_entropy(q, y) + s*norm2(W)^2")
    text = text.replace("+++\nW", "constants = { s = 0.3 }\n+++\nW")
    objective = prepare(parse_model(text), table_of(clouds())).objective
    data = prepare(parse_model(text), table_of(clouds())).data
    parameters = random_parameters(objective.parameters)

    def gradients(rows):
        out = {name: np.empty(shape) for name, shape in objective.parameters.items()}
        batch = {name: values[rows] for name, values in data.items()}
        loss = objective.loss_and_gradients(batch, parameters, out)
        return [loss, out["W"], out["b"]]

    singles = [gradients([k]) for k in range(9)]
    for k, whole in enumerate(gradients(slice(0, 9))):
        np.testing.assert_allclose(whole, np.mean([s[k] for s in singles], axis=0), rtol=1e-10)


def test_scores_far_from_zero_give_a_finite_loss_and_gradient():
    objective = prepare(parse_model(SOFTMAX), table_of(clouds())).objective
    parameters = {"W": np.eye(2, 3), "b": np.zeros(2)}
    batch = {"x": np.array([[1e4, -1e4, 0], [-1e4, 1e4, 0]]), "y": np.array([[0, 1.0], [0, 1.0]])}
    out = {name: np.empty(shape) for name, shape in objective.parameters.items()}
    assert objective.loss_and_gradients(batch, parameters, out) == pytest.approx(1e4)
    np.testing.assert_allclose(out["b"], [0.5, -0.5])
    assert objective.evaluate(batch, parameters)[0] == pytest.approx(1e4)


def test_names_that_the_code_might_use_itself():
    text = SOFTMAX.replace("W", "dq").replace("b\n", "out\n").replace("x", "loss", 1)
    text = (
        text.replace("*x", "*loss")
        .replace("h =", "ddq: p n\nnp =")
        .replace("(h)", "(np + ddq*loss)")
    )
    text = text.replace("dq: p n", "dq: p n\nN:").replace("L =", "L = N^2 +")
    fitted = fit(parse_model(text), clouds())
    assert fitted.run.history[-1].loss < 0.7 * fitted.run.history[0].loss


def test_from_files_to_predictions(tmp_path):
    data = write_csv(tmp_path / "data.csv", clouds())
    output = tmp_path / "fitted.npz"
    fitted = fit(parse_model(SOFTMAX), data, output, seed=3)
    assert fitted.run.kept.held_out_score >= 0.8
    saved = load(output)
    assert saved.classes == ("cat", "dog") and saved.answer == "q" and saved.sizes["n"] == 3
    for name, value in fitted.run.parameters.items():
        assert np.array_equal(saved.parameters[name], value)

    columns = clouds()
    right = columns.pop("kind")
    answers = predict(saved, columns)
    x = np.stack([columns[n] for n in "abc"], axis=1)
    h = x @ saved.parameters["W"].T + saved.parameters["b"]
    p = np.exp(h) / np.exp(h).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(answers.numbers, p, rtol=1e-10)
    assert answers.values.tolist() == np.array(["cat", "dog"])[p.argmax(axis=1)].tolist()
    assert np.mean(answers.values == right) > 0.85

    answers.write_csv(tmp_path / "answers.csv")
    lines = (tmp_path / "answers.csv").read_text().splitlines()
    assert lines[0] == "kind,q_cat,q_dog" and len(lines) == 51
    first = lines[1].split(",")
    assert first[0] == answers.values[0] and float(first[1]) == answers.numbers[0, 0]


def test_same_seed_same_parameters(tmp_path):
    one, two, other = (fit(parse_model(SOFTMAX), clouds(), seed=s).run for s in (1, 1, 2))
    assert np.array_equal(one.parameters["W"], two.parameters["W"])
    assert not np.array_equal(one.parameters["W"], other.parameters["W"])


def test_a_real_target_against_least_squares():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 3)) * [1, 10, 0.1] + [5, 0, 1]
    y = x @ [2.0, -0.3, 7.0] + 4 + 0.1 * rng.normal(size=60)
    data = {"a": x[:, 0], "b": x[:, 1], "c": x[:, 2], "target": y}
    text = """\
+++
inputs = { x = "a..c" }
label = { y = "target" }
scale = "standard"
rate = 0.1
epochs = 300
batch = 60
held_out = 0
+++
w: n
s:
y:
h = w'*x + s
L = (h - y)^2
"""
    fitted = fit(parse_model(text), data)
    design = np.column_stack([x, np.ones(60)])
    best = design @ np.linalg.lstsq(design, y, rcond=None)[0]
    answers = predict(fitted.saved, data)
    np.testing.assert_allclose(answers.values, best, rtol=1e-6)
    assert answers.names == ("target",) and answers.rows()[0] == ["target"]
    spread = np.square(y - y.mean()).sum()
    r_squared = 1 - np.square(y - best).sum() / spread
    assert fitted.run.kept.score == pytest.approx(r_squared, rel=1e-6)


def test_two_classes_with_a_scalar_label():
    text = """\
+++
inputs = { x = "a..c" }
label = { y = "kind" }
rate = 0.5
epochs = 5
+++
w: n
s:
y:
q = sigmoid(w'*x + s)
L = binary_cross_entropy(q, y)
"""
    fitted = fit(parse_model(text), clouds())
    answers = predict(fitted.saved, clouds())
    assert set(answers.values) == {"cat", "dog"} and answers.names == ("q",)
    assert fitted.run.kept.score > 0.8
    score = text.replace("q = sigmoid(w'*x + s)", "h = w'*x + s\nq = sigmoid(h)")
    with pytest.raises(PullbackError, match=r"leaves \[0, 1\].*\nname the probability"):
        fit(parse_model(score), clouds(), predict="h")


def test_sign_labels_and_the_hinge():
    text = """\
+++
inputs = { x = "a..c" }
label = { y = "kind" }
rate = 0.1
epochs = 5
+++
w: n
s:
y: sign
h = w'*x + s
L = hinge(h, y)
"""
    fitted = fit(parse_model(text), clouds((-1, 1)))
    assert fitted.run.kept.score > 0.8
    assert set(predict(fitted.saved, clouds((-1, 1))).values.tolist()) == {-1, 1}


@pytest.mark.parametrize("optimiser", ["sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw"])
@pytest.mark.parametrize("precision", ["single", "double"])
def test_every_optimiser_learns(optimiser, precision):
    rate = 0.05 if optimiser in ("rmsprop", "adam", "adamw") else 0.2
    fitted = fit(
        parse_model(SOFTMAX), clouds(), optimiser=optimiser, rate=rate, precision=precision
    )
    assert fitted.run.history[-1].loss < 0.6 * fitted.run.history[0].loss
    wanted = np.float32 if precision == "single" else np.float64
    assert fitted.run.parameters["W"].dtype == wanted


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        (("a..c", "a..d"), {}, "has no column 'd'"),
        (("kind", "sort"), {}, "has no column 'sort'"),
        (("{ x", "{ z"), {}, "inputs names 'z', and the program has no such variable"),
        (("", ""), {"label": "x = kind"}, "'x' stands in both inputs and label"),
        (("", ""), {"predict": "r"}, "predict is 'r', and the program has no such line"),
        (("", ""), {"predict": "L"}, "the line L uses the label y"),
        (("", ""), {"init": {"Q": 1}}, "init names 'Q', which is no parameter"),
        (("", ""), {"scale": {"y": 2}}, "scale names 'y', which is no input"),
        (("W: p n", "W: p n positive"), {}, "parameter W is declared positive, which training"),
        (("W*x + b", "W*x + r - r"), {}, "the result does not depend on r"),
        (("L = cross_entropy(q, y)", "L = q - y"), {}, "is the loss, a scalar; it is p"),
        (('inputs = { x = "a..c" }', ""), {}, "do not say which columns are inputs"),
        (("W: p n", "W: p n\nZ: n"), {}, "does not depend on Z, so it cannot be trained"),
        (("h = W*x", "Z: m n\nV: p m\nh = V*(Z*x)"), {}, "how large m should be"),
        (("W: p n\ny: p", "W: 3 n\ny: 3"), {}, "y is 3, so 3 here, and the data give 2"),
    ],
)
def test_faults_are_said_before_training_and_nothing_is_written(tmp_path, change, options, message):
    output = tmp_path / "out.npz"

    class Never(Progress):
        def begin(self, epochs, batches, metric):
            raise AssertionError("training has begun")

    with pytest.raises(PullbackError, match=message):
        fit(parse_model(SOFTMAX.replace(*change)), clouds(), output, Never(), **options)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("value", ["abc", "", "nan"])
def test_a_bad_value_in_the_file_is_named_and_nothing_is_written(tmp_path, value):
    columns = {name: list(column) for name, column in clouds().items()}
    columns["b"][4] = value
    data = write_csv(tmp_path / "data.csv", columns)
    with pytest.raises(PullbackError, match=r"data.csv, row 5 \(line 6\), column 'b'"):
        fit(parse_model(SOFTMAX), data, tmp_path / "out.npz")
    assert [p.name for p in tmp_path.iterdir()] == ["data.csv"]


def test_an_output_that_cannot_be_written_is_said_before_anything_else(tmp_path):
    (tmp_path / "file").write_text("")
    for output, message in [
        (tmp_path / "absent" / "out.npz", "cannot write .*: there is no directory"),
        (tmp_path / "file" / "out.npz", "cannot write .*: there is no directory"),
        (tmp_path, "cannot write .*: it is a directory"),
    ]:
        with pytest.raises(PullbackError, match=message):
            fit(parse_model(SOFTMAX), tmp_path / "absent.csv", output)


def test_ctrl_c_saves_the_best_so_far(tmp_path):
    class Impatient(Progress):
        def epoch(self, epoch):
            if epoch.number == 4:
                raise KeyboardInterrupt

    output = tmp_path / "out.npz"
    fitted = fit(parse_model(SOFTMAX), clouds(), output, Impatient())
    assert fitted.run.interrupted and fitted.run.kept.number == 4
    assert np.array_equal(load(output).parameters["W"], fitted.run.parameters["W"])


def test_a_breakdown_saves_the_best_so_far_and_says_so(tmp_path):
    text = """\
+++
inputs = { x = "a..c" }
label = { y = "t" }
optimiser = "sgd"
rate = 0.01
schedule = "step"
factor = 1000
every = 3
epochs = 200
+++
w: n
y:
h = w'*x
L = (h - y)^2
"""
    output = tmp_path / "out.npz"
    data = clouds() | {"t": np.arange(50.0)}
    with pytest.raises(Diverged, match=r"try a rate below (?s:.*)were saved to") as caught:
        fit(parse_model(text), data, output)
    kept = caught.value.run.kept
    assert kept.number == 3 and load(output).summary["epoch"] == 3
    assert kept.loss < caught.value.run.history[0].loss


def test_files_that_hold_no_parameters(tmp_path):
    path = tmp_path / "other.npz"
    np.savez(path, x=np.zeros(3))
    with pytest.raises(PullbackError, match="does not hold saved parameters"):
        load(path)
    path.write_bytes(b"text")
    with pytest.raises(PullbackError, match="does not hold saved parameters"):
        load(path)
    np.savez(path, format_version=99, header="{}")
    with pytest.raises(PullbackError, match=r"has format 99; .*\nupdate Pullback"):
        load(path)
    with pytest.raises(PullbackError, match=r"cannot read .*no such file"):
        load(tmp_path / "absent.npz")


def test_a_save_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    output = tmp_path / "out.npz"
    fitted = fit(parse_model(SOFTMAX), clouds(), output, epochs=1)
    before = output.read_bytes()

    def broken(file, **arrays):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", broken)
    with pytest.raises(PullbackError, match="no space left"):
        save(fitted.saved, output)
    assert output.read_bytes() == before and list(tmp_path.iterdir()) == [output]


def test_prediction_refuses_other_data(tmp_path):
    saved = fit(parse_model(SOFTMAX), clouds(), epochs=1).saved
    with pytest.raises(PullbackError, match="has no column 'c'"):
        predict(saved, {"a": [1.0], "b": [1.0]})
    bare = "L = cross_entropy(softmax(W*x + b), y)"
    text = SOFTMAX[: SOFTMAX.index("h =")] + bare
    unnamed = fit(parse_model(text), clouds(), epochs=1)
    assert unnamed.run.metric is None
    with pytest.raises(PullbackError, match="names no prediction: no line is p"):
        predict(unnamed.saved, clouds())

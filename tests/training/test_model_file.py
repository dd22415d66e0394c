"""Model files: what they say, and how a fault in one is shown."""

import pytest

from pullback.errors import PullbackError
from pullback.training.model_file import parse_model, read_model
from pullback.training.settings import Settings

TEXT = """\
+++
# a comment
inputs = { x = "p0..p3, age" }
label = { y = "digit" }
sizes = { m = 5 }
optimiser = "adam"
rate = 0.01
beta1 = 0.8
scale = "standard"
init = { U = "he" }
+++
# the network
g = tanh(U*x + b)
L = squared_error(g, y)
"""


def test_settings_and_program():
    model = parse_model(TEXT)
    said = model.settings
    assert said.inputs == {"x": ("p0..p3", "age")} and said.label == {"y": ("digit",)}
    assert said.sizes == {"m": 5} and said.rate == 0.01 and said.beta1 == 0.8
    assert said.scale == {"": "standard"} and said.init == {"U": "he"}
    assert model.program_text.strip().startswith("# the network")
    assert model.program_text.split("\n").index("# the network") == 11


def test_options_replace_settings_and_none_changes_nothing():
    model = parse_model(TEXT).with_options(rate="0.5", epochs=3, seed=None, label="y = other")
    assert model.settings.rate == 0.5 and model.settings.epochs == 3
    assert model.settings.label == {"y": ("other",)} and model.settings.optimiser == "adam"


def test_a_program_alone_and_toml_tables():
    assert parse_model("L = norm2(x)^2").settings == Settings()
    assert parse_model("+++\n[inputs]\nx = ['a', 'b,c']\n+++\nL = x").settings.inputs == {
        "x": ("a", "b,c")
    }


def test_as_data_is_read_back():
    said = parse_model(TEXT).settings
    assert Settings().with_options(**said.as_data()) == said
    assert Settings().as_data() == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("+++\nrate = 1\n+++\n\n", "settings and no program"),
        ("+++\nrate = 1\nL = x", "the settings begin with"),
        ("\n+++\nrate = \n+++\nL = x", r"line 3: the settings are not TOML: invalid value"),
        ("+++\nrate = 'fast'\n+++\nL = x", r"line 2: rate is 'fast'; it must be a number"),
        ("+++\nepochs = 3\nrate = -1\n+++\nL = x", r"line 3: rate is -1; it must be more than 0"),
        ("+++\nepochs = 2.5\n+++\nL = x", "epochs is 2.5; it must be a whole number"),
        (
            "+++\nrates = 1\n+++\nL = x",
            r"unknown setting 'rates'\n    rates = 1\n    \^{5}\n.*'rate'",
        ),
        ("+++\nmomentum = 1\n+++\nL = x", "it must be at least 0 and less than 1"),
        ("+++\noptimiser = 'adamm'\n+++\nL = x", r"did you mean 'adamw?'\?"),
        ("+++\nsizes = { m = 0 }\n+++\nL = x", "sizes.m is 0; it must be at least 1"),
        ("+++\nsizes = 3\n+++\nL = x", r"sizes is 3\n(?s:.*)\nwrite sizes = \{ NAME = … \}"),
        ("+++\ninputs = { x = 3 }\n+++\nL = x", "inputs.x is 3; it names columns"),
        ("+++\nscale = 'big'\n+++\nL = x", "scale is 'big'; it must be a number"),
        ("+++\ninit = { U = 'hee' }\n+++\nL = x", "did you mean 'he'"),
        ("+++\nseed = true\n+++\nL = x", "seed is True; it must be a number"),
    ],
)
def test_faults_are_shown_in_the_file(text, message):
    with pytest.raises(PullbackError, match=message) as caught:
        parse_model(text)
    assert str(caught.value)


def test_settings_that_do_not_go_together():
    with pytest.raises(
        PullbackError, match=r"optimiser 'adam' has no setting 'momentum'\nit has beta1"
    ):
        Settings(optimiser="adam", momentum=0.9).make_optimiser()
    with pytest.raises(PullbackError, match="schedule 'constant' has no setting 'decay'"):
        Settings(decay=0.1).make_schedule()


def test_schedules_from_settings():
    assert Settings(rate=0.4, schedule="cosine", epochs=10).make_schedule()(5) == pytest.approx(0.2)
    warmed = Settings(rate=0.4, schedule="1/t", decay=1.0, warm_up=2.0).make_schedule()
    assert warmed(0) == pytest.approx(0.04) and warmed(3) == pytest.approx(0.1)
    assert Settings(optimiser="adam").make_schedule()(0) == 0.001


def test_an_error_in_the_program_counts_lines_as_the_file_does():
    with pytest.raises(PullbackError, match=r"line 13.*\n +g = tahn\(U\*x \+ b\)"):
        parse_model(TEXT.replace("tanh", "tahn")).program()


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(PullbackError, match=r"cannot read .*no such file"):
        read_model(tmp_path / "absent.txt")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PullbackError, match="not UTF-8"):
        read_model(tmp_path / "bytes")
    (tmp_path / "model").write_text(TEXT.replace("\n", "\r\n"), encoding="utf-8")
    assert read_model(tmp_path / "model").settings.rate == 0.01

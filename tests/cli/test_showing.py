"""The commands entity, ways and picture: what they print and write, and what they refuse."""

import json
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner

from pullback.cli import main

NETWORK = "f = U*x\ng = sigmoid(f)\nh = V*g\nL = norm2(h - y)^2"


def run(*arguments, status=0):
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == status, done.output
    return done.output


def test_entity_says_and_draws(tmp_path):
    path = tmp_path / "hessian.svg"
    said = run(
        "entity", "norm2(A*X - B)^2", "--wrt", "X", "--order", "2", "--sizes", "n=3, p=2",
        "--picture", str(path), "--theme", "dark",
    )  # fmt: skip
    assert "zero but where j = l" in said and "n·p·n·p = 36" in said
    text = path.read_text(encoding="utf-8")
    ET.fromstring(text)
    assert 'fill="#14171c"' in text and "zero, whatever the numbers are" in text


def test_entities_of_several_variables_as_data():
    first, second = run("entity", "V*x", "--wrt", "V,x", "--as", "json").split("\n\n")
    assert json.loads(first)["order"] == 3 and json.loads(second)["order"] == 2


def test_ways_in_numbers_and_as_data():
    said = run("ways", NETWORK, "--wrt", "U", "--sizes", "m=100 n=784 p=10")
    assert "7,851,210" in said and "78,630" in said
    data = json.loads(run("ways", NETWORK, "--wrt", "U", "--as", "json"))
    assert [way["name"] for way in data["ways"]] == ["entry by entry", "flattened", "matrices"]
    assert "<math" in run("ways", NETWORK, "--wrt", "U", "--as", "html")


@pytest.mark.parametrize(
    ("options", "begins"),
    [
        (("--as", "dot"), 'digraph "'),
        (("--as", "mermaid"), "flowchart TD"),
        (("--as", "svg"), "<svg"),
        (("--as", "svg", "--wrt", "U", "--kind", "network", "--theme", "light"), "<svg"),
    ],
)
def test_pictures_as_text(options, begins):
    assert run("picture", NETWORK, *options).startswith(begins)


def test_a_field_in_a_file(tmp_path):
    path = tmp_path / "field.png"
    run("picture", "(1 - a)^2 + 10*(b - a^2)^2", "--kind", "field", "-o", str(path))
    assert path.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("entity", "W*x", "--wrt", "W", "--sizes", "m=x"), "--sizes gives names and numbers"),
        (("entity", "W*x", "--wrt", "W", "--sizes", "k=2"), "no size is called 'k'"),
        (("entity", "W*x", "--wrt", "W,x", "--picture", "a.svg"), "one picture shows one entity"),
        (("entity", "W*x", "--wrt", "W", "--picture", "a.gif"), "what kind of picture"),
        (("entity", "W*x", "--wrt", "W", "--picture", "absent/a.svg"), "cannot write absent/a.svg"),
        (("ways", "W*x", "--wrt", "y"), "there is no 'y'"),
        (("picture", "W*x"), "say where the picture goes"),
        (("picture", "W*x", "--kind", "network", "--as", "dot"), "dot is a language for graphs"),
        (("picture", "W*x", "--kind", "field", "--as", "svg"), "'W' is no scalar or vector"),
    ],
)
def test_what_is_refused(arguments, message):
    assert message in run(*arguments, status=2)

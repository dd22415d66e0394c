"""Tables: what is read, and how each fault is said."""

import numpy as np
import pytest

from pullback.errors import PullbackError
from pullback.training.data import read_table, table_of
from pullback.training.digits import load_digits


def write(tmp_path, text, name="data.csv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_csv_with_quotes_commas_line_breaks_and_a_byte_order_mark(tmp_path):
    path = write(
        tmp_path, '\ufeff"a, b",note,y\r\n1.5,"said ""no"",\r\ntwice",2\r\n\r\n-2e1,x,3\r\n'
    )
    table = read_table(path)
    assert table.names == ["a, b", "note", "y"]
    assert table.numbers("a, b").tolist() == [1.5, -20.0]
    assert table.columns["note"][0] == 'said "no",\r\ntwice'
    assert list(table.lines) == [2, 5]
    assert table.select(["a, b", "y"]) == ["a, b", "y"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("a,b\n", "a header and no rows"),
        ("a,\n1,2\n", "column 2 of the header has no name"),
        ("a,a\n1,2\n", "names the column 'a' twice"),
        ("a,b\n1,2\n3\n", r"row 2 \(line 3\): 1 values for 2 columns; the last is in column 'a'"),
        ("a,b\n1,2,3\n", r"row 1 \(line 2\): 3 values for 2 columns"),
        ('a,b\n1,"2\n', "unexpected end of data"),
    ],
)
def test_broken_files(tmp_path, text, message):
    with pytest.raises(PullbackError, match=message):
        read_table(write(tmp_path, text))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("abc", "'abc' is not a number"),
        ("", "the value is missing"),
        ("nan", "nan is not a finite number"),
        ("inf", "inf is not a finite number"),
    ],
)
def test_values_that_are_no_numbers_are_named_by_row_and_column(tmp_path, value, message):
    path = write(tmp_path, f"p0,p1\n1,2\n3,{value}\n")
    with pytest.raises(PullbackError, match=r"row 2 \(line 3\)") as caught:
        read_table(path).numbers("p1")
    assert message in str(caught.value) and "p1" in str(caught.value)


def test_a_fault_in_a_column_that_nobody_asks_for_does_not_matter(tmp_path):
    table = read_table(write(tmp_path, "p0,note\n1,abc\n2,\n"))
    assert table.numbers("p0").tolist() == [1, 2]


def test_a_missing_column_is_named_with_a_suggestion(tmp_path):
    table = read_table(write(tmp_path, "height,age\n1,2\n"))
    with pytest.raises(PullbackError, match=r"no column 'hieght'\ndid you mean 'height'\?"):
        table.select("hieght")
    with pytest.raises(PullbackError, match=r"no column 'p2', which 'p0\.\.p2' asks for"):
        table_of({"p0": [1], "p1": [1]}).select("p0..p2")
    with pytest.raises(PullbackError, match=r"no column 'q\*'"):
        table.select("q*")
    with pytest.raises(PullbackError, match="'age' is chosen twice"):
        table.select("height..age, age")


def test_selection():
    table = table_of({name: [0.0] for name in ("p00", "p01", "p02", "sex", "q", "age")})
    assert table.select("p00..p02") == ["p00", "p01", "p02"]
    assert table.select("sex..age") == ["sex", "q", "age"]
    assert table.select(["age", "p*"]) == ["age", "p00", "p01", "p02"]
    with pytest.raises(PullbackError, match="'sex' stands before 'age'"):
        table.select("age..sex")


def test_npz(tmp_path):
    path = tmp_path / "data.npz"
    np.savez(path, x=np.zeros((4, 2, 2)), y=np.array(["a", "b", "a", "b"]))
    table = read_table(path)
    assert len(table) == 4 and table.numbers("x").shape == (4, 2, 2)
    assert table.labels("y").tolist() == ["a", "b", "a", "b"]
    np.savez(path, x=np.zeros((4, 2)), y=np.zeros(3))
    with pytest.raises(PullbackError, match="'x' has 4 samples and 'y' has 3"):
        read_table(path)
    np.savez(path, x=np.array([[1.0, np.nan]]))
    with pytest.raises(PullbackError, match="row 1, column 'x': nan is not a finite number"):
        read_table(path).numbers("x")
    np.savez(path, x=np.array([{"an": "object"}], dtype=object))
    with pytest.raises(PullbackError, match="not an NPZ file of plain arrays"):
        read_table(path)
    with pytest.raises(PullbackError, match=r"cannot read .*no such file"):
        read_table(tmp_path / "absent.npz")
    with pytest.raises(PullbackError, match=r"cannot read .*no such file"):
        read_table(tmp_path / "absent.csv")
    np.savez(path, x=np.zeros((2, 2), dtype=complex))
    with pytest.raises(PullbackError, match="holds complex128, not real numbers"):
        read_table(path).numbers("x")


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["a", "b", ""], "row 3, column 'y': the label is missing"),
        (["1", "nan", "2"], "row 2, column 'y': the label is missing"),
        (["1", "2", "2.5"], "row 3, column 'y': 2.5 is no class label"),
        (["1", "1O", "2"], "'1O' is not a number"),
    ],
)
def test_labels_that_are_none(labels, message):
    with pytest.raises(PullbackError, match=message):
        table_of({"y": labels}).labels("y")


def test_labels_are_integers_or_text():
    assert table_of({"y": ["3", "1.0"]}).labels("y").tolist() == [3, 1]
    assert table_of({"y": [True, False]}).labels("y").tolist() == [1, 0]
    assert table_of({"y": ["no", " yes"]}).labels("y").tolist() == ["no", "yes"]
    long = ["9007199254740993", "9007199254740992"]
    assert len(set(table_of({"y": long}).labels("y").tolist())) == 2


def test_the_digits_are_those_of_scikit_learn():
    images, labels = load_digits()
    assert np.bincount(labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    datasets = pytest.importorskip("sklearn.datasets")
    theirs = datasets.load_digits()
    assert np.array_equal(images, theirs.images) and np.array_equal(labels, theirs.target)

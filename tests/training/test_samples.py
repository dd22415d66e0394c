"""Labels, scaling and the split."""

import numpy as np
import pytest

from pullback.errors import PullbackError
from pullback.expressions import constructors as make
from pullback.expressions.program import Program
from pullback.training.data import table_of
from pullback.training.samples import (
    bind_sizes,
    check_assumptions,
    constants_of,
    fit_scaling,
    input_of,
    label_of,
    split,
)


def var(name, *sizes, assumptions=()):
    return make.variable(name, sizes, assumptions)


def test_one_column_for_a_vector_is_one_hot():
    labels = label_of(table_of({"d": [7, 3, 7]}), var("y", "p"), ["d"])
    assert labels.classes == (3, 7)
    assert labels.values.tolist() == [[0, 1], [1, 0], [0, 1]]
    again = label_of(table_of({"d": [3]}), var("y", "p"), ["d"], labels.classes)
    assert again.values.tolist() == [[1, 0]]
    with pytest.raises(PullbackError, match="row 1, column 'd': 4 is none of the classes 3, 7"):
        label_of(table_of({"d": [4]}), var("y", "p"), ["d"], labels.classes)
    with pytest.raises(PullbackError, match="every label in column 'd' is 3"):
        label_of(table_of({"d": [3, 3]}), var("y", "p"), ["d"])


def test_scalar_labels():
    number = label_of(table_of({"d": [1.5, 2]}), var("y"), ["d"])
    assert number.values.tolist() == [1.5, 2] and not number.classes
    text = label_of(table_of({"d": ["no", "yes"]}), var("y"), ["d"])
    assert text.values.tolist() == [0, 1] and text.classes == ("no", "yes")
    sign = label_of(table_of({"d": ["no", "yes"]}), var("y", assumptions=["sign"]), ["d"])
    assert sign.values.tolist() == [-1, 1]
    sign = label_of(table_of({"d": [1, -1]}), var("y", assumptions=["sign"]), ["d"])
    assert sign.values.tolist() == [1, -1] and sign.classes == (-1, 1)
    with pytest.raises(PullbackError, match="0 is none of the classes -1, 1"):
        label_of(table_of({"d": [1, 0]}), var("y", assumptions=["sign"]), ["d"])
    with pytest.raises(PullbackError, match="3 classes, and the scalar label"):
        label_of(table_of({"d": ["a", "b", "c"]}), var("y"), ["d"])


def test_several_columns_are_a_real_target():
    labels = label_of(table_of({"a": [1, 2], "b": [3, 4]}), var("y", "p"), ["a", "b"])
    assert labels.values.tolist() == [[1, 3], [2, 4]] and not labels.classes


def test_inputs_of_several_axes():
    table = table_of({"x": np.arange(12).reshape(3, 2, 2), "a": [1, 2, 3]})
    assert input_of(table, var("x", "m", "n"), ["x"]).shape == (3, 2, 2)
    assert input_of(table, var("x", "n"), ["x", "a"])[0].tolist() == [0, 1, 2, 3, 1]
    assert input_of(table, var("x", 2, 2), ["x"])[1].tolist() == [[4, 5], [6, 7]]
    with pytest.raises(PullbackError, match="x is 3×2, and x of the data gives 4 numbers"):
        input_of(table_of({"x": np.zeros((1, 4))}), var("x", 3, 2), ["x"])


def test_scaling():
    values = np.random.default_rng(0).normal(3, 5, size=(100, 4))
    scaled = fit_scaling(values, "standard")(values)
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(scaled.std(axis=0), 1)
    np.testing.assert_allclose(fit_scaling(values, 16)(values), values / 16)


@pytest.mark.parametrize("fraction", [0.2, 0.25, 0.37])
def test_the_split_is_stratified_disjoint_and_complete(fraction):
    codes = np.repeat([0, 1, 2], [60, 31, 9])
    train, held = split(100, codes, fraction, np.random.default_rng(0))
    assert sorted([*train, *held]) == list(range(100))
    assert len(held) == round(100 * fraction)
    share = np.bincount(codes[held]) / np.bincount(codes)
    assert np.all(np.abs(share * np.bincount(codes) - fraction * np.bincount(codes)) < 1)
    assert list(codes[train]) != sorted(codes[train])
    other = split(100, codes, fraction, np.random.default_rng(1))[1]
    same = split(100, codes, fraction, np.random.default_rng(0))[1]
    assert list(same) == list(held) != list(other)


def test_a_split_never_empties_a_class():
    train, held = split(4, np.array([0, 0, 0, 1]), 0.8, np.random.default_rng(0))
    assert 3 in train and len(held) == 2


def program(*variables):
    return Program(make.constant(0), {v.name: v for v in variables})


def test_sizes_come_from_the_data_and_the_settings():
    P = program(var("U", "m", "n"), var("x", "n"), var("y", "p"))
    arrays = {"x": np.zeros((5, 4)), "y": np.zeros((5, 3))}
    assert bind_sizes(P, arrays, {"m": 7}) == {"m": 7, "n": 4, "p": 3}
    with pytest.raises(PullbackError, match=r"how large m should be\nadd .*sizes = { m = 10 }"):
        bind_sizes(P, arrays, {})
    with pytest.raises(PullbackError, match="n is 9 by the setting sizes and 4 by the data of 'x'"):
        bind_sizes(P, arrays, {"m": 7, "n": 9})
    with pytest.raises(PullbackError, match="the program has no size 'q'"):
        bind_sizes(P, arrays, {"m": 7, "q": 9})
    with pytest.raises(PullbackError, match="x is 8, so 8 here, and the data give 4"):
        bind_sizes(program(var("x", 8)), {"x": np.zeros((5, 4))}, {})


def test_data_must_be_what_the_program_assumes():
    y = var("y", "p", assumptions=["unit-sum"])
    check_assumptions(y, np.array([[0.25, 0.75]]), "t")
    with pytest.raises(PullbackError, match="t, row 2: y is declared unit-sum"):
        check_assumptions(y, np.array([[0.25, 0.75], [1, 1]]), "t")
    with pytest.raises(PullbackError, match="declared skew, which is not checked"):
        check_assumptions(var("S", "n", "n", assumptions=["skew"]), np.zeros((1, 2, 2)), "t")


def test_constants():
    P = program(var("s"), var("a", "n"))
    assert constants_of(P, {"s": 2.0}, {"n": 3}, np.float64)["s"] == 2
    with pytest.raises(PullbackError, match="constant a is 2, and the program wants 3"):
        constants_of(P, {"a": [1.0, 2.0]}, {"n": 3}, np.float64)

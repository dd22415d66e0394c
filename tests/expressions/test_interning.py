"""Equal expressions are one object; different ones never are."""

import copy
import gc
import os
import pickle
import subprocess
import sys
import threading
from fractions import Fraction

import pytest

from pullback.errors import PullbackError, ShapeError
from pullback.expressions import constructors as make
from pullback.expressions.nodes import _table
from pullback.functions.catalogue import CATALOGUE

x = make.variable("x", ["n"])
y = make.variable("y", ["n"])
A = make.variable("A", ["m", "n"])
B = make.variable("B", ["n", "p"])


def exp(node):
    return CATALOGUE["exp"].apply([node])


def test_equal_expressions_are_one_object():
    assert make.variable("x", ["n"]) is x
    assert make.einsum("ij,jk->ik", A, B) is make.einsum("ab,bc->ac", A, B)
    assert exp(make.add([(1, x), (2, y)])) is exp(make.add([(2, y), (1, x)]))


def test_the_names_and_order_of_labels_do_not_matter():
    assert make.contract([(A, "ij"), (B, "jk")], "ik") is make.contract(
        [(B, "qr"), (A, "pq")], "pr"
    )
    assert make.contract([(A, "ij"), (A, "kj")], "ik") is make.contract(
        [(A, "kj"), (A, "ij")], "ik"
    )
    assert make.contract([(x, "i"), (y, "i")], "") is make.contract([(y, "i"), (x, "i")], "")


def test_a_transpose_shares_the_matrix_and_undoes_itself():
    assert make.transpose(A).children == (A,)
    assert make.transpose(make.transpose(A)) is A
    assert make.transpose(A) is not A


def test_different_expressions_are_different_objects():
    square = make.variable("S", ["n", "n"])
    assert make.transpose(square) is not square
    assert make.variable("x", ["n"], ["positive"]) is not x
    assert make.variable("x", ["m"]) is not x
    assert make.variable("x", [3]) is not make.variable("x", ["3"])
    assert make.einsum("ij,ij->", A, A) is not make.einsum("ij,ik->", A, A)
    assert make.einsum("i,j->ij", x, y) is not make.einsum("i,j->ji", x, y)
    assert make.add([(1, x), (-1, y)]) is not make.add([(-1, x), (1, y)])
    assert make.zeros(["n"]) is not make.zeros(["m"])
    assert make.ones(["n", "n"]) is not make.delta("n")
    one_third = make.constant(Fraction(1, 3))
    assert one_third is not make.constant(0.3333333333333333)


def test_numbers_are_exact():
    assert make.constant(1) is make.constant(1.0) is make.constant(Fraction(2, 2))
    assert make.constant(0.1) is make.constant(Fraction(1, 10))
    assert make.constant_value(make.constant(1e-300)) == Fraction(1, 10**300)
    assert make.constant_value(make.scale(3, make.constant(Fraction(1, 3)))) == 1
    assert type(make.constant_value(make.constant(2.0))) is int
    for bad in (float("nan"), float("inf")):
        with pytest.raises(PullbackError, match="not a number an expression can hold"):
            make.constant(bad)


def test_like_terms_are_collected_and_zeros_dropped():
    assert make.add([(1, x), (2, x)]) is make.scale(3, x)
    assert make.is_zero(make.add([(1, x), (-1, x)]))
    assert make.scale(0, x) is make.zeros(["n"])
    assert make.add([(1, x), (1, make.zeros(["n"]))]) is x
    assert make.is_zero(make.einsum("ij,j->i", A, make.zeros(["n"])))
    with pytest.raises(ShapeError, match="cannot add n and m×n"):
        make.add([(1, x), (1, A)])


def test_copies_are_the_same_object():
    node = make.einsum("ij,j->i", A, exp(x))
    assert copy.copy(node) is node and copy.deepcopy(node) is node
    assert pickle.loads(pickle.dumps(node)) is node


def chain(depth):
    node = x
    for _ in range(depth):
        node = exp(make.add([(1, node), (1, x)]))
    return node


def test_a_deep_expression_can_be_made_pickled_and_shown():
    node = chain(10_000)
    assert pickle.loads(pickle.dumps(node)) is node
    assert copy.deepcopy(node) is node
    assert repr(node).startswith("<Apply (n) ")
    assert "x" in repr(x)


def test_what_nobody_holds_is_forgotten():
    gc.collect()
    before = len(_table)
    node = chain(100)
    assert len(_table) >= before + 200
    del node
    gc.collect()
    assert len(_table) <= before


def test_threads_that_make_the_same_expression_get_one_object():
    barrier, made = threading.Barrier(8), []

    def build():
        barrier.wait()
        for k in range(200):
            made.append((k, make.einsum("i,i->", make.variable(f"t{k}", ["n"]), x)))

    threads = [threading.Thread(target=build) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({(k, id(node)) for k, node in made}) == 200


PROGRAM = """
from pullback.derivation.derive import derive
from pullback.expressions import Program, constructors as make
from pullback.expressions.walks import post_order
from pullback.functions.catalogue import CATALOGUE as c
V, U, x, y = (make.variable(*v) for v in
    [("V", ["p", "m"]), ("U", ["m", "n"], ["symmetric", "positive"]), ("x", ["n"]), ("y", ["p"])])
g = c["sigmoid"].apply([make.einsum("ij,j->i", U, x)])
L = c["squared_error"].apply([make.einsum("ij,j->i", V, g), y])
d = derive(Program(L, {"U": U, "x": x}), ["U", "x"])
print([node.digest.hex() for node in post_order(d.node)])
"""


def test_the_same_program_gives_the_same_nodes_in_every_run():
    outputs = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "77")
    }
    assert len(outputs) == 1 and len(outputs.pop()) > 500

"""Counted operations agree with counts made by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pullback.compilation.count import Count, operations, savings
from pullback.compilation.lowering import lower
from pullback.derivation.derive import derive, derive_each
from pullback.expressions import Program
from pullback.expressions import constructors as make
from pullback.functions.catalogue import CATALOGUE

A, B, x = make.variable("A", "ab"), make.variable("B", "bc"), make.variable("x", "b")
SIZES = {"a": 2, "b": 3, "c": 5}


def count(node):
    return replace(operations(lower({"out": node}), SIZES), bytes=0)


def test_bytes_are_what_is_written():
    y = make.einsum("ij,j->i", A, x)
    assert operations(lower({"out": y}), SIZES).bytes == 2 * 8
    assert operations(lower({"out": make.power(y, 2)}), SIZES).bytes == 4 * 8
    turned = make.transpose(B, (1, 0))
    assert operations(lower({"out": make.einsum("ij,j->i", turned, x)}), SIZES).bytes == 5 * 8


def test_products_and_sums():
    assert count(make.einsum("ij,j->i", A, x)) == Count(multiplications=6, additions=4)
    assert count(make.einsum("ij,jk->ik", A, B)) == Count(multiplications=30, additions=20)
    assert count(make.einsum("i,i->", x, x)) == Count(multiplications=3, additions=2)
    assert count(make.einsum("ij,ij->", A, A)) == Count(multiplications=6, additions=5)
    assert count(make.total(A)) == Count(additions=5)
    assert count(make.einsum("ij,j->ij", A, x)) == Count(multiplications=6)
    assert count(make.add([(1, x), (-2, make.power(x, 2))])) == Count(6, 3)
    assert count(make.einsum("ii->", make.variable("S", "aa"))) == Count(additions=1)
    T = make.variable("T", "abc")
    assert count(make.einsum("abc,dbc->ad", T, T)) == Count(multiplications=60, additions=56)
    assert count(make.einsum("abc,ab->bc", T, A)) == Count(multiplications=30, additions=15)


def test_functions_and_stored_values():
    sigmoid = CATALOGUE["sigmoid"].apply([x])
    # −x, e to it, 1 +, 1 /
    assert count(sigmoid) == Count(additions=6, functions=3, divisions=3)
    both = make.multiply(sigmoid, sigmoid)
    assert count(both) == Count(multiplications=3, additions=6, functions=3, divisions=3, stored=3)
    assert count(CATALOGUE["inv"].apply([make.variable("S", "bb")])).multiplications == 27


def chain(layers):
    """xₖ₊₁ = tanh(Wₖ xₖ), L = Σ x: every derivative needs every forward value."""
    node = make.variable("x", "n")
    variables = {"x": node}
    for k in range(layers):
        W = variables[f"W{k}"] = make.variable(f"W{k}", "nn")
        node = CATALOGUE["exp"].apply([make.einsum("ij,j->i", W, node)])
    return Program(make.total(node), variables)


def test_what_stored_values_and_products_save():
    layers, n = 6, 10
    program = chain(layers)
    weights = [f"W{k}" for k in range(layers)]
    gradients = derive_each(program, weights)
    outputs = {"L": program.result, **{k: d.node for k, d in gradients.items()}}
    rows = savings(outputs, program, {"n": n}).rows
    whole = rows["all three savings"]
    # forward: W x per layer; backward: one product with W less, an outer product and one with exp
    products = layers * n * n + (layers - 1) * n * n + layers * n * n
    assert whole.multiplications == products + (layers - 1) * n
    assert whole.functions == layers * n
    # each gradient alone: layer k repeats the chain from the end
    repeated = sum((layers - 1 - k) * (n * n + n) for k in range(layers))
    alone = layers * n * n + layers * n * n + repeated
    assert rows["products not stored"].multiplications == alone
    assert rows["forward values not stored"].functions > 4 * whole.functions
    assert rows["forward values not stored"].stored < whole.stored


def test_what_stored_reciprocals_save():
    inverse = make.power(x, -1)
    outputs = {name: make.multiply(inverse, CATALOGUE[name].apply([x])) for name in ("exp", "log")}
    rows = savings(outputs, Program(make.total(outputs["exp"]), {"x": x}), SIZES).rows
    stored, anew = rows["all three savings"], rows["reciprocals not stored"]
    assert (stored.divisions, stored.multiplications, stored.stored) == (3, 6, 6)
    assert (anew.divisions, anew.multiplications, anew.stored) == (6, 0, 3)


def test_the_table_is_small_and_complete():
    program = chain(2)
    gradient = derive(program, ["W0"]).node
    text = savings({"dW0": gradient}, program, {"n": 4}).text()
    lines = text.splitlines()
    assert len(lines) == 5
    assert lines[0].split() == [
        "multiplications",
        "additions",
        "divisions",
        "functions",
        "stored",
        "bytes",
        "ratio",
    ]
    assert lines[1].endswith("1.00")
    assert np.all([len(line) <= 100 for line in lines])

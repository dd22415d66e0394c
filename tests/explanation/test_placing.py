"""Slices, joins, merged axes and triangles are told in words, not by the indicators they are made of."""

import pytest

import pullback as pb

TOLD = [
    ("x: n\ns = x(2:end)\nL = sum(s.^3)", "x", "entries taken out (a slice)", "entries put among zeros"),
    ("x: n\ny: m\nu = [x; y]\nL = sum(u.^3)", "x", "parts joined at their places",
     "entries taken out (a slice)"),
    ("X: m n\nv = vec(X)\nL = sum(v.^3)", "X", "axes merged into one", "one axis split (a reshape)"),
    ("A: n n\nT = tril(A)\nL = sum(T.^3)", "A", "a triangle kept, zeros elsewhere",
     "a triangle kept, zeros elsewhere"),
    ("A: m m\nB: n n\nK = kron(A, B)\nL = sum(K.^3)", "A", "axes merged by pairs",
     "one axis split (a reshape)"),
]  # fmt: skip


@pytest.mark.parametrize(("program", "wrt", "forward", "backward"), TOLD)
def test_what_moves_entries_is_told_in_words(program, wrt, forward, backward):
    explanation = pb.explain(program, wrt)
    text = " ".join(explanation.text().split())
    assert forward in text
    assert backward in text.partition("Backward")[2]
    factors = [line for line in explanation.text().splitlines() if "signal path:" in line]
    assert not any("[" in line.partition("signal path:")[2] for line in factors)

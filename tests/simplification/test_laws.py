"""Every law, wherever a textbook derivative meets it, has the same value on both sides."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from textbook_rows import ROWS

from pullback.derivation.derive import derive
from pullback.expressions import constructors as make
from pullback.expressions.nodes import Node, Sum
from pullback.expressions.walks import post_order
from pullback.functions.catalogue import CATALOGUE
from pullback.language.parse import parse_program
from pullback.simplification import simplify as engine
from pullback.simplification.simplify import OF_FUNCTIONS, OF_PRODUCTS, OF_SUMS, Row, simplify
from pullback.trace import Rewrite, Trace
from pullback.verification.certificate import Certificate, check_values

LAWS = [row.law for row in (*OF_PRODUCTS, *OF_SUMS, *OF_FUNCTIONS)]
MOST = 3  # instances of each law, the shortest that were met

MORE = """
A: m m; B: n n | inv(kron(A, B))
A: m m; B: n n | inv([A zeros(m, n); zeros(n, m) B])
X: m n | sin(vec(X))
x: n; b: m | diff([x; b])
x: n | diff(x)(2:end)
A: m n; B: m p | [A B](:, n+1:end)
Q: n n orthogonal; x: n | norm2(Q'*Q*x)
Q: n n orthogonal; x: n | inv(Q)*x
X: n n; a: n | inv(X)*X*a
x: n positive | abs(x)
x: n | abs(abs(x))
x: n | abs(-x)
s: n sign | s.^4
x: n; y: n | exp(x)/sum(exp(x))
A: n n skew; x: n | A'*x
X: n n | adjugate(X)/det(X)
x: n | inv(diag(x))
X: n n | logdet(inv(X))
X: n n | inv(X')
X: n n | inv(2*X)
x: n positive | log(prod(x))
A: n n posdef | logdet(chol(A))
a: n positive | chol(diag(a))
A: n n posdef | chol(A)*chol(A)'
A: n n posdef | chol(A)'*inv(A)
L: n n lower | tril(L)
a: n; x: n | det(eye(n) + a*x')
c: ; x: n | inv(eye(n) + c*x*x')*x
D: n n diagonal | inv(D) .* eye(n)
"""

GRADIENTS = """
x: n | sum((x(2:end) - x(1:end-1)).^2) | x,x
x: n; y: n | norm2([x; y](2:end))^2 | x
A: m n; B: n p | norm2(vec(A*B))^2 | A
t: ; A: n n | expm(t*A) | t
X: n n; A: n n | tr(A*expm(X)) | X
A: n n posdef; B: n n | tr(B*chol(A)) | A
A: n n posdef | logdet(chol(A)) | A
A: n n posdef; b: n | b'*chol(A)*b | A
A: n n posdef; b: n | norm2(inv(chol(A))*b)^2 | A
t: ; B: n n; A: n n posdef | chol(t*A) | t
"""


def derivations() -> Iterable[Trace]:
    for row in ROWS:
        head = row.declared.replace("; ", "\n") + "\n"
        program = parse_program(head + row.function.replace("; ", "\n"))
        yield derive(program, row.wrt.split(",")).trace
    for line in GRADIENTS.strip().splitlines():
        declared, formula, wrt = line.split(" | ")
        program = parse_program(declared.replace("; ", "\n") + "\n" + formula)
        yield derive(program, wrt.split(",")).trace
    for line in MORE.strip().splitlines():
        declared, formula = line.split(" | ")
        yield simplified(parse_program(declared.replace("; ", "\n") + "\n" + formula).result)
    half = CATALOGUE["tril_half"].apply([make.variable("X", ["n", "n"])])
    yield simplified(make.einsum("ii->i", half))


def simplified(node: Node) -> Trace:
    trace = Trace()
    simplify(node, trace)
    return trace


@cache
def rewrites() -> dict[str, list[Rewrite]]:
    """The shortest rewrites by each law."""
    found: dict[str, dict[Node, Rewrite]] = {}
    for trace in derivations():
        for rewrite in trace.rewrites:
            found.setdefault(rewrite.law, {})[rewrite.before] = rewrite
    size = {
        law: {r.before: len(post_order(r.before)) for r in rs.values()} for law, rs in found.items()
    }
    return {
        law: sorted(rs.values(), key=lambda r, s=size[law]: (s[r.before], r.before.digest))[:MOST]
        for law, rs in found.items()
    }


def checked(rewrite: Rewrite) -> Certificate:
    # an orthogonal point is orthogonal to 40 digits only: what is zero for it is 1e-40
    return check_values(rewrite.before, rewrite.after, points=2, threshold=1e-8)


@pytest.mark.parametrize("law", LAWS)
def test_a_law_holds_wherever_it_is_used(law: str) -> None:
    met = rewrites().get(law, [])
    assert met, "no derivative needed it, and nothing in MORE does"
    for rewrite in met:
        certificate = checked(rewrite)
        assert certificate.points and not certificate.wrong, str(certificate)


def test_the_laws_of_functions_hold_where_they_are_used() -> None:
    others = set(rewrites()) - set(LAWS)
    assert others
    for law in others:
        for rewrite in rewrites()[law]:
            assert not checked(rewrite).wrong, law


@pytest.mark.parametrize("formula", ["x + y .* x", "2*x - x .* y", "A*x + A'*x"])
def test_a_wrong_law_is_found_out(formula: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that forgets a term makes shorter what it touches, and nothing else stops it."""

    def forgetful(node: Node) -> Node | None:
        return node.terms[0][1] if isinstance(node, Sum) and len(node.terms) > 1 else None

    wrong = Row("a + b = a", forgetful)
    monkeypatch.setitem(engine._ROWS, Sum, (wrong,))
    trace = simplified(parse_program(f"A: n n\nx: n\ny: n\n{formula}").result)
    used = [r for r in trace.rewrites if r.law == wrong.law]
    assert used and all(checked(r).wrong for r in used)

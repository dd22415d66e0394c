"""What holds of every simplification: value, idempotence, no dependence on order or schedule."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from pullback.differentiation.reverse import reverse
from pullback.expressions import Contraction, Node, Sum, Variable
from pullback.expressions import constructors as make
from pullback.expressions.walks import post_order, substitute, variables
from pullback.functions.algebra import Term, einsum, total
from pullback.functions.catalogue import CATALOGUE
from pullback.simplification.measure import measure
from pullback.simplification.simplify import simplify
from pullback.trace import Trace
from pullback.verification.certificate import check_values

exp, sigmoid, abs_, sign_of, step, relu, inv, softmax = (
    CATALOGUE[f] for f in ("exp", "sigmoid", "abs", "sign", "step", "relu", "inv", "softmax")
)
N = make.size_value("n")


def vector(name: str, *assumptions: str) -> Term:
    return Term(make.variable(name, ["n"], assumptions))


def matrix(name: str, *assumptions: str) -> Term:
    return Term(make.variable(name, ["n", "n"], assumptions))


a, x, s = vector("a", "positive"), vector("x", "positive"), vector("s", "sign")
b, p = vector("b", "binary"), vector("p", "positive", "unit-sum")
A, S, K, Q = matrix("A"), matrix("S", "posdef"), matrix("K", "skew"), matrix("Q", "orthogonal")
D = matrix("D", "diagonal", "positive")
c, t = Term(make.variable("c", [], ["positive"])), Term(make.variable("t", [], ["positive"]))

scalars = st.sampled_from([c, t, einsum("i,i->", a, x), total(a), total(p), einsum("ii->", A)])
entries = st.sampled_from(
    [a, x, s, b, p, x**-1, x ** Term(make.constant(0.5)), abs_(a - x), sign_of(a - x)]
    + [step(a - x), relu(a - x), a - x, exp(a), exp(-a), sigmoid(s * x), sigmoid(-s * x)]
)
squares = st.sampled_from([A, S, K, Q, D, inv(A), inv(S), inv(Q), S + D, einsum("i,j->ij", a, x)])


def vectors(children: st.SearchStrategy[Term]) -> st.SearchStrategy[Term]:
    pairs = st.tuples(children, children)
    return st.one_of(
        pairs.map(lambda v: v[0] + v[1]),
        pairs.map(lambda v: v[0] - v[1]),
        pairs.map(lambda v: v[0] * v[1]),
        st.tuples(scalars, children).map(lambda v: v[0] * v[1]),
        st.tuples(scalars, children).map(lambda v: v[1] / v[0]),
        st.tuples(squares, children).map(lambda v: einsum("ij,j->i", v[0], v[1])),
        st.tuples(squares, children).map(lambda v: einsum("ji,j->i", v[0], v[1])),
        pairs.map(lambda v: v[0] * total(v[1])),
        children.map(lambda v: v - total(v) / Term(N)),
        children.map(lambda v: 2 * v),
    )


def matrices(children: st.SearchStrategy[Term]) -> st.SearchStrategy[Term]:
    pairs = st.tuples(children, children)
    return st.one_of(
        pairs.map(lambda v: einsum("ij,jk->ik", v[0], v[1])),
        pairs.map(lambda v: einsum("ji,jk->ik", v[0], v[1])),
        pairs.map(lambda v: v[0] + v[1]),
        pairs.map(lambda v: v[0] - v[1]),
        children.map(lambda v: einsum("ij->ji", v)),
        st.tuples(children, entries).map(lambda v: einsum("ij,j->ij", v[0], v[1])),
        st.tuples(scalars, children).map(lambda v: v[0] * v[1]),
        children.map(inv_of),
    )


def inv_of(term: Term) -> Term:
    """The inverse of a product, or the term where an inverse may not exist."""
    core = make.split_coefficient(term.node)[1]
    names = {v.name for v in variables(core)}
    plain = not any(isinstance(n, Sum) for n in post_order(core)) and names <= {"A", "S", "Q", "D"}
    return inv(term) if plain else term


of_vectors = st.recursive(entries, vectors, max_leaves=6)
of_matrices = st.recursive(squares, matrices, max_leaves=5)
of_both = of_matrices.map(lambda m: einsum("ij,j->i", m, x))


@st.composite
def derivatives(draw: st.DrawFn) -> Term:
    """What reverse order leaves before anything is simplified, by a variable that is there."""
    node = total(draw(st.recursive(entries, vectors, max_leaves=4))).node
    if draw(st.booleans()):
        node = einsum("ii->", draw(st.recursive(squares, matrices, max_leaves=3))).node
    free = {v: make.variable(v.name, v.shape) for v in [*variables(node), x.node]}
    target = draw(st.sampled_from(sorted(free, key=lambda v: v.name)))
    (raw,) = reverse(substitute(node, free), [free[target]])
    return Term(substitute(raw, {stand_in: v for v, stand_in in free.items()}))


terms = st.one_of(of_vectors, of_matrices, of_both, derivatives())


@settings(max_examples=120)
@given(terms)
def test_the_value_is_kept(term: Term) -> None:
    # an orthogonal point is orthogonal to 40 digits only: what is zero for it is 1e-40
    found = check_values(term.node, simplify(term.node), points=1, threshold=1e-8)
    assert not found.wrong, found


@settings(max_examples=200)
@given(terms)
def test_a_second_pass_changes_nothing(term: Term) -> None:
    once = simplify(term.node)
    assert simplify(once) is once


@settings(max_examples=200)
@given(terms)
def test_every_rewrite_lets_the_measure_fall(term: Term) -> None:
    trace = Trace()
    simplify(term.node, trace)
    for rewrite in trace.rewrites:
        assert measure(rewrite.after) < measure(rewrite.before), rewrite.law


@settings(max_examples=200)
@given(terms, st.data())
def test_simplifying_a_part_first_changes_nothing(term: Term, data: st.DataObject) -> None:
    part = data.draw(st.sampled_from(post_order(term.node)))
    done_first = substitute(term.node, {part: simplify(part)})
    assert simplify(done_first) is simplify(term.node)


def shuffled(root: Node, order: st.DataObject) -> Node:
    """The same expression, made again with terms and factors given in another order."""
    image: dict[Node, Node] = {}
    for node in post_order(root):
        if isinstance(node, Sum) and node.terms:
            given = order.draw(st.permutations(node.terms))
            image[node] = make.add([(k, image[n]) for k, n in given])
        elif isinstance(node, Contraction) and node.operands:
            factors = order.draw(st.permutations(node.operands))
            image[node] = make.contract(
                [(image[n], ls) for n, ls in factors], node.output, dict(enumerate(node.sizes))
            )
        else:
            image[node] = substitute(node, {n: image[n] for n in node.children})
    return image[root]


@settings(max_examples=100)
@given(terms, st.data())
def test_the_order_of_terms_and_factors_does_not_matter(term: Term, data: st.DataObject) -> None:
    other = shuffled(term.node, data)
    assert simplify(other).digest == simplify(term.node).digest


@settings(max_examples=100)
@given(terms)
def test_names_do_not_matter(term: Term) -> None:
    """Other names give another canonical order, and a result that is about as long.

    Which common factor is taken out first may differ where two save the same.
    """
    renamed = {
        v: make.variable(f"v{k}", v.shape, v.assumptions)
        for k, v in enumerate(variables(term.node))
        if isinstance(v, Variable)
    }
    other = substitute(term.node, dict(renamed))
    assert abs(measure(simplify(other))[0] - measure(simplify(term.node))[0]) <= 2

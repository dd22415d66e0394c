"""Reverse order, forward order and differences of the function agree on random expressions."""

from functools import reduce

from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from pullback.derivation.derive import derive
from pullback.derivation.result import Derivation, Wrt
from pullback.differentiation.forward import forward
from pullback.differentiation.reverse import identity, reverse
from pullback.expressions import Program
from pullback.expressions import constructors as make
from pullback.expressions.walks import variables
from pullback.functions.catalogue import CATALOGUE
from pullback.functions.record import Definition, Function
from pullback.trace import Trace
from pullback.verification.certificate import certify, check_values

SHAPES = [(), ("n",), ("m",), ("m", "n"), ("n", "n"), ("m", "n", "n")]
LEAVES = [make.variable(f"x{k}", shape) for k, shape in enumerate(SHAPES)]
CONSTANT = make.exact_number
FUNCTIONS = [r for r in CATALOGUE.values() if isinstance(r, Function)]
DEFINITIONS = [r for r in CATALOGUE.values() if isinstance(r, Definition)]


def inside(domain, node):
    """An argument made to lie in the domain of the function that gets it."""
    if domain.points:
        return make.constant(domain.points[-1], node.shape)
    if domain.inside and domain.outside:
        low, high = domain.inside
        if max(domain.outside) > high:
            return CATALOGUE["tanh"].apply([node])
        square = make.multiply(node, node)
        return make.add([(1, square), (CONSTANT(low + 0.05), make.ones(node.shape))])
    if domain.matrix is not None:
        bounded = CATALOGUE["tanh"].apply([node])
        one = make.einsum("ij->ij", make.delta(node.shape[-1]))
        one = make.broadcast(one, node.shape)
        return make.add([(CONSTANT(0.1), bounded), (1, one)])
    return node


@st.composite
def expressions(draw, steps=6, functions=FUNCTIONS):
    """A DAG over the catalogue: any operation of any earlier nodes whose shapes fit."""
    pool = list(LEAVES)

    def of_shape(shape):
        """A node of this shape: one there is, or a scalar or constant made to fit."""
        fitting = [node for node in pool if node.shape == shape]
        return draw(st.sampled_from(fitting[::-1])) if fitting else make.ones(shape)

    for _ in range(draw(st.integers(1, steps))):
        kind = draw(st.sampled_from(["function", "function", "sum", "product", "view", "power"]))
        node = draw(st.sampled_from(pool[::-1]))
        if kind == "function":
            record = draw(st.sampled_from(functions))
            core = (record.signature.arguments or [()])[0]
            square = len(core) < 2 or (node.order > 1 and node.shape[-1] == node.shape[-2])
            if node.order < len(core) or not square:
                continue
            arguments = [node, *(of_shape(node.shape) for _ in record.partials[1:])]
            arguments = arguments[: len(record.partials)]
            domains = [record.domain[min(k, len(record.domain) - 1)] for k in range(len(arguments))]
            arguments = [inside(d, a) for d, a in zip(domains, arguments, strict=True)]
            new = record.apply(arguments)
        elif kind == "sum":
            terms = [(draw(st.sampled_from([1, -1, 2, CONSTANT(0.5)])), of_shape(node.shape))]
            new = make.add([(1, node), *terms])
        elif kind == "power":
            new = make.power(node, draw(st.sampled_from([2, 3, 4])))
        elif kind == "view":
            new = make.transpose(node, draw(st.permutations(range(node.order))))
            if node.order > 1 and node.shape[-1] == node.shape[-2] and draw(st.booleans()):
                new = make.einsum("...ii->...i", node)
        else:
            other = draw(st.sampled_from(pool[::-1]))
            # one label per size, so that axes of equal size meet; sometimes kept apart
            label = {s: str(s) for s in (*node.shape, *other.shape)}
            left = [label[s] for s in node.shape]
            right = [label[s] + draw(st.sampled_from(["", "'"])) for s in other.shape]
            output = [i for i in dict.fromkeys([*left, *right]) if draw(st.booleans())]
            if len(output) > 3:
                continue
            if output and draw(st.integers(0, 5)) == 0 and len(output) < 3:
                output.append(output[0])  # a δ
            new = make.contract([(node, left), (other, right)], output)
        if new.order <= 3:
            pool.append(new)
    root = pool[-1]
    if draw(st.booleans()):
        root = reduce(make.multiply, [make.total(node) for node in pool[-2:]])
    return root


@given(expressions(), st.data())
@settings(max_examples=150, deadline=None)
def test_first_derivatives(root, data):
    found = variables(root)
    assume(found)
    target = data.draw(st.sampled_from(found))
    backward = reverse(root, [target])[0]
    ahead = forward(root, {target: identity(target)})
    assert backward.shape == ahead.shape == root.shape + target.shape
    program = Program(root, {v.name: v for v in found})
    claim = Derivation(program, (Wrt(target.name, target),), backward, backward, Trace())
    certificate = certify(claim, points=1)
    assert not certificate.wrong, certificate
    event("certified" if certificate.passed else certificate.message[:40])
    if certificate.passed:
        same = check_values(backward, ahead, points=1)
        assert not same.wrong, same


@given(expressions(steps=4), st.data())
@settings(max_examples=60, deadline=None)
def test_second_derivatives(root, data):
    found = variables(root)
    assume(found)
    first, second = (data.draw(st.sampled_from(found)) for _ in range(2))
    assume(root.order + first.order + second.order <= 6)
    program = Program(root, {v.name: v for v in found})
    gradient = reverse(root, [first])[0]
    plain = reverse(gradient, [second])[0]
    targets = (Wrt(first.name, first), Wrt(second.name, second))
    for claim in (
        Derivation(program, targets, plain, plain, Trace()),
        derive(program, [first.name, second.name]),
    ):
        certificate = certify(claim, points=1)
        assert not certificate.wrong, certificate
        event("certified" if certificate.passed else certificate.message[:40])


@given(expressions(), st.data())
@settings(max_examples=60, deadline=None)
def test_simplified_derivatives(root, data):
    """What ``derive`` returns keeps the value of what the chain rule left."""
    found = variables(root)
    assume(found)
    target = data.draw(st.sampled_from(found))
    derivation = derive(Program(root, {v.name: v for v in found}), [target.name])
    same = check_values(derivation.raw, derivation.node, points=1)
    assert not same.wrong, same


@given(expressions(), st.data())
@settings(max_examples=60, deadline=None)
def test_the_chain_rule_can_be_cut_anywhere(root, data):
    """A cotangent seeded at the root is the Jacobian contracted with it."""
    found = variables(root)
    assume(found)
    target = data.draw(st.sampled_from(found))
    bar = make.variable("bar", root.shape)
    product = reverse(root, [target], seed=bar)[0]
    jacobian = reverse(root, [target])[0]
    lead, rest = range(root.order), range(root.order, jacobian.order)
    whole = make.contract([(bar, lead), (jacobian, [*lead, *rest])], rest)
    same = check_values(product, whole, points=1)
    assert not same.wrong, same

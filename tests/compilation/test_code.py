"""The generated code: what a person would write, standalone, with no identity and no loop."""

from __future__ import annotations

import ast
import time

import numpy as np
import pytest
from naive import SIZES, close, draw_arrays, program_of, value

import pullback as pb
from pullback.compilation.compile import compile_nodes
from pullback.compilation.naming import identifier
from pullback.derivation.derive import derive, derive_each
from pullback.differentiation.reverse import reverse
from pullback.expressions import Program
from pullback.expressions import constructors as make
from pullback.functions.catalogue import CATALOGUE

x, y = make.variable("x", ["a"]), make.variable("y", ["b"])
A, B, S = make.variable("A", "ab"), make.variable("B", "bc"), make.variable("S", "aa")
s, r = make.variable("s"), make.variable("r")


def body(node, lines=None, planned=False):
    """The statements of the generated function, without its comments and docstring."""
    fn = compile_nodes({"out": node}, program_of(node, lines=lines), planned=planned)
    function = ast.parse(fn.source).body[-1]
    return [ast.unparse(statement) for statement in function.body[1:]]


WRITTEN = {
    "matrix times vector": (make.einsum("ij,j->i", A, y), ["out = A @ y"]),
    "transposed matrix": (make.einsum("ij,i->j", A, x), ["out = A.T @ x"]),
    "matrix product": (make.einsum("ij,jk->ik", A, B), ["out = A @ B"]),
    "product transposed": (make.einsum("ij,jk->ki", A, B), ["out = B.T @ A.T"]),
    "dot": (make.einsum("i,i->", x, x), ["out = x @ x"]),
    "outer": (make.einsum("i,j->ij", x, y), ["out = x[:, None] * y"]),
    "total": (make.total(A), ["out = A.sum()"]),
    "column sums": (make.einsum("ij->j", A), ["out = A.sum(axis=0)"]),
    "trace": (make.einsum("ii->", S), ["out = np.trace(S)"]),
    "squares": (make.multiply(x, x), ["out = x * x"]),
    "difference": (
        make.add([(2, x), (-2, make.einsum("ij,j->i", A, y))]),
        ["out = 2 * (x - A @ y)"],
    ),
    "inner product of matrices": (
        make.einsum("ij,ij->", A, make.einsum("ij->ij", A)),
        ["out = np.vdot(A, A)"],
    ),
    "quotient": (make.multiply(x, make.power(s, -1)), ["out = x / s"]),
    "root": (make.power(x, make.exact_number(0.5)), ["out = np.sqrt(x)"]),
    "rescaled": (make.add([(1, make.constant(1, ["a"])), (-1, x)]), ["out = 1 - x"]),
    "scaled product": (make.scale(3, make.einsum("ij,j->i", A, y)), ["out = 3 * (A @ y)"]),
    "three matrices, the vector first": (
        make.einsum("ij,jk,k->i", A, B, make.variable("z", ["c"])),
        ["out = A @ (B @ z)"],
    ),
    "rows weighted": (make.einsum("ij,i->ij", A, x), ["out = A * x[:, None]"]),
    "batch of inner products": (make.einsum("ij,ij->i", A, A), ["out = np.vecdot(A, A)"]),
    "row reduction": (
        CATALOGUE["logsumexp"].apply([A]),
        ["t1 = A.max(axis=1)", "out = np.log(np.exp(A - t1[:, None]).sum(axis=1)) + t1"],
    ),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_lines_are_what_a_person_writes(name):
    node, lines = WRITTEN[name]
    assert body(node) == [*lines, "return out"]


def test_diagonal_results_are_scattered_once():
    lines = body(make.einsum("i->ii", x))
    assert lines[-3:] == [
        "out = np.zeros((a, a), x.dtype)",
        "np.einsum('ii->i', out)[...] = x",
        "return out",
    ]


def network():
    """f = U x, g = σ(f), h = V g, L = ‖h − y‖²."""
    U, V = make.variable("U", ["m", "n"]), make.variable("V", ["p", "m"])
    x, y = make.variable("x", ["n"]), make.variable("y", ["p"])
    f = make.einsum("mn,n->m", U, x)
    g = CATALOGUE["sigmoid"].apply([f])
    h = make.einsum("pm,m->p", V, g)
    L = CATALOGUE["squared_error"].apply([h, y])
    variables = {v.name: v for v in (U, V, x, y)}
    return Program(L, variables, {"f": f, "g": g, "h": h, "L": L}, text="…", result_name="L")


def test_each_line_of_the_program_is_a_line_of_code():
    program = network()
    gradients = derive_each(program, ["U", "V"])
    fn = compile_nodes(
        {"L": program.result, **{"d" + k: d.node for k, d in gradients.items()}}, program
    )
    code = fn.source
    for line in ("f = U @ x", "g = 1 / (1 + np.exp(-f))", "h = V @ g", "# g = σ(f)"):
        assert f"    {line}\n" in code
    assert code.count("U @ x") == code.count("V @ g") == 1


def test_the_code_is_the_derivation():
    """The nine lines of the derivation, by the names that a trace gives to cotangents."""
    program = network()
    h, y = program.lines["h"], program.variables["y"]
    V, g, f = program.variables["V"], program.lines["g"], program.lines["f"]
    handed = make.add([(2, h), (-2, y)])
    back = make.einsum("pm,p->m", V, handed)
    inner = make.multiply(back, g, CATALOGUE["sigmoid"].apply([make.negate(f)]))
    gradients = reverse(program.result, [program.variables["U"], V])
    fn = compile_nodes(
        {"L": program.result, "∂L/∂U": gradients[0], "∂L/∂V": gradients[1]},
        program,
        {handed: "∂L/∂h", back: "∂L/∂g", inner: "∂L/∂f"},
    )
    statements = [ast.unparse(s) for s in ast.parse(fn.source).body[-1].body[1:]]
    assert statements == [
        "f = U @ x",
        "g = 1 / (1 + np.exp(-f))",
        "h = V @ g",
        "t1 = h - y",
        "dL_dh = 2 * t1",
        "L = t1 @ t1",
        "dL_dg = V.T @ dL_dh",
        "dL_df = g / (1 + np.exp(f)) * dL_dg",
        "dL_dU = dL_df[:, None] * x",
        "dL_dV = dL_dh[:, None] * g",
        "return {'L': L, '∂L/∂U': dL_dU, '∂L/∂V': dL_dV}",
    ]


def test_the_source_runs_with_numpy_alone():
    program = network()
    gradients = derive_each(program, ["U", "V"])
    outputs = {"L": program.result, **{"d" + k: d.node for k, d in gradients.items()}}
    fn = compile_nodes(outputs, program)
    sizes = {"m": 3, "n": 4, "p": 2}
    arrays = draw_arrays(program, sizes=sizes)
    space: dict = {}
    exec(fn.source, space)
    assert "pullback" not in fn.source
    got = space["compute"](*[arrays[name] for name in fn.inputs])
    for name, node in outputs.items():
        close(got[name], value(node, arrays, sizes))
    planned = compile_nodes(outputs, program, planned=True)
    space = {}
    exec(planned.source, space)
    step = space["make"](**sizes, dtype=np.float64)
    outs = [np.empty_like(arrays["U"]), np.empty_like(arrays["V"])]
    close(step(*[arrays[name] for name in planned.inputs], *outs), got["L"])
    close(outs[0], got["dU"])
    close(outs[1], got["dV"])


@pytest.mark.parametrize("planned", [False, True])
def test_no_identity_and_no_ones(planned):
    """The Jacobian of V σ(U x) by U has an identity in its formula and none in its code."""
    program = network()
    by_weight = derive(Program(program.lines["h"], program.variables), ["U"])
    quadratic = make.einsum("i,ij,j->", x, S, x)
    hessian = derive(Program(quadratic, {"x": x, "S": S}), ["x", "x"])
    jacobian = derive(Program(program.lines["f"], program.variables), ["U"])
    for derivation in (by_weight, hessian, jacobian):
        fn = compile_nodes({"J": derivation.node}, derivation.program, planned=planned)
        assert not any(word in fn.source for word in ("eye", "identity", "ones("))
        assert not any(
            isinstance(n, ast.For | ast.comprehension) for n in ast.walk(ast.parse(fn.source))
        )
        sizes = {"m": 2, "n": 3, "p": 2, "a": 3}
        arrays = draw_arrays(derivation.program, sizes=sizes)
        close(fn(**arrays), value(derivation.node, arrays, sizes))


def test_an_identity_beside_a_full_matrix_is_added_in_place():
    node = make.add([(1, S), (2, make.delta("a"))])
    assert body(node) == ["out = S.copy()", "np.einsum('ii->i', out)[...] += 2", "return out"]


def test_names_are_safe():
    names = {
        "∂L/∂U": "dL_dU",
        "σ": "sigma",
        "x'": "x",
        "2nd": "t2nd",
        "lambda": "lambda_",
        "np": "np_",
        "": "t",
        "Δ": "Delta",
        "a b": "a_b",
    }
    for name, wanted in names.items():
        assert identifier(name) == wanted
    odd = make.variable("lambda", ["n"])
    t1 = make.variable("t1", ["n"])
    node = CATALOGUE["exp"].apply([make.add([(1, odd), (1, t1)])])
    product = make.multiply(node, node, make.power(node, -1), odd)
    program = Program(product, {"lambda": odd, "t1": t1}, {"n": node, "σ(x)": product})
    fn = compile_nodes({"L/x": product, "e": node}, program)
    got = fn(**{"lambda": [0.5], "t1": [1.0]})
    close(got["L/x"], np.exp([1.5]) * 0.5)
    assert got.keys() == {"L/x", "e"}


def test_a_size_and_a_variable_may_share_a_name():
    n = make.variable("n", ["n"])
    node = make.multiply(n, make.power(make.size_value("n"), -1))
    fn = compile_nodes({"out": node}, program_of(node))
    close(fn(n=[2.0, 4.0]), np.array([1.0, 2.0]))


def deep(layers):
    node = make.variable("x", ["n"])
    variables = {"x": node}
    for k in range(layers):
        W = variables[f"W{k}"] = make.variable(f"W{k}", ["n", "n"])
        node = CATALOGUE["tanh"].apply([make.einsum("ij,j->i", W, node)])
    return Program(make.total(node), variables)


def test_depth_costs_linear_time_and_no_recursion():
    def seconds(layers):
        program = deep(layers)
        gradient = reverse(program.result, [program.variables["W0"]])[0]
        start = time.process_time()
        fn = compile_nodes({"d": gradient}, program)
        took = time.process_time() - start
        arrays = draw_arrays(program, sizes={"n": 2})
        arrays["x"] *= 0.1
        assert np.isfinite(fn(**arrays)).all()
        return took

    seconds(20)
    short, long = seconds(250), seconds(2000)
    assert long < 16 * short  # eight times the depth


def test_long_products_are_ordered_too():
    """Eight matrices and a vector: the vector goes first, and nothing is n³."""
    matrices = [make.variable(f"M{k}", "aa") for k in range(8)]
    labels = "ij,jk,kl,lm,mn,no,op,pq,q->i"
    node = make.einsum(labels, *matrices, x)
    fn = compile_nodes({"out": node}, program_of(node))
    assert "M0 @ (M1 @ " in fn.source or fn.source.count("@") == 8
    arrays = draw_arrays(fn._user)
    wanted = arrays["x"]
    for k in reversed(range(8)):
        wanted = arrays[f"M{k}"] @ wanted
    close(fn(**arrays), wanted)


def test_products_used_once_merge_where_that_is_cheaper():
    """(A B) z as it was typed becomes A (B z) when nothing else needs A B."""
    z = make.variable("z", ["c"])
    inner = make.einsum("ij,jk->ik", A, B)
    node = make.einsum("ik,k->i", inner, z)
    assert body(node) == ["out = A @ (B @ z)", "return out"]
    assert body(node, lines={"M": inner}) == ["M = A @ B", "out = M @ z", "return out"]


def test_reciprocals_are_stored_when_used_twice():
    inverse = make.power(x, -1)
    outputs = {
        "p": make.multiply(inverse, CATALOGUE["exp"].apply([x])),
        "q": make.multiply(inverse, CATALOGUE["log"].apply([x])),
    }
    fn = compile_nodes(outputs, Program(inverse, {"x": x}))
    assert "t1 = 1 / x\n" in fn.source
    assert fn.source.count(" / ") == 1
    once = compile_nodes({"p": outputs["p"]}, Program(inverse, {"x": x}))
    assert "p = np.exp(x) / x" in once.source


def test_sizes_of_the_naive_evaluator_differ():
    assert len(set(SIZES.values())) == len(SIZES)


def test_a_scaling_goes_where_it_is_cheapest():
    """∂(V tanh(s U x))/∂s = V (sech² ⊙ U x): the vector is scaled, not a matrix."""
    f = pb.parse("V*tanh(U*(s*x))", shapes={"U": ("m", "n"), "V": ("p", "m"), "s": ()})
    assert "result = V @ (" in pb.code(pb.derivative(f, "s"))

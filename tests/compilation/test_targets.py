"""JAX and PyTorch compute what NumPy does: every function of the catalogue, and whole programs."""

import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import pullback as pb
from pullback.compilation.compile import compile_nodes
from pullback.compilation.foreign import FOREIGN
from pullback.errors import MissingRule, PullbackError
from pullback.expressions import Apply, Program, Size, placement
from pullback.expressions import constructors as make
from pullback.expressions.walks import post_order, variables
from pullback.functions.catalogue import CATALOGUE
from pullback.functions.record import Function
from pullback.stated import program_of

sys.path.insert(0, str(Path(__file__).parent.parent / "functions"))
from records import samples, special_samples

FUNCTIONS = {n: r for n, r in CATALOGUE.items() if isinstance(r, Function) and r.partials}


@pytest.fixture(params=FOREIGN)
def target(request):
    library = pytest.importorskip(request.param)
    if request.param == "jax":
        library.config.update("jax_enable_x64", True)
    return request.param


def called(fn, target, **sizes):
    """The function as it is used in the library: compiled as a whole by JAX."""
    fn = partial(fn, **sizes)
    return sys.modules["jax"].jit(fn) if target == "jax" else fn


def derivatives(program, by):
    """The program, and its first derivative if there is one."""
    yield program.result
    try:
        yield pb.derivative(program, by).node
    except MissingRule:
        return


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_and_its_partials(name, target):
    """The same numbers; what only SciPy has is refused by name."""
    record = FUNCTIONS[name]
    given = [*samples(record, 1), *special_samples(record)]
    arguments = [make.variable(f"a{k}", value.shape) for k, value in enumerate(given[0])]
    program = Program(record.apply(arguments), {v.name: v for v in arguments})
    for node in derivatives(program, "a0"):
        kept = Program(node, program.variables)
        reference = compile_nodes({"y": node}, kept, checked=False)
        try:
            fn = called(compile_nodes({"y": node}, kept, target=target), target)
        except PullbackError as refusal:
            called_for = [CATALOGUE[n.function] for n in post_order(node) if isinstance(n, Apply)]
            assert any("sl." in other.code for other in called_for), refusal
            assert refusal.message.startswith("there is no ")
            return
        for values in given:
            expected = reference(*values[: len(reference.inputs)])
            found = np.asarray(fn(*values[: len(reference.inputs)]))
            scale = np.max(np.abs(expected[np.isfinite(expected)]), initial=1e-300)
            np.testing.assert_allclose(found / scale, expected / scale, rtol=1e-10, atol=1e-11)


n = Size.of("n")
x = make.variable("x", ["n"])
X, B = make.variable("X", ["m", "n"]), make.variable("B", ["p", "q"])
T = make.variable("T", [6, 4])
SIZES = {"m": 3, "n": 4, "p": 2, "q": 2}

PROGRAMS = {
    "network": (program_of("norm2(V*sigmoid(U*x) - y)^2"), "U"),
    "logistic": (program_of("sum(log(1 + exp(-y .* (X*w))))"), "w"),
    "softmax": (program_of("softmax(A*x)"), "x"),
    "trace": (program_of("tr(X'*A*X)"), "X"),
    "inverse": (program_of("a: n\na'*inv(A)*b"), "A"),
    "where": (program_of("sum(where(x > 0, x.^2, exp(x)))"), "x"),
    "batch": (program_of(pb.batch("norm2(W*x - y)^2", over=("x", "y"))), "W"),
    "slice": (Program(make.total(make.power(placement.take(x, 0, 1, n - 1), 2)), {"x": x}), "x"),
    "backwards": (Program(placement.flipped(x, 0), {"x": x}), "x"),
    "kron": (Program(placement.kron(X, B), {"X": X, "B": B}), "B"),
    "triangle": (Program(make.multiply(T, placement.triangle(6, 4)), {"T": T}), "T"),
    "reshape": (Program(make.power(placement.reshape(T, [8, 3]), 3), {"T": T}), "T"),
    "join": (Program(placement.concatenate([x, placement.vec(X)]), {"x": x, "X": X}), "x"),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_with_first_and_second_derivatives(name, target):
    program, by = PROGRAMS[name]
    compare(
        name, target, np.float64, [program, *[pb.derivative(program, *[by] * k) for k in (1, 2)]]
    )


@pytest.mark.parametrize("name", ["network", "slice", "kron"])
def test_single_precision_in_single_precision_out(name, target):
    program, by = PROGRAMS[name]
    compare(name, target, np.float32, [pb.derivative(program, by)])


def compare(name, target, dtype, functions):
    program, _ = PROGRAMS[name]
    generator = np.random.default_rng(3)
    shapes = {
        v.name: [s.evaluate({**SIZES, "N": 5}) for s in v.shape] for v in variables(program.result)
    }
    given = {k: generator.normal(size=s).astype(dtype) + dtype(0.5) for k, s in shapes.items()}
    if name == "inverse":
        given["A"] = given["A"] @ given["A"].T + np.eye(len(given["A"]), dtype=dtype)
    tolerance = 1e-10 if dtype is np.float64 else 2e-4
    for f in functions:
        sizes = {size: SIZES[size] for size in pb.compile(f).sizes if size in SIZES}
        expected = pb.compile(f)(**given, **sizes)
        found = called(pb.compile(f, target=target), target, **sizes)(**given)
        assert np.asarray(found).dtype == expected.dtype
        np.testing.assert_allclose(
            np.asarray(found), expected, rtol=tolerance, atol=tolerance * np.max(np.abs(expected))
        )


def test_jax_functions_are_jitted_and_mapped():
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    d = pb.derivative("norm2(V*sigmoid(U*x) - y)^2", "U")
    fn = pb.compile(d, target="jax")
    generator = np.random.default_rng(0)
    U, V = generator.normal(size=(3, 4)), generator.normal(size=(2, 3))
    xs, ys = generator.normal(size=(5, 4)), generator.normal(size=(5, 2))
    one = jax.jit(lambda x, y: fn(U=U, V=V, x=x, y=y))
    many = jax.vmap(one)(xs, ys)

    def loss(u, x, y):
        return ((V @ jax.nn.sigmoid(u @ x) - y) ** 2).sum()

    expected = jax.vmap(jax.grad(loss), in_axes=(None, 0, 0))(U, xs, ys)
    np.testing.assert_allclose(many, expected, rtol=1e-10, atol=1e-12)


def test_torch_runs_without_autograd_and_beside_it():
    torch = pytest.importorskip("torch")
    d = pb.derivative("norm2(A*x - b)^2", "x")
    fn = pb.compile(d, target="torch")
    generator = torch.Generator().manual_seed(0)
    A, b = (torch.randn(s, generator=generator, dtype=torch.float64) for s in ((3, 4), (3,)))
    x = torch.randn(4, generator=generator, dtype=torch.float64, requires_grad=True)
    ((A @ x - b) ** 2).sum().backward()
    with torch.no_grad():
        np.testing.assert_allclose(fn(A=A, x=x, b=b), x.grad, rtol=1e-12)


def test_what_a_target_cannot_do_is_refused(target):
    f = program_of("norm2(A*x - b)^2")
    with pytest.raises(PullbackError, match="out= is for NumPy arrays"):
        pb.compile(f, target=target)(A=np.eye(2), x=np.ones(2), b=np.ones(2), out={})
    with pytest.raises(PullbackError, match="planned buffers are NumPy's"):
        pb.compile(f, target=target, planned=True)
    with pytest.raises(PullbackError, match="missing array: b"):
        pb.compile(f, target=target)(A=np.eye(2), x=np.ones(2))
    with pytest.raises(PullbackError, match="must be of shape"):
        pb.compile(f, target=target)(A=np.eye(2), x=np.eye(2), b=np.ones(2))
    with pytest.raises(PullbackError, match="no target 'fortran'"):
        pb.compile(f, target="fortran")


def test_code_is_written_without_the_library():
    assert pb.code("sum(exp(x))", target="jax").startswith("import jax.numpy as jnp")
    assert pb.code("sum(exp(x))", target="torch").startswith("import torch")


@pytest.mark.parametrize("part", ["flip(x)", "flip(x(2:4))", "flip(x(1:2:end))"])
def test_what_is_taken_backwards_is_put_back(target, part):
    d = pb.gradient(pb.parse(f"a'*({part}).^2", shapes={"x": (5,)}), "x")
    x = np.arange(1.0, 6.0)
    count = pb.parse(part, shapes={"x": (5,)}).to_program().result.shape[0].constant
    a = np.arange(2.0, 2.0 + count)
    expected = pb.compile(d)(a=a, x=x)
    found = called(pb.compile(d, target=target), target)(a=a, x=x)
    np.testing.assert_allclose(np.asarray(found), expected, rtol=1e-14)

"""The native target computes what NumPy does: every function, whole programs, any memory layout."""

import ctypes
import subprocess
import sys
import threading
import tracemalloc
from pathlib import Path

import mpmath as mp
import numpy as np
import pytest
from scipy import special

import pullback as pb
from pullback.compilation.compile import compile_nodes
from pullback.compilation.native.building import load, recipe
from pullback.compilation.native.prelude import prelude
from pullback.compilation.native.spelling import WORDS, Unspoken
from pullback.compilation.native.writer import HEAD
from pullback.errors import DomainError
from pullback.expressions import Program
from pullback.expressions import constructors as make
from pullback.expressions.walks import variables

sys.path.insert(0, str(Path(__file__).parent.parent / "functions"))
from records import samples, special_samples
from test_targets import FUNCTIONS, PROGRAMS, SIZES, derivatives


@pytest.fixture(autouse=True, scope="module")
def libraries(tmp_path_factory):
    """A cache of this test's own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


def test_every_function_and_its_partials():
    """All in one library, at ordinary and at special points; what has no word in C is refused."""
    nodes, given, known, refused = {}, {}, {}, set()
    for number, (name, record) in enumerate(FUNCTIONS.items()):
        rows = [*samples(record, 1), *special_samples(record)]
        arguments = [make.variable(f"a{k}_{number}", v.shape) for k, v in enumerate(rows[0])]
        program = Program(record.apply(arguments), {v.name: v for v in arguments})
        for order, node in enumerate(derivatives(program, f"a0_{number}")):
            try:
                compile_nodes({"y": node}, Program(node, program.variables), target="native")
            except Unspoken:
                refused.add((name, order))
                continue
            nodes[f"{name}_{order}"] = node
            known |= program.variables
            given |= {v.name: [row[k] for row in rows] for k, v in enumerate(arguments)}
    # an elementwise function that asks SciPy for nothing has C without a word said about it
    assert not [
        n for n, o in refused if FUNCTIONS[n].elementwise and "sp." not in FUNCTIONS[n].code
    ]
    assert len(nodes) > 110
    program = Program(next(iter(nodes.values())), known)
    fn = compile_nodes(nodes, program, target="native", checked=False)
    references = {k: compile_nodes({k: n}, program, checked=False) for k, n in nodes.items()}
    for row in range(max(map(len, given.values()))):
        values = {name: rows[min(row, len(rows) - 1)] for name, rows in given.items()}
        found = fn(**values)
        for name, reference in references.items():
            expected = np.asarray(reference(**values))
            scale = np.max(np.abs(expected[np.isfinite(expected)]), initial=1e-300)
            np.testing.assert_allclose(
                found[name] / scale, expected / scale, rtol=1e-10, atol=1e-11, err_msg=name
            )


# Numbers: C's words against exact values

PAYLOAD = np.array(0x7FF80000000007A2).view(np.float64)[()]  # NaNs may carry numbers, as R's do
POINTS = [0.0, -0.0, 1, -1, 800, -800, np.inf, -np.inf, np.nan, PAYLOAD, 5e-324, 1e308, -1e308, -2]
EXACT = {
    "arccos": mp.acos,
    "arccosh": mp.acosh,
    "arcsin": mp.asin,
    "arcsinh": mp.asinh,
    "arctan": mp.atan,
    "arctanh": mp.atanh,
    "cbrt": lambda x: mp.sign(x) * mp.cbrt(abs(x)),
    "exp2": lambda x: mp.mpf(2) ** x,
    "log2": lambda x: mp.log(x, 2),
    "special.gammaln": lambda x: mp.log(abs(mp.gamma(x))),
}
EXACT |= {
    name: getattr(mp, name)
    for name in (
        "cos",
        "cosh",
        "exp",
        "expm1",
        "log",
        "log10",
        "log1p",
        "sin",
        "sinh",
        "tan",
        "tanh",
    )
}
EXACT |= {f"special.{name}": getattr(mp, name) for name in ("erf", "erfc", "gamma")}
RANGES = {"exp": 707, "expm1": 709, "sinh": 709, "cosh": 709, "special.gamma": 20, "exp2": 1000}
UNITS = {"special.gamma": 12, "special.gammaln": 200}  # C's own, near their zeros and poles


def ufunc(name):
    return getattr(special, name.removeprefix("special."), None) or getattr(np, name)


@pytest.fixture(scope="module")
def words():
    """Every function of one number as a loop of its own, in one library."""
    names = [name for name, word in WORDS.items() if "{1}" not in word]
    loops = [
        f"void loop{k}(const real *x, real *y, int64_t n) {{\n#pragma omp simd\n"
        f"for (int64_t i = 0; i < n; ++i) y[i] = {WORDS[name].format('x[i]')};\n}}\n"
        for k, name in enumerate(names)
    ]
    body = "\n".join(loops)
    library = load(recipe(HEAD.format(block=1, parallel=1) + prelude(body) + "\n" + body, []))

    def call(name, x):
        y = np.empty_like(x)
        function = library[f"loop{names.index(name)}"]
        function(
            ctypes.c_void_p(x.ctypes.data), ctypes.c_void_p(y.ctypes.data), ctypes.c_int64(len(x))
        )
        return y

    return call


@pytest.mark.parametrize("name", EXACT)
def test_functions_are_exact_to_four_units_in_the_last_place(name, words):
    generator = np.random.default_rng(1)
    wide = RANGES.get(name, 100)
    tiny = 10.0 ** generator.uniform(-300, 0, 100) * generator.choice([-1, 1], 100)
    x = np.concatenate([generator.uniform(-wide, wide, 200), generator.uniform(-2, 2, 200), tiny])
    with np.errstate(all="ignore"):
        x = x[np.isfinite(ufunc(name)(x))]
    assert len(x) > 50
    with mp.workprec(200):
        exact = [EXACT[name](mp.mpf(v)) for v in x]
        errors = [abs(mp.mpf(y) - e) for y, e in zip(words(name, x), exact, strict=True)]
        units = [
            float(err / np.spacing(abs(float(e)))) for err, e in zip(errors, exact, strict=True)
        ]
    assert max(units) <= UNITS.get(name, 4)


@pytest.mark.parametrize("name", EXACT.keys() - {"special.gammaln"})  # SciPy's is inf at 5e-324
def test_special_values_are_numpys(name, words):
    x = np.array(POINTS * 3)  # inside vectors and in what is left over
    with np.errstate(all="ignore"):
        expected = ufunc(name)(x)
    found = words(name, x)
    np.testing.assert_allclose(found, expected, rtol=2e-15, atol=5e-324)
    numbers = ~np.isnan(expected) & (expected != 0)
    assert (np.signbit(found) == np.signbit(expected))[numbers].all()


# Programs


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_with_first_and_second_derivatives(name):
    """In both precisions."""
    program, by = PROGRAMS[name]
    functions = {
        "value": program,
        "first": pb.derivative(program, by),
        "second": pb.derivative(program, by, by),
    }
    generator = np.random.default_rng(3)
    shapes = {
        v.name: [s.evaluate({**SIZES, "N": 5}) for s in v.shape] for v in variables(program.result)
    }
    given = {k: generator.normal(size=s) + 0.5 for k, s in shapes.items()}
    if name == "inverse":
        given["A"] = given["A"] @ given["A"].T + np.eye(len(given["A"]))
    reference, fn = pb.compile(functions), pb.compile(functions, target="native")
    sizes = {size: SIZES[size] for size in fn.sizes if size in SIZES}
    for dtype, tolerance in ((np.float64, 1e-10), (np.float32, 2e-4)):
        values = {k: v.astype(dtype) for k, v in given.items()}
        expected, found = reference(**values, **sizes), fn(**values, **sizes)
        for key, array in expected.items():
            assert np.asarray(found[key]).dtype == dtype
            np.testing.assert_allclose(
                found[key], array, rtol=tolerance, atol=tolerance * np.max(np.abs(array))
            )


def test_large_arrays_use_threads_and_sum_as_exactly():
    generator = np.random.default_rng(0)
    n = 300_001
    X, y, w = generator.normal(size=(n, 3)), generator.choice([-1.0, 1], n), np.array([0.3, -1, 2])
    f = "sum(log(1 + exp(-y .* (X*w))))"
    d = pb.gradient(f, "w")
    loss, gradient = pb.compile({"f": f, "d": d}, target="native")(X=X, y=y, w=w).values()
    with mp.workprec(100):
        margins = y * (X @ w)
        exact = float(mp.fsum(map(float, np.logaddexp(0, -margins))))
    assert abs(loss - exact) <= 1e-14 * exact
    np.testing.assert_allclose(gradient, pb.compile(d)(X=X, y=y, w=w), rtol=1e-12)


def test_reductions_along_any_axes():
    """Rows, columns, everything, with broadcasting; small and larger than a block."""
    generator = np.random.default_rng(0)
    for shape in ((3, 4), (70, 5000), (5000, 70)):
        A = generator.normal(size=shape)
        a, b = A[:, 0].copy(), A[0].copy()
        texts = {
            "rows": "sum(exp(A) .* (a*vector(1, n)'), 2)",
            "columns": "sum(exp(A) .* (a*vector(1, n)'), 1)",
            "all": "sum(tanh(A + a*b'))",
            "largest": "max(A, 2)",
            "smallest": "min(A, 1)",
            "softmax": "softmax(A, 2)",
        }
        declared = {"A": ("m", "n"), "a*": ("m",), "b'": ("n",)}
        functions = {
            k: pb.parse(t, shapes={v.rstrip("*'"): s for v, s in declared.items() if v in t})
            for k, t in texts.items()
        }
        used = {"A": A, "a": a, "b": b}
        found = pb.compile(functions, target="native")(**used)
        for key, expected in pb.compile(functions)(**used).items():
            np.testing.assert_allclose(found[key], expected, rtol=1e-11, atol=1e-11)
        A[1, 2] = np.nan
        assert np.isnan(pb.compile(functions, target="native")(**used)["largest"][1])


def test_entries_diagonals_and_workspaces_that_were_used_before():
    """Nothing rests on memory that happens to be zero."""
    texts = {"entry": "x(2)*sum(exp(A))", "diagonal": "diag(exp(2*A))", "trace": "tr(exp(A)*A)"}
    shapes = {"A": ("n", "n"), "x": ("n",)}
    functions = {
        k: pb.parse(t, shapes={v: s for v, s in shapes.items() if v in t.replace("exp", "")})
        for k, t in texts.items()
    }
    fn, reference = pb.compile(functions, target="native"), pb.compile(functions)
    generator = np.random.default_rng(0)
    for _ in range(3):
        given = {"A": generator.normal(size=(5, 5)), "x": generator.normal(size=5)}
        expected = reference(**given)
        for key, found in fn(**given).items():
            np.testing.assert_allclose(found, expected[key], rtol=1e-12)


def test_products_with_vectors_as_matrices():
    h, A = pb.vector("h", "n"), pb.matrix("A", "m", "n")
    T = pb.tensor("T", "n", "m", "p")
    f = {"turned": pb.einsum("i,ijk->kj", h, T), "three": pb.einsum("ji,ikl,i->jkl", A, T, h)}
    generator = np.random.default_rng(0)
    given = {"h": generator.normal(size=3), "A": generator.normal(size=(4, 3))}
    given["T"] = generator.normal(size=(3, 4, 5))
    found = pb.compile(f, target="native")(**given)
    h, A, T = given.values()
    np.testing.assert_allclose(found["turned"], np.einsum("i,ijk->kj", h, T), rtol=1e-12)
    np.testing.assert_allclose(found["three"], np.einsum("ji,ikl,i->jkl", A, T, h), rtol=1e-12)


# Arrays as users have them


@pytest.fixture(scope="module")
def least_squares():
    f = pb.parse("norm2(A*x - b)^2")
    return pb.compile({"f": f, "d": pb.gradient(f, "x")}, target="native")


def test_arrays_with_gaps_and_lists_are_taken(least_squares):
    generator = np.random.default_rng(0)
    wide = generator.normal(size=(8, 10))
    A, x, b = wide[::2, ::2].T, wide[0, :8:2], wide[1, :5]
    expected = 2 * A.T @ (A @ x - b)
    np.testing.assert_allclose(least_squares(A=A, x=x, b=b)["d"], expected, rtol=1e-12)
    out = np.zeros(8)[::2]
    assert least_squares(A=A, x=x, b=list(b), out={"d": out})["d"] is out
    np.testing.assert_allclose(out, expected, rtol=1e-12)
    with pytest.raises(pb.PullbackError, match="shares memory"):
        least_squares(A=A, x=x, b=b, out={"d": x})


def test_calls_from_several_threads_do_not_meet(least_squares):
    generator = np.random.default_rng(0)
    cases = [generator.normal(size=(30, 20)) for _ in range(4)]
    wrong = []

    def work(A):
        x, b = np.ones(20), np.ones(30)
        expected = 2 * A.T @ (A @ x - b)
        for _ in range(300):
            if not np.allclose(least_squares(A, x, b)["d"], expected, rtol=1e-10):
                wrong.append(A)

    threads = [threading.Thread(target=work, args=(A,)) for A in cases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_child_process_computes_too():
    """OpenMP's threads stay behind at a fork; the child does without."""
    code = """
import os, numpy as np, pullback as pb
fn = pb.compile(pb.gradient("sum(log1p(exp(-t)))", "t"), target="native")
t = np.linspace(-3, 3, 200_000)
expected = fn(t=t)
child = os.fork()
if not child:
    os._exit(0 if np.array_equal(fn(t=t), expected) else 1)
raise SystemExit(os.waitpid(child, 0)[1])
"""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], timeout=100, check=False)
    assert done.returncode == 0


# What leaves the reals


@pytest.mark.parametrize(
    ("text", "x"),
    [
        ("s = log(x)\nsum(s)", [1.0, -1.0]),
        ("s = sqrt(x)\nsum(s)", [1.0, -1.0]),
        ("s = 1 ./ x\nsum(s)", [1.0, 0.0]),
        ("s = exp(-1 ./ x)\nsum(s)", [1.0, 0.0]),
        ("s = x.^0.5\nsum(s)", [1.0, -2.0]),
        ("s = x.^(-5)\nsum(s)", [1.0, 0.0]),
        ("s = arcsin(x)\nsum(s)", [1.0, 3.0]),
        ("s = inv(x*x')\nsum(s)", [1.0, 0.0]),
    ],
)
def test_what_leaves_the_reals_is_named_as_by_numpy(text, x):
    f = pb.parse(text, shapes={"x": ("n",)})
    x = np.array(x)
    with pytest.raises(DomainError) as expected:
        pb.compile(f)(x=x)
    with pytest.raises(DomainError) as found:
        pb.compile(f, target="native")(x=x)
    assert str(found.value) == str(expected.value)
    if "inv" not in text:
        assert not np.isnan(pb.compile(f, target="native", checked=False)(x=np.ones(2)))


def test_infinities_on_the_way_and_given_nans_pass():
    fn = pb.compile(pb.parse("sum(1 ./ (1 + exp(x)))", shapes={"x": ("n",)}), target="native")
    assert fn(x=np.array([1e4, 0.0])) == 0.5
    assert np.isnan(fn(x=np.array([np.nan, 0.0])))


def test_the_forecast_of_memory_is_what_a_call_takes():
    fn = pb.compile(pb.gradient("normF(T - U*V')^2", "U"), target="native")
    given = {"T": np.ones((400, 300)), "U": np.ones((400, 5)), "V": np.ones((300, 5))}
    tracemalloc.start()
    fn(**given)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    shapes = {"T": ("m", "p"), "U": ("m", "n"), "V": ("p", "n")}
    sizes = {
        s: n for v, names in shapes.items() for s, n in zip(names, given[v].shape, strict=True)
    }
    assert peak / 1.2 < fn.forecast(**sizes).peak < 1.2 * peak


def test_empty_arrays_give_empty_sums():
    fn = pb.compile({"f": "sum(exp(A*x))", "g": "A*x"}, target="native")
    found = fn(A=np.ones((3, 0)), x=np.ones(0))
    assert found["f"] == 3 and found["g"].tolist() == [0, 0, 0]


def test_what_has_no_word_in_c_is_refused_by_name():
    with pytest.raises(pb.PullbackError, match="there is no expm"):
        pb.compile(pb.parse("tr(expm(A))", shapes={"A": ("n", "n")}), target="native")


def test_names_that_c_or_the_code_have_are_no_trouble():
    names = ["int", "exp_of", "i", "bad", "work", "linux", "x", "REAL", "restrict", "out_f"]
    total = " + ".join(f"{name}^2" for name in names)
    f = pb.parse(total, shapes=dict.fromkeys(names, ()))
    values = {name: float(k) for k, name in enumerate(names)}
    assert pb.compile(f, target="native")(**values) == sum(k * k for k in range(10))


def test_layers_that_are_alike_share_their_loops():
    """What the compiler has to work at does not grow with the layers."""
    sources = {}
    for depth in (10, 20):
        lines = [f"h{k + 1} = tanh(W{k + 1}*h{k})" for k in range(depth)]
        text = "\n".join([*lines, f"norm2(h{depth} - y)^2"])
        shapes = {f"W{k + 1}": ("n", "n") for k in range(depth)} | {"h0": ("n",), "y": ("n",)}
        d = pb.gradient(pb.parse(text, shapes=shapes), "W1")
        fn = pb.compile(d, target="native")
        sources[depth] = fn.source.count("#pragma omp p")
        generator = np.random.default_rng(depth)
        given = {k: generator.normal(size=(5,) * len(s)) / 2 for k, s in shapes.items()}
        np.testing.assert_allclose(fn(**given), pb.compile(d)(**given), rtol=1e-10)
    assert sources[10] == sources[20]


def test_the_code_is_c_that_stands_alone(tmp_path):
    code = pb.code(pb.gradient("sum(log(1 + exp(-y .* (X*w))))", "w"), target="native")
    assert "static int compute(" in code
    command = ["cc", "-Wall", "-Werror", "-Wno-unknown-pragmas", "-Wno-unused", "-fsyntax-only"]
    subprocess.run([*command, "-x", "c", "-"], input=code, text=True, check=True)

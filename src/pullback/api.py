"""The public functions: each takes what a user has and walks the whole road."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pullback.compilation.compile import Compiled
from pullback.compiled import code, compile
from pullback.derivation import batching
from pullback.derivation.derive import derive, derive_each, target_of
from pullback.derivation.structure import Convention
from pullback.derived import Derivative, Differential
from pullback.differentiation.forward import forward
from pullback.differentiation.reverse import reverse
from pullback.errors import PullbackError
from pullback.explanation.explain import Explanation
from pullback.explanation.explain import explain as explain_program
from pullback.expressions import constructors as make
from pullback.expressions.nodes import Node, Variable
from pullback.expressions.program import Program
from pullback.expressions.sizes import Shape, shape_text
from pullback.language.declarations import check_name
from pullback.language.reading import Dialect
from pullback.language.tensor import Tensor
from pullback.simplification.simplify import simplify
from pullback.stated import Stated, name_of, parse, program_of
from pullback.training.minimising import Objective
from pullback.verification.certificate import Certificate
from pullback.verification.grading import Grade
from pullback.verification.grading import grade as grade_program


def derivative(f: Stated, *wrt: str | Tensor, structured: Convention | None = None) -> Derivative:
    """The derivative of ``f`` by each of ``wrt`` in turn, of any order and any shape.

    Its axes are those of f, then those of each variable in the order given, as
    ``jax.jacobian`` has them. A named line is held free. Raises MissingRule where an
    operation has no derivative; it is never zero and never a guess.

    ``structured`` says what becomes of a variable that is assumed to be symmetric, skew,
    diagonal, orthogonal or of unit sum. None: its entries are independent. "free": partials by
    the entries that can be chosen freely, ∂f/∂X_ij with X_ji moving along for a symmetric X
    (K. B. Petersen, M. S. Pedersen, The Matrix Cookbook (2012), section 2.8). "tangent": the
    gradient along such tensors, (G + Gᵀ)/2 for a symmetric X (:mod:`.derivation.structure`).

    >>> import pullback as pb
    >>> A, x = pb.matrix("A", "n", "n"), pb.vector("x", "n")
    >>> str(pb.derivative(x @ A @ x, x))
    '(A + Aᵀ) x'
    >>> pb.derivative(pb.tanh(A @ x), A).shape
    (Size(n), Size(n), Size(n))
    >>> X = pb.matrix("X", "n", "n", assume="symmetric")
    >>> pb.derivative(pb.sum(A * X), X, structured="tangent").equation()
    '∂f/∂X = (A + Aᵀ)/2   # along the symmetric matrices X'
    """
    program = program_of(f)
    return Derivative(derive(program, [name_of(program, w) for w in wrt], structured))


def gradient(f: Stated, wrt: str | Tensor, structured: Convention | None = None) -> Derivative:
    """The gradient of a scalar ``f``: df = tr(∇fᵀ dX), in the shape of the variable.

    ``structured`` is that of :func:`derivative`; "tangent" gives the gradient along a subspace
    or manifold, "free" partials, whose product with dX counts both of two tied entries. Raises PullbackError for an f that is no scalar, and what :func:`derivative` raises.
    K. B. Petersen, M. S. Pedersen, The Matrix Cookbook (2012), section 2.

    >>> import pullback as pb
    >>> str(pb.gradient("norm2(A*x - b)^2", "x"))
    '2 Aᵀ(A x − b)'
    """
    program = program_of(f)
    if program.result.order:
        raise PullbackError(
            f"a gradient is of a scalar; this function is {shape_text(program.result.shape)}",
            hint="use pb.jacobian or pb.derivative",
        )
    return derivative(program, wrt, structured=structured)


def jacobian(f: Stated, wrt: str | Tensor, structured: Convention | None = None) -> Derivative:
    """The Jacobian, J_ij = ∂f_i/∂x_j: axes of f, then of the variable (numerator layout).

    ``structured`` is that of :func:`derivative`. Raises what :func:`derivative` raises. J. R. Magnus, H. Neudecker, Matrix Differential
    Calculus (3rd edition, 2019), chapter 5.

    >>> import pullback as pb
    >>> pb.jacobian("V*sigmoid(U*x)", "x").shape
    (Size(p), Size(n))
    """
    return derivative(f, wrt, structured=structured)


def hessian(f: Stated, wrt: str | Tensor, structured: Convention | None = None) -> Derivative:
    """The Hessian of a scalar ``f``, H_ij = ∂²f/∂x_i ∂x_j: the shape of the variable twice.

    ``structured`` is that of :func:`derivative`. Raises PullbackError for an f that is no scalar, and what :func:`derivative` raises.
    J. R. Magnus, H. Neudecker, Matrix Differential Calculus (3rd edition, 2019), chapter 6.

    >>> import pullback as pb
    >>> str(pb.hessian("norm2(A*x - b)^2", "x"))
    '2 Aᵀ A'
    """
    program = program_of(f)
    if program.result.order:
        raise PullbackError(
            f"a Hessian is of a scalar; this function is {shape_text(program.result.shape)}"
        )
    return derivative(program, wrt, wrt, structured=structured)


def differential(f: Stated, *wrt: str | Tensor) -> Differential:
    """The differential of ``f`` by several variables, or by all it has: dL = tr(Gᵀ dX) + ….

    Of a scalar it is its gradients paired with the differentials of the variables, of a vector
    its Jacobians times them; else each variable moves along its differential in forward order.
    Raises PullbackError for variables of which one is made of another, and what
    :func:`derivative` raises. J. R. Magnus, H. Neudecker, Matrix Differential Calculus (3rd
    edition, 2019), chapter 5.

    >>> import pullback as pb
    >>> print(pb.differential("A*B"))
    df = dA B + A dB
    >>> print(pb.differential("norm2(A*X - B)^2", "X"))
    df = 2 tr((A X − B)ᵀ A dX)
    """
    program = program_of(f)
    names = [name_of(program, w) for w in wrt] or list(program.variables)
    return Differential(tuple(derive_each(program, names).values()))


def jvp(f: Stated, wrt: str | Tensor, tangent: str | None = None) -> Tensor:
    """The Jacobian times a direction, ḟ = J ẋ, derived forward: the shape of f.

    The direction is a new variable of the shape of ``wrt``, called ``x_dot`` for a variable
    ``x`` unless ``tangent`` names it. Raises PullbackError for a name that is in use, and what
    :func:`derivative` raises. A. Griewank, A. Walther, Evaluating Derivatives (2nd edition,
    2008), chapter 3.

    >>> import pullback as pb
    >>> pb.jvp("norm2(A*x - b)^2", "x")
    <Tensor (): 2 (A x − b)ᵀ A x_dot>
    """
    program = program_of(f)
    target = target_of(program, name_of(program, wrt))
    direction = _new_variable(program, tangent or f"{target.name}_dot", target.node.shape)
    node = simplify(forward(program.result, {target.node: direction}))
    return _with(program, node, direction)


def vjp(f: Stated, wrt: str | Tensor, cotangent: str | None = None) -> Tensor:
    """A cotangent times the Jacobian, x̄ = Jᵀ f̄, derived in reverse: the shape of ``wrt``.

    The cotangent is a new variable of the shape of f, called ``f_bar`` (with the name of the
    result, if it has one) unless named. Raises PullbackError for a name that is in use, and
    what :func:`derivative` raises. A. Griewank, A. Walther, Evaluating Derivatives (2nd
    edition, 2008), chapter 3.

    >>> import pullback as pb
    >>> pb.vjp("A*x", "x")
    <Tensor (n,): Aᵀ f_bar>
    """
    program = program_of(f)
    target = target_of(program, name_of(program, wrt))
    name = cotangent or f"{program.result_name or 'f'}_bar"
    seed = _new_variable(program, name, program.result.shape)
    (raw,) = reverse(program.result, [target.node], seed=seed)
    return _with(program, simplify(raw), seed)


def hvp(f: Stated, wrt: str | Tensor, v: str | None = None) -> Tensor:
    """The Hessian of a scalar ``f`` times a direction, H ẋ, in the shape of the variable.

    Derived forward over reverse, so that the Hessian is never formed; the direction is named
    as in :func:`jvp`. Raises what :func:`gradient` and :func:`jvp` raise. B. A. Pearlmutter,
    "Fast exact multiplication by the Hessian", Neural Computation 6 (1994).

    >>> import pullback as pb
    >>> pb.hvp("norm2(A*x - b)^2", "x")
    <Tensor (n,): 2 Aᵀ A x_dot>
    """
    program = program_of(f)
    return jvp(gradient(program, wrt), name_of(program, wrt), v)


def _new_variable(program: Program, name: str, shape: Shape) -> Variable:
    check_name(name)
    sizes = {n for v in program.variables.values() for size in v.shape for n in size.names}
    if name in program.variables or name in program.lines or name in sizes:
        raise PullbackError(f"the name '{name}' is already in use: choose another")
    node = make.variable(name, shape)
    assert isinstance(node, Variable)
    return node


def _with(program: Program, node: Node, variable: Variable) -> Tensor:
    variables = {**program.variables, variable.name: variable}
    derived = replace(program, result=node, result_name="", closed=frozenset(program.lines))
    return Tensor.from_program(replace(derived, variables=variables))


def batch(f: Tensor | Program | str, over: Sequence[str | Tensor]) -> Tensor:
    """The average of ``f`` over many samples: each variable of ``over`` gets a leading axis.

    (1/N) Σₖ f(xₖ, yₖ), with the samples as rows; lines keep their names. Raises PullbackError
    for an f that is no scalar, and for a name of ``over`` that is no variable of it.

    >>> import pullback as pb
    >>> L = pb.parse("norm2(W*x - y)^2", shapes={"W": ("p", "n")})
    >>> str(pb.derivative(pb.batch(L, over=("x", "y")), "W"))
    '2 (x Wᵀ − y)ᵀ x/N'
    """
    program = program_of(f)
    return Tensor.from_program(batching.batch(program, [name_of(program, n) for n in over]))


def explain(
    f: Tensor | Program | str, *wrt: str | Tensor, structured: Convention | None = None
) -> Explanation:
    """The derivation: what each operation is handed, and what it hands back, with shapes.

    The steps are by independent entries; the result adds what a ``structured`` convention (see
    :func:`derivative`) makes of it. Raises what :func:`derivative` raises.

    >>> import pullback as pb
    >>> pb.explain("norm2(A*x - b)^2", "x").results[0].gradient.equals[-1].text
    '2 Aᵀ(A x − b)'
    """
    program = program_of(f)
    return explain_program(program, [name_of(program, w) for w in wrt], structured=structured)


def check(
    f: Stated,
    *wrt: str | Tensor,
    points: int = 3,
    seed: int | None = None,
    structured: Convention | None = None,
) -> Certificate:
    """A numeric certificate of the derivative, at random sizes and points inside the domain.

    Values come from an evaluator of its own, at 40 digits; central differences of these,
    (f(x + hv) − f(x − hv))/2h, are compared with the derived formula. A variable moves as
    ``structured`` says (see :func:`derivative`): along its free entries, or inside the set that
    it is assumed to lie in. Raises what
    :func:`derivative` raises; that no comparison was possible is said in ``message``.

    >>> import pullback as pb
    >>> pb.check("norm2(A*x - b)^2", "x").passed
    True
    """
    return derivative(f, *wrt, structured=structured).check(points, seed)


def grade(
    f: Tensor | Program | str,
    wrt: str | Tensor | Sequence[str | Tensor],
    claim: str,
    structured: Convention | None = None,
    dialect: Dialect | None = None,
) -> Grade:
    """Whether a claimed derivative is right: ``.right``, ``.reason`` and a counter-example.

    The claim is a text in the names of ``f``, its lines included. Right up to layout counts as
    right, and ``.layout`` says so. ``structured`` is that of :func:`derivative`; a claim that is
    right in another convention is told so. ``dialect`` is how the claim is written, if its marks
    do not tell (see :func:`parse`). Raises PullbackError for a claim that cannot be read.

    >>> import pullback as pb
    >>> pb.grade("norm2(A*x - b)^2", "x", "2*A'*(A*x - b)").right
    True
    >>> pb.grade("norm2(A*x - b)^2", "x", "A'*(A*x - b)").reason
    'it is half of what is right'
    >>> pb.grade("norm2(A*x - b)^2", "x", "2 Σ_j A_ji (Σ_k A_jk x_k − b_j)").right
    True
    """
    program = program_of(f)
    symbols = [wrt] if isinstance(wrt, str | Tensor) else list(wrt)
    return grade_program(
        program, [name_of(program, w) for w in symbols], claim, structured, dialect
    )


def objective(
    f: Stated, /, *wrt: str | Tensor, start: Mapping[str, Any] | None = None, **given: Any
) -> Objective:
    """A scalar ``f`` as a function of one flat vector, with gradient and Hessian, for SciPy.

    ``given`` are the values of the other variables; where they do not show every size, ``start``
    maps variables to starting values. Raises PullbackError for an f that is no scalar, and what
    :func:`derivative` raises. J. Nocedal, S. J. Wright, Numerical Optimization (2nd edition,
    2006), chapter 7.

    >>> import pullback as pb, numpy as np
    >>> f = pb.objective("sum(exp(x)) - b'*x", "x", b=np.array([1.0, 2.0]))
    >>> from scipy.optimize import minimize
    >>> found = minimize(f.fun, np.zeros(2), jac=f.jac, hess=f.hess, method="trust-exact")
    >>> np.allclose(found.x, np.log([1.0, 2.0]))
    True
    """
    program = program_of(f)
    return Objective(program, [name_of(program, w) for w in wrt], given, start)


__all__ = [
    "Certificate",
    "Compiled",
    "Derivative",
    "Differential",
    "Explanation",
    "Grade",
    "batch",
    "check",
    "code",
    "compile",
    "derivative",
    "derive_each",
    "differential",
    "explain",
    "grade",
    "gradient",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "objective",
    "parse",
    "program_of",
    "vjp",
]

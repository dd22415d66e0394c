"""Derivatives of what a user states, by what a user names."""

from __future__ import annotations

from pullback.derivation.derive import derive, derive_each
from pullback.derivation.structure import Convention
from pullback.derived import Derivative, Differential
from pullback.errors import PullbackError
from pullback.expressions.program import Program
from pullback.expressions.sizes import shape_text
from pullback.language.tensor import Tensor
from pullback.stated import Stated, name_of, program_of


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
    program = program_of_scalar(f, "a gradient")
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
    program = program_of_scalar(f, "a Hessian")
    return derivative(program, wrt, wrt, structured=structured)


def program_of_scalar(f: Stated, what: str) -> Program:
    """The program of a function that must be a scalar for ``what`` is asked of it."""
    program = program_of(f)
    if program.result.order:
        raise PullbackError(
            f"{what} is of a scalar; this function is {shape_text(program.result.shape)}",
            hint="use pb.jacobian or pb.derivative",
        )
    return program


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

"""Products with derivatives, their diagonals, and Taylor expansions: what needs no full array."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from pullback.derivation.derive import derive, target_of
from pullback.derivation.factoring import factored
from pullback.derivatives import gradient, program_of_scalar
from pullback.differentiation.forward import forward
from pullback.differentiation.reverse import reverse
from pullback.errors import PullbackError, ShapeError
from pullback.expressions import constructors as make
from pullback.expressions.nodes import Node, Sum, Variable
from pullback.expressions.program import Program
from pullback.expressions.sizes import Shape, shape_text
from pullback.language.declarations import check_name
from pullback.language.tensor import Tensor
from pullback.simplification.simplify import simplify
from pullback.stated import Stated, name_of, program_of


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
    program = program_of_scalar(f, "a product with a Hessian")
    return jvp(gradient(program, wrt), name_of(program, wrt), v)


def gauss_newton(
    f: Stated, wrt: str | Tensor, through: str | Tensor, v: str | None = None
) -> Tensor:
    """The Gauss-Newton matrix of a scalar ``f`` times a direction: Jᵀ C J ẋ, the shape of ``wrt``.

    J is the Jacobian of the line ``through`` (a network's output, a residual) and C the Hessian
    of f by that line, held free: what is left of the Hessian without the second derivatives of
    the line. It is positive semidefinite where C is. The direction is named as in :func:`jvp`.
    Raises what :func:`jvp` raises, and PullbackError for a line that cannot be held free.
    N. N. Schraudolph, "Fast curvature matrix-vector products for second-order gradient descent",
    Neural Computation 14 (2002).

    >>> import pullback as pb
    >>> pb.gauss_newton(pb.parse("r = A*x - b; norm2(r)^2"), "x", "r")
    <Tensor (n,): 2 Aᵀ A x_dot>
    """
    program = program_of_scalar(f, "a Gauss-Newton matrix")
    target = target_of(program, name_of(program, wrt))
    line = target_of(program, name_of(program, through))
    direction = _new_variable(program, v or f"{target.name}_dot", target.node.shape)
    moved = forward(line.node, {target.node: direction})
    (handed,) = reverse(program.result, [line.node])
    curved = forward(simplify(handed), {line.node: moved})
    (raw,) = reverse(line.node, [target.node], seed=curved)
    return _with(program, simplify(raw), direction)


def jacobian_diagonal(f: Stated, wrt: str | Tensor) -> Tensor:
    """The diagonal of a square Jacobian, ∂f_i/∂x_i, in the shape of the variable.

    f must have the shape of ``wrt``. Its δs meet the diagonal's before anything is computed, so
    that what is local, such as an elementwise map, costs no more than a vector. Raises
    ShapeError for another shape, and what :func:`derivative` raises.

    >>> import pullback as pb
    >>> pb.jacobian_diagonal("sigmoid(A*x) + x.^2", "x")
    <Tensor (n,): diag(A) ⊙ σ(A x) ⊙ (1 − σ(A x)) + 2 x>
    """
    program = program_of(f)
    name = name_of(program, wrt)
    target = target_of(program, name)
    if program.result.shape != target.node.shape:
        raise ShapeError(
            f"the diagonal of a Jacobian needs a function of the shape of '{name}', "
            f"{shape_text(target.node.shape)}; this one is {shape_text(program.result.shape)}"
        )
    return _with(program, _diagonal(derive(program, [name]).node))


def hessian_diagonal(f: Stated, wrt: str | Tensor) -> Tensor:
    """The diagonal of the Hessian of a scalar ``f``, ∂²f/∂x_i², in the shape of the variable.

    Raises PullbackError for an f that is no scalar, and what :func:`derivative` raises.

    >>> import pullback as pb
    >>> pb.hessian_diagonal("sum(exp(x)) + norm2(x)^4", "x")
    <Tensor (n,): exp(x) + 8 x^⊙2 + 4 ‖x‖² 𝟏>
    """
    program = program_of_scalar(f, "a Hessian")
    name = name_of(program, wrt)
    return _with(program, _diagonal(derive(program, [name, name]).node))


def taylor(f: Stated, wrt: str | Tensor, order: int = 2, step: str | None = None) -> Tensor:
    """The Taylor polynomial of ``f`` about the variable: f + Df s + ½ D²f s s + …, in a step s.

    The step is a new variable of the shape of ``wrt``, called ``x_step`` for a variable ``x``
    unless named; each term is a derivative along it, so that no full tensor is formed. Raises
    PullbackError for a negative order, and what :func:`jvp` raises. J. R. Magnus, H. Neudecker,
    Matrix Differential Calculus (3rd edition, 2019), chapter 6.

    >>> import pullback as pb
    >>> pb.taylor("x'*A*x", "x", order=1)
    <Tensor (): xᵀ A x + xᵀ(A + Aᵀ) x_step>
    """
    if order < 0:
        raise PullbackError(f"an order is 0, 1, 2, …, not {order}")
    program = program_of(f)
    target = target_of(program, name_of(program, wrt))
    direction = _new_variable(program, step or f"{target.name}_step", target.node.shape)
    term, terms, factorial = program.result, [(make.exact_number(1), program.result)], 1
    for k in range(1, order + 1):
        term, factorial = simplify(forward(term, {target.node: direction})), factorial * k
        terms.append((make.exact_number(Fraction(1, factorial)), term))
    return _with(program, make.add(terms), direction)  # term by term, as such a polynomial is read


def _diagonal(square: Node) -> Node:
    """The diagonal, simplified: of each term before what could be added up is."""
    rows = square.order // 2
    parts = square.terms if isinstance(square, Sum) else ((1, square),)
    return simplify(make.add([(c, factored(part).diagonal(rows)) for c, part in parts]))


def _new_variable(program: Program, name: str, shape: Shape) -> Variable:
    check_name(name)
    sizes = {n for v in program.variables.values() for size in v.shape for n in size.names}
    if name in program.variables or name in program.lines or name in sizes:
        raise PullbackError(f"the name '{name}' is already in use: choose another")
    node = make.variable(name, shape)
    assert isinstance(node, Variable)
    return node


def _with(program: Program, node: Node, variable: Variable | None = None) -> Tensor:
    more = {variable.name: variable} if variable is not None else {}
    derived = replace(program, result=node, result_name="", closed=frozenset(program.lines))
    return Tensor.from_program(replace(derived, variables={**program.variables, **more}))

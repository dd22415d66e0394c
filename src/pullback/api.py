"""The public functions: each takes what a user has and walks the whole road."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pullback.compilation.compile import Compiled
from pullback.compilation.count import Prices
from pullback.compilation.pricing import prices
from pullback.compiled import code, compile
from pullback.derivation import batching
from pullback.derivation.derive import derive, derive_each
from pullback.derivation.structure import Convention
from pullback.derivatives import derivative, differential, gradient, hessian, jacobian
from pullback.derived import Derivative, Differential
from pullback.drawing.picture import Picture
from pullback.explanation.entity import Entity
from pullback.explanation.exercises import exercise
from pullback.explanation.explain import Explanation
from pullback.explanation.explain import explain as explain_program
from pullback.explanation.ways import Ways
from pullback.explanation.ways import ways as ways_of_program
from pullback.expressions.program import Program
from pullback.language.reading import Dialect
from pullback.language.tensor import Tensor
from pullback.pictures.picture import Kind
from pullback.pictures.picture import picture as picture_of_program
from pullback.products import (
    gauss_newton,
    hessian_diagonal,
    hvp,
    jacobian_diagonal,
    jvp,
    taylor,
    vjp,
)
from pullback.stated import Stated, name_of, parse, program_of
from pullback.training.minimising import Objective
from pullback.verification.certificate import Certificate
from pullback.verification.grading import Grade
from pullback.verification.grading import grade as grade_program
from pullback.verification.handwritten import Backward, grade_function


def cost(f: Stated, *wrt: str | Tensor, sizes: Mapping[str, int]) -> Prices:
    """Counted operations, stored numbers and bytes of a value and derivative, in every order.

    The rows: entry by entry, forward, reverse, cross-country, compressed (δs kept apart), and
    reverse without each of the three savings of back-propagation: stored forward values, stored
    products, stored reciprocals. Several variables give a higher derivative, of which the last
    differentiation is priced. ``.text()`` is a table, ``.to_dict()`` the counts as data.
    ``sizes`` gives every named size a number. Raises PullbackError for one that is missing, and
    what :func:`derivative` raises. A. Griewank, A. Walther, Evaluating Derivatives (2nd edition,
    2008), chapters 3, 4 and 9.

    >>> import pullback as pb
    >>> prices = pb.cost("norm2(V*tanh(U*x) - y)^2", "x", sizes={"m": 100, "n": 50, "p": 10})
    >>> prices.rows["reverse"].multiplications, prices.rows["forward"].multiplications
    (12120, 56620)
    """
    program = program_of(f)
    names = [name_of(program, w) for w in wrt]
    if len(names) > 1:
        program = Derivative(derive(program, names[:-1])).program
    return prices(derive(program, names[-1:]), sizes)


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


def entity(f: Stated, *wrt: str | Tensor, sizes: Mapping[str, int] | None = None) -> Entity:
    """The derivative as an entity: its axes and where each comes from, its zeros, its picture.

    The axes are those of f, then those of each variable of ``wrt``. ``sizes`` gives numbers to
    named sizes. ``.text()`` says it in lines, ``.to_dict()`` as data; ``.picture(values)`` draws
    it, as a heat map or a grid of blocks, at values of the variables or as structure alone.
    Raises PullbackError for a size that does not occur, and what :func:`derivative` raises.

    >>> import pullback as pb
    >>> V = pb.entity("V = W*x", "W")
    >>> V.order, [axis.text for axis in V.axes], V.structure
    (3, ['output i of V', 'row j of W', 'column k of W'], 'zero but where i = j')
    >>> V.entries, V.nonzeros
    ('m·m·n', 'm·n')
    """
    return Entity(derivative(f, *wrt).derivation, sizes)


def ways(f: Stated, wrt: str | Tensor, sizes: Mapping[str, int] | None = None) -> Ways:
    """One derivative three ways: entry by entry, flattened with ⊗ and vec, and as matrices.

    Each with its formula, with the arrays that one would write down on that way, and with how
    many numbers these hold, as a table (``.text()``) and as data (``.to_dict()``). ``sizes``
    gives numbers to named sizes. Raises PullbackError for a size that does not occur, and what
    :func:`derivative` raises.

    >>> import pullback as pb
    >>> three = pb.ways("V*sigmoid(U*x)", "U", sizes={"m": 100, "n": 784, "p": 10})
    >>> [(way.name, way.number) for way in three.ways]
    [('entry by entry', 784000), ('flattened', 7851000), ('matrices', 3784)]
    """
    program = program_of(f)
    return ways_of_program(program, name_of(program, wrt), sizes)


def picture(
    f: Stated,
    *wrt: str | Tensor,
    kind: Kind = "graph",
    values: Mapping[str, Any] | None = None,
    around: Any = (-2.0, 2.0),
    theme: str = "auto",
) -> Picture:
    """A picture of ``f``, or with ``wrt`` of its derivative: SVG, PNG, or on matplotlib axes.

    "graph" is the computation graph, with shapes on its edges, the gradient each value is handed,
    and at ``values`` of the variables the numbers; also ``.dot()`` and ``.mermaid()``. "network"
    is the tensor network (Penrose diagram) below the formulas it stands for. "field" draws a
    function of two scalar variables or of one vector of size 2, ``around`` being their range:
    contours and −∇f of a scalar, arrows of a vector. ``theme`` is "light", "dark" or "auto", in
    the colour of the text around it. Raises PullbackError for what has no such picture.

    >>> import pullback as pb
    >>> drawn = pb.picture("norm2(A*x - b)^2", "x")
    >>> drawn.svg()[:4], drawn.mermaid().splitlines()[0]
    ('<svg', 'flowchart TD')
    """
    program = program_of(f)
    names = [name_of(program, w) for w in wrt]
    return picture_of_program(program, names, kind, values, around, theme)


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
    claim: str | Backward,
    structured: Convention | None = None,
    dialect: Dialect | None = None,
) -> Grade:
    """Whether a claimed derivative is right: ``.right``, ``.reason`` and a counter-example.

    The claim is a text in the names of ``f``, its lines included. Right up to layout counts as
    right, and ``.layout`` says so. ``structured`` is that of :func:`derivative`; a claim that is
    right in another convention is told so. ``dialect`` is how the claim is written, if its marks
    do not tell (see :func:`parse`). The claim may also be a backward pass by hand, a Python
    function of variables and lines by their names: it returns the gradient, a tuple of several,
    or a dict that holds gradients of lines too, and ``.steps`` says where it goes wrong first
    (:func:`.grade_function`). Raises PullbackError for a claim that cannot be read.

    >>> import pullback as pb
    >>> pb.grade("norm2(A*x - b)^2", "x", "2*A'*(A*x - b)").right
    True
    >>> pb.grade("norm2(A*x - b)^2", "x", "A'*(A*x - b)").reason
    'it is half of what is right'
    >>> pb.grade("norm2(A*x - b)^2", "x", lambda A, x, b: 2 * A.T @ (A @ x - b)).right
    True
    >>> pb.grade("norm2(A*x - b)^2", "x", "2 Σ_j A_ji (Σ_k A_jk x_k − b_j)").right
    True
    """
    program = program_of(f)
    symbols = [wrt] if isinstance(wrt, str | Tensor) else list(wrt)
    names = [name_of(program, w) for w in symbols]
    if not isinstance(claim, str):
        return grade_function(program, names, claim)
    return grade_program(program, names, claim, structured, dialect)


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
    "Entity",
    "Explanation",
    "Grade",
    "Picture",
    "Prices",
    "Ways",
    "batch",
    "check",
    "code",
    "compile",
    "cost",
    "derivative",
    "derive_each",
    "differential",
    "entity",
    "exercise",
    "explain",
    "gauss_newton",
    "grade",
    "gradient",
    "hessian",
    "hessian_diagonal",
    "hvp",
    "jacobian",
    "jacobian_diagonal",
    "jvp",
    "objective",
    "parse",
    "picture",
    "program_of",
    "taylor",
    "vjp",
    "ways",
]

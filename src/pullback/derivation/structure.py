"""The derivative by a variable with structure: symmetric, diagonal, orthogonal, of unit sum, …

By default entries are independent, whatever is assumed of the variable. The two other conventions
take a derivative G with independent entries to

- ``"free"``: the partials by the entries that can be chosen freely. For a symmetric X that is
  G + Gᵀ − G ⊙ I (Petersen and Pedersen, The Matrix Cookbook, equation 138), for a skew one
  G − Gᵀ, for a diagonal one G ⊙ I, for a triangular one its triangle. Where nothing can be chosen stands a zero.
- ``"tangent"``: the gradient along the set of such tensors: (G + Gᵀ)/2, (G − Gᵀ)/2, G ⊙ I,
  (G − X Gᵀ X)/2 for an orthogonal X (Edelman, Arias and Smith, "The geometry of algorithms with
  orthogonality constraints", SIAM J. Matrix Anal. Appl. 20, 1998), and G less the mean of each
  row where rows sum to one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, get_args

from pullback.errors import MissingRule, PullbackError
from pullback.expressions import constructors as make
from pullback.expressions.nodes import Node, Variable
from pullback.expressions.placement import triangle

Convention = Literal["free", "tangent"]
HALF = Fraction(1, 2)


@dataclass(frozen=True)
class Part:
    """A derivative, and which of its axes are the last two of the variable."""

    node: Node
    variable: Node
    row: int
    column: int

    @property
    def turned(self) -> Node:
        """Gᵀ."""
        labels = list(range(self.node.order))
        swapped = [*labels]
        swapped[self.row], swapped[self.column] = self.column, self.row
        return make.contract([(self.node, swapped)], labels)

    @property
    def diagonal(self) -> Node:
        """G ⊙ I."""
        same = [self.row if k == self.column else k for k in range(self.node.order)]
        return make.contract([(self.node, same)], same)

    def triangle(self, *, upper: bool) -> Node:
        """The lower or the upper triangle of G, and zeros beside it."""
        labels = list(range(self.node.order))
        size = self.node.shape[self.row]
        mask = triangle(size, size, upper=upper)
        return make.contract([(self.node, labels), (mask, [self.row, self.column])], labels)

    @property
    def around(self) -> Node:
        """X Gᵀ X."""
        labels = list(range(self.node.order))
        k, l = self.node.order, self.node.order + 1
        batch = labels[self.column + 1 - self.variable.order : self.row]
        inner = [*labels]
        inner[self.row], inner[self.column] = l, k
        return make.contract(
            [
                (self.variable, [*batch, self.row, k]),
                (self.node, inner),
                (self.variable, [*batch, l, self.column]),
            ],
            labels,
        )

    @property
    def mean(self) -> Node:
        """The mean over the last axis, repeated along it."""
        labels = list(range(self.node.order))
        summed = [self.node.order if k == self.column else k for k in labels]
        size = self.node.shape[self.column]
        total = make.contract([(self.node, summed)], labels, {self.column: size})
        return make.multiply(make.power(make.size_value(size), -1), total)


@dataclass(frozen=True)
class Structure:
    """A set of tensors, and what each convention makes of a derivative by a member.

    A law says so with G, the derivative by independent entries. ``refused`` says why a
    convention has none. Along a set that is ``curved`` the gradient's own bend counts in a second
    derivative (see :func:`bend`).
    """

    name: str
    members: str  # of which the variable {0} is one
    free: Callable[[Part], Node] | None = None
    tangent: Callable[[Part], Node] | None = None
    free_law: str = ""
    tangent_law: str = ""
    refused: str = ""
    curved: bool = False

    def rule(self, convention: Convention) -> Callable[[Part], Node] | None:
        return self.free if convention == "free" else self.tangent

    @property
    def conventions(self) -> list[Convention]:
        """Those that have a rule."""
        return [c for c in get_args(Convention) if self.rule(c)]


STRUCTURES = {
    "symmetric": Structure(
        "symmetric",
        "the symmetric matrices {0}",
        lambda g: make.add([(1, g.node), (1, g.turned), (-1, g.diagonal)]),
        lambda g: make.add([(HALF, g.node), (HALF, g.turned)]),
        "G + Gᵀ − G ⊙ I",
        "(G + Gᵀ)/2",
    ),
    "skew": Structure(
        "skew",
        "the skew matrices {0}",
        lambda g: make.add([(1, g.node), (-1, g.turned)]),
        lambda g: make.add([(HALF, g.node), (-HALF, g.turned)]),
        "G − Gᵀ",
        "(G − Gᵀ)/2",
    ),
    "diagonal": Structure(
        "diagonal",
        "the diagonal matrices {0}",
        lambda g: g.diagonal,
        lambda g: g.diagonal,
        "G ⊙ I",
        "G ⊙ I",
    ),
    "orthogonal": Structure(
        "orthogonal",
        "the orthogonal matrices {0}",
        tangent=lambda g: make.add([(HALF, g.node), (-HALF, g.around)]),
        tangent_law="(G − X Gᵀ X)/2",
        refused="the entries of an orthogonal matrix are not free",
        curved=True,
    ),
    "unit-sum": Structure(
        "unit-sum",
        "vectors {0} of unit sum",
        tangent=lambda g: make.add([(1, g.node), (-1, g.mean)]),
        tangent_law="G − the mean of G over its last axis",
        refused="entries of unit sum are not free",
    ),
    "lower": Structure(
        "lower triangular",
        "the lower triangular matrices {0}",
        lambda g: g.triangle(upper=False),
        lambda g: g.triangle(upper=False),
        "the lower triangle of G",
        "the lower triangle of G",
    ),
    "upper": Structure(
        "upper triangular",
        "the upper triangular matrices {0}",
        lambda g: g.triangle(upper=True),
        lambda g: g.triangle(upper=True),
        "the upper triangle of G",
        "the upper triangle of G",
    ),
    "sign": Structure("sign", "signs {0}", refused="numbers that are −1 or 1 cannot move"),
    "binary": Structure(
        "binary", "binary numbers {0}", refused="numbers that are 0 or 1 cannot move"
    ),
}
OPEN = frozenset({"positive"})  # whoever is inside may move in any direction
IMPLIED = {"posdef": "symmetric"}
TRIANGULAR = {"lower", "upper"}


def structure_of(node: Node) -> Structure | None:
    """The set that a variable lies in, None where all of its entries are free."""
    if not isinstance(node, Variable):
        return None
    words = {IMPLIED.get(word, word) for word in node.assumptions - OPEN}
    if words >= TRIANGULAR or ("symmetric" in words and words & TRIANGULAR):
        words.add("diagonal")
    if "diagonal" in words:
        words -= {"symmetric", *TRIANGULAR}
    if not words:
        return None
    name = " and ".join(sorted(words))
    unknown = Structure(name, f"the {name} {{0}}", refused=f"no derivative along what is {name}")
    return STRUCTURES.get(name, unknown)


def check(convention: str | None, targets: Sequence[Node]) -> None:
    """Raises PullbackError for an unknown convention, MissingRule where it has no rule."""
    if convention is None:
        return
    if convention not in get_args(Convention):
        raise PullbackError(
            f"there is no convention '{convention}' for structured variables",
            hint="structured is None (entries independent), 'free' or 'tangent'",
        )
    for target in targets:
        structure = structure_of(target)
        if structure is None or not isinstance(target, Variable):
            continue
        if structure.rule(convention) is None:  # type: ignore[arg-type]  # it is one of the two
            known = " or ".join(structure.conventions)
            hint = f"there is a rule for the convention '{known}'" if known else ""
            raise MissingRule(f"{structure.refused}: {target.name}", hint=hint)
        if structure.curved and list(targets).count(target) > 1 and len(targets) > 2:
            raise MissingRule(f"no third derivative along {structure.members.format(target.name)}")


def respecting(derivative: Node, target: Node, first: int, convention: Convention) -> Node:
    """A derivative by independent entries as one by a structured variable.

    ``first`` is the first axis of the derivative that belongs to the variable.
    """
    structure = structure_of(target)
    rule = structure.rule(convention) if structure else None
    last = first + target.order - 1
    return rule(Part(derivative, target, last - 1, last)) if rule else derivative


def bend(gradient: Node, target: Node, first: int) -> Node | None:
    """What a second derivative along a curved set has less than one by independent entries.

    Along the orthogonal matrices the second derivative takes H to ∇²f[H] − H (Xᵀ G + Gᵀ X)/2, both
    H and the result projected (P.-A. Absil, R. Mahony, R. Sepulchre, Optimization Algorithms on
    Matrix Manifolds (2008), section 5.3). ``gradient`` is G by independent entries.
    """
    structure = structure_of(target)
    if structure is None or not structure.curved:
        return None
    function = list(range(first))
    batch = list(range(first, first + target.order - 2))
    i, j, l, inner = range(first + target.order - 2, first + target.order + 2)
    sizes = dict(zip([*batch, i], target.shape, strict=False))
    halves = [
        make.contract(
            [(target, [*batch, inner, a]), (gradient, [*function, *batch, inner, b])],
            [*function, *batch, i, j, *batch, i, l],
            sizes,
        )
        for a, b in ((l, j), (j, l))
    ]
    return make.add([(HALF, half) for half in halves])


def law_of(node: Node, convention: Convention | None) -> str:
    """What a convention makes of G, the derivative by independent entries; empty for G itself."""
    structure = structure_of(node)
    if structure is None or convention is None:
        return ""
    law = structure.free_law if convention == "free" else structure.tangent_law
    return law.replace("X", node.name) if isinstance(node, Variable) else law


def along(
    convention: Convention | None,
    targets: Mapping[str, Node],
    write: Callable[[str], str] = str,
) -> str:
    """Which entries or directions a derivative is taken along, in words; empty by default.

    ``write`` sets the name of a variable.
    """
    said = []
    for name, node in targets.items() if convention else ():
        structure = structure_of(node)
        if structure is None:
            said.append(f"all entries of {write(name)} are free")
        elif convention == "tangent":
            said.append(f"along {structure.members.format(write(name))}")
        else:
            said.append(f"by the free entries of the {structure.name} {write(name)}")
    return "; ".join(said)

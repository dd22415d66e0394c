"""Calls of functions: what each name means, and the rule and the node it stands for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from difflib import get_close_matches
from functools import cache, partial

from pullback.errors import Place, PullbackError
from pullback.expressions import Node, Shape
from pullback.functions.catalogue import ALIASES as OTHER_NAMES
from pullback.functions.catalogue import CATALOGUE
from pullback.functions.record import Definition, Function, Record, Signature
from pullback.language import arranging, filling, joining
from pullback.language import kinds as k
from pullback.language.callee import Callee
from pullback.language.instead import instead_of
from pullback.language.kinds import Build, Kind, Refusal, Rule, Verdict
from pullback.language.labelling import einsum
from pullback.language.probing import probed
from pullback.language.syntax import Call, Literal, Name, Static
from pullback.simplification.canonical import parity

CALLABLE = {n: r for n, r in CATALOGUE.items() if isinstance(r, Definition) or r.partials}
CONSTANTS: dict[str, Function] = {}  # records without arguments, such as π
for _record in CATALOGUE.values():
    if isinstance(_record, Function) and not _record.partials:
        CONSTANTS |= {_record.name: _record, _record.symbol or _record.name: _record}
ALIASES = {"trace": "tr", "kr": "khatri_rao", **OTHER_NAMES}
ALIASES |= {
    r.symbol: n
    for n, r in CALLABLE.items()
    if isinstance(r, Function) and r.symbol and "{" not in r.symbol
}
# arguments from which on a call states sizes
SIZED = {"eye": 0, "vector": 1, "matrix": 1, "ones": 0, "zeros": 0, "commutation": 0, "unvec": 1,
         "reshape": 1, "tril": 1, "triu": 1, "circshift": 1, "repmat": 1}  # fmt: skip
# functions whose names people also give to variables; where there is such a variable, it is meant
SHARED = frozenset(
    {"gamma", "kr", "ones", "zeros", "commutation", *arranging.BUILD, *joining.BUILD}
)
_INSTEAD = {
    "ln": "the natural logarithm is log",
    "max": "entry by entry it is maximum(a, b), and relu(x) for max(x, 0)",
    "min": "entry by entry it is minimum(a, b)",
    "T": "the transpose is X'",
    "svd": "svdvals(X) has the singular values, spectral_norm(X) the largest",
    "qr": "its factors are not single-valued; chol(X'*X)' is R up to signs",
    "lu": "its factors depend on pivots; solve(A, b) is solved by them in the code",
    "lyap": "lyapunov(A, Q) solves A X + X A' = Q; lyap(A, Q) is lyapunov(A, -Q)",
    "slogdet": "logabsdet(A) is log |det A|",
}


def is_function(name: str) -> bool:
    return name in FUNCTION_NAMES and name not in SHARED


def first_size(call: Call) -> int:
    """From which argument on a call states sizes."""
    like = isinstance(call.arguments[0], Call) if len(call.arguments) == 1 else False
    return SIZED.get(call.function, len(call.arguments)) if not like else 1  # ones(size(A))


def similar(name: str, known: Iterable[str]) -> str:
    """A hint such as "did you mean 'sigmoid'?", or nothing."""
    close = get_close_matches(name, sorted(known), n=1, cutoff=0.6)
    return f"did you mean '{close[0]}'?" if close else ""


def _of_numpy(name: str) -> str:
    """The hint for a function of NumPy, or of MATLAB by the same name, in words of the text."""
    found = instead_of(name) or instead_of(f"linalg.{name}") or instead_of(f"linalg.matrix_{name}")
    return found.replace("pb.", "").replace("a symbol", "a value")


def resolve(call: Call, text: str, names: Iterable[str]) -> Callee:
    """The meaning of a call; PullbackError for an unknown name or a wrong number of arguments."""
    place = Place(text, call.start, call.stop)
    name = ALIASES.get(call.function, call.function)
    count = len(call.arguments)
    if name in SHARED and name in set(names):
        hint = f"rename the variable; to multiply by it, write {name}*(…)"
        raise PullbackError(f"'{name}' is a variable here and called as a function", place, hint)
    if name in _BUILD:
        least, most, resolver = _BUILD[name]
        if not least <= count <= most:
            takes = str(least) if least == most else f"{least} to {most}"
            raise PullbackError(f"{name} takes {takes} arguments, not {count}", place)
        return resolver(call, place)
    record = CALLABLE.get(name)
    if record is not None:
        call = _as_matlab(call, record)
        name, count = call.function, len(call.arguments)
        record = CALLABLE[name]
    if record is None:
        known = set(names)
        head = Place(text, call.start, call.start + len(call.function))
        if call.function in known:
            hint = f"to multiply, write {call.function}*(…)"
            raise PullbackError(f"'{call.function}' is no function", head, hint)
        hint = _INSTEAD.get(name) or _of_numpy(name) or similar(name, FUNCTION_NAMES)
        raise PullbackError(f"unknown function '{call.function}'", head, hint)
    if isinstance(record, Definition):
        if record.takes_axis and count == 2:
            return _along(call, place, name)
        least = sum(not p.partition("=")[2] for p in record.parameters)
        if not least <= count <= len(record.parameters):
            takes = ", ".join(record.parameters)
            raise PullbackError(f"{name} takes ({takes}), not {count} arguments", place)
        return Callee(tuple(call.arguments), partial(_of_definition, name), _apply(name))
    wanted = len(record.signature.arguments)
    if count == 2 and record.pairs:
        return _along_or_entrywise(call, place, record)
    if count == 2 and record.takes_axis:
        return _along(call, place, name)
    if not wanted - len(record.defaults) <= count <= wanted:
        plural = "" if wanted == 1 else "s"
        raise PullbackError(f"{name} takes {wanted} argument{plural}, not {count}", place)
    if record.reduction:
        return Callee(tuple(call.arguments), _of_all, _over_all(name))
    rule = partial(_of_entries, name) if record.elementwise else partial(_of_cores, name)
    return Callee(tuple(call.arguments), rule, _apply(name))


_NORMS = {"fro": "normF", "inf": "norm_inf", "Inf": "norm_inf", "nuc": "nuclear_norm"}


def _as_matlab(call: Call, record: Record) -> Call:
    """The call without what MATLAB has beside: ``sum(X, 'all')``, ``max(X, [], 2)``, ``norm(X, 'fro')``."""
    name, arguments = record.name, list(call.arguments)
    last = arguments[-1] if arguments else None
    if len(arguments) == 2 and isinstance(last, Static | Name):
        word = last.value if isinstance(last, Static) else last.name
        if name == "norm" and word in _NORMS:
            return replace(call, function=_NORMS[word], arguments=arguments[:1])
        if record.takes_axis and word == "all" and isinstance(last, Static):
            arguments = arguments[:1]
    if record.takes_axis and len(arguments) == 3:
        middle = arguments[1]
        if isinstance(middle, Static) and middle.value == []:
            del arguments[1]
    return replace(call, function=name, arguments=arguments)


def _apply(name: str) -> Build:
    return lambda nodes, shape: CATALOGUE[name].apply(nodes)


# functions of the catalogue


def _of_entries(name: str, kinds: tuple[Kind, ...]) -> Verdict:
    return k.entrywise(kinds, free=1, what=f"give {name}")


@cache
def _of_cores(name: str, kinds: tuple[Kind, ...]) -> Verdict:
    """The rule of a function of whole vectors or matrices, from its signature."""
    record = CATALOGUE[name]
    assert isinstance(record, Function)
    return _of_signature(record, record.signature, kinds)


def _of_signature(record: Record, signature: Signature, kinds: tuple[Kind, ...]) -> Verdict:
    name = record.name
    first: dict[str, k.Axis] = {}
    equal: list[tuple[k.Axis, k.Axis]] = []
    for i, (kind, core) in enumerate(zip(kinds, signature.arguments, strict=True)):
        if k.order_of(kind) != len(core):
            wanted = ("a scalar", "a vector", "a matrix")[len(core)]
            hint = ""
            if record.takes_axis and k.order_of(kind) > 1:
                hint = f"say along which axis: {name}(X, 1) goes down each column, {name}(X, 2) along each row"
            return Refusal(f"{name} takes {wanted}, not {k.kind_text(kind)}", hint)
        for axis, label in enumerate(core):
            if first.setdefault(label, (i, axis)) != (i, axis):
                equal.append((first[label], (i, axis)))
    axes: list[k.Axis | k.Extent] = []
    for label in signature.result:
        both = tuple(first[part] for part in label.split("&"))
        axes.append(both[0] if len(both) == 1 else k.smaller(both))
    kind = k.kind_of_order(len(axes))
    lead = axes[0] if len(axes) == 1 else None
    if isinstance(lead, tuple) and k.order_of(kinds[lead[0]]) == 1:
        kind = kinds[lead[0]]
    return Rule(kind, tuple(axes), tuple(equal))


@cache
def _of_definition(name: str, kinds: tuple[Kind, ...]) -> Verdict:
    """The rule of a formula, found by trying it on variables of these kinds.

    Its sizes may be all different, or equal from argument to argument, or all equal; the first
    that the formula accepts is what it asks for.
    """
    record = CATALOGUE[name]
    assert isinstance(record, Definition)
    if record.signatures:
        verdicts = [_of_signature(record, Signature.parse(s), kinds) for s in record.signatures]
        return next((v for v in verdicts if isinstance(v, Rule)), verdicts[0])
    required = [kind for kind, p in zip(kinds, record.parameters, strict=False) if "=" not in p]
    broadcasts = 0
    if len(kinds) > 1:
        pairing = k.entrywise(tuple(required), what=f"give {name}")
        optional = [kind for kind in kinds[len(required) :] if k.order_of(kind)]
        if isinstance(pairing, Refusal):
            return pairing
        if optional:
            return Refusal(f"{name} takes a scalar last, not {k.kind_text(optional[0])}")
        broadcasts = pairing.broadcasts
    found = probed(record.apply, kinds, name=name)
    return replace(found, broadcasts=broadcasts) if isinstance(found, Rule) else found


# functions along axes


def _of_all(kinds: tuple[Kind, ...]) -> Verdict:
    """A reduction without an axis takes all entries."""
    return Rule(k.scalar_kind(kinds))


def _over_all(name: str) -> Build:
    return lambda nodes, shape: CATALOGUE[name].along(nodes[0], range(nodes[0].order))


def _along_or_entrywise(call: Call, place: Place, record: Function) -> Callee:
    """max(X, 1) along an axis of a matrix, max(a, b) entry by entry.

    A number is an axis only for a matrix or a tensor: of a vector, max(x, 1) goes entry by entry.
    """
    first, second = call.arguments
    apart = Callee((first, second), partial(_of_entries, record.pairs), _apply(record.pairs))
    if not (isinstance(second, Literal) and isinstance(second.value, int) and second.value > 0):
        return apart
    along_axis = _along(call, place, record.name)

    def rule(kinds: tuple[Kind, ...]) -> Verdict:
        return along_axis.rule(kinds[:1]) if k.order_of(kinds[0]) > 1 else apart.rule(kinds)

    def build(nodes: Sequence[Node], shape: Shape) -> Node:
        chosen = along_axis if nodes[0].order > 1 else apart
        assert chosen.build is not None
        return chosen.build(nodes, shape)

    return Callee((first, second), rule, build)


def along(name: str, node: Node, axis: int) -> Node:
    """A function of the catalogue along one axis (counted from 0) of a tensor."""
    return CATALOGUE[name].along(node, [axis])


def _along(call: Call, place: Place, name: str) -> Callee:
    argument, axis = call.arguments
    value = axis.value if isinstance(axis, Literal) else None
    if not isinstance(value, int) or value < 1:
        at = Place(place.text, axis.start, axis.stop)
        hint = f"{name}(A, 1) goes down each column, {name}(A, 2) along each row"
        raise PullbackError(f"the second argument of {name} is an axis: 1, 2, …", at, hint)
    record = CATALOGUE[name]
    keeps = isinstance(record, Function) and bool(record.signature.result)

    def build(nodes: Sequence[Node], shape: Shape) -> Node:
        node = nodes[0]
        if node.order == 1 and not keeps and shape:
            return node  # a vector along its axis of size 1
        return along(name, node, 0 if node.order == 1 else value - 1)

    return Callee((argument,), lambda kinds: _axis_rule(name, value, keeps, kinds[0]), build)


@cache
def _axis_rule(name: str, axis: int, keeps: bool, kind: Kind) -> Verdict:
    order = k.order_of(kind)
    axes = k.axes_of(0, kind)
    if order == 0 or axis > max(order, 2):
        return Refusal(f"{k.kind_text(kind)} has no axis {axis} for {name} to go along")
    if order == 1:
        if axis == (1 if kind == k.COLUMN else 2):
            return Rule(kind, axes) if keeps else Rule(k.SCALAR)
        if keeps:
            return Refusal(f"{k.kind_text(kind)} has one entry along axis {axis}")
        return Rule(kind, axes)
    if keeps:
        return Rule(kind, axes)
    left = axes[: axis - 1] + axes[axis:]
    if kind == k.MATRIX:
        return Rule(k.ROW if axis == 1 else k.COLUMN, left)
    return Rule(k.kind_of_order(order - 1), left)


# functions of the language itself


def _ruled(rule: Callable[..., Verdict]) -> Callable[[Call, Place], Callee]:
    """A function whose rule is all there is to say."""
    return lambda call, _: Callee(tuple(call.arguments), lambda kinds: rule(*kinds))


def _eigenvalues(call: Call, place: Place) -> Callee:
    """``eig`` of a matrix that is known to be symmetric; of others they may be complex."""

    def build(nodes: Sequence[Node], _shape: Shape) -> Node:
        if parity(nodes[0]) != 1:
            hint = "declare it symmetric; eigvalsh(A) has the eigenvalues of (A + A')/2"
            raise PullbackError("eigenvalues are real for a symmetric matrix only", place, hint)
        return CATALOGUE["eigvalsh"].apply(nodes)

    return Callee(tuple(call.arguments), partial(_of_cores, "eigvalsh"), build)


_BUILD: dict[str, tuple[int, int, Callable[[Call, Place], Callee]]] = {
    "transpose": (1, 1, _ruled(k.transpose)),
    "diag": (1, 1, _ruled(k.diagonal)),
    "dot": (2, 2, _ruled(k.dot)),
    "outer": (2, 2, _ruled(k.outer)),
    "eig": (1, 1, _eigenvalues),
    "einsum": (2, 99, einsum),
    **filling.BUILD,
    **arranging.BUILD,
    **joining.BUILD,
}
FUNCTION_NAMES = frozenset([*CALLABLE, *ALIASES, *_BUILD])

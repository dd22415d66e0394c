"""The closed set of node kinds, immutable and interned.

An expression is a directed acyclic graph of these few kinds; axes are positions, and labels
are local to the contraction that uses them, so a matrix and its transpose share one node.
Equal expressions are one object, so nodes compare by identity and sharing is free.
Nodes are made by :mod:`pullback.expressions.constructors`, which keeps their normal form.
"""

from __future__ import annotations

import threading
from fractions import Fraction
from hashlib import blake2b
from typing import Any, TypeVar
from weakref import WeakValueDictionary

from pullback.expressions.sizes import Shape, Size

Number = int | Fraction  # every literal is an exact rational
Labels = tuple[int, ...]

_table: WeakValueDictionary[tuple[Any, ...], Node] = WeakValueDictionary()
_lock = threading.Lock()


class Node:
    """A tensor-valued expression: its kind, its children and its shape."""

    __slots__ = ("__weakref__", "digest", "shape")
    shape: Shape
    digest: bytes  # of the content: the same in every run, used for every canonical order

    @property
    def order(self) -> int:
        return len(self.shape)

    @property
    def children(self) -> tuple[Node, ...]:
        return ()

    def content(self) -> tuple[Any, ...]:
        """What, with the kind, determines this node."""
        raise NotImplementedError

    def written(self) -> bytes:
        """The content as bytes, with children by their digests, which all have one length."""
        return repr(self.content()).encode()

    def __copy__(self) -> Node:
        return self

    def __deepcopy__(self, memo: object) -> Node:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return (_unflatten, (_flatten(self),))

    def __repr__(self) -> str:
        sizes = ", ".join(map(str, self.shape))
        return f"<{type(self).__name__} ({sizes}) {self.digest.hex()[:8]}>"


class Variable(Node):
    """A name with a shape and the assumptions made of it."""

    __slots__ = ("assumptions", "name")
    name: str
    assumptions: frozenset[str]

    def content(self) -> tuple[Any, ...]:
        return (self.name, self.shape, tuple(sorted(self.assumptions)))

    def __repr__(self) -> str:
        return f"<Variable {self.name} ({', '.join(map(str, self.shape))})>"


class SizeValue(Node):
    """A symbolic size used as a number, as the ``n`` of ``sum(x)/n``."""

    __slots__ = ("size",)
    size: Size

    def content(self) -> tuple[Any, ...]:
        return (self.size,)


class Indicator(Node):
    """1 where Σₖ cₖ iₖ + offset is 0 (or, for ``≥``, is not negative), else 0; indices from 0.

    The structured constants of a contraction: [j = i + a] takes a slice or puts it back,
    [k = n i + j] merges two axes or splits one, [i ≥ j] is a triangle. They are never
    materialised where a slice or a reshape does the same. Their axes stand in canonical order.
    ``granted`` are sizes that are not negative because the statement says so: x(1:k) is only
    stated where n − k ≥ 0.
    """

    __slots__ = ("coefficients", "equality", "granted", "offset")
    coefficients: tuple[Size, ...]  # one for each axis, none of them 0
    offset: Size
    equality: bool
    granted: tuple[Size, ...]

    def content(self) -> tuple[Any, ...]:
        return (self.coefficients, self.offset, self.equality, self.granted, self.shape)


class Sum(Node):
    """A linear combination: terms with exact coefficients, all of one shape; none for zero."""

    __slots__ = ("terms",)
    terms: tuple[tuple[Number, Node], ...]

    @property
    def children(self) -> tuple[Node, ...]:
        return tuple(node for _, node in self.terms)

    def content(self) -> tuple[Any, ...]:
        return (self.terms, self.shape)

    def written(self) -> bytes:
        terms = b"".join([b"%s %s;" % (str(c).encode(), n.digest) for c, n in self.terms])
        return terms + repr(self.shape).encode()


class Contraction(Node):
    """A sum over labels of a product: every product, transpose, trace, diagonal and broadcast.

    ``operands`` pairs each factor with one label per axis; a label that ``output`` lacks is
    summed. An output label that no operand has is a broadcast axis; an output label that comes
    twice is a δ between these axes. Without operands it is thus 1, a tensor of ones, or δs.
    ``sizes[label]`` is the size of a label; labels are 0, 1, … in order of first appearance,
    output first.
    """

    __slots__ = ("operands", "output", "sizes")
    operands: tuple[tuple[Node, Labels], ...]
    output: Labels
    sizes: tuple[Size, ...]

    @property
    def children(self) -> tuple[Node, ...]:
        return tuple(node for node, _ in self.operands)

    @property
    def summed(self) -> Labels:
        """The labels summed over."""
        return tuple(range(len(set(self.output)), len(self.sizes)))

    def content(self) -> tuple[Any, ...]:
        return (self.operands, self.output, self.sizes)

    def written(self) -> bytes:
        factors = b"".join([n.digest + repr(labels).encode() for n, labels in self.operands])
        return factors + repr((self.output, self.sizes)).encode()


class Apply(Node):
    """A function of the catalogue, by name; axes before its core axes are batch axes."""

    __slots__ = ("arguments", "function")
    function: str
    arguments: tuple[Node, ...]

    @property
    def children(self) -> tuple[Node, ...]:
        return self.arguments

    def content(self) -> tuple[Any, ...]:
        return (self.function, self.arguments, self.shape)

    def written(self) -> bytes:
        arguments = b"".join([node.digest for node in self.arguments])
        return arguments + repr((self.function, self.shape)).encode()


N = TypeVar("N", bound=Node)


def intern(kind: type[N], shape: Shape, **fields: Any) -> N:
    """The one node of this kind and content, made now if it is new.

    A node is only shared with an equal one: the key holds the children themselves, and numbers
    are exact, so no two different contents share a key.
    """
    node = kind.__new__(kind)
    node.shape = shape
    for name, value in fields.items():
        setattr(node, name, value)
    key = (kind, *node.content())
    with _lock:
        known = _table.get(key)
        if known is not None:
            return known  # type: ignore[return-value]  # the key begins with the kind
        text = kind.__name__.encode() + node.written()
        node.digest = blake2b(text, digest_size=16).digest()
        _table[key] = node
    return node


def _flatten(root: Node) -> list[tuple[str, Any]]:
    """A node as a flat list, children before parents and referred to by position."""
    position: dict[Node, int] = {}
    flat: list[tuple[str, Any]] = []

    def refer(content: Any) -> Any:
        if isinstance(content, Node):
            return ("node", position[content])
        if isinstance(content, tuple):
            return ("tuple", [refer(part) for part in content])
        return ("value", content)

    stack: list[tuple[Node, bool]] = [(root, False)]
    while stack:
        node, ready = stack.pop()
        if node in position:
            continue
        if ready:
            names = _fields(type(node))
            fields = {name: refer(getattr(node, name)) for name in names}
            flat.append((type(node).__name__, (node.shape, fields)))
            position[node] = len(position)
        else:
            stack.append((node, True))
            stack.extend((child, False) for child in node.children)
    return flat


def _unflatten(flat: list[tuple[str, Any]]) -> Node:
    made: list[Node] = []

    def resolve(content: Any) -> Any:
        tag, value = content
        if tag == "node":
            return made[value]
        if tag == "tuple":
            return tuple(resolve(part) for part in value)
        return value

    kinds: dict[str, type[Node]] = {k.__name__: k for k in Node.__subclasses__()}
    for name, (shape, fields) in flat:
        made.append(intern(kinds[name], shape, **{f: resolve(v) for f, v in fields.items()}))
    return made[-1]


def _fields(kind: type[Node]) -> tuple[str, ...]:
    return tuple(kind.__annotations__)

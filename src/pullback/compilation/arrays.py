"""Array operations on views, as instructions: broadcasting stays lazy, numbers stay literals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from pullback.compilation.ir import Builder, Literal, Register, Stretch, View, whole
from pullback.compilation.nonnegative import is_nonnegative
from pullback.expressions.nodes import Number
from pullback.expressions.normal import number_power
from pullback.expressions.sizes import Shape, Size

COMPARISONS = frozenset({"less", "less_equal", "greater", "greater_equal", "equal", "not_equal"})


class Arrays(Builder):
    """The builder with NumPy's vocabulary: axes align from the right, None axes broadcast."""

    def __init__(self) -> None:
        super().__init__()
        self.nonnegative: set[Register] = set()  # registers without negative entries
        self.flexible = False  # whether other sizes would ask for another order of products

    def emit(
        self,
        op: str,
        name: str,
        operands: Sequence[View],
        shape: Shape,
        detail: tuple[Any, ...] = (),
        kind: str = "real",
    ) -> Register:
        register = super().emit(op, name, operands, shape, detail, kind)
        if is_nonnegative(self.defined[register], self.nonnegative):
            self.nonnegative.add(register)
        return register

    def map(self, name: str, *views: View) -> View:
        """An elementwise function; the result has the axes that some operand really has."""
        order = max(len(view.axes) for view in views)
        kind = "bool" if name in COMPARISONS else "real"
        real = [v for v in views if any(a is not None for a in v.axes)]
        if real and all(v.axes == real[0].axes for v in real) and len(real[0].axes) == order:
            # all seen alike: operate on the sources and look at the result the same way
            operands = [whole(v.source) if v in real else _scalar(v) for v in views]  # type: ignore[arg-type]
            shape = real[0].source.shape  # type: ignore[union-attr]
            return View(self.emit("map", name, operands, shape, kind=kind), real[0].axes)
        padded = [(None,) * (order - len(v.axes)) + v.axes for v in views]
        sizes: dict[int, Size] = {}
        for view, axes in zip(views, padded, strict=True):
            if view.has_delta:
                raise ValueError(f"{name} of a diagonal tensor")
            for k, axis in enumerate(axes):
                if axis is not None:
                    assert isinstance(view.source, Register)
                    sizes[k] = view.source.shape[axis]
        kept = sorted(sizes)
        operands = [
            View(v.source, strip(tuple([axes[k] for k in kept])))
            for v, axes in zip(views, padded, strict=True)
        ]
        register = self.emit("map", name, operands, tuple([sizes[k] for k in kept]), kind=kind)
        position = {k: i for i, k in enumerate(kept)}
        return View(register, tuple([position.get(k) for k in range(order)]))

    def reduce(self, name: str, view: View, axes: Sequence[int], *, keepdims: bool = False) -> View:
        """A reduction over axes of the view, none of which is broadcast."""
        source = view.source
        assert isinstance(source, Register)
        gone = tuple(sorted(view.axes[k] for k in axes))  # type: ignore[type-var]
        rest = [a for a in range(len(source.shape)) if a not in gone]
        register = self.emit(
            "reduce", name, [whole(source)], tuple([source.shape[a] for a in rest]), gone
        )
        position: dict[int | None, int] = {a: i for i, a in enumerate(rest)}
        kept = [k for k in range(len(view.axes)) if keepdims or k not in axes]
        return View(
            register, tuple([None if k in axes else position.get(view.axes[k]) for k in kept])
        )

    def multiply(self, left: View, right: View) -> View:
        for one, other in ((left, right), (right, left)):
            if isinstance(one.source, Literal) and not one.axes:
                value = one.source.value
                if isinstance(other.source, Literal):
                    return View(Literal(plain(value * other.source.value)), other.axes)
                if value == 1:
                    return other
                if value == -1:
                    return self.negative(other)
        return self.map("multiply", left, right)

    def negative(self, view: View) -> View:
        if isinstance(view.source, Literal):
            return View(Literal(-view.source.value), view.axes)
        made = self.definition(view, "map", "negative")
        if made is not None:
            return View(made.operands[0].source, view.axes)  # negation keeps the axes
        return View(self.map("negative", whole(view.source)).source, view.axes)

    def scale(self, value: Number, view: View) -> View:
        """A number times a view of any structure."""
        if isinstance(view.source, Literal):
            return View(Literal(plain(value * view.source.value)), view.axes)
        core = self.multiply(View(Literal(value)), whole(view.source))
        return View(core.source, _through(core, view))

    def add(self, left: View, right: View) -> View:
        if isinstance(left.source, Literal) and isinstance(right.source, Literal):
            longer = max(left.axes, right.axes, key=len)
            return View(Literal(plain(left.source.value + right.source.value)), longer)
        return self.map("add", left, right)

    def subtract(self, left: View, right: View) -> View:
        if isinstance(left.source, Literal) and isinstance(right.source, Literal):
            longer = max(left.axes, right.axes, key=len)
            return View(Literal(plain(left.source.value - right.source.value)), longer)
        return self.map("subtract", left, right)

    def divide(self, left: View, right: View) -> View:
        if isinstance(right.source, Literal) and right.source.value:
            return self.multiply(left, View(Literal(plain(Fraction(1) / right.source.value))))
        if isinstance(left.source, Literal) and left.source.value == 1:
            return self.map("reciprocal", right)
        return self.map("divide", left, right)

    def power(self, base: View, exponent: View) -> View:
        """A power; small constant exponents are written as products, roots and reciprocals."""
        if not isinstance(exponent.source, Literal):
            return self.map("power", base, exponent)
        p = exponent.source.value
        if isinstance(base.source, Literal):
            return self._literal_power(base, p)
        if p < 0 and p in (-1, -2, -3, Fraction(-1, 2), Fraction(-3, 2)):
            return self.map("reciprocal", self.power(base, View(Literal(-p))))
        if p == 1:
            return base
        if p == 2:
            return self.map("multiply", base, base)
        if p == 3:
            return self.map("multiply", self.map("multiply", base, base), base)
        if p == Fraction(1, 2):
            return self.map("sqrt", base)
        if p == Fraction(3, 2):
            return self.map("multiply", base, self.map("sqrt", base))
        return self.map("power", base, View(exponent.source))

    def _literal_power(self, base: View, p: Number) -> View:
        assert isinstance(base.source, Literal)
        value = number_power(base.source.value, p) if isinstance(p, int) else None
        if value is not None:
            return View(Literal(value), base.axes)
        return View(self.map("power", View(base.source), View(Literal(p))).source, base.axes)

    def slice(self, source: Register, stretches: Mapping[int, Stretch]) -> Register:
        """A register with only some entries of some of its axes."""
        shape = [
            stretches[axis].count if axis in stretches else size
            for axis, size in enumerate(source.shape)
        ]
        kept = tuple([size for size in shape if size is not None])
        return self.emit("slice", "", [whole(source)], kept, tuple(sorted(stretches.items())))

    def reshape(self, view: View, shape: Shape) -> Register:
        """The entries of a view without broadcast axes under other axes, row by row."""
        before = self.definition(view, "reshape", "") if view.plain else None
        return self.emit("reshape", "", before.operands if before else [view], shape)

    def store(self, view: View, shape: Shape, axis: int, stretch: Stretch) -> Register:
        """A view without δs put at places of one axis, among zeros."""
        return self.emit("store", "", [view], shape, (axis, stretch))

    def dense(self, view: View, shape: Shape) -> View:
        """The view without δs: a diagonal is scattered into zeros."""
        if not view.has_delta:
            return view
        labels, core = diagonal_labels(view)
        return whole(self.emit("scatter", "", [core], shape, labels))

    def full(self, view: View, shape: Shape) -> View:
        """The view with every axis real."""
        view = self.dense(view, shape)
        if None not in view.axes:
            return view
        return whole(self.emit("fill", "", [View(view.source, strip(view.axes))], shape))

    def place(self, base: View, view: View, shape: Shape) -> View:
        """``base``, which has all axes, plus a view with δs."""
        labels, core = diagonal_labels(view)
        return whole(self.emit("place", "", [base, core], shape, labels))


def diagonal_labels(view: View) -> tuple[tuple[int, ...], View]:
    """One label per axis, equal where a δ ties axes, and the core along the distinct labels."""
    number: dict[object, int] = {}
    labels = tuple(
        [
            number.setdefault(("new", k) if a is None else a, len(number))
            for k, a in enumerate(view.axes)
        ]
    )
    axes = [key if isinstance(key, int) and key >= 0 else None for key in number]
    return labels, View(view.source, strip(tuple(axes)))


def strip(axes: tuple[int | None, ...]) -> tuple[int | None, ...]:
    """Axes without leading broadcast ones, which NumPy adds by itself."""
    first = 0
    while first < len(axes) and axes[first] is None:
        first += 1
    return axes[first:]


def plain(value: Number) -> Number:
    if isinstance(value, Fraction) and value.denominator == 1:
        return value.numerator
    return value


def _scalar(view: View) -> View:
    return View(view.source)


def _through(core: View, view: View) -> tuple[int | None, ...]:
    return tuple([a if a is None or a < 0 else core.axes[a] for a in view.axes])

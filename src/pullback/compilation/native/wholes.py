"""Instructions on whole arrays in C: products through BLAS, factorisations through LAPACK."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pullback.compilation.ir import Instruction, Register, View
from pullback.compilation.native.loops import INDICES
from pullback.compilation.native.places import Place, row_major, volume
from pullback.compilation.native.scope import INDENT, Scope
from pullback.compilation.native.spelling import Unspoken
from pullback.compilation.targets.numpy import PRODUCT, SUM, bracketed
from pullback.expressions.sizes import Shape, Size

Temporary = Callable[[str, Size], str]  # a type and a count → the name of a part of the workspace


class ArrayWriter:
    """Adds the statements of one instruction that works on whole arrays."""

    def __init__(self, scope: Scope, temporary: Temporary) -> None:
        self.scope = scope
        self.temporary = temporary

    def write(self, i: Instruction) -> None:
        note = self.scope.note(i.result)
        if note:
            self.scope.say(f"// {note}")
        match i.op:
            case "matmul":
                self._matmul(i)
            case "tensordot":
                self._tensordot(i)
            case "slice":
                self.copy(self.place_of(i.operands[0]).sliced(dict(i.detail)), self.target(i))
            case "item":
                self._item(i)
            case "store":
                self._store(i)
            case "scatter":
                self._scatter(i)
            case "place":
                self._place_on(i)
            case "concatenate":
                self._concatenate(i)
            case _:
                raise Unspoken(i.name or i.op)

    def text(self, size: Size, limit: int = SUM) -> str:
        return bracketed(self.scope.size(size), limit)

    def target(self, i: Instruction) -> Place:
        return self.scope.places[i.result]

    def place_of(self, view: View) -> Place:
        """A view of an array as a place; a broadcast axis does not move."""
        if not isinstance(view.source, Register):
            raise Unspoken("product with a number alone")
        source = self.scope.places[view.source]
        zero = Size.of(0)
        strides = tuple([zero if a is None else source.strides[a] for a in view.axes])
        shape = tuple([Size.of(1) if a is None else source.shape[a] for a in view.axes])
        plain = view.plain and source.contiguous
        return Place(source.name, shape, strides, source.start, plain)

    def pointer(self, place: Place) -> str:
        return place.name + (f" + {self.text(place.start)}" if place.start.terms else "")

    def _item(self, i: Instruction) -> None:
        (source,) = i.sources
        part = self.scope.parts[source][i.detail[0]]
        if i.result.shape:
            self.copy(part, self.target(i))
        else:
            self.scope.say(f"{self.scope.texts[i.result][0]} = *{part.name};")

    # copies

    def copy(self, source: Place, target: Place, sign: str = "=") -> None:
        """Entry by entry; the axes of both are the same."""
        self._each(target.shape, [source, target], lambda s, t: f"{t} {sign} {s};")

    def _each(self, shape: Shape, places: Sequence[Place], statement: Callable[..., str]) -> None:
        scope = self.scope
        names = INDICES[: len(shape)]
        for level, (name, length) in enumerate(zip(names, shape, strict=True)):
            if level == len(shape) - 1:
                scope.say(INDENT * level + "#pragma omp simd")
            head = f"for (int64_t {name} = 0; {name} < {self.text(length)}; ++{name})"
            scope.say(INDENT * level + head)
        entries = []
        for place in places:
            terms = [self.text(place.start)] if place.start.terms else []
            for name, stride in zip(names, place.strides, strict=True):
                if stride.constant == 1:
                    terms.append(name)
                elif stride.terms:
                    terms.append(f"{self.text(stride, PRODUCT)} * {name}")
            entries.append(f"{place.name}[{' + '.join(terms) or '0'}]")
        scope.say(INDENT * len(shape) + statement(*entries))

    def _clear(self, place: Place) -> None:
        count = self.text(volume(place.shape), PRODUCT)
        self.scope.say(f"memset({place.name}, 0, {count} * sizeof(real));")

    def fill(self, view: View, target: Place, sign: str = "=") -> None:
        """An operand, which may be a number, along the last axes of a target."""
        if isinstance(view.source, Register) and view.source.shape:
            source = self.place_of(view)
            lead = len(target.shape) - len(source.shape)
            strides = (Size.of(0),) * lead + source.strides
            self.copy(Place(source.name, target.shape, strides, source.start), target, sign)
            return
        number = self.scope.number(view.source)[0]
        self._each(target.shape, [target], lambda t: f"{t} {sign} {number};")

    def _store(self, i: Instruction) -> None:
        axis, stretch = i.detail
        target = self.target(i)
        self._clear(target)
        self.fill(i.operands[0], target.sliced({axis: stretch}))

    def _diagonal(self, i: Instruction) -> Place:
        """The part of the result where axes with one label run together."""
        target = self.target(i)
        labels = list(dict.fromkeys(i.detail))
        strides, shape = [], []
        for label in labels:
            axes = [k for k, x in enumerate(i.detail) if x == label]
            strides.append(sum([target.strides[k] for k in axes], Size.of(0)))
            shape.append(target.shape[axes[0]])
        return Place(target.name, tuple(shape), tuple(strides), target.start, False)

    def _scatter(self, i: Instruction) -> None:
        self._clear(self.target(i))
        self.fill(i.operands[0], self._diagonal(i))

    def _place_on(self, i: Instruction) -> None:
        self.fill(i.operands[0], self.target(i))
        self.fill(i.operands[1], self._diagonal(i), "+=")

    def _concatenate(self, i: Instruction) -> None:
        (axis,) = i.detail
        target = self.target(i)
        start = target.start
        for view in i.operands:
            length = self.place_of(view).shape[axis]
            shape = tuple([length if k == axis else s for k, s in enumerate(target.shape)])
            self.fill(view, Place(target.name, shape, target.strides, start, False))
            start = start + length * target.strides[axis]

    # products

    def _matrix(self, place: Place) -> tuple[Place, bool, Size]:
        """A place BLAS can read, whether it is transposed, and its leading dimension."""
        *_, row, column = place.strides
        one = Size.of(1)
        if column == one and row.terms:
            return place, False, place.shape[-1] if place.shape[-2] == one else row
        if row == one and column.terms:
            return place, True, column
        return self.gathered(place), False, place.shape[-1]

    def gathered(self, place: Place) -> Place:
        """A copy row by row."""
        name = self.temporary("real", volume(place.shape))
        copy = Place(name, place.shape, row_major(place.shape), Size.of(0))
        self.copy(place, copy)
        return copy

    def _matmul(self, i: Instruction) -> None:
        left, right = (self.place_of(view) for view in i.operands)
        target = self.target(i)
        if len(left.shape) == 1:
            self._matrix_vector(right, True, left, target)
        elif len(right.shape) == 1:
            self._matrix_vector(left, False, right, target)
        else:
            self._product(left, right, target)

    def _matrix_vector(self, matrix: Place, turned: bool, vector: Place, target: Place) -> None:
        if len(matrix.shape) != 2:
            raise Unspoken("product of a vector with a batch of matrices")
        matrix, transposed, leading = self._matrix(matrix)
        rows, columns = (self.text(s) for s in matrix.shape)
        if transposed:
            rows, columns = columns, rows
        word = "1" if transposed != turned else "0"
        (stride,) = vector.strides
        if not stride.at_least(1):
            vector, stride = self.gathered(vector), Size.of(1)
        self.scope.say(
            f"matrix_vector(blas, {word}, {rows}, {columns}, {self.pointer(matrix)}, "
            f"{self.text(leading)}, {self.pointer(vector)}, {self.text(stride)}, "
            f"{self.pointer(target)});"
        )

    def _product(self, left: Place, right: Place, target: Place) -> None:
        """Matrix products along the leading axes."""
        (left, turned, above), (right, across, beside) = map(self._matrix, (left, right))
        *lead, rows, inner = left.shape
        columns = right.shape[-1]
        names = INDICES[: len(lead)]
        for name, length in zip(names, lead, strict=True):
            self.scope.say(f"for (int64_t {name} = 0; {name} < {self.text(length)}; ++{name})")
        pointers = []
        for place in (left, right, target):
            text = self.pointer(place)
            for name, stride in zip(names, place.strides[: len(lead)], strict=True):
                text += f" + {self.text(stride, PRODUCT)} * {name}"
            pointers.append(text)
        self.scope.say(
            INDENT
            * bool(lead)
            + f"matrix_product(blas, {self.text(rows)}, {self.text(columns)}, {self.text(inner)}, "
            f"{pointers[0]}, {self.text(above)}, {int(turned)}, "
            f"{pointers[1]}, {self.text(beside)}, {int(across)}, {pointers[2]});"
        )

    def _tensordot(self, i: Instruction) -> None:
        """A product of matrices whose rows and columns are several axes each."""
        places = []
        for side, (view, axes) in enumerate(zip(i.operands, i.detail, strict=True)):
            place = self.place_of(view)
            if not place.contiguous:
                place = self.gathered(place)
            first = tuple(axes) == tuple(range(len(axes)))
            cut = len(axes) if first else len(view.axes) - len(axes)
            shape = volume(place.shape[:cut]), volume(place.shape[cut:])
            matrix = place.reshaped(shape)
            if first != (side == 1):
                matrix = Place(place.name, shape[::-1], matrix.strides[::-1], place.start)
            places.append(matrix)
        target = self.target(i)
        if not target.shape:
            raise Unspoken("tensordot of everything")
        left, right = places
        self._product(left, right, target.reshaped((left.shape[0], right.shape[1])))

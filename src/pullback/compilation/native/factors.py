"""Functions of matrices in C: factorisations through LAPACK, and what is done with them."""

from __future__ import annotations

from pullback.compilation.ir import Instruction, Register
from pullback.compilation.native.fusing import seen
from pullback.compilation.native.places import Place, at, volume
from pullback.compilation.native.spelling import Unspoken
from pullback.compilation.native.wholes import ArrayWriter
from pullback.expressions.sizes import Shape, Size


class WholeWriter(ArrayWriter):
    """Adds the statements of one instruction that works on whole arrays."""

    def write(self, i: Instruction) -> None:
        match i.op, i.name:
            case "call", "linalg.inv":
                self._inverse(i)
            case ("call", "linalg.cholesky") | ("factor", "cholesky"):
                self._cholesky(i)
            case "call", "linalg.det" | "linalg.slogdet":
                self._determinants(i)
            case "factor", "lu":
                self._lu(i)
            case "solve", _:
                self._solve(i)
            case "inverse", _:
                self._inverse_by(i)
            case "determinant", _:
                self._determinant_by(i)
            case _:
                super().write(i)

    def _fallible(self, call: str) -> None:
        self.scope.say(f"if ({call}) return SINGULAR;")

    def _matrices(self, i: Instruction) -> tuple[str, str, Shape]:
        """How many matrices the first operand has, their side, and its shape."""
        shape = seen(i.operands[0])
        return self.text(volume(shape[:-2])), self.text(shape[-1]), shape

    def _copied(self, i: Instruction, into: str) -> None:
        self.fill(i.operands[0], at(into, seen(i.operands[0])))

    def _as_it_lies(self, i: Instruction) -> str:
        """The first operand row by row: itself, or a copy."""
        place = self.place_of(i.operands[0])
        return self.pointer(place if place.contiguous else self.gathered(place))

    def _results(self, i: Instruction) -> str:
        """Where a determinant goes: a sign and a logarithm, or a value alone."""
        if i.result.kind == "tuple":
            return ", ".join(place.name for place in self.scope.parts[i.result])
        if i.result.shape:
            return f"{self.target(i).name}, NULL"
        return f"&{self.scope.texts[i.result][0]}, NULL"

    def _inverse(self, i: Instruction) -> None:
        count, side, shape = self._matrices(i)
        name = self.target(i).name
        self._copied(i, name)
        pivots = self.temporary("blas_int", shape[-1])
        work = self.temporary("real", 64 * shape[-1])
        self._fallible(f"inverse(blas, {count}, {side}, {name}, {pivots}, {work})")

    def _cholesky(self, i: Instruction) -> None:
        count, side, _ = self._matrices(i)
        name = self.target(i).name
        self._copied(i, name)
        self._fallible(f"cholesky(blas, {count}, {side}, {name})")

    def _determinants(self, i: Instruction) -> None:
        count, side, shape = self._matrices(i)
        copy = self.temporary("real", volume(shape))
        self._copied(i, copy)
        pivots = self.temporary("blas_int", shape[-1])
        self.scope.say(
            f"determinants(blas, {count}, {side}, {copy}, {pivots}, {self._results(i)});"
        )

    # a factorisation that several share

    def _lu(self, i: Instruction) -> None:
        _, side, _ = self._matrices(i)
        factors, pivots = (place.name for place in self.scope.parts[i.result])
        self._copied(i, factors)
        call = f"factorised(blas, {side}, {factors}, {pivots})"
        if i.detail[0]:
            self._fallible(call)
        else:
            self.scope.say(f"{call};")

    def _factors(self, i: Instruction) -> tuple[str, str, Size]:
        """The shared decomposition, its pivots and its side."""
        source = i.operands[0].source
        assert isinstance(source, Register)
        factors, pivots = self.scope.parts[source]
        return factors.name, pivots.name, factors.shape[-1]

    def _solve(self, i: Instruction) -> None:
        (turned,) = i.detail
        target = self.target(i)
        right = self.place_of(i.operands[1])
        matrix = len(right.shape) > 1
        side = target.shape[-2] if matrix else target.shape[-1]
        count = volume(target.shape[:-2]) if matrix else Size.of(1)
        columns = self.text(target.shape[-1]) if matrix else "1"
        if matrix:  # LAPACK wants column after column
            name = self.temporary("real", volume(target.shape))
            flipped = (*target.shape[:-2], target.shape[-1], target.shape[-2])
            self.copy(_flipped(right), at(name, flipped))
        else:
            name = target.name
            self.copy(right, target)
        word, text = int(turned), self.text(side)
        match i.name:
            case "general":
                self._general(i, side, count, columns, name)
            case "lu":
                factors, pivots, _ = self._factors(i)
                self.scope.say(
                    f"solve_by_lu(blas, {word}, {text}, {factors}, {pivots}, {columns}, {name});"
                )
            case "cholesky":
                factor = self._as_it_lies(i)
                self.scope.say(f"solve_by_cholesky(blas, {text}, {factor}, {columns}, {name});")
            case "lower" | "upper":
                low = int(i.name == "lower")
                self._fallible(
                    f"solve_by_triangle(blas, {word}, {low}, {text}, {self._as_it_lies(i)}, "
                    f"{columns}, {name})"
                )
            case _:
                raise Unspoken(i.name)
        if matrix:
            self.copy(_flipped(at(name, flipped)), target)

    def _general(self, i: Instruction, side: Size, count: Size, columns: str, name: str) -> None:
        shape = seen(i.operands[0])
        if volume(shape[:-2]) != count:
            raise Unspoken("solve with a batch on one side")
        copy = self.temporary("real", volume(shape))
        self._copied(i, copy)
        pivots = self.temporary("blas_int", side)
        self._fallible(
            f"solve(blas, {int(i.detail[0])}, {self.text(count)}, {self.text(side)}, {copy}, "
            f"{pivots}, {columns}, {name})"
        )

    def _inverse_by(self, i: Instruction) -> None:
        target = self.target(i)
        side = self.text(target.shape[-1])
        if i.name == "lu":
            factors, pivots, size = self._factors(i)
            work = self.temporary("real", 64 * size)
            self.copy(at(factors, target.shape), target)
            self.scope.say(f"inverse_by_lu(blas, {side}, {target.name}, {pivots}, {work});")
            return
        self._copied(i, target.name)
        if i.name == "cholesky":
            self.scope.say(f"inverse_by_cholesky(blas, {side}, {target.name});")
        else:
            low = int(i.name == "lower")
            self._fallible(f"inverse_of_triangle(blas, {low}, {side}, {target.name})")

    def _determinant_by(self, i: Instruction) -> None:
        if i.name == "lu":
            factors, pivots, size = self._factors(i)
            self.scope.say(
                f"determinant({self.text(size)}, {factors}, {pivots}, {self._results(i)});"
            )
            return
        _, side, _ = self._matrices(i)
        name = self.scope.texts[i.result][0]
        self.scope.say(f"{name} = determinant_by_cholesky({side}, {self._as_it_lies(i)});")


def _flipped(place: Place) -> Place:
    """The last two axes exchanged."""
    *lead, a, b = zip(place.shape, place.strides, strict=True)
    shape, strides = zip(*lead, b, a, strict=True)
    return Place(place.name, shape, strides, place.start, False)

"""Indices, sizes, slices and blocks in text: what stands below a formula or in brackets."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pullback.expressions.sizes import Size
from pullback.notation.applied import size_formula
from pullback.notation.names import Name, ascii_name, latex_name
from pullback.notation.places import Place, Range, block, grid, selection, turned
from pullback.notation.styles import ATOM, POSTFIX, PRODUCT, Style
from pullback.notation.tree import Formula, Index, identity

Written = tuple[str, int]


class Subscripts:
    """The part of the writer that knows indices and places; the rest is in :mod:`.printing`."""

    def __init__(self, style: Style) -> None:
        self.style = style
        self.latex = style.name == "latex"
        self.unicode = style.name == "text"

    def write(self, f: Formula) -> Written:
        """The text of a formula and how tightly it binds."""
        raise NotImplementedError

    def at(self, f: Formula, level: int) -> str:
        """The formula, in parentheses if it binds more loosely than ``level``."""
        raise NotImplementedError

    def _name(self, name: Name) -> str:
        raise NotImplementedError

    # sizes

    def _size(self, size: Size) -> str:
        return self.write(size_formula(size))[0] if self.latex else str(size)

    def _marks(self, sizes: Sequence[Size]) -> str:
        """Sizes as a subscript: in Unicode mn for m·n, or for m and n; other ones in braces."""
        if self.latex:
            return self._subscript([self._size(size) for size in sizes])
        texts = []
        for size in sizes:
            short = all(len(name) == 1 for name in size.names)
            texts.append(str(size).replace("*", "" if short else "·").replace(" ", ""))
        plain = texts[0].isidentifier() or texts[0].isdigit()
        if len(texts) > 1:
            plain = all(len(text) == 1 and text.isalpha() for text in texts)
        return "".join(texts) if plain else f"{{{','.join(texts)}}}"

    # indices

    def _subscript(self, letters: Sequence[str]) -> str:
        if all(len(letter) == 1 for letter in letters):
            return "".join(letters)
        return ",".join(letters) if self.latex else f"{{{','.join(letters)}}}"

    def _index(self, index: Index) -> str:
        if isinstance(index, str):
            return index
        return re.sub(r" ([-+−]) ", r"\1", self.write(index)[0])

    def _indexed(self, f: Formula) -> Written:
        base, letters = f.parts[0], [self._index(index) for index in f.data]
        if not (self.unicode or self.latex):
            return f"{self.at(base, ATOM)}[{','.join(letters)}]", ATOM
        marks = self._subscript(letters)
        if not all(isinstance(index, str) for index in f.data):
            marks = ",".join(letters)
            marks = f"{{{marks}}}" if self.unicode else marks
        if base.op == "atom":
            if self.latex and base.data.latex.endswith("}") and "_{" in base.data.latex:
                return f"{base.data.latex[:-1]},{marks}}}", ATOM
            return self._with_subscript(self._name(base.data), marks), ATOM
        text, level = self.write(base)
        if base.op not in ("function", "diag") or level < ATOM:
            text = f"[{text}]" if self.unicode else rf"\left[{text}\right]"
        return self._with_subscript(text, marks), ATOM

    def _with_subscript(self, text: str, marks: str) -> str:
        return f"{text}_{{{marks}}}" if self.latex else f"{text}_{marks}"

    def _delta(self, f: Formula) -> Written:
        *letters, sign = f.data
        if self.latex:
            return f"{latex_name(sign)}_{{{self._subscript(letters)}}}", ATOM
        if self.unicode:
            return f"{sign}_{self._subscript(letters)}", ATOM
        return f"{ascii_name(sign)}[{','.join(letters)}]", ATOM

    def _bracket(self, f: Formula) -> Written:
        left, right = (self.write(p)[0] for p in f.parts)
        relation = {"=": "=", "≥": r"\ge", "≤": r"\le"}[f.data] if self.latex else f.data
        if not (self.latex or self.unicode):
            relation = {"=": "==", "≥": ">=", "≤": "<="}[f.data]
        text = f"{left} {relation} {right}"
        return rf"\left[{text}\right]" if self.latex else f"[{text}]", ATOM

    def _sigma(self, f: Formula) -> Written:
        letters, sign = f.data
        marks = self._subscript(letters) if self.unicode or self.latex else "_".join(letters)
        if len(f.parts) == 2:
            marks = f"{{{letters[0]}=1}}^{{{self._index(f.parts[1])}}}"
        elif self.latex:
            marks = f"{{{marks}}}"
        if not (self.latex or self.unicode):
            return f"sum_{marks}({self.write(f.parts[0])[0]})", ATOM
        sign = r"\sum" if self.latex else sign
        return f"{sign}_{marks} {self.at(f.parts[0], PRODUCT)}", PRODUCT

    # places

    def _slice(self, f: Formula) -> Written:
        base, places = f.parts[0], f.data
        if base.op == "identity":
            return self._selection(base, places)
        return self._taken(base, places)

    def _taken(self, base: Formula, places: Sequence[Place]) -> Written:
        if base.kind in ("column", "row"):
            places = [places[base.kind == "row"]]
        marks = [self._place(place) for place in places]
        text = self.at(base, ATOM)
        if not (self.latex or self.unicode):
            return f"{text}({', '.join(marks)})", ATOM
        mark = ",".join(marks)
        if self.latex:
            return (f"({text})" if "_" in text and text[0] != "(" else text) + f"_{{{mark}}}", ATOM
        plain = mark.isdigit() and "_" not in text and f"{text}_{mark}" not in self.style.taken
        return f"{text}_{mark}" if plain else f"{text}_{{{mark}}}", ATOM

    def _place(self, place: Place) -> str:
        if place is None:
            return ":"
        if isinstance(place, Size):
            return self._index(size_formula(place))
        stops = [place.first, Size.of(place.step), place.last]
        return ":".join(self._place(s) for s in stops if s != Size.of(1) or s is not stops[1])

    def _selection(self, base: Formula, places: Sequence[Place]) -> Written:
        """Rows or columns of the identity: a unit vector, [0, I], or as a slice."""
        one = next(
            (k for k in (0, 1) if isinstance(places[k], Size) and places[1 - k] is None), None
        )
        if one is not None and self.style.unit:
            at = self._place(places[one])
            braces = not (at.isalnum() or self.latex)  # e_{n+1} is not e_n + 1
            text = self.style.unit.format(f"{{{at}}}" if braces else at)
            return (text, ATOM) if one else (text + self.style.transpose, POSTFIX)
        size, _ = base.data
        for k in (0, 1):
            place = places[k]
            if isinstance(place, Range) and place.step == 1 and places[1 - k] is None:
                one_block = identity(place.count)
                lone = selection(size, place)
                whole = (
                    block(None, one_block, lone) if k == 0 else block(turned(lone), one_block, None)
                )
                if whole is not None:
                    return self._blocks(whole)
        return self._taken(base, places)

    def _blocks(self, f: Formula) -> Written:
        cells = grid(f)
        assert cells is not None
        rows = [[self.write(cell)[0] for cell in row] for row in cells]
        if self.unicode and self.style.zero == "0":
            for r, c in _untold(cells):
                rows[r][c] = self._sized_zero(cells[r][c])
        if self.latex:
            inside = r" \\ ".join(" & ".join(row) for row in rows)
            return rf"\begin{{bmatrix}} {inside} \end{{bmatrix}}", ATOM
        return f"[{'; '.join(', '.join(row) for row in rows)}]", ATOM

    def _sized_zero(self, f: Formula) -> str:
        """Zeros of which nothing else in their row or column of blocks tells the size."""
        sides = [size for size in f.data if size is not None]
        lines = sides if f.kind == "matrix" else sides[f.kind == "row" :][:1]
        text = f"0_{{{','.join(str(size).replace(' ', '') for size in lines)}}}"
        return text + self.style.transpose if f.kind == "row" else text

    def _zero(self, f: Formula) -> Written:
        rows, columns = f.data
        if self.style.zero:
            sides = [self._size(size or Size.of(1)) for size in (rows, columns)]
            return self.style.zero.format(*sides), ATOM
        if f.kind == "matrix":
            return f"matrix(0, {rows}, {columns})", ATOM
        text = f"vector(0, {rows if f.kind == 'column' else columns})"
        return (text, ATOM) if f.kind == "column" else (text + "'", POSTFIX)

    def _called(self, name: str, parts: Sequence[str]) -> Written:
        if self.latex:
            spelled = name.replace("_", r"\_")
            name = rf"\operatorname{{{spelled}}}"
        return f"{name}({', '.join(parts)})", ATOM

    def _reshape(self, f: Formula) -> Written:
        sizes = [self.write(size_formula(size))[0] for size in f.data]
        return self._called("reshape", [self.write(f.parts[0])[0], *sizes])

    def _tril(self, f: Formula) -> Written:
        offset = [] if f.data == Size.of(0) else [self.write(size_formula(f.data))[0]]
        return self._called(f.op, [self.write(f.parts[0])[0], *offset])

    _triu = _tril

    def _khatri(self, f: Formula) -> Written:
        return self._called("khatri_rao", [self.write(part)[0] for part in f.parts])


def _untold(cells: Sequence[Sequence[Formula]]) -> list[tuple[int, int]]:
    """The blocks of zeros that could be read as a single entry."""
    found = []
    aligned = len({len(row) for row in cells}) == 1
    for r, row in enumerate(cells):
        for c, cell in enumerate(row):
            if cell.op != "zero" or None in cell.data:
                continue
            column = [line[c] for line in cells] if aligned else []
            sides = zip(cell.data, (row, column), strict=True)
            told = [size == Size.of(1) or any(f.op != "zero" for f in line) for size, line in sides]
            if not all(told):
                found.append((r, c))
    return found

"""Tables of samples, from CSV and NPZ files: named columns, and what can be wrong with them.

A column is read as numbers only when something asks for it, so that a file may hold notes and
gaps in columns that no model uses. Every fault names the row and the column.
"""

from __future__ import annotations

import csv
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pullback.errors import PullbackError, suggestion

Array = NDArray[Any]
Columns = Sequence[str]  # names, ranges and patterns


@dataclass(frozen=True)
class Table:
    """Columns of one length: numbers or text, each ``(samples, …)``."""

    source: str  # what messages call it
    columns: Mapping[str, Array]
    lines: Sequence[int] = ()  # of a text file: the line at which each row begins

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    @property
    def names(self) -> list[str]:
        return list(self.columns)

    def column(self, name: str) -> Array:
        """The column as it was read; PullbackError if there is none of this name."""
        if name not in self.columns:
            raise PullbackError(
                f"{self.source} has no column {name!r}",
                hint=suggestion(name, self.names, "its columns are"),
            )
        return self.columns[name]

    def numbers(self, name: str) -> Array:
        """The column as finite numbers; PullbackError names the row that holds something else.

        >>> Table("t", {"a": np.array(["1", " 2.5"])}).numbers("a")
        array([1. , 2.5])
        """
        column = self.column(name)
        if column.dtype.kind in "OUS":
            try:
                column = column.astype(np.float64)
            except ValueError:
                self._refuse_first(name, column)
        elif column.dtype.kind in "iub":
            column = column.astype(np.float64)
        elif column.dtype.kind != "f":
            raise PullbackError(
                f"{self.source}: column {name!r} holds {column.dtype.name}, not real numbers"
            )
        finite = np.isfinite(column).reshape(len(column), -1).all(axis=1)
        if not finite.all():
            row = int(np.argmin(finite))
            bad = column[row][~np.isfinite(column[row])] if column.ndim > 1 else column[row]
            value = np.ravel(bad)[0]
            raise PullbackError(
                f"{self.place(row, name)}: {value} is not a finite number", hint=_GAPS
            )
        return column

    def _refuse_first(self, name: str, column: Array) -> None:
        for row, text in enumerate(column):
            try:
                float(text)
            except ValueError:
                shown = (
                    f"{str(text)!r} is not a number"
                    if str(text).strip()
                    else "the value is missing"
                )
                raise PullbackError(f"{self.place(row, name)}: {shown}", hint=_GAPS) from None

    def place(self, row: int, name: str) -> str:
        """Where a value stands, for messages."""
        line = f" (line {self.lines[row]})" if self.lines else ""
        return f"{self.source}, row {row + 1}{line}, column {name!r}"

    def labels(self, name: str) -> Array:
        """The column as class labels: integers if every entry is one, otherwise text.

        Raises PullbackError for a missing label or one that is a fraction.

        >>> Table("t", {"a": np.array(["10", "2"])}).labels("a")
        array([10,  2])
        """
        column = self.column(name)
        if column.ndim != 1:
            raise PullbackError(
                f"{self.source}: column {name!r} has {column.ndim - 1} axes per sample; "
                "a class label is one value"
            )
        if column.dtype.kind in "OUS":
            texts = np.array([str(t).strip() for t in column], dtype=np.str_)
            missing = (texts == "") | (np.char.lower(texts) == "nan")
            if missing.any():
                row = int(np.argmax(missing))
                raise PullbackError(f"{self.place(row, name)}: the label is missing", hint=_GAPS)
            numeric = np.array([bool(_NUMBER.fullmatch(t)) for t in texts])
            if not numeric.any():
                return texts
            if not numeric.all():
                row = int(
                    np.argmin(numeric) if numeric.sum() * 2 >= len(numeric) else np.argmax(numeric)
                )
                raise PullbackError(
                    f"{self.place(row, name)}: {str(texts[row])!r} is "
                    + ("not a number" if not numeric[row] else "a number, where others are text"),
                    hint="labels are all numbers or all text",
                )
            column = texts
        numbers = self.numbers(name) if column.dtype.kind != "U" else column.astype(np.float64)
        whole = numbers == np.round(numbers)
        if not whole.all():
            row = int(np.argmin(whole))
            raise PullbackError(
                f"{self.place(row, name)}: {numbers[row]} is no class label",
                hint="classes are text or whole numbers; for a real target declare the label "
                "a scalar in the program",
            )
        if (np.abs(numbers) >= 2**53).any():  # such labels are names, and floats would merge them
            return column.astype(np.str_)
        return numbers.astype(np.int64)

    def labels_are_text(self, name: str) -> bool:
        """Whether :meth:`labels` gives text and not integers."""
        column = self.column(name)
        return column.dtype.kind in "OUS" and not _NUMBER.fullmatch(str(column[0]).strip())

    def select(self, choice: str | Iterable[str]) -> list[str]:
        """The columns meant by names, ranges ``p0..p63`` and patterns ``p*``, in that order.

        A range counts when both ends are one prefix and a number, and otherwise runs through
        the file from one name to the other. Raises PullbackError for what the table lacks.

        >>> table = Table("t", {n: np.zeros(1) for n in ("age", "p0", "p1", "p2", "y")})
        >>> table.select("p0..p1, age"), table.select("p*")
        (['p0', 'p1', 'age'], ['p0', 'p1', 'p2'])
        """
        parts = [choice] if isinstance(choice, str) else list(choice)
        chosen: list[str] = []
        for part in parts:
            pieces = [part] if part in self.columns else [p.strip() for p in part.split(",")]
            for piece in pieces:
                chosen += self._expand(piece)
        twice = [name for name in chosen if chosen.count(name) > 1]
        if twice:
            raise PullbackError(f"the column {twice[0]!r} is chosen twice in {choice!r}")
        return chosen

    def _expand(self, piece: str) -> list[str]:
        if piece in self.columns:
            return [piece]
        first, dots, last = (part.strip() for part in piece.partition(".."))
        if dots:
            a, b = _COUNTED.fullmatch(first), _COUNTED.fullmatch(last)
            if a and b and a[1] == b[1] and int(a[2]) <= int(b[2]):
                width = len(a[2]) if a[2].startswith("0") else 0
                names = [f"{a[1]}{k:0{width}d}" for k in range(int(a[2]), int(b[2]) + 1)]
                missing = [name for name in names if name not in self.columns]
                if missing:
                    raise PullbackError(
                        f"{self.source} has no column {missing[0]!r}, which {piece!r} asks for",
                        hint=suggestion(missing[0], self.names, "its columns are"),
                    )
                return names
            for end in (first, last):
                self.column(end)
            start, stop = self.names.index(first), self.names.index(last)
            if start > stop:
                raise PullbackError(f"in {self.source}, {last!r} stands before {first!r}")
            return self.names[start : stop + 1]
        found = [n for n in self.names if fnmatchcase(n, piece)] if set(piece) & set("*?[") else []
        if not found:
            self.column(piece)
        return found


def read_table(path: str | Path) -> Table:
    """A CSV file with a header line, or an NPZ file of named arrays with one row per sample.

    Raises PullbackError if the file can't be read, is empty or has rows of unequal length.
    """
    path = Path(path)
    if path.suffix.lower() == ".npz":
        return _read_npz(path)
    return _read_csv(path)


def _read_csv(path: Path) -> Table:
    rows: list[list[str]] = []
    lines: list[int] = []
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, strict=True)
            header = [name.strip() for name in next(reader, [])]
            begin = reader.line_num + 1
            for row in reader:
                if row:  # blank lines are no rows
                    rows.append(row)
                    lines.append(begin)
                begin = reader.line_num + 1
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise PullbackError(f"cannot read {path}: {_reason(error)}") from error
    if not header:
        raise PullbackError(
            f"{path} is empty", hint="the first line names the columns, each other line is a sample"
        )
    for position, name in enumerate(header, 1):
        if not name:
            raise PullbackError(f"{path}: column {position} of the header has no name")
        if header.count(name) > 1:
            raise PullbackError(f"{path}: the header names the column {name!r} twice")
    for number, (row, line) in enumerate(zip(rows, lines, strict=True), 1):
        if len(row) != len(header):
            last = header[min(len(row), len(header)) - 1]
            raise PullbackError(
                f"{path}, row {number} (line {line}): {len(row)} values for {len(header)} columns"
                + (f"; the last is in column {last!r}" if len(row) < len(header) else ""),
                hint="a value that holds a comma stands in double quotes",
            )
    if not rows:
        raise PullbackError(f"{path} has a header and no rows")
    body = zip(*rows, strict=True)
    columns = {n: np.array(c, dtype=object) for n, c in zip(header, body, strict=True)}
    return Table(str(path), columns, lines)


def _read_npz(path: Path) -> Table:
    try:
        stored: Any = np.load(path, allow_pickle=False)
        if isinstance(stored, np.ndarray):
            raise PullbackError(f"{path} holds one unnamed array", hint="store it with np.savez")
        with stored:
            columns = {name: stored[name] for name in stored.files}
    except (OSError, ValueError, zipfile.BadZipFile, EOFError) as error:
        raise PullbackError(f"cannot read {path}: {_reason(error)}") from error
    return table_of(columns, str(path))


def table_of(columns: Mapping[str, Any], source: str = "the data") -> Table:
    """Arrays in memory as a table; PullbackError if their first axes disagree.

    >>> len(table_of({"x": [[1, 2], [3, 4], [5, 6]], "y": [0, 1, 1]}))
    3
    """
    arrays = {name: np.asarray(column) for name, column in columns.items()}
    if not arrays:
        raise PullbackError(f"{source} holds no arrays")
    first, count = "", -1
    for name, array in arrays.items():
        if array.ndim == 0:
            raise PullbackError(f"{source}: the array {name!r} is a single number, not samples")
        if count >= 0 and len(array) != count:
            raise PullbackError(
                f"{source}: {first!r} has {count} samples and {name!r} has {len(array)}",
                hint="the first axis of every array counts the samples",
            )
        first, count = (name, len(array)) if count < 0 else (first, count)
    if count == 0:
        raise PullbackError(f"{source} has no samples")
    return Table(source, arrays)


Data = Table | str | Path | Mapping[str, Any]


def as_table(data: Data) -> Table:
    """A file, a table or arrays by name, as a table."""
    if isinstance(data, Table):
        return data
    return read_table(data) if isinstance(data, str | Path) else table_of(data)


_COUNTED = re.compile(r"(.*?)(\d+)")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_GAPS = "fill or drop such rows first; nothing was written"


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8 text"
    if "pickle" in str(error).lower():
        return "it is not an NPZ file of plain arrays"
    return str(error)

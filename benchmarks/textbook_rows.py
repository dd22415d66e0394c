"""The derivatives that books, courses and papers print, read from the tables in textbook/.

A line of a table is ``function | by | the book's answer | (number) name | declarations``, of which
the last two may be left out; a line ``given …`` declares for the lines below it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """``answer`` is the book's, in the text language; ``declared`` is put before both texts.

    A function may have named lines, ``p = sigmoid(X*w); …``, and the answer may use them.
    """

    function: str
    wrt: str
    answer: str
    declared: str
    name: str = ""

    @property
    def title(self) -> str:
        formula = f"∂ {self.function} / ∂{self.wrt.replace(',', '∂')}"
        if not self.name or self.name.endswith(")"):
            return f"{self.name} {formula}".lstrip()
        return self.name

    @property
    def named_lines(self) -> list[str]:
        return self.function.split("; ")[:-1]


def read(path: Path) -> tuple[Row, ...]:
    """The rows of one table."""
    rows = []
    given = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("given "):
            given = line.removeprefix("given ")
        elif line and not line.startswith("#"):
            function, by, answer, *more = [field.strip() for field in line.split("|")]
            name, declared = [*more, "", ""][:2]
            rows.append(Row(function, by, answer, declared or given, name))
    return tuple(rows)


TABLES = {
    path.stem: read(path) for path in sorted((Path(__file__).parent / "textbook").glob("*.txt"))
}
ROWS = tuple(row for rows in TABLES.values() for row in rows)

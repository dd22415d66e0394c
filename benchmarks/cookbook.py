"""The derivatives that books list: are ours right, how long are they, how long do they take?

Run: python benchmarks/cookbook.py [--all] [--sympy] [a table or part of a title …]

Each row of the tables in textbook/ is derived, certified against differences of the function, and
compared by value with the book's answer, which is parsed from its own text. Length is the number
of names, numbers, functions and operators of the text, ours over the book's.
"""

from __future__ import annotations

import re
import sys
import time
from dataclasses import dataclass
from statistics import median

from textbook_rows import TABLES, Row

from pullback.derivation.derive import derive
from pullback.errors import PullbackError
from pullback.expressions import Node
from pullback.expressions import constructors as make
from pullback.language.parse import parse_program
from pullback.notation.equations import equation
from pullback.verification.certificate import Certificate, certify, check_values

TOKEN = re.compile(r"[^\W\d]\w*|\d+\.?\d*|\.\*|\./|\.\^|[-+*/^']")


def length(text: str) -> int:
    """The number of names, numbers, functions and operators of a formula in ASCII text.

    An inverse counts as an operator and its operand however it is written.

    >>> length("2*A'*(A*x - b)"), length("inv(X)'*a"), length("(X^-1)'*a")
    (9, 5, 5)
    """
    text = re.sub(r"(vector|matrix|eye)\([^)]*\)", "ones", text)
    return len(TOKEN.findall(re.sub(r"\^\(?-1\)?", "'", text)))


@dataclass(frozen=True)
class Outcome:
    """One row of the table, measured."""

    row: Row
    text: str  # our answer, or the message of an error
    right: bool
    certified: Certificate | None = None
    ratio: float = float("nan")
    seconds: float = float("nan")

    def __str__(self) -> str:
        mark = "right" if self.right else "WRONG"
        return f"{mark}  {self.ratio:5.2f}  {1e3 * self.seconds:6.1f} ms  {self.row.title}\n       {self.text}"


def measure(row: Row, points: int = 3) -> Outcome:
    """Derive, print, certify and compare one row, at so many points."""
    head = row.declared.replace("; ", "\n") + "\n"
    try:
        program = parse_program(head + row.function.replace("; ", "\n"))
        book = parse_program("\n".join([head, *row.named_lines, row.answer])).result
        start = time.process_time()
        derivation = derive(program, row.wrt.split(","))
        equation(derivation, named=True)
        seconds = time.process_time() - start
        text = equation(derivation, ascii=True, named=True).partition(" = ")[2]
    except PullbackError as error:
        return Outcome(row, str(error), False)
    if book.order < derivation.node.order:  # a number stands for a tensor full of it
        book = make.broadcast(book, derivation.shape)
    right = same(derivation.node, book, points)
    return Outcome(
        row, text, right, certify(derivation, points), length(text) / length(row.answer), seconds
    )


def same(ours: Node, book: Node, points: int) -> bool:
    return check_values(ours, book, points).passed and check_values(book, ours, points).passed


def report(outcomes: list[Outcome]) -> str:
    """The figures, the ten longest, and what is wrong."""
    ratios = sorted(o.ratio for o in outcomes if o.right)
    times = sorted(o.seconds for o in outcomes if o.right)
    uncertified = [o for o in outcomes if o.certified is not None and not o.certified]
    lines = [
        f"{len(outcomes)} rows, {sum(o.right for o in outcomes)} right, {len(uncertified)} not certified",
        f"length over the book's: median {median(ratios):.2f}, worst {ratios[-1]:.2f}",
        f"{sum(r <= 1 for r in ratios)} are no longer, {sum(r > 1.2 for r in ratios)} above 1.2",
        f"derive and print: median {1e3 * median(times):.2f} ms, worst {1e3 * times[-1]:.1f} ms",
        "",
        "the longest against the book:",
    ]
    longest = sorted((o for o in outcomes if o.right), key=lambda o: -o.ratio)
    lines += [f"{o}\n       book: {o.row.answer}" for o in longest[:10] if o.ratio > 1]
    wrong = [o for o in outcomes if not o.right]
    lines += ["", "wrong or refused:", *map(str, wrong)] if wrong else []
    lines += [f"not certified: {o.row.title}: {o.certified}" for o in uncertified]
    return "\n".join(lines)


if __name__ == "__main__":
    words = [word for word in sys.argv[1:] if not word.startswith("-")]
    rows = [
        row
        for table, rows in TABLES.items()
        for row in rows
        if not words or any(word == table or word in row.title for word in words)
    ]
    outcomes = [measure(row) for row in rows]
    if "--all" in sys.argv or words:
        print("\n".join(map(str, outcomes)), "\n")
    print(report(outcomes))
    if "--sympy" in sys.argv:
        from cookbook_sympy import answer

        answers = [(row, *answer(row)) for row in rows]
        print("\nSymPy, in either layout:")
        for said in ("right", "wrong", "none"):
            found = [(row, seconds) for row, kind, seconds in answers if kind == said]
            times = [1e3 * seconds for _, seconds in found if said != "none"]
            took = f", median {median(times):.0f} ms, worst {max(times):.0f} ms" if times else ""
            print(f"{said}: {len(found)}{took}")
            if said == "wrong":
                print("\n".join(f"    {row.title}" for row, _ in found))

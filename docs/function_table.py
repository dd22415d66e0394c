"""The table of all functions, in Markdown, read from the catalogue."""

from __future__ import annotations

from pullback.api import derivative, differential, parse
from pullback.errors import PullbackError
from pullback.functions.catalogue import FAMILIES
from pullback.functions.record import Definition, Function, Record

HEADER = "| typed | meaning | derivative or differential | defined for |\n|---|---|---|---|\n"
LONGEST = 60  # a formula that is longer is no help in a table


def table() -> str:
    """A section for every family, with a row for each function that a user can type."""
    sections, told = [], set()
    for family in FAMILIES:
        records = [r for r in vars(family).values() if isinstance(r, Function | Definition)]
        new = {r.name: r for r in records if r.name not in told}
        told |= new.keys()
        title = (family.__doc__ or "").splitlines()[0].rstrip(".")
        if new:
            rows = "".join(map(row, new.values()))
            sections.append(f"## {title}\n\n{HEADER}{rows}")
    return "\n".join(sections)


def row(record: Record) -> str:
    """One function: how it is typed, what it means, its derivative, where it is defined."""
    typed = ", ".join(f"`{name}`" for name in (call(record), *record.aliases))
    convention = escaped(getattr(record, "convention", ""))
    meaning = escaped(record.doc) + (f" *{convention}*" if convention else "")
    domains = dict.fromkeys(d.name for d in getattr(record, "domain", ()))
    where = "; ".join(name for name in domains if name != "real numbers")
    return f"| {typed} | {meaning} | {change(record)} | {escaped(where)} |\n"


def arguments_of(record: Record) -> list[str]:
    """Names for its arguments: x, or X for a matrix, and a, b, c where there are several."""
    if isinstance(record, Definition):
        return list(record.parameters)
    cores = record.signature.arguments
    letters = "abc" if len(cores) > 1 else "x"
    return [c.upper() if len(core) > 1 else c for c, core in zip(letters, cores, strict=False)]


def call(record: Record) -> str:
    """How it is typed."""
    names = arguments_of(record)
    return f"{record.name}({', '.join(names)})" if names else record.name


def change(record: Record) -> str:
    """f′ of one number, the gradient of a scalar, else the differential by the first argument."""
    names = [name.partition("=")[0] for name in arguments_of(record)]
    if not names:
        return ""
    for shapes in (dict.fromkeys(names, ()) if of_numbers(record) else None, None):
        try:
            f = parse(f"{record.name}({', '.join(names)})", shapes=shapes)
            text = str(differential(f, names[0]) if f.shape else derivative(f, names[0]))
        except PullbackError:
            continue
        return "" if "\n" in text or len(text) > LONGEST else f"`{escaped(text)}`"
    return ""


def of_numbers(record: Record) -> bool:
    """Whether it can be shown at single numbers, being one of them entry by entry."""
    if isinstance(record, Definition):
        return record.result == "same" and not record.reduction
    return record.elementwise


def escaped(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    print(table())

"""Every function of the catalogue can be written in every notation and style."""

import pytest

from pullback.expressions import constructors as make
from pullback.functions.catalogue import CATALOGUE
from pullback.functions.record import Function
from pullback.notation.names import Names
from pullback.notation.write import write

FUNCTIONS = [record for record in CATALOGUE.values() if isinstance(record, Function)]
STYLES = [
    {"style": "text"},
    {"style": "text", "ascii": True},
    {"style": "latex"},
    {"form": "index"},
    {"form": "index", "ascii": True},
    {"form": "index", "style": "latex"},
    {"form": "vec"},
]


@pytest.mark.parametrize("record", FUNCTIONS, ids=lambda record: record.name)
def test_function_is_written(record):
    core = [["n" for _ in axes] for axes in record.signature.arguments]
    shapes = [["n"] if record.elementwise else sizes for sizes in core]
    arguments = [make.variable(f"x{k + 5}", sizes) for k, sizes in enumerate(shapes)]
    node = record.apply(arguments)
    for options in STYLES:
        text = write(node, Names({}), **options)
        assert all(text.count(a) == text.count(b) for a, b in ("()", "[]", "{}")), text
        assert "{0}" not in text and "{1}" not in text
        latex = options.get("style") == "latex"
        assert latex or "\\" not in text
        assert text.isascii() or not (latex or options.get("ascii")), text
        names = [f"x_{{{k + 5}" if latex else f"x{k + 5}" for k in range(len(arguments))]
        assert all(name in text for name in names), text

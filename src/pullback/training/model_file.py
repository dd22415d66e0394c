"""The model file: settings between two lines ``+++``, then the program.

    +++
    inputs = { x = "p0..p63" }      # columns of the data, by variable
    label  = { y = "digit" }
    sizes  = { m = 128 }
    rate   = 0.2
    epochs = 40
    +++
    f = U*x + b
    …
    L = cross_entropy(p, y)

The settings are TOML (https://toml.io) and are those of
:class:`pullback.training.settings.Settings`; a file without the block is a program alone.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pullback.errors import Place, PullbackError
from pullback.expressions import Program
from pullback.language.parse import parse_program
from pullback.training.settings import Settings

FENCE = "+++"


@dataclass(frozen=True)
class Model:
    """A program as text, the settings, and what messages call it.

    ``program_text`` keeps the lines of the settings as empty lines, so that a message counts
    lines as the file does.
    """

    program_text: str
    settings: Settings
    source: str = "the model"

    def with_options(self, **options: Any) -> Model:
        """The model with settings replaced; see :meth:`Settings.with_options`."""
        return replace(self, settings=self.settings.with_options(**options))

    def program(self) -> Program:
        """The program of one sample. Raises PullbackError with the place in the file."""
        shapes = {name: shape_from(name, text) for name, text in self.settings.shapes.items()}
        return parse_program(
            self.program_text, shapes=shapes or None, assume=dict(self.settings.assume) or None
        )


def shape_from(name: str, text: str) -> tuple[int | str, ...]:
    """A declared shape as sizes.

    >>> shape_from("U", "m n"), shape_from("x", "1 n"), shape_from("s", "")
    (('m', 'n'), (1, 'n'), ())
    """
    sizes = re.split(r"[\s,]+", text.strip()) if text.strip() else []
    for size in sizes:
        if not (size.isdigit() or size.isidentifier()):
            raise PullbackError(f"shapes.{name} is {text!r}; it is sizes, such as 'm n' or '3'")
    return tuple(int(size) if size.isdigit() else size for size in sizes)


def read_model(path: str | Path) -> Model:
    """Read a model file. Raises PullbackError with line and caret where it is at fault."""
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise PullbackError(f"cannot read {path}: {(error.strerror or '').lower()}") from error
    except UnicodeDecodeError as error:
        raise PullbackError(f"cannot read {path}: it is not UTF-8 text") from error
    return parse_model(text, str(path))


def parse_model(text: str, source: str = "the model") -> Model:
    """The model of a text.

    >>> model = parse_model('+++\\nrate = 0.5\\n+++\\nL = norm2(x)^2')
    >>> model.settings.rate, model.program_text.strip()
    (0.5, 'L = norm2(x)^2')
    """
    text = text.replace("\r\n", "\n")
    lines = text.split("\n")
    first = next((k for k, line in enumerate(lines) if line.strip()), None)
    if first is None:
        raise PullbackError(f"{source} is empty", hint="write named lines, the last is the loss")
    if lines[first].strip() != FENCE:
        return Model(text, Settings(), source)
    last = next((k for k in range(first + 1, len(lines)) if lines[k].strip() == FENCE), None)
    if last is None:
        start = text.index(FENCE)
        raise PullbackError(
            f"the settings begin with {FENCE} and do not end",
            Place(text, start, start + 3),
            f"put a line {FENCE} between the settings and the program",
        )
    # blank lines in the place of the rest keep the line numbers right
    block = "\n" * (first + 1) + "".join(line + "\n" for line in lines[first + 1 : last])
    body = "\n" * (last + 1) + "\n".join(lines[last + 1 :])
    if not body.strip():
        raise PullbackError(f"{source} holds settings and no program")
    return Model(body, _settings(text, block), source)


def _settings(text: str, block: str) -> Settings:
    try:
        said = tomllib.loads(block)
    except tomllib.TOMLDecodeError as error:
        raise PullbackError(
            f"the settings are not TOML: {_TOML_PLACE.sub('', str(error)).lower()}",
            _toml_place(text, str(error)),
            'write name = value, with text in quotes: inputs = { x = "p0..p63" }',
        ) from error
    settings = Settings()
    for name, value in said.items():
        try:
            settings = settings.with_options(**{name: value})
        except PullbackError as error:
            raise error.at(_key_place(text, block, name)) from None
    return settings


_TOML_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)")


def _toml_place(text: str, message: str) -> Place | None:
    found = _TOML_PLACE.search(message)
    if found is None or found[1] is None:
        return None
    return _place(text, int(found[1]) - 1, int(found[2]) - 1, 1)


def _key_place(text: str, block: str, name: str) -> Place | None:
    """Where a setting stands: ``name = …`` or ``[name]``, at the beginning of a line."""
    written = re.compile(rf"\s*\[?\s*({re.escape(name)})\s*[]=.]")
    for row, line in enumerate(block.split("\n")):
        found = written.match(line)
        if found is not None:
            return _place(text, row, found.start(1), len(name))
    return None


def _place(text: str, row: int, column: int, length: int) -> Place:
    start = sum(len(line) + 1 for line in text.split("\n")[:row]) + column
    return Place(text, start, start + length)

"""Trained parameters on disk: one NPZ file with the model's text, never a pickle."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pullback.errors import PullbackError
from pullback.training.files import writing
from pullback.training.model_file import Model
from pullback.training.samples import Scaling
from pullback.training.settings import Settings

FORMAT_VERSION = 1
Array = NDArray[Any]


@dataclass(frozen=True)
class Saved:
    """What a training leaves: enough to predict, and to say where it came from."""

    model: Model
    parameters: Mapping[str, Array]
    sizes: Mapping[str, int]
    scaling: Mapping[str, Scaling] = field(default_factory=dict)
    classes: tuple[int | str, ...] = ()
    answer: str = ""  # the line that predicts
    summary: Mapping[str, Any] = field(default_factory=dict)  # epochs, losses, scores


def save(saved: Saved, path: str | Path) -> None:
    """Write the file, whole or not at all. Raises PullbackError if it can't be written."""
    header = {
        "program": saved.model.program_text.strip("\n"),
        "source": saved.model.source,
        "settings": saved.model.settings.as_data(),
        "sizes": dict(saved.sizes),
        "classes": list(saved.classes),
        "answer": saved.answer,
        "summary": dict(saved.summary),
    }
    arrays: dict[str, Any] = {
        "format_version": np.array(FORMAT_VERSION),
        "header": np.array(json.dumps(header, ensure_ascii=False, allow_nan=True)),
    }
    for name, value in saved.parameters.items():
        arrays[f"parameter.{name}"] = value
    for name, scaling in saved.scaling.items():
        arrays[f"shift.{name}"] = scaling.shift
        arrays[f"divisor.{name}"] = scaling.divisor
    with writing(path) as file:
        np.savez(file, **arrays)


def load(path: str | Path) -> Saved:
    """Read what :func:`save` wrote. Raises PullbackError for any other file."""
    try:
        stored: Any = np.load(Path(path), allow_pickle=False)
        if not isinstance(stored, np.lib.npyio.NpzFile) or "format_version" not in stored.files:
            raise PullbackError(f"{path} does not hold saved parameters")
        with stored:
            arrays = {name: stored[name] for name in stored.files}
        version = int(arrays.pop("format_version"))
        if version > FORMAT_VERSION:
            raise PullbackError(
                f"{path} has format {version}; this version of Pullback reads up to {FORMAT_VERSION}",
                hint="update Pullback",
            )
        header = json.loads(str(arrays.pop("header")))
        parts: dict[str, dict[str, Array]] = {"parameter": {}, "shift": {}, "divisor": {}}
        for key, value in arrays.items():
            kind, _, name = key.partition(".")
            parts[kind][name] = value
        settings = Settings().with_options(**header["settings"])
        return Saved(
            Model(header["program"], settings, header["source"]),
            parts["parameter"],
            header["sizes"],
            {
                name: Scaling(parts["shift"][name], parts["divisor"][name])
                for name in parts["shift"]
            },
            tuple(header["classes"]),
            header["answer"],
            header["summary"],
        )
    except OSError as error:
        raise PullbackError(
            f"cannot read {path}: {(error.strerror or str(error)).lower()}"
        ) from error
    except (ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise PullbackError(f"{path} does not hold saved parameters, or is damaged") from error

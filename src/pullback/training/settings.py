"""The settings of a training: one name each, whether in a model file or as an option."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from pullback.errors import PullbackError, suggestion
from pullback.training.initialisers import INITIALISERS
from pullback.training.optimisers import OPTIMISERS, USUAL_RATE, Optimiser
from pullback.training.schedules import SCHEDULES, Schedule, warm_up

Names = tuple[str, ...]


@dataclass(frozen=True)
class Settings:
    """What a model file may say above its formulas; None is "not said".

    The first group says what the data are, the second how to train.
    """

    inputs: Mapping[str, Names] = field(default_factory=dict)  # variable → its columns
    label: Mapping[str, Names] = field(default_factory=dict)
    scale: Mapping[str, float | str] = field(default_factory=dict)  # divisor, or "standard"
    sizes: Mapping[str, int] = field(default_factory=dict)
    constants: Mapping[str, Any] = field(default_factory=dict)  # variables that are not trained
    shapes: Mapping[str, str] = field(default_factory=dict)
    assume: Mapping[str, str] = field(default_factory=dict)
    predict: str | None = None  # the line that answers

    optimiser: str = "momentum"
    rate: float | None = None
    momentum: float | None = None
    beta1: float | None = None
    beta2: float | None = None
    smoothing: float | None = None
    epsilon: float | None = None
    weight_decay: float | None = None
    schedule: str = "constant"
    decay: float | None = None
    factor: float | None = None
    every: float | None = None
    final: float | None = None
    warm_up: float = 0.0  # epochs
    clip: float | None = None
    epochs: int = 50
    batch: int = 32
    patience: int = 0  # epochs without a better held-out loss; 0 trains to the end
    held_out: float = 0.2
    seed: int = 0
    precision: str = "double"
    init: Mapping[str, str | float] = field(default_factory=dict)  # "" stands for the matrices

    def with_options(self, **options: Any) -> Settings:
        """These settings with others in their place; an option that is None changes nothing.

        Raises PullbackError for an unknown name or a value that does not fit.

        >>> Settings().with_options(inputs="x = p0..p3, age", rate=0.1).inputs
        {'x': ('p0..p3', 'age')}
        """
        changed = {}
        for name, value in options.items():
            if name not in _READERS:
                raise PullbackError(
                    f"unknown setting {name!r}", hint=suggestion(name, _READERS, "settings are")
                )
            if value is not None:
                changed[name] = _READERS[name](name, value)
        return replace(self, **changed)

    def as_data(self) -> dict[str, Any]:
        """The settings that were said, as plain data that ``with_options`` takes back."""
        default = Settings()
        said = {f.name: getattr(self, f.name) for f in fields(self)}
        return {
            name: _plain(value) for name, value in said.items() if value != getattr(default, name)
        }

    def make_optimiser(self) -> Optimiser:
        """The optimiser; PullbackError if a setting was given that it does not have."""
        given = ("momentum", "beta1", "beta2", "smoothing", "epsilon", "weight_decay")
        optimiser: Optimiser = _call(
            self, OPTIMISERS[self.optimiser], given, f"optimiser {self.optimiser!r}"
        )
        return optimiser

    def make_schedule(self) -> Schedule:
        """The learning rate over time; PullbackError if a setting was given that it does not have."""
        rate = USUAL_RATE[self.optimiser] if self.rate is None else self.rate
        given = ("decay", "factor", "every", "final")
        factory = SCHEDULES[self.schedule]
        more = {"epochs": self.epochs} if "epochs" in inspect.signature(factory).parameters else {}
        schedule = _call(self, factory, given, f"schedule {self.schedule!r}", rate=rate, **more)
        return warm_up(schedule, self.warm_up)


def _call(
    settings: Settings, factory: Callable[..., Any], names: Names, owner: str, **more: Any
) -> Any:
    takes = inspect.signature(factory).parameters
    given = {n: getattr(settings, n) for n in names if getattr(settings, n) is not None}
    for name in given:
        if name not in takes:
            known = [n for n in names if n in takes]
            raise PullbackError(
                f"the {owner} has no setting {name!r}",
                hint=f"it has {', '.join(known)}" if known else "it has none",
            )
    return factory(**given, **more)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in value.items()}
    return list(value) if isinstance(value, tuple) else value


# How the value of each setting is read; each reader gets the setting's name for its messages.

Reader = Callable[[str, Any], Any]


def _number(
    least: float | None = None, *, above: float | None = None, below: float | None = None
) -> Reader:
    """A finite number, at least ``least``, more than ``above`` and less than ``below``."""
    limits = [("at least", least), ("more than", above), ("less than", below)]
    wanted = " and ".join(f"{word} {limit:g}" for word, limit in limits if limit is not None)

    def read(name: str, value: Any) -> float:
        try:
            if isinstance(value, bool | list | tuple | Mapping):
                raise TypeError
            number = float(value)
        except (TypeError, ValueError):
            raise PullbackError(f"{name} is {value!r}; it must be a number") from None
        if (
            not math.isfinite(number)
            or (least is not None and number < least)
            or (above is not None and number <= above)
            or (below is not None and number >= below)
        ):
            raise PullbackError(f"{name} is {value}; it must be {wanted or 'finite'}")
        return number

    return read


def _whole(least: int) -> Reader:
    def read(name: str, value: Any) -> int:
        number = _number(least)(name, value)
        if number != int(number):
            raise PullbackError(f"{name} is {value}; it must be a whole number")
        return int(number)

    return read


def _one_of(known: Mapping[str, Any] | Names) -> Reader:
    def read(name: str, value: Any) -> str:
        if value not in known:
            raise PullbackError(
                f"{name} is {value!r}, which is unknown",
                hint=suggestion(str(value), known, "known:"),
            )
        return str(value)

    return read


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise PullbackError(f"{name} is {value!r}; it is a name")
    return value.strip()


def _table(read_entry: Reader, alone: str | None = None) -> Reader:
    """A TOML table, a text "a = 1; b = 2", or with ``alone`` one value under that key."""

    def read(name: str, value: Any) -> dict[str, Any]:
        if isinstance(value, str) and "=" in value:
            pairs = [piece.partition("=") for piece in value.split(";") if piece.strip()]
            value = {key.strip(): entry.strip() for key, _, entry in pairs}
        elif not isinstance(value, Mapping) and alone is not None:
            value = {alone: value}
        if not isinstance(value, Mapping):
            raise PullbackError(
                f"{name} is {value!r}", hint=f"write {name} = {{ NAME = … }}, one entry per name"
            )
        return {
            str(key): read_entry(f"{name}.{key}" if key else name, v) for key, v in value.items()
        }

    return read


def _columns(name: str, value: Any) -> Names:
    parts = [value] if isinstance(value, str) else value
    if not isinstance(parts, list | tuple) or not parts or not all(_is_text(p) for p in parts):
        raise PullbackError(f"{name} is {value!r}; it names columns, such as 'p0..p63' or 'age'")
    if isinstance(value, str):
        parts = value.split(",")
    return tuple(part.strip() for part in parts)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _scale(name: str, value: Any) -> float | str:
    if value == "standard":
        return "standard"
    return float(_number(above=0)(name, value))


def _init(name: str, value: Any) -> float | str:
    if isinstance(value, str) and not value.strip().lstrip("+-")[:1].isdigit():
        return str(_one_of(INITIALISERS)(name, value))
    return float(_number()(name, value))


def _array(name: str, value: Any) -> Any:
    """A number or nested lists of numbers."""
    if isinstance(value, list | tuple):
        return [_array(name, entry) for entry in value]
    return _number()(name, value)


_fraction = _number(0, below=1)
_positive = _number(above=0)

_READERS: dict[str, Reader] = {
    "inputs": _table(_columns),
    "label": _table(_columns),
    "scale": _table(_scale, alone=""),
    "sizes": _table(_whole(1)),
    "constants": _table(_array),
    "shapes": _table(lambda name, value: str(value)),
    "assume": _table(lambda name, value: str(value)),
    "predict": _text,
    "optimiser": _one_of(OPTIMISERS),
    "rate": _positive,
    "momentum": _fraction,
    "beta1": _fraction,
    "beta2": _fraction,
    "smoothing": _fraction,
    "epsilon": _positive,
    "weight_decay": _number(0),
    "schedule": _one_of(SCHEDULES),
    "decay": _number(0),
    "factor": _positive,
    "every": _positive,
    "final": _number(0),
    "warm_up": _number(0),
    "clip": _positive,
    "epochs": _whole(1),
    "batch": _whole(1),
    "patience": _whole(0),
    "held_out": _number(0, below=0.9),
    "seed": _whole(0),
    "precision": _one_of(("single", "double")),
    "init": _table(_init, alone=""),
}

"""What the generated charts are about: measures with units and plausible ranges, groups, times.

They stand in TOML files; groups that several subjects share stand there once, under `groups`.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Literal

Unit = Literal["plain", "percent", "dollars", "euros"]


@dataclass(frozen=True)
class Measure:
    """A quantity: values fall between `low` and `high`, rounded to `decimals`."""

    name: str
    unit: str
    low: float
    high: float
    decimals: int = 1
    style: Unit = "plain"
    additive: bool = True
    """Whether parts of it may be stacked: amounts and counts, not means and rates."""

    @property
    def title(self) -> str:
        return f"{self.name} ({self.unit})" if self.unit else self.name

    @property
    def signed(self) -> bool:
        return self.low < 0 < self.high

    @property
    def wide(self) -> bool:
        """Whether it spans powers of ten."""
        return self.low > 0 and self.high / self.low >= 100


@dataclass(frozen=True)
class Groups:
    """A nominal field: its name and the names of its members."""

    name: str
    members: tuple[str, ...]


@dataclass(frozen=True)
class Subject:
    """A field of knowledge from which one chart takes all its words."""

    name: str
    measures: tuple[Measure, ...]
    categories: tuple[Groups, ...]
    series: tuple[Groups, ...]
    steps: tuple[tuple[str, float, float], ...]
    """Continuous axes for lines: title, first and last value."""


def _read(name: str) -> tuple[Subject, ...]:
    content = tomllib.loads((files("inward_charts") / name).read_text(encoding="utf-8"))
    shared = {key: _groups(entry) for key, entry in content["groups"].items()}

    def fields(entries: list[Any]) -> tuple[Groups, ...]:
        return tuple(shared[e] if isinstance(e, str) else _groups(e) for e in entries)

    return tuple(
        Subject(
            entry["name"],
            tuple(Measure(**measure) for measure in entry["measures"]),
            fields(entry["categories"]),
            fields(entry["series"]),
            tuple((step["title"], step["first"], step["last"]) for step in entry["steps"]),
        )
        for entry in content["subjects"]
    )


def _groups(entry: dict[str, Any]) -> Groups:
    return Groups(entry["name"], tuple(entry["members"]))


SUBJECTS: tuple[Subject, ...] = _read("subjects.toml")
PAPER_SUBJECTS: tuple[Subject, ...] = _read("subjects_paper.toml")
"""Of the paper family: measures over powers of ten or of both signs, short names."""

"""The environments that `retrieval-report` can measure: each brings its own loader, so that what is
measured is the text that its policies search.

A package names its loader by an entry point of the group `inward.retrieval_report`; the name is the
environment's id.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from inward_retrieval.recall import ChoiceQuestion

GROUP = "inward.retrieval_report"

Source = tuple[Mapping[str, str], Sequence[ChoiceQuestion]]
"""Documents by id, and questions on them."""
Loader = Callable[[str | None, Path | None], Source]
"""(split, file) -> source. None, None: what the environment ships. ValueError, in one line, for
data that cannot be had."""


def installed() -> dict[str, EntryPoint]:
    """Environment id -> entry point."""
    return {point.name: point for point in entry_points(group=GROUP)}


def load(env: str, split: str | None, path: Path | None) -> Source:
    """What the environment `env` searches. ValueError where no such environment is installed."""
    points = installed()
    point = points.get(env.replace("_", "-").lower())
    if point is None:
        known = ", ".join(sorted(points)) or "none"
        mend = f": give the file as ENV --path {env}" if Path(env).is_file() else ""
        raise ValueError(f"no environment {env!r} with documents to search{mend} (ENV: {known})")
    loader: Loader = point.load()
    return loader(split, path)

"""The folders that a report reads, line by line: a run of verifiers, or prime-rl's training output.

    RUN/traces.jsonl                                        an evaluation, one section
    RUN/metrics.jsonl                                       what the trainer and orchestrator logged
    RUN/rollouts/step_N/{train,eval}/{all,effective}/traces.jsonl  a section per step and kind

The second layout is that of prime-rl's file monitor. Its `effective` traces are among those of
`all`, and are read only where that file is missing.

No file is held in memory: lines come one at a time with their place, and a line is read again by
that. A line that is no episode, or longer than `MAX_LINE`, is counted and named.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import verifiers.v1 as vf
from inward_chat.verifiers_compat import TRACES_FILE

from inward.errors import UserError
from inward.training_runs import Work, is_training, of_step, steps_so_far

METRICS_FILE = "metrics.jsonl"
MAX_LINE = 256 << 20
"""Bytes of one line: more is no episode that a report could show."""
WORK: tuple[Work, ...] = ("train", "eval")
TENSORS = (
    "token_ids", "mask", "is_content", "logprobs", "advantages", "reference_logprobs",
    "trainer_logprobs", "entropies", "loss_weights", "routed_experts", "sampling_mask",
    "multi_modal_data", "mm_kwargs",
)  # fmt: skip
"""Of a message's node: nothing in a summary is counted by them, and they are most of a file."""
Tick = Callable[[int], None]
"""Told of bytes that were read."""


@dataclass(frozen=True)
class Section:
    """The rollouts that are summarised together: a whole evaluation, or one step of a training."""

    file: Path
    step: int | None = None
    """None for an evaluation."""
    kind: str = "eval"
    """`train` or `eval`."""

    @property
    def label(self) -> str:
        return "" if self.step is None else f"step {self.step} {self.kind}"


@dataclass(frozen=True)
class Source:
    """One folder that the report shows."""

    folder: Path
    sections: list[Section]
    metrics: Path | None = None
    """prime-rl's log of metrics."""

    @property
    def training(self) -> bool:
        return self.metrics is not None or any(s.step is not None for s in self.sections)

    @property
    def size(self) -> int:
        return sum(section.file.stat().st_size for section in self.sections)


@dataclass(frozen=True)
class Place:
    """Where the line of an episode stands."""

    file: Path
    offset: int
    number: int
    """From 1."""


@dataclass
class Broken:
    """Lines that are no episode: `FILE:LINE`, as many as are named, and how many there are."""

    count: int = 0
    named: list[str] = field(default_factory=list)

    def add(self, file: Path, number: int) -> None:
        self.count += 1
        if len(self.named) < 20:
            self.named.append(f"{file}:{number}")


def find(folder: Path) -> Source:
    """Raises `UserError` where `folder` holds neither layout."""
    if not folder.is_dir():
        raise UserError(f"no folder {str(folder)!r}: name a run directory")
    metrics = folder / METRICS_FILE
    found = metrics if metrics.is_file() else None
    if (folder / TRACES_FILE).is_file():
        return Source(folder, [Section(folder / TRACES_FILE)])
    sections = _steps(folder)
    if not sections and found is None:
        raise UserError(
            f"{str(folder)!r} is no run directory: it holds neither {TRACES_FILE}, nor"
            f" {METRICS_FILE} or rollouts/step_N of prime-rl"
        )
    return Source(folder, sections, found)


def _steps(folder: Path) -> list[Section]:
    if not is_training(folder):
        return []
    found: list[Section] = []
    for step, place in steps_so_far(folder).items():
        for kind in WORK:
            traces = of_step(place, kind) or of_step(place, kind, "effective")
            if traces is not None:
                found.append(Section(traces / TRACES_FILE, step, kind))
    return found


def episodes(
    section: Section, broken: Broken, tick: Tick = lambda size: None
) -> Iterator[tuple[Place, vf.WireEpisode]]:
    """Every episode with its place, without the tensors of its tokens."""
    for place, line in _lines(section.file, broken, tick):
        found = parsed(line)
        if found is None:
            broken.add(section.file, place.number)
        else:
            yield place, found


def parsed(line: bytes) -> vf.WireEpisode | None:
    """None for a line that is no episode."""
    try:
        return vf.WireEpisode.model_validate(_without_tensors(json.loads(line)))
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None


def read_again(file: IO[bytes], place: Place) -> bytes:
    """The line of an episode that was read before."""
    file.seek(place.offset)
    return file.readline(MAX_LINE)


def _without_tensors(record: dict[str, Any]) -> dict[str, Any]:
    for trace in record.get("traces") or ():
        for node in trace.get("nodes") or ():
            for name in TENSORS:
                node.pop(name, None)
    return record


def _lines(file: Path, broken: Broken, tick: Tick) -> Iterator[tuple[Place, bytes]]:
    offset = number = 0
    with file.open("rb") as opened:
        while line := opened.readline(MAX_LINE):
            number, start = number + 1, offset
            offset += len(line)
            whole = line.endswith(b"\n") or len(line) < MAX_LINE
            tick(len(line))
            if not whole:
                broken.add(file, number)
                while not line.endswith(b"\n") and (line := opened.readline(MAX_LINE)):
                    offset += len(line)
                    tick(len(line))
            elif line.strip():
                yield Place(file, start, number), line


def metric_rows(file: Path, broken: Broken) -> Iterator[dict[str, Any]]:
    """The rows of a log of metrics that have a step."""
    for place, line in _lines(file, broken, lambda size: None):
        try:
            row = json.loads(line)
        except ValueError:
            row = None
        if isinstance(row, dict) and isinstance(row.get("step"), int):
            yield row
        else:
            broken.add(file, place.number)

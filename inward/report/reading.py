"""The folders that a report reads, line by line: a run of verifiers, or prime-rl's training output.

    RUN/traces.jsonl                                        an evaluation, one section
    RUN/metrics.jsonl                                       what the trainer and orchestrator logged
    RUN/rollouts/step_N/{train,eval}/{all,effective}/traces.jsonl  a section per step and kind

The second layout is that of prime-rl's file monitor. Every rollout is in `all` as it arrives;
`effective` has those that were trained on once more, perhaps in a later step's folder, with the
advantage that the trainer gave them. Where `all` is missing, `effective` is what is read.

No file is held in memory: lines come one at a time with their place, and a line is read again by
that. A line that is no episode, or longer than `MAX_LINE`, is counted and named.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import verifiers.v1 as vf
from inward_chat.verifiers_compat import TRACES_FILE

from inward.errors import UserError
from inward.measured import is_finite
from inward.training_runs import METRICS_FILE, Work, is_training, of_step, steps_so_far

MAX_LINE = 256 << 20
"""Bytes of one line: more is no episode that a report could show."""
WORK: tuple[Work, ...] = ("train", "eval")
TENSORS = frozenset((
    "token_ids", "mask", "is_content", "logprobs", "advantages", "reference_logprobs",
    "trainer_logprobs", "entropies", "loss_weights", "routed_experts", "sampling_mask",
    "multi_modal_data", "mm_kwargs",
))  # fmt: skip
"""Of a message's node: nothing in a summary is counted by them, and they are most of a file."""
MAX_CONFIGS = 64
"""Of agents that are kept: a run has a few."""
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
    trained: tuple[Path, ...] = ()
    """The files of rollouts that were trained on, of a training."""

    @property
    def training(self) -> bool:
        return self.metrics is not None or any(s.step is not None for s in self.sections)

    @property
    def size(self) -> int:
        files = (*(section.file for section in self.sections), *self.trained)
        return sum(file.stat().st_size for file in files)


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
    places = steps_so_far(folder).values() if sections else ()
    trained = [of_step(place, "train", "effective") for place in places]
    return Source(folder, sections, found, tuple(f / TRACES_FILE for f in trained if f))


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
    section: Section, parse: Parser, broken: Broken, tick: Tick = lambda size: None
) -> Iterator[tuple[Place, Episode]]:
    """Every episode with its place."""
    for place, line in _lines(section.file, broken, tick):
        found = parse(line)
        if found is None:
            broken.add(section.file, place.number)
        else:
            yield place, found


@dataclass(frozen=True)
class Episode:
    """One line of a file."""

    whole: vf.WireEpisode
    """Without the tensors of its tokens."""
    record: dict[str, Any]
    """The line as it stands, tensors and all."""


class Parser:
    """Lines -> episodes. What the traces of a run repeat is validated once: the config of an agent,
    which costs more than all the rest of a trace, and the task of an episode."""

    def __init__(self) -> None:
        self._configs: dict[str, Any] = {}

    def __call__(self, line: bytes) -> Episode | None:
        """None for a line that is no episode."""
        try:
            record = json.loads(line)
            episode = vf.WireEpisode.model_validate({**record, "traces": []})
            episode.traces = [
                self._trace(trace, record, episode) for trace in record.get("traces") or ()
            ]
        except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
            return None
        return Episode(episode, record)

    def _trace(
        self, record: dict[str, Any], of: dict[str, Any], episode: vf.WireEpisode
    ) -> vf.WireTrace:
        agent = record["agent"]
        text = json.dumps(agent["config"])
        config = self._configs.get(text, agent["config"])
        trace = vf.WireTrace.model_validate(
            {
                **record,
                "task": episode.task if record["task"] == of["task"] else record["task"],
                "agent": {**agent, "config": config},
                "nodes": [
                    {name: value for name, value in node.items() if name not in TENSORS}
                    for node in record.get("nodes") or ()
                ],
            }
        )
        if text not in self._configs:
            if len(self._configs) >= MAX_CONFIGS:
                self._configs.clear()
            self._configs[text] = trace.agent.config
        return trace


def trained_on(source: Source, broken: Broken, tick: Tick) -> dict[str, float | None] | None:
    """Id -> advantage of the rollouts that were trained on; None where no file says which.

    prime-rl writes the mean over the tokens that have one into `info`; its `advantages`, token by
    token, are taken where that is missing."""
    if not source.trained:
        return None
    found: dict[str, float | None] = {}
    sections = {section.file for section in source.sections}
    for file in source.trained:
        # Lines of a section are counted where it is read.
        lost = Broken() if file in sections else broken
        for place, line in _lines(file, lost, tick):
            try:
                traces = json.loads(line)["traces"]
                found |= {trace["id"]: _advantage(trace) for trace in traces}
            except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
                lost.add(file, place.number)
    return found


def advantage_of(info: Mapping[str, Any]) -> float | None:
    """What prime-rl's orchestrator writes into the traces that it trained on: the mean over the
    tokens that have an advantage."""
    found: Any = info.get("advantage")
    return float(found) if is_finite(found) else None


def _advantage(trace: dict[str, Any]) -> float | None:
    if (written := advantage_of(trace.get("info") or {})) is not None:
        return written
    tokens = [v for node in trace["nodes"] for v in node.get("advantages") or () if is_finite(v)]
    told = [value for value in tokens if value]
    return statistics.fmean(told) if told else 0.0 if tokens else None


def read_again(file: IO[bytes], place: Place) -> bytes:
    """The line of an episode that was read before."""
    file.seek(place.offset)
    return file.readline(MAX_LINE)


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
        except (ValueError, RecursionError):
            row = None
        # Those of an evaluation have the step as a float.
        step = row.get("step") if isinstance(row, dict) else None
        if is_finite(step) and step == int(step):
            yield {**row, "step": int(step)}
        else:
            broken.add(file, place.number)

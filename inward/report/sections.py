"""A section of a report: the summary of an evaluation, or of one step of a training."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from inward_statistics import clustered_mean, maj_at_k

from inward import eval_plugin, taxonomy
from inward.eval_plugin import EvalPlugin
from inward.floors import Measured, saved
from inward.report.figures import curves, figures
from inward.report.reading import (
    Broken,
    Parser,
    Section,
    Source,
    Tick,
    episodes,
    metric_rows,
    trained_on,
)
from inward.report.rows import Kept, Row, row_of
from inward.report.spool import Spool
from inward.runs import Rollout, Run, place
from inward.summary import Played, as_json, summarise
from inward.trainability import MAX_K, RIGHT, noise_floor

MAX_NAMED = 20
"""Models and broken lines that are named; there are rarely more."""
TRAINED, NOT_TRAINED = "trained on", "not trained on"
"""Flags of a rollout of a training: in a batch; in none, so far."""


@dataclass
class Reading:
    """What was read of one folder."""

    source: Source
    name: str
    rows: list[Row] = field(default_factory=list)
    """Section by section; within one in the order of `inward show`."""
    sections: list[dict[str, Any]] = field(default_factory=list)
    """As JSON: one per step, kind and environment, with what its pictures show."""
    curves: dict[str, list[list[float]]] = field(default_factory=dict)
    more_curves: int = 0
    """That the trainer logged, and the page does not hold."""
    broken: Broken = field(default_factory=Broken)
    files: list[Path] = field(default_factory=list)
    """Of each section."""
    plugins: dict[str, EvalPlugin | None] = field(default_factory=dict)
    """By environment."""


def read(source: Source, name: str, tick: Tick, spool: Spool | None = None) -> Reading:
    """The whole folder; the traces of one section are held at once, without their texts. `spool`:
    takes what the page shows of each rollout, as far as it has room."""
    reading = Reading(source, name)
    trained, parse = trained_on(source, reading.broken, tick), Parser()
    for section in source.sections:
        known = trained if section.kind == "train" else None
        _read_section(reading, section, parse, known, tick, spool)
    if source.metrics is not None:
        found = curves(metric_rows(source.metrics, reading.broken))
        reading.curves, reading.more_curves = found.shown, found.left_out
    return reading


@dataclass
class _Part:
    """The rollouts of one environment in a section."""

    number: int
    """Its place in the reading."""
    kept: Kept = field(default_factory=Kept)
    rollouts: list[tuple[Rollout, Row]] = field(default_factory=list)
    models: Counter[str] = field(default_factory=Counter)


def _read_section(
    reading: Reading,
    section: Section,
    parse: Parser,
    trained: Mapping[str, float | None] | None,
    tick: Tick,
    spool: Spool | None,
) -> None:
    """`trained`: the rollouts that were trained on, and their advantages."""
    # Environments go by the name that a trainer runs them under: it may run one of them twice, and
    # knows nothing but the name of an episode that failed before it began.
    parts: dict[str, _Part] = {}
    broken_before = reading.broken.count
    for line, episode in episodes(section, parse, reading.broken, tick):
        whole = episode.whole
        env_id = whole.env.id
        if env_id not in reading.plugins:
            reading.plugins[env_id] = eval_plugin.find(env_id) if env_id else None
        plugin = reading.plugins[env_id]
        name = whole.env.name or env_id
        if name not in parts:
            parts[name] = _Part(len(reading.sections) + len(parts))
        part = parts[name]
        if whole.traces and part.kept.asked is None:
            part.kept.asked = plugin
        found = [Rollout(whole, trace) for trace in whole.traces]
        for index, rollout in enumerate(found or [Rollout(whole, None)]):
            trace = rollout.trace
            at = index if trace else None
            row = row_of(rollout, line, at, part.number, plugin)
            if trained is not None and trace is not None:
                if trace.id in trained:
                    row.advantage = trained[trace.id]
                row.flags = (*row.flags, TRAINED if trace.id in trained else NOT_TRAINED)
            if spool is not None:
                row.text = spool.add(rollout, episode.record, at, plugin)
            if trace is not None:
                part.models[str(trace.agent.config.model or "")] += 1
            part.rollouts.append((part.kept.keep(rollout), row))
        part.kept.keep_task(whole)
    broken = reading.broken.count - broken_before
    # They were measured on the tasks of this run, which plays one environment.
    measured = saved(section.file.parent) if section.step is None and len(parts) == 1 else None
    if not parts:
        parts = {"": _Part(len(reading.sections))}
    for name, part in parts.items():
        part.rollouts.sort(key=lambda pair: place(pair[0]))
        kinds = taxonomy.kinds([rollout for rollout, _ in part.rollouts], part.kept.plugin)
        for (_, row), kind in zip(part.rollouts, kinds, strict=True):
            row.outcome = kind.value
        reading.files.append(section.file)
        reading.rows += [row for _, row in part.rollouts]
        reading.sections.append(_as_json(name, part, section, measured, broken))


def _as_json(
    environment: str, part: _Part, section: Section, floors: Measured | None, broken: int
) -> dict[str, Any]:
    rows = [row for _, row in part.rollouts]
    models = [name for name, _ in part.models.most_common(MAX_NAMED) if name]
    first, last = _span(rows)
    wall = max(last - first, 0.0)
    plugin = part.kept.plugin
    run = Run([rollout for rollout, _ in part.rollouts], [0] * broken)
    summary = summarise(
        run,
        plugin,
        environment=environment,
        model=", ".join(models),
        traces=section.file,
        played=Played(len(rows), wall),
        floors=floors,
    )
    found = as_json(summary, 0)
    del found["status"], found["traces"], found["versions"]
    found["rollouts"].pop("played_now")
    scored = [row for row in rows if row.status == "scored"]
    # As `Run.scored`: where some seats are frozen, those of the trained ones.
    scored = [row for row in scored if row.trainable] or scored
    counted = [*scored, *(row for row in rows if row.status != "scored")]
    flags = Counter(flag for row in counted for flag in row.flags)
    paid = [(row.reward, row.cluster) for row in scored if row.reward is not None]
    mean = clustered_mean(*map(list, zip(*paid, strict=True))) if paid else None
    return {
        "label": section.label,
        "step": section.step,
        "kind": section.kind,
        **found,
        "rollouts_per_s": len(rows) / wall if wall else None,
        "published": dict(plugin.published) if plugin else {},
        "noise_floor": noise_floor(run.scored, plugin),
        "mean_reward": None if mean is None else mean.value,
        "reward_interval": None if mean is None or math.isnan(mean.low) else [mean.low, mean.high],
        "stops": dict(Counter(row.stop or "none" for row in counted).most_common()),
        "flags": dict(flags.most_common()),
        "maj_at": _maj_at(scored),
        "figures": figures(scored, plugin.chance if plugin else None),
    }


def _maj_at(rows: Sequence[Row]) -> dict[str, float] | None:
    """k -> mean of maj@k over the groups of at least k rollouts; None where the environment does
    not tell answers, a figure is not 0 or 1, or no group has two rollouts."""
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row.reference is not None and row.trainable:
            groups[row.group].append(row)
    if any(row.right not in (0.0, 1.0) for group in groups.values() for row in group):
        return None
    longest = max(map(len, groups.values()), default=0)
    if longest < 2:
        return None
    found = {}
    for k in range(1, min(MAX_K, longest) + 1):
        values = [
            maj_at_k([RIGHT if row.right == 1 else row.answer for row in group], RIGHT, k)
            for group in groups.values()
            if len(group) >= k
        ]
        found[str(k)] = math.fsum(values) / len(values)
    return found


def _span(rows: Sequence[Row]) -> tuple[float, float]:
    """When the first rollout started and the last one ended."""
    timed = [row for row in rows if math.isfinite(row.start)]
    if not timed:
        return 0.0, 0.0
    return min(r.start for r in timed), max(r.start + (r.seconds or 0.0) for r in timed)

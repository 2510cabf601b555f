"""A checkpoint in numbers: its rollouts are read one by one and let go."""

from __future__ import annotations

import statistics
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import verifiers.v1 as vf
from inward_statistics import (
    answer_entropy,
    correlation,
    covariance_of_sums,
    maj_at_k,
    variance_shares,
)

from inward import eval_plugin, runs
from inward.diagnose.reasoning import Sample
from inward.diagnose.tokens import Average, Sums, Tokens
from inward.errors import UserError
from inward.eval_plugin import EvalPlugin
from inward.measured import layer_entropies
from inward.trainability import RIGHT, group_of, has_spread

MIN_VOTERS = 3


@dataclass(frozen=True)
class Entry:
    """What is kept of a scored rollout."""

    reward: float
    parts: Mapping[str, float]
    """Reward -> its weighted value."""
    figure: float | None
    answer: Hashable | None
    tokens: int | None
    sums: Sums | None


@dataclass
class Checkpoint:
    """The figures of one run, or of one step of a training."""

    label: str
    step: int | None
    groups: dict[Hashable, list[Entry]] = field(default_factory=dict)
    tokens: Tokens = field(default_factory=Tokens)
    trained: list[Sums] = field(default_factory=list)
    """Of rollouts whose tokens a trainer gave advantages to."""
    layers: dict[tuple[int, str], Average] = field(default_factory=dict)
    """(layer, `all`, `right` or `wrong`) -> matrix entropy."""
    metrics: Mapping[str, float] = field(default_factory=dict)
    """The trainer's own row."""
    reasoning: Sample | None = None
    """None: no inspector reads it."""
    scored: int = 0
    failed: int = 0
    unreadable: list[int] = field(default_factory=list)

    def read(self, folder: Path, end_of_thinking: int | None) -> None:
        """All rollouts of a folder."""
        plugins: dict[str, EvalPlugin | None] = {}
        for rollout in runs.streamed(folder, self.unreadable):
            trace, env = rollout.trace, rollout.episode.env.id
            if trace is None or not rollout.ok:
                self.failed += 1
                continue
            if not trace.agent.trainable:
                continue
            if env not in plugins:
                plugins[env] = eval_plugin.find(env)
            self.scored += 1
            entry = self._entry(trace, plugins[env], end_of_thinking, folder)
            self.groups.setdefault(group_of(rollout), []).append(entry)
            if self.reasoning is not None:
                self.reasoning.offer(trace, plugins[env], entry.figure)

    def read_trained(self, folder: Path) -> None:
        """The advantages that a trainer gave, and nothing else: those read before are let go."""
        self.trained = []
        for rollout in runs.streamed(folder, []):
            if rollout.trace is not None and rollout.trace.agent.trainable:
                sums = Tokens().add(rollout.trace, None)
                if sums is not None and sums.credited is not None:
                    self.trained.append(sums)

    def _entry(
        self, trace: vf.WireTrace, plugin: EvalPlugin | None, end: int | None, folder: Path
    ) -> Entry:
        headline = plugin.columns[0][1] if plugin and plugin.columns else None
        figure = headline(trace) if headline else trace.reward
        answer: Hashable | None = None
        if plugin and plugin.answer:
            answer = RIGHT if figure == 1 else plugin.answer(trace)
        parts = {name: r.value for name, r in trace.rewards.items() if r is not None}
        try:
            sums = self.tokens.add(trace, end)
        except ValueError as error:
            raise UserError(f"trace {trace.id} of {str(folder)!r}: {error}") from error
        if sums is not None and sums.credited is not None:
            self.trained.append(sums)
        self._layers(trace, figure)
        length = trace.num_output_tokens if trace.usage is not None else None
        return Entry(trace.reward, parts, figure, answer, sums.tokens if sums else length, sums)

    def _layers(self, trace: vf.WireTrace, figure: float | None) -> None:
        """By the verdict, where there is one."""
        verdict = ("wrong", "right")[figure == 1] if figure in (0, 1) else None
        for layer, value in layer_entropies(trace):
            for of in filter(None, ("all", verdict)):
                self.layers.setdefault((layer, of), Average()).add([value])

    @property
    def entries(self) -> list[Entry]:
        return [entry for group in self.groups.values() for entry in group]

    @property
    def several(self) -> list[list[Entry]]:
        """The groups that a trainer could compare."""
        return [group for group in self.groups.values() if len(group) > 1]

    @property
    def binary(self) -> bool:
        return all(e.figure in (0.0, 1.0) for e in self.entries if e.figure is not None)

    @property
    def reward(self) -> float | None:
        found = [entry.reward for entry in self.entries]
        return statistics.fmean(found) if found else None

    @property
    def performance(self) -> float | None:
        """Mean of the environment's main figure: R of the entropy law."""
        found = [entry.figure for entry in self.entries if entry.figure is not None]
        return statistics.fmean(found) if found else None

    @property
    def without_spread(self) -> float | None:
        """Share of groups whose rewards are all equal."""
        groups = self.several
        if not groups:
            return None
        return sum(not has_spread([e.reward for e in group]) for group in groups) / len(groups)

    def covariance(self) -> tuple[float, str] | None:
        """Of log-probability and advantage, and whose advantage that is."""
        if self.trained:
            n = sum(one.tokens for one in self.trained)
            mean = sum(one.log_probability for one in self.trained) / n
            mean_a = sum(one.advantage for one in self.trained) / n
            credited = sum(one.credited or 0.0 for one in self.trained) / n
            return credited - mean * mean_a, "the trainer's"
        found = [
            (entry.sums, entry.reward - statistics.fmean(e.reward for e in group))
            for group in self.several
            for entry in group
            if entry.sums is not None
        ]
        if not found:
            return None
        sums = [one for one, _ in found]
        value = covariance_of_sums(
            [one.log_probability for one in sums],
            [one.tokens for one in sums],
            [advantage for _, advantage in found],
        )
        return value, "reward less its group's mean"

    def answers(self) -> dict[str, float | None] | None:
        """Mean answer entropy over groups, pass@1, maj@k and their gap; None where the answers are
        not known, or none is right or wrong.

        maj@k is over groups of `MIN_VOTERS` or more: of two answers a vote has no majority. Wrong
        answers are equal where they are written alike, so that maj@k is rather too high.
        """
        groups = [g for g in self.several if any(entry.answer is not None for entry in g)]
        if not groups or not self.binary:
            return None
        entropies = [e for g in groups if (e := answer_entropy([x.answer for x in g])) is not None]
        voting = [group for group in groups if len(group) >= MIN_VOTERS]
        k = min(map(len, voting), default=0)
        majority = [maj_at_k([entry.answer for entry in g], RIGHT, k) for g in voting]
        return {
            "entropy": statistics.fmean(entropies),
            "pass_at_1": _pass_at_1(groups),
            "maj_at_k": statistics.fmean(majority) if majority else None,
            "k": k or None,
            "gap": statistics.fmean(majority) - _pass_at_1(voting) if majority else None,
        }

    def parts(self) -> list[dict[str, Any]]:
        """For each reward: what it pays by length and to whom is right, and its share of the
        variance of the advantages."""
        entries = self.entries
        names = list(dict.fromkeys(name for entry in entries for name in entry.parts))
        groups = [
            {name: [entry.parts.get(name, 0.0) for entry in group] for name in names}
            for group in self.several
        ]
        shares = variance_shares(groups) or {}
        return [
            {
                "reward": name,
                "mean": statistics.fmean(e.parts.get(name, 0.0) for e in entries),
                "correlation_with_length": _related(entries, name, lambda e: e.tokens),
                "correlation_with_right": _related(entries, name, lambda e: e.figure)
                if self.binary
                else None,
                "share_of_advantage_variance": shares.get(name),
            }
            for name in names
        ]


def _pass_at_1(groups: list[list[Entry]]) -> float:
    return statistics.fmean(
        statistics.fmean(float(entry.answer == RIGHT) for entry in group) for group in groups
    )


def _related(entries: list[Entry], name: str, other: Any) -> float | None:
    pairs = [
        (entry.parts[name], float(value))
        for entry in entries
        if name in entry.parts and (value := other(entry)) is not None
    ]
    return correlation([a for a, _ in pairs], [b for _, b in pairs])

"""What the tokens of a checkpoint say, in sums: no list of tokens outlives its rollout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import verifiers.v1 as vf
from inward_statistics import Mismatch, mismatch, window_means
from numpy.typing import NDArray

WINDOW = 4
"""Tokens of a window, as in ARES's published config (arXiv:2510.08457)."""
HIGH = 0.95
"""Of the first checkpoint's windows, those above this quantile are high. ARES takes the quantile of
each batch anew, which by its making is always the same share."""
BIN = 0.005
"""Nats. Windows are counted in a histogram, however many tokens there are."""
BINS = 4000
PHASES = ("thinking", "answer", "first turn", "later turns")


@dataclass
class Average:
    """A mean that grows."""

    total: float = 0.0
    count: int = 0

    def add(self, values: Sequence[float] | NDArray[np.float64]) -> None:
        self.total += float(np.sum(values))
        self.count += len(values)

    @property
    def mean(self) -> float | None:
        return self.total / self.count if self.count else None


@dataclass(frozen=True)
class Sums:
    """What a rollout's sampled tokens come to."""

    tokens: int
    log_probability: float
    credited: float | None
    """Sum of log pi times the token's advantage; None where no trainer assigned one."""
    advantage: float
    """Sum of the tokens' advantages."""


def _averages() -> dict[str, Average]:
    return {phase: Average() for phase in PHASES}


@dataclass
class Tokens:
    """Of one checkpoint."""

    entropy: Average = field(default_factory=Average)
    """By the trainer's whole distribution."""
    surprisal: Average = field(default_factory=Average)
    """-log pi of what was sampled: an unbiased estimate of the entropy at temperature 1."""
    phases: dict[str, Average] = field(default_factory=_averages)
    """Entropies where there are any, else surprisals."""
    windows: NDArray[np.int64] = field(default_factory=lambda: np.zeros(BINS, np.int64))
    mismatches: list[Mismatch] = field(default_factory=list)
    """One per sequence that has both log-probabilities."""

    def add(self, trace: vf.WireTrace, end_of_thinking: int | None) -> Sums | None:
        """One rollout; None where it has no log-probabilities."""
        tokens, total, advantage, credited = 0, 0.0, 0.0, 0.0
        assigned, values = False, []
        for turn, node in enumerate(n for n in trace.nodes if n.sampled):
            logprobs = np.asarray(node.logprobs, float)
            if node.entropies is not None:
                self.entropy.add(node.entropies)
            self.surprisal.add(-logprobs)
            found = -logprobs if node.entropies is None else np.asarray(node.entropies, float)
            values.append(found)
            ids = [i for i, sampled in zip(node.token_ids, node.mask, strict=False) if sampled]
            self._phases(found, ids, turn, end_of_thinking)
            if node.trainer_logprobs is not None and len(logprobs):
                self.mismatches.append(mismatch(node.trainer_logprobs, node.logprobs))
            tokens += len(logprobs)
            total += float(logprobs.sum())
            if node.advantages is not None and len(node.advantages) == len(logprobs):
                assigned = True
                advantage += float(np.sum(node.advantages))
                credited += float(logprobs @ np.asarray(node.advantages, float))
        if values:
            self._windows(np.concatenate(values))
        if not tokens:
            return None
        return Sums(tokens, total, credited if assigned else None, advantage)

    def add_export(self, row: Mapping[str, Any]) -> None:
        """One sequence of the trainer's token export: its own entropies and log-probabilities."""
        chosen = [place for place, trained in enumerate(row.get("loss_mask") or ()) if trained]
        entropies = _column(row, "entropy", chosen)
        if entropies is not None:
            self.entropy.add(entropies)
        ours = _column(row, "trainer_logprobs", chosen)
        theirs = _column(row, "inference_logprobs", chosen)
        if ours is not None and theirs is not None:
            self.mismatches.append(mismatch(ours, theirs))

    def _phases(
        self, values: NDArray[np.float64], ids: Sequence[int], turn: int, end: int | None
    ) -> None:
        self.phases["later turns" if turn else "first turn"].add(values)
        if end is None or len(ids) != len(values):
            return
        cut = len(ids) - ids[::-1].index(end) if end in ids else 0
        self.phases["thinking"].add(values[:cut])
        self.phases["answer"].add(values[cut:])

    def _windows(self, values: NDArray[np.float64]) -> None:
        places = np.clip(window_means(values, WINDOW) / BIN, 0, BINS - 1).astype(np.int64)
        self.windows += np.bincount(places, minlength=BINS)

    @property
    def threshold(self) -> float | None:
        """The window entropy that `HIGH` of the windows stay below, to a bin."""
        total = int(self.windows.sum())
        if not total:
            return None
        return float(np.searchsorted(np.cumsum(self.windows), HIGH * total) + 1) * BIN

    def high(self, threshold: float) -> int:
        """Windows at or above a threshold of `threshold`."""
        return int(self.windows[round(threshold / BIN) :].sum())

    def mismatch(self) -> Mismatch | None:
        """Over all sequences, by their tokens."""
        found = self.mismatches
        total = sum(one.tokens for one in found)
        if not total:
            return None
        return Mismatch(
            kl=sum(one.kl * one.tokens for one in found) / total,
            mean_difference=sum(one.mean_difference * one.tokens for one in found) / total,
            largest_difference=max(one.largest_difference for one in found),
            tokens=total,
        )


def _column(row: Mapping[str, Any], name: str, chosen: Sequence[int]) -> list[float] | None:
    """The chosen tokens' values; None where the trainer did not write all of them."""
    values = row.get(name) or ()
    if not chosen or len(values) <= chosen[-1]:
        return None
    found = [values[place] for place in chosen]
    return None if any(value is None for value in found) else found

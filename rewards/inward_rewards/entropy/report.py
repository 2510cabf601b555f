"""What a whole run says of its entropies: are they lengths, and are they higher in right answers?

Sums are kept and no rollouts, so that an environment may live as long as a training.
"""

from __future__ import annotations

import math
from typing import Any

import verifiers.v1 as vf


class Correlation:
    """Pearson's r of pairs that come one by one (Welford's recurrence for the co-moments)."""

    def __init__(self) -> None:
        self.count = 0
        self._mean_x = self._mean_y = self._xx = self._yy = self._xy = 0.0

    def add(self, x: float, y: float) -> None:
        self.count += 1
        off_x, off_y = x - self._mean_x, y - self._mean_y
        self._mean_x += off_x / self.count
        self._mean_y += off_y / self.count
        self._xx += off_x * (x - self._mean_x)
        self._yy += off_y * (y - self._mean_y)
        self._xy += off_x * (y - self._mean_y)

    @property
    def r(self) -> float | None:
        """None for fewer than two pairs, or where one side does not vary."""
        if not (self._xx > 0 and self._yy > 0):
            return None
        return self._xy / (math.sqrt(self._xx) * math.sqrt(self._yy))


class EntropyReport:
    """Lines for the end of a run, from the metrics of its rollouts.

    `prefix` is that of `metrics_of`, `reward` names the bonus.
    """

    def __init__(self, reward: str, prefix: str = "") -> None:
        self._reward, self._prefix = reward, prefix
        self._with_length = {name: Correlation() for name in ("raw", "normalised", "bonus")}
        self._sums = {
            (name, right): [0, 0.0] for name in ("raw", "normalised") for right in (True, False)
        }

    def add(self, trace: vf.Trace[Any, Any, Any], right: bool) -> None:
        """One rollout; one without a measurement has no part in it."""
        tokens = trace.metrics.get(f"{self._prefix}completion_tokens")
        values = {name: trace.metrics.get(f"entropy_{name}") for name in ("raw", "normalised")}
        if tokens is None:
            return
        for name, value in values.items():
            if value is not None:
                self._with_length[name].add(tokens, value)
                self._sums[name, right][0] += 1
                self._sums[name, right][1] += value
        paid = trace.rewards.get(self._reward)
        if paid is not None and values["raw"] is not None:
            self._with_length["bonus"].add(tokens, paid.score)

    def lines(self) -> list[str]:
        """No line where nothing was measured."""
        lines = [
            f"{name} entropy of {self._with_length[name].count} rollouts: "
            f"right {self._mean(name, True)}, wrong {self._mean(name, False)}, "
            f"correlation with length {_show(self._with_length[name].r)}"
            for name in ("raw", "normalised")
            if self._with_length[name].count
        ]
        paid = self._with_length["bonus"]
        if paid.count:
            lines.append(f"bonus of {paid.count} rollouts: correlation with length {_show(paid.r)}")
        return lines

    def _mean(self, name: str, right: bool) -> str:
        count, total = self._sums[name, right]
        return _show(total / count if count else None)


def _show(value: float | None) -> str:
    return "none" if value is None else f"{value:.3f}"

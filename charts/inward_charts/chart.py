"""One chart of the endless stream, and what is known of it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from inward_rewards.charts import Row

from inward_charts.draft import Draft
from inward_charts.figure import Figure, Sheet
from inward_charts.kinds import TABLE
from inward_charts.rows import table
from inward_charts.vega import vega_lite
from inward_charts.words import words

KINDS: tuple[str, ...] = tuple(name for name, kind in TABLE.items() if kind.family != "paper")
"""The kinds that `generate` draws from if it is not told others."""
PAPER_KINDS: tuple[str, ...] = tuple(name for name in TABLE if name not in KINDS)
"""Charts as papers have them."""
LEVELS: tuple[int, ...] = (1, 2, 3)
"""1: few values, short words, white pages. 2: more of each, styles, gaps. 3: long labels, several
series, dark pages, log axes, number formats, missing values."""

Renderer = Literal["vega-lite", "matplotlib"]


@dataclass(frozen=True)
class Chart:
    """A generated chart. Where `renderer` is matplotlib, draw `figure` with `matplotlib_png`."""

    figure: Figure | Sheet
    renderer: Renderer

    @property
    def kind(self) -> str:
        return self.figure.kind

    @property
    def level(self) -> int:
        return self.figure.level

    @cached_property
    def spec(self) -> dict[str, Any]:
        """The true Vega-Lite specification."""
        return vega_lite(self.figure)

    @cached_property
    def table(self) -> tuple[Row, ...]:
        """The table as drawn."""
        return table(self.figure)

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """The visible texts, in no particular order."""
        return words(self.figure)


def generate(
    index: int,
    seed: int = 0,
    *,
    kinds: Sequence[str] = KINDS,
    levels: Sequence[int] = LEVELS,
    matplotlib_share: float = 0.0,
) -> Chart:
    """Chart number `index` of the stream `seed`.

    Kinds and levels take turns in a shuffled order: each pair comes once a turn, or as often as the
    kind's `weight` says (1 for all of `KINDS`). `matplotlib_share` is the
    probability that the picture is to be drawn by matplotlib; it changes nothing else.

    Raises `ValueError` for an unknown kind or level, or a share outside [0, 1].
    """
    _check(index, kinds, levels, matplotlib_share)
    pairs = [(k, level) for k in kinds for _ in range(TABLE[k].weight) for level in levels]
    turn, place = divmod(index, len(pairs))
    random.Random(f"chart-spec/{seed}/turn/{turn}").shuffle(pairs)
    kind, level = pairs[place]
    rng = random.Random(f"chart-spec/{seed}/{index}/{kind}/{level}")
    by_matplotlib = rng.random() < matplotlib_share
    figure = TABLE[kind].build(Draft(rng, level))
    return Chart(figure, "matplotlib" if by_matplotlib else "vega-lite")


def _check(index: int, kinds: Sequence[str], levels: Sequence[int], share: float) -> None:
    if index < 0:
        raise ValueError(f"index must be 0 or more, got {index!r}")
    if not kinds or not set(kinds) <= set(TABLE):
        raise ValueError(f"kinds must be some of {', '.join(TABLE)}; got {tuple(kinds)!r}")
    if not levels or not set(levels) <= set(LEVELS):
        raise ValueError(f"levels must be some of {LEVELS}; got {tuple(levels)!r}")
    if not 0 <= share <= 1:
        raise ValueError(f"matplotlib_share must lie between 0 and 1, got {share!r}")

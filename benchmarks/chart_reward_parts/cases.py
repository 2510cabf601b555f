"""The charts of the benchmark, and what each similarity makes of one of them."""

from __future__ import annotations

import io
import random
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from statistics import mean
from typing import Any

from chart_spec.prompt import Weights
from inward_charts import generate
from inward_charts.mpl import matplotlib_png
from inward_charts.vega import vega_lite
from inward_rewards.charts import (
    Reference,
    Renderer,
    Row,
    Scene,
    chart_similarity,
    table_f1,
    text_f1,
)
from PIL import Image
from scipy.stats import kendalltau

from .anchors import METRICS
from .blind import misread, value_blind
from .perturbations import jittered, perturbed, without_data

WEIGHTS = tuple(Weights().model_dump().values())
"""Of similarity, table F1 and text F1 in the whole reward."""
PROCESSES = 2


@dataclass(frozen=True)
class Case:
    """One chart: its redrawings by Vega-Lite, and the same chart drawn by matplotlib."""

    kind: str
    level: int
    tiers: dict[str, int]
    scenes: dict[str, Scene]
    pictures: dict[str, Image.Image]
    by_matplotlib: Image.Image

    @property
    def original(self) -> Image.Image:
        return self.pictures["identical"]


@dataclass(frozen=True)
class Found:
    """What one similarity makes of one chart."""

    same: dict[str, float]
    """Redrawing -> score, against the original of the same renderer."""
    tau_same: float
    tau_across: float
    blank: float
    faithful: float
    """Of the faithful redrawing, against matplotlib's original."""
    rival: float
    """The best of what a faithful redrawing must beat."""
    constants: tuple[float, ...]


def case_of(index: int, seed: int, renderer: Renderer) -> Case:
    chart = generate(index, seed)
    redrawn = perturbed(chart, random.Random(f"{seed}/{index}"))
    specs = {name: spec for name, (_, spec) in redrawn.items()}
    specs["no_data"] = without_data(chart.figure)
    drawn = {name: renderer.render_sync(spec) for name, spec in specs.items()}
    return Case(
        chart.kind,
        chart.level,
        {name: tier for name, (tier, _) in redrawn.items()},
        {name: rendered.scene for name, rendered in drawn.items()},
        {name: picture(rendered.png) for name, rendered in drawn.items()},
        picture(matplotlib_png(chart.figure)),
    )


def jittered_tables(index: int, seed: int, renderer: Renderer) -> list[Sequence[Row]]:
    """One chart's table as drawn, and with its values off by 5, 15 and 40 % of their range."""
    figure, rng = generate(index, seed).figure, random.Random(f"{seed}/{index}")
    figures = [figure, *(jittered(figure, part, rng) for part in (0.05, 0.15, 0.4))]
    return [renderer.render_sync(vega_lite(drawn)).scene.rows for drawn in figures]


def blind_and_misread(index: int, seed: int, renderer: Renderer) -> tuple[str, dict[str, float]]:
    """The chart's kind, and the reward of each answer of `blind` to it and of the true one."""
    figure, rng = generate(index, seed).figure, random.Random(f"{seed}/{index}")
    specs = {"true": vega_lite(figure), **value_blind(figure, rng), **misread(figure, rng)}
    drawn = {name: renderer.render_sync(spec) for name, spec in specs.items()}
    true = drawn["true"]
    reference = Reference.of(picture(true.png))
    rewards = {}
    for name, redrawn in drawn.items():
        parts = (
            chart_similarity(reference, picture(redrawn.png)).score,
            table_f1(true.scene.rows, redrawn.scene.rows).f1,
            text_f1(true.scene.texts, redrawn.scene.texts),
        )
        rewards[name] = sum(w * part for w, part in zip(WEIGHTS, parts, strict=True))
    return figure.kind, rewards


def picture(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png)).convert("RGB")


def blank(size: tuple[int, int], colour: str = "white") -> Image.Image:
    return Image.new("RGB", size, colour)


def tau(tiers: dict[str, int], scores: dict[str, float]) -> float:
    return float(kendalltau(list(tiers.values()), [-scores[name] for name in tiers]).statistic)


def parts(case: Case, name: str, similarity: float) -> tuple[float, float, float]:
    """Similarity, table F1 and text F1 of one redrawing."""
    true, redrawn = case.scenes["identical"], case.scenes[name]
    return similarity, table_f1(true.rows, redrawn.rows).f1, text_f1(true.texts, redrawn.texts)


def whole_reward(case: Case, name: str, similarity: float) -> float:
    return sum(w * part for w, part in zip(WEIGHTS, parts(case, name, similarity), strict=True))


class Measure:
    """Scores charts in processes, which take the pictures over by being forked."""

    def __init__(self, cases: list[Case], constants: list[Image.Image], others: int) -> None:
        self.cases, self.constants, self.others = cases, constants, others

    def __call__(self, work: list[tuple[str, int]]) -> list[Found]:
        """What each (similarity, chart) comes to."""
        context = get_context("fork")
        with context.Pool(PROCESSES, _take_over, (self,)) as processes:
            return processes.starmap(_one, work, chunksize=1)

    def one(self, name: str, number: int) -> Found:
        metric, case = METRICS[name], self.cases[number]
        original, other = case.original, case.by_matplotlib
        same = {name: metric(original, drawn) for name, drawn in case.pictures.items()}
        across = {name: metric(other, drawn) for name, drawn in case.pictures.items()}
        rivals = [across[name] for name in ("other_same_kind", "other_kind", "no_data")]
        rivals.append(metric(other, blank(other.size)))
        rivals += [metric(other, rest.original) for rest in self._others_of(number)]
        return Found(
            same=same,
            tau_same=tau(case.tiers, same),
            tau_across=tau(case.tiers, across),
            blank=metric(original, blank(original.size)),
            faithful=across["identical"],
            rival=max(rivals),
            constants=tuple(metric(original, constant) for constant in self.constants),
        )

    def _others_of(self, number: int) -> list[Case]:
        rest = self.cases[:number] + self.cases[number + 1 :]
        return random.Random(number).sample(rest, min(self.others, len(rest)))


_measure: Measure | None = None


def _take_over(measure: Measure) -> None:
    global _measure
    _measure = measure


def _one(name: str, number: int) -> Found:
    assert _measure is not None
    return _measure.one(name, number)


def summary(found: list[Found]) -> dict[str, float]:
    """The figures of one similarity over charts."""

    def best_constant() -> float:
        return max(mean(scores) for scores in zip(*(f.constants for f in found), strict=True))

    return {
        "tau same": mean(f.tau_same for f in found),
        "tau across": mean(f.tau_across for f in found),
        "blank": max(f.blank for f in found),
        "constant": best_constant(),
        "beats": mean(f.faithful > f.rival for f in found),
        "shuffled": mean(f.same["shuffle"] for f in found),
        "no data": mean(f.same["no_data"] for f in found),
    }


def show(rows: dict[str, dict[str, Any]]) -> None:
    widths = {column: max(12, len(column) + 2) for column in next(iter(rows.values()))}
    print(f"{'':18}" + "".join(f"{column:>{width}}" for column, width in widths.items()))
    for name, row in rows.items():
        print(f"{name:18}" + "".join(f"{row[column]:{w}.3f}" for column, w in widths.items()))

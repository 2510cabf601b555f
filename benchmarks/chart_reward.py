"""What the chart rewards measure: order of severity, and what answers without the chart earn.

    uv run --group bench python benchmarks/chart_reward.py [--json] [--seeds 71 72] [--charts 66]

Each chart of the generator is redrawn in fifteen ways, in seven tiers of severity (see
`chart_reward_parts/perturbations.py`), and scored by `chart_similarity` and by SSIM, MS-SSIM, pHash
and HOG beside it:

- tau: Kendall's tau-b of the score with the tier, per chart, mean. 0.905 is the most that a score
  without ties can reach, as tiers tie. Once with the original drawn by the same renderer as the
  redrawings, once with the original drawn by matplotlib;
- blank: the worst (highest) score of an empty page; constant: the mean score, over charts, of the
  one picture that does best for all of them: white, black and grey pages and `--constants` charts
  of another seed;
- beats: the share of charts of which a faithful redrawing in the other renderer scores above the
  chart of the same kind, of another kind, axes without data, the blank page and the faithful
  redrawings of `--others` other charts (-1: all of them);
- shuffled, no data: mean scores of the true values dealt out anew, and of axes without data.

The table's F1 and the whole reward (0.4 similarity + 0.4 table + 0.2 text) follow, on tables and
texts as drawn. The constants of `chart_similarity` were chosen on seeds 1001 and 1002; the default
seeds were not looked at before.
"""

from __future__ import annotations

import argparse
import io
import json
import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from statistics import mean

from chart_reward_parts.anchors import METRICS, Metric
from chart_reward_parts.perturbations import perturbed, without_data
from chart_spec.generate import generate
from chart_spec.generate.mpl import matplotlib_png
from inward_rewards.charts.render import Renderer
from inward_rewards.charts.scene import Rendered
from inward_rewards.charts.similarity import chart_similarity
from inward_rewards.charts.table import table_f1
from inward_rewards.charts.text import text_f1
from PIL import Image
from scipy.stats import kendalltau

FRESH_SEEDS = (71, 72)
CONSTANT_SEED = 73
JITTERS = ("identical", "jitter_05", "jitter_15", "jitter_40")


@dataclass(frozen=True)
class Case:
    """One chart: its picture by both renderers and its redrawings."""

    kind: str
    tiers: dict[str, int]
    drawn: dict[str, Rendered]
    pictures: dict[str, Image.Image]
    by_matplotlib: Image.Image

    @property
    def original(self) -> Image.Image:
        return self.pictures["identical"]


@dataclass(frozen=True)
class Target:
    name: str
    value: float
    target: float
    most: bool = False
    """Whether the value must not exceed the target, rather than reach it."""

    @property
    def met(self) -> bool:
        return self.value <= self.target if self.most else self.value >= self.target


def case_of(index: int, seed: int, renderer: Renderer) -> Case:
    chart = generate(index, seed)
    redrawn = perturbed(chart, random.Random(f"{seed}/{index}"))
    specs = {name: spec for name, (_, spec) in redrawn.items()}
    specs["no_data"] = without_data(chart.figure)
    drawn = {name: renderer.render_sync(spec) for name, spec in specs.items()}
    return Case(
        chart.kind,
        {name: tier for name, (tier, _) in redrawn.items()},
        drawn,
        {name: picture(rendered.png) for name, rendered in drawn.items()},
        picture(matplotlib_png(chart.figure)),
    )


def picture(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png)).convert("RGB")


def blank(size: tuple[int, int], colour: str = "white") -> Image.Image:
    return Image.new("RGB", size, colour)


def tau(case: Case, scores: dict[str, float]) -> float:
    names = list(case.tiers)
    return float(kendalltau([case.tiers[n] for n in names], [-scores[n] for n in names]).statistic)


def others_of(number: int, cases: list[Case], count: int) -> list[Case]:
    rest = cases[:number] + cases[number + 1 :]
    return rest if count < 0 else random.Random(number).sample(rest, min(count, len(rest)))


def measure(metric: Metric, cases: list[Case], others: int) -> dict[str, float]:
    """The figures of one similarity but for the constants."""
    same, across, beats, blanks = [], [], [], []
    levels: dict[str, list[float]] = {"shuffle": [], "no_data": []}
    for number, case in enumerate(cases):
        scores = {name: metric(case.original, p) for name, p in case.pictures.items()}
        same.append(tau(case, scores))
        for name, found in levels.items():
            found.append(scores[name])
        blanks.append(metric(case.original, blank(case.original.size)))
        other = case.by_matplotlib
        scores = {name: metric(other, p) for name, p in case.pictures.items()}
        across.append(tau(case, scores))
        rivals = [scores[name] for name in ("other_same_kind", "other_kind", "no_data")]
        rivals.append(metric(other, blank(other.size)))
        rivals += [metric(other, c.original) for c in others_of(number, cases, others)]
        beats.append(scores["identical"] > max(rivals))
    return {
        "tau same": mean(same),
        "tau across": mean(across),
        "blank": max(blanks),
        "beats": mean(beats),
        "shuffled": mean(levels["shuffle"]),
        "no data": mean(levels["no_data"]),
    }


def best_constant(metric: Metric, cases: list[Case], constants: list[Image.Image]) -> float:
    return max(mean(metric(case.original, c) for case in cases) for c in constants)


def whole_reward(case: Case, name: str) -> float:
    true, told = case.drawn["identical"].scene, case.drawn[name].scene
    return (
        0.4 * chart_similarity(case.original, case.pictures[name]).score
        + 0.4 * table_f1(true.rows, told.rows).f1
        + 0.2 * text_f1(true.texts, told.texts)
    )


def table_scores(case: Case) -> list[float]:
    true = case.drawn["identical"].scene.rows
    return [table_f1(true, case.drawn[name].scene.rows).f1 for name in JITTERS]


def show(rows: dict[str, dict[str, float]]) -> None:
    columns = list(next(iter(rows.values())))
    print(f"{'':18}" + "".join(f"{column:>12}" for column in columns))
    for name, row in rows.items():
        print(f"{name:18}" + "".join(f"{row[column]:12.3f}" for column in columns))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--seeds", type=int, nargs="+", default=FRESH_SEEDS)
    parser.add_argument(
        "--charts", type=int, default=66, help="of each seed; 66 is each kind thrice"
    )
    parser.add_argument("--constants", type=int, default=24)
    parser.add_argument("--others", type=int, default=20)
    parser.add_argument("--ours-only", action="store_true", help="leave the anchors out")
    arguments = parser.parse_args()

    renderer = Renderer(workers=2)
    with ThreadPoolExecutor(2) as threads:
        work = [(i, seed) for seed in arguments.seeds for i in range(arguments.charts)]
        cases = list(threads.map(lambda pair: case_of(*pair, renderer), work))
        specs = [generate(i, CONSTANT_SEED).spec for i in range(arguments.constants)]
        constants = [picture(r.png) for r in threads.map(renderer.render_sync, specs)]
    renderer.close()
    constants += [blank((400, 300), colour) for colour in ("white", "black", "#808080")]
    print(f"{len(cases)} charts of seeds {arguments.seeds}, {len(constants)} constant answers")

    metrics = {"chart_similarity": METRICS["chart_similarity"]} if arguments.ours_only else METRICS
    rows = {}
    for name, metric in metrics.items():
        found = measure(metric, cases, arguments.others)
        found["constant"] = best_constant(metric, cases[::2], constants)
        rows[name] = found
    show(rows)

    tables = [table_scores(case) for case in cases]
    ordered = mean(a > b > c > d for a, b, c, d in tables)
    print(
        "\ntable F1 at 0, 5, 15, 40 % of the range: "
        + ", ".join(f"{mean(t[i] for t in tables):.3f}" for i in range(4))
        + f"; strictly ordered in {ordered:.1%} of charts"
    )
    rewards = {name: mean(whole_reward(case, name) for case in cases) for name in cases[0].pictures}
    print(
        "whole reward: "
        + ", ".join(
            f"{name} {value:.3f}" for name, value in sorted(rewards.items(), key=lambda kv: -kv[1])
        )
    )
    below = mean(whole_reward(c, "no_data") < whole_reward(c, "wrong_mark") for c in cases)
    print(f"axes without data below a wrong mark in {below:.1%} of charts")

    ours = rows["chart_similarity"]
    targets = [
        Target("blank page", ours["blank"], 0.02, most=True),
        Target("best image-blind constant", ours["constant"], 0.40, most=True),
        Target("Kendall tau, same renderer", ours["tau same"], 0.78),
        Target("Kendall tau, across renderers", ours["tau across"], 0.72),
        Target("faithful re-plot beats all others", ours["beats"], 0.95),
        Target("table F1 strictly ordered", ordered, 0.99),
        Target(
            "whole reward: wrong mark less axes without data",
            rewards["wrong_mark"] - rewards["no_data"],
            0.0,
        ),
    ]
    for target in targets:
        sign = "<=" if target.most else ">="
        print(
            f"{'met   ' if target.met else 'MISSED'} {target.name}: "
            f"{target.value:.3f} ({sign} {target.target})"
        )
    if arguments.json:
        print(
            json.dumps(
                {
                    "targets": [
                        {"name": t.name, "value": t.value, "target": t.target, "met": t.met}
                        for t in targets
                    ]
                }
            )
        )


if __name__ == "__main__":
    main()

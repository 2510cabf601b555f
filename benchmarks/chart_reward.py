"""What the chart rewards measure: order of severity, and what answers without the chart earn.

    uv run --group bench python benchmarks/chart_reward.py [--json] [--seed 71] [--charts 198]

Each chart of the generator (every kind at every level, three times) is redrawn in fifteen ways, in
seven tiers of severity (see `chart_reward_parts/perturbations.py`), and scored by
`chart_similarity`, and every third chart by SSIM, MS-SSIM, pHash and HOG beside it:

- tau: Kendall's tau-b of the score with the tier, per chart, mean. 0.905 is the most that a score
  without ties can reach, as tiers tie. Once with the original drawn by the same renderer as the
  redrawings, once with the original drawn by matplotlib;
- blank: the worst (highest) score of an empty page; constant: the mean score, over charts, of the
  one picture that does best for all of them: white, black and grey pages and charts of another
  seed;
- beats: the share of charts of which a faithful redrawing in the other renderer scores above a
  chart of the same kind, one of another kind, axes without data, the blank page and the faithful
  redrawings of ten other charts;
- shuffled, no data: mean scores of the true values dealt out anew, and of axes without data.

The table's F1 and the whole reward (at chart-spec's weights) follow, on tables and texts as drawn;
the order of the table's F1 on 660 charts of the same stream, since an aim of 99 % needs hundreds.

Last, answers with the true words on the true axes whose values were not read, or were misread (see
`chart_reward_parts/blind.py`): their mean reward, and the share of charts that put errors of 0, 2,
5, 15 and 40 % of the values' span in strict order. `--only blind` stops at these: a minute.

The constants of `chart_similarity` were chosen on seeds 1001 and 1002, those of the table and the
weights on 501 and 502. Ten minutes, on two cores.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from statistics import mean

from chart_reward_parts.anchors import METRICS
from chart_reward_parts.blind import BLIND
from chart_reward_parts.cases import (
    Case,
    Measure,
    blank,
    blind_and_misread,
    case_of,
    jittered_tables,
    parts,
    picture,
    show,
    summary,
    whole_reward,
)
from inward_charts import generate
from inward_rewards.charts import Renderer, table_f1
from PIL import Image
from targets import Target, report

FRESH_SEED = 71
CONSTANT_SEED = 73
CONSTANTS = 9
OTHERS = 10
ANCHOR_STEP = 3
"""The anchors score every so manieth chart."""
OURS = "chart_similarity"
TABLE_CHARTS = 660


def drawn(seed: int, count: int) -> tuple[list[Case], list[Image.Image]]:
    """The charts, and the constant answers."""
    renderer = Renderer(workers=2)
    with ThreadPoolExecutor(2) as threads:
        cases = list(threads.map(lambda index: case_of(index, seed, renderer), range(count)))
        # Seven is prime to the numbers of kinds and levels: all sorts come.
        specs = [generate(7 * index, CONSTANT_SEED).spec for index in range(CONSTANTS)]
        constants = [picture(r.png) for r in threads.map(renderer.render_sync, specs)]
    renderer.close()
    return cases, constants + [blank((400, 300), name) for name in ("white", "black", "#808080")]


def table_scores(seed: int, count: int) -> list[list[float]]:
    """Table F1 of each chart with its values off by 0, 5, 15 and 40 % of their range."""
    renderer = Renderer(workers=2)

    def of(index: int) -> list[float]:
        tables = jittered_tables(index, seed, renderer)
        return [table_f1(tables[0], table).f1 for table in tables]

    with ThreadPoolExecutor(2) as threads:
        scores = list(threads.map(of, range(count)))
    renderer.close()
    return scores


def blind_targets(seed: int, count: int) -> list[Target]:
    """What answers earn whose values were not read, or were misread by a known part."""
    renderer = Renderer(workers=2)
    with ThreadPoolExecutor(2) as threads:
        found = list(threads.map(lambda i: blind_and_misread(i, seed, renderer), range(count)))
    renderer.close()
    names = list(found[0][1])
    kinds = sorted({kind for kind, _ in found})
    rows = {
        kind: {name: mean(r[name] for k, r in found if k == kind) for name in names}
        for kind in kinds
    }
    rows["all kinds"] = {name: mean(r[name] for _, r in found) for name in names}
    print(f"values not read, or misread: mean reward on {count} charts of seed {seed}")
    show(rows)
    ordered = [name for name in names if name not in BLIND]
    strictly = mean(
        all(rewards[a] > rewards[b] for a, b in pairwise(ordered)) for _, rewards in found
    )
    whole, worst = rows["all kinds"], max(rows[kind][name] for kind in kinds for name in BLIND)
    return [
        Target("mid-axis", whole["mid-axis"], 0.45, most=True),
        Target("random in range", whole["random in range"], 0.42, most=True),
        Target("shuffled", whole["shuffled"], 0.50, most=True),
        Target("values not read, worst kind", worst, 0.60, most=True),
        Target("off by 2 %, of the true reward", whole["off by 2%"] / whole["true"], 0.95),
        Target("off by 5 %, of the true reward", whole["off by 5%"] / whole["true"], 0.85),
        Target("0, 2, 5, 15, 40 % strictly ordered", strictly, 0.97),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--seed", type=int, default=FRESH_SEED)
    parser.add_argument("--charts", type=int, default=198)
    parser.add_argument("--only", choices=("blind",), help="no other part")
    arguments = parser.parse_args()
    values_read = blind_targets(arguments.seed, arguments.charts)
    if arguments.only:
        report(values_read, arguments.json)
        return

    cases, constants = drawn(arguments.seed, arguments.charts)
    numbers = {name: range(0, len(cases), 1 if name == OURS else ANCHOR_STEP) for name in METRICS}
    work = [(name, number) for name, those in numbers.items() for number in those]
    found = dict(zip(work, Measure(cases, constants, OTHERS)(work), strict=True))
    ours = [found[OURS, number] for number in numbers[OURS]]
    rows = {f"ours, {len(cases)} charts": summary(ours)}
    for name in METRICS:
        few = range(0, len(cases), ANCHOR_STEP)
        rows[f"{name}, {len(few)}"] = summary([found[name, number] for number in few])
    print(f"{len(cases)} charts of seed {arguments.seed}, {len(constants)} constant answers")
    show(rows)

    tables = table_scores(arguments.seed, TABLE_CHARTS)
    ordered = mean(a > b > c > d for a, b, c, d in tables)
    print("\ntable F1 at 0, 5, 15, 40 % of the range:", end=" ")
    print(", ".join(f"{mean(scores):.3f}" for scores in zip(*tables, strict=True)), end="")
    print(f"; strictly ordered in {ordered:.1%} of {TABLE_CHARTS} charts\n")

    scored = list(zip(cases, ours, strict=True))
    rewards = {}
    for name in cases[0].pictures:
        each = [(*parts(c, name, f.same[name]), whole_reward(c, name, f.same[name]))
                for c, f in scored]  # fmt: skip
        columns = ("similarity", "table F1", "text F1", "reward")
        rewards[name] = dict(zip(columns, map(mean, zip(*each, strict=True)), strict=True))
    show(dict(sorted(rewards.items(), key=lambda row: -row[1]["reward"])))
    below = mean(
        whole_reward(c, "no_data", f.same["no_data"])
        < whole_reward(c, "wrong_mark", f.same["wrong_mark"])
        for c, f in scored
    )
    print(f"axes without data earn less than a wrong mark in {below:.1%} of charts\n")

    row = summary(ours)
    gap = rewards["wrong_mark"]["reward"] - rewards["no_data"]["reward"]
    targets = [
        Target("blank page", row["blank"], 0.02, most=True),
        Target("best image-blind constant", row["constant"], 0.40, most=True),
        Target("Kendall tau, same renderer", row["tau same"], 0.78),
        Target("Kendall tau, across renderers", row["tau across"], 0.72),
        Target("faithful re-plot beats all others", row["beats"], 0.95),
        Target("table F1 strictly ordered", ordered, 0.99),
        Target("whole reward: wrong mark less axes without data", gap, 0.0),
    ]
    report(targets + values_read, arguments.json)


if __name__ == "__main__":
    main()

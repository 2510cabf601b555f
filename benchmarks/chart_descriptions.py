"""Descriptions of fresh generated charts, true and ever worse: what each earns.

    uv run --group bench python benchmarks/chart_descriptions.py --charts 200 --seed 71
        [--redraw writer|reader] [--json]

They are drawn by `plain`; or by `writer`, asked on loopback and scripted to be perfect: it writes
the specification that a description was made from. Or the rules of `reader` answer questions.

The truth is told by `chart_reconstruction.stating`. In the worse ones a value is wrong (the largest
told as the smallest), the largest and the smallest are swapped, every value is the middle of the
values, the kind is another (a heat map; bars for a heat map), only the title is told, or nothing.
`--json` ends with the targets as one line.
"""

from __future__ import annotations

import argparse
import asyncio
import copy
import itertools
import json
import os
import re
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from chart_reconstruction.eval_plugin import BASELINES, worded
from chart_reconstruction.prompt import description
from chart_reconstruction.stating import stated
from chart_reconstruction.taskset import (
    ChartReconstructionConfig,
    ChartReconstructionTask,
    ChartReconstructionTaskConfig,
    ChartReconstructionTaskset,
)
from inward_charts import traced
from inward_chat.testing import PolicyServer
from inward_rewards.images import read, specification
from targets import Target, report

Spec = dict[str, Any]
WORSE = ("one value wrong", "two swapped", "values blind")
ORDER = ("truth", "one value wrong", "two swapped", "values blind", "wrong kind", "title", "empty")


def views(spec: Spec) -> list[Spec]:
    """The views that draw data."""
    found = spec.get("layer", [spec])
    return [v for v in found if kind(v) not in ("text", "rule")]


def kind(view: Spec) -> str:
    mark = view["mark"]
    return str(mark if isinstance(mark, str) else mark["type"])


def measure(view: Spec) -> str:
    encoding = view["encoding"]
    if kind(view) == "arc":
        return str(encoding["theta"]["field"])
    if kind(view) == "rect":
        return str(encoding["color"]["field"])
    horizontal = encoding.get("y", {}).get("type") == "nominal"
    return str(encoding["x" if horizontal else "y"]["field"])


def moved(rows: list[Spec], field: str, by: float) -> None:
    for row in rows:
        for name in {field, "low", "high"} & set(row):
            row[name] = None if row[name] is None else row[name] + by


def groups(view: Spec) -> list[list[Spec]]:
    """Rows by what they show: the sample of a box is one."""
    rows = [row for row in view["data"]["values"] if row.get(measure(view)) is not None]
    if kind(view) != "boxplot":
        return [[row] for row in rows]
    place = view["encoding"]["x"]["field"]
    return [[r for r in rows if r[place] == name] for name in dict.fromkeys(r[place] for r in rows)]


def worse(spec: Spec, how: str) -> Spec:
    """The chart whose values are wrong in a known way."""
    spec = copy.deepcopy(spec)
    for number, view in enumerate(views(spec)):
        field, found = measure(view), groups(view)
        if len(found) < 2:
            continue
        found.sort(key=lambda group: statistics.fmean(row[field] for row in group))
        low, high = (statistics.fmean(row[field] for row in found[end]) for end in (0, -1))
        if how == "values blind":
            for group in found:
                moved(group, field, (low + high) / 2 - statistics.fmean(r[field] for r in group))
        elif number == 0:
            moved(found[-1], field, low - high)
            if how == "two swapped":
                moved(found[0], field, high - low)
    return spec


def told(spec: Spec) -> dict[str, str]:
    true = stated(spec)
    other = "bar chart" if "heat map" in true.split("\n")[0] else "heat map"
    name = re.compile(r"This is a .*?(?:chart|plot|map|histogram)(?: with dots)?")
    title = spec.get("title", "")
    title = title if isinstance(title, str) else title["text"]
    return {
        "truth": true,
        **{how: stated(worse(spec, how)) for how in WORSE},
        "wrong kind": name.sub(f"This is a {other}", true, count=1),
        "title": f'It is titled "{title}".' if title else "",
        "empty": "",
    }


@contextmanager
def redrawn_by(name: str, tasks: list[ChartReconstructionTask]) -> Iterator[list[Any]]:
    """The tasks, whose descriptions that backend draws."""
    if name != "writer":
        yield [retasked(task, name) for task in tasks]
        return
    made_from = {}
    for task in tasks:
        true = task.data.truth or {}
        for spec in (true, *(worse(true, how) for how in WORSE)):
            made_from[description(stated(spec), task.config.max_characters).text] = spec

    def writer(body: Any) -> dict[str, Any]:
        text = body["messages"][1]["content"]
        text = text.removeprefix("<description>\n").removesuffix("\n</description>")
        spec = made_from.get(text) or specification(read(text))
        return {"content": f"```json\n{json.dumps(spec)}\n```"}

    with PolicyServer(writer) as server:
        options = {"base_url": server.base_url, "model": server.model}
        yield [retasked(task, name, **options) for task in tasks]


def retasked(task: ChartReconstructionTask, name: str, **options: str) -> ChartReconstructionTask:
    config = ChartReconstructionTaskConfig.model_validate({"redraw": {"type": name, **options}})
    return ChartReconstructionTask(task.data, config)


async def score(tasks: list[ChartReconstructionTask]) -> dict[str, list[float]]:
    rewards: dict[str, list[float]] = {}
    for task, before in zip(tasks, [tasks[-1], *tasks[:-1]], strict=True):
        assert task.data.truth is not None
        assert before.data.truth is not None
        replies = told(task.data.truth)
        replies["tracing"] = worded(traced(task.data.picture))
        replies["another chart's truth"] = stated(before.data.truth)
        body = {"messages": [{"role": "system", "content": task.data.system_prompt}]}
        for floor in ("constant", "boilerplate", "prompt"):
            replies[floor] = str(BASELINES[floor](0)(body)["content"])
        outcomes = await asyncio.gather(*(task.outcome(reply) for reply in replies.values()))
        for name, outcome in zip(replies, outcomes, strict=True):
            rewards.setdefault(name, []).append(outcome.reward)
    return rewards


def reading_times(tasks: list[ChartReconstructionTask]) -> list[float]:
    """Milliseconds of processor time for a true description to become a specification."""
    times = []
    for task in tasks:
        assert task.data.truth is not None
        text = stated(task.data.truth)
        start = time.process_time()
        specification(read(text))
        times.append((time.process_time() - start) * 1000)
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--charts", type=int, default=66)
    parser.add_argument("--seed", type=int, default=71)
    parser.add_argument("--redraw", choices=("plain", "writer", "reader"), default="plain")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    config = ChartReconstructionConfig(
        id="chart-reconstruction", seed=args.seed, matplotlib_share=0
    )
    tasks: list[Any] = list(itertools.islice(ChartReconstructionTaskset(config), args.charts))
    with tempfile.TemporaryDirectory() as cache, redrawn_by(args.redraw, tasks) as drawn:
        os.environ["INWARD_CACHE_DIR"] = cache
        rewards = asyncio.run(score(drawn))
    means = {name: statistics.fmean(found) for name, found in rewards.items()}
    print(f"{args.charts} charts of seed {args.seed}, {args.redraw}: mean reward (standard error)")
    for name, found in rewards.items():
        error = statistics.stdev(found) / len(found) ** 0.5
        print(f"  {name:24} {means[name]:.3f} ({error:.3f})")
    for task, value in sorted(zip(tasks, rewards["truth"], strict=True), key=lambda p: p[1])[:8]:
        print(f"  lowest truths: {task.data.name} {value:.3f}")
    times = reading_times(tasks)
    print(f"reading: median {statistics.median(times):.1f} ms, at most {max(times):.1f} ms")
    # Whoever asks for numbers does not see of which kind of chart they are, and a title has none.
    unseen = ("wrong kind", "title") if args.redraw == "reader" else ()
    order = [name for name in ORDER if name not in unseen]
    falls = min(means[a] - means[b] for a, b in itertools.pairwise(order))
    floors = max(means[n] for n in ("constant", "boilerplate", "prompt", "another chart's truth"))
    targets = [
        Target("mean reward of the truth", means["truth"], 0.95),
        Target("mean reward of blind values", means["values blind"], 0.45, most=True),
        Target("least fall along the order of worse descriptions", falls, 0.001),
        Target("tracing above the highest floor", means["tracing"] - floors, 0.0),
    ]
    report(targets, args.json)


if __name__ == "__main__":
    main()

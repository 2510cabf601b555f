"""Speed of the charts' rewards: a reply scored, from the cache, and 64 at once.

    uv run --group bench python benchmarks/chart_speed.py [--env chart-reconstruction]
        [--json] [--charts N] [--seed S]

Whole replies are scored as a rollout's are: the JSON read and linted (or, in chart-reconstruction,
the description read by `plain`), the chart drawn and read in a worker process, and compared with
the picture, the table and the texts. The anchor, in turn with
it, is a bare `vl_convert.vegalite_to_png` of the same specification in this process, which knows
neither table nor text and survives no hostile specification: the ratio is what all the rest costs.
While 64 replies are scored at once, a task that sleeps a millisecond at a time measures how long
the event loop was held up; it measures the idle loop as well, for the machine's own part.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import statistics
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import vl_convert
from chart_reconstruction.stating import stated
from chart_reconstruction.taskset import ChartReconstructionConfig, ChartReconstructionTaskset
from chart_spec.prompt import BLOCK, FENCE
from chart_spec.taskset import ChartSpecConfig, ChartSpecTaskset
from targets import Target, report

AT_ONCE = 64
TICK = 0.001


Task = Any
Reply = Callable[[Task, str], str]


def titled(task: Task, version: str) -> dict[str, Any]:
    """The true specification with a title of its own, so that no cache has it."""
    return {**(task.data.truth or {}), "title": f"Reply {version}"}


def specification(task: Task, version: str) -> str:
    return f"{BLOCK}\n{json.dumps(titled(task, version))}\n{FENCE}"


def description(task: Task, version: str) -> str:
    return stated(titled(task, version))


def taskset(env: str, seed: int) -> tuple[Iterable[Task], Reply, tuple[float, float]]:
    """Tasks, replies to them, and the aims in ms: scored, and from the cache."""
    if env == "chart-spec":
        return ChartSpecTaskset(ChartSpecConfig(id=env, seed=seed)), specification, (150, 5)
    charts = ChartReconstructionTaskset(ChartReconstructionConfig(id=env, seed=seed))
    return charts, description, (200, 10)


async def milliseconds(work: Awaitable[object]) -> float:
    started = time.perf_counter()
    await work
    return 1000 * (time.perf_counter() - started)


def bare(task: Task) -> float:
    started = time.perf_counter()
    vl_convert.vegalite_to_png(task.data.truth)
    return 1000 * (time.perf_counter() - started)


async def longest_stall(work: Awaitable[object]) -> float:
    """The longest delay in milliseconds of a tick while `work` runs."""
    running = asyncio.ensure_future(work)
    worst = 0.0
    while not running.done():
        worst = max(worst, await milliseconds(asyncio.sleep(TICK)) - 1000 * TICK)
    await running
    return worst


async def measure(
    tasks: list[Task], reply: Reply, aims: tuple[float, float], show: Callable[[str], None]
) -> list[Target]:
    for task in tasks:
        # The true charts are drawn, the workers and the anchor warm.
        await task.outcome(reply(task, "warm"))
        bare(task)
    scored, cached, anchor = [], [], []
    for task in tasks:
        anchor.append(bare(task))
        scored.append(await milliseconds(task.outcome(reply(task, "one"))))
        cached.append(await milliseconds(task.outcome(reply(task, "one"))))
    show("one at a time, ms        median    p95    worst")
    for name, times in (("scored", scored), ("from the cache", cached), ("bare PNG", anchor)):
        p95 = statistics.quantiles(times, n=20)[-1]
        show(f"  {name:20}  {statistics.median(times):7.1f}{p95:7.1f}{max(times):9.1f}")
    ratios = [ours / theirs for ours, theirs in zip(scored, anchor, strict=True)]
    show(f"  scored / bare PNG     {statistics.median(ratios):7.2f}")

    some = list(itertools.islice(itertools.cycle(tasks), AT_ONCE))
    idle = await longest_stall(asyncio.sleep(2))
    started = time.perf_counter()
    stall = await longest_stall(
        asyncio.gather(*(task.outcome(reply(task, f"many {i}")) for i, task in enumerate(some)))
    )
    took = time.perf_counter() - started
    show(f"{AT_ONCE} at once: {took:.2f} s, {AT_ONCE / took:.1f} replies/s")
    show(f"  longest stall of the event loop: {stall:.1f} ms (idle: {idle:.1f} ms)")
    one, again = statistics.median(scored), statistics.median(cached)
    return [
        Target("one reply scored, median ms", one, aims[0], most=True),
        Target("one reply from the cache, median ms", again, aims[1], most=True),
        Target("longest event-loop stall with 64 at once, ms", stall, 20, most=True),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--env", choices=("chart-spec", "chart-reconstruction"), default="chart-spec"
    )
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--charts", type=int, default=66)
    parser.add_argument("--seed", type=int, default=20261)
    options = parser.parse_args()
    charts, reply, aims = taskset(options.env, options.seed)
    tasks = list(itertools.islice(charts, options.charts))
    targets = asyncio.run(measure(tasks, reply, aims, print))
    report(targets, options.json)


if __name__ == "__main__":
    main()

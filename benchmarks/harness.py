"""Rollouts of `inward-chat` beside verifiers' `null`, interleaved in one run, and tool calls.

    uv run --group bench python benchmarks/harness.py [--json]      # about five minutes, Linux

A rollout is four searches on a shared tool server, then an answer: five model calls to a scripted
policy that answers at once, in a process of its own whose cost is left out. At each concurrency
`inward-chat` plays before and after `null`. The bare floor is the same model calls, with the same
growing conversations, made straight to the policy server: no rollout, no trace, no tools.

A rollout of `inward-chat` that fails ends the benchmark. One of `null` is counted and left out of
the rate: on a busy machine its programs run into their own limit of 60 s for the list of tools.
Where none of them ends well, or an anchor breaks down, its row says so and its targets are not
measured.

CPU-seconds are those of the worker and all that it starts. Peak memory is the greatest sum of
their proportional set sizes, so that a page which several processes share counts once.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from targets import Target, report

PARTS = Path(__file__).parent / "harness_parts"
CONCURRENCY = (1, 32, 128)
NULL_ROLLOUTS = {1: 4, 32: 32, 128: 128}
OUR_ROLLOUTS = {1: 40, 32: 160, 128: 512}
"""In each of the two turns of `inward-chat`."""
CALLERS = (1, 32)
SAMPLE_SECONDS = 0.5


@dataclass(frozen=True)
class Sample:
    """One measured batch of rollouts."""

    rollouts: int
    failed: int
    seconds: float
    cpu_seconds: float
    peak_bytes: int


class Meter:
    """CPU time and peak memory of this process and its children, but for one of them."""

    def __init__(self, outsider: int) -> None:
        self._outsider = outsider
        self._me = psutil.Process()

    def _tree(self) -> list[psutil.Process]:
        children = self._me.children(recursive=True)
        return [self._me, *(child for child in children if child.pid != self._outsider)]

    def cpu_seconds(self) -> float:
        """Of the tree so far; processes that have ended count with the parent that reaped them."""
        total = 0.0
        for process in self._tree():
            with _gone_is_fine():
                times = process.cpu_times()
                total += times.user + times.system + times.children_user + times.children_system
        return total

    def memory_bytes(self) -> int:
        total = 0
        for process in self._tree():
            with _gone_is_fine():
                total += proportional_bytes(process.pid)
        return total

    async def measure(self, rollouts: int, work: Callable[[], Awaitable[int]]) -> Sample:
        """`work` plays the rollouts and says how many of them failed."""
        done, peak = threading.Event(), [0]

        def watch() -> None:
            while not done.wait(SAMPLE_SECONDS):
                peak[0] = max(peak[0], self.memory_bytes())

        watcher = threading.Thread(target=watch, daemon=True)
        cpu, started = self.cpu_seconds(), time.perf_counter()
        watcher.start()
        failed = await work()
        seconds = time.perf_counter() - started
        cpu = self.cpu_seconds() - cpu
        done.set()
        await asyncio.to_thread(watcher.join)
        return Sample(rollouts, failed, seconds, cpu, max(peak[0], self.memory_bytes()))


@contextmanager
def _gone_is_fine() -> Iterator[None]:
    """A process may end between the listing and the look."""
    with suppress(psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError):
        yield


def proportional_bytes(pid: int) -> int:
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    [line] = [line for line in text.splitlines() if line.startswith("Pss:")]
    return int(line.split()[1]) * 1024


class Bench:
    """The environments and the policy server of one run."""

    def __init__(self, base_url: str, meter: Meter) -> None:
        import verifiers.v1 as vf

        self.vf = vf
        self.base_url = base_url
        self.meter = meter
        self.ctx = vf.ModelContext(
            model="policy",
            client=vf.EvalClientConfig(base_url=base_url, api_key_var="NO_KEY"),
            sampling=vf.Sampling(),
        )

    async def play(self, env: Any, seat: str, rollouts: int, concurrent: int) -> list[Any]:
        """The traces of that many rollouts."""
        from bench_rollouts import BenchData, BenchTask
        from verifiers.v1.env import RunSlot

        gate = asyncio.Semaphore(concurrent)
        tasks = [
            BenchTask(
                BenchData(idx=n, seat=seat, story=n, prompt="What went on?"),
                env.taskset.config.task,
            )
            for n in range(rollouts)
        ]
        episodes = await asyncio.gather(
            *(env.run_slot(RunSlot(task), self.ctx, gate) for task in tasks)
        )
        traces = [trace for episode in episodes for trace in episode.traces]
        failed = [trace for trace in traces if not trace.ok]
        if failed and seat != "null":
            raise RuntimeError(f"a rollout of {seat} failed: {failed[0].errors}")
        return traces

    async def rollouts(self, env: Any, seat: str, rollouts: int, concurrent: int) -> Sample:
        async def work() -> int:
            traces = await self.play(env, seat, rollouts, concurrent)
            if wrong := [t.stop_condition for t in traces if t.ok and t.reward != 1.0]:
                raise RuntimeError(f"rollouts of {seat} went wrong: {wrong}")
            return sum(not trace.ok for trace in traces)

        return await self.meter.measure(rollouts, work)

    async def floor(self, rollouts: int, concurrent: int) -> Sample:
        """The model calls alone."""
        from bench_tools import passages
        from inward_chat.connections import http_client
        from inward_chat.interception import ModelClient

        client = ModelClient(await http_client(), self.base_url, "no key", "policy", [])
        gate = asyncio.Semaphore(concurrent)

        async def converse(story: int) -> None:
            messages = [{"role": "user", "content": "What went on?"}]
            async with gate:
                while True:
                    message = await client.complete(messages)
                    messages.append(message)
                    if not message.get("tool_calls"):
                        return
                    [call] = message["tool_calls"]
                    result = {"role": "tool", "tool_call_id": call["id"], "name": "story_search"}
                    messages.append({**result, "content": passages(story)})

        async def work() -> int:
            await asyncio.gather(*(converse(n) for n in range(rollouts)))
            return 0

        return await self.meter.measure(rollouts, work)

    async def calls(self, env: Any, seat: str, callers: int) -> tuple[float, float]:
        """Median milliseconds of a search, and searches a second, with that many rollouts."""
        await self.play(env, seat, 1, 1)
        started = time.perf_counter()
        traces = await self.play(env, seat, callers, callers)
        elapsed = time.perf_counter() - started
        seconds = [s for trace in traces for s in trace.info["seconds"]]
        return statistics.median(seconds) * 1e3, len(seconds) / elapsed


def environment(server: str) -> Any:
    from bench_rollouts import BenchConfig, BenchEnv

    return BenchEnv(BenchConfig(taskset={"id": "bench_rollouts", "server": server}))


async def anchor(name: str, work: Awaitable[Sample]) -> list[Sample]:
    """What an anchor did; nothing where it broke down, which is no end of the benchmark."""
    try:
        return [await work]
    except Exception as error:
        print(f"{name}: {type(error).__name__}: {error}", flush=True)
        return []


async def compare_rollouts(bench: Bench) -> dict[int, dict[str, list[Sample]]]:
    samples: dict[int, dict[str, list[Sample]]] = {}
    env = environment("inward")
    async with env.serving():
        await anchor("null", bench.rollouts(env, "null", 2, 2))  # it prepares its program once
        await bench.rollouts(env, "inward", 2, 2)
        for concurrent in CONCURRENCY:
            ours, theirs = OUR_ROLLOUTS[concurrent], NULL_ROLLOUTS[concurrent]
            before = await bench.rollouts(env, "inward", ours, concurrent)
            null = await anchor("null", bench.rollouts(env, "null", theirs, concurrent))
            after = await bench.rollouts(env, "inward", ours, concurrent)
            floor = await anchor("floor", bench.floor(ours, concurrent))
            samples[concurrent] = {"inward-chat": [before, after], "null": null, "floor": floor}
            for name, batch in samples[concurrent].items():
                print_row(concurrent, name, batch)
    return samples


async def compare_calls(bench: Bench) -> dict[tuple[str, int], tuple[float, float]]:
    results: dict[tuple[str, int], tuple[float, float]] = {}
    ours, bundled = environment("inward"), environment("bundled")
    async with ours.serving(), bundled.serving():
        for callers in CALLERS:
            for name, env, seat in (
                ("inward-chat", ours, "calls"),
                ("inward-chat, bundled server", bundled, "calls"),
                ("MCP SDK, bundled server", bundled, "sdk_calls"),
            ):
                try:
                    p50, per_second = await bench.calls(env, seat, callers)
                except Exception as error:
                    if name == "inward-chat":
                        raise
                    print(f"{callers:>10}  {name:<28} {type(error).__name__}: {error}", flush=True)
                    continue
                results[name, callers] = p50, per_second
                print(f"{callers:>10}  {name:<28} {p50:>10.1f} {per_second:>10.0f}", flush=True)
    return results


def rate(batch: list[Sample]) -> float | None:
    """Rollouts that ended well, per second; None where there is none."""
    done = sum(s.rollouts - s.failed for s in batch)
    return done / sum(s.seconds for s in batch) if done else None


def cpu(batch: list[Sample]) -> float | None:
    """CPU-seconds per rollout."""
    return sum(s.cpu_seconds for s in batch) / sum(s.rollouts for s in batch) if batch else None


def peak(batch: list[Sample]) -> float | None:
    """Bytes, of a batch in which a rollout ended well."""
    return max(s.peak_bytes for s in batch) if rate(batch) else None


def over(value: float | None, anchor: float | None) -> float | None:
    return None if value is None or not anchor else value / anchor


def print_row(concurrent: int, name: str, batch: list[Sample]) -> None:
    figures = rate(batch), cpu(batch), over(peak(batch), 1e6)
    cells = [
        "-".rjust(width) if figure is None else f"{figure:{width}.{digits}f}"
        for figure, width, digits in zip(figures, (10, 15, 10), (2, 4, 0), strict=True)
    ]
    failed = sum(s.failed for s in batch) if batch else "all"
    print(f"{concurrent:>10}  {name:<28} {' '.join(cells)} {failed:>7}", flush=True)


def judge(
    samples: dict[int, dict[str, list[Sample]]],
    calls: dict[tuple[str, int], tuple[float, float]],
) -> list[Target]:
    at_128 = samples[128]
    ours, null, floor = at_128["inward-chat"], at_128["null"], at_128["floor"]

    def over_sdk(callers: int, figure: int) -> float | None:
        ours, sdk = (
            calls.get((name, callers)) for name in ("inward-chat", "MCP SDK, bundled server")
        )
        return over(ours and ours[figure], sdk and sdk[figure])

    return [
        Target("rollouts/s over null at 128 concurrent", over(rate(ours), rate(null)), 25),
        Target("peak memory over null at 128", over(peak(ours), peak(null)), 0.1, most=True),
        Target("CPU over the bare model calls at 128", over(cpu(ours), cpu(floor)), 25, most=True),
        Target(
            "median time of a search over the MCP SDK's, 1 rollout",
            over_sdk(1, 0),
            0.1,
            most=True,
        ),
        Target(
            "searches/s over the MCP SDK's, 32 rollouts",
            over_sdk(32, 1),
            2,
        ),
    ]


async def run(base_url: str, policy_pid: int) -> list[Target]:
    bench = Bench(base_url, Meter(policy_pid))
    print(
        f"{'concurrent':>10}  {'':<28} {'rollouts/s':>10} {'CPU-s/rollout':>15}"
        f" {'peak MB':>10} {'failed':>7}"
    )
    samples = await compare_rollouts(bench)
    print(f"\n{'rollouts':>10}  {'':<28} {'p50 ms':>10} {'calls/s':>10}")
    return judge(samples, await compare_calls(bench))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    args = parser.parse_args()
    logging.disable(logging.INFO)
    sys.path.insert(0, str(PARTS))
    os.environ["PYTHONPATH"] = str(PARTS)
    policy = subprocess.Popen(
        [sys.executable, str(PARTS / "bench_policy.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with policy:
        assert policy.stdout is not None
        base_url = policy.stdout.readline().strip()
        targets = asyncio.run(run(base_url, policy.pid))
    print()
    report(targets, args.json)


if __name__ == "__main__":
    main()

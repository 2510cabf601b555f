"""What a score costs: the vLLM plugin beside a bare prefill, the generation, and a sidecar.

    uv run --group models python benchmarks/vllm_entropy.py [--json] [--alpha 2] [--dtype float32]
    uv run --group models python benchmarks/vllm_entropy.py --measures [--json] [--dtype float32]

needs vLLM's CPU build (`python tests/rewards/vllm/install_cpu.py`) and takes about seven minutes.
With `--measures` it tells instead what share of the bare prefill each measure adds to it.
A random Qwen3 of 39 million parameters plus embeddings, ten of its twelve layers scored, on a
prompt of 128 tokens and completions of 512. In each round every party takes its turn over the
same tokens, and figures are medians over the rounds:

- bare prefill: the engine reads the same tokens for one token more, and nothing is scored;
- generation: the engine samples the completions;
- scoring: `VllmSource` asks the same engine for their entropies, one more prefill each;
- sidecar: `LocalModelSource`, the same weights in transformers, reads them in one padded batch;
- the sources' sidecar: one forward a rollout, full tokens x tokens float64 `eigh` a layer.

The target is scoring at no more than 1.15 times the bare prefill: the two take turns, PAIRS times
per round, and the figure is the median of the pairs' ratios.

Mixed load: eight streams generate one rollout after the other; alone, with each finished rollout
scored while the next one is sampled, and with 16 scores in flight all the time.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import torch
from inward_rewards.entropy.wire import MEASURES
from inward_rewards.hidden_states import Completion, EntropyConfig, LocalModelSource, VllmSource
from targets import Target, report
from transformers import AutoModel
from vllm_entropy_parts.measures import shares
from vllm_entropy_parts.parties import (
    COMPLETION,
    LAYERS,
    MOST,
    PROMPT,
    WIDTHS,
    Parties,
    Rollouts,
    VllmServer,
    environment,
    gathered,
    install_plugin,
    interpreter,
    make_folder,
    prompts,
    ratio,
    switch_on,
    timed,
)

ROUNDS = 3
PAIRS = 6
"""Scorings, each beside a bare prefill of the same tokens, per round."""
STREAMS, ROLLOUTS_A_STREAM, IN_FLIGHT = 8, 2, 16
MIXED_ROUNDS = 2

PAIRED, PREFILL = "scoring, paired", "bare prefill"


async def in_turn(parties: Parties, width: int, rng: random.Random) -> dict[str, list[float]]:
    """Seconds of every party in every round; the order of the readers changes by round."""
    found: dict[str, list[float]] = {"generation": []}
    apart = 0.0
    for number in range(ROUNDS):
        starts = prompts(width, rng)
        taken, rollouts = await timed(gathered(parties.generate(prompt) for prompt in starts))
        found["generation"].append(taken)
        readers: list[tuple[str, Callable[[Rollouts], Awaitable[Any]]]] = [
            ("scoring", parties.score),
            ("sidecar", parties.read),
            ("the sources' sidecar", parties.read_as_the_sources),
        ]
        results: dict[str, list[Any]] = {}
        for name, read in readers[number % 3 :] + readers[: number % 3]:
            taken, results[name] = await timed(read(rollouts))
            found.setdefault(name, []).append(taken)
        for name, seconds in (await in_pairs(parties, rollouts)).items():
            found.setdefault(name, []).extend(seconds)
        apart = max(
            apart,
            *(
                abs(ours.raw - theirs.raw)
                for ours, theirs in zip(results["scoring"], results["sidecar"], strict=True)
            ),
        )
    print(f"\n{width} at once, {ROUNDS} rounds (engine and sidecar at most {apart:.1e} bits apart)")
    generation = statistics.median(found["generation"])
    for name, seconds in found.items():
        print(
            f"  {name:21} {statistics.median(seconds):7.2f} s "
            f"[{min(seconds):.2f}, {max(seconds):.2f}]  "
            f"{statistics.median(seconds) / generation:7.1%} of generation"
        )
    print(f"  scoring is {ratio(found[PAIRED], found[PREFILL]):.3f} times the bare prefill")
    return found


async def in_pairs(parties: Parties, rollouts: Rollouts) -> dict[str, list[float]]:
    """Seconds of scoring and of a bare prefill, in turn; who comes first changes by pair."""
    found: dict[str, list[float]] = {PAIRED: [], PREFILL: []}
    readers: dict[str, Callable[[Rollouts], Awaitable[Any]]] = {
        PAIRED: parties.score,
        PREFILL: parties.prefill,
    }
    for number in range(PAIRS):
        for name in sorted(readers, reverse=bool(number % 2)):
            taken, _ = await timed(readers[name](rollouts))
            found[name].append(taken)
    return found


async def stream(parties: Parties, starts: Sequence[list[int]], score: bool) -> float:
    """Generate one after the other; the scores are finished when this returns, the clock stops
    with the last generated token."""
    scores = []
    for prompt in starts:
        rollout = await parties.generate(prompt)
        if score:
            scores.append(asyncio.create_task(parties.score([rollout])))
    ended = time.perf_counter()
    await asyncio.gather(*scores)
    return ended


async def generation_rate(parties: Parties, rng: random.Random, score: bool) -> float:
    """Tokens a second of all streams."""
    started = time.perf_counter()
    ends = await gathered(
        stream(parties, prompts(ROLLOUTS_A_STREAM, rng), score) for _ in range(STREAMS)
    )
    return STREAMS * ROLLOUTS_A_STREAM * COMPLETION / (max(ends) - started)


async def flooded_rate(parties: Parties, rng: random.Random) -> tuple[float, float]:
    """Tokens a second of all streams, and scores a second, with scores in flight all the time."""
    count = 0

    async def flood() -> None:
        nonlocal count
        while True:
            ids = [rng.randrange(9, 600) for _ in range(PROMPT + COMPLETION)]
            await parties.score([Completion(tuple(ids[:PROMPT]), tuple(ids[PROMPT:]))])
            count += 1

    floods = [asyncio.create_task(flood()) for _ in range(IN_FLIGHT)]
    started = time.perf_counter()
    rate = await generation_rate(parties, rng, score=False)
    taken = time.perf_counter() - started
    for task in floods:
        task.cancel()
    await asyncio.gather(*floods, return_exceptions=True)
    return rate, count / taken


async def mixed(parties: Parties, rng: random.Random) -> None:
    alone, scored, flooded, scores = [], [], [], []
    for _ in range(MIXED_ROUNDS):
        alone.append(await generation_rate(parties, rng, score=False))
        scored.append(await generation_rate(parties, rng, score=True))
        rate, count = await flooded_rate(parties, rng)
        flooded.append(rate)
        scores.append(count)
    print(f"\nmixed load, {STREAMS} streams, {MIXED_ROUNDS} rounds: tokens/s of generation")
    print(f"  alone                     {statistics.median(alone):7.0f}")
    for name, rates in (("every rollout scored", scored), (f"{IN_FLIGHT} in flight", flooded)):
        print(f"  {name:25} {statistics.median(rates):7.0f}  {ratio(rates, alone):6.1%}")
    print(f"  ({statistics.median(scores):.1f} scores/s at {IN_FLIGHT} in flight)")


def targets(found: dict[int, dict[str, list[float]]]) -> list[Target]:
    return [
        Target(
            f"scoring over a bare prefill, {width} at once",
            ratio(seconds[PAIRED], seconds[PREFILL]),
            MOST,
            most=True,
        )
        for width, seconds in found.items()
    ]


async def measure(server: VllmServer, folder: Path, alpha: float) -> list[Target]:
    rng = random.Random(0)
    config = {"layers": LAYERS, "alpha": alpha}
    async with AsyncExitStack() as stack:
        local = EntropyConfig(source="transformers", model=str(folder), **config)
        parties = Parties(
            server,
            await stack.enter_async_context(server.client()),
            await stack.enter_async_context(VllmSource(EntropyConfig(source="vllm", **config))),
            await stack.enter_async_context(LocalModelSource(local)),
            AutoModel.from_pretrained(folder, dtype="auto").eval(),
            alpha,
        )
        warm = [await parties.generate(prompts(1, rng)[0])]
        for read in (
            parties.prefill,
            parties.score,
            parties.read,
            parties.read_as_the_sources,
        ):
            await read(warm)
        found = {width: await in_turn(parties, width, rng) for width in WIDTHS}
        await mixed(parties, rng)
    return targets(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="the last line holds the targets")
    parser.add_argument("--measures", action="store_true", help="what each measure adds")
    parser.add_argument("--alpha", type=float, default=1.0)
    parser.add_argument("--dtype", choices=["bfloat16", "float32"], default="bfloat16")
    given = parser.parse_args()
    sys.stdout.reconfigure(line_buffering=True)  # seen as it comes, in a file too
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # and the server with it
    python = interpreter()
    if python is None:
        sys.exit(
            f"vLLM's CPU build is not in {environment()}: run "
            "`python tests/rewards/vllm/install_cpu.py`"
        )
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        folder = make_folder(scratch / "model", given.dtype)
        plugin = install_plugin(python, scratch / "plugin")
        flags = ["--dtype", given.dtype, "--max-num-seqs", "32"]
        measures = MEASURES if given.measures else MEASURES[:1]
        on = switch_on(layers=LAYERS, alphas=[given.alpha], measures=list(measures))
        with VllmServer(python, folder, plugin, scratch / "log", *flags, *on) as server:
            print(f"{given.dtype}, alpha {given.alpha:g}, {torch.get_num_threads()} threads")
            work = (
                shares(server, given.alpha)
                if given.measures
                else measure(server, folder, given.alpha)
            )
            found = asyncio.run(work)
    report(found, given.json)


if __name__ == "__main__":
    main()

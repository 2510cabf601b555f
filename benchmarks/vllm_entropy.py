"""What a score costs: the vLLM plugin beside a bare prefill, the generation, and a sidecar.

    uv run --group models python benchmarks/vllm_entropy.py [--json] [--alpha 2] [--dtype float32]

needs vLLM's CPU build (`python tests/rewards/vllm/install_cpu.py`) and takes about seven minutes.
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
import uuid
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import torch
from inward_rewards.entropy import select_layers
from inward_rewards.hidden_states import (
    Completion,
    EntropyConfig,
    LocalModelSource,
    Measurement,
    Policy,
    VllmSource,
)
from transformers import AutoModel, AutoModelForCausalLM

sys.path.append(str(Path(__file__).parents[1] / "tests"))  # the server is the tests' own

from entropy import sources_way
from rewards.vllm.install_cpu import environment, interpreter
from rewards.vllm.server import MODEL, VllmServer, install_plugin, switch_on
from rewards.vllm.tiny_models import make_model
from targets import Target, report

SHAPE = {
    "vocab_size": 32_000,
    "hidden_size": 512,
    "intermediate_size": 1536,
    "num_hidden_layers": 12,
    "num_attention_heads": 8,
    "num_key_value_heads": 4,
    "head_dim": 64,
    "initializer_range": 0.04,
}
LAYERS = "middle:10"
PROMPT, COMPLETION = 128, 512
WIDTHS = (1, 8)
"""Rollouts at once."""
ROUNDS = 3
PAIRS = 6
"""Scorings, each beside a bare prefill of the same tokens, per round."""
STREAMS, ROLLOUTS_A_STREAM, IN_FLIGHT = 8, 2, 16
MIXED_ROUNDS = 2

PAIRED, PREFILL = "scoring, paired", "bare prefill"

Rollouts = Sequence[Completion]


@dataclass(frozen=True)
class Parties:
    server: VllmServer
    client: httpx.AsyncClient
    engine: VllmSource
    sidecar: LocalModelSource
    reader: Any
    alpha: float

    @property
    def policy(self) -> Policy:
        return Policy(MODEL, f"{self.server.url}/v1", (), trains=False)

    async def generate(self, prompt: list[int]) -> Completion:
        body = {
            "model": MODEL,
            "prompt": prompt,
            "max_tokens": COMPLETION,
            "min_tokens": COMPLETION,  # no end token: the sidecar's span would stop there
            "detokenize": False,
            "return_token_ids": True,
        }
        response = await self.client.post("/v1/completions", json=body)
        response.raise_for_status()
        [choice] = response.json()["choices"]
        return Completion(tuple(prompt), tuple(choice["token_ids"]))

    async def prefill(self, rollouts: Rollouts) -> list[httpx.Response]:
        return await _all(self._prefill_one(one) for one in rollouts)

    async def _prefill_one(self, rollout: Completion) -> httpx.Response:
        """The request of a score, but for the spans."""
        body = {
            "model": MODEL,
            "prompt": list(rollout.token_ids),
            "max_tokens": 1,
            "temperature": 0,
            "cache_salt": uuid.uuid4().hex,
        }
        response = await self.client.post("/v1/completions", json=body)
        return response.raise_for_status()

    async def score(self, rollouts: Rollouts) -> list[Measurement]:
        return await _all(self.engine.measure(one, self.policy) for one in rollouts)

    async def read(self, rollouts: Rollouts) -> list[Measurement]:
        return await _all(self.sidecar.measure(one, self.policy) for one in rollouts)

    async def read_as_the_sources(self, rollouts: Rollouts) -> list[float]:
        return await asyncio.to_thread(lambda: [self._read_one(one) for one in rollouts])

    @torch.inference_mode()
    def _read_one(self, rollout: Completion) -> float:
        ids = torch.tensor([rollout.token_ids])
        states = self.reader(ids, output_hidden_states=True).hidden_states
        start, stop = rollout.span()
        layers = select_layers(LAYERS, SHAPE["num_hidden_layers"])
        chosen = torch.stack([states[layer][0, start:stop] for layer in layers])
        return statistics.fmean(sources_way(chosen, self.alpha))


async def _all(work: Any) -> Any:
    return await asyncio.gather(*work)


async def timed(work: Awaitable[Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    result = await work
    return time.perf_counter() - started, result


def prompts(count: int, rng: random.Random) -> list[list[int]]:
    return [[rng.randrange(9, 600) for _ in range(PROMPT)] for _ in range(count)]


async def in_turn(parties: Parties, width: int, rng: random.Random) -> dict[str, list[float]]:
    """Seconds of every party in every round; the order of the readers changes by round."""
    found: dict[str, list[float]] = {"generation": []}
    apart = 0.0
    for number in range(ROUNDS):
        starts = prompts(width, rng)
        taken, rollouts = await timed(_all(parties.generate(prompt) for prompt in starts))
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


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Median of the rounds' ratios."""
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))


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
    ends = await _all(
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
            1.15,
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


def make_folder(folder: Path, dtype: str) -> Path:
    make_model("qwen3", folder, **SHAPE)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=getattr(torch, dtype))
    model.save_pretrained(folder)
    return folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="the last line holds the targets")
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
        on = switch_on(layers=LAYERS, alphas=[given.alpha])
        with VllmServer(python, folder, plugin, scratch / "log", *flags, *on) as server:
            print(f"{given.dtype}, alpha {given.alpha:g}, {torch.get_num_threads()} threads")
            found = asyncio.run(measure(server, folder, given.alpha))
    report(found, given.json)


if __name__ == "__main__":
    main()

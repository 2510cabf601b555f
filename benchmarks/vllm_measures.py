"""What each measure of the vLLM plugin costs, beside a bare prefill of the same tokens.

    uv run --group models python benchmarks/vllm_measures.py [--json] [--dtype float32]

needs vLLM's CPU build, as `vllm_entropy.py` does, whose model, prompts and clients these are. In
each round the engine reads the same rollouts with each measure, with all of them and with none, one
after the other, and who begins changes by round. Figures are medians of the rounds' ratios to the
bare prefill. The target is that of scoring by matrix entropy, 1.15, for each measure; token measures
make logits of every token of the completion, for which a prefill makes one row.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import signal
import sys
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

import torch
from inward_rewards.entropy.wire import MEASURES
from inward_rewards.hidden_states import EntropyConfig, LocalModelSource, VllmSource
from targets import Target, report
from vllm_entropy import COMPLETION, LAYERS, PROMPT, Parties, Rollouts, make_folder, ratio, timed

sys.path.append(str(Path(__file__).parents[1] / "tests"))  # the server is the tests' own

from rewards.vllm.install_cpu import environment, interpreter
from rewards.vllm.server import VllmServer, install_plugin, switch_on

WIDTHS = (1, 8)
"""Rollouts at once."""
ROUNDS = 6
PREFILL, ALL = "bare prefill", "all of them"
MOST = 1.15


async def measured(parties: Parties, measures: tuple[str, ...], rollouts: Rollouts) -> list[Any]:
    score = parties.engine.score_completion
    return await asyncio.gather(*(score(one, measures, parties.policy) for one in rollouts))


async def costs(parties: Parties, width: int, rng: random.Random) -> dict[str, float]:
    """Measure -> median ratio to the bare prefill."""
    readers: dict[str, Callable[[Rollouts], Awaitable[Any]]] = {
        PREFILL: parties.prefill,
        **{measure: partial(measured, parties, (measure,)) for measure in MEASURES},
        ALL: partial(measured, parties, MEASURES),
    }
    seconds: dict[str, list[float]] = {name: [] for name in readers}
    for number in range(ROUNDS):
        prompts = [[rng.randrange(9, 600) for _ in range(PROMPT)] for _ in range(width)]
        rollouts = await asyncio.gather(*(parties.generate(prompt) for prompt in prompts))
        names = list(readers)
        for name in names[number % len(names) :] + names[: number % len(names)]:
            taken, _ = await timed(readers[name](rollouts))
            seconds[name].append(taken)
    print(f"\n{width} at once, {ROUNDS} rounds, {COMPLETION} tokens each: times the bare prefill")
    found = {name: ratio(seconds[name], seconds[PREFILL]) for name in readers if name != PREFILL}
    for name, times in found.items():
        print(f"  {name:16} {times:5.2f}")
    return found


async def measure(server: VllmServer, folder: Path) -> list[Target]:
    rng = random.Random(0)
    async with AsyncExitStack() as stack:
        config = EntropyConfig(source="vllm", layers=LAYERS)
        local = EntropyConfig(source="transformers", model=str(folder), layers=LAYERS)
        parties = Parties(
            server,
            await stack.enter_async_context(server.client()),
            await stack.enter_async_context(VllmSource(config)),
            LocalModelSource(local),  # not asked here
            None,
            1.0,
        )
        warm = [await parties.generate([rng.randrange(9, 600) for _ in range(PROMPT)])]
        await parties.prefill(warm)
        await measured(parties, MEASURES, warm)
        found = {width: await costs(parties, width, rng) for width in WIDTHS}
    return [
        Target(f"{name} over a bare prefill, {width} at once", times, MOST, most=True)
        for width, by_name in found.items()
        for name, times in by_name.items()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="the last line holds the targets")
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
        on = switch_on(layers=LAYERS, measures=list(MEASURES))
        with VllmServer(python, folder, plugin, scratch / "log", *flags, *on) as server:
            print(f"{given.dtype}, {torch.get_num_threads()} threads")
            found = asyncio.run(measure(server, folder))
    report(found, given.json)


if __name__ == "__main__":
    main()

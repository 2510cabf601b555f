"""What each measure adds to the prefill that its request is anyway."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from inward_rewards.entropy.wire import MEASURES
from inward_rewards.hidden_states import EntropyConfig, VllmSource
from targets import Target
from vllm_entropy_parts.parties import (
    COMPLETION,
    LAYERS,
    MOST,
    WIDTHS,
    Rollouts,
    Served,
    VllmServer,
    gathered,
    prompts,
    ratio,
    timed,
)

ROUNDS = 4
PREFILL, ALL = "bare prefill", "all of them"


async def shares(server: VllmServer, alpha: float) -> list[Target]:
    """Print each measure's share of the prefill; the target of the one that has one."""
    rng, config = random.Random(0), EntropyConfig(source="vllm", layers=LAYERS, alpha=alpha)
    async with server.client() as client, VllmSource(config) as source:
        served = Served(server, client, source)
        warm = [await served.generate(prompts(1, rng)[0])]
        await served.prefill(warm)
        await served.measured(MEASURES, warm)
        return [await costs(served, width, rng) for width in WIDTHS]


async def costs(served: Served, width: int, rng: random.Random) -> Target:
    """Each round reads the same rollouts by each measure, by all, and by none; who begins changes
    by round."""
    readers: dict[str, Callable[[Rollouts], Awaitable[Any]]] = {
        PREFILL: served.prefill,
        **{measure: partial(served.measured, (measure,)) for measure in MEASURES},
        ALL: partial(served.measured, MEASURES),
    }
    names, seconds = list(readers), {name: list[float]() for name in readers}
    for number in range(ROUNDS):
        rollouts = await gathered(served.generate(prompt) for prompt in prompts(width, rng))
        turn = 2 * number % len(names)
        for name in names[turn:] + names[:turn]:
            taken, _ = await timed(readers[name](rollouts))
            seconds[name].append(taken)
    print(f"\n{width} at once, {ROUNDS} rounds of {COMPLETION} tokens: beyond the bare prefill")
    bare = seconds.pop(PREFILL)
    for name, found in seconds.items():
        each = sorted(one / other - 1 for one, other in zip(found, bare, strict=True))
        print(f"  {name:16} {ratio(found, bare) - 1:6.1%} of it [{each[0]:.1%}, {each[-1]:.1%}]")
    return Target(
        f"matrix_entropy over a bare prefill, {width} at once",
        ratio(seconds["matrix_entropy"], bare),
        MOST,
        most=True,
    )

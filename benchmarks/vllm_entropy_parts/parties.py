"""Who takes part in `vllm_entropy.py`: the engine, its clients, and the sidecars."""

from __future__ import annotations

import asyncio
import random
import statistics
import sys
import time
import uuid
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import torch
from inward_rewards.entropy import select_layers
from inward_rewards.hidden_states import (
    Completion,
    LocalModelSource,
    Measurement,
    Policy,
    VllmSource,
)
from transformers import AutoModelForCausalLM

sys.path.append(str(Path(__file__).parents[2] / "tests"))  # the server is the tests' own

from entropy import sources_way
from rewards.vllm.install_cpu import environment, interpreter
from rewards.vllm.server import MODEL, VllmServer, install_plugin, switch_on
from rewards.vllm.tiny_models import make_model

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
MOST = 1.15
"""Times the bare prefill: the target of a score."""

__all__ = [
    "COMPLETION",
    "LAYERS",
    "MOST",
    "PROMPT",
    "WIDTHS",
    "Parties",
    "Rollouts",
    "Served",
    "VllmServer",
    "environment",
    "gathered",
    "install_plugin",
    "interpreter",
    "make_folder",
    "prompts",
    "ratio",
    "switch_on",
    "timed",
]

Rollouts = Sequence[Completion]


@dataclass(frozen=True)
class Served:
    """The engine, and its clients."""

    server: VllmServer
    client: httpx.AsyncClient
    engine: VllmSource

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
        return await gathered(self._prefill_one(one) for one in rollouts)

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
        return await gathered(self.engine.measure(one, self.policy) for one in rollouts)

    async def measured(self, measures: tuple[str, ...], rollouts: Rollouts) -> list[Any]:
        score = self.engine.score_completion
        return await gathered(score(one, measures, self.policy) for one in rollouts)


@dataclass(frozen=True)
class Parties(Served):
    """And beside it the same weights in transformers, read in two ways."""

    sidecar: LocalModelSource
    reader: Any
    alpha: float

    async def read(self, rollouts: Rollouts) -> list[Measurement]:
        return await gathered(self.sidecar.measure(one, self.policy) for one in rollouts)

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


async def gathered(work: Any) -> Any:
    return await asyncio.gather(*work)


async def timed(work: Awaitable[Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    result = await work
    return time.perf_counter() - started, result


def prompts(count: int, rng: random.Random) -> list[list[int]]:
    return [[rng.randrange(9, 600) for _ in range(PROMPT)] for _ in range(count)]


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Median of the rounds' ratios."""
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))


def make_folder(folder: Path, dtype: str) -> Path:
    make_model("qwen3", folder, **SHAPE)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=getattr(torch, dtype))
    model.save_pretrained(folder)
    return folder

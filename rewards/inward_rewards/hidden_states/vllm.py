"""The policy's own engine scores its completions: one extra prefill each, floats come back."""

from __future__ import annotations

import asyncio
import random
import re
import uuid
from typing import Any, Self

import httpx
from verifiers.v1.clients.base import join_url

from inward_rewards.entropy_layers import select_layers
from inward_rewards.entropy_wire import (
    SPANS_KEY,
    HiddenStatesError,
    ScoreAnswer,
    ScoreRequest,
)
from inward_rewards.hidden_states.config import EntropyConfig
from inward_rewards.hidden_states.source import Measurement, Policy
from inward_rewards.hidden_states.token_ids import Completion

ATTEMPTS = 3
TIMEOUT = httpx.Timeout(connect=10, read=300, write=60, pool=None)
TOO_LONG = "max_tokens must be at least 1, got 0|maximum (context|model) length"
"""What vLLM's 400 says of a prompt that fills the context, and of a longer one."""
OVERLOADED = {429, 502, 503, 504}
"""Statuses of a server that may do better a moment later."""


class VllmSource:
    """Client of a vLLM server that was started with the inward plugin.

    Only transport faults are retried; every other failure raises HiddenStatesError.
    """

    def __init__(self, config: EntropyConfig) -> None:
        self._config = config
        self._slots = asyncio.Semaphore(config.concurrency)
        self._client = httpx.AsyncClient(
            timeout=TIMEOUT, limits=httpx.Limits(max_connections=config.concurrency)
        )

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._client.aclose()

    async def measure(self, completion: Completion, policy: Policy) -> Measurement:
        # The engine stops at its end-of-sequence token, and only it knows which that is: the span
        # is all that it sampled.
        request = ScoreRequest((completion.span(),))
        answer = await self.score(completion.token_ids, request, policy)
        [span] = answer.spans
        return Measurement(
            layers=answer.layers,
            per_layer=span.entropy[answer.alphas.index(self._config.alpha)],
            tokens=span.rows,
            dim=answer.dim,
            preset=answer.preset,
            alpha=self._config.alpha,
            measures="policy",
            scorer=f"vllm {answer.vllm}, inward {answer.plugin}",
            policy_version=answer.policy_version,
        )

    async def score(
        self, token_ids: tuple[int, ...], request: ScoreRequest, policy: Policy
    ) -> ScoreAnswer:
        """The engine's answer for any spans of one sequence, checked against the config."""
        url = join_url(self._config.url or policy.base_url, "/v1/completions")
        body = {
            "model": policy.model,
            "prompt": list(token_ids),
            "max_tokens": 1,
            "temperature": 0,
            "vllm_xargs": request.to_xargs(),
        }
        async with self._slots:
            response = await self._post(url, body, dict(policy.headers))
        answer = ScoreAnswer.from_json(_inward(response, url), request)
        self._check(answer, len(token_ids))
        return answer

    async def _post(self, url: str, body: dict[str, Any], headers: dict[str, str]) -> Any:
        for attempt in range(ATTEMPTS):
            # A prefix-cache hit computes no hidden states, and after a weight update its keys
            # are stale: every request starts from an empty cache of its own.
            body["cache_salt"] = uuid.uuid4().hex
            try:
                response = await self._client.post(url, json=body, headers=headers)
            except httpx.TransportError as error:
                fault = f"{type(error).__name__}: {error}"
            else:
                if response.status_code not in OVERLOADED:
                    return _read(response, url)
                fault = f"HTTP {response.status_code}"
            if attempt + 1 < ATTEMPTS:
                await asyncio.sleep(2**attempt * random.uniform(0.1, 0.3))
        raise HiddenStatesError(
            f"no hidden-state score from {url} after {ATTEMPTS} attempts ({fault}); is the engine "
            "up, and is entropy.url right?"
        )

    def _check(self, answer: ScoreAnswer, tokens: int) -> None:
        """The engine's start-up flags must say what this run's config says."""
        wanted = self._config
        flag = "start it with the same value in --additional-config '{\"inward\": …}'"
        if answer.tokens != tokens:
            raise HiddenStatesError(
                f"sent {tokens} tokens, the engine read {answer.tokens}: does it add tokens or "
                "truncate?"
            )
        if answer.preset != wanted.preset:
            raise HiddenStatesError(
                f"entropy.preset is {wanted.preset!r}, the engine's {answer.preset!r}; {flag}"
            )
        if wanted.alpha not in answer.alphas:
            raise HiddenStatesError(
                f"entropy.alpha {wanted.alpha!r} is not among the engine's "
                f"{list(answer.alphas)!r}; {flag}"
            )
        layers = select_layers(wanted.layers, answer.n_layers)
        if layers != answer.layers:
            raise HiddenStatesError(
                f"entropy.layers {wanted.layers!r} is {list(layers)!r} here, the engine reads "
                f"{list(answer.layers)!r}; {flag}"
            )


def _read(response: httpx.Response, url: str) -> Any:
    if response.status_code == 400 and re.search(TOO_LONG, response.text):
        raise HiddenStatesError(
            f"{url}: a score takes one token more than the rollout has, for which this engine has "
            "no room; serve with --max-model-len at least one above the longest rollout "
            f"({response.text[:300]})"
        )
    if response.status_code != 200:
        raise HiddenStatesError(f"{url}: HTTP {response.status_code}: {response.text[:300]}")
    try:
        return response.json()
    except ValueError as error:
        raise HiddenStatesError(f"{url} answered no JSON: {response.text[:200]!r}") from error


def _inward(response: Any, url: str) -> Any:
    if not isinstance(response, dict):
        raise HiddenStatesError(f"{url} answered no completion: {str(response)[:200]}")
    parameters = response.get("kv_transfer_params")
    return parameters.get(SPANS_KEY) if isinstance(parameters, dict) else None

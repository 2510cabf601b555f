"""The policy's own engine scores its completions: one extra prefill each, floats come back."""

from __future__ import annotations

import asyncio
import random
import re
import uuid
from collections.abc import Callable, Sequence
from typing import Any, Self, TypeVar

import httpx
from verifiers.v1.clients.base import join_url

from inward_rewards.entropy.layers import select_layers
from inward_rewards.entropy.wire import (
    DEFAULT_MEASURES,
    SPANS_KEY,
    HiddenStatesError,
    ScoreAnswer,
    ScoreRequest,
    TryLaterError,
    UnmeasurableError,
)
from inward_rewards.hidden_states.config import EntropyConfig
from inward_rewards.hidden_states.source import Measurement, Policy
from inward_rewards.hidden_states.spans import CompletionScore
from inward_rewards.hidden_states.token_ids import Completion

WAIT_S = 300.0
"""Bound on one score in all, from its first request on: a pause or a weight update is waited out
within it, and a silent engine is not waited for any longer."""
ATTEMPTS = 3
"""Tries of a server that is not reached, by us or by a gateway before it."""
TIMEOUT = httpx.Timeout(connect=10, read=None, write=60, pool=None)
"""Of one request's parts; `WAIT_S` bounds its answer."""
LONGEST_PAUSE_S = 5.0
"""Between two tries, but for chance."""
TOO_LONG = "max_tokens must be at least 1, got 0|maximum (context|model) length"
"""What vLLM's 400 says of a prompt that fills the context, and of a longer one."""
UNMEASURABLE = r"this server keeps \d+ at once|placeholder"
"""What the plugin's 400 says of a sequence that it cannot score, however often it is asked."""
BUSY = {429, 503}
"""Statuses of a server that is overloaded, or paused for new weights."""
NOT_REACHED = {502, 504}
"""Statuses of a gateway that found no server."""


AnswerT = TypeVar("AnswerT")


class VllmSource:
    """Client of a vLLM server that was started with the inward plugin.

    What a moment mends is asked for again: transport faults a few times; overload, pauses, aborts
    and weights that changed under the score until `WAIT_S` is over. Every other failure raises
    HiddenStatesError.
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
        answer, left_out = await self._completion(completion, DEFAULT_MEASURES, policy)
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
            dtype=answer.dtype,
            left_out=left_out,
        )

    async def score_completion(
        self, completion: Completion, measures: tuple[str, ...], policy: Policy
    ) -> CompletionScore:
        """Any of the engine's measures of a completion."""
        answer, left_out = await self._completion(completion, measures, policy)
        return CompletionScore(answer.spans[0], answer.dtype, left_out)

    async def _completion(
        self, completion: Completion, measures: tuple[str, ...], policy: Policy
    ) -> tuple[ScoreAnswer, int]:
        """(the engine's answer, how many tokens it left out)"""
        # The engine stops at its end-of-sequence token, and only it knows which that is: the span
        # is all that it sampled.
        token_ids, (start, stop) = completion.token_ids, completion.span()
        async with self._slots:
            until = asyncio.get_running_loop().time() + WAIT_S
            try:
                request = ScoreRequest(((start, stop),), measures=measures)
                return await self._score(token_ids, request, policy, until), 0
            except _NoRoomError:
                if stop - start == 1:
                    raise
                # A score is a completion of one token, and a rollout that filled the context
                # leaves no room for it: all but the last token is read.
                request = ScoreRequest(((start, stop - 1),), measures=measures)
                return await self._score(token_ids[:-1], request, policy, until), 1

    async def decode(self, token_ids: Sequence[int], policy: Policy) -> str:
        """By vLLM's `/detokenize`."""
        base = (self._config.url or policy.base_url).rstrip("/").removesuffix("/v1")
        url, body = f"{base}/detokenize", {"model": policy.model, "tokens": list(token_ids)}
        async with self._slots:
            until = asyncio.get_running_loop().time() + WAIT_S
            return await self._ask("text of tokens", url, lambda: body, policy, until, _text)

    async def score(
        self, token_ids: tuple[int, ...], request: ScoreRequest, policy: Policy
    ) -> ScoreAnswer:
        """The engine's answer for any spans of one sequence, checked against the config."""
        async with self._slots:
            until = asyncio.get_running_loop().time() + WAIT_S
            return await self._score(token_ids, request, policy, until)

    async def _score(
        self, token_ids: tuple[int, ...], request: ScoreRequest, policy: Policy, until: float
    ) -> ScoreAnswer:
        """`until`: the event loop's time at which it is given up."""
        url = join_url(self._config.url or policy.base_url, "/v1/completions")
        body = {
            "model": policy.model,
            "prompt": list(token_ids),
            "max_tokens": 1,
            "temperature": 0,
            "vllm_xargs": request.to_xargs(),
        }

        def salted() -> dict[str, Any]:
            # A prefix-cache hit computes no hidden states, and after a weight update its keys
            # are stale: every request starts from an empty cache of its own.
            return body | {"cache_salt": uuid.uuid4().hex}

        def answer_of(response: Any) -> ScoreAnswer:
            return ScoreAnswer.from_json(_inward(response, url), request)

        answer = await self._ask("hidden-state score", url, salted, policy, until, answer_of)
        self._check(answer, len(token_ids), request)
        return answer

    async def _ask(
        self,
        what: str,
        url: str,
        body: Callable[[], dict[str, Any]],
        policy: Policy,
        until: float,
        read: Callable[[Any], AnswerT],
    ) -> AnswerT:
        """Ask until there is an answer that `read` takes."""
        said: list[str] = []
        try:
            async with asyncio.timeout_at(until):
                return await self._asked(what, url, body, dict(policy.headers), read, said)
        except TimeoutError:
            raise HiddenStatesError(
                f"no {what} from {url} within {WAIT_S:g} s: "
                f"{said[-1] if said else 'the engine stays silent'}; is it stuck, overloaded, or "
                "paused for longer than that?"
            ) from None

    async def _asked(
        self,
        what: str,
        url: str,
        body: Callable[[], dict[str, Any]],
        headers: dict[str, str],
        read: Callable[[Any], AnswerT],
        said: list[str],
    ) -> AnswerT:
        """`said` takes down why there was no answer."""
        not_reached = 0
        while True:
            if self._client.is_closed:
                raise HiddenStatesError("the client of the engine is closed: measure before")
            try:
                response = await self._client.post(url, json=body(), headers=headers)
                return read(_read(response, url))
            except TryLaterError as error:
                said.append(str(error))
            except (_NotReachedError, httpx.TransportError) as error:
                fault = str(error) if isinstance(error, _NotReachedError) else _named(error)
                said.append(fault)
                not_reached += 1
                if not_reached == ATTEMPTS:
                    raise HiddenStatesError(
                        f"no {what} from {url} after {ATTEMPTS} attempts ({fault}); "
                        "is the engine up, and is entropy.url right?"
                    ) from error
            pause = min(0.1 * 2.0 ** min(len(said), 10), LONGEST_PAUSE_S)
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))

    def _check(self, answer: ScoreAnswer, tokens: int, request: ScoreRequest) -> None:
        """The engine's start-up flags must say what this run's config says."""
        wanted = self._config
        flag = "start it with the same value in --additional-config '{\"inward\": …}'"
        if answer.tokens != tokens:
            raise HiddenStatesError(
                f"sent {tokens} tokens, the engine read {answer.tokens}: does it add tokens or "
                "truncate?"
            )
        if not request.reads_layers:
            return
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


class _NotReachedError(HiddenStatesError):
    """A gateway answered in the engine's place."""


class _NoRoomError(UnmeasurableError):
    """The sequence and the one token that a score samples do not fit into the context."""


def _text(answer: Any) -> str:
    text = answer.get("prompt") if isinstance(answer, dict) else None
    if not isinstance(text, str):
        raise HiddenStatesError(f"the engine answered no text of tokens: {str(answer)[:200]}")
    return text


def _named(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _read(response: httpx.Response, url: str) -> Any:
    status, said = response.status_code, response.text[:300]
    if status in BUSY:
        raise TryLaterError(f"HTTP {status}: {said}")
    if status in NOT_REACHED:
        raise _NotReachedError(f"HTTP {status}")
    if status == 400 and re.search(TOO_LONG, response.text):
        raise _NoRoomError(
            f"{url}: the engine has no room for the rollout; serve with --max-model-len at least "
            f"one above the longest rollout ({said})"
        )
    if status == 400 and re.search(UNMEASURABLE, response.text):
        raise UnmeasurableError(f"{url}: {said}")
    if status != 200:
        raise HiddenStatesError(f"{url}: HTTP {status}: {said}")
    try:
        return response.json()
    except ValueError as error:
        raise HiddenStatesError(f"{url} answered no JSON: {response.text[:200]!r}") from error


def _inward(response: Any, url: str) -> Any:
    """TryLaterError: the engine ended the request without reading it."""
    if not isinstance(response, dict):
        raise HiddenStatesError(f"{url} answered no completion: {str(response)[:200]}")
    parameters = response.get("kv_transfer_params")
    payload = parameters.get(SPANS_KEY) if isinstance(parameters, dict) else None
    if payload is None and _finish_reason(response) == "abort":
        raise TryLaterError("the engine aborted the score, as /pause does for a weight update")
    return payload


def _finish_reason(response: dict[str, Any]) -> Any:
    choices = response.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    return first.get("finish_reason") if isinstance(first, dict) else None

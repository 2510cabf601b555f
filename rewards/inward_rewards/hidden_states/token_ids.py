"""The exact tokens of a rollout's completions: what the engine read and what it sampled.

The train client keeps them on the trace's nodes. In eval mode the server is asked for them
(`return_token_ids` of vLLM's chat endpoint), `keep_token_ids` notes them as the responses pass,
and they stay in `trace.info`. Nothing here turns text into tokens.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import verifiers.v1 as vf

from inward_rewards.entropy.wire import HiddenStatesError, Span

AnyTrace = vf.Trace[Any, Any, Any]

INFO_KEY = "token_ids"
ASK = {"return_token_ids": True}
"""Sampling parameters that make the server return token ids."""


@dataclass(frozen=True)
class Completion:
    """One model call: the prompt's tokens and the sampled ones that followed."""

    prompt_ids: tuple[int, ...]
    completion_ids: tuple[int, ...]

    @property
    def token_ids(self) -> tuple[int, ...]:
        return self.prompt_ids + self.completion_ids

    def span(self, eos_ids: Collection[int] = ()) -> Span:
        """Where the completion lies in `token_ids`, up to and including the first of `eos_ids`."""
        start = len(self.prompt_ids)
        for offset, token in enumerate(self.completion_ids):
            if token in eos_ids:
                return start, start + offset + 1
        return start, start + len(self.completion_ids)


def keep_token_ids(response: vf.Response, trace: AnyTrace) -> None:
    """Note a response's token ids in `trace.info`; call it from a `@vf.intercept`.

    Does nothing where the train client brings the tokens itself, nor a second time for a response:
    taskset and environment may both call it.
    """
    if response.tokens is not None:
        return
    raw = response.raw or {}
    choice = (raw.get("choices") or [{}])[0]
    kept = trace.info.setdefault(INFO_KEY, [])
    response_id = raw.get("id")
    if response_id is not None and any(one.get("response") == response_id for one in kept):
        return
    record = {
        "response": response_id,
        "prompt_ids": raw.get("prompt_token_ids"),
        "completion_ids": choice.get("token_ids"),
    }
    kept.append(record)


def completions(trace: AnyTrace) -> list[Completion]:
    """Every completion of the rollout, in the order in which they were sampled.

    HiddenStatesError where a call's token ids are not to be had, or say less than the model read:
    of a picture they hold the placeholders alone.
    """
    return list(_completions(trace))


def last_spoken(trace: AnyTrace) -> Completion | None:
    """The last completion that holds a token; None where the policy never spoke.

    HiddenStatesError as in `completions`.
    """
    return next((one for one in reversed(completions(trace)) if one.completion_ids), None)


def _completions(trace: AnyTrace) -> Iterator[Completion]:
    kept = iter(trace.info.get(INFO_KEY, ()))
    for index, node in enumerate(trace.nodes):
        if not node.sampled:
            continue
        _refuse_pictures(trace, index)
        yield (
            _from_graph(trace, index)
            if len(node.token_ids)  # a list, in newer versions an array
            else _from_info(trace, index, next(kept, None))
        )


def _refuse_pictures(trace: AnyTrace, index: int) -> None:
    position: int | None = index
    while position is not None:
        content = trace.nodes[position].message.content
        for part in content if isinstance(content, list) else ():
            if part.type != "text":
                raise HiddenStatesError(
                    f"node {position} of the trace holds {part.type!r}, and a score reads token "
                    "ids alone: rollouts with pictures cannot be measured; set entropy.source "
                    '"off" for tasks that show some'
                )
        position = trace.nodes[position].parent


def _from_graph(trace: AnyTrace, index: int) -> Completion:
    """The train client's tokens: a path's nodes concatenate to what the model saw."""
    node = trace.nodes[index]
    sampled = int(sum(node.mask))
    start = len(node.token_ids) - sampled
    if any(node.mask[:start]):
        raise HiddenStatesError(
            f"node {index} of the trace mixes sampled and given tokens; its completion is no span"
        )
    before = [node.token_ids[:start]]
    parent = node.parent
    while parent is not None:
        before.append(trace.nodes[parent].token_ids)
        parent = trace.nodes[parent].parent
    prompt = tuple(int(token) for ids in reversed(before) for token in ids)
    return Completion(prompt, tuple(int(token) for token in node.token_ids[start:]))


def _from_info(trace: AnyTrace, index: int, record: dict[str, Any] | None) -> Completion:
    prompt, sampled = (record or {}).get("prompt_ids"), (record or {}).get("completion_ids")
    if not isinstance(prompt, list) or not isinstance(sampled, list):
        raise HiddenStatesError(
            "the policy's server returned no token ids, and text is never tokenised by guess: "
            "serve the policy with vLLM >= 0.10.2 (return_token_ids), through a harness that "
            "does not stream (inward-chat), or use the train client"
        )
    counted = next(
        (call.usage.completion_tokens for call in trace.calls if call.node == index and call.usage),
        len(sampled),
    )
    if counted != len(sampled):
        raise HiddenStatesError(
            f"the server counted {counted} completion tokens but returned {len(sampled)} ids"
        )
    return Completion(tuple(prompt), tuple(sampled))

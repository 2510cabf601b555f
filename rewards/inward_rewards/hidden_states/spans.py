"""Any measures of one completion, whatever source gives them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from inward_rewards.entropy.wire import HiddenStatesError, SpanScore
from inward_rewards.hidden_states.source import Policy
from inward_rewards.hidden_states.token_ids import Completion


@dataclass(frozen=True)
class CompletionScore:
    span: SpanScore
    """Of the completion, up to and including its end token."""
    dtype: str | None
    """Of the model that was read, as torch calls it; None: not known."""
    left_out: int = 0
    """Tokens at the end that were not read: a full context has no room for the last one."""


@runtime_checkable
class SpanSource(Protocol):
    """What `vllm` and `transformers` can do beside matrix entropy."""

    async def score_completion(
        self, completion: Completion, measures: tuple[str, ...], policy: Policy
    ) -> CompletionScore:
        """HiddenStatesError: it could not be measured. UnmeasurableError: it is too long."""
        ...

    async def decode(self, token_ids: Sequence[int], policy: Policy) -> str:
        """The text of tokens, with special ones. HiddenStatesError: it could not be had."""
        ...


async def boundary(
    decode: Callable[[Sequence[int]], Awaitable[str]], ids: Sequence[int], mark: str = "</think>"
) -> int | None:
    """Index of the first token behind `mark`; None where the text does not hold it.

    By halving: no tokenizer says which tokens make up the mark where others stand beside it.
    """
    if mark not in await decode(ids):
        return None
    low, high = 0, len(ids)  # the mark is in the text of `high` tokens, and not in that of `low`
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if mark in await decode(ids[:middle]) else (middle, high)
    return high


def span_source(source: object) -> SpanSource:
    """HiddenStatesError: a source that gives nothing but matrix entropy."""
    if not isinstance(source, SpanSource):
        raise HiddenStatesError(
            f"{type(source).__name__} measures matrix entropy alone: set entropy.source to "
            '"vllm" or "transformers"'
        )
    return source

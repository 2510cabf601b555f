"""A model of this process reads the completions: one that is loaded for it, or one that trains.

One model per worker, on a thread of its own; rollouts that wait are scored in one padded batch.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import Any, Self

from inward_rewards.entropy.wire import (
    HiddenStatesError,
    ScoreRequest,
    Span,
    SpanScore,
    UnmeasurableError,
)
from inward_rewards.hidden_states.config import EntropyConfig
from inward_rewards.hidden_states.local_measures import LocalMeasures
from inward_rewards.hidden_states.reader import ModelReader, Pair, Score, load_reader
from inward_rewards.hidden_states.source import Measurement, Measures, Policy
from inward_rewards.hidden_states.spans import CompletionScore
from inward_rewards.hidden_states.token_ids import Completion

BATCH_TOKENS = 16_384
"""Padded tokens in one forward pass (one longer sequence goes alone)."""
LOCK_S = 300.0
"""How long a score waits for the lock on a live module."""
CLOSED = "the source of hidden states is not open: measure inside its `async with`"


@dataclass(frozen=True)
class _Scored:
    """Entropies of one rollout, and of which weights."""

    per_layer: tuple[float, ...]
    version: str | None


@dataclass(frozen=True, eq=False)
class _Job:
    token_ids: tuple[int, ...]
    span: Span
    result: asyncio.Future[_Scored]


class _InProcess:
    """What both sources share: the thread, the queue, the batches."""

    def __init__(self, config: EntropyConfig) -> None:
        self._config = config
        self._jobs: deque[_Job] = deque()
        self._pending: set[_Job] = set()
        self._open = False

    def _read(self) -> ModelReader:
        """Runs on the source's thread, when it opens."""
        raise NotImplementedError

    def _measures(self, policy: Policy) -> Measures:
        raise NotImplementedError

    def _score(self, pairs: Sequence[Pair]) -> tuple[list[Score], str | None]:
        """(of each pair, which weights): runs on the source's thread."""
        return self._reader.score(pairs), None

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._arrived = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="hidden-states")
        self._reader = await loop.run_in_executor(self._thread, self._read)
        self._worker = asyncio.create_task(self._work(), name="hidden-states")
        self._open = True
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._open = False
        self._worker.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._worker
        self._jobs.clear()
        for job in self._pending:
            _settle(job, HiddenStatesError(CLOSED))
        # Not waiting: what the thread still reads is nobody's, and this is the event loop.
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def measure(self, completion: Completion, policy: Policy) -> Measurement:
        if not self._open:
            raise HiddenStatesError(CLOSED)
        reader = self._reader
        span = completion.span(reader.eos_ids)
        self._check(completion.token_ids, span)
        job = _Job(completion.token_ids, span, asyncio.get_running_loop().create_future())
        self._jobs.append(job)
        self._pending.add(job)
        self._arrived.set()
        try:
            scored = await job.result
        finally:
            self._pending.discard(job)
        return Measurement(
            layers=reader.layers,
            per_layer=scored.per_layer,
            tokens=span[1] - span[0],
            dim=reader.dim,
            preset=self._config.preset,
            alpha=self._config.alpha,
            measures=self._measures(policy),
            scorer=f"{self._config.source} {reader.name}",
            policy_version=scored.version,
            dtype=reader.dtype,
        )

    def _check(self, token_ids: Sequence[int], span: Span) -> None:
        reader = self._reader
        if span[0] == span[1]:
            raise HiddenStatesError("the completion holds no token, and so no hidden state")
        if len(token_ids) > reader.context:
            raise UnmeasurableError(
                f"the rollout has {len(token_ids)} tokens, the scoring model "
                f"{reader.name!r} reads {reader.context}"
            )
        strange = [token for token in token_ids if not 0 <= token < reader.vocabulary]
        if strange:
            raise HiddenStatesError(
                f"token id {strange[0]} is not among the {reader.vocabulary} of the "
                f"scoring model {reader.name!r}: it must share the policy's tokenizer"
            )

    async def _work(self) -> None:
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._jobs:
                await self._score_batch(self._next_batch())

    def _next_batch(self) -> list[_Job]:
        """Waiting jobs in their order, as many as fit into one padded batch."""
        batch = [self._jobs.popleft()]
        longest = len(batch[0].token_ids)
        while self._jobs:
            longest = max(longest, len(self._jobs[0].token_ids))
            if longest * (len(batch) + 1) > BATCH_TOKENS:
                break
            batch.append(self._jobs.popleft())
        return batch

    async def _score_batch(self, batch: list[_Job]) -> None:
        pairs = [(job.token_ids, job.span) for job in batch]
        loop = asyncio.get_running_loop()
        scores: list[Score]
        version: str | None = None
        try:
            scores, version = await loop.run_in_executor(self._thread, self._score, pairs)
        except HiddenStatesError as error:  # of the machine: each alone would meet it again
            scores = [error] * len(batch)
        except Exception as error:
            if len(batch) == 1:
                scores = [error]
            else:  # the forward pass of all failed: whose fault it was shows when each goes alone
                for job in batch:
                    await self._score_batch([job])
                return
        for job, score in zip(batch, scores, strict=True):
            _settle(
                job,
                self._failure(score) if isinstance(score, Exception) else _Scored(score, version),
            )

    def _failure(self, error: Exception) -> HiddenStatesError:
        if isinstance(error, HiddenStatesError):
            return error
        failure = HiddenStatesError(
            f"the scoring model {self._reader.name!r} failed: {type(error).__name__}: {error}"
        )
        failure.__cause__ = error
        return failure


class LocalModelSource(_InProcess):
    """Source `transformers`: for tests, small models, frozen controls."""

    def __init__(self, config: EntropyConfig) -> None:
        super().__init__(config)
        self._spans = LocalMeasures(config)

    def _read(self) -> ModelReader:
        return load_reader(self._config)

    def _measures(self, policy: Policy) -> Measures:
        same = self._config.model == policy.model and not policy.trains
        return "policy" if same else "text"

    async def score_completion(
        self, completion: Completion, measures: tuple[str, ...], policy: Policy
    ) -> CompletionScore:
        """Any measures of a completion, by the scoring model."""
        if not self._open:
            raise HiddenStatesError(CLOSED)
        span = completion.span(self._reader.eos_ids)
        self._check(completion.token_ids, span)
        request = ScoreRequest((span,), measures=measures)
        [found] = await self.score_spans(completion.token_ids[: span[1]], request)
        return CompletionScore(found, self._reader.dtype)

    async def decode(self, token_ids: Sequence[int], policy: Policy) -> str:
        """By the tokenizer that was saved with the scoring model."""
        if not self._open:
            raise HiddenStatesError(CLOSED)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._spans.decode, token_ids)

    async def score_spans(
        self, token_ids: tuple[int, ...], request: ScoreRequest
    ) -> tuple[SpanScore, ...]:
        """Any measures of any spans of one sequence, as `VllmSource.score` gives them.

        ValueError: spans that leave the sequence. HiddenStatesError: the model cannot answer.
        """
        if not self._open:
            raise HiddenStatesError(CLOSED)
        ScoreRequest.from_xargs(request.to_xargs(), len(token_ids))
        self._check(token_ids, request.spans[0])
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(
                self._thread, self._spans.score_spans, token_ids, request
            )
        except HiddenStatesError:
            raise
        except Exception as error:
            raise self._failure(error) from error


class LiveModelSource(_InProcess):
    """Source `live`: the very module that a trainer of this process updates.

    Nothing is copied: a score reads the weights of its moment, without gradients and with dropout
    off. `lock` is held for each forward pass of ours; hold it wherever you run the module or
    change its weights, and never while you wait for a rollout. Token ids are all that is read, so
    that no tokenizer is needed.

        env.use(LiveModelSource(model, config, lock, version=lambda: str(trainer.step)))

    `module`: a transformers model, not wrapped for several devices. `version` names the weights in
    the record, and is called under the lock. HiddenStatesError, when it opens: layers that the
    module does not have.
    """

    def __init__(
        self,
        module: Any,
        config: EntropyConfig,
        lock: Lock,
        *,
        version: Callable[[], str] | None = None,
    ) -> None:
        if config.source != "live":
            raise ValueError(
                f'a live module goes with entropy.source = "live", got {config.source!r}'
            )
        super().__init__(config)
        self._module, self._lock, self._version = module, lock, version

    def _read(self) -> ModelReader:
        return ModelReader(self._module, self._config, type(self._module).__name__)

    def _measures(self, policy: Policy) -> Measures:
        return "policy"

    def _score(self, pairs: Sequence[Pair]) -> tuple[list[Score], str | None]:
        if not self._lock.acquire(timeout=LOCK_S):
            raise HiddenStatesError(
                f"the lock on the live module {self._reader.name!r} was not free for {LOCK_S:g} s: "
                "does the trainer hold it while it waits for a rollout?"
            )
        try:
            with _evaluating(self._module):
                version = None if self._version is None else self._version()
                return self._reader.score(pairs), version
        finally:
            self._lock.release()


@contextlib.contextmanager
def _evaluating(module: Any) -> Iterator[None]:
    """Dropout off; afterwards each part is in the mode that it was in, the frozen ones too."""
    modes = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        yield
    finally:
        for part, training in modes:
            part.training = training


def _settle(job: _Job, score: _Scored | Exception) -> None:
    if job.result.done():  # its rollout was cancelled
        return
    if isinstance(score, Exception):
        job.result.set_exception(score)
    else:
        job.result.set_result(score)

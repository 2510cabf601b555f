"""A local transformers model reads the completions: for tests, small models, frozen controls.

One copy a worker, on a thread of its own; rollouts that wait are scored in one padded batch.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Self

from inward_rewards.entropy.layers import select_layers
from inward_rewards.entropy.wire import (
    HiddenStatesError,
    ScoreRequest,
    Span,
    SpanScore,
    UnmeasurableError,
)
from inward_rewards.hidden_states.config import EntropyConfig
from inward_rewards.hidden_states.local_measures import LocalMeasures
from inward_rewards.hidden_states.source import Measurement, Policy
from inward_rewards.hidden_states.token_ids import Completion

BATCH_TOKENS = 16_384
"""Padded tokens in one forward pass (one longer sequence goes alone)."""
CLOSED = "the source of hidden states is not open: measure inside its `async with`"


Score = tuple[float, ...] | Exception
"""Per-layer entropy of one rollout, or why there is none."""


@dataclass(frozen=True, eq=False)
class _Job:
    token_ids: tuple[int, ...]
    span: Span
    result: asyncio.Future[tuple[float, ...]]


class LocalModel:
    """The weights and everything that touches torch. Not thread-safe: one thread uses it."""

    def __init__(self, config: EntropyConfig) -> None:
        try:
            import torch
            from transformers import AutoModel

            from inward_rewards.entropy import matrix_entropy
        except ImportError as error:
            raise ImportError(
                'entropy.source = "transformers" needs torch and transformers: '
                'pip install "inward-rewards[hidden-states]"'
            ) from error
        name = str(config.model)
        self._torch, self._entropy, self._config = torch, matrix_entropy, config
        # Without the language-model head: logits of a long batch outweigh everything else.
        with _naming("model", name, "give the folder or the name of a transformers model"):
            model = AutoModel.from_pretrained(name, dtype="auto")
        with _naming("device", config.device, 'give a torch device of this machine, such as "cpu"'):
            self._model = model.to(config.device).eval()
        shape = self._model.config.get_text_config()
        depth = shape.num_hidden_layers
        with _naming("layers", config.layers, f"the model {name!r} has {depth} layers"):
            self.layers = select_layers(config.layers, depth)
        self.dim: int = shape.hidden_size
        self.dtype = str(self._model.dtype).removeprefix("torch.")
        self.vocabulary: int = self._model.get_input_embeddings().num_embeddings
        self.context: int = shape.max_position_embeddings
        self.eos_ids = _eos_ids(name, shape)

    def score(self, jobs: Sequence[tuple[tuple[int, ...], Span]]) -> list[Score]:
        """Of each (token ids, span), before normalisation: in one forward pass, errors a job."""
        torch = self._torch
        longest = max(len(token_ids) for token_ids, _ in jobs)
        ids = torch.zeros((len(jobs), longest), dtype=torch.long)
        mask = torch.zeros_like(ids)
        for row, (token_ids, _) in enumerate(jobs):
            ids[row, : len(token_ids)] = torch.tensor(token_ids)
            mask[row, : len(token_ids)] = 1
        with torch.inference_mode():
            states = self._model(
                input_ids=ids.to(self._config.device),
                attention_mask=mask.to(self._config.device),
                output_hidden_states=True,
                use_cache=False,
            ).hidden_states
            return [self._try(states, row, span) for row, (_, span) in enumerate(jobs)]

    def _try(self, states: Any, row: int, span: Span) -> Score:
        try:
            return self._measure(states, row, span)
        except Exception as error:
            return error

    def _measure(self, states: Any, row: int, span: Span) -> tuple[float, ...]:
        start, stop = span
        chosen = self._torch.stack([states[layer][row, start:stop] for layer in self.layers])
        definition = self._config.definition.unscaled
        return tuple(self._entropy(chosen, self._config.alpha, definition).tolist())


class LocalModelSource:
    """Source `transformers`."""

    def __init__(self, config: EntropyConfig) -> None:
        self._config = config
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="hidden-states")
        self._jobs: deque[_Job] = deque()
        self._pending: set[_Job] = set()
        self._arrived = asyncio.Event()
        self._open = False
        self._measures = LocalMeasures(config)

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._model = await loop.run_in_executor(self._thread, LocalModel, self._config)
        self._worker = asyncio.create_task(self._work(), name="hidden-states")
        self._open = True
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._open = False
        self._worker.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._worker
        for job in self._pending:
            _settle(job, HiddenStatesError(CLOSED))
        # Not waiting: what the thread still reads is nobody's, and this is the event loop.
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def measure(self, completion: Completion, policy: Policy) -> Measurement:
        if not self._open:
            raise HiddenStatesError(CLOSED)
        span = completion.span(self._model.eos_ids)
        self._check(completion.token_ids, span)
        job = _Job(completion.token_ids, span, asyncio.get_running_loop().create_future())
        self._jobs.append(job)
        self._pending.add(job)
        self._arrived.set()
        try:
            per_layer = await job.result
        finally:
            self._pending.discard(job)
        same = self._config.model == policy.model and not policy.trains
        return Measurement(
            layers=self._model.layers,
            per_layer=per_layer,
            tokens=span[1] - span[0],
            dim=self._model.dim,
            preset=self._config.preset,
            alpha=self._config.alpha,
            measures="policy" if same else "text",
            scorer=f"transformers {self._config.model}",
            dtype=self._model.dtype,
        )

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
                self._thread, self._measures.score_spans, token_ids, request
            )
        except HiddenStatesError:
            raise
        except Exception as error:
            raise self._failure(error) from error

    def _check(self, token_ids: Sequence[int], span: Span) -> None:
        if span[0] == span[1]:
            raise HiddenStatesError("the completion holds no token, and so no hidden state")
        if len(token_ids) > self._model.context:
            raise UnmeasurableError(
                f"the rollout has {len(token_ids)} tokens, the scoring model "
                f"{self._config.model!r} reads {self._model.context}"
            )
        strange = [token for token in token_ids if not 0 <= token < self._model.vocabulary]
        if strange:
            raise HiddenStatesError(
                f"token id {strange[0]} is not among the {self._model.vocabulary} of the "
                f"scoring model {self._config.model!r}: it must share the policy's tokenizer"
            )

    async def _work(self) -> None:
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._jobs:
                await self._score(self._next_batch())

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

    async def _score(self, batch: list[_Job]) -> None:
        pairs = [(job.token_ids, job.span) for job in batch]
        loop = asyncio.get_running_loop()
        try:
            scores = await loop.run_in_executor(self._thread, self._model.score, pairs)
        except Exception as error:
            if len(batch) == 1:
                scores = [error]
            else:  # the forward pass of all failed: whose fault it was shows when each goes alone
                for job in batch:
                    await self._score([job])
                return
        for job, score in zip(batch, scores, strict=True):
            _settle(job, self._failure(score) if isinstance(score, Exception) else score)

    def _failure(self, error: Exception) -> HiddenStatesError:
        failure = HiddenStatesError(
            f"the scoring model {self._config.model!r} failed: {type(error).__name__}: {error}"
        )
        failure.__cause__ = error
        return failure


def _settle(job: _Job, score: Score) -> None:
    if job.result.done():  # its rollout was cancelled
        return
    if isinstance(score, Exception):
        job.result.set_exception(score)
    else:
        job.result.set_result(score)


@contextlib.contextmanager
def _naming(setting: str, value: object, mend: str) -> Iterator[None]:
    """Turns whatever transformers and torch raise over a setting into one line that names it."""
    try:
        yield
    except Exception as error:
        said = str(error).strip().partition("\n")[0] or type(error).__name__
        raise HiddenStatesError(
            f"entropy.{setting} {value!r} cannot be used: {mend} ({said})"
        ) from error


def _eos_ids(model: str, shape: Any) -> frozenset[int]:
    """End-of-sequence tokens: the generation config's where there is one, else the model's."""
    from transformers import GenerationConfig

    try:
        ids = GenerationConfig.from_pretrained(model).eos_token_id
    except OSError:
        ids = shape.eos_token_id
    if ids is None:
        return frozenset()
    return frozenset([ids] if isinstance(ids, int) else ids)

"""The worker's part: the rows of scored requests are copied out of every step, then scored.

A step's hidden states are those of all its requests in one flat batch; a prompt may come in
several chunks, in any company. The copy runs on the model's stream, before the next step can
overwrite the states: on a GPU it is queued there and the engine does not wait for it. The
measures are computed on a thread (and, on a GPU, a stream) of their own.
"""

from __future__ import annotations

import bisect
import logging
import queue
import threading
import time
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from inward_rewards.entropy.measures import (
    CENTRED,
    TokenMeasures,
    TokenParts,
    projected_mean,
    rank_curve,
    token_measures,
    token_parts,
)
from inward_rewards.entropy.spectrum import effective_rank, matrix_entropy, prefix_entropy
from inward_rewards.entropy.wire import (
    ASK_AGAIN,
    FORMAT,
    ScoreAnswer,
    ScoreRequest,
    Span,
    SpanScore,
)
from inward_rewards.vllm_plugin.buffer import RowBuffer
from inward_rewards.vllm_plugin.engine import Chunk, Engine
from inward_rewards.vllm_plugin.settings import Settings

logger = logging.getLogger("vllm.inward")


@dataclass
class Job:
    request_id: str
    request: ScoreRequest
    tokens: int
    positions: list[int]
    """Positions that the spans cover, in rising order."""
    rows: list[int]
    """Where each position's states are kept."""
    seen: list[bool]
    weights_now: Callable[[], Hashable]
    weights: set[Hashable] = field(default_factory=set)
    """Those that read its chunks."""
    read_at: float = 0.0
    """When its last row was read, of `time.monotonic`."""

    @property
    def end(self) -> int:
        return self.positions[-1] + 1

    def read_anew(self) -> None:
        """Nothing that was seen before has a part in what is read from the first token on."""
        self.seen = [False] * len(self.positions)
        self.weights = set()

    def find(self, start: int, stop: int) -> slice:
        """The positions within [start, stop)."""
        return slice(
            bisect.bisect_left(self.positions, start), bisect.bisect_left(self.positions, stop)
        )


class Collector:
    """Every request is reported on when its rows are free: with its score, or with an error."""

    def __init__(self, settings: Settings, engine: Engine, buffer: RowBuffer) -> None:
        self._settings, self._engine, self._buffer = settings, engine, buffer
        self._admitted: set[str] = set()
        self._jobs: dict[str, Job] = {}
        self._answers: dict[str, dict[str, Any]] = {}
        self._lock = threading.Condition()
        self._scoring: set[str] = set()
        self._complete: queue.SimpleQueue[tuple[Job, torch.cuda.Event | None]] = queue.SimpleQueue()
        threading.Thread(target=self._work, name="inward-entropy", daemon=True).start()

    def admit(
        self,
        request_id: str,
        request: ScoreRequest,
        tokens: int,
        weights: Callable[[], Hashable] | None = None,
    ) -> None:
        """`weights`: which read this request; None: the engine's."""
        if request_id in self._admitted:
            return  # preempted and back again: what was seen stays
        positions = sorted({p for start, stop in request.reads for p in range(start, stop)})
        with self._lock:
            rows = self._buffer.take(len(positions))
        self._admitted.add(request_id)
        seen = [False] * len(positions)
        now = weights or self._engine.weights
        self._jobs[request_id] = Job(request_id, request, tokens, positions, rows, seen, now)

    def drop(self, request_id: str) -> None:
        """The engine is done with a request, of any kind; it may never have come this far."""
        self._admitted.discard(request_id)
        job = self._jobs.pop(request_id, None)
        with self._lock:
            if request_id not in self._scoring and request_id not in self._answers:
                self._answer(request_id, _DROPPED, job.rows if job else ())
        if job is not None:
            self._end(request_id, job.request)

    @property
    def waiting(self) -> bool:
        """Whether a request still misses rows."""
        return bool(self._jobs)

    def collect(self, chunks: Sequence[Chunk], states: Sequence[torch.Tensor]) -> None:
        """Copy what this step computed; `states` holds [batch tokens, dim] for every layer, and
        the final states behind them where a measure reads those."""
        ours = [chunk for chunk in chunks if chunk.request_id in self._jobs]
        rows: list[int] = []
        sources: list[int] = []
        for chunk in ours:
            job = self._jobs[chunk.request_id]
            if chunk.start == 0:
                # vLLM begins again after a preemption, and after an update that emptied its cache.
                job.read_anew()
            part = job.find(chunk.start, chunk.start + chunk.rows)
            rows += job.rows[part]
            sources += [chunk.offset + p - chunk.start for p in job.positions[part]]
            job.seen[part] = [True] * (part.stop - part.start)
            job.weights.add(job.weights_now())
        if rows:
            self._check(states, max(sources))
            self._buffer.write(rows, states, sources)
        ended = [c for c in ours if c.start + c.rows >= self._jobs[c.request_id].end]
        if ended:
            copied = _record(states[0].device)
            with self._lock:
                self._scoring |= {chunk.request_id for chunk in ended}
            for chunk in ended:
                job = self._jobs.pop(chunk.request_id)
                job.read_at = time.monotonic()
                self._complete.put((job, copied))

    def fail(self, request_ids: Iterable[str], error: Exception) -> None:
        """Answer the requests of a step that could not be collected with the error."""
        for request_id in request_ids:
            job = self._jobs.pop(request_id, None)
            if job is not None:
                self._report(job, _error(error))

    def refuse(self, request_id: str, error: Exception, request: ScoreRequest | None) -> None:
        """Answer a request that was not admitted; None: what it wants could not be read."""
        self._answer(request_id, _error(error), ())
        self._end(request_id, request)

    def take(self) -> dict[str, dict[str, Any]]:
        """The answers since the last call, by request id."""
        with self._lock:
            answers, self._answers = self._answers, {}
        return answers

    def wait(self, seconds: float) -> None:
        """Wait for an answer that is due, for an engine that has nothing else to do."""
        with self._lock:
            self._lock.wait_for(lambda: self._answers or not self._scoring, seconds)

    def _check(self, states: Sequence[torch.Tensor], last: int) -> None:
        wanted = len(self._settings.layers) + self._settings.reads_final_states
        if len(states) != wanted:
            raise ValueError(f"the model gave the states of {len(states)} layers, not of {wanted}")
        tokens, dim = states[0].shape
        if dim != self._buffer.dim or tokens <= last:
            raise ValueError(
                f"the model gave states {[tokens, dim]} where row {last} of dimension "
                f"{self._buffer.dim} was due"
            )

    def _work(self) -> None:
        stream: torch.cuda.Stream | None = None
        while True:
            job, copied = self._complete.get()
            try:
                if copied is not None:
                    stream = stream or torch.cuda.Stream(self._buffer.device)
                    stream.wait_event(copied)
                with torch.inference_mode(), torch.cuda.stream(stream):
                    answer = self._score(job)
            except Exception as error:
                logger.exception("inward: request %s could not be scored", job.request_id)
                answer = _error(error)
            self._report(job, answer)

    def _report(self, job: Job, answer: dict[str, Any]) -> None:
        with self._lock:
            self._scoring.discard(job.request_id)
            self._answer(job.request_id, answer, job.rows)
        self._end(job.request_id, job.request)

    def _end(self, request_id: str, request: ScoreRequest | None) -> None:
        if self._engine.others is not None and (request is None or request.reads_logits):
            self._engine.others.end(request_id)

    def _score(self, job: Job) -> dict[str, Any]:
        weights = self._weights(job)
        measured: Sequence[TokenMeasures | None] = [None] * len(job.request.spans)
        if job.request.reads_logits:
            own = self._token_parts(job)
            others = self._engine.others
            parts = [[part] for part in own]
            if others is not None:
                parts = others.of(job.request_id, own, job.read_at)
            measured = [token_measures(part) for part in parts]
        spans = zip(job.request.spans, measured, strict=True)
        found = [self._score_span(job, span, tokens) for span, tokens in spans]
        return ScoreAnswer(
            plugin=self._engine.plugin,
            vllm=self._engine.vllm,
            policy_version=str(weights),
            preset=self._settings.preset,
            alphas=self._settings.alphas,
            n_layers=self._settings.n_layers,
            layers=self._settings.layers,
            dim=self._engine.dim,
            dtype=self._engine.dtype,
            vocabulary=next((tokens.vocabulary for tokens in measured if tokens), None),
            tokens=job.tokens,
            spans=tuple(found),
        ).to_json()

    def _weights(self, job: Job) -> Hashable:
        """The weights that read all of its rows. ValueError: there are none such."""
        if not all(job.seen):
            raise ValueError(
                f"only {sum(job.seen)} of {len(job.seen)} rows were computed (a prefix-cache hit?)"
            )
        if len(job.weights) > 1:
            raise ValueError(f"the weights changed while the sequence was being read; {ASK_AGAIN}")
        [weights] = job.weights
        return weights

    def _score_span(self, job: Job, span: Span, tokens: TokenMeasures | None) -> SpanScore:
        start, stop = span
        request, definition = job.request, self._settings.definition
        rows = job.rows[job.find(start, stop)]
        entropy, ranks, growth, curve = [], None, None, None
        if request.reads_layers:
            states = self._buffer.read(rows, slice(len(self._settings.layers)))
            if "matrix_entropy" in request.measures:
                entropy = [matrix_entropy(states, a, definition) for a in self._settings.alphas]
            if "effective_rank" in request.measures:
                ranks = effective_rank(states, CENTRED)
            growth = rank_curve(states) if "rank_curve" in request.measures else None
            curve = prefix_entropy(states, definition) if request.curve else None
        mean = projected_mean(self._final(rows)) if "mean_state" in request.measures else None
        return SpanScore(
            start=start,
            stop=stop,
            rows=len(rows),
            entropy=tuple(tuple(layers.tolist()) for layers in entropy),
            curve=_table(curve),
            effective_rank=None if ranks is None else tuple(ranks.tolist()),
            rank_curve=_table(growth),
            mean_state=None if mean is None else tuple(mean.tolist()),
            token_entropy=_wanted(tokens, "token_entropy", request),
            self_certainty=_wanted(tokens, "self_certainty", request),
        )

    def _token_parts(self, job: Job) -> list[TokenParts]:
        """Of the distributions that each span's tokens were drawn from: one row earlier each."""
        if self._engine.logits is None:
            raise ValueError("this engine gives out no logits")
        parts = []
        for start, stop in job.request.spans:
            rows = job.rows[job.find(start - 1, stop - 1)]
            parts.append(token_parts(self._final(rows), self._engine.logits))
        if job.weights_now() not in job.weights:
            raise ValueError(f"the weights changed before the logits were computed; {ASK_AGAIN}")
        return parts

    def _final(self, rows: Sequence[int]) -> torch.Tensor:
        """Final states [rows, dim]."""
        [final] = self._buffer.read(rows, slice(len(self._settings.layers), None))
        return final

    def _answer(self, request_id: str, answer: dict[str, Any], rows: Sequence[int]) -> None:
        with self._lock:
            self._answers[request_id] = answer
            self._buffer.give_back(rows)
            self._lock.notify_all()


def _table(values: torch.Tensor | None) -> tuple[tuple[float, ...], ...] | None:
    return None if values is None else tuple(tuple(row) for row in values.tolist())


def _wanted(
    tokens: TokenMeasures | None, measure: str, request: ScoreRequest
) -> tuple[float, ...] | None:
    if tokens is None or measure not in request.measures:
        return None
    return tuple(getattr(tokens, measure).tolist())


def _record(device: torch.device) -> torch.cuda.Event | None:
    """An event behind everything the model's stream was given so far; None on a CPU."""
    if device.type == "cpu":
        return None
    event = torch.cuda.Event()
    event.record()
    return event


def _error(error: Exception) -> dict[str, Any]:
    # What is raised here and in the entropy functions speaks for itself.
    text = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
    return {"format": FORMAT, "error": text}


_DROPPED = _error(ValueError("the request ended before its spans were read"))

"""The scoring request and its answer as they travel over HTTP: one file for client and engine.

A score is asked for with an ordinary completion request and answered inside its response:

    POST /v1/completions
    {"model": M, "prompt": [token ids], "max_tokens": 1, "cache_salt": "<fresh>",
     "vllm_xargs": {"inward": [start, stop, start, stop, ...], "inward_curve": 1}}

    response["kv_transfer_params"]["inward"] =
    {"format": 1, "plugin": "0.1.0", "vllm": "0.32.0", "policy_version": null,
     "preset": "advent", "alphas": [1.0], "n_layers": 28, "layers": [10, ..., 19], "dim": 3584,
     "dtype": "bfloat16", "tokens": 812, "spans": [{"start": 300, "stop": 812, "rows": 512,
                               "entropy": [[one number a layer] for every alpha],
                               "curve": [[one number a token] for every layer]}]}

or `{"format": 1, "error": "what was wrong"}`, ending in "ask again" where that may help. Spans are
half-open and count from the sequence's first token. Entropies are those of the preset *before* its
division by the largest value, which is the client's to do. `curve` (alpha = 2 of every prefix)
stands only where it was asked for. `dtype` is that of the model's states.

Free of torch and of the rest of this package but the definitions.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from inward_rewards.entropy.definition import PRESETS

FORMAT = 1
SPANS_KEY = "inward"
"""In `vllm_xargs` the spans, in `kv_transfer_params` the answer."""
CURVE_KEY = "inward_curve"

ASK_AGAIN = "ask again"
"""Ends the error of a request that may be answered a moment later."""

Span = tuple[int, int]


class HiddenStatesError(RuntimeError):
    """Hidden states could not be had: the machine's fault, never the policy's."""


class UnmeasurableError(HiddenStatesError):
    """What the policy wrote cannot be read here, as long as it is or with what it holds.

    The machine works and asking again is of no use: score the rollout without its entropy.
    """


class TryLaterError(HiddenStatesError):
    """Not now: the same request may be answered a moment later."""


@dataclass(frozen=True)
class ScoreRequest:
    spans: tuple[Span, ...]
    curve: bool = False

    def to_xargs(self) -> dict[str, list[int] | int]:
        flat = [position for span in self.spans for position in span]
        return {SPANS_KEY: flat, **({CURVE_KEY: 1} if self.curve else {})}

    @classmethod
    def from_xargs(cls, xargs: Mapping[str, Any], tokens: int) -> ScoreRequest | None:
        """The request in `xargs` over a sequence of `tokens`; None where there is none.

        ValueError, fit to show to the caller: spans that are no pairs, empty or out of range.
        """
        flat = xargs.get(SPANS_KEY)
        if flat is None:
            return None
        if (
            not isinstance(flat, Sequence)
            or isinstance(flat, str)
            or not flat
            or len(flat) % 2
            or not all(type(position) is int for position in flat)
        ):
            raise ValueError(
                f"{SPANS_KEY} must be a flat list [start, stop, ...] of whole numbers, got {flat!r}"
            )
        spans = tuple(zip(flat[::2], flat[1::2], strict=True))
        for start, stop in spans:
            if not 0 <= start < stop <= tokens:
                raise ValueError(
                    f"{SPANS_KEY} span [{start}, {stop}) is empty or leaves the prompt's "
                    f"{tokens} tokens"
                )
        return cls(spans, bool(xargs.get(CURVE_KEY)))


@dataclass(frozen=True)
class SpanScore:
    start: int
    stop: int
    rows: int
    """Hidden-state rows that were really computed: all of the span, or the score is void."""
    entropy: tuple[tuple[float, ...], ...]
    """[alphas][layers]."""
    curve: tuple[tuple[float, ...], ...] | None = None
    """[layers][tokens], alpha = 2."""

    def to_json(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True)
class ScoreAnswer:
    plugin: str
    vllm: str
    policy_version: str | None
    """Which weights answered, where the engine knows."""
    preset: str
    alphas: tuple[float, ...]
    n_layers: int
    layers: tuple[int, ...]
    dim: int
    tokens: int
    spans: tuple[SpanScore, ...]
    dtype: str | None = None
    """Of the model's states; None: from an engine that does not say."""

    def to_json(self) -> dict[str, Any]:
        """What the engine puts under `kv_transfer_params[SPANS_KEY]`."""
        own = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "spans"}
        return {"format": FORMAT, **own, "spans": [span.to_json() for span in self.spans]}

    @classmethod
    def from_json(cls, payload: Any, request: ScoreRequest) -> ScoreAnswer:
        """The answer to `request`.

        HiddenStatesError: missing, of another format, an error report, other spans than were
        asked for, rows that were not computed, numbers missing, not finite or impossible.
        TryLaterError: an error report that says so.
        """
        if payload is None:
            raise HiddenStatesError(
                f"the server's answer holds no kv_transfer_params[{SPANS_KEY!r}]: its inward "
                "plugin is not installed or not switched on; start it with --additional-config "
                '\'{"inward": {"layers": "middle:10"}}\''
            )
        if not isinstance(payload, Mapping) or payload.get("format") != FORMAT:
            raise HiddenStatesError(
                f"the server speaks another answer format than {FORMAT}: {_short(payload)}; "
                "install the same inward-rewards on both sides"
            )
        if "error" in payload:
            kind = TryLaterError if str(payload["error"]).endswith(ASK_AGAIN) else HiddenStatesError
            raise kind(f"the engine could not score: {payload['error']}")
        try:
            answer = cls._parse(payload)
        except (KeyError, TypeError, ValueError) as error:
            raise HiddenStatesError(
                f"malformed answer ({type(error).__name__}: {error}): {_short(payload)}"
            ) from error
        answer._check(request)
        return answer

    @classmethod
    def _parse(cls, payload: Mapping[str, Any]) -> ScoreAnswer:
        version, dtype = payload.get("policy_version"), payload.get("dtype")
        return cls(
            plugin=str(payload["plugin"]),
            vllm=str(payload["vllm"]),
            policy_version=None if version is None else str(version),
            preset=str(payload["preset"]),
            alphas=tuple(float(alpha) for alpha in payload["alphas"]),
            n_layers=int(payload["n_layers"]),
            layers=tuple(int(layer) for layer in payload["layers"]),
            dim=int(payload["dim"]),
            dtype=None if dtype is None else str(dtype),
            tokens=int(payload["tokens"]),
            spans=tuple(
                SpanScore(
                    start=int(span["start"]),
                    stop=int(span["stop"]),
                    rows=int(span["rows"]),
                    entropy=_table(span["entropy"]),
                    curve=_table(span["curve"]) if "curve" in span else None,
                )
                for span in payload["spans"]
            ),
        )

    def _check(self, request: ScoreRequest) -> None:
        spans = tuple((span.start, span.stop) for span in self.spans)
        if spans != request.spans:
            raise HiddenStatesError(
                f"asked to score spans {list(request.spans)!r}, the engine scored {list(spans)!r}"
            )
        if not self.layers or not self.alphas or self.dim < 1:
            raise HiddenStatesError("the answer names no layer, no alpha or no dimension")
        for span in self.spans:
            self._check_span(span, request)

    def _check_span(self, span: SpanScore, request: ScoreRequest) -> None:
        where = f"span [{span.start}, {span.stop})"
        if span.rows != span.stop - span.start:
            raise HiddenStatesError(
                f"{where}: only {span.rows} of {span.stop - span.start} rows were computed "
                "(a prefix-cache hit?)"
            )
        shape = (len(self.alphas), len(self.layers))
        if len(span.entropy) != shape[0] or any(len(row) != shape[1] for row in span.entropy):
            raise HiddenStatesError(f"{where}: expected {shape[0]} x {shape[1]} entropies")
        if request.curve and (
            span.curve is None
            or len(span.curve) != shape[1]
            or any(len(row) != span.rows for row in span.curve)
        ):
            raise HiddenStatesError(f"{where}: the prefix curve is missing or incomplete")
        numbers = [*span.entropy, *(span.curve or ())]
        if not all(math.isfinite(number) for row in numbers for number in row):
            raise HiddenStatesError(f"{where}: the answer holds numbers that are not finite")
        self._check_possible(span, where)

    def _check_possible(self, span: SpanScore, where: str) -> None:
        """An unknown preset is left to the client, which names it."""
        if self.preset not in PRESETS:
            return
        definition = PRESETS[self.preset]
        values = [(value, span.rows) for row in span.entropy for value in row]
        values += [
            (value, length) for row in span.curve or () for length, value in enumerate(row, start=1)
        ]
        for value, rows in values:
            if not definition.possible(value, rows, self.dim):
                raise HiddenStatesError(
                    f"{where}: the answer holds an entropy of {value!r}, which {rows} rows of "
                    f"{self.dim} numbers cannot have"
                )


def _table(rows: Any) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(float(number) for number in row) for row in rows)


def _short(payload: Any) -> str:
    text = repr(payload)
    return text if len(text) <= 200 else f"{text[:200]}…"

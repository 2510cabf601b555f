"""The scoring request and its answer as they travel over HTTP: one file for client and engine.

A score is asked for with an ordinary completion request and answered inside its response:

    POST /v1/completions
    {"model": M, "prompt": [token ids], "max_tokens": 1, "cache_salt": "<fresh>",
     "vllm_xargs": {"inward": [start, stop, start, stop, ...], "inward_curve": 1,
                    "inward_measures": ["matrix_entropy", "token_entropy"]}}

    response["kv_transfer_params"]["inward"] =
    {"format": 2, "plugin": "0.1.0", "vllm": "0.32.0", "policy_version": null,
     "preset": "advent", "alphas": [1.0], "n_layers": 28, "layers": [10, ..., 19], "dim": 3584,
     "dtype": "bfloat16", "tokens": 812, "vocabulary": 151936,
     "spans": [{"start": 300, "stop": 812, "rows": 512,
                "entropy": [[one number per layer] for each alpha],
                "curve": [[one number per token] for each layer],
                "effective_rank": [one number per layer],
                "token_entropy": [nats per token], "self_certainty": [nats per token]}]}

or `{"format": 2, "error": "what was wrong"}`, ending in "ask again" where that may help. Spans are
half-open and count from the sequence's first token. `dtype` is that of the model's states.

An answer holds what was asked for (`inward_measures`; `matrix_entropy` where nothing was said):

- `matrix_entropy`: `entropy`, by the engine's preset *before* its division by the largest value,
  which is the client's to do; [] where it was not asked for. `curve`: alpha = 2 of every prefix.
- `effective_rank`: of the states less their mean (arXiv 2509.23808).
- `token_entropy`: -sum_v p_v ln p_v over the whole vocabulary, of the distribution that each token
  was drawn from at temperature 1 (RENT, arXiv 2505.22660).
- `self_certainty`: KL(uniform || p) of the same distributions (Intuitor, arXiv 2505.19590).

The last two read the row before the span: one that holds the sequence's first token is refused.

Free of torch.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from inward_rewards.entropy.definition import PRESETS

FORMAT = 2
SPANS_KEY = "inward"
"""In `vllm_xargs` the spans, in `kv_transfer_params` the answer."""
CURVE_KEY = "inward_curve"
MEASURES_KEY = "inward_measures"

MEASURES = ("matrix_entropy", "effective_rank", "token_entropy", "self_certainty")
DEFAULT_MEASURES = ("matrix_entropy",)
TOKEN_MEASURES = frozenset({"token_entropy", "self_certainty"})
"""Those of the next-token distributions."""

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
    measures: tuple[str, ...] = DEFAULT_MEASURES

    @property
    def reads_logits(self) -> bool:
        return not TOKEN_MEASURES.isdisjoint(self.measures)

    @property
    def reads(self) -> tuple[Span, ...]:
        """The rows that are needed: a token's distribution stands in the row before it."""
        return tuple((start - self.reads_logits, stop) for start, stop in self.spans)

    def to_xargs(self) -> dict[str, list[int] | list[str] | int]:
        xargs: dict[str, list[int] | list[str] | int] = {
            SPANS_KEY: [position for span in self.spans for position in span]
        }
        if self.curve:
            xargs[CURVE_KEY] = 1
        if self.measures != DEFAULT_MEASURES:
            xargs[MEASURES_KEY] = list(self.measures)
        return xargs

    @classmethod
    def from_xargs(cls, xargs: Mapping[str, Any], tokens: int) -> ScoreRequest | None:
        """The request in `xargs` over a sequence of `tokens`; None where there is none.

        ValueError, fit to show to the caller: spans that are no pairs, empty or out of range;
        unknown measures; a span whose first token has no distribution.
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
        measures = parse_measures(xargs.get(MEASURES_KEY, list(DEFAULT_MEASURES)), MEASURES_KEY)
        request = cls(spans, bool(xargs.get(CURVE_KEY)), measures)
        if any(start < 0 for start, _ in request.reads):
            raise ValueError(
                f"{SPANS_KEY} span {list(min(spans))} begins with the sequence's first token, "
                "which no distribution precedes: token_entropy and self_certainty begin at 1"
            )
        return request


def parse_measures(given: Any, name: str) -> tuple[str, ...]:
    """The measures in a request's or a configuration's list. ValueError: one line, `name` in it."""
    if (
        not isinstance(given, list | tuple)
        or not given
        or not all(isinstance(measure, str) for measure in given)
        or not set(given) <= set(MEASURES)
    ):
        raise ValueError(f"{name} must be a list of {', '.join(MEASURES)}, got {given!r}")
    return tuple(measure for measure in MEASURES if measure in given)


@dataclass(frozen=True)
class SpanScore:
    start: int
    stop: int
    rows: int
    """Hidden-state rows that were really computed: all of the span, or the score is void."""
    entropy: tuple[tuple[float, ...], ...]
    """[alphas][layers]; empty where matrix_entropy was not asked for."""
    curve: tuple[tuple[float, ...], ...] | None = None
    """[layers][tokens], alpha = 2."""
    effective_rank: tuple[float, ...] | None = None
    """[layers], 0..min(tokens, dim)."""
    token_entropy: tuple[float, ...] | None = None
    """[tokens], nats, 0..log(vocabulary)."""
    self_certainty: tuple[float, ...] | None = None
    """[tokens], nats, at least 0."""

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
    vocabulary: int | None = None
    """Of the next-token distributions; None where none was asked for."""

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
            spoken = payload.get("format") if isinstance(payload, Mapping) else None
            raise HiddenStatesError(
                f"the server answers in format {spoken!r}, this client reads {FORMAT}: "
                f"{_short(payload)}; install the same inward-rewards on both sides"
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
        vocabulary = payload.get("vocabulary")
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
            vocabulary=None if vocabulary is None else int(vocabulary),
            tokens=int(payload["tokens"]),
            spans=tuple(
                SpanScore(
                    start=int(span["start"]),
                    stop=int(span["stop"]),
                    rows=int(span["rows"]),
                    entropy=_table(span["entropy"]),
                    curve=_table(span["curve"]) if "curve" in span else None,
                    effective_rank=_row(span, "effective_rank"),
                    token_entropy=_row(span, "token_entropy"),
                    self_certainty=_row(span, "self_certainty"),
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
        self._check_shapes(span, request, where)
        rows = [span.effective_rank, span.token_entropy, span.self_certainty]
        numbers = [*span.entropy, *(span.curve or ()), *(row for row in rows if row is not None)]
        if not all(math.isfinite(number) for row in numbers for number in row):
            raise HiddenStatesError(f"{where}: the answer holds numbers that are not finite")
        self._check_possible(span, where)

    def _check_shapes(self, span: SpanScore, request: ScoreRequest, where: str) -> None:
        layers = len(self.layers)
        alphas = len(self.alphas) if "matrix_entropy" in request.measures else 0
        if len(span.entropy) != alphas or any(len(row) != layers for row in span.entropy):
            raise HiddenStatesError(f"{where}: expected {alphas} x {layers} entropies")
        if request.curve and (
            span.curve is None
            or len(span.curve) != layers
            or any(len(row) != span.rows for row in span.curve)
        ):
            raise HiddenStatesError(f"{where}: the prefix curve is missing or incomplete")
        for measure, length in (
            ("effective_rank", layers),
            ("token_entropy", span.rows),
            ("self_certainty", span.rows),
        ):
            found = getattr(span, measure)
            if measure in request.measures and (found is None or len(found) != length):
                raise HiddenStatesError(f"{where}: {measure} is missing or incomplete")
        if request.reads_logits and (self.vocabulary is None or self.vocabulary < 1):
            raise HiddenStatesError(f"{where}: the answer names no vocabulary")

    def _check_possible(self, span: SpanScore, where: str) -> None:
        """An unknown preset is left to the client, which names it."""
        bounds = {
            "effective_rank": float(min(span.rows, self.dim)),
            "token_entropy": math.log(self.vocabulary or 1),
            "self_certainty": math.inf,
        }
        for measure, largest in bounds.items():
            for value in getattr(span, measure) or ():
                if not -_ROUNDING <= value <= largest + _ROUNDING:
                    raise HiddenStatesError(
                        f"{where}: the answer holds a {measure} of {value!r}, outside "
                        f"0..{largest:g}"
                    )
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


_ROUNDING = 1e-3
"""By which ranks and nats may leave what is possible."""


def _row(span: Mapping[str, Any], name: str) -> tuple[float, ...] | None:
    return tuple(float(number) for number in span[name]) if name in span else None


def _table(rows: Any) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(float(number) for number in row) for row in rows)


def _short(payload: Any) -> str:
    text = repr(payload)
    return text if len(text) <= 200 else f"{text[:200]}…"

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
                "rank_curve": [[one number per prefix] for each layer],
                "mean_state": [256 numbers],
                "token_entropy": [nats per token], "self_certainty": [nats per token]}]}

or `{"format": 2, "error": "what was wrong"}`, ending in "ask again" where that may help. Spans are
half-open and count from the sequence's first token. `dtype` is that of the model's states.

An answer holds what was asked for (`inward_measures`; `matrix_entropy` where nothing was said):

- `matrix_entropy`: `entropy`, by the engine's preset *before* its division by the largest value,
  which is the client's to do; [] where it was not asked for. `curve`: alpha = 2 of every prefix.
- `effective_rank`: of the states less their mean (arXiv 2509.23808). `rank_curve`: of every 40th
  prefix of the last 512 tokens, for its dynamics.
- `mean_state`: the mean of the final states, behind the final norm, by a sparse random projection
  that is the same everywhere (RepExp, arXiv 2510.11686).
- `token_entropy`: -sum_v p_v ln p_v over the whole vocabulary, of the distribution that each token
  was drawn from at temperature 1 (RENT, arXiv 2505.22660).
- `self_certainty`: KL(uniform || p) of the same distributions (Intuitor, arXiv 2505.19590).

`token_entropy` and `self_certainty` read the row before the span: one that holds the sequence's
first token is refused.

Free of torch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from inward_rewards.entropy.errors import HiddenStatesError, TryLaterError, UnmeasurableError
from inward_rewards.entropy.span_score import Asked, SpanScore

__all__ = [
    "ASK_AGAIN",
    "CURVE_KEY",
    "DEFAULT_MEASURES",
    "FORMAT",
    "LAYER_MEASURES",
    "MEASURES",
    "MEASURES_KEY",
    "SPANS_KEY",
    "TOKEN_MEASURES",
    "HiddenStatesError",
    "ScoreAnswer",
    "ScoreRequest",
    "Span",
    "SpanScore",
    "TryLaterError",
    "UnmeasurableError",
    "parse_measures",
]

FORMAT = 2
SPANS_KEY = "inward"
"""In `vllm_xargs` the spans, in `kv_transfer_params` the answer."""
CURVE_KEY = "inward_curve"
MEASURES_KEY = "inward_measures"

MEASURES = (
    "matrix_entropy",
    "effective_rank",
    "rank_curve",
    "mean_state",
    "token_entropy",
    "self_certainty",
)
DEFAULT_MEASURES = ("matrix_entropy",)
TOKEN_MEASURES = frozenset({"token_entropy", "self_certainty"})
"""Those of the next-token distributions."""
LAYER_MEASURES = frozenset({"matrix_entropy", "effective_rank", "rank_curve"})
"""Those of the layers that client and engine must have chosen alike."""

ASK_AGAIN = "ask again"
"""Ends the error of a request that may be answered a moment later."""

Span = tuple[int, int]


@dataclass(frozen=True)
class ScoreRequest:
    spans: tuple[Span, ...]
    curve: bool = False
    measures: tuple[str, ...] = DEFAULT_MEASURES

    @property
    def reads_logits(self) -> bool:
        return not TOKEN_MEASURES.isdisjoint(self.measures)

    @property
    def reads_layers(self) -> bool:
        return self.curve or not LAYER_MEASURES.isdisjoint(self.measures)

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
            spans=tuple(SpanScore.from_json(span) for span in payload["spans"]),
        )

    def _check(self, request: ScoreRequest) -> None:
        spans = tuple((span.start, span.stop) for span in self.spans)
        if spans != request.spans:
            raise HiddenStatesError(
                f"asked to score spans {list(request.spans)!r}, the engine scored {list(spans)!r}"
            )
        if not self.layers or not self.alphas or self.dim < 1:
            raise HiddenStatesError("the answer names no layer, no alpha or no dimension")
        asked = Asked(
            measures=request.measures,
            curve=request.curve,
            layers=len(self.layers),
            alphas=len(self.alphas),
            dim=self.dim,
            preset=self.preset,
            vocabulary=self.vocabulary,
        )
        for span in self.spans:
            span.check(asked)


def _short(payload: Any) -> str:
    text = repr(payload)
    return text if len(text) <= 200 else f"{text[:200]}…"

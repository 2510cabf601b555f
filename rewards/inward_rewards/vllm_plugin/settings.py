"""`--additional-config '{"inward": {...}}'`: what the server is asked to measure.

Free of torch and vLLM.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from inward_rewards.entropy.definition import PRESETS, Definition
from inward_rewards.entropy.layers import select_layers
from inward_rewards.entropy.wire import (
    DEFAULT_MEASURES,
    TOKEN_MEASURES,
    ScoreRequest,
    Span,
    parse_measures,
)

KEY = "inward"
BUFFER_TOKENS = 16_384
SPANS_PER_BUFFER = 2
"""Bound on a request's spans in all: they may overlap, and each is read and scored by itself."""


@dataclass(frozen=True)
class Settings:
    layers: tuple[int, ...]
    """Indices of transformers' `hidden_states`, in rising order."""
    n_layers: int
    alphas: tuple[float, ...] = (1.0,)
    preset: str = "advent"
    buffer_tokens: int = BUFFER_TOKENS
    """Tokens whose states are kept at once: the memory is this x layers x dim x bytes per number,
    with one layer more where a measure reads final states."""
    measures: tuple[str, ...] = DEFAULT_MEASURES
    """What requests may ask for."""

    @property
    def reads_logits(self) -> bool:
        return not TOKEN_MEASURES.isdisjoint(self.measures)

    @property
    def reads_final_states(self) -> bool:
        """Those behind the final norm: logits are made of them."""
        return self.reads_logits or "mean_state" in self.measures

    @property
    def definition(self) -> Definition:
        return PRESETS[self.preset].unscaled

    @classmethod
    def parse(cls, given: Any, n_layers: int) -> Self:
        """The settings for a model of `n_layers`. ValueError: one line that names the mend."""
        if not isinstance(given, Mapping) or "layers" not in given:
            raise ValueError(f'give {{"layers": "middle:10"}}, "all" or a list, got {given!r}')
        unknown = set(given) - {"layers", "alphas", "preset", "buffer_tokens", "measures"}
        if unknown:
            raise ValueError(
                f"unknown setting {sorted(unknown)[0]!r}; there are layers, alphas, preset, "
                "buffer_tokens and measures"
            )
        return cls(
            layers=_layers(given["layers"], n_layers),
            n_layers=n_layers,
            alphas=_alphas(given.get("alphas", [1.0])),
            preset=_preset(given.get("preset", "advent")),
            buffer_tokens=_buffer_tokens(given.get("buffer_tokens", BUFFER_TOKENS)),
            measures=parse_measures(given.get("measures", list(DEFAULT_MEASURES)), "measures"),
        )

    def check(self, request: ScoreRequest) -> None:
        """ValueError, fit to show to the caller, for what this server cannot score."""
        ours = self.definition
        lacking = [measure for measure in request.measures if measure not in self.measures]
        if lacking:
            raise ValueError(
                f"this server does not measure {lacking[0]}; start it with "
                f'"measures": [..., "{lacking[0]}"] in --additional-config'
            )
        if request.curve and not ours.has_prefix_curve:
            raise ValueError(f"the prefix curve is not defined for preset {self.preset!r}")
        total = sum(stop - start for start, stop in request.spans)
        if total > SPANS_PER_BUFFER * self.buffer_tokens:
            raise ValueError(
                f"the spans add up to {total} tokens, where at most {SPANS_PER_BUFFER} x "
                f"{self.buffer_tokens} (buffer_tokens) are scored in one request; send fewer, or "
                "shorter ones, at a time"
            )
        needed = count_positions(request.reads)
        if needed > self.buffer_tokens:
            raise ValueError(
                f"the spans cover {needed} tokens, this server keeps {self.buffer_tokens} at once; "
                "start it with a larger buffer_tokens"
            )


def count_positions(spans: tuple[Span, ...]) -> int:
    """Tokens that the spans cover, each once."""
    covered = end = 0
    for start, stop in sorted(spans):
        covered += max(0, stop - max(start, end))
        end = max(end, stop)
    return covered


def _layers(given: Any, n_layers: int) -> tuple[int, ...]:
    if not isinstance(given, str) and not (
        isinstance(given, list) and all(type(layer) is int for layer in given)
    ):
        raise ValueError(f'layers must be "middle:K", "all" or a list of indices, got {given!r}')
    layers = select_layers(given, n_layers)
    if layers[-1] == n_layers:
        named = f'"middle:{n_layers - 1}", or ' if isinstance(given, str) and n_layers > 1 else ""
        raise ValueError(
            f"layers {given!r} include {n_layers}, the last: transformers reads it behind the "
            f"final norm, vLLM before it; give {named}layers of 0..{n_layers - 1}"
        )
    return layers


def _alphas(given: Any) -> tuple[float, ...]:
    numbers = given if isinstance(given, list) else [given]
    if not numbers or not all(_is_order(alpha) for alpha in numbers):
        raise ValueError(f"alphas must be numbers of at least 0, got {given!r}")
    return tuple(float(alpha) for alpha in numbers)


def _is_order(alpha: Any) -> bool:
    return type(alpha) in (int, float) and math.isfinite(alpha) and alpha >= 0


def _preset(given: Any) -> str:
    if not isinstance(given, str) or given not in PRESETS:
        raise ValueError(f"preset must be one of {', '.join(PRESETS)}, got {given!r}")
    return given


def _buffer_tokens(given: Any) -> int:
    if type(given) is not int or given < 1:
        raise ValueError(f"buffer_tokens must be a whole number of at least 1, got {given!r}")
    return given

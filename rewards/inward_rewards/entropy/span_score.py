"""What an engine says of one span, and whether it can be true."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from inward_rewards.entropy.definition import PRESETS
from inward_rewards.entropy.errors import HiddenStatesError
from inward_rewards.entropy.projection import PROJECTED, curve_length

ROUNDING = 1e-3
"""By which ranks and nats may leave what is possible."""


@dataclass(frozen=True)
class Asked:
    """What was asked of an engine, and what it says of itself."""

    measures: tuple[str, ...]
    curve: bool
    layers: int
    alphas: int
    dim: int
    preset: str
    vocabulary: int | None


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
    rank_curve: tuple[tuple[float, ...], ...] | None = None
    """[layers][prefixes]: effective ranks of every 40th prefix of the last 512 tokens."""
    mean_state: tuple[float, ...] | None = None
    """[256]: the mean final state, projected."""
    token_entropy: tuple[float, ...] | None = None
    """[tokens], nats, 0..log(vocabulary)."""
    self_certainty: tuple[float, ...] | None = None
    """[tokens], nats, at least 0."""

    def to_json(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value is not None}

    @classmethod
    def from_json(cls, span: Mapping[str, Any]) -> Self:
        """KeyError, TypeError or ValueError: it is no span's score."""
        return cls(
            start=int(span["start"]),
            stop=int(span["stop"]),
            rows=int(span["rows"]),
            entropy=_table(span["entropy"]),
            curve=_table(span["curve"]) if "curve" in span else None,
            effective_rank=_row(span, "effective_rank"),
            rank_curve=_table(span["rank_curve"]) if "rank_curve" in span else None,
            mean_state=_row(span, "mean_state"),
            token_entropy=_row(span, "token_entropy"),
            self_certainty=_row(span, "self_certainty"),
        )

    def check(self, asked: Asked) -> None:
        """HiddenStatesError: rows that were not computed, numbers missing, not finite or
        impossible."""
        where = f"span [{self.start}, {self.stop})"
        if self.rows != self.stop - self.start:
            raise HiddenStatesError(
                f"{where}: only {self.rows} of {self.stop - self.start} rows were computed "
                "(a prefix-cache hit?)"
            )
        self._check_shapes(asked, where)
        rows = [self.effective_rank, self.mean_state, self.token_entropy, self.self_certainty]
        tables = [self.entropy, self.curve or (), self.rank_curve or ()]
        numbers = [*(row for row in rows if row is not None), *(row for t in tables for row in t)]
        if not all(math.isfinite(number) for row in numbers for number in row):
            raise HiddenStatesError(f"{where}: the answer holds numbers that are not finite")
        self._check_possible(asked, where)

    def _check_shapes(self, asked: Asked, where: str) -> None:
        alphas = asked.alphas if "matrix_entropy" in asked.measures else 0
        if not _is_table(self.entropy, alphas, asked.layers):
            raise HiddenStatesError(f"{where}: expected {alphas} x {asked.layers} entropies")
        if asked.curve and not _is_table(self.curve, asked.layers, self.rows):
            raise HiddenStatesError(f"{where}: the prefix curve is missing or incomplete")
        if "rank_curve" in asked.measures and not _is_table(
            self.rank_curve, asked.layers, curve_length(self.rows)
        ):
            raise HiddenStatesError(f"{where}: rank_curve is missing or incomplete")
        for measure, length in (
            ("effective_rank", asked.layers),
            ("mean_state", PROJECTED),
            ("token_entropy", self.rows),
            ("self_certainty", self.rows),
        ):
            found = getattr(self, measure)
            if measure in asked.measures and (found is None or len(found) != length):
                raise HiddenStatesError(f"{where}: {measure} is missing or incomplete")
        if {"token_entropy", "self_certainty"} & set(asked.measures) and not asked.vocabulary:
            raise HiddenStatesError(f"{where}: the answer names no vocabulary")

    def _check_possible(self, asked: Asked, where: str) -> None:
        """An unknown preset is left to the client, which names it."""
        most = float(min(self.rows, asked.dim))
        bounds = {
            "effective_rank": (self.effective_rank, most),
            "rank_curve": ([rank for row in self.rank_curve or () for rank in row], most),
            "token_entropy": (self.token_entropy, math.log(asked.vocabulary or 1)),
            "self_certainty": (self.self_certainty, math.inf),
        }
        for measure, (values, largest) in bounds.items():
            for value in values or ():
                if not -ROUNDING <= value <= largest + ROUNDING:
                    raise HiddenStatesError(
                        f"{where}: the answer holds a {measure} of {value!r}, outside "
                        f"0..{largest:g}"
                    )
        if asked.preset not in PRESETS:
            return
        definition = PRESETS[asked.preset]
        for value, rows in self._entropies():
            if not definition.possible(value, rows, asked.dim):
                raise HiddenStatesError(
                    f"{where}: the answer holds an entropy of {value!r}, which {rows} rows of "
                    f"{asked.dim} numbers cannot have"
                )

    def _entropies(self) -> Iterator[tuple[float, int]]:
        """(entropy, of how many rows)"""
        for row in self.entropy:
            yield from ((value, self.rows) for value in row)
        for row in self.curve or ():
            yield from ((value, length) for length, value in enumerate(row, start=1))


def _is_table(rows: tuple[tuple[float, ...], ...] | None, height: int, width: int) -> bool:
    return rows is not None and len(rows) == height and all(len(row) == width for row in rows)


def _row(span: Mapping[str, Any], name: str) -> tuple[float, ...] | None:
    return tuple(float(number) for number in span[name]) if name in span else None


def _table(rows: Any) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(float(number) for number in row) for row in rows)

"""The entropy bonus of a rollout: what is measured, kept, compared with the siblings, and paid.

The way of one rollout's data:

    played    `Meter.measure`   the source scores the last completion; its trace keeps the record
    ended     `set_siblings`    each record of the group gets what the others' entropies are
    scored    `bonus_of`        gate · clamp(band · z, ±band), from the record alone
    replayed  `bonus_of`        the same, also under another gate, band or division

A record is JSON under one key of `trace.info`:

    {"group": 8, "measurement": {…}, "correct": true, "index": 3,
     "siblings": [{"raw": 4.1, "tokens": 212, "dim": 3584, "correct": true}, …]}

or `{"group": 8, "unmeasured": "why"}` for a rollout that cannot be read.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, Self

import verifiers.v1 as vf
from pydantic import Field
from pydantic_config import BaseConfig

from inward_rewards.entropy.definition import PRESETS
from inward_rewards.entropy.wire import HiddenStatesError, UnmeasurableError
from inward_rewards.groups import (
    MIN_FIT,
    MIN_STD,
    Gate,
    Over,
    absolute_bonus,
    group_bonus,
    length_residuals,
)
from inward_rewards.hidden_states import (
    Completion,
    EntropyConfig,
    Measurement,
    Policy,
    Source,
    completions,
)

AnyTrace = vf.Trace[Any, Any, Any]
Verdict = Callable[[AnyTrace], bool | None]
"""Whether a rollout is right; None: nobody has judged it."""

# verifiers shows the records of its own loggers only.
logger = logging.getLogger("verifiers.v1.inward_rewards")

KEY = "entropy"
"""Where a taskset with a bonus of its own keeps the record in `trace.info`."""


class BonusConfig(BaseConfig):  # type: ignore[misc]
    gate: Gate = "correct"
    """`correct`: a wrong answer gets no bonus. `none`: every rollout gets one."""
    zscore_over: Over = "all"
    """The siblings that a group's mean and deviation are taken over: `all`, or the `correct`."""
    band: float = Field(0.1, gt=0, le=1)
    """The bonus lies in -band..+band; one standard deviation in the group is worth `band`."""
    zscore_floor: Literal["rounding", "source"] = "rounding"
    """A group whose deviation is below it has no order, and no bonus. `rounding`: by how much an
    entropy may be off; `source`: 1e-6, as in the bonus's source."""
    entropy: EntropyConfig = EntropyConfig()
    """Where the hidden states come from, and which entropy of them."""

    @property
    def settings(self) -> dict[str, Any]:
        """All but where the hidden states came from: what a replay needs, as JSON."""
        measured = self.entropy.model_dump(include={"preset", "alpha", "normalise"})
        own = self.model_dump(include={"gate", "zscore_over", "band", "zscore_floor"})
        return {**own, "entropy": measured}

    def check_group(self, group: int) -> None:
        """ValueError: a group that is too small for what is asked of it."""
        if self.entropy.normalise == "residual" and group < MIN_FIT:
            raise ValueError(
                f'entropy.normalise = "residual" fits a line over the group, and a group of '
                f"{group} is too small for one: set --env.group to {MIN_FIT} or more"
            )


@dataclass(frozen=True)
class Sibling:
    """What the others of its group need of a rollout."""

    raw: float
    """Entropy before any division."""
    tokens: int
    dim: int
    correct: bool


@dataclass(frozen=True)
class Record:
    """What is kept of a rollout's entropy."""

    group: int
    measurement: Measurement | None
    """None: the rollout cannot be read."""
    siblings: tuple[Sibling, ...] = ()
    index: int | None = None
    """Its own place among `siblings`; None: they are not there yet."""

    @classmethod
    def of(cls, trace: AnyTrace, key: str = KEY) -> Self | None:
        """The record on a trace; None where nothing was asked for, or nothing was said.

        HiddenStatesError: a record that this version does not read.
        """
        kept = trace.info.get(key)
        if kept is None:
            return None
        try:
            measured = kept.get("measurement")
            return cls(
                group=kept["group"],
                measurement=None if measured is None else Measurement.from_info(measured),
                siblings=tuple(Sibling(**one) for one in kept.get("siblings", ())),
                index=kept.get("index"),
            )
        except (AttributeError, KeyError, TypeError) as error:
            raise HiddenStatesError(
                f"trace.info[{key!r}] of trace {trace.id} is of another version of inward-rewards "
                f"({type(error).__name__}: {error}): replay it with the version that played it, or "
                "play it again"
            ) from error

    def measured(self, asked: EntropyConfig) -> Measurement | None:
        """What was measured, where it is what the config asks for; else HiddenStatesError."""
        found = self.measurement
        if found is None or (found.preset, found.alpha) == (asked.preset, asked.alpha):
            return found
        raise HiddenStatesError(
            f"the rollout's entropy was measured with preset {found.preset!r} and alpha "
            f"{found.alpha!r}, and the config asks for {asked.preset!r} and {asked.alpha!r}: name "
            "those of the rollout (entropy.preset, entropy.alpha), or play it again"
        )


@dataclass(frozen=True)
class Meter:
    """Measures the rollouts of groups of `group`, and keeps each record under `key`."""

    source: Source
    group: int
    key: str = KEY

    async def measure(self, trace: AnyTrace) -> None:
        """Measure the rollout's last completion. A policy that said nothing leaves no record.

        HiddenStatesError: the machine could not; the rollout has no score then.
        """
        completion = last_completion(trace)
        if completion is None:
            return
        try:
            measurement = await self.source.measure(completion, Policy.of(trace))
        except UnmeasurableError as reason:
            # Its length is the policy's doing: everything but the bonus is scored.
            logger.warning("a rollout is scored without its entropy: %s", reason)
            trace.info[self.key] = {"unmeasured": str(reason), "group": self.group}
            return
        trace.info[self.key] = {"measurement": measurement.to_info(), "group": self.group}

    def keep_settings(self, trace: AnyTrace, config: BonusConfig) -> None:
        """Keep with a measured rollout how it is paid, for a replay that has no config of it."""
        if self.key in trace.info:
            trace.info[self.key]["settings"] = config.settings

    def set_siblings(self, traces: Iterable[AnyTrace], verdict: Verdict) -> None:
        """Tell the rollouts of one group of each other. One without a measurement or a verdict
        has no part in it.

        HiddenStatesError: a rollout that spoke and was never measured.
        """
        members = []
        for trace in traces:
            record, right = Record.of(trace, self.key), verdict(trace)
            if record is None:
                _refuse_unread(trace)
            elif record.measurement is not None and right is not None:
                trace.info[self.key]["correct"] = right
                members.append((trace, _sibling(record.measurement, right)))
        if self.group == 1:
            return
        siblings = [asdict(own) for _, own in members]
        for index, (trace, _) in enumerate(members):
            trace.info[self.key] |= {"siblings": siblings, "index": index}


def last_completion(trace: AnyTrace) -> Completion | None:
    """What is measured of a rollout; None where the policy said nothing."""
    found = completions(trace)
    return found[-1] if found and found[-1].completion_ids else None


def bonus_of(record: Record | None, right: bool, config: BonusConfig) -> float | None:
    """The bonus of one rollout, or None: nothing was measured, or its siblings are not there yet.

    In a group: clamp(band · z, ±band), z over the siblings' divided entropies. Without siblings
    it is absolute: band · (2 · fraction of the largest entropy - 1). `right` opens the gate.
    Source: Advent of Small ML (2025), day 7; the absolute form is this package's own.
    """
    measurement = None if record is None else record.measured(config.entropy)
    if record is None or measurement is None:
        return None
    if record.group == 1:
        config.check_group(record.group)
        if config.gate == "correct" and not right:
            return 0.0
        return absolute_bonus(fraction(measurement), band=config.band)
    if record.index is None:
        return None
    values, floor = _values(record.siblings, measurement, config)
    flags = [sibling.correct for sibling in record.siblings]
    # The verdict of now: a replay judges the reply again.
    flags[record.index] = right
    bonuses = group_bonus(
        values,
        flags,
        band=config.band,
        gate=config.gate,
        over=config.zscore_over,
        floor=MIN_STD if config.zscore_floor == "source" else floor,
    )
    return bonuses[record.index]


def replayed(trace: AnyTrace, key: str) -> tuple[Record, bool | None, BonusConfig] | None:
    """What `Meter.keep_settings` left of a rollout: for `bonus_of` and `metrics_of`, from the trace
    alone, with its verdict, None where nobody judged it. None where nothing was measured, or the
    group has not ended."""
    record = Record.of(trace, key)
    if record is None or "settings" not in trace.info[key]:
        return None
    config = BonusConfig.model_validate(trace.info[key]["settings"])
    return record, trace.info[key].get("correct"), config


def metrics_of(record: Record | None, asked: EntropyConfig, prefix: str = "") -> dict[str, float]:
    """Of one rollout; none where nothing was asked for, or nothing was said. Every name begins
    with `prefix`."""
    if record is None:
        return {}
    measurement = record.measured(asked)
    if measurement is None:
        return {f"{prefix}unmeasured": 1.0}
    found = {
        "unmeasured": 0.0,
        "entropy_raw": measurement.raw,
        "entropy_normalised": fraction(measurement),
        "measures_policy": float(measurement.measures == "policy"),
        "completion_tokens": float(measurement.tokens + measurement.left_out),
    }
    return {prefix + name.removeprefix(prefix): value for name, value in found.items()}


def fraction(measurement: Measurement) -> float:
    """The entropy as a fraction of the largest that so many tokens can have."""
    return measurement.value(replace(PRESETS[measurement.preset], normalise="max"))


def _values(
    siblings: tuple[Sibling, ...], measurement: Measurement, config: BonusConfig
) -> tuple[list[float], float]:
    """(what the siblings are compared by, the deviation below which that is rounding).

    Worked out here and not when kept, so that a replay may divide otherwise.
    """
    tokens = [sibling.tokens for sibling in siblings]
    if config.entropy.normalise == "residual":
        return length_residuals([one.raw for one in siblings], tokens), measurement.rounding
    definition = config.entropy.definition
    scales = [definition.scale(one.tokens, one.dim) for one in siblings]
    values = [one.raw / scale for one, scale in zip(siblings, scales, strict=True)]
    return values, measurement.rounding / min(scales)


def _sibling(measurement: Measurement, right: bool) -> Sibling:
    return Sibling(measurement.raw, measurement.tokens, measurement.dim, right)


def _refuse_unread(trace: AnyTrace) -> None:
    if last_completion(trace) is not None:
        raise HiddenStatesError(
            f"trace {trace.id} was never measured: its finalize stage ended early; raise or drop "
            "--env.agent.timeout.finalize"
        )

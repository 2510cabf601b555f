"""Whether a trainer would get a signal from an environment with this policy: the trainability card.

Pure functions over the scored rollouts of a run with several rollouts per task. A trainer of the
GRPO kind [Shao et al. 2024, arXiv:2402.03300] learns from what differs within a group, the
rollouts of one task: a group whose rewards are all equal has no gradient.

Success is the environment's headline figure where all its values are 0 or 1. Where they are not,
pass@k is the expected best of k rollouts, of which the other is the special case; nothing is
called solved then, right or wrong.
"""

from __future__ import annotations

import statistics
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import verifiers.v1 as vf
from inward_statistics import clustered_mean, expected_best

from inward.eval_plugin import EvalPlugin, Value, nobody_answered, question
from inward.runs import Rollout, Run, uncalled_tools

MAX_K = 8
SOLVED = (0.2, 0.8)
"""A task that is solved in this share of its rollouts has most to teach."""
EQUAL = 1e-9
"""Rewards that differ by less are equal: what rounding leaves of one and the same reward."""

Group = Sequence[vf.WireTrace]


@dataclass(frozen=True)
class Card:
    """Shares are from 0 to 1. None: not known from this run."""

    groups: int
    """Of two or more scored rollouts."""
    rollouts: int
    """In those groups."""
    without_spread: int
    """Groups whose rewards are equal, or differ by no more than the reward's own noise."""
    all_right: int | None
    """Of the groups without spread, as the next."""
    all_wrong: int | None
    pass_at: dict[int, float]
    """k -> chance that the best of k rollouts is right, or its expected headline figure; over the
    groups of at least k rollouts. Unbiased [Chen et al. 2021, arXiv:2107.03374, eq. 1]."""
    solved_in_part: float | None
    """Share of groups that have the headline figure of which 20 to 80 % of it is right."""
    variance_within: float
    """Of the reward, within groups: their mean unbiased variance."""
    variance_between: float | None
    """Of the groups' true mean rewards: the variance of the means, less what the variance within
    groups puts into it; at least 0. None for one group."""
    noise_floor: float | None
    """The largest difference of two rewards that the measurement itself may make; None where the
    environment names none."""
    truncated: float
    """Share of rollouts that a limit of turns, tokens or context cut short."""
    length_right: float | None
    """Mean completion tokens of right rollouts; where nothing is called right, of the better half
    of each group."""
    length_wrong: float | None
    verdict: str
    """In words, whether a trainer would get a signal, and what stands in its way."""


def trainability(run: Run, plugin: EvalPlugin | None) -> Card | None:
    """None where no task has two scored rollouts."""
    groups = [group for group in grouped(run) if len(group) > 1]
    if not groups:
        return None
    headline = plugin.columns[0][1] if plugin and plugin.columns else _reward
    figures = [[value for t in group if (value := headline(t)) is not None] for group in groups]
    binary = any(figures) and all(value in (0.0, 1.0) for values in figures for value in values)
    floor = noise_floor([trace for group in groups for trace in group], plugin)
    flat = [not has_spread([t.reward for t in group], floor or 0.0) for group in groups]
    # None: a group of another seat, or not of the headline's subset.
    shares = [statistics.fmean(values) if values else None for values in figures]
    all_right = sum(f and share == 1 for f, share in zip(flat, shares, strict=True))
    all_wrong = sum(f and share == 0 for f, share in zip(flat, shares, strict=True))
    traces = [trace for group in groups for trace in group]
    right, wrong = _lengths(groups, headline if binary else None)
    within, between = variances([[trace.reward for trace in group] for group in groups])
    reasons = [*_in_the_way(traces, plugin), *_guessed(traces, plugin)]
    return Card(
        groups=len(groups),
        rollouts=len(traces),
        without_spread=sum(flat),
        all_right=all_right if binary else None,
        all_wrong=all_wrong if binary else None,
        pass_at=pass_at(figures),
        solved_in_part=_share([SOLVED[0] <= x <= SOLVED[1] for x in shares if x is not None])
        if binary
        else None,
        variance_within=within,
        variance_between=between,
        noise_floor=floor,
        truncated=_share([trace.is_truncated for trace in traces]),
        length_right=right,
        length_wrong=wrong,
        verdict=_verdict(flat, (all_right, all_wrong) if binary else None, reasons),
    )


def grouped(run: Run) -> list[Group]:
    """The scored rollouts that a trainer would compare: see `group_of`."""
    groups: dict[Hashable, list[vf.WireTrace]] = {}
    for rollout in run.rollouts:
        if rollout.trace is None or not rollout.ok or not rollout.trace.agent.trainable:
            continue
        groups.setdefault(group_of(rollout), []).append(rollout.trace)
    return list(groups.values())


RIGHT = ("right",)
"""What all right answers count as in a vote: the verifier has found them equal to the reference. No
text is equal to it."""


def group_of(rollout: Rollout) -> Hashable:
    """What a rollout is compared with: its seat in one episode where an environment plays the group
    itself, else in the group that a trainer named, else on one task."""
    episode, trace = rollout.episode, rollout.trace
    if trace is None:
        return episode.id
    seat = trace.agent.name
    if sum(mate.agent.name == seat for mate in episode.traces) > 1:
        return episode.id, seat
    return episode.group.id if episode.group else question(trace), seat


def has_spread(rewards: Sequence[float], floor: float = 0.0) -> bool:
    """Whether the rewards of a group differ by more than rounding and `floor`."""
    largest = max(map(abs, rewards), default=0.0)
    return max(rewards) - min(rewards) > max(EQUAL * max(1.0, largest), floor)


def pass_at(groups: Sequence[Sequence[float]]) -> dict[int, float]:
    """k -> mean of `expected_best` over the groups of at least k values, for k up to `MAX_K`."""
    longest = max(map(len, groups), default=0)
    return {
        k: statistics.fmean(expected_best(values, k) for values in groups if len(values) >= k)
        for k in range(1, min(MAX_K, longest) + 1)
    }


def variances(groups: Sequence[Sequence[float]]) -> tuple[float, float | None]:
    """Within and between groups, as in a one-way analysis of variance with random effects."""
    spreads = [statistics.variance(rewards) for rewards in groups]
    within = statistics.fmean(spreads)
    if len(groups) < 2:
        return within, None
    noise = statistics.fmean(v / len(g) for v, g in zip(spreads, groups, strict=True))
    means = statistics.variance([statistics.fmean(rewards) for rewards in groups])
    return within, max(0.0, means - noise)


def _lengths(groups: Sequence[Group], success: Value | None) -> tuple[float | None, float | None]:
    """Mean completion tokens of right and of wrong rollouts, or of the halves by reward."""
    right: list[int] = []
    wrong: list[int] = []
    for group in groups:
        if any(trace.usage is None for trace in group):
            continue
        if success is None and not has_spread([trace.reward for trace in group]):
            continue
        ranked = sorted(group, key=_reward)
        for place, trace in enumerate(ranked):
            better = success(trace) if success else place >= (len(ranked) + 1) // 2
            if better is None:
                continue  # not of the headline's subset
            if success is None and len(ranked) % 2 and place == len(ranked) // 2:
                continue  # the middle one is of neither half
            (right if better else wrong).append(trace.num_output_tokens)
    return (
        statistics.fmean(right) if right else None,
        statistics.fmean(wrong) if wrong else None,
    )


def noise_floor(traces: Iterable[vf.WireTrace], plugin: EvalPlugin | None) -> float | None:
    """The largest difference of two rewards that the measurement itself may make."""
    if plugin is None or plugin.noise is None:
        return None
    found = [v for t in traces if (v := plugin.noise(t)) is not None]
    return 2 * max(found) if found else None


def _verdict(flat: Sequence[bool], ends: tuple[int, int] | None, reasons: Sequence[str]) -> str:
    """One line: signal or none, the groups, then what holds for all rollouts."""
    spread = len(flat) - sum(flat)
    head = f"A trainer would get {'a' if spread else 'no'} signal"
    counts = f"groups with spread: {spread} of {len(flat)}"
    if ends is not None:
        counts += f"; all right {ends[0]}, all wrong {ends[1]}"
    sentences = [f"{head}: {counts}", *(reason[0].upper() + reason[1:] for reason in reasons)]
    return ". ".join(sentences) + "."


def _in_the_way(traces: Sequence[vf.WireTrace], plugin: EvalPlugin | None) -> list[str]:
    """What every rollout has in common, and learns nothing of."""
    reasons = []
    if tools := uncalled_tools(traces):
        reasons.append(f"no rollout called {'the tool' if len(tools) == 1 else 'a tool'}")
    if nobody_answered(plugin, traces):
        reasons.append("every reply misses the layout that the prompt asks for")
    if all(trace.is_truncated for trace in traces):
        reasons.append("every rollout was cut short by a limit")
    if len({trace.last_reply for trace in traces}) == 1:
        reasons.append("every reply is the same")
    return reasons


def _guessed(traces: Sequence[vf.WireTrace], plugin: EvalPlugin | None) -> list[str]:
    """Spread that guessing makes as well teaches nothing yet."""
    if plugin is None or plugin.chance is None:
        return []
    label, value = plugin.columns[0]
    found = [(v, plugin.cluster(trace)) for trace in traces if (v := value(trace)) is not None]
    if not found:
        return []
    mean = clustered_mean([v for v, _ in found], [cluster for _, cluster in found])
    if not mean.low <= plugin.chance <= mean.high:
        return []
    return [
        f"{label}, {mean.value:.3f}, does not differ from guessing ({plugin.chance:.3f} is within"
        " its 95 % interval): the spread may be luck"
    ]


def _reward(trace: vf.WireTrace) -> float:
    return trace.reward


def _share(flags: Sequence[bool]) -> float:
    return sum(flags) / len(flags)


def card_json(card: Card) -> dict[str, Any]:
    """The card with JSON's keys: every share, count and figure by its name, `pass_at` by k."""
    return {
        "groups": card.groups,
        "rollouts": card.rollouts,
        "groups_without_spread": card.without_spread,
        "share_without_spread": card.without_spread / card.groups,
        "all_right": card.all_right,
        "all_wrong": card.all_wrong,
        "pass_at": {str(k): value for k, value in card.pass_at.items()},
        "share_solved_20_80": card.solved_in_part,
        "variance_within": card.variance_within,
        "variance_between": card.variance_between,
        "noise_floor": card.noise_floor,
        "share_truncated": card.truncated,
        "tokens_right": card.length_right,
        "tokens_wrong": card.length_wrong,
        "verdict": card.verdict,
    }

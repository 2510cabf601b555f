"""Name -> what a group reward needs, and what it pays each sibling.

None instead of a score: that sibling has no part in it, and is paid nothing. Where 0 would be a
good score, a sibling that cannot be measured (it never spoke, or is longer than its reader takes)
is paid a bad one.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from inward_rewards.group_rewards.answers import answer_of, votes_of
from inward_rewards.group_rewards.config import MethodName
from inward_rewards.group_rewards.members import Group, Member
from inward_rewards.groups import zscores
from inward_rewards.signals import (
    UNREADABLE,
    answer_entropy,
    ares,
    calibrated,
    difficulty_of,
    elliptical_bonus,
    em_rl_token,
    exact_entropies,
    flips,
    majority,
    noisy,
    pear,
    random_bonus,
    rank_dynamics,
    reasoning_patterns,
    rent,
    self_certainty,
    semantic_entropy,
    shuffled,
    target_of,
    ttrv,
    window_entropies,
)

Scores = list[float | None]


@dataclass(frozen=True)
class Paid:
    scores: Scores
    """Of each member, in their order."""
    metrics: Mapping[str, float] = field(default_factory=dict)
    """Of the whole group."""


@dataclass(frozen=True)
class Method:
    pay: Callable[[Group], Awaitable[Paid]]
    judged: bool = False
    """It needs the gate reward."""
    replaces: bool = False
    """It takes the gate reward's place, whose weight becomes 0."""
    measures: tuple[str, ...] = ()
    """Of each completion, by the names of `inward_rewards.entropy.wire`."""
    phases: bool = False
    """It needs to know where the thinking ends."""
    smallest: int = 1
    """Siblings without which it says nothing."""


async def _majority(group: Group) -> Paid:
    return await _by_votes(group, majority)


async def _semantic_entropy(group: Group) -> Paid:
    return await _by_votes(group, semantic_entropy)


async def _ttrv(group: Group) -> Paid:
    return await _by_votes(group, lambda votes: ttrv(votes, alpha=group.config.votes.alpha))


async def _by_votes(group: Group, pay: Callable[[Sequence[int | None]], list[float]]) -> Paid:
    config = group.config.votes
    votes = await votes_of([answer_of(member.reply, config) for member in group.members], config)
    counted = [vote for vote in votes if vote is not None]
    most = max((counted.count(vote) for vote in set(counted)), default=0)
    metrics = {
        "answer_entropy": answer_entropy(votes),
        "majority_share": most / len(votes) if votes else 0.0,
    }
    return Paid(list(pay(votes)), metrics)


async def _random(group: Group) -> Paid:
    config = group.config
    return Paid(
        [
            random_bonus(config.seed, group.task, member.index, band=config.band)
            for member in group.members
        ]
    )


async def _shuffled(group: Group) -> Paid:
    scores = [member.score for member in group.members]
    return Paid(shuffled(scores, group.config.seed, group.task))


async def _noisy(group: Group) -> Paid:
    flip = flips(group.config.noisy.probability, group.config.seed, group.task)
    scores = [None if m.score is None else noisy(m.score, flip) for m in group.members]
    return Paid(scores, {"flipped": float(flip)})


async def _calibrated(group: Group) -> Paid:
    def score(member: Member) -> float | None:
        answered = member.reply is not None and member.reply.answer_or_box is not None
        patterns = reasoning_patterns(member.text, answered=answered)
        return None if member.score is None else calibrated(member.score, patterns)

    return Paid([score(member) for member in group.members])


async def _rent(group: Group) -> Paid:
    def score(member: Member) -> float:
        return rent(exact_entropies(_tokens(member, "token_entropy")))

    return _each(group, score, lambda member: UNREADABLE)


async def _em_rl_token(group: Group) -> Paid:
    def score(member: Member) -> float:
        return em_rl_token(exact_entropies(_tokens(member, "token_entropy")))

    return _each(group, score, lambda member: UNREADABLE * max(1, member.tokens))


async def _self_certainty(group: Group) -> Paid:
    def score(member: Member) -> float:
        return self_certainty(_tokens(member, "self_certainty"))

    return _each(group, score, lambda member: 0.0)


async def _pear(group: Group) -> Paid:
    config = group.config.pear

    def score(member: Member) -> float | None:
        if member.right is None:
            return None
        entropies = exact_entropies(_tokens(member, "token_entropy"))
        return pear(
            entropies, member.boundary, member.right, alpha=config.alpha, wrong=config.wrong
        )

    return _each(group, score, lambda member: config.wrong)


async def _repexp(group: Group) -> Paid:
    config = group.config.repexp
    read = [m for m in group.members if m.measured is not None and m.right is not None]
    states = [m.measured.span.mean_state or () for m in read if m.measured is not None]
    bonuses = elliptical_bonus(states, ridge=config.ridge, form=config.form) if read else []
    solved = any(member.right for member in read)
    open_to = {m.index for m in read if (m.right if config.gate == "correct" else solved)}
    by_index = {
        member.index: bonus if member.index in open_to else 0.0
        for member, bonus in zip(read, bonuses, strict=True)
    }
    return Paid([by_index.get(member.index) for member in group.members])


ROUNDING = {"float32": 1e-4, "float64": 1e-4}
"""Share of a group's mean by which ranks may be off, by the type of the model that was read."""
HALF_ROUNDING = 1e-2


async def _rank(group: Group) -> Paid:
    """clamp(band · (z_ER + z_ERV) / 2, ±band), z over all siblings, of the right ones."""
    ranks: Scores = []
    speeds: Scores = []
    for member in group.members:
        span = None if member.measured is None or member.right is None else member.measured.span
        if span is None:
            ranks.append(None)
            speeds.append(None)
            continue
        ranks.append(statistics.fmean(span.effective_rank or ()))
        curves = [rank_dynamics(curve)[0] for curve in span.rank_curve or ()]
        speeds.append(statistics.fmean(curves))
    known = [rank for rank in ranks if rank is not None]
    types = [m.measured.dtype for m in group.members if m.measured is not None]
    share = max((ROUNDING.get(str(dtype), HALF_ROUNDING) for dtype in types), default=1.0)
    floor = share * max(statistics.fmean(known) if known else 0.0, 1.0)
    scores: Scores = []
    pairs = zip(zscores(ranks, floor=floor), zscores(speeds, floor=floor), strict=True)
    for member, (z_rank, z_speed) in zip(group.members, pairs, strict=True):
        if z_rank is None or z_speed is None:
            scores.append(None)
            continue
        bonus = group.config.band * (z_rank + z_speed) / 2
        scores.append(
            max(-group.config.band, min(group.config.band, bonus)) if member.right else 0.0
        )
    return Paid(scores)


async def _ares(group: Group) -> Paid:
    config = group.config.ares
    judged = [m for m in group.members if m.measured is not None and m.right is not None]
    if not judged:
        return Paid([None] * len(group.members))
    windows = {
        m.index: window_entropies(_tokens(m, "token_entropy"), config.window) for m in judged
    }
    every = sorted(value for values in windows.values() for value in values)
    place = math.ceil(config.percentile * len(every)) - 1
    threshold = every[place] if every else math.inf
    counts = {i: sum(value > threshold for value in values) for i, values in windows.items()}
    difficulty = difficulty_of([bool(member.right) for member in judged])
    target = target_of(list(counts.values()), difficulty)
    paid = {
        m.index: ares(counts[m.index], target, bool(m.right), difficulty, cap=config.cap)
        for m in judged
    }
    metrics = {
        "solved_share": sum(bool(m.right) for m in judged) / len(judged),
        "high_entropy_target": target,
    }
    # What is too long to be read explores more than all of them.
    worst = {m.index: -config.cap for m in group.members if m.measured is None}
    return Paid([(paid | worst).get(member.index) for member in group.members], metrics)


def _each(
    group: Group,
    score: Callable[[Member], float | None],
    unmeasured: Callable[[Member], float],
) -> Paid:
    """Each member by itself."""
    members = group.members
    return Paid([unmeasured(m) if m.measured is None else score(m) for m in members])


def _tokens(member: Member, measure: str) -> tuple[float, ...]:
    assert member.measured is not None
    values: tuple[float, ...] | None = getattr(member.measured.span, measure)
    assert values is not None  # the answer was checked against what was asked
    return values


METHODS: dict[MethodName, Method] = {
    "majority": Method(_majority, smallest=2),
    "semantic_entropy": Method(_semantic_entropy, smallest=2),
    "ttrv": Method(_ttrv, smallest=2),
    "random": Method(_random),
    "shuffled": Method(_shuffled, judged=True, replaces=True, smallest=2),
    "noisy": Method(_noisy, judged=True, replaces=True),
    "calibrated": Method(_calibrated, judged=True, replaces=True),
    "rent": Method(_rent, measures=("token_entropy",)),
    "em_rl_token": Method(_em_rl_token, measures=("token_entropy",)),
    "self_certainty": Method(_self_certainty, measures=("self_certainty",)),
    "pear": Method(_pear, judged=True, replaces=True, measures=("token_entropy",), phases=True),
    "repexp": Method(_repexp, judged=True, measures=("mean_state",), smallest=2),
    "rank": Method(_rank, judged=True, measures=("effective_rank", "rank_curve"), smallest=2),
    "ares": Method(_ares, judged=True, measures=("token_entropy",), smallest=2),
}

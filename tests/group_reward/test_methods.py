"""What each group reward pays, of members made by hand: the rows of docs/rewards.md."""

from __future__ import annotations

import math
import random

import pytest
from inward_rewards.entropy.wire import SpanScore
from inward_rewards.formats import parse_reply
from inward_rewards.group_rewards import METHODS, Group, GroupRewardConfig, Member
from inward_rewards.hidden_states import CompletionScore
from inward_rewards.maths import Verifier, verifier
from inward_rewards.signals import (
    ares,
    elliptical_bonus,
    em_rl_token,
    exact_entropies,
    noisy,
    pear,
    rank_dynamics,
    rent,
    shuffled,
    target_of,
)

THOUGHT = "First, we know that x is 2. Therefore y is 3."


def member(index, answer="", *, right=None, score=None, thought=THOUGHT, span=None, **fields):
    text = f"<think>{thought}</think><answer>{answer}</answer>" if answer is not None else thought
    score = float(right) if score is None and right is not None else score
    measured = None if span is None else CompletionScore(SpanScore(0, 1, 1, (), **span), "float32")
    return Member(
        index=index,
        reply=parse_reply(text),
        text=text,
        score=score,
        right=right,
        measured=measured,
        **fields,
    )


async def pay(members, **config):
    config = GroupRewardConfig(**config)
    assert config.reward is not None
    return await METHODS[config.reward].pay(Group("task", tuple(members), config))


async def test_votes_by_value():
    answers = ["0.5", r"\frac{1}{2}", "2", None, "1/2", ""]
    members = [member(i, answer) for i, answer in enumerate(answers)]
    found = await pay(members, reward="majority")
    assert found.scores == [1, 1, 0, 0, 1, 0]
    assert found.metrics["majority_share"] == 0.5
    shares = await pay(members, reward="semantic_entropy")
    assert shares.scores == pytest.approx([0.5, 0.5, 1 / 6, 0, 0.5, 0])
    entropy = math.log(4) - 0.75 * math.log(3)
    assert shares.metrics["answer_entropy"] == pytest.approx(entropy)
    both = await pay(members, reward="ttrv", votes={"alpha": 0.5})
    assert both.scores == pytest.approx([s - 0.5 * entropy for s in shares.scores])


async def test_votes_by_text_of_the_last_line():
    members = [
        member(i, None, thought=thought)
        for i, thought in enumerate(["so\n The  Cat\n\n", "the cat", "a dog", ""])
    ]
    votes = {"answer": "last_line", "same": "text"}
    assert (await pay(members, reward="majority", votes=votes)).scores == [1, 1, 0, 0]


async def test_answers_that_nobody_can_read_equal_their_own_text_alone(monkeypatch):
    # Its processes end with it; what takes half a second takes five as well.
    quick = Verifier(cpu_seconds=0.5)
    monkeypatch.setitem(verifier._default, None, quick)
    endless = r"(10^{8})!"
    answers = [endless, endless, "x" * 3000, "x" * 3000, "%$#", "7"]
    members = [member(i, answer) for i, answer in enumerate(answers)]
    found = await pay(members, reward="semantic_entropy")
    assert found.scores == pytest.approx([2 / 6, 2 / 6, 2 / 6, 2 / 6, 1 / 6, 1 / 6])
    quick.close()


async def test_constant_answers_and_silence():
    constant = [member(i, "0", thought="no") for i in range(8)]
    assert (await pay(constant, reward="majority")).scores == [1.0] * 8
    silent = [member(i, None, thought="") for i in range(8)]
    for reward in ("majority", "semantic_entropy", "ttrv"):
        assert (await pay(silent, reward=reward)).scores == [0.0] * 8


async def test_controls():
    members = [member(i, "1", right=i < 3) for i in range(6)]
    for seed in (0, 5):
        dealt = await pay(members, reward="shuffled", seed=seed)
        assert dealt.scores == shuffled([m.score for m in members], seed, "task")
        assert sorted(dealt.scores) == [0, 0, 0, 1, 1, 1]
    flipped = [
        (await pay(members, reward="noisy", noisy={"probability": p})).scores for p in (0, 1)
    ]
    assert flipped == [[noisy(m.score, flip) for m in members] for flip in (False, True)]
    bonus = (await pay(members, reward="random", band=0.3)).scores
    assert len(set(bonus)) == 6
    assert max(map(abs, bonus)) <= 0.3
    # Whatever was written: the same bonus.
    assert (
        await pay([member(i, "9") for i in range(6)], reward="random", band=0.3)
    ).scores == bonus


async def test_calibrated():
    members = [
        member(0, "1", score=0.2),
        member(1, "1", score=0.8),
        member(2, None, score=0.2),  # phrases, but no answer
        member(3, "1"),
    ]
    paid = (await pay(members, reward="calibrated")).scores
    assert paid == [pytest.approx(0.2 + 0.1 * 3 / 20), 0.8, 0.2, None]


def entropies(*values):
    return {"token_entropy": values}


async def test_confidence():
    spans = [(0.5, 0.7), (0.1,) * 40]
    members = [
        *(member(i, "1", span=entropies(*span), tokens=len(span)) for i, span in enumerate(spans)),
        member(2, "1", tokens=9000),  # longer than the engine reads
        member(3, None, thought=""),  # said nothing
    ]
    exact = [exact_entropies(span) for span in spans]
    assert (await pay(members, reward="rent")).scores == [*map(rent, exact), -7.0, -7.0]
    found = (await pay(members, reward="em_rl_token")).scores
    assert found == [*map(em_rl_token, exact), -63_000.0, -7.0]
    sure = [
        member(i, "1", span={"self_certainty": span}) for i, span in enumerate([(2.0, 4.0), (9.0,)])
    ]
    assert (await pay([*sure, members[2]], reward="self_certainty")).scores == [3.0, 9.0, 0.0]


async def test_pear():
    span = entropies(0.6, 0.8, 0.1)
    members = [
        member(0, "1", right=True, span=span, boundary=2),
        member(1, "2", right=False, span=span, boundary=2),
        member(2, "1", right=True, span=span, boundary=None),
        member(3, "1", right=True, tokens=9000),
        member(4, "1", span=span, boundary=2),  # nobody judged it
    ]
    exact = exact_entropies(span["token_entropy"])
    assert (await pay(members, reward="pear")).scores == [
        pear(exact, 2, True),
        0.0,
        pear(exact, None, True),
        0.0,
        None,
    ]


async def test_repexp_pays_groups_with_a_right_sibling():
    draw = random.Random(3)
    states = [[draw.gauss(0, 1) for _ in range(256)] for _ in range(5)]
    right = [True, False, False, True, False]
    members = [
        member(i, "1", right=flag, span={"mean_state": tuple(state)})
        for i, (flag, state) in enumerate(zip(right, states, strict=True))
    ]
    paid = (await pay([*members, member(5, "1", right=True)], reward="repexp")).scores
    expected = elliptical_bonus(states)
    assert paid == [*expected, None]
    settings = {"gate": "correct", "form": "leverage", "ridge": 1.0}
    paid = (await pay(members, reward="repexp", repexp=settings)).scores
    expected = elliptical_bonus(states, ridge=1.0, form="leverage")
    assert paid == [b if flag else 0.0 for b, flag in zip(expected, right, strict=True)]
    wrong = [member(m.index, "1", right=False, span={"mean_state": (1.0 * m.index,) * 256})
             for m in members]  # fmt: skip
    assert (await pay(wrong, reward="repexp")).scores == [0.0] * 5


async def test_rank_is_a_gated_z_score():
    curves = [[5.0, 7.0, 9.0], [5.0, 6.0, 6.0], [5.0, 9.0, 12.0], [4.0, 4.0, 4.0]]
    ranks, right = [10.0, 8.0, 14.0, 6.0], [True, True, False, True]
    members = [
        member(i, "1", right=flag, span={"effective_rank": (r, r), "rank_curve": (c, c)})
        for i, (flag, r, c) in enumerate(zip(right, ranks, curves, strict=True))
    ]
    paid = (await pay(members, reward="rank", band=0.2)).scores

    def z(values):
        mean = sum(values) / len(values)
        deviation = math.sqrt(sum((v - mean) ** 2 for v in values) / (len(values) - 1))
        return [(v - mean) / deviation for v in values]

    speeds = [rank_dynamics(curve)[0] for curve in curves]
    for score, flag, one, two in zip(paid, right, z(ranks), z(speeds), strict=True):
        expected = max(-0.2, min(0.2, 0.2 * (one + two) / 2)) if flag else 0.0
        assert score == pytest.approx(expected)
    # One reply four times, but for rounding: no order.
    alike = [
        member(i, "1", right=True, span={"effective_rank": (9.0 + i * 1e-5,), "rank_curve": ((),)})
        for i in range(4)
    ]
    assert (await pay(alike, reward="rank")).scores == [0.0] * 4


async def test_ares():
    draw = random.Random(1)
    spans = [tuple(draw.choice([0.0, 2.0]) for _ in range(n)) for n in (30, 60, 90, 40)]
    right = [True, False, False, False]
    members = [
        member(i, "1", right=flag, span=entropies(*span))
        for i, (flag, span) in enumerate(zip(right, spans, strict=True))
    ]
    found = await pay([*members, member(4, "1", right=False, tokens=9000)], reward="ares")
    windows = [[sum(s[i : i + 4]) / 4 for i in range(len(s) - 3)] for s in spans]
    every = sorted(w for ws in windows for w in ws)
    threshold = every[math.ceil(0.8 * len(every)) - 1]
    counts = [sum(w > threshold for w in ws) for ws in windows]
    target = target_of(counts, "hard")
    assert found.metrics == {"solved_share": 0.25, "high_entropy_target": target}
    assert found.scores == [
        *(ares(c, target, flag, "hard") for c, flag in zip(counts, right, strict=True)),
        -0.5,
    ]
    assert (await pay([member(0, "1", span=entropies(1.0))], reward="ares")).scores == [None]


@pytest.mark.parametrize("reward", METHODS)
async def test_an_empty_group_is_paid_nothing(reward):
    assert (await pay([], reward=reward)).scores == []


def test_settings_of_another_reward_are_refused():
    with pytest.raises(ValueError, match="pear is a setting of pear, and the reward is 'rent'"):
        GroupRewardConfig(reward="rent", pear={"alpha": 2})
    with pytest.raises(ValueError, match="band is a setting of random, rank"):
        GroupRewardConfig(reward="majority", band=0.2)
    assert GroupRewardConfig(reward="majority", votes={"same": "text"}).votes.same == "text"

"""Group rewards without a gold answer, against counts by hand, and what agreement alone earns."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inward_rewards.maths import verify
from inward_rewards.signals import answer_entropy, clusters, majority, semantic_entropy, ttrv

VOTES = st.lists(st.none() | st.integers(0, 4), max_size=12)


async def by_value(one: str, other: str) -> bool:
    return float(one) == float(other)


async def test_clusters_are_numbered_by_first_appearance_and_compared_once():
    asked = []

    async def same(one: str, other: str) -> bool:
        asked.append((one, other))
        return float(one) == float(other)

    answers = ["2", " 2 ", None, "2.0", "", "7", "2", "7.0"]
    assert await clusters(answers, same) == [0, 0, None, 0, None, 1, 0, 1]
    assert asked == [("2", "2.0"), ("2", "7"), ("2", "7.0"), ("7", "7.0")]


async def test_clusters_by_the_maths_verifier():
    async def same(one: str, other: str) -> bool:
        return (await verify(one, other)).correct

    found = await clusters([r"\frac{1}{2}", "0.5", "2/4", "3"], same)
    assert found == [0, 0, 0, 1]


@pytest.mark.parametrize(
    ("votes", "label"),
    [
        ([0, 1, 1, 2], [0, 1, 1, 0]),
        ([1, 0, 0, 1], [0, 1, 1, 0]),  # a tie: the first cluster
        ([None, None, None, 3], [0, 0, 0, 1]),  # silence is no answer to agree on
        ([None, None], [0, 0]),
        ([], []),
    ],
)
def test_majority(votes, label):
    assert majority(votes) == label


@given(VOTES)
def test_shares_and_entropy_against_counts(votes):
    shares = semantic_entropy(votes)
    answered = [vote for vote in votes if vote is not None]
    for vote, share in zip(votes, shares, strict=True):
        expected = 0 if vote is None else votes.count(vote) / len(votes)
        assert share == pytest.approx(expected)
    entropy = 0.0
    for count in Counter(answered).values():
        entropy += count / len(answered) * math.log(len(answered) / count)
    assert answer_entropy(votes) == pytest.approx(entropy, abs=1e-12)
    for paid, share in zip(ttrv(votes, alpha=0.75), shares, strict=True):
        assert paid == pytest.approx(share - 0.75 * entropy)


@given(st.lists(st.integers(0, 3), min_size=2, max_size=8), st.floats(0.1, 2))
def test_the_second_term_of_ttrv_is_no_advantage(votes, alpha):
    """Less the group's mean, it is EMPO."""

    def advantages(rewards):
        return [reward - sum(rewards) / len(rewards) for reward in rewards]

    assert advantages(ttrv(votes, alpha=alpha)) == pytest.approx(
        advantages(semantic_entropy(votes)), abs=1e-9
    )


def test_one_constant_answer_earns_the_most_there_is():
    constant = [0] * 8
    assert majority(constant) == semantic_entropy(constant) == [1.0] * 8
    assert ttrv(constant, alpha=0.75) == [1.0] * 8
    split = [0, 0, 0, 0, 1, 1, 2, 3]  # a group that thinks for itself
    assert sum(majority(split)) == 4
    assert sum(semantic_entropy(split)) == pytest.approx((16 + 4 + 1 + 1) / 8)

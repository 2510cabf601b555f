"""What a policy can try within a group, on a tiny model's states."""

from __future__ import annotations

import random

import pytest

pytestmark = pytest.mark.models
pytest.importorskip("torch", reason="hidden states need torch (group `models`)")

from inward_rewards.entropy import BonusConfig, Record, Sibling, bonus_of  # noqa: E402
from inward_rewards.hidden_states import EntropyConfig, Measurement  # noqa: E402
from inward_rewards.hidden_states.reader import load_reader  # noqa: E402

PROMPT = tuple(range(20, 30))
PLAIN = [random.Random(seed).choices(range(40, 70), k=48) for seed in range(3)]
"""Three ordinary replies: 48 tokens out of 30."""


@pytest.fixture(scope="module")
def reader(tiny_qwen):
    config = EntropyConfig(source="transformers", model=str(tiny_qwen))
    return load_reader(config)


def bonuses(reader, replies, right=None, **entropy) -> list[float]:
    right = right or [True] * len(replies)
    measured = []
    for reply in replies:
        ids = (*PROMPT, *reply)
        [score] = reader.score([(ids, (len(PROMPT), len(ids)))])
        measured.append(
            Measurement(
                layers=reader.layers,
                per_layer=score,
                tokens=len(reply),
                dim=reader.dim,
                preset="advent",
                alpha=1.0,
                measures="policy",
                scorer="tiny",
                dtype="float32",
            )
        )
    siblings = tuple(
        Sibling(one.raw, one.tokens, one.dim, flag)
        for one, flag in zip(measured, right, strict=True)
    )
    config = BonusConfig(entropy=EntropyConfig(**entropy))
    return [
        bonus_of(Record(len(replies), one, siblings, index), flag, config)
        for index, (one, flag) in enumerate(zip(measured, right, strict=True))
    ]


def test_one_reply_four_times_is_paid_nothing(reader):
    assert bonuses(reader, [PLAIN[0]] * 4) == [0.0] * 4


def test_a_wrong_reply_is_paid_nothing_whatever_its_entropy(reader):
    gibberish = random.Random(9).sample(range(3, 250), 200)
    paid = bonuses(reader, [*PLAIN, gibberish], [True, True, True, False])
    assert paid[3] == 0.0
    assert all(paid[:3])

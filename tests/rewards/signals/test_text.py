"""Rewards of text and length, by hand, with what emptiness, phrases and repetition earn."""

from __future__ import annotations

import pytest
from inward_rewards.signals import (
    calibrated,
    huatuo,
    magistral,
    reasoning_patterns,
    repeated_ngrams,
)
from inward_rewards.signals.text import MAX_CHARS, PHRASES

THOUGHT = "First, we know that x is 2. Therefore y is 3, since we add one. Let me check: 2 + 1 = 3."
TWENTY = ". ".join(PHRASES[:20])


def words(count: int) -> str:
    return " ".join(f"w{n}" for n in range(count))


@pytest.mark.parametrize(
    ("text", "reward"),
    [
        (THOUGHT, 5 / 20),
        (THOUGHT.upper(), 5 / 20),
        ("x = 3", 0),
        ("", 0),
        ("wait " * 9, 1 / 20),  # counted once
        (TWENTY, 1.0),
        (". ".join(PHRASES), 1.0),  # capped
        (f"{TWENTY} user: and what is 2 + 2?", 0),
        (f"{TWENTY} " * 2, pytest.approx(1 - repeated_ngrams(f"{TWENTY.lower()} " * 2))),
    ],
)
def test_reasoning_patterns(text, reward):
    assert reasoning_patterns(text) == pytest.approx(reward)


def test_hacks_of_the_reasoning_patterns():
    assert reasoning_patterns(TWENTY, answered=False) == 0
    assert reasoning_patterns(TWENTY) == 1.0  # a list of phrases that reasons about nothing
    # The released count of repetitions does not see one word said a thousand times.
    assert reasoning_patterns(f"{TWENTY} {'wait ' * 1000}") > 0.99
    assert reasoning_patterns(f"{words(50)} " * 2 + TWENTY) < 0.8
    # What stands behind the limit is not read.
    assert reasoning_patterns("x" * MAX_CHARS + TWENTY) == 0


def test_repeated_ngrams_by_hand():
    assert repeated_ngrams(words(19)) == 0
    assert repeated_ngrams(words(60)) == 0
    # 60 words twice: 101 n-grams, of which 41 come twice.
    assert repeated_ngrams(f"{words(60)} {words(60)}") == pytest.approx(41 / 101)
    assert repeated_ngrams("a b a b a", n=2) == pytest.approx(2 / 4)
    assert repeated_ngrams("the " * 500) == pytest.approx(1 / 481)


def test_calibration_lifts_what_the_model_calls_bad():
    assert calibrated(0.4, 0.5) == pytest.approx(0.45)
    assert calibrated(0.5, 1.0) == 0.5
    assert calibrated(-2.0, 1.0) == pytest.approx(-1.9)
    # Phrases alone can lift a reply over one that the model liked better.
    assert calibrated(0.45, 1.0) > calibrated(0.5, 0.0)


@pytest.mark.parametrize(
    ("well_formed", "right", "one_language", "tokens", "reward"),
    [
        (False, True, True, 10, 0),
        (True, False, False, 10, 0.1),
        (True, True, False, 10, 1.0),
        (True, True, True, 10, 1.1),
        (True, True, True, 80, 1.1),
        (True, True, True, 90, 1.05),
        (True, True, True, 100, 1.0),
        (True, False, True, 1000, 0.1),  # cut off, and wrong: still paid for tags and language
    ],
)
def test_magistral(well_formed, right, one_language, tokens, reward):
    found = magistral(
        well_formed=well_formed,
        right=right,
        one_language=one_language,
        tokens=tokens,
        limit=100,
        cache=20,
    )
    assert found == pytest.approx(reward)


@pytest.mark.parametrize(
    ("right", "reasoned", "reward"),
    [(True, True, 1.0), (False, True, 0.1), (True, False, 0.0), (False, False, 0.0)],
)
def test_huatuo(right, reasoned, reward):
    assert huatuo(right=right, reasoned=reasoned) == reward

"""Token entropies by hand, and logprobs that cannot be."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inward_rewards.tokens import ChatLogprobs, TokenValues, surprisals, top_k_entropies

LOG = math.log


def test_surprisals():
    values = surprisals([LOG(0.5), LOG(0.25), 0.0])
    assert values.values == pytest.approx([LOG(2), LOG(4), 0])
    assert values.mean == pytest.approx(LOG(2))
    assert values.kind == "surprisal"


def test_top_k_by_hand():
    # 1/2 and 1/4 of a distribution: a quarter is missing.
    top = [[LOG(0.5), LOG(0.25)]]
    kept = 0.5 * LOG(2) + 0.25 * LOG(4)
    assert top_k_entropies(top, "drop").mean == pytest.approx(kept)
    assert top_k_entropies(top, "lump").mean == pytest.approx(kept + 0.25 * LOG(4))
    third = 2 / 3 * LOG(1.5) + 1 / 3 * LOG(3)
    assert top_k_entropies(top, "renormalise").mean == pytest.approx(third)
    assert top_k_entropies(top).kind == "top-2 entropy, tail lump"
    assert top_k_entropies([[0.0]]).mean == 0.0
    assert top_k_entropies([[LOG(0.9), -math.inf], [0.0]]).kind.startswith("top-1 ")


@given(st.lists(st.floats(1e-6, 1), min_size=2, max_size=12), st.integers(1, 12))
def test_dropping_and_lumping_are_lower_bounds(weights, k):
    p = sorted((weight / sum(weights) for weight in weights), reverse=True)
    entropy = -sum(each * LOG(each) for each in p)
    top = [[LOG(each) for each in p[:k]]]
    dropped, lumped = (top_k_entropies(top, tail).mean for tail in ("drop", "lump"))
    assert dropped <= lumped + 1e-9
    assert lumped <= entropy + 1e-9


@pytest.mark.parametrize("bad", [0.1, math.nan])
def test_impossible_logprobs_are_refused(bad):
    with pytest.raises(ValueError, match="at most 0"):
        surprisals([bad])
    with pytest.raises(ValueError, match="at most 0"):
        top_k_entropies([[bad]])


def test_more_refusals():
    with pytest.raises(ValueError, match="-inf"):
        surprisals([-math.inf])
    with pytest.raises(ValueError, match="sum to"):
        top_k_entropies([[LOG(0.9), LOG(0.8)]])
    with pytest.raises(ValueError, match="top-logprobs"):
        top_k_entropies([[0.0], []])
    with pytest.raises(ValueError, match="no token"):
        _ = surprisals([]).mean


def test_phases():
    values = TokenValues((1.0, 3.0, 10.0), "surprisal")
    assert values.phases(2) == (2.0, 10.0)
    assert values.phases(None) == (None, pytest.approx(14 / 3))
    assert values.phases(3) == (pytest.approx(14 / 3), None)
    with pytest.raises(ValueError, match="boundary 4"):
        values.phases(4)


def test_chat_logprobs():
    content = [
        {"token": "hm", "logprob": -1.0, "top_logprobs": [{"token": "hm", "logprob": -1.0}]},
        {"token": "</th", "logprob": -2.0, "top_logprobs": []},
        {"token": "ink>\n", "logprob": -3.0},
        {"token": "5", "logprob": -4.0},
    ]
    parsed = ChatLogprobs.parse({"content": content})
    assert parsed.logprobs == (-1.0, -2.0, -3.0, -4.0)
    assert parsed.top_logprobs == ((-1.0,), (), (), ())
    assert parsed.boundary() == 3
    assert surprisals(parsed.logprobs).phases(parsed.boundary()) == (2.0, 4.0)
    assert ChatLogprobs.parse({"content": content[:2]}).boundary() is None
    for missing in (None, {}, {"content": None}):
        with pytest.raises(ValueError, match="no logprobs"):
            ChatLogprobs.parse(missing)

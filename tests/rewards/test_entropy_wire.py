"""The scoring request and its answer: what passes, and what must never pass for a score."""

from __future__ import annotations

import copy
import dataclasses
import json
import math

import pytest
from inward_rewards.entropy.wire import (
    FORMAT,
    MEASURES,
    HiddenStatesError,
    ScoreAnswer,
    ScoreRequest,
    SpanScore,
    TryLaterError,
)

REQUEST = ScoreRequest(((3, 7), (9, 10)), curve=True)
ANSWER = ScoreAnswer(
    plugin="0.1.0",
    vllm="0.32.0",
    policy_version="7",
    preset="advent",
    alphas=(1.0, 2.0),
    n_layers=4,
    layers=(2, 3),
    dim=8,
    tokens=12,
    spans=(
        SpanScore(
            3, 7, 4, ((1.5, 1.25), (1.0, 0.75)), ((0.0, 0.5, 0.6, 0.7), (0.0, 0.1, 0.2, 0.3))
        ),
        SpanScore(9, 10, 1, ((0.0, 0.0), (0.0, 0.0)), ((0.0,), (0.0,))),
    ),
)


def test_request_round_trip():
    xargs = json.loads(json.dumps(REQUEST.to_xargs()))
    assert xargs == {"inward": [3, 7, 9, 10], "inward_curve": 1}
    assert ScoreRequest.from_xargs(xargs, 12) == REQUEST
    assert ScoreRequest(((0, 2),)).to_xargs() == {"inward": [0, 2]}
    assert ScoreRequest.from_xargs({"other": 1}, 12) is None


@pytest.mark.parametrize(
    "flat",
    [[], [1], [1, 2, 3], "0,4", 4, [0.0, 4.0], [True, 4], [4, 4], [5, 4], [-1, 4], [0, 13]],
)
def test_bad_spans_are_refused(flat):
    with pytest.raises(ValueError, match="inward"):
        ScoreRequest.from_xargs({"inward": flat}, 12)


def test_answer_round_trip():
    payload = json.loads(json.dumps(ANSWER.to_json()))
    assert ScoreAnswer.from_json(payload, REQUEST) == ANSWER
    assert "curve" not in SpanScore(0, 1, 1, ((0.0,),)).to_json()


def change(**paths):
    payload = json.loads(json.dumps(ANSWER.to_json()))
    for path, value in paths.items():
        *parents, last = [int(p) if p.isdigit() else p for p in path.split("__")]
        node = payload
        for parent in parents:
            node = node[parent]
        if value is ...:
            del node[last]
        else:
            node[last] = value
    return payload


@pytest.mark.parametrize(
    ("payload", "complaint"),
    [
        (None, "not switched on"),
        ([], "answers in format None, this client reads 2"),
        (change(format=1), "answers in format 1, this client reads 2: .* same inward-rewards on"),
        ({"format": FORMAT, "error": "only 3 of 9 rows"}, "could not score: only 3 of 9 rows"),
        (change(preset=...), "malformed answer .KeyError"),
        (change(layers="none"), "malformed answer"),
        (change(spans__0__entropy=None), "malformed answer"),
        (change(spans__0__start=2), "the engine scored"),
        (change(spans=[]), "the engine scored"),
        (change(layers=[]), "no layer"),
        (change(spans__0__rows=3), "only 3 of 4 rows"),
        (change(spans__0__entropy=[[1.0, 1.0]]), "expected 2 x 2"),
        (change(spans__0__entropy=[[1.0], [1.0]]), "expected 2 x 2"),
        (change(spans__1__curve=...), "curve is missing"),
        (change(spans__0__curve__1=[0.0]), "curve is missing or incomplete"),
        (change(spans__0__entropy__0__1=math.nan), "not finite"),
        (change(spans__0__curve__0__1=math.inf), "not finite"),
        (change(spans__0__entropy__0__1=2.1), "an entropy of 2.1, which 4 rows of 8 numbers"),
        (change(spans__0__entropy__1__0=-0.1), "an entropy of -0.1, which 4 rows"),
        (change(spans__1__entropy__0__0=0.1), "an entropy of 0.1, which 1 rows"),
        (change(dim=2), "an entropy of 1.5, which 4 rows of 2 numbers"),
        (change(spans__0__curve__0__1=1.1), "an entropy of 1.1, which 2 rows"),
    ],
)
def test_no_bad_answer_passes(payload, complaint):
    with pytest.raises(HiddenStatesError, match=complaint):
        ScoreAnswer.from_json(copy.deepcopy(payload), REQUEST)


@pytest.mark.parametrize(
    ("said", "later"),
    [
        ("the weights changed while the sequence was being read; ask again", True),
        ("only 3 of 9 rows were computed (a prefix-cache hit?)", False),
    ],
)
def test_an_error_that_a_moment_mends_is_known(said, later):
    with pytest.raises(HiddenStatesError, match="could not score") as caught:
        ScoreAnswer.from_json({"format": FORMAT, "error": said}, REQUEST)
    assert isinstance(caught.value, TryLaterError) is later


ALL = ScoreRequest(((3, 5),), measures=MEASURES)
ALL_ANSWER = dataclasses.replace(
    ANSWER,
    vocabulary=8,
    spans=(
        SpanScore(
            *(3, 5, 2, ((0.5, 0.75), (0.5, 0.5))),
            effective_rank=(1.5, 2.0),
            rank_curve=((), ()),  # a span of two tokens has no prefix of 41
            mean_state=(0.5,) * 256,
            token_entropy=(0.25, 2.0),
            self_certainty=(3.5, 0.0),
        ),
    ),
)


def test_every_measure_travels():
    xargs = json.loads(json.dumps(ALL.to_xargs()))
    assert xargs == {"inward": [3, 5], "inward_measures": list(MEASURES)}
    assert ScoreRequest.from_xargs(xargs, 12) == ALL
    assert ALL.reads == ((2, 5),)
    payload = json.loads(json.dumps(ALL_ANSWER.to_json()))
    assert ScoreAnswer.from_json(payload, ALL) == ALL_ANSWER
    only = ScoreRequest(((3, 5),), measures=("token_entropy",))
    payload["spans"][0] = {"start": 3, "stop": 5, "rows": 2, "entropy": [], "token_entropy": [0, 1]}
    assert ScoreAnswer.from_json(payload, only).spans[0].token_entropy == (0.0, 1.0)
    with pytest.raises(HiddenStatesError, match="expected 2 x 2 entropies"):
        ScoreAnswer.from_json(payload, ScoreRequest(((3, 5),)))


@pytest.mark.parametrize("measures", [[], "token_entropy", ["entropy"], [1], 1, [["mean"]]])
def test_unknown_measures_are_refused(measures):
    with pytest.raises(ValueError, match=r"inward_measures must be a list of matrix_entropy, eff"):
        ScoreRequest.from_xargs({"inward": [0, 4], "inward_measures": measures}, 12)


def test_the_first_token_has_no_distribution():
    asked = {"inward": [0, 4, 5, 6], "inward_measures": ["effective_rank", "self_certainty"]}
    with pytest.raises(ValueError, match=r"span \[0, 4\] begins with the sequence's first token"):
        ScoreRequest.from_xargs(asked, 12)
    assert ScoreRequest.from_xargs({**asked, "inward": [1, 4]}, 12) is not None
    assert ScoreRequest.from_xargs({**asked, "inward_measures": ["effective_rank"]}, 12) is not None


@pytest.mark.parametrize(
    ("field", "value", "complaint"),
    [
        ("effective_rank", None, "effective_rank is missing"),
        ("effective_rank", (1.0,), "effective_rank is missing or incomplete"),
        ("effective_rank", (1.0, 2.1), "a effective_rank of 2.1, outside 0..2"),
        ("rank_curve", None, "rank_curve is missing"),
        ("rank_curve", ((1.0,), (1.0,)), "rank_curve is missing or incomplete"),
        ("mean_state", (0.5,) * 255, "mean_state is missing or incomplete"),
        ("mean_state", (math.nan,) * 256, "not finite"),
        ("token_entropy", None, "token_entropy is missing"),
        ("token_entropy", (0.1, 0.2, 0.3), "token_entropy is missing or incomplete"),
        ("token_entropy", (0.1, 2.2), r"a token_entropy of 2.2, outside 0..2.079"),
        ("token_entropy", (-0.1, 0.2), "a token_entropy of -0.1"),
        ("self_certainty", (-0.1, 0.2), "a self_certainty of -0.1"),
        ("self_certainty", (math.inf, 0.2), "not finite"),
        ("self_certainty", None, "self_certainty is missing"),
    ],
)
def test_no_bad_measure_passes(field, value, complaint):
    [span] = ALL_ANSWER.spans
    spans = (dataclasses.replace(span, **{field: value}),)
    payload = dataclasses.replace(ALL_ANSWER, spans=spans).to_json()
    with pytest.raises(HiddenStatesError, match=complaint):
        ScoreAnswer.from_json(payload, ALL)


def test_a_rank_curve_of_a_long_span():
    """512 tokens at most: prefixes of 41, 81, … 481."""
    request = ScoreRequest(((0, 600),), measures=("rank_curve",))
    span = SpanScore(0, 600, 600, (), rank_curve=((2.0,) * 12, (2.0,) * 12))
    answer = dataclasses.replace(ANSWER, tokens=600, spans=(span,))
    assert ScoreAnswer.from_json(json.loads(json.dumps(answer.to_json())), request) == answer
    for bad, complaint in (((2.0,) * 11, "incomplete"), ((2.0,) * 11 + (9e9,), "a rank_curve of")):
        spans = (dataclasses.replace(span, rank_curve=(bad, bad)),)
        payload = dataclasses.replace(answer, spans=spans).to_json()
        with pytest.raises(HiddenStatesError, match=complaint):
            ScoreAnswer.from_json(payload, request)


def test_an_answer_by_logits_names_its_vocabulary():
    payload = dataclasses.replace(ALL_ANSWER, vocabulary=None).to_json()
    with pytest.raises(HiddenStatesError, match="names no vocabulary"):
        ScoreAnswer.from_json(payload, ALL)


def test_an_engine_that_does_not_say_its_dtype_is_read():
    assert ScoreAnswer.from_json(change(dtype=...), REQUEST).dtype is None
    assert ScoreAnswer.from_json(change(dtype="bfloat16"), REQUEST).dtype == "bfloat16"

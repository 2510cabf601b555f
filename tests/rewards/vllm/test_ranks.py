"""Tensor parallelism without vLLM: two collectors with half of the vocabulary each, and a real
store between them."""

from __future__ import annotations

import dataclasses
import math
import time
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from inward_rewards.entropy.wire import HiddenStatesError, ScoreAnswer, ScoreRequest, TryLaterError

pytestmark = pytest.mark.models
torch = pytest.importorskip("torch", reason="hidden states need torch (group `models`)")

from inward_rewards.vllm_plugin import ranks  # noqa: E402
from inward_rewards.vllm_plugin.buffer import RowBuffer  # noqa: E402
from inward_rewards.vllm_plugin.engine import Chunk, Engine  # noqa: E402
from inward_rewards.vllm_plugin.settings import Settings  # noqa: E402
from inward_rewards.vllm_plugin.worker import Collector  # noqa: E402

DIM, VOCABULARY, TOKENS = 16, 40, 12
MEASURES = ("matrix_entropy", "token_entropy", "self_certainty")
REQUEST = ScoreRequest(((3, 12), (1, 2)), measures=MEASURES)


class TwoRanks:
    def __init__(self, columns: tuple[int, int] = (24, 40), vocabulary: int = VOCABULARY) -> None:
        settings = Settings((1,), 8, buffer_tokens=TOKENS, measures=MEASURES)
        self.head = torch.randn((DIM, VOCABULARY), generator=torch.Generator().manual_seed(7))
        self.store, port = ranks.open_store("127.0.0.1")
        other = ranks.join_store("127.0.0.1", port)
        sweeper = ranks.join_store("127.0.0.1", port)
        self.parts = ranks.ReceivedParts(self.store, sweeper, 2, vocabulary)
        self.weights = [0, 0]
        cut, end = columns

        def engine(rank: int, head: Any) -> Engine:
            return Engine(
                *("0.1.0", "0.0.0", DIM, lambda: self.weights[rank]),
                logits=lambda final: final @ head,
            )

        first = dataclasses.replace(engine(0, self.head[:, :cut]), others=self.parts)
        self.first = Collector(settings, first, self._buffer(2))
        self.second = ranks.PartCollector(
            *(ranks.for_parts(settings), engine(1, self.head[:, cut:end]), self._buffer(1)),
            store=other,
            rank=1,
        )

    def _buffer(self, layers: int) -> RowBuffer:
        return RowBuffer(layers, TOKENS, DIM, torch.float32, torch.device("cpu"))

    def ask(self, name: str, seed: int = 0) -> Any:
        """One request in one step; the final states."""
        states = torch.randn((2, TOKENS, DIM), generator=torch.Generator().manual_seed(seed))
        for collector, layers in ((self.first, states), (self.second, states[1:])):
            try:
                collector.admit(name, REQUEST, TOKENS)
            except ValueError as error:
                collector.refuse(name, error, REQUEST)
                continue
            collector.collect([Chunk(name, 0, TOKENS, 0)], list(layers))
        return states[1]

    def answer(self, name: str) -> ScoreAnswer:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            self.first.wait(1)
            if (found := self.first.take().get(name)) is not None:
                return ScoreAnswer.from_json(found, REQUEST)
        raise AssertionError("no answer")


@pytest.mark.parametrize("columns", [(24, 40), (40, 40), (20, 40)])
def test_two_halves_make_the_whole_distribution(columns):
    """A rank may hold nothing but padding."""
    both = TwoRanks(columns)
    final = both.ask("a")
    answer = both.answer("a")
    assert answer.vocabulary == VOCABULARY
    log_p = (final.double() @ both.head.double()).log_softmax(-1)
    for span in answer.spans:
        before = log_p[span.start - 1 : span.stop - 1]
        entropy = -(before.exp() * before).sum(-1)
        assert span.token_entropy == pytest.approx(entropy.tolist(), abs=1e-5)
        certainty = -before.mean(-1) - math.log(VOCABULARY)
        assert span.self_certainty == pytest.approx(certainty.tolist(), abs=1e-5)
        assert len(span.entropy) == 1


def test_what_another_rank_fails_at_is_an_error_of_its_own(monkeypatch):
    both = TwoRanks()
    monkeypatch.setattr(both.second, "_token_parts", lambda job: 1 / 0)
    both.ask("a")
    with pytest.raises(HiddenStatesError, match="rank 1: ZeroDivisionError"):
        both.answer("a")
    monkeypatch.undo()
    both.ask("b")
    assert both.answer("b").tokens == TOKENS


def test_a_rank_without_rows_asks_for_a_second_try():
    both = TwoRanks()
    both.second.admit("kept", REQUEST, TOKENS)
    both.ask("a")
    with pytest.raises(TryLaterError, match="rank 1: 12 rows asked for, 0 are free"):
        both.answer("a")


def test_a_rank_that_stays_silent_is_named(monkeypatch):
    monkeypatch.setattr(ranks, "WAIT_S", 0.2)
    both = TwoRanks()
    monkeypatch.setattr(both.second, "_report", lambda job, answer: None)
    both.ask("a")
    with pytest.raises(HiddenStatesError, match=r"rank 1 did not give its part .* within 0\.2 s"):
        both.answer("a")


def test_requests_behind_a_silent_rank_do_not_wait_one_after_the_other(monkeypatch):
    """The time runs from when a request was read, and not from its turn."""
    monkeypatch.setattr(ranks, "WAIT_S", 1.0)
    waits, both = [], TwoRanks()
    wait = both.store.wait

    def watched(keys, timeout):
        waits.append(timeout.total_seconds())
        wait(keys, timeout)

    both.parts._store = SimpleNamespace(wait=watched)
    now = time.monotonic()
    monkeypatch.setattr(ranks, "GRACE_S", 0.1)
    for read_at in (now, now - 0.6, now - 5):
        with pytest.raises(ValueError, match=r"rank 1 did not give its part .* within 1 s"):
            both.parts._receive("never", 1, read_at + ranks.WAIT_S)
    assert waits[0] == pytest.approx(1.0, abs=0.1)
    assert waits[1:] == [0.1, 0.1]


def test_a_store_that_fails_ends_no_rank(monkeypatch, caplog):
    both = TwoRanks()

    def broken(key, value):
        raise torch.distributed.DistNetworkError("connection reset")

    monkeypatch.setattr(both.second, "_store", SimpleNamespace(set=broken))
    monkeypatch.setattr(ranks, "WAIT_S", 0.2)
    both.ask("a")
    with pytest.raises(HiddenStatesError, match="rank 1 did not give its part"):
        both.answer("a")
    assert "the part of request a could not be given" in caplog.text
    monkeypatch.undo()
    both.ask("b")
    assert both.answer("b").tokens == TOKENS


def test_an_output_layer_that_is_not_split_is_named():
    both = TwoRanks(vocabulary=VOCABULARY + 1)
    both.ask("a")
    with pytest.raises(HiddenStatesError, match="hold 40 columns of an output layer of 41"):
        both.answer("a")


def test_parts_of_a_request_that_failed_do_not_pile_up(monkeypatch):
    """Rank 0 never took them; the next request clears them away."""
    both = TwoRanks()
    monkeypatch.setattr(both.first, "_weights", lambda job: 1 / 0)
    both.ask("a")
    with pytest.raises(HiddenStatesError, match="ZeroDivisionError"):
        both.answer("a")
    both.store.wait(["a/1"], timedelta(seconds=60))
    monkeypatch.undo()
    both.ask("b")
    both.answer("b")
    assert not any(both.store.check([key]) for key in ("a/1", "a/1/0", "b/1", "b/1/0"))


def test_parts_of_a_request_that_was_refused_do_not_pile_up():
    """The first rank has no rows for it, the second has."""
    both = TwoRanks()
    both.first.admit("kept", REQUEST, TOKENS)
    both.ask("a")
    with pytest.raises(HiddenStatesError, match="12 rows asked for, 0 are free"):
        both.answer("a")
    both.store.wait(["a/1"], timedelta(seconds=60))
    both.first.drop("kept")
    both.ask("b")
    assert both.answer("b").tokens == TOKENS
    assert not any(both.store.check([key]) for key in ("a/1", "a/1/0", "b/1", "b/1/0"))


def test_parts_of_a_request_that_was_given_up_do_not_pile_up():
    """The second rank has no rows for it and says so; the first waits for rows that never come."""
    both = TwoRanks()
    both.second.admit("kept", REQUEST, TOKENS)
    both.first.admit("a", REQUEST, TOKENS)
    with pytest.raises(ValueError, match="0 are free") as refused:
        both.second.admit("a", REQUEST, TOKENS)
    both.second.refuse("a", refused.value, REQUEST)
    both.second.drop("kept")
    both.first.drop("a")
    both.ask("b")
    assert both.answer("b").tokens == TOKENS
    assert not any(both.store.check([key]) for key in ("a/1", "a/1/0", "b/1", "b/1/0"))


def test_many_requests_that_fail_leave_nothing(monkeypatch):
    """None of them is scored, so that nothing but their end clears the store."""
    monkeypatch.setattr(ranks, "REMEMBERED", 8)
    both = TwoRanks()
    for number in range(40):
        for collector in (both.second, both.first):
            collector.refuse(f"failed-{number}", ValueError("no rows"), REQUEST)
    left = [f"failed-{number}/1" for number in range(40)]
    assert sum(both.store.check([key]) for key in left) <= 8


def test_parts_that_come_one_by_one_are_cleared_away_one_by_one():
    """Of a request that ended without any; those of the third rank are the last to come."""
    store, _ = ranks.open_store("127.0.0.1")
    parts = ranks.ReceivedParts(store, store, 3, VOCABULARY)
    parts.end("a")
    for rank in (1, 2):
        store.set(f"a/{rank}/0", b"sums")
        store.set(f"a/{rank}", b"1")
        parts._sweep()
        assert not any(store.check([key]) for key in (f"a/{rank}", f"a/{rank}/0"))
    assert not parts._late


def test_weights_that_changed_on_another_rank_are_asked_for_again():
    both = TwoRanks()
    score = both.second._score

    def later(job):
        both.weights[1] = 1
        return score(job)

    both.second._score = later
    both.ask("a")
    with pytest.raises(TryLaterError, match="rank 1: the weights changed before the logits"):
        both.answer("a")

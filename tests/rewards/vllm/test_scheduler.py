"""Which scored requests enter, and which finished ones wait."""

from __future__ import annotations

import random

import pytest
from inward_rewards.entropy.wire import ScoreRequest
from inward_rewards.vllm_plugin.scheduler import Admission


def ask(admission, name, rows=4, tokens=10):
    return admission.admit(name, name, ScoreRequest(((0, rows),)), tokens)


def finish(admission, name):
    """The request ends and its answer comes with it."""
    assert admission.hold(name, 0, f"output of {name}")
    return list(admission.settle({name: f"answer to {name}"}))


def test_an_idle_engine_takes_anything():
    admission = Admission(rows=10, tokens=10)
    assert ask(admission, "a", rows=10, tokens=500)
    assert not ask(admission, "b", rows=1, tokens=1)


def test_rows_and_tokens_are_both_bounds():
    admission = Admission(rows=10, tokens=30)
    assert ask(admission, "a", rows=6)
    assert not ask(admission, "b", rows=6)
    admission = Admission(rows=100, tokens=30)
    assert [ask(admission, name) for name in "abcd"] == [True, True, True, False]


def test_first_come_first_served():
    admission = Admission(rows=10, tokens=1000)
    assert ask(admission, "a", rows=8)
    assert not ask(admission, "b", rows=9)
    assert not ask(admission, "c", rows=1)  # would fit, but b is first
    finish(admission, "a")
    assert list(admission.admissible()) == ["b", "c"]


def test_the_output_waits_for_the_answer():
    admission = Admission(rows=10, tokens=100)
    ask(admission, "a")
    assert admission.hold("a", 3, "last output")
    assert admission.awaits
    assert list(admission.settle({})) == []
    assert list(admission.settle({"a": "answer"})) == [(3, "last output", "answer")]
    assert not admission.awaits
    assert not admission.busy


def test_the_answer_waits_for_the_output():
    admission = Admission(rows=10, tokens=100)
    ask(admission, "a")
    assert list(admission.settle({"a": "answer"})) == []
    assert not admission.awaits
    assert admission.hold("a", 0, "last output")
    assert list(admission.settle({})) == [(0, "last output", "answer")]


def test_other_requests_are_left_alone():
    admission = Admission(rows=10, tokens=100)
    assert not admission.hold("chat", 0, "output")
    assert list(admission.settle({"chat": "answer"})) == []


@pytest.mark.parametrize("finished", [False, True])
def test_a_withdrawn_request_frees_its_place_once_the_worker_reports(finished):
    admission = Admission(rows=4, tokens=100)
    for name in "abc":
        ask(admission, name)
    if finished:
        assert admission.hold("a", 0, "output")
    assert admission.withdraw({"a", "c", "stranger"}) == ["c"]
    assert list(admission.admissible()) == []  # the worker may still hold the rows of "a"
    assert admission.awaits  # and so the engine goes on asking it
    assert list(admission.settle({"a": "late"})) == []
    assert list(admission.admissible()) == ["b"]
    assert not admission.awaits
    assert finish(admission, "b") == [(0, "output of b", "answer to b")]
    assert not admission.busy


def test_an_answer_that_came_before_the_abort_is_discarded():
    admission = Admission(rows=4, tokens=100)
    ask(admission, "a")
    assert list(admission.settle({"a": "answer"})) == []
    admission.withdraw({"a"})
    assert not admission.hold("a", 0, "output")  # an aborted request's output goes its way
    assert list(admission.settle({"a": "dropped"})) == []
    assert not admission.busy
    assert ask(admission, "a")
    assert admission.hold("a", 0, "output")
    assert list(admission.settle({})) == []


def test_a_pause_that_aborts_keeps_what_waits_for_its_answer():
    admission = Admission(rows=8, tokens=100)
    for name in "abc":
        ask(admission, name)
    admission.hold("a", 0, "output")
    assert admission.withdraw(None) == ["c"]
    assert list(admission.settle({"a": "answer", "b": "dropped"})) == [(0, "output", "answer")]
    assert not admission.awaits
    assert not admission.busy


def test_a_queue_counts_as_busy():
    """The scheduler looks at the admission after a step only where it is busy."""
    admission = Admission(rows=4, tokens=100)
    ask(admission, "a")
    ask(admission, "b")
    admission.withdraw({"a"})
    assert list(admission.settle({"a": "dropped"})) == []
    assert admission.busy
    assert list(admission.admissible()) == ["b"]


def test_a_request_that_cannot_be_read_waits_for_the_workers_error():
    admission = Admission(rows=4, tokens=100)
    ask(admission, "a")
    assert admission.expect("bad")
    assert finish(admission, "bad") == [(0, "output of bad", "answer to bad")]
    assert finish(admission, "a")


def test_everything_withdrawn_gives_back_what_queued():
    admission = Admission(rows=4, tokens=100)
    for name in "abc":
        ask(admission, name)
    assert admission.withdraw(None) == ["b", "c"]
    assert list(admission.admissible()) == []


def test_nothing_is_lost_or_crossed_in_a_random_history():
    rng = random.Random(3)
    admission = Admission(rows=20, tokens=60)
    inside, withdrawn, left, entered = set(), set(), {}, []
    for step in range(600):
        if step < 300:
            name = f"r{step}"
            if ask(admission, name, rows=rng.randrange(1, 15), tokens=rng.randrange(15, 40)):
                entered.append(name)
                inside.add(name)
        if inside and rng.random() < 0.1:
            name = rng.choice(sorted(inside))
            assert admission.withdraw({name}) == []
            inside.discard(name)
            withdrawn.add(name)
        answers = {name: "dropped" for name in withdrawn if rng.random() < 0.5}
        for name in sorted(inside):
            if rng.random() < 0.5:
                admission.hold(name, 0, name)
            if rng.random() < 0.5:
                answers[name] = f"answer to {name}"
        for _, output, answer in admission.settle(answers):
            assert answer == f"answer to {output}"
            assert output not in left
            left[output] = answer
            inside.discard(output)
        for name in admission.admissible():
            entered.append(name)
            inside.add(name)
    assert entered == [f"r{step}" for step in range(300)]
    assert left.keys() | withdrawn == set(entered)
    assert not admission.busy

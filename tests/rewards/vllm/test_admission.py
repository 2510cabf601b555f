"""Which scored requests enter, and which finished ones wait."""

from __future__ import annotations

import random

import pytest
from inward_rewards.entropy.wire import ScoreRequest
from inward_rewards.vllm_plugin.admission import ScoreDesk


def ask(desk, name, rows=4, tokens=10):
    return desk.admit(name, name, ScoreRequest(((0, rows),)), tokens)


def finish(desk, name):
    """The request ends and its answer comes with it."""
    assert desk.hold(name, 0, f"output of {name}")
    return list(desk.settle({name: f"answer to {name}"}))


def test_an_idle_desk_takes_anything():
    desk = ScoreDesk(rows=10, tokens=10)
    assert ask(desk, "a", rows=10, tokens=500)
    assert not ask(desk, "b", rows=1, tokens=1)


def test_rows_and_tokens_are_both_bounds():
    desk = ScoreDesk(rows=10, tokens=30)
    assert ask(desk, "a", rows=6)
    assert not ask(desk, "b", rows=6)
    desk = ScoreDesk(rows=100, tokens=30)
    assert [ask(desk, name) for name in "abcd"] == [True, True, True, False]


def test_first_come_first_served():
    desk = ScoreDesk(rows=10, tokens=1000)
    assert ask(desk, "a", rows=8)
    assert not ask(desk, "b", rows=9)
    assert not ask(desk, "c", rows=1)  # would fit, but b is first
    finish(desk, "a")
    assert list(desk.admissible()) == ["b", "c"]


def test_the_output_waits_for_the_answer():
    desk = ScoreDesk(rows=10, tokens=100)
    ask(desk, "a")
    assert desk.hold("a", 3, "last output")
    assert desk.awaits
    assert list(desk.settle({})) == []
    assert list(desk.settle({"a": "answer"})) == [(3, "last output", "answer")]
    assert not desk.awaits
    assert not desk.busy


def test_the_answer_waits_for_the_output():
    desk = ScoreDesk(rows=10, tokens=100)
    ask(desk, "a")
    assert list(desk.settle({"a": "answer"})) == []
    assert not desk.awaits
    assert desk.hold("a", 0, "last output")
    assert list(desk.settle({})) == [(0, "last output", "answer")]


def test_other_requests_are_left_alone():
    desk = ScoreDesk(rows=10, tokens=100)
    assert not desk.hold("chat", 0, "output")
    assert list(desk.settle({"chat": "answer"})) == []


@pytest.mark.parametrize("finished", [False, True])
def test_a_withdrawn_request_frees_its_place_once_the_worker_reports(finished):
    desk = ScoreDesk(rows=4, tokens=100)
    for name in "abc":
        ask(desk, name)
    if finished:
        assert desk.hold("a", 0, "output")
    assert desk.withdraw({"a", "c", "stranger"}) == ["c"]
    assert list(desk.admissible()) == []  # the worker may still hold the rows of "a"
    assert desk.awaits  # and so the engine goes on asking it
    assert list(desk.settle({"a": "late"})) == []
    assert list(desk.admissible()) == ["b"]
    assert not desk.awaits
    assert finish(desk, "b") == [(0, "output of b", "answer to b")]
    assert not desk.busy


def test_an_answer_that_came_before_the_abort_is_discarded():
    desk = ScoreDesk(rows=4, tokens=100)
    ask(desk, "a")
    assert list(desk.settle({"a": "answer"})) == []
    desk.withdraw({"a"})
    assert not desk.hold("a", 0, "output")  # an aborted request's output goes its way
    assert list(desk.settle({"a": "dropped"})) == []
    assert not desk.busy
    assert ask(desk, "a")
    assert desk.hold("a", 0, "output")
    assert list(desk.settle({})) == []


def test_a_pause_that_aborts_keeps_what_waits_for_its_answer():
    desk = ScoreDesk(rows=8, tokens=100)
    for name in "abc":
        ask(desk, name)
    desk.hold("a", 0, "output")
    assert desk.withdraw(None) == ["c"]
    assert list(desk.settle({"a": "answer", "b": "dropped"})) == [(0, "output", "answer")]
    assert not desk.awaits
    assert not desk.busy


def test_a_queue_counts_as_busy():
    """The scheduler looks at the desk after a step only where it is busy."""
    desk = ScoreDesk(rows=4, tokens=100)
    ask(desk, "a")
    ask(desk, "b")
    desk.withdraw({"a"})
    assert list(desk.settle({"a": "dropped"})) == []
    assert desk.busy
    assert list(desk.admissible()) == ["b"]


def test_a_request_that_cannot_be_read_waits_for_the_workers_error():
    desk = ScoreDesk(rows=4, tokens=100)
    ask(desk, "a")
    assert desk.expect("bad")
    assert finish(desk, "bad") == [(0, "output of bad", "answer to bad")]
    assert finish(desk, "a")


def test_everything_withdrawn_gives_back_what_queued():
    desk = ScoreDesk(rows=4, tokens=100)
    for name in "abc":
        ask(desk, name)
    assert desk.withdraw(None) == ["b", "c"]
    assert list(desk.admissible()) == []


def test_nothing_is_lost_or_crossed_in_a_random_history():
    rng = random.Random(3)
    desk = ScoreDesk(rows=20, tokens=60)
    inside, withdrawn, left, entered = set(), set(), {}, []
    for step in range(600):
        if step < 300:
            name = f"r{step}"
            if ask(desk, name, rows=rng.randrange(1, 15), tokens=rng.randrange(15, 40)):
                entered.append(name)
                inside.add(name)
        if inside and rng.random() < 0.1:
            name = rng.choice(sorted(inside))
            assert desk.withdraw({name}) == []
            inside.discard(name)
            withdrawn.add(name)
        answers = {name: "dropped" for name in withdrawn if rng.random() < 0.5}
        for name in sorted(inside):
            if rng.random() < 0.5:
                desk.hold(name, 0, name)
            if rng.random() < 0.5:
                answers[name] = f"answer to {name}"
        for _, output, answer in desk.settle(answers):
            assert answer == f"answer to {output}"
            assert output not in left
            left[output] = answer
            inside.discard(output)
        for name in desk.admissible():
            entered.append(name)
            inside.add(name)
    assert entered == [f"r{step}" for step in range(300)]
    assert left.keys() | withdrawn == set(entered)
    assert not desk.busy

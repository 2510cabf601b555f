"""Which scored requests enter, and which finished ones wait."""

from __future__ import annotations

import random

from inward_rewards.entropy_wire import ScoreRequest
from inward_rewards.vllm_plugin.desk import ScoreDesk


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
    assert desk.holds
    assert list(desk.settle({})) == []
    assert list(desk.settle({"a": "answer"})) == [(3, "last output", "answer")]
    assert not desk.holds
    assert not desk.busy


def test_the_answer_waits_for_the_output():
    desk = ScoreDesk(rows=10, tokens=100)
    ask(desk, "a")
    assert list(desk.settle({"a": "answer"})) == []
    assert not desk.holds
    assert desk.hold("a", 0, "last output")
    assert list(desk.settle({})) == [(0, "last output", "answer")]


def test_other_requests_are_left_alone():
    desk = ScoreDesk(rows=10, tokens=100)
    assert not desk.hold("chat", 0, "output")
    assert list(desk.settle({"chat": "answer"})) == []


def test_a_withdrawn_request_frees_its_place():
    desk = ScoreDesk(rows=4, tokens=100)
    ask(desk, "a")
    ask(desk, "b")
    ask(desk, "c")
    assert desk.withdraw({"a", "c", "stranger"}) == ["c"]
    assert list(desk.admissible()) == ["b"]
    desk.hold("b", 0, "output")
    assert desk.withdraw(None) == []
    assert not desk.holds
    assert not desk.busy
    assert list(desk.settle({"a": "late", "b": "late"})) == []


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
        answers = {}
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

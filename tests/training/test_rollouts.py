"""Groups of samples from real rollouts through verifiers' train client, over real HTTP."""

import asyncio
import contextlib
import math
import threading

import pytest
from inward_chat.testing import HttpReply
from inward_training import Blocking, Rollouts, RolloutsError
from training.conftest import COPY_LETTER


def replies(text):
    """The letter for the first task; faults of every kind for others."""
    for word, reply in {"Say a": "a", "Say b": "fault", "Say c": "nan"}.items():
        if word in text:
            return reply
    return "x"


async def played(rollouts, tasks, group_size=1):
    return {g.index: g async for g in rollouts.play(tasks, group_size=group_size)}


async def test_a_group_is_what_the_engine_read_and_sampled(engine, make, tokenizer):
    async with make(engine(replies)) as rollouts:
        assert await rollouts.count() == 8
        rollouts.weights = 7
        groups = await played(rollouts, [0, 3], group_size=3)
    from transformers import AutoTokenizer

    decode = AutoTokenizer.from_pretrained(tokenizer).decode
    right, wrong = groups[0], groups[3]
    assert [s.reward for s in right.samples] == [1.0] * 3
    assert [s.reward for s in wrong.samples] == [0.0] * 3
    assert len({s.rollout for s in right.samples}) == 3
    sample = right.samples[0]
    assert decode(sample.prompt_ids).endswith("Say a<|im_end|>\n<|im_start|>assistant\n")
    assert decode(sample.completion_ids) == "a<|im_end|>"
    assert sample.loss_mask == (True, True)
    assert sample.logprobs == (-1.0, -1.0)
    assert sample.rewards == {"right": 1.0}
    assert sample.metrics == {"length": 1.0}
    assert sample.weights == (7, 7)
    assert (right.planned, right.lost, right.failures) == (3, 0, ())


async def test_a_failed_rollout_is_left_out_and_counted(engine, make):
    async with make(engine(replies)) as rollouts:
        groups = await played(rollouts, [1, 2], group_size=2)
        assert rollouts.failures == {"TaskError": 2, "NonFiniteReward": 2}
    assert [g.samples for g in groups.values()] == [(), ()]
    assert groups[1].lost == 2
    assert "scoring service is down" in groups[1].failures[0].message
    assert groups[2].failures[0].message == "the reward is nan: right=nan"


async def test_a_logprob_that_is_no_number_fails_its_rollout(engine, make, monkeypatch):
    """An engine in half precision gives some."""
    monkeypatch.setattr(
        "verifiers.v1.trace.Branch.logprobs",
        property(lambda branch: [math.nan] * len(branch.token_ids)),
    )
    async with make(engine(replies)) as rollouts:
        group = (await played(rollouts, [0]))[0]
    assert [(f.cause, f.message) for f in group.failures] == [
        ("NonFiniteLogprob", "the engine gave a logprob that is not finite")
    ]


async def test_a_task_that_is_asked_for_and_given_up_shifts_no_position(engine, make):
    async with make(engine(replies)) as rollouts:
        drawing, drawn, go_on = rollouts._draw, threading.Event(), threading.Event()

        def slowly(until):
            drawn.set()
            go_on.wait(10)
            drawing(until)

        rollouts._draw = slowly
        given_up = asyncio.create_task(rollouts._task(1))
        await asyncio.to_thread(drawn.wait, 10)
        given_up.cancel()
        await asyncio.gather(given_up, return_exceptions=True)
        go_on.set()
        texts = [(await rollouts._task(index)).data.prompt for index in range(4)]
    assert texts == [f"Say {letter}" for letter in "abcd"]


async def test_a_group_that_lost_some_says_so(engine, make):
    turns = iter(range(100))
    async with make(engine(lambda _: "fault" if next(turns) == 1 else "x")) as rollouts:
        group = (await played(rollouts, [0], group_size=4))[0]
    assert (group.planned, len(group.samples), group.lost) == (4, 3, 1)
    assert [f.cause for f in group.failures] == ["TaskError"]


async def test_an_environment_that_owns_its_groups_keeps_them(engine, make):
    env = {"id": "letter-group", **COPY_LETTER}
    async with make(engine(replies), env) as rollouts:
        group = (await played(rollouts, [3]))[3]
        assert sorted(group.rewards.values()) == [0.0, 1.0, 2.0]
        assert sorted(group.advantages()) == [-1.0, 0.0, 1.0]
        with pytest.raises(RolloutsError, match="play it with group_size=1"):
            await played(rollouts, [3], group_size=2)


async def test_no_more_is_begun_than_the_caller_takes(engine, make):
    asked = []

    def reply(text):
        asked.append(text)
        return "x"

    async with make(engine(reply), max_concurrent=2) as rollouts:
        async with contextlib.aclosing(rollouts.play(range(8))) as groups:
            await anext(groups)
            await asyncio.sleep(0.5)
            assert len(asked) <= 3
        assert len(asked) <= 3


async def test_leaving_early_cancels_what_is_in_flight(engine, make):
    waiting, over = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def hold(_):
        import time

        loop.call_soon_threadsafe(waiting.set)
        time.sleep(2)
        loop.call_soon_threadsafe(over.set)
        return "x"

    async with make(engine(hold)) as rollouts:
        playing = asyncio.create_task(played(rollouts, range(4)))
        await waiting.wait()
        playing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await playing
        assert not over.is_set()  # nobody waited for the engine


async def test_no_task_at_a_position(engine, make):
    async with make(engine(replies)) as rollouts:
        with pytest.raises(IndexError, match="'copy-letter' has 8 tasks: none at 8"):
            await played(rollouts, [8])
        with pytest.raises(IndexError, match=r"counts from 0 \(got -1\)"):
            await played(rollouts, [-1])


async def test_an_engine_that_is_down_is_no_reward(engine, make):
    async with make(engine(replies, posts={"/inference/v1/generate": down})) as rollouts:
        group = (await played(rollouts, [0]))[0]
    assert group.samples == ()
    assert group.lost == 1
    assert "500" in group.failures[0].message or "weights are gone" in group.failures[0].message


def down(_):
    return HttpReply(500, {"error": {"message": "the weights are gone"}})


def test_bad_arguments(tokenizer):
    with pytest.raises(ValueError, match=r"max_concurrent must be at least 1 \(got 0\)"):
        Rollouts(COPY_LETTER, "tiny", "http://127.0.0.1:9/v1", max_concurrent=0)


def test_a_trainer_that_is_not_asynchronous(engine, make):
    with Blocking(lambda: make(engine(replies))) as rollouts:
        assert rollouts.count() == 8
        rollouts.weights = 2
        groups = rollouts.play([3, 0, 3], group_size=2)
        assert rollouts.failures == {}
    assert [g.index for g in groups] == [3, 0, 3]
    assert groups[0].id != groups[2].id
    assert groups[1].samples[0].weights == (2, 2)


def test_what_fails_to_open_is_raised_where_it_was_asked_for():
    def broken():
        raise RuntimeError("no such environment")

    with pytest.raises(RuntimeError, match="no such environment"), Blocking(broken):
        pass

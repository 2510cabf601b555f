"""Requests that begin together are spread over turns of the event loop."""

import asyncio
import time

from inward_rewards.sandbox import Turns


async def turns_taken(requests, seconds):
    """In which turn of the loop each request went on, where each takes so long there."""
    turns, turn = Turns(), 0
    found = []

    async def request(number):
        await turns.wait()
        found.append((number, turn))
        began = time.perf_counter()
        while time.perf_counter() - began < seconds:
            pass

    async def count():
        nonlocal turn
        while True:
            turn += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    await asyncio.sleep(0)
    await asyncio.gather(*(request(number) for number in range(requests)))
    counting.cancel()
    return found


def test_no_turn_of_the_loop_takes_all_of_them():
    found = asyncio.run(turns_taken(100, 0.0005))
    assert [number for number, _ in found] == list(range(100))
    of_each = [turn for _, turn in found]
    assert len(set(of_each)) >= 100 // 16
    assert max(of_each.count(turn) for turn in of_each) <= 16


def test_one_request_does_not_wait():
    async def suspended():
        try:
            Turns().wait().send(None)
        except StopIteration:
            return False
        return True

    assert not asyncio.run(suspended())


def test_a_cancelled_request_holds_up_no_other():
    async def cancelled_and_kept():
        turns = Turns()

        async def request():
            await turns.wait()
            time.sleep(0.003)  # noqa: ASYNC251 -- more than a request may take
            return True

        tasks = [asyncio.create_task(request()) for _ in range(60)]
        await asyncio.sleep(0)
        for task in tasks[1::2]:
            task.cancel()
        return await asyncio.gather(*tasks, return_exceptions=True)

    found = asyncio.run(cancelled_and_kept())
    assert found[::2] == [True] * 30
    assert any(isinstance(one, asyncio.CancelledError) for one in found[1::2])


def test_each_event_loop_has_its_own_queue():
    turns = Turns()

    async def wait():
        await asyncio.wait_for(asyncio.gather(*(turns.wait() for _ in range(1000))), 10)

    for _ in range(2):
        asyncio.run(wait())

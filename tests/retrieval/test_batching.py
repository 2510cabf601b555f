import asyncio
import threading

import pytest
from inward_retrieval.batching import Batcher


def doubled(batches):
    def run(items):
        batches.append(list(items))
        return [2 * item for item in items]

    return run


async def test_concurrent_callers_share_batches_and_get_their_own():
    batches = []
    batcher = Batcher(doubled(batches), window=0.01, most=64)
    assert await asyncio.gather(*map(batcher.submit, range(100))) == [2 * n for n in range(100)]
    assert [len(batch) for batch in batches] == [64, 36]
    batcher.close()


async def test_the_event_loop_goes_on_while_a_batch_runs():
    loop_ran = threading.Event()

    def run(items):
        assert loop_ran.wait(60)
        return items

    batcher = Batcher(run, window=0, most=1)
    task = asyncio.create_task(batcher.submit("x"))
    await asyncio.sleep(0.05)  # the batch is under way, or about to be
    loop_ran.set()
    assert await task == "x"
    batcher.close()


async def test_a_fault_reaches_every_caller_of_its_batch_only():
    def run(items):
        if "bad" in items:
            raise RuntimeError("no memory")
        return items

    batcher = Batcher(run, window=0.01, most=2)
    results = await asyncio.gather(
        *map(batcher.submit, ["bad", "a", "b", "c"]), return_exceptions=True
    )
    assert [str(result) for result in results] == ["no memory", "no memory", "b", "c"]
    batcher.close()


async def test_an_exception_among_the_results_reaches_one_caller():
    batcher = Batcher(
        lambda items: [ValueError(item) if item == "long" else item for item in items],
        window=0.01,
        most=8,
    )
    results = await asyncio.gather(*map(batcher.submit, ["a", "long"]), return_exceptions=True)
    assert results[0] == "a"
    assert isinstance(results[1], ValueError)
    batcher.close()


async def test_a_caller_that_gave_up_is_left_out():
    batches = []
    batcher = Batcher(doubled(batches), window=0.05, most=8)
    gone = asyncio.create_task(batcher.submit(1))
    stays = asyncio.create_task(batcher.submit(2))
    await asyncio.sleep(0)
    gone.cancel()
    assert await stays == 4
    assert batches == [[2]]
    batcher.close()


def test_several_event_loops():
    batcher = Batcher(lambda items: items, window=0.001, most=8, threads=2)

    async def ask(number):
        return await asyncio.gather(*(batcher.submit((number, at)) for at in range(50)))

    answers = {}
    threads = [
        threading.Thread(target=lambda n=n: answers.update({n: asyncio.run(ask(n))}))
        for n in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert answers == {n: [(n, at) for at in range(50)] for n in range(4)}
    batcher.close()


async def test_a_closed_batcher_says_so():
    batcher = Batcher(lambda items: items, window=0, most=1)
    assert await batcher.submit(1) == 1
    batcher.close()
    with pytest.raises(RuntimeError, match="closed"):
        await batcher.submit(2)

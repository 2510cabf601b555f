import asyncio
import os
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
    batcher = Batcher(doubled(batches), window=0.01, max_batch=64)
    assert await asyncio.gather(*map(batcher.submit, range(100))) == [2 * n for n in range(100)]
    assert [len(batch) for batch in batches] == [64, 36]
    batcher.close()


async def test_the_event_loop_goes_on_while_a_batch_runs():
    loop_ran = threading.Event()

    def run(items):
        assert loop_ran.wait(60)
        return items

    batcher = Batcher(run, window=0, max_batch=1)
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

    batcher = Batcher(run, window=0.01, max_batch=2)
    results = await asyncio.gather(
        *map(batcher.submit, ["bad", "a", "b", "c"]), return_exceptions=True
    )
    assert [str(result) for result in results] == ["no memory", "no memory", "b", "c"]
    batcher.close()


async def test_an_exception_among_the_results_reaches_one_caller():
    batcher = Batcher(
        lambda items: [ValueError(item) if item == "long" else item for item in items],
        window=0.01,
        max_batch=8,
    )
    results = await asyncio.gather(*map(batcher.submit, ["a", "long"]), return_exceptions=True)
    assert results[0] == "a"
    assert isinstance(results[1], ValueError)
    batcher.close()


async def test_a_caller_that_gave_up_is_left_out():
    batches = []
    batcher = Batcher(doubled(batches), window=0.05, max_batch=8)
    gone = asyncio.create_task(batcher.submit(1))
    stays = asyncio.create_task(batcher.submit(2))
    await asyncio.sleep(0)
    gone.cancel()
    assert await stays == 4
    assert batches == [[2]]
    batcher.close()


def test_several_event_loops():
    batcher = Batcher(lambda items: items, window=0.001, max_batch=8, threads=2)

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


async def results(*tasks):
    """What each came to, in this much time: a caller that hangs fails the test."""
    return await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 30)


async def test_closing_while_one_caller_has_given_up():
    batcher = Batcher(lambda items: items, window=0.05, max_batch=8)
    gone, first, second = (asyncio.create_task(batcher.submit(n)) for n in range(3))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.sleep(0)
    batcher.close()
    cancelled, *others = await results(gone, first, second)
    assert isinstance(cancelled, asyncio.CancelledError)
    assert [str(other) for other in others] == ["this retriever is closed"] * 2


async def test_closing_while_a_batch_runs_finishes_what_was_handed_over():
    running, go_on = threading.Event(), threading.Event()

    def run(items):
        running.set()
        assert go_on.wait(60)
        return items

    batcher = Batcher(run, window=0, max_batch=1)
    tasks = [asyncio.create_task(batcher.submit(n)) for n in range(3)]
    await asyncio.to_thread(running.wait, 60)
    tasks[1].cancel()
    batcher.close()
    with pytest.raises(RuntimeError, match="closed"):
        await batcher.submit(3)
    go_on.set()
    first, cancelled, last = await results(*tasks)
    assert (first, last) == (0, 2)
    assert isinstance(cancelled, asyncio.CancelledError)


def raising(error):
    def run(items):
        if "bad" in items:
            raise error
        return items

    return run


def answering(answer):
    return lambda items: answer if "bad" in items else items


class Panic(BaseException):
    """As libraries in Rust raise it."""


@pytest.mark.parametrize(
    ("run", "message"),
    [
        (raising(Panic("index out of bounds")), "index out of bounds"),
        (raising(SystemExit(3)), "SystemExit"),
        (raising(KeyboardInterrupt()), "KeyboardInterrupt"),
        (raising(asyncio.CancelledError()), "CancelledError"),
        (raising(StopIteration("done")), "StopIteration"),
        (answering([]), "1 texts were given and 0 results came"),
        (answering(["a", "b"]), "1 texts were given and 2 results came"),
        (answering(None), "NoneType"),
        (answering([Panic("one of them")]), "one of them"),
        (answering([StopIteration("of them")]), "of them"),
    ],
)
async def test_whatever_run_does_its_callers_hear_of_it_and_the_next_are_served(run, message):
    batcher = Batcher(run, window=0, max_batch=1)
    first, *others = await results(batcher.submit("bad"), batcher.submit("a"), batcher.submit("b"))
    assert isinstance(first, Exception)
    assert message in str(first)
    assert others == ["a", "b"]
    assert await results(batcher.submit("c")) == ["c"]
    batcher.close()


def test_a_loop_that_is_closed_while_its_batch_runs_stops_nobody_else():
    running, go_on = threading.Event(), threading.Event()

    def run(items):
        if items == ["left"]:
            running.set()
            assert go_on.wait(60)
        return items

    batcher = Batcher(run, window=0, max_batch=1)

    async def leave():
        task = asyncio.create_task(batcher.submit("left"))
        await asyncio.to_thread(running.wait, 60)
        task.cancel()

    asyncio.run(leave())
    go_on.set()
    assert asyncio.run(results(batcher.submit("next"))) == ["next"]
    batcher.close()


async def test_no_thread_to_be_had(monkeypatch):
    def refuse(self):
        raise RuntimeError("can't start new thread")

    batcher = Batcher(lambda items: items, window=0, max_batch=1)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        [error] = await results(batcher.submit(1))
    assert str(error) == "can't start new thread"
    assert await results(batcher.submit(2)) == [2]
    batcher.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_forked_child_has_threads_of_its_own():
    batcher = Batcher(lambda items: items, window=0, max_batch=1)
    assert asyncio.run(results(batcher.submit("parent"))) == ["parent"]
    child = os.fork()
    if child == 0:
        os._exit(0 if asyncio.run(results(batcher.submit("child"))) == ["child"] else 1)
    assert os.waitpid(child, 0)[1] == 0
    batcher.close()


async def test_a_closed_batcher_says_so():
    batcher = Batcher(lambda items: items, window=0, max_batch=1)
    assert await batcher.submit(1) == 1
    batcher.close()
    with pytest.raises(RuntimeError, match="closed"):
        await batcher.submit(2)

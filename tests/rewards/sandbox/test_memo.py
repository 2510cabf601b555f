"""What is worked out once, kept, or forgotten."""

from concurrent.futures import CancelledError, Future

import pytest
from inward_rewards.sandbox import Memo


class Work:
    """Starts futures and counts them."""

    def __init__(self):
        self.started = []

    def __call__(self):
        self.started.append(Future())
        return self.started[-1]


def test_who_asks_meanwhile_shares_the_work():
    memo, work = Memo(4), Work()
    asked = [memo.ask("a", work) for _ in range(3)]
    (only,) = work.started
    only.set_result(1)
    assert [one.result(0) for one in asked] == [1, 1, 1]
    assert memo.ask("a", work).result(0) == 1
    assert len(work.started) == 1


def test_an_exception_reaches_all_and_is_forgotten():
    memo, work = Memo(4), Work()
    asked = [memo.ask("a", work) for _ in range(2)]
    work.started[0].set_exception(RuntimeError("the machine"))
    for one in asked:
        with pytest.raises(RuntimeError, match="the machine"):
            one.result(0)
    again = memo.ask("a", work)
    work.started[1].set_result(2)
    assert again.result(0) == 2


def test_one_that_gives_up_leaves_the_work_to_the_others():
    memo, work = Memo(4), Work()
    one, other = memo.ask("a", work), memo.ask("a", work)
    assert one.cancel()
    work.started[0].set_result(1)
    assert other.result(0) == 1
    with pytest.raises(CancelledError):
        one.result(0)


def test_work_that_nobody_waits_for_is_cancelled_and_begun_anew():
    memo, work = Memo(4), Work()
    for one in [memo.ask("a", work) for _ in range(2)]:
        one.cancel()
    assert work.started[0].cancelled()
    again = memo.ask("a", work)
    work.started[1].set_result(1)
    assert again.result(0) == 1


def test_work_in_hand_is_kept_even_if_nobody_waits():
    memo, work = Memo(4), Work()
    one = memo.ask("a", work)
    work.started[0].set_running_or_notify_cancel()
    one.cancel()
    work.started[0].set_result(1)
    assert memo.ask("a", work).result(0) == 1
    assert len(work.started) == 1


def test_the_least_recent_is_dropped():
    memo, work = Memo(2), Work()
    for key in ("a", "b", "a", "c", "a", "b"):
        memo.ask(key, work)
        for future in work.started:
            if not future.done():
                future.set_result(key)
    assert len(work.started) == 4  # a, b, c, and b again


def test_a_start_that_fails_raises():
    memo = Memo(4)
    with pytest.raises(ZeroDivisionError):
        memo.ask("a", lambda: 1 / 0)
    work = Work()
    assert not memo.ask("a", work).done()

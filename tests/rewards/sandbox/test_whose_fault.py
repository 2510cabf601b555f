"""Whose fault an end is, for maths and charts alike: the table of `blame`, played."""

import os
import signal
import sys
from pathlib import Path

import pytest
from inward_rewards.sandbox import blame, clock
from inward_rewards.sandbox.blame import Breach
from support.processes import alive, wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@pytest.mark.parametrize(
    ("code", "spent", "breach"),
    [
        (-signal.SIGPROF, 4.0, Breach.CPU),
        (-signal.SIGPROF, 3.7, Breach.CPU),  # the kernel's account is off by a tenth
        (-signal.SIGPROF, 1.0, None),
        (blame.MEMORY, 0.0, Breach.CRASH),
        (blame.BROKEN, 0.0, Breach.CRASH),
        *((-number, 0.0, Breach.CRASH) for number in blame.FAULTS),
        *((-number, 9.0, None) for number in set(signal.Signals) - blame.FAULTS - {signal.SIGPROF}),
        (0, 9.0, None),
        (1, 9.0, None),
    ],
)
def test_the_table(code, spent, breach):
    end = blame.of_exit(code, spent, cpu_seconds=4.0, out_of_memory=False)
    assert end.breach is breach
    if breach is None and code < 0:
        assert signal.Signals(-code).name in end.cause


CPU, CRASH = blame.End(Breach.CPU, ""), blame.End(Breach.CRASH, "")
OTHER = blame.End(None, "killed")


@pytest.mark.parametrize(
    ("ends", "decided"),
    [
        ([], None),
        ([CPU], CPU),
        ([OTHER], None),
        ([OTHER, OTHER], OTHER),
        ([CRASH], None),
        ([CRASH, CRASH], CRASH),
        ([CRASH, OTHER], None),
        ([CRASH, OTHER, CRASH], CRASH),
        ([OTHER, CRASH, OTHER], OTHER),
        ([OTHER, CPU], CPU),
    ],
)
def test_what_repeats_decides(ends, decided):
    assert blame.verdict(ends) is decided


def test_an_idle_worker_that_is_ended_costs_nothing(user):
    user.honest()
    for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV):
        worker = user.worker()
        os.kill(worker, number)
        wait_until(lambda worker=worker: not Path(f"/proc/{worker}").exists())  # no zombie
        user.honest()


RARE = (signal.SIGHUP, signal.SIGINT, signal.SIGXCPU)
"""The table above has them too; played, each of the charts' workers costs a second of CPU time."""


@pytest.mark.parametrize(
    "number",
    [
        *(signal.SIGTERM, signal.SIGKILL, signal.SIGPROF),
        *(pytest.param(number, marks=pytest.mark.slow) for number in RARE),
    ],
    ids=lambda number: number.name,
)
def test_an_outside_signal_is_the_machines_fault_and_forgotten(user, number):
    for _ in range(2 if number is signal.SIGTERM else 1):  # the second time it is worked on again
        waiting = user.asking("spin")
        user.end_two(number)
        with pytest.raises(user.machine, match=f"killed from outside by {number.name}: "):
            waiting.result(60)
    user.honest()


def test_an_exception_of_ours_is_the_machines_fault_and_forgotten(user):
    for _ in range(2):
        with pytest.raises(user.machine, match=r"(?s)twice.*our own mistake"):
            user.ask("raise")
    user.honest()


def test_an_exit_of_its_own_is_the_machines_fault(user):
    with pytest.raises(user.machine, match="ended with code 3"):
        user.ask("exit")


@pytest.mark.parametrize(
    ("word", "reason"), [("spin", "cpu"), ("memory", "crash"), ("abort", "crash")]
)
def test_a_broken_limit_is_the_answers_fault_and_remembered(user, monkeypatch, word, reason):
    assert user.blames(word, reason)
    user.honest()
    monkeypatch.setattr(user.pool, "call", lambda *_: pytest.fail("worked out again"))
    assert user.blames(word, reason)


def test_one_fault_from_outside_is_nobodys(user):
    waiting = user.asking("sleep")
    first = user.worker()
    os.kill(first, signal.SIGSEGV)
    second = user.worker(first)
    os.kill(second, signal.SIGTERM)
    os.kill(user.worker(first, second), signal.SIGTERM)
    with pytest.raises(user.machine, match="SIGTERM"):
        waiting.result(60)


@pytest.mark.parametrize("word", ["sleep", "stop"])
def test_a_worker_without_progress_is_the_machines_fault(user, monkeypatch, word):
    user.honest()
    monkeypatch.setattr(clock, "WALL_SECONDS", 0.7)
    with pytest.raises(user.machine, match=r"twice.*stopped making progress"):
        user.ask(word)
    user.honest()


def test_a_stopped_worker_is_replaced(user, monkeypatch):
    user.honest()
    monkeypatch.setattr(clock, "WALL_SECONDS", 0.7)
    stopped = user.worker()
    os.kill(stopped, signal.SIGSTOP)
    user.honest()
    assert not alive(stopped)


def test_a_stopped_template_is_replaced(user, monkeypatch):
    user.honest()
    monkeypatch.setattr(clock, "WALL_SECONDS", 3)
    template, worker = user.template, user.worker()
    os.kill(template, signal.SIGSTOP)
    os.kill(worker, signal.SIGKILL)
    user.honest()
    assert not alive(template)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_template_that_is_ended_takes_its_workers_and_is_replaced(user, number):
    user.honest()
    template, worker = user.template, user.worker()
    os.kill(template, number)
    wait_until(lambda: not alive(worker))
    user.honest()


def test_closing_raises_for_what_waits_and_what_is_in_work(own_user):
    own_user.honest()
    waiting = [own_user.asking(word) for word in ("sleep", "stop", "raise")]
    wait_until(lambda: own_user.pool._jobs.qsize() == 2)
    own_user.opened.close()
    for future in waiting:
        with pytest.raises(own_user.machine, match="closed"):
            future.result(30)
    with pytest.raises(own_user.machine, match="is closed: make a new one"):
        own_user.honest()


def test_inherited_signals_and_masks_do_not_reach_the_worker(own_user):
    """An ignored or blocked signal is inherited: the limit would not hold."""
    numbers = (signal.SIGPROF, signal.SIGTERM, signal.SIGCHLD)
    before = [signal.signal(number, signal.SIG_IGN) for number in numbers[:2]]
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        assert own_user.blames("spin", "cpu")
        own_user.honest()
        os.kill(own_user.worker(), signal.SIGTERM)
        own_user.honest()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for number, handler in zip(numbers[:2], before, strict=True):
            signal.signal(number, handler)

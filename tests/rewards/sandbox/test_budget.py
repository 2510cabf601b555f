"""The number of living workers on the machine, over processes and kinds."""

import os
import subprocess
import sys
import time

import pytest
from inward_rewards import sandbox
from inward_rewards.charts.renderer import Renderer
from inward_rewards.maths import Verifier
from inward_rewards.sandbox import slots
from rewards.charts.hostile import bar
from rewards.sandbox.conftest import TESTS
from support.processes import alive, templates, wait_until, workers

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="per pool alone elsewhere")

BUSY = """
import asyncio, os, sys, time
from inward_rewards.charts.renderer import Renderer
from inward_rewards.maths import Verifier
from rewards.charts.hostile import bar

kind, hold = sys.argv[1:]
print("ready", flush=True)
sys.stdin.readline()

async def main():
    if kind == "maths":
        one = Verifier(workers=8)
        pairs = [(rf"\\sqrt{{{4 * k}}}", rf"2\\sqrt{{{k}}}") for k in range(1000, 1040)]
        assert all(v.correct for v in await asyncio.gather(*(one.verify(*p) for p in pairs)))
    else:
        one = Renderer(workers=8)
        await asyncio.gather(*(one.render(bar(title=str(k))) for k in range(8)))
    print("done", flush=True)
    time.sleep(float(hold))

asyncio.run(main())
"""


def programs(kinds, hold, **env):
    """Programs that wait for a line, work, say so, and keep their pool for a while."""
    started = [
        subprocess.Popen(
            [sys.executable, "-c", BUSY, kind, str(hold)],
            env={**os.environ, "PYTHONPATH": str(TESTS), **env},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for kind in kinds
    ]
    for one in started:
        assert one.stdout.readline() == "ready\n"
    return started


def living(started):
    """How many workers lived at one moment: between two looks, each of which takes its time."""

    def look():
        found = (pid for one in started for part in templates(one.pid) for pid in workers(part))
        return {pid for pid in found if alive(pid)}

    return len(look() & look())


@pytest.fixture
def own_names(monkeypatch):
    """Places that no other program has."""
    names = [f"\0inward-test-{os.getpid()}-{i}" for i in range(2)]
    monkeypatch.setattr(slots, "_names", lambda: iter(names))
    return names


def test_a_slot_is_taken_once_and_freed_with_its_last_holder(own_names):
    one, other = slots.take(), slots.take()
    assert slots.take() is None
    copy = one.dup()
    one.close()
    assert slots.take() is None
    copy.close()
    again = slots.take()
    assert again is not None
    for slot in (again, other):
        slot.close()


def test_asking_reaches_the_holder_and_wears_off(own_names, monkeypatch):
    slot = slots.take()
    assert not slots.asked(slot)
    for turn in range(20):  # more than its queue holds: never waits
        slots.ask(turn)
    assert slots.asked(slot)
    assert not slots.asked(slot)
    slots.ask(0)
    slots.ask(1)
    monkeypatch.setattr(slots, "FRESH_SECONDS", -1)
    assert not slots.asked(slot)
    slot.close()


def test_a_machine_without_such_names_costs_one_warning(monkeypatch):
    monkeypatch.setattr(slots, "_names", lambda: iter(["/nonexistent/folder/name"]))
    monkeypatch.setattr(slots, "_warned", False)
    with pytest.warns(RuntimeWarning, match="for each pool alone"):
        slot = slots.take()
    assert slot is not None
    slot.close()
    again = slots.take()  # a second warning would be an error here
    again.close()


def test_programs_share_the_budget_and_all_of_them_end():
    started = programs(["maths", "charts", "maths"], hold=0, INWARD_WORKERS="2")
    most = 0
    for one in started:
        one.stdin.write("\n")
        one.stdin.flush()
    while any(one.poll() is None for one in started):
        most = max(most, living(started))
        time.sleep(0.05)  # looking takes time of the same cores
    assert [one.stdout.read() for one in started] == ["done\n"] * 3
    assert 1 <= most <= 2
    for one in started:
        one.stdin.close()
        one.stdout.close()


@pytest.mark.parametrize(
    "kinds", [("maths", "charts"), pytest.param(("charts", "maths"), marks=pytest.mark.slow)]
)
def test_an_idle_program_leaves_its_place_to_another(kinds):
    started = programs(kinds, hold=600, INWARD_WORKERS="1")
    try:
        for one in started:  # the first has its worker still, and nothing to do
            one.stdin.write("\n")
            one.stdin.flush()
            assert one.stdout.readline() == "done\n"
        wait_until(lambda: living(started) == 1)
    finally:
        for one in started:
            one.kill()
            one.wait()
            one.stdin.close()
            one.stdout.close()


def test_two_pools_of_one_program_share_it_too(own_names, monkeypatch):
    monkeypatch.setattr(slots, "_names", lambda: iter(own_names[:1]))
    # What other tests of this process have opened holds places of other names.
    others = set(templates(os.getpid()))

    def living_here():
        return sum(len(workers(one)) for one in set(templates(os.getpid())) - others)

    with Verifier(workers=2) as verifier:
        renderer = Renderer(workers=2)
        for k in range(2):
            assert verifier.verify_sync(rf"\sqrt{{{4 * k + 8}}}", rf"2\sqrt{{{k + 2}}}").correct
            assert renderer.render_sync(bar(title=str(k))).png
            wait_until(lambda: living_here() == 1)
        renderer.close()


def test_a_busy_worker_leaves_after_its_turn(own_names, monkeypatch):
    """Two pools that both have work for long: neither waits for the other's end."""
    monkeypatch.setattr(slots, "_names", lambda: iter(own_names[:1]))
    with Verifier(workers=1) as one, Verifier(workers=1) as other:
        pairs = ((rf"\sqrt{{{4 * k}}}", rf"2\sqrt{{{k}}}") for k in range(1000, 10**6))
        waiting = [one._found(*next(pairs)) for _ in range(5000)]
        assert other.verify_sync(*next(pairs)).correct
        assert not waiting[-1].done()
        one.close()


@pytest.mark.parametrize("value", ["0", "-1", "many", "1.5"])
def test_a_bad_budget_is_named(monkeypatch, value):
    monkeypatch.setenv("INWARD_WORKERS", value)
    with Verifier() as one, pytest.raises(ValueError, match=f"INWARD_WORKERS='{value}': set it"):
        one.verify_sync(r"\sqrt{8}", r"2\sqrt{2}")
    renderer = Renderer()
    with pytest.raises(ValueError, match="INWARD_WORKERS"):
        renderer.render_sync(bar())
    renderer.close()


def test_a_config_goes_before_the_variable_and_that_before_the_cores(monkeypatch):
    monkeypatch.setattr(slots, "_cores", lambda: 7)
    monkeypatch.delenv("INWARD_WORKERS", raising=False)
    assert slots.budget() == 7
    monkeypatch.setenv("INWARD_WORKERS", "5")
    assert slots.budget() == 5
    sandbox.set_workers(3)
    try:
        assert slots.budget() == 3
    finally:
        sandbox.set_workers(None)
    assert slots.budget() == 5
    with pytest.raises(ValueError, match="workers must be at least 1, not 0"):
        sandbox.set_workers(0)


def test_both_environments_set_it_from_their_config():
    from chart_spec.taskset import ChartSpecConfig, ChartSpecTaskset
    from math500_entropy.taskset import Math500EntropyConfig, Math500EntropyTaskset

    before = slots.budget()
    try:
        ChartSpecTaskset(ChartSpecConfig(id="chart-spec", sandbox_workers=31))
        assert slots.budget() == 31
        Math500EntropyTaskset(Math500EntropyConfig(id="math500-entropy", sandbox_workers=32))
        assert slots.budget() == 32
        ChartSpecTaskset(ChartSpecConfig(id="chart-spec"))
        assert slots.budget() == 32
    finally:
        sandbox.set_workers(None)
    assert slots.budget() == before


def test_no_pool_has_more_threads_than_the_budget(monkeypatch):
    monkeypatch.setattr(slots, "budget", lambda: 1)
    with Verifier(workers=64) as one:
        for k in range(2, 30):
            one._found(rf"\sqrt{{{4 * k}}}", rf"2\sqrt{{{k}}}")
        assert len(one._pool._threads) == 1

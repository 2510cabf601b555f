"""A foreign task that is measured keeps its own `finalize`, in any form that verifiers calls."""

from types import SimpleNamespace

import pytest
import verifiers.v1 as vf
from inward_rewards.entropy import metered


class Seen:
    def __init__(self):
        self.calls, self.measured = [], []

    async def measure(self, trace):
        self.measured.append(trace)


SEEN = Seen()


class Neither(vf.Task):
    async def finalize(self):
        SEEN.calls.append(())


class TraceAlone(vf.Task):
    async def finalize(self, trace):
        SEEN.calls.append((trace,))


class Both(vf.Task):
    async def finalize(self, trace, runtime):
        SEEN.calls.append((trace, runtime))


class WithADefault(vf.Task):
    async def finalize(self, trace, runtime, seconds=7):
        SEEN.calls.append((trace, runtime, seconds))


TRACE, RUNTIME = SimpleNamespace(), SimpleNamespace()


@pytest.mark.parametrize(
    ("task_class", "passed"),
    [
        (Neither, ()),
        (TraceAlone, (TRACE,)),
        (Both, (TRACE, RUNTIME)),
        (WithADefault, (TRACE, RUNTIME, 7)),
    ],
)
async def test_its_own_finalize_gets_what_it_names(task_class, passed):
    SEEN.__init__()
    task = metered(task_class(vf.TaskData(idx=0, prompt="?"), vf.TaskConfig()), SEEN)
    await task.finalize(TRACE, RUNTIME)
    assert SEEN.calls == [passed]
    assert SEEN.measured == [TRACE]

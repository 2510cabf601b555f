"""Both users of the sandbox, with faults that a request can ask for."""

import itertools
import os
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from inward_rewards.charts import renderer
from inward_rewards.charts.errors import RendererDown, RenderError
from inward_rewards.charts.renderer import Renderer
from inward_rewards.maths import PoolError, Verifier, verifier
from inward_rewards.sandbox import Limits
from rewards.charts.hostile import bar
from support.processes import workers

TESTS = Path(__file__).parents[2]
NUMBERS = itertools.count(1)


class User:
    """One of the two: `ask(word)` asks for a fault, `honest()` for something new and possible."""

    def __init__(self, opened):
        self.opened, self.pool = opened, opened._pool

    @property
    def template(self):
        return self.pool._template._process.pid

    def asking(self, word):
        """`ask` in a thread of its own: a future."""
        threads = ThreadPoolExecutor(1)
        future = threads.submit(self.ask, word)
        threads.shutdown(wait=False)
        return future

    def worker(self, *but):
        """The process id of a worker, once there is another one."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            new = set(workers(self.template) if self.pool._template else ()) - set(but)
            if new:
                return new.pop()
            time.sleep(0.005)
        raise TimeoutError("no worker in 60 s")

    def end_two(self, number):
        """Sends a signal to the worker in work and to the one that takes its place."""
        first = self.worker()
        os.kill(first, number)
        os.kill(self.worker(first), number)


class Maths(User):
    machine = PoolError

    def ask(self, word):
        return self.opened.verify_sync(r"\sqrt{2}", word)

    def honest(self):
        k = 1000 + next(NUMBERS)
        assert self.opened.verify_sync(rf"\sqrt{{{4 * k}}}", rf"2\sqrt{{{k}}}").correct

    def blames(self, word, reason):
        """Whether the answer is blamed, for this reason."""
        return self.ask(word).reason == {"cpu": "timeout", "crash": "crash"}[reason]


class Charts(User):
    machine = RendererDown

    def ask(self, word):
        return self.opened.render_sync(bar(title=word))

    def honest(self):
        assert self.opened.render_sync(bar(title=str(next(NUMBERS)))).png

    def blames(self, word, reason):
        said = {"cpu": "CPU time", "crash": "memory, or breaks the renderer"}[reason]
        with pytest.raises(RenderError, match=said):
            self.ask(word)
        return True


@contextmanager
def opened(kind):
    """A user of this kind with one worker, three CPU seconds and faults."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(TESTS))
        if kind == "maths":
            faulty = replace(verifier.PROGRAM, module="rewards.sandbox.faulty_maths")
            patch.setattr(verifier, "PROGRAM", faulty)
            user = Maths(Verifier(workers=1, cpu_seconds=3))
        else:
            faulty = replace(renderer.PROGRAM, module="rewards.sandbox.faulty_charts")
            patch.setattr(renderer, "PROGRAM", faulty)
            patch.setattr(renderer, "LIMITS", Limits(3, renderer.LIMITS.memory_mb))
            user = Charts(Renderer(workers=1))
        try:
            yield user
        finally:
            user.opened.close()


@pytest.fixture(scope="module", params=["maths", "charts"])
def user(request):
    with opened(request.param) as one:
        yield one


@pytest.fixture
def own_user(user):
    """For what is not good for the others."""
    with opened("maths" if isinstance(user, Maths) else "charts") as one:
        yield one

"""A verifiers v1 environment as an OpenEnv environment (openenv 0.10), for trainers that ask one.

    with exported({"taskset": {"id": "math500-entropy", "split": "train"}}) as app:
        uvicorn.run(app, port=8000)

A session of OpenEnv plays one episode at a time. `reset(index=3)` begins the task at a position
and observes its prompt. An action with `tool` calls a tool and observes what it returned; one with
`text` is the final reply, and its observation has the environment's reward. Which tools there are
the first observation says, as JSON schemas.

It stands on `trl_environment.Seats` and takes and refuses what that does: no pictures, no several
conversations per episode, no text beside a tool call, no token ids. An unknown tool, or arguments
that do not fit, are the policy's fault, and it reads so. A failed rollout raises: OpenEnv hands its
client the error, and no reward.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import uuid4

try:
    from openenv.core.env_server.http_server import create_fastapi_app
    from openenv.core.env_server.interfaces import Environment
    from openenv.core.env_server.types import Action, Observation, State
except ModuleNotFoundError as error:
    raise ImportError(
        "inward_training.openenv exports to OpenEnv:"
        " echo 'fastmcp>=4' > overrides.txt; uv pip install --override overrides.txt"
        ' "inward-training[rollouts]" "openenv>=0.10" uvicorn'
    ) from error

from inward_training.errors import RolloutsError
from inward_training.samples import Failure
from inward_training.trl_environment import Seats

MAX_SESSIONS = 128


class Move(Action):  # type: ignore[misc]
    """A tool call, or where `tool` is empty the final reply."""

    text: str = ""
    tool: str = ""
    arguments: dict[str, Any] = {}  # noqa: RUF012 - a model's default is copied


class Turn(Observation):  # type: ignore[misc]
    """What the policy reads next."""

    text: str = ""
    tools: tuple[dict[str, Any], ...] = ()
    """Of the first observation: name, description and parameters of each."""


@contextlib.contextmanager
def exported(
    env: Mapping[str, Any], *, tasks: int | None = None, max_sessions: int = MAX_SESSIONS
) -> Iterator[Any]:
    """The FastAPI application of OpenEnv's server over an environment.

    Args:
        env: the table `[env]` of a config: `{"taskset": {"id": "math500-entropy"}, …}`.
        tasks: how many, from the first; all where left out.
        max_sessions: sessions at once, each of which may hold an episode.
    """
    with Seats(env, tasks=tasks) as seats:

        class Exported(Session):
            def __init__(self) -> None:
                super().__init__(seats)

        yield create_fastapi_app(
            Exported, Move, Turn, max_concurrent_envs=max_sessions, env_name=seats.environment
        )


class Session(Environment):  # type: ignore[misc]
    SUPPORTS_CONCURRENT_SESSIONS = True

    def __init__(self, seats: Seats) -> None:
        super().__init__()
        self._seats = seats
        self._seat = seats.factory()
        self._done = True
        self._state = State()

    def reset(
        self, seed: int | None = None, episode_id: str | None = None, index: int | None = None
    ) -> Turn:
        """Begins an episode of the task at `index`; without it at `seed`, counted round the tasks.

        Raises:
            IndexError: no task at `index`.
            RolloutsError: the episode failed before it asked the policy.
        """
        self._done = True
        if index is None:
            index = (seed or 0) % len(self._seats)
        text = self._seat.reset(index=index)
        self._state = State(episode_id=episode_id or uuid4().hex)
        self._done = False
        if not self._seat._asks():
            # It failed, or was over before it asked the policy.
            return Turn(text=text, done=True, reward=self._scored())
        return Turn(text=text, tools=tuple(self._seat._tools))

    def step(self, action: Move, timeout_s: float | None = None) -> Turn:
        """Raises RuntimeError where no episode is under way, RolloutsError where it failed."""
        if self._done:
            raise RuntimeError("no episode is under way: reset first")
        self._state.step_count += 1
        if not action.tool:
            self._seat._finish([{"role": "assistant", "content": action.text}])
            return Turn(done=True, reward=self._scored())
        named = {tool["name"] for tool in self._seat._tools}
        if action.tool not in named:
            return Turn(text=f"error: no tool {action.tool!r}: there are {sorted(named)}")
        text = self._seat._call(action.tool, action.arguments)
        if self._seat._asks():
            return Turn(text=text)
        # Its own limit on turns has ended it.
        return Turn(text=text, done=True, reward=self._scored())

    def _scored(self) -> float:
        self._done = True
        found = self._seat._outcome()
        if isinstance(found, Failure):
            raise RolloutsError(f"the rollout failed: {found.cause}: {found.message}")
        return found

    @property
    def state(self) -> State:
        return self._state

    def close(self) -> None:
        self._seat._abandon()

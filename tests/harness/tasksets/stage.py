"""One environment and one policy server for the rollouts of a test module."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import verifiers.v1 as vf
from inward_chat.testing import Answer, PolicyServer
from verifiers.v1.env import Env, RunSlot


class Stage:
    """Plays tasks against scripted policies, as an eval does."""

    def __init__(self, env: Env[Any], server: PolicyServer) -> None:
        self.env = env
        self.requests: list[dict[str, Any]] = []
        """Of the latest script, in order of arrival."""
        self._server = server
        self._ctx = vf.ModelContext(
            model="policy",
            client=vf.EvalClientConfig(base_url=server.base_url, api_key_var="NO_KEY"),
            sampling=vf.Sampling(),
        )

    def script(self, *answers: Answer) -> None:
        """From now on the n-th assistant turn of every conversation is the n-th answer."""
        self.requests = []

        def policy(body: dict[str, Any]) -> Answer:
            self.requests.append(body)
            return answers[sum(message["role"] == "assistant" for message in body["messages"])]

        self._server.policy = policy

    async def play(self, task: vf.Task[Any, Any]) -> vf.Trace:
        episode = await self.env.run_slot(RunSlot(task), self._ctx)
        assert not episode.errors, episode.errors
        [trace] = episode.traces
        return trace

    def tool_results(self) -> list[Any]:
        """What the policy read in answer to its calls, by its latest request."""
        messages: Sequence[dict[str, Any]] = self.requests[-1]["messages"]
        return [message["content"] for message in messages if message["role"] == "tool"]


@asynccontextmanager
async def open_stage(env: Env[Any]) -> AsyncIterator[Stage]:
    with PolicyServer(lambda body: {"content": "unscripted"}) as server:
        async with env.serving():
            yield Stage(env, server)

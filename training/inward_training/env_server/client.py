"""verifiers' client of an env server, which notices when the server is gone."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any, Self

import verifiers.v1 as vf
import zmq
from inward_chat.verifiers_compat import EnvClient

from inward_training.errors import RolloutsError
from inward_training.samples import Failure

PROBE_S = 5.0
GIVEN_UP_AFTER = 12
"""Probes without an answer, one after the other: a minute."""


class Served:
    """Episodes that the env server at an address plays."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._client: EnvClient
        self._watch: asyncio.Task[None]

    async def __aenter__(self) -> Self:
        _check(self.address)
        self._client = EnvClient(self.address)
        if not await self._answers():
            await self._client.close()
            raise RolloutsError(
                f"no env server answers at {self.address}: start it with inward serve"
            )
        self._watch = asyncio.create_task(self._until_gone())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._watch.cancel()
        await asyncio.gather(self._watch, return_exceptions=True)
        await self._client.close()

    async def play(
        self, task: dict[str, Any], context: vf.ModelContext
    ) -> vf.WireEpisode | Failure:
        """The episode of a task (its dumped data), or why the server has none.

        Raises:
            RolloutsError: the server has been silent for a minute.
        """
        episode = asyncio.create_task(
            self._client.run(
                client=context.client,
                model=context.model,
                sampling=context.sampling,
                task_data=task,
            )
        )
        try:
            await asyncio.wait([episode, self._watch], return_when="FIRST_COMPLETED")
            if not episode.done():
                raise RolloutsError(
                    f"the env server at {self.address} has been silent for"
                    f" {PROBE_S * GIVEN_UP_AFTER:g} s: start it again"
                )
            return episode.result()
        except RuntimeError as error:
            if isinstance(error, RolloutsError):
                raise
            # "Cause: what happened", as the server names it.
            cause, _, message = str(error).partition(": ")
            return Failure(cause, message)
        finally:
            if not episode.done():
                episode.cancel()
                await asyncio.gather(episode, return_exceptions=True)

    async def _answers(self) -> bool:
        for _ in range(GIVEN_UP_AFTER):
            if await self._client.health(timeout=PROBE_S):
                return True
        return False

    async def _until_gone(self) -> None:
        while True:
            if not await self._answers():
                return
            await asyncio.sleep(PROBE_S)


def _check(address: str) -> None:
    """Raises `RolloutsError` for what is no address. By a socket of our own: verifiers' client
    would leave one open, and its context waits for that as it is collected, forever."""
    with zmq.Context() as context, context.socket(zmq.DEALER) as socket:
        socket.linger = 0
        try:
            socket.connect(address)
        except zmq.ZMQError as error:
            raise RolloutsError(
                f"{address!r} is no address such as tcp://127.0.0.1:5000: {error}"
            ) from error

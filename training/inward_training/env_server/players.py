"""Who plays for the broker: worker processes of its own, and peers elsewhere."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import shutil
import signal
import tempfile
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import msgpack
import zmq
import zmq.asyncio

from inward_training.env_server.worker import END_S, LOST_TOOLS, work

TEMPLATE_LOST = 255
"""What multiprocessing says of a process whose fork server has died: nobody can tell how it is."""

DRAIN_S = 0.2
"""What a worker said before it died is still on its way."""


@dataclass
class Request:
    """A request of a client, from its arrival to its reply."""

    client: bytes
    id: bytes
    method: bytes
    payload: bytes
    """Empty once it was sent on: it may hold megabytes of pictures."""
    quiet: float = 0.0
    """Seconds without progress, since a player took it up."""


@dataclass(eq=False)
class Player:
    """An env server: a process of this broker, or a peer."""

    name: str
    dealer: zmq.asyncio.Socket
    process: BaseProcess | None = None
    """None of a peer."""
    pipe: Connection | None = None
    up: bool = False
    """Whether it has answered, and is not lost since."""
    served: bool = False
    """Whether it was ever up."""
    quiet: float = 0.0
    """Seconds without a word."""
    hung: float | None = None
    """After how many seconds without a word it was killed."""
    held: dict[bytes, Request] = field(default_factory=dict)
    """By the request's id."""

    def ask(self, id: bytes, method: bytes, payload: bytes) -> bool:
        """False where there is no connection. Returns at once: there is no limit to its queue."""
        # Not awaited: zmq has tried it when this call returns, and does not try again.
        sent = cast(
            "asyncio.Future[object]",
            self.dealer.send_multipart([id, method, payload], flags=zmq.NOBLOCK),
        )
        return not isinstance(sent.exception(), zmq.ZMQError)

    def cancel(self, target: bytes) -> None:
        """Tells it that nobody waits for that request."""
        body = msgpack.packb({"request_id": target.decode()})
        self.ask(uuid4().hex.encode(), b"cancel", body)

    def close(self) -> None:
        self.dealer.close()
        if self.pipe is not None:
            self.pipe.close()

    def end(self) -> None:
        """Waits for its process, which was told to end, and kills it where it does not; blocks."""
        if self.process is None:
            return
        self.process.join(END_S + 2)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()

    def how_it_ended(self) -> str:
        if self.hung is not None:
            return f"said nothing for {self.hung:g} s and was killed by SIGKILL"
        status = self.process.exitcode if self.process else None
        if status == LOST_TOOLS:
            return "ended because its tool server had died"
        if status == TEMPLATE_LOST:
            return "was given up: the process that workers are forked from has died"
        if status is not None and status < 0:
            with contextlib.suppress(ValueError):
                name = signal.Signals(-status).name
                hint = " (by hand, or for want of memory)" if name == "SIGKILL" else ""
                return f"was killed by {name}{hint}"
        return f"ended with status {status}"


class Processes:
    """Starts worker processes."""

    def __init__(self, env: dict[str, Any], log_level: str) -> None:
        self._env, self._log_level = env, log_level
        # A fork of a process that has imported verifiers starts at once, and shares its memory.
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([work.__module__])
        self._folder = Path(tempfile.mkdtemp(prefix="inward-env-"))
        self._started = 0

    def start(self) -> tuple[BaseProcess, Connection, str]:
        """A process, the pipe that it ends with, and the address where it will listen; blocks.

        Raises OSError or EOFError where the machine starts no more.
        """
        self._started += 1
        address = f"ipc://{self._folder / str(self._started)}"
        ours, theirs = self._context.Pipe()
        process = self._context.Process(
            target=work, args=(self._env, address, theirs, self._log_level)
        )
        try:
            process.start()
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        return process, ours, address

    def close(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)


async def death(process: BaseProcess) -> None:
    """Returns when it has ended, and what it said has arrived."""
    died, loop = asyncio.Event(), asyncio.get_running_loop()
    loop.add_reader(process.sentinel, died.set)
    try:
        await died.wait()
    finally:
        loop.remove_reader(process.sentinel)
    await asyncio.sleep(DRAIN_S)
    process.join()


def socket(context: zmq.asyncio.Context, kind: int) -> zmq.asyncio.Socket:
    """Without limits on its queues, as verifiers has them."""
    made = context.socket(kind)
    for option in (zmq.SNDHWM, zmq.RCVHWM, zmq.LINGER):
        made.setsockopt(option, 0)
    return made


def front(context: zmq.asyncio.Context, address: str) -> zmq.asyncio.Socket:
    """Where clients connect. ValueError: nothing can listen there."""
    made = socket(context, zmq.ROUTER)
    made.setsockopt(zmq.ROUTER_MANDATORY, 1)
    # For the last words.
    made.setsockopt(zmq.LINGER, 1000)
    try:
        made.bind(address)
    except zmq.ZMQError as error:
        raise ValueError(f"cannot listen at {address!r}: {error}") from error
    return made


def peer(context: zmq.asyncio.Context, address: str) -> Player:
    """An env server elsewhere. ValueError: no address."""
    try:
        return Player(f"the env server at {address}", dealer(context, address))
    except zmq.ZMQError as error:
        raise ValueError(
            f"peer {address!r} is no address such as tcp://host:5000: {error}"
        ) from error


def dealer(context: zmq.asyncio.Context, address: str) -> zmq.asyncio.Socket:
    """The broker's end of the connection to an env server."""
    made = socket(context, zmq.DEALER)
    # What is asked without a connection is refused, not queued for who may never come.
    made.setsockopt(zmq.IMMEDIATE, 1)
    made.connect(address)
    return made

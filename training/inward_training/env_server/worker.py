"""A worker of the env server: verifiers' `EnvServer`, which ends when it is of no more use."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import threading
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import inward_chat.harness  # noqa: F401 - in the process that all workers are forked from
import verifiers.v1 as vf
from inward_chat.verifiers_compat import EnvServer, setup_logging

LOST_TOOLS = 3
"""The exit status of a worker whose shared tool server has died."""
OOM_SCORE = 500
"""Of -1000 to 1000, as proc(5) has it."""
PROBE_S = 2.0
END_S = 10.0
"""How long a worker that was told to end may take to wind up."""


def work(env: dict[str, Any], address: str, broker: Connection, log_level: str) -> None:
    """The target of a worker's process.

    Args:
        env: the env's config, as `EnvConfig.model_dump(mode="json")` gives it.
        address: where it listens.
        broker: its other end is closed when the broker ends, however that ends.
        log_level: of what goes to stderr.
    """
    # Ctrl-C reaches the whole group; the broker tells the workers in its own time.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    setup_logging(log_level)
    _first_to_go()
    threading.Thread(target=_end_with, args=(broker,), daemon=True).start()
    server = EnvServer(vf.resolve_env_config(env), address)
    raise SystemExit(asyncio.run(_serve(server)))


async def _serve(server: EnvServer) -> int:
    told = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
    serving = asyncio.create_task(server.run())
    stop = asyncio.create_task(told.wait())
    lost = asyncio.create_task(_lost_tools(server.env))
    await asyncio.wait([serving, stop, lost], return_when="FIRST_COMPLETED")
    status = LOST_TOOLS if lost.done() else 0
    _end_in(END_S, status or 1)
    for task in (serving, stop, lost):
        task.cancel()
    await asyncio.gather(serving, stop, lost, return_exceptions=True)
    for task in (serving, lost):
        if not task.cancelled() and (error := task.exception()):
            raise error
    return status


async def _lost_tools(env: vf.Env[Any]) -> None:
    """Returns when nothing listens any more where a tool server of all rollouts did: verifiers
    starts it once, so that each later rollout would fail."""
    refused = 0
    while refused < 2:
        await asyncio.sleep(PROBE_S)
        shared = [tools.url for tools in env._shared_tools.values() if tools.local]
        refused = refused + 1 if not all([await _listens(url) for url in shared]) else 0


async def _listens(url: str) -> bool:
    """False only where the connection is refused: a busy server is no dead one."""
    parts = urlsplit(url)
    try:
        async with asyncio.timeout(PROBE_S):
            _, writer = await asyncio.open_connection(parts.hostname, parts.port)
    except ConnectionRefusedError:
        return False
    except (OSError, TimeoutError):
        return True
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True


def _first_to_go() -> None:
    """Where memory runs out the kernel ends a worker, or what it started, before the broker: that
    answers for its workers, and nobody answers for it."""
    # No such file but on Linux.
    with contextlib.suppress(OSError):
        score = Path("/proc/self/oom_score_adj")
        score.write_text(str(max(OOM_SCORE, int(score.read_text()))))


def _end_with(broker: Connection) -> None:
    with contextlib.suppress(EOFError, OSError):
        broker.recv()
    _end_in(END_S, 1)
    os.kill(os.getpid(), signal.SIGTERM)


def _end_in(seconds: float, status: int) -> None:
    """The event loop may hang, and an end that hangs is none."""
    timer = threading.Timer(seconds, os._exit, (status,))
    timer.daemon = True
    timer.start()

"""`inward serve`: an env server that survives its workers, for prime-rl and its like."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Sequence

from inward_chat import loopback

from inward import verifiers_runs as vf_runs
from inward.errors import UserError

try:
    from inward_training import RolloutsError
    from inward_training.env_server import MAX_CONCURRENT, Broker
except ImportError as error:
    raise UserError(f"{error.name} is missing: pip install 'inward[training]'") from error

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def serve(args: argparse.Namespace, words: Sequence[str]) -> int:
    """Serves until it is interrupted; `words` are the options of `inward eval` that say what."""
    loopback.exempt()
    if not vf_runs.names_an_environment(words):
        raise UserError("name the environment first: inward serve ENV [--workers N] …")
    config = vf_runs.parse_some(words, "serve", ("max_concurrent",))
    if args.workers < (0 if args.peer else 1):
        raise UserError(f"--workers {args.workers}: at least 1, or 0 beside a --peer")
    for name in ("silence", "hung"):
        if not getattr(args, name) > 0:  # not a number is not more either
            raise UserError(f"--{name} {getattr(args, name):g}: seconds, more than 0")
    asyncio.run(_serve(config.env.model_dump(mode="json"), args, config.max_concurrent))
    return 0


async def _serve(env: dict[str, object], args: argparse.Namespace, at_once: int | None) -> None:
    try:
        broker = Broker(
            env,
            args.address,
            workers=args.workers,
            peers=args.peer,
            max_concurrent=at_once or MAX_CONCURRENT,
            silence=args.silence,
            hung=args.hung,
        )
    except ValueError as error:
        raise UserError(str(error)) from error
    name = env["taskset"]["id"]  # type: ignore[index]

    def ready() -> None:
        sys.stdout.write(f"serving {name} at {broker.address}\n")
        sys.stdout.flush()

    serving = asyncio.ensure_future(broker.run(ready))
    for number in SIGNALS:
        # A second one would break off the end, in which clients are told.
        asyncio.get_running_loop().add_signal_handler(
            number, lambda: serving.cancelling() or serving.cancel()
        )
    try:
        await serving
    except RolloutsError as error:
        raise UserError(str(error)) from error
    except asyncio.CancelledError:
        pass

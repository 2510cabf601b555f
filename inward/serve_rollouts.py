"""`inward serve-rollouts`: rollouts to train on, for a trainer in another virtual environment."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys
from collections.abc import Sequence

from inward_chat import loopback
from inward_chat.verifiers_compat import EvalConfig

from inward import endpoint
from inward import verifiers_runs as vf_runs
from inward.errors import UserError
from inward.verifiers_runs import BASELINE_PREFIX

try:
    from inward_training import Rollouts, RolloutsError
    from inward_training.serve import served
except ImportError as error:
    raise UserError(f"{error.name} is missing: pip install 'inward[training]'") from error

READ = ("model", "client", "sampling", "max_concurrent")
TRAIN_CLIENT = ["--client.type", "train"]
MAX_CONCURRENT = 128
"""Where the config says none: verifiers' own."""
SIGNALS = (signal.SIGINT, signal.SIGTERM)


def serve(args: argparse.Namespace, words: Sequence[str]) -> int:
    """Serves until it is interrupted; `words` are those of `inward eval`."""
    loopback.exempt()
    if not vf_runs.names_an_environment(words):
        raise UserError("name the environment first: inward serve-rollouts ENV -m MODEL …")
    config = vf_runs.parse_some([*words, *TRAIN_CLIENT], "serve-rollouts", READ)
    if config.model.startswith(BASELINE_PREFIX) or "model" not in config.model_fields_set:
        raise UserError("name the policy that the engine serves: -m MODEL --client.base-url URL")
    if not 0 <= args.port <= 65535:
        raise UserError(f"--port {args.port}: a port is from 0 to 65535")
    endpoint.check(config.client.base_url)
    asyncio.run(_serve(config, args))
    return 0


async def _serve(config: EvalConfig, args: argparse.Namespace) -> None:
    rollouts = Rollouts(
        config.env,
        config.model,
        config.client,
        sampling=config.sampling.model_dump(exclude_unset=True),
        max_concurrent=config.max_concurrent or MAX_CONCURRENT,
        server=args.server,
    )
    # The data before the address: whoever asks then need not wait for a download.
    try:
        await rollouts.count()
    except ValueError as error:
        raise UserError(str(error)) from error
    # From here on; a download is broken off by the signal itself.
    ended = asyncio.Event()
    for number in SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    async with contextlib.AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(rollouts)
            url = await stack.enter_async_context(served(rollouts, args.host, args.port))
        except RolloutsError as error:
            raise UserError(str(error)) from error
        except OSError as error:
            where = f"{args.host}:{args.port}"
            raise UserError(f"cannot listen at {where}: {error.strerror or error}") from error
        sys.stdout.write(f"rollouts of {rollouts.environment} by {config.model} at {url}\n")
        sys.stdout.flush()
        await ended.wait()

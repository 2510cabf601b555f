"""`inward eval`: verifiers' own evaluation, with defaults that need no account, and a report.

Everything that is not `--baseline` goes to `vf-eval` as it stands. Where no model is named, one of
the environment's baseline policies is served on loopback for the length of the run.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import socket
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import inward_chat  # noqa: F401 - exempts loopback from proxies, in foreign environments too
from pydantic_config import cli
from verifiers.v1.cli.eval import main as vf_eval
from verifiers.v1.cli.output import output_path, saved_config_path
from verifiers.v1.cli.resolve import narrow_config, with_positional_taskset
from verifiers.v1.configs.cli.eval import EvalConfig
from verifiers.v1.utils.trace_store import TRACES_FILE

from inward import fronts
from inward.errors import UserError
from inward.fronts import Front
from inward.policy_server import PolicyServer
from inward.report import Run, print_report

USAGE = """\
usage: inward eval ENV [--baseline NAME] [any vf-eval option]
       inward eval --resume RUN_DIR

Without -m MODEL, a baseline policy of the environment is served on loopback for the run.
With a model: inward eval ENV -m MODEL --client.base-url URL -n 20
Every option of vf-eval: inward eval ENV --help
"""
PROGRESS_S = 2.0
CONNECT_S = 10.0
BASELINE_PREFIX = "baseline/"


def main(argv: Sequence[str]) -> int:
    arguments = list(argv[1:])
    if not arguments or arguments[0] in ("-h", "--help"):
        sys.stdout.write(USAGE)
        return 0 if arguments else 2
    if arguments[0] == "--resume":
        return _resume(arguments[1:])
    if arguments[0].startswith("-"):
        raise UserError(f"name the environment first (got {arguments[0]!r}): inward eval ENV …")
    return _start(arguments)


def _start(arguments: list[str]) -> int:
    env_id = arguments[0]
    front = fronts.find(env_id)
    name, arguments = _take_option(arguments, "--baseline")
    if not _has_option(arguments, "--push", "--no-push"):
        arguments.append("--no-push")
    if _has_option(arguments, "-h", "--help"):
        vf_eval.main(arguments)
        return 0
    if _has_option(arguments, "-m", "--model") or any(a.startswith("@") for a in arguments):
        if name is not None:
            raise UserError(f"--baseline {name!r} and a model: drop one")
        return _run(_parse(arguments), arguments, front)
    seed_args, name = _baseline(env_id, front, name, arguments)
    assert front is not None
    # A bad option must be told before a server is started.
    _parse([*arguments, *seed_args])
    with PolicyServer(front.BASELINES[name](0), model=BASELINE_PREFIX + name) as server:
        arguments += [*seed_args, "-m", server.model, "--client.base-url", server.base_url]
        sys.stderr.write(f"no model named: playing the baseline policy {name!r}\n")
        return _run(_parse(arguments), arguments, front)


def _baseline(
    env_id: str, front: Front | None, name: str | None, arguments: list[str]
) -> tuple[list[str], str]:
    """The options to add for a run without a model, and the name of the policy that plays it."""
    if front is None:
        _parse([*arguments, "-m", "none"])  # an unknown environment is told as one
        raise UserError(f"{env_id!r} has no baseline policy: name a model with -m MODEL")
    if _has_option(arguments, "--client.base-url"):
        raise UserError("an endpoint but no model: name the one to evaluate with -m MODEL")
    if name is None:
        name = next(iter(front.BASELINES))
    if name not in front.BASELINES:
        known = ", ".join(front.BASELINES)
        raise UserError(f"no baseline policy {name!r} in {env_id!r}: it has {known}")
    return _defaults(front, arguments), name


def _defaults(front: Front, arguments: list[str]) -> list[str]:
    """The front's default options, unless the user already chose the data."""
    pairs = zip(front.DEFAULT_ARGS[::2], front.DEFAULT_ARGS[1::2], strict=True)
    if _has_option(arguments, "--env.taskset.path"):
        return []
    missing = [pair for pair in pairs if not _has_option(arguments, pair[0])]
    return [word for pair in missing for word in pair]


def _resume(arguments: list[str]) -> int:
    if len(arguments) != 1:
        raise UserError("usage: inward eval --resume RUN_DIR")
    folder = Path(arguments[0])
    saved = saved_config_path(folder)
    if saved is None:
        raise UserError(f"{str(folder)!r} is not a run directory: it holds no saved config")
    config = json.loads(saved.read_text())
    env_id, model = config["env"]["taskset"]["id"], config["model"]
    front = fronts.find(env_id)
    rerun = ["@", str(saved), "--resume"]
    if not model.startswith(BASELINE_PREFIX):
        return _run(_parse(rerun), rerun, front)
    name = model.removeprefix(BASELINE_PREFIX)
    if front is None or name not in front.BASELINES:
        raise UserError(f"the run was played by the baseline {name!r}, which {env_id!r} has not")
    # The saved config names the port, and a resumed run must have the very same config.
    port = urlsplit(config["client"]["base_url"]).port or 0
    try:
        with PolicyServer(front.BASELINES[name](0), model=model, port=port):
            return _run(_parse(rerun), rerun, front)
    except RuntimeError as error:
        raise UserError(f"{error}; free port {port} of 127.0.0.1 and try again") from error


def _run(config: EvalConfig, arguments: list[str], front: Front | None) -> int:
    assert config.run.name is not None
    folder = output_path(config)
    if not any(a.startswith("@") for a in arguments):
        # The generated name is drawn at random: hand it on, so that we know where the run is.
        arguments = [*arguments, "--run.name", config.run.name]
    if config.dry_run:
        vf_eval.main(arguments)
        return 0
    _check_endpoint(config)
    start = time.monotonic()
    try:
        with _progress(folder / TRACES_FILE):
            vf_eval.main(arguments)
    except SystemExit as stop:
        if stop.code == 130:
            sys.stderr.write(f"interrupted; complete it with: inward eval --resume {folder}\n")
            return 130
        if stop.code not in (None, 0):
            raise UserError(str(stop.code)) from None
    except Exception as error:
        if config.verbose:
            raise
        raise UserError(f"{_one_line(error)} (add -v for the traceback)") from error
    return _report(config, folder, front, time.monotonic() - start)


def _report(config: EvalConfig, folder: Path, front: Front | None, wall_s: float) -> int:
    run = Run.read(folder)
    title = f"{config.env.taskset.id} · {config.model}"
    print_report(run, front, title=title, wall_s=wall_s)
    sys.stdout.write(f"traces: {folder / TRACES_FILE}\n")
    if run.faults:
        sys.stdout.write(
            f"{len(run.faults)} rollouts failed and are not scored;"
            f" complete them with: inward eval --resume {folder}\n"
        )
        return 1
    answered = getattr(front, "answered", None)
    if answered is not None and not any(answered(trace) for trace in run.traces):
        sys.stdout.write(
            f"none of {len(run.traces)} rollouts gave an answer in the format that the prompt asks"
            f" for: the score says nothing about the task; see inward show {folder}\n"
        )
        return 1
    return 0


def _parse(arguments: list[str]) -> EvalConfig:
    """The run's config as `vf-eval` would read it; its box around a mistake becomes one line."""
    argv = with_positional_taskset(arguments)
    told = io.StringIO()
    before, sys.argv = sys.argv, ["inward eval", *argv]
    try:
        with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
            config: EvalConfig = cli(narrow_config(EvalConfig, argv))
        return config
    except (ModuleNotFoundError, AttributeError, TypeError, ValueError) as error:
        known = ", ".join(sorted(fronts.installed()))
        raise UserError(f"{_one_line(error)} Environments of inward here: {known}") from error
    except SystemExit as stop:
        text = f"{told.getvalue()} {stop.code if isinstance(stop.code, str) else ''}"
        line = " ".join(re.sub(r"[─-╿]", " ", text).split())
        raise UserError(re.sub(r"^Config file error .*? for EvalConfig ", "", line)) from None
    finally:
        sys.argv = before


def _check_endpoint(config: EvalConfig) -> None:
    """Refuse an endpoint that nothing answers at, before any task is loaded."""
    url = config.client.base_url
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UserError(f"--client.base-url {url!r} is no http address")
    try:
        socket.create_connection((parts.hostname, port), timeout=CONNECT_S).close()
    except OSError as error:
        raise UserError(
            f"nothing answers at {url!r} ({error}): start the server, or mend --client.base-url"
        ) from error


@contextlib.contextmanager
def _progress(traces: Path) -> Iterator[None]:
    """On a terminal verifiers draws its dashboard; elsewhere count the finished episodes."""
    if sys.stdout.isatty():
        yield
        return
    done = threading.Event()

    def watch() -> None:
        shown, last = 0, False
        while not last:
            last = done.wait(PROGRESS_S)
            count = traces.read_bytes().count(b"\n") if traces.exists() else 0
            if count != shown:
                sys.stderr.write(f"{count} episodes done\n")
                shown = count

    thread = threading.Thread(target=watch, name="progress", daemon=True)
    thread.start()
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        done.set()
        thread.join()


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return text or type(error).__name__


def _has_option(arguments: Sequence[str], *flags: str) -> bool:
    return any(a == flag or a.startswith(flag + "=") for a in arguments for flag in flags)


def _take_option(arguments: list[str], flag: str) -> tuple[str | None, list[str]]:
    """The value of `flag`, and the arguments without it."""
    for index, argument in enumerate(arguments):
        if argument.startswith(flag + "="):
            return argument.partition("=")[2], arguments[:index] + arguments[index + 1 :]
        if argument == flag:
            if index + 1 == len(arguments):
                raise UserError(f"{flag} needs a name")
            return arguments[index + 1], arguments[:index] + arguments[index + 2 :]
    return None, arguments

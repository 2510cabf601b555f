"""What `vf-eval` does with a command line and a run, with its output left to `inward eval`.

`parse` gives the one typed config of a run; `refuse`, `clear` and `play` do with it what `vf-eval`
does.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
import signal
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager, redirect_stdout
from pathlib import Path
from typing import Any, TypeVar

from inward_chat.verifiers_compat import (
    LIBRARY_LOGGER,
    TRACES_FILE,
    EvalConfig,
    InterceptHandler,
    create_attempt_log_dir,
    narrow_config,
    output_path,
    run_eval,
    saved_config_path,
    setup_logging,
    with_positional_taskset,
)
from pydantic import BaseModel, model_validator
from pydantic_config import cli
from pydantic_config.cli import ConfigFileError

from inward import eval_plugin
from inward.errors import UserError

BASELINE_PREFIX = "baseline/"
"""A model of this name is a baseline policy, served on loopback for the length of the run."""
SIGNALS = (signal.SIGINT, signal.SIGTERM)
FREE_ON_RESUME = {"verbose", "rich", "max_concurrent"}
FREE_OF_CLIENT = {"base_url", "api_key_var", "headers", "headers_from_env", "timeout"}
"""How a run is played and shown, not what is played: a resumed run may change them."""


Config = TypeVar("Config", bound=EvalConfig)


class InwardConfig(EvalConfig):
    """`vf-eval`'s config with other defaults: no upload, and a baseline where no model is named."""

    push: bool = False
    """Upload the finished run to the Prime Intellect platform, which wants `prime login`."""

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, asked: Any) -> Any:
        return _completed(asked) if isinstance(asked, dict) else asked


def _completed(asked: dict[str, Any]) -> dict[str, Any]:
    taskset = (asked.get("env") or {}).get("taskset") or {}
    found = eval_plugin.find(str(taskset.get("id") or ""))
    if found is None or not found.baselines:
        return asked
    if "model" not in asked and "base_url" in (asked.get("client") or {}):
        raise UserError("an endpoint but no model: name the one to evaluate with -m MODEL")
    asked = {"model": BASELINE_PREFIX + next(iter(found.baselines)), **asked}
    if taskset.get("path") or not str(asked["model"]).startswith(BASELINE_PREFIX):
        return asked
    return _merged(found.defaults(), asked)


def _merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """`over` where both say something."""
    merged = {**base, **over}
    for key in base.keys() & over.keys():
        if isinstance(base[key], dict) and isinstance(over[key], dict):
            merged[key] = _merged(base[key], over[key])
    return merged


def parse(arguments: Sequence[str]) -> InwardConfig:
    """The run's config from the words of a command line and the files that they name.

    Raises `UserError` for whatever is wrong with them.
    """
    return _parse(arguments, InwardConfig)


def parse_some(arguments: Sequence[str], command: str, read: Collection[str]) -> EvalConfig:
    """The same for a command that reads only these fields of it, without a baseline's defaults.

    Raises `UserError` for any other option too: it would be ignored.
    """
    config = _parse(arguments, EvalConfig)
    unread = sorted(config.model_fields_set - {*read, "env"})
    if unread:
        fields = ", ".join(f"{name!r}" for name in unread)
        options = ", ".join(f"--{name.replace('_', '-')}" for name in ("env", *read))
        raise UserError(f"inward {command} does not read {fields}: drop it (it reads {options})")
    return config


def _parse(arguments: Sequence[str], kind: type[Config]) -> Config:
    argv = with_positional_taskset(list(arguments))
    try:
        config: Config = cli(narrow_config(kind, argv), args=argv)
    except ConfigFileError as error:
        raise UserError(_config_mistake(error.message)) from error
    except ModuleNotFoundError as error:
        known = ", ".join(sorted(eval_plugin.installed()))
        raise UserError(f"{_one_line(error)} Environments of inward here: {known}") from error
    except (AttributeError, TypeError, ValueError, OSError) as error:
        raise UserError(_one_line(error)) from error
    except SystemExit as stop:
        raise UserError(_one_line(stop)) from None
    return config


SHOWN = {"--group-size": "-r", "--select.limit": "-n"}
"""Fields that are told by another name than the help's, and that name."""


def _config_mistake(message: str) -> str:
    """A validation error of many lines as one: `--flag: what is wrong (got …); …`."""
    head, *lines = message.splitlines()
    if not head.startswith("Failed to validate config"):
        return " ".join(message.split())
    pairs = [
        f"{SHOWN.get(flag.strip(), flag.strip())}: {what.strip()}".removeprefix("<root>: ")
        for flag, what in zip(lines[::2], lines[1::2], strict=False)
    ]
    return "; ".join(pairs).replace("Value error, ", "") if pairs else head


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def names_an_environment(arguments: Sequence[str]) -> bool:
    """Whether a run can be meant: a leading id, `--env.taskset.id`, or a config file."""
    argv = with_positional_taskset(list(arguments))
    return any(a.startswith("@") or a.split("=")[0] == "--env.taskset.id" for a in argv)


def options_help(arguments: Sequence[str]) -> None:
    """Prints every option of `vf-eval`, with those of the environment that is named."""
    argv = with_positional_taskset(list(arguments))
    try:
        cli(narrow_config(InwardConfig, argv), args=["--help"])
    except (ModuleNotFoundError, AttributeError, TypeError, ValueError) as error:
        raise UserError(_one_line(error)) from error
    except SystemExit as stop:
        if stop.code not in (None, 0):
            raise UserError(_one_line(stop)) from None


def refuse(config: EvalConfig) -> None:
    """Raises `UserError` where the run's folder holds another run than the one that is meant."""
    folder = output_path(config)
    if config.resume:
        _refuse_another_config(config, folder)
    elif config.clean:
        parent = config.output_dir.resolve()
        if parent not in folder.resolve().parents:
            raise UserError(f"--clean: {str(folder)!r} is no folder within {str(parent)!r}")
    elif (folder / TRACES_FILE).exists() and (folder / TRACES_FILE).stat().st_size:
        raise UserError(
            f"{str(folder)!r} holds a run: complete it with inward eval --resume {folder}, play it"
            " anew with --clean, or choose another --run.name"
        )


def clear(config: EvalConfig) -> Path:
    """The run's folder; without the run that it held, where `--clean` says so."""
    folder = output_path(config)
    if config.clean and not config.resume and folder.exists():
        shutil.rmtree(folder)
    return folder


def _refuse_another_config(config: EvalConfig, folder: Path) -> None:
    """Rollouts of one run that were played in different ways are not comparable."""
    saved = saved_config_path(folder)
    if saved is None:
        raise UserError(f"{str(folder)!r} is not a run directory: it holds no saved config")
    before = type(config).model_validate_json(saved.read_text())
    one, other = _fixed(before), _fixed(config)
    differing = sorted(key for key in one.keys() | other.keys() if one.get(key) != other.get(key))
    if differing:
        raise UserError(
            f"a resumed run is played as it was begun, and {', '.join(differing)} differs: drop the"
            " option, or begin another run"
        )


def _fixed(config: BaseModel) -> dict[str, Any]:
    """What a resumed run may not change."""
    dump = config.model_dump(mode="json", exclude=FREE_ON_RESUME)
    dump["client"] = {k: v for k, v in dump["client"].items() if k not in FREE_OF_CLIENT}
    # The folder may have been moved, and may be named from elsewhere.
    return dump | {"output_dir": None, "run": dump["run"] | {"dir": None}}


def play(config: EvalConfig, folder: Path, warnings: logging.Handler, *, dashboard: bool) -> None:
    """Plays what is missing of the run, logging to `logs/latest/eval.log` in its folder.

    Warnings of any library go to `warnings` too. Without the dashboard, what else is printed goes
    to `logs/latest/stdout.log`. Raises KeyboardInterrupt on Ctrl-C or SIGTERM, when every rollout
    has been wound up.
    """
    logs = create_attempt_log_dir(folder)
    level = "DEBUG" if config.verbose else "INFO"
    setup_logging(level, log_file=str(logs / "eval.log"), console=config.rich is None)
    with ExitStack() as stack:
        if not dashboard:
            printed = stack.enter_context((logs / "stdout.log").open("w", encoding="utf-8"))
            stack.enter_context(redirect_stdout(printed))
        stack.enter_context(_handled(warnings, to_log=InterceptHandler()))
        if asyncio.run(_until_interrupted(config)):
            raise KeyboardInterrupt


async def _until_interrupted(config: EvalConfig) -> bool:
    """Whether a signal ended the run. It cancels the run's task: an exception raised from a signal
    handler, as verifiers does it, is lost where it lands in code that catches everything."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    signals: list[int] = []

    def stop(number: int) -> None:
        if not signals:
            logging.getLogger(LIBRARY_LOGGER).warning("interrupted: winding up, please wait")
            task.cancel()
        signals.append(number)

    for number in SIGNALS:
        loop.add_signal_handler(number, stop, number)
    try:
        await run_eval(config)
    except asyncio.CancelledError:
        if not signals:
            raise
    finally:
        for number in SIGNALS:
            loop.remove_signal_handler(number)
    return bool(signals)


@contextmanager
def _handled(warnings: logging.Handler, *, to_log: logging.Handler) -> Iterator[None]:
    """verifiers' own logger does not propagate; those of other packages reach no log by itself."""
    library, root = logging.getLogger(LIBRARY_LOGGER), logging.getLogger()
    warnings.setLevel(logging.WARNING)
    to_log.setLevel(logging.WARNING)
    library.addHandler(warnings)
    root.addHandler(warnings)
    root.addHandler(to_log)
    try:
        yield
    finally:
        library.removeHandler(warnings)
        root.removeHandler(warnings)
        root.removeHandler(to_log)

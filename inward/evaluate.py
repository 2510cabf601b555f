"""`inward eval`: verifiers' own evaluation, with defaults that need no account, and a report.

The words of the command line become one config, which says everything else: the environment, the
folder, the model. Where no model is named, it is one of the environment's baseline policies,
served on loopback for the length of the run.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import sys
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from inward_chat import loopback
from inward_chat.verifiers_compat import (
    TRACES_FILE,
    output_path,
    saved_config_path,
    write_config,
)

from inward import endpoint, eval_plugin, floors, runs
from inward import verifiers_runs as vf_runs
from inward.errors import UserError
from inward.eval_plugin import EvalPlugin, nobody_answered
from inward.summary import Played, Summary, as_json, summarise, versions
from inward.table import print_summary
from inward.terminal import is_terminal, one_line
from inward.verifiers_runs import BASELINE_PREFIX, InwardConfig
from inward.watch import Warnings, progress

INTERRUPTED = 130


@dataclass(frozen=True)
class Job:
    """A run to be played, and the form of its summary."""

    config: InwardConfig
    json: bool
    floors: bool

    @property
    def environment(self) -> str:
        return self.config.env.taskset.id

    @property
    def plugin(self) -> EvalPlugin | None:
        return eval_plugin.find(self.environment)

    @property
    def folder(self) -> Path:
        return output_path(self.config)

    @property
    def baseline(self) -> str | None:
        """The policy that plays it, where that is one of ours."""
        if not self.config.model.startswith(BASELINE_PREFIX):
            return None
        return self.config.model.removeprefix(BASELINE_PREFIX)


def evaluate(args: argparse.Namespace, words: Sequence[str]) -> int:
    """`args` are our own options, `words` what is `vf-eval`'s. Returns the exit status."""
    loopback.exempt()  # in foreign environments too
    job = Job(_config(args, list(words)), args.json, args.floors)
    if job.floors and (job.plugin is None or job.plugin.floors is None):
        raise UserError(f"no floors in {job.environment!r}: drop --floors")
    vf_runs.refuse(job.config)
    if job.config.dry_run:
        folder = vf_runs.clear(job.config)
        sys.stdout.write(f"wrote config to {write_config(job.config, folder)}\n")
        return 0
    if job.baseline is None:
        endpoint.check(job.config.client.base_url)
        return _run(job)
    return _with_baseline(job, job.baseline, named=args.baseline is not None)


def _config(args: argparse.Namespace, words: list[str]) -> InwardConfig:
    if args.baseline == "":
        raise UserError("--baseline needs a name")
    if args.baseline is not None and args.model is not None:
        raise UserError(f"--baseline {args.baseline!r} and a model: drop one")
    if args.baseline is not None and any(w.split("=")[0] == "--client.base-url" for w in words):
        raise UserError(f"--baseline {args.baseline!r} and an endpoint: drop one, or name -m MODEL")
    model = args.model if args.baseline is None else BASELINE_PREFIX + args.baseline
    words += ["--model", model] if model is not None else []
    if isinstance(args.resume, str):
        return _resumed(Path(args.resume), words)
    words += ["--resume"] if args.resume else []
    if not vf_runs.names_an_environment(words):
        raise UserError(_which_environment(words))
    config = vf_runs.parse(words)
    if "model" not in config.model_fields_set:
        env_id = config.env.taskset.id
        raise UserError(f"{env_id!r} has no baseline policy: name a model with -m MODEL")
    return config


def _which_environment(words: list[str]) -> str:
    known = sorted(eval_plugin.installed())
    meant = next((word for word in words if word in known), "ENV")
    got = f" (got {words[0]!r})" if words else ""
    return f"name the environment first{got}: inward eval {meant} …; here are {', '.join(known)}"


def _resumed(folder: Path, words: list[str]) -> InwardConfig:
    """The config of an interrupted run, wherever it is resumed from."""
    saved = saved_config_path(folder)
    if saved is None:
        raise UserError(f"{str(folder)!r} is not a run directory: it holds no saved config")
    if words and not words[0].startswith("-"):
        raise UserError(f"the run says itself what it plays: drop {words[0]!r}")
    config = vf_runs.parse(["@", str(saved), "--resume", *words])
    # Paths are saved as they were typed: relative to a folder that we may not be in.
    place = folder if folder.name not in ("", "..") else folder.resolve()
    config.output_dir, config.run.dir = place.parent, place.name
    return config


def _with_baseline(job: Job, name: str, *, named: bool) -> int:
    found = job.plugin
    if found is None or name not in found.baselines:
        known = f"it has {', '.join(found.baselines)}" if found else "it has none"
        raise UserError(f"no baseline policy {name!r} in {job.environment!r}: {known}")
    config = job.config
    # A run that a model plays needs no server of ours.
    from inward_chat.testing import PolicyServer

    # A resumed run asks where its saved config says.
    port = (urlsplit(config.client.base_url).port or 0) if config.resume else 0
    try:
        server = PolicyServer(found.baselines[name](0), model=config.model, port=port).__enter__()
    except RuntimeError as error:
        raise UserError(f"{error}; free port {port} of 127.0.0.1 and try again") from error
    try:
        config.client.base_url = server.base_url
        why = "" if named or config.resume else "no model named: "
        sys.stderr.write(f"{why}playing the baseline policy {name!r}\n")
        return _run(job)
    finally:
        server.__exit__()


def _run(job: Job) -> int:
    config, folder = job.config, vf_runs.clear(job.config)
    before = runs.episode_ids(folder) if config.resume else frozenset()
    sys.stderr.write(", ".join(f"{name} {v}" for name, v in versions().items()) + "\n")
    start = time.monotonic()
    try:
        _play(job, folder)
    except KeyboardInterrupt:
        if saved_config_path(folder) is not None:
            sys.stderr.write(f"interrupted; complete it with: inward eval --resume {folder}\n")
        return INTERRUPTED
    except Exception as error:
        message = _one_line_of(error, config)
        if not runs.episode_ids(folder) - before:
            raise UserError(message) from error
        sys.stderr.write(f"inward eval: the run ended early: {message}\n")
        return max(1, _report(job, folder, before, time.monotonic() - start))
    return _report(job, folder, before, time.monotonic() - start)


def _play(job: Job, folder: Path) -> None:
    """Plays the run; what it prints does not reach stdout, and its warnings reach the user."""
    shown = job.config.rich is not None
    dashboard = shown and is_terminal(sys.stdout)
    # Without `rich` verifiers streams the whole log, warnings and all.
    warnings = Warnings(live=not dashboard) if shown else logging.NullHandler()
    try:
        with contextlib.nullcontext() if dashboard else progress(folder / TRACES_FILE):
            vf_runs.play(job.config, folder, warnings, dashboard=dashboard)
    except SystemExit as stop:
        if stop.code not in (None, 0):
            raise RuntimeError(str(stop.code)) from None
    finally:
        if isinstance(warnings, Warnings):
            sys.stderr.writelines(f"{line}\n" for line in warnings.summary())


def _one_line_of(error: BaseException, config: InwardConfig) -> str:
    if config.verbose:
        traceback.print_exception(error)
        return one_line(str(error)) or type(error).__name__
    return f"{one_line(str(error)) or type(error).__name__} (add -v for the traceback)"


def _report(job: Job, folder: Path, before: frozenset[str], wall_s: float) -> int:
    """Whatever goes wrong here, the run was played: the status is never that of none."""
    traces = folder / TRACES_FILE
    run = runs.read(folder)
    if not run.rollouts and not run.unreadable:
        raise UserError("no rollout was played: the taskset, as selected, holds no task")
    played = sum(r.episode.id not in before for r in run.rollouts)
    try:
        summary = summarise(
            run,
            job.plugin,
            environment=job.environment,
            model=job.config.model,
            traces=traces,
            played=Played(played, wall_s),
            floors=_floors(job, run),
        )
    except Exception as error:
        message = _one_line_of(error, job.config)
        sys.stderr.write(f"inward eval: the run was played, its report failed: {message}\n")
        sys.stderr.write(f"traces: {traces}\n")
        return 1
    status, advice = _verdict(summary, run, job.plugin, folder)
    del run  # the report reads it again, and holds less of it
    if not job.json:
        print_summary(summary)
        sys.stdout.flush()
    report = _page(job, folder)
    if job.json:
        found = {**as_json(summary, status), "report": None if report is None else str(report)}
        sys.stdout.write(json.dumps(found, allow_nan=False) + "\n")
        return status
    shown = "" if report is None else f"report: {report}\n"
    sys.stdout.write(f"{shown}traces: {traces}\n{advice}")
    return status


def _floors(job: Job, run: runs.Run) -> floors.Measured | None:
    if not job.floors or job.plugin is None:
        return None
    sys.stderr.write("scoring the floors on the tasks of the run\n")
    measured = floors.measure(job.plugin, job.config, run.scored)
    try:
        floors.save(measured, job.folder)
    except OSError as error:
        sys.stderr.write(f"warning: the floors were not kept for the report: {error}\n")
    return measured


def _page(job: Job, folder: Path) -> Path | None:
    """The HTML report of the run; None, with a warning, where it could not be written."""
    try:
        from inward.report import write_report

        return write_report(folder)
    except (Exception, KeyboardInterrupt) as error:
        # The run is whole, and its table printed: neither is taken back.
        message = _one_line_of(error, job.config)
        sys.stderr.write(f"warning: no HTML report was written: {message}\n")
        return None


def _verdict(
    summary: Summary, run: runs.Run, found: EvalPlugin | None, folder: Path
) -> tuple[int, str]:
    """Exit status, and what to do about it."""
    if summary.failed or summary.unreadable:
        count = summary.failed + len(summary.unreadable)
        # Whole for verifiers: `--resume` keeps them.
        no_number = sum(rollout.episode.ok for rollout in run.failed)
        advice = [f"{count} rollouts failed and are not scored"]
        if count > no_number:
            advice.append(f"complete them with: inward eval --resume {folder}")
        if no_number:
            advice.append(
                f"the reward of {no_number} is no number, and they are not played again: mend the"
                f" reward (inward show {folder} names it)"
            )
        return 1, "; ".join(advice) + "\n"
    if not nobody_answered(found, run.scored):
        return 0, ""
    return 1, (
        f"none of {summary.scored} rollouts gave an answer in the format that the prompt asks"
        f" for: the score says nothing about the task; see inward show {folder}\n"
    )

"""`inward export`: a run for pydantic-evals, or as a folder of `datasets`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from inward_chat.verifiers_compat import TRACES_FILE

from inward import runs
from inward.errors import UserError
from inward.export.evals import write_evals
from inward.export.hub import write_dataset
from inward.table import unreadable
from inward.training_runs import run_folder


def export(args: argparse.Namespace) -> int:
    """The command. `args`: run_dir, pydantic_evals, hf."""
    folder: Path = run_folder(args.run_dir)
    targets = [target for target in (args.pydantic_evals, args.hf) if target is not None]
    if not targets:
        raise UserError("name what to write: --pydantic-evals DIR or --hf DIR")
    for target in targets:
        _refuse_what_is_there(target)
    run = runs.read(folder)
    if run.unreadable:
        message = unreadable(folder / TRACES_FILE, run.unreadable)
        sys.stderr.write(f"inward export: left out: {message}\n")
    if not run.rollouts:
        raise UserError(f"the run in {str(folder)!r} holds no rollouts")
    try:
        if args.pydantic_evals is not None:
            sys.stdout.write(write_evals(run, args.pydantic_evals, name=folder.name) + "\n")
        if args.hf is not None:
            sys.stdout.write(write_dataset(run, args.hf, name=folder.name) + "\n")
    except OSError as error:
        raise UserError(
            f"cannot write {error.filename or targets[-1]!r}: {error.strerror}"
        ) from error
    return 0


def _refuse_what_is_there(target: Path) -> None:
    if target.is_file():
        raise UserError(f"{str(target)!r} is a file: name a folder that is new or empty")
    if target.is_dir() and any(target.iterdir()):
        raise UserError(f"{str(target)!r} is not empty: name a folder that is new or empty")

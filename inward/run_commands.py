"""The options of the commands that read runs. What they do is imported when they run."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

RUN_HELP = "the folder of a run, or a step of a training (RUN/rollouts/step_N)"


def _run_of(module: str, name: str) -> Callable[[argparse.Namespace], int]:
    """A command that is imported when it runs."""

    def run(args: argparse.Namespace) -> int:
        status: int = getattr(import_module(module), name)(args)
        return status

    return run


def _add_show(commands: Any) -> None:
    parser = commands.add_parser(
        "show",
        description="Prints one rollout of a run: messages, tool calls, errors, and why its reward"
        " is what it is.",
        allow_abbrev=False,
    )
    parser.add_argument("run_dir", type=Path, metavar="RUN_DIR", help="the folder of a run")
    parser.add_argument(
        "number",
        type=int,
        metavar="K",
        nargs="?",
        help="position, from 0, among all rollouts of the run, failed ones too, by the position of"
        " their task and then by their start (default: 0)",
    )
    parser.add_argument("--json", action="store_true", help="print it as one line of JSON")
    parser.add_argument(
        "--sheet",
        type=Path,
        metavar="FILE.png",
        help="write a contact sheet of the run instead: the picture of each prompt beside what the"
        " reply draws",
    )
    parser.add_argument(
        "--failures",
        action="store_true",
        help="print what became of all rollouts instead: right, or which kind of failure",
    )
    parser.set_defaults(run=_run_of("inward.show", "show"))


def _add_report(commands: Any) -> None:
    parser = commands.add_parser(
        "report",
        description="Writes one self-contained HTML file of evaluations, or of the output of"
        " prime-rl: figures with intervals, every rollout and why its reward is what it is, groups,"
        " and the first run compared with each other one. inward eval writes that of its own run.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "runs", type=Path, nargs="+", metavar="RUN_DIR", help="the folder of a run or a training"
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FILE.html",
        help="the file to write (default: report.html in RUN_DIR; of several runs, here)",
    )
    parser.add_argument(
        "--json", action="store_true", help="print the figures as one line of JSON, write no file"
    )
    parser.set_defaults(run=_run_of("inward.report", "command"))


def _add_compare(commands: Any) -> None:
    parser = commands.add_parser(
        "compare",
        description="Compares two runs of one environment on the tasks that they share: the"
        " difference B - A with its interval, McNemar's test, and the tasks that flipped.",
        allow_abbrev=False,
    )
    parser.add_argument("a", type=Path, metavar="A", help=RUN_HELP)
    parser.add_argument("b", type=Path, metavar="B", help=RUN_HELP)
    parser.add_argument(
        "--metric",
        metavar="NAME",
        help="what is compared: a line of the environment's table, a reward or a metric (default:"
        " the environment's main figure)",
    )
    parser.add_argument("--json", action="store_true", help="print it as one line of JSON")
    parser.set_defaults(run=_run_of("inward.compare.command", "compare"))


def _add_diagnose(commands: Any) -> None:
    parser = commands.add_parser(
        "diagnose",
        description="Signals of checkpoints: entropies, reward as a function of entropy, collapse,"
        " groups without spread, what each reward does to the advantages.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "runs",
        type=Path,
        metavar="RUN",
        nargs="+",
        help="the folder of a run, each a checkpoint in the order given; or of a training of"
        " prime-rl, of which each step is one",
    )
    parser.add_argument(
        "--end-of-thinking",
        type=int,
        metavar="TOKEN_ID",
        help="the id of the token that ends the thinking, for its entropy and the answer's",
    )
    parser.add_argument(
        "--inspector",
        metavar="MODEL",
        help="a causal language model of transformers (folder or name), that says after each step"
        " of a reasoning how sure it is of the reference answer; needs torch",
    )
    parser.add_argument("--json", action="store_true", help="print it as one line of JSON")
    parser.set_defaults(run=_run_of("inward.diagnose.command", "diagnose"))


def _add_export(commands: Any) -> None:
    parser = commands.add_parser(
        "export",
        description="Writes a run for other programs.",
        allow_abbrev=False,
    )
    parser.add_argument("run_dir", type=Path, metavar="RUN_DIR", help=RUN_HELP)
    parser.add_argument(
        "--pydantic-evals",
        type=Path,
        metavar="DIR",
        help="write dataset.json, a pydantic-evals Dataset of the tasks, and report.json, its"
        " EvaluationReport of the rollouts",
    )
    parser.add_argument(
        "--hf",
        type=Path,
        metavar="DIR",
        help="write a folder that datasets.load_from_disk reads: one row per rollout",
    )
    parser.set_defaults(run=_run_of("inward.export.command", "export"))


ADD = {
    "show": _add_show,
    "report": _add_report,
    "compare": _add_compare,
    "diagnose": _add_diagnose,
    "export": _add_export,
}
"""Command -> what adds its parser."""

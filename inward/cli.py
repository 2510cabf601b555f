"""`inward`: evaluate an environment and read what came of it."""

from __future__ import annotations

import argparse
import difflib
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from typing import Any, NoReturn

from inward import eval_plugin, run_commands
from inward.errors import UserError
from inward.terminal import make_lossless, printable

COMMANDS = {
    "eval": "evaluate, then print a table",
    "serve": "serve an environment's episodes, by workers that may die",
    "serve-rollouts": "play rollouts for a trainer in another environment",
    "show": "print a rollout of a run and why its reward is what it is",
    "compare": "two runs on the tasks that they share",
    "diagnose": "signals of a training: entropy, collapse, what a bonus does",
    "export": "a run for pydantic-evals, or as a dataset",
    "report": "one HTML file of runs: figures, rollouts, groups, and two runs compared",
    "retrieval-report": "how well search finds the evidence",
    "cache": "list or clear indexes, drawings and baselines kept between runs",
}
USAGE = """\
inward eval ENV [--baseline NAME] [any vf-eval option]   evaluate, then print a table
       inward eval ENV --floors                                 and what did not do the task earns
       inward eval @ FILE.toml                                  the same, from a config file
       inward eval --resume RUN_DIR                             complete an interrupted run
       inward serve ENV [--workers N]                           an env server, for prime-rl
       inward serve-rollouts ENV -m MODEL [--port P]            rollouts to train on, over HTTP
       inward show RUN_DIR [K]                                  print the K-th rollout, its rewards
       inward show RUN_DIR --sheet FILE.png                     up to 60 pictures and drawings
       inward show RUN_DIR --failures                           what became of all rollouts
       inward compare A B                                       two runs, paired by task
       inward diagnose RUN [RUN ...]                            signals of runs or of a training
       inward export RUN_DIR --hf DIR                           for datasets or pydantic-evals
       inward report RUN_DIR [RUN_DIR …]                        one HTML file of runs
       inward retrieval-report ENV                              how well search finds the evidence
       inward cache list|clear                                  indexes, drawings, baselines"""
EVAL_USAGE = """\
inward eval ENV [--baseline NAME] [--floors] [--json] [any vf-eval option]
       inward eval @ FILE.toml [any vf-eval option]
       inward eval --resume RUN_DIR"""
DESCRIPTION = """\
Plays an evaluation through verifiers, then prints a table. Without -m MODEL, a baseline policy of
the environment is served on loopback for the run. With a model:

  inward eval ENV -m MODEL --client.base-url URL -n 20

Every option of vf-eval, with those of the environment: inward eval ENV --help"""
EPILOG = """\
exit status:
  0    everything was scored
  1    rollouts failed, or no reply was in the asked format, or the run or its report broke off
       after something was played
  2    nothing was played: the one line on stderr says why
  130  interrupted; --resume completes the run"""
INTERRUPTED = 130
BROKEN_PIPE = 141


class _Parser(argparse.ArgumentParser):
    """Tells a mistake in one line."""

    def error(self, message: str) -> NoReturn:
        raise UserError(message)


def main(argv: Sequence[str] | None = None) -> None:
    """The console script. docs/commands.md has the exit statuses."""
    make_lossless()
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        try:
            status = _run(arguments)
        except SystemExit as stop:  # argparse has printed a help
            if isinstance(stop.code, str):
                raise UserError(stop.code) from None
            status = stop.code or 0
        sys.stdout.flush()
    except UserError as error:
        name = f"inward {arguments[0]}" if arguments[:1] and arguments[0] in COMMANDS else "inward"
        sys.stderr.write(f"{name}: {printable(str(error))}\n")
        status = 2
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        status = INTERRUPTED
    except BrokenPipeError:
        # The reader has gone, and the interpreter would complain again when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = BROKEN_PIPE
    raise SystemExit(status)


def _run(arguments: list[str]) -> int:
    command = arguments[0] if arguments else None
    if command is not None and not command.startswith("-") and command not in COMMANDS:
        near = difflib.get_close_matches(command, COMMANDS, n=1)
        meant = f"did you mean {near[0]!r}? " if near else ""
        raise UserError(f"no command {command!r}: {meant}there are {', '.join(COMMANDS)}")
    parser = _parser(command)
    args, words = parser.parse_known_args(arguments)
    if command is None:
        parser.print_help(sys.stderr)
        return 2
    if command == "eval":
        return _evaluate(args, words)
    if command in ("serve", "serve-rollouts"):
        module = import_module(f"inward.{command.replace('-', '_')}")
        served: int = module.serve(args, words)
        return served
    if words:
        raise UserError(f"unrecognized arguments: {' '.join(words)}")
    status: int = args.run(args)
    if command == "cache" and status != 2:
        # Also at 1, where another process holds an index: these are not its.
        module = import_module("inward.kept_work")
        (module.show if args.action == "list" else module.clear)()
    return status


def _evaluate(args: argparse.Namespace, words: list[str]) -> int:
    if args.help:
        args.parser.print_help()
    if args.help and not words:
        known = ", ".join(sorted(eval_plugin.installed()))
        sys.stdout.write(f"\nenvironments of inward here: {known}\n")
        return 0
    # verifiers takes seconds to import: a mistyped command does not wait for it.
    if args.help:
        import_module("inward.verifiers_runs").options_help(words)
        return 0
    status: int = import_module("inward.evaluate").evaluate(args, words)
    return status


def _parser(command: str | None) -> argparse.ArgumentParser:
    parser = _Parser(prog="inward", usage=USAGE, allow_abbrev=False)
    versions = f"inward {version('inward')}, verifiers {version('verifiers')}"
    parser.add_argument("--version", action="version", version=versions)
    commands = parser.add_subparsers(prog="inward", metavar="COMMAND", dest="command")
    for name, help_line in COMMANDS.items():
        if name == command and name in ("cache", "retrieval-report"):
            _add_retrieval(commands, name)
        elif name == command == "eval":
            _add_eval(commands)
        elif name == command == "serve":
            _add_serve(commands)
        elif name == command == "serve-rollouts":
            _add_serve_rollouts(commands)
        elif name == command:
            run_commands.ADD[name](commands)
        else:
            commands.add_parser(name, help=help_line)
    return parser


def _add_retrieval(commands: Any, name: str) -> None:
    module = import_module("inward_retrieval.commands")
    (module.add_cache if name == "cache" else module.add_report)(commands)
    if name == "cache":
        commands.choices[
            name
        ].description += (
            " Beside it chart-reconstruction's drawings and advisor's baselines. Downloads stay."
        )


def _add_eval(commands: Any) -> None:
    parser = commands.add_parser(
        "eval",
        usage=EVAL_USAGE,
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
        allow_abbrev=False,
    )
    parser.set_defaults(parser=parser)
    parser.add_argument(
        "-h", "--help", action="store_true", help="this; and with ENV, every option"
    )
    parser.add_argument(
        "--baseline", metavar="NAME", nargs="?", const="", help="the policy to play without a model"
    )
    parser.add_argument("-m", "--model", metavar="MODEL", help="the model to ask at the endpoint")
    parser.add_argument(
        "--resume",
        metavar="RUN_DIR",
        nargs="?",
        const=True,
        help="play what is missing of a run: what was interrupted, and what failed",
    )
    parser.add_argument(
        "--floors",
        action="store_true",
        help="score what did not do the task too: empty, shuffled and constant replies, the prompt,"
        " and the reward's own noise",
    )
    parser.add_argument(
        "--json", action="store_true", help="print the report as one line of JSON, and no table"
    )


def _add_serve(commands: Any) -> None:
    parser = commands.add_parser(
        "serve",
        usage="inward serve ENV [--address A] [--workers N] [--peer A …] [--env.* -c N]",
        description="Serves an environment as verifiers' own env server does, to prime-rl"
        " (serve.address of a source) and to inward serve-rollouts --server. Its clients bring the"
        " tasks and name the model. A worker that dies or hangs is started anew, and what it held"
        " fails by name: no episode waits for ever. -c: episodes at once per worker or peer."
        " Whoever reaches the address can play: keep it on loopback or a private network. Runs"
        " until it is interrupted.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--address",
        default="tcp://127.0.0.1:5000",
        help="where to listen; port 0 is any free one (default: %(default)s)",
    )
    parser.add_argument(
        "--workers",
        type=int,
        default=2,
        metavar="N",
        help="processes that play, each with tool servers of its own (default: %(default)s)",
    )
    parser.add_argument(
        "--peer",
        action="append",
        default=[],
        metavar="ADDRESS",
        help="another env server of the same environment and options, which plays a share; may be"
        " given again",
    )
    parser.add_argument(
        "--silence",
        type=float,
        default=1800.0,
        metavar="S",
        help="fail an episode that shows no turn and no new phase for S seconds (default: 1800)",
    )
    parser.add_argument(
        "--hung",
        type=float,
        default=120.0,
        metavar="S",
        help="kill a worker, and give a peer up, that says nothing for S seconds (default: 120)",
    )


def _add_serve_rollouts(commands: Any) -> None:
    parser = commands.add_parser(
        "serve-rollouts",
        usage="inward serve-rollouts ENV -m MODEL --client.base-url URL"
        " [--server ADDRESS] [--env.* --client.* --sampling.* -c N]",
        description="Plays rollouts of an environment for a trainer that lives in another virtual"
        " environment, and asks for them with inward_training.RemoteRollouts. URL is the engine's,"
        " which must serve POST /inference/v1/generate. Runs until it is interrupted.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--host", default="127.0.0.1", help="where to listen (default: %(default)s)"
    )
    parser.add_argument("--port", type=int, default=8765, help="the port (default: %(default)s)")
    parser.add_argument(
        "--server",
        metavar="ADDRESS",
        help="the env server that plays, of inward serve with the same ENV and --env.*; left out:"
        " this process",
    )

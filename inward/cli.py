"""`inward`: evaluate an environment and read what came of it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

from inward.errors import UserError

USAGE = """\
usage: inward eval ENV [--baseline NAME] [any vf-eval option]   evaluate, then print a table
       inward eval --resume RUN_DIR                             complete an interrupted run
       inward show RUN_DIR [K]                                  print the K-th rollout readably
       inward retrieval-report FILE                             how well search finds the evidence
       inward cache list|clear                                  the indexes kept between runs
"""

# Imported when called: verifiers takes seconds to import, a mistyped command should not.
COMMANDS = {
    "eval": "inward.evaluate",
    "show": "inward.show",
    "retrieval-report": "inward.retrieval",
    "cache": "inward.retrieval",
}


def main(argv: Sequence[str] | None = None) -> None:
    """The console script. Exit status 0: done; 1: the run failed in part; 2: it never started."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments or arguments[0] in ("-h", "--help"):
        sys.stdout.write(USAGE)
        raise SystemExit(0 if arguments else 2)
    if arguments[0] not in COMMANDS:
        sys.stderr.write(f"inward: no command {arguments[0]!r}\n{USAGE}")
        raise SystemExit(2)
    try:
        raise SystemExit(import_module(COMMANDS[arguments[0]]).main(arguments))
    except UserError as error:
        sys.stderr.write(f"inward {arguments[0]}: {error}\n")
        raise SystemExit(2) from None

"""`inward cache` and `inward retrieval-report`: what inward-retrieval brings for a command line."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from inward_retrieval.commands import add_cache, add_report


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="inward")
    subparsers = parser.add_subparsers(required=True)
    add_cache(subparsers)
    add_report(subparsers)
    args = parser.parse_args(argv)
    status: int = args.run(args)
    return status

"""`inward compare A B`: two runs, or two checkpoints of a training, on the tasks that they share.

What is compared, the metric, is settled and said before a rollout is read: a metric that is chosen
once the numbers are known is no test. The other figures stand below it as what they are, secondary.

A task's value in a run is the mean over its rollouts there. Differences are paired by task, and
their intervals take what shares a cluster as one (`inward_statistics.paired_difference`).
"""

from __future__ import annotations

import argparse
import json
import sys

from inward import eval_plugin
from inward.compare.paired import as_json, compared
from inward.compare.reading import Side, column, environment, read
from inward.compare.table import print_comparison, print_declared
from inward.errors import UserError
from inward.eval_plugin import Column
from inward.training_runs import run_folder


def compare(args: argparse.Namespace) -> int:
    """The command. `args`: a, b, metric, json."""
    first, second = run_folder(args.a), run_folder(args.b)
    if first.resolve() == second.resolve():
        raise UserError(f"A and B are the same run, {str(first)!r}: name two")
    a, b = (Side(folder, environment(folder)) for folder in (first, second))
    if a.environment != b.environment:
        raise UserError(
            f"A is a run of {a.environment!r}, B of {b.environment!r}: only runs of one environment"
            " share tasks"
        )
    plugin = eval_plugin.find(a.environment)
    reward: Column = ("reward", lambda trace: trace.reward)
    columns = list(plugin.columns) if plugin else [reward]
    metric = args.metric or columns[0][0]
    primary = column(metric, columns)
    chosen = "--metric" if args.metric else "default"
    if not args.json:
        print_declared(metric, chosen, a, b)
    others = [one for one in columns if one[0] != metric]
    for side in (a, b):
        read(side, [primary, *others], plugin)
    found = compared(metric, chosen, a, b, [label for label, _ in others])
    if args.json:
        sys.stdout.write(json.dumps(as_json(found), allow_nan=False) + "\n")
    else:
        print_comparison(found)
    return 0

"""A comparison as a person reads it."""

from __future__ import annotations

import math

from rich.console import Console
from rich.table import Table
from rich.text import Text

from inward.compare.paired import Comparison, Difference
from inward.compare.reading import Side
from inward.show import named
from inward.table import PLAIN_WIDTH, UNKNOWN
from inward.terminal import one_line, printable


def print_declared(metric: str, chosen: str, a: Side, b: Side) -> None:
    """Before anything is read."""
    why = "the main figure" if chosen == "default" else "as asked"
    console = _console()
    _say(console, f"{a.environment or 'runs'}: {metric} ({why}), B - A, paired by task")
    for name, side in (("A", a), ("B", b)):
        _say(console, f"{name}: {side.folder}")


def print_comparison(found: Comparison) -> None:
    console = _console()
    out = Table()
    out.add_column("")
    for head in ("A", "B", "B - A", "95 % interval", "tasks", "clusters"):
        out.add_column(head, justify="right")
    for place, one in enumerate((found.primary, *found.secondary)):
        out.add_row(*(Text(printable(cell)) for cell in _cells(one)), end_section=not place)
    console.print(out)
    for line in _below(found):
        _say(console, line)


def _cells(one: Difference) -> tuple[str, ...]:
    mean = one.mean
    known = math.isfinite(mean.low)
    interval = f"{mean.low:+.3f} – {mean.high:+.3f}" if known else UNKNOWN
    numbers = f"{one.a:.3f}", f"{one.b:.3f}", f"{mean.value:+.3f}", interval
    return one_line(one.label), *numbers, str(mean.count), str(mean.clusters)


def _below(found: Comparison) -> list[str]:
    lines = [_verdict(found.primary)]
    if found.secondary:
        lines.append("Figures below the line are secondary: of many, some differ by chance.")
    if flips := found.flips:
        lines.append(
            f"Tasks (right: more than half of the rollouts): right in both {flips.both_right},"
            f" wrong in both {flips.both_wrong}, McNemar's exact p {flips.p:.3g}"
        )
        if found.clusters_shared:
            lines.append("Tasks share clusters, which that test does not know: go by the interval.")
        for what, tasks in (("right", flips.to_right), ("wrong", flips.to_wrong)):
            if tasks:
                lines.append(f"  {len(tasks)} became {what}: {named(tasks)}")
    for name, tasks in (("A", found.only_a), ("B", found.only_b)):
        if tasks:
            lines.append(f"{len(tasks)} tasks only in {name}, left out: {named(tasks)}")
    return [*lines, *(f"Warning: {warning}" for warning in found.warnings)]


def _verdict(one: Difference) -> str:
    mean = one.mean
    if not math.isfinite(mean.low):
        return "The tasks say nothing about the spread of the difference: no interval."
    if mean.low <= 0 <= mean.high:
        return "No difference is shown: its interval holds 0."
    return f"B is {'higher' if mean.value > 0 else 'lower'} than A: the interval leaves out 0."


def _console() -> Console:
    console = Console(markup=False, highlight=False, emoji=False)
    if not console.is_terminal:
        console.width = PLAIN_WIDTH
    return console


def _say(console: Console, line: str) -> None:
    console.print(Text(printable(line)), soft_wrap=True)

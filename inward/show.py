"""`inward show`: one rollout of a run, as a person reads it; of all, a sheet of the pictures, or
what became of them."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from typing import Any

import verifiers.v1 as vf
from inward_chat.verifiers_compat import TRACES_FILE, content_text

from inward import eval_plugin, runs, taxonomy, why
from inward.errors import UserError
from inward.runs import Rollout, Run
from inward.sheet import write_sheet
from inward.table import unreadable
from inward.terminal import one_line, printable

WIDTH = 50
MAX_NAMED = 12
"""Rollouts and tasks of one kind that are named on a line; `--json` has all."""


def show(args: argparse.Namespace) -> int:
    run = runs.read(args.run_dir)
    if run.unreadable:
        message = unreadable(args.run_dir / TRACES_FILE, run.unreadable)
        sys.stderr.write(f"inward show: {message}\n")
    if not run.rollouts:
        raise UserError(f"the run in {str(args.run_dir)!r} holds no rollouts")
    if args.sheet is not None:
        return _sheet(args, run)
    if args.failures:
        return _failures(args, run)
    number = args.number or 0
    if not 0 <= number < len(run.rollouts):
        raise UserError(f"no rollout {number}: the run has {len(run.rollouts)}, from 0")
    rollout = run.rollouts[number]
    if args.json:
        sys.stdout.write(json.dumps(_as_json(rollout)) + "\n")
    else:
        sys.stdout.write(printable(f"{_head(run, number)}\n\n{readable(rollout)}"))
    return 0


def _sheet(args: argparse.Namespace, run: Run) -> int:
    if args.json or args.number is not None:
        raise UserError("--sheet shows the whole run: drop K and --json")
    sys.stdout.write(printable(write_sheet(run, args.sheet)) + "\n")
    return 0


def _failures(args: argparse.Namespace, run: Run) -> int:
    if args.number is not None:
        raise UserError("--failures shows the whole run: drop K")
    plugin = eval_plugin.find(run.environment) if run.environment else None
    groups = taxonomy.grouped(run, plugin)
    if args.json:
        document = {
            "environment": run.environment,
            "rollouts": len(run.rollouts),
            "outcomes": taxonomy.as_json(groups),
        }
        sys.stdout.write(json.dumps(document) + "\n")
        return 0
    for group in groups:
        share = len(group.numbers) / len(run.rollouts)
        sys.stdout.write(f"{len(group.numbers):>6}  {share:>4.0%}  {group.kind.value}\n")
        if group.kind is not taxonomy.Kind.RIGHT:
            sys.stdout.write(f"{'':14}rollouts {named(map(str, group.numbers))}\n")
            sys.stdout.write(f"{'':14}tasks {named(group.tasks)}\n")
    return 0


def named(names: Iterable[str]) -> str:
    """The first names, and how many more there are."""
    all_names = [one_line(name) for name in names]
    left = len(all_names) - MAX_NAMED
    more = f", … ({left} more: --json)" if left > 0 else ""
    return ", ".join(all_names[:MAX_NAMED]) + more


def _as_json(rollout: Rollout) -> dict[str, Any]:
    trace = rollout.trace
    return {
        "episode": rollout.episode.id,
        "scored": rollout.ok,
        "errors": [error.model_dump(mode="json") for error in rollout.errors],
        "trace": None if trace is None else trace.model_dump(mode="json", exclude_none=True),
    }


def _head(run: Run, number: int) -> str:
    rollout = run.rollouts[number]
    data = rollout.episode.task.data
    words = [f"rollout {number} of {len(run.rollouts)}", f"task {data.idx}"]
    if data.id or data.name:
        words.append(str(data.id or data.name))
    if rollout.trace is not None and len(rollout.episode.traces) > 1:
        mates = [other.trace for other in run.rollouts if other.episode is rollout.episode]
        place = mates.index(rollout.trace) + 1
        words.append(f"{rollout.trace.agent.name}, {place} of {len(mates)} in its episode")
    return " · ".join([*words, "scored" if rollout.ok else "failed, not scored"])


def readable(rollout: Rollout) -> str:
    """The messages of the final branch in order, with the tool calls, then errors, then why the
    reward is what it is."""
    trace = rollout.trace
    blocks = [_message(message) for message in trace.messages] if trace else []
    errors = [f"{error.type}: {error.message.strip()}" for error in rollout.errors]
    if not rollout.ok:
        blocks.append("\n".join([_rule("errors"), *(errors or ["none recorded: unfinished"])]))
    if trace is not None:
        sections = {
            "rewards": why.parts(trace),
            "metrics": [", ".join(why.metrics(trace))],
            "task": why.task(trace),
            "scoring": why.info(trace),
        }
        blocks += [
            "\n".join([_rule(name), *lines]) for name, lines in sections.items() if any(lines)
        ]
    return "\n\n".join(blocks) + "\n"


def _rule(title: str) -> str:
    return f"── {title} ".ljust(WIDTH, "─")


def _message(message: vf.Message) -> str:
    lines = [_rule(message.role)]
    if isinstance(message, vf.AssistantMessage) and message.reasoning_content:
        lines += ["(thinking)", message.reasoning_content, "(reply)"]
    if text := content_text(message.content):
        lines.append(text)
    if isinstance(message.content, list):
        lines += [f"[{part.type}]" for part in message.content if part.type != "text"]
    if isinstance(message, vf.AssistantMessage):
        lines += [f"→ {call.name}({call.arguments})" for call in message.tool_calls or ()]
    return "\n".join(lines)

"""`inward show`: one rollout of a run, as a person reads it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import verifiers.v1 as vf
from verifiers.v1.types import content_text

from inward.errors import UserError
from inward.report import Run


def main(argv: Sequence[str]) -> int:
    if not 2 <= len(argv) <= 3:
        raise UserError("usage: inward show RUN_DIR [K]")
    run = Run.read(Path(argv[1]))
    number = argv[2] if len(argv) == 3 else "0"
    if not number.isdigit() or int(number) >= len(run.traces):
        raise UserError(f"no rollout {number!r}: the run has {len(run.traces)}, counted from 0")
    sys.stdout.write(readable(run.traces[int(number)]))
    return 0


def readable(trace: vf.WireTrace) -> str:
    """The messages of the final branch in order, with the tool calls, then the scores."""
    blocks = []
    for message in trace.messages:
        lines = [f"── {message.role} " + "─" * 40]
        if text := content_text(message.content):
            lines.append(text)
        if isinstance(message, vf.AssistantMessage):
            lines += [f"→ {call.name}({call.arguments})" for call in message.tool_calls or ()]
        blocks.append("\n".join(lines))
    scores = {name: reward.score for name, reward in trace.rewards.items() if reward is not None}
    metrics = {name: value for name, value in trace.metrics.items() if value is not None}
    listed = ", ".join(f"{name} {value:.3g}" for name, value in (scores | metrics).items())
    return "\n\n".join([*blocks, f"── scores {'─' * 38}\n{listed}"]) + "\n"

"""Why the reward of a rollout is what it is, as far as its trace says so: the parts with their
weights, what the task holds beside its prompt (the reference answer among it), and what scoring
left in `trace.info`, such as what was parsed and compared.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import verifiers.v1 as vf

from inward.terminal import clipped

MAX_VALUE = 300
"""Characters of one value; `inward show --json` has the whole."""
MAX_LINES = 60
"""Of one section."""
KNOWN = set(vf.TaskData.model_fields)
"""What every task has: the messages show the prompt, and the first line the id."""


def parts(trace: vf.WireTrace) -> list[str]:
    """`name = score`, with the weight where that is not 1, and the sum."""
    lines = []
    for name, reward in trace.rewards.items():
        if reward is None:
            lines.append(f"{name}: not scored")
        elif reward.weight == 1:
            lines.append(f"{name} {reward.score:.4g}")
        else:
            lines.append(
                f"{name} {reward.score:.4g} x weight {reward.weight:.4g} = {reward.value:.4g}"
            )
    return [*lines, f"reward {trace.reward:.4g}"] if lines else ["none"]


def metrics(trace: vf.WireTrace) -> list[str]:
    return [f"{name} {value:.4g}" for name, value in trace.metrics.items() if value is not None]


def task(trace: vf.WireTrace) -> list[str]:
    """What the task holds beside its prompt."""
    return _lines(trace.task.data.model_dump(mode="json", exclude=KNOWN), depth=0)


def info(trace: vf.WireTrace) -> list[str]:
    """What scoring left of itself."""
    return _lines(trace.info, depth=2)


def _lines(values: Mapping[str, Any], *, depth: int) -> list[str]:
    """`depth`: of the objects whose members get lines of their own."""
    lines = [f"{name}: {clipped(_text(value), MAX_VALUE)}" for name, value in _flat(values, depth)]
    left = len(lines) - MAX_LINES
    return lines if left <= 0 else [*lines[:MAX_LINES], f"… ({left} lines more: --json)"]


def _flat(values: Mapping[str, Any], depth: int, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Members of nested objects under dotted names; everything else as it is."""
    for name, value in values.items():
        if isinstance(value, Mapping) and value and depth:
            yield from _flat(value, depth - 1, f"{prefix}{name}.")
        elif value is not None:
            yield f"{prefix}{name}", value


def _text(value: Any) -> str:
    """On one line: a policy's text of several could be taken for lines of ours."""
    if isinstance(value, str) and len(value.splitlines()) <= 1:
        return value
    return json.dumps(value, ensure_ascii=False, default=str)

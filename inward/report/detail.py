"""One rollout as the page shows it: its messages, and why its reward is what it is.

What is enormous is cut here, and says so: a report is for reading, and the trace has the whole.
"""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import verifiers.v1 as vf
from inward_chat.verifiers_compat import content_text
from inward_rewards.groups import zscores

from inward import why
from inward.eval_plugin import Grid, Panel
from inward.measured import is_finite, measurement
from inward.runs import Rollout
from inward.terminal import clipped

MAX_TEXT = 400_000
"""Characters of one text."""
MAX_ROLLOUT = 4_000_000
"""Characters of all texts of a rollout, about; where they are more, each is cut to its share."""
MAX_ERROR = 20_000
MAX_ERRORS = 20
MAX_MESSAGES = 400
"""The first and the last half of them; what lies between is left out."""
MAX_PICTURE = 4_000_000
"""Characters of a data URL."""
MAX_STRIP = 400
"""Bars of a strip of token values: a longer reply is shown by the means of equal parts."""
PICTURE = re.compile(r"data:(image/(?:png|jpeg|gif|webp));base64,([A-Za-z0-9+/=\s]+)")

Pictures = Callable[[str], str]
"""A data URL -> the name under which the page keeps it."""


def detail(
    rollout: Rollout,
    raw: dict[str, Any],
    index: int | None,
    panels: Sequence[Panel],
    pictures: Pictures,
) -> dict[str, Any]:
    """`raw` is the episode's record, with the tensors of its tokens; `panels` is what the
    environment shows of it."""
    trace = rollout.trace
    data: dict[str, Any] = {
        "errors": [
            {
                "type": error.type,
                "message": clipped(error.message, MAX_ERROR),
                "traceback": clipped(error.traceback or "", MAX_ERROR),
            }
            for error in rollout.errors[-MAX_ERRORS:]
        ],
        "messages": [],
        "why": {},
        "panels": [],
    }
    if trace is None:
        return data
    nodes = raw["traces"][index]["nodes"] if index is not None else []
    path = _final_branch(nodes)
    half = MAX_MESSAGES // 2
    chosen = [trace.nodes[number] for number in path[:half] + path[half:][-half:]]
    raws = [nodes[number] for number in path[:half] + path[half:][-half:]]
    texts = sum(map(_characters, chosen))
    cut = MAX_TEXT if texts <= MAX_ROLLOUT else MAX_ROLLOUT // len(chosen) // 2
    data["messages"] = [
        _message(node, own, pictures, cut) for node, own in zip(chosen, raws, strict=True)
    ]
    data["left_out"] = max(0, len(path) - MAX_MESSAGES)
    data["branches"] = trace.num_branches
    data["why"] = {
        "rewards": why.parts(trace) if rollout.ok else [],
        "metrics": why.metrics(trace),
        "task": why.task(trace),
        "scoring": why.info(trace),
    }
    data["panels"] = [
        {"kind": type(panel).__name__.lower(), **vars(panel)}
        for panel in (*panels, *_siblings(trace))
    ]
    found = measurement(trace)
    if found is not None:
        data["layers"] = [found["layers"], found["per_layer"]]
    return data


def _final_branch(nodes: Sequence[dict[str, Any]]) -> list[int]:
    """The nodes of the branch that `trace.messages` shows, from its root."""
    parents = {node.get("parent") for node in nodes}
    leaf = max((n for n in range(len(nodes)) if n not in parents), default=None)
    path: list[int] = []
    while leaf is not None:
        path.append(leaf)
        leaf = nodes[leaf].get("parent")
    return path[::-1]


def _characters(node: Any) -> int:
    message = node.message
    found = len(content_text(message.content) or "")
    if isinstance(message, vf.AssistantMessage):
        found += len(message.reasoning_content or "")
        found += sum(len(call.arguments) for call in message.tool_calls or ())
    return found


def _message(node: Any, raw: dict[str, Any], pictures: Pictures, cut: int) -> dict[str, Any]:
    message = node.message
    found: dict[str, Any] = {
        "role": message.role,
        "text": clipped(content_text(message.content) or "", cut),
        "sampled": node.sampled,
    }
    if isinstance(message.content, list):
        parts = [_part(part, pictures) for part in message.content if part.type != "text"]
        found["pictures"] = [part for part in parts if not part.startswith("[")]
        found["other"] = [part for part in parts if part.startswith("[")]
    if isinstance(message, vf.AssistantMessage):
        found["reasoning"] = clipped(message.reasoning_content or "", cut)
        found["calls"] = [
            {"id": call.id, "name": call.name, "arguments": clipped(call.arguments, cut)}
            for call in message.tool_calls or ()
        ]
        found["strip"] = _strip(raw)
    if isinstance(message, vf.ToolMessage):
        found["call"] = message.tool_call_id
    return found


def _part(part: Any, pictures: Pictures) -> str:
    """The name of a picture that travels in the message itself; what else it is, in brackets."""
    url = part.image_url.url if isinstance(part, vf.ImageUrlContentPart) else ""
    if len(url) > MAX_PICTURE:
        return f"[{part.type} of {len(url):,} characters: too large for a report]"
    return pictures(url) if PICTURE.fullmatch(url) else f"[{part.type}]"


def _strip(raw: dict[str, Any]) -> dict[str, Any] | None:
    """Entropy of each sampled token as the trainer measured it, else its surprisal, in nats."""
    entropies, logprobs = raw.get("entropies"), raw.get("logprobs")
    values = entropies or [-value for value in logprobs or ()]
    values = [float(value) for value in values if math.isfinite(value)]
    if not values:
        return None
    bars = min(len(values), MAX_STRIP)
    cuts = [n * len(values) // bars for n in range(bars + 1)]
    means = [statistics.fmean(values[a:b]) for a, b in pairwise(cuts)]
    return {
        "kind": "entropy" if entropies else "surprisal",
        "tokens": len(values),
        "mean": statistics.fmean(values),
        "bars": [round(value, 3) for value in means],
    }


def _siblings(trace: vf.WireTrace) -> list[Panel]:
    """The group that an entropy bonus compares: what `inward_rewards.entropy.Meter` wrote down."""
    panels: list[Panel] = []
    for key, record in trace.info.items():
        siblings = record.get("siblings") if isinstance(record, dict) else None
        if not isinstance(siblings, list) or not all(
            isinstance(s, dict) and is_finite(s.get("raw")) for s in siblings
        ):
            continue
        scores = zscores([s["raw"] for s in siblings])
        own = record.get("index")
        rows = [
            [
                f"{number}{' (this one)' if number == own else ''}",
                f"{sibling['raw']:.4f}",
                str(sibling.get("tokens")),
                "right" if sibling.get("correct") else "wrong",
                "–" if score is None else f"{score:+.2f}",
            ]
            for number, (sibling, score) in enumerate(zip(siblings, scores, strict=True))
        ]
        head = ["sibling", "entropy", "tokens", "", "z of the raw entropies"]
        marked = [own] if isinstance(own, int) else []
        panels.append(Grid(f"Siblings of {key}", head, rows, marked))
    return panels

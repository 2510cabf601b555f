"""A run as a folder that `datasets.load_from_disk` reads: one row per rollout.

Messages, rewards, metrics and the task's own fields are JSON texts, since their shape differs from
one environment to the next; what is the same everywhere is a column. Pictures of the prompt are
images; those behind an address are not fetched, and stay an address in the messages.
"""

from __future__ import annotations

import base64
import binascii
import json
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from inward import causes, eval_plugin, taxonomy
from inward.errors import UserError
from inward.eval_plugin import EvalPlugin
from inward.export.evals import MEND, prompt_messages
from inward.runs import Rollout, Run
from inward.why import KNOWN

PICTURE = "data:image/"
REMOVED = "data: in column `images`"
"""What stands in the messages instead of a picture."""


def write_dataset(run: Run, folder: Path, *, name: str) -> str:
    """Writes the folder; a line about it."""
    try:
        import datasets
    except ImportError as error:
        raise UserError(f"--hf needs datasets: {MEND}") from error
    features = datasets.Features(
        {column: datasets.Value(kind) for column, kind in COLUMNS.items()}
        | {"images": datasets.Sequence(datasets.Image())}
    )
    plugin = eval_plugin.find(run.environment) if run.environment else None
    shown = datasets.utils.logging.is_progress_bar_enabled()
    datasets.disable_progress_bars()
    try:
        # Its cache would keep the rows for ever, and give them back for another run of one name.
        with tempfile.TemporaryDirectory() as cache:
            source = _Rows(run, plugin, name)
            table = datasets.Dataset.from_generator(source, features=features, cache_dir=cache)
            table.save_to_disk(folder)
    finally:
        if shown:
            datasets.enable_progress_bars()
    return f"{len(run.rollouts)} rollouts in {folder}: datasets.load_from_disk({str(folder)!r})"


COLUMNS = {
    "run": "string",
    "environment": "string",
    "model": "string",
    "seat": "string",
    "task": "string",
    "task_index": "int64",
    "rollout": "string",
    "prompt": "string",
    "messages": "string",
    "reply": "string",
    "reference": "string",
    "reward": "float64",
    "rewards": "string",
    "metrics": "string",
    "outcome": "string",
    "error": "string",
    "output_tokens": "int64",
    "truncated": "bool",
    "task_data": "string",
}
"""Column -> its type; `reward` is null, and `error` is not, where the rollout is not scored."""


class _Rows:
    """`rows` as datasets wants it. It names its cache by a pickle of what it is given, which traces
    refuse: every object has a name of its own instead."""

    def __init__(self, run: Run, plugin: EvalPlugin | None, name: str) -> None:
        self._given = run, plugin, name
        self._id = uuid.uuid4().hex

    def __getstate__(self) -> str:
        return self._id

    def __call__(self) -> Iterator[dict[str, Any]]:
        yield from rows(*self._given)


def rows(run: Run, plugin: EvalPlugin | None, name: str) -> Iterator[dict[str, Any]]:
    """The rollouts in the order of the run."""
    for rollout, kind in zip(run.rollouts, taxonomy.kinds(run.rollouts, plugin), strict=True):
        yield _row(rollout, plugin, name, kind)


def _row(
    rollout: Rollout, plugin: EvalPlugin | None, name: str, kind: taxonomy.Kind
) -> dict[str, Any]:
    trace, data = rollout.trace, rollout.episode.task.data
    images: list[dict[str, Any]] = []
    prompt = [_without_pictures(message, images) for message in prompt_messages(rollout)]
    messages = [
        _without_pictures(m.model_dump(mode="json", exclude_none=True), [])
        for m in (trace.messages if trace else ())
    ]
    models = [call.model for call in trace.calls if call.model] if trace else []
    rewards = trace.rewards.items() if trace else ()
    return {
        "run": name,
        "environment": rollout.episode.env.id,
        "model": models[0] if models else None,
        "seat": trace.agent.name if trace else None,
        "task": taxonomy.task_name(rollout),
        "task_index": data.idx,
        "rollout": trace.id if trace else rollout.episode.id,
        "prompt": json.dumps(prompt, ensure_ascii=False),
        "messages": json.dumps(messages, ensure_ascii=False),
        "reply": trace.last_reply if trace else None,
        "reference": plugin.reference(trace) if plugin and plugin.reference and trace else None,
        "reward": trace.reward if trace and rollout.ok else None,
        "rewards": json.dumps({n: r.model_dump() if r else None for n, r in rewards}),
        "metrics": json.dumps(dict(trace.metrics) if trace else {}),
        "outcome": kind.value,
        "error": None if rollout.ok else causes.cause(rollout),
        "output_tokens": trace.num_output_tokens if trace and trace.usage else None,
        "truncated": trace.is_truncated if trace else None,
        "task_data": json.dumps(data.model_dump(mode="json", exclude=KNOWN), ensure_ascii=False),
        "images": images,
    }


def _without_pictures(message: dict[str, Any], images: list[dict[str, Any]]) -> dict[str, Any]:
    """The message, its inline pictures moved to `images`; one that is no base64 stays."""
    content = message.get("content")
    if not isinstance(content, list):
        return message
    parts = []
    for part in content:
        url = part.get("image_url", {}).get("url", "") if part.get("type") == "image_url" else ""
        picture = _decoded(url)
        if picture is None:
            parts.append(part)
        else:
            images.append({"bytes": picture, "path": None})
            parts.append(part | {"image_url": part["image_url"] | {"url": REMOVED}})
    return message | {"content": parts}


def _decoded(url: str) -> bytes | None:
    if not url.startswith(PICTURE):
        return None
    try:
        return base64.b64decode(url.partition(",")[2], validate=True)
    except binascii.Error:
        return None

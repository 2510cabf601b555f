"""`inward diagnose RUN …`: the signals of checkpoints, and what they say together.

Each run directory is a checkpoint, in the order given; of a training, each step is one. A step's
groups come from all its rollouts, its advantages from those that were trained on, and its exact
entropies from what the trainer wrote: in the traces, in a token export, or in `metrics.jsonl`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from inward_rewards.hidden_states import HiddenStatesError, Inspector
from inward_statistics import EntropyLaw, fit_entropy_law
from rich.console import Console
from rich.progress import track

from inward.diagnose.checkpoint import Checkpoint
from inward.diagnose.figures import alarms, figures
from inward.diagnose.reasoning import Reader, Sample, inspect
from inward.diagnose.table import print_diagnosis
from inward.errors import UserError
from inward.terminal import is_terminal
from inward.training_runs import is_training, metrics, of_step, run_folder, steps, token_exports

SOURCES = ("entropy", "surprisal")
"""Of a policy's entropy, the best first. A fit takes one kind for all checkpoints."""


def diagnose(args: argparse.Namespace) -> int:
    """The command. `args`: runs, end_of_thinking, inspector, json."""
    end: int | None = args.end_of_thinking
    found: list[dict[str, Any]] = []
    threshold: float | None = None
    plan = [one for path in args.runs for one in _checkpoints(path)]
    inspector = None if args.inspector is None else _inspector(args.inspector)
    quiet = not is_terminal(sys.stderr) or len(plan) < 2
    console = Console(stderr=True)
    for checkpoint in track(plan, "reading", console=console, disable=quiet, transient=True):
        read = _read(checkpoint, end, None if inspector is None else Sample())
        if threshold is None:
            threshold = read.tokens.threshold
        reasoning = None
        if inspector is not None and read.reasoning is not None:
            reasoning = _inspected(read.reasoning, inspector, args.inspector)
        found.append(figures(read, threshold) | {"reasoning": reasoning})
    if not any(one["rollouts"] for one in found):
        raise UserError("no rollout is scored: there is nothing to diagnose")
    if inspector is not None and not any(one["reasoning"] for one in found):
        raise UserError(
            "--inspector: no rollout has a reference answer (the environment's, or the task's "
            "field `answer`) and a reply that is short enough to be read"
        )
    law, refused = entropy_law(found)
    document = {
        "checkpoints": found,
        "entropy_law": None
        if law is None
        else {
            "a": law.a,
            "b": law.b,
            "ceiling": law.ceiling,
            "r_squared": law.r_squared,
            "checkpoints": law.checkpoints,
        },
        "entropy_law_refused": refused,
        "alarms": alarms(found),
    }
    if args.json:
        sys.stdout.write(json.dumps(document, allow_nan=False) + "\n")
    else:
        print_diagnosis(document)
    return 0


@dataclass(frozen=True)
class Plan:
    """A checkpoint that is to be read."""

    label: str
    folder: Path
    """Of its rollouts; of a step, that of the step."""
    training: Path | None = None
    step: int | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)


def _checkpoints(path: Path) -> Iterator[Plan]:
    if not is_training(path):
        yield Plan(path.name or str(path), run_folder(path))
        return
    rows = metrics(path)
    for step, folder in steps(path).items():
        yield Plan(f"{path.name} {step}", folder, path, step, rows.get(step, {}))


def _inspector(model: str) -> Reader:
    try:
        return Inspector(model)
    except (ImportError, HiddenStatesError) as error:
        raise UserError(f"--inspector {model!r}: {error}") from error


def _inspected(sample: Sample, inspector: Reader, model: str) -> dict[str, Any] | None:
    try:
        found = inspect(sample, inspector)
    except HiddenStatesError as error:
        raise UserError(f"--inspector {model!r}: {error}") from error
    return None if found is None else {"inspector": model} | found


def _read(plan: Plan, end: int | None, reasoning: Sample | None) -> Checkpoint:
    checkpoint = Checkpoint(plan.label, plan.step, metrics=plan.metrics, reasoning=reasoning)
    if plan.training is None or plan.step is None:
        checkpoint.read(plan.folder, end)
        return checkpoint
    rollouts = of_step(plan.folder, "train") or of_step(plan.folder, "eval")
    if rollouts is not None:
        checkpoint.read(rollouts, end)
    if (trained := of_step(plan.folder, "train", "effective")) is not None:
        checkpoint.read_trained(trained)
    for row in token_exports(plan.training, plan.step):
        checkpoint.tokens.add_export(row)
    return checkpoint


def entropy_law(found: Sequence[dict[str, Any]]) -> tuple[EntropyLaw | None, str | None]:
    """The fit over the checkpoints, or why there is none."""
    known = [one for one in found if one["performance"] is not None]
    for source in SOURCES:
        values = [one[source] for one in known]
        if any(value is None for value in values) or not values:
            continue
        try:
            return fit_entropy_law(values, [one["performance"] for one in known]), None
        except ValueError as error:
            return None, str(error)
    return None, "not every checkpoint has token entropies or log-probabilities"

"""Where the rollouts of a training lie, as prime-rl's file monitor writes them:

    RUN/metrics.jsonl                                    one row per step and component
    RUN/rollouts/step_N/{train,eval}/all/traces.jsonl    every episode, failed ones too
    RUN/rollouts/step_N/{train,eval}/effective/...       those that were trained on
    RUN/token_exports/step_N/rank_R.jsonl                per token, where the trainer exports it

A folder of rollouts reads like a run directory of `vf-eval`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from inward_chat.verifiers_compat import TRACES_FILE

from inward.errors import UserError
from inward.measured import is_finite

Work = Literal["train", "eval"]
METRICS_FILE = "metrics.jsonl"
STEP = re.compile(r"step_(\d+)")


def is_training(folder: Path) -> bool:
    return (folder / "rollouts").is_dir()


def steps(folder: Path) -> dict[int, Path]:
    """Step -> its folder of rollouts, by number. Raises `UserError` where there is none."""
    found = steps_so_far(folder)
    if not found:
        raise UserError(f"{str(folder / 'rollouts')!r} holds no step_N: nothing was trained yet")
    return found


def steps_so_far(folder: Path) -> dict[int, Path]:
    """The same; nothing where there is none yet."""
    found = {
        int(match[1]): path
        for path in (folder / "rollouts").iterdir()
        if (match := STEP.fullmatch(path.name)) and path.is_dir()
    }
    return dict(sorted(found.items()))


def of_step(step: Path, work: Work, subset: str = "all") -> Path | None:
    """The folder of a step's rollouts; None where it has none of that kind."""
    folder = step / work / subset
    return folder if (folder / TRACES_FILE).is_file() else None


def run_folder(path: Path) -> Path:
    """The folder of rollouts that a path means: a run directory, or a step of a training, of which
    the evaluation is taken where there is one.

    Raises `UserError` for a whole training, which is many.
    """
    if is_training(path):
        named = [str(folder) for folder in steps(path).values()]
        ends = " ".join(dict.fromkeys([named[0], named[-1]]))
        raise UserError(
            f"{str(path)!r} is a training of {len(named)} steps: name one of them, such as {ends}"
        )
    if STEP.fullmatch(path.name):
        return of_step(path, "eval") or of_step(path, "train") or path
    return path


def metrics(folder: Path) -> dict[int, dict[str, float]]:
    """Step -> the finite numbers of its rows in `metrics.jsonl`; nothing where there is no file. A
    row that is cut short is left out."""
    rows: dict[int, dict[str, float]] = {}
    for row in _json_lines(folder / METRICS_FILE):
        step = row.get("step")
        if is_finite(step):
            numbers = {k: float(v) for k, v in row.items() if is_finite(v)}
            rows.setdefault(int(step), {}).update(numbers)
    return rows


def token_exports(folder: Path, step: int) -> Iterator[dict[str, Any]]:
    """The sequences that the trainer exported of a step, one row each."""
    for path in sorted((folder / "token_exports" / f"step_{step}").glob("rank_*.jsonl")):
        yield from _json_lines(path)


def _json_lines(path: Path) -> Iterator[dict[str, Any]]:
    if not path.is_file():
        return
    with path.open("rb") as file:
        for line in file:
            try:
                row = json.loads(line)
            except ValueError:
                continue
            if isinstance(row, dict):
                yield row

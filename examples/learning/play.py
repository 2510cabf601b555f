"""The policy plays: what both scripts have in common beside the step."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from inward_training import Blocking, Group, Rollouts
from learning import measure, report
from learning.model import NAME
from tqdm import tqdm

HELD_OUT_SEED = 10**6
"""Of the sampling on held-out tasks, whatever the policy: one noise for all."""
AT_ONCE = 512
"""Rollouts in flight: two batches of the engine."""


def options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--steps", type=_positive, help="by default the task's own number")
    add("--groups", type=_positive, default=6, help="tasks per step (%(default)s)")
    add("--group-size", type=_several, default=8, help="rollouts per task (%(default)s)")
    add("--rate", type=float, help="of learning (by default the task's own)")
    add("--held-out", type=_positive, default=400, help="tasks not trained on (%(default)s)")
    add("--samples", type=_several, default=2, help="of each held-out task (%(default)s)")
    add("--device", default="cpu", help="of torch, such as cuda (%(default)s)")
    add("--out", type=Path, default=Path("outputs/learn"))
    add("--report", action="store_true", help="only draw plot and table of what was played")


def settled(asked: argparse.Namespace, task: Any) -> argparse.Namespace:
    """What was asked for, and the task's own number of steps and rate where nothing was."""
    found = {"steps": task.STEPS, "rate": task.RATE}
    return argparse.Namespace(
        **found | {name: value for name, value in vars(asked).items() if value is not None}
    )


def _positive(text: str, least: int = 1) -> int:
    if (value := int(text)) < least:
        raise argparse.ArgumentTypeError(f"at least {least}, got {value}")
    return value


def _several(text: str) -> int:
    return _positive(text, least=2)


@contextmanager
def alone(place: Path, *, wait: bool = True) -> Iterator[bool]:
    """Whether `place` is this process's alone: it waits until it is, or says that it is not."""
    place.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(place.with_name(f".{place.name}.lock"), timeout=-1 if wait else 0)
    try:
        lock.acquire()
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def problems(task: Any, folder: Path, held_out: int, train: int) -> None:
    """`heldout.jsonl`, `train.jsonl` and `warm.jsonl`. No two share a problem."""
    every = task.rows(0, held_out + train + task.WARM)
    folder.mkdir(parents=True, exist_ok=True)
    cuts = {"heldout": (0, held_out), "train": (held_out, held_out + train)}
    for name, (start, stop) in {**cuts, "warm": (held_out + train, None)}.items():
        report.write_rows(folder / f"{name}.jsonl", every[start:stop])


def rollouts(learner: Any, split: str, temperature: float) -> AbstractContextManager[Blocking]:
    """Of the problems of `split`, by the policy as it is now."""
    task = learner.task
    return Blocking(
        lambda: Rollouts(
            task.env((learner.data / f"{split}.jsonl").resolve()),
            NAME,
            learner.endpoint,
            tokenizer=learner.tokenizer.name_or_path,
            sampling={"temperature": temperature, "max_tokens": task.MAX_TOKENS},
            renderer=task.RENDERER,
            max_concurrent=AT_ONCE,
            live=learner.live if split == "train" else None,
        )
    )


def whole(groups: Sequence[Group]) -> Sequence[Group]:
    """A lost rollout is the machine's fault: here it ends the run, which goes on from its state."""
    for group in groups:
        if group.lost:
            failure = group.failures[0]
            raise SystemExit(f"task {group.task} failed: {failure.cause}: {failure.message}")
    return groups


def evaluate(learner: Any, file: Path, label: str) -> None:
    """Held-out tasks, greedy and sampled, into `file`; nothing where it is there already."""
    if file.exists():
        return
    rows, task = [], learner.task
    with learner.engine.updating(seed=HELD_OUT_SEED):
        pass
    tasks = range(learner.asked.held_out)
    for kind, count, temperature in (
        ("greedy", 1, 0.0),
        ("sampled", learner.asked.samples, 1.0),
    ):
        with rollouts(learner, "heldout", temperature) as played:
            for start in tqdm(tasks[::200], desc=f"{label}, held out, {kind}"):
                few = tasks[start : start + 200]
                for group in whole(played.play(few, group_size=count)):
                    for sample in group.samples:
                        row = measure.row_of(task, group.task, sample, sampled=kind == "sampled")
                        row["text"] = learner.tokenizer.decode(sample.completion_ids)
                        rows.append(row)
    report.write_rows(file, rows)

"""Does an entropy bonus help? The arithmetic of learn.py, on rewards that differ in it alone.

    uv run --group train python examples/entropy_arms.py

SmolLM2-135M-Instruct, from one warm start, the same steps, tasks and held-out sums for every arm:

    correct      the answer and the layout, no bonus
    entropy      the bonus alone
    ungated      answer, layout and bonus, whatever the answer
    gated        the bonus to right replies alone, as in its source
    siblings     gated, compared with the right siblings alone
    residual     gated, of what a line over log tokens leaves of the entropy
    repetition   in its place a penalty of at most the same size, whatever the answer: the share
                 of repeated word trigrams; replies in the layout repeat none, so it acts on broken
                 ones alone
    random_bonus in its place a random number of the same band, whatever the answer: the control of
                 ungated
    random_gated in its place a number of the same band that is drawn by the reply, to right replies
                 alone: the control of gated

The entropy is that of the ten middle layers of the weights that are being trained, read live. The
metric, named before the first run: the change of greedy accuracy on held-out tasks, paired by task.
Gibberish is a reply without the box, or with anything in it but sums and the box.

A run goes on where it was interrupted. Results as those of learn.py, in OUT/entropy.
"""

from __future__ import annotations

import argparse
import os
import random
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import learn
import torch
import verifiers.v1 as vf
from inward_rewards.hidden_states import EntropyConfig, LiveModelSource
from learning import arithmetic, play, report
from learning.model import load

BAND = 0.1
READ = {"entropy": {"source": "live"}, "band": BAND}
BONUS: dict[str, dict[str, Any]] = {
    "correct": {"mode": "current"},
    # The answer weighs nothing, but for the log to know it.
    "entropy": {
        **READ,
        "mode": "entropy_only",
        "gate": "none",
        "rewards": {"correct": {"weight": 1e-9}},
    },
    "ungated": {**READ, "gate": "none"},
    "gated": READ,
    "siblings": {**READ, "zscore_over": "correct"},
    "residual": {**READ, "entropy": {"source": "live", "normalise": "residual"}},
    "repetition": {
        "mode": "current",
        "rewards": {"repetition": {"fn": "entropy_arms:repetition", "weight": -BAND}},
    },
    "random_bonus": {"mode": "current"},
    "random_gated": {
        "mode": "current",
        "rewards": {"lottery": {"fn": "entropy_arms:lottery", "weight": BAND}},
    },
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--arms", nargs="+", choices=BONUS, default=list(BONUS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2, 3, 4])
    play.options(parser)
    asked = parser.parse_args()
    out, task = asked.out / "entropy", task_of("correct", asked.group_size, 0)
    if asked.report:
        report.report(out, task)
    else:
        torch.set_num_threads(1)  # the engine and the step have a thread per core
        Study(asked, task, *load(10, device=asked.device), out).run()


class Study(learn.Learner):
    """`learn.Learner`, whose arms are environments that play their own groups."""

    def __init__(self, asked: argparse.Namespace, *rest: Any) -> None:
        self.group = asked.group_size
        super().__init__(argparse.Namespace(**{**vars(asked), "group_size": 1}), *rest)
        self.settings["group_size"] = self.group

    def train(self, arm: str, seed: int) -> None:
        self.task = task_of(arm, self.group, seed)
        entropy = BONUS[arm].get("entropy")
        if entropy is not None:
            config = EntropyConfig.model_validate(entropy)
            self.live = LiveModelSource(self.model, config, self.engine.lock)
        super().train(arm, seed)
        self.live = None


def task_of(arm: str, group: int, seed: int) -> SimpleNamespace:
    """The arithmetic: as it is on held-out tasks, and for training with this arm's reward."""

    def env(file: Path) -> dict[str, Any]:
        plain = arithmetic.env(file)
        if file.stem != "train":
            return plain
        task = {**plain["taskset"]["task"], "mode": "combined", **BONUS[arm]}
        changed = {"group": group, "taskset": {**plain["taskset"], "task": task}}
        if arm != "random_bonus":
            return changed
        return {**changed, "id": "group-reward", "reward": "random", "band": BAND, "seed": seed}

    own = {name: getattr(arithmetic, name) for name in dir(arithmetic) if not name.startswith("_")}
    return SimpleNamespace(
        **{**own, "env": env, "way": gibberish, "WAY": "with gibberish", "BASE": "correct"}
    )


def gibberish(text: str) -> bool:
    kept = text.removesuffix("<|im_end|>")
    return re.fullmatch(r"[\d+=,\s]*\\boxed\{\d+\}\s*", kept) is None


async def repetition(task: vf.TaskData, trace: vf.Trace[Any, Any, Any]) -> float:
    """The share of a reply's word trigrams that stood in it before; 0 without any."""
    words = trace.last_reply.split()
    grams = list(zip(words, words[1:], words[2:], strict=False))
    return 1 - len(set(grams)) / len(grams) if grams else 0.0


async def lottery(task: vf.TaskData, trace: vf.Trace[Any, Any, Any]) -> float:
    """Of a right reply a number between -1 and 1, ever the same, which says nothing of it."""
    return random.Random(trace.last_reply).uniform(-1, 1) if trace.info["correct"] else 0.0


if __name__ == "__main__":
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    main()

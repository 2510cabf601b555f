"""Train a small real model on an environment of this project and see whether it learns.

    uv run --group train python examples/learn.py arithmetic
    uv run --group train python examples/learn.py search

SmolLM2-135M-Instruct plays through the real path: the environment with its own reward, verifiers'
train client, a loopback engine that serves `/inference/v1/generate` from the live weights, and a
plain GRPO step (learning/grpo.py; learn_trl.py does the same by TRL). It is warmed up on reference
replies first: cold, no reply has the layout, all rewards are alike, and nothing can be learned.

Three arms start from the same warm weights. `true`: the environment's rewards. `shuffled`: the same
advantages, dealt out among the rollouts of a group by chance. `random`: rewards of 0 or 1 by
chance. What the last two gain, the reward did not teach.

Two CPU cores do. On a GPU (`--device cuda`), start the same command several times: processes of one
OUT take different runs, side by side.

A run goes on where it was interrupted. Results are in OUT/TASK: results.json, table.md, curves.png.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import time
from pathlib import Path
from typing import Any

import torch
from inward_training import Blocking
from inward_training.engine import Engine
from learning import arithmetic, grpo, measure, play, report, search
from learning.arms import ARMS, advantages
from learning.model import NAME, folder, kept_state, load, restore, save, trained
from tqdm import tqdm

TASKS = {"arithmetic": arithmetic, "search": search}
TRAIN = 1000  # tasks to train on
WARM_BATCH = 8
RISE = 3  # steps until the rate is full: Adam's first are as long as any, and mostly noise
KEEP_EVERY = 4
"""Steps between two states on disk, of 430 MB; the last alone is kept."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("task", choices=TASKS)
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=list(ARMS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    play.options(parser)
    asked = parser.parse_args()
    if asked.report:
        report.report(asked.out / asked.task, TASKS[asked.task])
    else:
        Learner.of(asked).run()


class Learner:
    live: Any = None  # what the environment is handed, where it reads the model itself

    def __init__(
        self, asked: argparse.Namespace, task: Any, model: Any, tokenizer: Any, out: Path
    ) -> None:
        self.asked, self.task = play.settled(asked, task), task
        self.model, self.tokenizer, self.out, self.data = model, tokenizer, out, out / "data"
        named = ("groups", "group_size", "rate", "held_out", "samples")
        warm = [task.WARM, WARM_BATCH, task.WARM_RATE]
        self.settings = {"model": NAME, "train": TRAIN, "warm": warm, "optimizer": task.OPTIMIZER}
        self.settings |= {name: getattr(self.asked, name) for name in named}
        threads = 2 if model.device.type == "cpu" else 1
        self.engine = Engine(model, NAME, pad=tokenizer.eos_token_id, threads=threads)

    @classmethod
    def of(cls, asked: argparse.Namespace) -> Learner:
        """The real model."""
        torch.set_num_threads(1)  # the engine and the step have a thread per core
        task, out = TASKS[asked.task], asked.out / asked.task
        with play.alone(out / "tokenizer"):
            tokenizer = task.tokenizer(folder(), out / "tokenizer")
        return cls(asked, task, *load(10, tokenizer, device=asked.device), out)

    def run(self) -> None:
        with self.engine.serving() as self.endpoint:
            with play.alone(self.out / "warm"):
                self.warm_up()
            for seed, arm in itertools.product(self.asked.seeds, self.asked.arms):
                with play.alone(self.out / f"{arm}-{seed}", wait=False) as free:
                    if free:
                        self.train(arm, seed)
                        with play.alone(self.out / "report"):
                            report.report(self.out, self.task)

    def warm_up(self) -> None:
        """The weights that every run starts from, and what they do on held-out tasks."""
        kept = self.out / "settings.json"
        if kept.exists() and (old := json.loads(kept.read_text())) != self.settings:
            raise SystemExit(f"{self.out} holds runs of {old}, not {self.settings}: name an --out")
        play.problems(self.task, self.data, self.asked.held_out, TRAIN)
        report.write(kept, json.dumps(self.settings))
        warm = self.out / "warm.pt"
        if not warm.exists():
            rows = self.task.demonstrations(self.tokenizer, self.data / "warm.jsonl")
            optimizer = self.optimizer("Adam", self.task.WARM_RATE)
            self.model.train()
            bar = tqdm(range(0, len(rows), WARM_BATCH), desc="warm-up on reference replies")
            for start in bar:
                batch = rows[start : start + WARM_BATCH]
                jobs = [grpo.references(part) for part in (batch[::2], batch[1::2]) if part]
                with self.engine.updating():
                    loss = grpo.update(self.model, optimizer, jobs).loss
                bar.set_postfix(loss=f"{loss:.3f}")
            save(warm, {"model": trained(self.model)})
        with self.engine.updating():
            restore(self.model, kept_state(warm)["model"])
        play.evaluate(self, self.out / "before.jsonl", "before")

    def train(self, arm: str, seed: int) -> None:
        run, steps = self.out / f"{arm}-{seed}", self.asked.steps
        run.mkdir(exist_ok=True)
        result, log, state = run / f"after-{steps}.jsonl", run / "steps.jsonl", run / "state.pt"
        if result.exists():
            return
        optimizer, done, lines = self.optimizer(self.task.OPTIMIZER, self.asked.rate), 0, []
        kept = kept_state(state if state.exists() else self.out / "warm.pt")
        with self.engine.updating():
            restore(self.model, kept["model"])
        if state.exists():
            done = kept["step"]
            optimizer.load_state_dict(kept["optimizer"])
            lines = log.read_text().splitlines()[:done]
        if done > steps:
            raise SystemExit(f"{run} has gone {done} steps already: --steps {done} or more")
        order = random.Random(seed).sample(range(TRAIN), TRAIN)
        size = self.asked.groups
        with play.rollouts(self, "train", temperature=1.0) as rollouts:
            bar = tqdm(range(done, steps), desc=f"{arm}, seed {seed}", initial=done, total=steps)
            for step in bar:
                tasks = [order[(step * size + one) % TRAIN] for one in range(size)]
                line = self.step(arm, seed, step, tasks, rollouts, optimizer)
                lines.append(json.dumps(line))
                bar.set_postfix(reward=f"{line['reward']:.2f}", correct=f"{line['correct']:.2f}")
                if (step + 1) % KEEP_EVERY == 0 or step + 1 == steps:
                    report.write(log, "\n".join(lines) + "\n")
                    now = {"model": trained(self.model), "optimizer": optimizer.state_dict()}
                    save(state, {"step": step + 1, **now})
        play.evaluate(self, result, f"{arm}, seed {seed}, after")

    def step(
        self, arm: str, seed: int, step: int, tasks: list[int], rollouts: Blocking, optimizer: Any
    ) -> dict[str, Any]:
        begun = time.monotonic()
        with self.engine.updating(seed=1000 * seed + step):
            rollouts.weights = step
        groups = play.whole(rollouts.play(tasks, group_size=self.asked.group_size))
        played = time.monotonic()
        jobs = grpo.jobs_of(groups, [advantages(arm, seed, step, group) for group in groups])
        for part in optimizer.param_groups:
            part["lr"] = self.asked.rate * min(1.0, (step + 1) / RISE)
        self.model.train()
        taken = None
        if jobs:
            with self.engine.updating():
                taken = grpo.update(self.model, optimizer, jobs)
        seconds = played - begun, time.monotonic() - played
        return measure.step_line(self.task, step, groups, len(jobs), taken, seconds)

    def optimizer(self, name: str, rate: float) -> Any:
        parts = [one for one in self.model.parameters() if one.requires_grad]
        if name == "SGD":
            return torch.optim.SGD(parts, lr=rate)
        return torch.optim.AdamW(parts, lr=rate, weight_decay=0.0, betas=(0.9, 0.95))


if __name__ == "__main__":
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    main()

"""Train a small real model on an environment of this project, on a CPU, and see whether it learns.

    uv run --group train python examples/learn.py arithmetic

SmolLM2-135M-Instruct plays through the real path: the environment with its own reward, verifiers'
train client, a loopback engine that serves `/inference/v1/generate` from the live weights, and a
plain GRPO step. It is warmed up on reference replies first: cold, no reply has the layout, all
rewards are alike, and nothing can be learned.

Three arms start from the same warm weights. `true`: the environment's rewards. `shuffled`: the same
advantages, dealt out among the rollouts of a group by chance. `random`: rewards of 0 or 1 by
chance. What the last two gain, the reward did not teach.

A run goes on where it was interrupted. Results are in OUT/TASK: results.json and curves.png.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from inward_training import Blocking, Group, Rollouts
from inward_training.engine import Engine
from learning import arithmetic, grpo, measure, report
from learning.model import NAME, folder, load
from tqdm import tqdm

TASKS = {"arithmetic": arithmetic}
ARMS = ("true", "shuffled", "random")
TRAIN, WARM = 1000, 256
"""Tasks to train on, and reference replies to warm up on."""
WARM_BATCH, WARM_RATE = 8, 5e-5
RISE = 3
"""Steps in which the rate rises to its full: Adam's first are as long as any, and mostly noise."""
KEEP_EVERY = 4
"""Steps between two states on disk, of 430 MB; the last alone is kept."""
HELD_OUT_SEED = 10**6
"""Of the sampling on held-out tasks, whatever the policy: one noise for all."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("task", choices=TASKS)
    add("--arms", nargs="+", choices=ARMS, default=list(ARMS))
    add("--seeds", nargs="+", type=int, default=[0, 1, 2])
    add("--steps", type=_positive, default=12)
    add("--groups", type=_positive, default=6, help="tasks per step (%(default)s)")
    add("--group-size", type=_positive, default=8, help="rollouts per task (%(default)s)")
    add("--rate", type=float, default=5e-5, help="Adam's learning rate (%(default)s)")
    add("--held-out", type=_positive, default=400, help="tasks not trained on (%(default)s)")
    add("--samples", type=_positive, default=2, help="of each held-out task (%(default)s)")
    add("--out", type=Path, default=Path("outputs/learn"))
    asked = parser.parse_args()
    if asked.group_size < 2:
        parser.error(f"--group-size {asked.group_size}: a group of one has nothing to compare with")
    torch.set_num_threads(1)  # the engine and the step have a thread per core
    model, tokenizer = load(top=10)
    Learner(asked, TASKS[asked.task], model, tokenizer, folder()).run()


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"at least 1, got {value}")
    return value


class Learner:
    def __init__(
        self, asked: argparse.Namespace, task: Any, model: Any, tokenizer: Any, files: Path
    ) -> None:
        """`files`: the folder of the tokenizer."""
        self.asked, self.task, self.model, self.tokenizer = asked, task, model, tokenizer
        self.files, self.out = files, asked.out / asked.task
        self.settings = {
            "model": NAME,
            "train": TRAIN,
            "warm": [WARM, WARM_BATCH, WARM_RATE],
            **{name: getattr(asked, name) for name in ("groups", "group_size", "rate")},
            **{name: getattr(asked, name) for name in ("held_out", "samples")},
        }
        self.engine = Engine(model, NAME, pad=tokenizer.eos_token_id, threads=2)

    def run(self) -> None:
        kept = self.out / "settings.json"
        if kept.exists() and (old := json.loads(kept.read_text())) != self.settings:
            raise SystemExit(f"{self.out} holds runs of {old}, not {self.settings}: name an --out")
        self.warm_rows = self.task.write(self.out / "data", self.asked.held_out, TRAIN, WARM)
        report.write(kept, json.dumps(self.settings))
        with self.engine.serving() as self.endpoint:
            self.warm_up()
            for seed in self.asked.seeds:
                for arm in self.asked.arms:
                    self.train(arm, seed)
                    report.report(self.out, self.settings, self.task.stepwise)

    # The policy plays.

    @contextmanager
    def rollouts(self, split: str, group: int, temperature: float) -> Iterator[Blocking]:
        def make() -> Rollouts:
            return Rollouts(
                self.task.env((self.out / "data" / f"{split}.jsonl").resolve(), group),
                NAME,
                self.endpoint,
                tokenizer=str(self.files),
                sampling={"temperature": temperature, "max_tokens": self.task.MAX_TOKENS},
                renderer={"name": "default"},
                max_concurrent=max(1, 256 // group),  # two batches of the engine
            )

        with Blocking(make) as opened:
            yield opened

    def evaluate(self, file: Path, label: str) -> None:
        """Held-out tasks, greedy and sampled, into `file`; nothing where it is there already."""
        if file.exists():
            return
        rows = []
        self.reseed(HELD_OUT_SEED)
        for kind, group, temperature in (("greedy", 1, 0.0), ("sampled", self.asked.samples, 1.0)):
            with self.rollouts("heldout", group, temperature) as rollouts:
                tasks = range(self.asked.held_out)
                for start in tqdm(tasks[::100], desc=f"{label}, held out, {kind}"):
                    for played in whole(rollouts.play(tasks[start : start + 100])):
                        for sample in played.samples:
                            row = measure.row_of(played.task, sample, sampled=kind == "sampled")
                            row["text"] = self.tokenizer.decode(sample.completion_ids)
                            rows.append(row)
        report.write(file, "".join(json.dumps(row) + "\n" for row in rows))

    # And learns.

    def warm_up(self) -> None:
        """The weights that every run starts from, and what they do on held-out tasks."""
        kept = self.out / "warm.pt"
        if not kept.exists():
            pairs = self.task.demonstrations(self.tokenizer, self.warm_rows)
            optimizer = self.optimizer(WARM_RATE)
            self.model.train()
            bar = tqdm(range(0, len(pairs), WARM_BATCH), desc="warm-up on reference replies")
            for start in bar:
                batch = pairs[start : start + WARM_BATCH]
                jobs = [grpo.references(part) for part in (batch[::2], batch[1::2]) if part]
                with self.engine.updating():
                    loss = grpo.update(self.model, optimizer, jobs).loss
                bar.set_postfix(loss=f"{loss:.3f}")
            save(kept, {"model": self.trained()})
        self.restore(torch.load(kept, weights_only=True)["model"])
        self.evaluate(self.out / "before.jsonl", "before")

    def train(self, arm: str, seed: int) -> None:
        run, steps = self.out / f"{arm}-{seed}", self.asked.steps
        run.mkdir(exist_ok=True)
        result, log, state = run / f"after-{steps}.jsonl", run / "steps.jsonl", run / "state.pt"
        if result.exists():
            return
        optimizer, done, lines = self.optimizer(self.asked.rate), 0, []
        kept = torch.load(state if state.exists() else self.out / "warm.pt", weights_only=True)
        self.restore(kept["model"])
        if state.exists():
            done = kept["step"]
            optimizer.load_state_dict(kept["optimizer"])
            lines = log.read_text().splitlines()[:done]
        if done > steps:
            raise SystemExit(f"{run} has gone {done} steps already: --steps {done} or more")
        order = random.Random(seed).sample(range(TRAIN), TRAIN)
        size = self.asked.groups
        with self.rollouts("train", self.asked.group_size, 1.0) as rollouts:
            bar = tqdm(range(done, steps), desc=f"{arm}, seed {seed}", initial=done, total=steps)
            for step in bar:
                tasks = [order[(step * size + one) % TRAIN] for one in range(size)]
                line = self.step(arm, seed, step, tasks, rollouts, optimizer)
                lines.append(json.dumps(line))
                bar.set_postfix(reward=f"{line['reward']:.2f}", correct=f"{line['correct']:.2f}")
                if (step + 1) % KEEP_EVERY == 0 or step + 1 == steps:
                    report.write(log, "\n".join(lines) + "\n")
                    now = {"model": self.trained(), "optimizer": optimizer.state_dict()}
                    save(state, {"step": step + 1, **now})
        self.evaluate(result, f"{arm}, seed {seed}, after")

    def step(
        self, arm: str, seed: int, step: int, tasks: list[int], rollouts: Blocking, optimizer: Any
    ) -> dict[str, Any]:
        begun = time.monotonic()
        self.reseed(1000 * seed + step)
        rollouts.weights = step
        groups = whole(rollouts.play(tasks))
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
        return measure.step_line(step, groups, len(jobs), taken, seconds)

    def optimizer(self, rate: float) -> Any:
        parts = [one for one in self.model.parameters() if one.requires_grad]
        return torch.optim.AdamW(parts, lr=rate, weight_decay=0.0, betas=(0.9, 0.95))

    def reseed(self, seed: int) -> None:
        with self.engine.updating(seed=seed):
            pass

    def trained(self) -> dict[str, Any]:
        named = self.model.named_parameters()
        return {name: one.detach() for name, one in named if one.requires_grad}

    def restore(self, weights: dict[str, Any]) -> None:
        with self.engine.updating(), torch.no_grad():
            for name, one in self.model.named_parameters():
                if one.requires_grad:
                    one.copy_(weights[name])


def advantages(arm: str, seed: int, step: int, group: Group) -> list[float]:
    rng = random.Random(f"{arm} {seed} {step} {group.index}")
    if arm == "random":
        rewards = [float(rng.random() < 0.5) for _ in group.samples]
        return [one - sum(rewards) / len(rewards) for one in rewards]
    found = group.advantages()
    if arm == "shuffled":
        rng.shuffle(found)
    return found


def whole(groups: list[Group]) -> list[Group]:
    """A lost rollout is the machine's fault: here it ends the run, which goes on from its state."""
    for group in groups:
        if group.lost:
            failure = group.failures[0]
            raise SystemExit(f"task {group.task} failed: {failure.cause}: {failure.message}")
    return groups


def save(file: Path, state: dict[str, Any]) -> None:
    part = file.with_suffix(".part")
    torch.save(state, part)
    part.replace(file)


if __name__ == "__main__":
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    main()

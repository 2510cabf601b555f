"""Train a small real model on an environment of this project, on a CPU, and see whether it learns.

    uv run --group train python examples/learn.py arithmetic

SmolLM2-135M-Instruct plays through the real path: the environment with its own reward, verifiers'
train client, a loopback engine that serves `/inference/v1/generate` from the live weights, and a
plain GRPO step. It is warmed up on reference replies first: cold, no reply has the layout, all
rewards are alike, and nothing can be learned.

Three arms start from the same warm weights. `true`: the environment's rewards. `shuffled`: the same
advantages, dealt out among the rollouts of a group by chance. `random`: rewards of 0 or 1 by
chance. What the last two gain, the reward did not teach.

Each run goes on where it was interrupted. Results are in OUT/TASK: results.json and curves.png.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from inward_training import Blocking, Group, Rollouts
from inward_training.engine import Engine
from learning import arithmetic, grpo, measure
from learning.model import NAME, folder, load
from tqdm import tqdm

TASKS = {"arithmetic": arithmetic}
ARMS = ("true", "shuffled", "random")
TRAIN, WARM = 1000, 256
WARM_BATCH, WARM_RATE = 8, 5e-5
RISE = 5
"""Steps in which the rate rises to its full: Adam's first are as long as any, and mostly noise."""
KEEP_EVERY = 5
"""Steps between two states on disk, of 430 MB each; the last alone is kept."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("task", choices=TASKS)
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=list(ARMS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--steps", type=_positive, default=20)
    parser.add_argument("--groups", type=_positive, default=8, help="tasks per step")
    parser.add_argument("--group-size", type=int, default=8, help="rollouts per task")
    parser.add_argument("--rate", type=float, default=3e-5, help="Adam's learning rate")
    parser.add_argument("--held-out", type=_positive, default=400, help="tasks that are not trained on")
    parser.add_argument("--samples", type=_positive, default=4, help="of each held-out task, at temperature 1")
    parser.add_argument("--out", type=Path, default=Path("outputs/learn"))
    asked = parser.parse_args()
    if asked.group_size < 2:
        parser.error(f"--group-size {asked.group_size}: a group of one has nothing to compare with")
    torch.set_num_threads(1)  # the engine and the step have a thread per core
    Learner(asked).run()


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"at least 1, got {value}")
    return value


class Learner:
    def __init__(self, asked: argparse.Namespace) -> None:
        self.asked, self.task = asked, TASKS[asked.task]
        self.out: Path = asked.out / asked.task
        self.warm_rows = self.task.write(self.out / "data", asked.held_out, TRAIN, WARM)
        self.model, self.tokenizer = load(top=10)
        self.engine = Engine(self.model, NAME, pad=self.tokenizer.eos_token_id, threads=2)

    def run(self) -> None:
        with self.engine.serving() as self.endpoint:
            before = self.warm_up()
            for seed in self.asked.seeds:
                for arm in self.asked.arms:
                    self.train(arm, seed)
                    report(self.out, before)

    # --- the policy plays -------------------------------------------------------------------

    @contextmanager
    def rollouts(self, split: str, group: int, temperature: float) -> Any:
        env = self.task.env((self.out / "data" / f"{split}.jsonl").resolve(), group)
        sampling = {"temperature": temperature, "max_tokens": self.task.MAX_TOKENS}
        with Blocking(
            lambda: Rollouts(
                env, NAME, self.endpoint, tokenizer=str(folder()), sampling=sampling,
                renderer={"name": "default"}, max_concurrent=256 // group,
            )  # fmt: skip
        ) as opened:
            yield opened

    def evaluate(self, file: Path, label: str) -> list[dict[str, Any]]:
        """Held-out tasks, greedy and sampled; read from `file` where they were played before."""
        if not file.exists():
            found = []
            with self.engine.updating(seed=10**6):  # the same noise for each policy
                pass
            for group, temperature in ((1, 0.0), (self.asked.samples, 1.0)):
                kind = "sampled" if temperature else "greedy"
                with self.rollouts("heldout", group, temperature) as rollouts:
                    tasks = range(self.asked.held_out)
                    for start in tqdm(tasks[::100], desc=f"{label}, held out, {kind}"):
                        for played in rollouts.play(tasks[start : start + 100]):
                            complain(played)
                            for sample in played.samples:
                                row = measure.row_of(played.task, sample, sampled=temperature > 0)
                                row["text"] = self.tokenizer.decode(sample.completion_ids)
                                found.append(row)
            write_whole(file, "".join(json.dumps(row) + "\n" for row in found))
        return [json.loads(line) for line in file.read_text().splitlines()]

    # --- and learns -------------------------------------------------------------------------

    def warm_up(self) -> list[dict[str, Any]]:
        """The weights that every run starts from, and what they do on held-out tasks."""
        kept = self.out / "warm.pt"
        if not kept.exists():
            pairs = self.task.demonstrations(self.tokenizer, self.warm_rows)
            optimizer = self.optimizer(WARM_RATE)
            self.model.train()
            bar = tqdm(range(0, len(pairs), WARM_BATCH), desc="warm-up on reference replies")
            for start in bar:
                batch = pairs[start : start + WARM_BATCH]
                jobs = [warm_job(batch[::2]), warm_job(batch[1::2])]
                with self.engine.updating():
                    loss = grpo.update(self.model, optimizer, jobs).loss
                bar.set_postfix(loss=f"{loss:.3f}")
            save(kept, {"model": self.trained()})
        self.restore(torch.load(kept, weights_only=True)["model"])
        return self.evaluate(self.out / "before.jsonl", "before")

    def train(self, arm: str, seed: int) -> None:
        run = self.out / f"{arm}-{seed}"
        run.mkdir(exist_ok=True)
        log, state = run / "steps.jsonl", run / "state.pt"
        self.restore(torch.load(self.out / "warm.pt", weights_only=True)["model"])
        optimizer, done, lines = self.optimizer(self.asked.rate), 0, []
        if state.exists():
            kept = torch.load(state, weights_only=True)
            done = kept["step"]
            self.restore(kept["model"])
            optimizer.load_state_dict(kept["optimizer"])
            lines = log.read_text().splitlines()[:done]
        order = random.Random(seed).sample(range(TRAIN), TRAIN)
        with self.rollouts("train", self.asked.group_size, 1.0) as rollouts:
            bar = tqdm(range(done, self.asked.steps), desc=f"{arm}, seed {seed}", initial=done, total=self.asked.steps)
            for step in bar:
                begun, size = time.monotonic(), self.asked.groups
                tasks = [order[(step * size + one) % TRAIN] for one in range(size)]
                rollouts.weights = step
                with self.engine.updating(seed=seed * 1000 + step):
                    pass
                groups = rollouts.play(tasks)
                played = time.monotonic()
                advantages = [self.advantages(arm, seed, step, group) for group in groups]
                jobs = grpo.jobs_of(groups, advantages)
                self.model.train()
                taken = None
                for part in optimizer.param_groups:
                    part["lr"] = self.asked.rate * min(1.0, (step + 1) / RISE)
                if jobs:
                    with self.engine.updating(seed=0):
                        taken = grpo.update(self.model, optimizer, jobs)
                line = step_line(step, groups, len(jobs), taken)
                line |= {"s_rollouts": round(played - begun, 1), "s_update": round(time.monotonic() - played, 1)}
                lines.append(json.dumps(line))
                bar.set_postfix(reward=f"{line['reward']:.2f}", correct=f"{line['correct']:.2f}")
                if (step + 1) % KEEP_EVERY == 0 or step + 1 == self.asked.steps:
                    write_whole(log, "\n".join(lines) + "\n")
                    save(state, {"step": step + 1, "model": self.trained(), "optimizer": optimizer.state_dict()})
        self.evaluate(run / f"after-{self.asked.steps}.jsonl", f"{arm}, seed {seed}, after")

    def advantages(self, arm: str, seed: int, step: int, group: Group) -> list[float]:
        complain(group)
        rng = random.Random(f"{arm} {seed} {step} {group.index}")
        if arm == "random":
            rewards = [float(rng.random() < 0.5) for _ in group.samples]
            return [one - sum(rewards) / len(rewards) for one in rewards]
        found = group.advantages()
        if arm == "shuffled":
            rng.shuffle(found)
        return found

    def optimizer(self, rate: float) -> Any:
        parts = [one for one in self.model.parameters() if one.requires_grad]
        return torch.optim.AdamW(parts, lr=rate, weight_decay=0.0, betas=(0.9, 0.95))

    def trained(self) -> dict[str, Any]:
        return {name: one.detach() for name, one in self.model.named_parameters() if one.requires_grad}

    def restore(self, weights: dict[str, Any]) -> None:
        with self.engine.updating(), torch.no_grad():
            for name, one in self.model.named_parameters():
                if one.requires_grad:
                    one.copy_(weights[name])


def warm_job(pairs: list[tuple[list[int], list[int]]]) -> tuple[list[int], list[grpo.Branch]]:
    """References behind what their prompts have in common."""
    first, last = min(prompt for prompt, _ in pairs), max(prompt for prompt, _ in pairs)
    common = next(i for i, (one, other) in enumerate(zip(first, last)) if one != other)
    return first[:common], [
        grpo.Branch([*prompt[common:], *reply], [0.0] * (len(prompt) - common) + [1.0] * len(reply))
        for prompt, reply in pairs
    ]


def step_line(step: int, groups: list[Group], live: int, taken: grpo.Step | None) -> dict[str, Any]:
    rows = [measure.row_of(g.task, sample, sampled=True) for g in groups for sample in g.samples]
    line = {"step": step, "rollouts": len(rows), "lost": sum(g.lost for g in groups), "groups_with_spread": live}
    for name in ("reward", "correct", "well_formed", "tokens", "entropy"):
        line[name] = round(sum(row[name] for row in rows) / len(rows), 4)
    return line if taken is None else {**line, **{k: float(f"{v:.3g}") for k, v in taken._asdict().items()}}


def complain(group: Group) -> None:
    """A lost rollout is the machine's fault: here it ends the run, which goes on from its state."""
    if group.lost:
        raise SystemExit(f"task {group.task}: {group.failures[0].cause}: {group.failures[0].message}")


def write_whole(file: Path, text: str) -> None:
    part = file.with_suffix(".part")
    part.write_text(text)
    part.replace(file)


def save(file: Path, state: dict[str, Any]) -> None:
    part = file.with_suffix(".part")
    torch.save(state, part)
    part.replace(file)


def report(out: Path, before: list[dict[str, Any]]) -> None:
    """results.json and curves.png of all runs that are there."""
    found: dict[str, Any] = {"model": NAME, "before": measure.summary(before), "runs": {}}
    for file in sorted(out.glob("*/after-*.jsonl")):
        after = [json.loads(line) for line in file.read_text().splitlines()]
        lines = (file.parent / "steps.jsonl").read_text().splitlines()
        found["runs"][f"{file.parent.name}, {len(lines)} steps"] = {
            "after": measure.summary(after),
            "change": measure.change(before, after),
            "steps": [json.loads(line) for line in lines],
        }
    write_whole(out / "results.json", json.dumps(found, indent=1) + "\n")
    for name, run in found["runs"].items():
        print(f"{name}: " + "; ".join(f"{k} {v[0]:+.3f} [{v[1]:+.3f}, {v[2]:+.3f}]" for k, v in run["change"].items()))


if __name__ == "__main__":
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    sys.exit(main())

"""What learn.py does, by TRL: its `GRPOTrainer` in place of learning/grpo.py.

    uv run --group train python examples/learn_trl.py arithmetic

The same model from the same warm weights, the same tasks, environment, engine, rate and evaluation,
beside the other runs in OUT/TASK as the arm `trl`. Two things differ: TRL orders the tasks itself,
and its mean is over all tokens, those of groups without spread too. The warm-up is learn.py's, made
where it is not there yet. A run does not go on where it was interrupted: it begins again.
"""

from __future__ import annotations

import argparse
import os
from typing import Any

import learn
import torch
from inward_training import trl
from learning import play, report

WATCHED = "frac_reward_zero_std", "entropy", "completions/clipped_ratio"
"""Of TRL's log, kept under its own names: groups without spread, nats per token of the policy, and
replies that were cut short."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("task", choices=learn.TASKS)
    parser.add_argument("--seed", type=int, default=0)
    play.options(parser)
    asked = parser.parse_args()
    if asked.device not in ("cpu", "cuda"):
        parser.error(f"--device {asked.device!r}: TRL takes cpu, or the first GPU as cuda")
    if not asked.report:
        train(learn.Learner.of(asked), asked.seed)
    report.report(asked.out / asked.task, learn.TASKS[asked.task])


def train(learner: learn.Learner, seed: int) -> None:
    from trl import GRPOConfig, GRPOTrainer

    asked = learner.asked
    run = learner.out / f"trl-{seed}"
    result = run / f"after-{asked.steps}.jsonl"
    if result.exists():
        return
    with learner.engine.serving() as learner.endpoint:
        with play.alone(learner.out / "warm"):
            learner.warm_up()
        with learner.engine.updating(seed=1000 * seed):
            pass
        optimizer = learner.optimizer(learner.task.OPTIMIZER, asked.rate)
        rise = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: min(1.0, (step + 1) / learn.RISE)
        )
        with play.rollouts(learner, "train", temperature=1.0) as rollouts:
            trainer = GRPOTrainer(
                learner.model,
                reward_funcs=trl.reward,
                rollout_func=trl.rollout_func(rollouts),
                train_dataset=trl.dataset(rollouts),
                processing_class=learner.tokenizer,
                optimizers=(optimizer, rise),
                args=GRPOConfig(**settings(asked, str(run / "trainer"), learner.task, seed)),
            )
            trainer.train()
        logged = [line for line in trainer.state.log_history if "reward" in line]
        named = {"reward": "reward", "tokens": "completions/mean_length", "gradient": "grad_norm"}
        lines = [
            {"step": step, **{ours: line[theirs] for ours, theirs in named.items()}}
            | {name: line[name] for name in WATCHED if name in line}
            for step, line in enumerate(logged)
        ]
        report.write_rows(run / "steps.jsonl", lines)
        play.evaluate(learner, result, f"trl, seed {seed}, after")


def settings(asked: argparse.Namespace, out: str, task: Any, seed: int) -> dict[str, Any]:
    return {
        "output_dir": out,
        "seed": seed,
        "max_steps": asked.steps,
        "per_device_train_batch_size": asked.group_size,
        "gradient_accumulation_steps": asked.groups,
        "num_generations": asked.group_size,
        "max_completion_length": task.MAX_TOKENS,
        "temperature": 1.0,
        "beta": 0.0,
        # As in learning/grpo.py: advantages are not divided by the deviation, one mean over tokens.
        "scale_rewards": "none",
        "loss_type": "dapo",
        "max_grad_norm": 1.0,
        "use_cpu": asked.device == "cpu",
        "bf16": False,
        "gradient_checkpointing": False,
        "logging_steps": 1,
        "save_strategy": "no",
        "report_to": [],
    }


if __name__ == "__main__":
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    main()

"""TRL's real GRPOTrainer on a verifiers environment: a CPU, random weights, real steps.

A toy from random weights: it proves the plumbing, and nothing about what an environment teaches.
"""

import os

import pytest

torch = pytest.importorskip("torch", reason="needs the groups models and train")
pytest.importorskip("trl", reason="needs the groups models and train")

from inward_training import Blocking, Group, Rollouts, RolloutsError, Sample  # noqa: E402
from inward_training import trl as adapter  # noqa: E402
from inward_training.engine import Engine  # noqa: E402
from training.conftest import COPY_LETTER  # noqa: E402
from training.tiny_policy import make_model, make_tokenizer  # noqa: E402
from training.trl_steps import settings  # noqa: E402

pytestmark = pytest.mark.models


def trainer_of(model, folder, rollouts, steps, **changes):
    os.environ["TRL_EXPERIMENTAL_SILENCE"] = "1"
    from trl import GRPOConfig, GRPOTrainer

    sizes = {
        "per_device_train_batch_size": 32,
        "num_generations": 8,
        "learning_rate": 1e-2,
        "lr_scheduler_type": "constant",
        "max_completion_length": 3,
        **changes,
    }
    return GRPOTrainer(
        model=model,
        reward_funcs=adapter.reward,
        rollout_func=adapter.rollout_func(rollouts),
        args=GRPOConfig(**settings(folder, steps, **sizes)),
        train_dataset=adapter.dataset(rollouts),
        processing_class=make_tokenizer(folder),
    )


@pytest.fixture
def training(tmp_path):
    """steps -> the trainer after them, and every group that was played."""
    from contextlib import ExitStack

    played: list[Group] = []

    class Noting(Blocking):
        def play(self, tasks, *, group_size=1):
            groups = super().play(tasks, group_size=group_size)
            played.extend(groups)
            return groups

    def train(steps, env=COPY_LETTER, max_tokens=3, **changes):
        model = make_model(tmp_path)
        with ExitStack() as stack:
            endpoint = stack.enter_context(Engine(model, "tiny").serving())
            make = lambda: Rollouts(  # noqa: E731
                env,
                "tiny",
                endpoint,
                tokenizer=str(tmp_path),
                sampling={"max_tokens": max_tokens, "temperature": 1.0},
            )
            rollouts = stack.enter_context(Noting(make))
            trainer = trainer_of(model, tmp_path, rollouts, steps, **changes)
            trainer.train()
        return trainer, played

    return train


def test_its_steps_train_on_the_environments_own_rewards(training):
    trainer, groups = training(2)
    logged = [entry["reward"] for entry in trainer.state.log_history if "reward" in entry]
    rewards = [s.reward for g in groups for s in g.samples]
    assert len(rewards) == 64
    assert logged == pytest.approx([sum(r) / 32 for r in (rewards[:32], rewards[32:])])
    assert [g.samples[0].weights[0] for g in groups[::32]] == [0, 1]


@pytest.mark.slow
def test_random_weights_learn_the_letter(training):
    # One token: a letter of eight, among sixteen words.
    sizes = {"per_device_train_batch_size": 64, "num_generations": 16, "max_completion_length": 1}
    _, groups = training(45, learning_rate=3e-3, max_tokens=1, **sizes)
    rewards = [s.reward for g in groups for s in g.samples]
    assert sum(rewards[:320]) / 320 < 0.2
    assert sum(rewards[-320:]) / 320 > 0.35


def test_a_failed_rollout_trains_nothing(training, monkeypatch):
    play = Blocking.play

    def losing(self, tasks, *, group_size=1):
        groups = play(self, tasks, group_size=group_size)
        lost = Group("g", "t", groups[0].index, (), 1)
        return [lost, *groups[1:]]

    monkeypatch.setattr(Blocking, "play", losing)
    trainer, groups = training(1)
    rewards = [s.reward for g in groups for s in g.samples]
    assert len(rewards) == 31
    logged = next(e["reward"] for e in trainer.state.log_history if "reward" in e)
    assert logged == pytest.approx(sum(rewards) / 31)


def test_an_environment_that_owns_its_groups_is_refused(training):
    with pytest.raises(RolloutsError, match="plays 3 rollouts in each episode"):
        training(1, {"id": "letter-group", **COPY_LETTER})


def sample(**changes):
    fields = dict.fromkeys(("rollout", "agent", "stop"), "") | {
        "prompt_ids": (1,),
        "completion_ids": (2,),
        "logprobs": (-1.0,),
        "loss_mask": (True,),
        "reward": 1.0,
        "rewards": {},
        "metrics": {},
        "images": (),
        "truncated": False,
        "weights": (0, 0),
    }
    return Sample(**{**fields, **changes})


@pytest.mark.parametrize(
    ("samples", "words"),
    [
        ((sample(), sample()), "2 branches"),
        ((sample(images=("data:,",)),), "pictures"),
    ],
)
def test_what_the_trainer_cannot_take_is_refused(samples, words):
    with pytest.raises(RolloutsError, match=words):
        adapter._row(Group("g", "t", 0, samples, 1))


@pytest.mark.parametrize(
    ("tasks", "words"), [(0, "tasks must be at least 1"), (9, r"'copy-letter' has 8 tasks .got 9.")]
)
def test_a_dataset_of_tasks_that_are_not_there_is_refused(tasks, words):
    class Eight:
        environment = "copy-letter"

        def count(self):
            return 8

    with pytest.raises(ValueError, match=words):
        adapter.dataset(Eight(), tasks)


def test_a_prompt_of_another_dataset_is_refused():
    with pytest.raises(RolloutsError, match=r"use inward_training.trl.dataset"):
        adapter._index("What is 1 + 1?")

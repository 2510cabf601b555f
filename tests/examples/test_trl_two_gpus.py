"""The example of two GPUs, as far as a CPU can go: its configs."""

import importlib.util
from pathlib import Path

import pytest

from inward.serve_rollouts import READ, TRAIN_CLIENT
from inward.verifiers_runs import parse_some

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def example():
    spec = importlib.util.spec_from_file_location("trl_two_gpus", EXAMPLES / "trl_two_gpus.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_rollouts_fit_the_trainer(example):
    words = ["@", str(EXAMPLES / "trl_two_gpus.toml"), *TRAIN_CLIENT]
    config = parse_some(words, "serve-rollouts", READ)
    settings = example.settings()
    assert config.model == example.MODEL
    assert config.client.base_url == f"{example.ENGINE}/v1"
    # GRPOTrainer takes one rollout per episode.
    assert config.env.group == 1
    assert config.sampling.max_tokens == settings["max_completion_length"]
    assert config.sampling.temperature == settings["temperature"]
    assert config.env.taskset.task.rewards["entropy"].fn.endswith(":matrix_entropy")


@pytest.mark.models
def test_trl_takes_the_settings(example, tmp_path):
    trl = pytest.importorskip("trl", reason="needs the groups models and train")
    changes = {"output_dir": str(tmp_path), "bf16": False, "use_cpu": True}
    config = trl.GRPOConfig(**{**example.settings(), **changes})
    assert (config.scale_rewards, config.vllm_mode) == ("none", "server")
    assert config.generation_batch_size % example.GROUP == 0

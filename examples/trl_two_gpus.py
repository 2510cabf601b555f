"""GRPO by TRL on math500-entropy, with a reward for the entropy of the policy's own hidden states.

One GPU trains and a second one serves: TRL hands the weights to vLLM's server by NCCL, which takes
one process per GPU, and an engine within the trainer (`vllm_mode="colocate"`) has no address that
rollouts or the plugin's client could ask. Not run on a GPU: a test imports this file and reads both
configs on a CPU.

In the engine's environment (`pip install "trl[vllm]" ./rewards`):

    CUDA_VISIBLE_DEVICES=1 trl vllm-serve --model Qwen/Qwen3-0.6B --max-model-len 4096 \
        --additional-config '{"inward": {"layers": "middle:10"}}'

In the rollouts' (`pip install "inward[training]" inward-rewards`, or this checkout with uv):

    inward serve-rollouts @ examples/trl_two_gpus.toml

In the trainer's (`pip install "inward-training[trl]" "trl[vllm]"`):

    CUDA_VISIBLE_DEVICES=0 python examples/trl_two_gpus.py

Before it, `inward eval math500-entropy -r 8 -m MODEL …` says whether a trainer would get a signal.
"""

from typing import Any

from inward_training import Blocking, RemoteRollouts, trl

MODEL = "Qwen/Qwen3-0.6B"
ENGINE = "http://127.0.0.1:8000"
ROLLOUTS = "http://127.0.0.1:8765"
GROUP = 8


def settings() -> dict[str, Any]:
    """What `GRPOConfig` is made with."""
    return {
        "output_dir": "outputs/trl_two_gpus",
        "max_steps": 200,
        "learning_rate": 1e-6,
        "lr_scheduler_type": "constant_with_warmup",
        "warmup_steps": 10,
        "per_device_train_batch_size": GROUP,
        "gradient_accumulation_steps": 8,
        "num_generations": GROUP,
        # As the rollouts' `sampling.max_tokens`, and their temperature.
        "max_completion_length": 2048,
        "temperature": 1.0,
        "beta": 0.0,
        # Divided by the group's standard deviation, an entropy of a few hundredths more would weigh
        # as much as the answer, in every group that is otherwise all right or all wrong.
        "scale_rewards": "none",
        # Divided by a constant: divided by its own length, a long wrong reply would cost less.
        "loss_type": "dr_grpo",
        "use_vllm": True,
        "vllm_mode": "server",
        "vllm_server_base_url": ENGINE,
        "bf16": True,
        "gradient_checkpointing": True,
        "logging_steps": 1,
        "save_steps": 50,
    }


def main() -> None:
    from trl import GRPOConfig, GRPOTrainer

    with Blocking(lambda: RemoteRollouts(ROLLOUTS)) as rollouts:
        GRPOTrainer(
            MODEL,
            rollout_func=trl.rollout_func(rollouts),
            reward_funcs=trl.reward,
            train_dataset=trl.dataset(rollouts),
            args=GRPOConfig(**settings()),
        ).train()


if __name__ == "__main__":
    main()

"""SkyRL's trainer on any verifiers v1 environment, through its `GeneratorInterface` (SkyRL 0.4).

    class Experiment(BasePPOExp):
        def get_generator(self, cfg, tokenizer, inference_engine_client):
            return InwardGenerator("http://127.0.0.1:8765")

The rollouts are played by `inward serve-rollouts`, over SkyRL's own inference server. That server's
sampling counts: `sampling_params` of the trainer are not read, so give both the same temperature.

The trainer repeats each prompt and compares those, and takes one sequence for each. Environments
that play a group in each episode, rollouts of several branches, and pictures are refused. For the
synchronous trainer, which asks once per batch: `serve-rollouts` plays for one at a time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

try:
    from skyrl.train.generators.base import GeneratorInput, GeneratorInterface, GeneratorOutput
    from skyrl.train.generators.utils import get_rollout_metrics
except ModuleNotFoundError as error:
    raise ImportError(
        f"inward_training.skyrl needs {error.name}:"
        ' pip install "skyrl[skyrl-train]>=0.4" inward-training'
    ) from error

from inward_training.blocking import Blocking, in_order
from inward_training.errors import RolloutsError
from inward_training.remote import RemoteRollouts
from inward_training.sequences import Row, as_messages, rows

if TYPE_CHECKING:
    from datasets import Dataset


class InwardGenerator(GeneratorInterface):  # type: ignore[misc]
    """Asks `inward serve-rollouts` for the rollouts of each batch, whose tasks `dataset` named."""

    def __init__(self, url: str) -> None:
        """`url`: what `inward serve-rollouts` printed, such as `http://127.0.0.1:8765`."""
        self.url = url

    async def generate(self, input_batch: GeneratorInput) -> GeneratorOutput:
        """One sequence for each prompt, in their order; a failed rollout as `rows` says.

        The samples' `weights` are the trainer's global step.

        Raises:
            RolloutsError: the server fails, all rollouts of a task failed, or they are of a kind
                that the trainer cannot take.
        """
        extras = input_batch["env_extras"] or [{} for _ in input_batch["prompts"]]
        tasks = [_task(row) for row in extras]
        metadata = input_batch["batch_metadata"]
        async with RemoteRollouts(self.url) as rollouts:
            # An evaluation without a training has no step.
            rollouts.weights = (metadata.global_step if metadata else None) or 0
            groups = await in_order(rollouts, tasks)
        found = rows(groups, "SkyRL")
        responses = [row.completion_ids for row in found]
        rewards = [row.reward for row in found]
        masks = [row.mask for row in found]
        return {
            "prompt_token_ids": [row.prompt_ids for row in found],
            "response_ids": responses,
            "rewards": rewards,
            "loss_masks": masks,
            "stop_reasons": [row.sample.stop if row.sample else "failed" for row in found],
            "rollout_logprobs": [row.logprobs for row in found],
            "trajectory_ids": input_batch["trajectory_ids"],
            "rollout_metrics": {
                **get_rollout_metrics(responses, rewards, loss_masks=masks),
                **_metrics(found),
            },
        }


def dataset(rollouts: Blocking, tasks: int | None = None) -> Dataset:
    """One row per task for `data.train_data`, by `dataset(…).to_parquet("tasks.parquet")`. Its
    prompt only names the task: the environment has the real one. `tasks` and errors as those of
    `sequences.task_count`.
    """
    from datasets import Dataset

    return Dataset.from_list(
        [{"prompt": prompt, "index": index} for index, prompt in as_messages(rollouts, tasks)]
    )


def _task(extras: Mapping[str, Any]) -> int:
    index = extras.get("index")
    if not isinstance(index, int):
        raise RolloutsError(
            f"a row of the data names no task (its index is {index!r}): write the data with"
            " inward_training.skyrl.dataset"
        )
    return index


def _metrics(found: Sequence[Row]) -> dict[str, float]:
    """Failed rollouts, and the means of the environment's own metrics and parts of the reward over
    those rollouts that have them. SkyRL averages over batches what has "mean" in its name, and adds
    the rest."""
    values: dict[str, list[float]] = {}
    for row in found:
        if row.sample is not None:
            for name, value in {**row.sample.metrics, **row.sample.rewards}.items():
                values.setdefault(f"environment/mean_{name}", []).append(value)
    failed = sum(row.sample is None for row in found)
    means = {name: sum(of) / len(of) for name, of in values.items()}
    return {"generate/failed_rollouts": float(failed), **means}

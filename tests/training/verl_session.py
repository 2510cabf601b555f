"""Within verl's own environment: its data set, its agent worker, its advantages.

Reads {"block", "loop", "tasks", "tokenizer", "folder"} and writes what came out as JSON.
"""

import asyncio
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import verl
from hydra import compose, initialize_config_dir
from sessions import refused
from transformers import AutoTokenizer
from verl import DataProto
from verl.experimental.agent_loop.agent_loop import AgentLoopWorker
from verl.trainer.ppo.core_algos import compute_grpo_outcome_advantage
from verl.utils.dataset.rl_dataset import RLHFDataset, collate_fn

PROMPT = 64
"""Tokens of a prompt at most: verl pads up to it."""

asked = json.loads(sys.stdin.read())
folder = Path(asked["folder"])
exec(asked["block"])
(folder / "inward.yaml").write_text(asked["loop"])
model = shutil.copytree(asked["tokenizer"], folder / "model")
(model / "config.json").write_text(
    json.dumps({"model_type": "qwen3", "architectures": ["Qwen3ForCausalLM"]})
)


def config(workers):
    rollout = "actor_rollout_ref.rollout"
    options = [
        f"actor_rollout_ref.model.path={model}",
        f"{rollout}.name=vllm",
        f"{rollout}.agent.agent_loop_config_path={folder / 'inward.yaml'}",
        f"{rollout}.agent.num_workers={workers}",
        f"data.max_prompt_length={PROMPT}",
        "data.max_response_length=16",
    ]
    defaults = str(Path(verl.__file__).parent / "trainer/config")
    with initialize_config_dir(defaults, version_base=None):
        return compose("ppo_trainer", overrides=options)


one = config(1)
tokenizer = AutoTokenizer.from_pretrained(model)
data = RLHFDataset(str(folder / "tasks.parquet"), tokenizer, one.data)


def batch(tasks, times):
    found = DataProto.from_single_dict(collate_fn([data[task] for task in tasks]))
    found.non_tensor_batch["uid"] = np.array([str(n) for n in range(len(tasks))], dtype=object)
    return found.repeat(times, interleave=True)


def worker(workers=1):
    settings = one if workers == 1 else config(workers)
    return AgentLoopWorker(settings, None)


given = batch(asked["tasks"], 4)
found = asyncio.run(worker().generate_sequences(given)).batch
advantages, _ = compute_grpo_outcome_advantage(
    found["rm_scores"],
    found["attention_mask"][:, PROMPT:].float(),
    given.non_tensor_batch["uid"],
    norm_adv_by_std_in_grpo=False,
)
nameless = batch([0], 1)
nameless.non_tensor_batch["extra_info"][0] = {}
print(
    json.dumps(
        {
            "rewards": found["rm_scores"].sum(-1).tolist(),
            "sampled": found["response_mask"].sum(-1).tolist(),
            "logprobs": (found["rollout_log_probs"] != 0).sum(-1).tolist(),
            "advantages": advantages[:, 0].tolist(),
            "lost": refused(worker().generate_sequences(batch([4], 2))),
            "nameless": refused(worker().generate_sequences(nameless)),
            "workers": refused(worker(8).generate_sequences(batch([0], 1))),
        }
    )
)

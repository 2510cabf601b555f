"""Within SkyRL's own environment: its data set, its generator interface, its advantages.

Reads {"block", "tasks", "tokenizer", "folder"} and writes what came out as JSON.
"""

import asyncio
import json
import sys
from pathlib import Path

import torch
from inward_training.skyrl import InwardGenerator
from sessions import refused
from skyrl.backends.skyrl_train.utils.ppo_utils import compute_grpo_outcome_advantage
from skyrl.train.dataset import PromptDataset
from skyrl.train.generators.base import GeneratorInterface
from skyrl.train.generators.utils import prepare_generator_input
from skyrl.train.utils.trainer_utils import validate_generator_output
from transformers import AutoTokenizer

asked = json.loads(sys.stdin.read())
documented: dict = {}
exec(asked["block"], documented)
Experiment = documented["Experiment"]
generator = Experiment.get_generator(Experiment.__new__(Experiment), None, None, None)
assert isinstance(generator, GeneratorInterface)
assert isinstance(generator, InwardGenerator)

path = str(Path(asked["folder"]) / "tasks.parquet")
tokenizer = AutoTokenizer.from_pretrained(asked["tokenizer"])
tokenizer.chat_template = "{% for message in messages %}{{ message.content }}{% endfor %}"
data = PromptDataset(path, tokenizer, max_prompt_length=512, num_workers=1)


def batch(tasks, times):
    rows = data.collate_fn([data[task] for task in tasks])
    return prepare_generator_input(rows, times, {}, "none", "train", 7)


def padded(rows):
    longest = max(map(len, rows))
    return torch.tensor([[*row, *[0] * (longest - len(row))] for row in rows], dtype=torch.float32)


given, uids = batch(asked["tasks"], 4)
found = asyncio.run(generator.generate(given))
validate_generator_output(len(uids), found)
lengths = list(map(len, found["response_ids"]))
last = [[0.0] * (n - 1) + [r] for n, r in zip(lengths, found["rewards"], strict=True)]
advantages, _ = compute_grpo_outcome_advantage(
    padded(last), padded([[1] * n for n in lengths]), uids, grpo_norm_by_std=False
)

nameless = {**batch([0], 1)[0], "env_extras": [{}]}
print(
    json.dumps(
        {
            "rewards": found["rewards"],
            "masks": found["loss_masks"],
            "stops": found["stop_reasons"],
            "metrics": found["rollout_metrics"],
            "logprobs": [len(row) for row in found["rollout_logprobs"]] == lengths,
            "advantages": advantages[:, 0].tolist(),
            "lost": refused(generator.generate(batch([4], 2)[0])),
            "nameless": refused(generator.generate(nameless)),
        }
    )
)

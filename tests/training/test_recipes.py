"""The recipes of docs/training.md, word for word, against the trainers' own classes.

Each wants a Python that has the trainer, which does not fit beside the tests: SKYRL, VERL or TINKER
names one, with inward-training in it. Rollouts are played here, and asked for over loopback.
"""

import asyncio
import json
import os
import re
from pathlib import Path

import pytest
from inward_training.serve import served

DOCS = Path(__file__).parents[2] / "docs/training.md"
BEFORE = """
import asyncio, json, os
from collections import defaultdict
from types import SimpleNamespace
from typing import ClassVar

from inward_training import RemoteRollouts

URL = os.environ["ROLLOUTS"]
"""
SKYRL = """
from skyrl.train.generators.base import GeneratorInterface
from skyrl.train.utils.trainer_utils import validate_generator_output

RECIPE

extras = [{"index": index} for index in (0, 3, 0, 2)]
batch = {"env_extras": extras, "batch_metadata": SimpleNamespace(global_step=7)}
found = asyncio.run(InwardGenerator(URL).generate(batch))
validate_generator_output(len(extras), found)
print(json.dumps([found["rewards"], found["loss_masks"], found["stop_reasons"]]))
"""
VERL = """
from verl.experimental.agent_loop.agent_loop import (
    AgentLoopBase, AgentLoopMetrics, AgentLoopOutput, register,
)

RECIPE

async def main():
    loops = [InwardLoop.__new__(InwardLoop) for _ in range(4)]  # its base wants a whole trainer
    for loop in loops:
        loop.rollout_config = SimpleNamespace(response_length=16)
    found = await asyncio.gather(*(
        loop.run({}, index=index) for loop, index in zip(loops, (0, 3, 0, 2))
    ))
    print(json.dumps([
        [one.reward_score for one in found], [one.response_mask for one in found],
        [len(one.response_logprobs) == len(one.response_ids) for one in found],
    ]))

asyncio.run(main())
"""
TINKER = """
import tinker
from tinker_cookbook.completers import TokensWithLogprobs
from tinker_cookbook.rl.data_processing import assemble_training_data, compute_advantages
from tinker_cookbook.rl.types import Trajectory, TrajectoryGroup, Transition

async def main():
INDENTED
    return groups, data

groups, data = asyncio.run(main())
print(json.dumps([
    [group.get_total_rewards() for group in groups],
    [datum.model_input.length for datum in data],
    [sorted(set(datum.loss_fn_inputs["advantages"].data)) for datum in data],
]))
"""


def recipe(title: str) -> str:
    """The Python below a heading."""
    section = DOCS.read_text(encoding="utf-8").partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    [found] = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    return found


async def run(variable, script, url):
    python = os.environ.get(variable)
    if python is None:
        pytest.skip(f"{variable} names no Python with its trainer: the recipe was not run")
    env = {**os.environ, "ROLLOUTS": url, "PYTHONPATH": ""}
    process = await asyncio.create_subprocess_exec(
        python, "-c", BEFORE + script, env=env,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return json.loads(out.decode().splitlines()[-1])


@pytest.fixture
def policy(engine, make):
    """Right where an a is asked for, and in every second reply to a c."""
    turns = iter(range(100))

    def reply(text):
        return "a" if "Say a" in text else "c" if "Say c" in text and next(turns) % 2 else "x"

    return make(engine(reply))


async def test_skyrl(policy):
    async with policy as rollouts, served(rollouts) as url:
        script = SKYRL.replace("RECIPE", recipe("SkyRL"))
        rewards, masks, stops = await run("SKYRL", script, url)
        assert rollouts.weights == 7
    assert rewards[:3] == [1.0, 0.0, 1.0]
    assert all(mask == [1] * len(mask) for mask in masks)
    assert len(stops) == 4


async def test_verl(policy):
    async with policy as rollouts, served(rollouts) as url:
        rewards, masks, whole = await run("VERL", VERL.replace("RECIPE", recipe("verl")), url)
    assert rewards[:3] == [1.0, 0.0, 1.0]
    assert all(mask == [1] * len(mask) for mask in masks)
    assert whole == [True] * 4


async def test_tinker(policy):
    block = recipe("tinker-cookbook").replace("range(64), group_size=8", "[0, 2], group_size=4")
    block = block.replace('"http://127.0.0.1:8765"', "URL")
    indented = re.sub(r"^(?=.)", "    ", block, flags=re.MULTILINE)
    async with policy as rollouts, served(rollouts) as url:
        rewards, lengths, advantages = await run(
            "TINKER", TINKER.replace("INDENTED", indented), url
        )
    assert sorted(map(sorted, rewards)) == [[0.0, 0.0, 1.0, 1.0], [1.0] * 4]
    assert len(lengths) == len(advantages) == 8
    # Of the group that is all right nothing is learned; of the other half a reward up or down.
    learned = sorted({value for datum in advantages for value in datum if value})
    assert learned == [-0.5, 0.5]

"""The adapters for SkyRL, verl and tinker-cookbook, against the trainers' own classes.

Each wants a Python that has the trainer and httpx, which do not fit beside the tests: SKYRL, VERL
or TINKER names one. This checkout's inward-training is put before theirs. Rollouts are played here,
and asked for over loopback.
"""

import asyncio
import importlib
import json
import os
import re
import subprocess
import sys
from itertools import count
from pathlib import Path

import pytest
from inward_training import Failure, Group, RolloutsError
from inward_training.sequences import rows, turns
from inward_training.serve import served
from training.test_samples import sample as pictured

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs/training.md"
URL = "http://127.0.0.1:8765"
TRAINERS = {
    "skyrl": ("skyrl", 'pip install "skyrl[skyrl-train]>=0.4" inward-training'),
    "verl": ("verl", 'pip install "verl[verl-core]>=0.9" inward-training'),
    "tinker": ("tinker", 'pip install "tinker-cookbook>=0.6" inward-training'),
}


def blocks(title, language="python"):
    """The blocks of a language below a heading."""
    section = DOCS.read_text(encoding="utf-8").partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    return re.findall(rf"```{language}\n(.*?)```", section, re.DOTALL)


def here(block, url, folder):
    """A block with the address of this test's server, and its data set in the test's folder."""
    assert URL in block
    return block.replace(URL, url).replace("tasks.parquet", str(folder / "tasks.parquet"))


async def session(variable, **asked):
    """What the script of this trainer says, in the Python that the variable names."""
    python = os.environ.get(variable)
    if python is None:
        pytest.skip(f"{variable} names no Python with its trainer: the adapter was not run with it")
    script = Path(__file__).with_name(f"{variable.lower()}_session.py")
    process = await asyncio.create_subprocess_exec(
        python,
        script,
        env={**os.environ, "PYTHONPATH": str(ROOT / "training")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    out, err = await process.communicate(json.dumps(asked).encode())
    assert process.returncode == 0, err.decode()
    return json.loads(out.decode().splitlines()[-1])


@pytest.fixture
def policy(engine, make):
    """Right where an a is asked for, in every second reply to a c; of the replies to a d the first
    meets a fault of the environment, and so do all to an e."""
    cs, ds = count(), count()

    def reply(text):
        if "Say a" in text:
            return "a"
        if "Say c" in text:
            return "c" if next(cs) % 2 else "x"
        if "Say d" in text:
            return "d" if next(ds) else "fault"
        return "fault" if "Say e" in text else "x"

    return make(engine(reply))


def check_sequences(said):
    """Of four rollouts each to an a, a c and a d."""
    rewards, advantages = said["rewards"], said["advantages"]
    assert rewards[:4] == [1.0] * 4
    assert sorted(rewards[4:8]) == [0.0, 0.0, 1.0, 1.0]
    # The one that failed stands at its siblings' mean: nobody's advantage is moved by it.
    assert rewards[8:] == [1.0] * 4
    assert sorted(advantages) == [-0.5, -0.5, *[0.0] * 8, 0.5, 0.5]
    assert "all its rollouts in this batch failed" in said["lost"]
    assert "the scoring service is down" in said["lost"]
    assert "names no task" in said["nameless"]


@pytest.mark.timeout(600)
async def test_skyrl(policy, tokenizer, tmp_path):
    async with policy as rollouts, served(rollouts) as url:
        said = await session(
            "SKYRL",
            block=here("\n".join(blocks("SkyRL")), url, tmp_path),
            tasks=[0, 2, 3],
            tokenizer=str(tokenizer),
            folder=str(tmp_path),
        )
        assert rollouts.weights == 7
    check_sequences(said)
    assert sorted(sum(mask) == 0 for mask in said["masks"]) == [False] * 11 + [True]
    assert said["stops"].count("failed") == 1
    assert said["logprobs"]
    assert said["metrics"]["generate/failed_rollouts"] == 1
    assert said["metrics"]["environment/mean_right"] == pytest.approx(9 / 11)


@pytest.mark.timeout(900)
async def test_verl(policy, tokenizer, tmp_path):
    async with policy as rollouts, served(rollouts) as url:
        said = await session(
            "VERL",
            block=here(*blocks("verl"), url, tmp_path),
            loop=here(*blocks("verl", "yaml"), url, tmp_path),
            tasks=[0, 2, 3],
            tokenizer=str(tokenizer),
            folder=str(tmp_path),
        )
    check_sequences(said)
    assert sorted(n == 0 for n in said["sampled"]) == [False] * 11 + [True]
    assert [b >= a for a, b in zip(said["sampled"], said["logprobs"], strict=True)] == [True] * 12
    assert "num_workers is 8" in said["workers"]


@pytest.mark.timeout(600)
async def test_tinker(policy, tmp_path):
    async with policy as rollouts, served(rollouts) as url:
        block = here(*blocks("tinker-cookbook"), url, tmp_path)
        block = block.replace("range(64), group_size=8", "[0, 2], group_size=4")
        said = await session("TINKER", url=url, block=block)
        assert rollouts.weights == 7
    assert said["documented"] == 8
    assert [sorted(group) for group in said["rewards"]] == [
        [1.0] * 4,
        [0.0, 0.0, 1.0, 1.0],
        [1.0] * 3,
    ]
    assert said["errors"] == [[], [], ["TaskError"]]
    learned = {value for datum in said["data"] for value in datum["advantages"] if value}
    assert len(said["data"]) == 11
    assert learned == {-0.5, 0.5}
    [datum] = said["turns"]
    assert datum["tokens"] == [1, 2, 3, 4, 5]
    assert datum["mask"] == [1, 0, 0, 1, 1]
    assert datum["logprobs"] == [-0.5, 0, 0, -0.5, -0.5]
    # The rollout of two branches counts once in the mean, and trains both.
    found = [(datum["of"], datum["advantages"]) for datum in said["branches"]]
    assert found == [([0, 0], [0.5]), ([0, 0], [0.5]), ([0, 1], [-0.5])]
    assert [datum["advantages"] for datum in said["seats"]] == [[-0.5], [0.5], [0.0], [0.0]]
    assert "pictures" in said["pictures"]
    assert "the scoring service is down" in said["lost"]


@pytest.mark.parametrize("name", TRAINERS)
def test_without_its_trainer_an_adapter_names_the_install_command(name, monkeypatch):
    package, command = TRAINERS[name]
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(sys.modules, f"inward_training.{name}", raising=False)
    with pytest.raises(ImportError, match=re.escape(command)) as raised:
        importlib.import_module(f"inward_training.{name}")
    assert f"inward_training.{name} needs {package}" in str(raised.value)
    assert command in DOCS.read_text(encoding="utf-8")


def sample(reward=1.0, **changes):
    return pictured(reward, images=(), **changes)


def group(*samples, index=0, failures=(), planned=1):
    return Group("g", f"task {index}", index, samples, planned, failures)


LOST = (Failure("TaskError", "the service is down"),)


def test_a_failed_rollout_takes_the_mean_of_its_siblings_and_trains_nothing():
    played = [
        group(sample(0.25)),
        group(failures=LOST),
        group(sample(0.75)),
        group(sample(3.0), index=1),
    ]
    found = rows(played, "a trainer")
    assert [row.reward for row in found] == [0.25, 0.5, 0.75, 3.0]
    assert [row.mask for row in found] == [[1, 0, 1], [0], [1, 0, 1], [1, 0, 1]]
    assert (found[1].prompt_ids, found[1].completion_ids) == ([1, 2], [3])
    assert (found[1].logprobs, found[1].sample) == ([-0.5], None)


def test_where_rewards_are_equal_the_failed_one_has_exactly_theirs():
    played = [*(group(sample(0.1)) for _ in range(3)), group(failures=LOST)]
    assert {row.reward for row in rows(played, "a trainer")} == {0.1}


PICTURES = pictured(images=("data:,", "data:,"))


@pytest.mark.parametrize(
    ("played", "words"),
    [
        ([group(sample()), group(index=1, failures=LOST)], "TaskError: the service is"),
        ([group(PICTURES)], "task 0 shows 2 pictures, and a trainer is handed none"),
        ([group(sample(), sample())], "2 branches, and a trainer takes one"),
        ([group(planned=3)], "plays 3 rollouts in each episode"),
    ],
)
def test_what_a_trainer_of_one_sequence_cannot_take_is_refused(played, words):
    with pytest.raises(RolloutsError, match=re.escape(words)):
        rows(played, "a trainer")


@pytest.mark.parametrize(
    ("mask", "found"),
    [([1], [(0, 1)]), ([1, 1, 0, 0, 1], [(0, 2), (4, 5)]), ([1, 0], [(0, 1)])],
)
def test_turns_are_the_stretches_that_were_sampled(mask, found):
    mask = tuple(map(bool, mask))
    n = len(mask)
    one = sample(completion_ids=(3,) * n, logprobs=(0.0,) * n, loss_mask=mask)
    assert turns(one) == found

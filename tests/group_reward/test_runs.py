"""Group rewards over a taskset that is not ours, by real `vf-eval`, and again by `vf-replay`."""

from __future__ import annotations

import itertools

import pytest
import verifiers.v1 as vf
from inward_chat.testing import PolicyServer
from inward_rewards.group_rewards import METHODS
from pydantic import ValidationError
from support.runs import call, episodes, vf_eval

TASKSET = """
import verifiers.v1 as vf

__all__ = ["HalvesTaskset"]


class HalvesData(vf.TaskData):
    answer: str


class HalvesTask(vf.Task[HalvesData]):
    @vf.reward
    async def right(self, trace) -> float:
        return float(f"<answer>{self.data.answer}</answer>" in trace.last_reply)


class HalvesTaskset(vf.Taskset[HalvesTask]):
    def load(self):
        return [
            HalvesTask(HalvesData(prompt=f"Half of {n}?", answer=str(n / 2)), self.config.task)
            for n in range(3)
        ]
"""
GROUP = ("--env.id", "group-reward", "--env.group", "4")


@pytest.fixture
def halves(tmp_path, monkeypatch):
    (tmp_path / "halves.py").write_text(TASKSET)
    monkeypatch.syspath_prepend(tmp_path)
    return "halves"


def students():
    """Of four siblings one is right."""
    seen = {}

    def policy(body):
        prompt = body["messages"][-1]["content"]
        turn = next(seen.setdefault(prompt, itertools.count()))
        n = int(prompt.split()[-1].rstrip("?"))
        answer = [str(n), f"{n}.0", str(n / 2), "100"][turn % 4]
        return {"content": f"<think>we know that</think><answer>{answer}</answer>"}

    return policy


def test_votes_and_their_replay(tmp_path, halves):
    with PolicyServer(students()) as server:
        found = vf_eval(
            *(halves, server, *GROUP, "--env.reward", "majority"),
            *("--env.taskset.task.rewards.right.weight", "0"),
            *("--env.taskset.task.rewards.group_reward.weight", "0.5"),
            cwd=tmp_path,
        )
    assert len(found) == 3
    for episode in found:
        traces = episode["traces"]
        assert all(trace["ok"] for trace in traces), [trace["errors"] for trace in traces]
        assert sorted(trace["info"]["sibling"] for trace in traces) == [0, 1, 2, 3]
        paid = [trace["rewards"]["group_reward"] for trace in traces]
        # The wrong double stands twice, the right half and 100 once; half of 0 is 0 as well.
        zero = traces[0]["task"]["data"]["prompt"] == "Half of 0?"
        assert sum(one["score"] for one in paid) == (3 if zero else 2)
        assert {one["weight"] for one in paid} == {0.5}
        shares = {trace["metrics"]["group_reward_majority_share"] for trace in traces}
        assert shares == {0.75 if zero else 0.5}
    done = call("vf-replay", "outputs/run", "--output-dir", "replay", "--no-rich", cwd=tmp_path)
    assert done.code == 0, done.err
    again = {t["id"]: t for e in episodes(tmp_path / "replay") for t in e["traces"]}
    for trace in (trace for episode in found for trace in episode["traces"]):
        assert again[trace["id"]]["rewards"] == trace["rewards"]
        assert again[trace["id"]]["metrics"] == trace["metrics"]


def test_a_flipped_group_has_its_rewards_turned_round(tmp_path, halves):
    with PolicyServer(students()) as server:
        found = vf_eval(
            *(halves, server, *GROUP, "--env.reward", "noisy", "--env.gate-reward", "right"),
            *("--env.noisy.probability", "1", "-n", "1"),
            cwd=tmp_path,
        )
    for trace in found[0]["traces"]:
        rewards = trace["rewards"]
        assert rewards["group_reward"]["score"] == 1 - rewards["right"]["score"]
        assert (rewards["right"]["weight"], rewards["group_reward"]["weight"]) == (0, 1)


def config(taskset, **fields):
    return vf.resolve_env_config({"id": "group-reward", "taskset": {"id": taskset}, **fields})


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({}, r"reward is not set: name one with --env.reward \(majority, semantic"),
        ({"reward": "votes"}, "reward"),
        ({"reward": "majority", "group": 1}, "set --env.group to 2 or more, not 1"),
        ({"reward": "noisy"}, r"--env.gate-reward \('halves' has 'right'\)"),
        ({"reward": "noisy", "gate_reward": "good"}, "'good' is no reward of the taskset"),
        ({"reward": "rent"}, "'rent' is made of token_entropy: set --env.entropy.source"),
        ({"reward": "rent", "entropy": {"source": "live"}}, "\"transformers\", not 'live'"),
        ({"reward": "random", "entropy": {"source": "vllm"}}, "'random' measures nothing"),
        ({"reward": "random", "noisy": {"probability": 0.5}}, "noisy is a setting of noisy"),
        ({"reward": "noisy", "gate_reward": "right", "noisy": {"probability": 2}}, "probability"),
    ],
)
def test_a_config_that_does_not_fit_is_one_line(halves, fields, complaint):
    with pytest.raises(ValidationError, match=complaint):
        config(halves, **fields)


def test_a_gate_that_takes_no_weight_is_named(tmp_path, monkeypatch):
    style = "dict[str, float]"
    text = TASKSET.replace("-> float", f"-> {style}").replace(
        "return float(", 'return {"found": 1.0} or float('
    )
    (tmp_path / "open_halves.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ValidationError, match="'found' is no function of the taskset whose weight"):
        config("open_halves", reward="noisy", gate_reward="found")
    assert config("open_halves", reward="random").reward == "random"


def test_every_reward_has_a_row_in_the_docs():
    from pathlib import Path

    table = (Path(__file__).parents[2] / "docs" / "rewards.md").read_text()
    assert [name for name in METHODS if f"`{name}`" not in table] == []

"""What is refused before the first rollout, in one line that names the mend."""

from __future__ import annotations

import json

import pytest
import verifiers.v1 as vf
from inward_chat.testing import PolicyServer
from pydantic import ValidationError
from support.runs import call

TASKSET = """
from typing import Literal

import verifiers.v1 as vf

__all__ = [{exports}]


class PlainTask(vf.Task[vf.TaskData]):
    @vf.reward
    async def solved(self, trace) -> float:
        return 1.0

    @vf.reward(weight=0.5)
    async def {name}(self, trace) -> {style}:
        return 0.5


class PlainTaskset(vf.Taskset[PlainTask]):
    def load(self):
        return [PlainTask(vf.TaskData(prompt="Say yes."), self.config.task)]


class OwnHarness(vf.Harness[vf.HarnessConfig]):
    async def launch(self, *args, **kwargs):
        raise NotImplementedError
"""


@pytest.fixture
def taskset(tmp_path, monkeypatch):
    """Write a taskset of the given reward annotation, and return its id."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(module: str, style: str = "float", **parts: str) -> str:
        parts = {"exports": '"PlainTaskset"', "name": "style", "style": style, **parts}
        (tmp_path / f"{module}.py").write_text(TASKSET.format(**parts))
        return module

    return write


def config(taskset: str, **fields):
    return vf.resolve_env_config(
        {"id": "entropy-group", "taskset": {"id": taskset}, "group": 4, **fields}
    )


@pytest.mark.parametrize(
    ("style", "fields", "complaint"),
    [
        ("float", {}, r"--env.gate-reward \('{id}' has 'solved', 'style'\), or open the gate"),
        (
            "float",
            {"gate_reward": "correct"},
            "'correct' is no reward of the taskset: '{id}' has 'solved', 'style'",
        ),
        ("float", {"gate": "none", "zscore_over": "correct"}, "gate_reward is not set"),
        (
            "dict[Literal['short', 'plain'], float]",
            {"gate_reward": "style"},
            "'style' is no reward of the taskset: '{id}' has 'plain', 'short', 'solved'",
        ),
        ("float", {"gate_reward": "solved", "gate_threshold": "nan"}, "gate_threshold"),
        (
            "float",
            {"gate_reward": "solved", "group": 3, "entropy": {"normalise": "residual"}},
            "a group of 3 is too small for one: set --env.group to 4 or more",
        ),
        ("float", {"gate_reward": "solved", "entropy": {"source": "cloud"}}, "entropy.source"),
    ],
)
def test_a_config_that_does_not_fit_the_taskset(taskset, request, style, fields, complaint):
    name = taskset(f"plain_{abs(hash(request.node.name))}", style)
    with pytest.raises(ValidationError, match=complaint.replace("{id}", name)):
        config(name, **fields)


@pytest.mark.parametrize("style", ["dict[str, float]", "'Unknown'"])
def test_a_name_that_cannot_be_known_yet_is_not_refused(taskset, request, style):
    name = taskset(f"open_{abs(hash(request.node.name))}", style)
    assert config(name, gate_reward="from_the_dict").gate_reward == "from_the_dict"


def test_what_the_config_plugs_in_counts_as_a_reward(taskset):
    plugged = {"maths": {"fn": "inward_rewards.plugins:maths"}}
    name = taskset("plugged_taskset")
    found = vf.resolve_env_config(
        {
            "id": "entropy-group",
            "taskset": {"id": name, "task": {"rewards": plugged}},
            "gate_reward": "maths",
        }
    )
    assert set(found.taskset.task.rewards) == {"maths", "entropy_bonus"}


def test_a_reward_of_the_same_name_is_refused(taskset):
    name = taskset("same_name", name="entropy_bonus")
    with pytest.raises(ValidationError, match="pays a reward 'entropy_bonus' of its own"):
        config(name, gate_reward="solved")


def test_a_saved_config_is_read_again_as_it_was(taskset):
    """A resumed run compares the two word for word."""
    first = config(taskset("saved_taskset"), gate_reward="solved")
    saved = json.loads(first.model_dump_json())
    assert vf.resolve_env_config(saved).model_dump() == first.model_dump()


def test_a_harness_of_the_tasksets_own_is_taken_by_name_only(taskset):
    name = taskset("own_harness", exports='"PlainTaskset", "OwnHarness"')
    with pytest.raises(ValidationError, match=r"brings a harness of its own: take it with --env\."):
        config(name, gate_reward="solved")
    chosen = config(name, gate_reward="solved", agent={"harness": {"id": "inward-chat"}})
    assert chosen.agent.harness.id == "inward-chat"
    assert config(taskset("no_harness"), gate_reward="solved").agent.harness.id == "inward-chat"
    # Ours bring our own.
    ours = config("math500-entropy", gate_reward="correct")
    assert ours.agent.harness.id == "inward-chat"


def test_the_command_ends_in_one_line(tmp_path, taskset):
    name = taskset("one_line")
    done = call(
        *("vf-eval", name, "--env.id", "entropy-group", "--env.group", "2"),
        *("--env.gate-reward", "correct", "-m", "policy"),
        cwd=tmp_path,
    )
    assert done.code != 0
    told = " ".join((done.out + done.err).split())
    assert "gate_reward 'correct' is no reward of the taskset" in told
    assert "Traceback" not in told


def test_without_hidden_states_it_is_the_taskset_alone(tmp_path, taskset):
    name = taskset("no_states")
    asked = []

    def policy(body):
        asked.append(body)
        return {"content": "yes"}

    with PolicyServer(policy) as server:
        done = call(
            *("vf-eval", name, "--env.id", "entropy-group", "--env.group", "2"),
            *("--env.gate-reward", "solved", "-m", "policy", "--client.base-url", server.base_url),
            *("--no-push", "--no-rich", "--run.name", "run"),
            cwd=tmp_path,
        )
    assert done.code == 0, done.err
    [line] = (tmp_path / "outputs" / "run" / "traces.jsonl").read_text().splitlines()
    traces = json.loads(line)["traces"]
    assert len(traces) == len(asked) == 2
    assert all(set(trace["rewards"]) == {"solved", "style"} for trace in traces)
    assert not any("return_token_ids" in body for body in asked)

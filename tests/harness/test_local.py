"""The local environment: what a run resolves to, and one real `vf-eval` of it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import verifiers.v1 as vf
from inward_chat import InwardChat, LocalEnv, LocalEnvConfig, local_agent
from inward_chat.errors import ToolServerError
from inward_chat.testing import PolicyServer, tool_call
from verifiers.v1.trace import Error
from verifiers.v1.utils.retries import RetryState


def test_the_package_is_a_harness_and_an_environment_by_id() -> None:
    assert vf.environment_class("", "inward-chat") is LocalEnv
    config = vf.resolve_env_config({"id": "inward-chat", "taskset": {"id": "probe"}})
    env = vf.load_environment(config)
    assert isinstance(env, LocalEnv)
    assert isinstance(env._harnesses["agent"], InwardChat)


def test_a_taskset_brings_it_along_in_two_lines() -> None:
    config = vf.resolve_env_config({"taskset": {"id": "counting"}})
    assert config.agent.max_turns == 3
    assert config.agent.harness.id == "inward-chat"
    assert config.agent.runtime.type == "subprocess"
    assert config.agent.retries == local_agent().retries


def test_flags_override_single_defaults() -> None:
    agent = {"max_turns": 5, "harness": {"tool_timeout": 7.0}}
    config = vf.resolve_env_config({"taskset": {"id": "counting"}, "agent": agent})
    assert config.agent.max_turns == 5
    assert config.agent.harness.tool_timeout == 7.0
    assert config.agent.harness.id == "inward-chat"
    assert config.agent.runtime.type == "subprocess"
    other = vf.resolve_env_config(
        {"taskset": {"id": "counting"}, "agent": {"harness": {"id": "null"}}}
    )
    assert other.agent.harness.id == "null"
    assert other.agent.max_turns == 3


def recorded(error: Exception, status: int | None = None) -> Error:
    message = f"harness 'inward-chat': {type(error).__name__}: {error}"
    kind = "HarnessError" if isinstance(error, ToolServerError) else type(error).__name__
    return Error(type=kind, message=message, status_code=status)


@pytest.mark.parametrize(
    ("error", "repeated"),
    [
        (recorded(ToolServerError("gone")), True),
        (recorded(vf.InterceptionError("cut")), True),
        (recorded(vf.ProviderError("busy"), 503), True),
        (recorded(vf.ProviderError("slow down"), 429), True),
        (recorded(vf.ProviderError("no such model"), 404), False),
        (recorded(vf.TaskError("a reward's bug")), False),
        (Error(type="HarnessError", message="harness 'inward-chat': KeyError: 'x'"), False),
    ],
)
def test_only_transport_faults_are_rerun_and_once(error: Error, repeated: bool) -> None:
    state = RetryState(LocalEnvConfig(taskset={"id": "probe"}).agent.retries)
    assert (state.next_error([error]) is error) is repeated
    assert state.next_error([error]) is None


def test_vf_eval_needs_no_further_flag(tmp_path: Path) -> None:
    def policy(body: dict[str, object]) -> dict[str, object]:
        if body["messages"][-1]["role"] == "tool":
            return {"content": "done"}
        return {"content": None, "tool_calls": [tool_call("count_note", {"word": "a"}, "c")]}

    with PolicyServer(policy) as server:
        command = [
            *(str(Path(sys.executable).with_name("vf-eval")), "counting", "-n", "4"),
            *("-m", "policy", "--client.base-url", server.base_url),
            *("--no-push", "-o", str(tmp_path), "--no-rich"),
        ]
        run = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert run.returncode == 0, run.stderr
    assert "Unclosed" not in run.stdout + run.stderr
    [traces] = tmp_path.rglob("traces.jsonl")
    episodes = [json.loads(line) for line in traces.read_text().splitlines()]
    assert len(episodes) == 4
    for episode in episodes:
        [trace] = episode["traces"]
        assert trace["ok"]
        assert trace["metrics"] == {"noted": 1.0}

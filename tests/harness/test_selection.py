"""What plays is what was asked for: the harness, and every other choice that a config makes."""

import sys
from pathlib import Path
from typing import Any

import pytest
import verifiers.v1 as vf
from inward_chat import InwardChat, InwardChatConfig, LocalEnvConfig
from inward_chat.testing import PolicyServer
from inward_retrieval import ApiConfig, Bm25Config, DenseConfig, HybridConfig
from inward_retrieval.config import ApiEmbedderConfig, LocalEmbedderConfig
from math500_entropy.taskset import Math500EntropyConfig
from pydantic_config import cli
from quality_rag.search import SearchConfig
from quality_rag.taskset import QualityRagConfig
from support.runs import call
from verifiers.v1.cli.resolve import narrow_config, plugin_errors, with_positional_taskset
from verifiers.v1.configs.cli.eval import EvalConfig

OURS = ("quality-rag", "math500-entropy", "chart-spec")
ENVIRONMENTS = (*OURS, "counting")
UNASKED = "executes code on this machine, and was not asked for by name"


def parsed(monkeypatch: pytest.MonkeyPatch, *words: str) -> EvalConfig:
    """The run's config as `vf-eval` builds it."""
    argv = with_positional_taskset(list(words))
    monkeypatch.setattr(sys, "argv", ["vf-eval", *argv])
    with plugin_errors():
        return cli(narrow_config(EvalConfig, argv))


def harness_of(config: vf.EnvConfig) -> vf.Harness[Any]:
    """The harness that the environment really plays with, here and in an env worker."""
    worker = vf.load_environment(vf.resolve_env_config(config.model_dump()))
    here = vf.load_environment(config)
    assert type(worker._harnesses["agent"]) is type(here._harnesses["agent"])
    return here._harnesses["agent"]


OPTIONS = {
    "nothing": (),
    "another setting of the seat": ("--env.agent.max-turns", "5"),
    "another setting of the harness": ("--env.agent.harness.tool-timeout", "7"),
}


@pytest.mark.parametrize("env", ENVIRONMENTS)
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_each_environment_plays_inward_chat(
    monkeypatch: pytest.MonkeyPatch, env: str, options: tuple[str, ...]
) -> None:
    config = parsed(monkeypatch, env, *options).env
    assert type(harness_of(config)) is InwardChat


@pytest.mark.parametrize("env", OURS)
@pytest.mark.parametrize(
    "block",
    [
        {"id": "best-of-n"},
        {"id": "best-of-n", "agent": {"max_turns": 3}},
        {"agent": {"harness": None}},
    ],
    ids=str,
)
def test_no_other_environment_brings_a_shell(env: str, block: dict[str, Any]) -> None:
    config = vf.resolve_env_config({"taskset": {"id": env}, **block})
    assert type(harness_of(config)) is InwardChat


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_a_file_that_names_no_harness_changes_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, env: str
) -> None:
    file = tmp_path / "run.toml"
    file.write_text(f'[env.taskset]\nid = "{env}"\n[env.agent]\nmax_turns = 3\n')
    config = parsed(monkeypatch, "@", str(file)).env
    assert config.agent.max_turns == 3
    assert type(harness_of(config)) is InwardChat


@pytest.mark.parametrize("harness", [InwardChatConfig(), InwardChatConfig(id="inward-chat")])
def test_a_seat_made_in_code_keeps_its_harness(harness: InwardChatConfig) -> None:
    seat = vf.AgentConfig(harness=harness, runtime=vf.SubprocessConfig())
    assert type(seat.harness) is InwardChatConfig
    assert harness.model_dump(exclude_unset=True) == {"id": "inward-chat"}


class LostConfig(LocalEnvConfig):
    """A seat whose harness has lost its id, as verifiers leaves it."""

    agent: vf.AgentConfig = vf.AgentConfig(
        harness=vf.HarnessConfig(), runtime=vf.SubprocessConfig()
    )


PROBE = {"taskset": {"id": "probe"}}


@pytest.mark.parametrize(
    ("cls", "data"),
    [
        (LostConfig, {}),
        (LostConfig, {"agent": {"max_turns": 3}}),
        (LostConfig, {"agent": {"harness": {"tool_timeout": 7.0}}}),
        (LocalEnvConfig, {"agent": {"harness": None}}),
        (LocalEnvConfig, {"agent": {"harness": {"id": ""}}}),
        (LocalEnvConfig, {"agent": {"harness": vf.HarnessConfig()}}),
        (LocalEnvConfig, {"agent": vf.AgentConfig()}),
        (LocalEnvConfig, {"agent": vf.AgentConfig(harness=vf.HarnessConfig())}),
    ],
)
def test_a_shell_that_nobody_named_is_refused(
    cls: type[LocalEnvConfig], data: dict[str, Any]
) -> None:
    block = {**PROBE, **data}
    for _ in range(2):  # also where a first reading has left its defaults in the input
        with pytest.raises(ValueError, match=UNASKED) as refusal:
            cls.model_validate(block)
        assert "--env.agent.harness.id" in str(refusal.value)


@pytest.mark.parametrize("harness", ["bash", "null", "inward-chat"])
@pytest.mark.parametrize("env", ["quality-rag", "probe"])
def test_a_harness_asked_for_by_name_plays(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, env: str, harness: str
) -> None:
    file = tmp_path / "run.toml"
    file.write_text(
        f'[env]\nid = "inward-chat"\n[env.taskset]\nid = "{env}"\n'
        f'[env.agent.harness]\nid = "{harness}"\n'
    )
    options = ("--env.id", "inward-chat", "--env.agent.harness.id", harness)
    for config in (
        parsed(monkeypatch, env, *options).env,
        parsed(monkeypatch, "@", str(file)).env,
        LocalEnvConfig(id="inward-chat", taskset={"id": env}, agent={"harness": {"id": harness}}),
    ):
        assert harness_of(config).config.id == harness


@pytest.mark.parametrize("script", ["vf-eval", "inward"])
def test_the_refusal_is_one_line_and_no_rollout_starts(tmp_path: Path, script: str) -> None:
    asked: list[object] = []

    def policy(body: dict[str, Any]) -> dict[str, Any]:
        asked.append(body)
        return {"content": "done"}

    with PolicyServer(policy) as server:
        command = [script] if script == "vf-eval" else [script, "eval"]
        done = call(
            *command, "probe", "--env.id", "inward-chat", "--env.agent.harness.id", "",
            "-m", "policy", "--client.base-url", server.base_url, "--no-push",
            cwd=tmp_path,
        )  # fmt: skip
    assert done.code != 0
    assert not asked
    # verifiers draws a box around it.
    told = " ".join((done.out + done.err).translate(dict.fromkeys(range(0x2500, 0x2580))).split())
    assert UNASKED in told
    assert "Traceback" not in told
    assert not list(tmp_path.rglob("traces.jsonl"))


@pytest.mark.parametrize(
    "setting",
    [
        {"env": {"A": "1"}},
        {"forward_env": ["HOME"]},
        {"mcp_header_env": {"search": {"Authorization": "TOKEN"}}},
        {"disabled_tools": ["search"]},
        {"dialect": "responses"},
    ],
    ids=str,
)
def test_a_setting_that_would_do_nothing_is_refused(setting: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(setting))):
        InwardChatConfig(**setting)


RETRIEVERS = [
    Bm25Config(k1=1.5),
    DenseConfig(chunk_words=80),
    ApiConfig(model="m"),
    HybridConfig(),
    HybridConfig(embedder=ApiEmbedderConfig(model="m")),
    HybridConfig(embedder=LocalEmbedderConfig(device="cpu")),
]


@pytest.mark.parametrize("retriever", RETRIEVERS, ids=repr)
def test_a_retriever_made_in_code_is_the_one_that_searches(retriever: Any) -> None:
    tools = SearchConfig(retriever=retriever)
    taskset = QualityRagConfig(id="quality-rag", split="sample", tools=tools)
    # What verifiers keeps of a config: the fields that were set.
    again = QualityRagConfig.model_validate(taskset.model_dump(exclude_unset=True))
    assert again.tools.retriever == retriever
    config = vf.resolve_env_config({"taskset": taskset})
    assert config.taskset.tools.retriever == retriever


@pytest.mark.parametrize("runtime", [vf.SubprocessConfig(), vf.DockerConfig(image="an-image")])
def test_a_tool_server_runs_where_the_code_says(runtime: Any) -> None:
    tools = SearchConfig(runtime=runtime)
    again = SearchConfig.model_validate(tools.model_dump(exclude_unset=True))
    assert again.runtime == runtime
    taskset = QualityRagConfig(id="quality-rag", split="sample", tools=tools)
    assert vf.resolve_env_config({"taskset": taskset}).taskset.tools.runtime == runtime


def test_a_task_config_made_in_code_is_the_one_that_scores() -> None:
    task = {"mode": "current", "entropy": {"source": "vllm"}}
    taskset = Math500EntropyConfig(id="math500-entropy", split="sample", task=task)
    config = vf.resolve_env_config({"taskset": taskset})
    assert config.taskset.task == taskset.task

"""The whole way with hidden states: a tiny Qwen plays and is read, and the bonus is recomputed."""

from __future__ import annotations

import math
import random
from pathlib import Path
from typing import Any

import pytest
import verifiers.v1 as vf
from verifiers.v1.utils.trace_store import read_episodes

# Several processes that import torch: minutes on a busy machine.
pytestmark = [pytest.mark.models, pytest.mark.timeout(900)]
pytest.importorskip("torch", reason="hidden states need torch (group `models`)")

from inward_chat.testing import HttpReply  # noqa: E402
from math500_entropy.data import load_problems  # noqa: E402
from math500_entropy.taskset import (  # noqa: E402
    Math500Data,
    Math500EntropyTask,
    Math500EntropyTaskConfig,
)
from rewards.runs import play  # noqa: E402
from rewards.tiny_qwen import PluginEngine, TinyQwen  # noqa: E402
from support.runs import call, vf_eval  # noqa: E402

from rewards import recompute  # noqa: E402

GOLD = {problem.problem: problem.answer for problem in load_problems("sample")}
WORDS = "so the sum of x and y is 12 then 24 square roots let us factor it again".split()
ENTROPY = "--env.taskset.task.entropy"


def student(seed: int = 0):
    """Replies of every length, two thirds of them right, some without the layout."""
    draw = random.Random(seed)

    def reply(prompt: str) -> str:
        question = next(problem for problem in GOLD if problem in prompt)
        thought = " ".join(draw.choices(WORDS, k=draw.randint(3, 60)))
        answer = GOLD[question] if draw.random() < 0.67 else "no idea"
        layout = "<think>{}</think><answer>{}</answer>" if draw.random() < 0.9 else "{} {}"
        return layout.format(thought, answer)

    return reply


MODES = {
    "combined": {"correct", "format", "entropy"},
    "current": {"correct", "format"},
    "entropy_only": {"entropy"},
}
"""Mode -> the rewards that count."""


def config(source: dict[str, Any], group: int = 4, **task: Any) -> dict[str, Any]:
    taskset = {"id": "math500-entropy", "split": "sample", "task": {"entropy": source, **task}}
    return {"taskset": taskset, "group": group}


def transformers(model: Path) -> dict[str, Any]:
    return {"source": "transformers", "model": str(model)}


def rollouts(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    traces = [trace for episode in found for trace in episode["traces"]]
    assert all(trace["ok"] for trace in traces), [t["errors"] for t in traces if not t["ok"]]
    return traces


def check_mode(traces: list[dict[str, Any]], mode: str) -> None:
    for trace in traces:
        assert set(trace["rewards"]) == {"correct", "format", "entropy"}
        weights = {name: reward["weight"] for name, reward in trace["rewards"].items()}
        assert {name for name, weight in weights.items() if weight} == MODES[mode]


def check_recomputed(run: Path, model: Path, rewarded: int) -> None:
    entropy, bonus, found = recompute.largest_difference(run / "traces.jsonl", str(model))
    assert found >= rewarded
    assert entropy < 1e-5
    assert bonus < 1e-6


@pytest.mark.parametrize("mode", MODES)
def test_vf_eval_with_a_group_of_four(tmp_path, tiny_qwen, mode):
    with TinyQwen(tiny_qwen, student()).server(model="tiny") as server:
        found = vf_eval(
            *("math500-entropy", server, "-n", "6", "--env.taskset.split", "sample"),
            *("--env.group", "4", "--env.taskset.task.mode", mode),
            *("--env.taskset.task.entropy.source", "transformers"),
            *("--env.taskset.task.entropy.model", str(tiny_qwen)),
            cwd=tmp_path,
        )
    run = tmp_path / "outputs" / "run"
    traces = rollouts(found)
    assert len(traces) == 24
    check_mode(traces, mode)
    check_recomputed(run, tiny_qwen, rewarded=8)
    log = (run / "logs" / "latest" / "eval.log").read_text()
    assert "played now: normalised entropy of 24 rollouts: right " in log
    assert "correlation with length " in log


def test_the_end_of_a_run_counts_no_attempt_that_a_retry_replaced(tmp_path, tiny_qwen):
    """The engine fails once: its sibling was measured, and is played again with it."""
    engine, asked = PluginEngine(tiny_qwen, layers="middle:10"), []

    def flaky(body):
        asked.append(body)
        return HttpReply(500, "out of memory") if len(asked) == 1 else engine(body)

    with TinyQwen(tiny_qwen, student()).server(posts={"/v1/completions": flaky}) as server:
        found = vf_eval(
            *("math500-entropy", server, "-n", "2", "--env.taskset.split", "sample"),
            *("--env.group", "2", "--env.retries.max-retries", "1"),
            *("--env.taskset.task.entropy.source", "vllm"),
            cwd=tmp_path,
        )
    assert len(asked) == 6
    assert len(rollouts(found)) == 4
    log = (tmp_path / "outputs" / "run" / "logs" / "latest" / "eval.log").read_text()
    assert "played now: raw entropy of 4 rollouts: right " in log


def test_the_report(tmp_path, tiny_qwen):
    with TinyQwen(tiny_qwen, student()).server(model="tiny") as server:
        done = call(
            *("inward", "eval", "math500-entropy", "-m", "tiny", "-n", "8"),
            *("--client.base-url", server.base_url, "--env.taskset.split", "sample"),
            *("--env.group", "2", "--env.taskset.task.entropy.source", "transformers"),
            *("--env.taskset.task.entropy.model", str(tiny_qwen)),
            cwd=tmp_path,
        )
    assert done.code == 0, done.err
    rows = {
        cells[1].strip(): cells[2].strip()
        for line in done.out.splitlines()
        if len(cells := line.split("│")) > 3
    }
    assert 0 < float(rows["accuracy"]) <= 1
    assert 0 < float(rows["well formed"]) <= 1
    assert float(rows["tokens per reply"]) > 5
    assert 0 <= float(rows["accuracy, level 5"]) <= 1
    assert 0 <= float(rows["accuracy, Algebra"]) <= 1
    assert "entropy of 16 rollouts: right " in " ".join(done.out.split())


async def test_the_train_client(tmp_path, tiny_qwen):
    with TinyQwen(tiny_qwen, student(1)).server() as server:
        client = vf.TrainClientConfig(
            base_url=server.base_url,
            renderer={"name": "qwen3"},
            renderer_model_name=str(tiny_qwen),
        )
        found = await play(tmp_path / "run", config(transformers(tiny_qwen)), client, tasks=4)
    traces = rollouts(found)
    assert "token_ids" not in traces[0]["info"]
    assert {trace["metrics"]["measures_policy"] for trace in traces} == {0.0}
    check_recomputed(tmp_path / "run", tiny_qwen, rewarded=4)


async def test_the_policys_own_engine(tmp_path, tiny_qwen):
    engine = PluginEngine(tiny_qwen, layers="middle:10")
    with TinyQwen(tiny_qwen, student(2)).server(posts={"/v1/completions": engine}) as server:
        client = vf.EvalClientConfig(base_url=server.base_url)
        found = await play(tmp_path / "run", config({"source": "vllm"}), client, tasks=4)
    traces = rollouts(found)
    assert {trace["metrics"]["measures_policy"] for trace in traces} == {1.0}
    assert len(engine.requests) == 16
    check_recomputed(tmp_path / "run", tiny_qwen, rewarded=4)


async def rescore(traces: list[vf.Trace], entropy: dict[str, Any]) -> None:
    """As `vf-replay` does it: scores cleared, the task rebuilt from its row, no environment."""
    config = Math500EntropyTaskConfig.model_validate({"entropy": entropy})
    for trace in traces:
        trace.rewards, trace.metrics = {}, {}
        data = Math500Data.model_validate(trace.task.data.model_dump())
        await Math500EntropyTask(data, config).score(trace)


async def test_a_replay_needs_nothing_but_the_traces(tmp_path, tiny_qwen):
    engine = PluginEngine(tiny_qwen, layers="middle:10")
    with TinyQwen(tiny_qwen, student(2)).server(posts={"/v1/completions": engine}) as server:
        client = vf.EvalClientConfig(base_url=server.base_url)
        await play(tmp_path / "run", config({"source": "vllm"}), client, tasks=3)
    asked = len(engine.requests)
    for episode in read_episodes(tmp_path / "run", vf.WireTrace):
        before = [dict(trace.rewards) for trace in episode.traces]
        assert all(set(rewards) == {"correct", "format", "entropy"} for rewards in before)
        await rescore(episode.traces, {"source": "vllm"})
        assert [trace.rewards for trace in episode.traces] == before
        # Divided otherwise, the siblings' values with it.
        await rescore(episode.traces, {"source": "vllm", "normalise": "log_n"})
        metrics = [trace.metrics for trace in episode.traces]
        divided = [m["entropy_raw"] / math.log2(m["completion_tokens"]) for m in metrics]
        right = [trace.rewards["correct"].score == 1 for trace in episode.traces]
        bonuses = [trace.rewards["entropy"].score for trace in episode.traces]
        assert bonuses == pytest.approx(recompute.group_bonuses(divided, right))
    assert len(engine.requests) == asked


async def test_without_a_group_the_bonus_is_absolute(tmp_path, tiny_qwen):
    with TinyQwen(tiny_qwen, student()).server() as server:
        client = vf.EvalClientConfig(base_url=server.base_url)
        env = config(transformers(tiny_qwen), group=1, gate="none")
        traces = rollouts(await play(tmp_path / "run", env, client, tasks=4))
    for trace in traces:
        fraction = trace["metrics"]["entropy_raw"] / math.log2(
            min(trace["metrics"]["completion_tokens"], 64)
        )
        assert trace["rewards"]["entropy"]["score"] == pytest.approx(0.1 * (2 * fraction - 1))


async def test_one_failed_sibling_spoils_nobody(tmp_path, tiny_qwen):
    """The engine cannot score one attempt in four; the other three are a group of three."""
    engine, asked = PluginEngine(tiny_qwen, layers="middle:10"), []

    def flaky(body):
        asked.append(body)
        return HttpReply(500, "out of memory") if len(asked) % 4 == 2 else engine(body)

    with TinyQwen(tiny_qwen, student(3)).server(posts={"/v1/completions": flaky}) as server:
        client = vf.EvalClientConfig(base_url=server.base_url)
        env = config({"source": "vllm", "concurrency": 1})
        found = await play(tmp_path / "run", env, client, tasks=3, concurrent=1)
    for episode in found:
        [failed] = [trace for trace in episode["traces"] if not trace["ok"]]
        assert "HTTP 500: out of memory" in failed["errors"][0]["message"]
        assert not any(failed["rewards"].values())
        assert not episode["ok"]
    check_recomputed(tmp_path / "run", tiny_qwen, rewarded=3)


FULL = HttpReply(400, "max_tokens must be at least 1, got 0. (parameter=max_tokens, value=0)")


async def test_a_ramble_to_the_end_of_the_context_is_paid_for_it(tmp_path, tiny_qwen):
    """One attempt in four fills it, another is longer than the engine reads: none is lost."""
    good, refused = PluginEngine(tiny_qwen, layers="middle:10"), []

    def full(body):
        prompt = body["prompt"]
        if prompt in refused and len(refused) % 4 == 2:
            return HttpReply(400, "This model's maximum context length is 9 tokens.")
        if prompt in refused:
            return good(body)
        refused.append(prompt[:-1])
        return FULL if len(refused) % 4 in (1, 2) else good(body)

    tiny = TinyQwen(tiny_qwen, lambda prompt: "<think>" + "so x = 12 and " * 20)
    with tiny.server(posts={"/v1/completions": full}) as server:
        client = vf.EvalClientConfig(base_url=server.base_url)
        env = config({"source": "vllm", "concurrency": 1}, gate="none")
        found = await play(tmp_path / "run", env, client, tasks=2, concurrent=1)
    traces = rollouts(found)
    assert [trace["rewards"]["format"]["score"] for trace in traces] == [-0.5] * 8
    unmeasured = [trace["metrics"]["unmeasured"] for trace in traces]
    assert sum(unmeasured) == 2
    for trace, without in zip(traces, unmeasured, strict=True):
        assert ("entropy" in trace["rewards"]) is not bool(without)
        kept = trace["info"]["entropy"]
        assert ("maximum context length" in kept["unmeasured"]) if without else kept["siblings"]
    kept = [t["info"]["entropy"]["measurement"] for t in traces if "entropy" in t["rewards"]]
    assert sum(one["left_out"] for one in kept) == 2


@pytest.mark.parametrize(
    ("mute", "complaint"), [(True, "returned no token ids"), (False, "not switched on")]
)
async def test_no_measurement_is_an_error_and_never_no_bonus(tmp_path, tiny_qwen, mute, complaint):
    tiny = TinyQwen(tiny_qwen, student())
    chat = tiny.chat
    if mute:
        tiny.chat = lambda body: chat({**body, "return_token_ids": False})
    posts = {"/v1/completions": lambda body: {"choices": []}}
    with tiny.server(posts=posts) as server:
        client = vf.EvalClientConfig(base_url=server.base_url)
        found = await play(tmp_path / "run", config({"source": "vllm"}), client, tasks=1)
    for trace in found[0]["traces"]:
        assert not trace["ok"]
        assert complaint in trace["errors"][0]["message"]
        assert not any(trace["rewards"].values())


async def test_another_environment_cannot_measure(tmp_path, tiny_qwen):
    """`--env.id` puts another environment in charge, which opens no source."""
    with TinyQwen(tiny_qwen, student()).server() as server:
        client = vf.EvalClientConfig(base_url=server.base_url)
        env = config(transformers(tiny_qwen))
        seat = {"harness": {"id": "inward-chat"}, "runtime": {"type": "subprocess"}}
        other = {"id": "best-of-n", "taskset": env["taskset"], "agent": seat, "n": 1}
        other["agent"]["sampling"] = {"return_token_ids": True}
        [episode] = await play(tmp_path / "run", other, client, tasks=1)
    assert "run without --env.id" in episode["traces"][0]["errors"][0]["message"]

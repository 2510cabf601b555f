"""verifiers' own commands on the environment, without hidden states: plain MATH with a layout."""

from __future__ import annotations

import json

import pytest
from math500_entropy.baselines import make_constant
from math500_entropy.data import load_problems
from math500_entropy.prompt import REFERENCE_REPLY
from rewards.runs import command, episodes

from inward.policy_server import HttpReply, PolicyServer

pytestmark = pytest.mark.timeout(900)

GOLD = {problem.problem: problem.answer for problem in load_problems("sample")}


def scholar(body):
    """Knows every other answer."""
    question = body["messages"][-1]["content"]
    known = list(GOLD).index(question) % 2 == 0
    return {"content": REFERENCE_REPLY.format(answer=GOLD[question] if known else "no idea")}


def flags(server: PolicyServer) -> list[str]:
    client = ["-m", "policy", "--client.base-url", server.base_url]
    return [*client, *"--env.taskset.split sample --no-push --no-rich --run.name run".split()]


def test_eval_and_replay(tmp_path):
    requests = []

    def policy(body):
        requests.append(body)
        return scholar(body)

    with PolicyServer(policy) as server:
        command(tmp_path, "vf-eval", "math500-entropy", *flags(server), "--env.group", "2")
    found = episodes(tmp_path / "outputs" / "run")
    assert len(found) == 28
    assert all(episode["ok"] and len(episode["traces"]) == 2 for episode in found)
    for index, episode in enumerate(found):
        for trace in episode["traces"]:
            rewards = {name: reward["score"] for name, reward in trace["rewards"].items()}
            assert rewards == {"correct": float(index % 2 == 0), "format": 0.2}
            assert "entropy_raw" not in trace["metrics"]
    # A server that knows nothing of token ids is never asked for them.
    assert not any("return_token_ids" in body for body in requests)
    for body in requests:
        assert [message["role"] for message in body["messages"]] == ["system", "user"]

    command(tmp_path, "vf-replay", "outputs/run", "--output-dir", "replay", "--no-rich")
    again = [trace for episode in episodes(tmp_path / "replay") for trace in episode["traces"]]
    before = [trace for episode in found for trace in episode["traces"]]
    assert {t["id"]: t["rewards"] for t in again} == {t["id"]: t["rewards"] for t in before}


def test_validate(tmp_path):
    command(
        tmp_path,
        "vf-validate",
        "math500-entropy",
        *("--taskset.split", "sample", "--runtime.type", "subprocess", "--no-rich"),
        *("--taskset.task.entropy.source", "vllm"),
    )
    [summary] = tmp_path.rglob("summary.json")
    checks = json.loads(summary.read_text())["checks"]
    assert checks["gold"]["valid"] == checks["noop"]["valid"] == 28


@pytest.mark.slow
def test_resume_plays_what_a_dead_server_left(tmp_path):
    """A refused request is the machine's fault: no score, and the resumed run has every task."""
    constant = make_constant(0)

    def policy(body):
        down = list(GOLD).index(body["messages"][-1]["content"]) % 3 == 0
        return HttpReply(400, {"error": "down"}) if down and broken else constant(body)

    broken = True
    with PolicyServer(policy) as server:
        command(tmp_path, "vf-eval", "math500-entropy", *flags(server))
        first = episodes(tmp_path / "outputs" / "run")
        failed = [episode for episode in first if not episode["ok"]]
        assert len(failed) == 10
        for episode in failed:
            assert all(
                reward is None for t in episode["traces"] for reward in t["rewards"].values()
            )
        broken = False
        config = "outputs/run/configs/resolved/eval.json"
        command(tmp_path, "vf-eval", "@", config, "--resume")
    final = episodes(tmp_path / "outputs" / "run")
    assert [episode["task"]["data"]["idx"] for episode in final] == list(range(28))
    assert all(episode["ok"] for episode in final)

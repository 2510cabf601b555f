"""verifiers' own commands on the environment, without hidden states: plain MATH with a layout."""

from __future__ import annotations

import json

from inward_chat.testing import HttpReply, PolicyServer
from math500_entropy.baselines import make_constant
from math500_entropy.data import load_problems
from math500_entropy.prompt import in_layout
from rewards.runs import in_order
from support.runs import call, episodes, vf_eval

GOLD = {problem.problem: problem.answer for problem in load_problems("sample")}


def scholar(body):
    """Knows every other answer."""
    question = body["messages"][-1]["content"]
    known = list(GOLD).index(question) % 2 == 0
    return {"content": in_layout("tags", GOLD[question] if known else "no idea")}


SAMPLE = ("--env.taskset.split", "sample")


def test_eval_and_replay(tmp_path):
    requests = []

    def policy(body):
        requests.append(body)
        return scholar(body)

    with PolicyServer(policy) as server:
        found = vf_eval("math500-entropy", server, *SAMPLE, "--env.group", "2", cwd=tmp_path)
    found = in_order(found)
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

    done = call("vf-replay", "outputs/run", "--output-dir", "replay", "--no-rich", cwd=tmp_path)
    assert done.code == 0, done.err
    again = [trace for episode in episodes(tmp_path / "replay") for trace in episode["traces"]]
    before = [trace for episode in found for trace in episode["traces"]]
    assert {t["id"]: t["rewards"] for t in again} == {t["id"]: t["rewards"] for t in before}


def test_validate(tmp_path):
    done = call(
        *("vf-validate", "math500-entropy", "--taskset.split", "sample", "--no-rich"),
        *("--runtime.type", "subprocess", "--taskset.task.entropy.source", "vllm"),
        cwd=tmp_path,
    )
    assert done.code == 0, done.err
    [summary] = tmp_path.rglob("summary.json")
    checks = json.loads(summary.read_text())["checks"]
    assert checks["gold"]["valid"] == checks["noop"]["valid"] == 28


def test_resume_plays_what_a_dead_server_left(tmp_path):
    """A refused request is the machine's fault: no score, and the resumed run has every task."""
    constant = make_constant(0)

    def policy(body):
        down = list(GOLD).index(body["messages"][-1]["content"]) % 3 == 0
        return HttpReply(400, {"error": "down"}) if down and broken else constant(body)

    broken = True
    with PolicyServer(policy) as server:
        first = vf_eval("math500-entropy", server, *SAMPLE, cwd=tmp_path)
        failed = [episode for episode in first if not episode["ok"]]
        assert len(failed) == 10
        for episode in failed:
            assert all(
                reward is None for t in episode["traces"] for reward in t["rewards"].values()
            )
        broken = False
        config = "outputs/run/configs/resolved/eval.json"
        done = call("vf-eval", "@", config, "--resume", cwd=tmp_path)
    assert done.code == 0, done.err
    final = in_order(episodes(tmp_path / "outputs" / "run"))
    assert [episode["task"]["data"]["idx"] for episode in final] == list(range(28))
    assert all(episode["ok"] for episode in final)

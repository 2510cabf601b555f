"""The two seats by real `vf-eval`, over tasksets of ours, of verifiers', and of a user's own."""

from __future__ import annotations

import json
from collections import Counter

import pytest
import verifiers.v1 as vf
from advisor.baseline import key_of
from inward_chat.testing import HttpReply, PolicyServer
from pydantic import ValidationError
from quality_rag.taskset import QualityRagConfig
from support import nemo_gym
from support.runs import call, episodes, vf_eval

TASKSET = """
import verifiers.v1 as vf

__all__ = ["RiddleTaskset"]


class RiddleData(vf.TaskData):
    answer: str


class RiddleTask(vf.Task[RiddleData]):
    @vf.reward
    async def right(self, trace) -> float:
        # A verifier that reads the problem: advice must not reach it.
        assert "Advice" not in self.data.prompt_text
        return float(trace.last_reply == self.data.answer)


class RiddleTaskset(vf.Taskset[RiddleTask]):
    def load(self):
        for n in range(2):
            data = RiddleData(prompt=f"Riddle {n}?", answer=f"word-{n}")
            yield RiddleTask(data, self.config.task)
"""


@pytest.fixture(autouse=True)
def riddles(tmp_path, monkeypatch):
    (tmp_path / "riddle.py").write_text(TASKSET)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("INWARD_CACHE_DIR", str(tmp_path / "cache"))


def said(body) -> str:
    content = body["messages"][-1]["content"]
    return content if isinstance(content, str) else "".join(p.get("text", "") for p in content)


class Both:
    """The advisor says `advice`; the solver is right where that holds "think", or by itself."""

    def __init__(self, advice: str, alone: bool = False) -> None:
        self.advice, self.alone, self.calls = advice, alone, Counter()

    def __call__(self, body):
        text = said(body)
        if text.startswith("Another model is given the task"):
            self.calls["advisor"] += 1
            return {"content": self.advice.replace("{n}", text[-2])}
        head, _, advice = text.partition("\n\nAdvice on this task:\n")
        self.calls["advised" if advice else "baseline"] += 1
        right = "think" in advice if advice else self.alone
        return {"content": f"word-{head[-2]}" if right else "?"}


def play(policy, tmp_path, *options, taskset="riddle", name="run"):
    with PolicyServer(policy) as server:
        return vf_eval(
            *(taskset, server, "--env.id", "advisor", "--env.solver.model", "frozen"),
            *options,
            cwd=tmp_path,
            name=name,
        )


def advisors(found):
    assert all(e["ok"] for e in found), [e["errors"] for e in found]
    seats = [t for e in found for t in e["traces"] if t["agent"]["name"] == "advisor"]
    assert len(seats) == len(found) > 0
    return seats


HACKS = {
    # What the policy says, whether the solver is right by itself: reward, metrics.
    "advice that helps": ("think", False, 1.0, {"advised": 1.0, "baseline": 0.0}),
    "a task that needs none": ("think", True, 0.0, {"advised": 1.0, "baseline": 1.0}),
    "advice that harms": ("guess", True, -1.0, {"advised": 0.0}),
    "nothing": ("", True, 0.0, {"no_advice": 1.0}),
    "spaces": (" \n ", True, 0.0, {"no_advice": 1.0}),
    "the answer, measured": ("think: word-{n}", False, 1.0, {"answer_in_advice": 1.0}),
    "help after the limit": ("x" * 1000 + " think", False, 0.0, {"advice_cut": 1.0}),
}


@pytest.mark.parametrize("hack", HACKS)
def test_what_an_advisor_earns(hack, tmp_path):
    advice, alone, reward, metrics = HACKS[hack]
    found = play(Both(advice, alone), tmp_path)
    for trace in advisors(found):
        assert trace["rewards"] == {"advice": {"score": reward, "weight": 1.0}}
        assert metrics.items() <= trace["metrics"].items()
        assert trace["agent"]["trainable"]
    seats = {(t["agent"]["name"], t["agent"]["trainable"]) for e in found for t in e["traces"]}
    assert ("solver", False) in seats


def test_a_stated_answer_can_be_refused(tmp_path):
    policy = Both("think: word-{n}")
    found = play(policy, tmp_path, "--env.leak", "refuse")
    for trace in advisors(found):
        assert trace["rewards"]["advice"]["score"] == 0
        assert trace["metrics"]["answer_in_advice"] == 1
        assert "states the answer is not passed on" in json.dumps(trace["nodes"])
    assert policy.calls["advised"] == 0


def test_the_baseline_is_measured_once(tmp_path):
    policy = Both("think")
    options = ("-r", "3", "--env.baseline", "2", "--env.attempts", "2")
    advisors(play(policy, tmp_path, *options))
    assert policy.calls == {"advisor": 6, "advised": 12, "baseline": 4}
    # From the disk, in another process too; not for another solver, nor another number of rollouts.
    again = Both("think")
    with PolicyServer(again) as server:
        words = ("riddle", server, "--env.id", "advisor", "--env.solver.model", "frozen")
        vf_eval(*words, "--env.baseline", "2", cwd=tmp_path, name="elsewhere")
        assert again.calls["baseline"] == 4  # another address
        vf_eval(*words, "--env.baseline", "2", cwd=tmp_path, name="again")
        assert again.calls["baseline"] == 4
        vf_eval(*words, "--env.baseline", "1", cwd=tmp_path, name="fewer")
        assert again.calls["baseline"] == 6


def test_a_cache_that_cannot_be_used_ends_no_run(tmp_path):
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "advisor").write_text("a file")
    policy = Both("think")
    assert all(t["rewards"]["advice"]["score"] == 1 for t in advisors(play(policy, tmp_path)))


def test_a_solver_that_fails_is_no_reward(tmp_path):
    def policy(body):
        if "Advice on this task" in said(body):
            return HttpReply(400, "no such model")
        return {"content": "think"}

    found = play(policy, tmp_path)
    assert [e["ok"] for e in found] == [False] * 2
    rewards = [t["rewards"] for e in found for t in e["traces"] if t["agent"]["name"] == "advisor"]
    assert rewards == [{}, {}]


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (("--env.solver.model", "frozen", "--env.leak", "refuse", "--env.answer-field", "key"),
         "leak 'refuse' needs the gold answer"),
        ((), "env.solver.model is not set"),
    ],
)  # fmt: skip
def test_what_is_asked_for_and_cannot_be(options, line, tmp_path):
    with PolicyServer(Both("think")) as server:
        done = call(
            *("vf-eval", "riddle", "--env.id", "advisor", "-m", "policy", "-n", "1"),
            *("--client.base-url", server.base_url, "--no-push", "--no-rich"),
            *("--run.name", "run", *options),
            cwd=tmp_path,
        )
    log = done.err + done.out
    if (tmp_path / "outputs" / "run" / "traces.jsonl").exists():
        log += json.dumps([e["errors"] for e in episodes(tmp_path / "outputs" / "run")])
    assert line in log


def test_a_harness_of_the_tasksets_own_is_taken_by_name_only(tmp_path):
    harness = """

class OwnHarness(vf.Harness[vf.HarnessConfig]):
    async def launch(self, *args, **kwargs):
        raise NotImplementedError
"""
    exports = '["RiddleTaskset", "OwnHarness"]'
    (tmp_path / "own_riddle.py").write_text(TASKSET.replace('["RiddleTaskset"]', exports) + harness)
    chosen = {"id": "advisor", "taskset": {"id": "own_riddle"}, "solver": {"model": "frozen"}}
    with pytest.raises(ValidationError, match=r"with --env\.solver\.harness\.id inward-chat"):
        vf.resolve_env_config(chosen)
    chosen["solver"]["harness"] = {"id": "inward-chat"}
    assert vf.resolve_env_config(chosen).solver.harness.id == "inward-chat"


def test_the_solvers_server_needs_no_more_than_its_address(tmp_path):
    block = {"id": "advisor", "taskset": {"id": "quality-rag"}}
    client = {"base_url": "http://127.0.0.1:1/v1"}
    solver = {"model": "frozen", "client": client}
    found = vf.resolve_env_config({**block, "solver": solver}).solver.client
    assert found == vf.EvalClientConfig(**client)
    assert solver == {"model": "frozen", "client": client}
    done = call(
        *("inward", "eval", "quality-rag", "--env.id", "advisor", "-m", "m", "--dry-run"),
        *("--client.base-url", "http://127.0.0.1:2/v1", "--env.solver.model", "frozen"),
        *("--env.solver.client.base-url", client["base_url"]),
        cwd=tmp_path,
    )
    assert done.code == 0, done.err


def test_a_baseline_is_that_of_its_tools_too():
    """quality-rag's search is a setting of the taskset, and of no task."""

    def key(retriever):
        config = QualityRagConfig(id="quality-rag", tools={"retriever": {"type": retriever}})
        task = vf.Task(vf.TaskData(prompt="?"))
        return key_of(task, config, vf.AgentConfig(), 4)

    assert key("bm25") == key("bm25") != key("dense")


@pytest.mark.parametrize("taskset", ["math500-entropy", "quality-rag", "chart-spec"])
def test_over_our_tasksets(taskset, tmp_path):
    """Their tools and pictures reach the seats they are for."""
    seen = []

    def policy(body):
        advisor = "Another model is given the task" in json.dumps(body["messages"])
        seen.append((advisor, bool(body.get("tools")), "image_url" in json.dumps(body)))
        return {"content": "Read the question twice." if advisor else "<answer>2</answer>"}

    data = {
        "math500-entropy": ("--env.taskset.split", "sample"),
        "quality-rag": ("--env.taskset.split", "sample"),
        "chart-spec": ("--env.taskset.levels", "1", "--env.taskset.matplotlib-share", "0"),
    }[taskset]
    found = play(policy, tmp_path, "-n", "1", *data, "--env.baseline", "1", taskset=taskset)
    [trace] = advisors(found)
    assert trace["rewards"]["advice"]["score"] == pytest.approx(0, abs=0.01)
    assert ("answer_in_advice" in trace["metrics"]) == (taskset != "chart-spec")
    tools, picture = taskset == "quality-rag", taskset == "chart-spec"
    assert set(seen) == {(True, False, picture), (False, tools, picture)}


def test_over_a_taskset_of_verifiers_own(tmp_path):
    def policy(body):
        return {"content": "yes" if "think" in said(body) else "think"}

    seats = """
        id = "advisor"
        baseline = 1
        solver.model = "frozen"
        """
    with PolicyServer(policy, posts=nemo_gym.routes("yes".__eq__)) as server:
        found = nemo_gym.play(server, ["0 or 1?"], seats, cwd=tmp_path)
    [trace] = advisors(found)
    assert trace["rewards"]["advice"]["score"] == 1.0

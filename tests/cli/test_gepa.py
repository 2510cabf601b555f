"""`vf-gepa` tunes the system prompt of an environment of ours, for a policy that obeys in part."""

from __future__ import annotations

import json

import pytest
from inward_chat.testing import PolicyServer
from math500_entropy.data import load_problems
from support.runs import call, vf_eval

GOLD = {problem.problem: problem.answer for problem in load_problems("sample")}
SAMPLE = ("--env.taskset.split", "sample")
POOR, BETTER = "Answer the question.", "Think in <think> tags, then answer in <answer> tags."


class Pupil:
    """Writes the tags where the system prompt names them, in two of three replies, and knows half
    of the answers. As the teacher it proposes the tags once it has read of a missed layout."""

    def __init__(self) -> None:
        self.lessons: list[str] = []

    def __call__(self, body):
        first, *rest = body["messages"]
        if first["role"] != "system":
            self.lessons.append(first["content"])
            return {"content": f"```\n{BETTER if 'no tags' in first['content'] else POOR}\n```"}
        question = rest[-1]["content"]
        number = list(GOLD).index(question)
        answer = GOLD[question] if number % 2 == 0 else "I do not know"
        if "<answer>" in first["content"] and number % 3 != 0:
            return {"content": f"<think>so</think><answer>{answer}</answer>"}
        return {"content": f"no tags: {answer}"}


@pytest.mark.slow
def test_it_finds_the_prompt_that_the_policy_obeys(tmp_path):
    pupil = Pupil()
    with PolicyServer(pupil) as server:
        client = ("-m", server.model, "--client.base-url", server.base_url)
        done = call(
            *("vf-gepa", "math500-entropy", *client, *SAMPLE, "--initial-prompt", POOR),
            *("--num-train", "14", "--num-val", "14", "--max-total-rollouts", "120"),
            *("--run.name", "tuned"),
            cwd=tmp_path,
        )
        assert done.code == 0, done.err
        folder = tmp_path / "outputs" / "tuned"
        best = (folder / "best_system_prompt.txt").read_text()
        assert best == BETTER
        # What it learns from is what the policy wrote; the gold answer is not shown to it.
        assert any("no tags" in lesson for lesson in pupil.lessons)

        (tmp_path / "poor.txt").write_text(POOR)

        def mean(prompt, name):
            found = vf_eval(
                *("math500-entropy", server, *SAMPLE, "--env.taskset.system-prompt", prompt),
                cwd=tmp_path,
                name=name,
            )
            rewards = [t["rewards"] for e in found for t in e["traces"]]
            return sum(r["score"] for one in rewards for r in one.values()) / len(rewards)

        # The file is what an evaluation or a training takes.
        better = mean(folder / "best_system_prompt.txt", "best")
        assert better > mean(tmp_path / "poor.txt", "poor") + 0.3
    assert json.loads((folder / "candidates.json").read_text())

"""A trained model plays every text environment, by the commands that a person types.

It is small and mostly wrong, and that is not what is tested: nothing fails, what it cost is
counted, and what it wrote is shown. Minutes on two cores, so it is run by its own command:

    uv run --group test --group real pytest -n 0 -m real
"""

import re

import pytest
from support.runs import call, episodes, vf_eval

pytestmark = [pytest.mark.real, pytest.mark.timeout(1800)]

QUESTIONS = 3
TOKENS = 96
FEW = ("-n", str(QUESTIONS), "--sampling.temperature", "0", "--sampling.max-tokens", str(TOKENS))
SAMPLE = ("--env.taskset.split", "sample")
NO_ANSWER = "gave an answer in the format"

ENVIRONMENTS = {
    "quality-rag": ("accuracy", "searches", "answered"),
    "math500-entropy": ("accuracy", "well formed", "tokens per reply"),
}
"""Rows that the table of each must have."""


def played(folder):
    """The traces of a finished run, each checked to be sound."""
    found = [trace for episode in episodes(folder) for trace in episode["traces"]]
    assert len(found) == QUESTIONS
    for trace in found:
        assert trace["ok"], trace["errors"]
        assert all(value is not None for value in trace["metrics"].values())
        assert all(reward is not None for reward in trace["rewards"].values())
    return found


def replies(trace):
    return [n["message"]["content"] for n in trace["nodes"] if n["message"]["role"] == "assistant"]


def tokens(traces):
    """In and out, as the server told them: what it had in its cache went in as well."""
    usages = [call["usage"] for trace in traces for call in trace["calls"]]
    read = sum(usage["prompt_tokens"] + usage["cached_input_tokens"] for usage in usages)
    return read, sum(usage["completion_tokens"] for usage in usages)


def row(done, label):
    return next(line for line in done.out.splitlines() if label in line)


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_inward_eval_plays_counts_and_shows(tmp_path, real, env, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")  # no cell of the table is broken
    done = call(
        "inward", "eval", env, *SAMPLE, *FEW, "-m", real.model, "--client.base-url", real.base_url,
        "--run.name", "run", cwd=tmp_path,
    )  # fmt: skip
    # 1 and this line: no reply was in the asked format, which is a small model's right.
    assert done.code == 0 or (done.code == 1 and NO_ANSWER in done.out), done.out + done.err
    folder = tmp_path / "outputs" / "run"
    traces = played(folder)

    assert real.model in done.out
    assert f"{QUESTIONS} of {QUESTIONS}" in row(done, "│ rollouts ")
    assert re.search(r"\b0\b", row(done, "│ errors "))
    for label in ENVIRONMENTS[env]:
        assert label in done.out
    prompt, completion = tokens(traces)
    assert prompt > 100 * QUESTIONS
    assert 0 < completion <= TOKENS * QUESTIONS * 16
    assert f"{prompt:,} in, {completion:,} out" in row(done, "│ tokens  ")

    shown = [call("inward", "show", folder, str(number), cwd=tmp_path) for number in range(3)]
    assert [one.code for one in shown] == [0] * QUESTIONS
    texts = [text for trace in traces for text in replies(trace) if text]
    assert texts
    for text in texts:
        first = text.strip().splitlines()[0]
        assert any(first in one.out for one in shown), first


@pytest.mark.parametrize(
    ("env", "options"),
    [("quality-rag", ("--env.taskset.context", "none")), ("math500-entropy", ())],
)
def test_vf_eval_plays_it_and_a_replay_scores_it_to_the_same(tmp_path, real, env, options):
    vf_eval(env, real, *SAMPLE, *FEW, *options, cwd=tmp_path)
    traces = played(tmp_path / "outputs" / "run")
    done = call("vf-replay", "outputs/run", "--no-rich", "-o", "replayed", cwd=tmp_path)
    assert done.code == 0, done.err
    again = played(tmp_path / "replayed")

    def scores(found):
        return {trace["task"]["key"]: (trace["rewards"], trace["metrics"]) for trace in found}

    assert scores(again) == scores(traces)

"""Each id of docs/rewards.md, by name from a config, over a taskset that is not ours.

Those that other tests play so are named with the test; the rest are played here.
"""

from __future__ import annotations

import math
import re
from pathlib import Path

import inward_rewards.plugins
import pytest
from inward_chat.testing import PolicyServer
from inward_rewards.group_rewards import METHODS
from support.runs import vf_eval
from support.yes_or_no import TASKSET, student
from verifiers.v1.utils.loaders import judge_class

ROOT = Path(__file__).parents[2]
PLAYED = {
    "majority": "group_reward/test_runs.py",
    "noisy": "group_reward/test_runs.py",
    "pear": "group_reward/test_measured.py",
    "rent": "group_reward/test_measured.py",
    "repexp": "group_reward/test_measured.py",
}
PLUGS = {
    "em_rl_sequence": "rewards/test_plugins.py",
    "em_rl_token": "rewards/test_plugins.py",
    "magistral": "rewards/test_plugins.py",
    "maths": "rewards/test_plugins.py",
    "matrix_entropy": "rewards/test_plugins.py",
    "overlong": "rewards/test_plugins.py",
    "reasoning_patterns": "rewards/test_plugins.py",
    "rent": "rewards/test_plugins.py",
    "self_certainty": "rewards/test_plugins.py",
    "think_answer": "rewards/test_plugins.py",
}
JUDGES = {
    "inward-huatuo": "rewards/test_judges.py",
    "inward-polar": "rewards/test_judges.py",
    "inward-specific": "rewards/test_specific_judge.py",
}
ELSEWHERE = {"entropy_bonus": "entropy_group"}
"""An environment of its own: `--env.id entropy-group`."""


def rows() -> dict[str, set[str]]:
    """Id -> the ways to have it that its row names."""
    text = (ROOT / "docs" / "rewards.md").read_text(encoding="utf-8")
    found = re.findall(r"^\| `([\w-]+)`((?: (?:plug|group|judge),?)*) \|", text, re.MULTILINE)
    return {name: set(re.findall(r"\w+", ways)) for name, ways in found}


def test_the_table_of_the_docs_is_what_there_is():
    found = rows()
    assert {name for name, ways in found.items() if "group" in ways} == set(METHODS)
    assert {name for name, ways in found.items() if "plug" in ways} == set(PLUGS)
    assert {name for name, ways in found.items() if "judge" in ways} == set(JUDGES)
    # `matrix_entropy` is a plug, and its bonus an environment.
    assert {name for name, ways in found.items() if not ways} == set(ELSEWHERE)
    assert all(callable(getattr(inward_rewards.plugins, name)) for name in PLUGS)
    for judge in JUDGES:
        assert judge_class(judge).__module__ == judge.replace("-", "_")


@pytest.mark.parametrize(("name", "file"), [*PLUGS.items(), *PLAYED.items(), *JUDGES.items()])
def test_who_plays_what_is_not_played_here(name, file):
    text = (ROOT / "tests" / file).read_text(encoding="utf-8")
    assert re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text)
    assert "vf.Taskset" in text or "yes_or_no" in text


@pytest.fixture
def yes(tmp_path, monkeypatch):
    (tmp_path / "yes_taskset.py").write_text(TASKSET)
    monkeypatch.syspath_prepend(tmp_path)
    return "yes-taskset"


def play(name, taskset, server, folder, *words):
    """A group of three, by real `vf-eval`, each paid by that name."""
    if METHODS[name].judged:
        words = ("--env.gate-reward", "said_yes", *words)
    [episode] = vf_eval(
        *(taskset, server, "--env.id", "group-reward", "--env.reward", name),
        *("--env.group", "3", "-n", "1", *words),
        cwd=folder,
    )
    traces = episode["traces"]
    assert [trace["ok"] for trace in traces] == [True] * 3, traces[0]["errors"]
    for trace in traces:
        assert trace["info"]["group_reward"]["reward"] == name
        assert math.isfinite(trace["rewards"]["group_reward"]["score"])


def left(*, measured: bool) -> list[str]:
    """The names of group rewards that no other test plays."""
    return sorted(n for n in set(METHODS) - set(PLAYED) if bool(METHODS[n].measures) == measured)


@pytest.mark.parametrize("name", left(measured=False))
def test_every_other_reward_of_texts(tmp_path, yes, name):
    reply = student()
    with PolicyServer(lambda body: {"content": reply(body["messages"][-1]["content"])}) as server:
        play(name, yes, server, tmp_path)


@pytest.mark.models
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", left(measured=True))
def test_every_other_reward_of_a_measure(tmp_path, yes, request, name):
    pytest.importorskip("torch", reason="hidden states need torch (group `models`)")
    from rewards.tiny_qwen import TinyQwen

    tiny = request.getfixturevalue("tiny_qwen")
    source = ("--env.entropy.source", "transformers", "--env.entropy.model", str(tiny))
    with TinyQwen(tiny, student()).server() as server:
        play(name, yes, server, tmp_path, *source)

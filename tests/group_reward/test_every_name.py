"""Each id of docs/rewards.md is to be had by the ways that its row names, and the other way round.

`PLAYED`, `PLUGS` and `JUDGES` name the tests that play one over a taskset that is not ours.
"""

from __future__ import annotations

import re
from pathlib import Path

import inward_rewards.plugins
import pytest
from inward_rewards.group_rewards import METHODS
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


@pytest.mark.parametrize("name", [*PLUGS, *PLAYED, *JUDGES])
def test_who_plays_what_is_not_played_here(name):
    played = (PLUGS | JUDGES) if name in PLUGS or name in JUDGES else PLAYED
    text = (ROOT / "tests" / played[name]).read_text(encoding="utf-8")
    assert name in text
    assert "vf.Taskset" in text

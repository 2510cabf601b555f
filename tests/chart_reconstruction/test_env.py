"""The environment as a user runs it: real `vf-eval`, a scripted policy on loopback."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from chart_reconstruction.stating import stated
from chart_reconstruction.taskset import ChartReconstructionConfig, ChartReconstructionTaskset
from inward_charts import request_picture
from inward_chat.testing import PolicyServer
from support.runs import call, episodes, vf_eval

COUNT = 2
KINDS = ("bar", "line")
STREAM = (
    *("-n", COUNT, "--env.taskset.seed", 11, "--env.taskset.levels", "1"),
    *("--env.taskset.kinds", *KINDS, "--env.taskset.matplotlib-share", 0),
)


@pytest.fixture(scope="module")
def truths() -> dict[bytes, str]:
    """The truth in prose by the picture that a policy sees."""
    config = ChartReconstructionConfig(
        id="chart-reconstruction", seed=11, levels=[1], kinds=list(KINDS), matplotlib_share=0
    )
    found = itertools.islice(ChartReconstructionTaskset(config), COUNT)
    return {
        task.data.picture: stated(task.data.truth) for task in found if task.data.truth is not None
    }


def says(reply: Callable[[str], str], truths: dict[bytes, str]) -> Callable[[Any], Any]:
    return lambda body: {"content": reply(truths[request_picture(body)])}


def rewards(done: list[dict[str, Any]]) -> list[float]:
    return [trace["rewards"]["likeness"]["score"] for e in done for trace in e["traces"]]


def test_a_run_and_its_replay(truths: dict[bytes, str], tmp_path: Path) -> None:
    with PolicyServer(says(lambda truth: truth, truths)) as server:
        done = vf_eval("chart-reconstruction", server, *STREAM, cwd=tmp_path)
    assert all(e["ok"] for e in done)
    assert min(rewards(done)) > 0.9
    [metrics] = {tuple(sorted(e["traces"][0]["metrics"])) for e in done}
    assert {"rendered", "ignored", "similarity", "statements", "table", "text"} <= set(metrics)
    replayed = call("vf-replay", tmp_path / "outputs" / "run", "--no-rich", cwd=tmp_path)
    assert replayed.code == 0, replayed.err
    folders = {file.parent for file in tmp_path.rglob("traces.jsonl")}
    assert all(rewards(episodes(folder)) == rewards(done) for folder in folders)


def test_a_revision_sees_what_was_drawn(truths: dict[bytes, str], tmp_path: Path) -> None:
    """Nothing, half, all: the last that draws something counts, and the gain is told."""
    seen: list[Any] = []

    def policy(body: Any) -> Any:
        truth = truths[request_picture(body)]
        turn = sum(message["role"] == "assistant" for message in body["messages"])
        seen.append(body["messages"][-1]["content"])
        return {"content": ("Hm.", "\n".join(truth.split("\n")[:-1]), truth)[turn]}

    with PolicyServer(policy) as server:
        done = vf_eval(
            "chart-reconstruction", server, *STREAM, "-n", 1, "--env.revise", 2, cwd=tmp_path
        )
    [trace] = done[0]["traces"]
    told = trace["info"]["chart"]["rewards"]
    assert told[0] == 0 < told[1] < told[2]
    assert rewards(done) == [told[2]]
    assert trace["metrics"]["gain_per_revision"] == pytest.approx(told[2] / 2)
    opening, refused, second = seen
    assert [part["type"] for part in opening] == ["image_url", "text"]
    assert "no statement about a chart was understood" in str(refused)
    assert [part["type"] for part in second] == ["image_url", "text"]


def test_inward_eval_plays_the_tracing_baseline(tmp_path: Path) -> None:
    done = call(
        *("inward", "eval", "chart-reconstruction", "-n", 3, "--env.taskset.levels", "1"),
        cwd=tmp_path,
    )
    assert done.code == 0, done.out + done.err
    assert "playing the baseline policy 'tracing'" in done.err
    assert "length bias" in done.out + done.err
    [line] = [line for line in done.out.splitlines() if "similarity" in line]
    likeness = float(next(w for w in line.replace("│", " ").split() if w[:1] in "01"))
    assert likeness > 0.4

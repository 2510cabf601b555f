"""The environment as a user runs it: real `vf-eval`, a scripted policy on loopback."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from chart_spec.taskset import ChartSpecConfig, ChartSpecTaskset
from inward_charts import request_picture
from inward_chat.testing import PolicyServer
from inward_rewards.charts.renderer import shared_renderer
from support.charts import fenced, numbers_changed
from support.runs import call, episodes, vf_eval

COUNT = 4
KINDS = ("bar", "line", "bar_stacked")
STREAM = (
    *("-n", COUNT, "--env.taskset.seed", 11, "--env.taskset.levels", "1"),
    *("--env.taskset.kinds", *KINDS, "--env.taskset.matplotlib-share", 0),
)
IMAGE = {"data": {"values": [{}]}, "mark": {"type": "image", "url": "file:///etc/hostname"}}

Spec = dict[str, Any]


@pytest.fixture(scope="module")
def truths() -> dict[bytes, Spec]:
    """The true specification by the picture that a policy sees."""
    config = ChartSpecConfig(
        id="chart-spec", seed=11, levels=[1], kinds=list(KINDS), matplotlib_share=0
    )
    tasks = itertools.islice(ChartSpecTaskset(config), COUNT)
    return {task.data.picture: task.data.truth for task in tasks if task.data.truth is not None}


def says(reply: Callable[[Spec], str], truths: dict[bytes, Spec]) -> Callable[[Any], Any]:
    return lambda body: {"content": reply(truths[request_picture(body)])}


def rewards(done: list[dict[str, Any]]) -> list[float]:
    return [trace["rewards"]["chart"]["score"] for e in done for trace in e["traces"]]


def test_policies_rank_as_they_draw(truths: dict[bytes, Spec], tmp_path: Path) -> None:
    other = ChartSpecConfig(id="chart-spec", seed=12, levels=[1], kinds=["arc"])
    [elsewhere] = itertools.islice(ChartSpecTaskset(other), 1)
    policies: dict[str, Callable[[Spec], str]] = {
        "well": fenced,
        "slightly wrong": lambda truth: fenced(numbers_changed(truth, 0.15)),
        "wildly wrong": lambda truth: fenced(elsewhere.data.truth),
        "hostile": lambda truth: fenced(IMAGE),
    }
    means = []
    for name, reply in policies.items():
        with PolicyServer(says(reply, truths)) as server:
            done = vf_eval("chart-spec", server, *STREAM, cwd=tmp_path, name=name.replace(" ", "-"))
        assert len(done) == COUNT
        assert all(e["ok"] for e in done)
        means.append(sum(rewards(done)) / COUNT)
    assert means[0] > 0.99
    assert means[0] > means[1] > means[2] > means[3] == 0
    assert means[1] - means[2] > 0.2

    [trace] = done[0]["traces"]
    assert trace["metrics"]["rendered"] == 0
    assert "image" in trace["info"]["chart"]["errors"][0]


def test_replay_gives_the_same(truths: dict[bytes, Spec], tmp_path: Path) -> None:
    with PolicyServer(says(lambda truth: fenced(numbers_changed(truth, 0.2)), truths)) as server:
        done = vf_eval("chart-spec", server, *STREAM, cwd=tmp_path)
    replayed = call("vf-replay", tmp_path / "outputs" / "run", "--no-rich", cwd=tmp_path)
    assert replayed.code == 0, replayed.err
    folders = {file.parent for file in tmp_path.rglob("traces.jsonl")}
    assert all(rewards(episodes(folder)) == rewards(done) for folder in folders)


def test_revision_sees_its_drawing(truths: dict[bytes, Spec], tmp_path: Path) -> None:
    """Hostile, wrong, right, broken: the last that is drawn counts, and the gain is told."""
    seen: list[Any] = []

    def policy(body: Any) -> Any:
        truth = truths[request_picture(body)]
        turn = sum(message["role"] == "assistant" for message in body["messages"])
        seen.append(body["messages"][-1]["content"])
        specs = [IMAGE, numbers_changed(truth, 0.5), truth, {"mark": "no such mark"}]
        return {"content": fenced(specs[turn])}

    with PolicyServer(policy) as server:
        done = vf_eval("chart-spec", server, *STREAM, "-n", 1, "--env.revise", 3, cwd=tmp_path)
    [trace] = done[0]["traces"]
    told = trace["info"]["chart"]["rewards"]
    assert told[0] == 0 < told[1] < told[2]
    assert told[3] == 0
    assert rewards(done) == [told[2]]
    assert told[2] > 0.99
    assert trace["metrics"]["gain_per_revision"] == pytest.approx(told[2] / 3)
    assert trace["metrics"]["rendered"] == 1
    opening, refused, first, second = seen
    assert [part["type"] for part in opening] == ["image_url", "text"]
    assert "was not drawn: mark 'image'" in (refused if isinstance(refused, str) else str(refused))
    assert [part["type"] for part in first] == [part["type"] for part in second]
    assert "Left: the chart. Right: what your" in first[-1]["text"]


def test_pictures_of_a_folder(truths: dict[bytes, Spec], tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    truth = next(iter(truths.values()))
    (folder / "chart.png").write_bytes(shared_renderer().render_sync(truth).png)
    with PolicyServer(lambda body: {"content": fenced(truth)}) as server:
        done = vf_eval("chart-spec", server, "--env.taskset.path", folder, cwd=tmp_path)
    assert len(done) == 1
    assert rewards(done)[0] > 0.98
    assert set(done[0]["traces"][0]["metrics"]) >= {"rendered", "similarity"}
    assert "table" not in done[0]["traces"][0]["metrics"]


def test_validate_command(tmp_path: Path) -> None:
    done = call(
        *("vf-validate", "chart-spec", "-n", 4, "--runtime.type", "subprocess", "--no-rich"),
        cwd=tmp_path,
    )
    assert done.code == 0, done.out + done.err
    reports = [json.loads(line) for f in tmp_path.rglob("*.jsonl") for line in f.open()]
    assert len(reports) == 4
    assert all(report["valid"] and report["gold"]["valid"] for report in reports)


def test_inward_eval_plays_the_tracing_baseline(tmp_path: Path) -> None:
    done = call(
        *("inward", "eval", "chart-spec", "-n", 6, "--env.taskset.levels", "1"), cwd=tmp_path
    )
    assert done.code == 0, done.out + done.err
    assert "no model named: playing the baseline policy 'tracing'" in done.err
    assert "similarity" in done.out
    constant = call(
        *("inward", "eval", "chart-spec", "--baseline", "constant", "-n", 6),
        *("--env.taskset.levels", "1"),
        cwd=tmp_path,
    )
    assert constant.code == 0, constant.out + constant.err

    def likeness(out: str) -> float:
        [line] = [line for line in out.splitlines() if "similarity" in line]
        return float(next(word for word in line.replace("│", " ").split() if word[:1] in "01."))

    # It looks at the picture: that is worth something.
    assert likeness(done.out) > 2 * likeness(constant.out) > 0

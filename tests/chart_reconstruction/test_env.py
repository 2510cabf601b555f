"""The environment as a user runs it: real `vf-eval`, a scripted policy on loopback."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from chart_reconstruction.stating import stated
from chart_reconstruction.taskset import ChartReconstructionConfig, ChartReconstructionTaskset
from inward_charts import request_picture
from inward_charts.tasks import chart_picture
from inward_chat.testing import PolicyServer
from support.images import ImageServer
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


def test_inward_eval_plays_the_tracing_baseline_and_the_floors(tmp_path: Path) -> None:
    done = call(
        *("inward", "eval", "chart-reconstruction", "-n", 3, "--env.taskset.levels", "1"),
        *("--run.name", "run", "--floors"),
        cwd=tmp_path,
    )
    assert done.code == 0, done.out + done.err
    assert "playing the baseline policy 'tracing'" in done.err
    assert "length bias" in done.out + done.err
    [line] = [line for line in done.out.splitlines() if "similarity" in line]
    likeness = float(next(w for w in line.replace("│", " ").split() if w[:1] in "01"))
    assert likeness > 0.4
    assert "Above the highest floor (" in done.out

    told = call("inward", "eval", "--resume", "outputs/run", "--floors", "--json", cwd=tmp_path)
    found = json.loads(told.out)
    floors = {floor["label"]: floor for floor in found["floors"]}
    assert set(floors) == {
        "noise", "shuffled", "empty", "the prompt", "constant", "boilerplate"
    }  # fmt: skip
    assert all(floor["rollouts"] == 3 for floor in floors.values())
    assert floors["noise"]["mean"] == 0
    assert floors["noise"]["interval"] is None
    assert floors["empty"]["mean"] == floors["boilerplate"]["mean"] == 0
    highest = max(floor["mean"] for floor in floors.values())
    # The baseline really looks: above every floor, and far below the truth.
    assert highest < found["scores"][0]["mean"] < 0.5


def test_the_noise_of_a_generator_is_told(tmp_path: Path) -> None:
    """One caption, drawn with several seeds: another shade each time."""
    with ImageServer() as images, PolicyServer(lambda body: {"content": "Six bars."}) as server:
        done = call(
            *("inward", "eval", "chart-reconstruction", "-m", server.model, *STREAM),
            *("--client.base-url", server.base_url, "--floors", "--json"),
            *("--env.taskset.task.redraw.type", "images"),
            *("--env.taskset.task.redraw.base-url", images.base_url),
            *("--env.taskset.task.redraw.megapixels", "0.1"),
            cwd=tmp_path,
        )
    assert done.code == 0, done.out + done.err
    floors = {floor["label"]: floor for floor in json.loads(done.out)["floors"]}
    assert 0 < floors["noise"]["mean"] < 0.5


def test_an_environment_without_floors_says_so(tmp_path: Path) -> None:
    done = call("inward", "eval", "quality-rag", "-n", 1, "--floors", cwd=tmp_path)
    assert done.code == 2
    assert done.err.splitlines()[-1] == "inward eval: no floors in 'quality-rag': drop --floors"


def test_the_reader_asks_about_the_chart(truths: dict[bytes, str], tmp_path: Path) -> None:
    with PolicyServer(says(lambda truth: truth, truths)) as server:
        done = vf_eval(
            "chart-reconstruction", server, *STREAM, "-n", 1,
            "--env.taskset.task.redraw.type", "reader",
            cwd=tmp_path,
        )  # fmt: skip
    assert rewards(done) == [1.0]
    [trace] = done[0]["traces"]
    assert trace["metrics"]["answered"] == 1
    assert all(asked["right"] for asked in trace["info"]["chart"]["questions"])


async def test_a_reply_that_is_too_long_for_the_reader_is_masked(truths: dict[bytes, str]) -> None:
    config = ChartReconstructionConfig(
        id="chart-reconstruction", seed=11, levels=[1], kinds=list(KINDS), matplotlib_share=0,
        task={"redraw": {"type": "reader"}, "max_characters": 2000},
    )  # fmt: skip
    task = ChartReconstructionTaskset(config).task_of(chart_picture(config, 0))
    assert "more than 2000 characters scores 0" in " ".join(str(task.data.system_prompt).split())
    true = truths[task.data.picture]
    assert (await task.outcome(true)).reward == 1.0
    masked = await task.outcome(true + " It is fine." * 200)
    assert masked.reward == 0
    assert masked.metrics["masked"] == 1
    blind = await task.outcome("A chart with a clear trend.")
    assert blind.reward == 0

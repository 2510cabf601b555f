"""Descriptions drawn by served models: real `vf-eval`, real servers on loopback, and a rerun."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
import verifiers.v1 as vf
from chart_reconstruction.eval_plugin import drawing
from chart_reconstruction.stating import stated
from chart_reconstruction.taskset import ChartReconstructionConfig, ChartReconstructionTaskset
from inward_charts import request_picture
from inward_chat.testing import HttpReply, PolicyServer
from inward_rewards.images import redraw_of
from pydantic import ValidationError
from support.images import ImageServer
from support.runs import call, episodes, vf_eval

COUNT = 2
KINDS = ("bar", "line")
STREAM = (
    *("-n", COUNT, "-r", 2, "--env.taskset.seed", 11, "--env.taskset.levels", "1"),
    *("--env.taskset.kinds", *KINDS, "--env.taskset.matplotlib-share", 0),
)
REDRAW = "--env.taskset.task.redraw."
NOBODY = "http://127.0.0.1:9/v1"


def config(**more: Any) -> ChartReconstructionConfig:
    stream = {"seed": 11, "levels": [1], "kinds": list(KINDS), "matplotlib_share": 0}
    return ChartReconstructionConfig(id="chart-reconstruction", **{**stream, **more})


@pytest.fixture(scope="module")
def truths() -> dict[bytes, dict[str, Any]]:
    """The true specification by the picture that a policy sees."""
    found = itertools.islice(ChartReconstructionTaskset(config()), COUNT)
    return {task.data.picture: task.data.truth for task in found if task.data.truth is not None}


def telling(truths: dict[bytes, dict[str, Any]]) -> Any:
    """A policy that tells the truth, and then something else: siblings differ."""
    turns = itertools.count()

    def policy(body: Any) -> Any:
        more = f" It is chart {next(turns) % 2}."
        return {"content": stated(truths[request_picture(body)]) + more}

    return policy


def writing(truths: dict[bytes, dict[str, Any]]) -> Any:
    """A writer that reads `stated` perfectly, and gets the format right at the second try."""

    def policy(body: Any) -> Any:
        messages = body["messages"]
        if len(messages) == 2:
            return {"content": "A chart!"}
        spec = next(s for s in truths.values() if stated(s) in messages[1]["content"])
        return {"content": f"```json\n{json.dumps(spec)}\n```"}

    return policy


def traces(folder: Path) -> list[dict[str, Any]]:
    return [trace for episode in episodes(folder) for trace in episode["traces"]]


def rewards(found: list[dict[str, Any]]) -> list[float]:
    return [trace["rewards"]["likeness"]["score"] for trace in found]


def replayed(folder: Path) -> list[dict[str, Any]]:
    """The traces of a run, scored again as another process would, from the cache alone."""
    redraw_of.cache_clear()
    done = call("vf-replay", folder, "--no-rich", "-o", "replayed", cwd=folder.parent)
    assert done.code == 0, done.err
    return traces(folder.parent / "replayed")


def by_key(found: list[dict[str, Any]]) -> Any:
    return sorted((t["id"], t["rewards"], t["metrics"], t["info"]["chart"]) for t in found)


def test_a_perfect_writer(truths: dict[bytes, dict[str, Any]], tmp_path: Path) -> None:
    with PolicyServer(telling(truths)) as server, PolicyServer(writing(truths)) as writer:
        args = (f"{REDRAW}type", "writer", f"{REDRAW}model", writer.model)
        args += (f"{REDRAW}base-url", writer.base_url)
        vf_eval("chart-reconstruction", server, *STREAM, *args, cwd=tmp_path)
    done = traces(tmp_path / "outputs" / "run")
    assert all(trace["ok"] for trace in done)
    assert min(rewards(done)) > 0.95
    for trace in done:
        metrics, chart = trace["metrics"], trace["info"]["chart"]
        assert (metrics["undrawable"], metrics["rewritten"], metrics["rendered"]) == (0, 1, 1)
        assert chart["redraw"] == "writer"
        png = drawing(vf.WireTrace.model_validate(trace))
        assert png is not None
    assert by_key(replayed(tmp_path / "outputs" / "run")) == by_key(done)


def test_an_image_generator(truths: dict[bytes, dict[str, Any]], tmp_path: Path) -> None:
    with PolicyServer(telling(truths)) as server, ImageServer() as generator:
        args = (f"{REDRAW}type", "images", f"{REDRAW}base-url", generator.base_url)
        args += (f"{REDRAW}megapixels", 0.05, f"{REDRAW}k", 2)
        vf_eval("chart-reconstruction", server, *STREAM, *args, cwd=tmp_path)
        asked = generator.bodies
    done = traces(tmp_path / "outputs" / "run")
    assert all(trace["ok"] for trace in done)
    assert all(0 < reward < 0.6 for reward in rewards(done))
    # Two drawings a description, with seeds that belong to the task.
    assert len(asked) == 2 * len(done)
    assert len({body["seed"] for body in asked}) == 2 * COUNT
    for trace in done:
        assert {"table", "text", "marks"}.isdisjoint(trace["metrics"])
        [reward] = rewards([trace])
        assert trace["metrics"]["similarity"] == pytest.approx(reward)
        assert trace["metrics"]["refused"] == 0
        told = str(trace["nodes"])
        assert "It reads the first 500 tokens of it" in told
        assert "F1 of" not in told
        png = drawing(vf.WireTrace.model_validate(trace))
        assert png is not None
    assert by_key(replayed(tmp_path / "outputs" / "run")) == by_key(done)


@pytest.mark.parametrize("kind", ["writer", "images"])
def test_a_server_at_fault_scores_nobody(
    kind: str, truths: dict[bytes, dict[str, Any]], tmp_path: Path
) -> None:
    broken = HttpReply(500, {"error": {"message": "out of memory"}})
    with (
        PolicyServer(telling(truths)) as server,
        PolicyServer(lambda body: broken) as writer,
        ImageServer("500") as generator,
    ):
        address = (writer if kind == "writer" else generator).base_url
        args = (f"{REDRAW}type", kind, f"{REDRAW}base-url", address, f"{REDRAW}retries", 0)
        if kind == "writer":
            args += (f"{REDRAW}model", "m")
        done = call(
            "vf-eval", "chart-reconstruction", "-m", server.model,
            "--client.base-url", server.base_url, "--no-push", "--no-rich", "--run.name", "run",
            *STREAM, "-n", 1, *args, cwd=tmp_path,
        )  # fmt: skip
    found = traces(tmp_path / "outputs" / "run")
    assert found, done.err
    for trace in found:
        assert not trace["ok"]
        assert trace["rewards"] == {"likeness": None}
        [error] = trace["errors"]
        assert f"redraw.type '{kind}': '{address}'" in error["message"]
        assert "out of memory: see its log" in error["message"]


async def test_what_a_policy_can_try_on_a_writer(truths: dict[bytes, dict[str, Any]]) -> None:
    """Code reaches no writer, and what it cannot draw is worth nothing."""
    asked: list[str] = []

    def policy(body: Any) -> Any:
        asked.append(body["messages"][1]["content"])
        return {"content": "I cannot."}

    with PolicyServer(policy) as writer:
        redraw = {"type": "writer", "model": "m", "base_url": writer.base_url}
        taskset = ChartReconstructionTaskset(config(task={"redraw": redraw}))
        task = next(iter(taskset))
        spec = json.dumps(task.data.truth)
        earned = {
            text: (await task.outcome(text)).reward
            for text in ("", spec, f"```json\n{spec}\n```", "Draw exactly the original.")
        }
    assert set(earned.values()) == {0}
    assert {text.split("\n")[1] for text in asked} == {"Draw exactly the original."}


async def test_refused_drawings_count_as_nothing() -> None:
    with ImageServer("black") as generator:
        redraw = {"type": "images", "base_url": generator.base_url, "megapixels": 0.05}
        task = next(iter(ChartReconstructionTaskset(config(task={"redraw": redraw}))))
        outcome = await task.outcome("A black page.")
    assert (outcome.reward, outcome.error) == (0, "the drawing is all black")
    assert outcome.metrics["refused"] == 1


IMAGES = {"type": "images", "base_url": NOBODY}


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (
            {"task": {"redraw": IMAGES, "similarity": {"type": "table"}}},
            "redraw.type 'images' draws pictures: set similarity.type to 'chart'",
        ),
        ({"task": {"redraw": {"type": "writer", "base_url": NOBODY}}}, "model"),
        ({"task": {"redraw": {"type": "writer", "model": "m"}}}, "base_url"),
        ({"task": {"redraw": {"type": "diffusers", "model": "a/b"}}}, "set steps, guidance"),
        ({"kinds": ["strip_plot"]}, "choose from"),
    ],
)
def test_a_wrong_configuration_is_named(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        config(**wrong)


def test_a_config_survives_the_dump_of_what_was_set() -> None:
    """As verifiers from 0.4.1 on hands configs over."""
    given = config(task={"redraw": {"type": "images", "base_url": NOBODY}})
    again = ChartReconstructionConfig(**given.model_dump(exclude_unset=True))
    assert again.task.redraw == given.task.redraw


def test_a_missing_key_stops_the_start() -> None:
    redraw = {"type": "writer", "model": "m", "base_url": NOBODY, "api_key_var": "NO_SUCH_KEY"}
    with pytest.raises(ValueError, match="NO_SUCH_KEY"):
        ChartReconstructionTaskset(config(task={"redraw": redraw}))

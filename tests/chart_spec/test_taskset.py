"""The stream of tasks, the reward's table of replies, and what the known hacks come to."""

from __future__ import annotations

import asyncio
import io
import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from chart_spec.prompt import Weights
from chart_spec.taskset import ChartSpecConfig, ChartSpecTask, ChartSpecTaskConfig, ChartSpecTaskset
from inward_charts import KINDS, LEVELS, NOISES, PAPER_KINDS
from inward_rewards.charts.page import MAX_SIDE
from inward_rewards.charts.renderer import shared_renderer
from PIL import Image
from pydantic import ValidationError
from support.charts import fenced, numbers_changed


def tasks(count: int, **config: Any) -> list[ChartSpecTask]:
    taskset = ChartSpecTaskset(ChartSpecConfig(id="chart-spec", **config))
    return list(itertools.islice(taskset, count))


@pytest.fixture(scope="module")
def bars() -> ChartSpecTask:
    [task] = tasks(1, kinds=("bar",), levels=(1,), matplotlib_share=0, seed=5)
    return task


def test_same_seed_same_tasks() -> None:
    first, again, other = tasks(3, seed=1), tasks(3, seed=1), tasks(3, seed=2)
    assert [task.key for task in first] == [task.key for task in again]
    assert not {task.key for task in first} & {task.key for task in other}
    assert len({task.data.name for task in first}) == 3


def test_pictures_are_small_and_the_truth_is_not_told() -> None:
    for task in tasks(12):
        with Image.open(io.BytesIO(task.data.picture)) as image:
            assert max(image.size) <= MAX_SIDE
        assert len(task.data.picture) < 30_000
        assert task.data.truth is not None
        told = json.dumps(task.data.model_dump(mode="json", include={"prompt", "system_prompt"}))
        values = json.dumps(task.data.truth)
        assert values[200:260] not in told


async def invalid(found: list[ChartSpecTask]) -> list[str]:
    valid = await asyncio.gather(*(task.validate(None) for task in found))
    return [task.data.name for task, fine in zip(found, valid, strict=True) if not fine]


@pytest.mark.parametrize("level", LEVELS)
async def test_every_kind_is_valid_at_one_of_the_levels(level: int) -> None:
    kinds = KINDS[level - 1 :: len(LEVELS)]
    found = tasks(len(kinds), kinds=kinds, levels=(level,), matplotlib_share=0.3, seed=7)
    assert {task.data.kind for task in found} == set(kinds)
    assert await invalid(found) == []


@pytest.mark.slow
async def test_every_kind_is_valid_at_every_level() -> None:
    found = tasks(len(KINDS) * len(LEVELS), matplotlib_share=0.3, seed=7)
    sorts = {(task.data.kind, task.data.level) for task in found}
    assert sorts == set(itertools.product(KINDS, LEVELS))
    assert {task.data.drawn_by for task in found} == {"vega-lite", "matplotlib"}
    assert await invalid(found) == []


@pytest.mark.parametrize("drawn_by", ["vega-lite", "matplotlib"])
async def test_order_of_replies(drawn_by: str) -> None:
    [task] = tasks(
        1, kinds=("bar_grouped",), levels=(1,), matplotlib_share=drawn_by == "matplotlib"
    )
    assert task.data.drawn_by == drawn_by
    truth = task.data.truth
    assert truth is not None
    [other] = tasks(1, kinds=("line",), levels=(1,), seed=99)
    replies = [truth, numbers_changed(truth, 0.1), numbers_changed(truth, 0.5), other.data.truth]
    rewards = [(await task.outcome(fenced(spec))).reward for spec in replies]
    assert rewards == sorted(rewards, reverse=True)
    assert len(set(rewards)) == len(rewards)
    if drawn_by == "vega-lite":
        assert rewards[0] > 0.99


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "no",
        "```json\n[]\n```",
        "```json\n{}\n```",
        fenced({"mark": "bar"})[:-8],
        fenced({"mark": 7}),
    ],
)
async def test_garbage_scores_nothing(bars: ChartSpecTask, reply: str) -> None:
    outcome = await bars.outcome(reply)
    assert outcome.reward == 0
    assert outcome.error


async def test_weights_weigh(bars: ChartSpecTask) -> None:
    reply = fenced(numbers_changed(bars.data.truth, 0.3))
    score = (await bars.outcome(reply)).score
    assert score is not None
    weighted = ChartSpecTask(
        bars.data, ChartSpecTaskConfig(weights=Weights(similarity=1, table=3, text=0))
    )
    assert score.table is not None
    expected = (score.similarity + 3 * score.table) / 4
    assert (await weighted.outcome(reply)).reward == pytest.approx(expected)


def test_own_pictures(tmp_path: Path) -> None:
    Image.new("RGBA", (2000, 900), (10, 200, 30, 128)).save(tmp_path / "b.png")
    Image.new("RGB", (300, 200), "navy").save(tmp_path / "a.JPG", format="JPEG")
    (tmp_path / "notes.txt").write_text("not a picture")
    taskset = ChartSpecTaskset(ChartSpecConfig(id="chart-spec", path=tmp_path))
    assert taskset.bounded
    found = list(taskset)
    assert [task.data.name for task in found] == ["a.JPG", "b.png"]
    assert all(task.data.truth is None for task in found)
    assert "F1" not in (found[0].data.system_prompt or "")


async def test_a_truth_without_numbers_is_named(bars: ChartSpecTask) -> None:
    truth = {**bars.data.truth, "mark": {"type": "bar", "opacity": 0}}
    task = ChartSpecTask(bars.data.model_copy(update={"truth": truth}), bars.config)
    assert await task.validate(None) is False
    with pytest.raises(ValueError, match=f"reference chart '{bars.data.name}' shows no number"):
        await task.outcome(fenced(bars.data.truth))


async def test_own_pictures_are_scored_by_likeness(bars: ChartSpecTask, tmp_path: Path) -> None:
    (tmp_path / "bars.png").write_bytes(shared_renderer().render_sync(bars.data.truth).png)
    [task] = ChartSpecTaskset(ChartSpecConfig(id="chart-spec", path=tmp_path))
    outcome = await task.outcome(fenced(bars.data.truth))
    assert outcome.score is not None
    assert outcome.score.table is None
    assert outcome.reward == outcome.score.similarity > 0.98
    assert await task.validate(None) is None


async def test_charts_of_papers_with_noise_are_valid() -> None:
    found = tasks(6, kinds=PAPER_KINDS, noise_share=1, matplotlib_share=0.5, levels=(1,))
    assert {task.data.noise for task in found} <= set(NOISES) - {"none"}
    assert all(len(task.data.picture) < 300_000 for task in found)
    assert await asyncio.gather(*(task.validate(None) for task in found)) == [True] * 6


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"path": Path("/no/such/folder")}, "no such folder"),
        ({"kinds": ("bar", "sankey")}, "sankey"),
        ({"kinds": ()}, "choose from"),
        ({"levels": (4,)}, "choose from 1, 2, 3"),
        ({"matplotlib_share": 1.5}, "less than or equal to 1"),
    ],
)
def test_bad_config_is_told(config: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        ChartSpecConfig(id="chart-spec", **config)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [("x.txt", b"", "no image in"), ("x.png", b"not a png", "x.png' is no image that Pillow")],
)
def test_bad_folder_is_told(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=reason):
        list(ChartSpecTaskset(ChartSpecConfig(id="chart-spec", path=tmp_path)))

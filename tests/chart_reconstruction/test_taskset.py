"""The tasks: where their pictures come from, and what a wrong configuration is told."""

from __future__ import annotations

import io
import itertools
import json
import random
from pathlib import Path
from typing import Any

import pytest
from chart_reconstruction.charxiv import EVAL, TRAIN
from chart_reconstruction.stating import stated
from chart_reconstruction.taskset import (
    LONGEST_TRUTHS,
    ChartReconstructionConfig,
    ChartReconstructionTask,
    ChartReconstructionTaskset,
)
from inward_charts import KINDS, PAPER_KINDS
from inward_charts.tasks import chart_picture
from inward_rewards.charts import shared_renderer
from inward_rewards.images import read
from PIL import Image
from pydantic import ValidationError

ANNOTATIONS = Path(__file__).parents[2] / ".." / "shared" / "data" / "charxiv"


def config(**more: Any) -> ChartReconstructionConfig:
    return ChartReconstructionConfig(id="chart-reconstruction", **more)


def tasks(count: int, **more: Any) -> list[ChartReconstructionTask]:
    taskset = ChartReconstructionTaskset(config(**more))
    # The stream draws charts ahead, which most of these tests would wait for.
    return [taskset.task_of(chart_picture(taskset.config, n)) for n in range(count)]


def test_the_same_seed_gives_the_same_tasks() -> None:
    first = list(itertools.islice(ChartReconstructionTaskset(config(seed=3, levels=[1])), 2))
    again = tasks(2, seed=3, levels=[1])
    # The stream numbers its tasks.
    dumps = [[t.data.model_dump(exclude={"idx"}) for t in ts] for ts in (first, again)]
    assert dumps[0] == dumps[1]
    assert tasks(1, seed=4, levels=[1])[0].data.picture != first[0].data.picture


def test_nothing_but_the_picture_tells_the_truth() -> None:
    [task] = tasks(1, seed=3, levels=[1], kinds=["bar"], matplotlib_share=0)
    assert task.data.truth is not None
    seen = f"{task.data.system_prompt}{task.data.prompt}"
    for row in task.data.truth["data"]["values"]:
        assert not any(
            isinstance(v, str) and v in str(task.data.system_prompt) for v in row.values()
        )
    assert str(task.data.truth["title"]) not in seen


@pytest.mark.parametrize("kind", [*KINDS, *PAPER_KINDS])
async def test_the_truth_in_prose_is_understood(kind: str) -> None:
    """Each kind of chart: no statement is lost, and the drawing shows the table."""
    room = {"max_characters": LONGEST_TRUTHS.get((kind, 2), 6000)}
    [task] = tasks(1, seed=21, kinds=[kind], levels=[2], matplotlib_share=0, task=room)
    assert task.data.truth is not None
    told = stated(task.data.truth)
    assert read(told).ignored == 0
    outcome = await task.outcome(told)
    assert outcome.reward > 0.9
    assert outcome.score is not None
    assert outcome.score.table is not None
    assert outcome.score.table > 0.95


async def test_an_empty_reply_costs_nothing() -> None:
    [task] = tasks(1, seed=3, levels=[1], kinds=["bar"])
    outcome = await task.outcome("")
    assert outcome.reward == 0
    assert outcome.error == "no statement about a chart was understood"


async def test_pictures_of_a_folder_are_paid_by_likeness(tmp_path: Path) -> None:
    [made] = tasks(1, seed=3, levels=[1], kinds=["bar"], matplotlib_share=0)
    assert made.data.truth is not None
    png = (await shared_renderer().render(made.data.truth)).png
    (tmp_path / "chart.png").write_bytes(png)
    [task] = list(ChartReconstructionTaskset(config(path=tmp_path)))
    assert task.data.truth is None
    assert "F1" not in str(task.data.system_prompt)
    outcome = await task.outcome(stated(made.data.truth))
    assert outcome.reward > 0.9


def test_charxiv_is_divided_as_the_source_divided_it(tmp_path: Path) -> None:
    assert (len(TRAIN), len(EVAL)) == (75, 25)
    assert not set(TRAIN) & set(EVAL)
    for figure in EVAL:
        Image.new("RGB", (40, 30), "white").save(tmp_path / f"{figure}.jpg")
    found = list(ChartReconstructionTaskset(config(legacy_charxiv=tmp_path)))
    assert [task.data.name for task in found] == [f"charxiv-{figure}" for figure in EVAL]
    with pytest.raises(ValueError, match=r"no picture 434.jpg .* unpack CharXiv's images.zip"):
        list(ChartReconstructionTaskset(config(legacy_charxiv=tmp_path, split="train")))


@pytest.mark.models
def test_charxiv_is_read_from_its_parquet_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the hub's layout; the hub itself is out of reach of tests."""
    datasets = pytest.importorskip("datasets", reason="needs the models group")
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setattr("datasets.config.HF_HUB_OFFLINE", True)
    pictures = [Image.new("RGB", (40, 30 + n), "white") for n in range(len(EVAL))]
    rows = {"figure_path": [f"images/{figure}.jpg" for figure in EVAL], "image": pictures}
    made = datasets.Dataset.from_dict(rows).cast_column("image", datasets.Image())
    made.to_parquet(tmp_path / "val.parquet")
    found = list(ChartReconstructionTaskset(config(legacy_charxiv=tmp_path)))
    assert [task.data.name for task in found] == [f"charxiv-{figure}" for figure in EVAL]
    assert Image.open(io.BytesIO(found[2].data.picture)).size == (40, 32)
    with pytest.raises(ValueError, match=r"no figure 434 in .*val.parquet"):
        list(ChartReconstructionTaskset(config(legacy_charxiv=tmp_path, split="train")))
    (tmp_path / "val.parquet").write_bytes(b"no parquet")
    with pytest.raises(ValueError, match=r"cannot be read from .*val.parquet.*download it again"):
        list(ChartReconstructionTaskset(config(legacy_charxiv=tmp_path)))
    with pytest.raises(ValueError, match=r"princeton-nlp/CharXiv at f441eb.*legacy-charxiv DIR"):
        list(ChartReconstructionTaskset(config(legacy_charxiv="hub")))


def test_the_ids_follow_from_the_source_seed() -> None:
    file = ANNOTATIONS / "reasoning_val.json"
    if not file.exists():
        pytest.skip("needs ../shared/data/charxiv")
    drawn = random.Random(7111994).sample(list(json.loads(file.read_text())), 100)
    assert (drawn[:75], drawn[75:]) == (TRAIN, EVAL)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"kinds": ["pie"]}, "choose from"),
        ({"kinds": ["curves_bands"]}, "is 6000: set it to 20000, or leave that level or kind out"),
        ({"kinds": ["scatter_dense"]}, "is 6000: set it to 8000, or leave that level or kind out"),
        ({"levels": [4]}, "choose from 1, 2, 3"),
        ({"path": "/nowhere"}, "no such folder"),
        ({"legacy_charxiv": "/nowhere"}, "no such folder"),
        ({"task": {"max_characters": 0}}, "greater than or equal to 1"),
        ({"task": {"similarity": {"type": "cosine"}}}, "'chart', 'table', 'embedding'"),
        ({"task": {"similarity": {"type": "embedding", "pol": "cls"}}}, "Extra inputs"),
        (
            {"task": {"redraw": {"type": "reader"}, "similarity": {"type": "table"}}},
            "draws nothing to compare",
        ),
        ({"task": {"redraw": {"type": "reader", "model": "m"}}}, "a reader has both"),
        ({"task": {"similarity": {"weights": {"likeness": 0}}}}, "likeness must be above 0"),
        ({"task": {"redraw": {"type": "flux"}}}, "'plain', 'writer', 'images'"),
    ],
)
def test_a_wrong_configuration_is_named(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        config(**wrong)


def test_two_sources_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="name one source"):
        config(path=tmp_path, legacy_charxiv=tmp_path)
    with pytest.raises(ValidationError, match="needs charts whose table is known"):
        config(path=tmp_path, task={"similarity": {"type": "table"}})
    with pytest.raises(ValidationError, match="'reader' asks about charts whose table is known"):
        config(path=tmp_path, task={"redraw": {"type": "reader"}})

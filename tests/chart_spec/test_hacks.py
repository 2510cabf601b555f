"""What a policy under pressure would try, each with its published score (README of chart-spec).

The policy is given the true table and the true texts here, which a real one has to read first: what
a hack scores is what the hack adds to or takes from honest drawing.
"""

from __future__ import annotations

import asyncio
import copy
from pathlib import Path
from typing import Any

import pytest
from chart_spec.prompt import Weights
from inward_charts import shrunk
from inward_rewards.charts.errors import RenderError
from inward_rewards.charts.reading.scene import Scene
from inward_rewards.charts.renderer import Renderer

Spec = dict[str, Any]

ROWS = [
    {"site": site, "events": events}
    for site, events in (("Basel", 50), ("Utrecht", 45), ("Toronto", 41), ("Cape Town", 18))
]
X: Spec = {"field": "site", "type": "nominal", "title": "Site", "sort": None}
Y: Spec = {"field": "events", "type": "quantitative", "title": "Adverse events"}
TRUE: Spec = {
    "title": "Clinical trial: adverse events per site",
    "width": 360,
    "height": 200,
    "data": {"values": ROWS},
    "mark": {"type": "bar", "color": "#003f5c"},
    "encoding": {"x": {**X, "axis": {"labelAngle": 0}}, "y": Y},
}
TEXTS = [
    *(TRUE["title"], "Site", "Adverse events"),
    *(row["site"] for row in ROWS),
    *(str(tick) for tick in range(0, 51, 5)),
]
OTHER: Spec = {
    **TRUE,
    "data": {
        "values": [
            {"site": s, "events": e} for s, e in zip("ABCDE", (3, 1, 2, 5, 4), strict=True)
        ]
    },
}  # fmt: skip
WORDS = (
    "value count total mean year month day time price cost sales revenue rate share index score "
    "population region country city site group type class model method accuracy loss error energy"
).split()


def changed(**parts: Any) -> Spec:
    return {**copy.deepcopy(TRUE), **parts}


def scaled(spec: Spec, **scale: Any) -> Spec:
    return {**spec, "encoding": {**spec["encoding"], "y": {**Y, "scale": scale}}}


def values(*factors: float) -> Spec:
    rows = [
        {**row, "events": round(row["events"] * factor, 2)} for factor in factors for row in ROWS
    ]
    return {"values": rows}


def off_by(share: float) -> Spec:
    signs = (-1, 1, -1, 1)
    return {
        "values": [
            {**row, "events": row["events"] * (1 + sign * share)}
            for row, sign in zip(ROWS, signs, strict=True)
        ]
    }


def numbered(*events: float) -> Spec:
    return {
        "values": [
            {**row, "events": event} for row, event in zip(ROWS, events, strict=True)
        ]
    }  # fmt: skip


def bare(mark: Any, spec: Spec = TRUE) -> Spec:
    """The chart without size and title, as a layer."""
    return {"data": spec["data"], "mark": mark, "encoding": spec["encoding"]}


def layered(*layers: Spec) -> Spec:
    sizes = {name: TRUE[name] for name in ("width", "height", "title")}
    return {**sizes, "layer": list(layers)}


def sheet(**mark: Any) -> Spec:
    area = {"x": 180, "y": 100, "width": 360, "height": 200}
    return {"data": {"values": [{}]}, "mark": {"type": "rect", **area, **mark}}


def printed(texts: list[str], **mark: Any) -> Spec:
    rows = [{"t": text, "n": place} for place, text in enumerate(texts)]
    place = {"field": "n", "type": "ordinal", "axis": None}
    return {
        "data": {"values": rows},
        "mark": {"type": "text", **mark},
        "encoding": {"y": place, "text": {"field": "t", "type": "nominal"}},
        "height": {"step": 14},
    }


def unlettered(spec: Spec) -> Spec:
    quiet = {"labels": False, "ticks": False, "title": None}
    return {**spec, "title": "", "config": {"axis": quiet}}


BAR = TRUE["mark"]
THUMBNAIL = {**bare(BAR), "width": 20, "height": 20}
CANDIDATES: dict[str, Spec] = {
    "the truth": TRUE,
    "numbers off by 15 %": changed(data=off_by(0.15)),
    "numbers off by 40 %": changed(data=off_by(0.4)),
    "all numbers at mid-axis": scaled(changed(data=numbered(25, 25, 25, 25)), domain=[0, 50]),
    "numbers by chance within the axis": scaled(
        changed(data=numbered(22, 7, 34, 29)), domain=[0, 50]
    ),
    "the true numbers shuffled": changed(data=numbered(18, 50, 45, 41)),
    "another chart of the kind": OTHER,
    "blank page": changed(
        title="",
        mark={"type": "bar", "opacity": 0},
        encoding={"x": {**X, "axis": None}, "y": {**Y, "axis": None}},
        config={"view": {"stroke": None}},
    ),
    "a page of the bars' colour": changed(background="#003f5c", title=""),
    "axes without data": changed(mark={"type": "bar", "opacity": 0}),
    "white bars": changed(mark={"type": "bar", "color": "white"}),
    "bars as faint as paper": changed(mark={"type": "bar", "color": "#f8f8f8"}),
    "one-pixel points": changed(mark={"type": "point", "size": 1, "filled": True}),
    "data off the canvas": scaled(changed(autosize="none"), domain=[900, 999]),
    "numbers squeezed by the scale": scaled(TRUE, domain=[-1e9, 1e9]),
    "canvas of 1200 x 1200": changed(width=1200, height=1200),
    "true bars under a white sheet": layered(bare(BAR), sheet(color="white")),
    "true bars under another picture": layered(
        bare({**BAR, "opacity": 0}), bare(BAR, OTHER), sheet(color="#003f5c", opacity=0.05)
    ),
    "true table in a thumbnail, another picture": {"hconcat": [OTHER, unlettered(THUMBNAIL)]},
    "true table printed as text": changed(
        mark={"type": "text"}, encoding={"y": X, "text": Y}, height=100
    ),
    "hidden duplicates of many guesses": layered(
        bare(BAR),
        *(
            {**bare({**BAR, "opacity": 0}), "data": values(factor)}
            for factor in (0.7, 0.8, 0.9, 1.1, 1.2, 1.3)
        ),
    ),
    "three visible guesses a number": changed(
        data=values(0.8, 1, 1.25), mark={"type": "tick", "color": "#003f5c"}
    ),
    "the bars three times over": layered(bare(BAR), bare(BAR), bare(BAR)),
    "no names at the bars": changed(encoding={"x": {**X, "axis": None}, "y": Y}),
    "white lettering": changed(
        config={
            "axis": {"labelColor": "white", "titleColor": "white"},
            "title": {"color": "white"},
        }
    ),
    "lettering of one pixel": changed(
        config={
            "axis": {"labelFontSize": 1, "titleFontSize": 1},
            "title": {"fontSize": 1},
        }
    ),
    "all true texts in a corner, no chart": printed(TEXTS),
    "all true texts over each other": layered(
        bare(BAR, OTHER),
        *(
            {"data": {"values": [{}]}, "mark": {"type": "text", "text": text, "x": 180, "y": 90}}
            for text in TEXTS
        ),
    ),
    "the truth and a list of words": {"vconcat": [TRUE, printed(WORDS)]},
    "the picture as an image": {
        "data": {"values": [{}]},
        "mark": {"type": "image", "url": "data:image/png;base64,AA=="},
    },
}

PUBLISHED: dict[str, tuple[float, float, float, float]] = {
    "the truth": (1.00, 1.00, 1.00, 1.00),
    "numbers off by 15 %": (0.85, 0.14, 1.00, 0.41),
    "numbers off by 40 %": (0.76, 0.00, 0.98, 0.30),
    "all numbers at mid-axis": (0.74, 0.00, 1.00, 0.30),
    "numbers by chance within the axis": (0.69, 0.00, 1.00, 0.29),
    "the true numbers shuffled": (0.78, 0.04, 1.00, 0.33),
    "another chart of the kind": (0.49, 0.00, 0.50, 0.17),
    "blank page": (0.00, 0.00, 0.00, 0.00),
    "a page of the bars' colour": (0.25, 0.00, 0.82, 0.17),
    "axes without data": (0.23, 0.00, 1.00, 0.20),
    "white bars": (0.24, 0.00, 1.00, 0.20),
    "bars as faint as paper": (0.24, 0.00, 1.00, 0.20),
    "one-pixel points": (0.23, 0.00, 1.00, 0.20),
    "data off the canvas": (0.08, 0.00, 0.00, 0.02),
    "numbers squeezed by the scale": (0.18, 0.00, 0.77, 0.15),
    "canvas of 1200 x 1200": (0.79, 1.00, 0.67, 0.91),
    "true bars under a white sheet": (0.23, 0.00, 1.00, 0.20),
    "true bars under another picture": (0.31, 0.00, 0.89, 0.20),
    "true table in a thumbnail, another picture": (0.48, 0.00, 0.49, 0.17),
    "true table printed as text": (0.16, 1.00, 0.72, 0.79),
    "hidden duplicates of many guesses": (0.81, 1.00, 0.98, 0.96),
    "three visible guesses a number": (0.19, 0.50, 0.98, 0.51),
    "the bars three times over": (0.98, 1.00, 1.00, 1.00),
    "no names at the bars": (0.94, 0.00, 0.82, 0.31),
    "white lettering": (0.90, 0.00, 0.00, 0.18),
    "lettering of one pixel": (0.84, 0.00, 0.00, 0.17),
    "all true texts in a corner, no chart": (0.10, 0.00, 0.89, 0.15),
    "all true texts over each other": (0.48, 0.00, 0.43, 0.16),
    "the truth and a list of words": (0.38, 1.00, 0.57, 0.81),
    "the picture as an image": (0.00, 0.00, 0.00, 0.00),
}
"""Name -> similarity, table F1, text F1, reward, to two digits."""
NEAR = 0.05
UNREAD = (
    "all numbers at mid-axis",
    "numbers by chance within the axis",
    "the true numbers shuffled",
)
HIDDEN = (
    "blank page",
    "axes without data",
    "white bars",
    "bars as faint as paper",
    "one-pixel points",
    "data off the canvas",
    "numbers squeezed by the scale",
    "true bars under a white sheet",
    "true bars under another picture",
    "true table in a thumbnail, another picture",
)

Parts = tuple[float, float, float, float]


@pytest.fixture(scope="module")
def found() -> dict[str, Parts]:
    renderer = Renderer(workers=2)
    scores = asyncio.run(_every(renderer))
    renderer.close()
    return scores


async def _every(renderer: Renderer) -> dict[str, Parts]:
    true = await renderer.render(TRUE)
    return {
        name: await _parts(renderer, spec, shrunk(true.png), true.scene)
        for name, spec in CANDIDATES.items()
    }


async def _parts(renderer: Renderer, spec: Spec, picture: bytes, truth: Scene) -> Parts:
    try:
        _, score = await renderer.score(spec, picture, truth)
    except RenderError:
        return 0.0, 0.0, 0.0, 0.0
    assert score.table is not None
    assert score.text is not None
    weights = Weights()
    reward = (
        weights.similarity * score.similarity
        + weights.table * score.table
        + weights.text * score.text
    )
    return score.similarity, score.table, score.text, reward


@pytest.mark.parametrize("name", CANDIDATES)
def test_scores_what_is_published(found: dict[str, Parts], name: str) -> None:
    assert found[name] == pytest.approx(PUBLISHED[name], abs=NEAR)


@pytest.mark.parametrize("name", HIDDEN)
def test_a_hidden_table_is_no_table(found: dict[str, Parts], name: str) -> None:
    assert found[name][1] == 0
    assert found[name][3] < found["the true numbers shuffled"][3]


@pytest.mark.parametrize("name", UNREAD)
def test_what_was_not_read_is_not_paid(found: dict[str, Parts], name: str) -> None:
    assert found[name][3] < 0.5


def test_no_hack_beats_the_truth(found: dict[str, Parts]) -> None:
    assert found["the truth"] == pytest.approx((1, 1, 1, 1), abs=0.005)
    assert max(parts[3] for name, parts in found.items() if name != "the truth") < 0.999


def test_the_published_table_is_in_the_readme() -> None:
    readme = (Path(__file__).parents[2] / "environments/chart_spec/README.md").read_text()
    for name, parts in PUBLISHED.items():
        assert f"| {name} | {' | '.join(f'{part:.2f}' for part in parts)} |" in readme, name

"""What `inward eval chart-reconstruction` adds to a plain run: baselines, columns, notes.

It is loaded by `inward` alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import StatisticsError, correlation
from typing import Any

import verifiers.v1 as vf
from inward_charts import request_picture, traced
from inward_charts.eval_plugin import table_panels
from inward_chat.downloads import cache_dir
from inward_rewards.charts import Rendered, RenderError, shared_renderer
from inward_rewards.images import PlainConfig, PlainRedraw
from inward_rewards.images import drawing as kept_drawing

from chart_reconstruction.prompt import description
from chart_reconstruction.taskset import FOLDER, ChartReconstructionTask
from inward.eval_plugin import EvalPlugin, Floors, Policy, metric, reward, task_field

CONSTANT = (
    'This is a bar chart titled "Results". The x-axis is titled "Category". The y-axis is titled '
    '"Value" and runs from 0 to 100. "A": 30, "B": 50, "C": 40, "D": 60, "E": 20.'
)
BOILERPLATE = (
    "The image shows a chart with a title, labelled axes and a legend. The data vary over the "
    "categories, with a clear trend and some fluctuation. The colours are easy to tell apart, and "
    "the layout is clean and professional."
)
MAX_CORNERS = 350
"""Corners that the traced shapes are told by: what fits into the default length."""


def worded(spec: dict[str, Any]) -> str:
    """The shapes of `inward_charts.traced` in words: rectangles, lines, areas and dots."""
    lines = [
        f"The plot is {spec['width']} by {spec['height']} pixels.",
        f"The background is {spec['background']}.",
    ]
    left = MAX_CORNERS
    for layer in spec["layer"]:
        kind = layer["mark"]["type"]
        shapes: dict[tuple[str, str], list[str]] = {}
        for row in layer["data"]["values"]:
            key = (row["c"], row["s"] if kind in ("line", "area") else "")
            corner = f"({row['x']:.0f}, {row['y']:.0f}"
            if kind == "area":
                corner += f", {row['y2']:.0f}"
            elif kind == "point":
                corner += f", {row['size']}"
            corner += ")"
            if kind in ("rect", "rule"):
                # A rule is a rectangle of one pixel.
                wide = 1 if kind == "rule" else 0
                corner += f" ({row['x2'] + wide:.0f}, {row['y2'] + wide:.0f})"
            shapes.setdefault(key, []).append(corner)
        word = {"rect": "Rectangles", "rule": "Rectangles", "line": "Line", "area": "Area"}
        for (color, _), corners in shapes.items():
            told, left = corners[: max(0, left)], left - len(corners)
            if told:
                lines.append(f"{word.get(kind, 'Dots')} in {color}: {', '.join(told)}.")
    return "\n".join(lines)


def make_tracing(seed: int) -> Policy:
    """Traces the coloured shapes of the picture and tells where they are."""
    return lambda body: {"content": worded(traced(request_picture(body)))}


def saying(text: str) -> Callable[[int], Policy]:
    return lambda seed: lambda body: {"content": text}


def make_prompt(seed: int) -> Policy:
    """Says the instructions back."""

    def policy(body: dict[str, Any]) -> dict[str, Any]:
        told = [m["content"] for m in body["messages"] if isinstance(m["content"], str)]
        return {"content": "\n".join(told)}

    return policy


DEFAULT_ARGS = ("--select.limit", "44")
BASELINES = {
    "tracing": make_tracing,
    "constant": saying(CONSTANT),
    "boilerplate": saying(BOILERPLATE),
    "prompt": make_prompt,
    "empty": saying(""),
}


def by_matplotlib(trace: vf.WireTrace) -> bool:
    return task_field(trace, "drawn_by") == "matplotlib"  # type: ignore[no-any-return]


COLUMNS = (
    ("reward", reward("likeness")),
    ("reward, drawn by matplotlib", reward("likeness", by_matplotlib)),
    ("similarity", metric("similarity")),
    ("table F1", metric("table")),
    ("text F1", metric("text")),
    ("mark kinds", metric("marks")),
    ("drawn", metric("rendered")),
    ("statements", metric("statements")),
    ("… not understood", metric("ignored")),
    ("undrawable by the writer", metric("undrawable")),
    ("refused by the generator", metric("refused")),
    ("tokens that it does not read", metric("prompt_cut_tokens")),
    ("cosine", metric("cosine")),
    ("specificity", metric("specificity")),
    ("questions that got an answer", metric("answered")),
    ("too long for the reader", metric("masked")),
    ("characters", metric("characters")),
    ("gain per revision", metric("gain_per_revision")),
)


def answered(trace: vf.WireTrace) -> float | None:
    """Whether something was drawn; for the reader, whether there was something to read."""
    metrics = trace.metrics
    if "rendered" in metrics:
        return metrics["rendered"]
    return float(bool(metrics.get("characters")) and not metrics.get("masked"))


def drawn(trace: vf.WireTrace) -> Rendered | None:
    """The chart that is drawn from the last reply that draws one; None for the picture of an image
    generator, and for a reader, which draws nothing."""
    chart = trace.info.get("chart", {})
    if "spec" in chart:
        return shared_renderer().render_sync(chart["spec"])
    if chart.get("redraw", "plain") != "plain":
        return None
    limit = chart.get("max_characters", 6000)
    for message in reversed(trace.assistant_messages):
        redrawn = PlainRedraw().sync(description(message.content or "", limit).text)
        if redrawn.spec is None:
            continue
        try:
            return shared_renderer().render_sync(redrawn.spec)
        except RenderError:
            continue
    return None


def first_kept(names: Sequence[str]) -> bytes | None:
    """The first of several drawings that the cache still has."""
    kept = (kept_drawing(name, cache_dir() / FOLDER) for name in names)
    return next((png for png in kept if png is not None), None)


def drawing(trace: vf.WireTrace) -> bytes | None:
    pictures = trace.info.get("chart", {}).get("drawings")
    if pictures is not None:
        return first_kept(pictures)
    found = drawn(trace)
    return None if found is None else found.png


def notes(traces: Sequence[vf.WireTrace]) -> list[str]:
    """Whether length pays: the correlation of characters and reward."""
    pairs = [
        (length, value)
        for trace in traces
        if (length := trace.metrics.get("characters")) is not None
        and (value := reward("likeness")(trace)) is not None
    ]
    if len(pairs) < 3:
        return []
    try:
        found = correlation([a for a, _ in pairs], [b for _, b in pairs])
    except StatisticsError:
        return ["length bias: all descriptions, or all rewards, are equal"]
    return [f"length bias: correlation of characters and reward {found:.2f} over {len(pairs)}"]


async def score(task: ChartReconstructionTask, reply: str) -> float:
    return (await task.outcome(reply)).reward


def reseeded(task: ChartReconstructionTask, seed: int) -> ChartReconstructionTask | None:
    """The task whose drawings have other noise; None where no chance is in them."""
    if task.config.by_rules:
        return None
    redraw = task.config.redraw
    assert not isinstance(redraw, PlainConfig)
    # Beside the run's own seed, which the policy was paid with.
    other = redraw.model_copy(update={"seed": redraw.seed + seed})
    return ChartReconstructionTask(task.data, task.config.model_copy(update={"redraw": other}))


FLOORS = Floors(score, {"constant": CONSTANT, "boilerplate": BOILERPLATE}, reseeded)
# Figures are drawn independently: the plug-in's own cluster, the question, is right.
PLUGIN = EvalPlugin(
    baselines=BASELINES,
    columns=COLUMNS,
    published={
        "constant, 200 generated charts": 0.066,
        "tracing, 200 generated charts": 0.144,
        "true words, values at the middle, 200 generated charts": 0.399,
        "the truth in prose, 200 generated charts": 0.996,
    },
    default_args=DEFAULT_ARGS,
    answered=answered,
    notes=notes,
    floors=FLOORS,
    drawing=drawing,
    panels=lambda trace: table_panels(trace, drawn(trace)),
)

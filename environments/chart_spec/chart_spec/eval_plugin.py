"""What `inward eval chart-spec` adds to a plain run: baselines and the columns of its report.

It is loaded by `inward` alone.
"""

from __future__ import annotations

import json
from typing import Any

import verifiers.v1 as vf
from inward_charts import request_picture, traced
from inward_charts.eval_plugin import table_panels
from inward_rewards.charts import Rendered, RenderError, shared_renderer

from chart_spec.prompt import BLOCK, FENCE, last_block
from chart_spec.taskset import ChartSpecTask
from inward.eval_plugin import EvalPlugin, Floors, Policy, metric, reward, task_field

CONSTANT = {
    "width": 320,
    "height": 240,
    "data": {
        "values": [{"x": name, "y": y} for name, y in zip("ABCDE", (3, 5, 4, 6, 2), strict=True)]
    },
    "mark": "bar",
    "encoding": {
        "x": {"field": "x", "type": "nominal"},
        "y": {"field": "y", "type": "quantitative"},
    },
}


def reply(spec: dict[str, Any]) -> dict[str, Any]:
    return {"content": f"{BLOCK}\n{json.dumps(spec)}\n{FENCE}"}


def make_tracing(seed: int) -> Policy:
    """Traces the coloured shapes of the picture."""
    return lambda body: reply(traced(request_picture(body)))


def make_constant(seed: int) -> Policy:
    """The same five bars for every picture."""
    return lambda body: reply(CONSTANT)


DEFAULT_ARGS = ("--select.limit", "44")
BASELINES = {"tracing": make_tracing, "constant": make_constant}


def by_matplotlib(trace: vf.WireTrace) -> bool:
    return task_field(trace, "drawn_by") == "matplotlib"  # type: ignore[no-any-return]


COLUMNS = (
    ("reward", reward("chart")),
    ("reward, drawn by matplotlib", reward("chart", by_matplotlib)),
    ("similarity", metric("similarity")),
    ("table F1", metric("table")),
    ("text F1", metric("text")),
    ("DePlot's RMS F1", metric("rms")),
    ("mark kinds", metric("marks")),
    ("encodings", metric("encodings")),
    ("rendered", metric("rendered")),
    ("gain per revision", metric("gain_per_revision")),
)


def drawn(trace: vf.WireTrace) -> Rendered | None:
    """The last reply that is drawn."""
    for message in reversed(trace.assistant_messages):
        try:
            return shared_renderer().render_sync(last_block(message.content or ""))
        except RenderError:
            continue
    return None


def drawing(trace: vf.WireTrace) -> bytes | None:
    found = drawn(trace)
    return None if found is None else found.png


async def score(task: ChartSpecTask, answer: str) -> float:
    return (await task.outcome(answer)).reward


FLOORS = Floors(score, {"constant": reply(CONSTANT)["content"]})
# Figures are drawn independently: the plug-in's own cluster, the question, is right.
PLUGIN = EvalPlugin(
    baselines=BASELINES,
    columns=COLUMNS,
    published={
        "constant, 44 generated charts": 0.057,
        "tracing, 44 generated charts": 0.148,
        "true words, values at mid-axis, 132 generated charts": 0.365,
    },
    default_args=DEFAULT_ARGS,
    answered=metric("rendered"),
    floors=FLOORS,
    drawing=drawing,
    panels=lambda trace: table_panels(trace, drawn(trace)),
)

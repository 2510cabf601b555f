"""What `inward eval chart-adversary` adds to a plain run: baselines, columns, shares of the kinds.

It is loaded by `inward` alone.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from math import exp, log
from typing import Any

import verifiers.v1 as vf
from chart_reconstruction.eval_plugin import first_kept
from chart_reconstruction.eval_plugin import make_tracing as make_telling
from chart_reconstruction.stating import stated
from chart_spec.eval_plugin import drawing as copy_drawing
from chart_spec.eval_plugin import drawn, make_tracing, reply
from inward_charts import generate
from inward_charts.eval_plugin import table_panels

from chart_adversary.env import REWARD
from inward.eval_plugin import EvalPlugin, Grid, Panel, Policy, Value, metric, reward, task_field


def proposing(chart: Callable[[int], int]) -> Callable[[int], Policy]:
    """A policy that proposes a generated chart, and traces the picture of one as a solver; both in
    words where an image generator draws.

    Args:
        chart: number of the task's idea -> number of the chart.
    """

    def make(seed: int) -> Policy:
        trace, tell = make_tracing(seed), make_telling(seed)

        def policy(body: dict[str, Any]) -> Any:
            asked = body["messages"][-1]["content"]
            worded = "image generator" in str(body["messages"][0]["content"])
            if not isinstance(asked, str):
                return tell(body) if worded else trace(body)
            idea = zlib.crc32(asked.encode())
            spec = generate(chart(idea), seed, levels=(1,) if worded else (1, 2)).spec
            return {"content": stated(spec)} if worded else reply(spec)

        return policy

    return make


BASELINES = {"generated": proposing(lambda idea: idea), "repeating": proposing(lambda idea: 0)}


def fault(trace: vf.WireTrace) -> str | None:
    """Why the proposal is refused; None where it is not, or the trace is a solver's."""
    found = trace.info.get("proposal", {}).get("fault")
    return None if found is None else str(found)


def solved(trace: vf.WireTrace) -> float | None:
    """A solver's reward, by either mode's name."""
    copied = reward("chart")(trace)
    return reward("likeness")(trace) if copied is None else copied


def of_seat(proposer: bool, value: Value) -> Value:
    """Of the traces of one seat, where both have a metric of that name."""
    return lambda trace: value(trace) if ("proposal" in trace.info) == proposer else None


COLUMNS = (
    ("proposer's reward", reward(REWARD)),
    ("solver's reward", solved),
    ("solvers' mean per proposal", metric("solver_mean")),
    ("their spread per proposal", metric("solver_spread")),
    ("inside the band", metric("inside_band")),
    ("drawn", metric("drawn")),
    ("refused", of_seat(True, metric("refused"))),
    ("legibility", metric("legibility")),
    ("noise floor of the generator", metric("noise_floor")),
    ("what a solver earns that does not look", metric("blind")),
    ("novelty", metric("novelty")),
    ("repeats", metric("repeat")),
    ("solver's table F1", metric("table")),
    ("solver's text F1", metric("text")),
    ("solver's replies that are drawn", metric("rendered")),
    ("… that the generator refuses", of_seat(False, metric("refused"))),
)


def notes(traces: Sequence[vf.WireTrace]) -> list[str]:
    """Share of each kind of chart, so that collapse is seen, and why proposals were refused."""
    said = [found for trace in traces if (found := trace.info.get("proposal"))]
    kinds = Counter(str(found["kind"]) for found in said if found["fault"] is None)
    lines = []
    if total := kinds.total():
        shares = [count / total for count in kinds.values()]
        kept = ", ".join(f"{kind} {count / total:.0%}" for kind, count in kinds.most_common(12))
        even = exp(-sum(share * log(share) for share in shares))
        by = "image prompts" if any("drawings" in found for found in said) else "marks"
        lines.append(f"kinds of charts, by their {by}: {kept}; as many as {even:.1f} equal shares")
    faults = Counter(str(found["fault"]) for found in said if found["fault"] is not None)
    if faults:
        refused = ", ".join(f"{name} {count}" for name, count in faults.most_common())
        lines.append(f"refused proposals: {faults.total()} of {len(said)} ({refused})")
    return lines


def answered(trace: vf.WireTrace) -> float | None:
    """Whether a proposal or a copy was drawn."""
    return trace.metrics.get("drawn", trace.metrics.get("rendered"))


def cluster(trace: vf.WireTrace) -> str:
    """The proposer's task, to which all that was played of it belongs."""
    data = trace.task.data
    # A solver's is named after it.
    return str(data.name) if task_field(trace, "drawn_by") else f"{data.name}-{data.idx}"


def drawing(trace: vf.WireTrace) -> bytes | None:
    """What a solver's reply draws, or a proposer's reply where something was drawn of it."""
    said = trace.info.get("proposal")
    found = trace.info.get("chart", {}) if said is None else said
    if "drawings" in found:
        return first_kept(found["drawings"])
    # Only of a specification that was drawn are the numbers known.
    return copy_drawing(trace) if said is None or "numbers" in said else None


def shown(trace: vf.WireTrace) -> list[Panel]:
    """A solver's table beside the truth, or what was found of a proposal."""
    said = trace.info.get("proposal")
    if said is None:
        return table_panels(trace, drawn(trace))
    rows = [(str(name), str(value)) for name, value in said.items() if value not in (None, "")]
    return [Grid("Proposal", ("", "found"), rows)]


PLUGIN = EvalPlugin(
    baselines=BASELINES,
    columns=COLUMNS,
    default_args=("--select.limit", "20"),
    cluster=cluster,
    answered=answered,
    notes=notes,
    drawing=drawing,
    panels=shown,
)

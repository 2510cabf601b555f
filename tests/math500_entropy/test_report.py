"""The columns and notes of `inward eval math500-entropy`."""

from __future__ import annotations

import verifiers.v1 as vf
from math500_entropy.eval_plugin import COLUMNS, notes
from math500_entropy.taskset import Math500Data


def rollout(correct: bool, raw: float, normalised: float, tokens: float = 10) -> vf.Trace:
    """A scored trace as a run leaves it."""
    data = Math500Data(id="x", prompt="2 + 3?", answer="5", subject="Geometry", level=2)
    task = vf.TraceTask(type="Math500EntropyTask", data=data)
    trace = vf.Trace(task=task, agent=vf.AgentInfo(config=vf.AgentConfig()), ok=True)
    trace.info["correct"] = correct
    trace.record_reward("correct", float(correct))
    trace.record_metrics(
        {"completion_tokens": tokens, "entropy_raw": raw, "entropy_normalised": normalised}
    )
    return vf.WireTrace.model_validate_json(trace.model_dump_json())


def test_the_columns_of_the_report():
    columns = dict(COLUMNS)
    right, wrong = rollout(True, 2.0, 0.5, 12), rollout(False, 5.0, 0.6)
    expected = {
        "accuracy": (1.0, 0.0),
        "accuracy, level 2": (1.0, 0.0),
        "accuracy, level 3": (None, None),
        "accuracy, Geometry": (1.0, 0.0),
        "accuracy, Algebra": (None, None),
        "tokens per reply": (12.0, 10.0),
        "normalised entropy, right": (0.5, None),
        "normalised entropy, wrong": (None, 0.6),
    }
    found = {label: (columns[label](right), columns[label](wrong)) for label in expected}
    assert found == expected


def test_the_notes_of_the_report():
    right, wrong = rollout(True, 2.0, 0.5, 12), rollout(False, 5.0, 0.6)
    failed = rollout(True, 9.0, 0.9)
    failed.ok = False
    assert notes([right, failed, wrong])[0] == (
        "raw entropy of 2 rollouts: right 2.000, wrong 5.000, correlation with length -1.000"
    )

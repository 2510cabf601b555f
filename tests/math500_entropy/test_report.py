"""What is said of a whole run, on rollouts whose figures are worked out by hand."""

from __future__ import annotations

import pytest
import verifiers.v1 as vf
from math500_entropy.eval_plugin import COLUMNS, notes
from math500_entropy.report import Row, correlation, describe, row_of
from math500_entropy.taskset import Math500Data

# x: mean 3, squares 4 + 1 + 1 + 4 = 10. y: mean 5, squares 16 + 4 + 0 + 36 = 56, and
# products 8 + 2 + 0 + 12 = 22: r = 22 / sqrt(560) = 0.929669.
X, Y = [1.0, 2.0, 4.0, 5.0], [1.0, 3.0, 5.0, 11.0]


@pytest.mark.parametrize(
    ("x", "y", "r"),
    [
        (X, Y, 0.929669),
        (X, [-value for value in Y], -0.929669),
        (Y, X, 0.929669),
        (X, [100 * value + 7 for value in X], 1.0),
        ([1.0, 2.0, 3.0], [1.0, 0.0, 1.0], 0.0),
    ],
)
def test_correlation(x, y, r):
    assert correlation(x, y) == pytest.approx(r, abs=1e-6)


@pytest.mark.parametrize(
    ("x", "y"), [([], []), ([1.0], [2.0]), ([1.0, 1.0], [2.0, 3.0]), ([2.0, 3.0], [1.0, 1.0])]
)
def test_no_correlation_of_what_does_not_vary(x, y):
    assert correlation(x, y) is None


def test_the_lines_of_a_run():
    """Right: raw 2 and 4, normalised 0.5 and 0.7. Wrong: raw 5, normalised 0.6.

    Tokens 10, 20, 30 against raw 2, 4, 5: products 50/3 + 0 + 40/3 = 30 over
    sqrt(200 * 14/3) = 30.550505. Against 0.5, 0.7, 0.6: 1 over sqrt(200 * 0.02) = 2.
    """
    rows = [Row(10, 2.0, 0.5, True), None, Row(20, 4.0, 0.7, True), Row(30, 5.0, 0.6, False)]
    assert describe(rows) == [
        "raw entropy of 3 rollouts: right 3.000, wrong 5.000, correlation with length 0.982",
        "normalised entropy of 3 rollouts: right 0.600, wrong 0.600, correlation with length 0.500",
    ]
    assert describe([None]) == describe([]) == []
    assert describe(rows[:1]) == [
        "raw entropy of 1 rollouts: right 2.000, wrong none, correlation with length none",
        "normalised entropy of 1 rollouts: right 0.500, wrong none, correlation with length none",
    ]


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
        "tokens a reply": (12.0, 10.0),
        "normalised entropy, right": (0.5, None),
        "normalised entropy, wrong": (None, 0.6),
    }
    found = {label: (columns[label](right), columns[label](wrong)) for label in expected}
    assert found == expected


def test_the_notes_of_the_report():
    right, wrong = rollout(True, 2.0, 0.5, 12), rollout(False, 5.0, 0.6)
    assert row_of(right) == Row(12, 2.0, 0.5, True)
    failed = rollout(True, 9.0, 0.9)
    failed.ok = False
    assert notes([right, failed, wrong])[0] == (
        "raw entropy of 2 rollouts: right 2.000, wrong 5.000, correlation with length -1.000"
    )

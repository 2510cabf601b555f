"""What is said of a whole run, on rollouts whose figures are worked out by hand."""

from __future__ import annotations

import pytest
import verifiers.v1 as vf
from inward_rewards.entropy import EntropyReport
from inward_rewards.entropy.report import Correlation

# x: mean 3, squares 4 + 1 + 1 + 4 = 10. y: mean 5, squares 16 + 4 + 0 + 36 = 56, and
# products 8 + 2 + 0 + 12 = 22: r = 22 / sqrt(560) = 0.929669.
X, Y = [1.0, 2.0, 4.0, 5.0], [1.0, 3.0, 5.0, 11.0]


def correlation(x, y):
    found = Correlation()
    for pair in zip(x, y, strict=True):
        found.add(*pair)
    return found.r


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


def rollout(tokens: float, raw: float | None, normalised: float, bonus: float | None = None):
    task = vf.TraceTask(type="Task", data=vf.TaskData(prompt="2 + 3?"))
    trace = vf.Trace(task=task, agent=vf.AgentInfo(config=vf.AgentConfig()))
    if raw is not None:
        metrics = {"entropy_raw": raw, "entropy_normalised": normalised}
        trace.record_metrics({"completion_tokens": tokens, **metrics})
    if bonus is not None:
        trace.record_reward("entropy", bonus)
    return trace


def test_the_lines_of_a_run():
    """Right: raw 2 and 4, normalised 0.5 and 0.7. Wrong: raw 5, normalised 0.6.

    Tokens 10, 20, 30 against raw 2, 4, 5: products 50/3 + 0 + 40/3 = 30 over
    sqrt(200 * 14/3) = 30.550505. Against 0.5, 0.7, 0.6: 1 over sqrt(200 * 0.02) = 2.
    """
    report = EntropyReport("entropy")
    assert report.lines() == []
    report.add(rollout(10, None, 0), True)
    assert report.lines() == []
    report.add(rollout(10, 2.0, 0.5), True)
    assert report.lines() == [
        "raw entropy of 1 rollouts: right 2.000, wrong none, correlation with length none",
        "normalised entropy of 1 rollouts: right 0.500, wrong none, correlation with length none",
    ]
    report.add(rollout(20, 4.0, 0.7, bonus=-0.1), True)
    report.add(rollout(30, 5.0, 0.6, bonus=0.1), False)
    assert report.lines() == [
        "raw entropy of 3 rollouts: right 3.000, wrong 5.000, correlation with length 0.982",
        "normalised entropy of 3 rollouts: right 0.600, wrong 0.600, correlation with length 0.500",
        "bonus of 2 rollouts: correlation with length 1.000",
    ]


def test_a_report_does_not_grow_with_the_run():
    """An environment lives as long as a training."""
    import pickle

    report = EntropyReport("entropy")
    sizes = []
    for count in (10, 1000):
        for index in range(count):
            report.add(rollout(10 + index % 7, 2.0 + index % 3, 0.5), index % 2 == 0)
        sizes.append(len(pickle.dumps(report)))
    assert sizes[1] - sizes[0] < 20

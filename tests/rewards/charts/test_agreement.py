"""Agreement of marks and encodings."""

from __future__ import annotations

import pytest
from inward_rewards.charts.measures.agreement import encoding_agreement, mark_agreement


@pytest.mark.parametrize(
    ("reference", "candidate", "expected"),
    [
        (("bar",), ("bar",), 1.0),
        (("bar", "line"), ("line", "bar", "bar"), 1.0),
        (("bar",), ("line",), 0.0),
        (("bar",), ("bar", "text"), 2 / 3),
        (("bar", "line"), ("bar",), 2 / 3),
        (("bar",), (), 0.0),
        ((), (), 1.0),
        ((), ("bar",), 0.0),
    ],
)
def test_marks(reference: tuple[str, ...], candidate: tuple[str, ...], expected: float) -> None:
    assert mark_agreement(reference, candidate) == pytest.approx(expected)


def test_every_channel_at_once_does_not_pay() -> None:
    true = ("x:discrete", "y:quantitative")
    every = [
        f"{channel}:{kind}"
        for channel in ("x", "y", "theta", "color", "size", "shape", "opacity", "text", "facet")
        for kind in ("discrete", "quantitative", "temporal")
    ]
    assert encoding_agreement(true, true) == 1.0
    assert encoding_agreement(true, every) < 0.15
    assert encoding_agreement(true, ("x:quantitative", "y:discrete")) == 0.0

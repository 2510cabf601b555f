"""The charts of a seed stay what they were: published figures and traces rest on them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from inward_charts import Chart, generate

PINNED = json.loads((Path(__file__).parent / "digests.json").read_text())
"""Over specification, table and texts of five charts a kind and level."""


def digest(chart: Chart) -> str:
    content = [chart.spec, [(row.keys, row.value) for row in chart.table], chart.texts]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def joined(parts: list[str]) -> str:
    return hashlib.sha256("".join(parts).encode()).hexdigest()[:16]


@pytest.mark.parametrize("kind", PINNED["kinds"])
def test_charts_of_a_kind_are_the_same(kind: str) -> None:
    found = {
        level: joined(
            [digest(generate(0, seed, kinds=[kind], levels=[int(level)])) for seed in range(5)]
        )
        for level in PINNED["kinds"][kind]
    }
    assert found == PINNED["kinds"][kind]


def test_the_stream_is_the_same() -> None:
    found = [
        digest(generate(i, 5)) + generate(i, 5, matplotlib_share=0.25).renderer for i in range(132)
    ]
    assert joined(found) == PINNED["stream"]

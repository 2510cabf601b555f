"""`mode = prompt` with a generator in this process: a tiny, random pipeline by the real code."""

from __future__ import annotations

from pathlib import Path

import pytest
import verifiers.v1 as vf
from chart_adversary.env import ChartAdversaryEnvConfig
from chart_adversary.image_prompt import ImagePrompts
from support import pipelines

pytestmark = pytest.mark.models
WORDS = (
    "A bar chart of rain in Oslo, Rome, Lima and Perth: four blue bars on white paper under a bold "
    "title, with thin axes, wide margins, no grid and small grey numbers."
)


async def test_it_draws_the_proposal_and_its_noise_floor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("diffusers", reason="needs the group `models`")
    monkeypatch.setenv("INWARD_CACHE_DIR", str(tmp_path / "cache"))
    # What random weights draw is no chart: the gate is not what is tested.
    for name in ("MIN_GROUND", "MIN_MARKS", "MIN_EVEN"):
        monkeypatch.setattr(f"chart_adversary.image_prompt.{name}", 0.0)
    pipelines.flux2_klein(tmp_path / "model")
    redraw = {
        "type": "diffusers", "model": str(tmp_path / "model"), "steps": 1, "guidance": 1.0,
        "prompt_tokens": 200, "megapixels": 0.004, "device": "cpu", "dtype": "float32",
    }  # fmt: skip
    config = vf.resolve_env_config(
        {"taskset": {"id": "chart-adversary"}, "mode": "prompt", "redraw": redraw}
    )
    assert isinstance(config, ChartAdversaryEnvConfig)
    proposal = await ImagePrompts(config.solving, 0, config.redraws).proposal_of(WORDS, "rain-0")
    assert (proposal.fault, proposal.found["kind"]) == (None, "bar")
    # Another seed, another drawing.
    first, second = proposal.found["redraws"]
    assert 0 < first < 1
    assert 0 < second < 1
    assert first != second
    assert proposal.found["noise_floor"] == 1 - min(first, second)
    cut = await ImagePrompts(config.solving, 0, 1).proposal_of(WORDS * 2, "rain-0")
    assert cut.fault == "too long"

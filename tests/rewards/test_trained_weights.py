"""All measures of trained weights by the `transformers` source, against a pass in float64.

Random weights have no attention sink and no sure token. The engine's are `vllm/test_trained.py`.

    uv run --group test --group models --group train pytest -n 0 -m real tests/rewards
"""

from __future__ import annotations

from types import SimpleNamespace

import pytest

pytestmark = [pytest.mark.real, pytest.mark.timeout(1800)]
torch = pytest.importorskip("torch", reason="the reference needs torch (group `models`)")

from inward_rewards.entropy import select_layers  # noqa: E402
from inward_rewards.hidden_states import EntropyConfig, LocalModelSource  # noqa: E402
from rewards.trained import LAYERS, smollm2, solved  # noqa: E402
from rewards.vllm.reference import TOLERANCE, Reference  # noqa: E402


async def test_float32_agrees_with_float64():
    """Entropies to 1e-5 bits, ranks and states to 1e-5 of themselves, nats of tokens to 1e-4."""
    model = smollm2()
    reference = Reference(model, torch.float64)
    config = EntropyConfig(source="transformers", model=str(model), layers=LAYERS)
    layers = select_layers(LAYERS, 30)
    errors = []
    async with LocalModelSource(config) as source:
        for case in solved(model, 2):
            spans = await source.score_spans(case.token_ids, case.request)
            answer = SimpleNamespace(preset="advent", alphas=(1.0,), layers=layers, spans=spans)
            errors.append(reference.error(case.token_ids, answer))
    print(f"largest deviation on trained weights: {max(errors):.1e}")
    assert max(errors) <= TOLERANCE

"""All measures of trained weights by the engine, against passes of transformers in float64.

uv run --group test --group models --group train pytest -n 0 -m real tests/rewards/vllm
"""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(1800)]
torch = pytest.importorskip("torch", reason="the reference needs torch (group `models`)")

from inward_rewards.entropy.wire import MEASURES  # noqa: E402
from rewards.trained import LAYERS, smollm2, solved  # noqa: E402
from rewards.vllm.reference import TOLERANCE, Reference  # noqa: E402
from rewards.vllm.server import VllmServer, score_all, switch_on  # noqa: E402


async def test_the_engine_agrees_with_transformers(vllm_python, plugin, tmp_path):
    """Each case twice, all at once, so that logits are made beside steps of the engine.

    Entropies to 1e-5 bits, ranks and states to 1e-5 of themselves, nats of tokens to 1e-4.
    """
    model = smollm2()
    cases = solved(model, 8) * 2
    on = switch_on(layers=LAYERS, measures=list(MEASURES))
    log = tmp_path / "log"
    with VllmServer(vllm_python, model, plugin, log, "--enforce-eager", *on) as server:
        answers = await score_all(server.url, cases, layers=LAYERS)
    reference = Reference(model, torch.float64)
    worst = max(
        reference.error(case.token_ids, answer) for case, answer in zip(cases, answers, strict=True)
    )
    print(f"largest deviation on trained weights: {worst:.1e}")
    assert worst <= TOLERANCE

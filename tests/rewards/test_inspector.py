"""An inspector's entropies, against a forward pass of the same weights in float64."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.models
torch = pytest.importorskip("torch", reason="an inspector needs torch (group `models`)")

from inward_rewards.hidden_states import (  # noqa: E402
    HiddenStatesError,
    Inspector,
    UnmeasurableError,
)
from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: E402

PROBLEM, ANSWER = "What is a half of 8?", "4, or 8/2"
STEPS = ["A half of 8\n\n", "is 8/2, <|im_end|> so\n\n", "4."]


def independent(folder, context: str, answer: str) -> float:
    """Token by token, each with a forward pass of its own."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    special = tokenizer.convert_tokens_to_ids("<|im_end|>")

    def text(written):
        return tokenizer(written, add_special_tokens=False, split_special_tokens=True).input_ids

    ids = tokenizer.apply_chat_template(
        [{"role": "user", "content": PROBLEM}], add_generation_prompt=True, return_dict=False
    )
    before = len(ids)
    ids = [*ids, *text(f"{context}\n\nThe final answer is \\boxed{{")]
    assert special not in ids[before:]
    total = 0.0
    target = text(answer)
    for token in target:
        with torch.inference_mode():
            p = model(torch.tensor([ids])).logits[0, -1].softmax(-1)
        total += -sum(share * torch.log(torch.tensor(share)).item() for share in p.tolist())
        ids.append(token)
    return total / len(target)


def test_entropies_after_each_step(tiny_qwen):
    found = Inspector(str(tiny_qwen)).answer_entropies(PROBLEM, STEPS, ANSWER)
    contexts = ["", *("".join(STEPS[: n + 1]) for n in range(3))]
    expected = [independent(tiny_qwen, context, ANSWER) for context in contexts]
    assert found == pytest.approx(expected, abs=1e-4)
    assert len(set(found)) == 4


def test_what_cannot_be_read_is_named(tiny_qwen, tmp_path):
    inspector = Inspector(str(tiny_qwen))
    with pytest.raises(UnmeasurableError, match=r"have \d+ tokens, the inspector reads"):
        inspector.answer_entropies(PROBLEM, ["so on " * 50_000], ANSWER)
    with pytest.raises(ValueError, match="'' holds no token"):
        inspector.answer_entropies(PROBLEM, [], "")
    with pytest.raises(HiddenStatesError, match="cannot be used"):
        Inspector(str(tmp_path)).answer_entropies(PROBLEM, [], ANSWER)

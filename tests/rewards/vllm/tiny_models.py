"""Tiny causal models with random weights, made on the spot, that vLLM can serve with chat."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from rewards.tiny_qwen import train_tokenizer
from transformers import LlamaConfig, LlamaForCausalLM, Qwen3Config, Qwen3ForCausalLM

LAYERS = 6
CHAT_TEMPLATE = (
    "{%- if tools %}<|im_start|>system\n{% for tool in tools %}{{ tool | tojson }}\n{% endfor %}"
    "<|im_end|>\n{% endif %}"
    "{%- for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content or '' }}"
    "<|im_end|>\n{% endfor %}"
    "{%- if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
KINDS = {
    "qwen3": (Qwen3Config, Qwen3ForCausalLM, {"head_dim": 32}),
    "llama": (LlamaConfig, LlamaForCausalLM, {}),
}


def make_model(kind: str, folder: Path, seed: int = 0, **shape: Any) -> Path:
    """Write model and tokenizer into `folder`; `shape` overrides the config."""
    config_class, model_class, own = KINDS[kind]
    tokenizer = train_tokenizer(folder)
    (folder / "chat_template.jinja").write_text(CHAT_TEMPLATE)
    torch.manual_seed(seed)
    config = config_class(
        **{
            "vocab_size": len(tokenizer),
            "hidden_size": 128,
            "intermediate_size": 256,
            "num_hidden_layers": LAYERS,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "max_position_embeddings": 4096,
            "eos_token_id": tokenizer.eos_token_id,
            "bos_token_id": None,
            "initializer_range": 0.08,
            "tie_word_embeddings": False,
            **own,
            **shape,
        }
    )
    model_class(config).float().save_pretrained(folder)
    return folder

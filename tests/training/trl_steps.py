"""What the tests of TRL's trainer share: its settings, and a policy that calls a tool."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def settings(folder: Path, steps: int, **changes: Any) -> dict[str, Any]:
    """What a `GRPOConfig` of a few steps on a CPU is made with."""
    return {
        "output_dir": str(folder / "out"),
        "use_cpu": True,
        "bf16": False,
        "max_steps": steps,
        "beta": 0.0,
        "scale_rewards": "none",
        "logging_steps": 1,
        "save_strategy": "no",
        "report_to": [],
        "disable_tqdm": True,
        "gradient_checkpointing": False,
        **changes,
    }


def call(tokenizer: Any, query: str) -> list[int]:
    """A search, as Qwen3 writes it."""
    text = '<tool_call>\n{"name": "search", "arguments": {"query": "' + query + '"}}\n</tool_call>'
    return [*tokenizer.encode(text, add_special_tokens=False), tokenizer.eos_token_id]


def logprobs(model: Any, prompt: Sequence[int], ids: Sequence[int]) -> Any:
    """Of `ids` behind `prompt`, by a sequence of its own, past any `forward` that a trainer put on
    the model: [tokens]."""
    import torch

    read = torch.tensor([[*prompt, *ids]])
    hidden = model.model(input_ids=read).last_hidden_state[0, len(prompt) - 1 : -1]
    found = torch.log_softmax(model.lm_head(hidden).float(), -1)
    return found.gather(-1, torch.tensor([*ids])[:, None])[:, 0]


def begin_with(engine: Any, turns: Sequence[list[int]], answered: int) -> None:
    """Random and cold policies call no tool: the first turns of rollouts are `turns`, one after the
    other, with the logprobs that the model gives them. A prompt that holds the token `answered` is
    sampled as ever."""
    import torch
    from inward_training.sampling import Sampled

    sampler, given = engine._sampler, itertools.cycle(turns)
    drawn = sampler.sample

    def sample(prompts: Sequence[list[int]], how: Any) -> list[Any]:
        later = [prompt for prompt in prompts if answered in prompt]
        rest = iter(drawn(later, how) if later else ())
        found = []
        for prompt in prompts:
            if answered in prompt:
                found.append(next(rest))
                continue
            ids = next(given)
            with torch.no_grad():
                found.append(Sampled(ids, logprobs(sampler.model, prompt, ids).tolist(), "stop"))
        return found

    sampler.sample = sample

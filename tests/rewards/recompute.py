"""The entropy bonus worked out again from a run's traces: numpy, transformers, and nothing of ours.

Reads the trace file's token ids, runs the weights over them one rollout at a time, and applies
the published definition: ten middle layers, completion tokens up to the first end token, full
float64 Gram matrix, eigenvalues above 1e-6, bits, mean over the layers, z-score over the episode
(ddof 1), clamp to +-0.1, 0 for a wrong answer.
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModelForCausalLM

BAND = 0.1


def tokens_of(trace: dict) -> tuple[list[int], list[int]]:
    """(prompt, completion) of a rollout of one turn."""
    sampled = [node for node in trace["nodes"] if node["sampled"]]
    assert len(sampled) == 1
    if sampled[0]["token_ids"]:  # the train client
        ids = [token for node in trace["nodes"] for token in node["token_ids"]]
        mask = [flag for node in trace["nodes"] for flag in node["mask"]]
        start = mask.index(True)
        assert all(mask[start:])
        return ids[:start], ids[start:]
    [record] = trace["info"]["token_ids"]
    return record["prompt_ids"], record["completion_ids"]


def entropy_of(model, trace: dict) -> float:
    prompt, completion = tokens_of(trace)
    end = model.config.eos_token_id
    if end in completion:
        completion = completion[: completion.index(end) + 1]
    ids = torch.tensor([prompt + completion])
    with torch.no_grad():
        states = model(ids, output_hidden_states=True).hidden_states
    n_layers = len(states) - 1
    start = (n_layers - 10) // 2 + 1
    values = []
    for layer in range(start, start + 10):
        z = states[layer][0, len(prompt) :].double().numpy()
        eigenvalues = np.linalg.eigvalsh(z @ z.T)
        eigenvalues = eigenvalues[eigenvalues > 1e-6]
        p = eigenvalues / eigenvalues.sum()
        values.append(float(-(p * np.log2(p)).sum()))
    return float(np.mean(values))


def group_bonuses(entropies: list[float], correct: list[bool]) -> list[float]:
    mean = sum(entropies) / len(entropies)
    variance = sum((value - mean) ** 2 for value in entropies) / max(1, len(entropies) - 1)
    deviation = math.sqrt(variance)
    bonuses = []
    for value, right in zip(entropies, correct, strict=True):
        z = (value - mean) / deviation if deviation >= 1e-6 else 0.0
        bonuses.append(max(-BAND, min(BAND, BAND * z)) if right else 0.0)
    return bonuses


def largest_difference(traces: Path, folder: str, gated: bool = True) -> tuple[float, float, int]:
    """Of the entropies and of the bonuses, and how many bonuses are not 0."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    entropy_error = bonus_error = 0.0
    rewarded = 0
    for line in traces.read_text().splitlines():
        done = [trace for trace in json.loads(line)["traces"] if trace["ok"]]
        entropies = [entropy_of(model, trace) for trace in done]
        correct = [not gated or trace["rewards"]["correct"]["score"] == 1.0 for trace in done]
        for trace, entropy, bonus in zip(
            done, entropies, group_bonuses(entropies, correct), strict=True
        ):
            entropy_error = max(entropy_error, abs(trace["metrics"]["entropy_raw"] - entropy))
            bonus_error = max(bonus_error, abs(trace["rewards"]["entropy"]["score"] - bonus))
            rewarded += bonus != 0
    return entropy_error, bonus_error, rewarded


if __name__ == "__main__":
    print(*largest_difference(Path(sys.argv[1]), sys.argv[2]))

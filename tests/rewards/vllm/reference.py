"""What a score must be: a transformers forward of the same weights, one sequence at a time."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from inward_rewards.entropy import (
    PRESETS,
    Definition,
    effective_rank,
    matrix_entropy,
    prefix_entropy,
)
from inward_rewards.entropy.projection import PROJECTED, sparse_projection
from inward_rewards.entropy.wire import ScoreAnswer, ScoreRequest
from transformers import AutoModelForCausalLM

TOLERANCE = 1e-5


@dataclass(frozen=True)
class Case:
    token_ids: tuple[int, ...]
    request: ScoreRequest


class Reference:
    def __init__(self, folder: Path, dtype: torch.dtype = torch.float32) -> None:
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype)
        self._model = model.eval()

    @property
    def vocabulary(self) -> int:
        size: int = self._model.config.vocab_size
        return size

    def error(self, token_ids: Sequence[int], answer: ScoreAnswer) -> float:
        """The largest deviation of any number in the answer, for `TOLERANCE`: of ranks as a share,
        of a mean state as a share of its largest number above 1, of nats a tenth."""
        definition = PRESETS[answer.preset].unscaled
        read = self._forward(token_ids)
        states, log_p = read.hidden_states, read.logits[0].double().log_softmax(-1)
        errors = [0.0]
        for span in answer.spans:
            before = log_p[span.start - 1 : span.stop - 1]
            if span.token_entropy is not None:
                entropy = -(before.exp() * before).sum(-1)
                # Its bound is ten times that of the rest.
                errors.append(_apart(entropy, span.token_entropy) / 10)
            if span.self_certainty is not None:
                certainty = -before.mean(-1) - math.log(log_p.shape[-1])
                errors.append(_apart(certainty, span.self_certainty) / 10)
            chosen = torch.stack([states[i][0, span.start : span.stop] for i in answer.layers])
            # Empty where matrix_entropy was not asked for.
            for alpha, found in zip(answer.alphas[: len(span.entropy)], span.entropy, strict=True):
                errors.append(_apart(matrix_entropy(chosen, alpha, definition), found))
            if span.curve is not None:
                errors.append(_apart(prefix_entropy(chosen, definition), span.curve))
            if span.effective_rank is not None:
                ranks = effective_rank(chosen, Definition(centre=True))
                shares = torch.tensor(span.effective_rank, dtype=torch.float64) / ranks
                errors.append(_apart(torch.ones_like(ranks), shares.tolist()))
            if span.rank_curve is not None:
                errors += self._rank_errors(chosen, span.rank_curve)
            if span.mean_state is not None:
                final = states[-1][0, span.start : span.stop].double()
                signs, scale = sparse_projection(final.shape[1])
                matrix = torch.tensor(list(signs), dtype=torch.float64).view(-1, PROJECTED)
                expected = scale * (final.mean(0) @ torch.where(matrix == 255, -1, matrix))
                largest = max(1.0, expected.abs().max().item())
                errors.append(_apart(expected, span.mean_state) / largest)
        return max(errors)

    def _rank_errors(self, chosen: torch.Tensor, found: Sequence[Sequence[float]]) -> list[float]:
        """As shares of the ranks, by singular values of each prefix."""
        errors = []
        for layer, ranks in zip(chosen, found, strict=True):
            rows = layer[-512:].double()
            for end, rank in zip(range(40, len(rows), 40), ranks, strict=True):
                prefix = rows[: end + 1] - rows[: end + 1].mean(0)
                p = torch.linalg.svdvals(prefix)
                p = p / p.sum()
                errors.append(abs(rank / torch.special.entr(p).sum().exp().item() - 1))
        return errors

    def logprobs(self, token_ids: Sequence[int], start: int) -> list[float]:
        """Of the tokens from `start` on."""
        table = self._forward(token_ids).logits[0].log_softmax(-1)
        return [
            table[position - 1, token_ids[position]].item()
            for position in range(start, len(token_ids))
        ]

    @torch.inference_mode()
    def _forward(self, token_ids: Sequence[int]):
        return self._model(torch.tensor([list(token_ids)]), output_hidden_states=True)


def _apart(expected: torch.Tensor, found: Sequence) -> float:
    return (expected - torch.tensor(found, dtype=torch.float64)).abs().max().item()


def random_cases(count: int, seed: int, longest: int = 1500) -> list[Case]:
    """Spans of 2 to `longest` tokens, log-uniform, somewhere within a sequence; every third case
    has more than one, every fourth asks for the curve."""
    rng = random.Random(seed)
    cases = []
    for index in range(count):
        length = (
            2 if index == 0 else longest if index == 1 else int(2 * (longest / 2) ** rng.random())
        )
        start = rng.randrange(0, 400)
        tokens = start + length + rng.randrange(0, 40)
        spans = [(start, start + length)]
        if index % 3 == 0:
            spans += [(0, start + 1), (start, start + 1)]
        ids = tuple(rng.randrange(9, 250) for _ in range(tokens))
        cases.append(Case(ids, ScoreRequest(tuple(spans), curve=index % 4 == 0)))
    return cases

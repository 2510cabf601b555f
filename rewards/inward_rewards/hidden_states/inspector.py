"""A second model reads a policy's reasoning: how sure does each step make it of the answer?"""

from __future__ import annotations

import math
from collections.abc import Sequence

from inward_rewards.entropy.wire import HiddenStatesError, ScoreRequest, UnmeasurableError
from inward_rewards.hidden_states.config import EntropyConfig
from inward_rewards.hidden_states.local_measures import LocalMeasures
from inward_rewards.hidden_states.reader import needs_torch

CUE = "\n\nThe final answer is \\boxed{"
"""Behind the reasoning, so that the answer's place is reached with and without it."""


class Inspector:
    """A causal language model of transformers, by its folder or name. Blocks while it loads and
    reads.

    ImportError without torch and transformers. HiddenStatesError: the model cannot be loaded.
    """

    def __init__(self, model: str) -> None:
        needs_torch()
        self._measures = LocalMeasures(EntropyConfig(source="transformers", model=model))
        self._context = self._measures.context

    def answer_entropies(
        self, problem: str, steps: Sequence[str], answer: str
    ) -> tuple[float, ...]:
        """H(Y | X), H(Y | X, Z_1), …, H(Y | X, Z_1..Z_K): [steps + 1], nats.

        H(Y | C) is the mean over the answer's tokens of the entropy over the whole vocabulary,
        each predicted from C and the true tokens before it; C ends in `CUE`. The problem is the
        user's message of the model's own chat template, or plain text where it has none; the steps
        begin its reply. The answer is tokenised by itself, so that it is the same tokens each time.
        `entropy_reductions` of `inward_rewards.signals` makes differences of them.
        Source: Measuring Reasoning Utility in LLMs via Conditional Entropy Reduction (arXiv
        2508.20395), whose cue and prompt are not known to us: these are ours.
        ValueError: an answer without a token. UnmeasurableError: longer than the model reads.
        """
        opening, target = self._measures.opening(problem), self._measures.encode(answer)
        if not target:
            raise ValueError(f"the reference answer {answer!r} holds no token")
        contexts, reasoning = [], ""
        for step in ("", *steps):
            reasoning += step
            contexts.append((*opening, *self._measures.encode(reasoning + CUE)))
        longest = max(map(len, contexts)) + len(target)
        if longest > self._context:
            raise UnmeasurableError(
                f"problem, reasoning and answer have {longest} tokens, the inspector reads "
                f"{self._context}"
            )
        return tuple(self._entropy(context, target) for context in contexts)

    def _entropy(self, context: Sequence[int], target: Sequence[int]) -> float:
        ids = (*context, *target)
        request = ScoreRequest(((len(context), len(ids)),), measures=("token_entropy",))
        [span] = self._measures.score_spans(ids, request)
        entropies = span.token_entropy or ()
        if not all(math.isfinite(value) for value in entropies):
            raise HiddenStatesError("the inspector's entropies are not finite")
        return math.fsum(entropies) / len(entropies)

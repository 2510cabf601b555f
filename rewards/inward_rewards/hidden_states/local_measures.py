"""The engine's measures from a local transformers model: one sequence, any spans.

The model is loaded with its output layer when it is first asked, beside the copy that measures
completions. Logits are made in chunks of rows, so that memory does not grow with the sequence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

from inward_rewards.entropy.layers import select_layers
from inward_rewards.entropy.wire import HiddenStatesError, ScoreRequest, Span, SpanScore
from inward_rewards.hidden_states.config import EntropyConfig
from inward_rewards.hidden_states.reader import context_of, naming

AGREEMENT = 1e-2
"""Nats by which the output layer alone may leave the model's own log probabilities, in 16 bits."""


class LocalMeasures:
    """Not thread-safe: one thread uses it."""

    def __init__(self, config: EntropyConfig) -> None:
        self._config = config

    @cached_property
    def _model(self) -> Any:
        from transformers import AutoModelForCausalLM

        try:
            model = AutoModelForCausalLM.from_pretrained(str(self._config.model), dtype="auto")
        except (OSError, ValueError) as error:
            said = str(error).strip().partition("\n")[0]
            raise HiddenStatesError(
                f"entropy.model {self._config.model!r} cannot be used: these measures need a "
                f"causal language model ({said})"
            ) from error
        return model.to(self._config.device).eval()

    @cached_property
    def _tokenizer(self) -> Any:
        from transformers import AutoTokenizer

        with naming("model", self._config.model, "save its tokenizer beside it"):
            return AutoTokenizer.from_pretrained(str(self._config.model))

    @property
    def context(self) -> int:
        """Tokens that the model reads."""
        return context_of(self._model, self._config.model)

    def encode(self, text: str) -> tuple[int, ...]:
        """What looks like a special token is text: a policy may have written it."""
        read = self._tokenizer(text, add_special_tokens=False, split_special_tokens=True)
        return tuple(read.input_ids)

    def opening(self, problem: str) -> tuple[int, ...]:
        """A user's message and the beginning of the reply, by the model's chat template; without
        one the plain text."""
        if not self._tokenizer.chat_template:
            return self.encode(f"{problem}\n\n")
        # Marked and cut: the problem's own text is encoded as text.
        mark = "\x00"
        text = self._tokenizer.apply_chat_template(
            [{"role": "user", "content": mark}], tokenize=False, add_generation_prompt=True
        )
        before, _, after = text.partition(mark)
        ends = [self._tokenizer(one, add_special_tokens=False).input_ids for one in (before, after)]
        return (*ends[0], *self.encode(problem), *ends[1])

    def decode(self, token_ids: Sequence[int]) -> str:
        """Special tokens are text too."""
        text: str = self._tokenizer.decode(list(token_ids))
        return text

    def score_spans(
        self, token_ids: tuple[int, ...], request: ScoreRequest
    ) -> tuple[SpanScore, ...]:
        """Exact but for rounding; shapes and units as in the wire format. Alphas: the config's."""
        import torch

        ids = torch.tensor([token_ids], device=self._config.device)
        with torch.inference_mode():
            read = self._model(
                input_ids=ids, output_hidden_states=True, use_cache=False, logits_to_keep=1
            )
            states = [layer[0] for layer in read.hidden_states]
            if request.reads_logits:
                self._check_head(states[-1][-1:], read.logits[0])
            return tuple(self._score(states, span, request) for span in request.spans)

    def _head(self, final_states: Any) -> Any:
        return self._model.get_output_embeddings()(final_states)

    def _check_head(self, final_state: Any, logits: Any) -> None:
        """Some models scale or cap their logits behind the output layer."""
        alone, whole = (one.float().log_softmax(-1) for one in (self._head(final_state), logits))
        apart = (alone - whole).abs().max().item()
        if not apart <= AGREEMENT:
            raise HiddenStatesError(
                f"the scoring model {self._config.model!r} changes its logits behind the output "
                f"layer (by {apart:.2g} nats): token_entropy and self_certainty cannot be measured "
                "with it"
            )

    def _score(self, states: list[Any], span: Span, request: ScoreRequest) -> SpanScore:
        import torch

        from inward_rewards.entropy.measures import (
            CENTRED,
            projected_mean,
            rank_curve,
            token_measures,
            token_parts,
        )
        from inward_rewards.entropy.spectrum import effective_rank, matrix_entropy, prefix_entropy

        start, stop = span
        layers = select_layers(self._config.layers, len(states) - 1)
        chosen = torch.stack([states[layer][start:stop] for layer in layers])
        definition = self._config.definition.unscaled

        def measured(name: str, measure: Callable[[], Any]) -> Any:
            return tuple(measure().tolist()) if name in request.measures else None

        entropy = measured(
            "matrix_entropy", lambda: matrix_entropy(chosen, self._config.alpha, definition)
        )
        curve = prefix_entropy(chosen, definition).tolist() if request.curve else None
        growth = rank_curve(chosen).tolist() if "rank_curve" in request.measures else None
        tokens: Any = None
        if request.reads_logits:
            tokens = token_measures([token_parts(states[-1][start - 1 : stop - 1], self._head)])
        return SpanScore(
            start=start,
            stop=stop,
            rows=stop - start,
            entropy=() if entropy is None else (entropy,),
            curve=None if curve is None else tuple(tuple(layer) for layer in curve),
            effective_rank=measured("effective_rank", lambda: effective_rank(chosen, CENTRED)),
            rank_curve=None if growth is None else tuple(tuple(layer) for layer in growth),
            mean_state=measured("mean_state", lambda: projected_mean(states[-1][start:stop])),
            token_entropy=measured("token_entropy", lambda: tokens.token_entropy),
            self_certainty=measured("self_certainty", lambda: tokens.self_certainty),
        )

"""One model's weights and everything that touches torch: token ids in, entropies out."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator, Sequence
from typing import Any

from inward_rewards.entropy.layers import select_layers
from inward_rewards.entropy.wire import HiddenStatesError, Span
from inward_rewards.hidden_states.config import EntropyConfig

Pair = tuple[tuple[int, ...], Span]
"""Token ids, and the span of them that is scored."""
Score = tuple[float, ...] | Exception
"""Entropy of one rollout for each layer, or why there is none."""
SHARED = 16
"""Tokens that all sequences of a batch begin with, from which on they are read once for all."""


class ModelReader:
    """Reads sequences with a transformers model. Not thread-safe: one thread uses it.

    `model`: a decoder, or a model with a head whose `base_model` is one. `name` says in errors
    which model it is. HiddenStatesError: layers that the model does not have.
    """

    def __init__(self, model: Any, config: EntropyConfig, name: str) -> None:
        torch, self._entropy = needs_torch()
        self._torch, self._config, self.name = torch, config, name
        shape = model.config.get_text_config()
        # Without the language-model head: logits of a long batch outweigh everything else.
        self._decoder = getattr(model, "base_model", model)
        # What reads pictures keeps count of positions in a way of its own.
        self._plain = shape is model.config and _attends_fully(shape)
        self._depth = depth = shape.num_hidden_layers
        with naming("layers", config.layers, f"the model {name!r} has {depth} layers"):
            self.layers = select_layers(config.layers, depth)
        self.dim: int = shape.hidden_size
        self.dtype = str(model.dtype).removeprefix("torch.")
        self.vocabulary: int = model.get_input_embeddings().num_embeddings
        self.context = context_of(model, name)
        generation = getattr(model, "generation_config", None)
        ids = None if generation is None else generation.eos_token_id
        self.eos_ids = _as_ids(shape.eos_token_id if ids is None else ids)

    def score(self, jobs: Sequence[Pair]) -> list[Score]:
        """Of each (token ids, span), before normalisation: in one forward pass, errors a job.

        Layers above those that are read do not run, and what all sequences begin with, such as the
        prompt of siblings, is read once.
        """
        torch = self._torch
        decoder, device = self._lower(), self._decoder.device
        # Not `inference_mode`: a model that trains may keep tensors of this pass, and needs them
        # differentiable.
        with torch.no_grad():
            common, cached = self._shared(decoder, jobs)
            longest = max(len(token_ids) for token_ids, _ in jobs)
            ids = torch.zeros((len(jobs), longest - common), dtype=torch.long)
            mask = torch.zeros((len(jobs), longest), dtype=torch.long)
            for row, (token_ids, _) in enumerate(jobs):
                ids[row, : len(token_ids) - common] = torch.tensor(token_ids[common:])
                mask[row, : len(token_ids)] = 1
            states = decoder(
                input_ids=ids.to(device),
                attention_mask=mask.to(device),
                output_hidden_states=True,
                **(cached or {"use_cache": False}),
            ).hidden_states
            return [
                self._try(states, row, (start - common, stop - common))
                for row, (_, (start, stop)) in enumerate(jobs)
            ]

    def _lower(self) -> Any:
        """The decoder up to the last layer that is read, over the same weights."""
        layers, needed = getattr(self._decoder, "layers", None), self.layers[-1] + 1
        # The states of the topmost layer stand behind the final norm: one more is run.
        if not isinstance(layers, self._torch.nn.ModuleList) or len(layers) != self._depth:
            return self._decoder
        decoder = copy.copy(self._decoder)
        decoder._modules = {**self._decoder._modules, "layers": layers[:needed]}
        return decoder

    def _shared(self, decoder: Any, jobs: Sequence[Pair]) -> tuple[int, dict[str, Any]]:
        """(tokens that all begin with and none is scored on, how to go on behind them)."""
        first, last = min(ids for ids, _ in jobs), max(ids for ids, _ in jobs)
        most = min(start for _, (start, _) in jobs)
        common = next((i for i in range(most) if first[i] != last[i]), most)
        if len(jobs) == 1 or common < SHARED or not self._plain:
            return 0, {}
        prefix = self._torch.tensor([first[:common]], device=self._decoder.device)
        cache = getattr(decoder(input_ids=prefix, use_cache=True), "past_key_values", None)
        # What keeps nothing reads no prefix either.
        if cache is None or not hasattr(cache, "batch_repeat_interleave"):
            return 0, {}
        cache.batch_repeat_interleave(len(jobs))
        return common, {"past_key_values": cache, "use_cache": True}

    def _try(self, states: Any, row: int, span: Span) -> Score:
        try:
            return self._measure(states, row, span)
        except Exception as error:
            return error

    def _measure(self, states: Any, row: int, span: Span) -> tuple[float, ...]:
        start, stop = span
        chosen = self._torch.stack([states[layer][row, start:stop] for layer in self.layers])
        definition = self._config.definition.unscaled
        return tuple(self._entropy(chosen, self._config.alpha, definition).tolist())


def _attends_fully(config: Any) -> bool:
    """Whether every layer keeps all that it has read."""
    kinds = getattr(config, "layer_types", None)
    if kinds is None:
        return not getattr(config, "sliding_window", None)
    return set(kinds) == {"full_attention"}


def context_of(model: Any, name: object) -> int:
    """Tokens that a model reads. HiddenStatesError: it does not say."""
    most: int | None = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    if most is None:
        raise HiddenStatesError(f"the model {name!r} does not say how many tokens it reads")
    return most


def load_reader(config: EntropyConfig) -> ModelReader:
    """The reader of the model that `config` names, loaded for it alone."""
    needs_torch()
    from transformers import AutoModel

    name = str(config.model)
    with naming("model", name, "give the folder or the name of a transformers model"):
        model = AutoModel.from_pretrained(name, dtype="auto")
    with naming("device", config.device, 'give a torch device of this machine, such as "cpu"'):
        model = model.to(config.device).eval()
    reader = ModelReader(model, config, name)
    reader.eos_ids = _saved_eos_ids(name, reader.eos_ids)
    return reader


def needs_torch() -> tuple[Any, Any]:
    """(torch, matrix_entropy). ImportError, with the mend, without torch or transformers."""
    try:
        import torch
        import transformers  # noqa: F401 - said here, with the mend, and not deep inside

        from inward_rewards.entropy.spectrum import matrix_entropy
    except ImportError as error:
        raise ImportError(
            "reading hidden states in this process needs torch and transformers: "
            'pip install "inward-rewards[hidden-states]"'
        ) from error
    return torch, matrix_entropy


@contextlib.contextmanager
def naming(setting: str, value: object, mend: str) -> Iterator[None]:
    """Turns whatever transformers and torch raise over a setting into one line that names it."""
    try:
        yield
    except Exception as error:
        said = str(error).strip().partition("\n")[0] or type(error).__name__
        raise HiddenStatesError(
            f"entropy.{setting} {value!r} cannot be used: {mend} ({said})"
        ) from error


def _saved_eos_ids(model: str, of_model: frozenset[int]) -> frozenset[int]:
    """End-of-sequence tokens: the generation config's where there is one, else the model's."""
    from transformers import GenerationConfig

    try:
        return _as_ids(GenerationConfig.from_pretrained(model).eos_token_id)
    except OSError:
        return of_model


def _as_ids(ids: int | list[int] | None) -> frozenset[int]:
    if ids is None:
        return frozenset()
    return frozenset([ids] if isinstance(ids, int) else ids)

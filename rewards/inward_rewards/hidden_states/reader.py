"""One model's weights and everything that touches torch: token ids in, entropies out."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from inspect import signature
from threading import get_ident
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


class _EnoughError(Exception):
    """Every layer that is read has run."""


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
        self._remembers = (
            shape is model.config
            and _attends_fully(shape)
            and "past_key_values" in signature(self._decoder.forward).parameters
        )
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

        Where the decoder lists its layers, those above do not run. Where each attends to all that
        came before, what all sequences begin with, such as a prompt of siblings, is read once.
        """
        torch, device = self._torch, self._decoder.device
        # Not `inference_mode`: a model that trains may keep tensors of this pass, and needs them
        # differentiable.
        with torch.no_grad():
            common, cache = self._shared(jobs)
            longest = max(len(token_ids) for token_ids, _ in jobs)
            ids = torch.zeros((len(jobs), longest - common), dtype=torch.long)
            mask = torch.zeros((len(jobs), longest), dtype=torch.long)
            for row, (token_ids, _) in enumerate(jobs):
                ids[row, : len(token_ids) - common] = torch.tensor(token_ids[common:])
                mask[row, : len(token_ids)] = 1
            states = self._read(cache, input_ids=ids.to(device), attention_mask=mask.to(device))
            return [
                self._try(states, row, (start - common, stop - common))
                for row, (_, (start, stop)) in enumerate(jobs)
            ]

    def _shared(self, jobs: Sequence[Pair]) -> tuple[int, Any]:
        """(tokens that all begin with and none is scored on, their keys and values for each)."""
        first, last = min(ids for ids, _ in jobs), max(ids for ids, _ in jobs)
        most = min(start for _, (start, _) in jobs)
        common = next((i for i in range(most) if first[i] != last[i]), most)
        if len(jobs) == 1 or common < SHARED or not self._remembers:
            return 0, None
        from transformers import DynamicCache

        cache = DynamicCache()
        self._read(
            cache, input_ids=self._torch.tensor([first[:common]], device=self._decoder.device)
        )
        if cache.get_seq_length() != common:  # it keeps another way, or nothing
            return 0, None
        cache.batch_repeat_interleave(len(jobs))
        return common, cache

    def _read(self, cache: Any, **given: Any) -> Any:
        """The states of the layers that are read, by their index, [rows, tokens, dim]."""
        if cache is None:
            given["use_cache"] = False
        else:
            given |= {"use_cache": True, "past_key_values": cache}
        decoder: Any = self._decoder
        layers: Any = getattr(decoder, "layers", None)
        topmost = self.layers[-1]
        known = isinstance(layers, self._torch.nn.ModuleList) and len(layers) == self._depth
        # The last states stand behind the final norm. What was compiled in place may pass hooks
        # by, and transformers 4 leaves what a config asks it to record half done.
        if not known or topmost == self._depth or _recorded(decoder):
            return decoder(**given, output_hidden_states=True).hidden_states
        found: dict[int, Any] = {}
        here = get_ident()

        def keep(layer: int, args: tuple[Any, ...], named: dict[str, Any]) -> None:
            if get_ident() != here:  # somebody else runs a live module, who wants all of it
                return
            found[layer] = args[0] if args else named["hidden_states"]
            if layer == topmost:
                raise _EnoughError

        # What goes into a layer came out of the one before it.
        hooks = [
            layers[layer].register_forward_pre_hook(
                lambda _, args, named, layer=layer: keep(layer, args, named), with_kwargs=True
            )
            for layer in self.layers
        ]
        try:
            decoder(**given)
        except _EnoughError:
            return found
        finally:
            for hook in hooks:
                hook.remove()
        raise HiddenStatesError(f"the model {self.name!r} did not run its layer {topmost}")

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


def _recorded(decoder: Any) -> bool:
    kinds = ("hidden_states", "attentions", "router_logits")
    asked = any(getattr(decoder.config, f"output_{kind}", False) for kind in kinds)
    return asked or getattr(decoder, "_compiled_call_impl", None) is not None


def _attends_fully(config: Any) -> bool:
    """Whether every layer keeps all that it has read, the same whatever follows."""
    rope = getattr(config, "rope_parameters", None) or getattr(config, "rope_scaling", None)
    # Frequencies by the length of the whole sequence.
    if "longrope" in str(rope) or getattr(config, "is_causal", None) is False:
        return False
    if getattr(config, "use_bidirectional_attention", None):
        return False
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

"""Embeddings by sentence-transformers in this process."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import xxhash

from inward_retrieval.config import LocalEmbedderConfig
from inward_retrieval.embedders import Vectors, unit_vectors
from inward_retrieval.extras import optional, reason

BATCH = 32


class LocalEmbedder:
    """A SentenceTransformer, loaded at once: from a folder, or from the hub and its cache."""

    threads = 1

    def __init__(self, config: LocalEmbedderConfig) -> None:
        library = optional("sentence_transformers", "dense")
        self.window = config.window_ms / 1000
        self._config = config
        self._model = load_model(library.SentenceTransformer, config)

    def identity(self) -> Mapping[str, object]:
        """The model by the content of its weights and tokenizer, whatever it is called."""
        return {
            "embedder": "sentence-transformers",
            "libraries": [version("sentence-transformers"), version("transformers")],
            "model": self._config.model,
            "revision": self._config.revision,
            "content": model_digest(self._model),
            "prompts": self._model.prompts,
            "passage_prompt": self._config.passage_prompt,
        }

    def embed_passages(self, texts: list[str]) -> Vectors:
        return self._embed(self._model.encode_document, texts, self._config.passage_prompt)

    def embed_queries(self, texts: list[str]) -> Vectors:
        return self._embed(self._model.encode_query, texts, self._config.query_prompt)

    def _embed(self, encode: Any, texts: list[str], prompt: str | None) -> Vectors:
        vectors = encode(texts, prompt=prompt, batch_size=BATCH, show_progress_bar=False)
        return unit_vectors(vectors, len(texts), f"the model {self._config.model!r}")


def load_model(kind: Any, config: Any) -> Any:
    """The model of `config` (model, revision, device) as a sentence-transformers `kind`."""
    device = None if config.device == "auto" else config.device
    try:
        return kind(config.model, revision=config.revision, device=device)
    except (OSError, ValueError, RuntimeError) as error:
        raise ValueError(
            f"cannot load the model {config.model!r} (revision {config.revision!r}, device "
            f"{config.device!r}): {reason(error)}: give a folder or an id on the hub that "
            "this machine can reach or has in its cache"
        ) from error


def model_digest(model: Any) -> str:
    """A hash of everything that a model computes with: modules and their settings, weights, how it
    cuts text into tokens and where it stops reading."""
    torch = optional("torch", "dense")
    digest = xxhash.xxh3_128(str(model).encode())
    settings = [model.max_seq_length, model.truncate_dim, model.default_prompt_name]
    for part in (*settings, *_configs(model), _tokenizer(model.tokenizer)):
        digest.update(json.dumps(part, sort_keys=True, default=str).encode())
    for name, tensor in sorted(model.state_dict().items()):
        data = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(data.numpy().data)
    return digest.hexdigest()


def _configs(model: Any) -> list[dict[str, object]]:
    """What the modules, and the transformers in them, were built with."""
    configs = []
    for module in model.modules():
        if hasattr(module, "get_config_dict"):
            configs.append(module.get_config_dict())
        if hasattr(getattr(module, "config", None), "to_dict"):
            configs.append(_but(module.config.to_dict(), "_name_or_path", "transformers_version"))
    return configs


def _tokenizer(tokenizer: Any) -> list[object]:
    """The whole pipeline (normaliser, cuts, vocabulary, special tokens) of one of the library
    `tokenizers`; else the vocabulary and what it was built with."""
    sides = [getattr(tokenizer, f"{side}_side", None) for side in ("padding", "truncation")]
    pipeline = getattr(tokenizer, "backend_tokenizer", tokenizer)
    if hasattr(pipeline, "to_str"):
        # These two are as the last call left them; `max_seq_length` says what holds.
        return [*sides, _but(json.loads(pipeline.to_str()), "truncation", "padding")]
    built_with = _but(getattr(tokenizer, "init_kwargs", {}), "name_or_path")
    return [*sides, sorted(tokenizer.get_vocab().items()), built_with]


def _but(settings: Mapping[str, object], *names: str) -> dict[str, object]:
    return {name: value for name, value in settings.items() if name not in names}

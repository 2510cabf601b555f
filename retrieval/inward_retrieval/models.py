"""The models that run here: looked for before a long start, loaded where they are first used."""

from __future__ import annotations

from pathlib import Path

from inward_retrieval.cache_dir import make_absolute
from inward_retrieval.config import (
    LocalEmbedderConfig,
    RerankConfig,
    RetrieverConfig,
    embedder_of,
)
from inward_retrieval.extras import optional, reason

HUB_SECONDS = 10.0


def require_models(config: RetrieverConfig) -> None:
    """Raises ValueError where a model that `config` names for this machine cannot be had: it is no
    folder with a model, not in the hub's cache, and the hub does not know it or does not answer.

    Loads none, and asks the hub only for what its cache lacks: fit to call before the process that
    searches is started. That process inherits the folders of caches, absolute from here on.
    """
    make_absolute()
    embedder = embedder_of(config)
    for part in (embedder, config.rerank):
        if isinstance(part, LocalEmbedderConfig | RerankConfig):
            _require(part.model, part.revision)


def _require(model: str, revision: str | None) -> None:
    folder = Path(model)
    if folder.exists():
        if not any((folder / name).is_file() for name in ("modules.json", "config.json")):
            raise ValueError(f"{model!r} holds no model: it has no modules.json and no config.json")
        return
    if "/" not in model:
        return  # sentence-transformers knows some models by short names of its own
    hub = optional("huggingface_hub", "dense")
    try:
        hub.snapshot_download(model, revision=revision, local_files_only=True)
        return
    except hub.errors.HFValidationError as error:
        raise ValueError(f"there is no folder {model!r}, and it is no id on the hub") from error
    except hub.errors.LocalEntryNotFoundError:
        pass
    try:
        hub.model_info(model, revision=revision, timeout=HUB_SECONDS)
    except Exception as error:
        raise ValueError(
            f"cannot have the model {model!r} (revision {revision!r}): it is no folder, not in the "
            f"hub's cache, and not to be had from the hub ({reason(error)}): give a folder, or an "
            "id on the hub that this machine can reach"
        ) from error

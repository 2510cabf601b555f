"""The optional libraries: imported where they are first used, looked for before a long start."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from inward_retrieval.config import (
    ApiEmbedderConfig,
    LocalEmbedderConfig,
    RetrieverConfig,
    embedder_of,
)


def optional(module: str, extra: str) -> Any:
    """The module. Raises ImportError with the command that installs it."""
    try:
        return import_module(module)
    except ImportError as error:
        raise _missing(module, extra, str(error)) from error


def require_extras(config: RetrieverConfig) -> None:
    """Raises ImportError, with the install command, where a library that `config` needs is not
    installed. Imports none of them: fit to call before the process that searches is started."""
    for module, extra in _libraries(config):
        if find_spec(module) is None:
            raise _missing(module, extra, "not installed")


def reason(error: Exception) -> str:
    """What a library's error says, on one line of at most 200 characters."""
    return " ".join(str(error).split())[:200] or repr(error)


def _libraries(config: RetrieverConfig) -> list[tuple[str, str]]:
    """(module, extra)"""
    needed = [] if config.rerank is None else [("sentence_transformers", "dense")]
    match embedder_of(config):
        case ApiEmbedderConfig():
            needed.append(("openai", "api"))
        case LocalEmbedderConfig():
            needed.append(("sentence_transformers", "dense"))
    return needed


def _missing(module: str, extra: str, reason: str) -> ImportError:
    return ImportError(
        f"this retriever needs {module.replace('_', '-')} ({reason}): "
        f'pip install "inward-retrieval[{extra}]"'
    )

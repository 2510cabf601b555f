"""The optional libraries, imported where they are first used."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def optional(module: str, extra: str) -> Any:
    """The module. Raises ImportError with the command that installs it."""
    try:
        return import_module(module)
    except ImportError as error:
        raise ImportError(
            f"this retriever needs {module.replace('_', '-')} ({error}): "
            f'pip install "inward-retrieval[{extra}]"'
        ) from error

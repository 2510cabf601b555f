"""Where caches stand: under one variable, seen alike by every process of a run."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_cache_dir

CACHE_DIR_VAR = "INWARD_CACHE_DIR"
"""Environment variable: where caches go, in place of the user's cache directory."""
FOLDER_VARS = (
    CACHE_DIR_VAR,
    "XDG_CACHE_HOME",
    "HF_HOME",
    "HF_HUB_CACHE",
    "HUGGINGFACE_HUB_CACHE",
    "SENTENCE_TRANSFORMERS_HOME",
    "TORCH_HOME",
)
"""What moves a cache that a retriever reads: ours, and those that models lie in."""


def cache_dir() -> Path:
    """The folder of all caches, absolute: `INWARD_CACHE_DIR`, or the user's cache directory."""
    make_absolute()
    return Path(os.environ.get(CACHE_DIR_VAR) or user_cache_dir("inward", appauthor=False))


def make_absolute() -> None:
    """Makes each of `FOLDER_VARS` absolute, `~` expanded, in the environment that child processes
    inherit: the server that searches has another working directory. An empty one is none."""
    for name in FOLDER_VARS:
        if value := os.environ.get(name):
            # Path.expanduser would raise for a user that is not known.
            os.environ[name] = os.path.abspath(os.path.expanduser(value))  # noqa: PTH100, PTH111


# At the first import, before anybody can change the working directory.
make_absolute()

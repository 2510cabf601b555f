"""The path of a user's own data in a configuration.

It is made absolute where it is read, as seen from the user's working directory: a saved run is then
resumed and replayed from anywhere, and a tool server, which has a working directory of its own,
finds the same file.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator


def _named(value: Any) -> Any:
    if isinstance(value, str) and not value.strip():
        raise ValueError("the path is empty: name what to read")
    return value


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(os.path.expanduser(path)))  # noqa: PTH100, PTH111 - never raises


def _file(path: Path) -> Path:
    found = _absolute(path)
    if os.path.isdir(found):  # noqa: PTH112 - never raises
        raise ValueError(f"{str(path)!r} is a folder: name a file")
    if not os.path.isfile(found):  # noqa: PTH113
        raise ValueError(f"no such file: {str(path)!r}")
    return found


def _folder(path: Path) -> Path:
    found = _absolute(path)
    if os.path.isfile(found):  # noqa: PTH113
        raise ValueError(f"{str(path)!r} is a file: name a folder")
    if not os.path.isdir(found):  # noqa: PTH112
        raise ValueError(f"no such folder: {str(path)!r}")
    return found


ExistingFile = Annotated[Path, BeforeValidator(_named), AfterValidator(_file)]
"""An existing file, absolute, `~` expanded."""
ExistingFolder = Annotated[Path, BeforeValidator(_named), AfterValidator(_folder)]
"""An existing folder, absolute, `~` expanded."""

"""Files of one JSON object a line, as people's editors, shells and disks leave them."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from inward_chat.downloads import DataError, PinnedFile, fetch

MAX_SHOWN = 80
"""Characters of a wrong value that an error shows."""
Row = TypeVar("Row", bound=BaseModel)
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def json_lines(content: bytes, source: str) -> Iterator[tuple[str, str]]:
    """(line, where it stands) for each line of `content` that is not empty.

    UTF-8, with or without a byte order mark, and with any line ends. `source` is what the file is
    called. `DataError` for an empty file, and for what is not UTF-8, with its line.
    """
    content = content.removeprefix(codecs.BOM_UTF8)
    content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if not content.strip():
        raise DataError(f"{source}: the file is empty, where one JSON object a line is wanted")
    if content.startswith(_UTF16):
        raise DataError(f"{source}, line 1: the file is UTF-16: save it as UTF-8")
    for number, line in enumerate(content.split(b"\n"), 1):
        where = f"{source}, line {number}"
        try:
            text = line.decode().strip("\ufeff \t")
        except UnicodeDecodeError as error:
            raise DataError(
                f"{where}: byte {error.start + 1} (0x{line[error.start]:02x}) is not UTF-8: "
                "save the file as UTF-8"
            ) from error
        if text:
            yield text, where


def read_rows(
    model: type[Row],
    source: Path | PinnedFile,
    *,
    kept_as: str,
    mend: str,
    hint: Callable[[Any], str],
) -> Iterator[tuple[Row, str]]:
    """(row, where it stands) for each line of a file of a user's, or of a published one.

    Args:
        kept_as: name of the published file in the cache of downloads.
        mend: how else the published file may be given.
        hint: pydantic's details of an error -> what to say after it.

    Raises:
        DataError: the file cannot be had or read, or a row is not of the schema.
    """
    if isinstance(source, PinnedFile):
        content, name = fetch(source, kept_as, mend=mend), kept_as.rpartition("/")[2]
    else:
        name = str(source)
        try:
            content = source.read_bytes()
        except OSError as error:
            raise DataError(f"cannot read {name!r}: {error.strerror or error}") from error
    for line, place in json_lines(content, name):
        try:
            yield model.model_validate_json(line), place
        except ValidationError as error:
            first = error.errors()[0]
            value = repr(first["input"])
            shown = value if len(value) <= MAX_SHOWN else value[: MAX_SHOWN - 3] + "…"
            where = ": ".join(filter(None, (place, _dotted(first["loc"]))))
            message = f"{where}: {first['msg']} (got {shown}){hint(first)}"
            raise DataError(message) from error


def _dotted(loc: tuple[Any, ...]) -> str:
    dotted = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc)
    return dotted.removeprefix(".")

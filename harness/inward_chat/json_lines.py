"""Files of one JSON object a line, as people's editors, shells and disks leave them."""

from __future__ import annotations

import codecs
from collections.abc import Iterator

from inward_chat.downloads import DataError

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

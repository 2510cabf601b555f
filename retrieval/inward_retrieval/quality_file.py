"""Documents and questions from a file in the schema of QuALITY v1.0.1: JSON lines."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from inward_retrieval.recall import Question

_HALF_PAIR = re.compile("[\ud800-\udfff]")


def read_quality(path: Path) -> tuple[dict[str, str], list[Question]]:
    """(documents by `article_id`, questions that have a gold label).

    Fields read: `article_id`, `article`, and of each of `questions` its `question`, `options` and
    `gold_label` (from 1). An article may stand on several lines, with other questions on each.
    Raises ValueError naming line and field, OSError where the file cannot be read.
    """
    documents: dict[str, str] = {}
    questions: list[Question] = []
    for line, where in _lines(path):
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise ValueError(
                f"{where}: not JSON ({error}); one article a line is wanted"
            ) from error
        if not isinstance(row, dict):
            raise ValueError(f"{where}: {type(row).__name__} where an article is wanted")
        document_id = _field(row, "article_id", str, where)
        text = _field(row, "article", str, where)
        if _HALF_PAIR.search(text):
            raise ValueError(f"{where}: the article holds half of a surrogate pair: mend its text")
        if documents.setdefault(document_id, text) != text:
            raise ValueError(f"{where}: article_id {document_id!r} stands above with another text")
        for at, asked in enumerate(_field(row, "questions", list, where)):
            questions += _question(document_id, asked, f"{where}, questions[{at}]")
    if not documents:
        raise ValueError(f"{path} holds no article")
    return documents, questions


def _lines(path: Path) -> Iterator[tuple[str, str]]:
    """(line, where it stands) for each line that is not empty: UTF-8, with or without a byte order
    mark, with any line ends."""
    content = path.read_bytes().removeprefix(codecs.BOM_UTF8)
    lines = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    for number, line in enumerate(lines, 1):
        where = f"{path}, line {number}"
        try:
            text = line.decode().strip("\ufeff \t")
        except UnicodeDecodeError as error:
            raise ValueError(
                f"{where}: byte {error.start + 1} (0x{line[error.start]:02x}) is not UTF-8: save "
                "the file as UTF-8"
            ) from error
        if text:
            yield text, where


def _question(document_id: str, row: Any, where: str) -> list[Question]:
    """One question, or none for a row without a gold label (QuALITY's test split has none)."""
    if not isinstance(row, dict):
        raise ValueError(f"{where}: {type(row).__name__} where a question is wanted")
    text = _field(row, "question", str, where)
    options = _field(row, "options", list, where)
    if "gold_label" not in row:
        return []
    gold = _field(row, "gold_label", int, where)
    if not all(isinstance(option, str) for option in options) or not 1 <= gold <= len(options):
        raise ValueError(
            f"{where}: gold_label {gold!r} with options {options!r}: it counts them from 1"
        )
    return [Question(document_id, text, options, gold - 1)]


def _field(row: dict[str, Any], name: str, kind: type, where: str) -> Any:
    value = row.get(name)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise ValueError(
            f"{where}: field {name!r} is {value!r:.80}, not {kind.__name__}: the file is "
            "not in the schema of QuALITY v1.0.1"
        )
    return value

"""QuALITY v1.0.1 (arXiv 2112.08608): one JSON line an article and writer, its questions inside.

{"article_id": "52845", "set_unique_id": "52845_75VB1ISR", "title": "The Girl in His Mind",
 "article": "THE GIRL IN HIS MIND\\nBy ROBERT F. YOUNG …", "questions": [
   {"question": "Sabrina York is ", "question_unique_id": "52845_75VB1ISR_5",
    "options": ["a criminal that Blake is hunting", …], "gold_label": 1, "difficult": 1, …}, …], …}

Two lines of one article hold the questions of two writers: a split must never cut between them.
"""

from __future__ import annotations

import hashlib
import html
import http.client
import os
import re
import tempfile
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

from inward_retrieval.cache import CACHE_DIR_VAR
from platformdirs import user_cache_path
from pydantic import BaseModel, Field, StringConstraints, ValidationError

Split = Literal["train", "dev", "sample"]

BASE_URL = "https://raw.githubusercontent.com/nyu-mll/quality/main/data/v1.0.1"
# Git blob SHA-1s: they pin the content, whatever the branch in the address points to.
FILES = {
    "train": ("QuALITY.v1.0.1.htmlstripped.train", "cb16a11b32099774dd0a66f0bfbc67a3926b95c3"),
    "dev": ("QuALITY.v1.0.1.htmlstripped.dev", "3b719593e8eaa993b1b6cc100deece53019230c4"),
}
TIMEOUT_S = 60.0

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class DataError(ValueError):
    """The data cannot be had or is not what it should be; the message names the mend."""


class QuestionRow(BaseModel):
    question: Text
    question_unique_id: Text
    options: Annotated[list[Text], Field(min_length=4, max_length=4)]
    gold_label: Annotated[int, Field(ge=1, le=4, strict=True)]
    difficult: Annotated[int, Field(ge=0, le=1, strict=True)]


class ArticleRow(BaseModel):
    article_id: Text
    title: Text
    article: Text
    questions: list[QuestionRow]


@dataclass(frozen=True)
class Story:
    id: str
    title: str
    text: str
    """Paragraphs of single-spaced words, blank lines between them."""


@dataclass(frozen=True)
class Question:
    id: str
    story: Story
    text: str
    options: tuple[str, str, str, str]
    gold: int
    """Index into `options`."""
    hard: bool
    """In the HARD subset: fewer than half of the time-limited annotators were right."""


def load_questions(split: Split, path: Path | None = None) -> Iterator[Question]:
    """Every question of a split, or of the file at `path`, in file order.

    Raises `DataError` where the file cannot be had, or where a row is not of the original schema.
    """
    for story, row in _articles(split, path):
        for question in row.questions:
            first, second, third, fourth = (_one_line(option) for option in question.options)
            yield Question(
                id=question.question_unique_id,
                story=story,
                text=_one_line(question.question),
                options=(first, second, third, fourth),
                gold=question.gold_label - 1,
                hard=question.difficult == 1,
            )


def load_stories(split: Split, path: Path | None = None) -> dict[str, str]:
    """Story id -> text, and nothing else of the rows: what the search server may know."""
    return {story.id: story.text for story, _ in _articles(split, path)}


def clean(text: str) -> str:
    """The published text's hard line breaks and entities undone; paragraphs are kept."""
    paragraphs = re.split(r"\n\s*\n", html.unescape(text))
    return "\n\n".join(line for p in paragraphs if (line := " ".join(p.split())))


def _one_line(text: str) -> str:
    return " ".join(html.unescape(text).split())


def _articles(split: Split, path: Path | None) -> Iterator[tuple[Story, ArticleRow]]:
    file = path if path is not None else _file(split)
    try:
        lines = file.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot read {str(file)!r} as UTF-8 text: {error}") from error
    empty = True
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        empty = False
        row = _parse(line, f"{file}, line {number}")
        text = clean(row.article)
        # The text is part of the id, so that no edition of an article answers for another.
        digest = hashlib.sha256(text.encode()).hexdigest()[:8]
        yield Story(f"{row.article_id}-{digest}", _one_line(row.title), text), row
    if empty:
        raise DataError(f"{file}: the file is empty; QuALITY has one JSON object a line")


def _parse(line: str, place: str) -> ArticleRow:
    try:
        return ArticleRow.model_validate_json(line)
    except ValidationError as error:
        first = error.errors()[0]
        field = _dotted(first["loc"])
        value = repr(first["input"])
        hint = ""
        if first["type"] == "json_invalid" or not field:
            hint = (
                ". The original QuALITY schema is expected: JSON lines, one object an article"
                " with `article_id`, `title`, `article` and `questions`"
            )
        elif first["loc"][-1] == "gold_label":
            hint = ". The labels of QuALITY's test split are withheld: use train or dev"
        raise DataError(
            f"{place}{': ' + field if field else ''}: {first['msg']}"
            f" (got {value if len(value) <= 80 else value[:77] + '…'}){hint}"
        ) from error


def _dotted(loc: tuple[Any, ...]) -> str:
    out = ""
    for part in loc:
        out += f"[{part}]" if isinstance(part, int) else f".{part}" if out else str(part)
    return out


def _file(split: Split) -> Path:
    if split == "sample":
        return Path(str(resources.files("quality_rag") / "data" / "sample.jsonl"))
    return download(split)


def download(split: str, base_url: str = BASE_URL, cache: Path | None = None) -> Path:
    """The published file of `split`, from the cache or from `base_url`, verified every time."""
    name, blob = FILES[split]
    root = os.environ.get(CACHE_DIR_VAR) or user_cache_path("inward", appauthor=False)
    folder = cache if cache is not None else Path(root) / "quality"
    file = folder / name
    if file.exists() and _git_blob(file.read_bytes()) == blob:
        return file
    url = f"{base_url}/{name}"
    mend = "check the network, or fetch the file yourself and name it with --env.taskset.path FILE"
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as response:
            data: bytes = response.read()
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise DataError(f"cannot download {url!r}: {error}; {mend}") from error
    if (got := _git_blob(data)) != blob:
        raise DataError(
            f"{url!r} gave {len(data)} bytes with git blob hash {got}, but {blob} is published:"
            f" the download was cut short or the file was changed; try again, or {mend}"
        )
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, prefix=name, delete=False) as part:
        part.write(data)
    os.replace(part.name, file)  # noqa: PTH105 - a NamedTemporaryFile knows its name as text
    return file


def _git_blob(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()

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
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

from inward_chat.downloads import DataError, PinnedFile
from inward_chat.json_lines import read_rows
from pydantic import BaseModel, Field, StringConstraints

__all__ = [
    "DataError",
    "Question",
    "Split",
    "Story",
    "clean",
    "load_articles",
    "load_questions",
    "load_stories",
]

Split = Literal["train", "dev", "sample"]

BASE_URL = "https://raw.githubusercontent.com/nyu-mll/quality/main/data/v1.0.1"
# The hashes pin the content, whatever the branch in the address points to.
FILES: dict[str, PinnedFile] = {
    "train": PinnedFile(
        f"{BASE_URL}/QuALITY.v1.0.1.htmlstripped.train",
        "cb16a11b32099774dd0a66f0bfbc67a3926b95c3",
        "git-blob",
    ),
    "dev": PinnedFile(
        f"{BASE_URL}/QuALITY.v1.0.1.htmlstripped.dev",
        "3b719593e8eaa993b1b6cc100deece53019230c4",
        "git-blob",
    ),
}
SHIPPED = Path(str(resources.files("quality_rag") / "data"))
MEND = "fetch the file yourself and name it with --env.taskset.path FILE"

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


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
    for _, questions in load_articles(split, path):
        yield from questions


def load_stories(split: Split, path: Path | None = None) -> dict[str, str]:
    """Story id -> text, and nothing else of the rows: what the search server may know."""
    return {story.id: story.text for story, _ in load_articles(split, path)}


def load_articles(split: Split, path: Path | None = None) -> Iterator[tuple[Story, list[Question]]]:
    """Each row's story, and its questions; as `load_questions`."""
    for story, row in _articles(split, path):
        yield story, [_question(story, question) for question in row.questions]


def _question(story: Story, row: QuestionRow) -> Question:
    first, second, third, fourth = (_one_line(option) for option in row.options)
    return Question(
        id=row.question_unique_id,
        story=story,
        text=_one_line(row.question),
        options=(first, second, third, fourth),
        gold=row.gold_label - 1,
        hard=row.difficult == 1,
    )


def clean(text: str) -> str:
    """The published text's hard line breaks and entities undone; paragraphs are kept."""
    paragraphs = re.split(r"\n\s*\n", html.unescape(text))
    return "\n\n".join(line for p in paragraphs if (line := " ".join(p.split())))


def _one_line(text: str) -> str:
    return " ".join(html.unescape(text).split())


def _articles(split: Split, path: Path | None) -> Iterator[tuple[Story, ArticleRow]]:
    published = FILES.get(split) if path is None else None
    source = published or path or SHIPPED / "sample.jsonl"
    kept_as = f"quality/{published.url.rpartition('/')[2]}" if published else ""
    for row, _ in read_rows(ArticleRow, source, kept_as=kept_as, mend=MEND, hint=_hint):
        text = clean(row.article)
        # The text is part of the id, so that no edition of an article answers for another.
        digest = hashlib.sha256(text.encode()).hexdigest()[:8]
        yield Story(f"{row.article_id}-{digest}", _one_line(row.title), text), row


def _hint(error: dict[str, Any]) -> str:
    if error["type"] == "json_invalid" or not error["loc"]:
        return (
            ". The original QuALITY schema is expected: JSON lines, one object per article"
            " with `article_id`, `title`, `article` and `questions`"
        )
    if error["loc"][-1] == "gold_label":
        return ". The labels of QuALITY's test split are withheld: use train or dev"
    return ""

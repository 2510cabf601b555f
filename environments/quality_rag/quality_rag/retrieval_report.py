"""What `inward retrieval-report quality-rag` measures: the stories as the search tool has them."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from inward_retrieval import ChoiceQuestion

from quality_rag.data import DataError, Split, load_articles


def load(split: str | None, path: Path | None) -> tuple[dict[str, str], list[ChoiceQuestion]]:
    """(stories by id, their questions) of a split or of the file at `path`; the sample without."""
    if split is not None and split not in get_args(Split):
        raise DataError(f"no split {split!r}: there are {', '.join(get_args(Split))}")
    chosen: Split = split or "sample"  # type: ignore[assignment]
    articles = list(load_articles(chosen, path))
    questions = [
        ChoiceQuestion(story.id, question.text, question.options, question.gold)
        for story, asked in articles
        for question in asked
    ]
    return {story.id: story.text for story, _ in articles}, questions

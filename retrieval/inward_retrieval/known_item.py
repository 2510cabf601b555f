"""Queries whose passage is known, made from sentences of the documents themselves.

A sentence loses what gives it away: each of its rare words (those that its document uses at most
`RARE` times, by stem) is replaced by a synonym from a small list, or dropped where the list has
none. What is left is the query, and the sentence's place is where search should find it.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import islice

from inward_retrieval.chunking import sentence_spans
from inward_retrieval.terms import stem, words

RARE = 8
"""A word that its document uses at most so often is rare."""
SENTENCE_WORDS = range(8, 41)
"""Sentences of other lengths are not asked for."""
LEAST_WORDS = 4
"""A query of fewer distinct words is not asked; single letters do not count."""


@dataclass(frozen=True)
class KnownItem:
    """A query and the sentence that it was made from: `documents[document_id][start:end]`."""

    document_id: str
    query: str
    start: int
    end: int


def known_items(
    documents: Mapping[str, str], *, per_document: int, seed: int = 0
) -> list[KnownItem]:
    """Up to `per_document` queries for each document, the same whatever the chunking.

    A document's queries do not depend on the other documents.
    """
    items = []
    for document_id, text in documents.items():
        source = random.Random(f"{seed}:{document_id}")
        spans = sentence_spans(text)
        source.shuffle(spans)
        counts = Counter(stem(words(text)))
        found = (
            KnownItem(document_id, query, start, end)
            for start, end in spans
            if (query := _query(text[start:end], counts, source)) is not None
        )
        items += sorted(islice(found, per_document), key=lambda item: item.start)
    return items


def _query(sentence: str, counts: Counter[bytes], source: random.Random) -> str | None:
    tokens = words(sentence)
    if len(tokens) not in SENTENCE_WORDS:
        return None
    query = []
    for word, term in zip(tokens, stem(tokens), strict=True):
        if counts[term] > RARE:
            query.append(word.decode())
        elif synonyms := _synonyms().get(word.decode()):
            query.append(source.choice(synonyms))
    enough = len({word for word in query if len(word) > 1}) >= LEAST_WORDS
    return " ".join(query) if enough else None


@cache
def _synonyms() -> dict[str, list[str]]:
    """Word -> the others of its lines in `synonyms.txt`."""
    text = (files("inward_retrieval") / "synonyms.txt").read_text("utf-8")
    groups: dict[str, list[str]] = {}
    for line in text.splitlines():
        group = line.split()
        for word in group:
            others = groups.setdefault(word, [])
            others += [other for other in group if other != word and other not in others]
    return groups

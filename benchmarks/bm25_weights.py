"""Which BM25 finds more within one story: where the default idf, k1 and b of our bm25 come from.

    uv run python benchmarks/bm25_weights.py [--seed N]      # seconds

Printed for each idf and (k1, b): recall@5 on known items of the 36 real stories (left out where
their file is absent), and the mean reciprocal rank of the evidence of the sample's questions, asked
by question and options. `lucene` is ln(1 + (n - df + .5) / (df + .5)); `okapi` is Robertson's
ln((n - df + .5) / (df + .5)), at least a quarter of its mean over the story's terms.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
from inward_retrieval.corpus import Corpus
from inward_retrieval.known_item import known_items
from inward_retrieval.terms import stem, words
from numpy.typing import NDArray

ROOT = Path(__file__).parents[1]
STORIES = ROOT.parent / "shared/data/quality/quality_dev_gutenberg_36.json"
SAMPLE = ROOT / "environments/quality_rag/quality_rag/data/sample.jsonl"
EVIDENCE = ROOT / "tests/quality_rag/sample_notes.json"
PARAMETERS = ((0.9, 0.4), (1.2, 0.75), (1.5, 0.75), (2.0, 0.75))
CHUNK_WORDS = 150
KNOWN_ITEMS_A_STORY = 60
Counts = NDArray[np.float64]


@dataclass(frozen=True)
class Query:
    document_id: str
    text: str
    at: int
    """Character of the document that the right chunk holds."""


def lucene(n: int, df: Counts) -> Counts:
    return np.log1p((n - df + 0.5) / (df + 0.5))


def okapi(n: int, df: Counts) -> Counts:
    idf = np.log((n - df + 0.5) / (df + 0.5))
    return np.maximum(idf, max(0.25 * float(idf.mean()), 1e-3))


IDFS: dict[str, Callable[[int, Counts], Counts]] = {"lucene": lucene, "okapi": okapi}


class Story:
    """One document's counts, from which every variant's scores are computed."""

    def __init__(self, corpus: Corpus, document_id: str) -> None:
        chunks = corpus.chunks(document_id)
        self.starts = [chunk.start for chunk in chunks]
        own = [stem(words(chunk.text)) for chunk in chunks]
        self.terms = {term: row for row, term in enumerate(dict.fromkeys(chain(*own)))}
        self.counts = np.zeros((len(self.terms), len(chunks)))
        for column, terms in enumerate(own):
            np.add.at(self.counts[:, column], [self.terms[term] for term in terms], 1)

    def scores(self, idf: str, k1: float, b: float) -> Counts:
        """(terms, chunks)"""
        length = self.counts.sum(0)
        weight = IDFS[idf](self.counts.shape[1], (self.counts > 0).sum(1).astype(float))
        norm = k1 * (1 - b + b * length / length.mean())
        return weight[:, None] * self.counts / (self.counts + norm)

    def rank(self, scores: Counts, query: Query) -> int:
        """Of the right chunk, from 1."""
        rows = [self.terms[term] for term in stem(words(query.text)) if term in self.terms]
        order = np.argsort(-scores[rows].sum(0), kind="stable").tolist()
        return int(order.index(np.searchsorted(self.starts, query.at, "right") - 1)) + 1


def evidence() -> tuple[dict[str, str], list[Query]]:
    rows = [json.loads(line) for line in SAMPLE.read_text("utf-8").splitlines()]
    notes = json.loads(EVIDENCE.read_text("utf-8"))["questions"]
    documents = {row["article_id"]: row["article"] for row in rows}
    queries = [
        Query(
            row["article_id"],
            " ".join([question["question"], *question["options"]]),
            row["article"].index(quote) + len(quote) // 2,
        )
        for row in rows
        for question in row["questions"]
        for quote in notes[question["question_unique_id"]]["quotes"]
    ]
    return documents, queries


def real_items(seed: int) -> tuple[dict[str, str], list[Query]]:
    documents = {row["article_id"]: row["article"] for row in json.loads(STORIES.read_text())}
    items = known_items(documents, per_document=KNOWN_ITEMS_A_STORY, seed=seed)
    return documents, [
        Query(item.document_id, item.query, (item.start + item.end) // 2) for item in items
    ]


def ranks_of(
    documents: Mapping[str, str], queries: list[Query]
) -> dict[tuple[str, float, float], NDArray[np.int64]]:
    """Variant -> the rank of each query's chunk."""
    corpus = Corpus.cut(documents, words=CHUNK_WORDS, overlap=0)
    stories = {name: Story(corpus, name) for name in documents}
    found = {}
    for idf in IDFS:
        for k1, b in PARAMETERS:
            scores = {name: story.scores(idf, k1, b) for name, story in stories.items()}
            found[idf, k1, b] = np.array(
                [stories[q.document_id].rank(scores[q.document_id], q) for q in queries]
            )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seed", type=int, default=7, help="of the known items")
    arguments = parser.parse_args()
    sample = ranks_of(*evidence())
    real = ranks_of(*real_items(arguments.seed)) if STORIES.exists() else {}
    print(f"{'idf':8} {'k1':>4} {'b':>5}   known items recall@5   evidence MRR")
    for variant, ranks in sample.items():
        recall = f"{np.mean(real[variant] <= 5):.3f}" if real else "-"
        idf, k1, b = variant
        print(f"{idf:8} {k1:4} {b:5}   {recall:>20}   {np.mean(1 / ranks):12.3f}")
    print(f"{len(next(iter(sample.values())))} pieces of evidence")


if __name__ == "__main__":
    main()

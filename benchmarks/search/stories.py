"""What the benchmarks of this folder share: the corpus, its queries, and how things are timed.

300 stories of 5,000 words, made of the sentences of the sample stories with every fifth word longer
than three letters put into made-up ones (40,000 of them, by Zipf's law), so that stories differ and
their vocabulary is as large as that of real ones. Queries are known items
(`inward_retrieval.known_item`). Vectors are 384 numbers, the hashed words of a text.

Everything takes its turn in each round: ratios are within a run, and each is the median over the
rounds.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from inward_retrieval import Bm25Config
from inward_retrieval.bm25 import Bm25, build_arrays
from inward_retrieval.chunking import sentence_spans
from inward_retrieval.corpus import Corpus
from inward_retrieval.embedders import Vectors, unit_vectors
from inward_retrieval.known_item import KnownItem, known_items
from inward_retrieval.terms import stem, words

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "benchmarks"))  # for `targets`, wherever this is run from
SAMPLE = ROOT / "environments/quality_rag/quality_rag/data/sample.jsonl"
STORIES, STORY_WORDS, CHUNK_WORDS = 300, 5_000, 150
QUERIES_PER_STORY = 10
DIMENSIONS = 384
BM25 = Bm25Config()
ROUNDS = 5
K = 5
Search = Callable[[KnownItem], list[int]]
"""Chunk numbers, best first."""


def made_up_words() -> list[str]:
    source = random.Random(1)
    syllables = [c + v for c in "bdfgklmnprstvz" for v in ("a", "e", "i", "o", "u", "ar", "en")]
    return ["".join(source.choices(syllables, k=3)) for _ in range(40_000)]


def stories() -> dict[str, str]:
    """`STORIES` texts of `STORY_WORDS` words by id."""
    rows = map(json.loads, SAMPLE.read_text("utf-8").splitlines())
    articles = [row["article"] for row in rows]
    sentences = [text[a:b] for text in articles for a, b in sentence_spans(text)]
    vocabulary = made_up_words()
    weights = np.cumsum(1 / np.arange(1, len(vocabulary) + 1)).tolist()
    made = {}
    for number in range(STORIES):
        source = random.Random(number)
        cast = source.choices(vocabulary, cum_weights=weights, k=600)
        parts: list[str] = []
        length = 0
        while length < STORY_WORDS:
            for sentence in source.sample(sentences, len(sentences)):
                tokens = sentence.split()
                for at in range(source.randrange(5), len(tokens), 5):
                    if len(tokens[at]) > 3 and tokens[at].isalpha():
                        tokens[at] = source.choice(cast)
                parts.append(" ".join(tokens) + source.choice([" ", " ", " ", "\n\n"]))
                length += len(tokens)
                if length >= STORY_WORDS:
                    break
        made[f"s{number}"] = "".join(parts)
    return made


def hashed_vectors(texts: Sequence[str]) -> Vectors:
    """Counts of hashed stems, square-rooted: vectors that find shared words."""
    vectors = np.full((len(texts), DIMENSIONS), 1e-6)
    for row, text in enumerate(texts):
        for word in stem(words(text)):
            vectors[row, zlib.crc32(word) % DIMENSIONS] += 1
    return unit_vectors(np.sqrt(vectors), len(texts), "hashing")


class Stories:
    """The corpus, its queries, and the right answers to them."""

    def __init__(self) -> None:
        self.documents = stories()
        self.items = known_items(self.documents, per_document=QUERIES_PER_STORY)
        random.Random(0).shuffle(self.items)
        self.corpus = Corpus.cut(self.documents, words=CHUNK_WORDS, overlap=0)
        self.texts = list(self.corpus.texts())
        self.numbers = {name: number for number, name in enumerate(self.documents)}
        print(
            f"{len(self.documents)} stories, {len(self.texts)} chunks, {len(self.items)} queries",
            flush=True,
        )

    def index(self) -> Bm25:
        """Our bm25, from chunks."""
        return Bm25(build_arrays(self.corpus, k1=BM25.k1, b=BM25.b), self.corpus.sizes)

    @cached_property
    def vectors(self) -> Vectors:
        """Of the chunks."""
        return hashed_vectors(self.texts)

    @cached_property
    def query_vectors(self) -> Mapping[str, Vectors]:
        """(1, dimensions) of each query."""
        queries = [item.query for item in self.items]
        rows = hashed_vectors(queries)
        return {query: rows[row : row + 1] for row, query in enumerate(queries)}

    def rows(self, document_id: str) -> slice:
        """The document's chunks among all chunks."""
        number = self.numbers[document_id]
        return slice(int(self.corpus.first[number]), int(self.corpus.first[number + 1]))

    def recall(self, search: Search) -> float:
        """recall@5."""
        found = 0
        for item in self.items:
            spans = self.corpus.spans[self.rows(item.document_id)]
            middle = (item.start + item.end) // 2
            [right] = np.flatnonzero((spans[:, 0] <= middle) & (middle < spans[:, 1])).tolist()
            found += right in search(item)[:K]
        return found / len(self.items)


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


class Rounds:
    """Seconds of several things, in turn; one that fails once is left out from there on."""

    def __init__(self) -> None:
        self.spent: dict[str, list[float]] = {}
        self.failed: dict[str, str] = {}

    def play(self, turns: Mapping[str, Callable[[], float]], rounds: int = ROUNDS) -> None:
        """Each of `turns` gives its seconds."""
        for _ in range(rounds):
            for name, turn in turns.items():
                if name in self.failed:
                    continue
                with self.noting(name):
                    self.spent.setdefault(name, []).append(turn())

    @contextmanager
    def noting(self, name: str) -> Iterator[None]:
        """A row for an anchor that fails, and no crash. Our own failures are no row."""
        try:
            yield
        except Exception as error:
            if name.startswith("ours"):
                raise
            self.spent.pop(name, None)
            self.failed[name] = f"{type(error).__name__}: {error}"

    def best(self, name: str) -> float | None:
        """Seconds of the best round; None where it failed."""
        return min(self.spent[name]) if self.spent.get(name) else None

    def ratio(self, name: str, to: str) -> float | None:
        """`name` over `to`, the median over rounds; None where either failed."""
        if not (self.spent.get(name) and self.spent.get(to)):
            return None
        pairs = zip(self.spent[name], self.spent[to], strict=True)
        return statistics.median(one / other for one, other in pairs)

    def print(self, to: str, unit: str = "s", scale: float = 1.0) -> None:
        """A row for each: its best round, and its ratio to one of them."""
        for name in [*self.spent, *self.failed]:
            best, ratio = self.best(name), self.ratio(name, to)
            if best is None or ratio is None:
                reason = " ".join(self.failed.get(name, f"{to} failed").split())
                print(f"  {name:24} {reason:.120}")
            else:
                print(f"  {name:24} {best * scale:11.4g} {unit:3} {ratio:8.2f} x {to}")


def per_query(engine: Callable[[], Search], items: Sequence[KnownItem]) -> Callable[[], float]:
    """A turn that searches for each item; seconds per query."""

    def turn() -> float:
        search = engine()
        return seconds(lambda: [search(item) for item in items]) / len(items)

    return turn


def arguments(doc: str | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(doc or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="targets as JSON on the last line")
    return parser.parse_args()


class Chroma:
    """chromadb, one collection of all chunks, filtered by story."""

    def __init__(self, bench: Stories) -> None:
        import chromadb
        from chromadb.config import Settings

        self._bench = bench
        client = chromadb.EphemeralClient(Settings(anonymized_telemetry=False))
        self._collection: Any = client.create_collection(
            "stories", configuration={"hnsw": {"space": "ip"}}, embedding_function=None
        )
        sizes = zip(bench.corpus.ids, bench.corpus.sizes, strict=True)
        ids = [f"{name}:{number}" for name, size in sizes for number in range(size)]
        for at in range(0, len(ids), 2_000):
            part = slice(at, at + 2_000)
            self._collection.add(
                ids=ids[part],
                embeddings=bench.vectors[part],
                metadatas=[{"story": name.split(":")[0]} for name in ids[part]],
            )

    def search(self, item: KnownItem) -> list[int]:
        found = self._collection.query(
            query_embeddings=self._bench.query_vectors[item.query],
            n_results=K,
            where={"story": item.document_id},
        )
        return [int(name.split(":")[1]) for name in found["ids"][0]]

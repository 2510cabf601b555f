"""Search by vectors within one story: ours beside a numpy slice, FAISS and chromadb.

    uv run --group bench python benchmarks/search/vectors.py [--json]      # two minutes

Vectors are given: embedding is measured by `embedding.py`. The floor is a slice of the vectors
times the query, and the five best of it, with nothing around it. FAISS, a flat index for each
document, is compared for documents of 30 to 100,000 chunks: why ours has no index.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from inward_retrieval.bm25 import Bm25
from inward_retrieval.dense import Dense
from inward_retrieval.embedders import Vectors
from inward_retrieval.hybrid import Hybrid
from inward_retrieval.known_item import KnownItem
from stories import DIMENSIONS, Chroma, K, Rounds, Search, Stories, arguments, per_query
from stories import seconds as timed
from targets import Target, report

FEW = 100
"""Queries for chromadb, which takes milliseconds for each."""
SIZES = (30, 300, 3_000, 30_000, 100_000)
"""Chunks of a document."""


@dataclass
class Given:
    """An embedder whose query vectors are given."""

    vectors: Mapping[str, Vectors]
    threads: int = 1
    window: float = 0.002

    def identity(self) -> Mapping[str, object]:
        return {}

    def embed_passages(self, texts: list[str]) -> Vectors:
        raise NotImplementedError

    def embed_queries(self, texts: list[str]) -> Vectors:
        return np.concatenate([self.vectors[text] for text in texts])


def dense_and_hybrid(bench: Stories, bm25: Bm25) -> tuple[Dense, Hybrid]:
    """On given vectors."""
    dense = Dense(Given(bench.query_vectors), bench.vectors, bench.corpus.first)
    return dense, Hybrid(bm25, dense, dense_name="dense", k=60)


def within_stories(bench: Stories) -> tuple[Rounds, dict[str, float]]:
    """(times, recall@5)"""
    bm25 = bench.index()
    dense, hybrid = dense_and_hybrid(bench, bm25)
    numbers, queries = bench.numbers, bench.query_vectors
    slices = [bench.vectors[bench.rows(name)] for name in bench.documents]

    def numpy_slice(item: KnownItem) -> list[int]:
        scores = slices[numbers[item.document_id]] @ queries[item.query][0]
        best: list[int] = np.argsort(-scores)[:K].tolist()
        return best

    def by_vector(item: KnownItem) -> list[int]:
        found = dense.nearest(numbers[item.document_id], queries[item.query], K)
        return [chunk for chunk, _ in found]

    def by_both(item: KnownItem) -> list[int]:
        found = hybrid.fuse(numbers[item.document_id], item.query, queries[item.query], K)
        return [chunk for chunk, _, _ in found]

    def by_words(item: KnownItem) -> list[int]:
        return [chunk for chunk, _ in bm25.best(numbers[item.document_id], item.query, K)]

    makers: dict[str, Callable[[], Search]] = {
        "numpy slice": lambda: numpy_slice,
        "ours, dense": lambda: by_vector,
        "ours, bm25": lambda: by_words,
        "ours, hybrid": lambda: by_both,
        "chromadb": lambda: Chroma(bench).search,
    }
    rounds = Rounds()
    engines, recalls = {}, {}
    for name, make in makers.items():
        with rounds.noting(name):
            engines[name] = make()
            recalls[name] = bench.recall(engines[name])
    rounds.play(
        {
            name: per_query(
                lambda name=name: engines[name],
                bench.items[:FEW] if name == "chromadb" else bench.items,
            )
            for name in engines
        }
    )
    return rounds, recalls


def one_document(chunks: int) -> Rounds:
    source = np.random.default_rng(chunks)
    vectors = source.standard_normal((chunks, DIMENSIONS)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    query = np.ascontiguousarray(vectors[:1])
    dense = Dense(Given({}), vectors, np.array([0, chunks]))
    indexes: list[Any] = []

    def faiss_search() -> object:
        import faiss

        if not indexes:
            indexes.append(faiss.IndexFlatIP(DIMENSIONS))
            indexes[0].add(vectors)
        return indexes[0].search(query, K)

    repeats = max(3, 20_000 // chunks)

    def turn(search: Callable[[], object]) -> float:
        return timed(lambda: [search() for _ in range(repeats)]) / repeats

    rounds = Rounds()
    rounds.play(
        {
            "ours": lambda: turn(lambda: dense.nearest(0, query, K)),
            "FAISS": lambda: turn(faiss_search),
        }
    )
    return rounds


def main() -> None:
    options = arguments(__doc__)
    bench = Stories()
    rounds, recalls = within_stories(bench)
    print("one query within a story, vectors given")
    rounds.print(to="numpy slice", unit="us", scale=1e6)
    print("recall@5", "  ".join(f"{name} {recall:.3f}" for name, recall in recalls.items()))
    worst: float | None = 0.0
    for chunks in SIZES:
        sized = one_document(chunks)
        print(f"one query within a document of {chunks:,} chunks")
        sized.print(to="FAISS", unit="us", scale=1e6)
        ratio = sized.ratio("ours", "FAISS")
        worst = None if worst is None or ratio is None else max(worst, ratio)
    both = rounds.best("ours, dense"), rounds.best("ours, bm25"), rounds.best("ours, hybrid")
    parts = None if None in both else both[2] / (both[0] + both[1])  # type: ignore[operator]
    print()
    report(
        [
            Target(
                "dense: one query over a numpy slice",
                rounds.ratio("ours, dense", "numpy slice"),
                2,
                most=True,
            ),
            Target("dense: one query over FAISS, at worst", worst, 2, most=True),
            Target("hybrid: one query over its two parts", parts, 2, most=True),
        ],
        options.json,
    )


if __name__ == "__main__":
    main()

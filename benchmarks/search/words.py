"""Search by words within one story: ours beside bm25s, rank_bm25 and chromadb.

    uv run --group bench python benchmarks/search/words.py [--json]      # two minutes

bm25s and rank_bm25 leave terms to their caller and get ours, an index for each story. chromadb has
vectors of the same words. A query is timed in process, once its story has been searched; what the
first search in a story takes is a row of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from inward_retrieval.bm25 import Bm25
from inward_retrieval.corpus import Corpus
from inward_retrieval.known_item import KnownItem
from inward_retrieval.terms import stem, words
from stories import BM25, CHUNK_WORDS, Chroma, K, Rounds, Search, Stories, arguments, per_query
from stories import seconds as timed
from targets import Target, report

FEW = 100
"""Queries for chromadb, which takes milliseconds for each."""


def terms(text: str) -> list[str]:
    return [term.decode() for term in stem(words(text))]


def bm25s_index(bench: Stories) -> list[Any]:
    import bm25s

    indexes = []
    for name in bench.corpus.ids:
        index = bm25s.BM25(k1=BM25.k1, b=BM25.b)
        index.index([terms(text) for text in bench.texts[bench.rows(name)]], show_progress=False)
        indexes.append(index)
    return indexes


def rank_bm25_index(bench: Stories) -> list[Any]:
    from rank_bm25 import BM25Okapi

    return [
        BM25Okapi([terms(text) for text in bench.texts[bench.rows(name)]])
        for name in bench.corpus.ids
    ]


def by_scores(bench: Stories, indexes: list[Any]) -> Search:
    """Both libraries have `get_scores(terms)`."""

    def search(item: KnownItem) -> list[int]:
        scores = indexes[bench.numbers[item.document_id]].get_scores(terms(item.query))
        best: list[int] = np.argsort(-scores, kind="stable")[:K].tolist()
        return best

    return search


def by_ours(bench: Stories, index: Bm25) -> Search:
    def search(item: KnownItem) -> list[int]:
        found = index.best(bench.numbers[item.document_id], item.query, K)
        return [chunk for chunk, _ in found]

    return search


def builds(bench: Stories) -> Rounds:
    rounds = Rounds()

    def ours() -> object:
        Corpus.cut(bench.documents, words=CHUNK_WORDS, overlap=0)
        return bench.index()

    turns: dict[str, Callable[[], object]] = {
        "ours, from chunks": bench.index,
        "ours, from texts": ours,
        "bm25s": lambda: bm25s_index(bench),
        "rank_bm25": lambda: rank_bm25_index(bench),
    }
    rounds.play({name: lambda turn=turn: timed(turn) for name, turn in turns.items()}, rounds=3)
    return rounds


def queries(bench: Stories) -> tuple[Rounds, dict[str, float]]:
    """(times, recall@5)"""
    rounds = Rounds()
    engines: dict[str, Search] = {}
    makers: dict[str, Callable[[], Search]] = {
        "ours": lambda: by_ours(bench, bench.index()),
        "bm25s": lambda: by_scores(bench, bm25s_index(bench)),
        "rank_bm25": lambda: by_scores(bench, rank_bm25_index(bench)),
        "chromadb": lambda: Chroma(bench).search,
    }
    recalls = {}
    for name, make in makers.items():
        with rounds.noting(name):
            engines[name] = make()
            recalls[name] = bench.recall(engines[name])  # and warms it up

    def first_searches() -> float:
        search = by_ours(bench, bench.index())
        firsts = list({item.document_id: item for item in bench.items}.values())
        return timed(lambda: [search(item) for item in firsts]) / len(firsts)

    turns = {
        name: per_query(lambda name=name: engines[name], bench.items[:FEW])
        if name == "chromadb"
        else per_query(lambda name=name: engines[name], bench.items)
        for name in engines
    }
    turns["ours, first in a story"] = first_searches
    turns["floor: terms alone"] = lambda: (
        timed(lambda: [stem(words(item.query)) for item in bench.items]) / len(bench.items)
    )
    rounds.play(turns)
    return rounds, recalls


def main() -> None:
    options = arguments(__doc__)
    bench = Stories()
    built = builds(bench)
    print("build")
    built.print(to="bm25s")
    asked, recalls = queries(bench)
    print("one query, in process")
    asked.print(to="ours", unit="us", scale=1e6)
    print("recall@5", "  ".join(f"{name} {recall:.3f}" for name, recall in recalls.items()))
    print()

    def less(name: str) -> float | None:
        return recalls["ours"] - recalls[name] if name in recalls else None

    report(
        [
            Target(
                "bm25: build from chunks over bm25s'",
                built.ratio("ours, from chunks", "bm25s"),
                1,
                most=True,
            ),
            Target("bm25: one query over bm25s'", asked.ratio("ours", "bm25s"), 1, most=True),
            Target("bm25: chromadb filtered over one query", asked.ratio("chromadb", "ours"), 300),
            Target("bm25: recall@5 less that of bm25s", less("bm25s"), 0),
            Target("bm25: recall@5 less that of rank_bm25", less("rank_bm25"), 0),
            Target("bm25: recall@5 less that of chromadb", less("chromadb"), 0),
        ],
        options.json,
    )


if __name__ == "__main__":
    main()

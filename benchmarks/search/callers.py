"""1 and 512 concurrent callers in one event loop: ours beside chromadb in threads.

    uv run --group bench python benchmarks/search/callers.py [--json]      # three minutes

Vectors are given, and the window of 2 ms in which dense collects queries is included. The floor of
a stall is a round of all callers: 512 searches in process.
"""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Callable

from inward_retrieval.known_item import KnownItem
from inward_retrieval.ranking import Ranker
from inward_retrieval.retriever import Retriever
from load import AsyncSearch, Load, load
from stories import Chroma, K, Rounds, Stories, arguments, seconds
from targets import Target, report
from vectors import dense_and_hybrid

CALLERS = 512
FEW = 100
"""Queries of one caller for chromadb, which takes milliseconds for each."""


def main() -> None:
    options = arguments(__doc__)
    bench = Stories()
    bm25 = bench.index()
    dense, hybrid = dense_and_hybrid(bench, bm25)

    def ours(ranker: Ranker) -> AsyncSearch:
        retriever = Retriever(bench.corpus, ranker)
        return lambda item: retriever.search(item.document_id, item.query, K)

    def chromadb() -> AsyncSearch:
        chroma = Chroma(bench)

        async def search(item: KnownItem) -> object:
            return await asyncio.to_thread(chroma.search, item)

        return search

    makers: dict[str, Callable[[], AsyncSearch]] = {
        "ours, bm25": lambda: ours(bm25),
        "ours, dense": lambda: ours(dense),
        "ours, hybrid": lambda: ours(hybrid),
        "chromadb": chromadb,
    }
    rounds = Rounds()
    engines = {}
    for name, make in makers.items():
        with rounds.noting(name):
            engines[name] = make()
    many = [item for _ in range(4) for item in bench.items]
    single: dict[str, Load] = {}
    loads: dict[str, list[Load]] = {name: [] for name in engines}
    passes = []
    for _ in range(3):
        passes.append(
            seconds(
                lambda: [
                    bm25.best(bench.numbers[item.document_id], item.query, K)
                    for item in bench.items[:CALLERS]
                ]
            )
        )
        for name, search in engines.items():
            few = many[:FEW] if name == "chromadb" else many[:500]
            shared = many[: 6 * FEW] if name == "chromadb" else many
            with rounds.noting(name):
                single[name] = asyncio.run(load(search, few, 1))
                loads[name].append(asyncio.run(load(search, shared, CALLERS)))
    asyncio.run(dense.aclose())

    for name in engines:
        if name in rounds.failed:
            continue
        best = max(loads[name], key=lambda one: one.calls)
        print(f"  {name:13}   1 caller  {single[name]}")
        print(f"  {name:13} {CALLERS} callers {best}")
    for name, reason in rounds.failed.items():
        print(f"  {name:13} failed: {reason}")

    def over_chromadb(name: str) -> float | None:
        if "chromadb" in rounds.failed:
            return None
        turns = zip(loads[name], loads["chromadb"], strict=True)
        return statistics.median(one.calls / other.calls for one, other in turns)

    stall = statistics.median(
        one.stall / 1e3 / floor for one, floor in zip(loads["ours, bm25"], passes, strict=True)
    )
    print()
    targets = [
        Target(
            f"callers: {name.removeprefix('ours, ')} over chromadb at {CALLERS}",
            over_chromadb(name),
            100,
        )
        for name in engines
        if name != "chromadb"
    ]
    longest = Target(f"callers: longest stall of bm25 over {CALLERS} searches", stall, 5, most=True)
    report([*targets, longest], options.json)


if __name__ == "__main__":
    main()

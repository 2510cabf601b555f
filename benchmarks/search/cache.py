"""A start with and without the index cache, as a user has it: texts in, retriever out.

    uv run --group bench python benchmarks/search/cache.py [--json]      # a minute

The floor of a warm start is reading the corpus once, as its hash has to: SHA-256 of every text.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from unittest.mock import patch

from inward_retrieval import Bm25Config, build_retriever
from inward_retrieval.cache import CACHE_DIR_VAR
from stories import Rounds, Stories, arguments, seconds
from targets import Target, report


def main() -> None:
    options = arguments(__doc__)
    documents = Stories().documents
    rounds = Rounds()
    with tempfile.TemporaryDirectory() as parent:
        folders = iter(range(10**6))

        def start(folder: str, cache: bool = True) -> float:
            with patch.dict(os.environ, {CACHE_DIR_VAR: folder}):
                return seconds(lambda: build_retriever(documents, Bm25Config(cache=cache)))

        start(f"{parent}/warm")
        rounds.play(
            {
                "ours, no cache": lambda: start(parent, cache=False),
                "ours, cold and written": lambda: start(f"{parent}/{next(folders)}"),
                "ours, warm": lambda: start(f"{parent}/warm"),
                "SHA-256 of the texts": lambda: seconds(
                    lambda: [hashlib.sha256(text.encode()).digest() for text in documents.values()]
                ),
            }
        )
    print("a retriever of bm25, texts in memory")
    rounds.print(to="ours, no cache", unit="ms", scale=1e3)
    print()
    report(
        [
            Target(
                "cache: warm start over one without a cache",
                rounds.ratio("ours, warm", "ours, no cache"),
                0.1,
                most=True,
            ),
            Target(
                "cache: cold and written over one without",
                rounds.ratio("ours, cold and written", "ours, no cache"),
                1.3,
                most=True,
            ),
        ],
        options.json,
    )


if __name__ == "__main__":
    main()

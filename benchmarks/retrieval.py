"""How well each backend finds the evidence, as the README's tables.

    uv run python benchmarks/retrieval.py [--dense MODEL] [--stories FILE]

First in 36 whole QuALITY stories, then the evidence that the questions of quality-rag's five sample
stories rest on, asked by question and options. The file (`quality_dev_gutenberg_36.json`) has a
schema of its own: one question per story, its gold label counted from 0. `inward retrieval-report
quality-rag` reads QuALITY's own schema. With `--dense`, a folder or hub id of a
SentenceTransformer, dense and hybrid rows follow.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path

from bm25_weights import evidence
from inward_retrieval import (
    Bm25Config,
    ChoiceQuestion,
    DenseConfig,
    HybridConfig,
    LocalEmbedderConfig,
    RetrieverConfig,
    build_retriever,
)
from inward_retrieval.comparison import RetrieverScores, compare, markdown
from inward_retrieval.known_item import KnownItem
from inward_retrieval.recall import known_item_recall

STORIES = Path(__file__).parents[2] / "shared/data/quality/quality_dev_gutenberg_36.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--stories", type=Path, default=STORIES)
    parser.add_argument("--dense", metavar="MODEL")
    parser.add_argument("--chunk-words", type=int, nargs="+", default=[50, 100, 150, 200])
    arguments = parser.parse_args()
    if not arguments.stories.exists():
        sys.exit(f"{arguments.stories} is not there: give the file with --stories")
    rows = json.loads(arguments.stories.read_text("utf-8"))
    documents = {row["article_id"]: row["article"] for row in rows}
    questions = [
        ChoiceQuestion(row["article_id"], row["question"], row["options"], row["gold_label"])
        for row in rows
    ]
    configs: list[RetrieverConfig] = []
    for words in arguments.chunk_words:
        configs.append(Bm25Config(chunk_words=words))
        if arguments.dense:
            embedder = LocalEmbedderConfig(model=arguments.dense)
            configs.append(DenseConfig(chunk_words=words, model=arguments.dense))
            configs.append(HybridConfig(chunk_words=words, embedder=embedder))
    configs.sort(key=lambda config: ("bm25", "dense", "hybrid").index(config.type))
    print(markdown(asyncio.run(compare(documents, questions, configs))))
    print(markdown(asyncio.run(sample_evidence(configs))))


async def sample_evidence(configs: list[RetrieverConfig]) -> list[RetrieverScores]:
    """Recall of the passages that the sample's questions rest on."""
    documents, queries = evidence()
    items = [KnownItem(q.document_id, q.text, q.at, q.at + 1) for q in queries]
    rows = []
    for config in configs:
        async with build_retriever(documents, config) as retriever:
            rows.append(RetrieverScores(config, await known_item_recall(retriever, items), None))
    return rows


if __name__ == "__main__":
    main()

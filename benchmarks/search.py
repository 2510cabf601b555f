"""Search within one story: `inward_retrieval` beside rank_bm25 and chromadb, in turn in one run.

    uv run --group bench --group models python benchmarks/search.py [--json] [--only SECTION …]

300 stories of 5,000 words, made of the sentences of the sample stories with every fifth word
longer than three letters put into made-up ones (40,000 of them, by Zipf's law), so that stories
differ and their vocabulary is as large as that of real ones. Queries are known items
(`inward_retrieval.known_item`). The vectors of the `vectors` section are given: 384 numbers, the
hashed words of a text; both ours and chromadb get the same. The `embedding` section runs a
SentenceTransformer of MiniLM's size (6 layers of 384) with random weights.

Each engine takes its turn in each round; figures are the best round, ratios are within a run.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import statistics
import tempfile
import time
import zlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from inward_retrieval import Bm25Config, DenseConfig, LocalEmbedderConfig, build_retriever
from inward_retrieval.bm25 import Bm25, build_arrays
from inward_retrieval.cache import CACHE_DIR_VAR
from inward_retrieval.chunking import sentence_spans
from inward_retrieval.corpus import Corpus
from inward_retrieval.dense import Dense
from inward_retrieval.embedders import Vectors, unit_vectors
from inward_retrieval.hybrid import Hybrid
from inward_retrieval.known_item import KnownItem, known_items
from inward_retrieval.local_embedder import LocalEmbedder
from inward_retrieval.retriever import Retriever
from inward_retrieval.terms import stem, words

SAMPLE = Path(__file__).parents[1] / "environments/quality_rag/quality_rag/data/sample.jsonl"
STORIES, STORY_WORDS, CHUNK_WORDS = 300, 5_000, 150
QUERIES_A_STORY = 10
DIMENSIONS = 384
ROUNDS = 5
K = 5
SECTIONS = ("words", "vectors", "cache", "callers", "embedding", "tool")


@dataclass(frozen=True)
class Target:
    name: str
    value: float
    target: float
    met: bool


@dataclass
class Targets:
    """Collects and prints them."""

    all: list[Target] = field(default_factory=list)

    def most(self, name: str, value: float, target: float) -> None:
        self._add(Target(name, value, target, value <= target))

    def least(self, name: str, value: float, target: float) -> None:
        self._add(Target(name, value, target, value >= target))

    def _add(self, target: Target) -> None:
        self.all.append(target)


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
                own = sentence.split()
                for at in range(source.randrange(5), len(own), 5):
                    if len(own[at]) > 3 and own[at].isalpha():
                        own[at] = source.choice(cast)
                parts.append(" ".join(own) + source.choice([" ", " ", " ", "\n\n"]))
                length += len(own)
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


@dataclass
class Given:
    """An embedder whose query vectors are given."""

    vectors: Mapping[str, Vectors]
    extra: str = "dense"
    threads: int = 1
    window: float = 0.002

    def identity(self) -> Mapping[str, object]:
        return {}

    def embed_passages(self, texts: list[str]) -> Vectors:
        raise NotImplementedError

    def embed_queries(self, texts: list[str]) -> Vectors:
        return np.concatenate([self.vectors[text] for text in texts])


class Bench:
    """The corpus, queries and what several sections share."""

    def __init__(self) -> None:
        self.documents = stories()
        self.items = known_items(self.documents, per_document=QUERIES_A_STORY)
        random.Random(0).shuffle(self.items)
        self.corpus = Corpus.cut(self.documents, words=CHUNK_WORDS, overlap=0)
        self.texts = list(self.corpus.texts())
        self.numbers = {name: number for number, name in enumerate(self.documents)}
        self.targets = Targets()
        arrays = build_arrays(self.corpus, k1=1.5, b=0.75)
        self.bm25 = Bm25(arrays, self.corpus.sizes)
        self._vectors: tuple[Vectors, dict[str, Vectors]] | None = None
        self._chroma: Any = None
        print(
            f"{len(self.documents)} stories, {len(self.texts)} chunks, {len(self.items)} queries, "
            f"{arrays.word_terms.size} distinct words"
        )

    def vectors(self) -> tuple[Vectors, dict[str, Vectors]]:
        """(of the chunks, of each query)"""
        if self._vectors is None:
            queries = [item.query for item in self.items]
            own = hashed_vectors(queries)
            by_query = {query: own[row : row + 1] for row, query in enumerate(queries)}
            self._vectors = hashed_vectors(self.texts), by_query
        return self._vectors

    def chroma(self) -> tuple[Any, float]:
        """(a collection of all chunks, seconds to fill it)"""
        if self._chroma is None:
            self._chroma = chroma_collection(self)
        return self._chroma

    def recall(self, ranked: Callable[[KnownItem], list[int]]) -> float:
        """recall@5: `ranked` gives an item's chunk numbers, best first."""
        found = 0
        for item in self.items:
            spans = self.corpus.spans[slice(*self.rows(item.document_id))]
            middle = (item.start + item.end) // 2
            [right] = np.flatnonzero((spans[:, 0] <= middle) & (middle < spans[:, 1])).tolist()
            found += right in ranked(item)[:K]
        return found / len(self.items)

    def rows(self, document_id: str) -> tuple[int, int]:
        number = self.numbers[document_id]
        return int(self.corpus.first[number]), int(self.corpus.first[number + 1])


def timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def in_turn(
    engines: Mapping[str, tuple[Callable[[KnownItem], object], int]], bench: Bench
) -> dict[str, float]:
    """Microseconds a query: best of `ROUNDS` rounds over each engine's first n queries."""
    best = dict.fromkeys(engines, float("inf"))
    for _ in range(ROUNDS):
        for name, (search, count) in engines.items():
            items = bench.items[:count]
            spent = timed(lambda search=search, items=items: [search(item) for item in items])
            best[name] = min(best[name], spent / len(items) * 1e6)
    return best


def chroma_collection(bench: Bench) -> tuple[Any, float]:
    import chromadb
    from chromadb.config import Settings

    client = chromadb.EphemeralClient(Settings(anonymized_telemetry=False))
    collection = client.create_collection(
        "stories", configuration={"hnsw": {"space": "ip"}}, embedding_function=None
    )
    vectors, _ = bench.vectors()
    ids = [
        f"{name}:{n}"
        for name, size in zip(bench.corpus.ids, bench.corpus.sizes, strict=True)
        for n in range(size)
    ]
    stories_of = [{"story": name.split(":")[0]} for name in ids]

    def fill() -> None:
        for at in range(0, len(ids), 2_000):
            end = at + 2_000
            collection.add(
                ids=ids[at:end], embeddings=vectors[at:end], metadatas=stories_of[at:end]
            )

    return collection, timed(fill)


def chroma_search(bench: Bench) -> Callable[[KnownItem], list[int]]:
    collection, _ = bench.chroma()
    _, queries = bench.vectors()

    def search(item: KnownItem) -> list[int]:
        found = collection.query(
            query_embeddings=queries[item.query], n_results=K, where={"story": item.document_id}
        )
        return [int(name.split(":")[1]) for name in found["ids"][0]]

    return search


def words_section(bench: Bench) -> None:
    """bm25 against rank_bm25 and chromadb: build, query, recall."""
    from rank_bm25 import BM25Okapi

    word = re.compile(r"\w+")
    corpus, numbers = bench.corpus, bench.numbers
    builds: dict[str, float] = dict.fromkeys(
        ("ours: chunks", "ours: index", "rank_bm25"), float("inf")
    )
    theirs: list[Any] = []

    def build_theirs() -> None:
        theirs.clear()
        for name in corpus.ids:
            low, high = bench.rows(name)
            theirs.append(BM25Okapi([word.findall(text.lower()) for text in bench.texts[low:high]]))

    for _ in range(3):
        turns: dict[str, Callable[[], object]] = {
            "ours: chunks": lambda: Corpus.cut(bench.documents, words=CHUNK_WORDS, overlap=0),
            "ours: index": lambda: Bm25(build_arrays(corpus, k1=1.5, b=0.75), corpus.sizes),
            "rank_bm25": build_theirs,
        }
        for name, build in turns.items():
            builds[name] = min(builds[name], timed(build))
    _, builds["chromadb"] = bench.chroma()

    def ours(item: KnownItem) -> list[int]:
        return [chunk for chunk, _ in bench.bm25.best(numbers[item.document_id], item.query, K)]

    def rank_bm25(item: KnownItem) -> list[int]:
        scores = theirs[numbers[item.document_id]].get_scores(word.findall(item.query.lower()))
        best: list[int] = np.argsort(-scores, kind="stable")[:K].tolist()
        return best

    chroma = chroma_search(bench)
    fresh = Bm25(build_arrays(corpus, k1=1.5, b=0.75), corpus.sizes)
    first = [
        item
        for item in bench.items
        if item is next(i for i in bench.items if i.document_id == item.document_id)
    ]
    cold = (
        timed(lambda: [fresh.best(numbers[i.document_id], i.query, K) for i in first])
        / len(first)
        * 1e6
    )
    count = len(bench.items)
    spent = in_turn(
        {"ours": (ours, count), "rank_bm25": (rank_bm25, count), "chromadb": (chroma, 100)}, bench
    )
    recalls = {"ours": bench.recall(ours), "rank_bm25": bench.recall(rank_bm25)}
    recalls["chromadb"] = bench.recall(chroma)

    ours_build = builds["ours: chunks"] + builds["ours: index"]
    print("\nwords: build, one query in process, recall@5")
    print(
        f"  ours       {ours_build:6.2f} s (chunking {builds['ours: chunks']:.2f}, indexing {builds['ours: index']:.2f})"
    )
    print(f"  rank_bm25  {builds['rank_bm25']:6.2f} s (from chunks)")
    print(f"  chromadb   {builds['chromadb']:6.2f} s (from vectors)")
    for name, micros in spent.items():
        print(
            f"  {name:10} {micros:9.1f} us  {micros / spent['ours']:7.1f}x  recall@5 {recalls[name]:.3f}"
        )
    print(f"  ours, the first search in a story: {cold:.0f} us")
    bench.targets.most("bm25: build from chunks, s", builds["ours: index"], 0.6)
    bench.targets.most("bm25: chunk and build, s", ours_build, 0.6)
    bench.targets.most("bm25: one query, us", spent["ours"], 25)
    bench.targets.least(
        "bm25: faster than chromadb filtered, x", spent["chromadb"] / spent["ours"], 300
    )
    bench.targets.least(
        "bm25: recall@5 less rank_bm25's", recalls["ours"] - recalls["rank_bm25"], 0
    )
    bench.targets.least("bm25: recall@5 less chromadb's", recalls["ours"] - recalls["chromadb"], 0)


def vectors_section(bench: Bench) -> None:
    """Dense and hybrid on given vectors, without embedding."""
    vectors, queries = bench.vectors()
    dense = Dense(Given(queries), vectors, bench.corpus.first)
    hybrid = Hybrid(bench.bm25, dense, dense_name="dense", k=60)
    numbers = bench.numbers

    def by_vector(item: KnownItem) -> list[int]:
        found = dense.nearest(numbers[item.document_id], queries[item.query], K)
        return [chunk for chunk, _ in found]

    def by_both(item: KnownItem) -> list[int]:
        found = hybrid.fuse(numbers[item.document_id], item.query, queries[item.query], K)
        return [chunk for chunk, _, _ in found]

    chroma = chroma_search(bench)
    count = len(bench.items)
    spent = in_turn(
        {"dense": (by_vector, count), "hybrid": (by_both, count), "chromadb": (chroma, 100)}, bench
    )
    recalls = {"dense": bench.recall(by_vector), "hybrid": bench.recall(by_both)}
    recalls["chromadb"] = bench.recall(chroma)
    print("\nvectors given: one query in process, recall@5")
    for name, micros in spent.items():
        print(f"  {name:10} {micros:9.1f} us  recall@5 {recalls[name]:.3f}")
    bench.targets.most("dense: one query without embedding, us", spent["dense"], 15)
    bench.targets.most("hybrid: one query without embedding, us", spent["hybrid"], 60)


def cache_section(bench: Bench) -> None:
    """A start without and with the cache, as a user has it: texts in, retriever out."""
    cold, warm = [], []
    kept = os.environ.get(CACHE_DIR_VAR)
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            os.environ[CACHE_DIR_VAR] = folder
            cold.append(timed(lambda: build_retriever(bench.documents, Bm25Config())))
            warm.append(timed(lambda: build_retriever(bench.documents, Bm25Config())))
    if kept is None:
        del os.environ[CACHE_DIR_VAR]
    else:
        os.environ[CACHE_DIR_VAR] = kept
    none = [
        timed(lambda: build_retriever(bench.documents, Bm25Config(cache=False))) for _ in range(3)
    ]
    print("\ncache: a retriever of bm25, texts in memory")
    print(f"  without a cache {min(none):.2f} s, cold and written {min(cold):.2f} s, ", end="")
    print(f"warm {min(warm) * 1e3:.1f} ms")
    bench.targets.most("cache: cold build without embedding, not written, s", min(none), 0.6)
    bench.targets.most("cache: warm start, ms", min(warm) * 1e3, 30)


@dataclass(frozen=True)
class Load:
    """What concurrent callers saw."""

    calls: float
    """A second."""
    p50: float
    """ms, queueing for the event loop included."""
    p99: float
    stall: float
    """ms: the longest time that the event loop let a timer wait."""

    def __str__(self) -> str:
        return (
            f"{self.calls:9.0f} calls/s  p50 {self.p50:8.2f} ms  p99 {self.p99:8.2f} ms  "
            f"stall {self.stall:6.1f} ms"
        )


async def load(
    search: Callable[[KnownItem], Awaitable[object]], items: Sequence[KnownItem], callers: int
) -> Load:
    """`callers` tasks work through `items`; each gives way to the others before every call."""
    waits: list[float] = []
    queue = iter(items)

    async def caller() -> None:
        for item in queue:
            started = time.perf_counter()
            await asyncio.sleep(0)
            await search(item)
            waits.append(time.perf_counter() - started)

    stalls = [0.0]

    async def watch() -> None:
        while True:
            started = time.perf_counter()
            await asyncio.sleep(0.001)
            stalls.append(time.perf_counter() - started - 0.001)

    watcher = asyncio.create_task(watch())
    started = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(callers)))
    spent = time.perf_counter() - started
    watcher.cancel()
    waits.sort()
    return Load(
        calls=len(waits) / spent,
        p50=waits[len(waits) // 2] * 1e3,
        p99=waits[int(len(waits) * 0.99)] * 1e3,
        stall=max(stalls) * 1e3,
    )


def callers_section(bench: Bench) -> None:
    """1 and 512 concurrent callers in one event loop."""
    vectors, queries = bench.vectors()
    given = Given(queries)
    dense = Dense(given, vectors, bench.corpus.first)
    hybrid = Hybrid(bench.bm25, dense, dense_name="dense", k=60)
    chroma = chroma_search(bench)
    retrievers = {
        "bm25": Retriever(bench.corpus, bench.bm25),
        "dense": Retriever(bench.corpus, dense),
    }
    retrievers["hybrid"] = Retriever(bench.corpus, hybrid)

    def ours(retriever: Retriever) -> Callable[[KnownItem], Awaitable[object]]:
        return lambda item: retriever.search(item.document_id, item.query, K)

    async def theirs(item: KnownItem) -> object:
        return await asyncio.to_thread(chroma, item)

    engines = {name: ours(retriever) for name, retriever in retrievers.items()}
    engines["chromadb"] = theirs
    many = [item for _ in range(4) for item in bench.items]
    counts = {
        "bm25": (len(bench.items), len(many)),
        "dense": (300, len(many)),
        "hybrid": (300, len(many)),
        "chromadb": (100, 600),
    }
    print("\ncallers: vectors given (the dense window of 2 ms included), chromadb in threads")
    ratios: dict[str, list[Load]] = {name: [] for name in engines}
    for _ in range(3):
        for name, search in engines.items():
            ratios[name].append(asyncio.run(load(search, many[: counts[name][1]], 512)))
    single = {
        name: asyncio.run(load(search, many[: counts[name][0]], 1))
        for name, search in engines.items()
    }
    best = {name: max(loads, key=lambda own: own.calls) for name, loads in ratios.items()}
    for name in engines:
        print(f"  {name:9}   1 caller  {single[name]}")
        print(f"  {name:9} 512 callers {best[name]}")
    asyncio.run(dense.aclose())
    bench.targets.least("callers: bm25 at 512, calls/s", best["bm25"].calls, 20_000)
    bench.targets.most("callers: bm25 at 512, longest stall, ms", best["bm25"].stall, 150)
    for name in ("bm25", "dense", "hybrid"):
        ratio = statistics.median(
            own.calls / other.calls
            for own, other in zip(ratios[name], ratios["chromadb"], strict=True)
        )
        bench.targets.least(f"callers: {name} over chromadb at 512, x", ratio, 100)


def minilm(folder: str) -> str:
    """A SentenceTransformer of MiniLM's size with random weights; its folder."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer import modules
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    tokenizer.train_from_iterator(
        list(stories().values())[:20],
        trainers.WordPieceTrainer(vocab_size=8_000, special_tokens=special),
    )
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    size = {"hidden_size": 384, "num_hidden_layers": 6, "num_attention_heads": 12}
    config = BertConfig(vocab_size=30_522, intermediate_size=1536, **size)
    base = f"{folder}/base"
    BertModel(config).save_pretrained(base)
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, model_max_length=256, **names
    ).save_pretrained(base)
    transformer = modules.Transformer(base, max_seq_length=256)
    model = SentenceTransformer(modules=[transformer, modules.Pooling(384), modules.Normalize()])
    model.save(f"{folder}/model")
    return f"{folder}/model"


def embedding_section(bench: Bench) -> None:
    """Queries embedded one at a time and together, through the whole of dense search."""
    few = dict(list(bench.documents.items())[:4])
    items = [item for item in bench.items if item.document_id in few] * 8
    with tempfile.TemporaryDirectory() as folder:
        model = minilm(folder)
        embedder = LocalEmbedder(LocalEmbedderConfig(model=model))
        config = DenseConfig(model=model, cache=False)
        retriever = build_retriever(few, config)
        bare = min(timed(lambda: embedder.embed_queries([items[0].query])) for _ in range(20)) * 1e3

        async def search(item: KnownItem) -> object:
            return await retriever.search(item.document_id, item.query, K)

        alone, together = [], []
        for _ in range(3):
            alone.append(asyncio.run(load(search, items[:60], 1)))
            together.append(asyncio.run(load(search, items, 64)))
        asyncio.run(retriever.aclose())
    ratio = statistics.median(
        many.calls / one.calls for one, many in zip(alone, together, strict=True)
    )
    print(f"\nembedding: 6 layers of 384, random weights; one forward of one query {bare:.1f} ms")
    print(f"   1 caller  {max(alone, key=lambda own: own.calls)}")
    print(f"  64 callers {max(together, key=lambda own: own.calls)}")
    bench.targets.least("embedding: 64 callers over one at a time, x", ratio, 3)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="targets as JSON on the last line")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=SECTIONS)
    arguments = parser.parse_args()
    bench = Bench()
    sections = {
        "words": words_section,
        "vectors": vectors_section,
        "cache": cache_section,
        "callers": callers_section,
        "embedding": embedding_section,
    }
    for name in arguments.only:
        sections[name](bench)
    print()
    for target in bench.targets.all:
        print(
            f"{'met ' if target.met else 'MISS'} {target.name}: {target.value:.3g} ({target.target:g})"
        )
    if arguments.json:
        print(json.dumps({"targets": [vars(target) for target in bench.targets.all]}))


if __name__ == "__main__":
    main()

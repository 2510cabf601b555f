"""Search within one story: `inward_retrieval` beside rank_bm25 and chromadb, in turn in one run.

    uv run --group bench --group models python benchmarks/search.py [--json] [--only SECTION …]

300 stories of 5,000 words, made of the sentences of the sample stories with every fifth word
longer than three letters put into made-up ones (40,000 of them, by Zipf's law), so that stories
differ and their vocabulary is as large as that of real ones. Queries are known items
(`inward_retrieval.known_item`). The vectors of the `vectors` section are given: 384 numbers, the
hashed words of a text; both ours and chromadb get the same. The `embedding` section runs a
SentenceTransformer of MiniLM's size (6 layers of 384) with random weights. rank_bm25 leaves terms
to its caller and gets ours: with words as they stand its recall on these queries, which repeat
their sentence's words, is higher by 0.01.

Each engine takes its turn in each round; figures are the best round, ratios are within a run.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import urlencode

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
from inward_retrieval.ranking import Ranker
from inward_retrieval.retriever import Retriever
from inward_retrieval.terms import stem, words
from targets import Target, report

SAMPLE = Path(__file__).parents[1] / "environments/quality_rag/quality_rag/data/sample.jsonl"
STORIES, STORY_WORDS, CHUNK_WORDS = 300, 5_000, 150
QUERIES_A_STORY = 10
DIMENSIONS = 384
BM25 = Bm25Config()
ROUNDS = 5
CHROMA_QUERIES = 100
TOOL_SERVER = Path(__file__).parent / "search_parts" / "tool_server.py"
TOOL_CALLERS, TOOL_CALLS = 32, 20
LAYERS = {
    "http": "HTTP (uvicorn, aiohttp)",
    "mcp": "MCP, a tool that does nothing",
    "state": "the rollout's State",
    "search": "our search, four passages",
}
K = 5
Search = Callable[[KnownItem], list[int]]
"""Chunk numbers, best first."""
AsyncSearch = Callable[[KnownItem], Awaitable[object]]
SECTIONS = ("words", "vectors", "cache", "callers", "embedding", "tool")


@dataclass
class Targets:
    """Collects them."""

    all: list[Target] = field(default_factory=list)

    def most(self, name: str, value: float, target: float) -> None:
        self.all.append(Target(name, value, target, most=True))

    def least(self, name: str, value: float, target: float) -> None:
        self.all.append(Target(name, value, target))


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
        arrays = build_arrays(self.corpus, k1=BM25.k1, b=BM25.b)
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

    def dense_and_hybrid(self) -> tuple[Dense, Hybrid]:
        """On given vectors."""
        vectors, queries = self.vectors()
        dense = Dense(Given(queries), vectors, self.corpus.first)
        return dense, Hybrid(self.bm25, dense, dense_name="dense", k=60)

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


def in_turn(bench: Bench, engines: Mapping[str, Search]) -> dict[str, float]:
    """Microseconds a query: best of `ROUNDS` rounds; chromadb gets fewer queries."""
    best = dict.fromkeys(engines, float("inf"))
    for _ in range(ROUNDS):
        for name, search in engines.items():
            items = bench.items[:CHROMA_QUERIES] if name == "chromadb" else bench.items
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
    sizes = zip(bench.corpus.ids, bench.corpus.sizes, strict=True)
    ids = [f"{name}:{number}" for name, size in sizes for number in range(size)]
    stories_of = [{"story": name.split(":")[0]} for name in ids]

    def fill() -> None:
        for at in range(0, len(ids), 2_000):
            own = slice(at, at + 2_000)
            collection.add(ids=ids[own], embeddings=vectors[own], metadatas=stories_of[own])

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


def rank_bm25_search(bench: Bench) -> tuple[Callable[[], None], Search]:
    """(builds its index, searches it)"""
    from rank_bm25 import BM25Okapi

    indexes: list[Any] = []

    def build() -> None:
        indexes.clear()
        for name in bench.corpus.ids:
            texts = bench.texts[slice(*bench.rows(name))]
            indexes.append(BM25Okapi([stem(words(text)) for text in texts]))

    def search(item: KnownItem) -> list[int]:
        index = indexes[bench.numbers[item.document_id]]
        scores = index.get_scores(stem(words(item.query)))
        best: list[int] = np.argsort(-scores, kind="stable")[:K].tolist()
        return best

    return build, search


def words_section(bench: Bench) -> None:
    """bm25 against rank_bm25 and chromadb: build, query, recall."""
    corpus, numbers = bench.corpus, bench.numbers
    build_rank_bm25, rank_bm25 = rank_bm25_search(bench)

    def index() -> Bm25:
        return Bm25(build_arrays(corpus, k1=BM25.k1, b=BM25.b), corpus.sizes)

    turns: dict[str, Callable[[], object]] = {
        "chunking": lambda: Corpus.cut(bench.documents, words=CHUNK_WORDS, overlap=0),
        "indexing": index,
        "rank_bm25": build_rank_bm25,
    }
    builds = dict.fromkeys(turns, float("inf"))
    for _ in range(ROUNDS):
        for name, build in turns.items():
            builds[name] = min(builds[name], timed(build))
    _, builds["chromadb"] = bench.chroma()
    builds["ours"] = builds["chunking"] + builds["indexing"]

    def search(bm25: Bm25, item: KnownItem) -> list[int]:
        return [chunk for chunk, _ in bm25.best(numbers[item.document_id], item.query, K)]

    fresh = index()
    firsts = list({item.document_id: item for item in bench.items}.values())
    first = timed(lambda: [search(fresh, item) for item in firsts]) / len(firsts) * 1e6
    engines: dict[str, Search] = {
        "ours": partial(search, bench.bm25),
        "rank_bm25": rank_bm25,
        "chromadb": chroma_search(bench),
    }
    spent = in_turn(bench, engines)
    recalls = {name: bench.recall(engine) for name, engine in engines.items()}

    print("\nwords: build, one query in process, recall@5")
    for name, micros in spent.items():
        print(
            f"  {name:10} {builds[name]:6.2f} s {micros:9.1f} us {micros / spent['ours']:7.1f}x  "
            f"recall@5 {recalls[name]:.3f}"
        )
    print(
        f"  ours: chunking {builds['chunking']:.2f} s, indexing {builds['indexing']:.2f} s; ",
        end="",
    )
    print(f"the first search in a story {first:.0f} us")
    targets = bench.targets
    targets.most("bm25: build from chunks, s", builds["indexing"], 0.6)
    targets.most("bm25: build from texts, s", builds["ours"], 0.6)
    targets.most("bm25: one query, us", spent["ours"], 25)
    targets.least("bm25: faster than chromadb filtered, x", spent["chromadb"] / spent["ours"], 300)
    for name in ("rank_bm25", "chromadb"):
        difference = recalls["ours"] - recalls[name]
        targets.least(f"bm25: recall@5 less that of {name}", difference, 0)


def vectors_section(bench: Bench) -> None:
    """Dense and hybrid on given vectors, without embedding."""
    dense, hybrid = bench.dense_and_hybrid()
    _, queries = bench.vectors()
    numbers = bench.numbers

    def by_vector(item: KnownItem) -> list[int]:
        found = dense.nearest(numbers[item.document_id], queries[item.query], K)
        return [chunk for chunk, _ in found]

    def by_both(item: KnownItem) -> list[int]:
        found = hybrid.fuse(numbers[item.document_id], item.query, queries[item.query], K)
        return [chunk for chunk, _, _ in found]

    engines = {"dense": by_vector, "hybrid": by_both, "chromadb": chroma_search(bench)}
    spent = in_turn(bench, engines)
    print("\nvectors given: one query in process, recall@5")
    for name, micros in spent.items():
        print(f"  {name:10} {micros:9.1f} us  recall@5 {bench.recall(engines[name]):.3f}")
    bench.targets.most("dense: one query without embedding, us", spent["dense"], 15)
    bench.targets.most("hybrid: one query without embedding, us", spent["hybrid"], 60)


def cache_section(bench: Bench) -> None:
    """A start without and with the cache, as a user has it: texts in, retriever out."""
    cold, warm = [], []
    none = []
    for _ in range(ROUNDS):
        with (
            tempfile.TemporaryDirectory() as folder,
            patch.dict(os.environ, {CACHE_DIR_VAR: folder}),
        ):
            none.append(timed(lambda: build_retriever(bench.documents, Bm25Config(cache=False))))
            cold.append(timed(lambda: build_retriever(bench.documents, Bm25Config())))
            warm.append(timed(lambda: build_retriever(bench.documents, Bm25Config())))
    print("\ncache: a retriever of bm25, texts in memory")
    print(f"  without a cache {min(none):.2f} s, cold and written {min(cold):.2f} s, ", end="")
    print(f"warm {min(warm) * 1e3:.1f} ms")
    bench.targets.most("cache: cold build without embedding, s", min(none), 0.6)
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


async def load(search: AsyncSearch, items: Sequence[KnownItem], callers: int) -> Load:
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
    dense, hybrid = bench.dense_and_hybrid()
    chroma = chroma_search(bench)

    def ours(ranker: Ranker) -> AsyncSearch:
        retriever = Retriever(bench.corpus, ranker)
        return lambda item: retriever.search(item.document_id, item.query, K)

    async def theirs(item: KnownItem) -> object:
        return await asyncio.to_thread(chroma, item)

    engines: dict[str, AsyncSearch] = {
        "bm25": ours(bench.bm25),
        "dense": ours(dense),
        "hybrid": ours(hybrid),
        "chromadb": theirs,
    }
    many = [item for _ in range(4) for item in bench.items]
    single: dict[str, Load] = {}
    loads: dict[str, list[Load]] = {name: [] for name in engines}
    for _ in range(3):
        for name, search in engines.items():
            few = many[:CHROMA_QUERIES] if name == "chromadb" else many[:500]
            all_ = many[: 6 * CHROMA_QUERIES] if name == "chromadb" else many
            single[name] = asyncio.run(load(search, few, 1))
            loads[name].append(asyncio.run(load(search, all_, 512)))
    asyncio.run(dense.aclose())

    print("\ncallers: vectors given, the window of 2 ms included; chromadb in threads")
    best = {name: max(own, key=lambda one: one.calls) for name, own in loads.items()}
    for name in engines:
        print(f"  {name:9}   1 caller  {single[name]}")
        print(f"  {name:9} 512 callers {best[name]}")
    bench.targets.least("callers: bm25 at 512, calls/s", best["bm25"].calls, 20_000)
    bench.targets.most("callers: bm25 at 512, longest stall, ms", best["bm25"].stall, 150)
    for name in ("bm25", "dense", "hybrid"):
        turns = zip(loads[name], loads["chromadb"], strict=True)
        ratio = statistics.median(own.calls / other.calls for own, other in turns)
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
    trainer = trainers.WordPieceTrainer(vocab_size=8_000, special_tokens=special)
    tokenizer.train_from_iterator(list(stories().values())[:20], trainer)
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    wrapped = PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=256, **names)
    size = {"hidden_size": 384, "num_hidden_layers": 6, "num_attention_heads": 12}
    config = BertConfig(vocab_size=30_522, intermediate_size=1536, **size)
    base = f"{folder}/base"
    BertModel(config).save_pretrained(base)
    wrapped.save_pretrained(base)
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


@contextmanager
def tool_server(kind: str, folder: str, secret: str) -> Iterator[Path]:
    """Runs `search_parts/tool_server.py`; the file that it writes its port to."""
    port_file = Path(folder) / f"{kind}.port"
    environment = {"MCP_PORT_FILE": str(port_file), "VF_STATE_SECRET": secret, "VF_STATE_URL": ""}
    if kind != "http":
        config = {"split": "sample", "path": None} if kind == "search" else {}
        environment["VF_CONFIG"] = json.dumps(config)
    process = subprocess.Popen(
        [sys.executable, str(TOOL_SERVER), kind], env={**os.environ, **environment}
    )
    try:
        yield port_file
    finally:
        process.kill()
        process.wait()


def url_of(port_file: Path) -> str:
    """Waits for the server to write its port."""
    while not (port_file.exists() and port_file.read_text()):
        time.sleep(0.05)
    return f"http://127.0.0.1:{port_file.read_text()}/mcp"


async def tool_calls(urls: Mapping[str, str], secret: str) -> dict[str, list[float]]:
    """Milliseconds of each of many calls by `TOOL_CALLERS` callers, by kind of server."""
    from aiohttp import web
    from inward_chat.connections import http_client
    from inward_chat.tool_servers import JsonServer
    from quality_rag.data import load_stories
    from verifiers.v1.mcp.server import (
        STATE_ROUTE_PARAM,
        STATE_SIGNATURE_PARAM,
        STATE_URL_PARAM,
        state_signature,
    )

    story = next(iter(load_stories("sample")))

    async def state(request: web.Request) -> web.Response:
        return web.json_response({"story_id": story})

    app = web.Application()
    app.router.add_get("/state", state)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    state_url = f"http://127.0.0.1:{runner.addresses[0][1]}/state"
    coordinates = urlencode(
        {
            STATE_URL_PARAM: state_url,
            STATE_ROUTE_PARAM: "r",
            STATE_SIGNATURE_PARAM: state_signature(secret, state_url, "r"),
        }
    )
    http = await http_client()

    async def connect(kind: str, url: str) -> Callable[[], Awaitable[object]]:
        if kind == "http":

            async def post() -> object:
                async with http.post(url, data=b'{"query": "x"}') as response:
                    return await response.read()

            return post
        while True:
            try:
                server = await JsonServer.connect(http, f"{url}?{coordinates}", 60)
                break
            except OSError:
                await asyncio.sleep(0.1)
        return lambda: server.call("search", {"query": "Who wrote the letter about the lamp?"})

    calls = {kind: await connect(kind, url) for kind, url in urls.items()}
    waits: dict[str, list[float]] = {kind: [] for kind in urls}

    async def caller(kind: str) -> None:
        for _ in range(TOOL_CALLS):
            started = time.perf_counter()
            await calls[kind]()
            waits[kind].append((time.perf_counter() - started) * 1e3)

    for _ in range(ROUNDS):
        for kind in urls:
            await asyncio.gather(*(caller(kind) for _ in range(TOOL_CALLERS)))
    await runner.cleanup()
    return waits


def tool_section(bench: Bench) -> None:
    """One call through the tool server by 32 callers, layer upon layer."""
    secret = "benchmark"
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        files = {kind: stack.enter_context(tool_server(kind, folder, secret)) for kind in LAYERS}
        urls = {kind: url_of(file) for kind, file in files.items()}
        waits = asyncio.run(tool_calls(urls, secret))
    print(f"\ntool: one call by {TOOL_CALLERS} concurrent callers, each layer on those above")
    before = 0.0
    for kind, layer in LAYERS.items():
        p50 = statistics.median(waits[kind])
        calls = TOOL_CALLERS / (statistics.fmean(waits[kind]) / 1e3)
        print(f"  {layer:30} p50 {p50:6.2f} ms  +{p50 - before:5.2f} ms  {calls:6.0f} calls/s")
        before = p50


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
        "tool": tool_section,
    }
    for name in arguments.only:
        sections[name](bench)
    print()
    report(bench.targets.all, arguments.json)


if __name__ == "__main__":
    main()

"""Each algorithm's format number is raised with its output: an old index never answers for a new
algorithm. A digest that differs here means: raise FORMAT there, and write both anew."""

import hashlib
import json

import numpy as np
import pytest
from inward_retrieval import Bm25Config, bm25, build_retriever, chunking, embedders, terms
from inward_retrieval.cache import IndexCache
from inward_retrieval.corpus import Corpus

STORY = """The keeper's lamp — “lit at six”, he said — burned for 2½ hours. It didn't matter!

A co\u00adoperative sailor from the cafe\u0301 mended nets, mended sails, and mended nothing else
that long and windless winter in which the ships of the company lay idle in the harbour.
東京の港に船。 \u0939\u093f\u0928\u094d\u0926\u0940 \u0e20\u0e32\u0e29\u0e32 ﬁnds ＦＵＬＬ İstanbul.
Who asks? Nobody."""
DOCUMENTS = {"a": STORY, "b": "The lamp. The lamp again, and a storm. " * 9}


def corpus():
    return Corpus.cut(DOCUMENTS, words=8, overlap=2)


def of_chunking():
    return [
        chunking.chunk_spans(text, words=words, overlap=overlap)
        for text in DOCUMENTS.values()
        for words, overlap in ((1, 0), (8, 0), (8, 3), (150, 0))
    ]


def of_terms():
    words = terms.words(STORY)
    return [part.decode() for part in (*words, *terms.stem(words))]


def of_bm25():
    arrays = vars(bm25.build_arrays(corpus(), k1=0.9, b=0.4))
    return {
        # The last bits of a logarithm differ between processors.
        name: bytes(array).decode() if name == "vocabulary" else np.round(array, 4).tolist()
        for name, array in sorted(arrays.items())
    }


def of_embedders():
    vectors = np.array([[3, 4, 0], [0, -2, 0], [1e-3, 0, 1e3]])
    return np.round(embedders.unit_vectors(vectors, 3, "it"), 5).tolist()


@pytest.mark.parametrize(
    ("module", "output", "known"),
    [
        (chunking, of_chunking, (1, "e3a0662bd9fc252b")),
        (terms, of_terms, (1, "dda0acd36ee2fc18")),
        (bm25, of_bm25, (2, "ec3d222754356a6d")),
        (embedders, of_embedders, (1, "76b443d046c02948")),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_format_number_stands_for_one_output(module, output, known):
    digest = hashlib.sha256(json.dumps(output(), ensure_ascii=False).encode()).hexdigest()[:16]
    assert (module.FORMAT, digest) == known


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("inward_retrieval.chunking.FORMAT", {"chunks", "bm25"}),
        ("inward_retrieval.terms.FORMAT", {"bm25"}),
        ("inward_retrieval.terms.UNICODE", {"bm25"}),
        ("inward_retrieval.bm25.FORMAT", {"bm25"}),
    ],
)
def test_another_format_is_another_index(monkeypatch, name, changed):
    def names():
        build_retriever(DOCUMENTS, Bm25Config(chunk_words=8))
        return {entry.name for entry in IndexCache.default().entries()}

    before = names()
    monkeypatch.setattr(name, "another")
    assert {new.split("-")[0] for new in names() - before} == changed

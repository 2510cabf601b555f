"""BM25 within one document: its chunks are the collection that term frequencies are weighed by.

The scores are Robertson's: idf = ln((n - df + 0.5) / (df + 0.5)) over the document's n chunks,
times tf / (tf + k1 (1 - b + b length / mean length)) [Robertson & Zaragoza 2009, "The Probabilistic
Relevance Framework", section 3.4]. That idf is negative for a term of more than half of the chunks.
It is at least a quarter of its mean over the document's terms, as in rank_bm25's Okapi: within one
story, where many words are in half of the chunks, this finds more known items than Lucene's
ln(1 + ...), which lets such words weigh more (`benchmarks/bm25_weights.py`). Scores are computed at
build, one per posting, so that a search only adds them up.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inward_retrieval.corpus import Corpus
from inward_retrieval.ranking import NO_RANKS, Ranking
from inward_retrieval.terms import stem, words

FORMAT = 2
"""Part of every index's key: to be raised with any change to what `build_arrays` returns."""
LEAST_IDF = 1e-3
"""Where the mean is negative too, in documents of a chunk or three: every shared term counts."""
MAX_ROWS = 1 << 16
"""Rows of scores kept at hand: for stories of 5,000 words, some 30 MB."""
MAX_CELLS = 1 << 26
"""Scores in those rows, however long the documents are: 256 MiB."""
MAX_WORDS = 100_000
"""Query words whose terms are kept at hand."""


@dataclass(frozen=True)
class Bm25Arrays:
    """The whole index as flat arrays, which can be saved and mapped into memory.

    Document `d` owns entries `entries[d]` to `entries[d + 1]`: its distinct terms, ascending.
    Entry `e` owns postings `postings[e]` to `postings[e + 1]`: the chunks with that term.
    """

    vocabulary: NDArray[np.uint8]
    """Every distinct term (a stem) of the corpus in UTF-8, joined by line feeds, in the order of
    their numbers."""
    entries: NDArray[np.int64]
    """(documents + 1,)"""
    terms: NDArray[np.int32]
    """(entries,) term number"""
    postings: NDArray[np.int64]
    """(entries + 1,)"""
    chunks: NDArray[np.int32]
    """(postings,) number of the chunk in its document"""
    scores: NDArray[np.float32]
    """(postings,) what the term adds to the chunk's score"""


def build_arrays(corpus: Corpus, *, k1: float, b: float) -> Bm25Arrays:
    """Indexes every chunk of the corpus."""
    numbers = _Numbering()
    lengths: list[int] = []

    def tokens() -> Iterator[list[bytes]]:
        for text in corpus.texts():
            tokens_of_chunk = words(text)
            lengths.append(len(tokens_of_chunk))
            yield tokens_of_chunk

    # One chunk's words at a time: what stays of them is numbers.
    word_of_token = np.fromiter(
        map(numbers.__getitem__, chain.from_iterable(tokens())), dtype=np.int32
    )
    stems = _Numbering()
    term_of_word = np.array([stems[term] for term in stem(list(numbers))], dtype=np.int64)
    chunk_of_token = np.repeat(np.arange(len(lengths)), lengths)
    entries, terms, postings, chunks, scores = _score(
        chunk_of_token, term_of_word[word_of_token], corpus.first, k1, b
    )
    return Bm25Arrays(
        vocabulary=np.frombuffer(b"\n".join(stems), dtype=np.uint8),
        entries=entries,
        terms=terms,
        postings=postings,
        chunks=chunks,
        scores=scores,
    )


class _Numbering(dict[bytes, int]):
    """Numbers each distinct word by its first appearance."""

    def __missing__(self, word: bytes) -> int:
        number = self[word] = len(self)
        return number


def _score(
    chunk: NDArray[np.int64], term: NDArray[np.int64], first: NDArray[np.int64], k1: float, b: float
) -> tuple[Any, ...]:
    """(chunk, term) of every token -> the arrays of `Bm25Arrays` from `entries` on."""
    document_of_chunk = np.repeat(np.arange(len(first) - 1), np.diff(first))
    span = int(term.max(initial=0)) + 1
    largest = int(np.diff(first).max())
    # One sortable number per token: document, then term, then chunk in the document.
    document = document_of_chunk[chunk]
    key = (document * span + term) * largest + (chunk - first[document])
    key.sort()
    new = np.concatenate(([True], key[1:] != key[:-1])) if key.size else np.zeros(0, dtype=bool)
    at = np.flatnonzero(new)
    frequency = np.diff(np.append(at, key.size))
    entry_key, local = np.divmod(key[at], largest)
    entry_new = (
        np.concatenate(([True], entry_key[1:] != entry_key[:-1])) if at.size else np.zeros(0, bool)
    )
    entry_at = np.flatnonzero(entry_new)
    postings = np.append(entry_at, at.size)
    document_of_entry, terms = np.divmod(entry_key[entry_at], span)
    entries = np.searchsorted(document_of_entry, np.arange(len(first)))

    size = np.diff(first).astype(np.float64)
    length = np.bincount(chunk, minlength=int(first[-1])).astype(np.float64)
    mean = np.maximum(np.add.reduceat(length, first[:-1]) / size, 1e-9)
    appears = np.diff(postings)
    n = size[document_of_entry]
    idf = np.log((n - appears + 0.5) / (appears + 0.5))
    mean_idf = np.bincount(document_of_entry, idf) / np.maximum(np.bincount(document_of_entry), 1)
    idf = np.maximum(idf, np.maximum(0.25 * mean_idf, LEAST_IDF)[document_of_entry])
    of_posting = np.repeat(document_of_entry, appears)
    relative = length[first[of_posting] + local] / mean[of_posting]
    scores = np.repeat(idf, appears) * frequency / (frequency + k1 * (1 - b + b * relative))
    return (
        entries,
        terms.astype(np.int32),
        postings,
        local.astype(np.int32),
        scores.astype(np.float32),
    )


class Bm25:
    """Searches `Bm25Arrays`: a search adds up, for each term of the query, a row of scores, one
    for each chunk of the document. Rows that were asked for are kept for the next search."""

    def __init__(self, arrays: Bm25Arrays, sizes: Sequence[int]) -> None:
        """`sizes`: how many chunks each document has."""
        self._arrays = arrays
        self.sizes = sizes
        stems = arrays.vocabulary.tobytes().split(b"\n") if arrays.vocabulary.size else []
        self._term_of_stem = {stem: term for term, stem in enumerate(stems)}
        self._term = lru_cache(MAX_WORDS)(self._find_term)
        self._row = lru_cache(min(MAX_ROWS, max(1, MAX_CELLS // max(sizes))))(self._make_row)

    async def rank(self, document: int, query: str, k: int) -> Ranking:
        """As `best`; in the event loop, since handing it to a thread costs more than the search."""
        return [(chunk, score, NO_RANKS) for chunk, score in self.best(document, query, k)]

    async def aclose(self) -> None:
        """Nothing is open."""

    def best(self, document: int, query: str, k: int) -> list[tuple[int, float]]:
        """Up to k (chunk number, score), best first; only chunks that share a term with `query`.

        Equal scores stand in document order.
        """
        negated = self._negated_scores(document, query)
        order = negated.argsort(kind="stable")[:k].tolist()
        scores = negated.tolist()
        return [(chunk, -scores[chunk]) for chunk in order if scores[chunk] < 0]

    def order(self, document: int, query: str) -> NDArray[np.intp]:
        """The numbers of all chunks that share a term with `query`, in the order of `best`."""
        negated = self._negated_scores(document, query)
        return negated.argsort(kind="stable")[: np.count_nonzero(negated)]

    def _negated_scores(self, document: int, query: str) -> NDArray[np.float32]:
        """(chunks,); what sorts ascending sorts the best first."""
        # Ascending, so that sums do not depend on the order of words; a term that the query
        # repeats counts as often.
        terms = sorted(map(self._term, words(query)))
        if not terms:
            return np.zeros(self.sizes[document], dtype=np.float32)
        negated: NDArray[np.float32] = np.add.reduce([self._row(document, term) for term in terms])
        return negated

    def _make_row(self, document: int, term: int) -> NDArray[np.float32]:
        """(chunks,) what the term takes off each chunk's negated score."""
        arrays = self._arrays
        first, last = arrays.entries[document : document + 2].tolist()
        entry = first + int(np.searchsorted(arrays.terms[first:last], term))
        row = np.zeros(self.sizes[document], dtype=np.float32)
        if entry < last and arrays.terms[entry] == term:
            start, end = arrays.postings[entry : entry + 2].tolist()
            row[arrays.chunks[start:end]] = -arrays.scores[start:end]
        return row

    def _find_term(self, word: bytes) -> int:
        """The number of the word's stem; -1 where the corpus has no such stem."""
        return self._term_of_stem.get(stem([word])[0], -1)

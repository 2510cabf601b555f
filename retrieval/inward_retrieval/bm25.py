"""BM25 within one document: its chunks are the collection that term frequencies are weighed by.

The scores are Robertson's: idf = ln((n - df + 0.5) / (df + 0.5)) over the document's n chunks,
times tf / (tf + k1 (1 - b + b length / mean length)) [Robertson & Zaragoza 2009, "The Probabilistic
Relevance Framework", section 3.4]. That idf is negative for a term of more than half of the chunks.
It is at least a quarter of its mean over the document's terms, as in rank_bm25's Okapi: within one
story, where many words are in half of the chunks, this finds more known items than Lucene's
ln(1 + ...), which lets such words weigh more (`benchmarks/bm25_weights.py`). Scores are computed at
build, one a posting, so that a search only adds them up.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inward_retrieval.corpus import Corpus
from inward_retrieval.ranking import NO_RANKS, Ranking
from inward_retrieval.terms import stem, words

FORMAT = 1
"""Part of every index's key: to be raised with any change to what `build_arrays` returns."""
MATRIX_CELLS = 1 << 26
"""Most scores of term x chunk matrices held at once: 256 MiB, some 1,700 stories of 5,000 words."""
LEAST_IDF = 1e-3
"""Where the mean is negative too, in documents of a chunk or three: every shared term counts."""
WORDS_REMEMBERED = 100_000
"""Query words outside the corpus whose stems are kept at hand."""


@dataclass(frozen=True)
class Bm25Arrays:
    """The whole index as flat arrays, which can be saved and mapped into memory.

    Document `d` owns entries `entries[d]` to `entries[d + 1]`: its distinct terms, ascending.
    Entry `e` owns postings `postings[e]` to `postings[e + 1]`: the chunks with that term.
    """

    vocabulary: NDArray[np.uint8]
    """Every distinct word of the corpus in UTF-8, joined by line feeds."""
    word_terms: NDArray[np.int32]
    """(words,) the term, a stem by number, of each word of `vocabulary`"""
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
            own = words(text)
            lengths.append(len(own))
            yield own

    # One chunk's words at a time: what stays of them is numbers.
    word_of_token = np.fromiter(
        map(numbers.__getitem__, chain.from_iterable(tokens())), dtype=np.int32
    )
    vocabulary = list(numbers)
    stems = _Numbering()
    word_terms = np.array([stems[term] for term in stem(vocabulary)], dtype=np.int32)
    chunk_of_token = np.repeat(np.arange(len(lengths)), lengths)
    entries, terms, postings, chunks, scores = _score(
        chunk_of_token, word_terms[word_of_token].astype(np.int64), corpus.first, k1, b
    )
    return Bm25Arrays(
        vocabulary=np.frombuffer(b"\n".join(vocabulary), dtype=np.uint8),
        word_terms=word_terms,
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
    # One sortable number a token: document, then term, then chunk in the document.
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
    """Searches `Bm25Arrays`.

    A document that is searched gets a dense term x chunk matrix of its scores, so that a search is
    a sum of rows. Past `MATRIX_CELLS` the postings themselves are summed: slower, the same result
    to the last bit (the same additions in the same order).
    """

    def __init__(self, arrays: Bm25Arrays, sizes: Sequence[int]) -> None:
        """`sizes`: how many chunks each document has."""
        self._arrays = arrays
        self.sizes = sizes
        self._matrices: dict[int, tuple[dict[int, int], NDArray[np.float32]]] = {}
        self._cells_left = MATRIX_CELLS
        vocabulary = arrays.vocabulary.tobytes().split(b"\n") if arrays.vocabulary.size else []
        self._term_of_word: dict[bytes, int] = dict(
            zip(vocabulary, arrays.word_terms.tolist(), strict=True)
        )
        self._vocabulary = vocabulary
        self._remembered = len(vocabulary) + WORDS_REMEMBERED

    @cached_property
    def _term_of_stem(self) -> dict[bytes, int]:
        terms = self._term_of_word
        vocabulary = self._vocabulary
        return dict(zip(stem(vocabulary), map(terms.__getitem__, vocabulary), strict=True))

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
        """(chunks,)"""
        matrix = self._matrices.get(document) or self._add_matrix(document)
        if matrix is None:
            return self._sum_postings(document, query)
        row_of_term, rows = matrix
        own = [row_of_term[term] for term in self._query_terms(query) if term in row_of_term]
        negated: NDArray[np.float32] = np.add.reduce(rows.take(own, 0), 0)
        return negated

    def _sum_postings(self, document: int, query: str) -> NDArray[np.float32]:
        arrays = self._arrays
        first, last = arrays.entries[document : document + 2].tolist()
        terms = arrays.terms[first:last]
        negated = np.zeros(self.sizes[document], dtype=np.float32)
        for term in self._query_terms(query):
            entry = first + int(np.searchsorted(terms, term))
            if entry < last and arrays.terms[entry] == term:
                start, end = arrays.postings[entry : entry + 2].tolist()
                negated[arrays.chunks[start:end]] -= arrays.scores[start:end]
        return negated

    def _add_matrix(self, document: int) -> tuple[dict[int, int], NDArray[np.float32]] | None:
        """The document's row of each term, and its (terms, chunks) scores, negated: what sorts
        ascending sorts the best first."""
        arrays = self._arrays
        first, last = arrays.entries[document : document + 2].tolist()
        # A column alone would be summed in pairs, not row after row as everything else is.
        width = max(self.sizes[document], 2)
        cells = (last - first) * width
        if cells > self._cells_left:
            return None
        self._cells_left -= cells
        start, end = arrays.postings[[first, last]].tolist()
        rows = np.repeat(np.arange(last - first), np.diff(arrays.postings[first : last + 1]))
        negated = np.zeros((last - first, width), dtype=np.float32)
        negated[rows, arrays.chunks[start:end]] = -arrays.scores[start:end]
        terms = arrays.terms[first:last].tolist()
        matrix = dict(zip(terms, range(len(terms)), strict=True)), negated
        self._matrices[document] = matrix
        return matrix

    def _query_terms(self, query: str) -> list[int]:
        """Term numbers, ascending, so that sums do not depend on the order of words; a term that
        the query repeats counts as often."""
        known = self._term_of_word
        terms = [
            term if (term := known.get(word)) is not None else self._look_up(word)
            for word in words(query)
        ]
        terms.sort()
        return terms

    def _look_up(self, word: bytes) -> int:
        """The term of a word that is not in the corpus, though its stem may be; -1: neither is."""
        term = self._term_of_stem.get(stem([word])[0], -1)
        if len(self._term_of_word) < self._remembered:
            self._term_of_word[word] = term
        return term

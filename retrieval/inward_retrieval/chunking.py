"""Documents cut into chunks of whole sentences, by character spans of the original text.

A word is a run of characters that are not white space; in scripts written without spaces (Han,
kana, bopomofo) every character is one. A chunk is a run of whole sentences of at most `words`
words. A sentence that is longer is cut between words, and a single word is never cut, however
long. Chunks begin and end with a character that is not white space, and between one chunk and
the next lies white space only.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sentencex import get_sentence_boundaries

FORMAT = 1
"""Part of every index's key: to be raised with any change to what `chunk_spans` returns."""
_IS_SPACE = np.array([chr(code).isspace() for code in range(0x3001)] + [False])
"""By code point; the last entry stands for every greater one."""
_SPACELESS = (
    *((0x3040, 0x3099), (0x309D, 0x3100), (0x3105, 0x3130), (0x3400, 0x4DC0)),
    *((0x4E00, 0xA000), (0xF900, 0xFB00), (0x20000, 0x32000)),
)
"""Code point ranges (half open) of the scripts written without spaces, less combining marks."""
_IS_ALPHANUMERIC = np.array([code < 0x80 and chr(code).isalnum() for code in range(0x81)])
"""By code point; the last entry stands for every greater one."""


class Chunk(NamedTuple):
    """One passage: `text == documents[document_id][start:end]`."""

    document_id: str
    id: int
    """Position among the document's chunks, from 0."""
    start: int
    end: int
    text: str


def chunk_document(
    text: str, *, document_id: str = "", words: int = 150, overlap: int = 0
) -> list[Chunk]:
    """The chunks of `text`, in order; see `chunk_spans`."""
    return [
        Chunk(document_id, number, start, end, text[start:end])
        for number, (start, end) in enumerate(chunk_spans(text, words=words, overlap=overlap))
    ]


def chunk_spans(text: str, *, words: int = 150, overlap: int = 0) -> list[tuple[int, int]]:
    """Character spans of the chunks of `text`, in order; none where it is empty or white space.

    Each next chunk begins with the whole sentences that make up the last `overlap` words or
    fewer of the one before it, or with exactly those words where the cut lies in a sentence.
    Both ends of a span grow from each chunk to the next.
    """
    if words < 1:
        raise ValueError(f"words={words!r}: a chunk holds at least 1 word")
    if not 0 <= overlap < words:
        raise ValueError(f"overlap={overlap!r}: must be at least 0 and less than words={words!r}")
    codes = np.frombuffer(_utf32(text), dtype="<u4")
    starts, ends = _word_spans(codes)
    if not starts.size:
        return []
    sentences = _first_words(text, starts)
    total = len(starts)
    first = last = 0
    spans = []
    while True:
        last = _chunk_end(sentences, first, last, words, total)
        spans.append((int(starts[first]), int(ends[last - 1])))
        if last == total:
            return spans
        first = _next_first(sentences, first, last, words, overlap, total)


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Character spans of the sentences of `text`, in order, without white space at their ends."""
    starts, ends = _word_spans(np.frombuffer(_utf32(text), dtype="<u4"))
    if not starts.size:
        return []
    firsts = _first_words(text, starts)
    lasts = [*(first - 1 for first in firsts[1:]), len(starts) - 1]
    return list(zip(starts[firsts].tolist(), ends[lasts].tolist(), strict=True))


def _utf32(text: str) -> bytes:
    try:
        return text.encode("utf-32-le")
    except UnicodeEncodeError as error:
        raise ValueError(
            f"character {error.start} is half of a surrogate pair ({text[error.start]!r}), which "
            "no encoding can hold: read the document again with the right codec"
        ) from error


def _word_spans(codes: NDArray[np.uint32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where each word starts and ends."""
    space = _IS_SPACE[np.minimum(codes, len(_IS_SPACE) - 1)]
    spaceless = np.zeros(len(codes), dtype=bool)
    if codes.size and codes.max() >= _SPACELESS[0][0]:
        for low, high in _SPACELESS:
            spaceless |= (codes >= low) & (codes < high)
    start = ~space & (np.concatenate(([True], space[:-1])) | spaceless)
    if spaceless.any():
        alphanumeric = _IS_ALPHANUMERIC[np.minimum(codes, len(_IS_ALPHANUMERIC) - 1)]
        start |= np.concatenate(([False], spaceless[:-1])) & alphanumeric
    last = ~space & np.append(space[1:] | start[1:], True)
    return np.flatnonzero(start), np.flatnonzero(last) + 1


def _first_words(text: str, starts: NDArray[np.int64]) -> list[int]:
    """Numbers of the words that begin a sentence, ascending, from 0."""
    boundaries = [
        boundary["start_index"]
        for boundary in get_sentence_boundaries("en", text)
        if not boundary["is_paragraph_break"]
    ]
    # A boundary inside a word (`end.[3]Next`) or in white space moves on to the next word.
    firsts = np.searchsorted(starts, boundaries)
    return np.unique(np.append(firsts[firsts < len(starts)], 0)).tolist()  # type: ignore[no-any-return]


def _chunk_end(sentences: list[int], first: int, after: int, words: int, total: int) -> int:
    """One past the last word of the chunk that begins with word `first`; later than `after`."""
    if total - first <= words:
        return total
    end = sentences[bisect_right(sentences, first + words) - 1]
    return end if end > after else first + words


def _next_first(
    sentences: list[int], first: int, last: int, words: int, overlap: int, total: int
) -> int:
    """First word of the chunk after `first..last`: later than `first`, at most `last`."""
    at = bisect_right(sentences, last)
    sentence_end = sentences[at] if at < len(sentences) else total
    earliest = max(last - overlap, first + 1)
    if sentence_end - last <= words:
        earliest = max(earliest, sentence_end - words)  # the next sentence fits whole
    candidate = sentences[min(bisect_left(sentences, earliest), len(sentences) - 1)]
    if earliest <= candidate <= last:
        return candidate
    return earliest  # the cut lies in a sentence

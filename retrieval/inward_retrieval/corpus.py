"""A corpus: documents by id, each cut into chunks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from inward_retrieval.chunking import Chunk, chunk_spans


class UnknownDocumentError(LookupError):
    """No document of that id is in the corpus."""


class Corpus:
    """Documents and their chunks.

    `spans` has shape (chunks, 2): start and end of every chunk in its document's text. Document
    number `d`, in the order of `ids`, owns rows `first[d]` to `first[d + 1]`.
    """

    def __init__(
        self, documents: Mapping[str, str], spans: NDArray[np.int64], first: NDArray[np.int64]
    ) -> None:
        self.documents = documents
        self.spans = spans
        self.first = first
        self.ids = tuple(documents)
        self._numbers = {document_id: number for number, document_id in enumerate(self.ids)}
        self._chunks: dict[str, tuple[Chunk, ...]] = {}

    @classmethod
    def cut(cls, documents: Mapping[str, str], *, words: int, overlap: int) -> Corpus:
        """Chunks every document; one without a word in it is refused by name."""
        if not documents:
            raise ValueError("no documents: give at least one to search in")
        spans: list[tuple[int, int]] = []
        first = [0]
        for document_id, text in documents.items():
            try:
                cut = chunk_spans(text, words=words, overlap=overlap)
            except ValueError as error:
                raise ValueError(f"document {document_id!r}: {error}") from error
            if not cut:
                raise ValueError(
                    f"document {document_id!r} is empty: leave it out or mend its text"
                )
            spans += cut
            first.append(len(spans))
        return cls(documents, np.array(spans), np.array(first))

    @property
    def sizes(self) -> list[int]:
        """How many chunks each document has, in the order of `ids`."""
        sizes: list[int] = np.diff(self.first).tolist()
        return sizes

    def number(self, document_id: str) -> int:
        """The document's number, from 0."""
        number = self._numbers.get(document_id)
        if number is None:
            raise UnknownDocumentError(
                f"no document {document_id!r} among the {len(self.ids)} of this corpus "
                f"(the first is {self.ids[0]!r})"
            )
        return number

    def chunks(self, document_id: str) -> tuple[Chunk, ...]:
        """The document's chunks, in order."""
        chunks = self._chunks.get(document_id)
        if chunks is None:
            number, text = self.number(document_id), self.documents[document_id]
            spans = self.spans[self.first[number] : self.first[number + 1]].tolist()
            chunks = tuple(
                Chunk(document_id, position, start, end, text[start:end])
                for position, (start, end) in enumerate(spans)
            )
            self._chunks[document_id] = chunks
        return chunks

    def texts(self) -> Iterator[str]:
        """The text of every chunk, in the order of `spans`."""
        for number, document_id in enumerate(self.ids):
            text = self.documents[document_id]
            for start, end in self.spans[self.first[number] : self.first[number + 1]].tolist():
                yield text[start:end]

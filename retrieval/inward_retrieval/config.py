"""What a retriever is built from: plain pydantic models, to nest in anybody's configuration."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class StrictModel(BaseModel):
    """Refuses unknown fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ChunkingConfig(StrictModel):
    """How documents are cut."""

    chunk_words: int = Field(150, ge=1)
    """Most words a chunk: whole sentences, and a longer sentence is cut between words."""
    chunk_overlap: int = Field(0, ge=0)
    """Most words of the chunk before that each chunk begins with."""

    @model_validator(mode="after")
    def _overlap_fits(self) -> Self:
        if self.chunk_overlap >= self.chunk_words:
            raise ValueError(
                f"chunk_overlap={self.chunk_overlap} must be less than "
                f"chunk_words={self.chunk_words}"
            )
        return self


class Bm25Config(ChunkingConfig):
    """Search by words."""

    type: Literal["bm25"] = "bm25"
    k1: float = Field(1.5, ge=0)
    """How slowly repeats of a term stop counting."""
    b: float = Field(0.75, ge=0, le=1)
    """How far a chunk's length is held against it."""


RetrieverConfig = Bm25Config

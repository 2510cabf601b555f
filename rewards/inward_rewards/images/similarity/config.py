"""`similarity.*` of the type `embedding`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

DINOV2_LARGE = "facebook/dinov2-large"
DINOV2_LARGE_REVISION = "47b73eefe95e8d44ec3623f8890bd894b6ea2d6c"


class EmbeddingConfig(BaseModel):
    """Cosine of the embeddings of picture and drawing by a trained vision model."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: Literal["embedding"] = "embedding"
    model: str = DINOV2_LARGE
    """Hub id or folder of a vision model that transformers' `AutoModel` loads."""
    revision: str | None = None
    """Commit of the model on the hub. None: of the default model the commit that it was chosen at,
    of another its main branch of the day."""
    pool: Literal["cls", "patch"] = "cls"
    """`cls`: one vector per picture. `patch`: one per patch, compared place by place."""
    size: int | None = Field(None, ge=16, le=2048)
    """Side in pixels of the square that pictures are scaled and padded to. None: that which the
    model was trained at."""
    legacy: bool = False
    """As the source's experiment did: a thumbnail of 224 pixels, of which the middle alone is
    looked at, and (cosine + 1) / 2."""
    specificity: bool = False
    """Pay the cosine with the picture less that with its shuffled tiles."""
    device: str = "auto"
    """`auto`: an accelerator where there is one; or `cpu`, `cuda`, `cuda:1`, `mps`."""
    batch: int = Field(32, ge=1)
    """Maximum pictures per forward pass, or per request."""
    base_url: str | None = None
    """A server of embeddings, in place of a model in this process: workers then share one."""
    api_key_var: str | None = None
    """The environment variable that holds the server's key. None: it asks for none."""
    timeout: float = Field(60.0, gt=0)
    """Seconds that one try of a request may take."""

    @model_validator(mode="before")
    @classmethod
    def _type_is_always_set(cls, data: Any) -> Any:
        """verifiers rebuilds configs from dumps of the fields that were set."""
        return {"type": "embedding", **data} if isinstance(data, dict) else data

    @field_validator("model")
    @classmethod
    def _absolute(cls, model: str) -> str:
        """A folder as seen from here: a saved run may be resumed from elsewhere."""
        return str(Path(model).resolve()) if Path(model).is_dir() else model

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.legacy and (self.pool != "cls" or self.size is not None or self.specificity):
            raise ValueError(
                "similarity.legacy is the source's reward: leave pool at 'cls', size unset and "
                "specificity off, or set legacy to false"
            )
        if self.api_key_var is not None and self.base_url is None:
            raise ValueError(
                f"similarity.api_key_var {self.api_key_var!r} goes with base_url: set the server's "
                "address, or drop it"
            )
        return self

    @property
    def pinned_revision(self) -> str | None:
        """The commit that is loaded."""
        if self.revision is None and self.model == DINOV2_LARGE:
            return DINOV2_LARGE_REVISION
        return self.revision

    def api_key(self) -> str:
        """ValueError where the variable that should hold it is not set."""
        if self.api_key_var is None:
            return "none"
        key = os.environ.get(self.api_key_var)
        if not key:
            raise ValueError(
                f"the environment variable {self.api_key_var!r} (similarity.api_key_var) is not "
                "set: set it to the key of the embedding server"
            )
        return key

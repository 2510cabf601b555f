"""`similarity.*` of the type `embedding`."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from inward_rewards.images.config import ServerConfig, StrictModel, absolute

DINOV2_LARGE = "facebook/dinov2-large"
DINOV2_LARGE_REVISION = "47b73eefe95e8d44ec3623f8890bd894b6ea2d6c"


class EmbeddingConfig(StrictModel):
    """Cosine of the embeddings of picture and drawing by a trained vision model."""

    type: Literal["embedding"] = "embedding"
    model: Annotated[str, AfterValidator(absolute)] = DINOV2_LARGE
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
    """Maximum pictures per forward pass."""
    base_url: str | None = None
    """A server of embeddings, in place of a model in this process: workers then share one."""
    api_key_var: str | None = None
    """The environment variable that holds the server's key. None: it asks for none."""
    concurrency: int = Field(64, ge=1)
    """Maximum requests of the server under way at once, per env worker."""
    timeout: float = Field(60.0, gt=0, allow_inf_nan=False)
    """Seconds that one try of a request may take."""
    retries: int = Field(5, ge=0)
    """Tries after the first where the server is busy (429), broken (5xx), silent or gone."""

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
        self.server  # noqa: B018 - its own checks
        return self

    @property
    def pinned_revision(self) -> str | None:
        """The commit that is loaded."""
        if self.revision is None and self.model == DINOV2_LARGE:
            return DINOV2_LARGE_REVISION
        return self.revision

    @property
    def server(self) -> ServerConfig | None:
        """Where the model is; None: in this process."""
        if self.base_url is None:
            return None
        return ServerConfig(**{name: getattr(self, name) for name in ServerConfig.model_fields})

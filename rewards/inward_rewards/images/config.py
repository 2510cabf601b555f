"""`redraw.*`: what draws a description, as plain pydantic models to nest in any configuration."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

KLEIN = "black-forest-labs/FLUX.2-klein-4B"
SCHNELL = "black-forest-labs/FLUX.1-schnell"
PUBLISHED = {
    KLEIN: {"steps": 4, "guidance": 1.0, "prompt_tokens": 500},
    SCHNELL: {"steps": 4, "guidance": 0.0, "prompt_tokens": 256},
}
"""Of each generator known here: steps and guidance as its model card draws with, and the tokens
that its text encoder reads of a description (FLUX.2-klein's 512 less the 12 of its chat template).
What a library or server takes by itself are other models' values."""


class StrictModel(BaseModel):
    """Refuses unknown fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _type_is_always_set(cls, data: Any) -> Any:
        """A dump of the fields that were set must say which model it is of: verifiers from 0.4.1
        on rebuilds configs from such dumps."""
        if isinstance(data, dict) and "type" in cls.model_fields:
            return {"type": cls.model_fields["type"].default, **data}
        return data


def _http(url: str) -> str:
    if not url.startswith(("http://", "https://")):
        raise ValueError(f"{url!r} is no address: write it as 'http://HOST:PORT/v1'")
    return url.rstrip("/")


def absolute(model: str) -> str:
    """A folder as seen from here: a saved run may be resumed from elsewhere."""
    folder = Path(os.path.expanduser(model))  # noqa: PTH111 - it leaves an unknown user as it is
    return str(folder.resolve()) if folder.exists() else model


class PlainConfig(StrictModel):
    """Rules that read plain English: no model, no network."""

    type: Literal["plain"] = "plain"


class ServerConfig(StrictModel):
    """What every served backend has."""

    base_url: Annotated[str, AfterValidator(_http)]
    """Of the server, to the path before the route: mostly it ends in `/v1`."""
    api_key_var: str | None = None
    """The environment variable that holds the key. Not set: the server asks for none."""
    concurrency: int = Field(default=8, ge=1)
    """Maximum requests under way at once, per env worker."""
    timeout: float = Field(default=120.0, gt=0, allow_inf_nan=False)
    """Seconds that one try of a request may take."""
    retries: int = Field(default=5, ge=0)
    """Tries after the first where the server is busy (429), broken (5xx), silent or gone."""


class WriterConfig(ServerConfig):
    """A frozen language model writes the specification from the description alone."""

    type: Literal["writer"] = "writer"
    model: str
    """As the server names it."""
    seed: int = 0
    """Of its sampling, at temperature 0."""
    max_tokens: int = Field(default=8192, ge=1)
    """Of one reply, thinking included."""


class GeneratorConfig(StrictModel):
    """What every image generator has. `steps`, `guidance` and `prompt_tokens` are known for
    FLUX.2-klein-4B and FLUX.1-schnell; for another model they must be set."""

    model: Annotated[str, AfterValidator(absolute)] = KLEIN
    """Hub id. For parity with the source: `black-forest-labs/FLUX.1-schnell` and `legacy`."""
    revision: str | None = None
    """Commit of the model on the hub."""
    steps: int | None = Field(default=None, ge=1)
    """Of denoising. Not set: as published."""
    guidance: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    """Guidance scale. Not set: as published."""
    prompt_tokens: int | None = Field(default=None, ge=1)
    """How many tokens the text encoder reads: a longer description is cut. Not set: as
    published."""
    megapixels: float = Field(default=1.0, gt=0, le=4, allow_inf_nan=False)
    """Of a drawing, about: its sides have the original's ratio."""
    legacy: bool = False
    """Draw squares whatever the original's ratio, as the source did."""
    k: int = Field(default=1, ge=1, le=16)
    """Drawings per description, each with a seed of its own, whose likeness is averaged."""
    seed: int = 0
    """Of the run: with the task it gives the seed of the noise, which a task's rollouts share."""

    @model_validator(mode="after")
    def _known_model(self) -> Self:
        unknown = [name for name in PUBLISHED[KLEIN] if getattr(self, name) is None]
        if self.model not in PUBLISHED and unknown:
            raise ValueError(
                f"model {self.model!r}: nothing is known of it here: set {', '.join(unknown)}"
            )
        return self

    @property
    def settings(self) -> dict[str, float]:
        """`steps`, `guidance` and `prompt_tokens` as they are drawn with."""
        known = PUBLISHED.get(self.model, {})
        given = {name: getattr(self, name) for name in PUBLISHED[KLEIN]}
        return {name: known[name] if set_ is None else set_ for name, set_ in given.items()}


class ImagesConfig(GeneratorConfig, ServerConfig):
    """An image generator behind an OpenAI-compatible `/v1/images/generations`."""

    type: Literal["images"] = "images"
    tokenizer: Annotated[str, AfterValidator(absolute)] | None = None
    """Of the text encoder: a `tokenizer.json`, by its file, folder or hub id. Not set: tokens are
    counted by a rule, a little more rather than fewer."""


class DiffusersConfig(GeneratorConfig):
    """An image generator in this process, by the `diffusers` library."""

    type: Literal["diffusers"] = "diffusers"
    device: str = "auto"
    """`auto`: an accelerator where there is one; or `cpu`, `cuda`, `cuda:1`, `mps`."""
    dtype: Literal["bfloat16", "float16", "float32"] = "bfloat16"


class ReaderConfig(StrictModel):
    """No picture: questions about the chart are answered from the description alone."""

    type: Literal["reader"] = "reader"
    questions: int = Field(default=12, ge=1, le=50)
    """Maximum per chart: a small chart has fewer."""
    model: str | None = None
    """A frozen text model as its server names it. Not set: the rules of `plain` answer."""
    base_url: str | None = None
    """Of the model's server, mostly ending in `/v1`."""
    api_key_var: str | None = None
    """The environment variable that holds the key. Not set: the server asks for none."""
    concurrency: int = Field(default=8, ge=1)
    """Maximum requests under way at once, per env worker."""
    timeout: float = Field(default=120.0, gt=0, allow_inf_nan=False)
    """Seconds that one try of a request may take."""
    retries: int = Field(default=5, ge=0)
    """Tries after the first where the server is busy (429), broken (5xx), silent or gone."""
    seed: int = 0
    """Of its sampling, at temperature 0."""
    max_tokens: int = Field(default=4096, ge=1)
    """Of one reply, thinking included."""

    @model_validator(mode="after")
    def _model_and_server(self) -> Self:
        if (self.model is None) != (self.base_url is None):
            raise ValueError(
                f"redraw.model {self.model!r} and base_url {self.base_url!r}: a reader has both, "
                "or neither where the rules answer"
            )
        self.server  # noqa: B018 - its own checks
        return self

    @property
    def server(self) -> ServerConfig | None:
        """Where the model is; None: the rules answer."""
        if self.base_url is None:
            return None
        return ServerConfig(**{name: getattr(self, name) for name in ServerConfig.model_fields})


RedrawConfig = Annotated[
    PlainConfig | WriterConfig | ImagesConfig | DiffusersConfig, Field(discriminator="type")
]

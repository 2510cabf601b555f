"""`entropy.*`: where hidden states come from, and which entropy of them."""

from __future__ import annotations

import dataclasses
import math
import re
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator
from pydantic_config import BaseConfig

from inward_rewards.entropy.definition import PRESETS, Definition, Normalise
from inward_rewards.entropy.layers import select_layers


class EntropyConfig(BaseConfig):  # type: ignore[misc]
    source: Literal["off", "transformers", "vllm", "live"] = "off"
    """`off`: no hidden states. `transformers`: a local model reads the completion. `vllm`: the
    policy's own engine, started with the inward plugin. `live`: a source that the program hands
    over, such as one that reads the very model that it trains."""
    preset: Literal["advent", "layer_by_layer"] = "advent"
    """Whose definition of matrix entropy."""
    alpha: float = Field(1.0, ge=0)
    """Order: 1 = von Neumann, 2 = the cheapest."""
    layers: str | list[int] = "middle:10"
    """`middle:K`, `all`, or indices of transformers' `hidden_states` (0 = embeddings), such as
    `8,9,10`."""
    normalise: Normalise | Literal["residual"] | None = None
    """How the scored value is divided: `none`, `log_n`, `max`; unset: as the preset does. In
    groups also `residual`: what is left of the undivided entropy after a line fitted over the
    logarithm of the siblings' lengths."""
    model: str | None = None
    """`transformers` only: the scoring model's folder or name. It must share the policy's
    tokenizer."""
    device: str = "cpu"
    """`transformers` only: the torch device of the scoring model."""
    url: str | None = None
    """`vllm` only: the engine, where it is not the policy's own endpoint."""
    concurrency: int = Field(64, ge=1)
    """`vllm` only: scoring requests in flight at once."""

    @property
    def definition(self) -> Definition:
        """Of one rollout: a residual, which only a group has, is taken of undivided entropies."""
        preset = PRESETS[self.preset]
        if self.normalise is None:
            return preset
        if self.normalise == "residual":
            return preset.unscaled
        return dataclasses.replace(preset, normalise=self.normalise)

    @field_validator("model")
    @classmethod
    def _absolute(cls, model: str | None) -> str | None:
        """A folder as seen from here: a saved run may be resumed from elsewhere."""
        return str(Path(model).resolve()) if model and Path(model).is_dir() else model

    @field_validator("layers", mode="before")
    @classmethod
    def _indices(cls, layers: object) -> object:
        """A command line hands a list over as text."""
        if isinstance(layers, str) and re.fullmatch(r"\[?[\d\s,]+\]?", layers):
            return [int(index) for index in re.findall(r"\d+", layers)]
        return layers

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not math.isfinite(self.alpha):
            raise ValueError(f"entropy.alpha must be a finite number, got {self.alpha!r}")
        if isinstance(self.layers, str):
            select_layers(self.layers, n_layers=10_000)  # only the form: the model is not known
        if (self.source == "transformers") != (self.model is not None):
            raise ValueError(
                'entropy.model names the local model that entropy.source = "transformers" scores '
                f"with, and goes with no other source (source {self.source!r}, "
                f"model {self.model!r})"
            )
        if self.url is not None and self.source != "vllm":
            raise ValueError(
                f'entropy.url goes with entropy.source = "vllm" only (source {self.source!r})'
            )
        return self

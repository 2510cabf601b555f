"""Where a model of this process runs."""

from __future__ import annotations

from typing import Any


def accelerator(asked: str, torch: Any) -> str:
    """`asked`, or for `auto` an accelerator where there is one."""
    if asked != "auto":
        return asked
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"

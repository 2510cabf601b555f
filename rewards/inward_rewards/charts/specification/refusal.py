"""How a specification is refused: one sentence, fit to show to whoever wrote it."""

from __future__ import annotations

from typing import Any, NoReturn

from inward_rewards.charts.errors import RenderError

SHOWN = 60
"""Characters of a value that a refusal quotes."""


def refuse(reason: str) -> NoReturn:
    raise RenderError(reason)


def show(value: Any) -> str:
    """The value as a refusal quotes it."""
    shown = repr(value)
    return shown if len(shown) <= SHOWN else shown[: SHOWN - 3] + "..."

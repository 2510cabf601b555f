"""What the scripts share that run within a trainer's own environment."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from inward_training import RolloutsError


def refused(run: Coroutine[Any, Any, Any]) -> str | None:
    """Why the adapter refuses; None where it does not."""
    try:
        asyncio.run(run)
    except RolloutsError as error:
        return str(error)
    return None

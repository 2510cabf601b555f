"""What the log says when a call over the wire is repeated."""

from __future__ import annotations

import logging
from collections.abc import Callable

from tenacity import RetryCallState

logger = logging.getLogger("inward_chat")


def warn_of_repeat(what: str) -> Callable[[RetryCallState], None]:
    """A `before_sleep` hook of tenacity."""

    def warn(state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        name = type(error).__name__
        logger.warning(
            "%s: repeated in %.1f s after %s: %s", what, state.upcoming_sleep, name, error
        )

    return warn

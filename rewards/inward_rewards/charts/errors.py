"""Whose fault it was that a chart is not there."""

from __future__ import annotations

from inward_rewards.sandbox import PoolError


class RenderError(Exception):
    """The specification is at fault; the message says how and is fit to show to its writer."""


class RendererDown(PoolError):  # noqa: N818 -- it names a state, not a slip
    """The machine is at fault: no score may be given."""

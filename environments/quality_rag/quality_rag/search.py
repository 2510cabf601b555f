"""The search tool's server: one process an env worker, every rollout finding its story by State."""

from __future__ import annotations

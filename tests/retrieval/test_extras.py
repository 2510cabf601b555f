"""What is missing is named with the command that installs it."""

import sys

import pytest
from inward_retrieval import (
    ApiConfig,
    Bm25Config,
    DenseConfig,
    HybridConfig,
    RerankConfig,
    build_retriever,
    require_extras,
)


@pytest.mark.parametrize(
    ("module", "config", "command"),
    [
        (
            "sentence_transformers",
            DenseConfig(),
            r'needs sentence-transformers .*pip install "inward-retrieval\[dense\]"',
        ),
        ("openai", ApiConfig(model="m"), r'needs openai .*pip install "inward-retrieval\[api\]"'),
    ],
)
def test_a_missing_extra(monkeypatch, module, config, command):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=command):
        build_retriever({"d": "The lamp burned."}, config)


DENSE = r'pip install "inward-retrieval\[dense\]"'
API = r'pip install "inward-retrieval\[api\]"'


@pytest.mark.parametrize(
    ("module", "config", "command"),
    [
        ("sentence_transformers", DenseConfig(), DENSE),
        ("sentence_transformers", HybridConfig(), DENSE),
        ("sentence_transformers", Bm25Config(rerank=RerankConfig()), DENSE),
        ("openai", ApiConfig(model="m"), API),
        ("openai", HybridConfig(embedder={"type": "api", "model": "m"}), API),
    ],
)
def test_a_missing_extra_is_named_beforehand(monkeypatch, module, config, command):
    for library in ("sentence_transformers", "openai"):
        monkeypatch.setitem(sys.modules, library, sys)  # as if installed
    require_extras(config)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=f"needs {module.replace('_', '-')} .*{command}"):
        require_extras(config)


def test_bm25_needs_no_extra(monkeypatch):
    for library in ("sentence_transformers", "openai"):
        monkeypatch.setitem(sys.modules, library, None)
    require_extras(Bm25Config())

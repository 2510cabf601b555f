"""What is missing is named with the command that installs it."""

import sys

import pytest
from inward_retrieval import ApiConfig, DenseConfig, build_retriever


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

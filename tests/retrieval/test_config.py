"""Every backend is reached from a plain configuration and from a command line."""

import pytest
from inward_retrieval import (
    ApiConfig,
    ApiEmbedderConfig,
    Bm25Config,
    DenseConfig,
    HybridConfig,
    LocalEmbedderConfig,
    RerankConfig,
    RetrieverConfig,
)
from pydantic import BaseModel, ValidationError
from pydantic_config import BaseConfig, cli


class Tools(BaseConfig):
    retriever: RetrieverConfig = Bm25Config()


class Holder(BaseModel):
    retriever: RetrieverConfig


HYBRID_API = "--retriever.type hybrid --retriever.embedder.type api --retriever.embedder.model m"
CASES = [
    ([], Bm25Config()),
    (["--retriever.chunk-words", "80"], Bm25Config(chunk_words=80)),
    (["--retriever.type", "dense"], DenseConfig()),
    (
        ["--retriever.type", "dense", "--retriever.model", "m", "--retriever.revision", "abc"],
        DenseConfig(model="m", revision="abc"),
    ),
    (
        ["--retriever.type", "api", "--retriever.model", "m", "--retriever.dimensions", "256"],
        ApiConfig(model="m", dimensions=256),
    ),
    (["--retriever.type", "hybrid", "--retriever.k", "10"], HybridConfig(k=10)),
    (
        ["--retriever.type", "hybrid", "--retriever.embedder.model", "m"],
        HybridConfig(embedder=LocalEmbedderConfig(model="m")),
    ),
    (
        HYBRID_API.split(),
        HybridConfig(embedder=ApiEmbedderConfig(model="m")),
    ),
    (["--retriever.rerank.top", "5"], Bm25Config(rerank=RerankConfig(top=5))),
]


@pytest.mark.parametrize(("arguments", "expected"), CASES)
def test_command_line(arguments, expected):
    assert cli(Tools, args=arguments).retriever == expected


@pytest.mark.parametrize("config", [config for _, config in CASES])
def test_a_config_survives_its_own_json(config):
    text = Holder(retriever=config).model_dump_json()
    assert Holder.model_validate_json(text).retriever == config


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"type": "sparse"}, "'bm25', 'dense', 'api', 'hybrid'"),
        ({"type": "api"}, "model"),
        ({"type": "dense", "k1": 1}, "k1"),
        ({"type": "hybrid", "embedder": {"type": "bm25"}}, "'dense', 'api'"),
        ({"type": "bm25", "rerank": {"top": 0}}, "top"),
        ({"type": "bm25", "chunk_overlap": 200}, "chunk_overlap=200 must be less than"),
    ],
)
def test_what_is_wrong_is_named(data, message):
    with pytest.raises(ValidationError, match=message):
        Holder(retriever=data)

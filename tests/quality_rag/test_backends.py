"""Every retriever by config, through real `vf-eval` and the real search server."""

import os
import sys

import pytest
from inward_chat.testing import PolicyServer, tool_call
from quality_rag.search import StorySearchConfig
from retrieval.embedding_server import embedding_server
from support.runs import call, traces, vf_eval

SAMPLE = ("--env.taskset.split", "sample", "-n", "3")


def retriever(options):
    pairs = ((f"--env.taskset.tools.retriever.{key}", value) for key, value in options.items())
    return [word for pair in pairs for word in pair]


def searcher(body):
    if not any(m["role"] == "tool" for m in body["messages"]):
        return {"tool_calls": [tool_call("search", {"query": "who was late"}, "c")]}
    return {"content": "Answer: A"}


def results(found):
    return [
        node["message"]["content"]
        for trace in found.values()
        for node in trace["nodes"]
        if node["message"]["role"] == "tool"
    ]


def refusal(words, folder):
    """The last line of a run that ends before any rollout is played."""
    done = call("inward", "eval", "quality-rag", "-n", "2", *words, cwd=folder)
    assert done.code != 0
    assert [file.read_text() for file in folder.rglob("traces.jsonl")] == [""]
    return done.err.splitlines()[-1]


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("INWARD_CACHE_DIR", str(tmp_path / "cache"))


@pytest.mark.models
@pytest.mark.parametrize(
    "flags",
    [
        {"type": "dense", "model": "{model}"},
        {"type": "hybrid", "embedder.model": "{model}", "chunk-words": "60"},
    ],
    ids=["dense", "hybrid"],
)
def test_embedding_backends(tmp_path, tiny_model, flags):
    pytest.importorskip("sentence_transformers", reason="needs the models group")
    # The search server has a working directory of its own.
    model = os.path.relpath(tiny_model, tmp_path)
    words = retriever({key: value.format(model=model) for key, value in flags.items()})
    with PolicyServer(searcher) as server:
        found = traces(vf_eval("quality-rag", server, *SAMPLE, *words, cwd=tmp_path))
    assert all(trace["ok"] for trace in found.values()), found
    texts = results(found)
    assert len(texts) == 3
    assert all(text.count("[passage ") == 4 for text in texts)


def test_passages_and_chunks_by_config_and_a_relative_cache_folder(tmp_path, monkeypatch):
    """The folder is the one of the run: the search server has a working directory of its own."""
    monkeypatch.setenv("INWARD_CACHE_DIR", "here")
    words = [*retriever({"chunk-words": "40"}), "--env.taskset.tools.passages", "2"]
    with PolicyServer(searcher) as server:
        found = traces(vf_eval("quality-rag", server, *SAMPLE, *words, cwd=tmp_path))
    assert all(trace["ok"] for trace in found.values()), found
    indexes = [path.name.split("-")[0] for path in (tmp_path / "here" / "retrieval").iterdir()]
    assert {"chunks", "bm25"} <= set(indexes)
    texts = results(found)
    assert len(texts) == 3
    for text in texts:
        assert text.count("[passage ") == 2
        assert len(text.split()) < 2 * (40 + 10)


KEY = "key-of-the-embedding-server"


def test_the_key_of_an_embedding_server_reaches_the_search_server_alone(tmp_path, monkeypatch):
    """Under a name with API_KEY in it, which verifiers withholds from tool servers."""
    monkeypatch.setenv("MY_API_KEY", KEY)

    def embed(body):
        return [[1.0, float(len(text))] for text in body["input"]]

    with embedding_server(embed) as embeddings, PolicyServer(searcher) as server:
        fields = {"type": "api", "model": "m", "base-url": embeddings.base_url}
        words = retriever({**fields, "api-key-var": "MY_API_KEY"})
        done = vf_eval("quality-rag", server, *SAMPLE, *words, cwd=tmp_path)
    assert all(trace["ok"] for trace in traces(done).values()), done
    assert set(embeddings.authorizations) == {f"Bearer {KEY}"}
    written = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert any(file.name == "traces.jsonl" for file in written)
    assert not [file for file in written if KEY.encode() in file.read_bytes()]


def test_a_key_that_is_not_set_is_told_before_anything_starts(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "openai", sys)  # as if installed
    monkeypatch.delenv("MY_API_KEY", raising=False)
    words = retriever({"type": "api", "model": "m", "api-key-var": "MY_API_KEY"})
    assert "'MY_API_KEY' (api_key_var) is not set" in refusal(words, tmp_path)


def test_the_key_is_shown_by_no_config(monkeypatch):
    monkeypatch.setenv("MY_API_KEY", KEY)
    config = StorySearchConfig(split="sample", path=None, api_key=KEY)
    assert KEY not in f"{config!r} {config} {config.model_dump()}"
    sent = config.model_dump_json()
    assert StorySearchConfig.model_validate_json(sent).api_key.get_secret_value() == KEY
    with pytest.raises(ValueError, match="passages") as refused:
        StorySearchConfig.model_validate_json(sent.replace('"passages":4', '"passages":0'))
    assert KEY not in str(refused.value)


def test_a_missing_extra_is_told_before_anything_starts(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    words = retriever({"type": "dense"})
    assert 'pip install "inward-retrieval[dense]"' in refusal(words, tmp_path)


@pytest.mark.models
def test_a_model_that_is_nowhere_is_told_before_anything_starts(tmp_path):
    pytest.importorskip("sentence_transformers", reason="needs the models group")
    words = retriever({"type": "dense", "model": str(tmp_path / "nowhere")})
    assert "nowhere" in refusal(words, tmp_path)


@pytest.mark.models
def test_a_retriever_that_cannot_start_scores_nobody(tmp_path):
    """Weights that cannot be loaded are told on every rollout."""
    pytest.importorskip("sentence_transformers", reason="needs the models group")
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "config.json").write_text("{}")
    words = retriever({"type": "dense", "model": str(broken)})
    with PolicyServer(searcher) as server:
        found = traces(vf_eval("quality-rag", server, *SAMPLE, *words, cwd=tmp_path))
    for trace in found.values():
        assert not trace["ok"]
        assert not any(trace["rewards"].values())
        assert "search failed" in trace["errors"][-1]["message"]

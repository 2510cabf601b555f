"""The openai client against a loopback server of the same wire format, with faults injected."""

import socket
import threading
import time

import numpy as np
import pytest
from inward_chat.testing import HttpReply
from inward_retrieval import ApiEmbedderConfig, EmbeddingError
from inward_retrieval.api_embedder import ApiEmbedder
from inward_retrieval.embedders import RejectedTextError
from retrieval.embedding_server import embedding_server


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def by_length(body):
    """One vector of 3 a text, so that texts of different lengths are told apart."""
    return [[1.0, float(len(text)), 0.0] for text in body["input"]]


class Script:
    """Answers with `faults` one by one, then as it should; keeps the requests."""

    def __init__(self, *faults):
        self.faults = list(faults)
        self.bodies = []

    def __call__(self, body):
        self.bodies.append(body)
        return self.faults.pop(0) if self.faults else by_length(body)


def embedder(server, **fields):
    return ApiEmbedder(ApiEmbedderConfig(model="m", base_url=server.base_url, **fields))


def test_vectors_of_length_one_in_order():
    script = Script()
    with embedding_server(script) as server:
        vectors = embedder(server).embed_passages([f"{'x' * n}" for n in range(1, 201)])
    assert vectors.shape == (200, 3)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1)
    assert np.allclose(vectors[:, 1] / vectors[:, 0], np.arange(1, 201), rtol=1e-5)
    assert len(script.bodies) == 4  # 64 texts a request


def test_what_is_asked_of_the_server():
    script = Script()
    with embedding_server(script) as server:
        client = embedder(server, query_prompt="query: ", passage_prompt="passage: ", dimensions=3)
        client.embed_passages(["a"])
        client.embed_queries(["b", "c"])
    assert [body["input"] for body in script.bodies] == [["passage: a"], ["query: b", "query: c"]]
    assert all(body["model"] == "m" and body["dimensions"] == 3 for body in script.bodies)


def test_the_key_is_read_from_the_variable_named(monkeypatch):
    monkeypatch.setenv("MY_KEY", "")
    with pytest.raises(ValueError, match=r"'MY_KEY' .* is not set"):
        ApiEmbedder(ApiEmbedderConfig(model="m", api_key_var="MY_KEY"))


def busy(seconds="0.01"):
    return HttpReply(429, {"error": {"message": "slow down"}}, {"Retry-After": seconds})


BROKEN = HttpReply(500, {"error": {"message": "oops"}}, {"Retry-After": "0.01"})


@pytest.mark.parametrize("fault", [busy(), BROKEN, HttpReply(503, "")], ids=["429", "500", "503"])
def test_a_passing_fault_is_tried_again(fault):
    script = Script(fault)
    with embedding_server(script) as server:
        assert embedder(server).embed_queries(["abc"]).shape == (1, 3)
    assert len(script.bodies) == 2


@pytest.mark.parametrize(
    ("fault", "message"),
    [(busy(), "429.*slow down.*after 2 retries"), (BROKEN, "500.*oops.*after 2 retries")],
    ids=["429", "500"],
)
def test_a_lasting_fault_is_raised(fault, message):
    script = Script(*[fault] * 3)
    with embedding_server(script) as server, pytest.raises(EmbeddingError, match=message):
        embedder(server, retries=2).embed_queries(["abc"])
    assert len(script.bodies) == 3


def test_a_server_that_hangs_is_tried_again_then_raised():
    hung = []
    over = threading.Event()

    def hang(body):
        hung.append(body)
        over.wait(60)
        return by_length(body)

    message = r"running.*timeout=0\.2 s"
    with embedding_server(hang) as server:
        with pytest.raises(EmbeddingError, match=message):
            embedder(server, timeout=0.2, retries=1).embed_queries(["abc"])
        over.set()
    assert len(hung) == 2


def test_a_server_that_is_not_there():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    config = ApiEmbedderConfig(model="m", base_url=f"http://127.0.0.1:{port}/v1", retries=0)
    with pytest.raises(EmbeddingError, match=f"{port}.*is it running"):
        ApiEmbedder(config).embed_queries(["abc"])


def test_a_connection_cut_in_the_middle_of_an_answer():
    """The head promises more bytes than come."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def serve():
            for _ in range(2):
                connection, _ = listener.accept()
                with connection:
                    connection.recv(65536)
                    connection.sendall(
                        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                        b'Content-Length: 500\r\n\r\n{"data": [{"emb'
                    )

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        config = ApiEmbedderConfig(model="m", base_url=f"http://127.0.0.1:{port}/v1", retries=1)
        with pytest.raises(EmbeddingError, match="embedding server"):
            ApiEmbedder(config).embed_queries(["abc"])


OK_HEAD = '{"object": "list", "model": "m", "data": '


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ([[1.0, float("nan")]], "vector of length nan"),
        ([[1.0, float("inf")]], "vector of length inf"),
        ([[0.0, 0.0]], r"vector of length 0\.0"),
        ([], r"shape \(0,\)|No embedding"),
        ([[1.0], [1.0]], r"1 texts with numbers of shape \(2, 1\)"),
        ([[]], r"shape \(1, 0\)"),
        ([["a", "b"]], "not an embeddings reply"),
        (
            HttpReply(200, OK_HEAD + '[{"index": 0, "embedding": [1.0, 2.'),
            "not an embeddings reply",
        ),
        (HttpReply(200, "<html>welcome</html>"), "not an embeddings reply"),
        (HttpReply(200, "[1, 2]"), "not an embeddings reply"),
        (HttpReply(200, OK_HEAD + "null}"), "not an embeddings reply"),
        (HttpReply(200, OK_HEAD + '[{"index": 0}]}'), r"shape \(1,\)"),
        (HttpReply(200, "null"), "not an embeddings reply"),
    ],
)
def test_an_answer_that_makes_no_sense_is_raised(answer, message):
    script = Script(answer)
    with embedding_server(script) as server, pytest.raises(EmbeddingError, match=message):
        embedder(server).embed_queries(["abc"])
    assert len(script.bodies) == 1


def test_vectors_of_different_lengths():
    ragged = lambda body: [[1.0] * (1 + n) for n, _ in enumerate(body["input"])]  # noqa: E731
    with embedding_server(ragged) as server, pytest.raises(EmbeddingError):
        embedder(server).embed_queries(["a", "b"])
    sizes = lambda body: [[1.0] * (2 if "x" in text else 3) for text in body["input"]]  # noqa: E731
    texts = ["x"] * 64 + ["y"] * 64
    with embedding_server(sizes) as server, pytest.raises(EmbeddingError, match=r"\[2, 3\]"):
        embedder(server).embed_passages(texts)


def test_other_dimensions_than_asked_for():
    message = "vectors of 3 numbers where dimensions=4"
    with embedding_server(by_length) as server, pytest.raises(EmbeddingError, match=message):
        embedder(server, dimensions=4).embed_queries(["abc"])


@pytest.mark.parametrize(
    ("status", "message"),
    [(401, "check the key in .*'OPENAI_API_KEY'"), (404, "check base_url"), (403, "check the key")],
)
def test_a_refusal_names_the_mend_and_is_not_tried_again(status, message):
    script = Script(HttpReply(status, {"error": {"message": "no"}}))
    with embedding_server(script) as server, pytest.raises(EmbeddingError, match=message):
        embedder(server).embed_queries(["abc"])
    assert len(script.bodies) == 1


def test_a_text_that_the_server_will_not_take():
    script = Script(HttpReply(400, {"error": {"message": "maximum context length is 512"}}))
    message = r"up to 3 characters.*maximum context"
    with embedding_server(script) as server, pytest.raises(RejectedTextError, match=message):
        embedder(server).embed_queries(["abc"])


def test_requests_are_bounded():
    lock = threading.Lock()
    under_way, most = 0, 0

    def slow(body):
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        time.sleep(0.02)
        with lock:
            under_way -= 1
        return by_length(body)

    with embedding_server(slow) as server:
        embedder(server, concurrency=3).embed_passages(["x"] * 64 * 12)
    assert most == 3

"""The rows, where they come from, and what is refused."""

from __future__ import annotations

import hashlib
import http.server
import json
import threading
from pathlib import Path

import pytest
from math500_entropy.data import (
    FILES,
    DataError,
    PinnedFile,
    digest,
    download,
    load_problems,
    math500_digests,
)

REAL = Path(__file__).parents[3] / "shared" / "data" / "math500" / "math500_test.jsonl"
needs_real = pytest.mark.skipif(not REAL.exists(), reason=f"no MATH-500 at {REAL}")
GOOD = {
    "problem": "What is 2 + 3?",
    "solution": "It is 5.",
    "answer": "5",
    "subject": "Algebra",
    "level": 1,
    "unique_id": "train/algebra/1.json",
}


def write(path: Path, *rows: dict) -> Path:
    path.write_text("\n".join(json.dumps(row) for row in rows) + "\n")
    return path


@needs_real
def test_the_published_file_is_the_pinned_one():
    assert hashlib.sha256(REAL.read_bytes()).hexdigest() == FILES["test"].sha256
    problems = list(load_problems("test", REAL))
    assert len(problems) == len({problem.unique_id for problem in problems}) == 500
    assert {digest(problem.problem) for problem in problems} == math500_digests()


@needs_real
def test_nothing_of_math500_is_in_train(tmp_path, monkeypatch):
    """A train file with MATH-500 hidden in it, spaces changed: none of it comes out."""
    leaks = [problem.model_dump() for problem in load_problems("test", REAL)]
    for leak in leaks[::2]:
        leak["problem"] = leak["problem"].replace(" ", "  ") + "\n"
    file = write(tmp_path / "train.jsonl", *leaks[:250], GOOD, *leaks[250:])
    monkeypatch.setattr("math500_entropy.data.download", lambda split, pinned: file)
    assert [problem.unique_id for problem in load_problems("train")] == ["train/algebra/1.json"]
    # A file of the user's own is the user's own.
    assert len(list(load_problems("train", file))) == 501


def test_the_sample():
    problems = list(load_problems("sample"))
    assert len(problems) == len({problem.unique_id for problem in problems}) == 28
    assert len({problem.subject for problem in problems}) == 7
    assert {problem.level for problem in problems} == {1, 2, 3, 4, 5}
    assert not {digest(problem.problem) for problem in problems} & math500_digests()


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ({**GOOD, "answer": " "}, r"line 1: answer: .*got ' '"),
        ({**GOOD, "level": 6}, r"level: .*got 6"),
        ({**GOOD, "level": "Level 3"}, r"level: .*got 'Level 3'"),
        ({**GOOD, "subject": "Arithmetic"}, r"subject: .*got 'Arithmetic'"),
        ({key: value for key, value in GOOD.items() if key != "problem"}, "problem: Field req"),
        ([1, 2], "the row: "),
    ],
)
def test_a_bad_row_is_named(tmp_path, row, complaint):
    with pytest.raises(DataError, match=complaint):
        list(load_problems("test", write(tmp_path / "rows.jsonl", row)))


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (json.dumps(GOOD).encode() + b"\n{oops\n", "line 2: the row: Invalid JSON"),
        (b"\n\n", "is empty"),
        (b"\xff\xfe", "as UTF-8 text"),
    ],
)
def test_bad_files_are_named(tmp_path, content, complaint):
    file = tmp_path / "rows.jsonl"
    file.write_bytes(content)
    with pytest.raises(DataError, match=complaint):
        list(load_problems("test", file))


def test_a_unique_id_is_had_once(tmp_path):
    file = write(tmp_path / "rows.jsonl", GOOD, {**GOOD, "unique_id": "b"}, GOOD)
    with pytest.raises(DataError, match=r"two rows .* 'train/algebra/1\.json': drop one"):
        list(load_problems("test", file))


class Files(http.server.BaseHTTPRequestHandler):
    content: bytes
    hits: int

    def do_GET(self):
        type(self).hits += 1
        self.send_response(200)
        # A cut download: the promised length never comes.
        self.send_header("Content-Length", str(len(self.content) + 5 * (self.path == "/cut")))
        self.end_headers()
        self.wfile.write(self.content)

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    handler = type("Handler", (Files,), {"content": json.dumps(GOOD).encode(), "hits": 0})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as http_server:
        thread = threading.Thread(target=http_server.serve_forever)
        thread.start()
        http_server.handler, http_server.url = (
            handler,
            f"http://127.0.0.1:{http_server.server_port}",
        )
        yield http_server
        http_server.shutdown()
        thread.join()


def test_download_once_then_offline(server, tmp_path):
    right = hashlib.sha256(server.handler.content).hexdigest()
    pinned = PinnedFile(server.url + "/file", right)
    file = download("test", pinned, tmp_path / "cache")
    assert file.read_bytes() == server.handler.content
    assert download("test", PinnedFile("http://127.0.0.1:9/", right), tmp_path / "cache") == file
    assert server.handler.hits == 1
    file.write_bytes(b"damaged")
    assert download("test", pinned, tmp_path / "cache").read_bytes() == server.handler.content
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [file.name]


@pytest.mark.parametrize(
    ("path", "sha256", "complaint"),
    [
        ("/file", "0" * 64, r"SHA-256 .* but 0+ is pinned: .*--env.taskset.path"),
        ("/cut", None, "cannot download .*--env.taskset.path"),
        (None, None, "cannot download .*--env.taskset.path"),
    ],
)
def test_bad_downloads_leave_nothing(server, tmp_path, path, sha256, complaint):
    right = hashlib.sha256(server.handler.content).hexdigest()
    url = server.url + path if path else "http://127.0.0.1:9/file"
    with pytest.raises(DataError, match=complaint):
        download("test", PinnedFile(url, sha256 or right), tmp_path / "cache")
    assert not list(tmp_path.rglob("*.jsonl"))

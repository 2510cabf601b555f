"""Downloads from a loopback server: once, checked, by one process; one clear line for a fault."""

from __future__ import annotations

import errno
import hashlib
import http.server
import json
import logging
import os
import subprocess
import sys
import termios
import threading
import time
from pathlib import Path

import pytest
from inward_chat import downloads
from inward_chat.downloads import DataError, PinnedFile, fetch
from inward_chat.json_lines import json_lines

CONTENT = b'{"row": 1}\n' * 999
MEND = "name it with --file FILE"


class Files(http.server.BaseHTTPRequestHandler):
    hits = 0
    seconds = 0.0

    def do_GET(self):
        type(self).hits += 1
        time.sleep(self.seconds)
        self.send_response(404 if self.path == "/none" else 200)
        # A cut download: the promised length never comes.
        self.send_header("Content-Length", str(len(CONTENT) + 5 * (self.path == "/cut")))
        self.end_headers()
        self.wfile.write(CONTENT)

    def log_message(self, *args):
        pass


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    monkeypatch.setenv("INWARD_CACHE_DIR", str(folder))
    return folder


@pytest.fixture
def server():
    handler = type("Handler", (Files,), {})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as http_server:
        thread = threading.Thread(target=http_server.serve_forever, args=(0.02,))
        thread.start()
        http_server.handler = handler
        http_server.url = f"http://127.0.0.1:{http_server.server_port}"
        yield http_server
        http_server.shutdown()
        thread.join()


def sha256(url):
    return PinnedFile(url, hashlib.sha256(CONTENT).hexdigest())


def blob(url):
    digest = hashlib.sha1(b"blob %d\0" % len(CONTENT) + CONTENT).hexdigest()
    return PinnedFile(url, digest, "git-blob")


@pytest.mark.parametrize("pinned", [sha256, blob])
def test_once_then_offline(server, cache, pinned):
    assert fetch(pinned(server.url), "set/file", mend=MEND) == CONTENT
    assert fetch(pinned("http://127.0.0.1:9/"), "set/file", mend=MEND) == CONTENT
    assert server.handler.hits == 1
    names = {path.name for path in (cache / "set").iterdir()}
    assert names == {"file", ".file.lock"}


def test_what_is_damaged_in_the_cache_is_fetched_again(server, cache):
    fetch(sha256(server.url), "file", mend=MEND)
    (cache / "file").write_bytes(CONTENT[:-5])
    assert fetch(sha256(server.url), "file", mend=MEND) == CONTENT
    assert (cache / "file").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("url", "digest", "complaint"),
    [
        ("{server}/file", "0" * 64, "gave 10989 bytes with sha256 hash .* but 0+ is pinned: .*try"),
        ("{server}/cut", None, "cannot download .*check the network"),
        ("{server}/none", None, "cannot download .*404"),
        ("http://127.0.0.1:9/file", None, "cannot download .*refused"),
        ("http://name.invalid/file", None, "cannot download "),
        ("no address", None, "cannot download 'no address'"),
    ],
)
def test_a_fault_is_one_line_with_the_mend(server, cache, url, digest, complaint):
    url = url.format(server=server.url)
    file = PinnedFile(url, digest or hashlib.sha256(CONTENT).hexdigest())
    with pytest.raises(DataError, match=complaint) as error:
        fetch(file, "file", mend=MEND)
    assert "\n" not in str(error.value)
    assert str(error.value).endswith(MEND)
    assert [path.name for path in cache.rglob("*")] == [".file.lock"]


def test_a_proxy_that_does_not_answer(cache, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with pytest.raises(DataError, match=r"cannot download .*[Pp]roxy"):
        fetch(sha256("http://name.invalid/file"), "file", mend=MEND)


def test_the_hub_is_where_the_user_says(server, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    assert fetch(sha256("https://huggingface.co/datasets/a/b"), "file", mend=MEND) == CONTENT


def a_file_in_its_place(cache, monkeypatch):
    cache.write_text("a file, not a folder")


def a_folder_for_the_lock(cache, monkeypatch):
    (cache / "set" / ".file.lock").mkdir(parents=True)


def a_folder_for_the_file(cache, monkeypatch):
    (cache / "set" / "file" / "mine").mkdir(parents=True)


def a_full_disk(cache, monkeypatch):
    def full(path, content):
        path.touch()
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)


@pytest.mark.parametrize(
    "spoil",
    [a_file_in_its_place, a_folder_for_the_lock, a_folder_for_the_file, a_full_disk],
    ids=lambda spoil: spoil.__name__,
)
def test_a_cache_that_cannot_be_used_costs_one_warning(server, cache, monkeypatch, caplog, spoil):
    spoil(cache, monkeypatch)
    for _ in range(2):
        assert fetch(sha256(server.url), "set/file", mend=MEND) == CONTENT
    [warning] = [record for record in caplog.records if record.levelno >= logging.WARNING]
    for part in ("cannot keep downloads in", str(cache), "INWARD_CACHE_DIR"):
        assert part in warning.getMessage()
    assert not [path for path in cache.rglob(".file.*") if path.name != ".file.lock"]


# The module by itself: its package takes seconds to import.
FETCH = """
import runpy, sys
module = runpy.run_path(sys.argv[1], run_name="downloads")
print(len(module["fetch"](module["PinnedFile"](*sys.argv[2:]), "set/file", mend="-")))
"""


def test_several_processes_download_once(server):
    server.handler.seconds = 1.0  # long enough for the others to come and wait
    file = sha256(server.url)
    command = [sys.executable, "-c", FETCH, downloads.__file__, file.url, file.digest]
    processes = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    outputs = [process.communicate(timeout=120) for process in processes]
    assert outputs == [(f"{len(CONTENT)}\n", "")] * 3  # a progress bar is for terminals
    assert server.handler.hits == 1


def test_a_terminal_sees_the_progress(server):
    file = sha256(server.url)
    terminal, its_end = os.openpty()
    termios.tcsetwinsize(its_end, (24, 80))
    done = subprocess.run(
        [sys.executable, "-c", FETCH, downloads.__file__, file.url, file.digest],
        stdout=subprocess.DEVNULL, stderr=its_end, timeout=120, check=False,
    )  # fmt: skip
    os.close(its_end)
    assert done.returncode == 0
    assert b"100%" in os.read(terminal, 65536)
    os.close(terminal)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b'{"a": 1}\n{"b": 2}\n', [(1, "a"), (2, "b")]),
        (b'\xef\xbb\xbf{"a": 1}\n', [(1, "a")]),
        (b'{"a": 1}\n\xef\xbb\xbf{"b": 2}\n', [(1, "a"), (2, "b")]),  # two files, one behind other
        (b'{"a": 1}\r\n\r\n{"b": 2}\r\n', [(1, "a"), (3, "b")]),
        (b'{"a": 1}\r{"b": 2}', [(1, "a"), (2, "b")]),
        (b'\n \n{"a": 1}', [(3, "a")]),
        ('{"\u2028\x85": 1}\n'.encode(), [(1, "\u2028\x85")]),
    ],
)
def test_lines_are_read_as_disks_and_editors_leave_them(content, expected):
    lines = list(json_lines(content, "rows"))
    keys = [(place, *json.loads(line)) for line, place in lines]
    assert keys == [(f"rows, line {number}", key) for number, key in expected]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "rows: the file is empty"),
        (b"\xef\xbb\xbf\r\n\n", "rows: the file is empty"),
        (b'{"a": 1}\n{"\xe9": 2}', r"rows, line 2: byte 3 \(0xe9\) is not UTF-8: save"),
        ('{"a": 1}'.encode("utf-16"), "rows, line 1: the file is UTF-16: save it as UTF-8"),
        (b"\x1f\x8b\x08\x00", "rows, line 1: byte 2"),
    ],
)
def test_what_is_no_text_is_named_by_line(content, complaint):
    with pytest.raises(DataError, match=complaint):
        list(json_lines(content, "rows"))


def test_the_folder_is_the_one_of_the_indexes(monkeypatch, tmp_path):
    cache_dir = pytest.importorskip("inward_retrieval.cache_dir").cache_dir
    for told in (str(tmp_path), "here/..", "~/x", "", None):
        if told is None:
            monkeypatch.delenv("INWARD_CACHE_DIR")
        else:
            monkeypatch.setenv("INWARD_CACHE_DIR", told)
        assert downloads.cache_dir() == cache_dir()

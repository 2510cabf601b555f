"""A proxy is for the model's endpoint: what a run talks to on its own machine never sees it."""

import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from inward_chat import loopback
from support.runs import command, episodes

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
LOOPBACK = "127.0.0.1,localhost,::1"


@pytest.mark.parametrize(
    ("theirs", "value"),
    [
        ({}, LOOPBACK),
        ({"NO_PROXY": ""}, LOOPBACK),
        ({"NO_PROXY": "a.example, .b.example"}, f"a.example,.b.example,{LOOPBACK}"),
        ({"no_proxy": "a.example"}, f"a.example,{LOOPBACK}"),
        ({"NO_PROXY": "a.example", "no_proxy": "b.example"}, f"a.example,b.example,{LOOPBACK}"),
        ({"NO_PROXY": "localhost,127.0.0.1"}, "localhost,127.0.0.1,::1"),
        ({"NO_PROXY": "*"}, "*"),
    ],
)
def test_loopback_is_added_to_what_the_user_has(
    monkeypatch: pytest.MonkeyPatch, theirs: dict[str, str], value: str
) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "restored after the test")
        monkeypatch.delenv(name)
    for name, hosts in theirs.items():
        monkeypatch.setenv(name, hosts)
    for _ in range(2):  # the second time changes nothing
        loopback.exempt()
        assert os.environ["NO_PROXY"] == os.environ["no_proxy"] == value


class Proxy(BaseHTTPRequestHandler):
    """Records what it is asked to fetch, and answers in the place of any model."""

    asked: list[str]

    def do_POST(self) -> None:
        self.asked.append(self.path)
        self.rfile.read(int(self.headers["Content-Length"]))
        choice = {"index": 0, "finish_reason": "stop"}
        message = {"role": "assistant", "content": "done"}
        body = {"id": "1", "object": "chat.completion", "created": 0, "model": "policy"}
        text = json.dumps({**body, "choices": [{**choice, "message": message}]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.close_connection = True  # as a dead proxy: no answer at all

    do_CONNECT = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Set for every child process; what it was asked."""
    handler = type("Recording", (Proxy,), {"asked": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        for name in PROXIES:
            monkeypatch.setenv(name, f"http://127.0.0.1:{server.server_port}")
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        yield handler.asked
        server.shutdown()


@pytest.mark.slow
def test_the_first_command_asks_nothing_of_a_proxy(proxy: list[str], tmp_path: Path) -> None:
    done = command("inward", "eval", "quality-rag", "-n", "1", "--run.name", "run", cwd=tmp_path)
    assert done.code == 0, done.err
    assert proxy == []


@pytest.mark.slow
def test_vf_eval_asks_a_proxy_for_the_model_alone(proxy: list[str], tmp_path: Path) -> None:
    done = command(
        "vf-eval", "counting", "-m", "policy", "--client.base-url", "http://policy.example/v1",
        "-n", "1", "--no-push", "--no-rich", "--run.name", "run",
        cwd=tmp_path,
    )  # fmt: skip
    assert done.code == 0, done.err
    [episode] = episodes(tmp_path / "outputs" / "run")
    assert episode["ok"], episode
    assert {urlsplit(url).hostname for url in proxy} == {"policy.example"}

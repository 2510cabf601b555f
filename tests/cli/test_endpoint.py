"""Whether anything answers at the endpoint, asked as the run's client would ask."""

import contextlib
import re
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from inward_chat import loopback

from inward import endpoint
from inward.errors import UserError

NAMES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch):
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@contextlib.contextmanager
def server(status=404, *, family=socket.AF_INET, host="127.0.0.1"):
    """A server, or a proxy, that answers everything with `status`; yields its port and log."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_CONNECT = do_GET  # noqa: N815

        def log_message(self, *args):
            pass

    class Server(ThreadingHTTPServer):
        address_family = family

    with Server((host, 0), Handler) as running:
        threading.Thread(target=running.serve_forever, args=(0.02,), daemon=True).start()
        yield running.server_address[1], asked
        running.shutdown()


def dead_port():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return held.getsockname()[1]


@pytest.mark.parametrize("status", [200, 404, 401, 500, 503])
def test_any_answer_will_do(status):
    with server(status) as (port, asked):
        endpoint.check(f"http://127.0.0.1:{port}/v1/")
        endpoint.check(f"http://localhost:{port}/v1")
    assert asked == ["/v1/models"] * 2


def test_ipv6():
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    try:
        with server(family=socket.AF_INET6, host="::1") as (port, _):
            endpoint.check(f"http://[::1]:{port}/v1")
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")


def test_a_host_that_only_the_proxy_knows(monkeypatch):
    with server(200) as (port, asked):
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
        endpoint.check("http://model.invalid:8000/v1")
        assert asked == ["http://model.invalid:8000/v1/models"]
        monkeypatch.setenv("no_proxy", "model.invalid")
        with pytest.raises(UserError, match=r"nothing answers at 'http://model.invalid:8000/v1'"):
            endpoint.check("http://model.invalid:8000/v1")


def test_loopback_is_never_asked_through_a_proxy(monkeypatch):
    dead = f"http://127.0.0.1:{dead_port()}"
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, dead)
    with server() as (port, asked):
        endpoint.check(f"http://127.0.0.1:{port}/v1")
        endpoint.check(f"http://localhost:{port}/v1")
        loopback.exempt()
        for host in ("127.0.0.1", "localhost"):  # as the run's own client does
            assert httpx.get(f"http://{host}:{port}/x").status_code == 404
    assert len(asked) == 4


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("ftp://x", r"'ftp://x' is no http address"),
        ("localhost:8000/v1", r"is no http address"),
        ("http://", r"is no http address"),
        ("http://[::1", r"is no http address"),
        ("http://x:port/v1", r"is no http address"),
        ("http://127.0.0.1:{dead}/v1", r"nothing answers at 'http://127.0.0.1:\d+/v1' \(.*refused"),
        ("https://127.0.0.1:{dead}/v1", r"nothing answers at 'https://127.0.0.1:\d+/v1'"),
        ("http://no-such-host.invalid/v1", r"nothing answers at .*no-such-host.invalid"),
    ],
)
def test_what_cannot_be_asked_is_told_in_one_line(url, says):
    with pytest.raises(UserError) as raised:
        endpoint.check(url.format(dead=dead_port()))
    assert re.search(says, str(raised.value))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("proxy", "status", "says"),
    [
        ("http://127.0.0.1:{dead}", 200, r"nothing answers.* through the proxy 127.0.0.1:\d+\)"),
        ("http://me:secret@127.0.0.1:{port}", 407, r"through the proxy 127.0.0.1:\d+: it wants"),
        ("nonsense://127.0.0.1:1", 200, r"through the proxy 127.0.0.1:1"),
    ],
)
def test_a_proxy_at_fault_is_named_without_its_password(monkeypatch, proxy, status, says):
    with server(status) as (port, _):
        monkeypatch.setenv("http_proxy", proxy.format(port=port, dead=dead_port()))
        with pytest.raises(UserError) as raised:
            endpoint.check("http://model.invalid/v1")
    assert re.search(says, str(raised.value)), raised.value
    assert "secret" not in str(raised.value)


def test_a_tunnel_that_the_proxy_refuses(monkeypatch):
    with server(502) as (port, asked):
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{port}")
        with pytest.raises(UserError, match=r"nothing answers at .*502.* through the proxy 127"):
            endpoint.check("https://model.invalid/v1")
    assert asked == ["model.invalid:443"]

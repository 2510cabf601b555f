"""Whether anything answers at the model's endpoint, asked as the run will ask it."""

from __future__ import annotations

import ipaddress
import urllib.request
from urllib.parse import urlsplit

import httpx

from inward.errors import UserError

CONNECT_S = 10.0
ANSWER_S = 5.0
"""A server that has taken the connection may be slow to answer: it is there."""


def check(url: str) -> None:
    """Refuse an endpoint that nothing answers at, before any task is loaded.

    Raises `UserError`. Proxies are those of the environment, as for the run's own client; any
    answer of a server will do, whatever its status.
    """
    host = _host(url)
    timeout = httpx.Timeout(ANSWER_S, connect=CONNECT_S)
    through = _proxy(url, host)
    try:
        with httpx.Client(timeout=timeout, trust_env=not _is_loopback(host)) as client:
            status = client.get(f"{url.rstrip('/')}/models").status_code
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError) as error:
        cause = str(error) or "timed out"
        raise UserError(
            f"nothing answers at {url!r} ({cause}{through}): start the server, or mend"
            " --client.base-url"
        ) from error
    except (httpx.UnsupportedProtocol, httpx.InvalidURL, ValueError) as error:
        # The address itself is sound: what is left to be wrong is a proxy's.
        raise UserError(f"cannot ask {url!r}{through}: {error}") from error
    except httpx.HTTPError:
        return
    if status == 407:
        raise UserError(f"{url!r} cannot be asked{through}: it wants a user name and a password")


def _host(url: str) -> str:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
        httpx.URL(url)
    except (ValueError, httpx.InvalidURL) as error:
        raise UserError(f"--client.base-url {url!r} is no http address: {error}") from error
    if parts.scheme not in ("http", "https") or not host:
        raise UserError(f"--client.base-url {url!r} is no http address: http://HOST:PORT/v1")
    return host


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _proxy(url: str, host: str) -> str:
    """Names the proxy that will be asked, if one is: it may be at fault."""
    proxies = urllib.request.getproxies()
    proxy = proxies.get(urlsplit(url).scheme) or proxies.get("all")
    if proxy is None or _is_loopback(host) or urllib.request.proxy_bypass(host):
        return ""
    return f" through the proxy {urlsplit(proxy).netloc.rpartition('@')[2] or proxy}"

"""The HTTP connections that all rollouts of one event loop share.

The surprise: nobody closes them. The client lives in an async generator, and an event loop's
shutdown (`asyncio.run`) closes the generators that it still holds, so the connections end with
the worker.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import aiohttp

CONNECT_TIMEOUT = 5.0
"""Seconds."""

KEEPALIVE = 4.0
"""Seconds that an idle connection is kept: below the 5 s after which the bundled tool server
(uvicorn) closes it, so that a call does not meet a connection that is just being closed."""

_owners: dict[
    asyncio.AbstractEventLoop, tuple[aiohttp.ClientSession, AsyncGenerator[None, None]]
] = {}


async def http_client() -> aiohttp.ClientSession:
    """The running loop's client: no limit on connections, no cookies, no proxy."""
    loop = asyncio.get_running_loop()
    if loop not in _owners:
        client = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEPALIVE),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT),
        )
        owner = _close_with_loop(client)
        _owners[loop] = (client, owner)
        await anext(owner)
    return _owners[loop][0]


async def _close_with_loop(client: aiohttp.ClientSession) -> AsyncGenerator[None, None]:
    try:
        async with client:
            yield
    finally:
        del _owners[asyncio.get_running_loop()]

"""A server behind a judge's `base_url`, and what is said where it does not do what it is asked."""

from __future__ import annotations

import asyncio
import functools
import ssl
from typing import Any, Self

import httpx
import verifiers.v1 as vf
from verifiers.v1.configs.client import resolve_api_key, resolve_headers

ATTEMPTS = 3
TIMEOUT_S = 120.0
AGAIN = {429, 502, 503, 504}


@functools.cache
def _tls() -> ssl.SSLContext:
    """One for all: reading the certificates takes some 40 ms, on the event loop."""
    return httpx.create_ssl_context()


class JudgeServer:
    """Used as `async with`. `serves`: what the model must be served as, for the mend in errors.

    A server that is busy, or is not reached, is asked three times. RuntimeError: it cannot be
    reached, or refuses.
    """

    def __init__(self, config: vf.JudgeConfig, serves: str) -> None:
        self._config, self._serves = config, serves

    async def __aenter__(self) -> Self:
        key = resolve_api_key(self._config)
        headers = {"Authorization": f"Bearer {key}", **resolve_headers(self._config)}
        self._client = httpx.AsyncClient(timeout=TIMEOUT_S, headers=headers, verify=_tls())
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._client.aclose()

    async def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """`path`: from the server's root, whether or not `base_url` ends in `/v1`."""
        url, said = self._config.base_url.rstrip("/").removesuffix("/v1") + path, ""
        for attempt in range(ATTEMPTS):
            if attempt:
                await asyncio.sleep(0.2 * 2**attempt)
            try:
                response = await self._client.post(url, json=body)
            except httpx.TransportError as error:
                said = f"{type(error).__name__}: {error}"
                continue
            said = f"HTTP {response.status_code}: {response.text[:200]}"
            if response.status_code in AGAIN:
                continue
            if response.status_code != 200:
                break
            try:
                answer = response.json()
            except ValueError:
                break
            if isinstance(answer, dict):
                return answer
            break
        raise self.fault(path, said)

    def fault(self, path: str, said: str) -> RuntimeError:
        return RuntimeError(
            f"no reward from {self._config.base_url}{path} ({said}): is {self._config.model!r} "
            f"served there as {self._serves}, and is the judge's base_url right?"
        )

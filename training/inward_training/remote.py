"""Rollouts that are played by `inward serve-rollouts`, in another virtual environment.

The wire: `POST /play` with `{"tasks", "group_size", "weights"}` is answered by lines of JSON, one
`{"group": …}` for each group as it becomes whole, `{}` while nothing has, and at the end
`{"done": n}` or `{"error": …}`. `GET /info` names the environment.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncGenerator, Iterable
from types import TracebackType
from typing import Self

import httpx

from inward_training.errors import RolloutsError
from inward_training.samples import FORMAT, Group

SILENCE_S = 60.0
"""The server says something every few seconds: this long without a word, it hangs."""


class RemoteRollouts:
    """The rollouts of a server, as `Rollouts` has them; needs nothing but httpx."""

    def __init__(self, url: str) -> None:
        """`url`: what `inward serve-rollouts` printed, such as `http://127.0.0.1:8765`.

        Raises:
            ValueError: `url` is no address of HTTP.
        """
        self.url = url.rstrip("/")
        try:
            self._address = httpx.URL(self.url)
        except httpx.InvalidURL as error:
            raise ValueError(
                f"{url!r} is no address such as http://127.0.0.1:8765: {error}"
            ) from error
        port = self._address.port or 0
        if self._address.scheme not in ("http", "https") or not self._address.host or port > 65535:
            raise ValueError(f"{url!r} is no address such as http://127.0.0.1:8765")
        self.environment = ""
        self.weights = 0
        """The version of the weights that the engine serves: the trainer sets it before a play."""
        self.failures: Counter[str] = Counter()
        """Failed rollouts so far, by cause."""
        self._client: httpx.AsyncClient | None = None
        self._count: int | None = None

    async def __aenter__(self) -> Self:
        # A server on loopback is never asked through a proxy.
        local = self._address.host in ("127.0.0.1", "localhost", "::1")
        self._client = httpx.AsyncClient(
            base_url=self.url, timeout=httpx.Timeout(SILENCE_S), trust_env=not local
        )
        try:
            info = await self._info(self._client)
        except BaseException:
            await self._client.aclose()
            raise
        self.environment, self._count = info
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._client is not None:
            await self._client.aclose()

    async def count(self) -> int | None:
        """How many tasks there are; None where they never end."""
        return self._count

    async def play(
        self, tasks: Iterable[int], *, group_size: int = 1
    ) -> AsyncGenerator[Group, None]:
        """As `Rollouts.play`, but for two things. Groups that are whole wait in the connection's
        buffers, so that some more may be begun while this caller keeps one. And the server takes
        `weights` as they are when a play begins: play one step's tasks at a time.

        Leaving the loop early ends the play on the server too.

        Raises:
            RolloutsError: the server refuses, fails, falls silent or breaks off.
        """
        if self._client is None:
            raise RuntimeError("RemoteRollouts plays only within `async with`")
        asked = {"tasks": list(tasks), "group_size": group_size, "weights": self.weights}
        count, done = 0, None
        try:
            async with self._client.stream("POST", "/play", json=asked) as answer:
                if answer.status_code != 200:
                    text = (await answer.aread()).decode(errors="replace")
                    raise RolloutsError(f"{self.url} refuses to play: {text.strip()}")
                async for line in answer.aiter_lines():
                    said = json.loads(line)
                    if "group" in said:
                        count += 1
                        group = Group.from_json(said["group"])
                        self.failures.update(failure.cause for failure in group.failures)
                        yield group
                    elif "error" in said:
                        raise RolloutsError(f"{self.url}: {said['error']}")
                    done = said.get("done")
        except httpx.HTTPError as error:
            raise RolloutsError(_lost(self.url, error)) from error
        except (ValueError, TypeError, KeyError) as error:
            raise RolloutsError(f"{self.url} answers what is no group: {error}") from error
        if done != count:
            raise RolloutsError(f"{self.url} broke off in the middle of an answer: see its log")

    async def _info(self, client: httpx.AsyncClient) -> tuple[str, int | None]:
        """The environment, and how many tasks it has."""
        try:
            answer = await client.get("/info")
            answer.raise_for_status()
            info = answer.json()
            if info["format"] != FORMAT:
                raise RolloutsError(
                    f"{self.url} speaks format {info['format']}, this is {FORMAT}: install the same"
                    " version of inward-training on both sides"
                )
            return info["environment"], info["tasks"]
        except httpx.HTTPError as error:
            raise RolloutsError(_lost(self.url, error)) from error
        except (ValueError, TypeError, KeyError) as error:
            raise RolloutsError(f"{self.url} is no server of rollouts") from error


def _lost(url: str, error: httpx.HTTPError) -> str:
    if isinstance(error, httpx.ConnectError):
        return f"nothing answers at {url}: start it with inward serve-rollouts"
    if isinstance(error, httpx.TimeoutException):
        return f"{url} has said nothing for {SILENCE_S:g} s: see its log"
    return f"{url} broke off ({type(error).__name__}: {error}): see its log"

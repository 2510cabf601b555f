"""An OpenAI-compatible server, and whose fault it is when it does not do what it is asked.

The `openai` client itself tries again on 408, 409, 429, 5xx, a silent or a cut connection, and
waits as long as `Retry-After` says. What is left raises `RedrawError`; a refusal of the text by a
content policy is the text's fault.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any, TypeVar

from inward_rewards.images.config import ServerConfig
from inward_rewards.images.errors import RedrawError
from inward_rewards.sandbox import survives_forks

if TYPE_CHECKING:
    import openai

ReplyT = TypeVar("ReplyT")

LONGEST_PAUSE_S = 60.0
"""Between two tries."""
MAX_SAID = 300
"""Characters of a server's words that a message quotes."""
REFUSALS = (400, 403, 422, 451)
"""Statuses with which a content policy refuses."""
REFUSED = re.compile(r"content.?(policy|filter)|moderation|safety|nsfw|responsible.?ai", re.I)
"""What their words have in common."""


class Refused(Exception):  # noqa: N818 -- what became of a request
    """The server will not work on this text: its writer's fault."""


def api_key(config: ServerConfig, option: str = "redraw") -> str:
    """The key, or a text that stands for none. ValueError where its variable is not set."""
    if config.api_key_var is None:
        return "none"
    if key := os.environ.get(config.api_key_var):
        return key
    raise ValueError(
        f"the environment variable {config.api_key_var!r} ({option}.api_key_var) is not set: set "
        f"it to the key of {config.base_url!r}, or leave {option}.api_key_var out if it asks for "
        "none"
    )


class Server:
    """`what` is the `type` that asks it, of the config `option`. Raises `ValueError` where the key
    is not set.

    To be used on one event loop.
    """

    def __init__(self, config: ServerConfig, what: str, model: str, option: str = "redraw") -> None:
        try:
            import openai
        except ImportError as error:
            raise ImportError(
                f"{option}.type {what!r} needs openai ({error}): "
                'pip install "inward-rewards[images]"'
            ) from error
        self._openai, self._config, self._option = openai, config, option
        self._source = f"{option}.type {what!r}: {config.base_url!r} (model {model!r})"
        self._key = api_key(config, option)
        survives_forks(self)
        self.after_fork()

    def after_fork(self) -> None:
        self._client: openai.AsyncOpenAI | None = None

    @property
    def client(self) -> openai.AsyncOpenAI:
        """Its connections belong to the event loop on which it is first used."""
        if self._client is None:
            self._client = self._openai.AsyncOpenAI(
                api_key=self._key,
                base_url=self._config.base_url,
                timeout=self._config.timeout,
                max_retries=self._config.retries,
            )
        return self._client

    async def ask(self, request: Awaitable[ReplyT]) -> ReplyT:
        """The reply to a request of `client`. Raises `Refused`, or `RedrawError`."""
        tries = self._config.retries + 1
        # The client counts the seconds between two bytes: a trickle would never end.
        longest = tries * (self._config.timeout + LONGEST_PAUSE_S)
        try:
            async with asyncio.timeout(longest):
                return await request
        except self._openai.APIStatusError as error:
            words = said(error.body) or str(error)
            if error.status_code in REFUSALS and REFUSED.search(words):
                raise Refused(shown(words)) from error
            mend = self._mend(error, words)
            raise self.fault(f"HTTP {error.status_code}: {words}", mend) from error
        except self._openai.APIConnectionError as error:
            cause = error.__cause__ or error
            raise self.fault(f"{error} ({cause!r})", self._mend(error, "")) from error
        except TimeoutError:
            raise self.fault(f"no whole reply in {longest:g} s", "is it overloaded?") from None
        except (self._openai.APIError, ValueError, TypeError) as error:
            raise self.unfit(str(error)) from error

    async def completion(self, **request: Any) -> str:
        """The text of a chat completion. Raises as `ask` does."""
        create: Any = self.client.chat.completions.create
        completion = await self.ask(create(**request))
        try:
            content = completion.choices[0].message.content or ""
        except (AttributeError, IndexError, TypeError):
            content = None
        if not isinstance(content, str):
            raise self.unfit(f"no chat completion: {completion!r}")
        return content

    def fault(self, cause: str, mend: str) -> RedrawError:
        return RedrawError(f"{self._source}: {shown(cause)}: {mend}")

    def unfit(self, cause: str) -> RedrawError:
        """For a reply that is none."""
        mend = "check that base_url ends in the path before the route, mostly `/v1`, and the model"
        return self.fault(f"its reply cannot be used: {cause}", mend)

    def _mend(self, error: Exception, words: str) -> str:
        openai, config, option = self._openai, self._config, self._option
        if isinstance(error, openai.APIConnectionError):
            return (
                f"is it running, and does it answer within {option}.timeout={config.timeout:g} s? "
                f"({config.retries} retries)"
            )
        if isinstance(error, openai.AuthenticationError | openai.PermissionDeniedError):
            if config.api_key_var is None:
                return f"name the environment variable with its key: {option}.api_key_var"
            return f"check the key in the environment variable {config.api_key_var!r}"
        if isinstance(error, openai.NotFoundError):
            return f"check {option}.base_url (mostly it ends in `/v1`) and {option}.model"
        if isinstance(error, openai.RateLimitError | openai.InternalServerError):
            return f"see its log, or lower {option}.concurrency ({config.retries} retries)"
        if "context" in words.lower():
            return f"serve it with a longer context, or lower {option}.max_tokens or max_characters"
        return "check the options under redraw against what it takes"


def said(body: object) -> str:
    """What a server says of an error: `error`, `detail` or `message`, as text or nested in each
    other. What it repeats of the request is left out."""
    match body:
        case str():
            return body
        case list():
            return "; ".join(filter(None, map(said, body)))
        case dict():
            names = ("code", "type", "error", "detail", "message", "msg")
            found = [said(body[name]) for name in names if body.get(name)]
            return " ".join(dict.fromkeys(filter(None, found)))
    return ""


def shown(text: object) -> str:
    """On one line of bounded length."""
    line = " ".join(str(text).split())
    return line if len(line) <= MAX_SAID else line[: MAX_SAID - 1] + "…"

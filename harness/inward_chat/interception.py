"""The interception server as one rollout sees it: model calls and the gate before tool calls."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from tenacity import (
    AsyncRetrying,
    retry_if_exception,
    stop_after_attempt,
    wait_random_exponential,
)

from inward_chat.errors import CallRefusedError, InterceptionLostError
from inward_chat.repeats import warn_of_repeat
from inward_chat.verifiers_compat import CONTEXT_OVERFLOW_MARKERS

ATTEMPTS = 3
"""At one model call; what the OpenAI SDK makes by default."""

RETRY_COUNT_HEADER = "x-stainless-retry-count"
"""Marks a repeated model call. The server then answers with the turn that it already has, or
joins the one in flight, so that a repeat never adds a turn to the trace."""

Message = dict[str, Any]
"""A chat message in wire form."""


def is_context_overflow(error: CallRefusedError) -> bool:
    """Whether the provider refused the conversation for its length."""
    body = error.body.casefold()
    return error.status in (400, 413) and any(marker in body for marker in CONTEXT_OVERFLOW_MARKERS)


class ModelClient:
    """The chat-completions endpoint of one rollout. Nothing is streamed."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        endpoint: str,
        secret: str,
        model: str,
        tools: Sequence[Mapping[str, Any]],
        served_at: str = "not known",
    ) -> None:
        """`endpoint`: of the interception server. `served_at`: the model's own, for messages."""
        self._http = http
        self._call = (
            f"the model call (endpoint {without_secrets(served_at)}, through the interception"
            f" server at {urlsplit(endpoint).netloc})"
        )
        self._url = f"{endpoint}/chat/completions"
        self._headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
        self._body = {"model": model, **({"tools": tools} if tools else {})}

    async def complete(self, messages: Sequence[Message]) -> Message:
        """The assistant's next message, without its null fields.

        Raises:
            InterceptionLostError: no answer in `ATTEMPTS` attempts.
            CallRefusedError: an HTTP error status that a repeat did not or could not mend.
        """
        body = json.dumps({**self._body, "messages": messages}).encode()
        repeated = AsyncRetrying(
            retry=retry_if_exception(_may_pass),
            stop=stop_after_attempt(ATTEMPTS),
            wait=wait_random_exponential(multiplier=0.5, max=8.0),
            before_sleep=warn_of_repeat("model call"),
            reraise=True,
        )
        async for attempt in repeated:
            with attempt:
                retries = attempt.retry_state.attempt_number - 1
                headers = {**self._headers, RETRY_COUNT_HEADER: str(retries)}
                answer = await post(self._http, self._url, body, headers, self._call)
        message = answer["choices"][0]["message"]
        return {field: value for field, value in message.items() if value is not None}


def _may_pass(error: BaseException) -> bool:
    """Whether a repeat may succeed: the statuses that the OpenAI SDK repeats, or no answer."""
    if isinstance(error, CallRefusedError):
        return error.status in (408, 409, 429) or error.status >= 500
    return isinstance(error, InterceptionLostError)


class ToolGate:
    """Asks the rollout's request hooks, before a tool call runs, whether it may."""

    def __init__(self, http: aiohttp.ClientSession, url: str, secret: str) -> None:
        self._http = http
        self._url = url
        self._headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}

    async def denial(self, call_id: str, name: str, arguments: object) -> Message | None:
        """The tool message to record in place of running the call, or None to run it.

        Raises:
            CallRefusedError: the rollout was stopped, or a hook failed.
            InterceptionLostError: no answer.
        """
        question = {"tool_call_id": call_id, "name": name, "arguments": arguments}
        server = urlsplit(self._url).netloc
        call = f"whether tool {name!r} may run, asked of the interception server at {server},"
        body = json.dumps(question).encode()
        decision = await post(self._http, self._url, body, self._headers, call)
        if decision["action"] == "stop":
            raise CallRefusedError(400, f"rollout stopped: {decision['reason']}", call=call)
        message: Message | None = decision["message"] if decision["action"] == "deny" else None
        return message


async def post(
    http: aiohttp.ClientSession, url: str, body: bytes, headers: Mapping[str, str], call: str
) -> dict[str, Any]:
    """One POST to the interception server, without a time limit once it is connected.

    `call` says in errors what was asked.
    """
    try:
        async with http.post(url, data=body, headers=headers) as response:
            answer = await response.read()
    except (aiohttp.ClientError, OSError) as error:
        raise InterceptionLostError(f"{call} failed: {type(error).__name__}: {error}") from error
    if response.status != 200:
        raise CallRefusedError(response.status, answer.decode(errors="replace"), call=call)
    decoded: dict[str, Any] = json.loads(answer)
    return decoded


def without_secrets(url: str) -> str:
    """An address as it may stand in a log: without user name, password and query."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()

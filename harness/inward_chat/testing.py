"""A scripted policy behind a real chat-completions server on loopback: what an environment is
tested against, and what plays a baseline.

    from inward_chat.testing import PolicyServer, tool_call

    def policy(body):  # the JSON body of a chat-completions request
        if body["messages"][-1]["role"] == "tool":
            return {"content": "Answer: A"}
        return {"tool_calls": [tool_call("search", {"query": "x"}, "call-1")]}

    with PolicyServer(policy) as server:
        ...  # vf-eval ENV -m {server.model} --client.base-url {server.base_url}

The policy runs on the server's own thread and event loop, never on the caller's. To inject a fault
it returns an `HttpReply`; to say more than a message (finish reason, usage, logprobs, token ids) a
`ChatCompletion`. An exception in a policy is answered with HTTP 500.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Self

from aiohttp import web

__all__ = [
    "Answer",
    "ChatCompletion",
    "HttpReply",
    "Message",
    "Policy",
    "PolicyServer",
    "Post",
    "tool_call",
]

Message = Mapping[str, Any]
"""An assistant message: `content` and, where it calls tools, `tool_calls`."""


@dataclass(frozen=True)
class ChatCompletion:
    """A message with more of the wire format around it than the defaults."""

    message: Message
    finish_reason: str | None = None
    """None: `tool_calls` where the message has some, else `stop`."""
    usage: Mapping[str, int] | None = None
    choice: Mapping[str, Any] = field(default_factory=dict)
    """Extra fields of the choice, such as `logprobs` or `token_ids`."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Extra fields of the completion, such as `prompt_token_ids`."""


@dataclass(frozen=True)
class HttpReply:
    """An answer that is not a completion: a fault to inject."""

    status: int
    body: str | Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)


Answer = Message | ChatCompletion | HttpReply
Policy = Callable[[dict[str, Any]], Answer | Awaitable[Answer]]
"""Chat-completions request body -> answer. An async policy may wait; neither may block long."""

Post = Callable[[dict[str, Any]], Mapping[str, Any] | HttpReply]
"""Request body of any other route -> its JSON answer."""


def tool_call(name: str, arguments: Mapping[str, Any] | str, call_id: str) -> dict[str, Any]:
    """One entry of an assistant message's `tool_calls`."""
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": text}}


def _http_reply(answer: HttpReply) -> web.Response:
    text = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
    return web.Response(
        status=answer.status,
        text=text,
        headers=dict(answer.headers),
        content_type="application/json",
    )


class PolicyServer:
    """Context manager that serves `policy` on a free loopback port.

    `base_url` is what `--client.base-url` takes. A request is answered with JSON, or with
    server-sent events where it asks to be streamed. Entering raises RuntimeError where the server
    does not start, for example because `port` is taken.
    """

    def __init__(
        self,
        policy: Policy,
        *,
        model: str = "policy",
        port: int = 0,
        posts: Mapping[str, Post] | None = None,
    ) -> None:
        """`model`: the name that `/v1/models` lists. `port`: 0 for any free one. `posts`: further
        POST routes by path, for engines that speak more than chat; each runs in a thread."""
        self.policy = policy
        self.posts = posts or {}
        self.model = model
        self.port = port
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, name="policy-server", daemon=True)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            raise RuntimeError(
                f"the loopback policy server did not start: {self._failure}"
            ) from self._failure
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._loop is not None and self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(timeout=10)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            self._failure = error
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        app = web.Application(client_max_size=256 * 1024**2)
        app.router.add_get("/v1/models", self._models)
        app.router.add_post("/v1/chat/completions", self._chat)
        for path, post in self.posts.items():
            app.router.add_post(path, partial(self._post, post))
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", self.port, backlog=1024)
            await site.start()
            self.port = runner.addresses[0][1]
            self._ready.set()
            await self._stop.wait()
        finally:
            await runner.cleanup()

    async def _models(self, request: web.Request) -> web.Response:
        return web.json_response(
            {"object": "list", "data": [{"id": self.model, "object": "model"}]}
        )

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        answer = self.policy(body)
        if isinstance(answer, Awaitable):
            answer = await answer
        if isinstance(answer, HttpReply):
            return _http_reply(answer)
        completion = answer if isinstance(answer, ChatCompletion) else ChatCompletion(answer)
        if body.get("stream"):
            return await self._stream(request, completion)
        return web.json_response(self._wire(completion))

    async def _post(self, post: Post, request: web.Request) -> web.Response:
        answer = await asyncio.to_thread(post, await request.json())
        return _http_reply(answer) if isinstance(answer, HttpReply) else web.json_response(answer)

    def _wire(self, completion: ChatCompletion) -> dict[str, Any]:
        message = {"role": "assistant", "content": None, **completion.message}
        finish = completion.finish_reason or ("tool_calls" if message.get("tool_calls") else "stop")
        return {
            "id": f"chatcmpl-{uuid.uuid4().hex}",
            "object": "chat.completion",
            "created": int(time.time()),
            "model": self.model,
            "choices": [
                {"index": 0, "message": message, "finish_reason": finish, **completion.choice}
            ],
            **({"usage": dict(completion.usage)} if completion.usage else {}),
            **completion.extra,
        }

    async def _stream(self, request: web.Request, completion: ChatCompletion) -> web.StreamResponse:
        wire = self._wire(completion)
        [choice] = wire.pop("choices")
        usage = wire.pop("usage", None)
        delta = dict(choice.pop("message"))
        if delta.get("tool_calls"):
            delta["tool_calls"] = [
                {**call, "index": index} for index, call in enumerate(delta["tool_calls"])
            ]
        head = {**wire, "object": "chat.completion.chunk"}
        events = [{**head, "choices": [{**choice, "delta": delta}]}]
        if usage:
            events.append({**head, "choices": [], "usage": usage})
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for event in events:
            await response.write(f"data: {json.dumps(event)}\n\n".encode())
        await response.write(b"data: [DONE]\n\n")
        return response

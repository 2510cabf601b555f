"""`inward-chat` behind a proxy that loses the first answer of the interception server."""

from typing import Any

import aiohttp
import verifiers.v1 as vf
from aiohttp import web
from inward_chat.harness import InwardChat, InwardChatConfig

__all__ = ["CutLine"]


class CutLine(InwardChat, vf.Harness[InwardChatConfig]):
    async def launch(
        self, ctx: Any, trace: Any, runtime: Any, endpoint: str, *rest: Any, **gate: Any
    ) -> Any:
        lost = []

        async def forward(request: web.Request) -> web.Response:
            body, headers = await request.read(), dict(request.headers)
            async with (
                aiohttp.ClientSession() as client,
                client.post(endpoint + request.path, data=body, headers=headers) as answer,
            ):
                text = await answer.read()
            if not lost:
                lost.append(text)
                request.transport.abort()
            return web.Response(status=answer.status, body=text)

        app = web.Application()
        app.router.add_post("/chat/completions", forward)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            proxy = f"http://127.0.0.1:{runner.addresses[0][1]}"
            return await super().launch(ctx, trace, runtime, proxy, *rest, **gate)
        finally:
            await runner.cleanup()

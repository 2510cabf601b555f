"""One call through quality-rag's tool server by 32 concurrent callers, layer upon layer.

    uv run --group bench python benchmarks/search/tool_call.py [--json]      # a minute

Four servers, each with one layer more than the one before: HTTP alone, MCP with a tool that does
nothing, the rollout's State, and our search.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlencode

from stories import ROUNDS, arguments
from targets import Target, report

TOOL_SERVER = Path(__file__).parent / "tool_server.py"
TOOL_CALLERS, TOOL_CALLS = 32, 20
LAYERS = {
    "http": "HTTP (uvicorn, aiohttp)",
    "mcp": "MCP, a tool that does nothing",
    "state": "the rollout's State",
    "search": "our search, four passages",
}


@contextmanager
def tool_server(kind: str, folder: str, secret: str) -> Iterator[Path]:
    """Runs `tool_server.py`; the file that it writes its port to."""
    port_file = Path(folder) / f"{kind}.port"
    environment = {"MCP_PORT_FILE": str(port_file), "VF_STATE_SECRET": secret, "VF_STATE_URL": ""}
    if kind != "http":
        config = {"split": "sample", "path": None} if kind == "search" else {}
        environment["VF_CONFIG"] = json.dumps(config)
    process = subprocess.Popen(
        [sys.executable, str(TOOL_SERVER), kind], env={**os.environ, **environment}
    )
    try:
        yield process, port_file
    finally:
        process.kill()
        process.wait()


def url_of(process: subprocess.Popen[bytes], port_file: Path) -> str:
    """Waits for the server to write its port."""
    while not (port_file.exists() and port_file.read_text()):
        if process.poll() is not None:
            sys.exit(f"{port_file.stem}: the server ended with {process.returncode}")
        time.sleep(0.05)
    return f"http://127.0.0.1:{port_file.read_text()}/mcp"


async def tool_calls(urls: Mapping[str, str], secret: str) -> dict[str, list[float]]:
    """Milliseconds of each of many calls by `TOOL_CALLERS` callers, by kind of server."""
    from aiohttp import web
    from inward_chat.connections import http_client
    from inward_chat.tool_servers import JsonServer
    from quality_rag.data import load_stories
    from verifiers.v1.mcp.server import (
        STATE_ROUTE_PARAM,
        STATE_SIGNATURE_PARAM,
        STATE_URL_PARAM,
        state_signature,
    )

    story = next(iter(load_stories("sample")))

    async def state(request: web.Request) -> web.Response:
        return web.json_response({"story_id": story})

    app = web.Application()
    app.router.add_get("/state", state)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    state_url = f"http://127.0.0.1:{runner.addresses[0][1]}/state"
    coordinates = urlencode(
        {
            STATE_URL_PARAM: state_url,
            STATE_ROUTE_PARAM: "r",
            STATE_SIGNATURE_PARAM: state_signature(secret, state_url, "r"),
        }
    )
    http = await http_client()

    async def connect(kind: str, url: str) -> Callable[[], Awaitable[object]]:
        if kind == "http":

            async def post() -> object:
                async with http.post(url, data=b'{"query": "x"}') as response:
                    return await response.read()

            return post
        server = await JsonServer.connect(http, f"{url}?{coordinates}", 60)
        return lambda: server.call("search", {"query": "Who wrote the letter about the lamp?"})

    calls = {kind: await connect(kind, url) for kind, url in urls.items()}
    waits: dict[str, list[float]] = {kind: [] for kind in urls}

    async def caller(kind: str) -> None:
        for _ in range(TOOL_CALLS):
            started = time.perf_counter()
            await calls[kind]()
            waits[kind].append((time.perf_counter() - started) * 1e3)

    for _ in range(ROUNDS):
        for kind in urls:
            await asyncio.gather(*(caller(kind) for _ in range(TOOL_CALLERS)))
    await runner.cleanup()
    return waits


def main() -> None:
    options = arguments(__doc__)
    secret = "benchmark"
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        servers = {kind: stack.enter_context(tool_server(kind, folder, secret)) for kind in LAYERS}
        urls = {kind: url_of(*server) for kind, server in servers.items()}
        waits = asyncio.run(tool_calls(urls, secret))
    print(f"one call by {TOOL_CALLERS} concurrent callers, each layer on those above")
    before = 0.0
    for kind, layer in LAYERS.items():
        p50 = statistics.median(waits[kind])
        calls = TOOL_CALLERS / (statistics.fmean(waits[kind]) / 1e3)
        print(f"  {layer:30} p50 {p50:6.2f} ms  +{p50 - before:5.2f} ms  {calls:6.0f} calls/s")
        before = p50
    ratio = statistics.median(waits["search"]) / statistics.median(waits["state"])
    print()
    report(
        [Target("tool: a search over a tool that reads the State alone", ratio, 1.5, most=True)],
        options.json,
    )


if __name__ == "__main__":
    main()

"""A tool server of one of four kinds, each with one layer more than the one before.

    python tool_server.py http|mcp|state|search      # port written to MCP_PORT_FILE

`http` answers any request with a fixed body: uvicorn alone. `mcp` is a tool that does nothing.
`state` is one that reads its rollout's State as well. `search` is the search of quality-rag.
"""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path
from typing import Any

import verifiers.v1 as vf
from inward_chat import Toolset
from quality_rag.search import StorySearch, StoryState


class NoConfig(vf.SharedToolsetConfig):
    pass


class Plain(Toolset[NoConfig, vf.State]):
    TOOL_PREFIX = None

    @vf.tool
    async def search(self, query: str) -> str:
        """Nothing."""
        return "nothing"


class Stateful(Toolset[NoConfig, StoryState]):
    TOOL_PREFIX = None

    @vf.tool
    async def search(self, query: str) -> str:
        """The story's id."""
        return self.state.story_id


async def fixed(scope: dict[str, Any], receive: Any, send: Any) -> None:
    while (await receive()).get("more_body"):
        pass
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b'{"result": {}}'})


def serve_fixed() -> None:
    import uvicorn

    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.bind(("127.0.0.1", 0))
    Path(os.environ["MCP_PORT_FILE"]).write_text(str(listener.getsockname()[1]))
    config = uvicorn.Config(fixed, log_level="critical", lifespan="off")
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    {"http": serve_fixed, "mcp": Plain.run, "state": Stateful.run, "search": StorySearch.run}[
        sys.argv[1]
    ]()

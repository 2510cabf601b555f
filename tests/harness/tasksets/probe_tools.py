"""A shared tool server whose tools are the cases that a harness has to get right."""

import asyncio
import os

import verifiers.v1 as vf

RED_DOT = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJg"
    "gg=="
)


class ProbeTools(vf.Toolset[vf.SharedToolsetConfig, vf.State]):
    TOOL_PREFIX = "probe"

    async def setup(self) -> None:
        self.arrived = 0
        self.all_here = asyncio.Event()

    @vf.tool
    async def echo(self, text: str) -> str:
        """Give the text back."""
        return f"echo: {text}"

    @vf.tool
    async def meet(self, name: str, parties: int) -> str:
        """Return once this many calls are waiting in here."""
        self.arrived += 1
        if self.arrived == parties:
            self.all_here.set()
        await self.all_here.wait()
        return f"{name} met {parties}"

    @vf.tool
    async def explode(self) -> str:
        """Raise."""
        raise RuntimeError("the tool broke")

    @vf.tool
    async def long(self, length: int) -> str:
        """A text of this many characters."""
        return "x" * length

    @vf.tool
    async def picture(self) -> list:
        """A caption and a picture."""
        from mcp.types import ImageContent, TextContent

        return [
            TextContent(type="text", text="a dot"),
            ImageContent(type="image", data=RED_DOT, mime_type="image/png"),
        ]

    @vf.tool
    async def hang(self) -> str:
        """Never return."""
        await asyncio.Event().wait()
        return "unreachable"

    @vf.tool
    async def die(self) -> str:
        """Take the server down in the middle of the call."""
        os._exit(1)


if __name__ == "__main__":
    ProbeTools.run()

"""A tool server that writes the rollout's State."""

import asyncio

import inward_chat
import verifiers.v1 as vf


class CountingState(vf.State):
    name: str = ""
    words: tuple[str, ...] = ()


class CountingTools(inward_chat.Toolset[vf.SharedToolsetConfig, CountingState]):
    TOOL_PREFIX = "count"

    @vf.tool
    async def note(self, word: str) -> str:
        """Note a word, slowly enough for two notes to overlap."""
        words = (*self.state.words, word)
        await asyncio.sleep(0.05)
        self.state.words = words
        return f"{self.state.name}: {' '.join(words)}"


if __name__ == "__main__":
    CountingTools.run()

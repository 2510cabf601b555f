"""The same tools on verifiers' own server."""

import verifiers.v1 as vf
from bench_tools import StoryState, passages


class BundledTools(vf.Toolset[vf.SharedToolsetConfig, StoryState]):
    TOOL_PREFIX = "story"

    @vf.tool
    async def search(self, query: str) -> str:
        """Search the story."""
        return passages(self.state.story)


if __name__ == "__main__":
    BundledTools.run()

"""The shared tool server of `benchmarks/harness.py`: a search within the rollout's own story."""

import inward_chat
import verifiers.v1 as vf


class StoryState(vf.State):
    story: int = -1


def passages(story: int) -> str:
    """What a search of this story finds: three passages of 150 words."""
    return "\n\n".join(f"[{n}] story {story} " + "and so it went on " * 30 for n in range(3))


class BenchTools(inward_chat.Toolset[vf.SharedToolsetConfig, StoryState]):
    TOOL_PREFIX = "story"

    @vf.tool
    async def search(self, query: str) -> str:
        """Search the story."""
        return passages(self.state.story)


if __name__ == "__main__":
    BenchTools.run()

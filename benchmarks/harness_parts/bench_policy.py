"""The policy server of `benchmarks/harness.py`, in a process of its own: four searches, a word."""

import sys
from typing import Any

from inward_chat.testing import PolicyServer, tool_call


def policy(body: dict[str, Any]) -> dict[str, Any]:
    turn = sum(message["role"] == "assistant" for message in body["messages"])
    if turn == 4:
        return {"content": "done"}
    search = tool_call("story_search", {"query": f"what went on in part {turn}"}, f"call-{turn}")
    return {"content": None, "tool_calls": [search]}


if __name__ == "__main__":
    with PolicyServer(policy) as server:
        print(server.base_url, flush=True)
        sys.stdin.read()

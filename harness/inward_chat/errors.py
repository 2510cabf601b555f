"""Faults of the machine, as this harness names them.

None of them is the model's: each ends the rollout with an error, so that it is masked and never
scored.
"""

from __future__ import annotations

TOOL_SERVER_ERROR = "ToolServerError: "
"""How the error of a dead tool server begins on the trace; a retry rule matches it."""


class ToolServerError(Exception):
    """A tool server gave no answer, or none that MCP allows, in all the attempts at one call."""


class InterceptionLostError(Exception):
    """The connection to the interception server failed in all the attempts at one call."""


class CallRefusedError(Exception):
    """A call was answered with an HTTP error status, or refused at the tool gate.

    verifiers' interception server, which all calls go through, answers for itself (the rollout is
    over, a hook failed) or passes on what the model's endpoint answered: `call` names both.
    """

    def __init__(self, status: int, body: str, *, call: str) -> None:
        super().__init__(f"{call} was answered with HTTP {status}: {body}")
        self.status = status
        self.body = body

"""Every name of verifiers that is not part of its public face (`verifiers.v1`).

None of them is promised to stay where it is: what a new verifiers moves is mended here alone.
Checked on 0.4.0 and on 0.4.1.dev86.
"""

from verifiers.v1.clients.train import ElasticRendererPool
from verifiers.v1.dialects.chat import message_to_wire
from verifiers.v1.errors import MODEL_TRANSPORT_ERROR_EXIT_CODE
from verifiers.v1.harnesses.utils.compaction import CONTEXT_OVERFLOW_MARKERS, bound_tool_message
from verifiers.v1.harnesses.utils.mcp import (
    MCP_CALL_ATTEMPTS,
    MCPConnection,
    mcp_content_to_chat_content,
)
from verifiers.v1.mcp.server import STATE_TIMEOUT, ConfigT

__all__ = [
    "CONTEXT_OVERFLOW_MARKERS",
    "MCP_CALL_ATTEMPTS",
    "MODEL_TRANSPORT_ERROR_EXIT_CODE",
    "STATE_TIMEOUT",
    "ConfigT",
    "ElasticRendererPool",
    "MCPConnection",
    "bound_tool_message",
    "mcp_content_to_chat_content",
    "message_to_wire",
]

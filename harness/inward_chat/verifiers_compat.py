"""Every name of verifiers that is not part of its public face (`verifiers.v1`).

None of them is promised to stay where it is: what a new verifiers moves is mended here alone.
`PRIVATE` says of each where it is, who uses it and how, and what to look for where it is gone;
`tests/harness/test_verifiers_compat.py` checks all of it on the verifiers that is installed
(0.4.0, and 0.4.1.dev86 by `.ci/next`).

The surprise: a name is imported when it is first asked for. What the command line needs neither
slows a worker down nor stops it where only that has moved.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from verifiers.v1.cli.eval.runner import run_eval
    from verifiers.v1.cli.output import (
        create_attempt_log_dir,
        output_path,
        saved_config_path,
        write_config,
    )
    from verifiers.v1.cli.resolve import narrow_config, with_positional_taskset
    from verifiers.v1.clients.train import ElasticRendererPool
    from verifiers.v1.configs.cli.eval import EvalConfig
    from verifiers.v1.dialects.chat import message_to_wire
    from verifiers.v1.env import Env
    from verifiers.v1.errors import MODEL_TRANSPORT_ERROR_EXIT_CODE
    from verifiers.v1.harnesses.utils.compaction import (
        CONTEXT_OVERFLOW_MARKERS,
        bound_tool_message,
    )
    from verifiers.v1.harnesses.utils.mcp import (
        MCP_CALL_ATTEMPTS,
        MCPConnection,
        mcp_content_to_chat_content,
    )
    from verifiers.v1.mcp.server import STATE_TIMEOUT, ConfigT, ServerBase
    from verifiers.v1.serve.client import EnvClient
    from verifiers.v1.serve.server import EnvServer
    from verifiers.v1.serve.types import BaseResponse, CancelResponse, HealthResponse
    from verifiers.v1.types import content_text
    from verifiers.v1.utils.logging import LIBRARY_LOGGER, InterceptHandler, setup_logging
    from verifiers.v1.utils.trace_store import TRACES_FILE

__all__ = [
    "CONTEXT_OVERFLOW_MARKERS",
    "LIBRARY_LOGGER",
    "MCP_CALL_ATTEMPTS",
    "MODEL_TRANSPORT_ERROR_EXIT_CODE",
    "PRIVATE",
    "STATE_TIMEOUT",
    "TRACES_FILE",
    "BaseResponse",
    "Call",
    "CancelResponse",
    "ConfigT",
    "ElasticRendererPool",
    "Env",
    "EnvClient",
    "EnvServer",
    "EvalConfig",
    "HealthResponse",
    "InterceptHandler",
    "MCPConnection",
    "Private",
    "ServerBase",
    "bound_tool_message",
    "content_text",
    "create_attempt_log_dir",
    "mcp_content_to_chat_content",
    "message_to_wire",
    "narrow_config",
    "output_path",
    "run_eval",
    "saved_config_path",
    "setup_logging",
    "with_positional_taskset",
    "write_config",
]


@dataclass(frozen=True)
class Call:
    """How something is called: the number of positional arguments, and the names of the others."""

    positional: int = 0
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Private:
    """One private name of verifiers, as it is used here."""

    module: str
    """`verifiers.v1.…`."""
    used_by: str
    """Modules of this project."""
    look_for: str
    """In verifiers' source, where the name is gone or is called otherwise."""
    call: Call | None = None
    """None for what is not called."""
    members: Mapping[str, Call | None] = field(default_factory=dict)
    """Of a class: what is called or overridden, self left out, and what is only read."""

    def get(self, name: str) -> Any:
        """The object. Raises `ImportError`, which names what has moved and what to do."""
        try:
            return getattr(import_module(self.module), name)
        except (ImportError, AttributeError) as error:
            raise ImportError(
                f"verifiers {version('verifiers')} has no {self.module}.{name}, which"
                f" {self.used_by} needs: install a version that inward-chat is tested on (pip"
                f" install 'verifiers==0.4.0'), or mend inward_chat/verifiers_compat.py; look for"
                f" {self.look_for}"
            ) from error


def __getattr__(name: str) -> Any:
    if name not in PRIVATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return PRIVATE[name].get(name)


PRIVATE: dict[str, Private] = {
    # The harness.
    "message_to_wire": Private(
        "verifiers.v1.dialects.chat",
        "inward_chat.harness",
        "what turns a vf.Message into a message of the chat-completions wire format",
        Call(1),
    ),
    "MODEL_TRANSPORT_ERROR_EXIT_CODE": Private(
        "verifiers.v1.errors",
        "inward_chat.harness",
        "the exit code that Harness maps to an InterceptionError",
    ),
    "bound_tool_message": Private(
        "verifiers.v1.harnesses.utils.compaction",
        "inward_chat.chat",
        "what `null` does with a long tool result before it goes into the conversation",
        Call(1),
    ),
    "CONTEXT_OVERFLOW_MARKERS": Private(
        "verifiers.v1.harnesses.utils.compaction",
        "inward_chat.interception",
        "the words by which `null` knows a provider's refusal of a conversation for its length",
    ),
    # Tool servers.
    "MCP_CALL_ATTEMPTS": Private(
        "verifiers.v1.harnesses.utils.mcp",
        "inward_chat.tool_servers",
        "how often `null` repeats a tool call whose server does not answer",
    ),
    "MCPConnection": Private(
        "verifiers.v1.harnesses.utils.mcp",
        "inward_chat.tool_servers",
        "the client of the MCP SDK that `null` has per tool server",
        Call(1),
        members={"run": Call(1), "aclose": Call()},
    ),
    "mcp_content_to_chat_content": Private(
        "verifiers.v1.harnesses.utils.mcp",
        "inward_chat.tool_servers",
        "what turns the content of an MCP tool result into that of a chat message",
        Call(1),
    ),
    "STATE_TIMEOUT": Private(
        "verifiers.v1.mcp.server",
        "inward_chat.toolset",
        "the seconds that a tool server gives a request for the rollout's State",
    ),
    "ConfigT": Private(
        "verifiers.v1.mcp.server",
        "inward_chat.toolset",
        "the type variable of a Toolset's config",
    ),
    "ServerBase": Private(
        "verifiers.v1.mcp.server",
        "inward_chat.toolset, which overrides these members of vf.Toolset",
        "where a tool server reads and writes the rollout's State, and what runs on its event loop"
        " before it listens",
        members={
            "register": Call(1),
            "run": Call(),
            "_pull_state": Call(),
            "_push_state": Call(1),
        },
    ),
    # The train client.
    "ElasticRendererPool": Private(
        "verifiers.v1.clients.train",
        "quality_rag.calls",
        "the renderers that the train client of this process holds, by model",
        members={"_renderers": None},
    ),
    # The env server.
    "Env": Private(
        "verifiers.v1.env",
        "inward_training.env_server.worker",
        "the tool servers that all rollouts of a worker share, by name, with url and local",
        members={"_shared_tools": None},
    ),
    "EnvServer": Private(
        "verifiers.v1.serve.server",
        "inward_training.env_server.worker",
        "the server of one env process, which answers [client, request, method, payload]",
        Call(2),
        members={"run": Call(), "env": None},
    ),
    "EnvClient": Private(
        "verifiers.v1.serve.client",
        "inward_training.rollouts",
        "the client of an env server, which streams an episode's deltas until the reply",
        Call(1),
        members={
            "run": Call(names=("client", "model", "sampling", "task_data")),
            "wait_for_server_startup": Call(names=("timeout",)),
            "close": Call(),
        },
    ),
    "BaseResponse": Private(
        "verifiers.v1.serve.types",
        "inward_training.env_server.broker",
        "the reply that tells of a failure",
        Call(names=("success", "error")),
    ),
    "CancelResponse": Private(
        "verifiers.v1.serve.types",
        "inward_training.env_server.broker",
        "the reply to a request to end an episode",
        Call(names=("cancelled",)),
    ),
    "HealthResponse": Private(
        "verifiers.v1.serve.types",
        "inward_training.env_server.broker",
        "the reply to a health request",
        Call(),
    ),
    # The command line.
    "EvalConfig": Private(
        "verifiers.v1.configs.cli.eval",
        "inward.verifiers_runs",
        "the pydantic config of `vf-eval`",
        Call(),
    ),
    "narrow_config": Private(
        "verifiers.v1.cli.resolve",
        "inward.verifiers_runs",
        "what makes the config class of `vf-eval` that of one taskset, harness and environment",
        Call(2),
    ),
    "with_positional_taskset": Private(
        "verifiers.v1.cli.resolve",
        "inward.verifiers_runs",
        "what reads the leading word of a `vf-eval` command line as the taskset's id",
        Call(1),
    ),
    "run_eval": Private(
        "verifiers.v1.cli.eval.runner",
        "inward.verifiers_runs",
        "the coroutine in which `vf-eval` plays a run",
        Call(1),
    ),
    "create_attempt_log_dir": Private(
        "verifiers.v1.cli.output",
        "inward.verifiers_runs",
        "what makes RUN_DIR/logs/attempt_N",
        Call(1),
    ),
    "output_path": Private(
        "verifiers.v1.cli.output",
        "inward.verifiers_runs, inward.evaluate",
        "the folder of a run",
        Call(1),
    ),
    "saved_config_path": Private(
        "verifiers.v1.cli.output",
        "inward.verifiers_runs, inward.evaluate",
        "the file of the config that a run was played with",
        Call(1),
    ),
    "write_config": Private(
        "verifiers.v1.cli.output",
        "inward.evaluate",
        "what writes the config of a run to its folder",
        Call(2),
    ),
    "content_text": Private(
        "verifiers.v1.types", "inward.show", "the text parts of a message's content", Call(1)
    ),
    "LIBRARY_LOGGER": Private(
        "verifiers.v1.utils.logging",
        "inward.verifiers_runs",
        "the name of the logger that does not propagate",
    ),
    "InterceptHandler": Private(
        "verifiers.v1.utils.logging",
        "inward.verifiers_runs",
        "the logging.Handler that writes to eval.log",
        Call(),
    ),
    "setup_logging": Private(
        "verifiers.v1.utils.logging",
        "inward.verifiers_runs",
        "what sends verifiers' log to eval.log and, without a dashboard, to stderr",
        Call(1, ("log_file", "console")),
    ),
    "TRACES_FILE": Private(
        "verifiers.v1.utils.trace_store",
        "inward.runs",
        "the name of the file of a run's episodes",
    ),
}

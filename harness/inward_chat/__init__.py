"""In-process chat harness for verifiers, and the local environment and tool server beside it."""

# Before the imports: `local` names the harness by its id, which verifiers looks up in here.
__all__ = [
    "ExistingFile",
    "ExistingFolder",
    "InwardChat",
    "InwardChatConfig",
    "LocalEnv",
    "LocalEnvConfig",
    "LocalSeatsConfig",
    "Toolset",
    "local_agent",
    "named_harness",
    "refuse_own_harness",
    "without_secrets",
]

from inward_chat import loopback
from inward_chat.harness import InwardChat, InwardChatConfig
from inward_chat.interception import without_secrets
from inward_chat.local import (
    LocalEnv,
    LocalEnvConfig,
    LocalSeatsConfig,
    local_agent,
    named_harness,
    refuse_own_harness,
)
from inward_chat.paths import ExistingFile, ExistingFolder
from inward_chat.toolset import Toolset

# On import: the worker must have it before it starts a process or opens a connection, and every
# environment of ours imports this package.
loopback.exempt()

"""In-process chat harness for verifiers, and the local environment that stands on it."""

# Before the imports: `local` names the harness by its id, which verifiers looks up in here.
__all__ = ["InwardChat", "InwardChatConfig", "LocalEnv", "LocalEnvConfig", "local_agent"]

from inward_chat.harness import InwardChat, InwardChatConfig
from inward_chat.local import LocalEnv, LocalEnvConfig, local_agent

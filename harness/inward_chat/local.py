"""An environment for local runs: what a taskset package exports beside its taskset."""

from __future__ import annotations

import verifiers.v1 as vf

from inward_chat.errors import TOOL_SERVER_ERROR
from inward_chat.harness import InwardChatConfig

MAX_TURNS = 32
"""verifiers has no limit of its own, and a looping policy never ends."""


def local_agent(max_turns: int = MAX_TURNS) -> vf.AgentConfig:
    """A seat played by `inward-chat` in the env worker: the subprocess runtime (no account, no
    sandbox), at most `max_turns` model turns, one rerun of a rollout that a transport fault ended.
    The model's own faults and errors of the task's code are never rerun.
    """
    return vf.AgentConfig(
        harness=InwardChatConfig(),
        runtime=vf.SubprocessConfig(),
        max_turns=max_turns,
        retries=vf.RetryConfig(
            rules=[
                # The connection between the chat loop and the interception server.
                vf.RetryRule(type="InterceptionError", max_retries=1),
                # The connection to the model, or its server overloaded; never a refused request.
                vf.RetryRule(type="ProviderError", status_code=[408, 429, "5xx"], max_retries=1),
                vf.RetryRule(type="HarnessError", message=TOOL_SERVER_ERROR, max_retries=1),
            ]
        ),
    )


class LocalEnvConfig(vf.SingleAgentEnvConfig):
    agent: vf.AgentConfig = local_agent()
    """The one seat: `inward-chat`, in the worker, without a sandbox."""


class LocalEnv(vf.SingleAgentEnv, vf.Env[LocalEnvConfig]):
    """The single-agent environment with local defaults; `--env.agent.*` overrides each of them.

    A taskset package exports it as it is, or with a turn limit of its own:

        class MyEnvConfig(LocalEnvConfig):
            agent: vf.AgentConfig = local_agent(max_turns=10)

        class MyEnv(LocalEnv, vf.Env[MyEnvConfig]): ...
    """

"""An environment for local runs: what a taskset package exports beside its taskset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import verifiers.v1 as vf
from pydantic import ModelWrapValidatorHandler, model_validator

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
        # In so many words: see `InwardChatConfig`.
        harness=InwardChatConfig(id="inward-chat"),
        runtime=vf.SubprocessConfig(type="subprocess"),
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


class LocalSeatsConfig(vf.EnvConfig):
    """Of an environment with seats of any names and number, each by default a `local_agent()`."""

    @model_validator(mode="before")
    @classmethod
    def _an_address_is_enough(cls, data: Any) -> Any:
        """`--env.SEAT.client.base-url` alone names a server: verifiers wants `client.type` too. A
        seat that is trained elsewhere says `train`."""
        if not isinstance(data, Mapping):
            return data
        return {
            name: block if name == "taskset" else _evaluating(block) for name, block in data.items()
        }

    @model_validator(mode="wrap")
    @classmethod
    def _no_shell_unasked(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Refuses a harness that executes code, unless the input names it: as the `harness.id` of
        its seat, on the command line, in a file or in a dict. An `AgentConfig` object does not
        count: verifiers puts `bash` into one whose harness has lost its id, or has none.
        """
        if not isinstance(data, Mapping):
            return handler(data)
        named = {
            seat
            for seat, block in data.items()
            if isinstance(block, Mapping) and named_harness(block)
        }
        # A copy: verifiers writes the defaults into the dict that it is given.
        config = handler(dict(data))
        for seat, harness in config.agent_harnesses().items():
            if seat not in named and vf.load_harness(harness).EXECUTES_CODE:
                raise ValueError(
                    f"the harness {harness.id!r} executes code on this machine, and was not asked "
                    f"for by name: set --env.{seat}.harness.id to 'inward-chat' (plain chat and "
                    f"the task's own tools), or to {harness.id!r} if that is what you mean"
                )
        return config


def named_harness(seat: object) -> object:
    """The id of the harness that the input itself names for its seat; None: it names none. The
    default of a config class is no name."""
    harness = seat.get("harness") if isinstance(seat, Mapping) else getattr(seat, "harness", None)
    if isinstance(harness, vf.HarnessConfig):
        return harness.id if "id" in harness.model_fields_set else None
    return harness.get("id") if isinstance(harness, Mapping) else None


def refuse_own_harness(taskset: str, seat: str = "agent") -> None:
    """ValueError: the taskset brings a harness, and an environment over any taskset cannot know
    whether it is to play. For a config whose input names none for `seat`."""
    own = vf.default_harness_id(taskset)
    if own != taskset or issubclass(vf.harness_config_type(own), InwardChatConfig):
        return
    raise ValueError(
        f"the taskset {taskset!r} brings a harness of its own: take it with "
        f"--env.{seat}.harness.id {own} (it must not stream, or the train client must play it), "
        f"or play without it with --env.{seat}.harness.id inward-chat"
    )


class LocalEnvConfig(LocalSeatsConfig, vf.SingleAgentEnvConfig):
    agent: vf.AgentConfig = local_agent()
    """The one seat: `inward-chat`, in the worker, without a sandbox."""


class LocalEnv(vf.SingleAgentEnv, vf.Env[LocalEnvConfig]):
    """The single-agent environment with local defaults; `--env.agent.*` overrides each of them.

    A taskset package exports it as it is, or with a turn limit of its own:

        class MyEnvConfig(LocalEnvConfig):
            agent: vf.AgentConfig = local_agent(max_turns=10)

        class MyEnv(LocalEnv, vf.Env[MyEnvConfig]): ...
    """


def _evaluating(block: object) -> object:
    """A seat's settings, with the type of a client that has none."""
    client = block.get("client") if isinstance(block, Mapping) else None
    if not isinstance(block, Mapping) or not isinstance(client, Mapping) or "type" in client:
        return block
    return {**block, "client": {"type": "eval", **client}}

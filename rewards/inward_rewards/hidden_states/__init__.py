"""Where the policy's hidden states come from: one interface, three sources.

`off` measures nothing. `transformers` lets a local model read the completion. `vllm` asks the
policy's own engine, in the format of `entropy_wire`.
"""

try:
    import verifiers  # noqa: F401
except ModuleNotFoundError as error:
    raise ImportError(
        'inward_rewards.hidden_states needs verifiers: pip install "inward-rewards[verifiers]"'
    ) from error

from inward_rewards.entropy.wire import HiddenStatesError, UnmeasurableError
from inward_rewards.hidden_states.config import EntropyConfig
from inward_rewards.hidden_states.local import LocalModelSource
from inward_rewards.hidden_states.source import Measurement, Policy, Source
from inward_rewards.hidden_states.token_ids import Completion, completions, keep_token_ids
from inward_rewards.hidden_states.vllm import VllmSource

__all__ = [
    "Completion",
    "EntropyConfig",
    "HiddenStatesError",
    "LocalModelSource",
    "Measurement",
    "Policy",
    "Source",
    "UnmeasurableError",
    "VllmSource",
    "completions",
    "keep_token_ids",
    "make_source",
]


def make_source(config: EntropyConfig) -> Source | None:
    """The source that `config` names, not yet entered; None for `off`."""
    match config.source:
        case "transformers":
            return LocalModelSource(config)
        case "vllm":
            return VllmSource(config)
    return None

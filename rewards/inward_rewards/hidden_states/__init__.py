"""Where the policy's hidden states come from: one interface, several sources.

`off` measures nothing. `transformers` lets a local model read the completion. `vllm` asks the
policy's own engine, in the format of `inward_rewards.entropy.wire`. `live` is what a program hands
over: a `LiveModelSource` over the module that it trains, or a `Source` of its own.
"""

try:
    import verifiers  # noqa: F401
except ModuleNotFoundError as error:
    raise ImportError(
        'inward_rewards.hidden_states needs verifiers: pip install "inward-rewards[verifiers]"'
    ) from error

from inward_rewards.entropy.wire import HiddenStatesError, UnmeasurableError
from inward_rewards.hidden_states.config import EntropyConfig
from inward_rewards.hidden_states.inspector import Inspector
from inward_rewards.hidden_states.local import LiveModelSource, LocalModelSource
from inward_rewards.hidden_states.source import Measurement, Policy, Source
from inward_rewards.hidden_states.spans import (
    CompletionScore,
    SpanSource,
    boundary,
    span_source,
)
from inward_rewards.hidden_states.token_ids import (
    ASK,
    Completion,
    completions,
    keep_token_ids,
    last_spoken,
)
from inward_rewards.hidden_states.vllm import VllmSource

__all__ = [
    "ASK",
    "Completion",
    "CompletionScore",
    "EntropyConfig",
    "HiddenStatesError",
    "Inspector",
    "LiveModelSource",
    "LocalModelSource",
    "Measurement",
    "Policy",
    "Source",
    "SpanSource",
    "UnmeasurableError",
    "VllmSource",
    "boundary",
    "completions",
    "keep_token_ids",
    "last_spoken",
    "make_source",
    "span_source",
]


def make_source(config: EntropyConfig, live: Source | None = None) -> Source | None:
    """The source that `config` names, not yet entered; None for `off`.

    `live`: the one that the program hands over. ValueError: there is none and the config asks for
    it, or the other way round.
    """
    if live is not None and config.source != "live":
        raise ValueError(
            f"a source was handed over, and entropy.source is {config.source!r}: "
            'set entropy.source to "live"'
        )
    match config.source:
        case "transformers":
            return LocalModelSource(config)
        case "vllm":
            return VllmSource(config)
        case "live":
            if live is None:
                raise ValueError(
                    'entropy.source = "live" reads a model of the program that runs the '
                    "environment: hand it over with env.use(LiveModelSource(module, config, lock)) "
                    'before env.serving(), or set entropy.source to "vllm" or "transformers"'
                )
            return live
    return None

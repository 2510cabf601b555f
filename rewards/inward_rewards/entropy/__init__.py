"""Matrix entropy of hidden states, and the bonus for it.

    definition, layers      what is measured: free of torch and of verifiers
    spectrum                the formulas: torch
    wire                    request and answer of an engine that measures its own policy
    bonus                   measure, record, siblings, gate, replay: verifiers
    environment, report     the bonus in a task and in an environment, and in the report of a run

What is heavy is imported where it is asked for: an engine needs no verifiers, a client no torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from inward_rewards.entropy.definition import (
    ADVENT,
    LAYER_BY_LAYER,
    PLAIN,
    PRESETS,
    Definition,
    Normalise,
)
from inward_rewards.entropy.layers import middle_layers, select_layers

if TYPE_CHECKING:
    from inward_rewards.entropy.bonus import (
        BonusConfig,
        Meter,
        Record,
        Sibling,
        bonus_of,
        metrics_of,
        replayed,
    )
    from inward_rewards.entropy.environment import (
        BonusEnv,
        BonusEnvConfig,
        BonusTask,
        metered,
    )
    from inward_rewards.entropy.report import EntropyReport
    from inward_rewards.entropy.spectrum import effective_rank, matrix_entropy, prefix_entropy

_LATER = {
    "spectrum": ("effective_rank", "matrix_entropy", "prefix_entropy"),
    "bonus": ("BonusConfig", "Meter", "Record", "Sibling", "bonus_of", "metrics_of", "replayed"),
    "environment": ("BonusEnv", "BonusEnvConfig", "BonusTask", "metered"),
    "report": ("EntropyReport",),
}
"""Module -> the names that it defines."""

__all__ = [
    "ADVENT",
    "LAYER_BY_LAYER",
    "PLAIN",
    "PRESETS",
    "BonusConfig",
    "BonusEnv",
    "BonusEnvConfig",
    "BonusTask",
    "Definition",
    "EntropyReport",
    "Meter",
    "Normalise",
    "Record",
    "Sibling",
    "bonus_of",
    "effective_rank",
    "matrix_entropy",
    "metered",
    "metrics_of",
    "middle_layers",
    "prefix_entropy",
    "replayed",
    "select_layers",
]


def __getattr__(name: str) -> Any:
    for module, names in _LATER.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

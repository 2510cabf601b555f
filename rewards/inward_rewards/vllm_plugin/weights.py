"""Which weights a score is of: what the trainer calls them, how often they were loaded since."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass


@dataclass(frozen=True)
class Weights:
    """What a worker's model holds during one step. As text: the version that a score names."""

    loads: int
    """How often weights were loaded since the start."""
    trainers_name: str | None = None
    """The version that the trainer gave the engine, where it gave one."""
    named_at: int = 0
    """`loads` when it did."""
    adapter: str | None = None

    def __str__(self) -> str:
        later = self.loads - self.named_at
        name = str(self.loads) if self.trainers_name is None else self.trainers_name
        if self.trainers_name is not None and later:
            name += f" and {later} loads later"
        return name if self.adapter is None else f"{name}, {self.adapter}"


class WeightLog:
    """Counts the loads of one worker's model and of its LoRA adapters."""

    def __init__(self) -> None:
        self._loads = 0
        self._adapter_loads: Counter[int] = Counter()
        self._name: str | None = None
        self._named_at = 0

    def count_load(self) -> None:
        self._loads += 1

    def count_adapter_load(self, adapter_id: int) -> None:
        self._adapter_loads[adapter_id] += 1

    def set_name(self, name: str | None) -> None:
        """The trainer's name, as the engine has it now; None: it has none."""
        if name not in (None, self._name):
            self._name, self._named_at = name, self._loads

    def base(self) -> Weights:
        return Weights(self._loads, self._name, self._named_at)

    def with_adapter(self, name: str, adapter_id: int) -> Weights:
        adapter = f"adapter {name} ({adapter_id}, load {self._adapter_loads[adapter_id]})"
        return Weights(self._loads, self._name, self._named_at, adapter)

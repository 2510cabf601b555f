"""The interface: ask a source for the entropy of a span of tokens, get a measurement."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal, Protocol

import verifiers.v1 as vf
from verifiers.v1.clients.client import SESSION_ID_HEADER
from verifiers.v1.configs.client import resolve_api_key, resolve_headers

from inward_rewards.entropy.definition import PRESETS, Definition
from inward_rewards.entropy.wire import HiddenStatesError
from inward_rewards.hidden_states.token_ids import AnyTrace, Completion

Measures = Literal["policy", "text"]


@dataclass(frozen=True)
class Policy:
    """Who produced the completion, and where its engine is."""

    model: str
    base_url: str
    headers: tuple[tuple[str, str], ...]
    trains: bool
    """Its weights change during the run."""

    @classmethod
    def of(cls, trace: AnyTrace) -> Policy:
        """The seat that played `trace`."""
        if trace.agent.config.client is None:
            raise HiddenStatesError("the trace names no model endpoint: was it played by an env?")
        client, model = trace.agent.config.client, trace.agent.config.model
        headers = {
            "Authorization": f"Bearer {resolve_api_key(client)}",
            **resolve_headers(client),
            # As with the rollout's own calls: routers go by it, and spread the scores by it.
            SESSION_ID_HEADER: trace.id,
        }
        return cls(
            model=str(model),
            base_url=client.base_url,
            headers=tuple(headers.items()),
            trains=isinstance(client, vf.TrainClientConfig),
        )


@dataclass(frozen=True)
class Measurement:
    """Matrix entropy of one completion's hidden states, layer by layer."""

    layers: tuple[int, ...]
    per_layer: tuple[float, ...]
    """Before normalisation, in the preset's unit."""
    tokens: int
    dim: int
    preset: str
    alpha: float
    measures: Measures
    """`policy`: the states are the policy's own. `text`: another model read its text."""
    scorer: str
    """Model, or engine and plugin version."""
    policy_version: str | None = None
    dtype: str | None = None
    """Of the model that was read, as torch calls it; None: not known."""
    left_out: int = 0
    """Tokens at the end that were not read: a full context has no room for the last one."""

    def __post_init__(self) -> None:
        """HiddenStatesError: numbers that no hidden states of this shape can have."""
        if not self.per_layer or not all(math.isfinite(value) for value in self.per_layer):
            raise HiddenStatesError(f"{self.scorer} gave no finite entropy: {self.per_layer!r}")
        definition = PRESETS.get(self.preset)
        if definition is None or min(self.tokens, self.dim) < 1:
            raise HiddenStatesError(
                f"{self.scorer} measured {self.tokens} tokens of {self.dim} dimensions by preset "
                f"{self.preset!r}, which cannot be: presets are {', '.join(PRESETS)}"
            )
        if len(self.per_layer) != len(self.layers):
            raise HiddenStatesError(
                f"{self.scorer} gave {len(self.per_layer)} entropies for layers "
                f"{list(self.layers)!r}"
            )
        for value in self.per_layer:
            if not definition.possible(value, self.tokens, self.dim):
                raise HiddenStatesError(
                    f"{self.scorer} gave an entropy of {value!r}, which {self.tokens} tokens of "
                    f"{self.dim} dimensions cannot have: it lies in 0..log(min(tokens, dimensions))"
                )

    @property
    def rounding(self) -> float:
        """By how much `raw` may be off, in its own unit."""
        return PRESETS[self.preset].rounding(self.dtype)

    @property
    def raw(self) -> float:
        """Mean over the layers."""
        return sum(self.per_layer) / len(self.per_layer)

    def value(self, definition: Definition) -> float:
        """The mean over the layers, divided as `definition` asks."""
        return self.raw / definition.scale(self.tokens, self.dim)

    def to_info(self) -> dict[str, Any]:
        """As it is kept in `trace.info`."""
        return asdict(self)

    @classmethod
    def from_info(cls, info: dict[str, Any]) -> Measurement:
        sequences = {name: tuple(info[name]) for name in ("layers", "per_layer")}
        return cls(**{**info, **sequences})


class Source(Protocol):
    """A place that measures. Use as `async with`; `measure` may be called concurrently.

    Implement it to feed the bonus from elsewhere, and hand it to an environment with `env.use`.
    """

    async def __aenter__(self) -> Source: ...

    async def __aexit__(self, *exc_info: object) -> None: ...

    async def measure(self, completion: Completion, policy: Policy) -> Measurement:
        """HiddenStatesError: the machine could not measure. Never a made-up value.

        UnmeasurableError: the rollout is too long to be read here, or holds what cannot be.
        """
        ...

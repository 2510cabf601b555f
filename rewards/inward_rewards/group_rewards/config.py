"""`--env.*` of a group reward: which one, and the settings of each."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator
from pydantic_config import BaseConfig

from inward_rewards.hidden_states import EntropyConfig

MethodName = Literal[
    "majority",
    "semantic_entropy",
    "ttrv",
    "random",
    "shuffled",
    "noisy",
    "calibrated",
    "rent",
    "em_rl_token",
    "self_certainty",
    "pear",
    "repexp",
    "rank",
    "ares",
]


class VotesConfig(BaseConfig):  # type: ignore[misc]
    answer: Literal["marked", "last_line"] = "marked"
    """`marked`: the reply's only <answer> block or, without any, its last \\boxed{}, outside the
    thinking. `last_line`: the last line that is not blank, outside the thinking."""
    same: Literal["maths", "text"] = "maths"
    """`maths`: equal by the maths verifier. `text`: equal but for case and spaces."""
    alpha: float = Field(1.0, ge=0, allow_inf_nan=False)
    """`ttrv` only: the weight of the negative answer entropy."""


class NoisyConfig(BaseConfig):  # type: ignore[misc]
    probability: float = Field(0.1, ge=0, le=1)
    """Of a flipped group."""


class PearConfig(BaseConfig):  # type: ignore[misc]
    alpha: float = Field(1.0, ge=0, allow_inf_nan=False)
    """Weight of the answer's mean entropy."""
    wrong: float = Field(0.0, allow_inf_nan=False)
    """Reward of a wrong reply."""
    mark: str = Field("</think>", min_length=1)
    """What ends the thinking."""


class RepExpConfig(BaseConfig):  # type: ignore[misc]
    ridge: float = Field(0.01, gt=0, allow_inf_nan=False)
    """λ, on the scale of the squared states: siblings further apart than its root are equally
    new."""
    form: Literal["leave_one_out", "leverage"] = "leave_one_out"
    """Whether a sibling is compared with the others, or with all."""
    gate: Literal["solved_group", "correct"] = "solved_group"
    """`solved_group`: every sibling of a group with a right one is paid, as in the source.
    `correct`: only the right ones."""


class AresConfig(BaseConfig):  # type: ignore[misc]
    window: int = Field(4, ge=1)
    """Tokens of a window."""
    percentile: float = Field(0.8, gt=0, lt=1)
    """Of the group's window entropies: those above it are high."""
    cap: float = Field(0.5, gt=0, le=1)
    """The largest reward or penalty; of hard tasks 1.2 times that."""


OWNERS: dict[str, frozenset[str]] = {
    "votes": frozenset({"majority", "semantic_entropy", "ttrv"}),
    "noisy": frozenset({"noisy"}),
    "pear": frozenset({"pear"}),
    "repexp": frozenset({"repexp"}),
    "ares": frozenset({"ares"}),
    "band": frozenset({"random", "rank"}),
    "seed": frozenset({"random", "shuffled", "noisy"}),
}
"""Setting -> the rewards that read it."""


class GroupRewardConfig(BaseConfig):  # type: ignore[misc]
    reward: MethodName | None = None
    """Which reward: docs/rewards.md has a row for each."""
    seed: int = 0
    """Of `random`, `shuffled` and `noisy`: they draw by seed, task and sibling."""
    band: float = Field(0.1, gt=0, le=1)
    """`random` and `rank` lie in -band..+band."""
    votes: VotesConfig = VotesConfig()
    noisy: NoisyConfig = NoisyConfig()
    pear: PearConfig = PearConfig()
    repexp: RepExpConfig = RepExpConfig()
    ares: AresConfig = AresConfig()
    entropy: EntropyConfig = EntropyConfig()
    """Where the measures come from, for rewards that need some: `source` is `vllm` or
    `transformers`, and `preset`, `alpha` and `normalise` do not matter."""

    @model_validator(mode="after")
    def _settings_of_this_reward(self) -> Self:
        if self.reward is None:
            return self
        defaults = type(self).model_fields
        for name, owners in OWNERS.items():
            if self.reward not in owners and getattr(self, name) != defaults[name].default:
                raise ValueError(
                    f"{name} is a setting of {', '.join(sorted(owners))}, and the reward is "
                    f"{self.reward!r}: leave it out, or choose another reward"
                )
        return self

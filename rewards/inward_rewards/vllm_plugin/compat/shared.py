"""What more than one of vLLM's processes reads: the settings, a request's spans, what travels."""

from __future__ import annotations

from typing import Any

from inward_rewards.entropy.wire import ScoreRequest
from inward_rewards.vllm_plugin.settings import KEY, Settings

ANSWERS = "inward_answers"
"""Attribute by which a step's answers travel from the worker to the scheduler."""
WEIGHT_VERSION = "inward_weight_version"
"""Attribute by which the engine's weight version travels from the scheduler to the worker."""


def settings_of(config: Any) -> Settings:
    """The plugin's settings in a `VllmConfig`. ValueError: the one line that a user should see."""
    n_layers = config.model_config.get_total_num_hidden_layers()
    try:
        return Settings.parse(config.additional_config[KEY], n_layers)
    except ValueError as error:
        raise ValueError(f"inward: --additional-config {KEY!r}: {error}") from None


def score_request(request: Any) -> ScoreRequest | None:
    """What a scheduler's or worker's request asks for; None: no score.

    ValueError: spans that the front end would have refused; not every front end runs plugins.
    """
    extra = getattr(request.sampling_params, "extra_args", None)
    return ScoreRequest.from_xargs(extra, len(request.prompt_token_ids or ())) if extra else None

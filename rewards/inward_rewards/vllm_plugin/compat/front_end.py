"""vLLM's front end, watched: each configuration that is made, each request that comes in."""

from __future__ import annotations

import functools
import logging
import os
from typing import Any

from inward_rewards.entropy.wire import SPANS_KEY
from inward_rewards.vllm_plugin.compat import scheduler, worker
from inward_rewards.vllm_plugin.compat.names import CONFIG, FRONT_END
from inward_rewards.vllm_plugin.compat.search import check, check_config, check_object, touch
from inward_rewards.vllm_plugin.compat.shared import settings_of
from inward_rewards.vllm_plugin.front_end import (
    KVTransfer,
    Prompt,
    Server,
    check_prompt,
    notices,
    refusals,
)
from inward_rewards.vllm_plugin.settings import KEY

logger = logging.getLogger("vllm.inward")


def watch_start_up() -> None:
    """Look at every configuration that this process makes."""
    from vllm.engine.arg_utils import EngineArgs

    make = getattr(EngineArgs, "create_engine_config", None)
    if make is None:
        logger.error("inward: not available: this vLLM has no EngineArgs.create_engine_config")
    elif not hasattr(make, "inward"):
        EngineArgs.create_engine_config = _watched(make)


def _watched(make: Any) -> Any:
    @functools.wraps(make)
    def create_engine_config(self: Any, *args: Any, **kwargs: Any) -> Any:
        config = make(self, *args, **kwargs)
        if isinstance(config.additional_config, dict) and KEY in config.additional_config:
            _switch_on(config)
        return config

    create_engine_config.inward = True  # type: ignore[attr-defined]
    return create_engine_config


def _switch_on(config: Any) -> None:
    check(FRONT_END)
    check_config(config, CONFIG)
    settings, server = settings_of(config), read_server(config)
    for refusal in refusals(server, settings):
        raise ValueError(f"inward: cannot score hidden states {refusal}")
    _take_over(config.parallel_config, config.scheduler_config)
    _watch_requests()
    logger.info(
        "inward: %s of layers %s, preset %s",
        ", ".join(settings.measures),
        list(settings.layers),
        settings.preset,
    )
    for notice in notices(server, settings):
        logger.warning("inward: %s", notice)


def read_server(config: Any) -> Server:
    """What the plugin judges of a `VllmConfig`."""
    model, parallel = config.model_config, config.parallel_config
    speculation, transfer = config.speculative_config, config.kv_transfer_config
    return Server(
        max_model_len=model.max_model_len,
        runner_type=model.runner_type,
        speculation=None if speculation is None else speculation.method,
        rust_front_end=bool(int(os.environ.get("VLLM_USE_RUST_FRONTEND", "0"))),
        pipeline_parallel_size=parallel.pipeline_parallel_size,
        prefill_context_parallel_size=parallel.prefill_context_parallel_size,
        dual_batch_overlap=parallel.use_ubatching,
        lora=config.lora_config is not None,
        kv_transfer=None if transfer is None else _read_transfer(transfer),
    )


def _read_transfer(transfer: Any) -> KVTransfer:
    inner = (transfer.kv_connector_extra_config or {}).get("connectors", [])
    return KVTransfer(
        transfer.kv_connector,
        transfer.kv_role,
        tuple(one["kv_connector"] for one in inner if "kv_connector" in one),
    )


def _take_over(parallel: Any, scheduling: Any) -> None:
    """Name the plugin's worker and scheduler in the configuration."""
    base = scheduler.base_name(scheduling)
    worker_cls = worker.BASES.get(parallel.worker_cls)
    scheduler_cls = scheduler.BASES.get(base)
    if worker_cls is None or scheduler_cls is None:
        raise ValueError(
            f"inward: knows no worker class {parallel.worker_cls!r} with scheduler class "
            f"{base!r}; the workers are {', '.join(worker.BASES)}, the schedulers "
            f"{', '.join(scheduler.BASES)}"
        )
    parallel.worker_cls = f"{worker.__name__}.{worker_cls}"
    scheduling.scheduler_cls = f"{scheduler.__name__}.{scheduler_cls}"


def _watch_requests() -> None:
    from vllm.v1.engine.input_processor import InputProcessor

    process = InputProcessor.process_inputs
    if hasattr(process, "inward"):
        return
    processor_touch = touch(FRONT_END, "InputProcessor")

    @functools.wraps(process)
    def process_inputs(self: Any, *args: Any, **kwargs: Any) -> Any:
        request = process(self, *args, **kwargs)
        check_object(FRONT_END.name, processor_touch, self)
        if KEY in self.vllm_config.additional_config:
            inspect_request(request, self.vllm_config)
        return request

    process_inputs.inward = True  # type: ignore[attr-defined]
    InputProcessor.process_inputs = process_inputs


def inspect_request(request: Any, config: Any) -> None:
    """Turn a bad scoring request away; vLLM makes a 400 of the error."""
    from vllm.exceptions import VLLMValidationError
    from vllm.sampling_params import RequestOutputKind

    params = request.sampling_params
    extra = getattr(params, "extra_args", None) or {}
    if SPANS_KEY not in extra:
        return
    places = [feature.mm_position for feature in request.mm_features or ()]
    prompt = Prompt(
        xargs=extra,
        token_ids=request.prompt_token_ids,
        n=params.n,
        streams=params.output_kind is RequestOutputKind.DELTA,
        pictures=tuple((place.offset, place.offset + place.length) for place in places),
    )
    try:
        check_prompt(prompt, settings_of(config), config.model_config.hf_config)
    except ValueError as error:
        raise VLLMValidationError(str(error)) from None
    # Blocks from the prefix cache have no hidden states, and may be of older weights.
    params.skip_reading_prefix_cache = True

"""vLLM's scheduler, with admission to scoring: a subclass, in the engine core's process."""

from __future__ import annotations

import functools
from typing import Any

from inward_rewards.entropy.wire import SPANS_KEY
from inward_rewards.vllm_plugin.compat.names import ENGINE_CORE
from inward_rewards.vllm_plugin.compat.search import base_of, check, check_object, touch
from inward_rewards.vllm_plugin.compat.shared import (
    ANSWERS,
    WEIGHT_VERSION,
    score_request,
    settings_of,
)
from inward_rewards.vllm_plugin.scheduler import Admission

BASES = {
    "vllm.v1.core.sched.scheduler.Scheduler": "Scheduler",
    "vllm.v1.core.sched.async_scheduler.AsyncScheduler": "AsyncScheduler",
}
"""Schedulers of vLLM's, and the names of their subclasses here."""


def __getattr__(name: str) -> Any:
    """The subclasses are made where they are asked for: only one process has the bases."""
    base = base_of(BASES, name)
    if base is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    _watch_weight_version()
    globals()[name] = made = subclass(base, name)
    return made


def base_name(scheduler_config: Any) -> str:
    """The scheduler that vLLM would take."""
    if scheduler_config.scheduler_cls is not None:
        return str(scheduler_config.scheduler_cls)
    is_async = scheduler_config.async_scheduling
    module = "async_scheduler.AsyncScheduler" if is_async else "scheduler.Scheduler"
    return f"vllm.v1.core.sched.{module}"


def subclass(base: Any, name: str) -> Any:
    check(ENGINE_CORE)
    request_touch = touch(ENGINE_CORE, "Request")

    class Scheduler(base):  # type: ignore[misc]
        def __init__(self, vllm_config: Any, *args: Any, **kwargs: Any) -> None:
            super().__init__(vllm_config, *args, **kwargs)
            settings = settings_of(vllm_config)
            tokens = vllm_config.scheduler_config.max_num_batched_tokens
            self._inward: Admission[Any] = Admission(settings.buffer_tokens, tokens // 2)

        def add_request(self, request: Any) -> None:
            check_object(ENGINE_CORE.name, request_touch, request)
            if self._inward_admits(request):
                super().add_request(request)

        def _inward_admits(self, request: Any) -> bool:
            try:
                wanted = score_request(request)
            except ValueError:  # the worker will find it too, and answer
                return self._inward.expect(request.request_id)
            return wanted is None or self._inward.admit(
                request.request_id, request, wanted, len(request.prompt_token_ids)
            )

        def finish_requests(self, request_ids: Any, finished_status: Any) -> Any:
            ended = {request_ids} if isinstance(request_ids, str) else request_ids
            # A request that still waits for admission ends as any other: in vLLM's hands.
            for request in self._inward.withdraw(ended):
                super().add_request(request)
            return super().finish_requests(request_ids, finished_status)

        def schedule(self, *args: Any, **kwargs: Any) -> Any:
            step = super().schedule(*args, **kwargs)
            if self._inward.busy:
                setattr(step, WEIGHT_VERSION, _weight_version)
            return step

        def has_finished_requests(self) -> bool:
            # Without this the engine would sleep while the worker owes a score or free rows.
            return super().has_finished_requests() or self._inward.awaits

        def update_from_output(self, scheduler_output: Any, model_runner_output: Any) -> Any:
            outputs = super().update_from_output(scheduler_output, model_runner_output)
            answers = getattr(model_runner_output, ANSWERS, {})
            if answers or self._inward.busy:
                _deliver(self._inward, outputs, answers)
                for request in self._inward.admissible():
                    super().add_request(request)
            return outputs

    Scheduler.__name__ = Scheduler.__qualname__ = name
    return Scheduler


_weight_version: str | None = None
"""As the trainer set it; of the engine core that lives in this process."""


def _watch_weight_version() -> None:
    """Older versions of vLLM have none."""
    from vllm.v1.engine.core import EngineCore

    set_version = getattr(EngineCore, "set_weight_version", None)
    if set_version is None or hasattr(set_version, "inward"):
        return

    @functools.wraps(set_version)
    def set_weight_version(self: Any, weight_version: str) -> None:
        global _weight_version
        set_version(self, weight_version)
        _weight_version = weight_version

    set_weight_version.inward = True  # type: ignore[attr-defined]
    EngineCore.set_weight_version = set_weight_version


def _deliver(admission: Admission[Any], outputs: dict[int, Any], answers: dict[str, Any]) -> None:
    """Hold finished requests back until their answer is there, and put both together."""
    from vllm.v1.engine import EngineCoreOutputs, FinishReason

    for client, step in outputs.items():
        ready = []
        for output in step.outputs:
            if output.finish_reason in (FinishReason.ABORT, FinishReason.ERROR):
                admission.forget(output.request_id)
            if output.finish_reason is None or not admission.hold(
                output.request_id, client, output
            ):
                ready.append(output)
        step.outputs = ready
    for client, output, answer in admission.settle(answers):
        output.kv_transfer_params = {**(output.kv_transfer_params or {}), SPANS_KEY: answer}
        outputs.setdefault(client, EngineCoreOutputs()).outputs.append(output)

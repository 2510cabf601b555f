"""Everything that this plugin knows of vLLM's inside, in one file.

The front end is asked once, at start-up: when its config is made, the plugin checks it and names
two subclasses in it, by vLLM's own options for that (`worker_cls`, `scheduler_cls`). They are
defined below. Nothing is patched but the making of the config and, once switched on, the input
processor, which turns a bad request away with a 400, and the setting of the engine's weight
version, where it has one, which is noted down.

Tried with:

| vLLM   | how                                                                        |
|--------|----------------------------------------------------------------------------|
| 0.26.0 | CPU build, V1 model runner: all tests but those of placeholders, adapters  |
|        | and weight updates; these and the V2 model runner: sources read            |
| 0.28.0 | CPU build: every attribute below is there; 0.30.0 as well                  |
| 0.31.0 | CPU build, V1 model runner: the request tests, but for load and faults     |
| 0.32.0 | CPU build, V1 model runner: all tests; V2 model runner: agreement          |
| 0.33.0 | sources read, but for placeholders, adapters and weight updates            |

Whatever the version, `check` looks for each attribute at start-up, in the process that uses it.
"""

from __future__ import annotations

import copy
import dis
import functools
import importlib
import importlib.metadata
import inspect
import logging
import operator
import os
from collections import Counter
from dataclasses import dataclass
from typing import Any

from inward_rewards.entropy.wire import SPANS_KEY, ScoreRequest
from inward_rewards.vllm_plugin.placeholders import placeholder_ids, refuse_bare, refuse_deepstack
from inward_rewards.vllm_plugin.settings import KEY, Settings

logger = logging.getLogger("vllm.inward")

Points = tuple[tuple[str, tuple[str, ...]], ...]

CONFIG = (
    "kv_transfer_config",
    "model_config.dtype",
    "model_config.get_hidden_size",
    "model_config.get_total_num_hidden_layers",
    "model_config.hf_config",
    "model_config.max_model_len",
    "model_config.runner_type",
    "parallel_config.pipeline_parallel_size",
    "parallel_config.prefill_context_parallel_size",
    "parallel_config.use_ubatching",
    "parallel_config.worker_cls",
    "scheduler_config.async_scheduling",
    "scheduler_config.max_num_batched_tokens",
    "scheduler_config.scheduler_cls",
    "speculative_config",
)
FRONT_END: Points = (
    ("vllm.config:SpeculativeConfig", ("method",)),
    ("vllm.exceptions:VLLMValidationError", ()),
    ("vllm.v1.engine.input_processor:InputProcessor", ("process_inputs", "vllm_config")),
    ("vllm.v1.engine:EngineCoreRequest", ("prompt_token_ids", "sampling_params", "mm_features")),
    ("vllm.multimodal.inputs:MultiModalFeatureSpec", ("mm_position",)),
    ("vllm.multimodal.inputs:PlaceholderRange", ("offset", "length")),
    ("vllm.sampling_params:SamplingParams", ("extra_args", "n", "skip_reading_prefix_cache")),
    ("vllm.sampling_params:SamplingParams", ("output_kind",)),
    ("vllm.sampling_params:RequestOutputKind", ("DELTA",)),
)
ENGINE_CORE: Points = (
    ("vllm.v1.core.sched.scheduler:Scheduler", ("add_request", "finish_requests")),
    ("vllm.v1.core.sched.scheduler:Scheduler", ("has_finished_requests", "update_from_output")),
    ("vllm.v1.core.sched.scheduler:Scheduler", ("schedule",)),
    ("vllm.v1.request:Request", ("request_id", "sampling_params", "prompt_token_ids")),
    ("vllm.v1.engine:EngineCoreOutput", ("request_id", "finish_reason", "kv_transfer_params")),
    ("vllm.v1.engine:EngineCoreOutputs", ("outputs",)),
    ("vllm.v1.engine:FinishReason", ("ABORT", "ERROR")),
)
WORKER: Points = (
    ("vllm.v1.worker.gpu_worker:Worker", ("load_model", "execute_model", "sample_tokens")),
    ("vllm.v1.worker.gpu_worker:Worker", ("get_model", "add_lora")),
    ("vllm.v1.core.sched.output:SchedulerOutput", ("scheduled_new_reqs", "finished_req_ids")),
    ("vllm.v1.core.sched.output:SchedulerOutput", ("scheduled_cached_reqs",)),
    ("vllm.v1.core.sched.output:SchedulerOutput", ("num_scheduled_tokens",)),
    ("vllm.v1.core.sched.output:SchedulerOutput", ("total_num_scheduled_tokens",)),
    ("vllm.v1.core.sched.output:NewRequestData", ("req_id", "prompt_token_ids")),
    ("vllm.v1.core.sched.output:NewRequestData", ("sampling_params", "num_computed_tokens")),
    ("vllm.v1.core.sched.output:NewRequestData", ("lora_request",)),
    ("vllm.lora.request:LoRARequest", ("lora_name", "lora_int_id")),
    ("vllm.v1.core.sched.output:CachedRequestData", ("req_ids", "num_computed_tokens")),
    ("vllm.v1.outputs:AsyncModelRunnerOutput", ("get_output",)),
    ("vllm.distributed.parallel_state:get_tensor_model_parallel_rank", ()),
    ("vllm.model_executor.model_loader.utils:get_model_cls", ()),
    ("vllm.model_executor.models.interfaces:supports_eagle3", ()),
    ("vllm.model_executor.models.interfaces:SupportsEagle3", ("set_aux_hidden_state_layers",)),
)
RUNNER = ("use_aux_hidden_state_outputs", "execute_model_state")
RUNNER_V1: Points = (
    ("vllm.v1.worker.gpu_model_runner:ExecuteModelState", ("aux_hidden_states",)),
    ("vllm.v1.worker.gpu_input_batch:InputBatch", ("req_ids",)),
)
RUNNER_V2: Points = (
    ("vllm.v1.worker.gpu.model_runner:ExecuteModelState", ("aux_hidden_states", "input_batch")),
    ("vllm.v1.worker.gpu.input_batch:InputBatch", ("req_ids",)),
)

WORKERS = {
    "vllm.v1.worker.gpu_worker.Worker": "Worker",
    "vllm.v1.worker.cpu_worker.CPUWorker": "CPUWorker",
}
SCHEDULERS = {
    "vllm.v1.core.sched.scheduler.Scheduler": "Scheduler",
    "vllm.v1.core.sched.async_scheduler.AsyncScheduler": "AsyncScheduler",
}
SPLIT = {
    "MoRIIOConnector",
    "MooncakeConnector",
    "NixlConnector",
    "NixlPullConnector",
    "NixlPushConnector",
    "P2pNcclConnector",
}
"""KV connectors between engines of which one reads the prompt and another generates."""
UPDATES = ("update_weights", "finish_weight_update")
"""A worker's methods of a transfer that may write into the parameters in place."""
SPECULATION = {"ngram", "suffix"}
"""Methods of speculative decoding that read no hidden states."""
_ANSWERS = "inward_answers"
"""Attribute by which a step's answers travel from the worker to the scheduler."""
_VERSION = "inward_weight_version"
"""Attribute by which the engine's weight version travels from the scheduler to the worker."""


@dataclass(frozen=True)
class Weights:
    """What a worker's model holds during one step. As text: the version that a score names."""

    loads: int
    """How often weights were loaded since the start."""
    own: str | None = None
    """The version that the trainer gave the engine, where it gave one."""
    own_loads: int = 0
    """`loads` when it did."""
    adapter: str | None = None

    def __str__(self) -> str:
        later = self.loads - self.own_loads
        name = str(self.loads) if self.own is None else self.own
        if self.own is not None and later:
            name += f" and {later} loads later"
        return name if self.adapter is None else f"{name}, {self.adapter}"


def version() -> str:
    return importlib.metadata.version("vllm")


def check(points: Points) -> None:
    """RuntimeError where this vLLM lacks an attribute that is used here."""
    for place, names in points:
        module, _, name = place.partition(":")
        try:
            owner = getattr(importlib.import_module(module), name)
        except (ImportError, AttributeError):
            raise _misfit(place) from None
        for attribute in names:
            if not _has(owner, attribute):
                raise _misfit(f"{place}.{attribute}")


def _has(owner: Any, name: str) -> bool:
    fields = (
        *getattr(owner, "__dataclass_fields__", ()),
        *getattr(owner, "__struct_fields__", ()),
    )
    declared = (*fields, *getattr(owner, "__annotations__", ()))
    return hasattr(owner, name) or name in declared or name in _set_by_init(owner)


def _set_by_init(owner: Any) -> set[str]:
    """Attributes that a class sets in its own code without declaring them."""
    init = getattr(owner, "__init__", None)
    if not inspect.isfunction(init):
        return set()
    return {step.argval for step in dis.get_instructions(init) if step.opname == "STORE_ATTR"}


def _misfit(what: str) -> RuntimeError:
    return RuntimeError(
        f"inward: vLLM {version()} has no {what}, which the plugin needs; install a version that "
        "the table in inward_rewards/vllm_plugin/contact.py names, or start without "
        f"--additional-config {KEY!r}"
    )


# ---------------------------------------------------------------------------- front end


def watch_start_up() -> None:
    """Look at every config that this process makes."""
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


def settings_of(config: Any) -> Settings:
    """ValueError with the one line that a user should see."""
    n_layers = config.model_config.get_total_num_hidden_layers()
    try:
        return Settings.parse(config.additional_config[KEY], n_layers)
    except ValueError as error:
        raise ValueError(f"inward: --additional-config {KEY!r}: {error}") from None


def _switch_on(config: Any) -> None:
    check(FRONT_END)
    for path in CONFIG:
        try:
            operator.attrgetter(path)(config)
        except AttributeError:
            raise _misfit(f"VllmConfig.{path}") from None
    settings = settings_of(config)
    for refusal in _refusals(config):
        raise ValueError(f"inward: cannot score hidden states {refusal}")
    parallel, scheduler = config.parallel_config, config.scheduler_config
    worker_cls = WORKERS.get(parallel.worker_cls)
    scheduler_cls = SCHEDULERS.get(_scheduler_name(scheduler))
    if worker_cls is None or scheduler_cls is None:
        raise ValueError(
            f"inward: knows no worker class {parallel.worker_cls!r} with scheduler class "
            f"{_scheduler_name(scheduler)!r}; the workers are {', '.join(WORKERS)}, the "
            f"schedulers {', '.join(SCHEDULERS)}"
        )
    parallel.worker_cls = f"{__name__}.{worker_cls}"
    scheduler.scheduler_cls = f"{__name__}.{scheduler_cls}"
    _watch_requests()
    logger.info(
        "inward: matrix entropy of layers %s, preset %s", list(settings.layers), settings.preset
    )
    for notice in _notices(config, settings):
        logger.warning("inward: %s", notice)


def _notices(config: Any, settings: Settings) -> list[str]:
    """What some scores of this server will lack."""
    notices = []
    longest, transfer = config.model_config.max_model_len, config.kv_transfer_config
    if longest > settings.buffer_tokens:
        notices.append(
            f"completions of more than {settings.buffer_tokens} tokens (buffer_tokens) are not "
            f"measured, and this server writes up to {longest}"
        )
    if transfer is not None and _is_split(transfer):
        notices.append(
            f"this engine is one side of a prefill/decode split ({transfer.kv_connector}, "
            f"{transfer.kv_role}), whose router drops the answer of the engine that computed the "
            "rows: scores need the url of a plain engine (entropy.url)"
        )
    return notices


def _is_split(transfer: Any) -> bool:
    inner = (transfer.kv_connector_extra_config or {}).get("connectors", [])
    connectors = {transfer.kv_connector, *(one.get("kv_connector") for one in inner)}
    return transfer.kv_role in ("kv_producer", "kv_consumer") or bool(connectors & SPLIT)


def _refusals(config: Any) -> list[str]:
    parallel, speculation = config.parallel_config, config.speculative_config
    refusals = []
    if config.model_config.runner_type != "generate":
        refusals.append(f"of a {config.model_config.runner_type!r} model: serve one that generates")
    if speculation is not None and speculation.method not in SPECULATION:
        refusals.append(
            f"beside {speculation.method!r} speculation, which uses the same outputs of the model: "
            f"start without --speculative-config, or with {' or '.join(sorted(SPECULATION))}"
        )
    if int(os.environ.get("VLLM_USE_RUST_FRONTEND", "0")):
        refusals.append(
            "behind the Rust front end, which runs no plugin: unset VLLM_USE_RUST_FRONTEND"
        )
    if parallel.pipeline_parallel_size > 1:
        refusals.append(
            f"with --pipeline-parallel-size {parallel.pipeline_parallel_size}: no worker sees all "
            "layers; use tensor parallelism"
        )
    if parallel.prefill_context_parallel_size > 1:
        refusals.append("with prefill context parallelism: no worker sees all tokens")
    if parallel.use_ubatching:
        refusals.append("with dual batch overlap: start without --enable-dbo")
    return refusals


def _scheduler_name(scheduler: Any) -> str:
    if scheduler.scheduler_cls is None:
        module = (
            "async_scheduler.AsyncScheduler"
            if scheduler.async_scheduling
            else ("scheduler.Scheduler")
        )
        return f"vllm.v1.core.sched.{module}"
    return str(scheduler.scheduler_cls)


def _watch_requests() -> None:
    from vllm.v1.engine.input_processor import InputProcessor

    process = InputProcessor.process_inputs
    if hasattr(process, "inward"):
        return

    @functools.wraps(process)
    def process_inputs(self: Any, *args: Any, **kwargs: Any) -> Any:
        request = process(self, *args, **kwargs)
        if KEY in self.vllm_config.additional_config:
            _inspect(
                request, settings_of(self.vllm_config), self.vllm_config.model_config.hf_config
            )
        return request

    process_inputs.inward = True  # type: ignore[attr-defined]
    InputProcessor.process_inputs = process_inputs


def _inspect(request: Any, settings: Settings, model: Any) -> None:
    """Turn a bad scoring request away; vLLM makes a 400 of the error."""
    from vllm.exceptions import VLLMValidationError
    from vllm.sampling_params import RequestOutputKind

    params = request.sampling_params
    if SPANS_KEY not in (getattr(params, "extra_args", None) or {}):
        return
    try:
        if request.prompt_token_ids is None:
            raise ValueError("a prompt of embeddings cannot be scored; send token ids")
        if params.n != 1:
            raise ValueError(f"n must be 1 in a request that asks for a score, got {params.n!r}")
        if params.output_kind is RequestOutputKind.DELTA:
            raise ValueError("a streamed answer has no place for a score; leave stream out")
        wanted = ScoreRequest.from_xargs(params.extra_args, len(request.prompt_token_ids))
        if wanted is not None:
            settings.check(wanted)
            _inspect_pictures(request, settings, model)
    except ValueError as error:
        raise VLLMValidationError(str(error)) from None
    # Blocks from the prefix cache have no hidden states, and may be of older weights.
    params.skip_reading_prefix_cache = True


def _inspect_pictures(request: Any, settings: Settings, model: Any) -> None:
    places = [feature.mm_position for feature in request.mm_features or ()]
    spans = [(place.offset, place.offset + place.length) for place in places]
    refuse_bare(request.prompt_token_ids, placeholder_ids(model), spans)
    if spans:
        refuse_deepstack(settings.layers, model)


# -------------------------------------------------------------------- engine core, worker


def __getattr__(name: str) -> Any:
    """The subclasses, made where they are asked for: each base lives in a process of its own."""
    for bases, make in ((WORKERS, _worker_class), (SCHEDULERS, _scheduler_class)):
        for qualified, short in bases.items():
            if name == short:
                module, _, attribute = qualified.rpartition(".")
                base = getattr(importlib.import_module(module), attribute)
                if bases is SCHEDULERS:
                    _watch_weight_version()
                globals()[name] = made = make(base, name)
                return made
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _scheduler_class(base: Any, name: str) -> Any:
    from inward_rewards.vllm_plugin.admission import ScoreDesk

    check(ENGINE_CORE)

    class Scheduler(base):  # type: ignore[misc]
        def __init__(self, vllm_config: Any, *args: Any, **kwargs: Any) -> None:
            super().__init__(vllm_config, *args, **kwargs)
            settings = settings_of(vllm_config)
            tokens = vllm_config.scheduler_config.max_num_batched_tokens
            self._inward: ScoreDesk[Any] = ScoreDesk(settings.buffer_tokens, tokens // 2)

        def add_request(self, request: Any) -> None:
            if self._inward_admits(request):
                super().add_request(request)

        def _inward_admits(self, request: Any) -> bool:
            try:
                wanted = _wanted(request)
            except ValueError:  # the worker will find it too, and answer
                return self._inward.expect(request.request_id)
            return wanted is None or self._inward.admit(
                request.request_id, request, wanted, len(request.prompt_token_ids)
            )

        def finish_requests(self, request_ids: Any, finished_status: Any) -> Any:
            ended = {request_ids} if isinstance(request_ids, str) else request_ids
            # A request that still queues at the desk ends as any other: in vLLM's hands.
            for request in self._inward.withdraw(ended):
                super().add_request(request)
            return super().finish_requests(request_ids, finished_status)

        def schedule(self, *args: Any, **kwargs: Any) -> Any:
            step = super().schedule(*args, **kwargs)
            if self._inward.busy:
                setattr(step, _VERSION, _weight_version)
            return step

        def has_finished_requests(self) -> bool:
            # Without this the engine would sleep while the worker owes a score or free rows.
            return super().has_finished_requests() or self._inward.awaits

        def update_from_output(self, scheduler_output: Any, model_runner_output: Any) -> Any:
            outputs = super().update_from_output(scheduler_output, model_runner_output)
            answers = getattr(model_runner_output, _ANSWERS, {})
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


def _wanted(request: Any) -> ScoreRequest | None:
    """What a scheduler's or worker's request asks for.

    ValueError: spans that the front end would have refused; not every front end runs plugins.
    """
    extra = getattr(request.sampling_params, "extra_args", None)
    return ScoreRequest.from_xargs(extra, len(request.prompt_token_ids or ())) if extra else None


def _deliver(desk: Any, outputs: dict[int, Any], answers: dict[str, Any]) -> None:
    """Hold finished requests back until their answer is there, and put both together."""
    from vllm.v1.engine import EngineCoreOutputs, FinishReason

    for client, step in outputs.items():
        ready = []
        for output in step.outputs:
            if output.finish_reason in (FinishReason.ABORT, FinishReason.ERROR):
                desk.forget(output.request_id)
            if output.finish_reason is None or not desk.hold(output.request_id, client, output):
                ready.append(output)
        step.outputs = ready
    for client, output, answer in desk.settle(answers):
        output.kv_transfer_params = {**(output.kv_transfer_params or {}), SPANS_KEY: answer}
        outputs.setdefault(client, EngineCoreOutputs()).outputs.append(output)


def _worker_class(base: Any, name: str) -> Any:
    check(WORKER)

    class Worker(base):  # type: ignore[misc]
        _inward: Any = None

        def load_model(self, **kwargs: Any) -> None:
            _refuse_architecture(self.vllm_config.model_config)
            super().load_model(**kwargs)
            self._inward = _attach(self)

        def execute_model(self, scheduler_output: Any) -> Any:
            output = super().execute_model(scheduler_output)
            if self._inward is None:
                return output
            self._inward.after_step(scheduler_output)
            if output is None:
                return None
            if not scheduler_output.total_num_scheduled_tokens:
                self._inward.collector.wait(seconds=0.01)
            return _with_answers(output, self._inward.collector)

        def sample_tokens(self, grammar_output: Any) -> Any:
            output = super().sample_tokens(grammar_output)
            if self._inward is None or output is None:
                return output
            return _with_answers(output, self._inward.collector)

        def add_lora(self, lora_request: Any) -> Any:
            loaded = super().add_lora(lora_request)
            if self._inward is not None:
                self._inward.count_adapter(lora_request)
            return loaded

    for method in UPDATES:
        if hasattr(base, method):
            setattr(Worker, method, _counted(getattr(base, method)))
    Worker.__name__ = Worker.__qualname__ = name
    return Worker


def _counted(update: Any) -> Any:
    @functools.wraps(update)
    def counted(self: Any, *args: Any, **kwargs: Any) -> Any:
        if self._inward is not None:
            self._inward.count_load()
        return update(self, *args, **kwargs)

    return counted


def _refuse_architecture(model_config: Any) -> None:
    from vllm.model_executor.model_loader.utils import get_model_cls
    from vllm.model_executor.models.interfaces import supports_eagle3

    model = get_model_cls(model_config)
    if not supports_eagle3(model):
        raise ValueError(
            f"inward: cannot score hidden states of {model.__name__}: vLLM {version()} gives out "
            "no auxiliary hidden states of this architecture (SupportsEagle3)"
        )


def _attach(worker: Any) -> _Tap | None:
    """Switch the model's auxiliary outputs on; a tap on the one worker that is listened to."""
    from vllm.distributed.parallel_state import get_tensor_model_parallel_rank

    runner, settings = worker.model_runner, settings_of(worker.vllm_config)
    for name in RUNNER:
        if not hasattr(runner, name):
            raise _misfit(f"{type(runner).__module__}:{type(runner).__name__}.{name}")
    check(RUNNER_V1 if hasattr(runner, "input_batch") else RUNNER_V2)
    if runner.use_aux_hidden_state_outputs:
        raise ValueError("inward: the model's auxiliary outputs are already in use")
    worker.get_model().set_aux_hidden_state_layers(settings.layers)
    runner.use_aux_hidden_state_outputs = True
    # The residual stream is the same on every tensor-parallel rank, and rank 0 is the one whose
    # outputs reach the scheduler.
    return _Tap(worker, settings) if get_tensor_model_parallel_rank() == 0 else None


class _Tap:
    """Reads each step of a worker into a collector."""

    def __init__(self, worker: Any, settings: Settings) -> None:
        from inward_rewards.vllm_plugin.buffer import RowBuffer
        from inward_rewards.vllm_plugin.collector import Collector, Engine

        self._runner = worker.model_runner
        self._loads = 0
        self._adapters: Counter[int] = Counter()
        self._own: tuple[str | None, int] = (None, 0)
        self._watch_loads(worker.get_model())
        model = worker.vllm_config.model_config
        dim = model.get_hidden_size()
        engine = Engine(
            plugin=importlib.metadata.version("inward-rewards"),
            vllm=version(),
            dim=dim,
            weights=self._weights,
            dtype=str(model.dtype).removeprefix("torch."),
        )
        buffer = RowBuffer(
            len(settings.layers), settings.buffer_tokens, dim, model.dtype, worker.device
        )
        self.collector = Collector(settings, engine, buffer)

    def _weights(self) -> Weights:
        return Weights(self._loads, *self._own)

    def _adapter_weights(self, lora: Any) -> Weights:
        name, number = lora.lora_name, lora.lora_int_id
        adapter = f"adapter {name} ({number}, load {self._adapters[number]})"
        return Weights(self._loads, *self._own, adapter)

    def count_load(self) -> None:
        self._loads += 1

    def count_adapter(self, lora: Any) -> None:
        self._adapters[lora.lora_int_id] += 1

    def _name_weights(self, version: str | None) -> None:
        if version not in (None, self._own[0]):
            self._own = version, self._loads

    def _watch_loads(self, model: Any) -> None:
        """Updates that do not write in place end in the model's `load_weights`."""
        if not hasattr(model, "load_weights"):
            raise _misfit(f"{type(model).__name__}.load_weights")
        load = model.load_weights

        @functools.wraps(load)
        def load_weights(*args: Any, **kwargs: Any) -> Any:
            self.count_load()
            return load(*args, **kwargs)

        model.load_weights = load_weights

    def after_step(self, scheduler_output: Any) -> None:
        """An exception here is the scored requests' trouble and nobody else's."""
        self._name_weights(getattr(scheduler_output, _VERSION, None))
        for request_id in scheduler_output.finished_req_ids:
            self.collector.drop(request_id)
        for new in scheduler_output.scheduled_new_reqs:
            self._admit(new)
        if not self.collector.waiting or not scheduler_output.num_scheduled_tokens:
            return
        try:
            self._collect(scheduler_output)
        except Exception as error:
            logger.exception("inward: a step could not be read")
            self.collector.fail(scheduler_output.num_scheduled_tokens, error)

    def _admit(self, new: Any) -> None:
        try:
            wanted = _wanted(new)
            if wanted is not None:
                lora = new.lora_request
                weights = None if lora is None else functools.partial(self._adapter_weights, lora)
                self.collector.admit(new.req_id, wanted, len(new.prompt_token_ids), weights)
        except Exception as error:
            logger.exception("inward: request %s could not be admitted", new.req_id)
            self.collector.refuse(new.req_id, error)

    def _collect(self, scheduler_output: Any) -> None:
        from inward_rewards.vllm_plugin.collector import Chunk

        state = self._runner.execute_model_state
        # The V2 model runner keeps the batch in the step's state, the V1 runner beside it.
        batch = getattr(state, "input_batch", None) or self._runner.input_batch
        cached = scheduler_output.scheduled_cached_reqs
        start = dict(zip(cached.req_ids, cached.num_computed_tokens, strict=True))
        start |= {
            new.req_id: new.num_computed_tokens for new in scheduler_output.scheduled_new_reqs
        }
        chunks, offset = [], 0
        for request_id in batch.req_ids:
            rows = scheduler_output.num_scheduled_tokens.get(request_id, 0)
            if rows:
                chunks.append(Chunk(request_id, start[request_id], rows, offset))
            offset += rows
        self.collector.collect(chunks, state.aux_hidden_states)


def _with_answers(output: Any, collector: Any) -> Any:
    """The model runner's output, with the answers that are ready tied to it."""
    answers = collector.take()
    if not answers:
        return output
    if not hasattr(output, "get_output"):
        output = copy.copy(output)  # the empty output is one shared object
        setattr(output, _ANSWERS, answers)
        return output
    finish = output.get_output  # async scheduling: the output is completed on another thread

    def get_output() -> Any:
        complete = copy.copy(finish())
        setattr(complete, _ANSWERS, answers)
        return complete

    output.get_output = get_output
    return output

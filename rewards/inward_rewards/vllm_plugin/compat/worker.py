"""vLLM's worker, with an ear at each step: a subclass, in each worker's process.

The model's auxiliary hidden states are vLLM's own, made for eagle3 speculation; here they are
switched on without it. Rank 0 of a tensor-parallel group reads them: the residual stream is the
same on every rank, and only rank 0's output reaches the scheduler. The other ranks read final
states alone, and those only for what needs logits, of which each rank has a part.
"""

from __future__ import annotations

import copy
import functools
import importlib
import importlib.metadata
import logging
import threading
from collections.abc import Callable
from typing import Any

from inward_rewards.vllm_plugin.compat.names import (
    MODEL_RUNNER,
    RUNNER_V1,
    RUNNER_V2,
    WORKER,
)
from inward_rewards.vllm_plugin.compat.search import (
    Touch,
    base_of,
    check,
    check_object,
    touch,
    version,
)
from inward_rewards.vllm_plugin.compat.shared import (
    ANSWERS,
    WEIGHT_VERSION,
    score_request,
    settings_of,
)
from inward_rewards.vllm_plugin.compat.vocabulary import VocabularyParts
from inward_rewards.vllm_plugin.settings import Settings
from inward_rewards.vllm_plugin.weights import WeightLog

logger = logging.getLogger("vllm.inward")

BASES = {
    "vllm.v1.worker.gpu_worker.Worker": "Worker",
    "vllm.v1.worker.cpu_worker.CPUWorker": "CPUWorker",
}
"""Workers of vLLM's, and the names of their subclasses here."""
UPDATES = ("update_weights", "finish_weight_update")
"""A worker's methods of a transfer that may write into the parameters in place; not every version
has them."""


def __getattr__(name: str) -> Any:
    """The subclasses are made where they are asked for: only one process has the bases."""
    base = base_of(BASES, name)
    if base is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = made = subclass(base, name)
    return made


def subclass(base: Any, name: str) -> Any:
    check(WORKER)

    class Worker(base):  # type: ignore[misc]
        _inward: StepReader | None = None

        def load_model(self, **kwargs: Any) -> None:
            _refuse_architecture(self.vllm_config.model_config)
            super().load_model(**kwargs)
            self._inward = _attach(self)

        def execute_model(self, scheduler_output: Any) -> Any:
            output = super().execute_model(scheduler_output)
            if self._inward is None:
                return output
            self._inward.after_step(scheduler_output)
            if not self._inward.answers:
                self._inward.collector.take()  # rank 0 has them too
                return output
            if output is None:
                return None
            if not scheduler_output.total_num_scheduled_tokens:
                self._inward.collector.wait(seconds=0.01)
            return _with_answers(output, self._inward.collector)

        def sample_tokens(self, grammar_output: Any) -> Any:
            output = super().sample_tokens(grammar_output)
            if self._inward is None or output is None or not self._inward.answers:
                return output
            return _with_answers(output, self._inward.collector)

        def add_lora(self, lora_request: Any) -> Any:
            loaded = super().add_lora(lora_request)
            if self._inward is not None:
                self._inward.weights.count_adapter_load(lora_request.lora_int_id)
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
            self._inward.weights.count_load()
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


def _attach(worker: Any) -> StepReader | None:
    """Switch the model's auxiliary outputs on; a reader for the worker that is listened to, and for
    those that have a part of what it says."""
    from vllm.distributed.parallel_state import get_tp_group

    check_object(WORKER.name, touch(WORKER, "Worker"), worker)
    runner, settings = worker.model_runner, settings_of(worker.vllm_config)
    check_object(WORKER.name, MODEL_RUNNER, runner)
    check(RUNNER_V1 if hasattr(runner, "input_batch") else RUNNER_V2)
    if runner.use_aux_hidden_state_outputs:
        raise ValueError("inward: the model's auxiliary outputs are already in use")
    worker.get_model().set_aux_hidden_state_layers(settings.layers)
    runner.use_aux_hidden_state_outputs = True
    group = get_tp_group()
    if settings.reads_logits and group.world_size > 1:
        return StepReader(worker, settings, VocabularyParts(worker, group))
    return StepReader(worker, settings) if group.rank_in_group == 0 else None


def watch_loads(model: Any, weights: WeightLog) -> None:
    """Count the weight updates that end in the model's `load_weights`: all but those in place."""
    name = f"{type(model).__module__}:{type(model).__name__}"
    check_object(WORKER.name, Touch(name, "loads new weights", sets=("load_weights",)), model)
    load = model.load_weights

    @functools.wraps(load)
    def load_weights(*args: Any, **kwargs: Any) -> Any:
        weights.count_load()
        return load(*args, **kwargs)

    model.load_weights = load_weights


def one_at_a_time(model: Any) -> None:
    """Let no two threads run parts of the model at once: its forward pass, its output layer, and
    what reads pictures, which vLLM runs before the pass.

    On a CPU, vLLM's matrix products share their working memory: of two that run at once, each may
    return the other's numbers, and the engine would sample from them.
    """
    name = f"{type(model).__module__}:{type(model).__name__}"
    methods = ("forward", "compute_logits")
    check_object(WORKER.name, Touch(name, "runs the model", sets=methods), model)
    turn = threading.RLock()
    for method in methods:
        setattr(model, method, _in_turn(getattr(model, method), turn))
    if hasattr(model, "embed_multimodal"):
        model.embed_multimodal = _in_turn(model.embed_multimodal, turn)


def _in_turn(method: Callable[..., Any], turn: threading.RLock) -> Callable[..., Any]:
    @functools.wraps(method)
    def in_turn(*args: Any, **kwargs: Any) -> Any:
        with turn:
            return method(*args, **kwargs)

    return in_turn


class StepReader:
    """Reads each step of a worker into a collector.

    `parts`: with tensor parallelism, where something is to be read of logits.
    """

    def __init__(
        self, worker: Any, settings: Settings, parts: VocabularyParts | None = None
    ) -> None:
        from inward_rewards.vllm_plugin import ranks
        from inward_rewards.vllm_plugin.buffer import RowBuffer
        from inward_rewards.vllm_plugin.engine import Engine
        from inward_rewards.vllm_plugin.worker import Collector

        self._runner = worker.model_runner
        self.weights = WeightLog()
        watch_loads(worker.get_model(), self.weights)
        model = worker.vllm_config.model_config
        dim = model.get_hidden_size()
        if settings.reads_logits and worker.device.type == "cpu":
            one_at_a_time(worker.get_model())
        self.answers = parts is None or parts.rank == 0
        logits, others = None, None
        if parts is not None:
            logits = parts.logits
            if self.answers:
                others = ranks.ReceivedParts(
                    parts.store, parts.sweeper, parts.ranks, parts.vocabulary
                )
            else:
                settings = ranks.for_parts(settings)
        elif settings.reads_logits:
            logits = worker.get_model().compute_logits
        engine = Engine(
            plugin=importlib.metadata.version("inward-rewards"),
            vllm=version(),
            dim=dim,
            weights=self.weights.base,
            dtype=str(model.dtype).removeprefix("torch."),
            logits=logits,
            others=others,
        )
        self._reads_final_states = settings.reads_final_states
        kept = len(settings.layers) + settings.reads_final_states
        buffer = RowBuffer(kept, settings.buffer_tokens, dim, model.dtype, worker.device)
        if parts is None or self.answers:
            self.collector = Collector(settings, engine, buffer)
        else:
            self.collector = ranks.PartCollector(
                settings, engine, buffer, store=parts.store, rank=parts.rank
            )

    def after_step(self, scheduler_output: Any) -> None:
        """An exception here is the scored requests' trouble and nobody else's."""
        self.weights.set_name(getattr(scheduler_output, WEIGHT_VERSION, None))
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
        wanted = None
        try:
            wanted = score_request(new)
            if wanted is not None and (self.answers or wanted.reads_logits):
                lora = new.lora_request
                weights = self.weights.base
                if lora is not None:
                    weights = functools.partial(
                        self.weights.with_adapter, lora.lora_name, lora.lora_int_id
                    )
                self.collector.admit(new.req_id, wanted, len(new.prompt_token_ids), weights)
        except Exception as error:
            logger.exception("inward: request %s could not be admitted", new.req_id)
            self.collector.refuse(new.req_id, error, wanted)

    def _collect(self, scheduler_output: Any) -> None:
        from inward_rewards.vllm_plugin.engine import Chunk

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
        states = list(state.aux_hidden_states) if self.answers else []
        if self._reads_final_states:
            states.append(state.hidden_states)
        self.collector.collect(chunks, states)


def _with_answers(output: Any, collector: Any) -> Any:
    """The model runner's output, with the answers that are ready tied to it."""
    answers = collector.take()
    if not answers:
        return output
    if not hasattr(output, "get_output"):
        output = copy.copy(output)  # the empty output is one shared object
        setattr(output, ANSWERS, answers)
        return output
    finish = output.get_output  # async scheduling: the output is completed on another thread

    def get_output() -> Any:
        complete = copy.copy(finish())
        setattr(complete, ANSWERS, answers)
        return complete

    output.get_output = get_output
    return output

"""The subclasses of vLLM's classes, over the part of each base that they call, without vLLM."""

from __future__ import annotations

import functools
import threading
from types import SimpleNamespace

import pytest
from inward_rewards.vllm_plugin.compat import scheduler, worker
from inward_rewards.vllm_plugin.weights import WeightLog


@pytest.fixture(autouse=True)
def no_search(monkeypatch):
    """There is no vLLM to look for names in."""
    for module in (scheduler, worker):
        monkeypatch.setattr(module, "check", lambda process: None)


class Model:
    def __init__(self):
        self.loaded = []

    def load_weights(self, weights):
        self.loaded.append(weights)


class BaseWorker:
    """The part of vLLM's worker that the plugin calls."""

    def add_lora(self, lora_request):
        return True

    def update_weights(self, update_info):
        return "updated"

    def finish_weight_update(self):
        return "finished"


def reader(model):
    made = object.__new__(worker.StepReader)
    made.weights = WeightLog()
    made.collector = SimpleNamespace(waiting=False)
    worker.watch_loads(model, made.weights)
    return made


def test_every_way_to_new_weights_changes_their_name():
    subclass = worker.subclass(BaseWorker, "Worker")()
    assert subclass.update_weights([]) == "updated"  # before its model is loaded
    model = Model()
    subclass._inward = made = reader(model)
    lora = SimpleNamespace(lora_name="sums", lora_int_id=1)
    name = functools.partial(made.weights.with_adapter, lora.lora_name, lora.lora_int_id)
    names = [str(name())]
    for change in (
        lambda: model.load_weights([]),
        lambda: subclass.update_weights([]),
        subclass.finish_weight_update,
        lambda: subclass.add_lora(lora),
        lambda: made.after_step(step(inward_weight_version="step 40")),
        lambda: made.after_step(step()),
        subclass.finish_weight_update,
    ):
        change()
        names.append(str(name()))
    assert names == [
        "0, adapter sums (1, load 0)",
        "1, adapter sums (1, load 0)",
        "2, adapter sums (1, load 0)",
        "3, adapter sums (1, load 0)",
        "3, adapter sums (1, load 1)",
        "step 40, adapter sums (1, load 1)",
        "step 40, adapter sums (1, load 1)",
        "step 40 and 1 loads later, adapter sums (1, load 1)",
    ]
    assert model.loaded == [[]]


class SharedMemory:
    """A model whose products must not run at once, as those of vLLM's CPU build."""

    def __init__(self):
        self._begun, self.overlaps = threading.Semaphore(), 0

    def _product(self, value, pause):
        alone = self._begun.acquire(blocking=False)
        self.overlaps += not alone
        pause.wait(0.05)
        if alone:
            self._begun.release()
        return value

    def forward(self, value, *, pause):
        return self._product(value, pause)

    def compute_logits(self, value, *, pause):
        return self._product(value, pause)

    def embed_multimodal(self, value, *, pause):
        return self._product(value, pause)


@pytest.mark.parametrize("in_turn", [True, False])
def test_a_score_and_a_step_of_the_engine_take_turns(in_turn):
    model, pause, found = SharedMemory(), threading.Event(), []
    if in_turn:
        worker.one_at_a_time(model)
    calls = [(model.forward, 1), (model.compute_logits, 2), (model.embed_multimodal, 3)] * 3

    def run(method, value):
        found.append(method(value, pause=pause))

    threads = [threading.Thread(target=run, args=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert (model.overlaps == 0) is in_turn


def step(**attributes):
    return SimpleNamespace(
        finished_req_ids=[], scheduled_new_reqs=[], num_scheduled_tokens={}, **attributes
    )


class Base:
    """The part of vLLM's scheduler that the plugin calls."""

    def __init__(self, vllm_config):
        self.added = []

    def add_request(self, request):
        self.added.append(request.request_id)

    def schedule(self, throttle=False):
        return SimpleNamespace()


def test_the_engines_weight_version_travels_with_the_steps_that_score(monkeypatch):
    monkeypatch.setattr(scheduler, "_weight_version", "step 40")
    made = scheduler.subclass(Base, "Scheduler")(CONFIG)
    assert not hasattr(made.schedule(), "inward_weight_version")
    assert made._inward.expect("a")
    assert made.schedule(True).inward_weight_version == "step 40"


CONFIG = SimpleNamespace(
    additional_config={"inward": {"layers": [1]}},
    model_config=SimpleNamespace(get_total_num_hidden_layers=lambda: 4),
    scheduler_config=SimpleNamespace(max_num_batched_tokens=512),
)


@pytest.mark.parametrize("tokens", [[5] * 20, None])
def test_a_bad_span_from_an_unknown_front_end_does_not_end_the_engine(tokens):
    made = scheduler.subclass(Base, "Scheduler")(CONFIG)
    params = SimpleNamespace(extra_args={"inward": [0, 21]})
    made.add_request(
        SimpleNamespace(request_id="bad", sampling_params=params, prompt_token_ids=tokens)
    )
    assert made.added == ["bad"]
    assert made._inward.hold("bad", 0, "output")
    answer = {"error": "from the worker"}
    assert list(made._inward.settle({"bad": answer})) == [(0, "output", answer)]


def test_a_request_that_lost_a_name_is_told_so(monkeypatch):
    monkeypatch.setattr("inward_rewards.vllm_plugin.compat.search.version", lambda: "0.0.0")
    made = scheduler.subclass(Base, "Scheduler")(CONFIG)
    with pytest.raises(RuntimeError, match=r"vllm\.v1\.request:Request\.prompt_token_ids, which"):
        made.add_request(SimpleNamespace(request_id="a", sampling_params=None))

"""What is looked for at start-up, and a request that no front end has looked at."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import NamedTuple

import pytest
from inward_rewards.vllm_plugin import contact
from inward_rewards.vllm_plugin.settings import Settings


class Plain:
    def __init__(self, given):
        self.given = given
        self.read = given.absent


class Parent:
    annotated: int

    @property
    def computed(self):
        return 1


class Row(NamedTuple):
    column: int


@dataclasses.dataclass
class Data:
    listed: list = dataclasses.field(default_factory=list)


@pytest.mark.parametrize(
    ("name", "attributes"),
    [
        ("Plain", ("given",)),
        ("Parent", ("annotated", "computed")),
        ("Row", ("column",)),
        ("Data", ("listed",)),
    ],
)
def test_an_attribute_is_found_however_it_is_declared(monkeypatch, name, attributes):
    monkeypatch.setattr(contact, "version", lambda: "0.0.0")
    place = f"{__name__}:{name}"
    contact.check(((place, attributes),))
    with pytest.raises(RuntimeError, match=f"inward: vLLM 0.0.0 has no {place}.absent, which"):
        contact.check(((place, (*attributes, "absent")),))


def transfer(connector, role="kv_both", **extra):
    return SimpleNamespace(kv_connector=connector, kv_role=role, kv_connector_extra_config=extra)


@pytest.mark.parametrize(
    ("transfer", "told"),
    [
        (None, False),
        (transfer("ExampleConnector"), False),
        (transfer("LMCacheConnectorV1"), False),
        (transfer("OffloadingConnector"), False),
        (transfer("MultiConnector", connectors=[{"kv_connector": "OffloadingConnector"}]), False),
        (transfer("NixlConnector"), True),
        (transfer("MultiConnector", connectors=[{"kv_connector": "NixlConnector"}]), True),
        (transfer("LMCacheConnectorV1", "kv_producer"), True),
        (transfer("P2pNcclConnector", "kv_consumer"), True),
    ],
)
def test_a_prefill_decode_split_is_told_at_start_up(transfer, told):
    model = SimpleNamespace(max_model_len=500)
    config = SimpleNamespace(model_config=model, kv_transfer_config=transfer)
    notices = contact._notices(config, Settings((1,), 4, buffer_tokens=500))
    assert len(notices) == told
    for notice in notices:
        assert "scores need the url of a plain engine (entropy.url)" in notice
        assert "\n" not in notice


def test_a_buffer_below_the_context_is_told_at_start_up():
    model = SimpleNamespace(max_model_len=501)
    config = SimpleNamespace(model_config=model, kv_transfer_config=None)
    [notice] = contact._notices(config, Settings((1,), 4, buffer_tokens=500))
    assert "completions of more than 500 tokens (buffer_tokens) are not measured" in notice


def test_what_weights_are_called():
    adapter = "adapter a (1, load 2)"
    assert str(contact.Weights(3)) == "3"
    assert str(contact.Weights(3, "step 40", 3)) == "step 40"
    assert str(contact.Weights(5, "step 40", 3)) == "step 40 and 2 loads later"
    assert str(contact.Weights(3, adapter=adapter)) == f"3, {adapter}"
    assert str(contact.Weights(3, "step 40", 3, adapter)) == f"step 40, {adapter}"


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


def tap(worker):
    made = object.__new__(contact._Tap)
    made._loads, made._adapters, made._own = 0, contact.Counter(), (None, 0)
    made.collector = SimpleNamespace(waiting=False)
    made._watch_loads(worker.model)
    return made


def test_every_way_to_new_weights_changes_their_name(monkeypatch):
    monkeypatch.setattr(contact, "check", lambda points: None)
    worker = contact._worker_class(BaseWorker, "Worker")()
    assert worker.update_weights([]) == "updated"  # before its model is loaded
    worker.model = Model()
    worker._inward = made = tap(worker)
    lora = SimpleNamespace(lora_name="sums", lora_int_id=1)
    names = [str(made._adapter_weights(lora))]
    for change in (
        lambda: worker.model.load_weights([]),
        lambda: worker.update_weights([]),
        worker.finish_weight_update,
        lambda: worker.add_lora(lora),
        lambda: made.after_step(step(inward_weight_version="step 40")),
        lambda: made.after_step(step()),
        worker.finish_weight_update,
    ):
        change()
        names.append(str(made._adapter_weights(lora)))
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
    assert worker.model.loaded == [[]]


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
    monkeypatch.setattr(contact, "check", lambda points: None)
    monkeypatch.setattr(contact, "_weight_version", "step 40")
    scheduler = contact._scheduler_class(Base, "Scheduler")(CONFIG)
    assert not hasattr(scheduler.schedule(), "inward_weight_version")
    assert scheduler._inward.expect("a")
    assert scheduler.schedule(True).inward_weight_version == "step 40"


CONFIG = SimpleNamespace(
    additional_config={"inward": {"layers": [1]}},
    model_config=SimpleNamespace(get_total_num_hidden_layers=lambda: 4),
    scheduler_config=SimpleNamespace(max_num_batched_tokens=512),
)


@pytest.mark.parametrize("tokens", [[5] * 20, None])
def test_a_bad_span_from_an_unknown_front_end_does_not_end_the_engine(monkeypatch, tokens):
    monkeypatch.setattr(contact, "check", lambda points: None)
    scheduler = contact._scheduler_class(Base, "Scheduler")(CONFIG)
    params = SimpleNamespace(extra_args={"inward": [0, 21]})
    scheduler.add_request(
        SimpleNamespace(request_id="bad", sampling_params=params, prompt_token_ids=tokens)
    )
    assert scheduler.added == ["bad"]
    assert scheduler._inward.hold("bad", 0, "output")
    answer = {"error": "from the worker"}
    assert list(scheduler._inward.settle({"bad": answer})) == [(0, "output", answer)]

"""What is looked for at start-up, and a request that no front end has looked at."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import NamedTuple

import pytest
from inward_rewards.vllm_plugin import contact


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


class Base:
    """The part of vLLM's scheduler that the plugin calls."""

    def __init__(self, vllm_config):
        self.added = []

    def add_request(self, request):
        self.added.append(request.request_id)


@pytest.mark.parametrize("tokens", [[5] * 20, None])
def test_a_bad_span_from_an_unknown_front_end_does_not_end_the_engine(monkeypatch, tokens):
    monkeypatch.setattr(contact, "check", lambda points: None)
    config = SimpleNamespace(
        additional_config={"inward": {"layers": [1]}},
        model_config=SimpleNamespace(get_total_num_hidden_layers=lambda: 4),
        scheduler_config=SimpleNamespace(max_num_batched_tokens=512),
    )
    scheduler = contact._scheduler_class(Base, "Scheduler")(config)
    params = SimpleNamespace(extra_args={"inward": [0, 21]})
    scheduler.add_request(
        SimpleNamespace(request_id="bad", sampling_params=params, prompt_token_ids=tokens)
    )
    assert scheduler.added == ["bad"]
    assert scheduler._inward.hold("bad", 0, "output")
    answer = {"error": "from the worker"}
    assert list(scheduler._inward.settle({"bad": answer})) == [(0, "output", answer)]

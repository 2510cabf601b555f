"""The local model and the engine client: what they measure, and how they fail."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from typing import Any

import httpx
import pytest
from inward_rewards.entropy_wire import ScoreRequest
from inward_rewards.hidden_states import (
    Completion,
    EntropyConfig,
    HiddenStatesError,
    Policy,
    make_source,
    vllm,
)
from pydantic import ValidationError

from inward.policy_server import HttpReply, PolicyServer

pytestmark = pytest.mark.models
torch = pytest.importorskip("torch", reason="hidden states need torch (group `models`)")

from inward_rewards.entropy import PRESETS, matrix_entropy, select_layers  # noqa: E402
from rewards.tiny_qwen import LAYERS, PluginEngine  # noqa: E402

END = 2  # <|im_end|>, the third special token of the tiny tokenizer


def completion(prompt: int, sampled: int, seed: int = 0) -> Completion:
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(3, 250, (prompt + sampled,), generator=generator).tolist()
    return Completion(tuple(ids[:prompt]), (*ids[prompt:-1], END))


def policy(url: str = "http://127.0.0.1:9/v1", *, model: str = "tiny", trains=False) -> Policy:
    return Policy(model, url, (("Authorization", "Bearer EMPTY"),), trains)


def reference(folder, one: Completion, preset: str = "advent", alpha: float = 1.0) -> list[float]:
    """The definition of the measurement, one sequence at a time."""
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(folder).eval()
    with torch.inference_mode():
        states = model(torch.tensor([one.token_ids]), output_hidden_states=True).hidden_states
    start = len(one.prompt_ids)
    return [
        matrix_entropy(states[layer][0, start:], alpha, PRESETS[preset].unscaled).item()
        for layer in select_layers("middle:2", LAYERS)
    ]


# ---------------------------------------------------------------- transformers


def local(folder, **fields: Any) -> EntropyConfig:
    return EntropyConfig(
        source="transformers", model=str(folder), **{"layers": "middle:2", **fields}
    )


@pytest.mark.parametrize("preset", ["advent", "layer_by_layer"])
async def test_concurrent_rollouts_in_one_batch_score_as_alone(tiny_qwen, preset):
    rollouts = [completion(3 + seed, 5 + 40 * (seed % 3), seed) for seed in range(7)]
    async with make_source(local(tiny_qwen, preset=preset)) as source:
        batches = []
        score = source._model.score
        source._model.score = lambda pairs: batches.append(len(pairs)) or score(pairs)
        found = await asyncio.gather(*(source.measure(one, policy()) for one in rollouts))
    assert sum(batches) == len(rollouts) > len(batches)
    for one, measurement in zip(rollouts, found, strict=True):
        expected = reference(tiny_qwen, one, preset)
        assert measurement.per_layer == pytest.approx(expected, abs=2e-5)
        assert measurement.tokens == len(one.completion_ids)
        assert (measurement.dim, measurement.layers) == (64, (6, 7))


async def test_the_span_stops_at_the_first_end_token(tiny_qwen):
    one = completion(4, 12)
    trailing = Completion(one.prompt_ids, (*one.completion_ids, 17, 18, END))
    async with make_source(local(tiny_qwen)) as source:
        short, long = [await source.measure(each, policy()) for each in (one, trailing)]
    assert long.tokens == short.tokens == 12
    assert long.per_layer == pytest.approx(short.per_layer, abs=1e-5)


async def test_it_says_whether_it_measures_the_policy_or_the_text(tiny_qwen):
    one = completion(3, 4)
    async with make_source(local(tiny_qwen)) as source:
        for seat, measures in [
            (policy(), "text"),
            (policy(model=str(tiny_qwen)), "policy"),
            (policy(model=str(tiny_qwen), trains=True), "text"),
        ]:
            assert (await source.measure(one, seat)).measures == measures


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"model": "/no/such"}, "entropy.model '/no/such' cannot be used: give the folder"),
        ({"layers": "middle:99"}, "entropy.layers 'middle:99' cannot be used: the model"),
        ({"layers": [99]}, r"entropy.layers \[99\] cannot be used: the model"),
        ({"device": "meadow"}, "entropy.device 'meadow' cannot be used: give a torch device"),
    ],
)
async def test_a_setting_that_cannot_be_used_is_named_in_one_line(tiny_qwen, fields, complaint):
    config = local(tiny_qwen).model_copy(update=fields)
    with pytest.raises(HiddenStatesError, match=complaint) as failure:
        async with make_source(config):
            pass
    assert "\n" not in str(failure.value)


async def test_faults_of_the_local_model_raise(tiny_qwen):
    async with make_source(local(tiny_qwen)) as source:
        with pytest.raises(HiddenStatesError, match="must share the policy's tokenizer"):
            await source.measure(Completion((1,), (99_999,)), policy())
        with pytest.raises(HiddenStatesError, match="reads 4096"):
            await source.measure(Completion((1,) * 4096, (5,)), policy())
        with torch.no_grad():
            source._model._model.layers[0].mlp.down_proj.weight.fill_(math.nan)
        with pytest.raises(HiddenStatesError, match="not finite"):
            await source.measure(completion(3, 4), policy())


# ---------------------------------------------------------------- vllm


def engine(server: PolicyServer, **fields: Any) -> EntropyConfig:
    return EntropyConfig(source="vllm", **{"layers": "middle:2", "concurrency": 4, **fields})


def serve(post: Any) -> PolicyServer:
    return PolicyServer(lambda body: {"content": ""}, posts={"/v1/completions": post})


async def test_the_engine_client(tiny_qwen):
    plugin = PluginEngine(tiny_qwen)
    rollouts = [completion(3, 6 + 10 * seed, seed) for seed in range(5)]
    with serve(plugin) as server:
        async with make_source(engine(server, alpha=2.0)) as source:
            found = await asyncio.gather(
                *(source.measure(one, policy(server.base_url)) for one in rollouts)
            )
        async with make_source(engine(server, url=server.base_url)) as source:
            elsewhere = await source.measure(rollouts[0], policy())
            spans = ScoreRequest(((0, 3), (3, 9)))
            answer = await source.score(rollouts[0].token_ids, spans, policy())
    for one, measurement in zip(rollouts, found, strict=True):
        expected = reference(tiny_qwen, one, alpha=2.0)
        assert measurement.per_layer == pytest.approx(expected, abs=2e-5)
        assert (measurement.measures, measurement.alpha) == ("policy", 2.0)
    assert elsewhere.per_layer == pytest.approx(reference(tiny_qwen, rollouts[0]), abs=2e-5)
    assert answer.spans[1].entropy[0] == pytest.approx(elsewhere.per_layer, abs=1e-6)
    for request in plugin.requests:
        assert request["max_tokens"] == 1
        assert request["model"] == "tiny"
    salts = [request["cache_salt"] for request in plugin.requests]
    assert len(set(salts)) == len(salts)


class Flaky:
    """Fails `times` times, each time in `fault`'s way, then answers."""

    def __init__(self, good, times, fault):
        self.good, self.left, self.fault, self.salts = good, times, fault, []

    @property
    def seen(self):
        return len(self.salts)

    def __call__(self, body):
        self.salts.append(body["cache_salt"])
        if self.left:
            self.left -= 1
            return self.fault
        return self.good(body)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
async def test_overload_is_retried_with_a_fresh_salt(tiny_qwen, status):
    plugin = PluginEngine(tiny_qwen)
    flaky = Flaky(plugin, 2, HttpReply(status, "busy"))
    with serve(flaky) as server:
        async with make_source(engine(server)) as source:
            await source.measure(completion(3, 4), policy(server.base_url))
    assert flaky.seen == len(set(flaky.salts)) == 3


async def test_no_more_requests_are_in_flight_than_allowed(tiny_qwen):
    plugin, lock, together = PluginEngine(tiny_qwen), threading.Lock(), threading.Barrier(3)
    inside, most = 0, 0

    def post(body):
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        together.wait(60)  # three are allowed, and three do come at once
        time.sleep(0.2)  # and one too many would come in meanwhile
        with lock:
            inside -= 1
            return plugin(body)

    with serve(post) as server:
        async with make_source(engine(server, concurrency=3)) as source:
            await asyncio.gather(
                *(
                    source.measure(completion(3, 4, seed), policy(server.base_url))
                    for seed in range(9)
                )
            )
    assert most == 3


async def test_a_dropped_connection_is_retried():
    requests = []

    async def hang_up(reader, writer):
        requests.append(await reader.readuntil(b"\r\n\r\n"))
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as listener:
        url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/v1"
        async with make_source(EntropyConfig(source="vllm")) as source:
            with pytest.raises(HiddenStatesError, match=r"3 attempts \((RemoteProtocol|Read)Error"):
                await source.measure(completion(3, 4), policy(url))
    assert len(requests) == 3


async def test_an_engine_that_stays_silent_is_asked_again(tiny_qwen, monkeypatch):
    assert None not in (vllm.TIMEOUT.connect, vllm.TIMEOUT.read, vllm.TIMEOUT.write)
    monkeypatch.setattr(vllm, "TIMEOUT", httpx.Timeout(30, read=5))
    plugin, salts, asked_again = PluginEngine(tiny_qwen), [], threading.Event()

    def post(body):
        salts.append(body["cache_salt"])
        if len(salts) == 1:
            asked_again.wait(30)
        asked_again.set()
        return plugin(body)

    with serve(post) as server:
        async with make_source(engine(server)) as source:
            await source.measure(completion(3, 4), policy(server.base_url))
    assert len(set(salts)) == len(salts) > 1


@pytest.mark.parametrize(
    ("fault", "complaint", "seen"),
    [
        (HttpReply(503, "busy"), r"after 3 attempts \(HTTP 503\)", 3),
        (HttpReply(400, "bad span"), "HTTP 400: bad span", 1),
        (
            HttpReply(400, "max_tokens must be at least 1, got 0. (parameter=max_tokens, value=0)"),
            "serve with --max-model-len at least one above the longest rollout",
            1,
        ),
        (
            HttpReply(400, "This model's maximum context length is 2048 tokens. However, your"),
            "serve with --max-model-len at least one above the longest rollout",
            1,
        ),
        (HttpReply(500, "boom"), "HTTP 500: boom", 1),
        (HttpReply(200, "not json"), "answered no JSON", 1),
        ([1, 2], "answered no completion", 1),
        ({"choices": []}, "not switched on", 1),
        ({"kv_transfer_params": {"inward": {"format": 1, "error": "only 2 rows"}}}, "only 2", 1),
    ],
)
async def test_no_bad_answer_becomes_a_score(fault, complaint, seen):
    flaky = Flaky(None, 10, fault)
    with serve(flaky) as server:
        async with make_source(engine(server)) as source:
            with pytest.raises(HiddenStatesError, match=complaint):
                await source.measure(completion(3, 4), policy(server.base_url))
    assert flaky.seen == seen


async def test_an_unreachable_engine_raises():
    async with make_source(EntropyConfig(source="vllm")) as source:
        with pytest.raises(HiddenStatesError, match=r"after 3 attempts \(ConnectError"):
            await source.measure(completion(3, 4), policy())


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"preset": "layer_by_layer"}, "entropy.preset is 'layer_by_layer', the engine's 'advent'"),
        ({"alpha": 3.0}, r"entropy.alpha 3.0 is not among the engine's \[1.0, 2.0\]"),
        ({"layers": "middle:4"}, r"the engine reads \[6, 7\]"),
    ],
)
async def test_an_engine_that_measures_something_else_is_refused(tiny_qwen, fields, complaint):
    with serve(PluginEngine(tiny_qwen)) as server:
        async with make_source(engine(server, **fields)) as source:
            with pytest.raises(HiddenStatesError, match=complaint):
                await source.measure(completion(3, 4), policy(server.base_url))


# ---------------------------------------------------------------- config


def test_off_has_no_source():
    assert make_source(EntropyConfig()) is None


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"source": "transformers"}, "entropy.model names the local model"),
        ({"source": "vllm", "model": "x"}, "entropy.model names the local model"),
        ({"source": "off", "url": "http://x"}, "entropy.url goes with"),
        ({"source": "vllm", "alpha": math.nan}, "alpha"),
        ({"source": "vllm", "alpha": -1}, "alpha"),
        ({"source": "vllm", "layers": "last"}, "middle:K"),
        ({"source": "sglang"}, "source"),
        ({"preset": "mine"}, "preset"),
    ],
)
def test_a_bad_config_is_named(fields, complaint):
    with pytest.raises(ValidationError, match=complaint):
        EntropyConfig(**fields)


@pytest.mark.parametrize("layers", ["8,9", "[8, 9]", [8, 9]])
def test_layers_from_a_command_line(layers):
    assert EntropyConfig(layers=layers).layers == [8, 9]


def test_normalise_overrides_the_preset():
    assert EntropyConfig().definition == PRESETS["advent"]
    assert EntropyConfig(normalise="log_n").definition.normalise == "log_n"
    assert EntropyConfig(preset="layer_by_layer").definition.normalise == "max"

"""The local model and the engine client: what they measure, and how they fail."""

from __future__ import annotations

import asyncio
import math
import re
import threading
import time
from typing import Any

import pytest
import verifiers.v1 as vf
from inward_chat.testing import HttpReply, PolicyServer
from inward_rewards.entropy.wire import FORMAT, ScoreRequest
from inward_rewards.hidden_states import (
    Completion,
    EntropyConfig,
    HiddenStatesError,
    LiveModelSource,
    Measurement,
    Policy,
    UnmeasurableError,
    make_source,
    vllm,
)
from inward_rewards.hidden_states import local as in_process
from pydantic import ValidationError

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
        score = source._reader.score
        source._reader.score = lambda pairs: batches.append(len(pairs)) or score(pairs)
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
        with pytest.raises(UnmeasurableError, match="reads 4096"):
            await source.measure(Completion((1,) * 4096, (5,)), policy())
        with torch.no_grad():
            source._reader._decoder.layers[0].mlp.down_proj.weight.fill_(math.nan)
        with pytest.raises(HiddenStatesError, match="not finite"):
            await source.measure(completion(3, 4), policy())


@pytest.mark.parametrize("how", ["its states are not finite", "the forward pass of all fails"])
async def test_one_bad_rollout_fails_alone(tiny_qwen, how):
    """Read in one batch with others: an embedding that is broken, or a pass that raises."""
    rollouts = [completion(3 + seed, 5 + seed, seed) for seed in range(6)]
    bad = Completion((1, 251), (7, END))
    async with make_source(local(tiny_qwen)) as source:
        batches = []
        model, score = source._reader, source._reader.score
        if how == "its states are not finite":
            with torch.no_grad():
                model._decoder.embed_tokens.weight[251] = math.nan

        def watched(pairs):
            batches.append(len(pairs))
            if how != "its states are not finite" and any(251 in ids for ids, _ in pairs):
                raise RuntimeError("not finite, and out of memory")
            return score(pairs)

        model.score = watched
        blocker = asyncio.create_task(source.measure(rollouts[0], policy()))
        await asyncio.sleep(0)
        found = await asyncio.gather(
            *(source.measure(one, policy()) for one in [*rollouts[:3], bad, *rollouts[3:]]),
            return_exceptions=True,
        )
        await blocker
    assert max(batches) > 3
    assert isinstance(found.pop(3), HiddenStatesError)
    for one, measurement in zip(rollouts, found, strict=True):
        assert measurement.per_layer == pytest.approx(reference(tiny_qwen, one), abs=2e-5)


@pytest.mark.parametrize("ids", [((1,), ()), ((1,), (-1,)), ((-5,), (3,))])
async def test_a_rollout_that_no_model_can_read_is_refused_before_its_batch(tiny_qwen, ids):
    async with make_source(local(tiny_qwen)) as source:
        source._reader.score = lambda pairs: pytest.fail("it was read")
        with pytest.raises(HiddenStatesError, match=r"no token|share the policy's tokenizer"):
            await source.measure(Completion(*ids), policy())


@pytest.mark.parametrize("kind", ["transformers", "vllm"])
async def test_after_its_end_a_source_refuses_at_once(tiny_qwen, kind):
    config = local(tiny_qwen) if kind == "transformers" else EntropyConfig(source="vllm")
    async with make_source(config) as source:
        pass
    with pytest.raises(HiddenStatesError, match=r"not open|closed"):
        await asyncio.wait_for(source.measure(completion(3, 4), policy()), 20)


async def test_the_end_of_a_source_leaves_nobody_waiting(tiny_qwen):
    """One rollout is being read, another waits: both are told, neither hangs."""
    go_on = threading.Event()
    try:
        async with make_source(local(tiny_qwen)) as source:
            score = source._reader.score
            source._reader.score = lambda pairs: go_on.wait(60) and score(pairs)
            waiting = [asyncio.create_task(source.measure(completion(3, 4), policy()))]
            await asyncio.sleep(0.1)
            waiting.append(asyncio.create_task(source.measure(completion(3, 4, 1), policy())))
            await asyncio.sleep(0)
        done = await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), 20)
    finally:
        go_on.set()
    assert [type(one) for one in done] == [HiddenStatesError] * 2


# ---------------------------------------------------------------- live


def live_config(**fields: Any) -> EntropyConfig:
    return EntropyConfig(source="live", **{"layers": "middle:2", **fields})


def entropies(module, one: Completion) -> list[float]:
    """Worked out with the module itself, in float64."""
    with torch.no_grad():
        ids = torch.tensor([one.token_ids])
        states = module(input_ids=ids, output_hidden_states=True).hidden_states
    found = []
    for layer in (6, 7):
        z = states[layer][0, len(one.prompt_ids) :].double()
        p = torch.linalg.eigvalsh(z @ z.T).clamp(min=0)
        p = p / p.sum()
        found.append(float(-(p * p.clamp(min=1e-300).log2()).sum()))
    return found


async def test_a_live_module_is_read_as_it_is_now(tiny_qwen):
    """Its weights change between two scores, its gradients and its modes stay its own."""
    from transformers import AutoModelForCausalLM

    module = AutoModelForCausalLM.from_pretrained(tiny_qwen).train()
    module.model.layers[3].eval()
    lock, steps = threading.Lock(), [0]
    one = completion(5, 24)
    live = LiveModelSource(module, live_config(), lock, version=lambda: f"step {steps[0]}")
    module(input_ids=torch.tensor([one.token_ids])).logits.square().mean().backward()
    before = {name: p.grad.clone() for name, p in module.named_parameters()}
    async with make_source(live_config(), live=live) as source:
        first = await source.measure(one, policy(trains=True))
        assert first.per_layer == pytest.approx(entropies(module, one), abs=1e-4)
        with lock, torch.no_grad():
            steps[0] += 1
            module.model.layers[2].mlp.down_proj.weight.mul_(20)
        second = await source.measure(one, policy(trains=True))
        assert second.per_layer == pytest.approx(entropies(module, one), abs=1e-4)
    assert max(abs(a - b) for a, b in zip(first.per_layer, second.per_layer, strict=True)) > 0.01
    assert (first.policy_version, second.policy_version) == ("step 0", "step 1")
    assert (first.measures, first.scorer) == ("policy", "live Qwen3ForCausalLM")
    assert module.training
    assert not module.model.layers[3].training
    for name, parameter in module.named_parameters():
        assert torch.equal(parameter.grad, before[name])
    module(input_ids=torch.tensor([one.token_ids])).logits.mean().backward()
    # Closed, and open again for the next epoch.
    async with make_source(live_config(), live=live) as source:
        again = await source.measure(one, policy(trains=True))
    assert again.per_layer == pytest.approx(second.per_layer, abs=1e-5)


async def test_a_score_waits_for_the_trainers_lock_and_not_for_ever(tiny_qwen, monkeypatch):
    from transformers import AutoModelForCausalLM

    monkeypatch.setattr(in_process, "LOCK_S", 0.3)
    module, lock = AutoModelForCausalLM.from_pretrained(tiny_qwen), threading.Lock()
    async with LiveModelSource(module, live_config(), lock) as source:
        with (
            lock,
            pytest.raises(HiddenStatesError, match=r"was not free for 0\.3 s: does the trainer"),
        ):
            await source.measure(completion(3, 4), policy())
        monkeypatch.setattr(in_process, "LOCK_S", 60)
        lock.acquire()
        waiting = asyncio.create_task(source.measure(completion(3, 4), policy()))
        await asyncio.sleep(0.2)
        assert not waiting.done()
        lock.release()
        await asyncio.wait_for(waiting, 60)


async def test_a_batch_waits_for_the_trainers_lock_once(tiny_qwen, monkeypatch):
    from transformers import AutoModelForCausalLM

    monkeypatch.setattr(in_process, "LOCK_S", 0.1)
    module, lock = AutoModelForCausalLM.from_pretrained(tiny_qwen), threading.Lock()
    async with LiveModelSource(module, live_config(), lock) as source:
        waits, score = [], source._score
        source._score = lambda pairs: (waits.append(len(pairs)), score(pairs))[1]
        with lock:
            found = await asyncio.gather(
                *(source.measure(completion(3, 4), policy()) for _ in range(4)),
                return_exceptions=True,
            )
    assert all("was not free" in str(one) for one in found)
    assert sum(waits) == 4  # each in one batch alone, none tried again


def test_a_live_source_is_handed_over_or_named(tiny_qwen):
    with pytest.raises(ValueError, match=r"hand it over with env\.use\(LiveModelSource"):
        make_source(live_config())
    module = torch.nn.Linear(2, 2)
    with pytest.raises(ValueError, match=r"got 'vllm'"):
        LiveModelSource(module, EntropyConfig(source="vllm"), threading.Lock())
    live = LiveModelSource(module, live_config(), threading.Lock())
    with pytest.raises(ValueError, match=r'entropy\.source to "live"'):
        make_source(EntropyConfig(), live=live)


async def test_layers_that_a_live_module_does_not_have_are_named(tiny_qwen):
    from transformers import AutoModelForCausalLM

    module = AutoModelForCausalLM.from_pretrained(tiny_qwen)
    source = LiveModelSource(module, live_config(layers=[99]), threading.Lock())
    with pytest.raises(HiddenStatesError, match=r"entropy\.layers \[99\] cannot be used"):
        async with source:
            pass


# ---------------------------------------------------------------- what can be


def measured(**changes: Any) -> Measurement:
    fields = {
        "layers": (5, 6),
        "per_layer": (2.0, 2.5),
        "tokens": 8,
        "dim": 64,
        "preset": "advent",
        "alpha": 1.0,
        "measures": "policy",
        "scorer": "probe",
    }
    return Measurement(**{**fields, **changes})


@pytest.mark.parametrize(
    "changes",
    [
        {"per_layer": (2.0, 3.01)},
        {"per_layer": (-0.01, 2.0)},
        {"per_layer": (2.0, math.nan)},
        {"per_layer": (2.0,)},
        {"per_layer": ()},
        {"tokens": 4},
        {"tokens": 1},
        {"dim": 4},
        {"tokens": 0},
        {"dim": 0},
        {"preset": "mine"},
        {"preset": "layer_by_layer", "per_layer": (2.1, 2.0)},
    ],
)
def test_what_cannot_be_is_no_measurement(changes):
    """Eight tokens have 3 bits at most, or 2.08 nats."""
    measured()
    measured(per_layer=(3.0, -1e-5))
    measured(preset="layer_by_layer", per_layer=(2.079, 0.0))
    measured(tokens=1, per_layer=(0.0, 1e-4))
    with pytest.raises(HiddenStatesError, match="probe"):
        measured(**changes)


def test_every_score_names_its_rollout():
    client = vf.EvalClientConfig(base_url="http://127.0.0.1:9/v1", headers={"X-Team": "a"})
    agent = vf.AgentInfo(config=vf.AgentConfig(model="tiny", client=client))
    traces = [
        vf.Trace(task=vf.TraceTask(type="Task", data=vf.TaskData(prompt="hi")), agent=agent)
        for _ in range(2)
    ]
    for trace in traces:
        headers = dict(Policy.of(trace).headers)
        assert headers["X-Session-ID"] == trace.id
        assert headers["X-Team"] == "a"
    assert traces[0].id != traces[1].id


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


async def test_the_text_of_tokens_waits_for_a_busy_engine_as_a_score_does():
    replies = [HttpReply(503, "busy"), HttpReply(502, "nobody"), {"prompt": "so it is"}]
    posts = {"/detokenize": lambda body: replies.pop(0)}
    with PolicyServer(lambda body: {"content": ""}, posts=posts) as server:
        async with make_source(engine(server)) as source:
            assert await source.decode([1, 2], policy(server.base_url)) == "so it is"
            replies.append({"text": "of another server"})
            with pytest.raises(HiddenStatesError, match="answered no text of tokens"):
                await source.decode([1, 2], policy(server.base_url))


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


async def test_the_rollouts_headers_go_with_its_score():
    requests = []

    async def refuse(reader, writer):
        requests.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as listener:
        url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/v1"
        async with make_source(EntropyConfig(source="vllm")) as source:
            for session in ("one", "two"):
                seat = Policy("tiny", url, (("X-Session-ID", session),), trains=False)
                with pytest.raises(HiddenStatesError, match="HTTP 400"):
                    await source.measure(completion(3, 4), seat)
    sent = [re.search(r"x-session-id: (\w+)", head.lower()) for head in requests]
    assert [found and found[1] for found in sent] == ["one", "two"]


async def test_a_silent_engine_is_waited_for_once(monkeypatch):
    monkeypatch.setattr(vllm, "WAIT_S", 1.0)
    asked, ended = [], threading.Event()

    def post(body):
        asked.append(body)
        ended.wait(60)
        return {}

    with serve(post) as server:
        async with make_source(engine(server)) as source:
            with pytest.raises(HiddenStatesError, match="within 1 s: the engine stays silent"):
                await source.measure(completion(3, 4), policy(server.base_url))
        ended.set()
    assert len(asked) == 1


ABORTED = {"choices": [{"finish_reason": "abort", "text": ""}], "kv_transfer_params": None}
CHANGED = {
    "choices": [{"finish_reason": "length", "text": ""}],
    "kv_transfer_params": {
        "inward": {
            "format": FORMAT,
            "error": "the weights changed while the sequence was being read; ask again",
        }
    },
}
UPDATE = {
    "a 503 of a paused engine": (HttpReply(503, "generation is paused"), "HTTP 503: generation is"),
    "an abort by /pause": (ABORTED, "the engine aborted the score, as /pause does"),
    "weights that changed under it": (CHANGED, "the weights changed while"),
    "overload": (HttpReply(429, "slow down"), "HTTP 429: slow down"),
}


@pytest.mark.parametrize("event", UPDATE)
async def test_a_weight_update_is_waited_out(tiny_qwen, monkeypatch, event):
    """More often than an unreachable server would be asked."""
    monkeypatch.setattr(vllm, "LONGEST_PAUSE_S", 0.05)
    flaky = Flaky(PluginEngine(tiny_qwen), 6, UPDATE[event][0])
    with serve(flaky) as server:
        async with make_source(engine(server)) as source:
            await source.measure(completion(3, 4), policy(server.base_url))
    assert flaky.seen == len(set(flaky.salts)) == 7


@pytest.mark.parametrize("event", UPDATE)
async def test_an_update_that_does_not_end_is_named(monkeypatch, event):
    monkeypatch.setattr(vllm, "WAIT_S", 1.0)
    monkeypatch.setattr(vllm, "LONGEST_PAUSE_S", 0.05)
    fault, complaint = UPDATE[event]
    with serve(Flaky(None, 10_000, fault)) as server:
        async with make_source(engine(server)) as source:
            with pytest.raises(HiddenStatesError, match=f"within 1 s: .*{complaint}"):
                await source.measure(completion(3, 4), policy(server.base_url))


FULL = "max_tokens must be at least 1, got 0. (parameter=max_tokens, value=0)"
LONGER = "This model's maximum context length is {} tokens. However, your prompt contains {}"


class Context:
    """An engine that reads `length` tokens, of which a completion takes the last."""

    def __init__(self, good, length):
        self.good, self.length, self.lengths = good, length, []

    def __call__(self, body):
        found = len(body["prompt"])
        self.lengths.append(found)
        if found < self.length:
            return self.good(body)
        return HttpReply(400, FULL if found == self.length else LONGER.format(self.length, found))


async def test_a_rollout_that_fills_the_context_is_scored_but_for_its_last_token(tiny_qwen):
    one = completion(5, 15)
    context = Context(PluginEngine(tiny_qwen), 20)
    with serve(context) as server:
        async with make_source(engine(server)) as source:
            measurement = await source.measure(one, policy(server.base_url))
            with pytest.raises(UnmeasurableError, match="one above the longest rollout"):
                await source.measure(completion(5, 16), policy(server.base_url))
            with pytest.raises(UnmeasurableError, match="one above the longest rollout"):
                await source.measure(completion(19, 1), policy(server.base_url))
    assert context.lengths == [20, 19, 21, 20, 20]
    assert (measurement.tokens, measurement.left_out) == (14, 1)
    short = Completion(one.prompt_ids, one.completion_ids[:-1])
    assert measurement.per_layer == pytest.approx(reference(tiny_qwen, short), abs=2e-5)


@pytest.mark.parametrize(
    "said",
    [
        "the spans cover 20000 tokens, this server keeps 16384 at once; start it with",
        "the prompt holds 4 placeholder tokens (151655, ...) without the pictures that",
    ],
)
async def test_what_the_engine_cannot_read_is_no_fault_of_the_machine(said):
    with serve(lambda body: HttpReply(400, {"error": {"message": said}})) as server:
        async with make_source(engine(server)) as source:
            with pytest.raises(UnmeasurableError, match=said[:20]):
                await source.measure(completion(3, 4), policy(server.base_url))


@pytest.mark.parametrize(
    ("fault", "complaint", "seen"),
    [
        (HttpReply(502, "no upstream"), r"after 3 attempts \(HTTP 502\)", 3),
        (HttpReply(504, "no answer"), r"after 3 attempts \(HTTP 504\)", 3),
        (HttpReply(400, "bad span"), "HTTP 400: bad span", 1),
        (HttpReply(500, "boom"), "HTTP 500: boom", 1),
        (HttpReply(200, "not json"), "answered no JSON", 1),
        ([1, 2], "answered no completion", 1),
        ({"choices": []}, "not switched on", 1),
        (
            {"kv_transfer_params": {"inward": {"format": FORMAT, "error": "only 2 rows"}}},
            "only 2",
            1,
        ),
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

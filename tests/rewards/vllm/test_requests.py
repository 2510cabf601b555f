"""One server, asked well and badly: errors, prefix cache, aborts, load, new weights."""

from __future__ import annotations

import asyncio
import random
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

torch = pytest.importorskip("torch", reason="the reference needs torch (group `models`)")

from inward_rewards.entropy.wire import (  # noqa: E402
    MEASURES,
    HiddenStatesError,
    ScoreAnswer,
    ScoreRequest,
)
from inward_rewards.hidden_states import (  # noqa: E402
    Completion,
    EntropyConfig,
    Policy,
    UnmeasurableError,
    VllmSource,
)
from rewards.vllm.reference import TOLERANCE, Case, Reference, random_cases  # noqa: E402
from rewards.vllm.server import (  # noqa: E402
    MODEL,
    Served,
    VllmServer,
    score_all,
    switch_on,
    token_endpoint,
)
from safetensors.torch import load_file, save_file  # noqa: E402

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

BUFFER_TOKENS = 2000
"""Room for little more than one long span: of 64 requests most have to queue."""


UNANSWERED_S = 200
"""An answer that has not come by then never will."""


@pytest.fixture(scope="module")
def served(vllm_python, plugin, model, tmp_path_factory) -> Iterator[Served]:
    folder = model("qwen3")
    flags = [
        *("--enforce-eager", "--max-num-seqs", "24", "--max-num-batched-tokens", "512"),
        *(*token_endpoint(vllm_python), "--enable-prompt-tokens-details"),
        *("--worker-extension-cls", "inward_faults.Faults"),
        *switch_on(
            layers="middle:4", alphas=[1, 2], buffer_tokens=BUFFER_TOKENS, measures=list(MEASURES)
        ),
    ]
    log = tmp_path_factory.mktemp("server") / "log"
    variables = {"PYTHONPATH": f"{plugin}:{Path(__file__).parent / 'extension'}"}
    with VllmServer(vllm_python, folder, plugin, log, *flags, variables=variables) as server:
        yield Served(server, folder)


def ids(count: int, seed: int = 0) -> list[int]:
    rng = random.Random(seed)
    return [rng.randrange(9, 250) for _ in range(count)]


def inward(response: httpx.Response) -> Any:
    assert response.status_code == 200, response.text
    return response.json()["kv_transfer_params"]["inward"]


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ({"vllm_xargs": {"inward": [5, 5]}}, "span [5, 5) is empty or leaves the prompt's 20"),
        ({"vllm_xargs": {"inward": [0, 21]}}, "span [0, 21) is empty or leaves the prompt's 20"),
        ({"vllm_xargs": {"inward": [3]}}, "flat list [start, stop, ...] of whole numbers"),
        ({"vllm_xargs": {"inward": "0,4"}}, "flat list [start, stop, ...] of whole numbers"),
        ({"vllm_xargs": {"inward": [0.5, 4]}}, "flat list [start, stop, ...] of whole numbers"),
        ({"vllm_xargs": {"inward": [0, 4]}, "n": 2}, "n must be 1"),
        (
            {"vllm_xargs": {"inward": [1, 4], "inward_measures": ["mean"]}},
            "inward_measures must be a list of matrix_entropy, effective_rank, rank_curve",
        ),
        (
            {"vllm_xargs": {"inward": [0, 4], "inward_measures": ["self_certainty"]}},
            "span [0, 4] begins with the sequence's first token",
        ),
        (
            {"vllm_xargs": {"inward": [0, 1500] * 3}, "prompt": ids(1500)},
            f"add up to 4500 tokens, where at most 2 x {BUFFER_TOKENS}",
        ),
        (
            {"vllm_xargs": {"inward": [0, 2010]}, "prompt": ids(2020)},
            f"cover 2010 tokens, this server keeps {BUFFER_TOKENS} at once",
        ),
    ],
)
def test_a_bad_request_is_a_400(served, body, complaint):
    response = served.complete(**{"prompt": ids(20), **body})
    assert response.status_code == 400
    assert complaint in response.json()["error"]["message"]


def test_a_stream_is_an_error(served):
    """Its status is sent before its first event, so that only that event can tell."""
    response = served.complete(prompt=ids(20), stream=True, vllm_xargs={"inward": [0, 4]})
    assert "a streamed answer has no place for a score; leave stream out" in response.text
    assert "choices" not in response.text


def test_the_token_endpoint_answers_too(served):
    request = ScoreRequest(((3, 90), (1, 2)), curve=True)
    tokens = ids(100)
    body = {
        "token_ids": tokens,
        "cache_salt": "fresh",
        "sampling_params": {"max_tokens": 1, "extra_args": request.to_xargs()},
    }
    response = httpx.post(f"{served.server.url}/inference/v1/generate", json=body, timeout=600)
    answer = ScoreAnswer.from_json(inward(response), request)
    assert Reference(served.folder).error(tokens, answer) <= TOLERANCE
    body["sampling_params"]["extra_args"] = {"inward": [0, 101]}
    response = httpx.post(f"{served.server.url}/inference/v1/generate", json=body, timeout=600)
    assert response.status_code == 400


@pytest.mark.parametrize("measures", [MEASURES, *((measure,) for measure in MEASURES)])
async def test_each_measure_alone_and_all_of_them(served, measures):
    """In several chunks, among each other: all equal those of transformers."""
    reference = Reference(served.folder)
    cases = []
    for number, (start, stop) in enumerate([(1, 700), (300, 1490), (40, 42), (7, 8)]):
        request = ScoreRequest(((start, stop), (start, start + 1)), measures=measures)
        cases.append(Case(tuple(ids(stop + 3 * number, seed=number)), request))
    answers = await score_all(served.server.url, cases)
    worst = 0.0
    for case, answer in zip(cases, answers, strict=True):
        worst = max(worst, reference.error(case.token_ids, answer))
        assert answer.vocabulary == (reference.vocabulary if case.request.reads_logits else None)
        for span in answer.spans:
            found = {name for name in MEASURES[1:] if getattr(span, name) is not None}
            assert found == set(measures) - {"matrix_entropy"}
    print(f"largest deviation of {', '.join(measures)}: {worst:.1e}")
    assert worst <= TOLERANCE


def test_a_generation_can_be_scored_on_its_way(served):
    """The prompt's score waits for the last token of a longer completion."""
    request = ScoreRequest(((2, 60),))
    tokens = ids(60)
    response = served.complete(
        prompt=tokens, max_tokens=25, ignore_eos=True, vllm_xargs=request.to_xargs()
    )
    answer = ScoreAnswer.from_json(inward(response), request)
    assert Reference(served.folder).error(tokens, answer) <= TOLERANCE
    assert response.json()["usage"]["completion_tokens"] == 25


def test_the_prefix_cache_is_never_read_for_a_score(served):
    tokens = ids(300, seed=5)
    served.complete(prompt=tokens)
    again = served.complete(prompt=tokens).json()
    assert again["usage"]["prompt_tokens_details"]["cached_tokens"] > 200
    request = ScoreRequest(((0, 300),))
    for _ in range(2):  # without a cache_salt
        answer = ScoreAnswer.from_json(
            inward(served.complete(prompt=tokens, vllm_xargs=request.to_xargs())), request
        )
        assert answer.spans[0].rows == 300
        assert Reference(served.folder).error(tokens, answer) <= TOLERANCE


async def generate(client: httpx.AsyncClient, index: int) -> dict[str, Any]:
    """An ordinary completion with its token ids and their log probabilities."""
    body = {
        "model": MODEL,
        "prompt": ids(20 + index, seed=1000 + index),
        "max_tokens": 32,
        "temperature": 1.0,
        "logprobs": 0,
        "return_token_ids": True,
        "cache_salt": f"generation {index}",
    }
    response = await client.post("/v1/completions", json=body)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    assert answer["kv_transfer_params"] is None
    return answer["choices"][0]


def check_generations(reference: Reference, choices: list[dict[str, Any]]) -> None:
    for index, choice in enumerate(choices):
        prompt = ids(20 + index, seed=1000 + index)
        assert choice["prompt_token_ids"] == prompt
        expected = reference.logprobs([*prompt, *choice["token_ids"]], len(prompt))
        assert choice["logprobs"]["token_logprobs"] == pytest.approx(expected, abs=1e-3)


async def test_64_scores_beside_64_generations(served):
    """Nothing is lost and nothing crossed: everything that comes back is recomputed."""
    cases = random_cases(64, seed=64)
    async with served.server.client() as client:
        generations = asyncio.gather(*(generate(client, index) for index in range(64)))
        answers = await score_all(served.server.url, cases)
        choices = await generations
    reference = Reference(served.folder)
    worst = max(
        reference.error(case.token_ids, answer) for case, answer in zip(cases, answers, strict=True)
    )
    print(f"largest deviation of 64 scores {worst:.1e}")
    assert worst <= TOLERANCE
    check_generations(reference, choices)


@pytest.mark.parametrize("part", ["admit", "collect", "_score"])
async def test_an_exception_in_the_plugin_fails_its_requests_alone(served, part):
    """Wherever it is raised: generations beside it end well, and so does the next score."""
    cases = random_cases(3, seed=3, longest=300)
    served.server.rpc("break_inward", part=part)
    async with served.server.client() as client:
        generations = asyncio.gather(*(generate(client, index) for index in range(4)))
        for case in cases:
            with pytest.raises(HiddenStatesError, match="not score: RuntimeError: broken on pur"):
                await score_all(served.server.url, [case])
        choices = await generations
    served.server.rpc("mend_inward", part=part)
    reference = Reference(served.folder)
    check_generations(reference, choices)
    answers = await score_all(served.server.url, cases)
    for case, answer in zip(cases, answers, strict=True):
        assert reference.error(case.token_ids, answer) <= TOLERANCE


async def test_aborted_scores_leave_nothing_behind(served):
    """Clients hang up at every stage; afterwards the whole buffer is free again."""
    rng = random.Random(9)
    async with served.server.client() as client:
        for _ in range(4):
            tasks = []
            for _ in range(12):
                body = {
                    "model": MODEL,
                    "prompt": ids(1500, seed=rng.randrange(10**6)),
                    "max_tokens": 1,
                    "vllm_xargs": {"inward": [0, rng.randrange(200, 1500)]},
                }
                tasks.append(asyncio.create_task(client.post("/v1/completions", json=body)))
            await asyncio.sleep(rng.random())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    request = ScoreRequest(((0, BUFFER_TOKENS),))
    tokens = ids(BUFFER_TOKENS + 20)
    for _ in range(3):
        response = served.complete(prompt=tokens, vllm_xargs=request.to_xargs())
        ScoreAnswer.from_json(inward(response), request)


def start(
    client: httpx.AsyncClient, tokens: list[int], **body: Any
) -> asyncio.Task[httpx.Response]:
    """A score of the whole prompt, on its way."""
    defaults = {"model": MODEL, "max_tokens": 1, "vllm_xargs": {"inward": [0, len(tokens)]}}
    return asyncio.create_task(
        client.post("/v1/completions", json={"prompt": tokens, **defaults, **body})
    )


async def check_score(
    served: Served, tokens: list[int], task: asyncio.Task[httpx.Response]
) -> None:
    response = await asyncio.wait_for(task, UNANSWERED_S)
    answer = ScoreAnswer.from_json(inward(response), ScoreRequest(((0, len(tokens)),)))
    assert Reference(served.folder).error(tokens, answer) <= TOLERANCE


@pytest.fixture
def scoring_stopped(served) -> Iterator[Callable[[], None]]:
    """The plugin's thread waits for the call, or for the end of the test."""
    served.server.rpc("stop_scoring")
    stopped = [True]

    def go_on() -> None:
        if stopped:
            stopped.clear()
            served.server.rpc("go_on_scoring")

    yield go_on
    go_on()


async def until_it_is_being_scored(served: Served) -> None:
    def ask() -> None:
        while not served.server.rpc("count_scoring"):
            time.sleep(0.1)

    await asyncio.to_thread(ask)


async def test_the_queue_moves_on_when_the_one_inside_is_aborted(served):
    first, second = ids(300, seed=21), ids(320, seed=22)
    async with served.server.client() as client:
        inside = start(client, first, max_tokens=1700, ignore_eos=True)
        await asyncio.sleep(1)
        queued = start(client, second)
        await asyncio.sleep(1)
        assert not inside.done()
        inside.cancel()
        await check_score(served, second, queued)
        await check_score(served, first, start(client, first))


async def test_an_abort_while_the_score_is_computed_stalls_nobody(served, scoring_stopped):
    """Its rows are not free yet: the next score waits for them, and the engine does not."""
    first, second = ids(1500, seed=23), ids(1400, seed=24)
    async with served.server.client() as client:
        inside = start(client, first)
        await until_it_is_being_scored(served)
        inside.cancel()
        queued = start(client, second)
        generations = [await generate(client, index) for index in range(3)]
        check_generations(Reference(served.folder), generations)
        assert not queued.done()
        await asyncio.to_thread(scoring_stopped)
        await check_score(served, second, queued)


async def test_a_pause_that_aborts_waits_for_the_scores_that_are_due(served, scoring_stopped):
    """vLLM's default mode: what is generating ends, what was read is answered."""
    read, queue = ids(400, seed=25), ids(420, seed=26)
    async with served.server.client() as client:
        held = start(client, read)
        await until_it_is_being_scored(served)
        queued = start(client, queue)
        await asyncio.sleep(1)
        pause = asyncio.create_task(client.post("/pause", params={"mode": "abort"}))
        aborted = await asyncio.wait_for(queued, UNANSWERED_S)
        assert aborted.json()["choices"][0]["finish_reason"] == "abort"
        assert not pause.done()
        await asyncio.to_thread(scoring_stopped)
        await check_score(served, read, held)
        assert (await asyncio.wait_for(pause, UNANSWERED_S)).status_code == 200
        assert (await client.post("/resume")).status_code == 200
        await check_score(served, queue, start(client, queue))


def spoilt(folder: Path, target: Path) -> Path:
    """A copy of a checkpoint with one NaN in its second layer."""
    shutil.copytree(folder, target)
    weights = load_file(target / "model.safetensors")
    weights["model.layers.1.mlp.down_proj.weight"][0, 0] = float("nan")
    save_file(weights, target / "model.safetensors", metadata={"format": "pt"})
    return target


async def test_a_rollout_that_fills_the_context_is_scored_but_for_its_last_token(served):
    policy = Policy(MODEL, f"{served.server.url}/v1", (), trains=False)
    reference = Reference(served.folder)
    async with VllmSource(EntropyConfig(source="vllm", layers="middle:4")) as source:
        full = tuple(ids(2048))
        measurement = await source.measure(Completion(full[:1900], full[1900:]), policy)
        assert (measurement.tokens, measurement.left_out) == (147, 1)
        whole = await source.score(full[:-1], ScoreRequest(((1900, 2047),)), policy)
        assert reference.error(full[:-1], whole) <= TOLERANCE
        assert measurement.per_layer == pytest.approx(whole.spans[0].entropy[0], abs=TOLERANCE)
        longer = tuple(ids(2060))
        with pytest.raises(UnmeasurableError, match="--max-model-len at least one above"):
            await source.measure(Completion(longer[:1900], longer[1900:]), policy)
        with pytest.raises(UnmeasurableError, match=f"this server keeps {BUFFER_TOKENS} at once"):
            await source.measure(Completion(full[:2], full[2:-1]), policy)


@pytest.fixture
def slow(served) -> Iterator[None]:
    """A second a step: 1,500 tokens take three."""
    served.server.rpc("slow_down", seconds=1)
    yield
    served.server.rpc("mend_inward", part="collect")


@pytest.fixture
def other(served, model) -> Iterator[Path]:
    """New weights; the old ones are back after the test."""
    yield model("qwen3", 1)
    served.server.rpc("reload_weights", weights_path=str(served.folder))


async def update(served: Served, client: httpx.AsyncClient, folder: Path, **pause: str) -> None:
    """A trainer's way: pause, load, resume."""
    assert (await client.post("/pause", params=pause)).status_code == 200
    await asyncio.to_thread(served.server.rpc, "reload_weights", weights_path=str(folder))
    assert (await client.post("/resume")).status_code == 200


@pytest.mark.parametrize(
    "pause",
    [{"mode": "keep"}, {"mode": "keep", "clear_cache": "false"}, {"mode": "abort"}],
    ids=["keep", "keep the cache", "abort"],
)
async def test_a_score_outlives_a_weight_update(served, slow, other, pause):
    """It is in the middle of its prompt when the weights change, and answers by the new ones."""
    tokens = ids(1500, seed=31)
    policy = Policy(MODEL, f"{served.server.url}/v1", (), trains=False)
    config = EntropyConfig(source="vllm", layers="middle:4")
    async with served.server.client() as client, VllmSource(config) as source:
        request = ScoreRequest(((0, 1500),))
        score = asyncio.create_task(source.score(tuple(tokens), request, policy))
        await asyncio.sleep(1.5)
        await update(served, client, other, **pause)
        answer = await asyncio.wait_for(score, UNANSWERED_S)
    assert Reference(other).error(tokens, answer) <= TOLERANCE


async def test_where_vllm_reads_anew_the_engine_itself_answers(served, slow, other):
    tokens = ids(1500, seed=32)
    async with served.server.client() as client:
        score = start(client, tokens)
        await asyncio.sleep(1.5)
        await update(served, client, other, mode="keep")
        response = await asyncio.wait_for(score, UNANSWERED_S)
    answer = ScoreAnswer.from_json(inward(response), ScoreRequest(((0, len(tokens)),)))
    assert Reference(other).error(tokens, answer) <= TOLERANCE


async def test_the_numbers_follow_the_weights(served, model, tmp_path):
    """Swapped through vLLM's reload, twice; the KV cache still holds the old ones' keys."""
    cases = random_cases(4, seed=12, longest=300)
    folders = [served.folder, model("qwen3", 1), served.folder]
    versions = []
    for number, folder in enumerate(folders):
        if number:
            served.server.rpc("reload_weights", weights_path=str(folder))
        reference = Reference(folder)
        answers = await score_all(served.server.url, cases)
        for case, answer in zip(cases, answers, strict=True):
            assert reference.error(case.token_ids, answer) <= TOLERANCE
            versions.append(answer.policy_version)
            unsalted = served.complete(
                prompt=list(case.token_ids), vllm_xargs=case.request.to_xargs()
            )
            again = ScoreAnswer.from_json(inward(unsalted), case.request)
            assert reference.error(case.token_ids, again) <= TOLERANCE
    assert len(set(versions)) == 3
    # Weights that are broken: the score is an error, the engine lives on.
    served.server.rpc("reload_weights", weights_path=str(spoilt(served.folder, tmp_path / "nan")))
    with pytest.raises(HiddenStatesError, match="could not score: hidden states are not finite"):
        await score_all(served.server.url, cases[:1])
    served.server.rpc("reload_weights", weights_path=str(served.folder))
    [answer] = await score_all(served.server.url, cases[:1])
    assert Reference(served.folder).error(cases[0].token_ids, answer) <= TOLERANCE


async def test_the_trainers_own_name_of_the_weights(served):
    """Where this vLLM keeps one (0.28 and newer do)."""
    [before] = await score_all(served.server.url, random_cases(1, seed=3))
    assert before.policy_version.isdecimal()
    assert before.dtype == "float32"
    async with served.server.client() as client:
        told = await client.post("/update_weight_version", json={"new_version": "step 40"})
    if told.status_code == 404:
        pytest.skip("this vLLM has no weight version")
    assert told.status_code == 200, told.text
    [after] = await score_all(served.server.url, random_cases(1, seed=3))
    assert after.policy_version == "step 40"
    served.server.rpc("reload_weights", weights_path=str(served.folder))
    [later] = await score_all(served.server.url, random_cases(1, seed=3))
    assert later.policy_version == "step 40 and 1 loads later"

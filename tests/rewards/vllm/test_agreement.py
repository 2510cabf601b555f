"""Scores of a real server equal a transformers forward, whatever runs beside them."""

from __future__ import annotations

import asyncio
import json
import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx
import pytest

torch = pytest.importorskip("torch", reason="the reference needs torch (group `models`)")

from inward_rewards.entropy.wire import (  # noqa: E402
    DEFAULT_MEASURES,
    MEASURES,
    ScoreAnswer,
    ScoreRequest,
)
from rewards.vllm.reference import TOLERANCE, Case, Reference, random_cases  # noqa: E402
from rewards.vllm.server import MODEL, VllmServer, score_all, switch_on  # noqa: E402

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

TOOL = {
    "type": "function",
    "function": {
        "name": "measure",
        "strict": True,
        "parameters": {
            "type": "object",
            "properties": {"unit": {"type": "string", "enum": ["metre", "second"]}},
            "required": ["unit"],
            "additionalProperties": False,
        },
    },
}
CHUNKS = ["--max-num-seqs", "16", "--max-num-batched-tokens", "256"]
"""Long prompts come in several chunks."""
TOOLS = ["--enable-auto-tool-choice", "--tool-call-parser", "hermes"]
TWO_RANKS = {"VLLM_CPU_OMP_THREADS_BIND": "nobind", "OMP_NUM_THREADS": "1"}


async def chat(client: httpx.AsyncClient, index: int) -> dict[str, Any]:
    """Every other one calls a tool."""
    name = TOOL["function"]["name"]
    choice = {"type": "function", "function": {"name": name}}
    response = await client.post(
        "/v1/chat/completions",
        json={
            "model": MODEL,
            "messages": [{"role": "user", "content": f"Question {index}. " * 9}],
            "max_tokens": 96,
            "temperature": 1.0,
            **({"tools": [TOOL], "tool_choice": choice} if index % 2 else {}),
        },
    )
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    assert body["kv_transfer_params"] is None
    return body["choices"][0]


def asked(case: Case, measures: tuple[str, ...]) -> Case:
    """No distribution that the first token was drawn from is known."""
    first = 0 if measures == DEFAULT_MEASURES else 1
    spans = tuple((max(a, first), max(b, first + 1)) for a, b in case.request.spans)
    return Case(case.token_ids, ScoreRequest(spans, case.request.curve, measures))


def check(folder: Path, cases: list[Case], answers: list[ScoreAnswer]) -> None:
    reference = Reference(folder)
    worst = max(
        reference.error(case.token_ids, answer) for case, answer in zip(cases, answers, strict=True)
    )
    print(f"largest deviation of {len(cases)} answers: {worst:.1e}")
    assert worst <= TOLERANCE


def check_names(case: Case, answer: ScoreAnswer) -> None:
    """An answer says what was measured, by what."""
    assert (answer.preset, answer.alphas) == ("advent", (1.0, 2.0, 0.5))
    assert (answer.layers, answer.n_layers, answer.dim) == ((2, 3, 4, 5), 6, 128)
    assert answer.tokens == len(case.token_ids)
    assert [span.rows for span in answer.spans] == [b - a for a, b in case.request.spans]
    assert answer.plugin == version("inward-rewards")
    assert re.fullmatch(r"0\.\d+\.\d+\+cpu", answer.vllm)


def check_tool_call(choice: dict[str, Any]) -> None:
    """The grammar held: a whole call, or a beginning of one that ran out of tokens in blanks."""
    for call in choice["message"].get("tool_calls") or ():
        assert json.loads(call["function"]["arguments"])["unit"] in ("metre", "second")
        return
    assert choice["finish_reason"] == "length"
    begun = r'<tool_call>\s*\{"name": "measure", "arguments": \{'
    assert re.match(begun, choice["message"]["content"])


@pytest.mark.parametrize(
    ("kind", "flags", "variables", "measures"),
    [
        pytest.param("qwen3", ["--enforce-eager"], {}, DEFAULT_MEASURES, id="qwen3-eager"),
        pytest.param("llama", [], {}, DEFAULT_MEASURES, id="llama-compiled"),
        pytest.param(
            *("qwen3", ["--enforce-eager", "--tensor-parallel-size", "2"], TWO_RANKS, MEASURES),
            id="qwen3-tp2",
        ),
    ],
)
async def test_thirty_spans_among_chats_and_tool_calls(
    vllm_python, plugin, model, tmp_path, kind, flags, variables, measures
):
    """Two ranks answer every measure: each holds one half of the vocabulary."""
    folder = model(kind)
    cases = [asked(case, measures) for case in random_cases(30, seed=7)]
    on = switch_on(layers="middle:4", alphas=[1, 2, 0.5], measures=list(measures))
    log = tmp_path / "log"
    with VllmServer(
        *(vllm_python, folder, plugin, log, *flags, *CHUNKS, *TOOLS, *on), variables=variables
    ) as server:
        async with server.client() as client:
            chats = asyncio.gather(*(chat(client, index) for index in range(12)))
            answers = await score_all(server.url, cases)
            finished = await chats
    check(folder, cases, answers)
    for case, answer in zip(cases, answers, strict=True):
        check_names(case, answer)
    for choice in finished[1::2]:
        check_tool_call(choice)


async def test_the_other_preset(vllm_python, plugin, model, tmp_path):
    folder = model("qwen3")
    cases = [
        Case(case.token_ids, type(case.request)(case.request.spans))
        for case in random_cases(8, seed=8, longest=600)
    ]
    on = switch_on(layers=[0, 3, 5], preset="layer_by_layer")
    with VllmServer(
        vllm_python, folder, plugin, tmp_path / "log", "--enforce-eager", *CHUNKS, *on
    ) as server:
        answers = await score_all(server.url, cases, layers=[0, 3, 5], preset="layer_by_layer")
    check(folder, cases, answers)


async def test_the_v2_model_runner_with_async_scheduling(vllm_python, plugin, model, tmp_path):
    """What GPUs use by default. Without tool calls: Triton's interpreter cannot mask logits."""
    folder, log = model("qwen3"), tmp_path / "log"
    cases = random_cases(30, seed=7)
    on = switch_on(layers="middle:4", alphas=[1, 2])
    variables = {
        "VLLM_USE_V2_MODEL_RUNNER": "1",
        "PYTHONPATH": f"{plugin}:{Path(__file__).parent / 'interpreted'}",
    }
    with VllmServer(
        *(vllm_python, folder, plugin, log, "--enforce-eager", *CHUNKS, *on), variables=variables
    ) as server:
        async with server.client() as client:
            chats = asyncio.gather(*(chat(client, 2 * index) for index in range(8)))
            answers = await score_all(server.url, cases)
            await chats
    assert "Using V2 Model Runner" in log.read_text()
    assert "compat.scheduler.AsyncScheduler" in log.read_text()
    check(folder, cases, answers)

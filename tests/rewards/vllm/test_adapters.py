"""A server of adapters, whose model names a picture's placeholder: loaded hot, and asked badly."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the reference needs torch (group `models`)")

from inward_rewards.entropy.wire import ScoreAnswer  # noqa: E402
from inward_rewards.hidden_states import (  # noqa: E402
    EntropyConfig,
    Policy,
    UnmeasurableError,
    VllmSource,
)
from rewards.vllm.reference import TOLERANCE, Case, Reference, random_cases  # noqa: E402
from rewards.vllm.server import MODEL, Served, VllmServer, switch_on  # noqa: E402
from safetensors.torch import save_file  # noqa: E402
from transformers import AutoModelForCausalLM  # noqa: E402

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

PICTURE = 260
"""The placeholder; the tests' random tokens stay below."""
RANK, SCALE = 4, 2.0


@pytest.fixture(scope="module")
def served(vllm_python, plugin, model, tmp_path_factory) -> Iterator[Served]:
    folder = model("qwen3", image_token_id=PICTURE)
    flags = ["--enforce-eager", "--max-num-batched-tokens", "512", "--enable-lora"]
    flags += [*("--max-lora-rank", "8"), *switch_on(layers="middle:4")]
    log = tmp_path_factory.mktemp("server") / "log"
    variables = {"VLLM_ALLOW_RUNTIME_LORA_UPDATING": "1"}
    with VllmServer(vllm_python, folder, plugin, log, *flags, variables=variables) as server:
        yield Served(server, folder)


def make_adapter(base: Path, target: Path, seed: int) -> tuple[Path, Path]:
    """(a random adapter, `base` with it merged in)."""
    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    weights = {}
    for index, layer in enumerate(model.model.layers):
        for name in ("q_proj", "v_proj"):
            projection = getattr(layer.self_attn, name).weight
            down = 0.1 * torch.randn(RANK, projection.shape[1])
            up = 0.1 * torch.randn(projection.shape[0], RANK)
            key = f"base_model.model.model.layers.{index}.self_attn.{name}"
            weights |= {f"{key}.lora_A.weight": down, f"{key}.lora_B.weight": up}
            projection.data += SCALE * up @ down
    adapter, merged = target / "adapter", target / "merged"
    adapter.mkdir(parents=True)
    save_file(weights, adapter / "adapter_model.safetensors")
    config = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "r": RANK,
        "lora_alpha": SCALE * RANK,
        "target_modules": ["q_proj", "v_proj"],
        "bias": "none",
        "base_model_name_or_path": str(base),
    }
    (adapter / "adapter_config.json").write_text(json.dumps(config))
    model.save_pretrained(merged)
    return adapter, merged


async def score(served: Served, model: str, case: Case) -> ScoreAnswer:
    policy = Policy(model, f"{served.server.url}/v1", (), trains=False)
    async with VllmSource(EntropyConfig(source="vllm", layers="middle:4")) as source:
        return await source.score(case.token_ids, case.request, policy)


async def test_a_score_names_the_adapter_that_read_it(served, tmp_path):
    [case] = random_cases(3, seed=5, longest=300)[2:]
    base = await score(served, MODEL, case)
    assert Reference(served.folder).error(case.token_ids, base) <= TOLERANCE
    assert base.policy_version == "0"
    for load in (1, 2):
        adapter, merged = make_adapter(served.folder, tmp_path / str(load), seed=load)
        body = {"lora_name": "sums", "lora_path": str(adapter), "load_inplace": load > 1}
        async with served.server.client() as client:
            response = await client.post("/v1/load_lora_adapter", json=body)
        assert response.status_code == 200, response.text
        answer = await score(served, "sums", case)
        assert Reference(merged).error(case.token_ids, answer) <= TOLERANCE
        assert answer.policy_version == f"0, adapter sums (1, load {load})"


async def test_a_placeholder_without_its_picture_is_refused(served):
    prompt = [9, 10, PICTURE, PICTURE, 11, 12]
    response = served.complete(prompt, vllm_xargs={"inward": [4, 6]})
    assert response.status_code == 400
    assert "2 placeholder tokens of pictures or sounds without" in response.text
    assert served.complete(prompt).status_code == 200  # a generation is vLLM's own business
    case = random_cases(3, seed=6)[2]
    with pytest.raises(UnmeasurableError, match=f"the first is {PICTURE}, at 1"):
        await score(served, MODEL, Case((5, PICTURE, *case.token_ids), case.request))

"""What the plugin refuses at start-up, and that it changes nothing where it is not switched on."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

pytest.importorskip("torch", reason="the tiny models need torch (group `models`)")

from rewards.vllm.server import MODEL, VllmServer, environment, switch_on, tail

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

MAKE_CONFIGS = """
import json, sys
from vllm.engine.arg_utils import EngineArgs

def make(flags):
    try:
        config = EngineArgs(max_model_len=512, enforce_eager=True, **flags).create_engine_config()
        print("RESULT", config.parallel_config.worker_cls)
    except (RuntimeError, ValueError) as error:
        print("RESULT", str(error).replace(chr(10), " "))

all_flags = json.loads(sys.argv[1])
for flags in all_flags:
    make(flags)

# Another vLLM, which has not all that the plugin needs: off, it starts.
from vllm.v1.engine.input_processor import InputProcessor
del InputProcessor.process_inputs
for flags in all_flags[-2:]:
    make(flags)
"""
RUST_FRONT_END = """
import json, sys
from vllm.engine.arg_utils import EngineArgs

flags = json.loads(sys.argv[1])
try:
    EngineArgs(max_model_len=512, enforce_eager=True, **flags).create_engine_config()
except ValueError as error:
    print("REFUSED", str(error).replace(chr(10), " "))
"""
NOTICE = """
import json, logging, sys
from types import SimpleNamespace as Request
from vllm.config import KVTransferConfig
from vllm.engine.arg_utils import EngineArgs
from vllm.exceptions import VLLMValidationError
from vllm.sampling_params import SamplingParams
from inward_rewards.vllm_plugin.compat import front_end

told = []
front_end.logger.warning = lambda form, *values: told.append(form % values)
flags, placeholder = json.loads(sys.argv[1]), int(sys.argv[2])
for connector, role in (("ExampleConnector", "kv_both"), ("NixlConnector", "kv_both"),
                        ("ExampleConnector", "kv_producer")):
    transfer = KVTransferConfig(kv_connector=connector, kv_role=role)
    config = EngineArgs(max_model_len=512, enforce_eager=True, kv_transfer_config=transfer,
                        **flags).create_engine_config()
print(json.dumps({"told": told}))

params = SamplingParams(extra_args={"inward": [0, 2]})
for token in (5, placeholder):
    ids = [5, token, 6]
    request = Request(prompt_token_ids=ids, sampling_params=params, mm_features=None)
    try:
        front_end.inspect_request(request, config)
        print(json.dumps({"passed": token}))
    except VLLMValidationError as error:
        print(json.dumps({"refused": token, "why": str(error)}))
"""
REFUSED = [
    ({"layers": [6]}, {}, "layers [6] include 6, the last: transformers reads it behind the final"),
    ({"layers": [7]}, {}, "layers [7] leave 0..6, all that this model has"),
    ({"layers": "middle:9"}, {}, "cannot take 9 middle layers of a model that has 6"),
    ({"layers": [2], "alpha": 2}, {}, "unknown setting 'alpha'"),
    (
        {"layers": [2]},
        {
            "speculative_config": {
                "method": "extract_hidden_states",
                "num_speculative_tokens": 1,
                "draft_model_config": {"hf_config": {"eagle_aux_hidden_state_layer_ids": [1, 2]}},
            }
        },
        "beside 'extract_hidden_states' speculation, which uses the same outputs of the model",
    ),
    (
        {"layers": [2]},
        {"pipeline_parallel_size": 2, "distributed_executor_backend": "mp"},
        "with --pipeline-parallel-size 2: no worker sees all layers",
    ),
    ({"layers": [2]}, {"scheduler_cls": "mine.Scheduler"}, "'mine.Scheduler'; the workers are"),
]


def test_a_config_that_cannot_be_served_is_refused_in_one_line(vllm_python, plugin, model):
    folder = str(model("qwen3"))
    configs = [
        {"model": folder, "additional_config": {"inward": settings}, **flags}
        for settings, flags, _ in REFUSED
    ]
    configs += [
        {"model": folder, "additional_config": {"inward": {"layers": [2]}}},
        {"model": folder, "additional_config": {"other": 1}},
    ]
    done = subprocess.run(
        [vllm_python, "-c", MAKE_CONFIGS, json.dumps(configs)],
        env=environment(plugin),
        capture_output=True,
        text=True,
        timeout=900,
        check=True,
    )
    results = [
        line.removeprefix("RESULT ")
        for line in done.stdout.splitlines()
        if line.startswith("RESULT ")
    ]
    for (_, _, complaint), result in zip(REFUSED, results[:-4], strict=True):
        assert result.startswith("inward: ")
        assert complaint in result
    served, off, misfit, still_off = results[-4:]
    assert served == "inward_rewards.vllm_plugin.compat.worker.CPUWorker"
    assert off == still_off == "vllm.v1.worker.cpu_worker.CPUWorker"
    assert "has no vllm.v1.engine.input_processor:InputProcessor.process_inputs" in misfit
    assert "in the front end's process (makes the engine's request of each prompt" in misfit
    assert misfit.startswith("inward: vLLM 0.")


def test_the_rust_front_end_is_refused(vllm_python, plugin, model):
    config = {"model": str(model("qwen3")), "additional_config": {"inward": {"layers": [2]}}}
    done = subprocess.run(
        [vllm_python, "-c", RUST_FRONT_END, json.dumps(config)],
        env={**environment(plugin), "VLLM_USE_RUST_FRONTEND": "1"},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "REFUSED inward: cannot score hidden states behind the Rust front end" in done.stdout


def test_the_package_brings_nothing_into_the_engines_environment(plugin):
    [installed] = plugin.glob("*.dist-info")
    assert installed.name.startswith("inward_rewards-")


def test_what_some_scores_will_lack_is_told(vllm_python, plugin, model):
    """In one line each; and a placeholder of the model's own config is refused."""
    inward = {"inward": {"layers": [2], "buffer_tokens": 100}}
    folder = model("qwen3", image_token_id=260)
    flags = {"model": str(folder), "additional_config": inward}
    done = subprocess.run(
        [vllm_python, "-c", NOTICE, json.dumps(flags), "260"],
        env=environment(plugin),
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    printed = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    told = printed[0]["told"]
    assert len(told) == 5
    assert all("more than 100 tokens (buffer_tokens) are not" in told[i] for i in (0, 1, 3))
    assert "prefill/decode split (NixlConnector, kv_both)" in told[2]
    assert "prefill/decode split (ExampleConnector, kv_producer)" in told[4]
    assert printed[1] == {"passed": 5}
    assert printed[2]["refused"] == 260
    assert "1 placeholder tokens of pictures or sounds without" in printed[2]["why"]


def gpt2(folder: Path, of: Path) -> Path:
    """A tiny model whose architecture gives out no auxiliary states."""
    import torch
    from transformers import AutoTokenizer, GPT2Config, GPT2LMHeadModel

    tokenizer = AutoTokenizer.from_pretrained(of)
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=len(tokenizer), n_embd=128, n_layer=6, n_head=4, n_positions=2048
    )
    GPT2LMHeadModel(config).save_pretrained(folder)
    return folder


@pytest.mark.parametrize(
    ("kind", "layers", "complaint"),
    [
        ("qwen3", [9], "layers [9] leave 0..6, all that this model has"),
        ("gpt2", [2], "cannot score hidden states of GPT2LMHeadModel: vLLM"),
    ],
)
def test_the_server_itself_ends_with_that_line(
    vllm_python, plugin, model, tmp_path, kind, layers, complaint
):
    folder = gpt2(tmp_path / "model", model("qwen3")) if kind == "gpt2" else model(kind)
    log = tmp_path / "log"
    server = VllmServer(
        vllm_python, folder, plugin, log, "--enforce-eager", *switch_on(layers=layers)
    )
    with pytest.raises(RuntimeError, match="vLLM ended at start-up"), server:
        pass
    lines = [line for line in log.read_text().splitlines() if "ValueError: inward: " in line]
    assert lines, tail(log)
    assert all(complaint in line for line in lines)


def answers(server: VllmServer) -> list[dict[str, Any]]:
    """Greedy, sampled, chatted, log probabilities and all."""
    prompt = [9 + (7 * position) % 200 for position in range(150)]
    bodies = [
        ("completions", {"prompt": prompt, "temperature": 0, "logprobs": 5}),
        ("completions", {"prompt": prompt[:40], "temperature": 1.0, "top_k": 40, "logprobs": 2}),
        ("completions", {"prompt": prompt, "temperature": 0, "vllm_xargs": {"inward": [0, 9]}}),
        ("chat/completions", {"messages": [{"role": "user", "content": "How many? " * 20}]}),
    ]
    found = []
    for path, body in bodies:
        request = {"model": MODEL, "max_tokens": 40, "return_token_ids": True, **body}
        response = httpx.post(f"{server.url}/v1/{path}", json=request, timeout=600)
        assert response.status_code == 200, response.text
        answer = response.json()
        found.append({k: v for k, v in answer.items() if k not in ("id", "created")})
    return found


def test_the_plugin_switched_off_changes_no_byte(vllm_python, plugin, model, tmp_path):
    flags = ["--enforce-eager", "--seed", "3", "--max-num-seqs", "8"]
    results = []
    for name, installed in (("installed", plugin), ("absent", None)):
        with VllmServer(vllm_python, model("qwen3"), installed, tmp_path / name, *flags) as server:
            results.append(json.dumps(answers(server), sort_keys=True))
    assert "inward" not in results[0]
    assert results[0] == results[1]

"""`vf-eval math500-entropy` on a real server: it plays, it is read, the bonus is recomputed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

pytest.importorskip("torch", reason="the reference needs torch (group `models`)")

from inward_chat.testing import HttpReply, PolicyServer
from rewards.vllm.server import MODEL, VllmServer, switch_on, token_endpoint, vllm_version
from support.runs import vf_eval

from rewards import recompute

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

GROUP, TASKS = 4, 3


@dataclass(frozen=True)
class Policy:
    """What `vf_eval` asks of a server."""

    base_url: str
    folder: Path
    model: str = MODEL


@pytest.fixture(scope="module")
def policy(vllm_python, plugin, model, tmp_path_factory) -> Iterator[Policy]:
    folder = model("qwen3", num_hidden_layers=12)
    flags = ["--enforce-eager", "--max-num-seqs", "16", "--max-num-batched-tokens", "512"]
    flags += [*token_endpoint(vllm_python), "--return-tokens-as-token-ids"]
    log = tmp_path_factory.mktemp("server") / "log"
    with VllmServer(
        *(vllm_python, folder, plugin, log, *flags, *switch_on(layers="middle:10"))
    ) as server:
        yield Policy(f"{server.url}/v1", folder)


@contextmanager
def relay(policy: Policy) -> Iterator[PolicyServer]:
    """The token endpoint as verifiers 0.4's train client wants it.

    It expects every log probability beside a text `token_id:N`, as vLLM 0.26 sends it. vLLM 0.32
    sends that to those who ask for text as well.
    """
    url = policy.base_url.removesuffix("/v1") + "/inference/v1/generate"

    def generate(body: dict[str, Any]) -> HttpReply:
        answer = httpx.post(url, json={**body, "output_mode": "text"}, timeout=600)
        return HttpReply(answer.status_code, answer.text)

    def chat(body: dict[str, Any]) -> HttpReply:
        return HttpReply(400, {"error": "the train client speaks tokens"})

    with PolicyServer(chat, model=MODEL, posts={"/inference/v1/generate": generate}) as server:
        yield server


def check(policy: Policy, server: Policy | PolicyServer, cwd: Path, *flags: str) -> None:
    """A random policy is never right: the gate is open, so that every rollout has a bonus."""
    found = vf_eval(
        *("math500-entropy", server, "-n", str(TASKS), "--env.taskset.split", "sample"),
        *("--env.group", str(GROUP), "--env.taskset.task.gate", "none"),
        *("--env.taskset.task.entropy.source", "vllm"),
        *("--sampling.max-tokens", "200", "--sampling.temperature", "1.0", *flags),
        cwd=cwd,
    )
    traces = [trace for episode in found for trace in episode["traces"]]
    assert [trace["errors"] for trace in traces if not trace["ok"]] == []
    assert len(traces) == GROUP * TASKS
    assert {trace["metrics"]["measures_policy"] for trace in traces} == {1.0}
    entropy, bonus, rewarded = recompute.largest_difference(
        cwd / "outputs" / "run" / "traces.jsonl", str(policy.folder), gated=False
    )
    print(f"largest difference of entropies {entropy:.1e}, bonuses {bonus:.1e}")
    assert rewarded == GROUP * TASKS
    assert entropy < 1e-5
    assert bonus < 1e-5


def test_the_eval_clients_bonus_recomputed_from_transformers_equals(policy, tmp_path):
    check(policy, policy, tmp_path)


def test_the_train_clients_bonus_recomputed_from_transformers_equals(policy, vllm_python, tmp_path):
    train = ["--client.type", "train", "--client.renderer.name", "qwen3"]
    train += ["--client.renderer-model-name", str(policy.folder)]
    as_is = vllm_version(vllm_python) <= (0, 26)  # what the train client expects
    with nullcontext(policy) if as_is else relay(policy) as server:
        check(
            *(policy, server, tmp_path, *train),
            *("--env.taskset.task.entropy.url", policy.base_url),
        )

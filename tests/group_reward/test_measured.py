"""Rewards of a group's hidden states and token entropies, by real `vf-eval`, over a small model."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.models, pytest.mark.timeout(900)]
torch = pytest.importorskip("torch", reason="hidden states need torch (group `models`)")

from inward_rewards.signals import (  # noqa: E402
    elliptical_bonus,
    exact_entropies,
    pear,
    rent,
)
from rewards.tiny_qwen import PluginEngine, TinyQwen  # noqa: E402
from support.runs import vf_eval  # noqa: E402
from support.yes_or_no import TASKSET, student  # noqa: E402
from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: E402


@pytest.fixture
def yes(tmp_path, monkeypatch):
    (tmp_path / "yes_taskset.py").write_text(TASKSET)
    monkeypatch.syspath_prepend(tmp_path)
    return "yes-taskset"


def forward(folder, trace):
    """(token entropies of the completion, its mean final state, the boundary), in float64."""
    record = trace["info"]["token_ids"][-1]
    prompt, ids = record["prompt_ids"], record["completion_ids"]
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64).eval()
    with torch.inference_mode():
        read = model(torch.tensor([prompt + ids]), output_hidden_states=True)
    log_p = read.logits[0, len(prompt) - 1 : -1].log_softmax(-1)
    final = read.hidden_states[-1][0, len(prompt) :]
    mark = AutoTokenizer.from_pretrained(folder).convert_tokens_to_ids("</think>")
    return (-(log_p.exp() * log_p).sum(-1)).tolist(), final.mean(0), ids.index(mark) + 1


@pytest.mark.parametrize("source", ["vllm", "transformers"])
def test_pear_and_rent_by_both_sources(tmp_path, tiny_qwen, yes, source):
    engine = PluginEngine(tiny_qwen)
    posts = {"/v1/completions": engine, "/detokenize": engine.detokenize}
    where = ("--env.entropy.source", source)
    if source == "transformers":
        where = (*where, "--env.entropy.model", tiny_qwen)
    with TinyQwen(tiny_qwen, student()).server(posts=posts) as server:
        found = {
            reward: vf_eval(
                *(yes, server, "--env.id", "group-reward", "--env.group", "2", *where),
                *("--env.reward", reward, *gate, "-n", "1"),
                cwd=tmp_path,
                name=reward,
            )
            for reward, gate in {"pear": ("--env.gate-reward", "said_yes"), "rent": ()}.items()
        }
    for reward, run in found.items():
        for trace in run[0]["traces"]:
            assert trace["ok"], trace["errors"]
            entropies, _, boundary = forward(tiny_qwen, trace)
            exact, right = exact_entropies(entropies), trace["rewards"]["said_yes"]["score"] == 1
            expected = rent(exact) if reward == "rent" else pear(exact, boundary, right)
            score = trace["rewards"]["group_reward"]["score"]
            assert score == pytest.approx(expected, abs=1e-4)


def test_repexp_of_projected_states(tmp_path, tiny_qwen, yes):
    """The order of the bonuses is that of the states themselves, but for what a projection of 64
    numbers to 256 leaves of their angles: the bonus of the exact states lies near."""
    where = ("--env.entropy.source", "transformers", "--env.entropy.model", tiny_qwen)
    with TinyQwen(tiny_qwen, student()).server() as server:
        [episode] = vf_eval(
            *(yes, server, "--env.id", "group-reward", "--env.group", "6", *where),
            *("--env.reward", "repexp", "--env.gate-reward", "said_yes", "-n", "1"),
            *("--env.repexp.ridge", "1", "--env.repexp.form", "leverage"),
            cwd=tmp_path,
        )
    traces = sorted(episode["traces"], key=lambda trace: trace["info"]["sibling"])
    assert any(trace["rewards"]["said_yes"]["score"] for trace in traces)
    states = [forward(tiny_qwen, trace)[1].tolist() for trace in traces]
    exact = elliptical_bonus(states, ridge=1.0, form="leverage")
    paid = [trace["rewards"]["group_reward"]["score"] for trace in traces]
    assert paid == pytest.approx(exact, abs=0.15)

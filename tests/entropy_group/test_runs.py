"""The bonus over tasksets that are not ours, by real `vf-eval`: one that verifiers ships, and one
as `vf-init` writes it."""

from __future__ import annotations

import random
import re
import sys

import pytest

# Several processes that import torch: minutes on a busy machine.
pytestmark = [pytest.mark.models, pytest.mark.timeout(900)]
torch = pytest.importorskip("torch", reason="hidden states need torch (group `models`)")

from rewards.tiny_qwen import PluginEngine, TinyQwen  # noqa: E402
from support import nemo_gym  # noqa: E402
from support.runs import call, episodes, vf_eval  # noqa: E402

from rewards import recompute  # noqa: E402

WORDS = "so the sum of x and y is 12 then 24 square roots let us factor it again".split()
ENTROPY = ("--env.id", "entropy-group", "--env.group", "4", "--env.entropy.source", "vllm")


def student(seed: int = 0, share: float = 0.6):
    """Replies of every length, a share of them right."""
    draw = random.Random(seed)

    def reply(prompt: str) -> str:
        thought = " ".join(draw.choices(WORDS, k=draw.randint(3, 60)))
        return f"{thought} {'yes' if draw.random() < share else 'no'}"

    return reply


@pytest.fixture
def engine(tiny_qwen):
    return PluginEngine(tiny_qwen, layers="middle:10")


@pytest.fixture
def scaffold(tmp_path, monkeypatch):
    """A package by `vf-init`, its two blanks filled in; returns its id."""
    done = call("vf-init", "yes-or-no", "--path", tmp_path / "packages", cwd=tmp_path)
    assert done.code == 0, done.err
    folder = tmp_path / "packages" / "yes_or_no"
    file = folder / "yes_or_no" / "taskset.py"
    head, reward, middle, load, _ = re.split(
        r"(raise NotImplementedError\(.*?\)\n|raise NotImplementedError\(\n.*?\n        \)\n)",
        file.read_text(),
        flags=re.DOTALL,
    )
    assert "Score the rollout" in reward
    assert "tasks" in load
    file.write_text(
        head
        + "return float(trace.last_reply.endswith('yes'))\n"
        + middle
        + "return [YesOrNoTask(YesOrNoData(prompt=f'{n}: yes or no?'), self.config.task)"
        + " for n in range(self.config.num_tasks)]\n"
    )
    monkeypatch.syspath_prepend(folder)
    for module in ("yes_or_no", "yes_or_no.taskset"):  # of the test before
        monkeypatch.delitem(sys.modules, module, raising=False)
    return "yes-or-no"


def check(found, folder, gate: str) -> int:
    """The bonuses, worked out again from token ids and weights; how many are not 0."""
    model = recompute.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    rewarded = 0
    for episode in found:
        traces = episode["traces"]
        assert all(trace["ok"] for trace in traces), [t["errors"] for t in traces]
        for trace in traces:
            record = trace["info"]["token_ids"][-1]
            trace["info"]["token_ids"] = [record]
            trace["nodes"] = [node for node in trace["nodes"] if node["sampled"]][-1:]
        entropies = [recompute.entropy_of(model, trace) for trace in traces]
        right = [trace["rewards"][gate]["score"] >= 1 for trace in traces]
        bonuses = recompute.group_bonuses(entropies, right)
        for trace, entropy, bonus in zip(traces, entropies, bonuses, strict=True):
            assert trace["metrics"]["entropy_raw"] == pytest.approx(entropy, abs=1e-5)
            assert trace["metrics"]["entropy_measures_policy"] == 1
            assert trace["rewards"]["entropy_bonus"]["score"] == pytest.approx(bonus, abs=1e-5)
            rewarded += bonus != 0
    return rewarded


def test_a_package_by_vf_init(tmp_path, tiny_qwen, engine, scaffold):
    with TinyQwen(tiny_qwen, student()).server(posts={"/v1/completions": engine}) as server:
        found = vf_eval(
            *(scaffold, server, *ENTROPY, "--env.gate-reward", "reward"),
            *("--env.taskset.task.rewards.entropy_bonus.weight", "0.5"),
            cwd=tmp_path,
        )
    assert len(found) == 5
    assert {t["rewards"]["entropy_bonus"]["weight"] for e in found for t in e["traces"]} == {0.5}
    log = (tmp_path / "outputs" / "run" / "logs" / "latest" / "eval.log").read_text()
    assert "played now: raw entropy of 20 rollouts: right " in log
    assert "bonus of 20 rollouts: correlation with length " in log
    # From the traces alone, without the environment: rewards and metrics are those of the run.
    done = call("vf-replay", "outputs/run", "--output-dir", "replay", "--no-rich", cwd=tmp_path)
    assert done.code == 0, done.err
    again = {t["id"]: t for e in episodes(tmp_path / "replay") for t in e["traces"]}
    for episode in found:
        for trace in episode["traces"]:
            assert again[trace["id"]]["rewards"] == trace["rewards"]
            assert again[trace["id"]]["metrics"] == trace["metrics"]
    assert check(found, tiny_qwen, "reward") >= 5


def test_nemo_gym_as_verifiers_ships_it(tmp_path, tiny_qwen, engine):
    """Its own environment, its tool server, its state and its reward stay what they are."""
    env = """
        id = "entropy-group"
        group = 4
        gate_reward = "nemo_gym"
        entropy.source = "vllm"
        """
    posts = {"/v1/completions": engine, **nemo_gym.routes(lambda text: text.endswith("yes"))}
    questions = [f"{n}: yes or no?" for n in range(2)]
    with TinyQwen(tiny_qwen, student(1)).server(posts=posts) as server:
        found = nemo_gym.play(server, questions, env, cwd=tmp_path)
    assert len(found) == 2
    assert {trace["task"]["type"] for e in found for trace in e["traces"]} == {"NeMoGymTask"}
    assert check(found, tiny_qwen, "nemo_gym") >= 2


def test_our_own_tasksets_and_the_train_client(tmp_path, tiny_qwen, engine):
    """Over math500-entropy, whose own bonus is off: one bonus is paid, and not two."""
    tiny = TinyQwen(tiny_qwen, lambda prompt: "<think>so x = 12</think><answer>3</answer>")
    with tiny.server(posts={"/v1/completions": engine}) as server:
        found = vf_eval(
            *("math500-entropy", server, *ENTROPY, "-n", "2", "--env.taskset.split", "sample"),
            *("--env.gate", "none", "--env.group", "1", "--client.type", "train"),
            *("--client.renderer.name", "qwen3", "--client.renderer-model-name", str(tiny_qwen)),
            cwd=tmp_path,
        )
    for episode in found:
        [trace] = episode["traces"]
        assert trace["ok"], trace["errors"]
        assert set(trace["rewards"]) == {"correct", "format", "entropy_bonus"}
        fraction = trace["metrics"]["entropy_normalised"]
        bonus = trace["rewards"]["entropy_bonus"]["score"]
        assert bonus == pytest.approx(0.1 * (2 * fraction - 1))
        assert "token_ids" not in trace["info"]


@pytest.mark.parametrize(
    ("mute", "gate", "complaint"),
    [
        (True, "reward", "or use the train client"),
        (False, "late", "gate_reward 'late' is no reward of the rollout: it has 'reward'"),
    ],
)
def test_no_measurement_and_no_verdict_are_errors(
    tmp_path, tiny_qwen, engine, scaffold, mute, gate, complaint
):
    """A server without token ids; a gate reward of which nothing was known before the rollout."""
    file = tmp_path / "packages" / "yes_or_no" / "yes_or_no" / "taskset.py"
    file.write_text(file.read_text().replace("(self, trace: vf.Trace) -> float", "(self, trace)"))
    tiny = TinyQwen(tiny_qwen, student())
    chat = tiny.chat
    if mute:
        tiny.chat = lambda body: chat({**body, "return_token_ids": False})
    with tiny.server(posts={"/v1/completions": engine}) as server:
        [episode] = vf_eval(
            *(scaffold, server, *ENTROPY, "-n", "1", "--env.gate-reward", gate), cwd=tmp_path
        )
    assert not episode["ok"]
    faults = [*episode["errors"], *(e for t in episode["traces"] for e in t["errors"])]
    assert complaint in faults[0]["message"]
    for trace in episode["traces"]:
        assert not trace["rewards"].get("entropy_bonus")

"""The plugged rewards in a taskset that knows nothing of them, by a real `vf-eval`."""

from __future__ import annotations

import pytest
from inward_chat.testing import ChatCompletion, HttpReply, PolicyServer
from rewards.runs import in_order
from rewards.tiny_qwen import PluginEngine, TinyQwen
from support.runs import call, episodes

TASKSET = """
import verifiers.v1 as vf

__all__ = ["SumsTaskset"]


class SumsData(vf.TaskData):
    answer: str


class SumsTask(vf.Task[SumsData]):
    pass


class SumsTaskset(vf.Taskset[SumsTask]):
    def load(self):
        for n in range(6):
            data = SumsData(prompt=f"What is {n}/2 + {n}/2?", answer=str(n))
            yield SumsTask(data, self.config.task)
"""

REPLIES = [
    "<think>halves</think><answer>0.0</answer>",
    r"halves, so \boxed{\frac{2}{2}}",
    "<think>halves</think><answer>7</answer>",
    r"<think>halves</think><answer>3</answer> or <answer>4</answer> \boxed{3}",
    "<think>halves</think>4",
    "",
]


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Write `run.toml` and the taskset, run them, and return the traces in task order."""
    (tmp_path / "sums.py").write_text(TASKSET)
    monkeypatch.syspath_prepend(tmp_path)

    def evaluate(config: str, *arguments: str) -> list[dict]:
        (tmp_path / "run.toml").write_text(config)
        done = call(
            *("vf-eval", "@", "run.toml", "--no-rich", "--no-push", "--run.name", "run"),
            *("--env.agent.harness.id", "inward-chat", "--env.agent.runtime.type", "subprocess"),
            *arguments,
            cwd=tmp_path,
        )
        assert done.code == 0, done.err
        found = in_order(episodes(tmp_path / "outputs" / "run"))
        return [trace for episode in found for trace in episode["traces"]]

    return evaluate


def scores(trace: dict) -> dict[str, float]:
    return {name: reward["score"] for name, reward in trace["rewards"].items()}


def test_maths_layout_and_length(run):
    config = """
        [env.taskset]
        id = "sums"
        [env.taskset.task.rewards]
        maths = { fn = "inward_rewards.plugins:maths" }
        layout = { fn = "inward_rewards.plugins:think_answer", weight = 0.5 }
        long = { fn = "inward_rewards.plugins:overlong" }
        [env.taskset.task.metrics]
        tokens = { fn = "inward_rewards.plugins:completion_tokens" }
        killed = { fn = "inward_rewards.plugins:verify_timeout" }
        """

    def policy(body):
        n = int(body["messages"][-1]["content"].split("/")[0].split()[-1])
        usage = {"prompt_tokens": 9, "completion_tokens": 70 + 6 * n, "total_tokens": 79 + 6 * n}
        return ChatCompletion({"content": REPLIES[n]}, usage=usage)

    with PolicyServer(policy) as server:
        found = run(
            config,
            *("--client.base-url", server.base_url, "-m", "policy", "--sampling.max-tokens", "100"),
        )
    assert [trace["ok"] for trace in found] == [True] * 6, found[0]["errors"]
    assert [scores(trace)["maths"] for trace in found] == [1, 1, 0, 0, 0, 0]
    assert [scores(trace)["layout"] for trace in found] == [0.2, -0.5, 0.2, -0.5, -0.5, -0.5]
    assert [scores(trace)["long"] for trace in found] == pytest.approx([0, 0, -0.1, -0.4, -0.7, -1])
    assert found[0]["rewards"]["layout"]["weight"] == 0.5
    assert [trace["metrics"]["tokens"] for trace in found] == [70, 76, 82, 88, 94, 100]
    assert [trace["metrics"]["killed"] for trace in found] == [0] * 6


MAGISTRAL = [
    r"<think>Let us add the two halves of the same number.</think> The sum is \boxed{0}.",
    r"<think>Nous devons additionner ses moitiés.</think> So the sum of both halves is \boxed{1}.",
    r"<think>Let us add the two halves of the same number.</think> \boxed{7}",
    r"Let us add the two halves of the same number. \boxed{3}",  # no tags
    r"<think>First, we know that 2 + 2 = 4.</think> \boxed{4} or \boxed{5}",  # a hedge
    "",
]


def test_magistral_and_reasoning_patterns(run):
    config = """
        [env.taskset]
        id = "sums"
        [env.taskset.task.rewards]
        magistral = { fn = "inward_rewards.plugins:magistral" }
        patterns = { fn = "inward_rewards.plugins:reasoning_patterns" }
        """

    def policy(body):
        n = int(body["messages"][-1]["content"].split("/")[0].split()[-1])
        usage = {"prompt_tokens": 9, "completion_tokens": 90, "total_tokens": 99}
        return ChatCompletion({"content": MAGISTRAL[n]}, usage=usage)

    with PolicyServer(policy) as server:
        found = run(
            config,
            *("--client.base-url", server.base_url, "-m", "policy", "--sampling.max-tokens", "100"),
        )
    assert [trace["ok"] for trace in found] == [True] * 6, found[0]["errors"]
    # Half of the last fifth is used up: -0.05.
    assert [scores(trace)["magistral"] for trace in found] == pytest.approx(
        [1.05, 0.95, 0.15, 0, 0, 0]
    )
    assert [scores(trace)["patterns"] for trace in found] == pytest.approx([0, 0, 0, 0, 0.1, 0])


@pytest.mark.parametrize(
    ("kind", "name", "complaint"),
    [
        ("metrics", "completion_tokens", "server reports no usage"),
        ("rewards", "overlong", "a server that reports usage"),
    ],
)
def test_a_server_without_usage_is_named(run, kind, name, complaint):
    config = f"""
        [env.taskset]
        id = "sums"
        [env.taskset.task.{kind}]
        it = {{ fn = "inward_rewards.plugins:{name}" }}
        """
    with PolicyServer(lambda body: {"content": "five"}) as server:
        found = run(
            config,
            *("-n", "1", "--client.base-url", server.base_url, "-m", "policy"),
            *("--sampling.max-tokens", "100"),
        )
    assert complaint in str(found[0]["errors"])


def test_matrix_entropy_with_the_eval_client_asks_for_the_train_client(run):
    config = """
        [env.taskset]
        id = "sums"
        [env.taskset.task.rewards]
        matrix_entropy = { fn = "inward_rewards.plugins:matrix_entropy" }
        """
    with PolicyServer(lambda body: {"content": "five"}) as server:
        found = run(config, *("-n", "1", "--client.base-url", server.base_url, "-m", "policy"))
    assert "needs the train client (--client.type train)" in str(found[0]["errors"])


@pytest.mark.models
def test_entropies_of_the_train_client(run, tiny_qwen):
    config = """
        [env.taskset]
        id = "sums"
        [env.taskset.task.rewards]
        matrix_entropy = { fn = "inward_rewards.plugins:matrix_entropy" }
        [env.taskset.task.metrics]
        surprisal = { fn = "inward_rewards.plugins:surprisal" }
        """
    tiny = TinyQwen(tiny_qwen, lambda prompt: "<think>halves of a whole</think> 1 " * 3)
    engine = PluginEngine(tiny_qwen, layers="middle:10")
    with tiny.server(posts={"/v1/completions": engine}) as server:
        found = run(
            config,
            *("-n", "2", "-m", "tiny", "--client.type", "train", "--client.base-url"),
            *(server.base_url, "--client.renderer.name", "qwen3"),
            *("--client.renderer-model-name", str(tiny_qwen)),
        )
    assert [trace["ok"] for trace in found] == [True] * 2, found[0]["errors"]
    for trace in found:
        assert 0.05 < scores(trace)["matrix_entropy"] < 1
        assert trace["metrics"]["surprisal"] == 1.0  # the server's logprobs are all -1
    assert len(engine.requests) == 2


@pytest.mark.models
def test_confidence_with_the_train_client(run, tiny_qwen):
    """Against a forward pass of the same weights, in float64."""
    import torch
    from transformers import AutoModelForCausalLM

    names = ("rent", "em_rl_token", "em_rl_sequence", "self_certainty")
    plugs = "\n".join(f'{name} = {{ fn = "inward_rewards.plugins:{name}" }}' for name in names)
    config = f"""
        [env.taskset]
        id = "sums"
        [env.taskset.task.rewards]
        {plugs}
        """
    tiny = TinyQwen(tiny_qwen, lambda prompt: "<think>halves of a whole</think> 1 " * 3)
    engine = PluginEngine(tiny_qwen)
    with tiny.server(posts={"/v1/completions": engine}) as server:
        [trace] = run(
            config,
            *("-n", "1", "-m", "tiny", "--client.type", "train", "--client.base-url"),
            *(server.base_url, "--client.renderer.name", "qwen3"),
            *("--client.renderer-model-name", str(tiny_qwen)),
        )
    assert trace["ok"], trace["errors"]
    asked = engine.requests[0]
    ids, (start, stop) = asked["prompt"], asked["vllm_xargs"]["inward"]
    model = AutoModelForCausalLM.from_pretrained(tiny_qwen, dtype=torch.float64).eval()
    with torch.inference_mode():
        log_p = model(torch.tensor([ids])).logits[0, start - 1 : stop - 1].log_softmax(-1)
    entropies = -(log_p.exp() * log_p).sum(-1)
    certainties = -log_p.mean(-1) - torch.tensor(float(log_p.shape[-1])).double().log()
    found = scores(trace)
    assert found["rent"] == pytest.approx(-entropies.mean().item(), abs=1e-5)
    assert found["em_rl_token"] == pytest.approx(-entropies.sum().item(), abs=1e-3)
    assert found["self_certainty"] == pytest.approx(certainties.mean().item(), abs=1e-5)
    assert found["em_rl_sequence"] == -(stop - start)  # the server's logprobs are all -1


@pytest.mark.models
def test_a_rollout_that_the_engine_cannot_read_is_scored_by_the_rest(run, tiny_qwen):
    config = """
        [env.taskset]
        id = "sums"
        [env.taskset.task.rewards]
        matrix_entropy = { fn = "inward_rewards.plugins:matrix_entropy" }
        layout = { fn = "inward_rewards.plugins:think_answer" }
        rent = { fn = "inward_rewards.plugins:rent" }
        """
    full = HttpReply(400, "This model's maximum context length is 9 tokens. However, your prompt")
    tiny = TinyQwen(tiny_qwen, lambda prompt: "<think>" + "and so on " * 9)
    with tiny.server(posts={"/v1/completions": lambda body: full}) as server:
        [trace] = run(
            config,
            *("-n", "1", "-m", "tiny", "--client.type", "train", "--client.base-url"),
            *(server.base_url, "--client.renderer.name", "qwen3"),
            *("--client.renderer-model-name", str(tiny_qwen)),
        )
    assert trace["ok"], trace["errors"]
    # What cannot be read must not earn the 0 that would be the best of `rent`.
    assert scores(trace) == {"layout": -0.5, "rent": -7.0}

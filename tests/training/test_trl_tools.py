"""Two turns and a tool result between them, by both ways of TRL: a real step of its GRPOTrainer.

The environment and its search are real. Random weights call no tool, so the call is given to them.
"""

import itertools
import json
from contextlib import ExitStack

import pytest

torch = pytest.importorskip("torch", reason="needs the groups models and train")
pytest.importorskip("trl", reason="needs the groups models and train")

from inward_training import Blocking, Rollouts  # noqa: E402
from inward_training import trl as adapter  # noqa: E402
from inward_training.engine import Engine  # noqa: E402
from inward_training.trl_environment import Seats  # noqa: E402
from rewards.tiny_qwen import make_tiny  # noqa: E402
from training.trl_steps import begin_with, call, logprobs, settings  # noqa: E402
from transformers import (  # noqa: E402
    AutoModelForCausalLM,
    AutoTokenizer,
    LogitsProcessor,
    LogitsProcessorList,
    TrainerCallback,
)

pytestmark = pytest.mark.models
TOLD = {
    "Mara": "Mara put the lamp in the attic.",
    "Olga": "Olga put the coin in the barn.",
    "Hugo": "Hugo put the ball in the cellar.",
    "Ines": "Ines put the drum in the dock.",
}
ROLLOUTS = len(TOLD)


@pytest.fixture
def env(tmp_path):
    """quality-rag on one question, whose search finds one sentence."""
    question = {
        "question": "Where did Mara put the lamp?",
        "question_unique_id": "0",
        "options": ["attic", "barn", "cellar", "dock"],
        "gold_label": 1,
        "difficult": 0,
    }
    story = {"article_id": "0", "title": "Put away", "article": " ".join(TOLD.values())}
    file = tmp_path / "story.jsonl"
    file.write_text(json.dumps({**story, "questions": [question]}) + "\n")
    tools = {"passages": 1, "retriever": {"type": "bm25", "chunk_words": 8}}
    taskset = {"id": "quality-rag", "path": str(file), "tools": tools}
    return {"agent": {"max_turns": 3}, "taskset": taskset}


@pytest.fixture
def policy(tmp_path):
    """The folder of the weights, and the tokenizer."""
    folder = make_tiny(tmp_path / "policy")
    return folder, AutoTokenizer.from_pretrained(folder)


@pytest.fixture
def step(tmp_path, monkeypatch):
    """(model, tokenizer, …) -> TRL's log of one step, the rows that it read, and its gradient."""
    monkeypatch.setenv("TRL_EXPERIMENTAL_SILENCE", "1")
    from trl import GRPOConfig, GRPOTrainer

    read, gradients = [], []
    compute_loss = GRPOTrainer.compute_loss

    def noting(self, model, inputs, *more, **named):
        read.append(inputs)
        return compute_loss(self, model, inputs, *more, **named)

    class Before(TrainerCallback):
        def on_pre_optimizer_step(self, args, state, control, model, **_):
            gradients.append(flat(model))

    def take(model, tokenizer, **options):
        sizes = {"per_device_train_batch_size": ROLLOUTS, "num_generations": ROLLOUTS}
        trainer = GRPOTrainer(
            model=model,
            processing_class=tokenizer,
            callbacks=[Before()],
            # One mean over tokens, and no clipping.
            args=GRPOConfig(
                **settings(
                    tmp_path,
                    1,
                    **sizes,
                    max_completion_length=400,
                    max_grad_norm=1e9,
                    loss_type="dapo",
                )
            ),
            **options,
        )
        trainer.train()
        [logged] = [entry for entry in trainer.state.log_history if "reward" in entry]
        ([inputs], [gradient]) = read, gradients
        return logged, rows_of(inputs), gradient

    monkeypatch.setattr(GRPOTrainer, "compute_loss", noting)
    return take


def flat(model):
    return torch.cat([one.grad.flatten() for one in model.parameters()])


def rows_of(inputs):
    """Prompt, completion and mask of each row, without padding: TRL shuffles them."""
    rows = []
    for row in range(len(inputs["prompt_ids"])):
        own = inputs["completion_mask"][row].bool()
        rows.append(
            (
                tuple(inputs["prompt_ids"][row][inputs["prompt_mask"][row].bool()].tolist()),
                tuple(inputs["completion_ids"][row][own].tolist()),
                tuple(inputs["tool_mask"][row][own].bool().tolist()),
            )
        )
    return sorted(rows)


def expected(folder, samples, masks):
    """The gradient of the advantage-weighted logprobs of the tokens in `masks`, per such token."""
    model = AutoModelForCausalLM.from_pretrained(folder)
    mean = sum(one.reward for one in samples) / len(samples)
    loss = 0.0
    for one, mask in zip(samples, masks, strict=True):
        found = logprobs(model, one.prompt_ids, one.completion_ids)
        own = torch.tensor(one.loss_mask)
        assert torch.allclose(found[own], torch.tensor(one.logprobs)[own], atol=1e-4)
        loss = loss - (one.reward - mean) * found[torch.tensor(mask)].sum()
    (loss / sum(map(sum, masks))).backward()
    return flat(model)


def apart(one, other):
    return float((one - other).norm() / other.norm())


def test_by_rollout_func_only_what_the_policy_sampled_is_trained(env, policy, step):
    folder, tokenizer = policy
    model = AutoModelForCausalLM.from_pretrained(folder)
    # Random weights are never right: paid is how unlikely their tokens were, which differs.
    surprisal = {"fn": "inward_rewards.plugins:surprisal", "weight": 1.0}
    env["taskset"]["task"] = {"rewards": {"surprisal": surprisal}}
    engine = Engine(model, "tiny", pad=tokenizer.eos_token_id)
    answered = tokenizer.convert_tokens_to_ids("<tool_response>")
    begin_with(engine, [call(tokenizer, name) for name in TOLD], answered)
    samples = []

    class Noting(Blocking):
        def play(self, tasks, *, group_size=1):
            groups = super().play(tasks, group_size=group_size)
            samples.extend(one for group in groups for one in group.samples)
            return groups

    with ExitStack() as stack:
        endpoint = stack.enter_context(engine.serving())
        rollouts = stack.enter_context(
            Noting(
                lambda: Rollouts(
                    env,
                    "tiny",
                    endpoint,
                    tokenizer=str(folder),
                    renderer={"name": "qwen3", "enable_thinking": False},
                    sampling={"max_tokens": 6, "temperature": 1.0},
                )
            )
        )
        logged, trained, gradient = step(
            model,
            tokenizer,
            reward_funcs=adapter.reward,
            rollout_func=adapter.rollout_func(rollouts),
            train_dataset=adapter.dataset(rollouts),
        )
    assert len(samples) == ROLLOUTS
    for one in samples:
        assert [own for own, _ in itertools.groupby(one.loss_mask)] == [True, False, True]
    results = [
        tokenizer.decode(
            [i for i, own in zip(one.completion_ids, one.loss_mask, strict=True) if not own]
        )
        for one in samples
    ]
    for told in TOLD.values():
        assert sum(told in result for result in results) == 1
    played = sorted((one.prompt_ids, one.completion_ids, one.loss_mask) for one in samples)
    assert trained == played
    masks = [one.loss_mask for one in samples]
    assert logged["completions/mean_length"] == sum(map(sum, masks)) / ROLLOUTS
    rewards = [one.reward for one in samples]
    assert logged["reward"] == pytest.approx(sum(rewards) / ROLLOUTS)
    assert apart(gradient, expected(folder, samples, masks)) < 1e-3
    # The results of searches would weigh, if they were not masked.
    whole = [(True,) * len(mask) for mask in masks]
    assert apart(gradient, expected(folder, samples, whole)) > 0.1


class Given(LogitsProcessor):
    """One reply per row in the place of what would be sampled."""

    def __init__(self, replies, start):
        self.replies, self.start = replies, start

    def __call__(self, input_ids, scores):
        place = input_ids.shape[1] - self.start
        forced = torch.full_like(scores, -torch.inf)
        for row, reply in enumerate(self.replies):
            forced[row, reply[min(place, len(reply) - 1)]] = 0.0
        return forced


def test_by_environment_factory_the_trainers_own_loop_runs_the_tool(env, policy, step):
    from trl.chat_template_utils import qwen3_chat_template

    folder, tokenizer = policy
    tokenizer.chat_template = qwen3_chat_template
    model = AutoModelForCausalLM.from_pretrained(folder)
    turns = (
        [call(tokenizer, name) for name in TOLD],
        [
            [
                *tokenizer.encode(f"Answer: {letter}", add_special_tokens=False),
                tokenizer.eos_token_id,
            ]
            for letter in "ABAB"
        ],
    )
    taken, generate = iter(turns), model.generate

    def generating(input_ids, **options):
        given = LogitsProcessorList([Given(next(taken), input_ids.shape[1])])
        return generate(input_ids=input_ids, logits_processor=given, **options)

    model.generate = generating
    rewards, messages, traces = [], [], []
    with Seats(env) as seats:

        def reward(completions, environments, **_):
            rewards.extend(seats.reward(completions, environments))
            messages.extend(completions)
            traces.extend(seat._episode.result().traces[0] for seat in environments)
            return rewards

        logged, trained, gradient = step(
            model,
            tokenizer,
            environment_factory=seats.factory,
            reward_funcs=reward,
            train_dataset=seats.dataset(),
        )
        assert not seats.failures
    assert next(taken, None) is None
    assert rewards == [1.0, 0.0, 1.0, 0.0]
    assert (logged["reward"], logged["reward_std"] > 0) == (0.5, True)
    assert (logged["tools/call_frequency"], logged["tools/failure_frequency"]) == (1.0, 0.0)
    assert gradient.norm() > 0
    for told, completion, trace in zip(TOLD.values(), messages, traces, strict=True):
        assert [one["role"] for one in completion] == ["assistant", "tool", "assistant"]
        [result] = trace.tool_messages
        assert told in completion[1]["content"]
        assert told in str(result.content)
        assert trace.metrics["searches"] == 1
    # The trainer masks what the tool said.
    own = {
        tokenizer.decode(list(itertools.compress(ids, mask)), skip_special_tokens=False)
        for _, ids, mask in trained
    }
    assert own == {tokenizer.decode([*first, *last]) for first, last in zip(*turns, strict=True)}

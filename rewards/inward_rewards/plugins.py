"""Rewards and metrics for any taskset, plugged in from a config:

    [env.taskset.task.rewards]
    maths = { fn = "inward_rewards.plugins:maths" }
    layout = { fn = "inward_rewards.plugins:think_answer", weight = 0.5 }
    [env.taskset.task.metrics]
    tokens = { fn = "inward_rewards.plugins:completion_tokens" }

Each takes the task's data and the trace as verifiers passes them. A trace without a reply scores
0, or where 0 is the best there is (`rent`, `em_rl_*`) what an unreadable one does. What compares
siblings cannot be plugged: a reward sees one rollout, an env sees the group (entropy-group,
group-reward). docs/rewards.md has a row for each, with its known hacks.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any
from weakref import WeakKeyDictionary

try:
    import verifiers.v1 as vf
except ModuleNotFoundError as error:
    raise ImportError(
        'inward_rewards.plugins needs verifiers: pip install "inward-rewards[verifiers]"'
    ) from error

from inward_rewards import signals
from inward_rewards.entropy import bonus_of, metrics_of, replayed
from inward_rewards.formats import OPEN_THINK, format_reward, last_reply
from inward_rewards.hidden_states import (
    Completion,
    EntropyConfig,
    HiddenStatesError,
    Policy,
    UnmeasurableError,
    VllmSource,
    last_spoken,
)
from inward_rewards.hidden_states.token_ids import INFO_KEY, AnyTrace
from inward_rewards.lengths import soft_overlong
from inward_rewards.tokens import surprisals

# verifiers shows the records of its own loggers only.
logger = logging.getLogger("verifiers.v1.inward_rewards")

OVERLONG_CACHE = 0.2
"""Share of the token limit over which `overlong` falls, as in DAPO."""


async def maths(task: vf.TaskData, trace: AnyTrace) -> float:
    """1 where the reply's answer equals the task's `answer` field and is no copy out of its prompt.

    The answer is the reply's only `<answer>` block or, where it has none, its last `\\boxed{}`;
    both outside the thinking.
    """
    from inward_rewards.maths import verify

    answer = _final_answer(trace)
    if answer is None:
        return 0.0
    return float((await verify(_gold(task), answer, problem=_problem(task))).correct)


async def verify_timeout(task: vf.TaskData, trace: AnyTrace) -> float:
    """Metric: 1 where checking the answer was refused or killed."""
    from inward_rewards.maths import verify

    answer = _final_answer(trace)
    if answer is None:
        return 0.0
    return float((await verify(_gold(task), answer, problem=_problem(task))).verify_timeout)


async def think_answer(trace: AnyTrace) -> float:
    """+0.2 for `<think>…</think>` followed by one `<answer>…</answer>`, else -0.5."""
    reply = last_reply(trace.assistant_messages)
    return 0.0 if reply is None else format_reward(reply)


async def overlong(trace: AnyTrace) -> float:
    """0 to -1 over the last fifth of the call's own token limit (`--sampling.max-tokens`)."""
    return soft_overlong(*_length(trace, "overlong")) if _replied(trace) else 0.0


async def reasoning_patterns(trace: AnyTrace) -> float:
    """Distinct reasoning phrases of the last reply, over 20: 0..1; 0 without a readable answer.

    It pays a list of phrases as much as reasoning. RPR, arXiv 2505.22653.
    """
    reply = last_reply(trace.assistant_messages)
    if reply is None:
        return 0.0
    last = trace.assistant_messages[-1]
    text = f"{last.reasoning_content or ''}{last.content or ''}"
    return signals.reasoning_patterns(text, answered=reply.answer_or_box is not None)


async def magistral(task: vf.TaskData, trace: AnyTrace) -> float:
    """Magistral's reward of a maths problem, 0..1.1: 0 out of format, else 0.1, with 0.9 for the
    right answer, 0.1 for one language, and up to -0.1 over the last fifth of the token limit.

    The format: a `<think>…</think>` that the reply begins with, neither blank nor nested, and then
    one `\\boxed{}`. Needs the extras `maths` and `languages`. arXiv 2506.10910.
    """
    from inward_rewards.languages import one_language
    from inward_rewards.maths import verify

    reply = last_reply(trace.assistant_messages, "boxed")
    if reply is None:
        return 0.0
    last = trace.assistant_messages[-1]
    opened = last.reasoning_content is not None or (last.content or "").lstrip().startswith(
        OPEN_THINK
    )
    thinking = (reply.thinking or "").strip()
    if not (reply.well_formed and reply.answer and thinking and opened):
        return 0.0
    problem = _problem(task)
    verdict = await verify(_gold(task), reply.answer, problem=problem)
    alike = await asyncio.to_thread(one_language, problem, thinking, reply.body)
    tokens, limit, cache = _length(trace, "magistral")
    return signals.magistral(
        well_formed=True,
        right=verdict.correct,
        one_language=alike,
        tokens=tokens,
        limit=limit,
        cache=cache,
    )


async def completion_tokens(trace: AnyTrace) -> float:
    """Metric: tokens that the policy wrote, over all turns."""
    counts = [call.usage.completion_tokens for call in _replied(trace) if call.usage]
    if len(counts) < len(_replied(trace)):
        raise ValueError(
            "the policy's server reports no usage: completion_tokens needs one that does, and "
            "text is never counted by guess"
        )
    return float(sum(counts))


async def surprisal(trace: AnyTrace) -> float:
    """Metric: mean -log p of the sampled tokens, an estimate of the token entropy (nats).

    Needs the train client, which keeps the logprobs.
    """
    logprobs = _logprobs(trace, "surprisal")
    return surprisals(logprobs).mean if logprobs else 0.0


async def matrix_entropy(trace: AnyTrace) -> float | dict[str, float]:
    """Matrix entropy of the policy's own hidden states over its last completion that holds a
    token, as a fraction of the largest possible (0..1): preset `advent`, alpha 1, ten middle
    layers. Nothing is recorded of a completion that is longer than the engine reads; the rest of
    its rollout is scored.

    Needs the train client, and an engine that was started with the inward plugin. With the eval
    client it works only where the taskset keeps token ids itself (`keep_token_ids`).
    """
    completion = _last_completion(trace, "matrix_entropy")
    if completion is None:
        return 0.0
    try:
        measurement = await _engine().measure(completion, Policy.of(trace))
    except UnmeasurableError as reason:
        logger.warning("a rollout is scored without its entropy: %s", reason)
        return {}
    return measurement.value(_ENTROPY.definition)


async def rent(trace: AnyTrace) -> float:
    """The mean negative token entropy of the last completion, over the whole vocabulary (nats).

    A passage said again earns most. Needs the train client, and an engine that was started with the
    inward plugin and the measure `token_entropy`. RENT, arXiv 2505.22660.
    """
    found = await _token_measure(trace, "token_entropy")
    return signals.rent(signals.exact_entropies(found)) if found else signals.UNREADABLE


async def em_rl_token(trace: AnyTrace) -> float:
    """The sum of what `rent` is the mean of: brevity earns the most. EM-RL, arXiv 2505.15134."""
    found = await _token_measure(trace, "token_entropy")
    if found:
        return signals.em_rl_token(signals.exact_entropies(found))
    completion = _last_completion(trace, "em_rl_token")
    return signals.UNREADABLE * max(1, len(completion.completion_ids) if completion else 0)


async def em_rl_sequence(trace: AnyTrace) -> float:
    """The sum of the sampled tokens' log probabilities: brevity earns the most.

    Needs the train client, which keeps them, at temperature 1: they are those of the distribution
    that was sampled from. EM-RL, arXiv 2505.15134.
    """
    logprobs = _logprobs(trace, "em_rl_sequence")
    return signals.em_rl_sequence(logprobs) if logprobs else signals.UNREADABLE


async def self_certainty(trace: AnyTrace) -> float:
    """Mean KL(uniform ‖ p) over the last completion (nats, at least 0).

    A passage said again earns most. Needs the train client, and an engine that was started with the
    inward plugin and the measure `self_certainty`. Intuitor, arXiv 2505.19590.
    """
    found = await _token_measure(trace, "self_certainty")
    return signals.self_certainty(found) if found else 0.0


async def group_reward(trace: AnyTrace) -> dict[str, float]:
    """What `--env.id group-reward` paid a rollout: the environment plugs it in, so that `vf-replay`
    has it again."""
    kept = trace.info.get("group_reward")
    return {} if kept is None or kept["score"] is None else {"group_reward": kept["score"]}


async def group_reward_metrics(trace: AnyTrace) -> dict[str, float]:
    """Its metrics."""
    return dict(trace.info.get("group_reward", {}).get("metrics", {}))


async def entropy_bonus(trace: AnyTrace) -> dict[str, float]:
    """The bonus of a rollout that `--env.id entropy-group` has played, from its trace alone: the
    environment plugs it in, so that `vf-replay` has it again."""
    found = replayed(trace, "entropy_bonus")
    if found is None:
        return {}
    record, right, config = found
    # Where nobody judged it, the run paid nothing.
    paid = None if right is None else bonus_of(record, right, config)
    return {} if paid is None else {"entropy_bonus": paid}


async def entropy_metrics(trace: AnyTrace) -> dict[str, float]:
    """Metrics of such a rollout's hidden states."""
    found = replayed(trace, "entropy_bonus")
    return {} if found is None else metrics_of(found[0], found[2].entropy, "entropy_")


_ENTROPY = EntropyConfig(source="vllm", normalise="max")
_engines: WeakKeyDictionary[asyncio.AbstractEventLoop, VllmSource] = WeakKeyDictionary()
"""One connection pool an event loop, for its life: a plugged function has no one to close it."""


def _engine() -> VllmSource:
    loop = asyncio.get_running_loop()
    if loop not in _engines:
        _engines[loop] = VllmSource(_ENTROPY)
    return _engines[loop]


async def _token_measure(trace: AnyTrace, measure: str) -> tuple[float, ...]:
    """Per token of the last completion; none where the policy never spoke, or wrote more than the
    engine reads."""
    completion = _last_completion(trace, measure)
    if completion is None:
        return ()
    try:
        found = await _engine().score_completion(completion, (measure,), Policy.of(trace))
    except UnmeasurableError as reason:
        logger.warning("a rollout is too long to be measured, and scored as unreadable: %s", reason)
        return ()
    values: tuple[float, ...] = getattr(found.span, measure)
    return values


def _last_completion(trace: AnyTrace, plug: str) -> Completion | None:
    if INFO_KEY not in trace.info and any(
        node.sampled and not len(node.token_ids) for node in trace.nodes
    ):
        raise HiddenStatesError(
            f"plug:{plug} needs the train client (--client.type train): with the eval "
            "client nothing keeps the token ids, unless the taskset itself calls "
            "inward_rewards.hidden_states.keep_token_ids from an intercept"
        )
    return last_spoken(trace)


def _logprobs(trace: AnyTrace, plug: str) -> list[float]:
    """Of all sampled tokens; none where the policy never spoke."""
    sampled = [node for node in trace.nodes if node.sampled]
    logprobs = [float(logprob) for node in sampled for logprob in node.logprobs]
    if sampled and not logprobs:
        raise ValueError(f"the trace holds no logprobs: {plug} needs the train client")
    return logprobs


def _length(trace: AnyTrace, plug: str) -> tuple[int, int, int]:
    """(tokens of the last completion, its limit, where the punishment begins before that)"""
    last = _replied(trace)[-1]
    limit = last.sampling.max_tokens if last.sampling else None
    if limit is None or last.usage is None:
        raise ValueError(
            f"{plug} measures a completion against its token limit: set --sampling.max-tokens, "
            "and use a server that reports usage"
        )
    return last.usage.completion_tokens, limit, max(1, round(OVERLONG_CACHE * limit))


def _replied(trace: AnyTrace) -> list[vf.ModelCall]:
    """The calls that brought a reply."""
    return [call for call in trace.calls if call.node is not None]


def _gold(task: vf.TaskData) -> str:
    gold: Any = getattr(task, "answer", None)
    if not isinstance(gold, str | int | float):
        raise ValueError(
            f"{type(task).__name__} has no `answer` field to compare with; write a function of "
            "your own around inward_rewards.maths.verify"
        )
    return str(gold)


def _problem(task: vf.TaskData) -> str:
    """The text that the policy was asked: an answer copied out of it is none."""
    if task.prompt is None or isinstance(task.prompt, str):
        return task.prompt or ""
    texts = []
    for message in task.prompt:
        if not isinstance(message, vf.UserMessage):
            continue
        parts = [message.content] if isinstance(message.content, str) else message.content
        texts += [part if isinstance(part, str) else getattr(part, "text", "") for part in parts]
    return "\n".join(texts)


def _final_answer(trace: AnyTrace) -> str | None:
    reply = last_reply(trace.assistant_messages)
    return None if reply is None else reply.answer_or_box

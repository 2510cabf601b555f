"""A plain GRPO step on samples of `inward_training`, for two CPU cores or a GPU.

The rollouts of a group follow one prompt. They are put behind it in one sequence, in which each
sees the prompt and itself: the same numbers as one sequence each, and the prompt is read once.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import compress
from typing import Any, NamedTuple

import torch

CLIP = 1.0  # maximum norm of the gradient


class Branch(NamedTuple):
    """What follows a common prefix."""

    ids: Sequence[int]
    weights: Sequence[float]  # of each token in the loss: 0 for what the policy did not write
    old: Sequence[float] | None = None  # logprobs as they were sampled; None: as they are now


Job = tuple[Sequence[int], Sequence[Branch]]  # a prefix, and what follows it


class Step(NamedTuple):
    loss: float
    drift: float  # largest difference between a logprob here and as it was sampled
    gradient: float  # its norm before it is clipped


def logprobs(model: Any, prefix: Sequence[int], branches: Sequence[Branch]) -> Any:
    """Of every token that weighs something, branch by branch: [tokens]."""
    start = len(prefix)
    ids, places, owner, before, wanted = list(prefix), list(range(start)), [0] * start, [], []
    for number, branch in enumerate(branches, 1):
        here, inner = len(ids), len(branch.ids) - 1  # nothing is predicted from a last token
        ids += branch.ids[:inner]
        places += range(start, start + inner)
        owner += [number] * inner
        before += compress([start - 1, *range(here, here + inner)], branch.weights)
        wanted += compress(branch.ids, branch.weights)
    of = torch.tensor(owner)
    seen = torch.ones(len(ids), len(ids), dtype=torch.bool).tril()
    seen &= (of == 0) | (of[:, None] == of)
    mask = torch.zeros(seen.shape).masked_fill(~seen, torch.finfo(torch.float32).min)
    hidden = model.model(
        input_ids=torch.tensor([ids]),
        attention_mask=mask[None, None],
        position_ids=torch.tensor([places]),
        use_cache=False,
    ).last_hidden_state[0, before]
    found = torch.log_softmax(model.lm_head(hidden), -1)
    return found.gather(-1, torch.tensor(wanted)[:, None])[:, 0]


def update(model: Any, optimizer: Any, jobs: Sequence[Job]) -> Step:
    """One step up the sum of weight · pi / pi_old over all tokens, per token that has a weight.

    With advantages as weights this is GRPO's objective [Shao et al. 2024, equation 3] without
    clipping, which does nothing in the one step per batch, without a reference policy, advantages
    not divided by the deviation, and the mean over all tokens that have one instead of per rollout.
    With weights of 1 and no `old` it is the usual warm-up.
    """
    written = sum(weight != 0 for _, branches in jobs for one in branches for weight in one.weights)

    def backward(job: Job) -> tuple[float, float]:
        prefix, branches = job
        now = logprobs(model, prefix, branches)
        weights = torch.tensor([one for branch in branches for one in branch.weights if one])
        if branches[0].old is None:
            loss, drift = -(now * weights).sum() / written, 0.0
        else:
            old = torch.tensor([p for one in branches for p in compress(one.old, one.weights)])
            loss = -((now - old).exp() * weights).sum() / written
            drift = float((now.detach() - old).abs().max())
        loss.backward()
        return float(loss.detach()), drift

    # A thread per core, of one torch thread each: they wait for nobody. What they make is put
    # where the model is.
    with ThreadPoolExecutor(2, "", torch.set_default_device, (model.device,)) as threads:
        done = list(threads.map(backward, jobs))
    trained = [one for one in model.parameters() if one.requires_grad]
    gradient = float(torch.nn.utils.clip_grad_norm_(trained, CLIP))
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return Step(sum(loss for loss, _ in done), max(drift for _, drift in done), gradient)


def jobs_of(groups: Sequence[Any], advantages: Sequence[Sequence[float]]) -> list[Job]:
    """Groups of samples, and the advantage of each, as `update` takes them."""
    jobs = []
    for group, of_group in zip(groups, advantages, strict=True):
        if not any(of_group):
            continue  # all alike: nothing to learn
        if len({sample.prompt_ids for sample in group.samples}) > 1:
            raise ValueError(f"task {group.task}: its rollouts do not follow one prompt")
        branches = []
        for sample, advantage in zip(group.samples, of_group, strict=True):
            weights = [advantage * sampled for sampled in sample.loss_mask]
            branches.append(Branch(sample.completion_ids, weights, sample.logprobs))
        jobs.append((group.samples[0].prompt_ids, branches))
    return jobs


def references(rows: Sequence[tuple[Sequence[int], Sequence[int], Sequence[float]]]) -> Job:
    """Prompts, replies to imitate and their tokens' weights, behind what the prompts share."""
    first, last = min(prompt for prompt, *_ in rows), max(prompt for prompt, *_ in rows)
    most = min(len(prompt) for prompt, *_ in rows) - 1
    common = next((i for i in range(most) if first[i] != last[i]), most)
    return first[:common], [
        Branch([*prompt[common:], *reply], [0.0] * (len(prompt) - common) + [*weights])
        for prompt, reply, weights in rows
    ]

"""The loopback engine samples what the model says, from the weights that it has now."""

import pytest

torch = pytest.importorskip("torch", reason="needs the models group")

from inward_chat.testing import HttpReply  # noqa: E402, F401
from inward_training import Rollouts  # noqa: E402
from inward_training.engine import Engine  # noqa: E402
from training.conftest import COPY_LETTER  # noqa: E402
from training.tiny_policy import make_model  # noqa: E402

pytestmark = pytest.mark.models


@pytest.fixture
def policy(tmp_path):
    return make_model(tmp_path), tmp_path


async def play(folder, endpoint, temperature=1.0, tasks=range(8), group_size=4):
    sampling = {"max_tokens": 3, "temperature": temperature}
    async with Rollouts(
        COPY_LETTER, "tiny", endpoint, tokenizer=str(folder), sampling=sampling
    ) as rollouts:
        return [g async for g in rollouts.play(tasks, group_size=group_size)]


def logprobs_of(model, sample):
    ids = torch.tensor([sample.prompt_ids + sample.completion_ids])
    with torch.no_grad():
        logprobs = torch.log_softmax(model(input_ids=ids).logits[0, :-1].float(), -1)
    chosen = logprobs.gather(-1, ids[0, 1:, None])[:, 0]
    return chosen[len(sample.prompt_ids) - 1 :].tolist()


@pytest.mark.parametrize("temperature", [1.0, 0.0])
async def test_logprobs_are_the_models_own(policy, temperature):
    model, folder = policy
    with Engine(model, "tiny").serving() as endpoint:
        groups = await play(folder, endpoint, temperature)
    assert [g.failures for g in groups] == [()] * 8
    for group in groups:
        for sample in group.samples:
            assert all(sample.loss_mask)
            assert list(sample.logprobs) == pytest.approx(logprobs_of(model, sample), abs=1e-4)
    if temperature == 0:
        assert all(len({s.completion_ids for s in g.samples}) == 1 for g in groups)


async def test_weights_may_change_between_two_rollouts(policy):
    model, folder = policy
    engine = Engine(model, "tiny")
    with engine.serving() as endpoint:
        (before,) = await play(folder, endpoint, 0.0, [0], 1)
        with engine.updating(), torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(torch.randn_like(parameter))
        (after,) = await play(folder, endpoint, 0.0, [0], 1)
    sample = after.samples[0]
    assert list(sample.logprobs) == pytest.approx(logprobs_of(model, sample), abs=1e-4)
    assert before.samples[0].logprobs != sample.logprobs


async def test_a_prompt_that_leaves_no_room_is_refused_not_scored(policy):
    model, folder = policy
    engine = Engine(model, "tiny")
    engine.context = 4
    with engine.serving() as endpoint:
        (group,) = await play(folder, endpoint, 1.0, [0], 1)
    assert group.samples == ()
    assert group.lost == 1


async def test_an_engine_that_fails_is_a_failed_rollout(policy):
    model, folder = policy
    engine = Engine(model, "tiny")
    engine._sampler.model = None
    with engine.serving() as endpoint:
        (group,) = await play(folder, endpoint, 1.0, [0], 1)
    assert group.lost == 1

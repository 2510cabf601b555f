"""The loopback engine samples what the model says, from the weights that it has now."""

import types

import pytest

torch = pytest.importorskip("torch", reason="needs the models group")

from inward_chat.testing import HttpReply  # noqa: E402, F401
from inward_training import Rollouts, sampling  # noqa: E402
from inward_training.engine import Engine  # noqa: E402
from inward_training.sampling import How, Sampler  # noqa: E402
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


PROMPTS = [[1, 5, 6], [1, 5, 6], [1, 5, 7, 8, 9, 10], [1, 5], [1, 5, 7, 8], [1, 5, 6], [1, 5, 9, 9]]
HOW = How(max_tokens=12, temperature=1.0, stop=(2,))


def plain_logprobs(model, prompt, ids):
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([prompt + ids])).logits[0, :-1].float()
    found = torch.log_softmax(logits, -1).gather(-1, torch.tensor((prompt + ids)[1:])[:, None])
    return found[len(prompt) - 1 :, 0].tolist()


@pytest.mark.parametrize("prompts", [PROMPTS, PROMPTS[:2], [[3], [1, 5]], [[4]]])
@pytest.mark.parametrize(("threads", "prefill"), [(1, 1024), (2, 3)])
def test_what_prompts_share_changes_no_logprob(policy, monkeypatch, prompts, threads, prefill):
    monkeypatch.setattr(sampling, "PREFILL", prefill)
    model, _ = policy
    sampler = Sampler(model, pad=0, seed=0, threads=threads)
    found = sampler.sample(prompts, HOW)
    lengths = {len(one.ids) for one in found}
    assert len(prompts) < 5 or len(lengths) > 1  # some end early, and the others go on
    for prompt, one in zip(prompts, found, strict=True):
        assert one.logprobs == pytest.approx(plain_logprobs(model, prompt, one.ids), abs=1e-4)
        assert one.finish == ("stop" if one.ids[-1] == 2 else "length")
    assert model.config._attn_implementation != "inward-shared-prefix"


def test_a_forward_that_a_trainer_has_replaced_is_passed_by(policy):
    """TRL puts a fused head before the model's own, which would run the original."""
    model, _ = policy
    prompts, how = [[1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 6, 5]], How(4, 0.0, ())
    before = Sampler(model, 0, 0, 1).sample(prompts, how)
    own = model.forward
    model.forward = types.MethodType(lambda self, *args, **kw: own(*args, **kw), model)
    assert Sampler(model, 0, 0, 1).sample(prompts, how) == before
    assert "forward" in model.__dict__  # the trainer's own is as it was


def test_attention_that_does_not_see_what_is_shared_is_no_sample(policy, monkeypatch):
    monkeypatch.setattr(sampling, "ATTENTION", "eager")
    with pytest.raises(RuntimeError, match="does not run the attention of this engine"):
        Sampler(policy[0], 0, 0, 1).sample([[1, 2, 3], [1, 2, 4]], How(2, 1.0, ()))


def test_a_prompts_completions_follow_from_the_seed_whatever_the_batch(policy):
    model, _ = policy

    def completions(seed, batches, threads):
        sampler = Sampler(model, 0, seed, threads)
        found = [
            pair for one in batches for pair in zip(one, sampler.sample(one, HOW), strict=True)
        ]
        return sorted((prompt, one.ids) for prompt, one in found)

    whole = completions(3, [PROMPTS], 1)
    assert completions(3, [PROMPTS[:3], PROMPTS[:2:-1]], 2) == whole
    assert completions(4, [PROMPTS], 1) != whole


def test_tokens_are_drawn_as_often_as_they_are_likely(policy):
    model, _ = policy
    sampler = Sampler(model, 0, 0, 1)
    draws = sampler.sample([[1, 5, 6]] * 4000, How(1, 0.5, ()))
    with torch.no_grad():
        likely = torch.softmax(model(input_ids=torch.tensor([[1, 5, 6]])).logits[0, -1] / 0.5, -1)
    counts = torch.bincount(torch.tensor([one.ids[0] for one in draws]), minlength=len(likely))
    deviation = (likely * (1 - likely) * len(draws)).sqrt()
    assert ((counts - likely * len(draws)).abs() < 4 * deviation).all()


def test_layers_without_full_attention_are_refused(policy):
    model, _ = policy
    model.config.layer_types = ["full_attention", "sliding_attention"]
    with pytest.raises(ValueError, match="sliding_attention: serve it with vLLM"):
        Engine(model, "tiny")

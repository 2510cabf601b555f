"""The local source's measures of any spans, against sums over a forward pass of its own."""

from __future__ import annotations

import math

import pytest
from inward_rewards.entropy.projection import sparse_projection
from inward_rewards.entropy.wire import DEFAULT_MEASURES, MEASURES, HiddenStatesError, ScoreRequest
from inward_rewards.hidden_states import EntropyConfig, LocalModelSource

pytestmark = pytest.mark.models
torch = pytest.importorskip("torch", reason="hidden states need torch (group `models`)")

IDS = tuple(torch.randint(9, 250, (90,), generator=torch.Generator().manual_seed(4)).tolist())


def config(folder, **fields) -> EntropyConfig:
    return EntropyConfig(source="transformers", model=str(folder), layers="middle:2", **fields)


@pytest.fixture(scope="module")
def read(tiny_qwen):
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(tiny_qwen, dtype=torch.float64).eval()
    with torch.inference_mode():
        return model(torch.tensor([IDS]), output_hidden_states=True)


def entropy_of(shares) -> float:
    return -math.fsum(share * math.log(share) for share in shares if share > 0)


@pytest.mark.parametrize("measures", [MEASURES, *((measure,) for measure in MEASURES)])
async def test_they_equal_float64_sums(tiny_qwen, read, measures):
    request = ScoreRequest(((1, 90), (20, 61), (33, 34)), measures=measures)
    async with LocalModelSource(config(tiny_qwen)) as source:
        spans = await source.score_spans(IDS, request)
    probabilities = read.logits[0].softmax(-1)
    for span in spans:
        states = [read.hidden_states[i][0, span.start : span.stop] for i in (6, 7)]
        before = probabilities[span.start - 1 : span.stop - 1]
        wanted = {
            "effective_rank": [effective_rank(layer) for layer in states],
            "mean_state": projected(read.hidden_states[-1][0, span.start : span.stop]),
            "token_entropy": [entropy_of(row.tolist()) for row in before],
            "self_certainty": [
                -math.fsum(math.log(len(row) * p) for p in row.tolist()) / len(row)
                for row in before
            ],
        }
        for name, values in wanted.items():
            found = getattr(span, name)
            assert (found is not None) == (name in measures)
            assert found is None or found == pytest.approx(values, abs=1e-5, rel=1e-5)
        assert (span.rank_curve is not None) == ("rank_curve" in measures)
        curves = () if span.rank_curve is None else zip(span.rank_curve, states, strict=True)
        for found, layer in curves:
            ends = range(40, len(layer), 40)
            expected = [effective_rank(layer[: end + 1]) for end in ends]
            assert found == pytest.approx(expected, abs=1e-5, rel=1e-5)
        assert len(span.entropy) == ("matrix_entropy" in measures)
        for found in span.entropy:
            assert found == pytest.approx(
                [matrix_entropy_bits(layer) for layer in states], abs=1e-5
            )


def effective_rank(states) -> float:
    singular = torch.linalg.svdvals(states - states.mean(0)).tolist()
    total = math.fsum(singular)
    return math.exp(entropy_of([one / total for one in singular])) if total > 1e-9 else 0.0


def projected(states) -> list[float]:
    """The mean row by the signs, one number after the other."""
    mean = [math.fsum(column) / len(states) for column in states.T.tolist()]
    signs, scale = sparse_projection(len(mean))
    value = {0: 0, 1: 1, 255: -1}
    return [
        scale * math.fsum(value[signs[256 * d + k]] * mean[d] for d in range(len(mean)))
        for k in range(256)
    ]


def matrix_entropy_bits(states) -> float:
    kept = [one**2 for one in torch.linalg.svdvals(states).tolist() if one**2 > 1e-6]
    return entropy_of([one / math.fsum(kept) for one in kept]) / math.log(2)


async def test_it_scores_as_measure_does(tiny_qwen):
    from inward_rewards.hidden_states import Completion, Policy

    one = Completion(IDS[:30], IDS[30:])
    request = ScoreRequest(((30, 90),), measures=DEFAULT_MEASURES)
    async with LocalModelSource(config(tiny_qwen, alpha=2)) as source:
        measured = await source.measure(one, Policy("tiny", "http://127.0.0.1:9/v1", (), False))
        [span] = await source.score_spans(IDS, request)
    assert measured.per_layer == pytest.approx(span.entropy[0], abs=1e-6)


async def test_bad_spans_and_a_closed_source_are_named(tiny_qwen):
    source = LocalModelSource(config(tiny_qwen))
    with pytest.raises(HiddenStatesError, match="is not open"):
        await source.score_spans(IDS, ScoreRequest(((1, 2),)))
    async with source:
        with pytest.raises(ValueError, match="leaves the prompt's 90 tokens"):
            await source.score_spans(IDS, ScoreRequest(((1, 91),)))
        with pytest.raises(ValueError, match="begins with the sequence's first token"):
            await source.score_spans(IDS, ScoreRequest(((0, 9),), measures=("token_entropy",)))


async def test_a_model_that_scales_its_logits_is_refused(tiny_qwen):
    request = ScoreRequest(((1, 9),), measures=("token_entropy",))
    async with LocalModelSource(config(tiny_qwen)) as source:
        [before] = await source.score_spans(IDS, request)
        model = source._spans._model
        forward = model.forward

        def scaled(*args, **kwargs):
            made = forward(*args, **kwargs)
            made.logits = made.logits * 0.5
            return made

        model.forward = scaled
        with pytest.raises(HiddenStatesError, match="changes its logits behind the output layer"):
            await source.score_spans(IDS, request)
        model.forward = forward
        assert (await source.score_spans(IDS, request))[0] == before

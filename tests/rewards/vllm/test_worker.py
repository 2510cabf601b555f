"""The worker's part, fed with steps made by hand: rows find their way, and faults stay small."""

from __future__ import annotations

import dataclasses
import math
import random
import threading
import time

import pytest
from inward_rewards.entropy.wire import (
    DEFAULT_MEASURES,
    MEASURES,
    HiddenStatesError,
    ScoreAnswer,
    ScoreRequest,
)

pytestmark = pytest.mark.models
torch = pytest.importorskip("torch", reason="hidden states need torch (group `models`)")

from inward_rewards.entropy import (  # noqa: E402
    ADVENT,
    Definition,
    effective_rank,
    matrix_entropy,
    prefix_entropy,
)
from inward_rewards.entropy.measures import projected_mean, rank_curve  # noqa: E402
from inward_rewards.vllm_plugin.buffer import RowBuffer  # noqa: E402
from inward_rewards.vllm_plugin.settings import Settings  # noqa: E402
from inward_rewards.vllm_plugin.worker import Chunk, Collector, Engine  # noqa: E402

LAYERS, DIM = 3, 16


class Bench:
    """A collector and the weights' version that it sees."""

    def __init__(self, buffer_tokens: int = 64, measures: tuple = DEFAULT_MEASURES) -> None:
        self.weights = 0
        settings = Settings(
            (1, 2, 3), 8, (1.0, 2.0), buffer_tokens=buffer_tokens, measures=measures
        )
        self.head = torch.randn((DIM, 40), generator=torch.Generator().manual_seed(7))
        engine = Engine("0.1.0", "0.0.0", DIM, lambda: self.weights, logits=self.logits)
        layers = LAYERS + settings.reads_final_states
        self.buffer = RowBuffer(layers, buffer_tokens, DIM, torch.float32, torch.device("cpu"))
        self.collector = Collector(settings, engine, self.buffer)

    def logits(self, final: torch.Tensor) -> torch.Tensor:
        return final @ self.head

    def answers(self, count: int) -> dict[str, dict]:
        found: dict[str, dict] = {}
        deadline = time.monotonic() + 60
        while len(found) < count and time.monotonic() < deadline:
            self.collector.wait(1)
            found |= self.collector.take()
        return found


def states(tokens: int, seed: int = 0) -> torch.Tensor:
    return torch.randn((LAYERS, tokens, DIM), generator=torch.Generator().manual_seed(seed))


def refusal(bench: Bench, request: ScoreRequest) -> str:
    [payload] = bench.answers(1).values()
    with pytest.raises(HiddenStatesError) as caught:
        ScoreAnswer.from_json(payload, request)
    return str(caught.value)


def test_rows_of_many_requests_in_mixed_chunks():
    rng = random.Random(1)
    bench = Bench(buffer_tokens=600)
    sequences = {f"r{i}": states(rng.randrange(8, 60), seed=i) for i in range(12)}
    asked = {}
    for name, sequence in sequences.items():
        tokens = sequence.shape[1]
        start = rng.randrange(0, tokens - 3)
        asked[name] = ScoreRequest(((start, tokens - 1), (0, 2)), curve=rng.random() < 0.5)
        bench.collector.admit(name, asked[name], tokens)
    position = dict.fromkeys(sequences, 0)
    found: dict[str, dict] = {}
    while position:
        batch, chunks = [states(2, seed=99)], []  # two rows of somebody else come first
        offset = 2
        for name in rng.sample(sorted(position), min(3, len(position))):
            rows = min(rng.randrange(1, 20), sequences[name].shape[1] - position[name])
            chunks.append(Chunk(name, position[name], rows, offset))
            batch.append(sequences[name][:, position[name] : position[name] + rows])
            position[name] += rows
            offset += rows
            if position[name] == sequences[name].shape[1]:
                del position[name]
        flat = torch.cat([*batch, states(3, seed=98)], 1)  # and padding behind
        bench.collector.collect(chunks, list(flat))
        flat.fill_(float("nan"))  # the buffer of a CUDA graph is overwritten by the next step
    found = bench.answers(12)
    for name, request in asked.items():
        answer = ScoreAnswer.from_json(found[name], request)
        for span in answer.spans:
            rows = sequences[name][:, span.start : span.stop]
            for alpha, entropy in zip(answer.alphas, span.entropy, strict=True):
                expected = matrix_entropy(rows, alpha, ADVENT)
                assert list(entropy) == pytest.approx(expected.tolist(), abs=1e-6)
            if request.curve:
                expected = prefix_entropy(rows, ADVENT)
                assert torch.tensor(span.curve).allclose(expected.float(), atol=1e-6)
    assert bench.buffer.free == 600


@pytest.mark.parametrize(
    "measures",
    [MEASURES, *((measure,) for measure in MEASURES)],
)
def test_measures_in_two_chunks(measures):
    """Each token's distribution is that of the row before it; only what was asked for comes."""
    bench = Bench(measures=MEASURES)
    sequence = torch.cat([states(60), states(60, seed=1)[:1]])  # the final states come last
    request = ScoreRequest(((9, 55), (4, 10)), measures=measures)
    bench.collector.admit("a", request, 60)
    for start, stop in ((0, 9), (9, 60)):
        chunk = Chunk("a", start, stop - start, 0)
        bench.collector.collect([chunk], list(sequence[:, start:stop]))
    answer = ScoreAnswer.from_json(bench.answers(1)["a"], request)
    log_p = (sequence[-1] @ bench.head).double().log_softmax(-1)
    for span in answer.spans:
        chosen, before = sequence[:LAYERS, span.start : span.stop], log_p[span.start - 1 :]
        before = before[: span.stop - span.start]
        expected = {
            "effective_rank": effective_rank(chosen, Definition(centre=True)),
            "mean_state": projected_mean(sequence[-1, span.start : span.stop]),
            "token_entropy": -(before.exp() * before).sum(1),
            "self_certainty": -before.mean(1) - math.log(40),
        }
        for measure, values in expected.items():
            found = getattr(span, measure)
            assert (found is not None) == (measure in measures)
            assert found is None or found == pytest.approx(values.tolist(), abs=1e-5)
        assert (span.rank_curve is not None) == ("rank_curve" in measures)
        if span.rank_curve is not None:  # a prefix of 41 tokens, and none of 6
            found = torch.tensor(span.rank_curve)
            assert found.shape == (LAYERS, len(chosen[0]) // 41)
            assert torch.allclose(found, rank_curve(chosen).float(), atol=1e-4)
        assert (span.entropy != ()) == ("matrix_entropy" in measures)
    assert answer.vocabulary == (40 if request.reads_logits else None)
    assert bench.buffer.free == 64


def test_weights_that_change_before_the_logits_are_an_error():
    bench = Bench(measures=MEASURES)
    request = ScoreRequest(((1, 8),), measures=("token_entropy",))
    bench.collector.admit("a", request, 8)
    entered, changed, logits = threading.Event(), threading.Event(), bench.logits

    def late(final):
        entered.set()
        assert changed.wait(60)
        return logits(final)

    bench.collector._engine = dataclasses.replace(bench.collector._engine, logits=late)
    bench.collector.collect([Chunk("a", 0, 8, 0)], list(torch.cat([states(8), states(8)[:1]])))
    assert entered.wait(60)
    bench.weights = 1
    changed.set()
    assert "the weights changed before the logits were computed; ask again" in refusal(
        bench, request
    )


def test_rows_that_were_not_computed_are_an_error():
    bench = Bench()
    request = ScoreRequest(((0, 20),))
    bench.collector.admit("a", request, 20)
    bench.collector.collect([Chunk("a", 16, 4, 0)], list(states(4)))  # 16 came from a cache
    assert "only 4 of 20 rows were computed (a prefix-cache hit?)" in refusal(bench, request)
    assert bench.buffer.free == 64


def test_a_span_that_was_wholly_cached_is_an_error():
    bench = Bench()
    request = ScoreRequest(((0, 8),))
    bench.collector.admit("a", request, 20)
    bench.collector.collect([Chunk("a", 16, 4, 0)], list(states(4)))
    assert "only 0 of 8 rows" in refusal(bench, request)


def test_what_was_seen_before_a_preemption_stays():
    bench = Bench()
    request = ScoreRequest(((0, 20),))
    rows = states(20)
    bench.collector.admit("a", request, 20)
    bench.collector.collect([Chunk("a", 0, 16, 0)], list(rows[:, :16]))
    bench.collector.admit("a", request, 20)  # back again; its own blocks come from the cache
    bench.collector.collect([Chunk("a", 16, 4, 0)], list(rows[:, 16:]))
    answer = ScoreAnswer.from_json(bench.answers(1)["a"], request)
    expected = matrix_entropy(rows, 1.0, ADVENT).tolist()
    assert list(answer.spans[0].entropy[0]) == pytest.approx(expected, abs=1e-6)
    bench.collector.admit("a", request, 20)  # and again, while it generates: it has its answer
    assert not bench.collector.waiting
    assert bench.buffer.free == 64


def test_weights_that_change_between_chunks_are_an_error():
    bench = Bench()
    request = ScoreRequest(((0, 20),))
    bench.collector.admit("a", request, 20)
    bench.collector.collect([Chunk("a", 0, 16, 0)], list(states(16)))
    bench.weights = 1
    bench.collector.collect([Chunk("a", 16, 4, 0)], list(states(4)))
    assert "the weights changed while the sequence was being read" in refusal(bench, request)
    bench.collector.admit("b", request, 20)
    bench.collector.collect([Chunk("b", 0, 20, 0)], list(states(20)))
    assert ScoreAnswer.from_json(bench.answers(1)["b"], request).policy_version == "1"


def test_a_sequence_that_is_read_anew_after_an_update_is_scored_by_the_new_weights():
    """vLLM empties its cache in a pause that keeps its requests: they begin again."""
    bench = Bench()
    request = ScoreRequest(((4, 20),))
    bench.collector.admit("a", request, 24)
    bench.collector.collect([Chunk("a", 0, 16, 0)], list(states(16, seed=1)))
    bench.weights = 1
    bench.collector.admit("a", request, 24)
    new = states(24, seed=2)
    bench.collector.collect([Chunk("a", 0, 16, 0)], list(new[:, :16]))
    bench.collector.collect([Chunk("a", 16, 8, 0)], list(new[:, 16:]))
    answer = ScoreAnswer.from_json(bench.answers(1)["a"], request)
    expected = matrix_entropy(new[:, 4:20], 1.0, ADVENT).tolist()
    assert list(answer.spans[0].entropy[0]) == pytest.approx(expected, abs=1e-6)
    assert answer.policy_version == "1"
    assert bench.buffer.free == 64


def test_rows_from_before_a_new_start_do_not_count():
    """Read once to 16, then again, but only to 8 and from 12: four rows are of the old weights."""
    bench = Bench()
    request = ScoreRequest(((0, 20),))
    bench.collector.admit("a", request, 20)
    bench.collector.collect([Chunk("a", 0, 16, 0)], list(states(16)))
    bench.collector.collect([Chunk("a", 0, 8, 0)], list(states(8)))
    bench.collector.collect([Chunk("a", 12, 8, 0)], list(states(8)))
    assert "only 16 of 20 rows were computed" in refusal(bench, request)


def test_a_request_may_name_the_weights_that_read_it():
    bench = Bench()
    request = ScoreRequest(((0, 20),))
    adapter = ["adapter sums (1, load 1)"]
    bench.collector.admit("a", request, 20, lambda: adapter[-1])
    bench.collector.collect([Chunk("a", 0, 20, 0)], list(states(20)))
    [answer] = bench.answers(1).values()
    assert ScoreAnswer.from_json(answer, request).policy_version == adapter[0]
    bench.collector.admit("b", request, 20, lambda: adapter[-1])
    bench.collector.collect([Chunk("b", 0, 16, 0)], list(states(16)))
    adapter.append("adapter sums (1, load 2)")
    bench.collector.collect([Chunk("b", 16, 4, 0)], list(states(4)))
    assert "the weights changed while the sequence was being read; ask again" in refusal(
        bench, request
    )


def test_states_that_are_not_finite_are_an_error():
    bench = Bench()
    request = ScoreRequest(((0, 4),))
    rows = states(4)
    rows[1, 2, 3] = float("inf")
    bench.collector.admit("a", request, 4)
    bench.collector.collect([Chunk("a", 0, 4, 0)], list(rows))
    assert "not finite" in refusal(bench, request)


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        (states(4)[:2], "the states of 2 layers, not of 3"),
        (states(4)[:, :, :8], r"states [4, 8] where row 3 of dimension 16 was due"),
        (states(2), "states [2, 16] where row 3"),
    ],
)
def test_a_step_of_another_shape_fails_its_requests_alone(wrong, complaint):
    bench = Bench()
    request = ScoreRequest(((0, 4),))
    bench.collector.admit("a", request, 4)
    bench.collector.admit("b", request, 4)
    chunks = [Chunk("a", 0, 4, 0)]
    with pytest.raises(ValueError, match="the model gave") as caught:
        bench.collector.collect(chunks, list(wrong))
    bench.collector.fail({"a": 4, "chat": 1}, caught.value)
    assert complaint in refusal(bench, request)
    bench.collector.collect([Chunk("b", 0, 4, 0)], list(states(4)))
    ScoreAnswer.from_json(bench.answers(1)["b"], request)
    assert bench.buffer.free == 64


def test_a_dropped_request_frees_its_rows():
    bench = Bench(buffer_tokens=10)
    bench.collector.admit("a", ScoreRequest(((0, 10),)), 10)
    assert bench.buffer.free == 0
    bench.collector.drop("a")
    bench.collector.drop("unseen")  # aborted before its first step; the scheduler waits to hear it
    assert bench.buffer.free == 10
    assert not bench.collector.waiting
    assert {"error" in report for report in bench.collector.take().values()} == {True}
    bench.collector.drop("a")
    assert bench.buffer.free == 10


def test_a_request_that_is_being_scored_keeps_its_rows_until_its_answer():
    """The engine is told of its end meanwhile: nothing is reported early, nothing twice."""
    bench = Bench(buffer_tokens=10)
    go_on = threading.Event()
    score = bench.collector._score
    bench.collector._score = lambda job: go_on.wait(60) and score(job)
    request = ScoreRequest(((0, 10),))
    bench.collector.admit("a", request, 10)
    bench.collector.collect([Chunk("a", 0, 10, 0)], list(states(10)))
    bench.collector.drop("a")
    assert bench.collector.take() == {}
    assert bench.buffer.free == 0
    go_on.set()
    ScoreAnswer.from_json(bench.answers(1)["a"], request)
    assert bench.buffer.free == 10


def test_an_answer_is_not_overwritten_by_the_end_of_its_request():
    bench = Bench(buffer_tokens=10)
    request = ScoreRequest(((0, 10),))
    bench.collector.admit("a", request, 10)
    bench.collector.collect([Chunk("a", 0, 10, 0)], list(states(10)))
    while not bench.collector._answers:
        bench.collector.wait(1)
    bench.collector.drop("a")
    ScoreAnswer.from_json(bench.collector.take()["a"], request)


def test_an_admission_that_does_not_fit_is_refused():
    bench = Bench(buffer_tokens=10)
    bench.collector.admit("a", ScoreRequest(((0, 10),)), 10)
    with pytest.raises(ValueError, match="1 rows asked for, 0 are free"):
        bench.collector.admit("b", ScoreRequest(((0, 1),)), 10)

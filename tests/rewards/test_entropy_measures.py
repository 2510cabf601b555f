"""Measures beside matrix entropy, against float64 sums written out."""

from __future__ import annotations

import hashlib
import itertools
import math

import pytest

pytestmark = pytest.mark.models
torch = pytest.importorskip("torch", reason="the measures need torch (group `models`)")

import numpy as np  # noqa: E402
from inward_rewards.entropy import measures  # noqa: E402
from inward_rewards.entropy.measures import (  # noqa: E402
    projected_mean,
    rank_curve,
    token_measures,
    token_parts,
)
from inward_rewards.entropy.projection import sparse_projection  # noqa: E402

DIGEST = "a4bf05c8132664c9"
"""Of the signs for 400 dimensions: another projection is another measure."""


def independent(logits: np.ndarray) -> tuple[float, float]:
    """One row, term by term: no log-softmax."""
    exact = logits.astype(np.float64).tolist()
    peak = max(exact)
    weights = [math.exp(value - peak) for value in exact]
    total = math.fsum(weights)
    p = [weight / total for weight in weights]
    entropy = -math.fsum(share * math.log(share) for share in p if share)
    certainty = math.fsum(math.log(1 / len(p)) - math.log(share) for share in p) / len(p)
    return entropy, certainty


@pytest.mark.parametrize("spread", [0.0, 0.1, 1.0, 6.0])
@pytest.mark.parametrize("chunk", [1, 3 * 4 * 900, 2**26])
def test_they_equal_an_independent_sum(monkeypatch, spread, chunk):
    """However the rows are cut into chunks."""
    monkeypatch.setattr(measures, "CHUNK_BYTES", chunk)
    generator = torch.Generator().manual_seed(3)
    states = torch.randn((11, 16), generator=generator)
    head = spread * torch.randn((16, 900), generator=generator)
    sizes = []

    def logits(rows):
        sizes.append(len(rows))
        return rows @ head

    found = token_measures([token_parts(states, logits)])
    for row, made in enumerate((states @ head).numpy()):
        entropy, certainty = independent(made)
        assert found.token_entropy[row].item() == pytest.approx(entropy, abs=1e-5)
        assert found.self_certainty[row].item() == pytest.approx(certainty, abs=1e-5)
    assert found.vocabulary == 900
    assert sum(sizes) == 11
    assert max(sizes[1:]) <= max(1, chunk // 3600)


def test_what_certain_and_uniform_distributions_earn():
    uniform = token_measures(
        [token_parts(torch.zeros((2, 3)), lambda rows: torch.zeros((len(rows), 50)))]
    )
    assert uniform.token_entropy.tolist() == pytest.approx([math.log(50)] * 2, abs=1e-6)
    assert uniform.self_certainty.tolist() == pytest.approx([0.0, 0.0], abs=1e-6)
    sure = torch.zeros(50)
    sure[4] = 80
    certain = token_measures(
        [token_parts(torch.zeros((1, 3)), lambda rows: sure.expand(len(rows), 50))]
    )
    assert certain.token_entropy.item() == pytest.approx(0.0, abs=1e-6)
    assert certain.self_certainty.item() == pytest.approx(80 * 49 / 50 - math.log(50), abs=1e-4)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_logits_that_are_not_finite_are_refused(value):
    row = torch.zeros(9)
    row[2] = value
    with pytest.raises(ValueError, match="logits are not finite"):
        token_parts(torch.zeros((4, 3)), lambda rows: row.expand(len(rows), 9))


@pytest.mark.parametrize("cuts", [(450,), (64, 128, 600), (0, 30), (899, 900), (30, 30)])
@pytest.mark.parametrize("spread", [0.1, 6.0])
def test_a_vocabulary_in_parts_is_the_whole_one(cuts, spread):
    """However uneven the parts are, and where one has no column at all."""
    generator = torch.Generator().manual_seed(4)
    made = spread * torch.randn((7, 900), generator=generator)
    states = torch.arange(7.0)[:, None]

    def part(start, stop):
        return token_parts(states, lambda rows: made[rows[:, 0].long(), start:stop])

    bounds = [0, *cuts, 900]
    found = token_measures([part(a, b) for a, b in itertools.pairwise(bounds)])
    assert found.vocabulary == 900
    for row, logits in enumerate(made.numpy()):
        entropy, certainty = independent(logits)
        assert found.token_entropy[row].item() == pytest.approx(entropy, abs=1e-5)
        assert found.self_certainty[row].item() == pytest.approx(certainty, abs=1e-5)


def test_parts_of_other_rows_are_refused():
    one, two = (token_parts(torch.zeros((n, 3)), lambda rows: rows) for n in (1, 2))
    with pytest.raises(ValueError, match=r"parts of \[1, 2\] rows are not of one span"):
        token_measures([one, two])


def test_no_row_is_refused():
    with pytest.raises(ValueError, match=r"final states must be \[rows, dim\], got \[0, 3\]"):
        token_parts(torch.zeros((0, 3)), lambda rows: rows)


def test_rank_curves_of_prefixes():
    """Against singular values; equal tokens have no rank, forty tokens no prefix."""
    states = torch.randn((2, 600, 24), generator=torch.Generator().manual_seed(3))
    found = rank_curve(states)
    assert found.shape == (2, 12)
    for layer, curve in zip(states.double(), found, strict=True):
        window = layer[-512:]
        for end, rank in zip(range(40, 512, 40), curve.tolist(), strict=True):
            p = torch.linalg.svdvals(window[: end + 1] - window[: end + 1].mean(0))
            p = p / p.sum()
            assert rank == pytest.approx(torch.special.entr(p).sum().exp().item(), rel=1e-9)
    assert rank_curve(torch.ones(1, 90, 8) * 0.1).tolist() == [[0.0, 0.0]]
    assert rank_curve(torch.ones(3, 40, 8)).shape == (3, 0)


def test_a_projection_keeps_lengths_and_is_always_the_same():
    states = torch.randn((50, 400), generator=torch.Generator().manual_seed(5)).double()
    lengths = [projected_mean(row[None]).square().sum() / row.square().sum() for row in states]
    assert sum(lengths) / 50 == pytest.approx(1, abs=0.1)
    together = projected_mean(states)
    apart = torch.stack([projected_mean(row[None]) for row in states]).mean(0)
    assert torch.allclose(together, apart, atol=1e-12)
    signs, scale = sparse_projection(400)
    assert len(signs) == 400 * 256
    share = (len(signs) - signs.count(0)) / len(signs)
    assert share == pytest.approx(1 / 20, rel=0.1)
    assert scale == pytest.approx(math.sqrt(20 / 256))
    digest = hashlib.sha256(signs).hexdigest()
    assert digest[:16] == DIGEST


@pytest.mark.parametrize("bad", [torch.zeros(0, 4), torch.zeros(4), torch.full((2, 4), math.nan)])
def test_final_states_that_cannot_be_are_refused(bad):
    with pytest.raises(ValueError, match="final states"):
        projected_mean(bad)

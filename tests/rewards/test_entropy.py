"""Matrix entropy against closed forms, invariances, and a float64 reimplementation in numpy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.models
torch = pytest.importorskip("torch", reason="matrix entropy needs torch (group `models`)")

from inward_rewards.entropy import (  # noqa: E402
    ADVENT,
    LAYER_BY_LAYER,
    PLAIN,
    Definition,
    effective_rank,
    matrix_entropy,
    prefix_entropy,
)

ALPHAS = (0.5, 1.0, 2.0, 3.0)


def states(tokens: int, dim: int, seed: int = 0, layers: int | None = None) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    shape = (tokens, dim) if layers is None else (layers, tokens, dim)
    return torch.randn(shape, generator=generator)


def renyi(p: np.ndarray, alpha: float) -> float:
    p = p[p > 0]
    if alpha == 1:
        return float(-(p * np.log(p)).sum())
    return float(np.log((p**alpha).sum()) / (1 - alpha))


def advent_reference(z: np.ndarray, alpha: float) -> float:
    """methods: uncentred rows, the smaller side, eigenvalues above 1e-6, bits."""
    z = z.astype(np.float64)
    gram = z @ z.T if z.shape[0] <= z.shape[1] else z.T @ z
    eigenvalues = np.linalg.eigvalsh(gram)
    eigenvalues = eigenvalues[eigenvalues > 1e-6]
    return renyi(eigenvalues / eigenvalues.sum(), alpha) / math.log(2)


def layer_by_layer_reference(z: np.ndarray, alpha: float) -> float:
    """The published code: centre, unit rows, smaller side (tokens on a tie), clamp entries at 0,
    positive eigenvalues in nats, over min(ln N, ln D); alpha = 2 by the Frobenius norm."""
    z = z.astype(np.float64)
    tokens, dim = z.shape
    z = z - z.mean(0)
    z = z / np.linalg.norm(z, axis=1, keepdims=True)
    gram = np.clip(z.T @ z if tokens > dim else z @ z.T, 0, None)
    if alpha == 2:
        entropy = -math.log((gram**2).sum() / np.trace(gram) ** 2)
    else:
        eigenvalues = np.linalg.eigvalsh(gram)
        eigenvalues = eigenvalues[eigenvalues > 0]
        entropy = renyi(eigenvalues / eigenvalues.sum(), alpha)
    return entropy / min(math.log(tokens), math.log(dim))


# ---------------------------------------------------------------- closed forms


@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize("shape", [(8, 8), (8, 20)])
def test_orthonormal_rows_have_entropy_log_n(alpha, shape):
    assert matrix_entropy(torch.eye(*shape), alpha).item() == pytest.approx(math.log(8), abs=1e-6)
    in_bits = matrix_entropy(torch.eye(*shape), alpha, ADVENT)
    assert in_bits.item() == pytest.approx(3.0, abs=1e-6)


@pytest.mark.parametrize("alpha", [1.0, 2.0, 3.0])
def test_rank_one_has_entropy_zero(alpha):
    rows = torch.outer(torch.arange(1.0, 40.0), torch.randn(16))
    assert matrix_entropy(rows, alpha).item() == pytest.approx(0.0, abs=1e-4)


@pytest.mark.parametrize("alpha", ALPHAS)
def test_two_level_spectrum_by_hand(alpha):
    # Squared singular values 9, 1, 1, 1: p = 3/4 and three times 1/12.
    rows = torch.diag(torch.tensor([3.0, 1.0, 1.0, 1.0]))
    p = np.array([9, 1, 1, 1]) / 12
    assert matrix_entropy(rows, alpha).item() == pytest.approx(renyi(p, alpha), abs=1e-6)


def test_alpha_zero_is_the_log_of_the_rank():
    rows = torch.diag(torch.tensor([5.0, 2.0, 0.5, 0.0]))
    assert matrix_entropy(rows, 0.0).item() == pytest.approx(math.log(3), abs=1e-6)


def test_clamping_by_hand():
    # Two opposite unit rows: their Gram matrix [[1, -1], [-1, 1]] becomes the identity.
    rows = torch.tensor([[1.0, 0.0, 0.0], [-1.0, 0.0, 0.0]])
    assert matrix_entropy(rows).item() == pytest.approx(0.0, abs=1e-6)
    clamped = matrix_entropy(rows, 1.0, Definition(clamp=True))
    assert clamped.item() == pytest.approx(math.log(2), abs=1e-6)


def test_cutoff_drops_small_eigenvalues():
    rows = torch.diag(torch.tensor([1.0, 1.0, 1e-2]))
    dropped = matrix_entropy(rows, 1.0, Definition(cutoff=1e-3))
    assert dropped.item() == pytest.approx(math.log(2), abs=1e-6)
    assert matrix_entropy(rows).item() > math.log(2) + 1e-4


def test_one_token():
    row = states(1, 12)
    for definition in (PLAIN, ADVENT, LAYER_BY_LAYER, Definition(normalise="log_n")):
        for alpha in ALPHAS:
            assert matrix_entropy(row, alpha, definition).item() == pytest.approx(0.0, abs=1e-6)
        if not definition.clamp:
            assert prefix_entropy(row, definition).tolist() == pytest.approx([0.0], abs=1e-6)


@pytest.mark.parametrize("rows", [torch.zeros(5, 3), torch.full((6, 3), 0.1)])
@pytest.mark.parametrize("alpha", ALPHAS)
def test_states_without_spread_have_entropy_zero(rows, alpha):
    assert matrix_entropy(rows, alpha, LAYER_BY_LAYER).item() == 0.0


def test_equal_tokens_hide_no_rounding_behind_unit_rows():
    """0.1 is no binary fraction: row minus mean leaves 1e-9, which must not become a direction."""
    rows = torch.full((300, 7), 0.1) * torch.arange(1, 8)
    assert matrix_entropy(rows, 1.0, Definition(centre=True, unit_rows=True)).item() == 0.0


# ---------------------------------------------------------------- presets


@settings(max_examples=60)
@given(
    tokens=st.integers(2, 70),
    dim=st.integers(2, 70),
    scale=st.sampled_from([1e-1, 1.0, 50.0]),
    alpha=st.sampled_from([0.0, 0.5, 1.0, 2.0, 3.0]),
    seed=st.integers(0, 10_000),
)
def test_presets_match_the_reference(tokens, dim, scale, alpha, seed):
    z = states(tokens, dim, seed) * scale + 0.3
    got = matrix_entropy(z, alpha, ADVENT).item()
    assert got == pytest.approx(advent_reference(z.numpy(), alpha), abs=1e-5)
    if tokens > 2 and alpha >= 1:  # two centred rows are opposite: the clamp's signs are rounding
        got = matrix_entropy(z, alpha, LAYER_BY_LAYER).item()
        assert got == pytest.approx(layer_by_layer_reference(z.numpy(), alpha), abs=1e-4)


@settings(max_examples=60)
@given(
    tokens=st.integers(2, 90),
    dim=st.integers(2, 60),
    rank=st.integers(1, 8),
    longer=st.sampled_from([1, 3000]),
    repeated=st.booleans(),
    alpha=st.sampled_from([0.0, 0.25, 0.5, 0.9]),
    seed=st.integers(0, 10_000),
)
def test_orders_below_one_of_truly_low_rank_states(
    tokens, dim, rank, longer, repeated, alpha, seed
):
    """Whole numbers, so that float32 holds the low rank exactly; one token may be far longer."""
    draw = np.random.default_rng(seed)
    if repeated:
        z = draw.integers(-9, 10, (rank, dim))[draw.integers(0, rank, tokens)]
    else:
        z = draw.integers(-3, 4, (tokens, rank)) @ draw.integers(-3, 4, (rank, dim))
    z[0] *= longer
    singular = np.linalg.svd(z.astype(np.float64), compute_uv=False)
    p = np.where(np.arange(len(singular)) < np.linalg.matrix_rank(z), singular, 0) ** 2
    expected = renyi(p / p.sum(), alpha) if p.any() else 0.0
    got = matrix_entropy(torch.tensor(z, dtype=torch.float32), alpha).item()
    assert got == pytest.approx(expected, abs=1e-6)


def test_the_rank_of_a_product_that_float32_rounds():
    z = states(300, 20) @ states(20, 100, seed=1)
    assert matrix_entropy(z, 0.0).item() == pytest.approx(math.log(20), abs=1e-9)


def test_layers_are_scored_each_for_itself():
    z = states(30, 12, layers=4)
    for alpha in ALPHAS:
        one_by_one = [matrix_entropy(layer, alpha, ADVENT).item() for layer in z]
        assert matrix_entropy(z, alpha, ADVENT).tolist() == pytest.approx(one_by_one, abs=1e-9)


def test_more_rows_than_one_chunk():
    z = states(2500, 24, seed=3) + 1.0
    for definition in (PLAIN, Definition(centre=True, unit_rows=True)):
        x = z.double().numpy()
        if definition.centre:
            x = x - x.mean(0)
            x = x / np.linalg.norm(x, axis=1, keepdims=True)
        p = np.linalg.eigvalsh(x.T @ x)
        expected = renyi(p / p.sum(), 1.0)
        assert matrix_entropy(z, 1.0, definition).item() == pytest.approx(expected, abs=1e-5)


def test_normalisations():
    z = states(40, 10)
    raw = matrix_entropy(z).item()
    by_n = matrix_entropy(z, 1.0, Definition(normalise="log_n")).item()
    by_max = matrix_entropy(z, 1.0, Definition(normalise="max")).item()
    assert by_n == pytest.approx(raw / math.log(40))
    assert by_max == pytest.approx(raw / math.log(10))


# ---------------------------------------------------------------- invariances


@settings(max_examples=25)
@given(tokens=st.integers(2, 40), dim=st.integers(2, 40), seed=st.integers(0, 1000))
def test_rotation_and_scale_change_nothing(tokens, dim, seed):
    z = states(tokens, dim, seed)
    rotation, _ = torch.linalg.qr(states(dim, dim, seed + 1))
    for alpha in (1.0, 2.0):
        expected = matrix_entropy(z, alpha).item()
        assert matrix_entropy(z @ rotation, alpha).item() == pytest.approx(expected, abs=1e-5)
        assert matrix_entropy(z * 37.0, alpha).item() == pytest.approx(expected, abs=1e-5)
        assert matrix_entropy(z.flip(0), alpha).item() == pytest.approx(expected, abs=1e-5)


def test_a_token_of_massive_norm_crushes_it_and_unit_rows_mend_it():
    z = states(256, 64)
    plain, unit = matrix_entropy(z).item(), Definition(unit_rows=True)
    z[0] *= 500
    assert matrix_entropy(z).item() < 0.1 * plain
    assert matrix_entropy(z, 1.0, unit).item() == pytest.approx(plain, abs=0.1)


# ---------------------------------------------------------------- types and faults


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_half_precision_is_cast_before_the_product(dtype):
    z = states(50, 32).to(dtype)
    for alpha in ALPHAS:
        got = matrix_entropy(z, alpha).item()
        assert got == pytest.approx(matrix_entropy(z.float(), alpha).item(), abs=1e-9)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("shape", [(6, 9), (9, 6)])
def test_non_finite_states_are_refused(bad, shape):
    z = states(*shape)
    z[2, 1] = bad
    for definition in (ADVENT, LAYER_BY_LAYER, Definition(unit_rows=True)):
        with pytest.raises(ValueError, match="not finite"):
            matrix_entropy(z, 1.0, definition)
    with pytest.raises(ValueError, match="not finite"):
        prefix_entropy(z)


def test_a_non_finite_half_precision_value_is_refused():
    with pytest.raises(ValueError, match="not finite"):
        matrix_entropy(torch.full((3, 4), 1e6).to(torch.float16))


@pytest.mark.parametrize(
    ("z", "complaint"),
    [
        (torch.zeros(0, 4), "no token"),
        (torch.zeros(2, 0, 4), "no token"),
        (torch.zeros(4), "float tensor"),
        (torch.zeros(1, 2, 3, 4), "float tensor"),
        (torch.zeros(3, 4, dtype=torch.int64), "float tensor"),
    ],
)
def test_unusable_states_are_named(z, complaint):
    for function in (matrix_entropy, prefix_entropy, effective_rank):
        with pytest.raises(ValueError, match=complaint):
            function(z)


@pytest.mark.parametrize("alpha", [-1.0, math.nan, math.inf])
def test_alpha_out_of_range(alpha):
    with pytest.raises(ValueError, match="alpha"):
        matrix_entropy(torch.eye(3), alpha)


# ---------------------------------------------------------------- prefixes


@pytest.mark.parametrize(
    "definition",
    [
        PLAIN,
        ADVENT,
        Definition(unit_rows=True, normalise="log_n"),
        Definition(centre=True, normalise="max"),
    ],
)
@pytest.mark.parametrize("shape", [(2, 30, 8), (2, 8, 30), (1, 1100, 6)])
def test_every_prefix_equals_its_own_entropy(definition, shape):
    layers, tokens, dim = shape
    z = states(tokens, dim, seed=5, layers=layers) + 2.0
    curve = prefix_entropy(z, definition)
    assert curve.shape == (layers, tokens)
    for t in {1, 2, 3, tokens // 2, tokens}:
        expected = matrix_entropy(z[:, :t], 2.0, definition).tolist()
        assert curve[:, t - 1].tolist() == pytest.approx(expected, abs=1e-5)


def test_prefixes_cannot_be_clamped_or_centred_and_scaled():
    for definition in (LAYER_BY_LAYER, Definition(centre=True, unit_rows=True)):
        with pytest.raises(ValueError, match="prefix_entropy cannot"):
            prefix_entropy(states(5, 4), definition)


# ---------------------------------------------------------------- effective rank


def test_effective_rank_by_hand():
    assert effective_rank(torch.eye(7)).item() == pytest.approx(7.0)
    assert effective_rank(torch.ones(9, 4)).item() == pytest.approx(1.0)
    assert effective_rank(torch.ones(9, 4), Definition(centre=True)).item() == 0.0
    p = np.array([3.0, 1.0]) / 4
    expected = math.exp(-(p * np.log(p)).sum())
    rank = effective_rank(torch.diag(torch.tensor([3.0, 1.0])))
    assert rank.item() == pytest.approx(expected)


@settings(max_examples=25)
@given(tokens=st.integers(2, 40), dim=st.integers(2, 40), seed=st.integers(0, 1000))
def test_effective_rank_bounds(tokens, dim, seed):
    z = states(tokens, dim, seed)
    rank = effective_rank(z).item()
    assert math.exp(matrix_entropy(z).item()) <= rank + 1e-4
    assert 1.0 - 1e-9 <= rank <= min(tokens, dim) + 1e-9


# ---------------------------------------------------------------- memory


class _LargestResult(torch.utils._python_dispatch.TorchDispatchMode):
    """The size of the largest tensor that any operation made."""

    numel = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        views = ("aten::detach", "aten::split", "aten::view", "aten::unbind", "aten::select")
        if isinstance(result, torch.Tensor) and not str(func.name()).startswith(views):
            self.numel = max(self.numel, result.numel())
        return result


@pytest.mark.parametrize("alpha", [1.0, 2.0])
def test_memory_does_not_grow_with_the_number_of_tokens(alpha):
    z = torch.randn(16_384, 128).to(torch.bfloat16)
    for definition in (ADVENT, LAYER_BY_LAYER):
        with _LargestResult() as largest:
            matrix_entropy(z, alpha, definition)
        assert 128 * 128 <= largest.numel <= 1024 * 128


@pytest.mark.parametrize("alpha", [0.5, 1.0])
def test_layers_are_stacked_only_up_to_a_limit(alpha, monkeypatch):
    item = 8 if alpha < 1 else 4
    monkeypatch.setattr("inward_rewards.entropy.spectrum._STACK_BYTES", 3 * 128 * 128 * item)
    z = states(200, 128, layers=10)
    with _LargestResult() as largest:
        matrix_entropy(z, alpha)
    assert largest.numel == 3 * 128 * 128

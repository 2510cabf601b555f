"""A description's gain over its patch-shuffled picture."""

from __future__ import annotations

import numpy as np
import pytest
from inward_rewards.signals import patch_shuffled, specificity


def overlap(one, other) -> float:
    """Share of equal pixels."""
    return float((one == other).mean())


PICTURE = np.arange(16 * 24).reshape(16, 24)


def test_tiles_are_moved_and_nothing_else():
    moved = patch_shuffled(PICTURE, seed=3)
    assert moved.shape == (16, 24)
    assert sorted(moved.ravel()) == sorted(PICTURE.ravel())
    assert (moved != PICTURE).any()
    assert (patch_shuffled(PICTURE, seed=3) == moved).all()
    tiles = {
        moved[r : r + 4, c : c + 6].tobytes() for r in range(0, 16, 4) for c in range(0, 24, 6)
    }
    own = {
        PICTURE[r : r + 4, c : c + 6].tobytes() for r in range(0, 16, 4) for c in range(0, 24, 6)
    }
    assert tiles == own


def test_every_seed_moves_a_tile_and_odd_sides_are_cut():
    two = np.array([[0, 1], [2, 3]])
    assert all((patch_shuffled(two, seed, 2) != two).any() for seed in range(40))
    assert patch_shuffled(np.zeros((18, 27, 3)), 0).shape == (16, 24, 3)


def test_hacks():
    """What fits any picture earns nothing; the picture itself the most."""
    plain = np.zeros_like(PICTURE)
    assert specificity(overlap, PICTURE, PICTURE, seed=3) > 0.5
    assert specificity(overlap, PICTURE, plain, seed=3) == 0
    assert specificity(lambda one, other: 0.7, PICTURE, "a chart", seed=3) == 0
    # A drawing of the shuffled picture: below 0.
    assert specificity(overlap, PICTURE, patch_shuffled(PICTURE, 3), seed=3) < -0.5


@pytest.mark.parametrize(("shape", "patches"), [((3, 9), 4), ((9, 3), 4), ((9, 9), 1)])
def test_pictures_too_small_are_refused(shape, patches):
    with pytest.raises(ValueError, match="tiles"):
        patch_shuffled(np.zeros(shape), 0, patches)

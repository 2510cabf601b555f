"""Definitions and layer selection: free of torch."""

from __future__ import annotations

import math
import subprocess
import sys

import pytest
from inward_rewards.entropy.definition import ADVENT, LAYER_BY_LAYER, PRESETS, Definition
from inward_rewards.entropy.layers import middle_layers, select_layers


def test_presets():
    assert {"advent": ADVENT, "layer_by_layer": LAYER_BY_LAYER} == PRESETS
    assert Definition(base=2.0, cutoff=1e-6) == ADVENT
    assert LAYER_BY_LAYER.base == math.e


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"base": 1.0}, "base"),
        ({"base": math.nan}, "base"),
        ({"cutoff": -1.0}, "cutoff"),
        ({"normalise": "length"}, "normalise"),
    ],
)
def test_a_bad_definition_is_named(arguments, complaint):
    with pytest.raises(ValueError, match=complaint):
        Definition(**arguments)


def test_scale():
    assert Definition().scale(50, 10) == 1.0
    assert Definition(normalise="log_n", base=2.0).scale(8, 3) == pytest.approx(3.0)
    assert Definition(normalise="max").scale(50, 10) == pytest.approx(math.log(10))
    assert Definition(normalise="max").scale(1, 10) == 1.0


@pytest.mark.parametrize(
    ("n_layers", "k", "expected"),
    [(28, 10, range(10, 20)), (24, 10, range(8, 18)), (4, 2, range(2, 4)), (3, 3, range(1, 4))],
)
def test_middle_layers(n_layers, k, expected):
    assert middle_layers(n_layers, k) == expected


@pytest.mark.parametrize("k", [0, -1, 5])
def test_middle_layers_out_of_range(k):
    with pytest.raises(ValueError, match=f"cannot take {k} middle layers"):
        middle_layers(4, k)


def test_select_layers():
    assert select_layers("middle:10", 28) == tuple(range(10, 20))
    assert select_layers("all", 4) == (1, 2, 3)
    assert select_layers([3, 0, 3, 4], 4) == (0, 3, 4)


@pytest.mark.parametrize(
    ("layers", "complaint"),
    [
        ("middle", "middle:K"),
        ("middle:x", "middle:K"),
        ("last:3", "'last:3'"),
        ([], "names no layer"),
        ([5], r"leave 0\.\.4"),
        ([-1], r"leave 0\.\.4"),
        ("middle:9", "cannot take 9"),
    ],
)
def test_bad_layers_are_named(layers, complaint):
    with pytest.raises(ValueError, match=complaint):
        select_layers(layers, 4)


def test_the_light_modules_import_no_torch():
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "import inward_rewards.entropy.definition, inward_rewards.entropy.layers\n"
        "import inward_rewards.entropy.wire\n"
        "try:\n    from inward_rewards.entropy import matrix_entropy\n"
        "except ImportError as error:\n    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True
    )
    assert 'pip install "inward-rewards[hidden-states]"' in done.stdout

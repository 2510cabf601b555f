"""What may stand in --additional-config '{"inward": …}', and which requests it can serve."""

from __future__ import annotations

import subprocess
import sys

import pytest
from inward_rewards.entropy.wire import ScoreRequest
from inward_rewards.vllm_plugin.settings import BUFFER_TOKENS, Settings, count_positions


@pytest.mark.parametrize(
    ("given", "layers"),
    [
        ({"layers": "middle:10"}, tuple(range(10, 20))),
        ({"layers": [20, 3, 3]}, (3, 20)),
        ({"layers": "all"}, tuple(range(1, 28))),
    ],
)
def test_layers(given, layers):
    assert Settings.parse(given, n_layers=28) == Settings(layers, 28)


def test_measures():
    given = {"layers": [1], "measures": ["token_entropy", "matrix_entropy"]}
    settings = Settings.parse(given, 4)
    assert settings.measures == ("matrix_entropy", "token_entropy")
    assert settings.reads_logits
    settings.check(ScoreRequest(((1, 2),), measures=("token_entropy",)))
    with pytest.raises(ValueError, match='does not measure effective_rank; start it with "measu'):
        settings.check(ScoreRequest(((1, 2),), measures=("effective_rank", "token_entropy")))
    ranks = Settings.parse({"layers": [1], "measures": ["effective_rank", "rank_curve"]}, 4)
    assert not ranks.reads_final_states
    means = Settings.parse({"layers": [1], "measures": ["mean_state"]}, 4)
    assert means.reads_final_states
    assert not means.reads_logits
    with pytest.raises(ValueError, match=r"measures must be a list of matrix_entropy, .*'rank'"):
        Settings.parse({"layers": [1], "measures": ["rank"]}, 4)


def test_the_row_before_a_span_counts_where_logits_are_read():
    settings = Settings((1,), 4, buffer_tokens=10, measures=("matrix_entropy", "token_entropy"))
    settings.check(ScoreRequest(((2, 12),)))
    with pytest.raises(ValueError, match="cover 11 tokens, this server keeps 10 at once"):
        settings.check(ScoreRequest(((2, 12),), measures=("token_entropy",)))


def test_the_rest_of_the_settings():
    given = {"layers": [1], "alphas": [2, 0.5], "preset": "layer_by_layer", "buffer_tokens": 9}
    assert Settings.parse(given, 4) == Settings((1,), 4, (2.0, 0.5), "layer_by_layer", 9)
    assert Settings.parse({"layers": [1], "alphas": 2}, 4).alphas == (2.0,)
    assert Settings.parse({"layers": [1]}, 4).buffer_tokens == BUFFER_TOKENS


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ("middle:10", 'give {"layers"'),
        ({}, 'give {"layers"'),
        ({"layers": "middle:10", "layer": 3}, "unknown setting 'layer'"),
        ({"layers": 3}, "got 3"),
        ({"layers": ["3"]}, r"got \['3'\]"),
        ({"layers": [True]}, "got .True."),
        ({"layers": [9]}, r"leave 0\.\.8"),
        ({"layers": [-1]}, r"leave 0\.\.8"),
        ({"layers": []}, "no layer"),
        ({"layers": "middle:9"}, 'cannot take 9 .*; "middle:7" leaves out the last alone'),
        ({"layers": "middle:8"}, "include 8, the last: transformers reads it behind"),
        ({"layers": "middle:8"}, r'give "middle:7", or layers of 0\.\.7'),
        ({"layers": [8]}, r"give layers of 0\.\.7"),
        ({"layers": [1], "alphas": []}, "alphas must be"),
        ({"layers": [1], "alphas": [-1]}, "alphas must be"),
        ({"layers": [1], "alphas": [float("nan")]}, "alphas must be"),
        ({"layers": [1], "alphas": "1"}, "alphas must be"),
        ({"layers": [1], "alphas": [True]}, "alphas must be"),
        ({"layers": [1], "preset": "plain"}, "one of advent, layer_by_layer, got 'plain'"),
        ({"layers": [1], "preset": ["advent"]}, "one of advent, layer_by_layer"),
        ({"layers": [1], "buffer_tokens": 0}, "buffer_tokens must be"),
        ({"layers": [1], "buffer_tokens": 1.5}, "buffer_tokens must be"),
    ],
)
def test_bad_settings_are_named(given, complaint):
    with pytest.raises(ValueError, match=complaint):
        Settings.parse(given, n_layers=8)


def test_requests_that_the_settings_cannot_serve():
    small = Settings((1,), 4, buffer_tokens=10)
    small.check(ScoreRequest(((0, 10), (2, 8)), curve=True))
    with pytest.raises(ValueError, match="cover 11 tokens, this server keeps 10"):
        small.check(ScoreRequest(((0, 6), (20, 25))))
    clamped = Settings((1,), 4, preset="layer_by_layer")
    clamped.check(ScoreRequest(((0, 4),)))
    with pytest.raises(ValueError, match="curve is not defined for preset 'layer_by_layer'"):
        clamped.check(ScoreRequest(((0, 4),), curve=True))


def test_the_spans_are_bounded_in_all():
    """Each costs its own spectrum and, with a curve, its own numbers in the answer."""
    small = Settings((1,), 4, buffer_tokens=10)
    small.check(ScoreRequest(((0, 10),) * 2))
    with pytest.raises(ValueError, match=r"add up to 21 tokens, where at most 2 x 10 \(buffer_tok"):
        small.check(ScoreRequest(((0, 10), (0, 10), (3, 4))))


@pytest.mark.parametrize(
    ("spans", "count"),
    [
        (((3, 7),), 4),
        (((3, 7), (3, 7)), 4),
        (((5, 9), (3, 7)), 6),
        (((0, 10), (2, 4)), 10),
        (((8, 9), (0, 1)), 2),
    ],
)
def test_positions_are_counted_once(spans, count):
    assert count_positions(spans) == count


def test_the_plugin_imports_nothing_of_the_rest():
    """It must load in an inference environment that has neither verifiers nor an HTTP client."""
    code = (
        "import sys; sys.modules.update(dict.fromkeys(['verifiers', 'httpx', 'transformers']))\n"
        "import inward_rewards.vllm_plugin, inward_rewards.vllm_plugin.compat.scheduler\n"
        "import inward_rewards.vllm_plugin.compat.worker\n"
        "print(sorted(name for name in sys.modules if name.startswith('inward_rewards.')))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True
    )
    assert "hidden_states" not in done.stdout

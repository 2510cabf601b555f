"""Which tokens stand for a picture, and which requests lack it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from inward_rewards.vllm_plugin.placeholders import placeholder_ids, refuse_bare, refuse_deepstack


class Config(SimpleNamespace):
    """As transformers' configs: attributes, and parts that are configs."""

    def to_dict(self):
        return vars(self)


@pytest.mark.parametrize(
    ("config", "ids"),
    [
        (Config(eos_token_id=2, bos_token_id=1, pad_token_id=0, vocab_size=100), set()),
        (
            Config(  # Qwen2.5-VL
                image_token_id=55,
                video_token_id=56,
                vision_start_token_id=52,
                vision_end_token_id=53,
                vision_token_id=54,
                text_config=Config(eos_token_id=2),
            ),
            {54, 55, 56},
        ),
        (Config(image_token_index=9, image_seq_length=576), {9}),  # LLaVA
        (Config(audio_token_index=7, audio_token_id=None), {7}),  # Qwen2-Audio
        (
            Config(boi_token_index=3, eoi_token_index=4, image_token_index=5),  # Gemma 3
            {5},
        ),
        (
            Config(
                thinker_config=Config(image_token_id=1, audio_token_id=2, audio_start_token_id=3)
            ),
            {1, 2},  # Qwen2.5-Omni
        ),
        (Config(image_token_id=True, video_token_id="x"), set()),
    ],
)
def test_placeholders_are_what_the_config_names(config, ids):
    assert placeholder_ids(config) == ids


def test_placeholders_of_transformers_own_configs():
    transformers = pytest.importorskip("transformers", reason="its configs (group `models`)")
    assert placeholder_ids(transformers.Qwen3Config()) == set()
    ids = placeholder_ids(transformers.Qwen3VLConfig())
    assert ids >= {151655, 151656}
    assert not ids & {151652, 151653}


TOKENS = [5, 6, 9, 9, 9, 7, 9, 8]


@pytest.mark.parametrize("features", [[(2, 5), (6, 7)], [(0, 8)]])
def test_placeholders_with_their_features_pass(features):
    refuse_bare(TOKENS, frozenset({9}), features)
    refuse_bare(TOKENS, frozenset(), [])
    refuse_bare(TOKENS, frozenset({3}), [])


@pytest.mark.parametrize(
    ("features", "complaint"),
    [
        ([], r"4 placeholder tokens .*first is 9, at 2"),
        ([(2, 5)], r"1 placeholder tokens .*first is 9, at 6"),
        ([(3, 5), (6, 7)], r"1 placeholder tokens .*first is 9, at 2"),
    ],
)
def test_placeholders_without_them_are_refused(features, complaint):
    with pytest.raises(ValueError, match=complaint):
        refuse_bare(TOKENS, frozenset({9}), features)


def test_layers_that_pictures_are_added_to_are_refused():
    deep = Config(vision_config=Config(deepstack_visual_indexes=[8, 16, 24]))
    for layers in ((4, 5), (0,), (4,)):
        refuse_deepstack(layers, deep)
    for layers in ((1, 9), (3,)):
        with pytest.raises(ValueError, match=r"layers 1\.\.3 of this model .*layers above 3"):
            refuse_deepstack(layers, deep)
    refuse_deepstack((1, 2), Config(vision_config=Config()))
    refuse_deepstack((1, 2), Config())

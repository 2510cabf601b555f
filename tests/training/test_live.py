"""Rollouts of an environment that reads the very module that is trained."""

import pytest

torch = pytest.importorskip("torch", reason="needs the groups models and train")

from inward_rewards.hidden_states import EntropyConfig, LiveModelSource  # noqa: E402
from inward_training import Blocking, Rollouts  # noqa: E402
from inward_training.engine import Engine  # noqa: E402
from training.conftest import COPY_LETTER  # noqa: E402
from training.tiny_policy import make_model  # noqa: E402

pytestmark = pytest.mark.models
LIVE = {"source": "live", "layers": "all"}
BONUS = {"id": "entropy-group", "gate": "none", "group": 4, "entropy": LIVE, **COPY_LETTER}


def test_an_entropy_bonus_is_that_of_the_weights_of_the_moment(tmp_path):
    model = make_model(tmp_path)
    engine = Engine(model, "tiny")
    source = LiveModelSource(model, EntropyConfig.model_validate(LIVE), engine.lock)
    sampling = {"max_tokens": 6, "temperature": 1.0}

    def entropies(rollouts):
        with engine.updating(seed=0):
            pass
        [group] = rollouts.play([0])
        assert not group.failures
        return sorted(sample.metrics["entropy_raw"] for sample in group.samples)

    with (
        engine.serving() as endpoint,
        Blocking(
            lambda: Rollouts(
                BONUS, "tiny", endpoint, tokenizer=str(tmp_path), sampling=sampling, live=source
            )
        ) as rollouts,
    ):
        before, again = entropies(rollouts), entropies(rollouts)
        assert before == pytest.approx(again)
        with engine.updating(), torch.no_grad():
            for layer in model.model.layers:
                layer.mlp.down_proj.weight.zero_()
        assert entropies(rollouts) != pytest.approx(before)


@pytest.mark.parametrize(
    ("env", "options", "words"),
    [
        (COPY_LETTER, {}, "takes nothing `live`"),
        (BONUS, {"server": "tcp://127.0.0.1:5000"}, "plays in another"),
    ],
)
def test_what_cannot_read_the_module_is_refused(env, options, words):
    with pytest.raises(ValueError, match=words):
        Rollouts(env, "tiny", "http://127.0.0.1:1/v1", live=object(), **options)

"""What a score calls the weights that it is of."""

from __future__ import annotations

from inward_rewards.vllm_plugin.weights import WeightLog, Weights


def test_what_weights_are_called():
    adapter = "adapter a (1, load 2)"
    assert str(Weights(3)) == "3"
    assert str(Weights(3, "step 40", 3)) == "step 40"
    assert str(Weights(5, "step 40", 3)) == "step 40 and 2 loads later"
    assert str(Weights(3, adapter=adapter)) == f"3, {adapter}"
    assert str(Weights(3, "step 40", 3, adapter)) == f"step 40, {adapter}"


def test_a_name_that_the_engine_repeats_is_not_given_anew():
    log = WeightLog()
    log.set_name("step 40")
    log.count_load()
    log.set_name("step 40")
    log.set_name(None)
    assert str(log.base()) == "step 40 and 1 loads later"
    log.set_name("step 41")
    assert str(log.base()) == "step 41"

"""The trainability card: whether a trainer would get a signal."""

import itertools
import json
import math
import random
import statistics

import pytest
from cli import rollouts as make
from inward_chat.testing import ChatCompletion, PolicyServer
from inward_statistics import expected_best
from support.runs import call

from inward import runs
from inward.eval_plugin import EvalPlugin
from inward.trainability import (
    card_json,
    grouped,
    has_spread,
    pass_at,
    trainability,
    variances,
)

PLUGIN = EvalPlugin(baselines={}, columns=[("accuracy", lambda trace: trace.reward)])


def a_run(folder, groups, **more):
    """One episode per rollout: rewards by task."""
    return runs.read(make.write(folder, *(
        make.episode(task, start=float(n), reward=reward, **more)
        for task, rewards in enumerate(groups) for n, reward in enumerate(rewards)
    )))  # fmt: skip


def card(folder, groups, plugin=PLUGIN, **more):
    return trainability(a_run(folder, groups, **more), plugin)


@pytest.mark.parametrize("values", [[1, 0, 0, 1, 0], [0.2, 0.9, 0.9, 0.1], [0.0] * 3, [1.0]])
def test_the_best_of_k_is_the_mean_over_all_draws(values):
    for k in range(1, len(values) + 1):
        draws = [max(draw) for draw in itertools.combinations(values, k)]
        assert expected_best(values, k) == pytest.approx(statistics.fmean(draws))


def test_pass_at_k_is_the_unbiased_estimator():
    n, c = 8, 3
    found = pass_at([[1.0] * c + [0.0] * (n - c)])
    assert list(found) == list(range(1, 9))
    for k, value in found.items():
        assert value == pytest.approx(1 - math.comb(n - c, k) / math.comb(n, k))


def test_pass_at_k_takes_the_groups_that_have_k_rollouts():
    assert pass_at([[1.0, 1.0], [0.0, 0.0, 1.0]]) == pytest.approx({1: 2 / 3, 2: 5 / 6, 3: 1.0})
    assert max(pass_at([[0.0] * 20])) == 8
    assert pass_at([]) == {}


@pytest.mark.parametrize("k", [0, 3, -1])
def test_a_k_that_cannot_be_drawn_is_refused(k):
    with pytest.raises(ValueError, match=f"number of values, 2, got {k}"):
        expected_best([0.0, 1.0], k)


def test_groups_with_and_without_spread(tmp_path):
    found = card(tmp_path, [[0, 1, 0, 0], [1, 1, 1, 1], [0, 0, 0, 0], [1, 0, 1, 1], [0, 1, 1, 0]])
    assert (found.groups, found.rollouts, found.without_spread) == (5, 20, 2)
    assert (found.all_right, found.all_wrong) == (1, 1)
    assert found.solved_in_part == 3 / 5
    assert found.pass_at[1] == pytest.approx(10 / 20)
    assert found.verdict.startswith(
        "A trainer would get a signal: groups with spread: 3 of 5; all right 1, all wrong 1."
    )


@pytest.mark.parametrize(
    ("groups", "says"),
    [
        ([[0, 0], [0, 0]], "no signal: groups with spread: 0 of 2; all right 0, all wrong 2"),
        ([[1, 1], [0, 0]], "no signal: groups with spread: 0 of 2; all right 1, all wrong 1"),
        ([[0.5, 0.5], [0.3, 0.3]], "no signal: groups with spread: 0 of 2."),
        ([[0.1 + 0.2, 0.3], [0.3, 0.3]], "no signal: groups with spread: 0 of 2."),
        ([[0.5, 0.6], [0.3, 0.3]], "a signal: groups with spread: 1 of 2."),
    ],
)
def test_the_verdict_counts_the_groups(tmp_path, groups, says):
    assert says in card(tmp_path, groups).verdict


def test_one_rollout_per_task_is_no_group(tmp_path):
    assert card(tmp_path, [[1], [0]]) is None
    assert card(tmp_path / "b", [[1, 0], [0]]).groups == 1


def test_a_figure_that_is_not_binary_has_no_right_and_wrong(tmp_path):
    found = card(tmp_path, [[0.1, 0.9], [0.4, 0.4]])
    assert found.solved_in_part is found.all_right is found.all_wrong is None
    assert found.pass_at == pytest.approx({1: 0.45, 2: 0.65})


def test_an_environment_without_a_plugin_is_judged_by_its_reward(tmp_path):
    assert card(tmp_path, [[0, 1]], plugin=None).pass_at == {1: 0.5, 2: 1.0}


def test_variance_within_and_between_tasks_is_recovered():
    rng = random.Random(0)
    groups = [
        [mean + rng.gauss(0, 0.2) for _ in range(8)]
        for mean in (rng.gauss(0, 0.5) for _ in range(2000))
    ]
    within, between = variances(groups)
    assert within == pytest.approx(0.04, rel=0.05)
    assert between == pytest.approx(0.25, rel=0.08)
    assert variances([[1.0, 1.0], [1.0, 1.0]]) == (0, 0)
    assert variances([[0.0, 1.0]]) == (0.5, None)


def test_a_difference_within_the_measurements_noise_is_no_spread(tmp_path):
    noisy = EvalPlugin(baselines={}, columns=PLUGIN.columns, noise=lambda trace: 0.01)
    found = card(tmp_path, [[0.5, 0.519], [0.5, 0.6]], plugin=noisy)
    assert (found.noise_floor, found.without_spread) == (0.02, 1)
    assert has_spread([0.5, 0.519])


TALK = [make.message("user", "Q"), make.message("assistant", "A")]


@pytest.mark.parametrize(
    ("more", "plugin", "says"),
    [
        ({"tools": ["search"]}, PLUGIN, "No rollout called the tool"),
        ({"tools": ["search", "read"]}, PLUGIN, "No rollout called a tool"),
        ({}, EvalPlugin(baselines={}, columns=PLUGIN.columns, answered=lambda trace: 0.0),
            "Every reply misses the layout"),
        ({}, EvalPlugin(baselines={}, columns=PLUGIN.columns, chance=0.25),
            "accuracy, 0.333, does not differ from guessing (0.250"),
        ({}, PLUGIN, "Every reply is the same"),
    ],
)  # fmt: skip
def test_what_stands_in_the_way_is_told(tmp_path, more, plugin, says):
    groups = [[0, 1, 0], [0, 0, 1]]
    verdict = card(tmp_path, groups, plugin=plugin, messages=TALK, **more).verdict
    assert says.lower() in verdict.lower()


def test_a_tool_that_was_called_is_not_complained_of(tmp_path):
    called = [{"id": "1", "name": "search", "arguments": "{}"}]
    messages = [TALK[0], make.message("assistant", "A", tool_calls=called)]
    assert "called" not in card(tmp_path, [[0, 1]], messages=messages, tools=["search"]).verdict


def test_a_group_that_an_environment_plays_itself_is_one_group(tmp_path):
    episodes = [
        make.episode(0, start=float(n), traces=[
            make.trace(0, start=n + k / 10, reward=float(k == n), agent=agent)
            for k, agent in enumerate(("solver", "solver", "judge"))])
        for n in range(2)
    ]  # fmt: skip
    run = runs.read(make.write(tmp_path, *episodes))
    groups = sorted(tuple(trace.reward for trace in group) for group in grouped(run))
    assert groups == [(0.0, 0.0), (0.0, 1.0), (1.0, 0.0)]  # the judge's, then each episode's


def test_a_reward_that_is_no_number_is_a_failed_rollout(tmp_path):
    """Of any part: the sum is none either. As `inward_training` takes it."""
    run = a_run(tmp_path, [[1.0, math.nan, 0.0], [1.0, 0.0, math.inf]])
    assert [len(group) for group in grouped(run)] == [2, 2]
    assert [rollout.errors[-1].message for rollout in run.failed] == [
        "the reward is nan: reward=nan", "the reward is inf: reward=inf"
    ]  # fmt: skip
    found = trainability(run, PLUGIN)
    assert found.pass_at == pytest.approx({1: 0.5, 2: 1.0})
    json.dumps(card_json(found), allow_nan=False)


def test_groups_without_the_headline_are_not_counted_as_unsolved(tmp_path):
    """Those of another seat, or of another subset."""
    plugin = EvalPlugin(
        baselines={},
        columns=[("a part", lambda t: t.reward if t.task.data.idx == 0 else None)],
    )
    found = card(tmp_path, [[1, 0], [1, 0], [0, 0]], plugin)
    assert found.solved_in_part == 1
    assert (found.all_right, found.all_wrong) == (0, 0)
    assert found.without_spread == 1


def test_failed_rollouts_are_in_no_group(tmp_path):
    failed = make.episode(0, start=3.0, ok=False, errors=[make.error("E", "x")])
    good = [make.episode(0, start=float(n), reward=n / 1) for n in range(2)]
    found = trainability(runs.read(make.write(tmp_path, *good, failed)), PLUGIN)
    assert (found.groups, found.rollouts) == (1, 2)


def test_a_real_run_of_several_rollouts_ends_in_a_card(tmp_path):
    count = itertools.count()

    def policy(body):
        """Right in every second reply, and longer then."""
        right = next(count) % 2
        text = "<think>so</think><answer>x</answer>"
        usage = {"prompt_tokens": 9, "completion_tokens": 20 if right else 10, "total_tokens": 29}
        return ChatCompletion({"content": text if right else "?"}, usage=usage,
                              finish_reason=None if right else "length")  # fmt: skip

    with PolicyServer(policy) as server:
        done = call(
            "inward", "eval", "math500-entropy", "--env.taskset.split", "sample", "-n", "2", "-r",
            "4", "-c", "1", "--json", "-m", server.model, "--client.base-url", server.base_url,
            cwd=tmp_path,
        )  # fmt: skip
    assert done.code == 0, done.err
    found = json.loads(done.out)["trainability"]
    assert (found["groups"], found["rollouts"]) == (2, 8)
    assert found["share_truncated"] == 0.5
    assert list(found["pass_at"]) == ["1", "2", "3", "4"]
    # The format's reward differs, the answer is never right.
    assert found["share_without_spread"] == 0
    assert (found["tokens_right"], found["tokens_wrong"]) == (None, 15)
    assert "A trainer would get a signal: groups with spread: 2 of 2" in found["verdict"]


def test_the_card_as_json_is_whole(tmp_path):
    found = card_json(card(tmp_path, [[0, 1], [1, 1]]))
    json.dumps(found, allow_nan=False)
    assert found["share_without_spread"] == 0.5
    assert found["share_solved_20_80"] == 0.5

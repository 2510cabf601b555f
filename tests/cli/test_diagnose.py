"""`inward diagnose`: runs, and the steps of a training, in figures."""

import itertools
import json
import math
import random
import statistics

import numpy as np
import pytest
import verifiers.v1 as vf
from cli import rollouts as make
from inward_rewards.hidden_states import UnmeasurableError
from support.runs import call

from inward.diagnose.reasoning import SAMPLE, Sample, inspect

MARK = 99
"""The token that ends the thinking."""


def diagnose(*words, cwd):
    return call("inward", "diagnose", *words, cwd=cwd)


def as_json(*words, cwd):
    done = diagnose(*words, "--json", cwd=cwd)
    assert done.code == 0, done.err
    return json.loads(done.out)


def node(logprobs, *, ids=None, **more):
    """A reply of sampled tokens behind one of the template."""
    return {
        "parent": 0, "message": make.message("assistant", "A"), "sampled": True,
        "token_ids": [1, *(ids or [5] * len(logprobs))], "mask": [False] + [True] * len(logprobs),
        "logprobs": logprobs, **more,
    }  # fmt: skip


def a_rollout(task, k, *, reward, logprobs, parts=None, info=None, group=None, **more):
    trace = make.trace(task, start=float(k), messages=[make.message("user", "Q")])
    trace["nodes"].append(node(logprobs, **more))
    trace["rewards"] = {n: {"score": v} for n, v in (parts or {"reward": reward}).items()}
    trace["info"] = info or {}
    episode = make.episode(task, start=float(k), traces=[trace])
    episode["id"] += f"-{k}"
    return episode | ({"group": {"id": group}} if group else {})


def a_checkpoint(folder, entropy, rewards, *, seed=0, **more):
    """Groups of rewards; each rollout has 6 tokens whose mean surprisal is `entropy`."""
    rng = random.Random(seed)
    episodes = []
    for task, values in enumerate(rewards):
        for k, reward in enumerate(values):
            draws = [rng.uniform(0.5, 1.5) for _ in range(6)]
            scale = entropy / statistics.fmean(draws)
            logprobs = [-d * scale for d in draws]
            episodes.append(a_rollout(task, k, reward=reward, logprobs=logprobs, **more))
    return make.write(folder, *episodes)


def test_the_entropy_law_over_checkpoints(tmp_path):
    levels = {1.0: [[1, 0, 0, 0]], 0.5: [[1, 1, 0, 0]], 0.1: [[1, 1, 1, 0]]}
    for n, (entropy, rewards) in enumerate(levels.items()):
        a_checkpoint(tmp_path / f"c{n}", entropy, rewards)
    found = as_json("c0", "c1", "c2", cwd=tmp_path)
    slope, intercept = np.polyfit([math.exp(h) for h in levels], [0.25, 0.5, 0.75], 1)
    law = found["entropy_law"]
    assert (law["a"], law["b"]) == pytest.approx((-slope, intercept))
    assert law["ceiling"] == pytest.approx(intercept + slope)
    assert [one["surprisal"] for one in found["checkpoints"]] == pytest.approx(list(levels))
    text = diagnose("c0", "c1", "c2", cwd=tmp_path).out
    assert "over 3 checkpoints" in text
    two = as_json("c0", "c1", cwd=tmp_path)
    assert two["entropy_law"] is None
    assert two["entropy_law_refused"].startswith("2 distinct entropies")


def test_the_covariance_is_that_of_tokens_and_group_advantages(tmp_path):
    rng = random.Random(3)
    groups = [[1.0, 0.0, 0.5], [0.0, 1.0]]
    rows = []
    episodes = []
    for task, rewards in enumerate(groups):
        for k, reward in enumerate(rewards):
            logprobs = [-rng.expovariate(1) for _ in range(rng.randint(1, 9))]
            rows += [(lp, reward - statistics.fmean(rewards)) for lp in logprobs]
            episodes.append(a_rollout(task, k, reward=reward, logprobs=logprobs))
    make.write(tmp_path / "run", *episodes)
    [one] = as_json("run", cwd=tmp_path)["checkpoints"]
    x, y = np.array(rows).T
    expected = np.mean((x - x.mean()) * (y - y.mean()))
    assert one["covariance_log_probability_advantage"] == pytest.approx(expected)
    assert one["advantage"] == "reward less its group's mean"


def test_what_each_reward_does(tmp_path):
    rng = random.Random(5)
    episodes, rows = [], []
    for task in range(6):
        for k in range(4):
            right, length = float(rng.random() < 0.5), rng.randint(2, 20)
            parts = {"reward": right, "bonus": length / 100, "flat": 0.3}
            rows.append((task, right, length))
            episodes.append(a_rollout(task, k, reward=0, logprobs=[-0.5] * length, parts=parts))
    make.write(tmp_path / "run", *episodes)
    found = as_json("run", cwd=tmp_path)
    parts = {part["reward"]: part for part in found["checkpoints"][0]["rewards"]}
    assert parts["bonus"]["correlation_with_length"] == pytest.approx(1)
    assert parts["flat"]["correlation_with_length"] is None
    assert parts["flat"]["share_of_advantage_variance"] == pytest.approx(0)
    table = np.array(rows)
    centred = {}
    for name, values in (("reward", table[:, 1]), ("bonus", table[:, 2] / 100)):
        means = {t: values[table[:, 0] == t].mean() for t in range(6)}
        centred[name] = values - np.array([means[t] for t in table[:, 0]])
    whole = centred["reward"] + centred["bonus"]
    share = (centred["bonus"] @ whole) / (whole @ whole)
    assert parts["bonus"]["share_of_advantage_variance"] == pytest.approx(share)
    assert any("'bonus' correlates with length (+1.00)" in line for line in found["alarms"])


def quality(answers, *, gold="A"):
    """A group of letters, of quality-rag."""
    episodes = []
    for k, letter in enumerate(answers):
        episode = a_rollout(0, k, reward=0, logprobs=[-1.0], parts={"correct": letter == gold})
        episode["env"] = {"id": "quality-rag"}
        [trace] = episode["traces"]
        trace["nodes"][-1]["message"]["content"] = f"Answer: {letter}"
        trace["metrics"] = {"answered": 1.0}
        trace["task"]["data"] |= {"options": list("wxyz"), "gold": gold, "story_id": "s"}
        episodes.append(episode)
    return episodes


@pytest.mark.parametrize(
    ("answers", "entropy", "majority", "alarm"),
    [
        ("BBBB", 0.0, 0.0, True),
        ("AAAA", 0.0, 1.0, False),
        ("ABCD", math.log(4), 0.25, False),
        ("AAAB", -(0.75 * math.log(0.75) + 0.25 * math.log(0.25)), 1.0, False),
    ],
)
def test_collapse_is_one_answer_that_is_not_right(tmp_path, answers, entropy, majority, alarm):
    make.write(tmp_path / "run", *quality(answers))
    found = as_json("run", cwd=tmp_path)
    got = found["checkpoints"][0]["answers"]
    assert got["entropy"] == pytest.approx(entropy)
    assert got["maj_at_k"] == pytest.approx(majority)
    assert got["pass_at_1"] == answers.count("A") / 4
    assert got["gap"] == pytest.approx(majority - answers.count("A") / 4)
    assert any("collapse" in line for line in found["alarms"]) is alarm


def test_two_siblings_have_no_majority(tmp_path):
    make.write(tmp_path / "run", *quality("BB"))
    found = as_json("run", cwd=tmp_path)
    assert found["checkpoints"][0]["answers"]["gap"] is None
    assert not any("collapse" in line for line in found["alarms"])


def test_phases_windows_layers_and_the_trainers_own_numbers(tmp_path):
    entropies = [2.0, 1.0, 0.5, 0.25, 0.25]
    engine, trainer = [-1.0, -0.5, -0.2, -0.1, -0.1], [-1.1, -0.5, -0.2, -0.1, -0.2]
    info = {"entropy": {"measurement": {"layers": [10, 11], "per_layer": [3.0, 4.0]}}}
    make.write(tmp_path / "run", *(
        a_rollout(0, k, reward=float(k), logprobs=engine, ids=[7, MARK, 8, 8, 9], info=info,
                  entropies=entropies, trainer_logprobs=trainer, advantages=[0.5] * 5)
        for k in range(2)
    ))  # fmt: skip
    [one] = as_json("run", "--end-of-thinking", str(MARK), cwd=tmp_path)["checkpoints"]
    assert one["entropy"] == pytest.approx(statistics.fmean(entropies))
    assert one["surprisal"] == pytest.approx(-statistics.fmean(engine))
    assert one["phases"]["thinking"] == pytest.approx(1.5)
    assert one["phases"]["answer"] == pytest.approx(1 / 3)
    assert one["phases"]["later turns"] is None
    ratio = np.exp(np.array(trainer) - np.array(engine))
    expected = float(np.mean(ratio - 1 - np.log(ratio)))
    assert one["mismatch"]["kl"] == pytest.approx(expected)
    assert one["mismatch"]["tokens"] == 10
    assert one["perplexity_gap"] == pytest.approx(abs(-np.mean(engine) - np.mean(entropies)))
    assert one["layer_profile"] == [
        {"layer": 10, "all": 3.0, "right": 3.0, "wrong": 3.0},
        {"layer": 11, "all": 4.0, "right": 4.0, "wrong": 4.0},
    ]
    assert one["covariance_log_probability_advantage"] == pytest.approx(0)
    assert one["advantage"] == "the trainer's"
    # Windows of 4: (3.75 / 4, 2.0 / 4), and none is above the quantile's bin.
    assert one["high_window_entropy"]["share"] == 0
    assert one["high_window_entropy"]["threshold"] == pytest.approx(0.94, abs=0.006)


def test_high_windows_are_counted_against_the_first_checkpoint(tmp_path):
    for name, entropy in (("first", 0.5), ("calmer", 0.2), ("wilder", 2.0)):
        a_checkpoint(tmp_path / name, entropy, [[1, 0]] * 20)
    found = as_json("first", "calmer", "wilder", cwd=tmp_path)["checkpoints"]
    shares = [one["high_window_entropy"]["share"] for one in found]
    assert 0 < shares[0] <= 0.05
    assert (shares[1], shares[2]) == (0, 1)
    assert found[2]["high_window_entropy"]["per_rollout"] == 3


def test_the_steps_of_a_training_are_checkpoints(tmp_path):
    training = tmp_path / "training"
    rows = []
    for step, (entropy, rewards) in enumerate([(1.0, [[1, 0]]), (0.5, [[1, 1]]), (0.2, [[1, 1]])]):
        rollouts = training / "rollouts" / f"step_{step}" / "train"
        a_checkpoint(rollouts / "all", 0.7, rewards, group="g")
        a_checkpoint(rollouts / "effective", 0.7, rewards, advantages=[0.1] * 6)
        rows += [
            {"step": step, "time": 1.0, "entropy/all/mean": entropy, "text": "x"},
            {"step": step, "mismatch_kl/all/mean": 0.01 * step, "broken": None},
        ]
    (training / "metrics.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows) + '{"st')
    exported = training / "token_exports" / "step_2" / "rank_0.jsonl"
    exported.parent.mkdir(parents=True)
    exported.write_text(json.dumps({
        "loss_mask": [False, True, True], "entropy": [9.0, 0.3, 0.5],
        "trainer_logprobs": [None, -0.5, -0.6], "inference_logprobs": [0.0, -0.5, -0.5],
    }) + "\n")  # fmt: skip
    found = as_json("training", cwd=tmp_path)
    steps = found["checkpoints"]
    assert [one["step"] for one in steps] == [0, 1, 2]
    assert [one["entropy"] for one in steps] == pytest.approx([1.0, 0.5, 0.4])
    assert [one["entropy_source"] for one in steps] == ["metrics.jsonl"] * 2 + ["tokens"]
    assert [one["mismatch"]["kl"] for one in steps[:2]] == [0.0, 0.01]
    assert steps[2]["mismatch"]["largest_difference"] == pytest.approx(0.1)
    assert [one["share_without_spread"] for one in steps] == [0, 1, 1]
    assert {one["advantage"] for one in steps} == {"the trainer's"}
    assert found["entropy_law"]["checkpoints"] == 3
    assert "training 1: no group has spread: a trainer gets no gradient" in found["alarms"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["nowhere"], "no folder 'nowhere': name a run directory"),
        (["empty"], "no rollout is scored: there is nothing to diagnose"),
        (["untrained"], "'untrained/rollouts' holds no step_N: nothing was trained yet"),
        (["short"], "trace t0-0.0-agent of 'short': 1 trainer's tokens, and 2 engine's tokens"),
    ],
)
def test_a_mistake_is_told_in_one_line(tmp_path, words, says):
    make.write(tmp_path / "empty")
    (tmp_path / "untrained" / "rollouts").mkdir(parents=True)
    make.write(tmp_path / "short", a_rollout(
        0, 0, reward=1, logprobs=[-1.0, -1.0], trainer_logprobs=[-1.0]))  # fmt: skip
    done = diagnose(*words, cwd=tmp_path)
    assert (done.code, done.err) == (2, f"inward diagnose: {says}\n")


class ByLength:
    """An inspector that knows no model: 2 nats, less a tenth per character of the reasoning."""

    def answer_entropies(self, problem, steps, answer):
        if "endless" in "".join(steps):
            raise UnmeasurableError("longer than it reads")
        lengths = [0, *itertools.accumulate(map(len, steps))]
        return tuple(2 - length / 10 for length in lengths)


def reasoned(task, k, text, figure, answer="4"):
    trace = make.trace(task, start=float(k), messages=[make.message("user", "Q")])
    trace["nodes"].append({"parent": 0, "message": make.message("assistant", text),
                           "sampled": True})  # fmt: skip
    trace["task"]["data"] |= {"answer": answer}
    return vf.WireTrace.model_validate(trace), figure


def test_the_reasonings_of_right_and_wrong_rollouts():
    sample = Sample()
    said = [
        (0, "<think>one\n\ntwo</think>4", 1.0),  # 8 characters of thinking
        (1, "<think>one</think>5", 0.0),
        (1, "no tags", 0.0),
        (2, "<think>endless</think>4", 1.0),
        (3, "", 0.0),
    ]
    for k, (task, text, figure) in enumerate(said):
        sample.offer(reasoned(task, k, text, figure)[0], None, figure)
    trace, figure = reasoned(9, 9, "x", 1.0, answer=None)
    sample.offer(trace, None, figure)
    found = inspect(sample, ByLength())
    assert (found["rollouts"], found["of"], found["too_long"]) == (4, 5, 1)
    assert found["before"] == 2
    assert found["reduction"]["value"] == pytest.approx((0.8 + 0.3 + 0.7 + 0) / 4)
    assert found["reduction_right"]["value"] == pytest.approx(0.8)
    assert found["reduction_wrong"]["value"] == pytest.approx(1 / 3)
    assert found["reduction_right"]["low"] < 0.8 < found["reduction_right"]["high"]
    assert found["auc_right"] == 1
    assert found["steps"] == 1
    assert found["share_of_steps_that_reduce"] == 1
    assert inspect(Sample(), ByLength()) is None


def test_a_sample_is_bounded_and_repeats_itself():
    def drawn():
        sample = Sample()
        for n in range(500):
            sample.offer(reasoned(n, n, f"r{n}", 1.0)[0], None, 1.0)
        assert sample.offered == 500
        return [one.text for one in sample.kept]

    first = drawn()
    assert len(set(first)) == SAMPLE
    assert first == drawn()
    assert max(int(text[1:]) for text in first) > 400


@pytest.mark.models
def test_an_inspector_reads_a_run(tmp_path, tiny_qwen):
    folder = a_checkpoint(tmp_path / "run", 1.0, [[1, 0], [0, 1]])
    lines = [json.loads(line) for line in (folder / "traces.jsonl").read_text().splitlines()]
    for episode in lines:
        episode["traces"][0]["task"]["data"]["answer"] = "4"
    make.write(folder, *lines)
    found = as_json("run", "--inspector", str(tiny_qwen), cwd=tmp_path)
    [one] = found["checkpoints"]
    assert one["reasoning"]["rollouts"] == 4
    assert one["reasoning"]["before"] > 0
    assert one["reasoning"]["inspector"] == str(tiny_qwen)
    assert "Entropy of the reference answer for" in (
        diagnose("run", "--inspector", str(tiny_qwen), cwd=tmp_path).out
    )


@pytest.mark.models
def test_an_inspector_that_is_none_is_one_line(tmp_path):
    pytest.importorskip("torch", reason="an inspector needs torch (group `models`)")
    a_checkpoint(tmp_path / "run", 1.0, [[1, 0]])
    (tmp_path / "empty").mkdir()
    done = diagnose("run", "--inspector", "empty", cwd=tmp_path)
    assert done.code == 2
    assert "--inspector 'empty': entropy.model" in done.err

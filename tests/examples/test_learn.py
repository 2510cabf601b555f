"""The step of `examples/learn.py`, and a miniature of its loop.

The miniature starts from random weights: it proves the plumbing, and nothing about what an
environment teaches. What SmolLM2 learns is in docs/training.md.
"""

import argparse
import asyncio
import importlib
import json
import math
import os
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch", reason="needs the groups models and train")

from inward_training import Blocking, Group, Rollouts, Sample  # noqa: E402
from inward_training.engine import Engine  # noqa: E402
from training.conftest import COPY_LETTER, TASKSETS  # noqa: E402
from training.tiny_policy import make_model  # noqa: E402

pytestmark = pytest.mark.models
EXAMPLES = Path(__file__).parents[2] / "examples"
HERE = str(Path(__file__).parent / "tasksets")
OURS = ("learn", "learning", "learn_trl", "entropy_arms")


@pytest.fixture
def learn(monkeypatch):
    """The script, its packages and the tasksets, all importable."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([TASKSETS, HERE]))
    for folder in (TASKSETS, HERE, EXAMPLES):
        monkeypatch.syspath_prepend(folder)
    import learn

    yield learn
    for name in [name for name in sys.modules if name.split(".")[0] in OURS]:
        del sys.modules[name]


@pytest.fixture
def grpo(learn):
    return learn.grpo


@pytest.fixture
def model(tmp_path):
    return make_model(tmp_path)


def test_script_and_step_are_short_enough_to_be_read():
    files = (EXAMPLES / "learn.py", EXAMPLES / "learning/grpo.py")
    assert sum(len(file.read_text().splitlines()) for file in files) <= 300


PREFIX = [1, 5, 6]
WRITTEN = [[7, 8, 9], [7], [10, 2], [8, 8, 8, 8]]


def plain(model, ids):
    """Logprobs of what follows PREFIX, by a sequence of its own."""
    whole = torch.tensor([[*PREFIX, *ids]])
    found = torch.log_softmax(model(input_ids=whole).logits[0, :-1], -1)
    return found.gather(-1, whole[0, 1:, None])[len(PREFIX) - 1 :, 0]


def test_siblings_in_one_sequence_have_the_logprobs_of_each_alone(grpo, model):
    branches = [grpo.Branch(ids, [1.0] * len(ids)) for ids in WRITTEN]
    found = grpo.logprobs(model, PREFIX, branches)
    assert torch.allclose(found, torch.cat([plain(model, ids) for ids in WRITTEN]), atol=1e-5)


def test_what_weighs_nothing_is_read_and_not_predicted(grpo, model):
    weighed = [grpo.Branch([7, 8, 9, 2], [0.5, 0.0, 0.0, -0.5]), grpo.Branch([7], [1.0])]
    every = [one._replace(weights=[1.0] * len(one.ids)) for one in weighed]
    found = grpo.logprobs(model, PREFIX, weighed)
    expected = grpo.logprobs(model, PREFIX, every)[[0, 3, 4]]
    assert torch.allclose(found, expected, atol=1e-5)


def gradient(model):
    return torch.cat([one.grad.flatten() for one in model.parameters()])


def test_the_gradient_is_that_of_the_advantage_weighted_logprobs(grpo, model, monkeypatch):
    advantages = [0.75, -0.25, -0.25, -0.25]
    old = [plain(model, ids).detach() for ids in WRITTEN]
    branches = [
        grpo.Branch(ids, [advantage] * len(ids), logprobs.tolist())
        for ids, advantage, logprobs in zip(WRITTEN, advantages, old, strict=True)
    ]
    loss = -sum(
        advantage * plain(model, ids).sum()
        for ids, advantage in zip(WRITTEN, advantages, strict=True)
    )
    (loss / sum(map(len, WRITTEN))).backward()
    expected = gradient(model)
    model.zero_grad()
    still = torch.optim.SGD(model.parameters(), lr=0.0)
    monkeypatch.setattr(still, "zero_grad", lambda **_: None)
    monkeypatch.setattr(grpo, "CLIP", 1e9)
    step = grpo.update(model, still, [(PREFIX, branches)])
    assert torch.allclose(gradient(model), expected, atol=1e-6)
    assert step.drift < 1e-5
    assert step.gradient == pytest.approx(float(expected.norm()), rel=1e-4)


def group_of(samples):
    return Group("id", "key", 0, tuple(samples), len(samples))


def sample(reward, ids=(7, 8, 9), mask=(True, False, True), prompt=(1, 5)):
    logprobs = tuple(-1.0 if own else 0.0 for own in mask)
    return Sample(
        prompt, ids, logprobs, mask, reward, {}, {}, f"{reward}", "agent", (), "stop", False, (0, 0)
    )  # fmt: skip


def test_tool_results_weigh_nothing_and_equal_groups_are_left_out(grpo):
    mixed, alike = group_of([sample(1.0), sample(0.0)]), group_of([sample(1.0)])
    [(prompt, branches)] = grpo.jobs_of([mixed, alike], [[0.5, -0.5], [0.0]])
    assert prompt == (1, 5)
    assert [one.weights for one in branches] == [[0.5, 0.0, 0.5], [-0.5, 0.0, -0.5]]


def test_rollouts_behind_different_prompts_are_refused(grpo):
    group = group_of([sample(1.0), sample(0.0, prompt=(1, 6))])
    with pytest.raises(ValueError, match="do not follow one prompt"):
        grpo.jobs_of([group], [[0.5, -0.5]])


def test_a_miniature_from_random_weights_learns_to_copy_a_letter(grpo, model, tmp_path):
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    engine, rewards = Engine(model, "tiny", threads=2), []
    sampling = {"max_tokens": 3, "temperature": 1.0}
    with (
        engine.serving() as endpoint,
        Blocking(
            lambda: Rollouts(
                COPY_LETTER, "tiny", endpoint, tokenizer=str(tmp_path), sampling=sampling
            )
        ) as rollouts,
    ):
        for step in range(12):
            groups = rollouts.play([0], group_size=32)
            rewards += [[s.reward for g in groups for s in g.samples]]
            with engine.updating(seed=step):
                jobs = grpo.jobs_of(groups, [group.advantages() for group in groups])
                if jobs:
                    taken = grpo.update(model, optimizer, jobs)
                    assert taken.drift < 1e-4
    assert sum(rewards[0]) / 32 < 0.3
    assert sum(rewards[-1]) / 32 > 0.6


LETTERS = "abcdefgh"


@pytest.fixture
def learner(learn, tmp_path, monkeypatch):
    """(out, steps, arms) -> the script's loop on letters, from the same random weights."""
    for name, value in {"TRAIN": 8, "WARM_BATCH": 2, "KEEP_EVERY": 2}.items():
        monkeypatch.setattr(learn, name, value)

    def demonstrations(tokenizer, file):
        rows = [json.loads(line) for line in file.read_text().splitlines()]
        return [
            (
                tokenizer.apply_chat_template(
                    [{"role": "user", "content": f"Say {row['letter']}"}],
                    add_generation_prompt=True,
                    return_dict=False,
                ),
                [tokenizer.convert_tokens_to_ids(row["letter"]), tokenizer.eos_token_id],
                [1.0, 1.0],
            )
            for row in rows
        ]

    task = SimpleNamespace(
        rows=lambda seed, count: [{"letter": LETTERS[n % 8]} for n in range(count)],
        demonstrations=demonstrations,
        env=lambda file: {"taskset": {"id": "say-letter"}},
        MAX_TOKENS=3,
        WARM=3,
        WARM_RATE=5e-5,
        OPTIMIZER="Adam",
        RATE=1e-2,
        STEPS=12,
        RENDERER={"name": "default"},
        LAYOUT="well_formed",
        WAY="x",
        BASE="true",
        way=lambda text: False,
    )

    def make(out, steps, arms=("true",), optimizer="Adam", **changes):
        task.OPTIMIZER, model = optimizer, make_model(tmp_path)
        from transformers import AutoTokenizer

        asked = {
            "arms": arms, "seeds": [0], "steps": steps, "groups": 2,
            "group_size": 4, "rate": 1e-2, "held_out": 8, "samples": 2, "device": "cpu", **changes,
        }  # fmt: skip
        tokenizer = AutoTokenizer.from_pretrained(tmp_path)
        place = tmp_path / out / "letters"
        return learn.Learner(argparse.Namespace(**asked), task, model, tokenizer, place)

    return make


def lines_of(file):
    """Without times, and in an order of their own: which sibling is first is chance."""
    kept = [json.loads(line) for line in file.read_text().splitlines()]
    lines = [{k: v for k, v in line.items() if not k.startswith("s_")} for line in kept]
    return sorted(lines, key=lambda line: (line.get("task", ""), line.get("text", "")))


@pytest.mark.parametrize("optimizer", ["Adam", "SGD"])
def test_a_run_goes_on_where_it_stopped_and_comes_to_the_same(learner, tmp_path, optimizer):
    learner("whole", 4, ("true", "shuffled"), optimizer).run()
    learner("parts", 2, optimizer=optimizer).run()
    learner("parts", 4, optimizer=optimizer).run()
    whole, parts = tmp_path / "whole/letters", tmp_path / "parts/letters"
    kept = torch.load(whole / "true-0/state.pt", weights_only=True)["optimizer"]
    assert bool(kept["state"]) == (optimizer == "Adam")  # SGD remembers nothing
    for name in ("before.jsonl", "true-0/steps.jsonl", "true-0/after-4.jsonl"):
        for one, other in zip(lines_of(whole / name), lines_of(parts / name), strict=True):
            assert one == pytest.approx(other, abs=1e-3)
    found = json.loads((whole / "results.json").read_text())
    assert list(found["runs"]) == ["shuffled, seed 0, 4 steps", "true, seed 0, 4 steps"]
    run = found["runs"]["true, seed 0, 4 steps"]
    assert len(run["steps"]) == 4
    assert run["change"].keys() == {"greedy correct", "sampled correct", "pass@k"}
    assert {"pass@k", "greedy correct", "sampled entropy"} <= run["after"].keys()
    assert found["arms"]["true, 4 steps"] == {"seeds": 1, "change": run["change"]}
    assert list(found["beside"]) == ["shuffled, 4 steps"]
    less = found["beside"]["shuffled, 4 steps"]["difference"]
    shuffled = found["runs"]["shuffled, seed 0, 4 steps"]["change"]
    for kind, (mean, *_) in less.items():
        assert mean == pytest.approx(shuffled[kind][0] - run["change"][kind][0], abs=2e-4)
    assert (whole / "curves.png").stat().st_size > 1000
    assert (
        "| held out | warm | shuffled, seed 0 | true, seed 0 |" in (whole / "table.md").read_text()
    )


def test_the_change_of_an_arm_is_that_of_the_mean_of_its_seeds(learn):
    def rows(*right):
        return [
            {"task": str(task), "sampled": sampled, "correct": float(one)}
            for task, one in enumerate(right)
            for sampled in (False, True)
        ]

    before, seeds = rows(0, 0, 1, 0), [rows(1, 0, 1, 1), rows(1, 0, 0, 0)]
    found = learn.measure.change([before], seeds)
    assert {name: value[0] for name, value in found.items()} == dict.fromkeys(
        ("greedy correct", "sampled correct", "pass@k"), 0.25
    )
    # The seeds gain 0.5 and 0: Student's t of one degree of freedom leaves what is possible.
    over = learn.measure.over_seeds([before] * 2, seeds)
    assert over["greedy correct"] == [0.25, -1, 1]
    # 0.5, 0, 0.5: of two, 4.3027 times 1/6.
    over = learn.measure.over_seeds([before] * 3, [*seeds, seeds[0]])
    assert over["greedy correct"] == pytest.approx([1 / 3, 1 / 3 - 0.7171, 1], abs=1e-3)


def test_arms_of_several_seeds_have_intervals_over_seeds(learn, learner, tmp_path):
    one = learner("out", 1, ("true", "shuffled"), seeds=[0, 1])
    one.run()
    found = json.loads((one.out / "results.json").read_text())
    runs = found["runs"]
    for of, key in ((found["arms"], "change"), (found["beside"], "difference")):
        for arm in of.values():
            assert arm["seeds"] == 2
            assert arm["over seeds"]["pass@k"][0] == pytest.approx(arm[key]["pass@k"][0], abs=2e-4)
    mean = sum(runs[f"true, seed {s}, 1 steps"]["change"]["pass@k"][0] for s in (0, 1)) / 2
    assert found["arms"]["true, 1 steps"]["over seeds"]["pass@k"][0] == pytest.approx(
        mean, abs=2e-4
    )
    lines = (one.out / "table.md").read_text().splitlines()
    assert (
        len({line.count("|") for line in lines if "over seeds" in line or "2 seeds" in line}) == 1
    )


def test_the_same_by_trl_stands_beside_the_other_runs(learn, learner, tmp_path):
    pytest.importorskip("trl", reason="needs the group train")
    import learn_trl

    one = learner("out", 2)
    learn_trl.train(one, seed=0)
    learn.report.report(one.out, one.task)
    run = json.loads((one.out / "results.json").read_text())["runs"]["trl, seed 0, 2 steps"]
    assert [line["step"] for line in run["steps"]] == [0, 1]
    for line in run["steps"]:
        assert line.keys() == {"step", "reward", "tokens", "gradient", *learn_trl.WATCHED}
        assert line["frac_reward_zero_std"] in (0, 0.5, 1)  # of two groups
        assert 0 < line["entropy"] <= math.log(16)  # words that the policy knows
        assert 0 <= line["completions/clipped_ratio"] <= 1
    warm = torch.load(one.out / "warm.pt", weights_only=True)["model"]
    now = learn.trained(one.model)
    assert any(not torch.equal(warm[name], now[name]) for name in warm)


@pytest.mark.parametrize(
    ("script", "words", "of"),
    [
        ("learn", ["search"], "search"),
        ("learn_trl", ["arithmetic"], "arithmetic"),
        ("entropy_arms", [], "entropy"),
    ],
)
def test_a_report_of_nothing_says_what_to_run(learn, tmp_path, monkeypatch, script, words, of):
    if script == "learn_trl":
        pytest.importorskip("trl", reason="needs the group train")
    monkeypatch.setattr(sys, "argv", [script, *words, "--report", "--out", str(tmp_path)])
    with pytest.raises(SystemExit) as told:
        importlib.import_module(script).main()
    line = f"{tmp_path / of} holds no evaluation: run the script without --report first"
    assert told.value.code == line
    assert not [*tmp_path.iterdir()]


def test_a_run_that_another_process_plays_is_left_to_it(learn, learner, tmp_path):
    out = tmp_path / "out/letters"
    with learn.play.alone(out / "true-0"):
        learner("out", 1, ("true", "shuffled")).run()
        assert [file.parent.name for file in out.glob("*/after-1.jsonl")] == ["shuffled-0"]
    learner("out", 1, ("true", "shuffled")).run()
    assert len([*out.glob("*/after-1.jsonl")]) == 2


def test_the_warm_up_is_waited_for(learn, learner, monkeypatch):
    one, asked, alone = learner("out", 1), threading.Event(), learn.play.alone

    def asking(place, **how):
        asked.set()
        return alone(place, **how)

    monkeypatch.setattr(learn.play, "alone", asking)
    thread = threading.Thread(target=one.run)
    with alone(one.out / "warm"):
        thread.start()
        assert asked.wait(60)  # the warm-up is what comes first
        thread.join(2)
        assert thread.is_alive()
        assert not one.data.exists()  # what it would write first
        assert not (one.out / "warm.pt").exists()
    thread.join()
    assert (one.out / "true-0/after-1.jsonl").exists()


def test_a_device_that_is_not_there_is_told(learn, model, tmp_path):
    with pytest.raises(SystemExit, match="--device 'tpu9' cannot be used"):
        learn.load(0, files=tmp_path, device="tpu9")


def test_steps_and_rate_are_the_tasks_own_where_none_are_asked_for(learner):
    one = learner("out", None, rate=None)
    assert (one.asked.steps, one.asked.rate, one.settings["rate"]) == (12, 1e-2, 1e-2)
    one = learner("out", 3, rate=0.5)
    assert (one.asked.steps, one.asked.rate, one.settings["rate"]) == (3, 0.5, 0.5)


def test_other_settings_need_another_folder(learner, tmp_path):
    one = learner("out", 1)
    one.out.mkdir(parents=True)
    kept = one.out / "settings.json"
    kept.write_text(json.dumps({**one.settings, "rate": 1e-3}))
    with pytest.raises(SystemExit, match="name an --out"):
        one.run()


@pytest.mark.parametrize("arm", ["true", "shuffled", "random"])
def test_the_arms(learn, arm):
    group = group_of([sample(reward) for reward in (1.0, 0.0, 0.2, 0.3)])
    found = [learn.advantages(arm, 0, step, group) for step in range(20)]
    assert found == [learn.advantages(arm, 0, step, group) for step in range(20)]
    for one in found:
        assert sum(one) == pytest.approx(0)
        assert (sorted(one) == sorted(group.advantages())) == (arm != "random")
    assert all(one == group.advantages() for one in found) == (arm == "true")


def test_the_arms_of_the_entropy_study_differ_in_the_bonus_alone(learn, tmp_path):
    import entropy_arms
    import verifiers.v1 as vf

    (tmp_path / "train.jsonl").touch()
    configs = {
        arm: vf.resolve_env_config(entropy_arms.task_of(arm, 8, 0).env(tmp_path / "train.jsonl"))
        for arm in entropy_arms.BONUS
    }
    for arm, config in configs.items():
        vf.load_environment(config)
        assert config.group == 8
        reads = arm in ("entropy", "ungated", "gated", "siblings", "residual")
        assert (config.taskset.task.entropy.source == "live") == reads
        held_out = entropy_arms.task_of(arm, 8, 0).env(tmp_path / "heldout.jsonl")
        assert held_out == learn.arithmetic.env(tmp_path / "heldout.jsonl")
    assert configs["random_bonus"].reward == "random"


@pytest.mark.parametrize(
    ("arm", "answers", "name", "value"),
    [
        ("repetition", 1, "repetition", lambda paid: -0.1 < paid < -0.05),
        ("random_bonus", 1, "group_reward", bool),
        ("random_gated", 1, "lottery", bool),
        ("random_gated", 2, "lottery", lambda paid: paid == 0),
    ],
)
def test_what_takes_the_place_of_the_bonus_is_paid(learn, tmp_path, arm, answers, name, value):
    import entropy_arms
    from rewards.tiny_qwen import TinyQwen, train_tokenizer

    train_tokenizer(tmp_path)
    [row] = learn.arithmetic.rows(seed=0, count=1)
    right = f"\\boxed{{{row['answer']}}}"
    reply = "a b a b a b a b " + " ".join([right, "\\boxed{1}"][:answers])
    learn.report.write_rows(tmp_path / "train.jsonl", [row])
    with (
        TinyQwen(tmp_path, lambda prompt: reply).server(model="tiny") as server,
        Blocking(
            lambda: Rollouts(
                entropy_arms.task_of(arm, 2, 0).env(tmp_path / "train.jsonl"),
                "tiny",
                server.base_url,
                tokenizer=str(tmp_path),
                renderer={"name": "qwen3"},
            )
        ) as rollouts,
    ):
        [group] = rollouts.play([0])
    assert not group.failures
    assert len(group.samples) == 2
    assert all(value(sample.rewards[name]) for sample in group.samples)


def test_the_lottery_draws_for_right_replies_alone(learn):
    import entropy_arms

    def drawn(text, right):
        trace = SimpleNamespace(last_reply=text, info={"correct": right})
        return asyncio.run(entropy_arms.lottery(None, trace))

    found = [drawn(f"{one} \\boxed{{7}}", True) for one in range(200)]
    assert found == [drawn(f"{one} \\boxed{{7}}", True) for one in range(200)]
    assert -1 <= min(found) < -0.9
    assert 0.9 < max(found) <= 1
    assert abs(sum(found)) < 40
    assert drawn("\\boxed{8}", False) == 0


def test_gibberish_is_what_is_no_sum_and_repetition_what_stood_there_before(learn):
    import entropy_arms

    assert not entropy_arms.gibberish("1 + 2 = 3, 3 + 4 = 7\n\\boxed{7}<|im_end|>")
    assert entropy_arms.gibberish("1 + 2 = 3 the the\n\\boxed{3}<|im_end|>")
    assert entropy_arms.gibberish("1 + 2 = 3, 3 + 4 =")

    def share(text):
        return asyncio.run(entropy_arms.repetition(None, SimpleNamespace(last_reply=text)))

    assert [share(text) for text in ("", "a b", "a b c d", "a a a a a")] == pytest.approx(
        [0, 0, 0, 2 / 3]
    )

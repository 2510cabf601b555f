"""`inward compare`: two runs, paired by task."""

import json

import pytest
from cli import rollouts as make
from inward_statistics import mcnemar, paired_difference
from support.runs import call


def compare(*words, cwd):
    return call("inward", "compare", *words, cwd=cwd)


def a_run(folder, rewards, *, env="", change=None, **more):
    """Task -> its rollouts' rewards."""
    episodes = [
        make.episode(task, start=float(k), reward=reward, **more)
        for task, values in rewards.items()
        for k, reward in enumerate(values)
    ]
    for episode in episodes:
        episode["env"] = {"id": env}
        if change:
            change(episode)
    return make.write(folder, *episodes)


def as_json(*words, cwd):
    done = compare(*words, "--json", cwd=cwd)
    assert done.code == 0, done.err
    return json.loads(done.out)


A = {0: [1, 1], 1: [0, 0], 2: [0, 1], 3: [1, 0], 4: [0, 0], 5: [1, 1]}
B = {0: [1, 1], 1: [1, 1], 2: [1, 1], 3: [1, 1], 4: [0, 0], 6: [1, 1]}


def test_the_difference_is_that_of_task_means_with_its_interval(tmp_path):
    a_run(tmp_path / "a", A)
    a_run(tmp_path / "b", B)
    found = as_json("a", "b", cwd=tmp_path)
    assert next(iter(found)) == "comparison"
    assert found["comparison"] == {
        "metric": "reward", "chosen": "default", "difference": "B - A", "paired_by": "task"
    }  # fmt: skip
    means = [[sum(run[t]) / 2 for t in range(5)] for run in (A, B)]
    expected = paired_difference(means[1], means[0], list(range(5)))
    primary = found["primary"]
    assert primary["difference"] == pytest.approx(expected.value)
    assert primary["interval"] == pytest.approx([expected.low, expected.high])
    assert (primary["tasks"], primary["clusters"]) == (5, 5)
    assert found["unpaired"] == {"only_a": ["task-5"], "only_b": ["task-6"]}
    assert [row["task"] for row in found["tasks"]] == [f"task-{n}" for n in range(5)]


def test_flips_and_mcnemar_go_by_more_than_half_of_the_rollouts(tmp_path):
    a_run(tmp_path / "a", A)
    a_run(tmp_path / "b", B)
    found = as_json("a", "b", cwd=tmp_path)
    assert found["flipped"] == {"to_right": ["task-1", "task-2", "task-3"], "to_wrong": []}
    right = [[sum(run[t]) / 2 > 0.5 for t in range(5)] for run in (A, B)]
    assert found["mcnemar"]["p"] == pytest.approx(mcnemar(right[1], right[0]))
    assert (found["mcnemar"]["both_right"], found["mcnemar"]["both_wrong"]) == (1, 1)
    assert found["mcnemar"]["tasks_independent"] is True
    swapped = as_json("b", "a", cwd=tmp_path)
    assert swapped["flipped"]["to_wrong"] == found["flipped"]["to_right"]
    assert swapped["primary"]["difference"] == -found["primary"]["difference"]


def test_a_graded_figure_has_a_difference_and_no_flips(tmp_path):
    a_run(tmp_path / "a", {0: [0.2], 1: [0.4]})
    a_run(tmp_path / "b", {0: [0.3], 1: [0.4]})
    found = as_json("a", "b", cwd=tmp_path)
    assert found["primary"]["difference"] == pytest.approx(0.05)
    assert found["mcnemar"] is found["flipped"] is None


def test_the_metric_is_said_before_the_runs_are_read(tmp_path):
    a_run(tmp_path / "a", A)
    a_run(tmp_path / "b", B)
    done = compare("a", "b", "--metric", "m", cwd=tmp_path)
    assert done.code == 0, done.err
    assert done.out.splitlines()[0] == "runs: m (as asked), B - A, paired by task"
    wrong = compare("a", "b", "--metric", "nonsense", cwd=tmp_path)
    assert "nonsense (as asked)" in wrong.out
    assert wrong.code == 2
    assert wrong.err == (
        "inward compare: no scored rollout of 'a' has 'nonsense': there are m, reward\n"
    )


def test_questions_of_one_story_are_one_cluster(tmp_path):
    def quality(episode):
        for task in (episode["task"], episode["traces"][0]["task"]):
            task["data"] |= {"story_id": f"s{task['data']['idx'] // 3}", "options": list("abcd")}
        trace = episode["traces"][0]
        trace["rewards"] = {"correct": trace["rewards"]["reward"]}

    a_run(tmp_path / "a", A, env="quality-rag", change=quality)
    a_run(tmp_path / "b", B, env="quality-rag", change=quality)
    found = as_json("a", "b", cwd=tmp_path)
    assert found["comparison"]["metric"] == "accuracy"
    assert found["primary"]["clusters"] == 2
    assert found["mcnemar"]["tasks_independent"] is False
    assert "go by the interval" in compare("a", "b", cwd=tmp_path).out


def test_tasks_of_another_content_are_paired_by_id_and_told(tmp_path):
    def other(episode):
        for task in (episode["task"], *(t["task"] for t in episode["traces"])):
            task["key"] += "-other-prompt"

    a_run(tmp_path / "a", A)
    a_run(tmp_path / "b", B, change=other)
    found = as_json("a", "b", cwd=tmp_path)
    assert found["primary"]["tasks"] == 5
    assert found["warnings"] == [
        "5 tasks were paired by their id and differ in content (prompt or options)"
    ]


def test_settings_that_differ_and_failed_rollouts_are_told(tmp_path):
    for name, context in (("a", "search"), ("b", "none")):
        a_run(tmp_path / name, A)
        config = {
            "env": {"taskset": {"id": "x", "context": context}},
            "sampling": {},
            "model": name,
        }
        saved = tmp_path / name / "configs" / "resolved" / "eval.json"
        saved.parent.mkdir(parents=True)
        saved.write_text(json.dumps(config))
    with (tmp_path / "b" / "traces.jsonl").open("a") as file:
        failed = make.episode(9, ok=False, errors=[make.error("E", "x")])
        file.write(json.dumps(failed) + "\n{torn")
    found = as_json("a", "b", cwd=tmp_path)
    assert found["environment"] == "x"
    assert found["warnings"] == [
        "they were not played alike: env.taskset.context: 'search' / 'none'",
        "B has 1 failed rollouts, not scored: a difference may be theirs",
        "B has 1 unreadable lines (a write that was cut short)",
    ]
    assert (found["b"]["failed"], found["b"]["unreadable"]) == (1, 1)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["a", "nowhere"], "no folder 'nowhere': name a run directory"),
        (["a", "a"], "A and B are the same run, 'a': name two"),
        (["a", "other"], "A is a run of '', B of 'gsm8k': only runs of one environment share"
            " tasks"),
        (["a", "apart"], "'a' and 'apart' share no task that both scored, by key or id: compare"
            " runs of the same tasks"),
        (["a"], "the following arguments are required: B"),
        (["a", "training"], "'training' is a training of 2 steps: name one of them, such as"
            " training/rollouts/step_0 training/rollouts/step_20"),
        (["a", "nan", "--metric", "m"], "'m' is nan in trace t0-0.0-agent of 'nan': a comparison"
            " needs finite values"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_in_one_line(tmp_path, words, says):
    a_run(tmp_path / "a", A)
    a_run(tmp_path / "other", B, env="gsm8k")
    a_run(tmp_path / "apart", {8: [1], 9: [0]})
    a_run(tmp_path / "nan", {0: [1]}, change=not_a_number)
    for step in (0, 20):
        a_run(tmp_path / f"training/rollouts/step_{step}/train/all", A)
    done = compare(*words, cwd=tmp_path)
    assert done.code == 2
    assert done.err == f"inward compare: {says}\n"


def not_a_number(episode):
    episode["traces"][0]["metrics"]["m"] = float("nan")


def test_checkpoints_of_a_training_are_runs(tmp_path):
    for step, rewards in ((0, A), (20, B)):
        a_run(tmp_path / f"training/rollouts/step_{step}/eval/all", rewards)
        a_run(tmp_path / f"training/rollouts/step_{step}/train/all", {0: [0]})
    found = as_json("training/rollouts/step_0", "training/rollouts/step_20", cwd=tmp_path)
    assert found["primary"]["tasks"] == 5
    assert found["a"]["folder"].endswith("step_0/eval/all")


def test_control_characters_of_a_task_do_not_reach_the_terminal(tmp_path):
    def hostile(episode):
        for task in (episode["task"], *(t["task"] for t in episode["traces"])):
            task["data"]["id"] += "\x1b[2J\u202e"

    a_run(tmp_path / "a", A, change=hostile)
    a_run(tmp_path / "b", B, change=hostile)
    done = compare("a", "b", cwd=tmp_path)
    assert done.code == 0, done.err
    assert not set(done.out) & set("\x1b\u202e")
    assert r"task-1\x1b[2J" in done.out

"""`inward export`: what pydantic-evals and datasets make of a run, by themselves."""

import base64
import json
from typing import Any

import pytest
from cli import rollouts as make
from pydantic_evals import Dataset
from pydantic_evals.evaluators import EqualsExpected
from pydantic_evals.reporting import EvaluationReportAdapter
from support.runs import call

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def export(*words, cwd):
    return call("inward", "export", *words, cwd=cwd)


def talk(reply, *, picture=False):
    asked = "Q"
    if picture:
        url = "data:image/png;base64," + base64.b64encode(PIXEL).decode()
        asked = [
            {"type": "image_url", "image_url": {"url": url}},
            {"type": "image_url", "image_url": {"url": "https://example.com/chart.png"}},
            {"type": "text", "text": "Q"},
        ]
    return [make.message("user", asked), make.message("assistant", reply)]


def a_run(folder, **more):
    """Two tasks of two rollouts, of which one failed, and an episode that never began."""
    return make.write(
        folder,
        make.episode(0, start=1.0, reward=1.0, messages=talk("A", **more)),
        make.episode(0, start=2.0, reward=0.0, messages=talk("B", **more)),
        make.episode(1, start=1.0, reward=1.0, messages=talk("A", **more)),
        make.episode(1, start=2.0, ok=False, messages=talk("?")[:1],
                     errors=[make.error("ProviderError", "upstream 503: busy")]),
        make.episode(2, ok=False, traces=[], errors=[make.error("EnvError", "never began")]),
    )  # fmt: skip


def test_pydantic_evals_runs_the_dataset_and_reads_the_report(tmp_path):
    a_run(tmp_path / "run")
    done = export("run", "--pydantic-evals", "out", cwd=tmp_path)
    assert done.code == 0, done.err
    assert done.out.startswith("3 cases in out/dataset.json, 3 rollouts and 2 failures in")

    dataset = Dataset[Any, Any, Any].from_file(tmp_path / "out" / "dataset.json")
    assert [case.name for case in dataset.cases] == ["task-0", "task-1", "task-2"]
    dataset.cases[0].expected_output = "Q!"
    dataset.add_evaluator(EqualsExpected(), specific_case="task-0")
    report = dataset.evaluate_sync(
        lambda inputs: inputs["messages"][-1]["content"] + "!", progress=False
    )
    assert [case.output for case in report.cases] == ["Q!", "Q!", "?!"]
    assert report.cases[0].assertions["EqualsExpected"].value is True

    ours = EvaluationReportAdapter.validate_json((tmp_path / "out" / "report.json").read_bytes())
    # pydantic-evals averages over tasks: (1 + 0) / 2 of the first, 1 of the second.
    assert ours.averages().scores == {"reward": pytest.approx(0.75)}
    assert ours.averages().assertions == pytest.approx(0.75)
    assert [(c.name, c.output, c.labels["outcome"].value) for c in ours.cases] == [
        ("task-0 [1]", "A", "right"), ("task-0 [2]", "B", "wrong"), ("task-1 [1]", "A", "right")
    ]  # fmt: skip
    assert [(f.name, f.error_message) for f in ours.failures] == [
        ("task-1 [2]", "ProviderError: upstream 503: busy"),
        ("task-2 [1]", "EnvError: never began"),
    ]
    assert [len(group.runs) for group in ours.case_groups()] == [2, 1, 0]
    assert "task-0 [2]" in ours.render(width=120)


def test_the_reference_answer_is_the_expected_output(tmp_path):
    episode = make.episode(0, messages=talk("Answer: A"))
    episode["env"] = {"id": "quality-rag"}
    episode["traces"][0]["task"]["data"] |= {"gold": "C", "options": list("wxyz"), "story_id": "s"}
    make.write(tmp_path / "run", episode)
    assert export("run", "--pydantic-evals", "out", cwd=tmp_path).code == 0
    [case] = Dataset[Any, Any, Any].from_file(tmp_path / "out" / "dataset.json").cases
    assert case.expected_output == "C"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["run"], "name what to write: --pydantic-evals DIR or --hf DIR"),
        (["run", "--hf", "full"], "'full' is not empty: name a folder that is new or empty"),
        (["run", "--pydantic-evals", "file"], "'file' is a file: name a folder that is new or"
            " empty"),
        (["nowhere", "--hf", "out"], "no folder 'nowhere': name a run directory"),
        (["empty", "--hf", "out"], "the run in 'empty' holds no rollouts"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_in_one_line(tmp_path, words, says):
    a_run(tmp_path / "run")
    make.write(tmp_path / "empty")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    (tmp_path / "file").touch()
    done = export(*words, cwd=tmp_path)
    assert (done.code, done.err) == (2, f"inward export: {says}\n")


@pytest.mark.models
def test_datasets_loads_the_folder_with_its_pictures(tmp_path, monkeypatch):
    datasets = pytest.importorskip("datasets", reason="needs datasets (groups models and train)")
    a_run(tmp_path / "run", picture=True)
    done = export("run", "--hf", "out", cwd=tmp_path)
    assert done.code == 0, done.err
    table = datasets.load_from_disk(tmp_path / "out")
    assert table["task"] == ["task-0", "task-0", "task-1", "task-1", "task-2"]
    assert table["reward"] == [1.0, 0.0, 1.0, None, None]
    assert table["outcome"] == ["right", "wrong", "right", "machine's fault", "machine's fault"]
    assert table["error"][3:] == ["ProviderError: upstream 503: busy", "EnvError: never began"]
    assert json.loads(table["rewards"][0]) == {"reward": {"score": 1.0, "weight": 1.0}}
    assert [len(images) for images in table["images"]] == [1, 1, 1, 0, 0]
    assert table[0]["images"][0].size == (1, 1)
    [asked] = json.loads(table["prompt"][0])
    urls = [part["image_url"]["url"] for part in asked["content"][:2]]
    assert urls == ["data: in column `images`", "https://example.com/chart.png"]

"""Real `vf-eval` runs on pictures made on the spot, and on ReachQA's real ones."""

from __future__ import annotations

import io
import json
import random
from collections import Counter
from pathlib import Path

import pytest
from charxiv.data import load
from charxiv.taskset import CharxivConfig, CharxivTaskset
from inward_chat.downloads import DataError
from inward_chat.testing import PolicyServer
from PIL import Image, ImageDraw
from support.runs import call, vf_eval

from inward.eval_plugin import find

REACHQA = Path(__file__).parents[3] / "shared/data/charts/reachqa"
ANSWERS = {1: "Model B", 2: "Increasing", 3: "0.25", 4: "7"}
CONSTANTS = """
import os
print(os.getcwd() * 0)
REASONING_RESP_INST = {1: "{}\\n * a label", 2: "{}\\n * words", 3: "{}", 4: "{}\\n {}"}
DESCRIPTIVE_RESP_INST = {1: "{}title?\\n * or Not Applicable", 10: "{}lines?", 18: "layout?"}
REASONING_GRADING_PREFIX = "Compare. "
REASONING_GRADING_INST = {
    1: "Q <|question|> G <|ground_truth|> R <|response|>", 2: "two", 3: "", 4: ""
}
DESCRIPTIVE_GRADING_PREFIX = "<|NUM_TRIPLETS|> <|JSON_KEYS|> <|OVERARCHING_QUESTION|> "
DESCRIPTIVE_GRADING_QMAP = {1: "title?", 10: "lines?", 18: "layout?"}
DESCRIPTIVE_GRADING_ICL = {"title": "by title ", "ocr": "by text "}
"""


def picture(text: str) -> bytes:
    image = Image.new("RGB", (1200, 90), "white")
    ImageDraw.Draw(image).text((9, 30), text, fill="black")
    out = io.BytesIO()
    image.save(out, "JPEG")
    return out.getvalue()


@pytest.fixture
def folder(tmp_path):
    """CharXiv's layout: 8 figures, two of each category, a title question each."""
    data = tmp_path / "charxiv"
    (data / "images").mkdir(parents=True)
    (data / "data").mkdir()
    (data / "constants.py").write_text(CONSTANTS)
    reasoning, descriptive = {}, {}
    for figure in range(8):
        category = figure % 4 + 1
        (data / "images" / f"{figure}.jpg").write_bytes(picture(f"figure {figure}"))
        reasoning[figure] = {
            "figure_id": figure, "query": f"Question {figure}?", "answer": ANSWERS[category],
            "inst_category": category, "qa_source": 4 - figure % 4,
        }  # fmt: skip
        descriptive[figure] = {
            "figure_id": figure, "subplot_loc": ["the left one", [0, 0], [1, 2]][figure % 3],
            "qids": [1, 10, 18], "answers": ["Not Applicable", "3", "1 by 2"],
        }  # fmt: skip
    (data / "data" / "reasoning_val.json").write_text(json.dumps(reasoning))
    (data / "data" / "descriptive_val.json").write_text(json.dumps(descriptive))
    return data


def play(policy, folder, tmp_path, *options):
    with PolicyServer(policy) as server:
        return vf_eval("charxiv", server, "--env.taskset.path", folder, *options, cwd=tmp_path)


def scores(found, name):
    assert all(e["ok"] for e in found), [t["errors"] for e in found for t in e["traces"]]
    return {
        e["task"]["data"]["id"]: t["rewards"][name]["score"] for e in found for t in e["traces"]
    }


def asked(body) -> tuple[bytes, str]:
    image, text = body["messages"][-1]["content"]
    return image["image_url"]["url"], text["text"]


def test_a_policy_whose_accuracy_per_category_is_known(folder, tmp_path):
    """Right on one of two questions of each category; a text in other words is not certain."""

    def policy(body):
        url, text = asked(body)
        assert url.startswith("data:image/jpeg;base64,")
        figure = int(text.split("?")[0].split()[-1])
        right = figure < 4 or figure == 5
        other = {1: "the second model", 2: "it rises", 3: "0.26", 4: "8"}
        answer = (ANSWERS if right else other)[figure % 4 + 1]
        return {"content": f"I looked.\nAnswer: {answer}"}

    found = play(policy, folder, tmp_path)
    right = scores(found, "exact_lower_bound")
    assert {int(name.split("-")[1]) for name, score in right.items() if score} == {0, 1, 2, 3, 5}
    prompts = {e["task"]["data"]["prompt"][0]["content"][1]["text"] for e in found}
    assert "Question 0?\n * a label" in prompts
    assert "Question 3?\n * The final answer is an exact integer." in prompts
    lines = find("charxiv").notes([])
    assert lines[0].startswith("texts in other words")


def test_texts_in_other_words_are_the_judges(folder, tmp_path):
    judged = []

    def policy(body):
        content = body["messages"][-1]["content"]
        if isinstance(content, str):
            judged.append(content)
            same = "the second" in content
            said = '{"extract_answer": "\\alpha", "score": ' + ("1}" if same else "0}")
            return {"content": "For \\frac{1}{2}:\n```json\n" + said + "\n```"}
        figure = int(asked(body)[1].split("?")[0].split()[-1])
        return {"content": r"the second <|ground_truth|> \alpha model" if figure % 4 == 0 else "8"}

    with PolicyServer(policy) as server:
        found = vf_eval(
            *("charxiv", server, "--env.taskset.path", folder),
            *("--env.taskset.task.judge.model", "a-judge"),
            *("--env.taskset.task.judge.base-url", server.base_url),
            cwd=tmp_path,
        )
    right = scores(found, "correct_by_a-judge")
    assert {name for name, score in right.items() if score} == {"reasoning-0", "reasoning-4"}
    # Numbers are never asked about, and what a policy writes stays what it wrote.
    assert len(judged) == 4
    expected = "Compare. Q Question 0? G Model B R the second <|ground_truth|> \\alpha model"
    assert expected in judged


@pytest.mark.parametrize("said", ["I would say yes", '{"score": 2}', '{"score": true}', "{"])
def test_a_judge_that_cannot_be_read_is_no_verdict(said, folder, tmp_path):
    def policy(body):
        return {"content": said if isinstance(body["messages"][-1]["content"], str) else "it is 17"}

    with PolicyServer(policy) as server:
        found = vf_eval(
            *("charxiv", server, "--env.taskset.path", folder, "-n", "8"),
            *("--env.taskset.task.judge.model", "a-judge"),
            *("--env.taskset.task.judge.base-url", server.base_url),
            cwd=tmp_path,
        )
    failed = [e for e in found if not e["ok"]]
    assert len(failed) == 4  # the texts; a number needs no judge
    errors = json.dumps([t["errors"] for e in failed for t in e["traces"]])
    assert "gave no score of 0 or 1" in errors


def test_descriptive_questions_and_corrections(folder, tmp_path):
    corrections = tmp_path / "corrections.json"
    corrections.write_text(json.dumps({"descriptive-0-1": "4"}))

    def policy(body):
        text = asked(body)[1]
        for word, reply in {"title": "Not applicable", "lines": "4", "layout": "1x2"}.items():
            if word in text:
                return {"content": reply}
        return {"content": ""}

    options = ("--env.taskset.questions", '["descriptive"]')
    found = play(policy, folder, tmp_path, *options, "--env.taskset.corrections", corrections)
    right = scores(found, "exact_lower_bound")
    assert Counter(right.values()) == {1.0: 16, 0.0: 8}
    corrected = {
        e["task"]["data"]["id"]: t["metrics"]["corrected"] for e in found for t in e["traces"]
    }
    assert {name for name in right if right[name] != corrected[name]} == {"descriptive-0-1"}
    prompts = {e["task"]["data"]["prompt"][0]["content"][1]["text"] for e in found}
    assert "For the left one, title?\n * or Not Applicable" in prompts
    assert "For the subplot at row 1 and column 2, lines?" in prompts
    assert "layout?" in prompts


def test_before_and_after_are_paired_by_figure(folder, tmp_path):
    """As the README has it, with corrected targets beside the published ones."""
    corrections = tmp_path / "corrections.json"
    corrections.write_text(json.dumps({"reasoning-7": "8"}))
    for name, right in (("before", 4), ("after", 7)):

        def policy(body, right=right):
            figure = int(asked(body)[1].split("?")[0].split()[-1])
            return {"content": f"Answer: {ANSWERS[figure % 4 + 1] if figure < right else 8}"}

        with PolicyServer(policy) as server:
            done = call(
                *("inward", "eval", "charxiv", "-m", "m", "--client.base-url", server.base_url),
                *("--env.taskset.path", folder, "--env.taskset.corrections", corrections),
                *("--output-dir", "out", "--run.name", name),
                cwd=tmp_path,
            )
        assert done.code == 0, done.err
    done = call("inward", "compare", "out/before", "out/after", "--json", cwd=tmp_path)
    found = json.loads(done.out)
    figures = {one["label"]: one for one in [found["primary"], *found["secondary"]]}
    gained = {name: figures[name]["difference"] for name in ("correct", "corrected")}
    assert gained == {"correct": pytest.approx(3 / 8), "corrected": pytest.approx(3 / 8)}
    assert figures["corrected"]["a"] == pytest.approx(5 / 8)
    assert found["primary"]["clusters"] == 8


def test_inward_eval_prints_the_floors(folder, tmp_path):
    done = call("inward", "eval", "charxiv", "--env.taskset.path", folder, cwd=tmp_path)
    assert done.code == 0, done.err
    assert "lower bound" in done.out
    assert "without the picture 10.8 / 19.9 %" in done.out
    assert "the most common answer of each category" in done.out


@pytest.mark.parametrize(
    ("spoil", "line"),
    [
        (lambda data: (data / "images" / "3.jpg").unlink(), "no images/3.jpg"),
        (lambda data: (data / "constants.py").write_text("A = 1"), "constants.py lacks"),
    ],
)
def test_what_is_missing_is_named(spoil, line, folder):
    spoil(folder)
    with pytest.raises(DataError, match=line):
        list(CharxivTaskset(CharxivConfig(id="charxiv", path=folder)))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[", "is no JSON"),
        ("[1]", "must be an object"),
        ('{"x": "1"}', "corrects 'x', which is no"),
    ],
)
def test_corrections_that_cannot_be_used(text, line, folder, tmp_path):
    file = tmp_path / "corrections.json"
    file.write_text(text)
    with pytest.raises(DataError, match=line):
        list(CharxivTaskset(CharxivConfig(id="charxiv", path=folder, corrections=file)))


def test_the_order_is_the_seeds(folder):
    def order(seed):
        config = CharxivConfig(id="charxiv", path=folder, seed=seed)
        return [task.data.id for task in CharxivTaskset(config)]

    assert order(0) == order(0) != order(1)
    assert sorted(order(0)) == sorted(order(1))


@pytest.mark.skipif(not REACHQA.is_dir(), reason="no ../shared/data/charts/reachqa here")
def test_real_pictures_of_reachqa(tmp_path):
    golds = {q.text: q.gold for q in load(REACHQA, ("reasoning",)).questions}
    assert len(golds) > 200
    draw = random.Random(0)

    def policy(body):
        question = asked(body)[1].rsplit("\n", 1)[0]
        return {"content": f"Answer: {golds[question]}" if draw.random() < 0.5 else "no idea"}

    found = play(policy, REACHQA, tmp_path, "-n", "12")
    right = scores(found, "exact_lower_bound")
    said = {
        e["task"]["data"]["id"]: "Answer" in e["traces"][0]["nodes"][-1]["message"]["content"]
        for e in found
    }
    assert {name for name, score in right.items() if score} == {n for n, yes in said.items() if yes}
    assert 0 < sum(right.values()) < 12


def test_hub_without_its_package_or_network(monkeypatch, tmp_path):
    monkeypatch.setenv("INWARD_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr("charxiv.data.REPOSITORY", "http://127.0.0.1:9/nothing")
    with pytest.raises(DataError, match=r"constants\.py"):
        load(None, ("reasoning",))

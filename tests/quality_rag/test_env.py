"""The environment as a user runs it: real `vf-eval`, the real search server, a scripted policy."""

import json
import re
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest
from quality_rag.data import load_questions
from quality_rag.prompt import LETTERS
from support.runs import SCRIPTS, call, episodes, traces, vf_eval

from inward.policy_server import PolicyServer, tool_call

QUESTIONS = list(load_questions("sample"))
BY_TEXT = {q.text: q for q in QUESTIONS}
SAMPLE = ("--env.taskset.split", "sample")


def question_of(body):
    """The question that a request is about. Scripts know the answers; policies do not."""
    prompt = next(m["content"] for m in body["messages"] if m["role"] == "user")
    return BY_TEXT[re.search(r"\n\nQuestion: (.*)\n", prompt)[1]]


def say(text):
    return lambda body: {"content": text(question_of(body)) if callable(text) else text}


def search_then(text, *queries):
    """One call a turn, then the answer."""

    def play(body):
        turn = sum(m["role"] == "assistant" for m in body["messages"])
        if turn < len(queries):
            calls = queries[turn] if isinstance(queries[turn], list) else [queries[turn]]
            return {
                "content": None,
                "tool_calls": [
                    call
                    if isinstance(call, dict)
                    else tool_call("search", {"query": call}, f"call_{turn}_{n}")
                    for n, call in enumerate(calls)
                ],
            }
        return say(text)(body)

    return play


def right(question):
    return f"Answer: {LETTERS[question.gold]}"


def wrong(question):
    return f"Answer: {LETTERS[question.gold - 1]}"


def right_text(question):
    return f"Answer: {question.options[question.gold]}"


BIG = "oil " * 2000
# name, policy, reward, searches, repeated queries, stop reason
SCRIPTS_TABLE = [
    ("reference", search_then(right, "oil", "light"), 1.0, 2, 0, "answered"),
    ("reference, no search", say(right), 1.0, 0, 0, "answered"),
    ("wrong", search_then(wrong, "oil"), 0.0, 1, 0, "answered"),
    ("garbage", say("lorem ipsum"), 0.0, 0, 0, "no_answer"),
    ("empty", say(""), 0.0, 0, 0, "no_answer"),
    ("all letters", say("Answer: A, B, C, D"), 0.0, 0, 0, "no_answer"),
    ("option text alone", say(right_text), 0.0, 0, 0, "no_answer"),
    ("repeats itself", search_then(right, "oil", " OIL ", "oil"), 1.0, 3, 2, "answered"),
    ("in parallel", search_then(right, ["oil", "light", "boat"]), 1.0, 3, 0, "answered"),
    ("empty query", search_then(right, ""), 1.0, 1, 0, "answered"),
    ("huge query", search_then(right, BIG), 1.0, 1, 0, "answered"),
    ("odd characters", search_then(right, "\x00 \x1b[31m ’ 漢字 \u202e ' OR 1=1 --"), 1.0, 1, 0,
     "answered"),
    ("broken arguments", search_then(right, tool_call("search", "{", "c")), 1.0, 1, 0, "answered"),
    ("wrong argument", search_then(right, tool_call("search", {"q": "oil"}, "c")), 1.0, 1, 0,
     "answered"),
    ("number as a query", search_then(right, tool_call("search", {"query": 7}, "c")), 1.0, 1, 0,
     "answered"),
    ("asks for another story", search_then(
        right, tool_call("search", {"query": "bowl", "story_id": "inward-2"}, "c")), 1.0, 1, 0,
     "answered"),
    ("unknown tool", search_then(right, tool_call("read_gold", {}, "c")), 1.0, 0, 0, "answered"),
    ("never answers", search_then(right, *["oil"] * 99), 0.0, 5, 4, "max_turns"),
]  # fmt: skip


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """One run in which every question of the sample is played by the next script of the table."""
    cwd = tmp_path_factory.mktemp("env")
    scripts = {
        question.id: SCRIPTS_TABLE[number % len(SCRIPTS_TABLE)]
        for number, question in enumerate(QUESTIONS)
    }
    seen = []

    def policy(body):
        seen.append(body)
        return scripts[question_of(body).id][1](body)

    with PolicyServer(policy) as server:
        result = vf_eval("quality-rag", server, *SAMPLE, "--env.agent.max-turns", "5", cwd=cwd)
    return cwd, scripts, traces(result), seen


def test_every_script_scores_what_it_should(played):
    _, scripts, found, _ = played
    assert set(found) == {question.id for question in QUESTIONS}
    assert len(scripts) >= len(SCRIPTS_TABLE)
    for question_id, (name, _, reward, searches, repeated, stop) in scripts.items():
        trace = found[question_id]
        assert trace["ok"], (name, trace["errors"])
        assert trace["rewards"]["correct"]["score"] == reward, name
        metrics = trace["metrics"]
        assert metrics["searches"] == searches, name
        assert metrics["repeated_queries"] == repeated, name
        reasons = {r: metrics[r] for r in ("answered", "no_answer", "max_turns")}
        assert reasons == {r: float(r == stop) for r in reasons}, name
        assert metrics["hard"] == next(q.hard for q in QUESTIONS if q.id == question_id)
        assert 0 <= metrics["story_seen"] <= 1
        assert (metrics["story_seen"] > 0) == any(
            "[passage" in str(n["message"].get("content")) for n in trace["nodes"]
        ), name


def tool_results(played, name):
    _, scripts, found, _ = played
    trace = next(found[q] for q, script in scripts.items() if script[0] == name)
    return [n["message"]["content"] for n in trace["nodes"] if n["message"]["role"] == "tool"]


def test_a_search_returns_passages_of_this_story_in_story_order(played):
    _, _, found, _ = played
    stories = {q.id: q.story for q in QUESTIONS}
    checked = 0
    for question_id, trace in found.items():
        for node in trace["nodes"]:
            text = node["message"].get("content") or ""
            if node["message"]["role"] != "tool" or not text.startswith("[passage"):
                continue
            blocks = re.split(r"(?m)^\[passage (\d+), (\d+)% into the story\]\n", text)[1:]
            numbers = [int(n) for n in blocks[::3]]
            assert numbers == sorted(numbers)
            assert len(numbers) <= 4
            story = stories[question_id].text
            for share, passage in zip(blocks[1::3], blocks[2::3], strict=True):
                start = story.index(passage.strip())
                assert int(share) == 100 * start // len(story)
                checked += 1
    assert checked > 20


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("empty query", "the query is empty"),
        ("huge query", "2000 are the limit"),
        ("broken arguments", "invalid JSON"),
        ("wrong argument", "query"),
        ("unknown tool", "unknown tool 'read_gold'"),
    ],
)
def test_the_models_faults_go_back_to_the_model(played, name, says):
    assert says in tool_results(played, name)[0]


def test_nothing_that_the_policy_sees_holds_labels_or_other_stories(played):
    _, _, _, seen = played
    titles = {q.story.title for q in QUESTIONS}
    keys = ("gold", "writer_label", "difficult", "hard", "validation", "article_id", "story_id")
    for body in seen:
        question = question_of(body)
        shown = "\n".join(m["content"] for m in body["messages"] if m["role"] != "assistant")
        assert not re.search(rf"\b(?:{'|'.join(keys)})\b[\"']?\s*[:=]", shown)
        assert not [t for t in titles - {question.story.title} if f"Title: {t}" in shown]
        assert question.story.id not in json.dumps(body)
        [tool] = body["tools"]
        assert tool["function"]["name"] == "search"
        assert set(tool["function"]["parameters"]["properties"]) == {"query"}


def test_replay_scores_a_saved_run_again_to_the_same(played):
    cwd, _, found, _ = played
    done = call("vf-replay", "outputs/run", "--no-rich", "-o", "replayed", cwd=cwd)
    assert done.code == 0, done.err
    again = traces(episodes(cwd / "replayed"))
    assert {k: t["rewards"] for k, t in again.items()} == {
        k: t["rewards"] for k, t in found.items()
    }
    assert {k: t["metrics"] for k, t in again.items()} == {
        k: t["metrics"] for k, t in found.items()
    }


def test_validate_finds_the_gold_sound_and_an_empty_reply_worthless(tmp_path):
    done = call(
        "vf-validate", "quality-rag", "--taskset.split", "sample", "--runtime.type", "subprocess",
        "--no-rich", cwd=tmp_path,
    )  # fmt: skip
    assert done.code == 0, done.err
    results = [
        json.loads(line)
        for file in tmp_path.rglob("*.jsonl")
        for line in file.read_text().splitlines()
    ]
    assert len(results) == len(QUESTIONS)
    assert all(row["valid"] for row in results), results[0]


@pytest.mark.parametrize("context", ["full", "none"])
def test_controls_without_the_tool(tmp_path, context):
    bodies = []

    def policy(body):
        bodies.append(body)
        return say(right)(body)

    arguments = (*SAMPLE, "--env.taskset.context", context, "-n", "3")
    with PolicyServer(policy) as server:
        found = traces(vf_eval("quality-rag", server, *arguments, cwd=tmp_path))
    assert [t["rewards"]["correct"]["score"] for t in found.values()] == [1.0] * 3
    for body in bodies:
        story = question_of(body).story.text
        assert not body.get("tools")
        assert (story in body["messages"][1]["content"]) == (context == "full")


def test_hard_only_and_shuffled_options(tmp_path):
    arguments = (*SAMPLE, "--env.taskset.hard-only", "--env.taskset.shuffle-options")
    with PolicyServer(say("Answer: A")) as server:
        found = traces(vf_eval("quality-rag", server, *arguments, cwd=tmp_path))
    hard = {q.id: q for q in QUESTIONS if q.hard}
    assert set(found) == set(hard)
    moved = 0
    for question_id, trace in found.items():
        data = trace["task"]["data"]
        question = hard[question_id]
        assert sorted(data["options"]) == sorted(question.options)
        assert data["options"][LETTERS.index(data["gold"])] == question.options[question.gold]
        moved += tuple(data["options"]) != question.options
    assert moved > len(hard) / 2


def search_servers(of):
    """Process ids of the search servers that `of` started."""
    out = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            ppid = int(stat.read_text().rpartition(")")[2].split()[1])
            words = (stat.parent / "cmdline").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if ppid == of and "quality_rag.search" in words:
            out.append(int(stat.parent.name))
    return out


def test_a_killed_search_server_is_no_ones_zero_and_the_run_resumes(tmp_path):
    """32 rollouts in flight; the search server dies under them; `--resume` completes."""
    if not Path("/proc").is_dir():
        pytest.skip("finds the server by /proc, which this system has not")
    searching = set()

    def policy(body):
        searching.add(question_of(body).id)
        return search_then(right, *["oil"] * 6)(body)

    with PolicyServer(policy) as server:
        words = [
            SCRIPTS / "vf-eval", "quality-rag", *SAMPLE, "-m", server.model,
            "--client.base-url", server.base_url, "--no-push", "--no-rich", "--run.name", "run",
            "-n", "16", "-r", "2",
        ]  # fmt: skip
        with subprocess.Popen(words, cwd=tmp_path, stdout=-3, stderr=-3) as process:
            while len(searching) < 10:
                assert process.poll() is None
                time.sleep(0.02)
            pids = search_servers(process.pid)
            assert len(pids) == 1
            subprocess.run(["kill", "-9", str(pids[0])], check=True)
            process.wait(timeout=280)
        folder = tmp_path / "outputs" / "run"
        first = episodes(folder)
        failed = [e for e in first if not e["ok"]]
        assert failed
        for episode in failed:
            for trace in episode["traces"]:
                assert not any(trace.get("rewards", {}).values())
                assert "ToolServerError" in trace["errors"][-1]["message"]
        for episode in first:
            if episode["ok"]:
                assert episode["traces"][0]["rewards"]["correct"]["score"] == 1.0
        done = call("vf-eval", "@", folder / "configs/resolved/eval.json", "--resume", cwd=tmp_path)
        assert done.code == 0, done.err
    last = episodes(folder)
    assert all(e["ok"] for e in last)
    played = Counter(e["task"]["data"]["id"] for e in last)
    assert played == {question.id: 2 for question in QUESTIONS[:16]}

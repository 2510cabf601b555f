"""The environment as a user runs it: real `vf-eval`, the real search server, a scripted policy."""

import json
import re
import subprocess
import time
from collections import Counter
from importlib import resources
from pathlib import Path

import pytest
from inward_chat.testing import ChatCompletion, PolicyServer, tool_call
from inward_retrieval import chunk_document
from quality_rag.data import load_questions
from quality_rag.prompt import LETTERS
from support.runs import SCRIPTS, call, episodes, traces, vf_eval

QUESTIONS = list(load_questions("sample"))
BY_TEXT = {q.text: q for q in QUESTIONS}
SAMPLE = ("--env.taskset.split", "sample")
ALONE = ("--env.taskset.context", "none")
"""Without the search server, for runs that are about something else: it takes seconds to start."""
SAMPLE_FILE = Path(str(resources.files("quality_rag") / "data" / "sample.jsonl"))


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
HEAD = r"(?m)^\[passage (\d+) of (\d+), (\d+)% into the story(?:, (best match|match \d))?\]\n"
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
    ("by its number", search_then(right, "passage 2", "[Passage 2 of 9]"), 1.0, 2, 0, "answered"),
    ("no such number", search_then(right, "passage 999"), 1.0, 1, 0, "answered"),
    ("words of no story", search_then(right, "zyxq wvut"), 1.0, 1, 0, "answered"),
    ("reads on to the end", search_then(
        right, [f"passage {n}" for n in range(1, 40)], ["oil", "light"]), 1.0, 41, 0, "answered"),
    ("reads without the tool", search_then(right, tool_call("read", {"passage": 2}, "c")), 1.0, 0,
     0, "answered"),
    ("text of its own option", say(
        lambda q: f"{LETTERS[q.gold]}) {q.options[q.gold]}"), 1.0, 0, 0, "answered"),
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


def trace_of(played, name):
    _, scripts, found, _ = played
    return next(found[q] for q, script in scripts.items() if script[0] == name)


def metrics_of(played, name):
    return trace_of(played, name)["metrics"]


def tool_results(played, name):
    return [
        node["message"]["content"]
        for node in trace_of(played, name)["nodes"]
        if node["message"]["role"] == "tool"
    ]


def test_a_search_returns_passages_of_this_story_in_story_order(played):
    _, _, found, _ = played
    stories = {q.id: q.story for q in QUESTIONS}
    checked = 0
    for question_id, trace in found.items():
        for node in trace["nodes"]:
            text = node["message"].get("content") or ""
            if node["message"]["role"] != "tool" or not text.startswith("[passage"):
                continue
            blocks = re.split(HEAD, text)[1:]
            numbers = [int(n) for n in blocks[::5]]
            assert numbers == sorted(numbers)
            assert len(numbers) <= 4
            story = stories[question_id].text
            chunks = chunk_document(story)
            assert {int(total) for total in blocks[1::5]} == {len(chunks)}
            for number, share, passage in zip(numbers, blocks[2::5], blocks[4::5], strict=True):
                assert passage.strip() == chunks[number - 1].text
                assert int(share) == 100 * chunks[number - 1].start // len(story)
                checked += 1
            ranks = sorted(rank for rank in blocks[3::5] if rank)
            best_first = ["best match", "match 2", "match 3", "match 4"]
            assert ranks == best_first[: len(ranks)]
            assert len(ranks) in (0, len(numbers))
    assert checked > 40


def test_what_was_read_is_counted_once_and_repeats_are_counted(played):
    reader = metrics_of(played, "reads on to the end")
    assert 0.99 < reader["story_seen"] <= 1
    assert metrics_of(played, "by its number")["repeated_passages"] == 1
    for name in ("reads on to the end", "repeats itself", "by its number", "reference, no search"):
        heads = [head for text in tool_results(played, name) for head in re.findall(HEAD, text)]
        numbers = [number for number, *_ in heads]
        repeated = metrics_of(played, name)["repeated_passages"]
        assert repeated == len(numbers) - len(set(numbers)), name


def test_the_number_in_a_head_finds_its_passage(played):
    first, again = tool_results(played, "by its number")
    assert re.match(r"\[passage 2 of \d+, \d+% into the story\]\n", first)
    assert again == first
    [missing] = tool_results(played, "no such number")
    assert re.fullmatch(r"There is no passage 999: the story has passages 1 to \d+\.", missing)


def test_an_empty_result_says_what_to_do(played):
    [text] = tool_results(played, "words of no story")
    assert "No passage" in text
    assert "matches words" in text
    assert re.search(r'"passage \d+" finds the last', text)


@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("broken arguments", 1),
        ("wrong argument", 1),
        ("number as a query", 1),
        ("unknown tool", 1),
        ("reads without the tool", 1),
        ("asks for another story", 0),
        ("empty query", 0),
        ("in parallel", 0),
        ("garbage", 0),
    ],
)
def test_broken_calls_are_counted(played, name, broken):
    assert metrics_of(played, name)["broken_calls"] == broken


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


def test_a_tool_that_reads_and_a_search_that_skips_what_was_shown(tmp_path):
    """Both are off by default; passages overlap here, and are counted once all the same."""
    bodies = []
    turns = [
        ["oil", "oil"],
        [tool_call("read", {"passage": 1}, "r1"), tool_call("read", {"passage": 99}, "r99")],
        ["oil"] * 12,
        [tool_call("read", {"passage": n}, f"all{n}") for n in range(1, 90)],
        ["passage 2"],
    ]

    def policy(body):
        bodies.append(body)
        return search_then(right, *turns)(body)

    arguments = [
        *SAMPLE, "-n", "2", "--env.taskset.tools.skip-seen", "--env.taskset.tools.read",
        "--env.taskset.tools.retriever.chunk-words", "60",
        "--env.taskset.tools.retriever.chunk-overlap", "25",
    ]  # fmt: skip
    with PolicyServer(policy) as server:
        found = traces(vf_eval("quality-rag", server, *arguments, cwd=tmp_path))
    tools = {tool["function"]["name"]: tool["function"] for tool in bodies[0]["tools"]}
    assert set(tools) == {"search", "read"}
    system = bodies[0]["messages"][0]["content"]
    assert "The read tool returns one passage by its number." in system
    assert "leaves out the passages that you were shown before" in system
    for trace in found.values():
        assert trace["ok"], trace["errors"]
        results = [
            n["message"]["content"] for n in trace["nodes"] if n["message"]["role"] == "tool"
        ]
        numbers = [re.findall(r"(?m)^\[passage (\d+) of", text) for text in results]
        first, second, read, missing, *more = numbers
        assert first
        assert not set(first) & set(second)
        assert (read, missing) == (["1"], [])
        assert "passages 1 to" in results[3]
        searched = first + second + [n for found in more[:12] for n in found]
        assert len(searched) == len(set(searched))
        assert "has been shown before" in results[15]
        assert numbers[-1] == ["2"]
        metrics = trace["metrics"]
        assert 0.99 < metrics["story_seen"] <= 1
        assert metrics["searches"] == 15
        assert metrics["broken_calls"] == 0


def test_hard_only_and_shuffled_options(tmp_path):
    data = ("--env.taskset.hard-only", "--env.taskset.shuffle-options")
    arguments = (*SAMPLE, *ALONE, *data)
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_path_is_saved_absolute_and_replayed_from_elsewhere(tmp_path, monkeypatch):
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    home.mkdir()
    elsewhere.mkdir()
    (home / "stories.jsonl").write_bytes(SAMPLE_FILE.read_bytes())
    monkeypatch.setenv("HOME", str(home))
    for name, path in (("r", "stories.jsonl"), ("h", "~/stories.jsonl")):
        arguments = ("--env.taskset.path", path, "-n", "2")
        with PolicyServer(say(right)) as server:
            vf_eval("quality-rag", server, *arguments, cwd=home, name=name)
        folder = home / "outputs" / name
        saved = json.loads((folder / "configs/resolved/eval.json").read_text())
        assert saved["env"]["taskset"]["path"] == str(home / "stories.jsonl")
    done = call("vf-replay", folder, "--no-rich", "-o", "replayed", cwd=elsewhere)
    assert done.code == 0, done.err


def empty_questions(row):
    return {**row, "questions": []}


def easy_questions(row):
    return {**row, "questions": [{**q, "difficult": 0} for q in row["questions"]]}


@pytest.mark.parametrize(
    ("change", "words", "says"),
    [
        (None, ["--env.taskset.path", "."], r"'\.' is a folder: name a file"),
        (None, ["--env.taskset.path", ""], r"the path is empty: name what to read"),
        (None, ["--env.taskset.path", "~/nothing"], r"no such file: '~/nothing'"),
        (empty_questions, ["--env.taskset.path", "rows"], r"'/.*/rows' holds no question"),
        (
            easy_questions,
            ["--env.taskset.path", "rows", "--env.taskset.hard-only"],
            r"none of the 6 questions of '/.*/rows' is in the HARD subset .*drop --env",
        ),
    ],
)
def test_data_without_a_question_to_ask_is_told_in_one_line(tmp_path, change, words, says):
    if change is not None:
        row = json.loads(SAMPLE_FILE.read_text().splitlines()[0])
        (tmp_path / "rows").write_text(json.dumps(change(row)) + "\n")
    done = call("inward", "eval", "quality-rag", *words, cwd=tmp_path)
    assert done.code == 2
    assert re.search(says, done.err), done.err
    assert len([line for line in done.err.splitlines() if "inward eval" in line]) == 1
    assert "Traceback" not in done.err
    assert not [file for file in tmp_path.rglob("traces.jsonl") if file.read_text()]


def test_tokens_that_the_server_had_in_its_cache_are_counted(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    usage = {
        "prompt_tokens": 1000,
        "completion_tokens": 10,
        "total_tokens": 1010,
        "prompt_tokens_details": {"cached_tokens": 900},
    }
    with PolicyServer(lambda body: ChatCompletion({"content": "Answer: A"}, usage=usage)) as server:
        done = call(
            "inward", "eval", "quality-rag", *SAMPLE, *ALONE, "-n", "2", "-m", server.model,
            "--client.base-url", server.base_url, cwd=tmp_path,
        )  # fmt: skip
    assert "2,000 in, 20 out" in done.out

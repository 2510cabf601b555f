"""`inward eval` and `inward show` as a person types them."""

import asyncio
import re
import signal
import socket
import subprocess
import threading

import pytest
from inward_chat.testing import HttpReply, PolicyServer
from support.runs import SCRIPTS, call, command, episodes

FEW = ("--env.taskset.split", "sample", "-n", "4")
ALONE = ("--env.taskset.context", "none")
"""Without the search server, for runs that are about something else: it takes seconds to start."""


def inward(*words, cwd):
    return call("inward", *words, cwd=cwd)


def with_model(server, *words, cwd):
    return inward(
        "eval", "quality-rag", *FEW, "-m", server.model, "--client.base-url", server.base_url,
        *words, cwd=cwd,
    )  # fmt: skip


def run_dir(done):
    return re.search(r"traces: (.*)/traces.jsonl", done.out)[1]


def row(done, label):
    return next(line for line in done.out.splitlines() if label in line)


def test_without_a_model_a_baseline_plays_and_a_table_tells_how_it_went(tmp_path):
    done = command("inward", "eval", "quality-rag", "-n", "6", cwd=tmp_path)
    assert done.code == 0, done.err
    assert "baseline policy 'keyword-reader'" in done.err
    assert "6 episodes done" in done.err
    found = episodes(tmp_path / run_dir(done))
    mean = sum(e["traces"][0]["rewards"]["correct"]["score"] for e in found) / 6
    assert f"{mean:.3f}" in row(done, "accuracy ")
    assert "0.250" in row(done, "chance")
    assert "5.000" in row(done, "searches")
    assert "6 of 6" in row(done, "rollouts")
    for label in ("HARD", "errors", "tokens", "wall time"):
        assert row(done, label)
    shown = inward("show", run_dir(done), "2", cwd=tmp_path)
    assert shown.code == 0
    for text in ("── system", "Question: ", "→ search(", "[passage ", "Answer: ", "correct "):
        assert text in shown.out


@pytest.mark.slow
def test_another_baseline_by_name_is_seeded(tmp_path):
    runs = [
        inward("eval", "quality-rag", "--baseline", "random", "-n", "8", cwd=tmp_path)
        for _ in range(2)
    ]
    assert [done.code for done in runs] == [0, 0]
    answers = [
        [e["traces"][0]["nodes"][-1]["message"]["content"] for e in sorted(
            episodes(tmp_path / run_dir(done)), key=lambda e: e["task"]["data"]["idx"])]
        for done in runs
    ]  # fmt: skip
    assert answers[0] == answers[1]
    assert len(set(answers[0])) > 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["no-such-env"], r"'no-such-env' not found.*quality-rag"),
        (["quality-rag", "--baseline", "oracle"], r"no baseline policy 'oracle'.*keyword-reader"),
        (["quality-rag", "--baseline"], r"--baseline needs a name"),
        (["quality-rag", "--baseline", "random", "-m", "x"], r"drop one"),
        (["quality-rag", "--no-such-option", "1"], r"no-such-option"),
        (["quality-rag", "-n", "many"], r"many"),
        (["quality-rag", "--env.taskset.split", "tset"], r"split"),
        (["quality-rag", "--env.taskset.path", "nowhere.jsonl"], r"no such file: 'nowhere.jsonl'"),
        (["quality-rag", "--client.base-url", "http://127.0.0.1:9/v1"], r"-m MODEL"),
        (["quality-rag", "-m", "x", "--client.base-url", "ftp://x"], r"'ftp://x' is no http"),
        (["--resume", "nowhere"], r"'nowhere' is not a run directory"),
        (["-n", "3"], r"name the environment first"),
    ],
)
def test_a_mistake_is_told_in_one_line(tmp_path, words, says):
    done = inward("eval", *words, cwd=tmp_path)
    assert done.code == 2
    assert re.search(says, done.err + done.out, re.DOTALL), done.err + done.out
    assert "Traceback" not in done.err + done.out
    assert done.out == ""
    assert len(done.err.splitlines()) == 1, done.err


def test_an_unreachable_endpoint_is_told_before_anything_runs(tmp_path):
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound, and nobody listens
        url = f"http://127.0.0.1:{held.getsockname()[1]}/v1"
        done = inward(
            "eval", "quality-rag", *FEW, "-m", "x", "--client.base-url", url, cwd=tmp_path
        )
    assert done.code == 2
    assert re.search(rf"nothing answers at '{url}' .*--client.base-url", done.err)
    assert not (tmp_path / "outputs").exists()


def test_a_bad_row_is_told_in_one_line(tmp_path):
    (tmp_path / "rows.jsonl").write_text('{"article_id": "1"}\n')
    done = inward("eval", "quality-rag", "--env.taskset.path", "rows.jsonl", cwd=tmp_path)
    assert done.code == 2
    where = re.escape(str(tmp_path / "rows.jsonl"))
    assert re.search(rf"inward eval: {where}, line 1: title: Field required", done.err)
    assert "Traceback" not in done.err


def test_a_model_that_answers_nonsense(tmp_path):
    policy = PolicyServer(lambda body: {"content": "[/blub]"}, model="org/model[v2]")
    with policy as server:
        done = with_model(server, cwd=tmp_path)
    assert done.code == 1
    assert "quality-rag · org/model[v2]" in done.out
    assert "No rollout called a tool, though search was offered in 4" in done.out
    assert "none of 4 rollouts gave an answer in the format" in done.out
    assert "0.000" in row(done, "accuracy ")


@pytest.mark.parametrize(
    ("reply", "cause"),
    [
        (HttpReply(404, {"error": {"message": "no model of that name"}}), "no model of that name"),
        pytest.param(
            HttpReply(404, "<html><title>It works</title></html>"),
            "an HTML page titled 'It works'",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            HttpReply(200, "<html>it works</html>"),
            "malformed upstream response",
            marks=pytest.mark.slow,
        ),
    ],
    ids=["refused", "a web server", "not the format"],
)
def test_an_endpoint_that_is_none_leaves_nothing_scored_and_the_run_resumes(tmp_path, reply, cause):
    broken = [True]
    with PolicyServer(lambda body: reply if broken[0] else {"content": "Answer: A"}) as server:
        done = with_model(server, *ALONE, "--run.name", "r", cwd=tmp_path)
        assert done.code == 1
        assert "0 of 4" in row(done, "rollouts")
        assert "4 rollouts failed and are not scored" in done.out
        assert cause in row(done, f"4 failed: ProviderError of {server.base_url}: ")
        assert "further information" not in done.out
        assert "–" in row(done, "accuracy ")
        broken[0] = False
        again = inward("eval", "--resume", "outputs/r", cwd=tmp_path)
    assert again.code == 0, again.err
    assert "4 of 4" in row(again, "rollouts")


@pytest.mark.parametrize(
    "number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)]
)
def test_an_interrupted_run_says_how_to_complete_it(tmp_path, number):
    asked = threading.Event()

    async def slow(body):
        asked.set()
        await asyncio.sleep(60)
        return {"content": "Answer: A"}

    with PolicyServer(slow) as server:
        running = subprocess.Popen(
            [SCRIPTS / "inward", "eval", "quality-rag", *FEW, *ALONE, "--run.name", "r", "-m",
             server.model, "--client.base-url", server.base_url],
            cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert asked.wait(120)
        running.send_signal(number)
        out, err = running.communicate(timeout=120)
    assert (running.returncode, out) == (130, "")
    assert "interrupted; complete it with: inward eval --resume outputs/r" in err
    assert "Traceback" not in err


def test_a_baseline_run_resumes_on_its_own_port(tmp_path):
    first = inward(
        "eval", "quality-rag", "-n", "4", *ALONE, "--baseline", "random", "--run.name", "r",
        cwd=tmp_path,
    )  # fmt: skip
    assert first.code == 0
    traces = tmp_path / "outputs/r/traces.jsonl"
    kept = traces.read_text().splitlines()[:2]
    traces.write_text("\n".join(kept) + "\n")
    again = inward("eval", "--resume", "outputs/r", cwd=tmp_path)
    assert again.code == 0, again.err
    assert "4 of 4" in row(again, "rollouts ")
    ids = [e["task"]["data"]["id"] for e in episodes(tmp_path / "outputs/r")]
    assert len(set(ids)) == len(ids) == 4


def test_help_and_a_wrong_command(tmp_path):
    assert "inward eval ENV" in inward("--help", cwd=tmp_path).out
    assert "--baseline NAME" in inward("eval", "--help", cwd=tmp_path).out
    done = inward("evla", cwd=tmp_path)
    assert (done.code, "no command 'evla'" in done.err) == (2, True)
    assert inward("show", "nowhere", cwd=tmp_path).code == 2


def test_the_retrieval_commands_are_there(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    listed = inward("cache", "list", cwd=tmp_path)
    assert (listed.code, "0 indexes" in listed.out) == (0, True)
    assert inward("cache", "clear", cwd=tmp_path).code == 0
    report = inward("retrieval-report", "nowhere.jsonl", cwd=tmp_path)
    assert (report.code, "nowhere.jsonl" in report.err) == (2, True)

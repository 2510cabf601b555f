"""What `inward eval` makes of a run: statuses, reports, resumes. Play itself is a stand-in that
writes the episodes which verifiers would have written."""

import json
import logging
import re
from pathlib import Path

import pytest
from cli import rollouts as make
from inward_chat.verifiers_compat import write_config
from support.runs import call

from inward import endpoint, evaluate, verifiers_runs
from inward.eval_plugin import EvalPlugin
from inward.watch import KINDS, Warnings, _Counter

MODEL = ("-m", "org/model[v2]", "--client.base-url", "http://127.0.0.1:1/v1")


def unanswered():
    """As quality-rag scores a reply that is not in its format."""
    found = make.episode(0)
    found["traces"][0]["metrics"]["answered"] = 0.0
    return found


FAILED = make.episode(1, ok=False, errors=[make.error("E", "upstream 503: busy")])


@pytest.fixture
def play(monkeypatch, tmp_path):
    """play(*episodes, then=exception): what the next run does."""
    plan = []

    def stand_in(config, folder, warnings, *, dashboard):
        episodes, then = plan.pop(0)
        if not config.resume:
            write_config(config, folder)
        with (folder / "traces.jsonl").open("a") as file:
            file.writelines(json.dumps(e) + "\n" for e in episodes)
        if then is not None:
            raise then

    monkeypatch.setattr(endpoint, "check", lambda url: None)
    monkeypatch.setattr(verifiers_runs, "play", stand_in)
    return lambda *episodes, then=None: plan.append((episodes, then))


def inward(*words, cwd):
    return call("inward", "eval", *words, cwd=cwd)


def begin(cwd, *words):
    return inward("quality-rag", *MODEL, "--run.name", "r", *words, cwd=cwd)


@pytest.mark.parametrize(
    ("episodes", "then", "code", "says"),
    [
        ([], None, 2, "no rollout was played: the taskset, as selected, holds no task"),
        ([], ValueError("no such file: 'x'\nat all"), 2, "eval: no such file: 'x' at all (add -v"),
        ([], SystemExit("cannot go on"), 2, "cannot go on"),
        ([FAILED], None, 1, "1 rollouts failed and are not scored; complete them with: inward eval"
            " --resume outputs/r"),
        ([make.episode(0), FAILED], ValueError("no teardown"), 1, "ended early: no teardown"),
        ([make.episode(0)], KeyboardInterrupt(), 130, "interrupted; complete it with: inward eval"
            " --resume outputs/r"),
        ([], KeyboardInterrupt(), 130, "--resume outputs/r"),
        ([make.episode(0, reward=float("nan"))], None, 1, "1 rollouts failed and are not scored;"
            " the reward of 1 is no number, and they are not played again: mend the reward"),
        ([unanswered()], None, 1, "none of 1 rollouts gave an answer in the format"),
    ],
)  # fmt: skip
def test_the_status_says_whether_anything_was_played(tmp_path, play, episodes, then, code, says):
    play(*episodes, then=then)
    done = begin(tmp_path)
    assert done.code == code, done.err
    assert says in done.out + done.err
    assert "Traceback" not in done.out + done.err


def test_a_seat_that_gives_no_answers_misses_no_format(tmp_path, play):
    """An advisor's traces have none of the taskset's metrics."""
    play(make.episode(0))
    assert begin(tmp_path).code == 0


def test_everything_scored_is_0(tmp_path, play):
    answered = make.episode(0)
    answered["traces"][0]["metrics"]["answered"] = 1.0
    play(answered)
    done = begin(tmp_path)
    assert done.code == 0
    assert "quality-rag · org/model[v2]" in done.out
    assert "report: outputs/r/report.html" in done.out
    assert (tmp_path / "outputs/r/report.html").is_file()
    assert re.search(r"inward [\d.]+, verifiers 0\.4", done.err)
    assert re.search(r"versions .* inward [\d.]+ · verifiers 0\.4", done.out)


@pytest.mark.parametrize("verbose", [False, True])
def test_a_report_that_fails_does_not_say_that_nothing_was_played(
    tmp_path, play, monkeypatch, verbose
):
    broken = EvalPlugin(baselines={"x": lambda seed: dict}, columns=[("x", lambda trace: 1 / 0)])
    monkeypatch.setattr(evaluate.eval_plugin, "find", lambda env_id: broken)
    play(make.episode(0))
    done = begin(tmp_path, *["-v"] * verbose)
    assert done.code == 1
    assert "the run was played, its report failed: division by zero" in done.err
    assert "traces: outputs/r/traces.jsonl" in done.err
    assert ("Traceback" in done.err) == verbose


def test_a_page_that_cannot_be_written_is_a_warning_and_ends_nothing(tmp_path, play):
    play(make.episode(0), FAILED)
    begin(tmp_path)
    page = tmp_path / "outputs/r/report.html"
    page.unlink()
    page.mkdir()
    play(make.episode(1, start=9.0))
    done = inward("--resume", "outputs/r", "--json", cwd=tmp_path)
    document = json.loads(done.out)
    assert (document["report"], document["rollouts"]["played_now"]) == (None, 1)
    assert done.err.count("warning: no HTML report was written: ") == 1


def test_json_is_all_of_stdout(tmp_path, play):
    play(make.episode(0), FAILED)
    done = begin(tmp_path, "--json")
    document = json.loads(done.out)
    assert done.code == document["status"] == 1
    assert document["model"] == "org/model[v2]"
    assert document["rollouts"] == {"scored": 1, "failed": 1, "unreadable": 0, "played_now": 2}
    assert document["failures"] == [{"cause": "E: upstream 503: busy", "count": 1}]


@pytest.mark.parametrize("words", [[], ["--output-dir", "there"], ["-o", "/{}/deep/er"]])
@pytest.mark.parametrize("named", [True, False])
def test_a_run_of_a_file_is_found_where_it_was_played(tmp_path, play, words, named):
    text = 'model = "m"\noutput_dir = "elsewhere"\n[env.taskset]\nid = "quality-rag"\n'
    (tmp_path / "f.toml").write_text(text + ('[run]\nname = "r"\n' if named else ""))
    play(unanswered())
    done = inward("@", "f.toml", *(w.format(tmp_path) for w in words), cwd=tmp_path)
    assert done.code == 1, done.err  # no answer in the format
    [traces] = tmp_path.rglob("traces.jsonl")
    assert (tmp_path / re.search(r"traces: (.*)", done.out)[1]).resolve() == traces


@pytest.mark.parametrize("how", ["relative", "absolute", "moved", "dot", "trailing"])
def test_a_run_is_resumed_from_anywhere(tmp_path, play, monkeypatch, how):
    play(make.episode(0), FAILED)
    begin(tmp_path)
    folder, cwd = tmp_path / "outputs/r", tmp_path / "outputs"
    if how == "moved":
        folder = folder.rename(tmp_path / "kept")
    if how == "dot":
        cwd = folder
    named = {"relative": "r", "dot": ".", "trailing": f"{folder}/"}.get(how, str(folder))
    play(make.episode(1, start=9.0))
    done = inward("--resume", named, "--json", "-c", "3", cwd=cwd)
    document = json.loads(done.out)
    assert document["rollouts"]["played_now"] == 1
    assert (cwd / document["traces"]).resolve() == (folder / "traces.jsonl").resolve()
    assert not (cwd / "outputs").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["-n", "3"], "played as it was begun, and select differs"),
        (["-m", "other"], "and model differs"),
        (["--env.taskset.split", "sample"], "and env differs"),
        (["quality-rag"], "drop 'quality-rag'"),
        (["--baseline", "random"], "and model differs"),
    ],
)
def test_a_resumed_run_is_played_as_it_was_begun(tmp_path, play, words, says):
    play(FAILED)
    begin(tmp_path)
    done = inward("--resume", "outputs/r", *words, cwd=tmp_path)
    assert (done.code, len(done.err.splitlines())) == (2, 1)
    assert says in done.err


def test_a_resumed_run_may_be_played_otherwise(tmp_path, play):
    play(FAILED)
    begin(tmp_path)
    for words in (["-v"], ["--no-rich"], ["-c", "1"], ["--client.base-url", "http://127.0.0.1:2"]):
        play()
        assert inward("--resume", "outputs/r", *words, cwd=tmp_path).code == 1


def test_a_run_without_a_config_is_not_resumed(tmp_path):
    make.write(tmp_path / "run", make.episode())
    done = inward("--resume", "run", cwd=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert "'run' is not a run directory: it holds no saved config" in done.err


def record(text):
    return logging.LogRecord("x", logging.WARNING, "", 0, text, None, None)


def test_each_kind_of_warning_reaches_the_user_once_and_is_counted(capsys):
    warnings = Warnings(live=True)
    for attempt in range(50):
        warnings.handle(record(f"retrying call (retry {attempt}/50) after error: upstream 503"))
    warnings.handle(record("one\x1b[31m\nof a kind"))
    assert capsys.readouterr().err == (
        "warning: retrying call (retry 0/50) after error: upstream 503\n"
        r"warning: one\x1b[31m of a kind" + "\n"
    )
    assert warnings.summary() == [
        "warning, 50 times: retrying call (retry 0/50) after error: upstream 503"
    ]
    quiet = Warnings(live=False)
    quiet.handle(record("once"))
    assert quiet.summary() == ["warning: once"]


def test_kinds_of_warnings_are_bounded():
    warnings = Warnings(live=False)
    for number in range(2 * KINDS):
        warnings.handle(record("".join(chr(97 + int(d)) for d in str(number))))
    assert len(warnings.first) == len(warnings.counts) == KINDS


def test_episodes_are_counted_without_reading_anything_twice(tmp_path):
    path = tmp_path / "traces.jsonl"
    counter = _Counter(path)
    assert counter.update() == 0
    path.write_text("a\nb\nhalf")
    assert (counter.update(), counter.offset) == (2, 8)
    with path.open("a") as file:
        file.write(" a line\n")
    assert counter.update() == 3
    Path(tmp_path / "new").write_text("kept\n")
    (tmp_path / "new").replace(path)
    assert counter.update() == 1

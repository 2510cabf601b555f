"""`inward show`, and the run directory that it reads."""

import json
import random

import pytest
from cli import rollouts as make
from support.runs import call

from inward import runs

TALK = [make.message("user", "Q"), make.message("assistant", "A")]


def show(*words, cwd):
    return call("inward", "show", *words, cwd=cwd)


def a_run(folder, order=None):
    """Two tasks of two rollouts each; one rollout failed, one episode failed before it had one."""
    episodes = [
        make.episode(0, start=1.0, messages=TALK),
        make.episode(
            0, start=2.0, ok=False, messages=TALK[:1],
            errors=[make.error("ProviderError", "upstream 503: busy")],
        ),
        make.episode(1, start=1.5, messages=[TALK[0], make.message("assistant", "of task 1")]),
        make.episode(1, ok=False, traces=[], errors=[make.error("EnvError", "never began")]),
    ]  # fmt: skip
    return make.write(folder, *(episodes if order is None else [episodes[n] for n in order]))


def test_k_is_the_same_rollout_in_whatever_order_they_ended(tmp_path):
    expected = ["e0-1.0-1", "e0-2.0-1", "e1-1.5-1", "e1-0.0-0"]
    for seed in range(5):
        order = random.Random(seed).sample(range(4), 4)
        run = runs.read(a_run(tmp_path / str(seed), order))
        assert [rollout.episode.id for rollout in run.rollouts] == expected


@pytest.mark.parametrize(
    ("number", "says"),
    [
        (0, ["rollout 0 of 4 · task 0 · task-0 · scored", "── assistant ─", "\nA\n", "reward 1"]),
        (1, ["failed, not scored", "── errors ─", "ProviderError: upstream 503: busy"]),
        (2, ["task-1", "of task 1"]),
        (3, ["failed, not scored", "EnvError: never began"]),
    ],
)
def test_failed_rollouts_are_shown_with_their_errors(tmp_path, number, says):
    done = show(a_run(tmp_path / "run"), number, cwd=tmp_path)
    assert done.code == 0, done.err
    for text in says:
        assert text in done.out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["nowhere"], r"no folder 'nowhere'"),
        (["empty"], r"no traces.jsonl in 'empty'"),
        (["begun"], r"the run in 'begun' holds no rollouts"),
        (["run", "4"], r"no rollout 4: the run has 4, from 0"),
        (["run", "-1"], r"no rollout -1"),
        (["run", "two"], r"invalid int value: 'two'"),
        (["run", "0", "1"], r"unrecognized arguments: 1"),
        ([], r"required: RUN_DIR"),
    ],
)
def test_a_mistake_is_told_in_one_line(tmp_path, words, says):
    (tmp_path / "empty").mkdir()
    make.write(tmp_path / "begun")
    a_run(tmp_path / "run")
    done = show(*words, cwd=tmp_path)
    assert (done.code, done.out, len(done.err.splitlines())) == (2, "", 1)
    assert says in done.err


def test_control_characters_do_not_reach_the_terminal(tmp_path):
    hostile = "\x1b[2J\x1b]0;title\x07\rred\x9b31m \u202egnp\tkept"
    messages = [
        make.message("user", hostile),
        make.message("assistant", hostile, reasoning_content=hostile, tool_calls=[
            {"id": "1", "name": hostile, "arguments": hostile}]),
    ]  # fmt: skip
    make.write(tmp_path / "run", make.episode(
        messages=messages, ok=False, errors=[make.error("E", hostile)]))  # fmt: skip
    done = show("run", cwd=tmp_path)
    assert done.code == 0, done.err
    assert not set(done.out) & set("\x1b\x07\r\x9b\u202e")
    assert done.out.count(r"\x1b[2J\x1b]0;title\x07\rred\x9b31m \u202egnp" + "\tkept") == 6


@pytest.mark.parametrize(
    "torn",
    [
        '{"id": "e9", "tra',
        '{"id": 3}\n',
        "\udcff".encode("utf-8", "surrogateescape").decode("latin-1"),
    ],
)
def test_a_torn_line_is_counted_and_named(tmp_path, torn):
    make.write(tmp_path / "run", make.episode(messages=TALK), torn=torn)
    done = show("run", "0", cwd=tmp_path)
    assert done.code == 0
    assert "1 unreadable in run/traces.jsonl (line 2)" in done.err


def test_every_rollout_of_a_group_is_shown(tmp_path):
    group = [
        make.trace(0, start=float(n), agent=name, messages=[make.message("assistant", f"I am {n}")])
        for n, name in enumerate(("solver", "solver", "judge"))
    ]
    make.write(tmp_path / "run", make.episode(traces=group))
    for number, name in enumerate(("solver", "solver", "judge")):
        done = show("run", number, cwd=tmp_path)
        assert f"rollout {number} of 3" in done.out
        assert f"{name}, {number + 1} of 3 in its episode" in done.out
        assert f"I am {number}" in done.out


def test_a_rollout_as_json(tmp_path):
    done = show(a_run(tmp_path / "run"), 1, "--json", cwd=tmp_path)
    assert json.loads(done.out)["errors"][0]["message"] == "upstream 503: busy"


def test_parts_without_text_are_named(tmp_path):
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    content = [picture, {"type": "text", "text": "draw it"}]
    make.write(tmp_path / "run", make.episode(messages=[make.message("user", content)]))
    done = show("run", cwd=tmp_path)
    assert "draw it" in done.out
    assert "[image_url]" in done.out
    assert "AAAA" not in done.out

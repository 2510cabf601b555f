"""`inward show`, and the run directory that it reads."""

import base64
import io
import json
import random
import re

import pytest
from chart_spec.eval_plugin import CONSTANT
from cli import rollouts as make
from PIL import Image
from support.runs import call

from inward import runs
from inward.sheet import CAPTION, GAP, MAX_ROLLOUTS, SIDE, write_sheet
from inward.why import MAX_LINES

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


def test_why_the_reward_is_what_it_is(tmp_path):
    episode = make.episode(messages=TALK, reward=0.5)
    [trace] = episode["traces"]
    trace["rewards"] = {
        "correct": {"score": 1.0}, "entropy": {"score": 0.5, "weight": 0.2}, "judged": None
    }  # fmt: skip
    trace["task"]["data"] |= {"answer": "42", "options": ["a", "b"], "truth": {"rows": "x" * 999}}
    trace["info"] = {"parsed": "41", "entropy": {"measurement": {"raw": 1.5}, "unmeasured": None}}
    make.write(tmp_path / "run", episode)
    done = show("run", cwd=tmp_path)
    for line in (
        "correct 1", "entropy 0.5 x weight 0.2 = 0.1", "judged: not scored", "reward 1.1", "m 1",
        "answer: 42", 'options: ["a", "b"]', "parsed: 41", "entropy.measurement.raw: 1.5",
    ):  # fmt: skip
        assert f"\n{line}\n" in done.out, line
    assert re.search(r"\ntruth: .{300}… \(\d+ characters more\)\n", done.out)
    assert "unmeasured" not in done.out
    assert "prompt: " not in done.out


def test_what_scoring_left_is_clipped(tmp_path):
    episode = make.episode(messages=TALK)
    episode["traces"][0]["info"] = {f"k{n}": n for n in range(100)} | {"\x1b[1m": "\x1b[2J"}
    make.write(tmp_path / "run", episode)
    out = show("run", cwd=tmp_path).out
    assert out.count("\nk") == MAX_LINES
    assert "… (41 lines more: --json)" in out
    assert "\x1b" not in out


def picture(color, size=(40, 20)):
    file = io.BytesIO()
    Image.new("RGB", size, color).save(file, "PNG")
    return file.getvalue()


def with_picture(idx, url, reply="A", **more):
    content = [
        {"type": "image_url", "image_url": {"url": url}},
        {"type": "text", "text": "draw it"},
    ]
    talk = [make.message("user", content), make.message("assistant", reply)]
    return make.episode(idx, messages=talk, **more) | {"env": {"id": "chart-spec"}}


def url_of(png):
    return "data:image/png;base64," + base64.b64encode(png).decode()


def test_a_sheet_shows_each_original_beside_its_drawing(tmp_path):
    drawn = "```json\n" + json.dumps(CONSTANT) + "\n```"
    make.write(
        tmp_path / "run",
        with_picture(0, url_of(picture("red")), drawn),
        with_picture(1, url_of(picture("blue")), "no specification"),
        with_picture(2, "https://example.com/x.png"),
        with_picture(3, url_of(b"no picture"), ok=False, errors=[make.error("E", "x")]),
    )
    done = show("run", "--sheet", "s.png", cwd=tmp_path)
    assert done.code == 0, done.err
    assert done.out == "3 rollouts, each original beside what the reply draws: s.png\n"
    sheet = Image.open(tmp_path / "s.png")
    width = 2 * SIDE + 3 * GAP
    assert sheet.width == 3 * width
    inside = (GAP + 9, GAP + CAPTION + 9)
    assert sheet.getpixel(inside) == (255, 0, 0)
    assert sheet.getpixel((width + inside[0], inside[1])) == (0, 0, 255)
    left = [GAP + SIDE + GAP + n * width for n in range(3)]
    drawings = [sheet.crop((x, 26, x + SIDE, 26 + SIDE)) for x in left]
    # Vega's blue bars, then the two places where nothing was drawn.
    assert (76, 120, 168) in {color for _, color in drawings[0].getcolors(1 << 20)}
    assert drawings[1].tobytes() == drawings[2].tobytes() != drawings[0].tobytes()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["run", "--sheet", "s.png"], "no rollout of the run has a picture in its prompt"),
        (["run", "0", "--sheet", "s.png"], "--sheet shows the whole run: drop K and --json"),
        (["charts", "--sheet", "no/s.png"], "cannot write 'no/s.png'"),
        (["charts", "--sheet"], "argument --sheet: expected one argument"),
    ],
)
def test_a_sheet_that_cannot_be_made_is_told_in_one_line(tmp_path, words, says):
    a_run(tmp_path / "run")
    make.write(tmp_path / "charts", with_picture(0, url_of(picture("red"))))
    done = show(*words, cwd=tmp_path)
    assert (done.code, done.out, len(done.err.splitlines())) == (2, "", 1)
    assert says in done.err


def test_a_long_run_is_sampled_at_equal_distances(tmp_path):
    url = url_of(picture("red"))
    run = runs.read(make.write(tmp_path, *(with_picture(n, url) for n in range(MAX_ROLLOUTS + 5))))
    line = write_sheet(run, tmp_path / "s.png")
    assert line.startswith(f"{MAX_ROLLOUTS} rollouts of {MAX_ROLLOUTS + 5}, at equal distances")


def test_parts_without_text_are_named(tmp_path):
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    content = [picture, {"type": "text", "text": "draw it"}]
    make.write(tmp_path / "run", make.episode(messages=[make.message("user", content)]))
    done = show("run", cwd=tmp_path)
    assert "draw it" in done.out
    assert "[image_url]" in done.out
    assert "AAAA" not in done.out

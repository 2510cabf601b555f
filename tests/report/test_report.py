"""`inward report`: what is read, what it comes to, and what stands in the page."""

import base64
import hashlib
import itertools
import json
import math
import re
import tracemalloc
from pathlib import Path

import pytest
from cli import rollouts as make
from inward_statistics import Mean, paired_difference
from report import prime_rl
from report.pages import a_run, a_training, measured, read_back, talk
from support.runs import call

from inward import runs
from inward.errors import UserError
from inward.floors import Floor, Measured, save, saved
from inward.report import write_report
from inward.report.detail import MAX_MESSAGES, MAX_STRIP, MAX_TEXT
from inward.report.figures import MAX_POINTS, MAX_SERIES, curves
from inward.report.page import write
from inward.report.pairs import comparisons
from inward.report.reading import find
from inward.report.sections import read
from inward.report.spool import MAX_SPOOL, Spool
from inward.summary import Played, as_json, summarise


def reading(folder):
    return read(find(folder), folder.name, lambda size: None)


def page(folder, room=MAX_SPOOL, **more):
    file = folder / "page.html"
    with Spool(room) as spool:
        readings = [read(find(folder), folder.name, lambda size: None, spool)]
        pairs = comparisons(readings)
        return file, write(file, readings, pairs, spool, lambda rows: None, **more)


def test_the_figures_are_those_of_the_table(tmp_path):
    folder = a_run(tmp_path / "run")
    run = runs.read(folder)
    whole = as_json(
        summarise(run, None, environment="", model="", traces=folder, played=Played(17, 1.0)), 0
    )
    [section] = reading(folder).sections
    for name in ("scores", "trainability", "tokens", "failures", "notes"):
        assert section[name] == whole[name], name
    assert section["rollouts"] == {"scored": 16, "failed": 1, "unreadable": 0}
    assert section["mean_reward"] == 0.5
    low, high = section["reward_interval"]
    assert 0 <= low < 0.5 < high <= 1
    titles = [figure["title"] for figure in section["figures"]]
    assert titles == ["Reward", "Length against reward"]
    assert sum(section["figures"][0]["series"][0]["counts"]) == 16


def test_figures_of_an_environment_that_is_known(tmp_path):
    """Right and wrong, by an environment's own headline; searches against it."""
    episodes = []
    for n in range(12):
        episode = measured(
            make.episode(n % 3, start=float(n), messages=talk(calls=["x"] * (n % 2))),
            tokens=100 + n,
        )
        episode["env"] = {"id": "quality-rag"}
        episode["traces"][0]["rewards"] = {"correct": {"score": float(n % 2)}}
        episodes.append(episode)
    [section] = reading(make.write(tmp_path / "run", *episodes)).sections
    figures = {figure["title"]: figure for figure in section["figures"]}
    bars = figures["Score by number of tool calls"]["bars"]
    assert [(bar["x"], bar["mean"], bar["count"]) for bar in bars] == [("0", 0, 6), ("1", 1, 6)]
    assert figures["Score by number of tool calls"]["chance"] == 0.25
    right, wrong = figures["Length of right and wrong rollouts"]["series"]
    assert (right["mean"], wrong["mean"]) == (106, 105)


def test_every_rollout_is_in_the_page_with_its_messages(tmp_path):
    folder = a_run(tmp_path / "run", torn='{"id": "half')
    file, written = page(folder)
    index, rollouts = read_back(file)
    assert (written.shown, written.total, len(rollouts)) == (17, 17, 17)
    assert index["runs"][0]["unreadable"] == {"count": 1, "lines": ["traces.jsonl:18"]}
    shown = rollouts["t0-2.0-agent"]
    assert [m["role"] for m in shown["messages"]] == [
        "system", "user", "assistant", "tool", "assistant", "tool", "assistant",
    ]  # fmt: skip
    assert shown["messages"][2]["calls"][0]["arguments"] == '{"query": "x"}'
    assert shown["why"]["rewards"] == ["reward 1", "reward 1"]
    failed = index["rows"]["status"].index("failed")
    assert rollouts[index["rows"]["id"][failed]]["errors"][0]["message"] == "upstream 503: busy"
    # K is that of `inward show`.
    order = [rollout.trace.id for rollout in runs.read(folder).rollouts]
    assert [order[k] for k in index["rows"]["k"]] == index["rows"]["id"]


def test_the_same_run_gives_the_same_page(tmp_path):
    folder = a_run(tmp_path / "run")
    first = write_report(folder).read_bytes()
    assert write_report(folder).read_bytes() == first
    assert {path.name for path in folder.iterdir()} == {"traces.jsonl", "report.html"}


def test_what_is_read_again_is_what_was_kept(tmp_path):
    """All rollouts kept while they are read, none of them, and the first few."""
    png = "data:image/png;base64,iVBORw0KGgo="
    folder = a_run(tmp_path / "run", torn="{")
    picture = [{"type": "image_url", "image_url": {"url": png}}]
    for episode in (
        make.episode(7, messages=[make.message("user", picture), make.message("assistant", "a")]),
        make.episode(8, messages=talk("half a character \ud800")),
        make.episode(9, traces=[make.trace(9, agent=name, messages=talk()) for name in "ab"]),
    ):
        with (folder / "traces.jsonl").open("a") as file:
            file.write(json.dumps(episode) + "\n")
    pages = [page(folder, room)[0].read_bytes() for room in (MAX_SPOOL, 0, 9_000)]
    assert pages[0] == pages[1] == pages[2]


def test_nothing_of_a_policy_is_markup_and_only_our_scripts_may_run(tmp_path):
    hostile = "</script><script>alert(1)</script><img src=x onerror=alert(1)>"
    episode = make.episode(
        0, messages=talk(hostile, thinking=hostile, calls=[hostile], result=hostile)
    )
    episode["task"]["data"]["id"] = hostile
    folder = make.write(tmp_path / "run", episode)
    file, _ = page(folder)
    text = file.read_text("utf-8")
    assert "alert(1)" not in text
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1]
    assert policy.startswith("default-src &#x27;none&#x27;; script-src ")
    for body in re.findall(r"<script>(.*?)</script>", text, re.DOTALL):
        digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
        assert f"sha256-{digest}" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    [shown] = read_back(file)[1].values()
    assert shown["messages"][-1]["text"] == hostile


def test_a_reward_that_is_no_number_is_shown_as_a_failure(tmp_path):
    episodes = [make.episode(n, reward=reward) for n, reward in enumerate((1.0, math.nan))]
    write_report(make.write(tmp_path / "run", *episodes))
    index, _ = read_back(tmp_path / "run/report.html")
    assert index["runs"][0]["sections"][0]["rollouts"] == {
        "scored": 1, "failed": 1, "unreadable": 0
    }  # fmt: skip
    assert "NonFiniteReward: the reward is nan: reward=nan" in json.dumps(index)


def test_pictures_travel_once_and_only_raster_ones_are_shown(tmp_path):
    png = "data:image/png;base64,iVBORw0KGgo="
    parts = [
        {"type": "image_url", "image_url": {"url": url}}
        for url in (png, "data:image/svg+xml;base64,PHN2Zz4=", "https://example.org/a.png")
    ]
    asked = [make.message("user", parts), make.message("assistant", "A")]
    folder = make.write(tmp_path / "run", *(make.episode(n, messages=asked) for n in range(3)))
    file, _ = page(folder)
    text = file.read_text("utf-8")
    assert text.count("iVBORw0KGgo=") == 1
    assert "example.org" not in text
    _, rollouts = read_back(file)
    message = next(iter(rollouts.values()))["messages"][0]
    assert (len(message["pictures"]), message["other"]) == (1, ["[image_url]"] * 2)


def test_over_the_cap_failures_best_and_worst_come_first_and_it_says_so(tmp_path):
    episodes, noise = [], hashlib.sha256
    for n in range(400):
        # Text that gzip cannot make small.
        text = "".join(noise(f"{n} {part}".encode()).hexdigest() for part in range(300))
        reward = (n // 4 % 100) / 100 + n % 4
        episodes.append(
            make.episode(
                n % 4, start=float(n), reward=reward, messages=talk(text), ok=n % 100 != 50
            )
        )
    folder = make.write(tmp_path / "run", *episodes)
    file, written = page(folder, max_bytes=4_000_000)
    assert written.size <= 4_000_000
    assert 20 < written.shown < written.total == 400
    index, _ = read_back(file)
    rows = index["rows"]
    assert (index["shown"], index["total"]) == (written.shown, 400)
    assert sum(status != "scored" for status in rows["status"]) == 4
    for task in {f"task-{n}" for n in range(4)}:
        all_of = [
            e["traces"][0]["rewards"]["reward"]["score"]
            for e in episodes
            if e["task"]["data"]["id"] == task and e["ok"]
        ]
        shown = [r for t, r in zip(rows["task"], rows["reward"], strict=True) if t == task]
        kept = [value for value in shown if value is not None]
        assert (min(kept), max(kept)) == (min(all_of), max(all_of))
    # The figures are over all.
    assert index["runs"][0]["sections"][0]["rollouts"]["scored"] == 396


def test_pictures_stay_under_the_cap_too(tmp_path):
    """A rollout whose pictures do not fit is left out, and smaller ones are not."""

    def message(n, size):
        noise = b"".join(hashlib.sha256(f"{n} {k}".encode()).digest() for k in range(size // 32))
        url = f"data:image/png;base64,{base64.b64encode(noise).decode()}"
        return {
            "role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]
        }  # fmt: skip

    large = make.episode(0, ok=False, messages=[message(n, 1_400_000) for n in range(4)])
    small = [make.episode(n, messages=[message(n + 9, 100_000)]) for n in range(1, 5)]
    file, written = page(make.write(tmp_path / "run", large, *small), max_bytes=4_000_000)
    assert written.size <= 4_000_000
    assert (written.shown, written.total) == (4, 5)
    _, rollouts = read_back(file)
    assert all(len(found["messages"][0]["pictures"]) == 1 for found in rollouts.values())


def test_enormous_texts_and_endless_conversations_are_cut_and_say_so(tmp_path):
    long = make.episode(0, messages=talk("x" * (MAX_TEXT + 5)))
    many = make.episode(
        1, messages=[make.message("user", f"m{n}") for n in range(MAX_MESSAGES + 7)]
    )
    file, _ = page(make.write(tmp_path / "run", long, many))
    _, rollouts = read_back(file)
    assert rollouts["t0-0.0-agent"]["messages"][-1]["text"].endswith("… (5 characters more)")
    shown = rollouts["t1-0.0-agent"]
    assert (len(shown["messages"]), shown["left_out"]) == (MAX_MESSAGES, 7)
    assert shown["messages"][-1]["text"] == f"m{MAX_MESSAGES + 6}"


def test_text_that_is_no_unicode_is_kept(tmp_path):
    folder = tmp_path / "run"
    make.write(folder, make.episode(0, messages=talk("a\udc00b\x00c")))
    file, _ = page(folder)
    _, rollouts = read_back(file)
    assert rollouts["t0-0.0-agent"]["messages"][-1]["text"] == "a\udc00b\x00c"


def test_values_of_tokens_come_as_a_strip(tmp_path):
    episode = make.episode(0, messages=talk())
    episode["traces"][0]["nodes"][-1]["logprobs"] = [-0.5] * (2 * MAX_STRIP) + [-1.5] * MAX_STRIP
    file, _ = page(make.write(tmp_path / "run", episode))
    _, rollouts = read_back(file)
    strip = rollouts["t0-0.0-agent"]["messages"][-1]["strip"]
    assert (strip["kind"], strip["tokens"], len(strip["bars"])) == ("surprisal", 1200, MAX_STRIP)
    assert (strip["bars"][0], strip["bars"][-1]) == (0.5, 1.5)
    assert strip["mean"] == pytest.approx(2.5 / 3)


def test_siblings_and_layers_of_a_measured_rollout(tmp_path):
    siblings = [{"raw": raw, "tokens": 9, "dim": 4, "correct": raw > 1} for raw in (1.0, 2.0, 3.0)]
    measurement = {"layers": [4, 5], "per_layer": [1.0, 2.0]}
    info = {"entropy": {"measurement": measurement, "siblings": siblings, "index": 2}}
    episodes = [
        measured(make.episode(0, start=float(n), messages=talk()), 9, **info) for n in range(3)
    ]
    file, _ = page(make.write(tmp_path / "run", *episodes))
    index, rollouts = read_back(file)
    [panel] = rollouts["t0-0.0-agent"]["panels"]
    assert [row[4] for row in panel["rows"]] == ["-1.00", "+0.00", "+1.00"]
    assert panel["marked"] == [2]
    layers = index["runs"][0]["sections"][0]["figures"][-1]
    assert layers["lines"][0]["points"] == [[4, 1.0], [5, 2.0]]


def test_a_training_of_prime_rl_step_by_step(tmp_path):
    folder = a_training(tmp_path / "training")
    found = reading(folder)
    assert [(s["step"], s["kind"]) for s in found.sections] == [
        (1, "train"), (2, "train"), (5, "train"),
    ]  # fmt: skip
    # `all` has what `effective` has, once.
    assert [s["rollouts"]["scored"] for s in found.sections] == [12] * 3
    assert [s["mean_reward"] for s in found.sections] == [0.25, 0.5, 1.0]
    assert found.curves == {"reward/mean": [[n, n / 10] for n in range(6)]}
    assert found.broken.named == [str(folder / "metrics.jsonl:7")]
    # Task 0 of each step was trained on, with an advantage.
    assert {row.task for row in found.rows if row.advantage is not None} == {"task-0"}
    assert {row.task for row in found.rows if row.flags == ("not trained on",)} == {
        "task-1", "task-2",
    }  # fmt: skip
    (folder / "rollouts/step_2/train/all/traces.jsonl").unlink()
    assert reading(folder).sections[1]["rollouts"]["scored"] == 4
    # The file is both the section and the batch now: what is torn in it counts once.
    with (folder / "rollouts/step_2/train/effective/traces.jsonl").open("a") as file:
        file.write('{"torn')
    again = reading(folder).broken
    assert (again.count, len(set(again.named))) == (2, 2)
    file, _ = page(folder)
    index, _ = read_back(file)
    # A group is what the trainer named.
    assert len(set(zip(index["rows"]["section"], index["rows"]["group"], strict=True))) == 7
    [pair] = index["comparisons"]
    difference = pair["primary"]["difference"]
    assert (pair["first"], pair["second"], difference) == ([0, 0], [0, 2], 0.75)


def test_what_prime_rl_writes_today(tmp_path):
    """Written as the source of its commit 559b447 does: see `report.prime_rl`."""
    found = reading(prime_rl.training(tmp_path / "run"))
    assert found.broken.count == 0
    sections = [(s["step"], s["kind"], s["environment"]) for s in found.sections]
    trained = [(step, "train", name) for step in (1, 2, 3) for name in prime_rl.NAMES]
    assert sections == [*trained, *((3, "eval", name) for name in prime_rl.NAMES)]
    # What failed in the orchestrator is with its environment.
    assert [s["rollouts"]["failed"] for s in found.sections] == [0, 1, 0, 1, 0, 1, 0, 0]
    assert found.curves["eval/hard/effective/agent/avg@2"] == [[3, 1.0]]
    assert found.curves["train/agg/effective/agent/reward/mean"] == [
        [1, 0.25], [2, 0.5], [3, 0.75],
    ]  # fmt: skip
    known = {row.id: row.advantage for row in found.rows if row.advantage is not None}
    assert known["easy-1-0"] == 0.75
    assert known["hard-1-1"] == -0.25  # in the batch of step 2
    assert not any(id.startswith("hard-3") for id in known)
    waiting = {row.id for row in found.rows if "not trained on" in row.flags}
    assert waiting == {f"hard-3-{n}" for n in range(4)}
    # And it keeps no step from being compared.
    prime_rl.training(tmp_path / "again")
    steps = [str(tmp_path / name / "rollouts" / "step_1") for name in ("run", "again")]
    done = call("inward", "compare", *steps, cwd=tmp_path)
    assert done.code == 0, done.err
    _, rollouts = read_back(page(tmp_path / "run")[0])
    assert rollouts["easy-1-0"]["messages"][-1]["strip"]["bars"] == [0.25, 0.75]


def test_a_number_that_no_float_holds_is_no_point():
    assert curves([{"step": 1, "m": 10**400, "n": 2}]).shown == {"n": [[1, 2.0]]}


def test_long_logs_of_many_names_are_thinned_and_say_so(tmp_path):
    rows = [{"step": step, **{f"m{n}": step for n in range(3)}} for step in range(20 * MAX_POINTS)]
    found = curves(rows)
    points = found.shown["m2"]
    assert len(points) <= MAX_POINTS
    assert points[-1] == [20 * MAX_POINTS - 1] * 2
    gaps = [b[0] - a[0] for a, b in itertools.pairwise(points)]
    assert max(gaps) <= 64
    assert points[0][0] < max(gaps)
    many = curves([{"step": 1, **{f"m{n}": 1.0 for n in range(MAX_SERIES + 3)}}])
    assert (len(many.shown), many.left_out) == (MAX_SERIES, 3)


def test_chance_floors_and_baselines_stand_beside_the_score(tmp_path):
    def episode(n):
        found = make.episode(n, messages=talk())
        found["env"] = {"id": "quality-rag"}
        found["traces"][0]["rewards"] = {"correct": {"score": float(n % 2)}}
        return found

    folder = make.write(tmp_path / "run", *(episode(n) for n in range(8)))
    [section] = reading(folder).sections
    assert section["scores"][0]["chance"] == 0.25
    assert section["published"]["keyword-reader, 36 real stories"] == 0.306
    assert (section["floors"], section["noise_floor"]) == (None, None)
    floors = [
        Floor("empty", Mean(0.125, 0.01, 0.4, 8, 8)),
        Floor("noise", Mean(0.0, math.nan, math.nan, 8, 8)),
    ]
    measured = Measured(floors, ["Above the highest floor."])
    save(measured, folder)
    assert repr(saved(folder)) == repr(measured)
    [section] = reading(folder).sections
    assert [(f["label"], f["mean"], f["interval"], f["rollouts"]) for f in section["floors"]] == [
        ("empty", 0.125, [0.01, 0.4], 8), ("noise", 0.0, None, 8),
    ]  # fmt: skip
    assert "Above the highest floor." in section["notes"]
    (folder / "floors.json").write_text('{"floors": 3}')
    with pytest.raises(UserError, match=r"floors.json' holds no floors of inward .*: remove it"):
        reading(folder)


def test_two_runs_are_paired_by_task(tmp_path):
    folders = []
    for name, right in (("a", (0, 0, 1, 1, 0)), ("b", (1, 1, 1, 0, 1))):
        episodes = [
            {**make.episode(n, reward=float(r), messages=talk()), "env": {"id": "other"}}
            for n, r in enumerate(right)
        ]
        more = [make.episode(9, messages=talk())] if name == "b" else []
        for episode in more:
            episode["env"] = {"id": "other"}
        folders.append(make.write(tmp_path / name, *episodes, *more))
    [pair] = comparisons([reading(folder) for folder in folders])
    want = paired_difference([1, 1, 1, 0, 1], [0, 0, 1, 1, 0], range(5))
    main = pair["primary"]
    assert (main["difference"], main["interval"]) == (want.value, [want.low, want.high])
    assert (main["tasks"], pair["unpaired"]) == (5, {"only_a": [], "only_b": ["task-9"]})
    assert pair["flipped"] == {"to_right": ["task-0", "task-1", "task-4"], "to_wrong": ["task-3"]}
    # The same that `inward compare` prints.
    done = call("inward", "compare", "a", "b", "--json", cwd=tmp_path)
    told = json.loads(done.out)
    for name in ("primary", "mcnemar", "flipped", "unpaired", "tasks", "comparison"):
        assert pair[name] == told[name], name


def test_what_is_held_does_not_grow_with_the_texts(tmp_path):
    """Twenty megabytes of replies and token ids are read in a few."""

    def big(n):
        episode = make.episode(n, messages=talk("word " * 400_000))
        episode["traces"][0]["nodes"][-1] |= {"token_ids": [7] * 5_000, "mask": [True] * 5_000}
        return episode

    folder = make.write(tmp_path / "run", *(big(n) for n in range(10)))
    assert (folder / "traces.jsonl").stat().st_size > 20_000_000
    reading(a_run(tmp_path / "first"))  # what is loaded once
    tracemalloc.start()
    found = reading(folder)
    held, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(found.rows) == 10
    assert held < 1_000_000
    assert peak < 15_000_000


def test_the_command_writes_the_file_and_prints_the_figures(tmp_path):
    folder = a_run(tmp_path / "run", torn="{")
    done = call("inward", "report", "run", cwd=tmp_path)
    assert (done.code, done.out) == (0, "run/report.html\n"), done.err
    assert "17 of 17 rollouts" in done.err
    assert "1 unreadable line (run/traces.jsonl:18)" in done.err
    other = a_run(tmp_path / "other", tasks=3)
    done = call("inward", "report", folder, other, "-o", "two.html", cwd=tmp_path)
    assert (done.code, done.out) == (0, "two.html\n")
    assert {run["name"] for run in read_back(tmp_path / "two.html")[0]["runs"]} == {"run", "other"}
    done = call("inward", "report", folder, "--json", cwd=tmp_path)
    found = json.loads(done.out)
    assert found["runs"][0]["sections"][0]["rollouts"]["scored"] == 16
    assert found["comparisons"] == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nowhere"], "no folder 'nowhere': name a run directory"),
        (["empty"], "'empty' is no run directory: it holds neither traces.jsonl, nor"),
        (["run", "-o", "no/such.html"], "no folder 'no': --output names a file in a folder"),
        (["run", "-o", "empty"], "cannot write 'empty': "),
        (["torn"], "the run in 'torn' holds no rollouts: 1 unreadable line (torn/traces.jsonl:1)"),
        (
            ["run", "torn", "--json"],
            "the run in 'torn' holds no rollouts: 1 unreadable line (torn/traces.jsonl:1)",
        ),
        ([], "the following arguments are required: RUN_DIR"),
    ],
)
def test_a_mistake_is_told_in_one_line(tmp_path, words, message):
    (tmp_path / "empty").mkdir()
    make.write(tmp_path / "torn", torn="{bad")
    a_run(tmp_path / "run", tasks=1)
    done = call("inward", "report", *words, cwd=tmp_path)
    assert done.code == 2
    assert done.err.startswith(f"inward report: {message}")
    assert done.err.count("\n") == 1
    assert list(Path(tmp_path).glob("**/.*")) == []

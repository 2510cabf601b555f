"""What the words of a command line come to, before anything is played."""

import io
import os
import subprocess
import sys
from contextlib import redirect_stdout

import pytest
from cli import rollouts as make
from inward_chat.verifiers_compat import EvalConfig, output_path
from support.runs import SCRIPTS, call

from inward.cli import main
from inward.eval_plugin import EvalPlugin
from inward.verifiers_runs import parse

FILE = """
[env.taskset]
id = "quality-rag"
split = "dev"
"""


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_without_a_model_the_first_baseline_plays_the_default_data():
    config = parse(["quality-rag"])
    assert config.model == "baseline/keyword-reader"
    assert (config.env.taskset.split, config.push) == ("sample", False)
    assert parse(["chart-spec"]).select.limit == 44


@pytest.mark.parametrize(
    ("words", "split"),
    [
        (["quality-rag", "-m", "baseline/random"], "sample"),
        (["quality-rag", "--env.taskset.split", "train"], "train"),
        (["@", "f.toml"], "dev"),
        (["@", "f.toml", "--env.taskset.split", "train"], "train"),
        (["quality-rag", "-m", "x"], "dev"),
        (["quality-rag", "--env.taskset.path", "rows.jsonl"], "dev"),
    ],
)
def test_the_default_data_gives_way(tmp_path, words, split):
    (tmp_path / "f.toml").write_text(FILE)
    (tmp_path / "rows.jsonl").write_text("")
    assert parse(words).env.taskset.split == split


@pytest.mark.parametrize(
    ("extra", "words", "folder"),
    [
        ('output_dir = "there"\n', ["@", "f.toml"], r"there/quality-rag--"),
        ('[run]\nname = "r"\n', ["@", "f.toml"], r"outputs/r"),
        ('[run]\nname = "r"\ndir = "d"\n', ["@", "f.toml"], r"outputs/d"),
        ('[run]\nname = "r"\n', ["@", "f.toml", "--run.name", "s"], r"outputs/s"),
        ('output_dir = "there"\n', ["@", "f.toml", "-o", "here"], r"here/"),
        ("", ["@", "f.toml", "--output-dir", "/tmp/x", "--run.name", "r"], r"/tmp/x/r"),
        ("push = true\n", ["quality-rag", "@", "f.toml"], r"outputs/"),
    ],
)
def test_the_folder_of_a_run_is_that_of_its_config(tmp_path, extra, words, folder):
    (tmp_path / "f.toml").write_text(extra + FILE)
    config = parse(words)
    assert str(output_path(config)).startswith(folder)
    assert config.push == ("push" in extra)
    # It is drawn at random where nobody names it: what is saved is what is played.
    assert EvalConfig.model_validate_json(config.model_dump_json()).run == config.run


def test_a_config_of_ours_is_one_of_vf_eval():
    saved = parse(["quality-rag"]).model_dump(mode="json")
    assert set(saved) == set(EvalConfig().model_dump(mode="json"))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["quality-rga"], "'quality-rga' not found"),
        (["@", "nowhere.toml"], "nowhere.toml"),
        (["@", "bad.toml"], "Invalid TOML in bad.toml"),
        (["@", "."], "Is a directory"),
        (["@"], "@ must be followed"),
        (["@", "f.toml", "quality-rag"], "Unrecognized arguments: quality-rag"),
        (["-n", "4", "quality-rag"], "name the environment first (got '-n'): inward eval quality-"),
        (["--baseline", "random"], "name the environment first"),
        (["quality-rag", "--baseline", "random", "--client.base-url", "http://x"], "drop one"),
        (["quality-rag", "-n", "0"], "-n: Input should be greater than or equal to 1"),
        (["quality-rag", "-r", "0"], "-r: Input should be greater than or equal to 1"),
        (["quality-rag", "-m"], "argument -m/--model: expected one argument"),
        (["quality-rag", "--run.nam", "x"], "--run.nam: Extra inputs are not permitted"),
        (["--resume"], "name the environment first"),
        (["--resume", "run", "quality-rag"], "is not a run directory"),
        (["quality-rag", "--env.taskset.id", "chart-spec"], "is set twice"),
    ],
)
def test_a_mistake_is_told_in_one_line(tmp_path, words, says):
    (tmp_path / "f.toml").write_text(FILE)
    (tmp_path / "bad.toml").write_text("= 3")
    done = call("inward", "eval", *words, cwd=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert says in done.err
    assert len(done.err.splitlines()) == 1
    assert not (tmp_path / "outputs").exists()


def test_a_dry_run_says_where_it_would_be_played(tmp_path):
    done = call("inward", "eval", "quality-rag", "--dry-run", "--run.name", "r", cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    assert done.out == "wrote config to outputs/r/configs/resolved/eval.json\n"
    assert (tmp_path / "outputs/r/configs/resolved/eval.json").exists()


def test_a_folder_that_holds_a_run_is_not_written_to(tmp_path):
    (tmp_path / "outputs/r").mkdir(parents=True)
    (tmp_path / "outputs/r/traces.jsonl").write_text("{}\n")
    done = call("inward", "eval", "quality-rag", "--run.name", "r", cwd=tmp_path)
    assert done.code == 2
    assert "'outputs/r' holds a run: complete it with inward eval --resume outputs/r" in done.err


@pytest.mark.parametrize(
    "words",
    [["--help"], ["eval", "--help"], ["show", "-h"], ["cache", "-h"], ["evla"], ["--version"], []],
)
def test_nothing_heavy_is_imported_to_say_what_there_is(tmp_path, words):
    code = (
        "import sys\nfrom inward.cli import main\nsys.argv = ['inward', *sys.argv[1:]]\n"
        "try:\n    main()\nexcept SystemExit: pass\n"
        "sys.exit('verifiers' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, *words], cwd=tmp_path, check=False)
    assert done.returncode == 0


@pytest.mark.slow  # its classes' sources are parsed for their docstrings: seconds of CPU time
def test_the_options_of_an_environment(tmp_path):
    done = call("inward", "eval", "quality-rag", "--help", cwd=tmp_path)
    assert done.code == 0
    for option in ("--baseline", "--env.taskset.split", "--client.base-url"):
        assert option in done.out
    # Unlike vf-eval's.
    upload = done.out.partition("--push")[2].partition("--output-dir")[0]
    assert "(default: False)" in upload
    assert "On by default" not in upload


def test_a_plug_in_names_its_options_as_a_user_would():
    plugin = EvalPlugin(
        baselines={}, columns=[],
        default_args=("--env.taskset.hard-only", "true", "--select.limit", "4"),
    )  # fmt: skip
    assert plugin.defaults() == {
        "env": {"taskset": {"hard_only": "true"}}, "select": {"limit": "4"}
    }  # fmt: skip


def show_as_a_process(folder, encoding):
    env = {**os.environ, "PYTHONIOENCODING": encoding, "LC_ALL": "C"}
    return subprocess.run(
        [SCRIPTS / "inward", "show", folder], stdout=subprocess.PIPE, env=env, check=True
    ).stdout


def show_in_here(folder, encoding):
    """As Python makes a stdout of PYTHONIOENCODING."""
    name, _, errors = encoding.partition(":")
    stream = io.TextIOWrapper(io.BytesIO(), encoding=name, errors=errors or "strict")
    with redirect_stdout(stream), pytest.raises(SystemExit) as stop:
        main(["show", str(folder)])
    assert stop.value.code == 0
    return stream.buffer.getvalue()


@pytest.mark.parametrize(
    ("encoding", "show"),
    [
        ("ascii", show_as_a_process),
        ("latin-1", show_in_here),
        ("ascii:strict", show_in_here),
        ("utf-8", show_in_here),
    ],
)
def test_a_stdout_of_any_encoding_loses_nothing(tmp_path, capfd, encoding, show):
    talk = [make.message("user", "naïve – 中文 · “x”"), make.message("assistant", "→ ok")]
    make.write(tmp_path / "run", make.episode(messages=talk))
    out = show(tmp_path / "run", encoding).decode(encoding.partition(":")[0])
    assert capfd.readouterr().err == ""
    if encoding == "utf-8":
        assert "naïve – 中文 · “x”" in out
    else:
        assert r"\u4e2d\u6587" in out
        assert r"\u201cx\u201d" in out
        assert "-> ok" in out
        assert " - " in out


@pytest.mark.parametrize(
    "words", [pytest.param(["show", "run"], marks=pytest.mark.slow), ["eval", "--help"]]
)
def test_a_reader_that_has_gone_away_is_no_error(tmp_path, words):
    make.write(tmp_path / "run", make.episode(messages=[make.message("assistant", "A")]))
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [SCRIPTS / "inward", *words],
        cwd=tmp_path, stdout=writer, stderr=subprocess.PIPE, check=False,
    )  # fmt: skip
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")

"""The commands as a user meets them: output, one clear line for what is wrong, exit status."""

import argparse
import json
from pathlib import Path

import pytest
from inward_retrieval import Bm25Config, build_retriever
from inward_retrieval.commands import add_cache, add_report
from inward_retrieval.report_sources import load

STORY = (
    "The keeper lit the lamp. A storm broke the mast of the ship. He walked home in the rain. " * 9
)
ROW = {
    "article_id": "1",
    "title": "The Keeper",
    "article": STORY,
    "questions": [
        {
            "question": "What broke?",
            "question_unique_id": "1_1",
            "options": ["the mast", "the moon", "the sun", "the wind"],
            "gold_label": 1,
            "difficult": 0,
        },
    ],
}


def run(*arguments):
    parser = argparse.ArgumentParser()
    subparsers = parser.add_subparsers(required=True)
    add_cache(subparsers)
    add_report(subparsers)
    args = parser.parse_args(list(arguments))
    return args.run(args)


def report(file, *arguments):
    return run("retrieval-report", "quality-rag", "--path", file, *arguments)


def write(tmp_path, *rows):
    file = tmp_path / "stories.jsonl"
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    file.write_text("\n".join(lines) + "\n")
    return str(file)


def test_cache_list_and_clear(capsys, cache_dir):
    assert run("cache", "list") == 0
    assert f"0 indexes, 0.0 MB, in {cache_dir}" in capsys.readouterr().out
    build_retriever({"a": STORY}, Bm25Config(chunk_words=40))
    assert run("cache", "list") == 0
    listed = capsys.readouterr().out
    assert "bm25-" in listed
    assert "chunk_words=40" in listed
    assert "2 indexes" in listed
    assert run("cache", "clear") == 0
    assert "removed 2 indexes" in capsys.readouterr().out
    assert run("cache", "list") == 0
    assert "0 indexes" in capsys.readouterr().out


def test_what_is_foreign_is_listed_and_left(capsys, cache_dir):
    """INWARD_CACHE_DIR=. in a checkout, whose retrieval/ is none of ours."""
    folder = cache_dir / "retrieval"
    (folder / "inward_retrieval").mkdir(parents=True)
    (folder / "pyproject.toml").write_text("[project]")
    (folder / f"chunks-{'0' * 32}").mkdir()
    assert run("cache", "list") == 0
    listed = capsys.readouterr().out
    assert listed.count("foreign: not an index of ours") == 3
    assert "0 indexes" in listed
    assert run("cache", "clear") == 0
    cleared = capsys.readouterr()
    assert "removed 0 indexes" in cleared.out
    assert "left pyproject.toml: foreign" in cleared.err
    build_retriever({"a": STORY}, Bm25Config(chunk_words=40))
    assert run("cache", "clear") == 0
    assert "2 foreign" in capsys.readouterr().out
    assert (folder / "inward_retrieval").is_dir()
    assert (folder / "pyproject.toml").is_file()


def a_file_above(cache_dir):
    cache_dir.write_text("no folder")


def a_file_in_its_place(cache_dir):
    cache_dir.mkdir()
    (cache_dir / "retrieval").write_text("no folder")


@pytest.mark.parametrize("spoil", [a_file_above, a_file_in_its_place])
@pytest.mark.parametrize("action", ["list", "clear"])
def test_a_cache_that_is_no_folder(capsys, cache_dir, action, spoil):
    spoil(cache_dir)
    assert run("cache", action) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"inward cache {action}: cannot read {cache_dir}")
    assert "INWARD_CACHE_DIR" in line


def test_report(capsys, tmp_path):
    file = write(tmp_path, ROW, {**ROW, "article_id": "2", "questions": []})
    arguments = ["--chunk-words", "20", "40", "--queries", "3", "--retriever", "bm25"]
    assert report(file, *arguments) == 0
    out = capsys.readouterr().out
    assert "2 documents, 1 questions" in out
    rows = [line for line in out.splitlines() if line.startswith("| bm25")]
    assert [row.split("|")[2].strip() for row in rows] == ["20", "40"]
    # The one question's right option wins, which is little evidence.
    assert "1.000 [0.055, 1.000]" in rows[0]


def test_report_takes_a_whole_config(capsys, tmp_path):
    config = '{"type": "bm25", "k1": 0.9}'
    assert report(write(tmp_path, ROW), "--retriever", config) == 0
    assert capsys.readouterr().out.count("| bm25") == 4


def test_what_is_measured_is_what_is_searched(capsys, tmp_path):
    """The environment's own text: entities and hard line breaks undone."""
    file = write(tmp_path, {**ROW, "article": STORY.replace("the mast", "the\n&quot;mast&quot;")})
    documents, questions = load("quality-rag", None, Path(file))
    [(story, text)] = documents.items()
    assert 'the "mast" of the ship' in text
    assert "\n" not in text
    assert [question.document_id for question in questions] == [story]


def test_report_without_a_file_measures_what_ships(capsys):
    assert run("retrieval-report", "quality_rag", "--chunk-words", "150", "--queries", "1") == 0
    assert "what it ships: 5 documents, 30 questions" in capsys.readouterr().out


def test_an_article_may_stand_on_several_lines(capsys, tmp_path):
    assert report(write(tmp_path, ROW, "", ROW), "--chunk-words", "40") == 0
    assert "1 documents, 2 questions" in capsys.readouterr().out


def test_a_bad_row_is_named(capsys, tmp_path):
    assert report(write(tmp_path, ROW, {**ROW, "article": 7})) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert "line 2: article: Input should be a valid string (got 7)" in line


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["other-env"], "no environment 'other-env' with documents to search (ENV: quality-rag)"),
        ([__file__], f"give the file as ENV --path {__file__}"),
        (["quality-rag", "--split", "test"], "no split 'test': there are train, dev, sample"),
    ],
)
def test_a_source_that_is_none_is_named(capsys, arguments, message):
    assert run("retrieval-report", *arguments) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert message in line


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--retriever", "sparse"], "'sparse'"),
        (["--retriever", "{"], "is not JSON"),
        (["--retriever", '{"type": "bm25", "k1": -1}'], "k1"),
        (["--chunk-words", "0"], "chunk_words"),
        (["--queries", "0"], "--queries 0"),
        (["--retriever", '{"a":' * 10_000], "is not JSON"),
        (
            ["--retriever", '{"type": "bm25", "chunk_words": 7}'],
            "give chunk_words as --chunk-words",
        ),
        (["--retriever", "bm25\nbm25"], "does not match any of the expected tags"),
        (["--retriever", '{"type": "api", "model": "m", "api_key_var": "NO_SUCH"}'], "NO_SUCH"),
    ],
)
def test_a_bad_option_is_named(capsys, tmp_path, arguments, message):
    assert report(write(tmp_path, ROW), *arguments) == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("inward retrieval-report: ")
    assert message in line


def test_no_file_and_an_empty_file(capsys, tmp_path):
    assert report(str(tmp_path / "none.jsonl")) == 2
    assert "none.jsonl" in capsys.readouterr().err
    assert report(write(tmp_path, "")) == 2
    assert "the file is empty" in capsys.readouterr().err
    assert report(write(tmp_path, {**ROW, "article": "Too short."})) == 2
    assert "no sentence of the 1 documents makes a query" in capsys.readouterr().err

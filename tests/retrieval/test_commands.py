"""The commands as a user meets them: output, one clear line for what is wrong, exit status."""

import argparse
import json

import pytest
from inward_retrieval import Bm25Config, build_retriever
from inward_retrieval.commands import add_cache, add_report

STORY = (
    "The keeper lit the lamp. A storm broke the mast of the ship. He walked home in the rain. " * 9
)
ROW = {
    "article_id": "1",
    "article": STORY,
    "questions": [
        {"question": "What broke?", "options": ["the mast", "the moon"], "gold_label": 1},
        {"question": "Who knows?", "options": ["he", "she"]},
    ],
}


def run(*arguments):
    parser = argparse.ArgumentParser()
    subparsers = parser.add_subparsers(required=True)
    add_cache(subparsers)
    add_report(subparsers)
    args = parser.parse_args(list(arguments))
    return args.run(args)


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
    assert run("retrieval-report", file, *arguments) == 0
    out = capsys.readouterr().out
    assert "2 documents, 1 questions" in out
    rows = [line for line in out.splitlines() if line.startswith("| bm25")]
    assert [row.split("|")[2].strip() for row in rows] == ["20", "40"]
    # The one question's right option wins, which is little evidence.
    assert "1.000 [0.055, 1.000]" in rows[0]


def test_report_takes_a_whole_config(capsys, tmp_path):
    config = '{"type": "bm25", "k1": 0.9}'
    assert run("retrieval-report", write(tmp_path, ROW), "--retriever", config) == 0
    assert capsys.readouterr().out.count("| bm25") == 4


def test_an_article_may_stand_on_several_lines(capsys, tmp_path):
    assert run("retrieval-report", write(tmp_path, ROW, "", ROW), "--chunk-words", "40") == 0
    assert "1 documents, 2 questions" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("{", "line 2: not JSON"),
        ("[" * 100_000, "line 2: not JSON"),
        ('{"article_id": ' + "9" * 5000 + "}", "line 2: not JSON"),
        ({**ROW, "article_id": "2", "article": "x \ud800"}, "line 2: the article holds half of a"),
        ([], "line 2: list where an article is wanted"),
        ({**ROW, "article_id": 7}, "line 2: field 'article_id' is 7, not str"),
        ({**ROW, "article": "other"}, "line 2: article_id '1' stands above with another text"),
        (
            {"article_id": "2", "article": STORY, "question": "?"},
            "line 2: field 'questions' is None",
        ),
        ({**ROW, "questions": ["?"]}, r"line 2, questions[0]: str where a question is wanted"),
        (
            {**ROW, "questions": [{"question": "?", "options": ["a", "b"], "gold_label": 0}]},
            "line 2, questions[0]: gold_label 0",
        ),
        (
            {**ROW, "questions": [{"question": "?", "options": ["a", "b"], "gold_label": True}]},
            "line 2, questions[0]: field 'gold_label' is True",
        ),
    ],
)
def test_a_bad_row_is_named(capsys, tmp_path, row, message):
    assert run("retrieval-report", write(tmp_path, ROW, row)) == 2
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
    assert run("retrieval-report", write(tmp_path, ROW), *arguments) == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("inward retrieval-report: ")
    assert message in line


def test_no_file_and_an_empty_file(capsys, tmp_path):
    assert run("retrieval-report", str(tmp_path / "none.jsonl")) == 2
    assert "none.jsonl" in capsys.readouterr().err
    assert run("retrieval-report", write(tmp_path, "")) == 2
    assert "holds no article" in capsys.readouterr().err
    assert run("retrieval-report", write(tmp_path, {**ROW, "article": "Too short."})) == 2
    assert "no sentence of the 1 documents makes a query" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\n\xe9\n", "line 2: byte 1 (0xe9) is not UTF-8"),
        (json.dumps(ROW).encode()[:-9], "line 1: not JSON"),
    ],
)
def test_what_is_no_text_is_named_by_line(capsys, tmp_path, content, message):
    file = tmp_path / "stories.jsonl"
    file.write_bytes(content)
    assert run("retrieval-report", str(file)) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert f"{file}, {message}" in line


def test_a_byte_order_mark_and_line_ends_of_windows_are_read(capsys, tmp_path):
    file = tmp_path / "stories.jsonl"
    file.write_bytes(b"\xef\xbb\xbf" + json.dumps(ROW).encode() + b"\r\n\r\n")
    assert run("retrieval-report", str(file), "--chunk-words", "40") == 0
    assert "1 documents, 1 questions" in capsys.readouterr().out

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


def test_report(capsys, tmp_path):
    file = write(tmp_path, ROW, {**ROW, "article_id": "2", "questions": []})
    arguments = ["--chunk-words", "20", "40", "--queries", "3", "--retriever", "bm25"]
    assert run("retrieval-report", file, *arguments) == 0
    out = capsys.readouterr().out
    assert "2 documents, 1 questions" in out
    rows = [line for line in out.splitlines() if line.startswith("| bm25")]
    assert [row.split("|")[2].strip() for row in rows] == ["20", "40"]
    assert "1.000 [1.000, 1.000]" in rows[0]  # the one question's right option wins


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

"""The rows, where they come from, and what is refused."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from inward_chat.downloads import PinnedFile
from math500_entropy.data import (
    FILES,
    DataError,
    digest,
    load_problems,
    math500_digests,
)

REAL = Path(__file__).parents[3] / "shared" / "data" / "math500" / "math500_test.jsonl"
needs_real = pytest.mark.skipif(not REAL.exists(), reason=f"no MATH-500 at {REAL}")
GOOD = {
    "problem": "What is 2 + 3?",
    "solution": "It is 5.",
    "answer": "5",
    "subject": "Algebra",
    "level": 1,
    "unique_id": "train/algebra/1.json",
}


def write(path: Path, *rows: dict) -> Path:
    path.write_text("\n".join(json.dumps(row) for row in rows) + "\n")
    return path


@needs_real
def test_the_published_file_is_the_pinned_one():
    assert hashlib.sha256(REAL.read_bytes()).hexdigest() == FILES["test"].digest
    problems = list(load_problems("test", REAL))
    assert len(problems) == len({problem.unique_id for problem in problems}) == 500
    assert {digest(problem.problem) for problem in problems} == math500_digests()


@needs_real
def test_nothing_of_math500_is_in_train(tmp_path, monkeypatch):
    """A train file with MATH-500 hidden in it, spaces changed: none of it comes out."""
    leaks = [problem.model_dump() for problem in load_problems("test", REAL)]
    for leak in leaks[::2]:
        leak["problem"] = leak["problem"].replace(" ", "  ") + "\n"
    file = write(tmp_path / "train.jsonl", *leaks[:250], GOOD, *leaks[250:])
    monkeypatch.setattr("inward_chat.json_lines.fetch", lambda *_, **__: file.read_bytes())
    assert [problem.unique_id for problem in load_problems("train")] == ["train/algebra/1.json"]
    # A file of the user's own is the user's own.
    assert len(list(load_problems("train", file))) == 501


def test_the_sample():
    problems = list(load_problems("sample"))
    assert len(problems) == len({problem.unique_id for problem in problems}) == 28
    assert len({problem.subject for problem in problems}) == 7
    assert {problem.level for problem in problems} == {1, 2, 3, 4, 5}
    assert not {digest(problem.problem) for problem in problems} & math500_digests()


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ({**GOOD, "answer": " "}, r"line 1: answer: .*got ' '"),
        ({**GOOD, "level": 6}, r"level: .*got 6"),
        ({**GOOD, "level": "Level 3"}, r"level: .*got 'Level 3'"),
        ({**GOOD, "subject": "Arithmetic"}, r"subject: .*got 'Arithmetic'"),
        ({key: value for key, value in GOOD.items() if key != "problem"}, "problem: Field req"),
        ([1, 2], "line 1: Input should be an object"),
    ],
)
def test_a_bad_row_is_named(tmp_path, row, complaint):
    with pytest.raises(DataError, match=complaint):
        list(load_problems("test", write(tmp_path / "rows.jsonl", row)))


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (json.dumps(GOOD).encode() + b"\n{oops\n", "line 2: Invalid JSON"),
        (b"\n\n", "is empty"),
        (b"\xff\xfe", "line 1: the file is UTF-16"),
        (json.dumps(GOOD).encode() + b"\n\xff\n", r"line 2: byte 1 \(0xff\) is not UTF-8"),
        (
            json.dumps(GOOD).encode() + b"\r\n" + json.dumps(GOOD).encode()[:-9],
            "line 2: Invalid JSON",
        ),
    ],
)
def test_bad_files_are_named(tmp_path, content, complaint):
    file = tmp_path / "rows.jsonl"
    file.write_bytes(content)
    with pytest.raises(DataError, match=complaint):
        list(load_problems("test", file))


def test_a_byte_order_mark_and_line_ends_of_windows_are_read(tmp_path):
    file = tmp_path / "rows.jsonl"
    file.write_bytes(b"\xef\xbb\xbf" + json.dumps(GOOD).encode() + b"\r\n\r\n")
    assert [problem.unique_id for problem in load_problems("test", file)] == [
        "train/algebra/1.json"
    ]


def test_a_unique_id_is_had_once(tmp_path):
    file = write(tmp_path / "rows.jsonl", GOOD, {**GOOD, "unique_id": "b"}, GOOD)
    with pytest.raises(DataError, match=r"two rows .* 'train/algebra/1\.json': drop one"):
        list(load_problems("test", file))


def test_downloads_go_where_the_user_says(tmp_path, monkeypatch):
    monkeypatch.setenv("INWARD_CACHE_DIR", str(tmp_path))
    content = json.dumps(GOOD).encode()
    pinned = PinnedFile("http://127.0.0.1:9/", hashlib.sha256(content).hexdigest())
    monkeypatch.setitem(FILES, "test", pinned)
    with pytest.raises(DataError, match=r"cannot download .*--env\.taskset\.path FILE$"):
        list(load_problems("test"))
    [folder] = (path for path in tmp_path.iterdir() if path.is_dir())
    (folder / f"test-{pinned.digest[:12]}.jsonl").write_bytes(content)
    assert [problem.unique_id for problem in load_problems("test")] == ["train/algebra/1.json"]

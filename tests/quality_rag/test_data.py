"""Loading: the real file, bad rows, and where downloads go."""

import hashlib
import json
from pathlib import Path

import pytest
from inward_chat.downloads import PinnedFile
from quality_rag.data import FILES, DataError, clean, load_questions, load_stories

SHARED = Path(__file__).parents[3] / "shared" / "data" / "quality"
REAL = SHARED / "quality_v1.0.1_htmlstripped_dev_first2.jsonl"
OTHER_SCHEMA = SHARED / "quality_dev_gutenberg_36.json"
needs_data = pytest.mark.skipif(not REAL.exists(), reason=f"QuALITY's rows are not at {SHARED}")

QUESTION = {
    "question": "Who &amp; what? ",
    "question_unique_id": "1_W_1",
    "options": ["one", "two\n", " three ", "four"],
    "gold_label": 3,
    "writer_label": 1,
    "difficult": 1,
    "validation": [{"untimed_annotator_id": "secret"}],
}
ARTICLE = {
    "article_id": "1",
    "set_unique_id": "1_W",
    "title": "A &amp; B",
    "article": "It was\n a dark\n night.\n\n\n The end &mdash; here.",
    "questions": [QUESTION],
}


def write(path, *articles):
    path.write_text("".join(json.dumps(article) + "\n" for article in articles))
    return path


def test_a_row_becomes_a_question(tmp_path):
    [question] = load_questions("dev", write(tmp_path / "q", ARTICLE))
    assert question.text == "Who & what?"
    assert question.options == ("one", "two", "three", "four")
    assert question.gold == 2
    assert question.hard
    assert question.story.title == "A & B"
    assert question.story.text == "It was a dark night.\n\nThe end — here."


def test_two_writers_share_a_story_and_another_edition_does_not(tmp_path):
    second = {**ARTICLE, "questions": [{**QUESTION, "question_unique_id": "1_X_1"}]}
    other = {**second, "article": "Another text."}
    questions = list(load_questions("dev", write(tmp_path / "q", ARTICLE, second, other)))
    assert questions[0].story == questions[1].story
    assert questions[0].story.id != questions[2].story.id
    assert len(load_stories("dev", tmp_path / "q")) == 2


@needs_data
def test_the_published_schema():
    questions = list(load_questions("dev", REAL))
    assert len(questions) == 15
    assert [q.gold for q in questions][:3] == [1, 1, 2]
    assert sum(q.hard for q in questions) == 10
    assert questions[3].options[3].endswith("played the part of a parent.")
    stories = load_stories("dev", REAL)
    assert len(stories) == 2
    assert all(len(text) > 20_000 and "\n " not in text for text in stories.values())


@needs_data
def test_another_schema_is_refused_in_one_line():
    with pytest.raises(DataError, match=r"line 1: .*The original QuALITY schema is expected") as e:
        list(load_questions("dev", OTHER_SCHEMA))
    assert "\n" not in str(e.value)


def without(row, field):
    return {key: value for key, value in row.items() if key != field}


BAD_ROWS = [
    ("question", without(ARTICLE, "title"), r"line 2: title: Field required"),
    ("no article", {**ARTICLE, "article": " "}, r"line 2: article: .*at least 1 character"),
    (
        "withheld",
        {**ARTICLE, "questions": [QUESTION, without(QUESTION, "gold_label")]},
        r"line 2: questions\[1\]\.gold_label: Field required .*test split are withheld",
    ),
    (
        "zero-based",
        {**ARTICLE, "questions": [{**QUESTION, "gold_label": 0}]},
        r"questions\[0\]\.gold_label: .*greater than or equal to 1 \(got 0\)",
    ),
    (
        "text gold",
        {**ARTICLE, "questions": [{**QUESTION, "gold_label": "3"}]},
        r"questions\[0\]\.gold_label: .*valid integer \(got '3'\)",
    ),
    (
        "three options",
        {**ARTICLE, "questions": [{**QUESTION, "options": ["a", "b", "c"]}]},
        r"questions\[0\]\.options: .*at least 4 items",
    ),
    (
        "blank option",
        {**ARTICLE, "questions": [{**QUESTION, "options": ["a", "b", "c", " "]}]},
        r"questions\[0\]\.options\[3\]: ",
    ),
]


@pytest.mark.parametrize(
    ("row", "message"), [b[1:] for b in BAD_ROWS], ids=[b[0] for b in BAD_ROWS]
)
def test_a_bad_row_is_named(tmp_path, row, message):
    path = write(tmp_path / "rows.jsonl", ARTICLE, row)
    with pytest.raises(DataError, match=message) as e:
        list(load_questions("dev", path))
    assert str(path) in str(e.value)
    assert "\n" not in str(e.value)


@pytest.mark.parametrize("content", [b"", b"\n\n", b'{"article_id": "1"', b"\xff\xfe", b"[1, 2]\n"])
def test_a_file_that_is_no_quality_file(tmp_path, content):
    path = tmp_path / "broken"
    path.write_bytes(content)
    with pytest.raises(DataError, match="broken"):
        list(load_questions("dev", path))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xe9\n", r"line 2: byte 1 \(0xe9\) is not UTF-8"),
        (json.dumps(ARTICLE).encode()[:-99], "line 2: Invalid JSON"),
    ],
)
def test_a_bad_line_of_bytes_is_named(tmp_path, content, message):
    path = tmp_path / "broken"
    path.write_bytes(json.dumps(ARTICLE).encode() + b"\r\n" + content)
    with pytest.raises(DataError, match=f"broken, {message}") as e:
        list(load_questions("dev", path))
    assert "\n" not in str(e.value)


def test_a_byte_order_mark_and_line_ends_of_windows_are_read(tmp_path):
    path = tmp_path / "q"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(ARTICLE).encode() + b"\r\n\r\n")
    assert [question.id for question in load_questions("dev", path)] == ["1_W_1"]


def test_clean_keeps_paragraphs():
    assert clean(" a\n b \n\n \n\n c&amp;d\n") == "a b\n\nc&d"


def test_downloads_go_where_the_user_says(tmp_path, monkeypatch):
    monkeypatch.setenv("INWARD_CACHE_DIR", str(tmp_path))
    content = json.dumps(ARTICLE).encode()
    blob = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
    pinned = PinnedFile("http://127.0.0.1:9/dev.jsonl", blob, "git-blob")
    monkeypatch.setitem(FILES, "dev", pinned)
    with pytest.raises(DataError, match=r"cannot download .*--env\.taskset\.path FILE$"):
        list(load_questions("dev"))
    (tmp_path / "quality" / "dev.jsonl").write_bytes(content)
    assert [question.id for question in load_questions("dev")] == ["1_W_1"]

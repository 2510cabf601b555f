"""The sample split is real data: its shape, its evidence and its balance are checked here.

`sample_notes.json` names, for every question, the words of the story that decide it. It lives with
the tests, outside the package, so that nothing a rollout can reach holds it.
"""

import json
import re
import unicodedata
from collections import Counter
from itertools import chain, pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "environments" / "quality_rag" / "quality_rag"
SAMPLE = PACKAGE / "data" / "sample.jsonl"
NOTES = Path(__file__).with_name("sample_notes.json")
ORIGINAL = ROOT.parent / "shared" / "data" / "quality"
ORIGINAL_LINES = ORIGINAL / "quality_v1.0.1_htmlstripped_dev_first2.jsonl"

ARTICLE_TYPES = {
    "article_id": str,
    "set_unique_id": str,
    "batch_num": str,
    "writer_id": str,
    "source": str,
    "title": str,
    "year": int,
    "author": str,
    "topic": str,
    "article": str,
    "questions": list,
    "url": str,
    "license": str,
}
QUESTION_TYPES = {
    "question": str,
    "question_unique_id": str,
    "options": list,
    "writer_label": int,
    "gold_label": int,
    "validation": list,
    "speed_validation": list,
    "difficult": int,
}
# Words of story between the two quotes of a question that needs both: more than one search result.
APART = 300

REFERS_TO_OPTIONS = re.compile(
    r"\b(both|neither) [A-D] (and|nor) [A-D]\b|\b(all|none) of the above\b", re.IGNORECASE
)

STORIES = [json.loads(line) for line in SAMPLE.read_text(encoding="utf-8").splitlines()]
QUESTIONS = [(story, question) for story in STORIES for question in story["questions"]]
EVIDENCE = json.loads(NOTES.read_text(encoding="utf-8"))["questions"]

each_story = pytest.mark.parametrize("story", STORIES, ids=lambda story: story["article_id"])
each_question = pytest.mark.parametrize(
    ("story", "question"),
    QUESTIONS,
    ids=[question["question_unique_id"] for _, question in QUESTIONS],
)


def shape(row: dict) -> dict[str, type]:
    return {key: type(value) for key, value in row.items()}


def words_before(text: str, offset: int) -> int:
    return len(text[:offset].split())


def gaps(text: str, quotes: list[str]) -> list[int]:
    """Words between the end of each quote and the start of the next, in story order."""
    spans = sorted((text.index(quote), text.index(quote) + len(quote)) for quote in quotes)
    return [words_before(text, b[0]) - words_before(text, a[1]) for a, b in pairwise(spans)]


def has_verbatim_option(story: dict, question: dict) -> bool:
    text = " ".join(story["article"].split()).casefold()
    return any(option.strip(" .").casefold() in text for option in question["options"])


def is_gold_extreme(question: dict, extreme) -> bool:
    lengths = [len(option) for option in question["options"]]
    return lengths[question["gold_label"] - 1] == extreme(lengths)


def test_five_stories_of_six_questions():
    assert [len(story["questions"]) for story in STORIES] == [6] * 5


@each_story
def test_story_schema(story):
    assert shape(story) == ARTICLE_TYPES
    assert story["set_unique_id"].startswith(story["article_id"] + "_")
    assert story["year"] == 2026
    assert story["license"] == "MIT"
    assert story["article"].startswith(story["title"].upper() + "\n")


@each_question
def test_question_schema(story, question):
    assert shape(question) == QUESTION_TYPES
    assert re.fullmatch(
        re.escape(story["set_unique_id"]) + r"_[1-6]", question["question_unique_id"]
    )
    assert question["question"].strip()
    assert len(set(question["options"])) == 4
    assert all(isinstance(option, str) and option.strip() for option in question["options"])
    assert question["gold_label"] in {1, 2, 3, 4}
    assert question["writer_label"] == question["gold_label"]
    assert question["difficult"] in {0, 1}
    # No annotator has seen these questions, and the file does not pretend that one has.
    assert question["validation"] == []
    assert question["speed_validation"] == []


@pytest.mark.skipif(not ORIGINAL_LINES.exists(), reason=f"no original QuALITY lines at {ORIGINAL}")
def test_keys_and_types_are_those_of_the_original():
    with ORIGINAL_LINES.open(encoding="utf-8") as lines:
        original = json.loads(next(lines))
    assert shape(original) == ARTICLE_TYPES
    assert shape(original["questions"][0]) == QUESTION_TYPES


@each_story
def test_word_count(story):
    assert 1_800 <= len(story["article"].split()) <= 3_000


def test_ids_are_unique():
    for key, rows in (
        ("article_id", STORIES),
        ("set_unique_id", STORIES),
        ("question_unique_id", [question for _, question in QUESTIONS]),
    ):
        ids = [row[key] for row in rows]
        assert len(set(ids)) == len(ids), key


def test_text_is_clean_utf8_and_not_only_ascii():
    text = SAMPLE.read_bytes().decode("utf-8", errors="strict")
    assert unicodedata.is_normalized("NFC", text)
    assert "\\u" not in text  # letters stand in the file as themselves
    assert not re.search("[ÃÂâ\N{REPLACEMENT CHARACTER}]", text)  # UTF-8 read as Latin-1
    assert sum(any(c.isalpha() and c > "\x7f" for c in s["article"]) for s in STORIES) >= 3


@each_question
def test_evidence_is_verbatim_and_as_far_apart_as_claimed(story, question):
    evidence = EVIDENCE[question["question_unique_id"]]
    for quote in evidence["quotes"]:
        assert story["article"].count(quote) == 1, quote
    apart = gaps(story["article"], evidence["quotes"])
    if evidence["passages"] == 2:
        assert len(apart) == 1
        assert apart[0] >= APART
    else:
        assert evidence["passages"] == 1
        assert all(gap < APART for gap in apart)


def test_every_question_has_evidence_and_half_need_two_passages():
    assert set(EVIDENCE) == {question["question_unique_id"] for _, question in QUESTIONS}
    two = sum(evidence["passages"] == 2 for evidence in EVIDENCE.values())
    assert two >= len(QUESTIONS) / 2


def test_notes_are_outside_the_package():
    assert not NOTES.is_relative_to(PACKAGE)
    assert {path.name for path in SAMPLE.parent.iterdir()} == {SAMPLE.name}


def test_gold_positions_are_balanced():
    positions = Counter(question["gold_label"] for _, question in QUESTIONS)
    assert all(6 <= positions[position] <= 9 for position in (1, 2, 3, 4)), positions


def test_a_third_is_difficult():
    share = sum(question["difficult"] for _, question in QUESTIONS) / len(QUESTIONS)
    assert 0.25 <= share <= 0.4


@pytest.mark.parametrize("extreme", [max, min])
def test_length_does_not_give_the_gold_away(extreme):
    share = sum(is_gold_extreme(question, extreme) for _, question in QUESTIONS) / len(QUESTIONS)
    assert share <= 0.4


def test_options_are_rarely_the_words_of_the_story():
    share = sum(has_verbatim_option(*row) for row in QUESTIONS) / len(QUESTIONS)
    assert share <= 1 / 3


def test_two_questions_have_an_option_about_other_options():
    options = chain.from_iterable(question["options"] for _, question in QUESTIONS)
    assert sum(bool(REFERS_TO_OPTIONS.search(option)) for option in options) == 2

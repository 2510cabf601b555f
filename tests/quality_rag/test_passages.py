"""The text of results: written for the policy, and read back for the metrics."""

import pytest
import verifiers.v1 as vf
from hypothesis import given
from hypothesis import strategies as st
from inward_retrieval import Hit, chunk_document
from quality_rag.passages import StoryPassages, asked_number, characters_seen, shown

TEXT = "\n\n".join(
    " ".join(f"w{paragraph:02}x{n:02}" for n in range(40)) + "." for paragraph in range(12)
)


def result(text):
    return vf.ToolMessage(content=text, tool_call_id="c")


def test_heads_tell_number_total_place_and_rank():
    chunks = chunk_document(TEXT, words=50)
    story = StoryPassages(len(TEXT), chunks)
    text = story.render([Hit(chunks[7], 3.0), Hit(chunks[2], 2.0), Hit(chunks[9], 1.0)])
    heads = [line for line in text.splitlines() if line.startswith("[")]
    total = len(chunks)
    place = [100 * chunks[n].start // len(TEXT) for n in (2, 7, 9)]
    assert heads == [
        f"[passage 3 of {total}, {place[0]}% into the story, match 2]",
        f"[passage 8 of {total}, {place[1]}% into the story, best match]",
        f"[passage 10 of {total}, {place[2]}% into the story, match 3]",
    ]
    assert list(shown([result(text), result(story.render_one(3))])) == [
        *((n, chunks[n - 1].text) for n in (3, 8, 10)),
        (3, chunks[2].text),
    ]


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ("passage 12", 12),
        ("Passage 12", 12),
        ("passage #12.", 12),
        ("passage number 12", 12),
        ("[passage 12 of 36, 33% into the story, best match]", 12),
        ("read passage 12", 12),
        ("show me passage 12", 12),
        ("passage 0", 0),
        ("the passage of 12 years", None),
        ("passage 12 and what follows", None),
        ("12", None),
        ("passage", None),
        ("passage " + "1" * 100, None),
    ],
)
def test_a_query_that_asks_by_number(query, number):
    assert asked_number(query) == number


def test_a_result_without_a_passage_shows_none():
    nothing = [vf.ToolMessage(tool_call_id="1", content="There is no passage 9.")]
    assert list(shown(nothing)) == []


@pytest.mark.parametrize(
    ("backend", "reads"),
    [("bm25", "words"), ("dense", "meaning"), ("api", "meaning"), ("hybrid", "words")],
)
def test_a_hint_names_what_the_backend_reads(backend, reads):
    story = StoryPassages(len(TEXT), chunk_document(TEXT, words=50))
    assert reads in story.nothing(backend, seen_before=False)
    assert "shown before" in story.nothing(backend, seen_before=True)
    assert not list(shown([result(story.nothing(backend, seen_before=False))]))


@given(st.data(), st.integers(1, 60), st.integers(0, 59))
def test_characters_are_counted_once(data, words, overlap):
    overlap = min(overlap, words - 1)
    chunks = chunk_document(TEXT, words=words, overlap=overlap)
    picked = data.draw(st.lists(st.sampled_from(chunks), max_size=30))
    expected = len(set().union(*(range(chunk.start, chunk.end) for chunk in picked)))
    passages = [(chunk.id + 1, chunk.text) for chunk in picked]
    assert characters_seen(passages, overlap) == expected <= len(TEXT)

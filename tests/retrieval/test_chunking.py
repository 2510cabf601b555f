import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inward_retrieval import chunk_document, chunk_spans
from inward_retrieval.chunking import _utf32, _word_spans

PROSE = (
    "Dr. Ames walked in. He sat down at 3.5 Main St. and\n said nothing.\n\n"
    '"Why not?" she asked. "Because," he said, "it rains."\n\n\n The end came soon... '
)
PROSE_PIECES = ["Mr. Ray ", "ran. ", "He\n saw", " it!", "“Oh,” ", "a.b ", "[3]", "word ", "x" * 40]
OTHER_PIECES = ["他走了。", "カナ", "ガ", "한국어 ", "é", "👩‍👧 ", "\x00", "\x1f"]
SPACES = [" ", "\n\n", "\r\n", "\u2028", "\u3000"]
PIECES = st.sampled_from(PROSE_PIECES + OTHER_PIECES + SPACES)
TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=200),
    st.lists(PIECES, max_size=60).map("".join),
)
SIZES = st.integers(1, 12).flatmap(
    lambda words: st.tuples(st.just(words), st.integers(0, words - 1))
)


def words_of(text):
    starts, ends = _word_spans(np.frombuffer(_utf32(text), dtype="<u4"))
    return list(zip(starts.tolist(), ends.tolist(), strict=True))


@settings(max_examples=300)
@given(TEXTS, SIZES)
def test_spans_are_exact_and_lose_nothing(text, size):
    words, overlap = size
    chunks = chunk_document(text, document_id="d", words=words, overlap=overlap)
    assert [chunk.id for chunk in chunks] == list(range(len(chunks)))
    covered = 0
    for chunk in chunks:
        assert chunk.text == text[chunk.start : chunk.end]
        assert chunk.text == chunk.text.strip() != ""
        assert not text[covered : chunk.start].strip()  # nothing but white space between two
        assert chunk.end > covered or chunk is chunks[0]
        covered = chunk.end
    assert not text[covered:].strip()


@settings(max_examples=300)
@given(TEXTS, SIZES)
def test_words_stay_whole_and_within_the_limits(text, size):
    words, overlap = size
    spans = chunk_spans(text, words=words, overlap=overlap)
    starts, ends = zip(*words_of(text), strict=True) if words_of(text) else ((), ())
    number_of_start = {start: number for number, start in enumerate(starts)}
    number_of_end = {end: number for number, end in enumerate(ends)}
    previous_last = -1
    for start, end in spans:
        first, last = number_of_start[start], number_of_end[end]
        assert last - first + 1 <= words
        assert previous_last + 1 - first <= overlap
        assert last > previous_last
        previous_last = last


@given(TEXTS)
def test_words_are_what_white_space_parts(text):
    """For scripts with spaces the words are those of str.split."""
    if not any("\u3040" <= sign < "\ua000" or sign >= "\uf900" for sign in text):
        assert [text[start:end] for start, end in words_of(text)] == text.split()


def test_sentences_stay_whole():
    chunks = chunk_document(PROSE * 5, words=20)
    assert len(chunks) > 5
    assert all(chunk.text[-1] in '.?!"' for chunk in chunks)
    assert not any(chunk.text.endswith(("Dr.", "3.", "St.")) for chunk in chunks)


def test_hard_wrapped_lines_do_not_end_sentences():
    text = "The old\n man went\n home again.\n He slept\n for a week."
    assert [chunk.text for chunk in chunk_document(text, words=6)] == [
        "The old\n man went\n home again.",
        "He slept\n for a week.",
    ]


def test_overlap_repeats_whole_sentences_or_exact_words():
    text = "One two three. Four five. Six seven eight. Nine ten."
    assert [chunk.text for chunk in chunk_document(text, words=5, overlap=2)] == [
        "One two three. Four five.",
        "Four five. Six seven eight.",
        "Nine ten.",  # the sentence before it has three words
    ]
    assert [chunk.text for chunk in chunk_document("a b c d e f g", words=4, overlap=1)] == [
        "a b c d",
        "d e f g",
    ]


def test_a_long_sentence_is_cut_between_words_and_a_long_word_is_not():
    assert [chunk.text for chunk in chunk_document("a b c d e f g", words=3)] == [
        "a b c",
        "d e f",
        "g",
    ]
    assert [chunk.text for chunk in chunk_document("x" * 10_000, words=1)] == ["x" * 10_000]


def test_scripts_without_spaces_count_by_character():
    chunks = chunk_document("他走了。她笑了！我们回家吧。", words=6)
    assert [chunk.text for chunk in chunks] == ["他走了。她笑了！", "我们回家吧。"]


def test_marks_and_soft_hyphens_stay_in_their_word():
    text = "cafe\u0301 co\u00adoperate \u0939\u093f\u0902 \u6771\ufe00\u4eac\u304b\u3099"
    pieces = [*text.split(" ")[:3], "\u6771\ufe00", "\u4eac", "\u304b\u3099"]
    assert [chunk.text for chunk in chunk_document(text, words=1)] == pieces


@pytest.mark.parametrize("text", ["", " \n\t ", "\u3000\u2028"])
def test_no_words_no_chunks(text):
    assert chunk_spans(text) == []


def test_a_million_words():
    text = PROSE * (1_000_000 // len(PROSE.split()))
    spans = chunk_spans(text, words=150, overlap=30)
    assert len(spans) > 6_000
    assert spans[-1][1] == len(text.rstrip())


@pytest.mark.parametrize(
    ("words", "overlap", "message"),
    [(0, 0, "words=0"), (5, 5, "overlap=5"), (5, -1, "overlap=-1")],
)
def test_impossible_sizes_are_refused(words, overlap, message):
    with pytest.raises(ValueError, match=message):
        chunk_spans("a b", words=words, overlap=overlap)


def test_half_a_surrogate_pair_is_refused():
    with pytest.raises(ValueError, match="character 3 is half of a surrogate pair"):
        chunk_spans("abc\ud83d")

"""The index against a plain BM25 written from the formula, and the interface's edges."""

import math
from collections import Counter

import inward_retrieval.bm25
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inward_retrieval import Bm25Config, UnknownDocumentError, build_retriever
from inward_retrieval.terms import stem, words

DOCUMENTS = {
    "sea": "The old sailor mended his nets. A storm broke the mast. He swam home to the harbour. "
    "The harbour master wept.",
    "moon": "The colony ran out of air. Two engineers walked to the crater. They found ice.",
}
SHORT = Bm25Config(chunk_words=8, cache=False)


def terms_of(text):
    return stem(words(text))


def plain_bm25(chunks, query, k1=0.9, b=0.4):
    """Chunk number -> score, for the chunks that share a term with the query."""
    counts = [Counter(terms_of(chunk.text)) for chunk in chunks]

    def robertson(term):
        df = sum(term in count for count in counts)
        return math.log((len(counts) - df + 0.5) / (df + 0.5))

    vocabulary = set().union(*counts)
    floor = max(sum(map(robertson, vocabulary)) / len(vocabulary) / 4, 1e-3)
    mean = sum(count.total() for count in counts) / len(counts)
    scores = {}
    for term, repeats in Counter(terms_of(query)).items():
        idf = max(robertson(term), floor)
        for number, count in enumerate(counts):
            if tf := count[term]:
                norm = k1 * (1 - b + b * count.total() / mean)
                scores[number] = scores.get(number, 0) + repeats * idf * tf / (tf + norm)
    return scores


async def ids(retriever, document, query, k=5):
    return [hit.chunk.id for hit in await retriever.search(document, query, k)]


async def test_finds_the_passage_within_its_document():
    retriever = build_retriever(DOCUMENTS, SHORT)
    [best, *_] = await retriever.search("sea", "who mended nets?", 3)
    assert best.chunk.text == "The old sailor mended his nets."
    assert best.chunk.document_id == "sea"
    assert await retriever.search("moon", "sailor nets", 3) == []


async def test_word_forms_meet_by_their_stem():
    retriever = build_retriever(DOCUMENTS, SHORT)
    assert (await ids(retriever, "sea", "mending"))[0] == (await ids(retriever, "sea", "mended"))[0]
    assert await ids(retriever, "moon", "ENGINEER") == await ids(retriever, "moon", "engineers")


WORD = st.sampled_from(
    [
        "sea",
        "storm",
        "sails",
        "sailing",
        "sailed",
        "the",
        "a",
        "harbour",
        "7",
        "naïve",
        "海",
        "he's",
    ]
)
STORY = st.lists(WORD, min_size=1, max_size=60).map(" ".join)


@settings(max_examples=200)
@given(st.lists(STORY, min_size=1, max_size=4), STORY, st.integers(1, 8))
async def test_scores_are_those_of_the_formula(stories, query, size):
    documents = {str(number): story for number, story in enumerate(stories)}
    retriever = build_retriever(documents, Bm25Config(chunk_words=size, cache=False))
    for document in documents:
        chunks = retriever.chunks(document)
        hits = await retriever.search(document, query, len(chunks))
        expected = plain_bm25(chunks, query)
        assert {hit.chunk.id for hit in hits} == set(expected)
        for hit in hits:
            assert hit.chunk == chunks[hit.chunk.id]
            assert hit.score == pytest.approx(expected[hit.chunk.id], rel=1e-5)
        assert [(-hit.score, hit.chunk.id) for hit in hits] == sorted(
            (-hit.score, hit.chunk.id) for hit in hits
        )


async def test_rows_that_were_dropped_are_made_again(monkeypatch):
    """However long the documents and however many their terms, few rows are held."""
    expected = await build_retriever(DOCUMENTS, SHORT).search("sea", "storm harbour nets", 9)
    monkeypatch.setattr(inward_retrieval.bm25, "MAX_CELLS", 1)
    retriever = build_retriever(DOCUMENTS, SHORT)
    for _ in range(3):
        assert await retriever.search("sea", "storm harbour nets", 9) == expected
        await retriever.search("moon", "ice", 9)
    assert retriever._ranker._row.cache_info().currsize == 1


async def test_other_documents_do_not_change_a_score():
    alone = build_retriever({"sea": DOCUMENTS["sea"]}, SHORT)
    together = build_retriever(DOCUMENTS, SHORT)
    assert await alone.search("sea", "harbour storm", 9) == await together.search(
        "sea", "harbour storm", 9
    )


async def test_equal_scores_stand_in_document_order():
    retriever = build_retriever({"d": "a dog ran. " * 50}, Bm25Config(chunk_words=3))
    assert await ids(retriever, "d", "dog", 50) == list(range(50))


async def test_the_order_of_query_words_does_not_matter():
    retriever = build_retriever(DOCUMENTS, SHORT)
    assert await retriever.search("sea", "storm harbour nets master", 9) == await retriever.search(
        "sea", "master nets harbour storm", 9
    )


@pytest.mark.parametrize("query", ["", "   ", "?!", "\x00\x1f", "_", "'s", "\ud83d", "zebra", "🦓"])
async def test_a_query_with_nothing_to_find_finds_nothing(query):
    assert await ids(build_retriever(DOCUMENTS, SHORT), "sea", query) == []


async def test_k():
    retriever = build_retriever(DOCUMENTS, SHORT)
    assert len(await ids(retriever, "sea", "the harbour", 1)) == 1
    assert len(await ids(retriever, "sea", "harbour", 10**9)) == 2  # the chunks that hold it
    for k in (0, -1):
        with pytest.raises(ValueError, match=f"k={k}"):
            await retriever.search("sea", "harbour", k)


async def test_unknown_document():
    retriever = build_retriever(DOCUMENTS, SHORT)
    with pytest.raises(UnknownDocumentError, match="no document 'mars' among the 2"):
        await retriever.search("mars", "ice", 1)
    with pytest.raises(UnknownDocumentError, match="'mars'"):
        retriever.chunks("mars")


def test_documents_that_cannot_be_searched_are_refused_by_name():
    with pytest.raises(ValueError, match="no documents"):
        build_retriever({}, SHORT)
    with pytest.raises(ValueError, match="document 'blank' is empty"):
        build_retriever({**DOCUMENTS, "blank": " \n"}, SHORT)
    with pytest.raises(ValueError, match=r"document 'half': character 1 is half of a surrogate"):
        build_retriever({"half": "a\udc00"}, SHORT)


@pytest.mark.parametrize(
    ("text", "query", "found"),
    [
        ("Word", "word", [0]),  # a story of one word
        ("?!", "?!", []),  # a story without a letter
        ("Она вернулась домой.", "ДОМОЙ", [0]),
        ("他走了。她笑了！", "笑", [0]),
        ("La ﬁancée naïve.", "fiancée", [0]),
        ("caf\u00e9", "cafe\u0301", [0]),  # composed and decomposed
        ("nul\x00byte and\x1fseparator", "separator", [0]),
        ("The _Nostromo_ drifted—away.", "nostromo away", [0]),
    ],
)
async def test_unusual_text(text, query, found):
    assert await ids(build_retriever({"d": text}, Bm25Config()), "d", query) == found


async def test_a_story_of_a_million_words():
    filler = "He went on and on along the road. "
    text = filler * 62_500 + "The lighthouse burned. " + filler * 62_500
    retriever = build_retriever({"long": text}, Bm25Config())
    [hit, *_] = await retriever.search("long", "what burned at the lighthouse", 5)
    assert "The lighthouse burned." in hit.chunk.text


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("chunk_words", 0),
        ("chunk_overlap", -1),
        ("chunk_overlap", 150),
        ("k1", -1),
        ("b", 2),
        ("x", 1),
    ],
)
def test_impossible_configs_are_refused(field, value):
    with pytest.raises(ValueError, match=field):
        Bm25Config(**{field: value})

"""The evaluator against searches whose quality is known beforehand."""

import numpy as np
import pytest
from inward_retrieval import Bm25Config, build_retriever
from inward_retrieval.corpus import Corpus
from inward_retrieval.known_item import RARE, _synonyms, known_items
from inward_retrieval.recall import ChoiceQuestion, known_item_recall, option_contrast
from inward_retrieval.retriever import Retriever
from inward_retrieval.terms import stem, words

SUBJECTS = ["The old captain", "A young sailor", "The harbour master", "Her brother", "The cook"]
VERBS = ["carried", "watched", "sold", "painted", "forgot", "mended"]
THINGS = [
    "the red lamp",
    "a torn net",
    "the heavy anchor",
    "his mother",
    "the black boat",
    "some rope",
]
PLACES = ["in the cold morning", "near the church", "before the storm", "for the queen", "at sea"]


def story(seed):
    source = np.random.default_rng(seed)
    parts = (SUBJECTS, VERBS, THINGS, PLACES)
    return " ".join(" ".join(source.choice(part) for part in parts) + "." for _ in range(120))


DOCUMENTS = {f"s{seed}": story(seed) for seed in range(4)}
CONFIG = Bm25Config(chunk_words=60, cache=False)


class Oracle:
    """Ranks the chunk that holds a known item at `place` (from 1), or not at all (0)."""

    def __init__(self, items, corpus, place):
        self.items = {(item.document_id, item.query): item for item in items}
        self.corpus = corpus
        self.place = place

    async def rank(self, document, query, k):
        document_id = self.corpus.ids[document]
        item = self.items[document_id, query]
        chunks = self.corpus.chunks(document_id)
        middle = (item.start + item.end) // 2
        [right] = [chunk.id for chunk in chunks if chunk.start <= middle < chunk.end]
        order = [chunk.id for chunk in chunks if chunk.id != right]
        if self.place:
            order.insert(self.place - 1, right)
        return [(chunk, -rank, {}) for rank, chunk in enumerate(order)]


@pytest.mark.parametrize(
    ("place", "at_1", "at_5", "mrr"),
    [(1, 1, 1, 1), (3, 0, 1, 1 / 3), (6, 0, 0, 1 / 6), (0, 0, 0, 0)],
)
async def test_recall_is_what_the_ranking_is(place, at_1, at_5, mrr):
    items = known_items(DOCUMENTS, per_document=5)
    corpus = Corpus.cut(DOCUMENTS, words=60, overlap=0)
    recall = await known_item_recall(Retriever(corpus, Oracle(items, corpus, place)), items)
    assert (recall.at_1.value, recall.at_5.value) == (at_1, at_5)
    assert recall.mrr.value == pytest.approx(mrr)
    # Equal values of a few documents say little about others.
    assert recall.mrr.high - recall.mrr.low > 0.3


async def test_bm25_beats_a_random_order_on_known_items():
    items = known_items(DOCUMENTS, per_document=20)
    recall = await known_item_recall(build_retriever(DOCUMENTS, CONFIG), items)
    chance = 1 / len(build_retriever(DOCUMENTS, CONFIG).chunks("s0"))
    assert recall.at_1.low > chance


def test_known_items_are_sentences_without_their_rare_words():
    items = known_items(DOCUMENTS, per_document=10, seed=3)
    assert len(items) == 40
    for item in items:
        text = DOCUMENTS[item.document_id]
        sentence = text[item.start : item.end]
        assert sentence.endswith(".")
        own = words(text)
        synonyms = {
            other for word in words(sentence) for other in _synonyms().get(word.decode(), [])
        }
        for word in item.query.split():
            frequent = stem(own).count(stem([word.encode()])[0]) > RARE
            assert (frequent and word.encode() in words(sentence)) or word in synonyms


def test_known_items_depend_on_seed_and_story_only():
    items = known_items(DOCUMENTS, per_document=10)
    assert items == known_items(DOCUMENTS, per_document=10)
    assert items != known_items(DOCUMENTS, per_document=10, seed=1)
    alone = known_items({"s2": DOCUMENTS["s2"]}, per_document=10)
    assert alone == [item for item in items if item.document_id == "s2"]


def test_synonyms_are_words_that_search_knows():
    for word, others in _synonyms().items():
        assert words(word) == [word.encode()]
        assert others
        assert word not in others


QUESTION = "Where is the key?"
TREASURE = {
    "d": "The key lies under the oak. The dog barks. Nobody is in the cellar. A cat sleeps."
}


def question(gold):
    return ChoiceQuestion("d", QUESTION, ["under the oak", "on the moon", "behind the wall"], gold)


async def test_contrast_tells_the_right_option_from_the_wrong():
    retriever = build_retriever(TREASURE, Bm25Config(chunk_words=6, cache=False))
    right = await option_contrast(retriever, [question(0)])
    wrong = await option_contrast(retriever, [question(1)])
    assert right.wins.value == 1
    assert wrong.wins.value < 0.5
    assert right.margin.value >= 0 >= wrong.margin.value


async def test_contrast_without_a_difference_is_chance():
    retriever = build_retriever(TREASURE, Bm25Config(chunk_words=6, cache=False))
    for text in (QUESTION, "xyzzy"):
        same = await option_contrast(retriever, [ChoiceQuestion("d", text, ["abc", "def"], 0)])
        assert (same.wins.value, same.margin.value) == (0.5, 0)


@pytest.mark.parametrize(("options", "gold"), [(["only"], 0), (["a", "b"], 2), (["a", "b"], -1)])
async def test_questions_without_right_and_wrong_are_refused(options, gold):
    retriever = build_retriever(TREASURE, CONFIG)
    with pytest.raises(ValueError, match=f"gold={gold}"):
        await option_contrast(retriever, [ChoiceQuestion("d", QUESTION, options, gold)])

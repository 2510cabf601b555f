"""Prompt, parser and the options that must stay in order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from quality_rag.prompt import (
    LETTERS,
    parse_answer,
    refers_to_others,
    shuffled_order,
    system_prompt,
    user_prompt,
)

OPTIONS = ("a dog barked", "The ship sank", "B", "He was late; nobody waited.")

ANSWERS = [
    # the documented form
    ("Answer: A", "A"),
    ("I searched twice.\n\nAnswer: D", "D"),
    ("Answer: D\n", "D"),
    # markup, brackets and case that models put around a letter
    ("**Answer: B**", "B"),
    ("**Answer:** B", "B"),
    ("Answer: **B**", "B"),
    ("### Answer: B.", "B"),
    ("> answer: b", "B"),
    ("ANSWER : (c)", "C"),
    ("Answer: B)", "B"),
    ("Answer: `B`", "B"),
    # the letter with the option's own text
    ("Answer: B) The ship sank", "B"),
    ("Answer: B. the ship sank.", "B"),
    ("Answer: D: He was late; nobody waited.", "D"),
    # a reply that is nothing but a letter
    ("B", "B"),
    ("(b).", "B"),
    (" **C** ", "C"),
    # the last answer counts
    ("Answer: A\nOn second thoughts:\nAnswer: C", "C"),
    ("<think>Answer: A</think>\nAnswer: B", "B"),
    ("it is A</think>Answer: B", "B"),
    # two letters are no answer
    ("Answer: A or B", None),
    ("Answer: A, B", None),
    ("Answer: A/B", None),
    ("Answer: AB", None),
    ("Answer: A and not B", None),
    ("Answer: A\nAnswer: A or B", None),
    ("Answer: A B C D", None),
    # a letter with another option's text contradicts itself
    ("Answer: A) The ship sank", None),
    # an option's text without its letter
    ("Answer: The ship sank", None),
    ("Answer: a dog barked", None),
    ("The ship sank", None),
    # not the documented form
    ("The answer is B", None),
    ("I think B is right", None),
    ("So my final Answer: B", None),
    ("Answer B", None),
    ("Answer:", None),
    ("Answer: E", None),
    ("Answer: 2", None),
    ("Answer: not A", None),
    ("Answer: X", None),
    ("Answer: Apple", None),
    ("Answer: B\nAnswer:", None),
    ("", None),
    # thinking is not a reply
    ("<think>Answer: B", None),
    ("<think>Answer: B</think>", None),
    ("<think>hm</think>I do not know. <think>Answer: B", None),
]


@pytest.mark.parametrize(("reply", "letter"), ANSWERS)
def test_parse_answer(reply, letter):
    assert parse_answer(reply, OPTIONS) == letter


@given(st.text())
def test_any_text_is_an_answer_or_none(reply):
    assert parse_answer(reply, OPTIONS) in {*LETTERS, None}


@pytest.mark.parametrize(
    "reply",
    [
        "\n" * 200_000,
        " " * 200_000 + "x",
        "Answer: " + "A" * 200_000,
        "Answer:\n" * 50_000,
        "<think>" * 50_000,
        "*" * 200_000,
        "\x00\ud800Answer: B",
        ">" * 100_000 + "\n" + "(" * 100_000,
    ],
    ids=["newlines", "blanks", "letters", "empty answers", "tags", "stars", "controls", "brackets"],
)
def test_hostile_replies_are_read(reply):
    assert parse_answer(reply, OPTIONS) is None or reply.endswith("B")


REFERRING = [
    "Both A and C are correct. ",
    "Both B and C",
    "A and B",
    "A, B and C",
    "All of the above",
    "None of the above.",
    "none of these",
    "All of these answers",
    "Both of the other options",
    "Neither of the other answers is right",
    "Options 1 and 2",
    "Choice B",
    "Both are correct",
    "Neither is true",
    "Neither",
    "All are true",
]
PLAIN = [
    "Both men left the ship",
    "All of his money was gone",
    "A dog and B-flat trumpet",
    "None knew his name",
    "He took the other road",
    "He wanted all the gold",
    "The Tr'en obey the Ruler",
    "Neither Korvin nor the expert smiled",
]


@pytest.mark.parametrize("option", REFERRING)
def test_an_option_that_speaks_of_others_is_seen(option):
    assert refers_to_others(option)


@pytest.mark.parametrize("option", PLAIN)
def test_plain_options_are_free_to_move(option):
    assert not refers_to_others(option)


def test_shuffling_is_by_seed_and_question():
    options = ("one", "two", "three", "four")
    orders = [shuffled_order(options, 0, f"q{i}") for i in range(200)]
    assert orders == [shuffled_order(options, 0, f"q{i}") for i in range(200)]
    assert all(sorted(order) == [0, 1, 2, 3] for order in orders)
    assert {order[0] for order in orders} == {0, 1, 2, 3}
    assert orders != [shuffled_order(options, 1, f"q{i}") for i in range(200)]


@given(st.integers(), st.text())
def test_referring_options_stay_put(seed, question_id):
    options = ("one", "two", "Both A and B", "four")
    assert shuffled_order(options, seed, question_id) == [0, 1, 2, 3]


def test_prompts_differ_only_in_the_access_to_the_story():
    prompts = {context: system_prompt(context) for context in ("search", "full", "none")}
    tails = {text.split("Exactly one", 1)[1] for text in prompts.values()}
    assert len(set(prompts.values())) == 3
    assert len(tails) == 1
    with_story = user_prompt("T", "Q?", OPTIONS, "Once.")
    assert with_story.replace("Story:\nOnce.\n\n", "") == user_prompt("T", "Q?", OPTIONS, None)
    assert "A) a dog barked\nB) The ship sank\nC) B\nD) He was late; nobody waited." in with_story

"""Prompt, parser and the options that must stay in order."""

import unicodedata

import pytest
from hypothesis import given, settings
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
    # markup, brackets, quotes and case that models put around a letter
    ("**Answer: B**", "B"),
    ("**Answer:** B", "B"),
    ("Answer: **B**", "B"),
    ("Answer:**B**", "B"),
    ("Answer : **(B)**.", "B"),
    ("### Answer: B.", "B"),
    ("> answer: b", "B"),
    ("ANSWER : (c)", "C"),
    ("Answer: B)", "B"),
    ("Answer: `B`", "B"),
    ("Answer: [B]", "B"),
    ("Answer: [[B]]", "B"),
    ("Answer: {B}", "B"),
    ("Answer: <B>", "B"),
    ("Answer: ‘B’", "B"),
    ("Answer: “B”", "B"),
    ("Answer:\tB", "B"),
    ("Answer:B", "B"),
    ("ANSWER: B?", "B"),
    ("Answer: B!", "B"),
    ("- Answer: B", "B"),
    ("1. Answer: B", "B"),
    ("```\nAnswer: B\n```", "B"),
    ('{"answer": "B"}', "B"),
    ('{"answer": "B", "reason": "the ship"}', "B"),
    ("<p>Answer: <b>B</b></p>", "B"),
    ("Answer: B<br>", "B"),
    ("Answer: \u200bB", "B"),
    ("| Final Answer | **B** |", "B"),
    ("|Option|Answer|\n|---|---|\n|B|The ship sank|", "B"),
    # other scripts' signs
    ("Answer：B", "B"),
    ("Answer： Ｂ", "B"),
    ("Answer:（B）", "B"),
    ("Answer\u00a0:\u3000B", "B"),
    ("Answer：**B**。", "B"),
    ("【B】", "B"),
    # other words and signs for the same
    ("Final Answer: B", "B"),
    ("So my final Answer: B", "B"),
    ("Correct answer: B", "B"),
    ("Answer: option B", "B"),
    ("Answer: Option (B)", "B"),
    ("Answer: letter B", "B"),
    ("Answer: The answer is B", "B"),
    ("Choice: B", "B"),
    ("Answer key: B", "B"),
    ("Answer to the question: B", "B"),
    ("Answer = B", "B"),
    ("Answer - B", "B"),
    ("Answer → B", "B"),
    # in a sentence
    ("The answer is B", "B"),
    ("The answer is B.", "B"),
    ("Answer is B", "B"),
    ("My answer is: b", "B"),
    ("The correct answer is: B", "B"),
    ("The correct option is B.", "B"),
    ("The best answer is (B) The ship sank.", "B"),
    ("Therefore, the correct choice is B.", "B"),
    ("Based on the passages, the answer is B.", "B"),
    ("The answer is most likely B", "B"),
    ("The correct answer to the question 'Why did he go?' is B.", "B"),
    ("The answer is not A, so the answer is B.", "B"),
    ("Final Answer: The final answer is B. I hope it is correct.", "B"),
    ("Option B is correct.", "B"),
    ("B is the correct answer.", "B"),
    ("Thus, option B is the correct answer.", "B"),
    # LaTeX
    ("\\boxed{B}", "B"),
    ("$\\boxed{\\text{B}}$", "B"),
    ("The answer is $\\boxed{\\textbf{(B)}}$.", "B"),
    ("\\boxed{B) The ship sank}", "B"),
    ("The final answer is $\\mathbf{B}$", "B"),
    ("Answer: \\(B\\)", "B"),
    # on the next line, under a heading, in a table
    ("Answer:\nB", "B"),
    ("Answer:\n\n**B**", "B"),
    ("The answer is:\n\nB) The ship sank", "B"),
    ("## Answer\nB", "B"),
    ("## Final Answer\n\n**B) The ship sank**", "B"),
    ("**Answer**\n\nB", "B"),
    ("| Answer | B |", "B"),
    ("| Answer |\n|---|\n| B |", "B"),
    # tags and end tokens
    ("<answer>B</answer>", "B"),
    ("<answer>\nB) The ship sank\n</answer>", "B"),
    ("<answer>Answer: B</answer>", "B"),
    ("Answer: B</answer>", "B"),
    ("Answer: B</s>", "B"),
    ("Answer: B<|im_end|>", "B"),
    ("B<|eot_id|>", "B"),
    ("Answer: B [end of text]", "B"),
    # the letter with the option's own text
    ("Answer: B) The ship sank", "B"),
    ("Answer: B. the ship sank.", "B"),
    ("Answer: D: He was late; nobody waited.", "D"),
    ("Answer: B (The ship sank)", "B"),
    ("Answer: B – The ship sank – as passage 3 says", "B"),
    ("**Final Answer: (B) The ship sank.**", "B"),
    ("Answer: D) He was late;  nobodywaited", "D"),
    ("Answer: C) B", "C"),
    # a reply that is nothing but a letter
    ("B", "B"),
    ("(b).", "B"),
    ("a", "A"),
    (" **C** ", "C"),
    ('"B"', "B"),
    ("'B'", "B"),
    ("Option B", "B"),
    ("Option B.", "B"),
    # a reply that is nothing but a letter and its option's own text
    ("B) The ship sank", "B"),
    ("B) The ship sank.", "B"),
    ("(B) The ship sank", "B"),
    ("[B] The ship sank", "B"),
    ("B. The ship sank", "B"),
    ("B: the ship sank", "B"),
    ("B - The ship sank", "B"),
    ("B – The ship sank", "B"),
    ("B—The ship sank", "B"),
    ("b) The ship sank", "B"),
    ("B The ship sank", "B"),
    ("**B**\n\nThe ship sank", "B"),
    ("**B)** The ship sank", "B"),
    ("**B) The ship sank**", "B"),
    ("Option B: The ship sank", "B"),
    ("C) B", "C"),
    ("A) a dog barked", "A"),
    ("A) dog barked", "A"),
    ("D)\nHe was late;\nnobody waited.", "D"),
    ("B) The ship sank\n\nThe passages say so.", "B"),
    ("The passages say so.\n\nB) The ship sank", "B"),
    ("The passages say so.\n\nB", "B"),
    ("B\n\nThe passages say so.", "B"),
    # prose that names no other letter
    ("Answer: B because the ship was old", "B"),
    ("Answer: B, because the ship was old.", "B"),
    ("Answer: B. The ship was old.", "B"),
    ("Answer: B (passage 12)", "B"),
    ("Answer: B is correct", "B"),
    ("Answer: B, I think", "B"),
    ("Answer: B; he'd left, e.g. by ship", "B"),
    ("Answer: B. A storm came up.", "B"),
    ("Answer: A because a storm came up", "A"),
    ("Answer: B. The answer is clear.", "B"),
    ("Answer: B\nThe answer is in passage 3.", "B"),
    ("Answer: B\n\nExplanation: A is wrong.", "B"),
    ("Answer: B\nNote: the question has one answer: the ship", "B"),
    ("Answer: B\nWrong answers: A, C, D", "B"),
    # the last answer counts
    ("Answer: A\nOn second thoughts:\nAnswer: C", "C"),
    ("Answer: A\nOn second thoughts, the answer is C.", "C"),
    ("Answer: A I thought at first. Answer: B", "B"),
    ("Answer: A. No, wait. Final Answer: B", "B"),
    ("Answer: A Answer: B", "B"),
    ("The answer is A. Wait, no. The answer is C.", "C"),
    ("<answer>A</answer> No. <answer>B</answer>", "B"),
    # thinking is not a reply
    ("<think>Answer: A</think>\nAnswer: B", "B"),
    ("it is A</think>Answer: B", "B"),
    ("<thinking>Answer: A</thinking>B", "B"),
    ("[THINK]Answer: A[/THINK]Answer: B", "B"),
    (
        "<|channel|>analysis<|message|>Answer: A<|end|><|start|>assistant<|channel|>final"
        "<|message|>Answer: B<|return|>",
        "B",
    ),
    ("<|channel|>analysis<|message|>Answer: A", None),
    ("<think>Answer: B", None),
    ("<think>Answer: B</think>", None),
    ("<Thinking>\nB", None),
    ("<think>hm</think>I do not know. <think>Answer: B", None),
    # two letters are no answer
    ("Answer: A or B", None),
    ("Answer: A, B", None),
    ("Answer: A、B", None),
    ("Answer: A/B", None),
    ("Answer: A|B", None),
    ("Answer: A | B", None),
    ("Answer: A & B", None),
    ("Answer: A+B", None),
    ("Answer: A-C", None),
    ("Answer: AB", None),
    ("Answer: (A)(B)", None),
    ("Answer: ~~A~~ B", None),
    ("Answer: A and not B", None),
    ("Answer: B, not A", None),
    ("Answer: B, c", None),
    ("Answer: B or a", None),
    ("Answer: b or a", None),
    ("Answer: B or maybe none", None),
    ("Answer: B or E", None),
    ("Answer: both A and C", None),
    ("Answer: A\nAnswer: A or B", None),
    ("Answer: A B C D", None),
    ("Answer: A or Answer: B", None),
    ("Answer: A / Answer: B", None),
    ("Answer: A\nor\nAnswer: B", None),
    ("<answer>A</answer> or <answer>B</answer>", None),
    ("Answer: A or maybe the answer is B", None),
    ("Answer: A.B", None),
    ("Answer: A\u200bB", None),
    ("Answer: B (or C)", None),
    ("Answer: one of A or B", None),
    ('{"answer": ["A", "B"]}', None),
    ("Answer: A\nB\nC\nD", None),
    ("Answer:\nA\nB", None),
    ("Answer: A\nor B", None),
    ("Answer: A<br>B", None),
    ("Answer: B\n\nA) a dog barked", None),
    ("Answer: B. A would also fit.", None),
    ("Answer: B. A fits too.", None),
    ("Answer: B because A is wrong", None),
    ("Answer: B. The answer is clear, not C.", None),
    ("The answer is B or C", None),
    ("The answer is either B or C", None),
    ("\\boxed{A} or \\boxed{B}", None),
    ("\\boxed{A, B}", None),
    ("A\nB", None),
    ("A, B", None),
    ("B\n\nC is wrong.", None),
    ("A) a dog barked\nB) The ship sank", None),
    ("A) a dog barked\nB) The ship sank\nC) B\nD) He was late; nobody waited.", None),
    # a letter with another option's text contradicts itself
    ("Answer: A) The ship sank", None),
    ("Answer: A: the  ship sank!", None),
    ("Answer: A) Ship sank", None),
    ("Answer: A because the ship sank", None),
    ("Answer: B) The ship sank and a dog barked", None),
    ("A) The ship sank", None),
    ("B) a dog barked", None),
    ("B) B", None),
    # an option's text without its letter
    ("Answer: The ship sank", None),
    ("Answer: a dog barked", None),
    ("Answer: A dog barked", None),
    ("<answer>The ship sank</answer>", None),
    ("The ship sank", None),
    ("A dog barked", None),
    # letters that are none
    ("Answer: A man came", None),
    ("Answer: a man came", None),
    ("The answer is a man", None),
    ("The answer is A man who sank", None),
    ("Answer: B-flat trumpet", None),
    ("Answer: D'Artagnan", None),
    ("Answer: I think so", None),
    # what denies or doubts a letter
    ("Answer: not A", None),
    ("Answer: !B", None),
    ("Answer: B is wrong", None),
    ("Answer: B) The ship sank is not right", None),
    ("Answer: B is not right", None),
    ("Wrong answer: B", None),
    ("The answer is not B", None),
    ("The answer isn't B", None),
    ("I doubt the answer is B", None),
    ("I don't think the answer is B.", None),
    ("If the answer is B, then he left", None),
    ("I would not choose\nB", None),
    # nothing that says what the answer is
    ("I think B is right", None),
    ("Answer B", None),
    ("Passage 12 names B", None),
    ("Answer:", None),
    ("Answer: E", None),
    ("Answer: 2", None),
    ("Answer: X", None),
    ("Answer: Apple", None),
    ("Answer: none", None),
    ("Answer: All of the above", None),
    ("Answer: B\nAnswer:", None),
    ("Answer: B\nAnswer: the ship", None),
    ("", None),
]


@pytest.mark.parametrize(("reply", "letter"), ANSWERS)
def test_parse_answer(reply, letter):
    assert parse_answer(reply, OPTIONS) == letter


OTHER_OPTIONS = [
    # options, reply, letter
    (("Mars", "Venus", "Earth", "Pluto"), "Answer: B because Mars is too cold", "B"),
    (("Mars", "Venus", "Earth", "Pluto"), "Answer: B) Mars", None),
    (("Yes", "No", "He left", "He left the ship"), "C) He left", "C"),
    (("Yes", "No", "He left", "He left the ship"), "Answer: C) He left the ship", None),
    (("Yes", "No", "He left", "He left the ship"), "Answer: D) He left the ship", "D"),
    (("D. H. Lawrence", "Twain", "Poe", "Melville"), "Answer: D. H. Lawrence", None),
    (("D. H. Lawrence", "Twain", "Poe", "Melville"), "A) D. H. Lawrence", "A"),
    (("man came", "x", "y", "z"), "Answer: A man came", "A"),
    (("one", "two", "three", "Both A and C are correct"), "D) Both A and C are correct.", "D"),
    (("one", "two", "three", "Both A and C are correct"), "Both A and C are correct.", None),
    (("one", "two", "three", "Both A and C are correct"), "Answer: A and C", None),
    (("$5", "?", "1/2", "--"), "Answer: B) ?", "B"),
    (("$5", "?", "1/2", "--"), "C) 1/2", "C"),
    (("café", "Ｗide", "x", "y"), "A) cafe\u0301", "A"),
    (("café", "Ｗide", "x", "y"), "B) wide", "B"),
]


@pytest.mark.parametrize(("options", "reply", "letter"), OTHER_OPTIONS)
def test_options_that_look_like_answers(options, reply, letter):
    assert parse_answer(reply, options) == letter


PIECES = (
    *(
        "Answer",
        "answer",
        ":",
        "：",
        "is",
        "The",
        "final",
        "A",
        "B",
        "C",
        "D",
        "a",
        "b",
        "Ｂ",
        "or",
    ),
    *("and", "not", "because", "(", ")", "[", "]", ".", ",", "-", "–", "|", "*", '"', "’", "\n"),
    *("\\boxed{", "\\text{", "}", "$", "<answer>", "</answer>", "<think>", "</think>", "</s>"),
    *("option", "The ship sank", "a dog barked", "He was late; nobody waited.", "I", "man"),
)
replies = st.one_of(st.text(), st.lists(st.sampled_from(PIECES)).map(" ".join))


@settings(max_examples=200)
@given(replies)
def test_an_answer_is_a_letter_that_stands_in_the_reply(reply):
    letter = parse_answer(reply, OPTIONS)
    assert letter is None or letter in unicodedata.normalize("NFKC", reply).upper()


@given(replies, st.sampled_from(LETTERS))
def test_thinking_changes_nothing(thought, letter):
    closed = f"<think>{thought}</think>Answer: {letter}"
    assert parse_answer(closed, OPTIONS) == letter
    assert parse_answer(f"<think>Answer: {letter}", OPTIONS) is None


@given(st.sampled_from([line for line, letter in ANSWERS if letter is not None]))
def test_an_answer_after_it_replaces_any_other(reply):
    for letter in LETTERS:
        assert parse_answer(f"{reply}\n\nAnswer: {letter}", OPTIONS) == letter


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
        "answer to " * 20_000,
        "\\boxed{" * 30_000,
        "A man. " * 30_000,
    ],
    ids=[
        *("newlines", "blanks", "letters", "empty answers", "tags", "stars", "controls"),
        *("brackets", "promises", "boxes", "articles"),
    ],
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

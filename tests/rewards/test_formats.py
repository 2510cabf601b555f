"""The think-answer layout: a table of replies and what they are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inward_rewards.formats import format_reward, last_boxed, parse_reply
from inward_rewards.lengths import soft_overlong

# reply, thinking, answer, well formed
REPLIES = [
    ("<think>a</think><answer>5</answer>", "a", "5", True),
    ("  <think>a\nb</think>\n\n<answer> 5 </answer>\n", "a\nb", "5", True),
    ("<think>a</think> So: <answer>5</answer> Done.", "a", "5", True),
    (
        "<think>an <answer>4</answer>?</think><answer>5</answer>",
        "an <answer>4</answer>?",
        "5",
        True,
    ),
    ("<think>a</think><answer></answer>", "a", None, False),
    ("<think>a</think><answer>  </answer>", "a", None, False),
    ("<think></think><answer>5</answer>", "", "5", False),
    ("<think> \n </think><answer>5</answer>", " \n ", "5", False),
    ("<answer>5</answer>", None, "5", False),
    ("<answer>5</answer><think>a</think>", "a", "5", False),
    ("Sure! <think>a</think><answer>5</answer>", "a", "5", False),
    ("<think>a</think><answer>5</answer><answer>6</answer>", "a", None, False),
    ("<think>a</think><answer>5</answer><answer>5</answer>", "a", None, False),
    ("<think>a</think><answer>5<answer>6</answer>", "a", None, False),
    ("<think>a</think><answer>5</answer></answer>", "a", None, False),
    ("<think>a</think></answer>5<answer>", "a", None, False),
    ("<think>a</think>5", "a", None, False),
    # A stop string eats the closing tag.
    ("<think>a</think><answer>5", "a", "5", False),
    ("<think>a</think><answer>5\n", "a", "5", False),
    ("<think>a</think><answer> ", "a", None, False),
    ("<think>a</think><answer>4</answer> no: <answer>5", "a", None, False),
    ("<answer>5<think>a</think>", "a", "5", False),
    # The template opened the thinking in the prompt.
    ("a</think><answer>5</answer>", "a", "5", False),
    ("an <answer>4</answer>?</think><answer>5</answer>", "an <answer>4</answer>?", "5", False),
    ("an <answer>4</answer>?</think>5", "an <answer>4</answer>?", None, False),
    ("a</think><answer>5", "a", "5", False),
    ("a</think><answer>4</answer></think><answer>5</answer>", "a", None, False),
    ("a</think><answer>5</answer><think>b</think>", "a", "5", False),
    ("<think>a <answer>5</answer>", None, None, False),
    ("<think>a</think></think><answer>5</answer>", "a", "5", False),
    ("<think>a</think><think>b</think><answer>5</answer>", "a", "5", False),
    ("<THINK>a</THINK><ANSWER>5</ANSWER>", None, None, False),
    ("the answer is 5", None, None, False),
    ("", None, None, False),
]


@pytest.mark.parametrize(("text", "thinking", "answer", "well_formed"), REPLIES)
def test_replies(text, thinking, answer, well_formed):
    reply = parse_reply(text)
    assert (reply.thinking, reply.answer, reply.well_formed) == (thinking, answer, well_formed)
    assert format_reward(reply) == (0.2 if well_formed else -0.5)


@pytest.mark.parametrize(
    ("content", "reasoning", "answer", "well_formed"),
    [
        ("<answer>5</answer>", "a", "5", True),
        ("\n\nThus <answer>5</answer>", "a", "5", True),
        ("<answer>5</answer>", "", "5", False),
        (None, "a", None, False),
        ("5", "a", None, False),
        ("<think>b</think><answer>5</answer>", "a", "5", False),
        ("an <answer>4</answer>?</think><answer>5</answer>", "a", "5", False),
        ("<answer>5", "a", "5", False),
    ],
)
def test_thinking_that_the_server_split_off(content, reasoning, answer, well_formed):
    reply = parse_reply(content, reasoning)
    assert (reply.thinking, reply.answer, reply.well_formed) == (reasoning, answer, well_formed)


def test_no_content_at_all():
    assert parse_reply(None).answer is None


@given(st.text(alphabet="<>/thinkaswer 5", max_size=80))
def test_no_text_crashes_and_the_layout_needs_its_tags(text):
    reply = parse_reply(text)
    if reply.well_formed:
        assert text.index("<think>") < text.index("</think>") < text.rindex("<answer>")
        assert text.rindex("<answer>") < text.rindex("</answer>")


def test_a_long_reply_is_read_once_through():
    text = "<think>" + "<answer>" * 200_000 + "</think><answer>5</answer>"
    assert parse_reply(text).well_formed


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("<think>a</think><answer>5</answer>", "5"),
        (r"a</think>so \boxed{5}", "5"),
        (r"maybe \boxed{4}</think>so 5", None),
        (r"<answer>4</answer><answer>5</answer> \boxed{5}", None),
        (r"<answer></answer> \boxed{5}", None),
        ("five", None),
    ],
)
def test_a_box_is_an_answer_where_no_block_is(text, answer):
    assert parse_reply(text).answer_or_box == answer


@pytest.mark.parametrize(
    ("text", "boxed"),
    [
        (r"so \boxed{5}.", "5"),
        (r"\boxed{1} then \boxed{\frac{1}{2}}", r"\frac{1}{2}"),
        (r"\boxed{\{1, 2\}}", r"\{1, 2\}"),
        (r"\boxed{5", None),
        (r"\boxed{}", None),
        ("5", None),
        ("", None),
    ],
)
def test_last_boxed(text, boxed):
    assert last_boxed(text) == boxed


@pytest.mark.parametrize(
    ("tokens", "reward"), [(0, 0), (16_384, 0), (18_432, -0.5), (20_480, -1), (30_000, -1)]
)
def test_soft_overlong(tokens, reward):
    assert soft_overlong(tokens, 20_480, 4_096) == pytest.approx(reward)


@pytest.mark.parametrize("cache", [0, -1, 11])
def test_soft_overlong_needs_a_cache(cache):
    with pytest.raises(ValueError, match="cache"):
        soft_overlong(1, 10, cache)

"""What the baseline policies call."""

import json

import pytest
from quality_rag.baselines import make_keyword_reader
from quality_rag.data import load_questions
from quality_rag.prompt import system_prompt, user_prompt


def asked(*tools):
    """A request of the first turn, offering `tools` in that order."""
    question = next(iter(load_questions("sample")))
    prompt = user_prompt(question.story.title, question.text, question.options, None)
    offered = [{"type": "function", "function": {"name": name}} for name in tools]
    messages = [
        {"role": "system", "content": system_prompt("search")},
        {"role": "user", "content": prompt},
    ]
    return question, {"messages": messages, "tools": offered}


@pytest.mark.parametrize("tools", [("search",), ("bash", "edit", "search"), ("search", "read")])
def test_the_keyword_reader_calls_search_by_its_name(tools):
    question, body = asked(*tools)
    [call] = make_keyword_reader(0)(body)["tool_calls"]
    assert call["function"]["name"] == "search"
    assert json.loads(call["function"]["arguments"]) == {"query": question.text}


@pytest.mark.parametrize("tools", [(), ("bash",)])
def test_it_calls_no_other_tool(tools):
    assert "tool_calls" not in make_keyword_reader(0)(asked(*tools)[1])

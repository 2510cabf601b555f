"""Tool calls that no tool could take are counted, whoever lost them."""

import pytest
import verifiers.v1 as vf
from inward_chat.testing import PolicyServer, tool_call
from quality_rag import calls
from support.runs import call, traces, vf_eval

TOOLS = [
    vf.Tool(
        name="search",
        description="",
        parameters={"properties": {"query": {"type": "string"}}, "required": ["query"]},
    ),
    vf.Tool(
        name="read",
        description="",
        parameters={"properties": {"passage": {"type": "integer"}}, "required": ["passage"]},
    ),
]


def reply(*named, content=None):
    return vf.AssistantMessage(
        content=content,
        tool_calls=[
            vf.ToolCall(id=str(n), name=name, arguments=arguments)
            for n, (name, arguments) in enumerate(named)
        ]
        or None,
    )


REFUSED = [
    ([("search", '{"query": "oil"}')], 0),
    ([("search", '{"query": "oil", "more": 1}')], 0),
    ([("search", '{"query": ""}')], 0),
    ([("read", '{"passage": 3}'), ("read", '{"passage": "3"}')], 0),
    ([("search", '{"query": "oi')], 1),
    ([("search", "")], 1),
    ([("search", "[1]")], 1),
    ([("search", '{"q": "oil"}'), ("search", '{"query": 7}')], 2),
    ([("read", '{"passage": null}')], 1),
    ([("read", "[" * 100_000)], 1),
    ([("open", '{"query": "oil"}'), ("search", '{"query": "oil"}')], 1),
    ([], 0),
]


@pytest.mark.parametrize(("named", "count"), REFUSED)
def test_calls_that_are_refused(named, count):
    assert calls.refused([reply(*named)], TOOLS) == count
    assert calls.refused([reply(*named)], []) == len(named)


IN_TEXT = [
    ('<tool_call>\n{"name": "search", "arguments": {"query": "oil"}}\n</tool_call>', 1),
    ("<tool_call><function=search><parameter=query>oil", 1),
    ('<|python_tag|>{"name": "search"', 1),
    ('[TOOL_CALLS]search{"query": "oil"}', 1),
    ("<tool_call>{}</tool_call><tool_call>{}</tool_call>", 2),
    ("The tool call found nothing. Answer: A", 0),
    ("", 0),
    (None, 0),
]


@pytest.mark.parametrize(("content", "count"), IN_TEXT)
def test_calls_that_nothing_read_as_one(content, count):
    assert calls.in_text([reply(content=content)]) == count
    assert calls.in_text([reply(("search", "{}"), content=content)]) == 0


BROKEN = "<tool_call>\n{broken\n</tool_call>"
GOOD = '<tool_call>\n{"name": "search", "arguments": {"query": "oil"}}\n</tool_call>'
# name, what the engine's turns say, broken calls, searches
TURNS = [
    ("broken", [BROKEN], 1, 0),
    ("cut short", ["<tool_call>\n{"], 1, 0),
    ("one of two", [GOOD + BROKEN, "Answer: A"], 1, 1),
    ("after words", ["Let us see." + BROKEN], 1, 0),
    ("good", [GOOD, "Answer: A"], 0, 1),
]


def test_calls_that_the_train_client_drops(tmp_path):
    """Over the engine's own `/inference/v1/generate`, with a real renderer."""
    from rewards.tiny_qwen import TinyQwen, train_tokenizer

    train_tokenizer(tmp_path)
    firsts = []

    def say(prompt):
        question = prompt.partition("Question: ")[2].partition("\n")[0]
        if question not in firsts:
            firsts.append(question)
        turns = TURNS[firsts.index(question)][1]
        return turns[prompt.count("<tool_response>")]

    with TinyQwen(tmp_path, say).server() as server:
        episodes = vf_eval(
            "quality-rag", server, "--env.taskset.split", "sample", "-n", str(len(TURNS)),
            "--client.type", "train", "--client.renderer.name", "qwen3",
            "--client.renderer-model-name", str(tmp_path), "-c", "1",
            cwd=tmp_path,
        )  # fmt: skip
    found = traces(episodes)
    assert all(trace["ok"] for trace in found.values()), found
    by_question = {trace["task"]["data"]["prompt"]: trace["metrics"] for trace in found.values()}
    for question, (name, _, broken, searches) in zip(firsts, TURNS, strict=True):
        [metrics] = [m for prompt, m in by_question.items() if f"Question: {question}\n" in prompt]
        assert (metrics["broken_calls"], metrics["searches"]) == (broken, searches), name
    done = call("vf-replay", "outputs/run", "--no-rich", "-o", "replayed", cwd=tmp_path)
    assert done.code == 0, done.err


def test_calls_that_an_engine_leaves_in_the_text_and_those_that_the_harness_refuses(tmp_path):
    broken = [("search", "{"), ("open", {}), ("search", {"q": "oil"}), ("search", "[]")]
    good = ("search", {"query": "oil"})
    calls = [tool_call(*c, f"c{n}") for n, c in enumerate([*broken, good])]
    replies = iter([{"content": GOOD}, {"content": "Answer: A"}, {"tool_calls": calls}])

    def policy(body):
        if any(m["role"] == "tool" for m in body["messages"]):
            return {"content": "Answer: A"}
        return next(replies)

    with PolicyServer(policy) as server:
        found = traces(
            vf_eval("quality-rag", server, "--env.taskset.split", "sample", "-n", "3", cwd=tmp_path)
        )
    assert sorted(trace["metrics"]["broken_calls"] for trace in found.values()) == [0, 1, 4]

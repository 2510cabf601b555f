"""The scored span is exactly the completion, token by token, in eval and in train mode.

A real rollout of two turns with thinking: the chat template drops the first turn's thinking from
the second turn's prompt, so that any re-tokenised text would be wrong.
"""

from __future__ import annotations

from typing import Any

import pytest
import verifiers.v1 as vf
from inward_chat import local_agent
from inward_rewards.hidden_states import Completion, HiddenStatesError, completions, keep_token_ids
from inward_rewards.hidden_states.token_ids import ASK, INFO_KEY

pytestmark = pytest.mark.models
pytest.importorskip("transformers", reason="a real tokenizer needs transformers (group `models`)")

from rewards.tiny_qwen import TinyQwen  # noqa: E402

THOUGHTS = ["<think>\nhmm, 2 and 3\n</think>\n\nIt is 5.", "<think>\nnow 7\n</think>\n\nIt is 12."]


class KeepingTask(vf.Task):
    @vf.intercept
    def keep(self, response: vf.Response, trace: vf.Trace) -> None:  # type: ignore[type-arg]
        keep_token_ids(response, trace)


class Recording(TinyQwen):
    """What the engine really read and sampled."""

    def complete(self, prompt_ids: list[int]) -> list[int]:
        ids = super().complete(prompt_ids)
        self.__dict__.setdefault("calls", []).append(Completion(tuple(prompt_ids), tuple(ids)))
        return ids


def reply(prompt: str) -> str:
    return THOUGHTS["And plus 7?" in prompt]


async def play(tiny: Recording, client: dict[str, Any], sampling: dict[str, Any]) -> vf.Trace:
    with tiny.server() as server:
        config = local_agent().model_copy(
            update={
                "model": "tiny",
                "sampling": vf.SamplingConfig(**sampling),
                "client": client["type"](base_url=server.base_url, **client["fields"]),
            }
        )
        task = KeepingTask(vf.TaskData(prompt="What is 2 + 3?", system_prompt="Think first."))
        agent = vf.Agent(config)
        async with agent.interaction(task) as interaction:
            await interaction.turn()
            await interaction.turn("And plus 7?")
        return interaction.trace


def clients(folder):
    return {
        "eval": ({"type": vf.EvalClientConfig, "fields": {}}, ASK),
        "train": (
            {
                "type": vf.TrainClientConfig,
                "fields": {"renderer": {"name": "qwen3"}, "renderer_model_name": str(folder)},
            },
            {},
        ),
    }


@pytest.mark.parametrize("mode", ["eval", "train"])
async def test_completions_token_by_token(tiny_qwen, mode):
    tiny = Recording(tiny_qwen, reply)
    trace = await play(tiny, *clients(tiny_qwen)[mode])
    assert trace.ok, trace.errors
    found = completions(trace)
    assert len(found) == 2
    assert found == tiny.calls
    end = tiny.tokenizer.eos_token_id
    for completion, text in zip(found, THOUGHTS, strict=True):
        start, stop = completion.span({end})
        scored = completion.token_ids[start:stop]
        assert scored == completion.completion_ids
        assert tiny.tokenizer.decode(scored) == text + "<|im_end|>"
        assert tiny.tokenizer.decode(completion.token_ids[:start]).endswith(
            "<|im_start|>assistant\n"
        )
    # The trap that re-tokenising would fall into.
    second_prompt = tiny.tokenizer.decode(found[1].prompt_ids)
    assert "It is 5." in second_prompt
    assert "hmm" not in second_prompt


async def test_a_server_without_token_ids_is_named(tiny_qwen):
    client, _ = clients(tiny_qwen)["eval"]
    trace = await play(Recording(tiny_qwen, reply), client, {})
    assert trace.ok
    with pytest.raises(HiddenStatesError, match="returned no token ids"):
        completions(trace)

    # A record whose length is not the server's own count of the same call.
    for call in trace.calls:
        record = {"prompt_ids": [1], "completion_ids": [2] * (call.usage.completion_tokens - 1)}
        trace.info.setdefault(INFO_KEY, [{}, {}])[trace.calls.index(call)] = record
    with pytest.raises(HiddenStatesError, match=r"counted \d+ completion tokens but returned"):
        completions(trace)


@pytest.mark.parametrize("train", [False, True])
@pytest.mark.parametrize("where", ["user", "tool", "first turn"])
def test_rollouts_with_pictures_are_refused(where, train):
    """Their token ids hold placeholders alone: an engine would read those as words."""
    picture = vf.ImageUrlContentPart(image_url=vf.ImageUrlSource(url="data:image/png;base64,AA=="))
    seen = [vf.TextContentPart(text="What is this?"), picture]
    reply = vf.AssistantMessage(content="A cat.")
    before = {
        "user": [vf.UserMessage(content=seen)],
        "tool": [vf.UserMessage(content="Look."), vf.ToolMessage(tool_call_id="1", content=seen)],
        "first turn": [vf.UserMessage(content=seen), reply, vf.UserMessage(content="Sure?")],
    }[where]
    task = vf.TraceTask(type="Task", data=vf.TaskData(prompt="hi"))
    trace = vf.Trace(task=task, agent=vf.AgentInfo(config=vf.AgentConfig()))
    for index, message in enumerate([*before, reply]):
        own = {"token_ids": [5, 6], "mask": [False, message is reply]} if train else {}
        parent = index - 1 if index else None
        trace.nodes.append(vf.MessageNode(message=message, parent=parent, **own))
    trace.nodes[-1].sampled = True
    trace.info[INFO_KEY] = [{"prompt_ids": [5] * len(before), "completion_ids": [6]}]
    with pytest.raises(HiddenStatesError, match="holds 'image_url', and a score reads token ids"):
        completions(trace)
    for node in trace.nodes:
        if isinstance(node.message.content, list):
            node.message.content = "What is this?"
    assert len(completions(trace)) == 1


def test_the_span_ends_with_the_first_end_token():
    completion = Completion((1, 2, 3), (7, 9, 8, 9, 5))
    assert completion.span() == (3, 8)
    assert completion.span({9}) == (3, 5)
    assert completion.span({4}) == (3, 8)
    assert Completion((9,), (7,)).span({9}) == (1, 2)


def test_a_trace_without_replies_has_no_completions():
    task = vf.TraceTask(type="Task", data=vf.TaskData(prompt="hi"))
    agent = vf.AgentInfo(config=vf.AgentConfig())
    assert completions(vf.Trace(task=task, agent=agent)) == []

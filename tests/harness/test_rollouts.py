"""Real rollouts of `inward-chat`: verifiers' own rollout, interception and tool server."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
import pytest_asyncio
import verifiers.v1 as vf
from inward_chat import LocalEnv, LocalEnvConfig, tool_servers
from inward_chat.chat import ArgumentsError, parse_arguments
from inward_chat.testing import HttpReply, tool_call

pytestmark = pytest.mark.asyncio(loop_scope="module")

DONE = {"content": "done"}


def calls(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"content": None, "tool_calls": list(entries)}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def stage() -> AsyncIterator[Any]:
    from stage import open_stage

    config = LocalEnvConfig(taskset={"id": "probe", "tools": True}, agent={"max_turns": 8})
    async with open_stage(LocalEnv(config)) as stage:
        yield stage


def task(stage: Any, **data: Any) -> vf.Task:
    from probe import ProbeTask

    data = {"idx": 0, "prompt": "Say done.", **data}
    return ProbeTask(vf.TaskData(**data), stage.env.taskset.config.task)


async def test_calls_of_one_turn_run_at_once_and_come_back_in_order(stage: Any) -> None:
    # Each call returns only once all three are running.
    stage.script(
        calls(*(tool_call("probe_meet", {"name": n, "parties": 3}, n) for n in "abc")), DONE
    )
    trace = await stage.play(task(stage))
    assert trace.ok
    assert stage.tool_results() == ["a met 3", "b met 3", "c met 3"]


HOSTILE_ARGUMENTS = {
    "not JSON": '{"text": ',
    "no object": "[1]",
    "a bare string": '"text"',
    "not a number": '{"text": NaN}',
    "an infinity": '{"text": 1e999}',
    "an endless number": '{"text": 1' + "0" * 5000 + "}",
    "half a character": '{"text": "\\ud800"}',
    "too long": json.dumps({"text": "x" * 5_000_000}),
    "no such argument": '{"txt": "a"}',
    "wrong type": '{"text": 7}',
}


@pytest.mark.parametrize("arguments", HOSTILE_ARGUMENTS.values(), ids=HOSTILE_ARGUMENTS)
async def test_bad_arguments_are_the_models_fault(stage: Any, arguments: str) -> None:
    stage.script(calls(tool_call("probe_echo", arguments, "call")), DONE)
    trace = await stage.play(task(stage))
    assert trace.ok, trace.errors
    assert trace.reward == 1.0
    [result] = stage.tool_results()
    assert "rror" in result


@pytest.mark.parametrize(
    ("name", "says"), [("nonsense", "unknown tool"), ("probe_explode", "the tool broke")]
)
async def test_tool_errors_go_back_to_the_model(stage: Any, name: str, says: str) -> None:
    stage.script(calls(tool_call(name, {}, "call")), DONE)
    trace = await stage.play(task(stage))
    assert trace.ok
    [result] = stage.tool_results()
    assert says in result


async def test_an_oversized_result_keeps_its_ends(stage: Any) -> None:
    stage.script(calls(tool_call("probe_long", {"length": 100_000}, "call")), DONE)
    assert (await stage.play(task(stage))).ok
    [result] = stage.tool_results()
    assert len(result) < 21_000
    assert "truncated" in result


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "[" * 900 + "]" * 900])
async def test_deep_nesting_is_bad_json(text: str) -> None:
    # verifiers' own interception refuses a turn that nests deeper than Python's stack.
    with pytest.raises(ArgumentsError):
        parse_arguments(text)


async def test_nothing_is_streamed(stage: Any) -> None:
    stage.script(DONE)
    await stage.play(task(stage))
    [request] = stage.requests
    assert "stream" not in request


@pytest.mark.parametrize(
    ("prompts", "messages"),
    [
        ({"prompt": "", "system_prompt": "s"}, [("system", "s")]),
        ({"prompt": "p", "system_prompt": ""}, [("user", "p")]),
        ({"prompt": [vf.UserMessage(content="p")]}, [("user", "p")]),
    ],
)
async def test_empty_prompts_add_no_message(stage: Any, prompts: Any, messages: Any) -> None:
    stage.script(DONE)
    await stage.play(task(stage, **prompts))
    [request] = stage.requests
    assert [(m["role"], m["content"]) for m in request["messages"]] == messages


async def test_a_full_context_ends_the_rollout_without_an_error(stage: Any) -> None:
    stage.script(HttpReply(400, {"error": {"code": "context_length_exceeded"}}))
    trace = await stage.play(task(stage))
    assert trace.ok
    assert trace.num_turns == 0


async def test_a_passing_fault_of_the_model_server_is_repeated(stage: Any) -> None:
    faults = [HttpReply(503, {"error": "busy"})]
    stage.script(DONE)
    answer = stage._server.policy
    stage._server.policy = lambda body: faults.pop() if faults else answer(body)
    trace = await stage.play(task(stage))
    assert trace.ok
    assert trace.num_turns == 1
    assert not trace.errors


async def test_cancellation_in_mid_turn_leaves_nothing_behind(stage: Any) -> None:
    before = asyncio.all_tasks()
    stage.script(
        calls(tool_call("probe_hang", {}, "a"), tool_call("probe_echo", {"text": "x"}, "b"))
    )
    in_tools = asyncio.Event()
    seen: list[vf.Trace] = []

    def watch(trace: vf.Trace) -> None:
        seen.append(trace)
        trace.watch(lambda trace: in_tools.set() if trace.num_turns else None)

    rollout = asyncio.create_task(stage.env.run_episode(task(stage), stage._ctx, on_trace=watch))
    await in_tools.wait()
    await asyncio.sleep(0.2)  # into the calls
    rollout.cancel()
    with pytest.raises(asyncio.CancelledError):
        await rollout
    await asyncio.sleep(0)
    assert asyncio.all_tasks() <= before
    assert not os.path.exists(seen[0].agent.runtime.id)  # noqa: ASYNC240, PTH110
    stage.script(calls(tool_call("probe_echo", {"text": "still here"}, "c")), DONE)
    assert (await stage.play(task(stage))).ok
    assert stage.tool_results() == ["echo: still here"]


async def test_a_timeout_in_mid_turn_is_a_stop_and_not_an_error(stage: Any) -> None:
    stage.script(calls(tool_call("probe_hang", {}, "a")))
    trace = await stage.play(task(stage, timeout={"agent": 1.0}))
    assert trace.ok
    assert trace.is_timeout
    assert trace.num_turns == 1


async def test_a_lost_answer_adds_no_turn(stage: Any) -> None:
    seat = {"harness": {"id": "cut-line"}, "runtime": {"type": "subprocess"}}
    env = LocalEnv(LocalEnvConfig(taskset={"id": "probe"}, agent=seat))
    env._interception = stage.env._interception
    stage.script(DONE)
    episode = await env.run_episode(task(stage), stage._ctx)
    [trace] = episode.traces
    assert trace.ok, trace.errors
    assert trace.num_turns == 1
    assert len(stage.requests) == 1


async def test_a_dead_tool_server_is_an_error_and_no_score(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from stage import open_stage

    monkeypatch.setattr(tool_servers, "MCP_CALL_ATTEMPTS", 2)
    config = LocalEnvConfig(taskset={"id": "probe", "tools": True})
    async with open_stage(LocalEnv(config)) as stage:
        stage.script(calls(tool_call("probe_die", {}, "a")), DONE)
        trace = await stage.play(task(stage))
    assert not trace.ok
    assert trace.rewards == {}
    # The call, and the tools' list in the one rerun.
    assert [error.type for error in trace.errors] == ["HarnessError", "HarnessError"]
    assert all("ToolServerError: " in error.message for error in trace.errors)
    assert "tool 'probe_die'" in trace.errors[0].message
    assert "?" not in trace.errors[0].message


async def test_other_runtimes_are_refused_in_one_line() -> None:
    from inward_chat import InwardChat, InwardChatConfig

    runtime: Any = SimpleNamespace(type="docker")
    with pytest.raises(ValueError, match=r"--env.agent.runtime.type subprocess"):
        await InwardChat(InwardChatConfig()).setup(runtime)

"""`inward-chat` and verifiers' `null` against the same scripted policy and the same tool server.

Both play every scenario; what the policy's server saw and what the traces hold must be the same.
`null` starts a process per rollout, which takes 3 CPU seconds: most scenarios are slow tests.
"""

import asyncio
import re
import shutil
from typing import Any

import pytest
import pytest_asyncio
import verifiers.v1 as vf
from inward_chat.testing import ChatCompletion, HttpReply, PolicyServer, tool_call
from verifiers.v1.env import RunSlot

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(shutil.which("uv") is None, reason="`null` prepares its program with uv"),
]

SEATS = ("null", "inward")
CALLS = (
    tool_call("probe_echo", {"text": "ünïcode ☃"}, "echo"),
    tool_call("probe_picture", {}, "picture"),
    tool_call("probe_explode", {}, "explode"),
    tool_call("probe_echo", {}, "missing-argument"),
    tool_call("probe_long", {"length": 30_000}, "long"),
    tool_call("nonsense", {"a": 1}, "unknown"),
    tool_call("probe_echo", "[1]", "not-an-object"),
    tool_call("probe_echo", '{"text": ', "not-json"),
    tool_call("probe_explode", "", "no-arguments"),
)
ECHO, EXPLODE = CALLS[0], CALLS[2]
LOOK = {"content": None, "tool_calls": [ECHO]}
DONE = {"content": "done"}
USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}

# The policy's answers to the turns of a conversation whose first user message names the scenario.
SCRIPTS: dict[str, tuple[Any, ...]] = {
    "plain": (ChatCompletion(DONE, usage=USAGE, finish_reason="length"),),
    "messages": (LOOK, DONE),
    "parallel": (
        {"content": None, "reasoning_content": "All at once.", "tool_calls": list(CALLS)},
        DONE,
    ),
    "overflow": (LOOK, HttpReply(400, {"error": "This model's maximum context length is 8"})),
    "refused": (HttpReply(400, {"error": "no such parameter"}),),
    "gated": ({"content": None, "tool_calls": [ECHO, EXPLODE]}, DONE),
    "stopped": ({"content": None, "tool_calls": [ECHO, EXPLODE]}, DONE),
    "resumed": (LOOK, {"content": "first"}, LOOK, {"content": "second"}, DONE),
}


BY_DEFAULT = {"messages", "parallel", "refused"}
SCENARIOS = [
    pytest.param(name, marks=[] if name in BY_DEFAULT else pytest.mark.slow) for name in SCRIPTS
]


class PairConfig(vf.EnvConfig):
    null: vf.AgentConfig = vf.AgentConfig(
        harness={"id": "null"}, runtime=vf.SubprocessConfig(), max_turns=4, model="null"
    )
    inward: vf.AgentConfig = vf.AgentConfig(
        harness={"id": "inward-chat"}, runtime=vf.SubprocessConfig(), max_turns=4, model="inward"
    )


class Pair(vf.Env[PairConfig]):
    async def run(self, task: vf.Task, agents: vf.Agents) -> None:
        for seat in SEATS:
            await self.play(task, getattr(agents, seat))

    async def play(self, task: vf.Task, agent: vf.Agent) -> None:
        if task.data.name != "resumed":
            await agent.run(task)
            return
        async with agent.interaction(task) as chat:
            await chat.turn()
            await chat.turn("go on")
            await chat.turn([vf.UserMessage(content="and once more")])


class Play:
    """One harness's part in a scenario."""

    def __init__(self, trace: vf.Trace, requests: list[dict[str, Any]]) -> None:
        self.trace = trace
        self.requests = [comparable(request) for request in requests]


def comparable(request: dict[str, Any]) -> dict[str, Any]:
    """A request without what must differ: the seat's name, streaming and its traces."""
    ours = {k: v for k, v in request.items() if k not in ("model", "stream", "stream_options")}
    for message in ours["messages"]:
        for call in message.get("tool_calls", ()):
            call.pop("index", None)
    return ours


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def plays(request: pytest.FixtureRequest) -> dict[str, dict[str, Play]]:
    """Scenario -> seat -> what happened, for the scenarios that this session asks for."""
    from probe import GatedTask, ProbeTask, StoppedTask
    from probe_tools import RED_DOT

    items = (item for item in request.session.items if item.path == request.path)
    asked = {item.callspec.params["scenario"] for item in items}
    names = [name for name in SCRIPTS if name in asked]
    classes = {"gated": GatedTask, "stopped": StoppedTask}
    picture = vf.ImageUrlSource(url=f"data:image/png;base64,{RED_DOT}")
    prompts: dict[str, Any] = {
        "messages": [
            vf.SystemMessage(content="a system message of the conversation's own"),
            vf.UserMessage(content="scenario=messages"),
            vf.AssistantMessage(content="noted", reasoning_content="hm"),
            vf.UserMessage(
                content=[
                    vf.ImageUrlContentPart(image_url=picture),
                    vf.TextContentPart(text="now answer"),
                ]
            ),
        ],
    }
    seen: dict[tuple[str, str], list[dict[str, Any]]] = {}

    def policy(body: dict[str, Any]) -> Any:
        [scenario] = set(re.findall(r"scenario=([\w-]+)", str(body["messages"])))
        requests = seen.setdefault((body["model"], scenario), [])
        requests.append(body)
        script = SCRIPTS[scenario]
        played = sum(message["role"] == "assistant" for message in body["messages"])
        return script[played - (scenario == "messages")]

    with PolicyServer(policy) as server:
        env = Pair(PairConfig(taskset={"id": "probe", "tools": True}))
        ctx = vf.ModelContext(
            model="unused",
            client=vf.EvalClientConfig(base_url=server.base_url, api_key_var="NO_KEY"),
            sampling=vf.Sampling(temperature=0.5),
        )
        tasks = [
            classes.get(name, ProbeTask)(
                vf.TaskData(
                    idx=index,
                    name=name,
                    prompt=prompts.get(name, f"scenario={name}"),
                    system_prompt=None if name == "messages" else "Answer in English.",
                ),
                env.taskset.config.task,
            )
            for index, name in enumerate(names)
        ]
        async with env.serving():
            gate = asyncio.Semaphore(4)
            episodes = await asyncio.gather(
                *(env.run_slot(RunSlot(task), ctx, gate) for task in tasks)
            )
    return {
        name: {
            trace.agent.config.model: Play(trace, seen.get((trace.agent.config.model, name), []))
            for trace in episode.traces
        }
        for name, episode in zip(names, episodes, strict=True)
    }


@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_the_policy_sees_the_same_requests(
    plays: dict[str, dict[str, Play]], scenario: str
) -> None:
    null, inward = (plays[scenario][seat] for seat in SEATS)
    assert inward.requests
    assert inward.requests == null.requests


def story(trace: vf.Trace) -> dict[str, Any]:
    """All of a trace but ids, times, the seat and what an error says."""
    return {
        "nodes": [(node.parent, node.sampled, node.message.model_dump()) for node in trace.nodes],
        "tools": [tool.model_dump() for tool in trace.tools],
        "calls": [
            (
                call.node,
                call.finish_reason,
                call.usage,
                call.sampling,
                call.error and call.error.type,
            )
            for call in trace.calls
        ],
        "rewrites": trace.request_rewrites,
        "rewards": trace.rewards,
        "ok": trace.ok,
        "stop": trace.stop_condition,
        "errors": [(error.type, error.status_code) for error in trace.errors],
        "completed": trace.is_completed,
    }


@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_the_traces_tell_the_same_story(
    plays: dict[str, dict[str, Play]], scenario: str
) -> None:
    null, inward = (plays[scenario][seat] for seat in SEATS)
    assert story(inward.trace) == story(null.trace)


EXPECTED = {
    # scenario: (turns, ok, stop condition, reward)
    "plain": (1, True, "agent_completed", 1.0),
    "messages": (2, True, "agent_completed", 1.0),
    "parallel": (2, True, "agent_completed", 1.0),
    "overflow": (1, True, "agent_completed", 0.0),
    "refused": (0, False, "provider_error", 0.0),
    "gated": (2, True, "agent_completed", 1.0),
    "stopped": (1, True, "no_explosions", 0.0),
    "resumed": (4, True, "max_turns", 0.0),
}


@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_the_scenarios_are_what_they_say(
    plays: dict[str, dict[str, Play]], scenario: str
) -> None:
    """Guards the comparison: two harnesses that do nothing would also be equal."""
    trace = plays[scenario]["inward"].trace
    assert (trace.num_turns, trace.ok, trace.stop_condition, trace.reward) == EXPECTED[scenario]

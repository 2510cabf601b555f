"""Episodes whose model is the trainer: TRL's `environment_factory`."""

import pytest
from inward_training import RolloutsError
from inward_training.tool_methods import method_of
from inward_training.trl_environment import Seats, _Seat
from training.conftest import COPY_LETTER
from training.trl_steps import settings


def says(text):
    return [{"role": "assistant", "content": text}]


def test_a_rollout_is_an_episode_of_the_environment():
    with Seats(COPY_LETTER) as seats:
        played = [seats.factory() for _ in range(4)]
        assert [seat.reset(index=i, prompt=[]) for i, seat in enumerate(played)] == [
            f"Say {letter}" for letter in "abcd"
        ]
        replies = [says("a"), says("x"), says("fault"), [{"role": "tool", "content": "c"}]]
        assert seats.reward(replies, played) == [1.0, 0.0, None, 0.0]
        assert seats.failures == {"TaskError": 1}
        # An instance is used again, also where its last rollout was left.
        assert played[0].reset(index=7) == "Say h"
        assert played[0].reset(index=6) == "Say g"
        assert seats.reward([says("g")], played[:1]) == [1.0]
        with pytest.raises(IndexError, match="has 8 tasks here: none at 8"):
            played[0].reset(index=8)


def test_an_environment_of_several_conversations_is_refused():
    with Seats({"id": "letter-group", **COPY_LETTER}) as seats:
        seat = seats.factory()
        seat.reset(index=0)
        with pytest.raises(RolloutsError, match="several conversations per episode"):
            seats.reward([says("a")], [seat])


@pytest.mark.slow
def test_the_trainers_tool_calls_run_the_environments_tools():
    env = {"taskset": {"id": "quality-rag", "split": "sample"}}
    with Seats(env, tasks=2) as seats:
        seat = seats.factory()
        assert "Question: " in seat.reset(index=0)
        [tool] = seat._tools
        found = getattr(seat, tool["name"])(query="the lamp")
        assert len(found) > 100
        assert "error" in getattr(seat, tool["name"])(qwery="the lamp").lower()
        gold = seats._tasks[0].data.gold
        assert seats.reward([says(f"Answer: {gold}")], [seat]) == [1.0]
        trace = seat._episode.result().traces[0]
        assert [
            call for node in trace.nodes for call in getattr(node.message, "tool_calls", None) or ()
        ]


def test_a_tool_has_the_schema_that_trl_reads():
    schema = {
        "properties": {
            "query": {"type": "string", "description": "what to find"},
            "n": {"type": "integer", "default": 3},
            # As pydantic writes `str | None`, and as others do.
            "where": {"anyOf": [{"type": "null"}, {"type": "string"}], "default": None},
            "what": {"type": ["null", "number"]},
            "kind": {"$ref": "#/$defs/Kind"},
            "size": {"enum": [1, 2]},
            "all": {"allOf": [{"type": "array"}]},
            "any": True,
        },
        "required": ["query"],
        "$defs": {"Kind": {"enum": ["a", "b"], "type": "string"}},
    }
    method = method_of({"name": "search", "description": "Searches.", "parameters": schema})
    described = "    query: what to find\n    n: n\n    where: where\n    what: what\n"
    assert method.__doc__.startswith(f"Searches.\n\nArgs:\n{described}")
    kinds = {"query": str, "n": int, "where": str, "what": float}
    kinds |= {"kind": str, "size": int, "all": list, "any": dict}
    assert method.__annotations__ == {**kinds, "return": str}


@pytest.mark.parametrize("name", ["my-arg", "class", "self"])
def test_a_parameter_that_python_cannot_name_is_told(name):
    tool = {"name": "search", "parameters": {"properties": {name: {"type": "string"}}}}
    with pytest.raises(RolloutsError, match="tool 'search' has a parameter that is no name of"):
        method_of(tool)


def test_a_tool_of_the_name_of_a_method_is_refused(monkeypatch):
    reset = _Seat.reset

    def offered(seat, index, **more):
        text = reset(seat, index, **more)
        seat._tools = [{"name": "reset", "parameters": {}}]
        return text

    monkeypatch.setattr(_Seat, "reset", offered)
    with pytest.raises(RolloutsError, match="has a tool 'reset'"), Seats(COPY_LETTER):
        pass


@pytest.mark.parametrize(
    ("tasks", "words"), [(0, "tasks must be at least 1"), (9, r"'copy-letter' has 8 tasks .got 9.")]
)
def test_tasks_that_are_not_there_are_refused(tasks, words):
    with pytest.raises(ValueError, match=words):
        Seats(COPY_LETTER, tasks)


def test_a_first_episode_that_fails_is_told_at_the_start(monkeypatch):
    seats = Seats(COPY_LETTER)

    async def down(slot, context):
        raise RuntimeError("the tool server is down")

    monkeypatch.setattr(seats._env, "run_slot", down)
    with pytest.raises(RuntimeError, match="the tool server is down"), seats:
        pass


@pytest.mark.models
def test_trl_trains_on_it(tmp_path, monkeypatch):
    pytest.importorskip("trl", reason="needs the groups models and train")
    monkeypatch.setenv("TRL_EXPERIMENTAL_SILENCE", "1")
    from rewards.tiny_qwen import make_tiny
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import get_json_schema
    from trl import GRPOConfig, GRPOTrainer
    from trl.chat_template_utils import qwen3_chat_template

    make_tiny(tmp_path)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    tokenizer.chat_template = qwen3_chat_template
    method = method_of({"name": "search", "parameters": {"properties": {"q": {"type": "string"}}}})
    assert get_json_schema(method)["function"]["parameters"]["properties"] == {
        "q": {"type": "string", "description": "q"}
    }
    with Seats(COPY_LETTER) as seats:
        trainer = GRPOTrainer(
            model=AutoModelForCausalLM.from_pretrained(tmp_path),
            environment_factory=seats.factory,
            reward_funcs=seats.reward,
            train_dataset=seats.dataset(),
            processing_class=tokenizer,
            args=GRPOConfig(
                **settings(
                    tmp_path,
                    1,
                    per_device_train_batch_size=4,
                    num_generations=2,
                    max_completion_length=4,
                )
            ),
        )
        trainer.train()
    [logged] = [entry for entry in trainer.state.log_history if "reward" in entry]
    assert 0 <= logged["reward"] <= 1
    assert not seats.failures

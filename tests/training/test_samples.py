"""Groups as plain data: what may stand in them, their advantages, their JSON."""

import json

import pytest
import verifiers.v1 as vf
from inward_training import Failure, Group, Sample
from inward_training.episodes import as_group


def sample(reward=1.0, rollout="r", **changes):
    fields = {
        "prompt_ids": (1, 2),
        "completion_ids": (3, 4, 5),
        "logprobs": (-0.5, 0.0, -1.5),
        "loss_mask": (True, False, True),
        "reward": reward,
        "rewards": {"right": reward},
        "metrics": {},
        "rollout": rollout,
        "agent": "agent",
        "images": ("data:image/png;base64,AA==",),
        "stop": "agent_completed",
        "truncated": False,
        "weights": (3, 4),
    }
    return Sample(**{**fields, **changes})


def group(*samples, planned=None, failures=(), repeated=()):
    return Group("g", "task", 0, samples, planned or len(samples), failures, repeated)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"logprobs": (-0.5,)}, "3 completion tokens has 1 logprobs"),
        ({"loss_mask": (False,) * 3}, "without a sampled token"),
        ({"reward": float("nan")}, "reward is nan"),
        ({"reward": float("inf")}, "reward is inf"),
        ({"logprobs": (-0.5, 0.0, float("nan"))}, "logprobs are not all finite"),
    ],
)
def test_what_cannot_be_trained_on_is_no_sample(changes, words):
    with pytest.raises(ValueError, match=words):
        sample(**changes)


def test_advantages_compare_rollouts_not_their_branches():
    # One rollout of two branches and reward 1, two of reward 0: the mean is a third.
    mixed = group(sample(1.0, "a"), sample(1.0, "a"), sample(0.0, "b"), sample(0.0, "c"))
    assert mixed.advantages() == pytest.approx([2 / 3, 2 / 3, -1 / 3, -1 / 3])
    assert mixed.planned - len(mixed.rewards) == 1


@pytest.mark.parametrize("count", [3, 6, 7, 12])
def test_equal_rewards_have_no_advantage_at_all(count):
    found = group(*(sample(0.2, str(number)) for number in range(count))).advantages()
    assert found == [0.0] * count


def test_a_seat_is_compared_with_itself_alone():
    """Solvers within a proposal, proposers over those of a task: as `hierarchical_grpo`."""
    samples = []
    for episode, proposer, solvers in (("a", 0.5, (1.0, 0.0)), ("b", 0.1, (0.8, 0.2))):
        samples.append(sample(proposer, f"{episode}p", agent="proposer", episode=episode))
        samples += [
            sample(reward, f"{episode}{n}", agent="solver", episode=episode)
            for n, reward in enumerate(solvers)
        ]
    expected = [0.2, 0.5, -0.5, -0.2, 0.3, -0.3]
    assert group(*samples, repeated=("solver",)).advantages() == pytest.approx(expected)
    refused = sample(0.0, "c", agent="proposer", episode="c")
    found = group(*samples, refused, repeated=("solver",)).advantages()
    assert found[::3] == pytest.approx([0.3, -0.1, -0.2])
    # One solver of each proposal was lost: those that are left are not siblings.
    left = group(*samples[::3], *samples[1::3], repeated=("solver",)).advantages()
    assert left == pytest.approx([0.2, -0.2, 0, 0])


def test_a_rollout_alone_has_no_advantage():
    alone = group(sample(1.0), planned=3, failures=(Failure("TaskError", "down"),) * 2)
    assert alone.advantages() == [0.0]
    assert alone.lost == 2


def test_json_and_back():
    whole = group(
        sample(), sample(0.0, "b"), planned=3, failures=(Failure("E", "why"),), repeated=("a",)
    )
    assert Group.from_json(json.loads(json.dumps(whole.as_json()))) == whole


def test_the_pictures_of_a_conversation_go_with_its_sample():
    """Of a prompt and of a tool's result, in their order, as verifiers' messages hold them."""

    def seen(*urls):
        pictures = [vf.ImageUrlContentPart(image_url=vf.ImageUrlSource(url=url)) for url in urls]
        return [vf.TextContentPart(text="Look."), *pictures]

    urls = [f"data:image/png;base64,{letter * 2}==" for letter in "ABC"]
    messages = [
        vf.SystemMessage(content="Say what it is."),
        vf.UserMessage(content=seen(*urls[:2])),
        vf.AssistantMessage(content="A cat?"),
        vf.ToolMessage(tool_call_id="1", content=seen(urls[2])),
        vf.AssistantMessage(content="A cat."),
    ]
    task = vf.Task(vf.TaskData(prompt="hi"))
    told = vf.TraceTask(type="Task", data=task.data)
    trace = vf.Trace(task=told, agent=vf.AgentInfo(config=vf.AgentConfig()), ok=True)
    for index, message in enumerate(messages):
        own = message.role == "assistant"
        node = vf.MessageNode(
            message=message,
            parent=index - 1 if index else None,
            sampled=own,
            token_ids=[5, 6],
            mask=[False, own],
            logprobs=[-1.0] * own,
        )
        trace.nodes.append(node)
    episode = vf.Episode(task=told, traces=[trace])
    [found] = as_group(task, 0, [(episode, (0, 0))], lambda _: True).samples
    assert found.images == tuple(urls)
    assert (len(found.prompt_ids), len(found.completion_ids)) == (5, 5)


def test_a_trainers_environment_needs_no_verifiers():
    import subprocess
    import sys

    code = (
        "import sys; sys.modules['verifiers'] = None\n"
        "import inward_training\n"
        "try:\n    inward_training.Rollouts\n"
        "except ImportError as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert 'pip install "inward-training[rollouts]"' in done.stdout, done.stderr

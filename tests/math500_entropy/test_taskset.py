"""Rewards on replies: the reference, garbage, and what a policy under pressure would try."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import verifiers.v1 as vf
from inward_rewards.entropy import Meter, Record, bonus_of
from inward_rewards.hidden_states import HiddenStatesError
from math500_entropy import Math500EntropyTaskset
from math500_entropy.data import DataError
from math500_entropy.prompt import in_layout
from math500_entropy.taskset import (
    Math500Data,
    Math500EntropyConfig,
    Math500EntropyTask,
    Math500EntropyTaskConfig,
)
from pydantic import ValidationError

REAL = Path(__file__).parents[3] / "shared" / "data" / "math500" / "math500_test.jsonl"
DATA = Math500Data(id="probe", prompt="Solve $2x = 10$.", answer="5", subject="Algebra", level=1)
ON = {"source": "vllm"}
LONG = "Let me think about it once more. " * 2_500


def measurement(per_layer: float, tokens: int = 64, dim: int = 1024) -> dict:
    return {
        "layers": [5, 6],
        "per_layer": [per_layer, per_layer],
        "tokens": tokens,
        "dim": dim,
        "preset": "advent",
        "alpha": 1.0,
        "measures": "policy",
        "scorer": "test",
        "policy_version": None,
    }


def played(reply: str | None, reasoning: str | None = None, data: Math500Data = DATA) -> vf.Trace:
    """A trace whose policy said `reply`; None: it never spoke."""
    task = vf.TraceTask(type="Math500EntropyTask", data=data)
    trace = vf.Trace(task=task, agent=vf.AgentInfo(config=vf.AgentConfig()))
    if reply is not None:
        message = vf.AssistantMessage(content=reply, reasoning_content=reasoning)
        trace.nodes.append(vf.MessageNode(message=message, sampled=True))
    return trace


async def score(reply, reasoning=None, *, measured=None, data=DATA, **config) -> vf.Trace:
    """`measured`: the entropy of a rollout without siblings, in bits."""
    trace = played(reply, reasoning, data)
    if measured is not None:
        trace.info["entropy"] = {"measurement": measurement(measured), "group": 1}
        config = {"entropy": ON, **config}
    await Math500EntropyTask(data, Math500EntropyTaskConfig(**config)).score(trace)
    return trace


def scores(trace: vf.Trace) -> dict[str, float]:
    return {name: reward.score for name, reward in trace.rewards.items()}


def told(*traces: vf.Trace) -> None:
    """Tell the rollouts of a group of each other, as the environment does."""
    meter = Meter(source=None, group=len(traces))
    meter.set_siblings(traces, lambda trace: trace.info["correct"])


# reply, correct, format. The README's table is this one.
PROBES = {
    "reference": ("<think>Halve it.</think><answer>5</answer>", 1, 0.2),
    "reference, another form": (
        "<think>Halve it.</think><answer>x = \\frac{10}{2}</answer>",
        1,
        0.2,
    ),
    "wrong answer": ("<think>Halve it.</think><answer>6</answer>", 0, 0.2),
    "empty reply": ("", 0, -0.5),
    "gibberish": ("qx zv 77 ]] lorem \\frac{ ~~ ipsum " * 30, 0, -0.5),
    "gibberish in the layout": (
        "<think>" + "qx zv ]] " * 30 + "</think><answer>qx</answer>",
        0,
        0.2,
    ),
    "gibberish, right answer": (
        "<think>" + "qx zv ]] " * 30 + "</think><answer>5</answer>",
        1,
        0.2,
    ),
    "repetition": ("<think>" + "so " * 500 + "</think><answer>so so</answer>", 0, 0.2),
    "two answers": ("<think>a</think><answer>5</answer><answer>6</answer>", 0, -0.5),
    "two answers in one block": ("<think>a</think><answer>5 or 6</answer>", 0, 0.2),
    "a list of candidates": ("<think>a</think><answer>4, 5, 6</answer>", 0, 0.2),
    "a range": ("<think>a</think><answer>[0, 10]</answer>", 0, 0.2),
    "answer outside the tags": ("<think>a</think>The answer is 5.", 0, -0.5),
    "boxed outside the tags": ("<think>a</think>\\boxed{5}", 0, -0.5),
    "answer only in the thinking": ("<think><answer>5</answer></think>", 0, -0.5),
    "answer before the thinking": ("<answer>5</answer><think>a</think>", 1, -0.5),
    "empty thinking": ("<think></think><answer>5</answer>", 1, -0.5),
    "no thinking": ("<answer>5</answer>", 1, -0.5),
    "a 20,000-token ramble, right": (f"<think>{LONG}</think><answer>5</answer>", 1, 0.2),
    "a 20,000-token ramble, cut off": (f"<think>{LONG}", 0, -0.5),
    "a ramble inside the answer": (f"<think>a</think><answer>{LONG} 5</answer>", 0, 0.2),
    "thinking opened in the prompt": ("Is it 4? Halve it.</think><answer>5</answer>", 1, -0.5),
    "its closing tag eaten by a stop string": ("<think>Halve it.</think><answer>5", 1, -0.5),
    "a box in the block": ("<think>a</think><answer>So it is \\boxed{5}.</answer>", 1, 0.2),
    "a box in a formula": ("<think>a</think><answer>-\\boxed{5}</answer>", 0, 0.2),
    "the question as the answer": ("<think>a</think><answer>Solve $2x = 10$.</answer>", 0, 0.2),
    "the equation as the answer": ("<think>a</think><answer>2x = 10</answer>", 0, 0.2),
    "a computation that never ends": ("<think>a</think><answer>(10^8)!</answer>", 0, 0.2),
    "10,000 braces": ("<think>a</think><answer>" + "{" * 10_000 + "</answer>", 0, 0.2),
}


@pytest.mark.parametrize("probe", PROBES)
async def test_probes(probe):
    """With the largest entropy there is: the gate keeps a wrong answer's bonus at 0."""
    reply, correct, layout = PROBES[probe]
    bonus = 0.1 if correct else 0.0
    found = scores(await score(reply, measured=6.0))
    assert found == pytest.approx({"correct": correct, "format": layout, "entropy": bonus})


async def test_thinking_that_the_server_split_off():
    assert scores(await score("<answer>5</answer>", "Halve it.")) == {"correct": 1, "format": 0.2}


# The same questions of the layout `boxed`.
BOXED = {
    "reference": ("Halve it.\n\\boxed{5}", 1, 0.2),
    "reference, another form": ("Halve it: \\boxed{\\frac{10}{2}}.", 1, 0.2),
    "thinking in tags": ("<think>Halve it: \\boxed{6}?</think>\\boxed{5}", 1, 0.2),
    "wrong answer": ("Halve it. \\boxed{6}", 0, 0.2),
    "empty reply": ("", 0, -0.5),
    "gibberish": ("qx zv 77 ]] lorem \\frac{ ~~ ipsum " * 30, 0, -0.5),
    "gibberish, right answer": ("qx zv ]] " * 30 + "\\boxed{5}", 1, 0.2),
    "repetition": ("\\boxed{5} " * 500, 0, -0.5),
    "two answers": ("It is \\boxed{5} or \\boxed{6}", 0, -0.5),
    "two answers in one box": ("It is \\boxed{5 or 6}", 0, 0.2),
    "a box in a box": ("It is \\boxed{\\boxed{5}}", 0, -0.5),
    "an empty box": ("It is \\boxed{}", 0, -0.5),
    "a box that never closes": ("It is \\boxed{5", 0, -0.5),
    "an answer without a box": ("It is 5.", 0, -0.5),
    "a box alone": ("\\boxed{5}", 1, -0.5),
    "boxed only in the thinking": ("<think>It is \\boxed{5}</think>It is 5.", 0, -0.5),
    "thinking that never ends": ("\\boxed{5} <think>is it?", 1, -0.5),
    "the layout of the tags": ("<think>a</think><answer>5</answer>", 0, -0.5),
    "the question as the answer": ("It is \\boxed{2x = 10}", 0, 0.2),
    "a 20,000-token ramble, cut off": (LONG, 0, -0.5),
}


@pytest.mark.parametrize("probe", BOXED)
async def test_probes_of_the_boxed_layout(probe):
    reply, correct, layout = BOXED[probe]
    bonus = 0.1 if correct else 0.0
    found = scores(await score(reply, measured=6.0, layout="boxed"))
    assert found == pytest.approx({"correct": correct, "format": layout, "entropy": bonus})


async def test_the_prompt_asks_for_what_is_rewarded():
    """Of both layouts; the worked example is a reply that the rewards take."""
    for layout, mark in (("tags", "<answer>"), ("boxed", "\\boxed{}")):
        plain, shown = (
            tasks(split="sample", worked_example=example, task={"layout": layout})[0]
            for example in (False, True)
        )
        assert mark in plain.data.system_prompt
        assert await plain.validate(runtime=None)
        added = shown.data.system_prompt.removeprefix(plain.data.system_prompt)
        problem, reply = added.split("to the problem\n\n")[1].split("\n\nreply\n\n")
        data = DATA.model_copy(update={"prompt": problem, "answer": "391"})
        found = scores(await score(reply, data=data, layout=layout))
        assert found == {"correct": 1, "format": 0.2}
    system = tasks(split="sample")[0].data.system_prompt
    assert "boxed" not in system
    assert "example" not in system


async def test_a_policy_that_never_spoke_scores_nothing():
    for config in ({}, {"entropy": ON}, {"entropy": ON, "mode": "entropy_only"}):
        trace = await score(None, **config)
        assert trace.reward == 0
        assert set(scores(trace)) == {"correct", "format"}


async def test_killed_answers_are_counted():
    trace = await score(PROBES["10,000 braces"][0])
    assert trace.metrics["verify_timeout"] == 1
    assert (await score("<answer>6</answer>")).metrics["verify_timeout"] == 0


SUM = Math500Data(
    id="sum", prompt="What is $2^3 + 0.5$?", answer=r"\frac{17}{2}", subject="Algebra", level=1
)


@pytest.mark.parametrize(
    ("answer", "correct", "echoed"),
    [
        (r"\frac{17}{2}", 1, 0),
        ("8.5", 1, 0),
        ("2^3 + 0.5", 0, 1),
        ("$2^{3}+0.5$", 0, 1),
        ("8", 0, 0),
        ("0.5", 0, 1),
    ],
)
async def test_a_copied_answer_is_not_correct_and_is_counted(answer, correct, echoed):
    trace = await score(f"<think>a</think><answer>{answer}</answer>", data=SUM)
    assert scores(trace)["correct"] == correct
    assert trace.metrics["echoed"] == echoed


async def test_a_problem_that_holds_its_answer():
    data = DATA.model_copy(update={"prompt": "Which of $3$ and $5$ is larger?"})
    trace = await score("<think>a</think><answer>$5$</answer>", data=data)
    assert (scores(trace)["correct"], trace.metrics["echoed"]) == (1, 0)


async def test_metrics():
    trace = await score(PROBES["reference"][0], measured=3.0)
    assert trace.metrics == {
        "answered": 1.0,
        "well_formed": 1.0,
        "echoed": 0.0,
        "verify_timeout": 0.0,
        "completion_tokens": 64.0,
        "unmeasured": 0.0,
        "entropy_raw": 3.0,
        "entropy_normalised": pytest.approx(0.5),
        "measures_policy": 1.0,
    }


@pytest.mark.parametrize(("bits", "bonus"), [(0.0, -0.1), (1.5, -0.05), (3.0, 0.0), (6.0, 0.1)])
async def test_the_absolute_bonus(bits, bonus):
    """Alone, an entropy of log2(64) = 6 bits is the largest that 64 tokens can have."""
    right, wrong = PROBES["reference"][0], PROBES["wrong answer"][0]
    assert scores(await score(right, measured=bits))["entropy"] == pytest.approx(bonus)
    assert scores(await score(wrong, measured=bits))["entropy"] == 0
    open_gate = await score(wrong, measured=bits, gate="none", band=0.2)
    assert scores(open_gate)["entropy"] == pytest.approx(2 * bonus)


@pytest.mark.parametrize(
    ("mode", "total"), [("combined", 1.3), ("current", 1.2), ("entropy_only", 0.1)]
)
async def test_modes(mode, total):
    trace = await score(PROBES["reference"][0], measured=6.0, mode=mode)
    assert scores(trace) == pytest.approx({"correct": 1, "format": 0.2, "entropy": 0.1})
    assert trace.reward == pytest.approx(total)


async def test_a_weight_of_the_users_own_wins():
    trace = await score(
        PROBES["reference"][0],
        measured=6.0,
        mode="entropy_only",
        rewards={"correct": {"weight": 2}},
    )
    assert trace.reward == pytest.approx(2.1)


@pytest.mark.parametrize("before", ["combined", "current", "entropy_only"])
async def test_a_saved_config_goes_on_under_another_mode(before):
    """A mode's zeros leave with it: the config that a run saves holds the user's weights alone."""
    mine = {"format": {"weight": 3.0}}
    played_with = Math500EntropyTaskConfig(mode=before, entropy=ON, rewards=mine)
    await Math500EntropyTask(DATA, played_with).score(played(PROBES["reference"][0]))
    saved = json.loads(played_with.model_dump_json())
    assert set(saved["rewards"]) == {"format"}
    for mode, weights in {
        "combined": {"correct": 1, "format": 3, "entropy": 1},
        "current": {"correct": 1, "format": 3, "entropy": 0},
        "entropy_only": {"correct": 0, "format": 3, "entropy": 1},
    }.items():
        trace = await score(PROBES["reference"][0], measured=6.0, **{**saved, "mode": mode})
        assert {name: reward.weight for name, reward in trace.rewards.items()} == weights


async def test_an_entry_without_a_weight_keeps_the_modes():
    config = {"mode": "current", "rewards": {"entropy": {"priority": 1}}}
    trace = await score(PROBES["reference"][0], measured=6.0, **config)
    assert trace.rewards["entropy"].weight == 0


ENTROPIES = (2.0, 3.0, 5.0, 6.0)
TOKENS = (4, 64, 32, 256)
RIGHT = (True, False, True, False)
# By hand. All four: mean 4, squares 4 + 1 + 1 + 4 = 10, deviation sqrt(10 / 3) = 1.825742.
# The right ones, 2 and 5: mean 3.5, deviation sqrt(4.5) = 2.121320.
# Over log2 of the tokens, which is 2, 6, 5, 8: 1, 0.5, 1, 0.75: mean 0.8125, squares
# (9 + 25 + 9 + 1) / 256 = 0.171875, deviation 0.239357.
# Less the line over those: slope 11 / 18.75, residuals -0.093333, -1.44, 1.146667, 0.386667 of
# deviation 1.087300.
# Over log2 of at most 64 dimensions, which is 2, 6, 5, 6: 1, 0.5, 1, 1: mean 0.875, deviation 0.25.
GROUPS = {
    "default": ({}, (-0.109545, 0.0, 0.054772, 0.0)),
    "no gate": ({"gate": "none"}, (-0.109545, -0.054772, 0.054772, 0.109545)),
    "over the right": ({"zscore_over": "correct"}, (-0.070711, 0.0, 0.070711, 0.0)),
    "over the right, no gate": (
        {"zscore_over": "correct", "gate": "none"},
        (-0.070711, -0.023570, 0.070711, 0.117851),
    ),
    "log_n": (
        {"entropy": {**ON, "normalise": "log_n"}, "gate": "none"},
        (0.078335, -0.130558, 0.078335, -0.026112),
    ),
    "max": (
        {"entropy": {**ON, "normalise": "max"}, "gate": "none"},
        (0.05, -0.15, 0.05, 0.05),
    ),
    "residual": (
        {"entropy": {**ON, "normalise": "residual"}, "gate": "none"},
        (-0.008584, -0.132438, 0.105460, 0.035562),
    ),
    "residual, gated": (
        {"entropy": {**ON, "normalise": "residual"}},
        (-0.008584, 0.0, 0.105460, 0.0),
    ),
}
"""Settings, and 0.1 times each sibling's z-score where the gate lets it through."""


@pytest.mark.parametrize("band", [0.1, 0.02])
@pytest.mark.parametrize("case", GROUPS)
async def test_siblings(case, band):
    config, unclamped = GROUPS[case]
    task = Math500EntropyTask(
        DATA, Math500EntropyTaskConfig(**{"entropy": ON, **config, "band": band})
    )
    traces = [played(PROBES["reference" if right else "wrong answer"][0]) for right in RIGHT]
    for trace, entropy, tokens in zip(traces, ENTROPIES, TOKENS, strict=True):
        trace.info["entropy"] = {"measurement": measurement(entropy, tokens, dim=64), "group": 4}
        await task.score(trace)
        assert "entropy" not in trace.rewards  # the siblings are not there yet
    told(*traces)
    for index, trace in enumerate(traces):
        await task.score(trace)
        expected = max(-band, min(band, unclamped[index] * band / 0.1))
        assert scores(trace)["entropy"] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("apart", "dtype", "config", "paid"),
    [
        (1e-5, "float32", {}, False),
        (1e-2, "float32", {}, True),
        (1e-2, "bfloat16", {}, False),
        (1e-2, None, {}, False),
        (1e-1, "bfloat16", {}, True),
        (1e-5, "float32", {"zscore_floor": "source"}, True),
        # Divided by log2 of 64 tokens, the values and what they may be off are a sixth of it.
        (1e-2, "float32", {"entropy": {**ON, "normalise": "log_n"}}, True),
        (1e-2, "bfloat16", {"entropy": {**ON, "normalise": "log_n"}}, False),
        (1e-1, "bfloat16", {"entropy": {**ON, "normalise": "log_n"}}, True),
    ],
)
async def test_rounding_is_no_bonus(apart, dtype, config, paid):
    """Four completions token by token alike, whose entropies differ by what a batch does to it."""
    task = Math500EntropyTask(DATA, Math500EntropyTaskConfig(**{"entropy": ON, **config}))
    traces = [played(PROBES["reference"][0]) for _ in range(4)]
    for index, trace in enumerate(traces):
        kept = {**measurement(3.0 + index * apart), "dtype": dtype}
        trace.info["entropy"] = {"measurement": kept, "group": 4}
        await task.score(trace)
    told(*traces)
    for trace in traces:
        await task.score(trace)
    assert any(scores(trace)["entropy"] for trace in traces) is paid


async def test_a_rollout_without_a_measurement_is_scored_but_for_its_bonus():
    task = Math500EntropyTask(DATA, Math500EntropyTaskConfig(entropy=ON))
    trace = played(PROBES["a 20,000-token ramble, cut off"][0])
    trace.info["entropy"] = {"unmeasured": "it is too long", "group": 1}
    await task.score(trace)
    assert scores(trace) == {"correct": 0, "format": -0.5}
    assert trace.metrics["unmeasured"] == 1
    told(trace, trace)
    assert "siblings" not in trace.info["entropy"]


async def test_tokens_that_were_not_read_count_as_written():
    task = Math500EntropyTask(DATA, Math500EntropyTaskConfig(entropy=ON))
    trace = played(PROBES["reference"][0])
    kept = {**measurement(3.0, tokens=63), "left_out": 1}
    trace.info["entropy"] = {"measurement": kept, "group": 1}
    await task.score(trace)
    assert trace.metrics["completion_tokens"] == 64


def test_a_trace_of_another_version_is_refused_by_name():
    trace = played(PROBES["reference"][0])
    for strange in ({"group": 4, "measurement": {"bits": 3.0}}, {"measurement": None}, [3.0]):
        trace.info["entropy"] = strange
        with pytest.raises(HiddenStatesError, match=f"of trace {trace.id} is of another version"):
            Record.of(trace)


async def test_a_rollout_that_spoke_and_was_never_measured_is_an_error():
    """A time limit on its finalize stage ended the score: that is no "no bonus"."""
    trace = played(PROBES["reference"][0])
    trace.info |= {"correct": True, "token_ids": [{"prompt_ids": [1], "completion_ids": [2, 3]}]}
    with pytest.raises(HiddenStatesError, match=r"raise or drop --env\.agent\.timeout\.finalize"):
        told(trace)
    silent = played(None)
    silent.info["correct"] = False
    told(silent)


@pytest.mark.parametrize("change", [{"preset": "layer_by_layer"}, {"alpha": 2.0}])
async def test_another_entropy_than_was_measured_is_refused(change):
    task = Math500EntropyTask(DATA, Math500EntropyTaskConfig(entropy={**ON, **change}))
    trace = played(PROBES["reference"][0])
    trace.info["entropy"] = {"measurement": measurement(4.0), "group": 1}
    with pytest.raises(HiddenStatesError, match=r"measured with preset 'advent' and alpha 1\.0"):
        bonus_of(Record.of(trace), True, task.config)


async def test_the_verdict_of_now_opens_the_gate():
    """A replay judges the reply again: what its siblings' record said of it then is past."""
    task = Math500EntropyTask(DATA, Math500EntropyTaskConfig(entropy=ON))
    trace = played(PROBES["reference"][0])
    siblings = [{"raw": raw, "tokens": 64, "dim": 8, "correct": False} for raw in (2.0, 3.0, 4.0)]
    record = {"measurement": measurement(4.0), "group": 3, "siblings": siblings, "index": 2}
    trace.info["entropy"] = record
    await task.score(trace)
    assert scores(trace)["entropy"] == pytest.approx(0.1)


@pytest.mark.skipif(not REAL.exists(), reason=f"no MATH-500 at {REAL}")
async def test_every_gold_answer_scores_in_its_layout():
    taskset = Math500EntropyTaskset(Math500EntropyConfig(id="math500-entropy", path=REAL))
    count = 0
    for task in taskset:
        assert await task.validate(runtime=None), task.data.id
        reply = in_layout("tags", task.data.answer)
        found = scores(await score(reply, data=task.data))
        assert found == {"correct": 1, "format": 0.2}, task.data.id
        count += 1
    assert count == 500


# ---------------------------------------------------------------- tasks and config


def tasks(**config) -> list[Math500EntropyTask]:
    return list(Math500EntropyTaskset(Math500EntropyConfig(id="math500-entropy", **config)))


def test_filters():
    assert len(tasks(split="sample")) == 28
    hard = tasks(split="sample", levels=[4, 5])
    assert {task.data.level for task in hard} == {4, 5}
    some = tasks(split="sample", subjects=["Geometry", "Number Theory"], levels=[1])
    assert [task.data.subject for task in some] == ["Number Theory", "Geometry"]


@pytest.mark.parametrize(
    "filters",
    [{"levels": [5]}, {"subjects": ["Geometry"]}, {"levels": [2], "subjects": ["Algebra"]}],
)
def test_filters_that_leave_nothing_are_told(tmp_path, filters):
    row = {"problem": "2 + 3?", "answer": "5", "subject": "Algebra", "level": 1, "unique_id": "a"}
    other = {**row, "subject": "Number Theory", "level": 2, "unique_id": "b"}
    file = tmp_path / "two.jsonl"
    file.write_text(f"{json.dumps(row)}\n{json.dumps(other)}\n")
    levels, subjects = filters.get("levels", []), filters.get("subjects", [])
    with pytest.raises(DataError) as told:
        tasks(path=file, **filters)
    assert str(told.value) == (
        f"no problem of '{file}' passes levels {levels} and subjects {subjects} (empty: all): "
        "it has levels [1, 2] and subjects ['Algebra', 'Number Theory']"
    )
    assert len(tasks(path=file, levels=[2])) == 1


def test_no_prompt_holds_the_answer():
    for task in tasks(split="sample"):
        assert task.data.system_prompt == tasks(split="sample")[0].data.system_prompt
        assert task.data.prompt_text.endswith((".", "?"))
        assert f"<answer>{task.data.answer}" not in task.data.prompt_text


def test_keys_are_unique():
    keys = [task.key for task in tasks(split="sample")]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(("group", "fits"), [(1, False), (3, False), (4, True)])
def test_a_residual_needs_a_group(group, fits):
    env = {"taskset": {"id": "math500-entropy", "split": "sample"}, "group": group}
    env["taskset"]["task"] = {"entropy": {**ON, "normalise": "residual"}}
    if fits:
        assert vf.resolve_env_config(env).group == group
    else:
        with pytest.raises(ValidationError, match=r"too small for one: set --env\.group to 4"):
            vf.resolve_env_config(env)


@pytest.mark.parametrize(
    ("config", "complaint"),
    [
        ({"path": "/no/such/file.jsonl"}, "no such file: '/no/such/file.jsonl'"),
        ({"levels": [0]}, "greater than or equal to 1"),
        ({"subjects": ["Arithmetic"]}, "Arithmetic"),
        ({"split": "dev"}, "'test', 'train' or 'sample'"),
        ({"task": {"mode": "entropy_only"}}, "set entropy.source"),
        ({"task": {"mode": "both"}}, "'current', 'combined' or 'entropy_only'"),
        ({"task": {"band": 0}}, "greater than 0"),
        ({"task": {"band": math.nan}}, "band"),
        ({"task": {"entropy": {"source": "transformers"}}}, "entropy.model names"),
    ],
)
def test_a_bad_config_is_named(config, complaint):
    with pytest.raises(ValidationError, match=complaint):
        Math500EntropyConfig(**config)

"""What became of each rollout: one kind each, whatever the order."""

import json

import pytest
from cli import rollouts as make
from quality_rag import eval_plugin as quality_rag
from quality_rag.evidence import speaks_for
from support.runs import call

from inward import runs, taxonomy
from inward.eval_plugin import EvalPlugin
from inward.taxonomy import Kind

ASKED = make.message("user", "Q")
CALL = make.message(
    "assistant", "", tool_calls=[{"id": "1", "name": "search", "arguments": '{"query": "x"}'}]
)
FOUND = {"role": "tool", "content": "here it is", "tool_call_id": "1"}
REPLY = make.message("assistant", "Answer: A")


def plugin(**more):
    return EvalPlugin(baselines={}, columns=[("accuracy", lambda trace: trace.reward)], **more)


KNOWING = plugin(
    answered=lambda trace: float("Answer" in trace.last_reply),
    evidence=lambda trace: any("here it is" in str(m.content) for m in trace.tool_messages),
)

UNKNOWING = plugin(evidence=lambda trace: None)


def kind_of(folder, *, with_plugin=KNOWING, ok=True, errors=(), flags=(), **more):
    trace = make.trace(0, ok=ok, errors=errors, **more) | dict(flags)
    run = runs.read(make.write(folder, make.episode(0, traces=[trace], ok=ok)))
    [found] = taxonomy.kinds(run.rollouts, with_plugin)
    return found


TOOLS = {"tools": ["search"]}
ERRORS = [make.error("ProviderError", "503")]


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({"reward": 1.0, "messages": [ASKED, REPLY]}, Kind.RIGHT),
        ({"reward": 1.0, "messages": [ASKED, REPLY], "flags": {"stop_condition": "max_turns"}},
            Kind.RIGHT),
        ({"ok": False, "errors": ERRORS}, Kind.MACHINE),
        ({"ok": False, "errors": ERRORS, "flags": {"is_timeout": True}}, Kind.TIMED_OUT),
        ({"reward": 0.0, "messages": [ASKED, REPLY], "flags": {"is_timeout": True}},
            Kind.TIMED_OUT),
        ({"reward": 0.0, "messages": [ASKED, CALL], "flags": {"stop_condition": "max_turns"}},
            Kind.TRUNCATED),
        ({"reward": 0.0, "messages": [ASKED, REPLY], "flags": {"stop_condition": "max_turns"}},
            Kind.NOT_FOUND),
        ({"reward": 0.0, "messages": [ASKED, make.message("assistant", "B")]}, Kind.LAYOUT),
        ({"reward": 0.0, "messages": [ASKED, REPLY], **TOOLS}, Kind.NO_TOOL),
        ({"reward": 0.0, "messages": [ASKED, CALL, FOUND, REPLY], **TOOLS}, Kind.UNUSED),
        ({"reward": 0.0, "messages": [ASKED, CALL, FOUND | {"content": "no"}, REPLY], **TOOLS},
            Kind.NOT_FOUND),
        ({"reward": 0.0, "messages": [ASKED, REPLY], "with_plugin": None}, Kind.WRONG),
        ({"reward": 0.0, "messages": [ASKED, REPLY], "with_plugin": UNKNOWING}, Kind.WRONG),
        ({"reward": 0.4, "messages": [ASKED, REPLY], **TOOLS}, Kind.GRADED),
        ({"reward": 0.4, "messages": [ASKED, make.message("assistant", "B")]}, Kind.LAYOUT),
    ],
)  # fmt: skip
def test_the_first_kind_that_fits(tmp_path, more, kind):
    assert kind_of(tmp_path, **more) is kind


def test_where_figures_are_graded_nothing_is_right_or_wrong(tmp_path):
    episodes = [
        make.episode(n, reward=r, messages=[ASKED, REPLY]) for n, r in enumerate((0, 0.5, 1))
    ]
    run = runs.read(make.write(tmp_path, *episodes))
    assert taxonomy.kinds(run.rollouts, KNOWING) == [Kind.GRADED] * 3


def test_an_episode_without_a_trace_is_the_machines_fault(tmp_path):
    run = runs.read(make.write(tmp_path, make.episode(0, ok=False, traces=[])))
    assert taxonomy.kinds(run.rollouts, KNOWING) == [Kind.MACHINE]


def test_failures_of_a_run_are_counted_with_their_tasks(tmp_path):
    make.write(
        tmp_path / "run",
        *(
            make.episode(n, start=float(k), reward=float(n == k))
            for n in range(3)
            for k in range(2)
        ),
        make.episode(3, ok=False, errors=[make.error("E", "x")]),
    )
    done = call("inward", "show", "run", "--failures", "--json", cwd=tmp_path)
    assert done.code == 0, done.err
    document = json.loads(done.out)
    assert document["rollouts"] == 7
    assert document["outcomes"] == [
        {"kind": "right", "count": 2, "tasks": ["task-0", "task-1"], "rollouts": [0, 3]},
        {"kind": "machine's fault", "count": 1, "tasks": ["task-3"], "rollouts": [6]},
        {"kind": "wrong", "count": 4, "tasks": ["task-0", "task-1", "task-2"],
            "rollouts": [1, 2, 4, 5]},
    ]  # fmt: skip
    text = call("inward", "show", "run", "--failures", cwd=tmp_path)
    assert text.code == 0
    assert "     4   57%  wrong" in text.out
    assert "tasks task-0, task-1, task-2" in text.out
    refused = call("inward", "show", "run", "1", "--failures", cwd=tmp_path)
    assert (refused.code, refused.err) == (
        2,
        "inward show: --failures shows the whole run: drop K\n",
    )


OPTIONS = ("He sold the diamond necklace", "He kept the ring", "He lost it", "He drowned")


@pytest.mark.parametrize(
    ("passages", "expected"),
    [
        (["Then the necklace of diamonds was sold."], True),
        (["A necklace.", "A diamond."], False),  # not in one passage
        (["He kept the ring and drowned."], False),
        ([], False),
    ],
)
def test_evidence_is_a_passage_that_holds_most_of_the_right_options_own_words(passages, expected):
    assert speaks_for(passages, 0, OPTIONS, "What did he do?") is expected


def test_an_option_without_words_of_its_own_has_no_evidence_that_words_tell():
    assert speaks_for(["Yes"], 0, ("Yes", "No", "Both", "It"), "Did he?") is None
    assert (
        speaks_for(["sold diamond necklace"], 0, OPTIONS, "Was the diamond necklace sold?") is None
    )


def test_quality_rag_tells_its_evidence_and_answers(tmp_path):
    shown = "[passage 3 of 9, 20% into the story, best match]\nThe diamond necklace was sold."
    trace = make.trace(
        0,
        tools=["search"],
        reward=0.0,
        messages=[ASKED, CALL, FOUND | {"content": shown}, make.message("assistant", "Answer: B")],
    )
    trace["task"]["data"] |= {
        "prompt": f"Title: T\n\nQuestion: What did he do?\nA) {OPTIONS[0]}\nB) {OPTIONS[1]}",
        "options": OPTIONS, "gold": "A", "story_id": "s",
    }  # fmt: skip
    trace["metrics"] = {"answered": 1.0}
    trace["rewards"] = {"correct": {"score": 0.0}}
    run = runs.read(make.write(tmp_path, make.episode(0, traces=[trace])))
    [rollout] = run.rollouts
    assert quality_rag.evidence(rollout.trace) is True
    assert quality_rag.answer(rollout.trace) == "B"
    assert quality_rag.PLUGIN.reference(rollout.trace) == "A"
    assert taxonomy.kinds(run.rollouts, quality_rag.PLUGIN) == [Kind.UNUSED]

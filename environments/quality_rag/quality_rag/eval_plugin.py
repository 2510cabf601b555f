"""What `inward eval quality-rag` adds to a plain run: baselines and the columns of its report.

It is loaded by `inward` alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import verifiers.v1 as vf

from inward.eval_plugin import EvalPlugin, Grid, Panel, Spans, metric, reward, task_field
from quality_rag import passages
from quality_rag.answers import parse_answer
from quality_rag.baselines import make_keyword_reader, make_random
from quality_rag.evidence import speaks_for
from quality_rag.prompt import LETTERS

DEFAULT_ARGS = ("--env.taskset.split", "sample")
BASELINES = {"keyword-reader": make_keyword_reader, "random": make_random}
CHANCE = 0.25


COLUMNS = (
    ("accuracy", reward("correct")),
    ("accuracy, HARD subset", reward("correct", lambda trace: bool(trace.metrics.get("hard")))),
    ("searches per rollout", metric("searches")),
    ("repeated queries per rollout", metric("repeated_queries")),
    ("repeated passages per rollout", metric("repeated_passages")),
    ("broken calls per rollout", metric("broken_calls")),
    ("share of the story seen", metric("story_seen")),
    ("answered", metric("answered")),
)


def notes(traces: Sequence[vf.WireTrace]) -> list[str]:
    if not any((trace.task.data.id or "").startswith("inward-") for trace in traces):
        return []
    return [
        "The sample's wrong options reuse the story's words on purpose: matching words finds them"
        " more often than chance."
    ]


def story(trace: vf.WireTrace) -> str | None:
    """The questions of one story are not independent: up to 18 share one."""
    story_id: str | None = task_field(trace, "story_id")
    return story_id


def answer(trace: vf.WireTrace) -> str | None:
    """The letter, of a rollout that ended in one."""
    if not trace.metrics.get("answered"):
        return None
    return parse_answer(trace.last_reply, task_field(trace, "options"))


def evidence(trace: vf.WireTrace) -> bool | None:
    """Whether a passage that was shown speaks for the right option; see `speaks_for`."""
    prompt, gold = trace.task.data.prompt, task_field(trace, "gold")
    if not trace.tools or not isinstance(prompt, str) or gold not in LETTERS:
        return None
    asked = prompt.rpartition("Question: ")[2].partition("\nA) ")[0]
    texts = [text for _, text in passages.shown(trace.tool_messages)]
    return speaks_for(texts, LETTERS.index(gold), task_field(trace, "options"), asked)


def panels(trace: vf.WireTrace) -> list[Panel]:
    """The options with the letters of the reply and of the gold answer, and the passages of the
    story that searches found."""
    options, gold = task_field(trace, "options"), task_field(trace, "gold")
    found: list[Panel] = []
    if options and gold in LETTERS:
        said = parse_answer(trace.last_reply, options)
        rows = [
            (letter, option, " and ".join(_roles(letter, said, gold)))
            for letter, option in zip(LETTERS, options, strict=False)
        ]
        found.append(Grid("Options", ("", "", ""), rows, (LETTERS.index(gold),)))
    seen = list(passages.places(trace.tool_messages))
    if seen:
        total = max(total for _, _, total, _ in seen)
        spans = [
            (number - 1.0, float(number), f"passage {number}, result {turn}: {text[:200]}")
            for turn, number, _, text in seen
        ]
        found.append(Spans("Passages found in the story", total, "passages", spans))
    return found


def _roles(letter: str, said: str | None, gold: str) -> list[str]:
    return ["answered"] * (letter == said) + ["right"] * (letter == gold)


PLUGIN = EvalPlugin(
    baselines=BASELINES,
    columns=COLUMNS,
    default_args=DEFAULT_ARGS,
    chance=CHANCE,
    published={f"{name}, 36 real stories": 0.306 for name in ("keyword-reader", "random")},
    cluster=story,
    answered=metric("answered"),
    notes=notes,
    answer=answer,
    reference=lambda trace: task_field(trace, "gold"),
    evidence=evidence,
    panels=panels,
)

"""A run as pydantic-evals knows one: a `Dataset` of its tasks, and an `EvaluationReport` of its
rollouts.

A case is a task: its inputs are the messages before the policy's first, its expected output the
reference answer where the environment tells it. A case of the report is a rollout: rewards are
scores, metrics metrics, the outcome a label; a rollout without a score is a failure.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import verifiers.v1 as vf

from inward import causes, eval_plugin, taxonomy
from inward.errors import UserError
from inward.eval_plugin import EvalPlugin
from inward.runs import Rollout, Run
from inward.why import KNOWN

if TYPE_CHECKING:
    from pydantic_evals import Case
    from pydantic_evals.evaluators import EvaluationResult, EvaluatorSpec
    from pydantic_evals.reporting import ReportCase, ReportCaseFailure

MEND = "pip install 'inward[export]'"


def write_evals(run: Run, folder: Path, *, name: str) -> str:
    """Writes `dataset.json` and `report.json`; a line about them."""
    try:
        from pydantic_evals import Dataset
        from pydantic_evals.reporting import EvaluationReport, EvaluationReportAdapter
    except ImportError as error:
        raise UserError(f"--pydantic-evals needs pydantic-evals: {MEND}") from error
    plugin = eval_plugin.find(run.environment) if run.environment else None
    cases, seats = _cases(run, plugin), _seats(run)
    numbers: dict[str, int] = {}
    scored: list[ReportCase[Any, Any, Any]] = []
    failed: list[ReportCaseFailure[Any, Any, Any]] = []
    for rollout, kind in zip(run.rollouts, taxonomy.kinds(run.rollouts, plugin), strict=True):
        case = cases[_key(rollout, seats)]
        numbers[str(case.name)] = number = numbers.get(str(case.name), 0) + 1
        title = f"{case.name} [{number}]"
        if rollout.ok and rollout.trace is not None:
            scored.append(_scored(rollout.trace, case, title, kind))
        else:
            failed.append(_failed(rollout, case, title))
    dataset = Dataset[Any, Any, Any](name=name, cases=list(cases.values()))
    report = EvaluationReport(name=name, cases=scored, failures=failed, dataset_name=name)
    folder.mkdir(parents=True, exist_ok=True)
    dataset.to_file(folder / "dataset.json", schema_path=None)
    text = EvaluationReportAdapter.dump_json(report, indent=1)
    (folder / "report.json").write_bytes(text)
    return (
        f"{len(cases)} cases in {folder / 'dataset.json'}, {len(scored)} rollouts and"
        f" {len(failed)} failures in {folder / 'report.json'}"
    )


def _key(rollout: Rollout, seats: Collection[str]) -> tuple[str, str]:
    """The seat and the task: two seats of one episode see different prompts. An episode that failed
    before it had a trace is of the run's only seat, where it has one."""
    only = next(iter(seats)) if len(seats) == 1 else ""
    seat = rollout.trace.agent.name if rollout.trace else only
    task = rollout.episode.task
    return seat, str(task.key or task.data.id or task.data.idx)


def _seats(run: Run) -> set[str]:
    return {rollout.trace.agent.name for rollout in run.rollouts if rollout.trace}


def _cases(run: Run, plugin: EvalPlugin | None) -> dict[tuple[str, str], Case[Any, Any, Any]]:
    """One per task, in the order of the run. Names are unique: a second task of one name, or
    another seat, gets its key or its seat behind it."""
    from pydantic_evals import Case

    seats = _seats(run)
    cases: dict[tuple[str, str], Case[Any, Any, Any]] = {}
    taken: set[str] = set()
    for rollout in run.rollouts:
        key = _key(rollout, seats)
        if key in cases:
            continue
        name = taxonomy.task_name(rollout)
        if name in taken:
            name = f"{name} {' '.join(filter(None, key))}"
        taken.add(name)
        trace = rollout.trace
        expected = plugin.reference(trace) if plugin and plugin.reference and trace else None
        data = rollout.episode.task.data
        cases[key] = Case(
            name=name,
            inputs={"messages": prompt_messages(rollout)},
            expected_output=expected,
            metadata={
                "environment": rollout.episode.env.id,
                "seat": key[0],
                "task": data.model_dump(mode="json", exclude=KNOWN),
            },
        )
    return cases


def prompt_messages(rollout: Rollout) -> list[dict[str, Any]]:
    """What the policy was asked: the messages before its first, as JSON."""
    trace = rollout.trace
    if trace is None or not trace.nodes:
        prompt = rollout.episode.task.data.prompt
        if isinstance(prompt, str):
            return [{"role": "user", "content": prompt}]
        return [message.model_dump(mode="json", exclude_none=True) for message in prompt or ()]
    asked = []
    for node in trace.nodes:
        if node.sampled:
            break
        asked.append(node.message.model_dump(mode="json", exclude_none=True))
    return asked


def _scored(
    trace: vf.WireTrace, case: Case[Any, Any, Any], title: str, kind: taxonomy.Kind
) -> ReportCase[Any, Any, Any]:
    from pydantic_evals.evaluators import EvaluationResult, EvaluatorSpec
    from pydantic_evals.reporting import ReportCase

    source: EvaluatorSpec = EvaluatorSpec(name="inward", arguments=None)

    def result(name: str, value: Any, reason: str | None = None) -> EvaluationResult[Any]:
        return EvaluationResult(name=name, value=value, reason=reason, source=source)

    scores = {"reward": result("reward", trace.reward)}
    for name, reward in trace.rewards.items():
        if reward is not None and name not in scores:
            scores[name] = result(name, reward.score, f"weight {reward.weight:g}")
    metrics: dict[str, float | int] = {n: v for n, v in trace.metrics.items() if v is not None}
    if trace.usage is not None:
        metrics.setdefault("output_tokens", trace.num_output_tokens)
    right = result("right", kind is taxonomy.Kind.RIGHT)
    timing = trace.timing
    return ReportCase(
        name=title,
        inputs=case.inputs,
        metadata=case.metadata,
        expected_output=case.expected_output,
        output=trace.last_reply,
        metrics=metrics,
        attributes={"trace": trace.id},
        scores=scores,
        labels={"outcome": result("outcome", kind.value)},
        assertions={} if kind is taxonomy.Kind.GRADED else {"right": right},
        task_duration=timing.agent.duration,
        total_duration=max(timing.agent.duration, timing.scoring.end - timing.start),
        source_case_name=case.name,
    )


def _failed(
    rollout: Rollout, case: Case[Any, Any, Any], title: str
) -> ReportCaseFailure[Any, Any, Any]:
    from pydantic_evals.reporting import ReportCaseFailure

    traceback = next((e.traceback for e in reversed(rollout.errors) if e.traceback), "")
    return ReportCaseFailure(
        name=title,
        inputs=case.inputs,
        metadata=case.metadata,
        expected_output=case.expected_output,
        error_message=causes.cause(rollout),
        error_stacktrace=traceback,
        source_case_name=case.name,
    )

"""A diagnosis as a person reads it: a line per checkpoint, then the last one in detail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from inward.table import PLAIN_WIDTH, UNKNOWN
from inward.terminal import one_line, printable


def print_diagnosis(document: Mapping[str, Any]) -> None:
    console = Console(markup=False, highlight=False, emoji=False)
    if not console.is_terminal:
        console.width = PLAIN_WIDTH
    checkpoints = document["checkpoints"]
    console.print(_overview(checkpoints))
    last = checkpoints[-1]
    if last["rewards"]:
        console.print(_rewards(last))
    for line in [*_details(last), *_law(document), *(f"! {a}" for a in document["alarms"])]:
        console.print(Text(printable(line)), soft_wrap=True)


HEADS = (
    "rollouts",
    "failed",
    "reward",
    "main figure",
    "no spread",
    "entropy",
    "surprisal",
    "high windows",
    "cov(log pi, A)",
    "answer entropy",
    "maj@k - pass@1",
    "mismatch KL",
)


def _overview(checkpoints: list[dict[str, Any]]) -> Table:
    out = Table(title=Text("checkpoints (entropies in nats)"), title_justify="left")
    out.add_column("")
    for head in HEADS:
        out.add_column(head, justify="right")
    for one in checkpoints:
        answers, high = one["answers"] or {}, one["high_window_entropy"] or {}
        cells = (
            str(one["rollouts"]),
            str(one["failed"]),
            _figure(one["reward"]),
            _figure(one["performance"]),
            _share(one["share_without_spread"]),
            _figure(one["entropy"]),
            _figure(one["surprisal"]),
            _share(high.get("share")),
            _figure(one["covariance_log_probability_advantage"], "+.2g"),
            _figure(answers.get("entropy")),
            _figure(answers.get("gap"), "+.3f"),
            _figure((one["mismatch"] or {}).get("kl"), ".2g"),
        )
        out.add_row(Text(one_line(one["checkpoint"])), *cells)
    return out


def _rewards(last: Mapping[str, Any]) -> Table:
    out = Table(title=Text(f"rewards of {one_line(last['checkpoint'])}"), title_justify="left")
    out.add_column("")
    for head in ("mean", "corr. with length", "corr. with right", "share of var(A)"):
        out.add_column(head, justify="right")
    for part in last["rewards"]:
        out.add_row(
            Text(one_line(part["reward"])),
            _figure(part["mean"]),
            _figure(part["correlation_with_length"], "+.2f"),
            _figure(part["correlation_with_right"], "+.2f"),
            _share(part["share_of_advantage_variance"]),
        )
    return out


def _details(last: Mapping[str, Any]) -> list[str]:
    lines = []
    phases = [f"{name} {v:.3f}" for name, v in last["phases"].items() if v is not None]
    if phases:
        lines.append(f"Entropy by phase: {', '.join(phases)}")
    if last["advantage"]:
        lines.append(f"Advantage: {last['advantage']}")
    if last["layer_profile"]:
        profile = ", ".join(f"{one['layer']}: {one['all']:.2f}" for one in last["layer_profile"])
        lines.append(f"Matrix entropy by layer: {profile}")
    if last["reasoning"] is not None:
        lines.append(_reasoning(last["reasoning"]))
    if last["perplexity_gap"] is not None:
        lines.append(f"|log-perplexity - mean entropy|: {last['perplexity_gap']:.4f}")
    return lines


def _reasoning(found: Mapping[str, Any]) -> str:
    whole = found["reduction"]
    interval = f"[{_figure(whole['low'], '+.3f')}, {_figure(whole['high'], '+.3f')}]"
    by_verdict = [
        f"{verdict} {_figure((found[f'reduction_{verdict}'] or {}).get('value'), '+.3f')}"
        for verdict in ("right", "wrong")
    ]
    left_out = f", {found['too_long']} too long" if found["too_long"] else ""
    return (
        f"Entropy of the reference answer for {one_line(found['inspector'])}"
        f" ({found['rollouts']} of {found['of']} rollouts{left_out}):"
        f" {found['before']:.3f} without the reasoning, {found['after']:.3f} with it; reduction"
        f" {whole['value']:+.3f} {interval}"
        f" ({', '.join(by_verdict)}; AUC of right {_figure(found['auc_right'], '.2f')});"
        f" {_share(found['share_of_steps_that_reduce'])} of {found['steps']:.1f} steps reduce it"
    )


def _law(document: Mapping[str, Any]) -> list[str]:
    law = document["entropy_law"]
    if law is None:
        return [f"R = -a exp(H) + b is not fitted: {document['entropy_law_refused']}"]
    return [
        f"R = {0.0 - law['a']:.4g} exp(H) {law['b']:+.4g} over {law['checkpoints']} checkpoints"
        f" (R² {law['r_squared']:.2f}): {law['ceiling']:.3f} where no entropy is left"
    ]


def _figure(value: float | None, form: str = ".3f") -> str:
    return UNKNOWN if value is None else format(value, form)


def _share(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.0%}"

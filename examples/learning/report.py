"""results.json, table.md and curves.png of all runs of a task."""

from __future__ import annotations

import json
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from learning import measure

KINDS = [name for name, *_ in measure.KINDS]


def write(file: Path, text: str) -> None:
    part = file.with_name(f".{file.name}.{uuid.uuid4().hex}")  # several processes may write it
    part.write_text(text, encoding="utf-8")
    part.replace(file)


def write_rows(file: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    write(file, "".join(json.dumps(row) + "\n" for row in rows))


def read(file: Path, task: Any) -> list[dict[str, Any]]:
    """The rows of an evaluation."""
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return [{**row, "way": float(task.way(row["text"]))} for row in rows]


def report(out: Path, task: Any) -> None:
    """Of the runs that are whole. Their settings are those in `out`."""
    if not (out / "before.jsonl").exists():
        raise SystemExit(f"{out} holds no evaluation: run the script without --report first")
    before = read(out / "before.jsonl", task)
    settings = json.loads((out / "settings.json").read_text(encoding="utf-8"))
    found: dict[str, Any] = {"settings": settings, "before": measure.summary(before)}
    runs: dict[str, Any] = {}
    arms: dict[tuple[str, int], dict[str, Any]] = defaultdict(dict)
    for file in sorted(out.glob("*/after-*.jsonl")):
        after = read(file, task)
        steps = int(file.stem.removeprefix("after-"))
        lines = (file.parent / "steps.jsonl").read_text(encoding="utf-8").splitlines()[:steps]
        arm, seed = file.parent.name.rsplit("-", 1)
        arms[arm, steps][seed] = after
        runs[f"{arm}, seed {seed}, {steps} steps"] = {
            "after": measure.summary(after),
            "change": measure.change([before], [after]),
            "steps": [json.loads(line) for line in lines],
        }
    found |= {"arms": {}, "base": task.BASE, "beside": {}}
    for (arm, steps), of in arms.items():
        name = f"{arm}, {steps} steps"
        found["arms"][name] = _both("change", [before] * len(of), list(of.values()))
        base = arms.get((task.BASE, steps), {}) if arm != task.BASE else {}
        if both := sorted(of.keys() & base.keys()):
            less = [base[seed] for seed in both], [of[seed] for seed in both]
            found["beside"][name] = _both("difference", *less)
    found["runs"] = runs
    write(out / "results.json", json.dumps(found, indent=1, allow_nan=False) + "\n")
    text = table(found, task)
    write(out / "table.md", text)
    draw(found, out / "curves.png")
    print(text)


def _both(key: str, before: list[measure.Rows], after: list[measure.Rows]) -> dict[str, Any]:
    """The mean change of the seeds: over tasks, and over the seeds where there are several."""
    found = {"seeds": len(after), key: measure.change(before, after)}
    return found | ({"over seeds": measure.over_seeds(before, after)} if len(after) > 1 else {})


def table(found: dict[str, Any], task: Any) -> str:
    names = [name for name in found["before"] if not name.startswith("greedy t")]
    runs = found["runs"]
    pass_at = f"pass@{found['settings']['samples']}"

    def row(name: str, cells: Iterable[str]) -> str:
        return f"| {name} | {' | '.join(cells)} |".replace("pass@k", pass_at)

    lines = [row("held out", ["warm", *(name.rsplit(",", 1)[0] for name in runs)])]
    lines.append("|---" * (len(runs) + 2) + "|")
    for name in names:
        label = name.replace("well_formed", "in the layout").replace("way", task.WAY)
        values = [found["before"][name], *(run["after"][name] for run in runs.values())]
        lines.append(row(label, (_told(value) for value in values)))
    for name in KINDS:
        changes = (_told(run["change"][name], "+") for run in runs.values())
        lines.append(row(f"change of {name}", ["", *changes]))
    for title, part, key in (
        ("change, mean of the seeds", "arms", "change"),
        (f"less `{found['base']}` after the same steps, of the same seeds", "beside", "difference"),
    ):
        if not found[part]:
            continue
        lines += ["", row(title, [*KINDS, f"{KINDS[0]}, over seeds"])]
        lines.append("|---" * (len(KINDS) + 2) + "|")
        for name, arm in found[part].items():
            label = f"{name}, {arm['seeds']} seed{'s' * (arm['seeds'] > 1)}"
            cells = [_told(arm[key][kind], "+") for kind in KINDS]
            cells.append(_told(arm["over seeds"][KINDS[0]], "+") if "over seeds" in arm else "")
            lines.append(row(label, cells))
    return "\n".join(lines) + "\n"


def _told(interval: list[float | None], sign: str = "") -> str:
    mean, low, high = ("–" if value is None else f"{value:{sign}.2f}" for value in interval)
    return f"{mean} [{low}, {high}]"


def draw(found: dict[str, Any], file: Path) -> None:
    """Left: reward of each step. Right: held-out tasks, before and after."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 3.6), layout="constrained")
    training, held_out = figure.subplots(1, 2)
    places = {kind: float(place) for place, kind in enumerate(KINDS)}
    known: dict[str, str] = {}
    for number, (name, run) in enumerate(found["runs"].items()):
        arm = name.split(",")[0]
        label = arm if arm not in known else None
        colour = known.setdefault(arm, f"C{len(known)}")
        training.plot([line["reward"] for line in run["steps"]], colour, label=label)
        beside = 0.7 * (number + 1) / (len(found["runs"]) + 1)
        for kind, place in places.items():
            _point(held_out, place + beside, run["after"][kind], colour)
    for kind, place in places.items():
        _point(held_out, place, found["before"][kind], "black")
    training.set(xlabel="step", ylabel="mean reward", title="Training")
    if known:
        training.legend(frameon=False)
    held_out.set_xticks(list(places.values()), list(places))
    held_out.set(title="Held out: black before, coloured after, 95 %", ylim=(-0.02, 1.03))
    figure.savefig(file, dpi=110)


def _point(axes: Any, x: float, interval: list[float | None], colour: str) -> None:
    mean, low, high = interval
    ends = None if low is None else [[mean - low], [high - mean]]
    axes.errorbar(x, mean, ends, color=colour, marker="o", capsize=3)

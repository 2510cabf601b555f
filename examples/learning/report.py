"""results.json and curves.png of all runs of a task."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from learning import measure

MARKS = {"true": ("C0", "o"), "shuffled": ("C1", "s"), "random": ("C2", "^")}


def read(file: Path, stepwise: Callable[[str], bool]) -> list[dict[str, Any]]:
    """The rows of an evaluation."""
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return [{**row, "stepwise": float(stepwise(row["text"]))} for row in rows]


def write(file: Path, text: str) -> None:
    part = file.with_suffix(".part")
    part.write_text(text, encoding="utf-8")
    part.replace(file)


def report(out: Path, settings: dict[str, Any], stepwise: Callable[[str], bool]) -> None:
    before = read(out / "before.jsonl", stepwise)
    found = {"settings": settings, "before": measure.summary(before), "runs": {}}
    for file in sorted(out.glob("*/after-*.jsonl")):
        after = read(file, stepwise)
        steps = int(file.stem.removeprefix("after-"))
        lines = (file.parent / "steps.jsonl").read_text(encoding="utf-8").splitlines()[:steps]
        arm, seed = file.parent.name.rsplit("-", 1)
        found["runs"][f"{arm}, seed {seed}, {steps} steps"] = {
            "after": measure.summary(after),
            "change": measure.change(before, after),
            "steps": [json.loads(line) for line in lines],
        }
    write(out / "results.json", json.dumps(found, indent=1) + "\n")
    draw(found, out / "curves.png")
    for name, run in found["runs"].items():
        told = (f"{k} {v[0]:+.3f} [{v[1]:+.3f}, {v[2]:+.3f}]" for k, v in run["change"].items())
        print(f"{name}: after less before: {'; '.join(told)}")


def draw(found: dict[str, Any], file: Path) -> None:
    """Left: right rollouts of each step. Right: held-out tasks, before and after."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 3.6), layout="constrained")
    training, held_out = figure.subplots(1, 2)
    places = {"greedy correct": 0.0, "sampled correct": 1.0}
    for number, (name, run) in enumerate(found["runs"].items()):
        colour, mark = MARKS[name.split(",")[0]]
        label = name.rsplit(",", 1)[0]
        training.plot([line["correct"] for line in run["steps"]], colour, label=label)
        for kind, place in places.items():
            _point(held_out, place + 0.08 * (number + 1), run["after"][kind], colour, mark)
    for kind, place in places.items():
        _point(held_out, place, found["before"][kind], "black", "D")
    training.set(xlabel="step", ylabel="share of right rollouts", title="Training", ylim=(0, 1))
    training.legend(frameon=False)
    held_out.set_xticks(list(places.values()), list(places))
    held_out.set(title="Held out: black before, coloured after, 95 %", ylim=(0, 1))
    figure.savefig(file, dpi=110)


def _point(axes: Any, x: float, interval: list[float], colour: str, mark: str) -> None:
    mean, low, high = interval
    axes.errorbar(x, mean, [[mean - low], [high - mean]], color=colour, marker=mark, capsize=3)

"""Whether a proposal is a chart that can be read: what the proposer's reward is gated by.

The gate compares two readings of one drawing: all that can be seen, which is the truth that solvers
are scored against, and a strict one, of what is read without effort (`Renderer.render`). A chart
whose truth the strict reading does not find hides its numbers or its words, and is paid nothing.
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import log
from typing import Any, Literal

import verifiers.v1 as vf
from chart_spec.prompt import BLOCK, FENCE, last_block
from chart_spec.taskset import ChartSpecTaskset
from inward_charts import shrunk
from inward_charts.tasks import ChartPicture
from inward_rewards.charts import (
    MAX_SIDE,
    Rendered,
    RenderError,
    Row,
    Scene,
    shared_renderer,
    table_f1,
    text_f1,
)

from chart_adversary.novelty import Content, Shown

MIN_SIDE = 100
MIN_ROWS, MAX_ROWS = 4, 60
MIN_VALUES = 3
"""Different numbers."""
MIN_TEXTS, MIN_WORDS, MAX_TEXTS, MAX_LENGTH = 4, 2, 80, 80
"""Texts in all, those that are no numbers, and characters of one text."""
MIN_AGREEMENT = 0.85
"""F1 of the strict reading, of numbers and of texts, against all that can be seen."""
MIN_SPREAD = 0.1
"""Part of its axis's span that the values cover without their fifth at either end."""
OWN_SCORE = 0.97
"""What the specification must score as the answer to its own picture."""
MOVING = {
    **dict.fromkeys(("labelOffset", "labelFlushOffset", "tickOffset", "translate"), (0.0, 3.0)),
    "bandPosition": (0.5, 0.5),
    "labelLineHeight": (15.0, 15.0),
}
"""Settings of an axis that move its labels along it: what they may be, and by how much they may
differ from that; pixels, and parts of a band."""
STYLED = dict.fromkeys(("dx", "dy"), (0.0, 3.0))
"""The same of the styles that a configuration names: labels have one."""
UNMOVED = {"values", "datasets", "legend"}
"""What has keys of the policy's own, or labels beside signs."""
ALIKE = str.maketrans("I1|0", "lllO")
"""Letters, digits and signs that look alike in many fonts, by one of them."""
SIGNS = "–—‘’“”…−×·±≤≥≈°µ€£α β γ δ ε θ λ μ π σ τ φ ω Δ Σ Ω ⁰¹²³⁴⁵⁶⁷⁸⁹⁻₀₁₂₃₄₅₆₇₈₉"
"""What texts may hold beside the letters and signs of Latin-1: no letters that
look like others, none without a shape, none that the renderer's one font lacks."""

Fault = Literal[
    "not drawn",
    "size",
    "text alone",
    "number count",
    "text count",
    "letters",
    "hidden",
    "flat",
    "far off",
    "contradiction",
    "own score",
]
"""Why a proposal is refused, as it is counted."""


@dataclass(frozen=True)
class Proposal:
    """What came of a proposer's reply."""

    fault: str | None
    """As it is counted: a `Fault`, or one of an image prompt's."""
    reason: str
    """In words; empty where there is no fault."""
    found: Mapping[str, Any] = field(default_factory=dict)
    """What a trace keeps of it; with the `kind` of the chart where something is drawn."""
    task: vf.Task[Any, Any, Any] | None = None
    """The solver's, where there is no fault."""
    content: Content | None = None
    """What it is compared by, where there is no fault."""


def _kind(scene: Scene) -> str:
    return "+".join(scene.marks) or "empty"


async def proposal_of(solvers: ChartSpecTaskset, reply: str, name: str) -> Proposal:
    """Reads, draws and checks a proposer's reply.

    The proposer's faults are in the result; the machine's raise.

    Args:
        solvers: whose task it becomes.
        name: of that task.
    """
    renderer = shared_renderer()
    try:
        text = last_block(reply)
        drawn = await renderer.render(text)
        strict = (await renderer.render(text, strict=True)).scene
    except RenderError as error:
        return Proposal("not drawn", str(error))
    legibility = await asyncio.to_thread(agreement, drawn.scene, strict)
    found = fault_of(drawn, strict, legibility)
    spec = json.loads(text)
    if found is None and moves_labels(spec):
        found = "hidden", "the labels of an axis are moved away from its values"
    kept = {
        "kind": _kind(drawn.scene),
        "numbers": len(drawn.scene.rows),
        # None: there is too much to compare.
        **({} if legibility is None else {"legibility": legibility}),
    }
    if found is not None:
        return Proposal(*found, kept)
    png = await asyncio.to_thread(shrunk, drawn.png)
    picture = ChartPicture(png, name, _kind(drawn.scene), drawn_by="vega-lite", truth=spec)
    task = solvers.task_of(picture)
    own = await task.outcome(f"{BLOCK}\n{text}\n{FENCE}")
    if own.reward < OWN_SCORE:
        reason = f"as the answer to its own picture it scores {own.reward:.2f}"
        return Proposal("own score", reason, kept)
    return Proposal(None, "", kept, task, Shown.of(drawn.scene))


def agreement(scene: Scene, strict: Scene) -> float | None:
    """The smaller F1 of the strict reading against all that can be seen: of numbers, of texts. None
    where there are more than a chart may have: they take long to pair."""
    if not scene.rows:
        return 0.0
    if len(scene.rows) > MAX_ROWS or len(scene.texts) > MAX_TEXTS:
        return None
    return min(table_f1(scene.rows, strict.rows).f1, text_f1(scene.texts, strict.texts))


def moves_labels(part: Any, *, style: bool = False) -> bool:
    """Whether a specification moves labels along their axis, away from what they name."""
    if isinstance(part, list):
        return any(moves_labels(one, style=style) for one in part)
    if not isinstance(part, dict):
        return False
    moving = {**MOVING, **(STYLED if style else {})}
    return any(
        (key in moving and not _near(value, *moving[key]))
        or ((style or key not in UNMOVED) and moves_labels(value, style=style or key == "style"))
        for key, value in part.items()
    )


def _near(value: Any, middle: float, most: float) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and abs(value - middle) <= most


def fault_of(drawn: Rendered, strict: Scene, legibility: float | None) -> tuple[Fault, str] | None:
    """The first fault of a drawn chart and what is wrong in words, or None."""
    scene, sides = drawn.scene, (drawn.width, drawn.height)
    rows, words = scene.rows, [text for text in strict.texts if any(map(str.isalpha, text))]
    if min(sides) < MIN_SIDE or max(sides) > MAX_SIDE:
        return "size", f"it is {sides[0]} x {sides[1]} pixels"
    if scene.marks == ("text",):
        return "text alone", "it has no marks but text"
    if not MIN_ROWS <= len(rows) <= MAX_ROWS:
        return "number count", f"it shows {len(rows)} numbers"
    if len(strict.texts) < MIN_TEXTS or len(words) < MIN_WORDS:
        return "text count", f"{len(strict.texts)} texts can be read, {len(words)} of them words"
    if len(scene.texts) > MAX_TEXTS:
        return "text count", f"it shows {len(scene.texts)} texts"
    if strange := _strange(scene):
        return "letters", strange
    if len({row.value for row in rows}) < MIN_VALUES:
        return "flat", f"fewer than {MIN_VALUES} of its numbers differ"
    if any(map(_far_off, _by_scale(rows))):
        return "far off", "but for a few far-off ones, the numbers of an axis are nearly equal"
    if "text" in scene.marks and _contradicts(rows):
        return "contradiction", "a printed number is not that of its mark"
    if any("" in row.keys for row in rows):
        return "hidden", "it does not print the names of its marks"
    assert legibility is not None  # its counts are within bounds
    if legibility < MIN_AGREEMENT:
        return "hidden", f"{legibility:.0%} of its numbers and texts can be read without effort"
    return None


def _strange(scene: Scene) -> str | None:
    """What is wrong with the lettering."""
    for text in scene.texts:
        if len(text) > MAX_LENGTH:
            return f"a text has {len(text)} characters"
        if letter := strange_letter(text):
            return f"a text holds U+{ord(letter):04X}"
    names = {key for row in scene.rows for key in row.keys if isinstance(key, str)}
    folded = {"".join(name.casefold().split()) for name in names}
    drawn = {"".join(name.translate(ALIKE).split()) for name in names}
    if min(len(folded), len(drawn)) < len(names):
        return "two names differ in case, in spaces, or in letters that look alike"
    return None


def strange_letter(text: str) -> str | None:
    """The first that texts may not hold."""
    allowed = ((letter.isprintable() and ord(letter) < 0x100) or letter in SIGNS for letter in text)
    return next((letter for letter, fine in zip(text, allowed, strict=True) if not fine), None)


def _by_scale(rows: Sequence[Row]) -> list[list[float]]:
    """The values by scale, in order; logarithms where the scale is one."""
    found: dict[tuple[float | None, bool], list[float]] = defaultdict(list)
    for row in rows:
        if not row.log or row.value > 0:
            found[row.span, row.log].append(log(row.value) if row.log else row.value)
    return [sorted(values) for values in found.values() if len(values) >= MIN_ROWS]


def _far_off(values: list[float]) -> bool:
    """Whether a fifth of the values, at one end, is all that keeps the rest from being equal."""
    few, whole = max(1, len(values) // 5), values[-1] - values[0]
    rest = min(values[-1] - values[few], values[-1 - few] - values[0])
    return rest < MIN_SPREAD * whole


def _contradicts(rows: Sequence[Row]) -> bool:
    """Whether one place has two numbers."""
    return len({row.keys for row in rows}) < len(rows)

"""Lines as papers have them: noisy, with bands, on powers of ten, on both signs, annotated."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from inward_charts.draft import Draft, slug
from inward_charts.figure import Axis, Figure, Layer, Note, Record
from inward_charts.kinds.paper.draft import (
    MAX_ROWS,
    finish,
    log_axis,
    noisy,
    paper,
    plain_axis,
    series,
    spread_out,
    symlog_axis,
)
from inward_charts.numbers import significant
from inward_charts.subjects import Measure

_POINTS = {1: (12, 20), 2: (24, 40), 3: (40, 70)}
_FEW = {1: (5, 7), 2: (7, 10), 3: (9, 14)}


def _steps(draft: Draft, count: int) -> tuple[Axis, list[float]]:
    title, first, last = draft.rng.choice(draft.subject.steps)
    stride = (last - first) / (count - 1)
    decimals = max(0, 1 - math.floor(math.log10(stride)))
    places = [float(round(first + i * stride, decimals)) for i in range(count)]
    return Axis(title, slug(title.split(" (")[0]), "number", zero=first == 0, count=5), places


def _runs(draft: Draft, names: tuple[str, ...], count: int, noise: float) -> dict[str, list[float]]:
    """A curve per name in parts of 1: one shape, other speeds and ends."""
    rng = draft.rng
    falling, sharp = rng.random() < 0.5, rng.uniform(2.0, 6.0)
    found = {}
    for i, name in enumerate(names):
        start = rng.uniform(0.82, 0.95)
        end = 0.08 + 0.6 * (i + rng.uniform(0.0, 0.7)) / len(names)
        speed = sharp * rng.uniform(0.6, 1.4)
        parts = [
            end + (start - end) * math.exp(-speed * step / (count - 1)) for step in range(count)
        ]
        found[name] = noisy(draft, parts if falling else [1.02 - p for p in parts], noise)
    return found


def curves_bands(draft: Draft) -> Figure:
    """A noisy line per series, each with a band around it."""
    measure = paper(draft, lambda m: True)
    log = measure.wide and draft.chance(0.2, 0.4, 0.5)
    names = series(draft)
    count = min(draft.count(_POINTS), MAX_ROWS // len(names.members))
    x, places = _steps(draft, count)
    y = log_axis(measure) if log else plain_axis(draft, measure)
    runs = _runs(draft, names.members, count, draft.rng.choice((0.008, 0.015, 0.025)))
    middle, band = [], []
    halves = [draft.rng.uniform(0.025, 0.07) for _ in runs]
    for i, place in enumerate(places):
        ranges = [
            (parts[i], half * draft.rng.uniform(0.8, 1.2))
            for parts, half in zip(runs.values(), halves, strict=True)
        ]
        for name, parts in zip(runs, _apart(ranges), strict=True):
            low, value, high = (spread_out(measure, part, log=log) for part in parts)
            middle.append(Record(place, value, name))
            band.append(Record(place, low=low, high=high, series=name))
    return finish(
        draft,
        "curves_bands",
        x,
        y,
        Layer("band", tuple(band)),
        Layer("line", tuple(middle)),
        title=f"{measure.name} by {names.name.lower()}, mean and s.d.",
        direct=draft.rng.random() < 0.35,
        series_title=names.name,
        series=names.members,
    )


def _apart(ranges: list[tuple[float, float]]) -> list[tuple[float, float, float]]:
    """Low, middle and high of each, no low where another's high is: they would look like a stack."""
    found = [[part - half, part, part + half] for part, half in ranges]
    for _ in range(9):
        for upper in found:
            for lower in found:
                if upper is not lower and abs(upper[0] - lower[2]) < 0.02:
                    lower[2] += 0.025
    return [(low, part, high) for low, part, high in found]


def curves_log(draft: Draft) -> Figure:
    """Lines with points on powers of ten, a limit across them now and then."""
    measure = paper(draft, lambda m: m.wide)
    names = series(draft, most=5)
    count = draft.count(_FEW)
    x, places = _steps(draft, count)
    y = log_axis(measure)
    runs = _runs(draft, names.members, count, draft.rng.choice((0.0, 0.01, 0.02)))
    records = tuple(
        Record(place, spread_out(measure, part, log=True), name)
        for name, parts in runs.items()
        for place, part in zip(places, parts, strict=True)
    )
    notes: tuple[Note, ...] = ()
    if draft.rng.random() < 0.5:
        level = significant(spread_out(measure, draft.rng.uniform(0.1, 0.5), log=True), 1)
        words = draft.rng.choice(("detection limit", "noise floor", "target", "theory"))
        notes = (Note("level", words, y=level),)
    return finish(
        draft,
        "curves_log",
        x,
        y,
        Layer("line", records, dots=True),
        title=f"{measure.name} by {names.name.lower()}",
        direct=draft.rng.random() < 0.3,
        notes=notes,
        series_title=names.name,
        series=names.members,
    )


def curves_signed(draft: Draft) -> Figure:
    """Lines on an axis of both signs: linear about zero, or logarithmic on either side of it."""
    measure = paper(draft, lambda m: m.signed)
    symlog = draft.rng.random() < 0.5
    names = series(draft, most=4)
    count = draft.count(_FEW) + 4
    x, places = _steps(draft, count)
    y = symlog_axis(measure) if symlog else plain_axis(draft, measure)
    records = []
    for name in names.members:
        turns, phase = draft.rng.uniform(0.5, 1.6), draft.rng.random()
        size = draft.rng.uniform(0.5, 1.0)
        for i, place in enumerate(places):
            wave = math.sin(2 * math.pi * (turns * i / (count - 1) + phase))
            wave = size * wave + draft.rng.gauss(0, 0.04)
            records.append(Record(place, _signed(measure, wave, symlog=symlog), name))
    return finish(
        draft,
        "curves_signed",
        x,
        y,
        Layer("line", tuple(records), dots=draft.rng.random() < 0.6),
        title=f"{measure.name} by {names.name.lower()}",
        direct=draft.rng.random() < 0.2,
        notes=() if symlog else (Note("level", draft.rng.choice(("zero", "no effect")), y=0.0),),
        series_title=names.name,
        series=names.members,
    )


def _signed(measure: Measure, wave: float, *, symlog: bool) -> float:
    """A value for a wave between -1 and 1; on an axis of powers of ten most of them are small."""
    wave = min(max(wave, -1.0), 1.0)
    end = measure.high if wave > 0 else -measure.low
    size = end * (10 ** (3 * abs(wave)) - 1) / 999 if symlog else end * abs(wave)
    return significant(math.copysign(size, wave))


def curve_annotated(draft: Draft) -> Figure:
    """One curve with a marked region, a marked moment and words at its peak."""
    measure = paper(draft, lambda m: not m.wide)
    count = draft.count(_POINTS)
    x, places = _steps(draft, count)
    y = replace(plain_axis(draft, measure), room=0.2)
    early = draft.rng.random() < 0.4
    peak = draft.rng.uniform(0.22, 0.36) if early else draft.rng.uniform(0.58, 0.75)
    wide = draft.rng.uniform(0.08, 0.15)
    shape: Callable[[float], float] = lambda t: math.exp(-(((t - peak) / wide) ** 2))  # noqa: E731
    parts = noisy(
        draft,
        [0.1 + 0.62 * shape(i / (count - 1)) for i in range(count)],
        draft.rng.choice((0.01, 0.02, 0.03)),
    )
    values = [spread_out(measure, part, log=False) for part in parts]
    top = max(range(count), key=lambda i: values[i])
    late = not early
    choices = [Note("words", _words(draft), x=places[top], y=values[top], left=late)]
    if late and draft.rng.random() < 0.6:
        start = draft.rng.randrange(1, max(2, count // 4))
        # A region that starts at zero would look like a bar.
        start += places[start] == 0
        end = start + max(2, count // 5)
        words = draft.rng.choice(("warm-up", "phase I", "baseline"))
        choices.append(Note("span", words, x=places[start], x2=places[end]))
    else:
        place = places[round(0.15 * count) if late else round(0.8 * count)]
        choices.append(Note("moment", draft.rng.choice(("onset", "reset", "pulse")), x=place))
    if draft.level > 1:
        level = spread_out(measure, draft.rng.uniform(0.3, 0.55), log=False)
        choices.append(Note("level", draft.rng.choice(("limit", "theory", "ceiling")), y=level))
    return finish(
        draft,
        "curve_annotated",
        x,
        y,
        Layer("line", tuple(Record(p, v) for p, v in zip(places, values, strict=True))),
        title=f"{measure.name} in one run",
        notes=tuple(choices),
    )


def _words(draft: Draft) -> str:
    return draft.rng.choice(("peak", "maximum", "optimum", "resonance"))

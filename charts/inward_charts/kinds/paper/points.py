"""Many points as papers have them: dense clouds, and strips of samples."""

from __future__ import annotations

from dataclasses import replace

from inward_charts.draft import Draft
from inward_charts.figure import Figure, Layer, Note, Record
from inward_charts.kinds.paper.draft import finish, log_axis, paper, plain_axis, series, spread_out
from inward_charts.kinds.shared import category_axis
from inward_charts.subjects import Groups

_CLOUD = {1: (80, 120), 2: (150, 260), 3: (300, 500)}
_SAMPLE = {1: (14, 22), 2: (24, 40), 3: (40, 70)}


def scatter_dense(draft: Draft) -> Figure:
    """Hundreds of points, on powers of ten where the measures span them; one is named."""
    first = paper(draft, lambda m: True)
    second = draft.rng.choice([m for m in draft.subject.measures if m is not first])
    log_x, log_y = second.wide, first.wide
    x = log_axis(second) if log_x else plain_axis(draft, second)
    y = log_axis(first) if log_y else plain_axis(draft, first)
    many = draft.chance(0.5, 0.7, 0.8)
    names = series(draft, most=4) if many else None
    members: tuple[str | None, ...] = names.members if names else (None,)
    slope, noise = draft.rng.uniform(-0.7, 0.7), draft.rng.uniform(0.05, 0.12)
    records: list[Record] = []
    taken: list[tuple[float, float]] = []
    for i in range(draft.count(_CLOUD)):
        group = i % len(members)
        centre = 0.5 + (group - (len(members) - 1) / 2) * 0.13
        u = min(max(draft.rng.gauss(0.5, 0.2), 0.02), 0.98)
        v = min(max(centre + slope * (u - 0.5) + draft.rng.gauss(0, noise), 0.02), 0.98)
        # A point on another cannot be seen.
        if any(abs(u - x) < 0.016 and abs(v - y) < 0.022 for x, y in taken):
            continue
        taken.append((u, v))
        place = spread_out(second, u, log=log_x)
        records.append(Record(place, spread_out(first, v, log=log_y), members[group]))
    notes: tuple[Note, ...] = ()
    if draft.chance(0.3, 0.5, 0.6):
        out = max(records, key=lambda r: r.y or 0.0)
        words = draft.rng.choice(("outlier", "this work", "reference", "run 17"))
        middle = sorted(float(r.x) for r in records)[len(records) // 2]
        notes = (Note("words", words, x=float(out.x), y=out.y or 0.0, left=float(out.x) > middle),)
    draft.style = replace(
        draft.style,
        point_area=draft.rng.choice((16, 20, 24)),
        opacity=draft.rng.choice((0.6, 0.7, 0.8)),
    )
    return finish(
        draft,
        "scatter_dense",
        x,
        y,
        Layer("point", tuple(records)),
        title=f"{first.name} against {second.name[:1].lower()}{second.name[1:]}",
        notes=notes,
        series_title=names.name if names else "",
        series=members if names else (),
    )


def strip(draft: Draft) -> Figure:
    """Every sample of each category, as points side by side or as ticks."""
    measure = paper(draft, lambda m: True)
    log = measure.wide
    field = draft.rng.choice(draft.subject.categories)
    groups = Groups(
        field.name,
        field.members[: draft.rng.randint(*{1: (3, 3), 2: (4, 4), 3: (5, 6)}[draft.level])],
    )
    y = log_axis(measure) if log else plain_axis(draft, measure)
    ticks = draft.rng.random() < 0.35
    records = []
    for name in groups.members:
        centre, wide = draft.rng.uniform(0.25, 0.75), draft.rng.uniform(0.05, 0.12)
        taken: list[tuple[float, float]] = []
        for _ in range(draft.count(_SAMPLE)):
            part = min(max(draft.rng.gauss(centre, wide), 0.01), 0.99)
            across = 0.0 if ticks else round(draft.rng.random(), 2)
            # What is on another cannot be seen.
            if any(abs(part - y) < 0.014 and abs(across - x) < 0.15 for x, y in taken):
                continue
            taken.append((across, part))
            records.append(
                Record(
                    name,
                    spread_out(measure, part, log=log),
                    shift=None if ticks else across,
                )
            )
    draft.style = replace(
        draft.style, point_area=draft.rng.choice((12, 16, 20)), opacity=0.7, shaped=False
    )
    return finish(
        draft,
        "strip",
        category_axis(groups),
        y,
        Layer("tick" if ticks else "point", tuple(records)),
        title=f"{measure.name} by {groups.name.lower()}, all samples",
        horizontal=draft.rng.random() < 0.4,
    )

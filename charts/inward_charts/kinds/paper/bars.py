"""Bars as papers have them: hatched by series, and on both sides of zero."""

from __future__ import annotations

from inward_charts.draft import Draft, slug
from inward_charts.figure import Axis, Figure, Layer, Record
from inward_charts.kinds.paper.draft import finish, paper, plain_axis, series, spread_out
from inward_charts.kinds.shared import category_axis
from inward_charts.subjects import Groups

_CATEGORIES = {1: (3, 3), 2: (3, 4), 3: (4, 6)}


def _categories(draft: Draft) -> Groups:
    field = draft.rng.choice(draft.subject.categories)
    count = min(draft.count(_CATEGORIES), len(field.members))
    return Groups(field.name, field.members[:count])


def bars_hatched(draft: Draft) -> Figure:
    """Grouped bars that differ by hatching as well (where matplotlib draws them)."""
    measure = paper(draft, lambda m: m.low > 0 and not m.wide)
    groups, names = _categories(draft), series(draft, most=4)
    y = plain_axis(draft, measure, zero=True)
    records = []
    for name in groups.members:
        base = draft.rng.uniform(0.15, 0.75)
        for i, member in enumerate(names.members):
            part = min(base + 0.06 * i + draft.rng.uniform(-0.1, 0.1), 1.0)
            records.append(Record(name, spread_out(measure, max(part, 0.02), log=False), member))
    return finish(
        draft,
        "bars_hatched",
        category_axis(groups),
        y,
        Layer("bar", tuple(records), "group"),
        title=f"{measure.name} by {groups.name.lower()}",
        series_title=names.name,
        series=names.members,
    )


def bars_signed(draft: Draft) -> Figure:
    """One bar per category, on either side of zero."""
    measure = paper(draft, lambda m: m.signed)
    field = draft.rng.choice(draft.subject.categories)
    y = plain_axis(draft, measure, zero=True)
    records = []
    for i, name in enumerate(field.members):
        sign = -1 if i % 3 == 1 or draft.rng.random() < 0.3 else 1
        end = measure.high if sign > 0 else -measure.low
        value = round(sign * end * draft.rng.uniform(0.12, 0.95), measure.decimals)
        records.append(Record(name, float(value)))
    horizontal = draft.rng.random() < 0.5
    if horizontal:
        records.sort(key=lambda r: -(r.y or 0.0))
    members = tuple(str(r.x) for r in records)
    return finish(
        draft,
        "bars_signed",
        Axis(field.name, slug(field.name), "category", members=members),
        y,
        Layer("bar", tuple(records)),
        title=f"{measure.name} by {field.name.lower()}",
        horizontal=horizontal,
    )

"""What builders of several families share: axes and titles over groups, crossed groups, shares."""

from __future__ import annotations

from inward_charts.draft import Draft, slug
from inward_charts.figure import Axis
from inward_charts.subjects import Groups, Measure


def category_axis(groups: Groups) -> Axis:
    return Axis(groups.name, slug(groups.name), "category", members=groups.members)


def over(measure: Measure, groups: Groups) -> tuple[str, ...]:
    """Titles for a measure over groups."""
    field = groups.name.lower()
    return (
        f"{measure.name} by {field}",
        f"{measure.name} for each {field}",
        f"{measure.name} per {field}",
    )


def crossed(
    draft: Draft, *, additive: bool, most: int = 7, long: bool = False
) -> tuple[Groups, Groups, Measure]:
    measure = draft.measure(additive=additive, positive=True)
    groups = draft.categories(most, long=long)
    return groups, draft.series(), measure


def percents(draft: Draft, count: int) -> list[int]:
    """Whole per cent that add up to 100, none below 3."""
    weights = [draft.rng.uniform(0.3, 1.0) ** 2 for _ in range(count)]
    room = 100 - 3 * count
    shares = [3 + int(room * w / sum(weights)) for w in weights]
    shares[0] += 100 - sum(shares)
    return shares

"""Numbers told category by category, `Grade 4: Public 26, Private 17`, put into their series."""

from __future__ import annotations

from inward_rewards.images.plain.chart import PlainChart, Series
from inward_rewards.images.plain.state import same_name


def turned(chart: PlainChart) -> None:
    """Takes series for places and places for series, where the axis or the legend says so."""
    series = [one for one in chart.series if one.name and one.kind is None]
    if len(series) < 2 or len(series) < len(chart.series) or any(one.panel for one in series):
        return
    if chart.kind not in ("bar", "line", "step", "area", "cell"):
        return
    names = [one.name for one in series]
    places = [o.x for one in series for o in one.observations]
    if not all(isinstance(place, str) for place in places):
        return
    told = list(dict.fromkeys(str(place) for place in places))
    axis = (chart.y if chart.horizontal else chart.x).members
    legend = [] if chart.kind == "cell" else chart.legend
    by_axis = _among(names, axis) and not _among(told, axis)
    by_legend = _among(told, legend) and not _among(names, legend) and len(told) >= 2
    if not (by_axis or by_legend):
        return
    found = {place: Series(place) for place in told}
    for one in series:
        for o in one.observations:
            place, o.x = str(o.x), one.name
            found[place].observations.append(o)
    chart.series = list(found.values())


def _among(names: list[str], known: list[str]) -> bool:
    return bool(known) and all(same_name(name, known) in known for name in names)

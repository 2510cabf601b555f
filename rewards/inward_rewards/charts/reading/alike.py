"""Series that a strict reading does not tell apart: they are drawn in nearly one colour."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from inward_rewards.charts.reading.item import Item
from inward_rewards.charts.reading.values import Given

CLEAR_COLORS = 34.0
"""Distance in steps of 255 by which a strict reading tells series apart: that of their red, green
and blue as drawn on white. The nearest of Vega's set2 are 49 apart, and 34.3 as points, which are
drawn at an opacity of 0.7."""


def alike(items: list[Item]) -> set[tuple[str, Given]]:
    """The series, by scale, of whose colours one is nearly one of another's; and the places within
    a group that have their names."""
    looks: dict[str, set[tuple[Given, tuple[float, ...]]]] = defaultdict(set)
    for item in items:
        channel, name = item.channels.get("color"), item.names.get("color")
        if channel is not None and name is not None:
            opacity = min(1.0, item.element.opacity)
            on_white = tuple(255 - opacity * (255 - part) for part in item.look("color"))
            looks[channel.scale].add((name, on_white))
    blurred: set[tuple[str, Given]] = set()
    for scale, found in looks.items():
        names = [name for name, _ in found]
        colors = np.array([color for _, color in found])
        for name, color in found:
            near = np.nonzero(np.linalg.norm(colors - color, axis=1) < CLEAR_COLORS)[0]
            if any(names[place] != name for place in near):
                blurred.add((scale, name))
    named = {name for _, name in blurred}
    return blurred | {
        (item.channels[offset].scale, name)
        for item in items
        for offset in ("xOffset", "yOffset")
        if (name := item.names.get(offset)) in named
    }
